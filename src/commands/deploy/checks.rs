//! What is checked of R code before anything is sent: that the handler loads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::checksum::Sha256;
use crate::function::code::FunctionCode;
use crate::function::layers::FunctionLayer;
use crate::layer::dist::records;
use crate::progress::Reporter;

/// The zips of these layers in a folder; nothing, if one is not there, with its name.
pub fn zips_of(layers: &[FunctionLayer], dist: &Path) -> Result<Result<Vec<PathBuf>, String>> {
    let here: BTreeMap<Sha256, PathBuf> = records(dist)?
        .into_iter()
        .map(|(_, record)| (record.sha256, dist.join(&record.zip)))
        .filter(|(_, zip)| zip.is_file())
        .collect();
    let mut zips = Vec::new();
    for layer in layers {
        let zip = layer.content.sha256.and_then(|sha256| here.get(&sha256));
        match zip {
            Some(zip) => zips.push(zip.clone()),
            None => {
                let name = format!("{}:{}", layer.arn.layer.layer, layer.arn.version);
                return Ok(Err(format!(
                    "the zip of {name} is not in {}",
                    dist.display()
                )));
            }
        }
    }
    Ok(Ok(zips))
}

/// What the handler is loaded with.
pub struct Loading<'a> {
    /// The zips of the function's layers, or why they are not all here.
    pub zips: Result<Vec<PathBuf>, String>,
    /// Its code.
    pub code: &'a FunctionCode,
    /// The handler.
    pub handler: &'a str,
    /// Its environment variables.
    pub environment: &'a BTreeMap<String, String>,
}

impl Loading<'_> {
    /// Loads the handler in a root like Lambda's, if this machine can; what cannot be loaded is an error.
    #[cfg(unix)]
    pub async fn check(self, reporter: &dyn Reporter) -> Result<()> {
        use crate::commands::invoke::loading::{Function, Loaded};

        let skipped = |reason: &str| {
            reporter.note(&format!("the handler is not loaded here first: {reason}"))
        };
        let zips = match self.zips {
            Ok(zips) if zips.is_empty() => {
                skipped("it has no layers");
                return Ok(());
            }
            Ok(zips) => zips,
            Err(reason) => {
                skipped(&reason);
                return Ok(());
            }
        };
        // What is deployed, and nothing else that lies beside it.
        let folder = tempfile::tempdir()?;
        self.code.write_to(folder.path())?;
        let environment: Vec<(String, String)> = self
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let function = Function {
            zips,
            code: folder.path(),
            handler: self.handler,
            environment: &environment,
        };
        match function.load(reporter).await {
            Ok(Loaded::Yes) => Ok(()),
            Ok(Loaded::No(why)) => bail!(
                "the handler {} cannot be loaded, so nothing was sent: {why}\n(--no-check deploys it all the same)",
                self.handler
            ),
            Err(error) => {
                skipped(&format!("{error:#}"));
                Ok(())
            }
        }
    }

    /// Roots like Lambda's are for Linux.
    #[cfg(not(unix))]
    pub async fn check(self, reporter: &dyn Reporter) -> Result<()> {
        reporter.note("the handler is not loaded here first: that needs Linux");
        Ok(())
    }
}
