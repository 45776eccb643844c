//! What decides a build: flags and environment before the manifest before defaults.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use rawzip::time::UtcDateTime;

use super::place::{self, Named};
use crate::cli::BuildRuntimeArgs;
use crate::commands::settings;
use crate::credentials::{Credentials, CredentialsError};
use crate::distribution::{Blas, BuildPlace, RSourceSpec, RVersionRequest};
use crate::layer::{RuntimeRecipe, zip};
use crate::manifest::Manifest;
use crate::repository::{Location, Mirror, PackageManager, PortableBuilds};
use crate::target::{Architecture, Target};

/// Everything that decides what is built.
pub struct Settings {
    /// The R that was asked for, if one was.
    pub r_version: Option<RVersionRequest>,
    /// Is it to be found out anew what `release` means?
    pub upgrade: bool,
    /// Where it comes from.
    pub r_source: RSourceSpec,
    /// Its tarball, tried before the servers.
    pub r_tarballs: Vec<Location>,
    /// Posit's portable builds.
    pub builds: PortableBuilds,
    /// Posit Package Manager.
    pub package_manager: PackageManager,
    /// CRAN mirrors, in order.
    pub mirrors: Vec<Mirror>,
    /// By which servers know us.
    pub credentials: Credentials,
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
        args: BuildRuntimeArgs,
        manifest: Manifest,
        recipe: &RuntimeRecipe,
    ) -> Result<Settings> {
        let section = manifest.runtime;
        let or = |flags: Vec<String>, section: Vec<String>| {
            if flags.is_empty() { section } else { flags }
        };
        let mut credentials = Credentials::from_environment()?;
        let mut mirrors = Vec::new();
        let mut named = or(args.cran, section.cran);
        if named.is_empty() {
            named.clone_from(&recipe.cran.mirrors);
        }
        for text in &named {
            mirrors.push(Mirror::parse(&credentials.of_repository("cran", text)?));
        }
        let mut r_tarballs = Vec::new();
        for text in or(args.r_tarball, section.r_tarball) {
            let text = credentials.of_repository("r-tarball", &text)?;
            r_tarballs.push(Location::parse(&text));
        }
        let mut base = |name, flag: Option<String>, section: Option<String>, default: &str| {
            let text = flag.or(section).unwrap_or_else(|| default.to_owned());
            Ok::<_, CredentialsError>(Mirror::parse(&credentials.of_repository(name, &text)?))
        };
        let posit = &recipe.posit;
        let builds = PortableBuilds {
            base: base("posit", args.posit, section.posit, &posit.builds)?,
            platform: posit.builds_platform.clone(),
        };
        let package_manager = PackageManager {
            base: base("p3m", args.p3m, section.p3m, &posit.packages)?,
            platform: posit.packages_platform.clone(),
        };
        let folders = match args.sources.is_empty() {
            true => section.sources,
            false => args.sources,
        };
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
        let source_of = |text: &str| Ok(text.parse::<RSourceSpec>()?);
        let architecture_of = |text: &str| settings::architecture(Some(text));
        let target_of = |text: &str| settings::target(Some(text));
        Ok(Settings {
            r_version: parsed(args.r_version, r_version, "r-version", request_of)?,
            upgrade: args.upgrade,
            r_source: parsed(args.r_source, section.r_source, "r-source", source_of)?
                .unwrap_or(RSourceSpec::Posit),
            r_tarballs,
            builds,
            package_manager,
            mirrors,
            credentials,
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
            s3_bucket: args.s3_bucket.or(manifest.publish.s3_bucket),
            entry_time: zip::entry_time(std::env::var("SOURCE_DATE_EPOCH").ok().as_deref())?,
            jobs: args
                .jobs
                .or_else(|| std::thread::available_parallelism().ok())
                .map_or(1, usize::from),
        })
    }
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
