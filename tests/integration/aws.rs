//! AWS on this machine: moto's server, an account of each test's own in it, and a proxy in between that records requests
//! and does to them what AWS and networks do.

mod account;
mod moto;
mod proxied;
pub mod proxy;
mod served;

pub use account::Account;
pub use moto::Moto;
