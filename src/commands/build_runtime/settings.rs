//! What decides a build: flags and environment before the manifest before defaults.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use rawzip::time::UtcDateTime;

use super::place::{self, Named};
use super::repositories::Repositories;
use crate::cli::RuntimeOptions;
use crate::commands::settings;
use crate::distribution::{Blas, BuildPlace, RSourceSpec, RVersionRequest};
use crate::layer::{RuntimeRecipe, zip};
use crate::manifest::{Manifest, RuntimeSection};
use crate::target::{Architecture, Target};

/// Everything that decides what is built.
pub struct Settings {
    /// The R that was asked for, if one was.
    pub r_version: Option<RVersionRequest>,
    /// Is it to be found out anew what `release` means?
    pub upgrade: bool,
    /// Where it comes from.
    pub r_source: RSourceSpec,
    /// Where R and packages are fetched.
    pub repositories: Repositories,
    /// Folders with tarballs, looked into first.
    pub folders: Vec<PathBuf>,
    /// Where it is compiled.
    pub place: BuildPlace,
    /// Its linear algebra.
    pub blas: Blas,
    /// The processor.
    pub architecture: Architecture,
    /// The Lambda runtime.
    pub target: &'static Target,
    /// Where the zip goes.
    pub out: PathBuf,
    /// The bucket for large zips.
    pub s3_bucket: Option<String>,
    /// The time of the zip's entries.
    pub entry_time: UtcDateTime,
    /// How many compilers at once.
    pub jobs: usize,
}

impl Settings {
    /// Flags and environment before the manifest before defaults.
    pub fn resolve(
        mut args: RuntimeOptions,
        upgrade: bool,
        manifest: Manifest,
        recipe: &RuntimeRecipe,
    ) -> Result<Settings> {
        forget_empty(&mut args);
        check_is_compiled(&args, &manifest.runtime)?;
        Settings::of(args, upgrade, manifest, recipe)
    }

    /// The same for packages, which may be compiled for an R that is not.
    pub fn for_packages(
        mut args: RuntimeOptions,
        manifest: Manifest,
        recipe: &RuntimeRecipe,
    ) -> Result<Settings> {
        forget_empty(&mut args);
        Settings::of(args, false, manifest, recipe)
    }

    fn of(
        args: RuntimeOptions,
        upgrade: bool,
        manifest: Manifest,
        recipe: &RuntimeRecipe,
    ) -> Result<Settings> {
        let section = manifest.runtime;
        let r_source = named_r_source(&args, &section)?.unwrap_or(RSourceSpec::Posit);
        let repositories = Repositories::resolve(&args, &section, recipe)?;
        let folders = or(&args.sources, &section.sources).to_vec();
        if let Some(absent) = folders.iter().find(|folder| !folder.is_dir()) {
            bail!("--sources {}: there is no such folder", absent.display());
        }
        let blas = match args.blas {
            Some(blas) => Some(blas.into()),
            None => parsed(None, section.blas, "blas", |text| Ok(Blas::parse(text)?))?,
        };
        let place = place::resolve(
            Named {
                root: args.build_root,
                engine: args.engine,
                image: args.build_image,
                is_host: args.build_on_host,
            },
            Named {
                root: section.build_root,
                engine: section.engine,
                image: section.build_image,
                is_host: false,
            },
            &recipe.build_root.default,
        )?;
        let request_of = |text: &str| Ok(text.parse::<RVersionRequest>()?);
        let r_version = section.r_version.first().map(str::to_owned);
        let arch = section.arch.first().map(str::to_owned);
        let architecture_of = |text: &str| settings::architecture(Some(text));
        let target_of = |text: &str| settings::target(Some(text));
        Ok(Settings {
            r_version: parsed(args.r_version, r_version, "r-version", request_of)?,
            upgrade,
            r_source,
            repositories,
            folders,
            place,
            blas: blas.unwrap_or(Blas::Reference),
            architecture: match parsed(args.arch, arch, "arch", architecture_of)? {
                Some(architecture) => architecture,
                None => settings::architecture(None)?,
            },
            target: match parsed(args.target, section.target, "target", target_of)? {
                Some(target) => target,
                None => settings::target(None)?,
            },
            out: args.out,
            s3_bucket: args.s3_bucket.or_else(|| {
                let bucket = manifest.publish.s3_bucket.as_ref();
                bucket.map(ToString::to_string)
            }),
            entry_time: zip::entry_time(std::env::var("SOURCE_DATE_EPOCH").ok().as_deref())?,
            jobs: args
                .jobs
                .or_else(|| std::thread::available_parallelism().ok())
                .map_or(1, usize::from),
        })
    }
}

/// An environment variable without a value is none.
fn forget_empty(args: &mut RuntimeOptions) {
    for setting in [
        &mut args.r_version,
        &mut args.r_source,
        &mut args.posit,
        &mut args.p3m,
        &mut args.build_root,
        &mut args.engine,
        &mut args.build_image,
        &mut args.arch,
        &mut args.target,
        &mut args.s3_bucket,
    ] {
        setting.take_if(|text| text.is_empty());
    }
}

/// Where R comes from, if it is said.
fn named_r_source(args: &RuntimeOptions, section: &RuntimeSection) -> Result<Option<RSourceSpec>> {
    let source_of = |text: &str| Ok(text.parse::<RSourceSpec>()?);
    let (flag, listed) = (args.r_source.clone(), section.r_source.clone());
    parsed(flag, listed, "r-source", source_of)
}

/// What is for compiling makes no sense with an R that is compiled already.
fn check_is_compiled(args: &RuntimeOptions, section: &RuntimeSection) -> Result<()> {
    let named = named_r_source(args, section)?;
    let typed = first_set([
        ("blas", args.blas.is_some()),
        ("build-root", args.build_root.is_some()),
        ("build-on-host", args.build_on_host),
        ("engine", args.engine.is_some()),
        ("build-image", args.build_image.is_some()),
    ]);
    let listed = first_set([
        ("blas", section.blas.is_some()),
        ("build-root", section.build_root.is_some()),
        ("engine", section.engine.is_some()),
        ("build-image", section.build_image.is_some()),
    ]);
    match (named, typed, listed) {
        (None | Some(RSourceSpec::Posit), Some(flag), _) => bail!(
            "--{flag} is for compiling R, and Posit's is compiled already; type --r-source cran with it"
        ),
        (None, None, Some(key)) => bail!(
            "{}, [runtime] {key} is for compiling R, and Posit's is compiled already; add r-source = \"cran\", or take \
             {key} out",
            Manifest::NAME
        ),
        _ => Ok(()),
    }
}

/// A list of the flag or environment, else of the manifest.
pub(super) fn or<'a, T>(flags: &'a [T], section: &'a [T]) -> &'a [T] {
    if flags.is_empty() { section } else { flags }
}

fn first_set<const N: usize>(settings: [(&'static str, bool); N]) -> Option<&'static str> {
    let mut set = settings.into_iter().filter(|(_, is_set)| *is_set);
    set.next().map(|(name, _)| name)
}

/// A setting from its flag or environment variable, else from the manifest; one that is wrong there says so.
pub(super) fn parsed<T>(
    flag: Option<String>,
    section: Option<String>,
    key: &str,
    parse: impl Fn(&str) -> Result<T>,
) -> Result<Option<T>> {
    match (flag, section) {
        (Some(text), _) => parse(&text).map(Some),
        (None, Some(text)) => parse(&text)
            .map(Some)
            .with_context(|| format!("{}, [runtime] {key}", Manifest::NAME)),
        (None, None) => Ok(None),
    }
}
