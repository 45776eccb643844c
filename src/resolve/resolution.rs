//! What was resolved.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::candidate::{Candidate, Candidates, Source};
use super::search::Decision;
use super::{ArchivedVersion, Chain, Holder, ResolveError, ResolveInput, order};
use crate::package::{Description, PackageRecord, RVersion, Requirement};

/// What comes of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is resolved.
    Resolved(Resolution),
    /// These versions are asked for with `==`, and no index has them: fetch their DESCRIPTION (CRAN's
    /// `src/contrib/Archive`), give them as [`super::Extra`], and resolve again.
    ArchivedWanted(Vec<ArchivedVersion>),
}

/// Where a package is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A repository's index.
    Repository {
        /// Which of [`ResolveInput::repositories`].
        index: usize,
        /// Its name.
        name: String,
    },
    /// A candidate that is in no index.
    Extra {
        /// Which of [`ResolveInput::extras`].
        index: usize,
        /// [`super::Extra::origin`].
        name: String,
    },
    /// It is there already.
    Given(Holder),
}

impl Origin {
    /// The name for the lock and for messages.
    pub fn name(&self) -> &str {
        match self {
            Origin::Repository { name, .. } | Origin::Extra { name, .. } => name,
            Origin::Given(Holder::Layer(name)) => name,
            Origin::Given(Holder::Base | Holder::RLibrary) => "R",
        }
    }
}

/// What becomes of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It goes into the layer.
    Packed,
    /// It is there to compile others, and goes into no layer.
    BuildOnly,
    /// R or another layer has it: nothing is done.
    Held,
}

/// What a package requires of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Which versions of which.
    pub requirement: Requirement,
    /// Is it loaded with it (Depends, Imports)? If not, its headers are needed to compile it (LinkingTo alone).
    pub is_loaded: bool,
}

/// What an index or a DESCRIPTION says beyond name, version and dependencies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Licence, in R's words.
    pub license: Option<String>,
    /// Has it code to compile?
    pub needs_compilation: Option<bool>,
    /// What it needs of the system, in its author's words.
    pub system_requirements: Option<String>,
    /// MD5 of the tarball, in hexadecimal digits.
    pub md5: Option<String>,
    /// SHA-256 of the tarball, in hexadecimal digits.
    pub sha256: Option<String>,
    /// The tarball's folder, below the index's.
    pub path: Option<String>,
    /// The tarball's name, if it is not `package_version.tar.gz`.
    pub file: Option<String>,
    /// What a binary was built with.
    pub built: Option<String>,
}

/// A package of a resolution.
#[derive(Clone, Debug)]
pub struct ResolvedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: RVersion,
    /// Where it is from.
    pub origin: Origin,
    /// What becomes of it.
    pub role: Role,
    /// Was it asked for?
    pub is_requested: bool,
    /// What it requires itself, each package once. What is compiled already has no LinkingTo.
    pub dependencies: Vec<Dependency>,
    /// Who requires it, sorted.
    pub wanted_by: Vec<String>,
    /// More of it.
    pub details: Details,
}

/// A request with all that it needs.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// All packages, with those that are held.
    pub packages: BTreeMap<String, ResolvedPackage>,
    /// Those that are not held, in the order of installing: a level needs nothing but the levels before it.
    pub levels: Vec<Vec<String>>,
    /// What was asked for, each once, in its order.
    pub requested: Vec<String>,
    /// Locked versions that should be kept and that nobody has any more; another was taken. Who wants to keep them
    /// fetches their DESCRIPTION, gives them as [`super::Extra`], and resolves again.
    pub vanished: Vec<ArchivedVersion>,
}

impl Resolution {
    /// The shortest way from each request to a package, why it is there; none if it is not.
    pub fn chains(&self, package: &str) -> Vec<Chain> {
        let requested = self.requested.iter();
        requested
            .filter_map(|from| self.chain(from, package))
            .collect()
    }

    fn chain(&self, from: &str, to: &str) -> Option<Chain> {
        let mut came_from: BTreeMap<&str, (&str, &Requirement)> = BTreeMap::new();
        let mut next = VecDeque::from([from]);
        while let Some(name) = next.pop_front().filter(|name| *name != to) {
            for dependency in &self.packages.get(name)?.dependencies {
                let wanted = dependency.requirement.package.as_str();
                if wanted != from && !came_from.contains_key(wanted) {
                    came_from.insert(wanted, (name, &dependency.requirement));
                    next.push_back(wanted);
                }
            }
        }
        let mut through = Vec::new();
        let mut at = to;
        while let Some((wanter, _)) = came_from.get(at) {
            through.push((
                (*wanter).to_owned(),
                self.packages.get(*wanter)?.version.clone(),
            ));
            at = wanter;
        }
        through.reverse();
        let wants = came_from
            .get(to)
            .map(|(_, requirement)| (*requirement).clone());
        (at == from).then(|| Chain {
            through,
            wants: wants.unwrap_or_else(|| Requirement::any(to)),
        })
    }
}

/// Takes the decisions of the search together.
pub(super) fn of_decisions(
    input: &ResolveInput<'_>,
    candidates: &mut Candidates<'_>,
    decisions: &[Decision],
) -> Result<Resolution, ResolveError> {
    let packages = decisions.iter().map(|decision| {
        let candidate = &candidates.of(&decision.package)[decision.choice];
        let package = ResolvedPackage::of(&decision.package, candidate);
        (decision.package.clone(), package)
    });
    let mut resolution = Resolution {
        packages: packages.collect(),
        levels: Vec::new(),
        requested: Vec::new(),
        vanished: Vec::new(),
    };
    resolution.mark_requested(input.requests);
    resolution.mark_wanters();
    resolution.mark_packed();
    resolution.put_in_order()?;
    resolution.vanished = resolution.vanished(input, candidates);
    Ok(resolution)
}

