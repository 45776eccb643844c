//! Running a command in a root file system: R's compilation in a build root, a handler in one like Lambda's.

mod bubblewrap;
mod container;
mod debian;
mod emulation;
mod engine;
mod lambda_root;
mod logged;
mod root;
mod user_namespaces;

pub use bubblewrap::{BubblewrapError, Mount, Sandbox, find_program};
pub use container::Container;
pub use debian::{debian_root, forget_downloads, unpack_debian};
pub use emulation::{EmulationError, check_runs};
pub use engine::{Engine, EngineError, EngineImage, EngineKind};
pub use lambda_root::{cached_lambda_root, glibc_of_root, lambda_root};
pub use logged::{CommandFailed, LoggedCommand, ProcessGroup};
pub use root::{RootError, RootSpec, install_packages, install_script};
pub use user_namespaces::bubblewrap_runs;
