//! What is different in a lock, as a list for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::{LockedPackage, Lockfile};

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub enum LockChange {
    /// Another version.
    Version {
        /// Of what.
        name: String,
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// The same version from elsewhere.
    Origin {
        /// Of what.
        name: String,
        /// Its version.
        version: String,
        /// What is different: `binary → source`, `another file`.
        what: String,
    },
    /// New.
    Added {
        /// What.
        name: String,
        /// Its version.
        version: String,
    },
    /// No more there.
    Removed {
        /// What.
        name: String,
        /// Its version.
        version: String,
    },
}

impl LockChange {
    fn name(&self) -> &str {
        match self {
            LockChange::Version { name, .. }
            | LockChange::Origin { name, .. }
            | LockChange::Added { name, .. }
            | LockChange::Removed { name, .. } => name,
        }
    }
}

impl fmt::Display for LockChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockChange::Version { name, old, new } => write!(f, "{name} {old} → {new}"),
            LockChange::Origin {
                name,
                version,
                what,
            } => write!(f, "{name} {version} ({what})"),
            LockChange::Added { name, version } => write!(f, "+ {name} {version}"),
            LockChange::Removed { name, version } => write!(f, "- {name} {version}"),
        }
    }
}

/// What is different in a part of the lock: a layer, the runtime (`runtime`), or the system libraries (`libraries`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedPart {
    /// Its name.
    pub part: String,
    /// By name.
    pub changes: Vec<LockChange>,
}

/// What is different between two locks. It prints as lines; of several parts, each under its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LockDifference {
    /// The parts with changes.
    pub parts: Vec<ChangedPart>,
}

impl LockDifference {
    /// From an older lock to a newer one. A target that only one of them has is no difference by itself.
    pub fn between(old: &Lockfile, new: &Lockfile) -> LockDifference {
        let mut parts = vec![(
            "runtime".to_owned(),
            changed_versions(&runtime(old), &runtime(new)),
        )];
        let names: BTreeSet<&str> = old
            .layers
            .keys()
            .chain(new.layers.keys())
            .map(|(name, _)| name.as_str())
            .collect();
        for name in names {
            let mut changes = changed_versions(&packages(old, name), &packages(new, name));
            changes.extend(changed_origins(old, new, name));
            changes.sort_by(|one, other| one.name().cmp(other.name()).then_with(|| one.cmp(other)));
            parts.push((name.to_owned(), changes));
        }
        parts.push((
            "libraries".to_owned(),
            changed_versions(&libraries(old), &libraries(new)),
        ));
        let parts = parts.into_iter().filter(|(_, changes)| !changes.is_empty());
        LockDifference {
            parts: parts
                .map(|(part, changes)| ChangedPart { part, changes })
                .collect(),
        }
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

impl fmt::Display for LockDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            let indent = match self.parts.len() {
                1 => "",
                _ => {
                    writeln!(f, "{}:", part.part)?;
                    "  "
                }
            };
            for change in &part.changes {
                writeln!(f, "{indent}{change}")?;
            }
        }
        Ok(())
    }
}

/// Name → versions; there can be several, for processors or versions of R.
type Versions = BTreeMap<String, BTreeSet<String>>;

fn collected<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Versions {
    let mut versions = Versions::new();
    for (name, version) in pairs {
        versions
            .entry(name.to_owned())
            .or_default()
            .insert(version.to_owned());
    }
    versions
}

fn runtime(lock: &Lockfile) -> Versions {
    collected(
        lock.sources
            .iter()
            .map(|source| (source.name.as_str(), source.version.as_str())),
    )
}

fn libraries(lock: &Lockfile) -> Versions {
    let versions: Vec<(&str, String)> = lock
        .rpms
        .iter()
        .map(|rpm| (rpm.package.name.as_str(), rpm.package.evr()))
        .collect();
    collected(
        versions
            .iter()
            .map(|(name, version)| (*name, version.as_str())),
    )
}

fn packages(lock: &Lockfile, layer: &str) -> Versions {
    let layers = lock
        .layers
        .iter()
        .filter(|((name, _), _)| name.as_str() == layer);
    let packages = layers.flat_map(|(_, layer)| layer.packages.values());
    collected(packages.map(|package| (package.name.as_str(), package.version.as_str())))
}

fn changed_versions(old: &Versions, new: &Versions) -> Vec<LockChange> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let none = BTreeSet::new();
    let mut changes = Vec::new();
    for name in names {
        let (before, now) = (
            old.get(name).unwrap_or(&none),
            new.get(name).unwrap_or(&none),
        );
        let gone: Vec<&String> = before.difference(now).collect();
        let came: Vec<&String> = now.difference(before).collect();
        let named = |version: &&String| (name.clone(), (*version).clone());
        match (gone.as_slice(), came.as_slice()) {
            ([old], [new]) => changes.push(LockChange::Version {
                name: name.clone(),
                old: (*old).clone(),
                new: (*new).clone(),
            }),
            (gone, came) => {
                let gone = gone.iter().map(named);
                changes.extend(gone.map(|(name, version)| LockChange::Removed { name, version }));
                let came = came.iter().map(named);
                changes.extend(came.map(|(name, version)| LockChange::Added { name, version }));
            }
        }
    }
    changes
}

/// Packages of a layer with the same version and another origin, in the targets that both locks have.
fn changed_origins(old: &Lockfile, new: &Lockfile, layer: &str) -> BTreeSet<LockChange> {
    let mut changes = BTreeSet::new();
    for (key, before) in old
        .layers
        .iter()
        .filter(|((name, _), _)| name.as_str() == layer)
    {
        let Some(now) = new.layers.get(key) else {
            continue;
        };
        let both = before
            .packages
            .values()
            .filter_map(|old| Some((old, now.packages.get(&old.name)?)));
        changes.extend(both.filter_map(|(old, new)| changed_origin(old, new)));
    }
    changes
}

fn changed_origin(old: &LockedPackage, new: &LockedPackage) -> Option<LockChange> {
    if old.version != new.version || old.origin == new.origin {
        return None;
    }
    let (before, now) = (old.kind(), new.kind());
    Some(LockChange::Origin {
        name: new.name.clone(),
        version: new.version.clone(),
        what: match before == now {
            true => "another file".to_owned(),
            false => format!("{} → {}", before.as_str(), now.as_str()),
        },
    })
}
