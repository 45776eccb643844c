//! CRAN's layout: `src/base/R-4/R-4.5.0.tar.gz`, `src/contrib/PACKAGES`, `src/contrib/jsonlite_2.0.0.tar.gz`.

use super::{Location, Mirror};
use crate::http::{Http, HttpError};
use crate::package::{Description, RVersion, parse_records};

/// Where mirrors have the source of an R version.
pub fn r_locations(mirrors: &[Mirror], version: &RVersion) -> Vec<Location> {
    let path = format!("src/base/R-{}/R-{version}.tar.gz", version.major());
    mirrors.iter().map(|mirror| mirror.at(&path)).collect()
}

/// Where mirrors have the source of a package's version: the current ones, then the archived.
pub fn package_locations(mirrors: &[Mirror], package: &str, version: &str) -> Vec<Location> {
    let current = format!("src/contrib/{package}_{version}.tar.gz");
    let archived = format!("src/contrib/Archive/{package}/{package}_{version}.tar.gz");
    mirrors
        .iter()
        .flat_map(|mirror| [mirror.at(&current), mirror.at(&archived)])
        .collect()
}

/// The R versions of a major version that the first mirror with a listing has, newest first.
pub async fn available_r_versions(mirrors: &[Mirror], major: u64, http: &Http) -> Vec<RVersion> {
    for mirror in mirrors {
        let names = mirror.names(&format!("src/base/R-{major}"), http).await;
        let mut versions: Vec<RVersion> = names
            .iter()
            .filter_map(|name| {
                name.strip_prefix("R-")?
                    .strip_suffix(".tar.gz")?
                    .parse()
                    .ok()
            })
            .collect();
        versions.sort_by(|one, other| other.cmp(one));
        versions.dedup();
        if !versions.is_empty() {
            return versions;
        }
    }
    Vec::new()
}

/// The newest version of a package that the first reachable mirror's index has.
///
/// # Errors
/// Of the last mirror, if none could be asked. No such package there is `Ok(None)`.
pub async fn newest_package(
    mirrors: &[Mirror],
    package: &str,
    http: &Http,
) -> Result<Option<Description>, HttpError> {
    let mut last = None;
    for mirror in mirrors {
        let text = match mirror.at("src/contrib/PACKAGES").text(http).await {
            Ok(text) => text,
            Err(error) => {
                last = Some(error);
                continue;
            }
        };
        let records = match parse_records(&text) {
            Ok(records) => records,
            // A page that a proxy or a portal answers with is no index.
            Err(error) => {
                last = Some(HttpError::NotUnderstood {
                    url: mirror.at("src/contrib/PACKAGES").to_string(),
                    reason: error.to_string(),
                });
                continue;
            }
        };
        let newest = records
            .iter()
            .filter(|record| record.get("Package") == Some(package))
            .filter_map(|record| Description::of_record(record).ok())
            .filter_map(|found| Some((found.version.parse::<RVersion>().ok()?, found)))
            .max_by(|(one, _), (other, _)| one.cmp(other));
        return Ok(newest.map(|(_, found)| found));
    }
    match last {
        Some(error) => Err(error),
        None => Ok(None),
    }
}
