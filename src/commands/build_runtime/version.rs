//! Which R is meant: `release` and the like found out from the published list, and locked.

use anyhow::{Context, Result, anyhow};

use super::Builder;
use crate::distribution::{RSourceSpec, RVersionRequest};
use crate::http::HttpError;
use crate::lockfile::Lockfile;
use crate::package::RVersion;
use crate::repository::available_r_versions;

impl Builder<'_> {
    /// The version to build; the recipe's where none was asked for.
    pub async fn r_version(&self, lock: &mut Lockfile) -> Result<RVersion> {
        let default = || Ok(self.recipe.r.version.parse()?);
        let request = match &self.settings.r_version {
            None => return default(),
            Some(RVersionRequest::Exact(version)) => return Ok(version.clone()),
            Some(request) => request,
        };
        let word = request.to_string();
        if !self.settings.upgrade
            && let Some(locked) = lock.resolved_r(&word)
        {
            return Ok(locked.parse()?);
        }
        match self.published_versions(request).await {
            Ok(there) => {
                let found = request
                    .choose(&there)
                    .ok_or_else(|| none_is(request, &there))?;
                self.reporter.note(&format!("R {word} is {found}"));
                lock.pin_r(&word, &found.to_string());
                Ok(found)
            }
            Err(error) => self.proven_version(request, error),
        }
    }

    /// Without the list: the newest that this r-layer was proven with. It is not locked, for it may be another tomorrow.
    fn proven_version(&self, request: &RVersionRequest, error: HttpError) -> Result<RVersion> {
        let proven = self.recipe.r.proven.iter();
        let proven: Vec<RVersion> = proven.filter_map(|text| text.parse().ok()).collect();
        let Some(found) = request.choose(&proven) else {
            return Err(error).with_context(|| {
                let list = list(&proven);
                format!(
                    "which R is {request} cannot be found out; type a version, for example --r-version {list}"
                )
            });
        };
        self.reporter.warn(&format!(
            "the list of R's versions cannot be had ({error}); taking R {found}, the newest {request} that this r-layer was \
             proven with"
        ));
        Ok(found)
    }

    async fn published_versions(
        &self,
        request: &RVersionRequest,
    ) -> Result<Vec<RVersion>, HttpError> {
        let of_cran = async || {
            let newest = self
                .recipe
                .r
                .version
                .parse()
                .map_or(0, |version: RVersion| version.major());
            let majors = match request {
                RVersionRequest::Minor(version) => vec![version.major()],
                _ => vec![newest + 1, newest],
            };
            let mirrors = &self.settings.repositories.mirrors;
            let mut there = Vec::new();
            for major in majors {
                there.extend(available_r_versions(mirrors, major, &self.http).await);
            }
            match there.is_empty() {
                false => Ok(there),
                true => Err(HttpError::NotUnderstood {
                    url: mirrors
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(", "),
                    reason: "no list of R's versions there".to_owned(),
                }),
            }
        };
        match self.settings.r_source {
            RSourceSpec::Cran => of_cran().await,
            // What Posit does not have CRAN may have.
            RSourceSpec::Auto => match self.settings.repositories.builds.versions(&self.http).await
            {
                Ok(there) if request.choose(&there).is_some() => Ok(there),
                Ok(mut there) => {
                    there.extend(of_cran().await.unwrap_or_default());
                    Ok(there)
                }
                Err(_) => of_cran().await,
            },
            RSourceSpec::Posit | RSourceSpec::Folder(_) => {
                self.settings.repositories.builds.versions(&self.http).await
            }
        }
    }
}

fn none_is(request: &RVersionRequest, there: &[RVersion]) -> anyhow::Error {
    let mut newest = there.to_vec();
    newest.sort_by(|one, other| other.cmp(one));
    newest.truncate(8);
    anyhow!("no R is {request}; there are: {}", list(&newest))
}

/// Versions for a message.
pub fn list(versions: &[RVersion]) -> String {
    let texts: Vec<String> = versions.iter().map(ToString::to_string).collect();
    texts.join(", ")
}
