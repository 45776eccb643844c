//! A Lambda function as a value: its settings, and the layers that it has, in their order. What is asked of AWS, and what
//! is told to people, is decided elsewhere.

pub mod code;
pub mod layers;
mod managed;
mod name;
mod settings;

pub use managed::ManagedBy;
pub use name::{FunctionNameError, FunctionReference};
pub use settings::{Difference, FunctionSettings, LogFormat};
