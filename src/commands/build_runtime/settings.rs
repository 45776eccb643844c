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
        mut args: BuildRuntimeArgs,
        manifest: Manifest,
        recipe: &RuntimeRecipe,
    ) -> Result<Settings> {
        // An environment variable without a value is none.
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
        let section = manifest.runtime;
        let typed_for_compiling = first_set([
            ("blas", args.blas.is_some()),
            ("build-root", args.build_root.is_some()),
            ("build-on-host", args.build_on_host),
            ("engine", args.engine.is_some()),
            ("build-image", args.build_image.is_some()),
        ]);
        let listed_for_compiling = first_set([
            ("blas", section.blas.is_some()),
            ("build-root", section.build_root.is_some()),
            ("engine", section.engine.is_some()),
            ("build-image", section.build_image.is_some()),
        ]);
        let or = |flags: Vec<String>, section: Vec<String>| {
            if flags.is_empty() { section } else { flags }
        };
        let mut credentials = Credentials::from_environment()?;
        let mirrors = match or(args.cran, section.cran).as_slice() {
            [] => recipe
                .cran
                .mirrors
                .iter()
                .map(|url| Mirror::parse(url))
                .collect(),
            [first, others @ ..] => {
                // The variables are for one repository, so that no other learns what they hold.
                let mut mirrors = vec![Mirror::parse(&credentials.of_repository("cran", first)?)];
                for other in others {
                    mirrors.push(Mirror::parse(&credentials.of_url("cran", other)?));
                }
                mirrors
            }
        };
        let mut r_tarballs = Vec::new();
        for text in or(args.r_tarball, section.r_tarball) {
            let text = credentials.of_url("r-tarball", &text)?;
            r_tarballs.push(Location::parse(&text));
        }
        let mut base = |name, flag: Option<String>, section: Option<String>, default: &str| {
            let base = match flag.or(section) {
                Some(named) => credentials.of_repository(name, &named)?,
                None => default.to_owned(),
            };
            Ok::<_, CredentialsError>(Mirror::parse(&base))
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
        let r_source = parsed(args.r_source, section.r_source, "r-source", source_of)?;
        if matches!(r_source, None | Some(RSourceSpec::Posit)) {
            if let Some(flag) = typed_for_compiling {
                bail!(
                    "--{flag} is for compiling R, and Posit's is compiled already; type --r-source cran with it"
                );
            }
            if let (None, Some(key)) = (&r_source, listed_for_compiling) {
                bail!(
                    "{}, [runtime] {key} is for compiling R, and Posit's is compiled already; add r-source = \"cran\", \
                     or take {key} out",
                    Manifest::NAME
                );
            }
        }
        let architecture_of = |text: &str| settings::architecture(Some(text));
        let target_of = |text: &str| settings::target(Some(text));
        Ok(Settings {
            r_version: parsed(args.r_version, r_version, "r-version", request_of)?,
            upgrade: args.upgrade,
            r_source: r_source.unwrap_or(RSourceSpec::Posit),
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
