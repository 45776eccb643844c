//! A Lambda function as a value: its code and the packages that it uses, its settings, its layers in their order. What is
//! asked of AWS, and what is told to people, is decided elsewhere.

pub mod code;
pub mod layers;
mod managed;
mod name;
mod qualified;
mod settings;
pub mod used_packages;

pub use managed::ManagedBy;
pub use name::{FunctionNameError, FunctionReference, is_function_name};
pub use qualified::{QualifiedFunction, QualifiedFunctionError};
pub use settings::{Difference, FunctionSettings, ImageStart, LogFormat};
