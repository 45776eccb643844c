//! Where R and packages are fetched: the servers and folders that flags, the environment and the manifest name, parted from
//! the credentials in their URLs.

use super::settings::or;
use crate::cli::RuntimeOptions;
use crate::credentials::{Credentials, CredentialsError};
use crate::layer::RuntimeRecipe;
use crate::manifest::RuntimeSection;
use crate::repository::{Location, Mirror, PackageManager, PortableBuilds};

/// The places, and by what they know us.
pub struct Repositories {
    /// R's tarball, tried before the servers.
    pub r_tarballs: Vec<Location>,
    /// Posit's portable builds.
    pub builds: PortableBuilds,
    /// Posit Package Manager.
    pub package_manager: PackageManager,
    /// CRAN mirrors, in order.
    pub mirrors: Vec<Mirror>,
    /// By which servers know us.
    pub credentials: Credentials,
}

impl Repositories {
    /// Flags and environment before the manifest before the recipe's own.
    pub fn resolve(
        args: &RuntimeOptions,
        section: &RuntimeSection,
        recipe: &RuntimeRecipe,
    ) -> Result<Repositories, CredentialsError> {
        let mut credentials = Credentials::from_environment()?;
        let mirrors = cran(or(&args.cran, &section.cran), recipe, &mut credentials)?;
        let mut r_tarballs = Vec::new();
        for text in or(&args.r_tarball, &section.r_tarball) {
            let text = credentials.of_url("r-tarball", text)?;
            r_tarballs.push(Location::parse(&text));
        }
        let mut base = |name, flag: &Option<String>, section: &Option<String>, default: &str| {
            let base = match flag.as_ref().or(section.as_ref()) {
                Some(named) => credentials.of_repository(name, named)?,
                None => default.to_owned(),
            };
            Ok::<_, CredentialsError>(Mirror::parse(&base))
        };
        let posit = &recipe.posit;
        Ok(Repositories {
            r_tarballs,
            builds: PortableBuilds {
                base: base("posit", &args.posit, &section.posit, &posit.builds)?,
                platform: posit.builds_platform.clone(),
            },
            package_manager: PackageManager {
                base: base("p3m", &args.p3m, &section.p3m, &posit.packages)?,
                platform: posit.packages_platform.clone(),
            },
            mirrors,
            credentials,
        })
    }
}

fn cran(
    named: &[String],
    recipe: &RuntimeRecipe,
    credentials: &mut Credentials,
) -> Result<Vec<Mirror>, CredentialsError> {
    let [first, others @ ..] = named else {
        let own = recipe.cran.mirrors.iter();
        return Ok(own.map(|url| Mirror::parse(url)).collect());
    };
    // The variables are for one repository, so that no other learns what they hold.
    let mut mirrors = vec![Mirror::parse(&credentials.of_repository("cran", first)?)];
    for other in others {
        mirrors.push(Mirror::parse(&credentials.of_url("cran", other)?));
    }
    Ok(mirrors)
}