impl ResolvedPackage {
    fn of(name: &str, candidate: &Candidate<'_>) -> ResolvedPackage {
        ResolvedPackage {
            name: name.to_owned(),
            version: candidate.version.clone(),
            origin: candidate.origin.clone(),
            role: match candidate.origin {
                Origin::Given(Holder::Base | Holder::Layer(_)) => Role::Held,
                // Until it is known who loads it.
                _ => Role::BuildOnly,
            },
            is_requested: false,
            dependencies: candidate.dependencies.clone(),
            wanted_by: Vec::new(),
            details: Details::of(&candidate.source),
        }
    }
}

impl Resolution {
    fn mark_requested(&mut self, requests: &[Requirement]) {
        for request in requests {
            if let Some(package) = self.packages.get_mut(&request.package)
                && !package.is_requested
            {
                package.is_requested = true;
                self.requested.push(request.package.clone());
            }
        }
    }

    fn mark_wanters(&mut self) {
        let mut wanted_by: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, package) in &self.packages {
            for dependency in &package.dependencies {
                let wanters = wanted_by.entry(dependency.requirement.package.clone());
                wanters.or_default().push(name.clone());
            }
        }
        for (name, wanters) in wanted_by {
            if let Some(package) = self.packages.get_mut(&name) {
                package.wanted_by = wanters;
            }
        }
    }

    /// What is loaded with the requested packages is packed; what is left is there to compile.
    fn mark_packed(&mut self) {
        let mut next = self.requested.clone();
        let mut seen: BTreeSet<String> = next.iter().cloned().collect();
        while let Some(name) = next.pop() {
            let Some(package) = self.packages.get_mut(&name) else {
                continue;
            };
            if package.role == Role::BuildOnly {
                package.role = Role::Packed;
            }
            for dependency in package.dependencies.iter().filter(|one| one.is_loaded) {
                let wanted = &dependency.requirement.package;
                if seen.insert(wanted.clone()) {
                    next.push(wanted.clone());
                }
            }
        }
    }

    /// Locked versions that nobody has and that would have satisfied all.
    fn vanished(
        &self,
        input: &ResolveInput<'_>,
        candidates: &mut Candidates<'_>,
    ) -> Vec<ArchivedVersion> {
        let is_repository = |name: &str| input.repositories.iter().any(|one| one.name == name);
        let mut vanished = Vec::new();
        for package in self.packages.values() {
            let Some(kept) = input.preferences.kept(&package.name) else {
                continue;
            };
            let there = candidates.of(&package.name);
            // Of a layer's version none was wanted; a pinned package is its own.
            let is_free = package.role != Role::Held && !candidates.is_pinned(&package.name);
            if is_free
                && kept.origin.as_deref().is_none_or(is_repository)
                && there.iter().all(|one| one.version != kept.version)
                && self.is_wanted_in(&package.name, &kept.version, input.requests)
            {
                vanished.push(ArchivedVersion {
                    package: package.name.clone(),
                    version: kept.version.clone(),
                });
            }
        }
        vanished
    }

    /// Would a version satisfy all who want the package?
    fn is_wanted_in(&self, package: &str, version: &RVersion, requests: &[Requirement]) -> bool {
        let all = self.packages.values().flat_map(|one| &one.dependencies);
        let wants = all
            .map(|dependency| &dependency.requirement)
            .chain(requests);
        wants
            .filter(|wants| wants.package == package)
            .all(|wants| wants.is_satisfied_by(version))
    }

    fn put_in_order(&mut self) -> Result<(), ResolveError> {
        let installed = self.packages.values().filter(|one| one.role != Role::Held);
        let requires: BTreeMap<&str, BTreeSet<&str>> = installed
            .map(|package| {
                let wanted = package.dependencies.iter();
                let wanted = wanted.map(|one| one.requirement.package.as_str());
                (package.name.as_str(), wanted.collect())
            })
            .collect();
        match order::levels(&requires) {
            Ok(levels) => {
                self.levels = levels;
                Ok(())
            }
            Err(cycle) => {
                let first = cycle.first().map_or("", String::as_str);
                let chains = self.chains(first);
                let shortest = chains.into_iter().min_by_key(|chain| chain.through.len());
                Err(ResolveError::Cycle {
                    wanted: shortest.unwrap_or_else(|| Chain {
                        through: Vec::new(),
                        wants: Requirement::any(first),
                    }),
                    cycle,
                })
            }
        }
    }
}

impl Details {
    fn of(source: &Source<'_>) -> Details {
        match source {
            Source::Record(record) => Details::of_record(record),
            Source::Description(description) => Details::of_description(description),
            Source::Base => Details {
                license: Some(crate::package::R_LICENSE.to_owned()),
                ..Details::default()
            },
        }
    }

    fn of_record(record: &PackageRecord<'_>) -> Details {
        Details {
            license: record.license(),
            needs_compilation: record.needs_compilation(),
            system_requirements: record.system_requirements(),
            md5: record.md5(),
            sha256: record.sha256(),
            path: record.path(),
            file: record.file(),
            built: record.built(),
        }
    }

    fn of_description(description: &Description) -> Details {
        Details {
            license: description.license.clone(),
            needs_compilation: description.needs_compilation,
            system_requirements: description.system_requirements.clone(),
            built: description.built.clone(),
            ..Details::default()
        }
    }
}
