//! `r-layer build runtime`: settings → R and its packages → layer tree → zip and build record.

mod assemble;
mod pack;
mod place;
mod prebuilt;
mod repositories;
mod settings;
mod sources;
mod steps;
mod version;

use anyhow::{Context, Result};

use crate::cache::Cache;
use crate::cli::BuildRuntimeArgs;
use crate::commands::packing::Built;
use crate::distribution::{R, RSourceSpec};
use crate::http::{Http, HttpError, Patience};
use crate::layer::RuntimeRecipe;
use crate::layer::record::SourceRecord;
use crate::layer::tree::SourceFolder;
use crate::lockfile::Lockfile;
use crate::manifest::Manifest;
use crate::progress::Reporter;
use crate::repository::TarballError;
pub use settings::Settings;
pub use steps::Steps;

/// Builds the runtime layer.
pub async fn run(args: BuildRuntimeArgs, reporter: &dyn Reporter) -> Result<Built> {
    let mut steps = Steps::begin(reporter);
    let recipe = RuntimeRecipe::embedded();
    let project = std::env::current_dir().context("the current folder is gone")?;
    let settings = Settings::resolve(
        args.options,
        args.upgrade,
        Manifest::read(&project)?,
        recipe,
    )?;
    fs_err::create_dir_all(&settings.out)
        .and_then(|()| tempfile::tempfile_in(&settings.out).map(drop))
        .with_context(|| {
            format!(
                "nothing can be written to {}; name another folder with --out",
                settings.out.display()
            )
        })?;
    let credentials = settings.repositories.credentials.clone();
    let builder = Builder {
        recipe,
        http: Http::from_environment(Patience::default(), credentials)?,
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
    let (r, packages) = builder.r_and_packages(&mut lock).await?;
    lock.write()?;
    steps.done("settings, R and packages found");
    builder.build(&r, &packages, &mut steps).await
}

/// Makes R and the runtime layer.
pub struct Builder<'a> {
    /// What the runtime layer is made of.
    pub recipe: &'a RuntimeRecipe,
    /// For every request.
    pub http: Http,
    /// What is kept.
    pub cache: Cache,
    /// What decides how it is made.
    pub settings: Settings,
    /// Told of what happens.
    pub reporter: &'a dyn Reporter,
}

/// A package that goes into the layer.
pub struct PackageFolder {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: SourceFolder,
    /// What it was made from.
    pub source: SourceRecord,
}

impl Builder<'_> {
    /// R from where it is to come from, with the packages that belong to the runtime.
    pub async fn r_and_packages(&self, lock: &mut Lockfile) -> Result<(R, Vec<PackageFolder>)> {
        if let RSourceSpec::Folder(home) = &self.settings.r_source {
            return self.installed(home, lock).await;
        }
        let version = self.r_version(lock).await?;
        match self.settings.r_source {
            RSourceSpec::Cran => self.compiled(&version, lock).await,
            RSourceSpec::Auto => match self.prebuilt(&version, lock).await {
                Err(error) if is_nowhere(&error) => {
                    self.reporter.note(&format!(
                        "Posit's R {version} cannot be had; compiling it from CRAN's source"
                    ));
                    self.reporter.detail(&format!("{error:#}"));
                    self.compiled(&version, lock).await
                }
                prebuilt => prebuilt,
            },
            RSourceSpec::Posit | RSourceSpec::Folder(_) => self.prebuilt(&version, lock).await,
        }
    }
}

/// Is it that something was not to be had? What was had and refused is no reason to look elsewhere.
fn is_nowhere(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(
            cause.downcast_ref::<TarballError>(),
            Some(TarballError::Nowhere { .. })
        ) || cause.is::<HttpError>()
    })
}
