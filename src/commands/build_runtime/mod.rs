//! `r-layer build runtime`: settings → R and its packages → layer tree → zip and build record.

mod pack;
mod place;
mod settings;
mod sources;

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::cache::Cache;
use crate::cli::BuildRuntimeArgs;
use crate::http::{Http, Patience};
use crate::layer::{BuildRecord, RuntimeRecipe};
use crate::lockfile::Lockfile;
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::terminal::human_size;
use settings::Settings;

/// What was built, as it is printed.
#[derive(Debug, Serialize)]
pub struct Built {
    /// The zip.
    path: PathBuf,
    /// Its build record.
    #[serde(flatten)]
    record: BuildRecord,
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = &self.record;
        writeln!(f, "{}", self.path.display())?;
        writeln!(f, "  {}", record.description)?;
        writeln!(
            f,
            "  {} zipped, {} unzipped, glibc {} or newer, {} R packages",
            human_size(record.zipped_size),
            human_size(record.unzipped_size),
            record.glibc.as_deref().unwrap_or("any"),
            record.packages.len()
        )?;
        if record.needs_s3 {
            writeln!(f, "  needs S3: too large for a request")?;
        }
        writeln!(f, "  sha256 {}", record.sha256)
    }
}

/// Builds the runtime layer.
pub async fn run(args: BuildRuntimeArgs, reporter: &dyn Reporter) -> Result<Built> {
    let recipe = RuntimeRecipe::embedded();
    let project = std::env::current_dir().context("the current folder is gone")?;
    let settings = Settings::resolve(args, Manifest::read(&project)?, recipe)?;
    fs_err::create_dir_all(&settings.out)
        .and_then(|()| tempfile::tempfile_in(&settings.out).map(drop))
        .with_context(|| {
            format!(
                "nothing can be written to {}; name another folder with --out",
                settings.out.display()
            )
        })?;
    let mut builder = Builder {
        recipe,
        http: Http::from_environment(Patience::default())?,
        cache: Cache::from_environment()?,
        settings,
        reporter,
    };
    let mut lock = Lockfile::read(&project)?;
    tempfile::tempfile_in(&project).with_context(|| {
        let folder = project.display();
        format!(
            "r-layer.lock cannot be written to {folder}; change to a folder that you can write to"
        )
    })?;
    builder.pin_place(&mut lock).await?;
    let r = builder.r(&mut lock).await?;
    let packages = builder.packages(&r, &mut lock).await?;
    lock.write()?;
    builder.build(&r, &packages).await
}

struct Builder<'a> {
    recipe: &'a RuntimeRecipe,
    http: Http,
    cache: Cache,
    settings: Settings,
    reporter: &'a dyn Reporter,
}

/// A package that goes into the layer: its name and its folder.
type PackageFolder = (String, PathBuf);
