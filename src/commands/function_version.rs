//! Versions of a function, and aliases that point at them: made only where something is new.

use anyhow::Result;
use serde::Serialize;

use super::function_change::FunctionChange;
use crate::aws::{DeployedFunction, is_conflict};

/// What is wanted of versions.
#[derive(Clone, Debug, Default)]
pub struct VersionWanted {
    /// A version of what the function is now.
    pub publish: bool,
    /// An alias that points at it.
    pub alias: Option<String>,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Versioned {
    /// The version that is what the function is now.
    pub version: Option<String>,
    /// Was it made now?
    pub is_new: bool,
    /// The alias.
    pub alias: Option<String>,
    /// What the alias pointed at before, if that was something else; it is new without.
    pub moved_from: Option<String>,
    /// Does the alias point somewhere else than before?
    pub is_moved: bool,
}

impl VersionWanted {
    /// Is nothing wanted?
    pub fn is_nothing(&self) -> bool {
        !self.publish && self.alias.is_none()
    }

    /// What a dry run says of it; nothing, if nothing is wanted.
    pub fn announced(&self) -> Option<String> {
        let alias = self.alias.as_ref();
        let alias = alias.map(|alias| format!(", and alias {alias} pointed at it"));
        (!self.is_nothing()).then(|| {
            format!(
                "a version would be published{}, unless that is so already",
                alias.unwrap_or_default()
            )
        })
    }

    /// Makes the version and moves the alias, as far as they are not so already.
    pub async fn bring(
        &self,
        change: &FunctionChange<'_>,
        function: &DeployedFunction,
    ) -> Result<Versioned> {
        if self.is_nothing() {
            return Ok(Versioned::default());
        }
        let (functions, name) = (change.functions, change.name);
        let pointed = match &self.alias {
            Some(alias) => functions.alias(name, alias).await?,
            None => None,
        };
        if let Some(version) = &pointed
            && is_same(change, function, version).await?
        {
            return Ok(Versioned {
                version: pointed,
                alias: self.alias.clone(),
                ..Versioned::default()
            });
        }
        let newest = functions.newest_version(name).await?;
        let same = match newest {
            Some(newest) if is_same(change, function, &newest).await? => Some(newest),
            _ => None,
        };
        let is_new = same.is_none();
        let version = match same {
            Some(version) => version,
            None => {
                change.step("publishing a version");
                let version = functions
                    .publish_version(name, &function.code_sha256)
                    .await?;
                change.did(format!("version {version} is published"));
                version
            }
        };
        if let Some(alias) = &self.alias {
            let sent = functions
                .point_alias(name, alias, &version, pointed.is_none())
                .await;
            if let Err(error) = sent {
                // Of an answer that was lost, the same again is a conflict.
                let points = functions.alias(name, alias).await?;
                if !is_conflict(&error) || points.as_ref() != Some(&version) {
                    return Err(error.into());
                }
            }
            change.did(format!("alias {alias} points at version {version}"));
        }
        Ok(Versioned {
            version: Some(version),
            is_new,
            is_moved: self.alias.is_some(),
            alias: self.alias.clone(),
            moved_from: pointed,
        })
    }
}

/// Is a version what the function is now?
async fn is_same(
    change: &FunctionChange<'_>,
    function: &DeployedFunction,
    version: &str,
) -> Result<bool> {
    let found = change.functions.get(change.name, Some(version)).await?;
    Ok(found.is_some_and(|found| {
        let mut settings = found.settings;
        // A version may have a description of its own.
        settings
            .description
            .clone_from(&function.settings.description);
        settings == function.settings
            && found.code_sha256 == function.code_sha256
            && found.architecture == function.architecture
    }))
}

impl Versioned {
    /// A line for people; nothing, if nothing was wanted.
    pub fn line(&self) -> Option<String> {
        let version = self.version.as_ref()?;
        let made = match self.is_new {
            true => format!("version {version} published"),
            false => format!("version {version} is what it is now"),
        };
        let alias = self
            .alias
            .as_ref()
            .map(|alias| match (self.is_moved, &self.moved_from) {
                (false, _) => format!(", alias {alias} points at it"),
                (true, None) => format!(", new alias {alias} points at it"),
                (true, Some(before)) => format!(", alias {alias}: {before} → {version}"),
            });
        Some(made + &alias.unwrap_or_default())
    }
}
