//! `r-layer invoke`.
use crate::{cli::InvokeArgs, progress::Reporter, terminal::Printer};
use super::Outcome;
pub async fn run(_: InvokeArgs, _: Printer, _: &dyn Reporter) -> anyhow::Result<Outcome> { anyhow::bail!("not yet") }
