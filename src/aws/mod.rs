//! AWS, as far as layers and functions need it: who we are there, and the calls that publish,
//! grant, attach and remove. Every request goes through one connection (`connector.rs`), so that proxies and
//! certificates are those of every other request of r-layer, and a region is never asked more often than it allows.

mod bucket;
mod call;
mod connector;
mod ecr;
mod endpoint;
mod error;
mod functions;
mod invocation;
mod json_call;
mod layers;
mod log_events;
mod marked;
mod pace;
mod parameters;
mod query_call;
mod roles;
mod schedules;
mod session;
mod shared_body;
mod shared_layer;
mod signed_call;

pub use bucket::{Bucket, StagedObject};
pub use call::Call;
pub use connector::{Connector, Sent};
pub use ecr::{Ecr, EcrPassword};
pub use error::{AwsError, Refusal};
pub use functions::{
    Code, DeployedFunction, FunctionUrl, Functions, NewFunction, Permission, is_conflict,
};
pub use invocation::{Invocations, InvokeRequest, Invoked, ResponsePart, ResponseStream};
pub use layers::{Content, LayerUser, LayerVersion, Layers, NewVersion, PublishedVersion};
pub use log_events::{LogEvent, LogEvents, LogPage, LogQuery};
pub use parameters::Parameters;
pub use roles::{Role, Roles};
pub use schedules::{ScheduleRule, Schedules};
pub use session::{Identity, Session, SessionSettings};
pub use shared_body::ZipRequest;
pub use shared_layer::{SharedLayer, shared_layer};
