//! The versions of a package that can be chosen, in the order in which they are preferred.

use std::collections::HashMap;
use std::rc::Rc;

use super::input::{ExtraKind, Holder, Locked, ResolveInput};
use super::{Dependency, Origin};
use crate::package::{
    Comparison, Dependencies, Description, PackageRecord, RVersion, Requirement, RequirementError,
    is_base_package,
};

/// Where a candidate's fields are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    Record(PackageRecord<'a>),
    Description(&'a Description),
    Base,
}

/// Why a candidate cannot be chosen, whatever else is.
#[derive(Clone, Debug)]
pub(super) enum Unfit {
    /// It wants another R.
    R(Vec<Comparison>),
    /// It is for Windows.
    Windows,
    /// Its dependencies cannot be read.
    Unreadable(String),
}

/// A version of a package from somewhere.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    pub version: RVersion,
    pub origin: Origin,
    pub source: Source<'a>,
    /// Each package once, those that are loaded with it first.
    pub dependencies: Vec<Dependency>,
    pub unfit: Option<Unfit>,
}

/// All candidates, found when they are first asked for.
pub(super) struct Candidates<'a> {
    input: ResolveInput<'a>,
    found: HashMap<String, Rc<[Candidate<'a>]>>,
}

impl<'a> Candidates<'a> {
    pub fn new(input: &ResolveInput<'a>) -> Self {
        Candidates {
            input: *input,
            found: HashMap::new(),
        }
    }

    /// Those of a package, the preferred first.
    pub fn of(&mut self, package: &str) -> Rc<[Candidate<'a>]> {
        if let Some(found) = self.found.get(package) {
            return found.clone();
        }
        let found: Rc<[Candidate<'a>]> = self.find(package).into();
        self.found.insert(package.to_owned(), found.clone());
        found
    }

    /// Was it asked for as a folder, a tarball or a git checkout?
    pub fn is_pinned(&self, package: &str) -> bool {
        self.input
            .extras
            .iter()
            .any(|extra| extra.is_pinned(package))
    }

    fn find(&self, package: &str) -> Vec<Candidate<'a>> {
        let r = self.input.r;
        if is_base_package(package) {
            return vec![Candidate::base(r)];
        }
        if let Some(pinned) = self.extras(package, ExtraKind::Pinned).next() {
            return vec![pinned];
        }
        let mut all: Vec<Candidate<'a>> = self.given(package).collect();
        for (at, repository) in self.input.repositories.iter().enumerate() {
            let versions = repository.index.versions(package);
            all.extend(versions.map(|record| Candidate::of_record(record, at, repository.name, r)));
        }
        let mut archived: Vec<_> = self.extras(package, ExtraKind::Archived).collect();
        archived.sort_by(|one, other| other.version.cmp(&one.version));
        all.extend(archived);
        let kept = self.input.preferences.kept(package);
        all.sort_by_key(|candidate| candidate.rank(kept));
        all
    }

    fn extras(&self, package: &str, kind: ExtraKind) -> impl Iterator<Item = Candidate<'a>> {
        let r = self.input.r;
        let all = self.input.extras.iter().enumerate();
        all.filter(move |(_, extra)| extra.kind == kind && extra.description().package == package)
            .map(move |(index, extra)| {
                let name = extra.origin.clone();
                let origin = Origin::Extra { index, name };
                Candidate::of_description(extra.description(), extra.version(), origin, r)
            })
    }

    fn given(&self, package: &str) -> impl Iterator<Item = Candidate<'a>> {
        let r = self.input.r;
        let given = self.input.given.iter();
        given
            .filter(move |given| given.description().package == package)
            .map(move |given| {
                let origin = Origin::Given(given.holder.clone());
                Candidate::of_description(given.description(), given.version(), origin, r)
            })
    }
}

impl<'a> Candidate<'a> {
    fn base(r: &RVersion) -> Self {
        Candidate {
            version: r.clone(),
            origin: Origin::Given(Holder::Base),
            source: Source::Base,
            dependencies: Vec::new(),
            unfit: None,
        }
    }

    fn of_record(record: PackageRecord<'a>, index: usize, name: &str, r: &RVersion) -> Self {
        let origin = Origin::Repository {
            index,
            name: name.to_owned(),
        };
        let mut candidate = Candidate {
            version: record.version().clone(),
            origin,
            source: Source::Record(record),
            dependencies: Vec::new(),
            unfit: None,
        };
        candidate.read(record.dependencies(), record.is_windows_only(), r);
        candidate
    }

    fn of_description(
        description: &'a Description,
        version: &RVersion,
        origin: Origin,
        r: &RVersion,
    ) -> Self {
        let mut candidate = Candidate {
            version: version.clone(),
            origin,
            source: Source::Description(description),
            dependencies: Vec::new(),
            unfit: None,
        };
        let is_windows = description.os_type.as_deref() == Some("windows");
        candidate.read(description.dependencies(), is_windows, r);
        candidate
    }

    fn read(
        &mut self,
        dependencies: Result<Dependencies, RequirementError>,
        is_windows: bool,
        r: &RVersion,
    ) {
        match dependencies {
            Err(error) => self.unfit = Some(Unfit::Unreadable(error.to_string())),
            Ok(mut dependencies) => {
                if matches!(self.origin, Origin::Given(_)) {
                    // It is compiled already.
                    dependencies.linking_to.clear();
                }
                if !dependencies.r.iter().all(|bound| bound.holds(r)) {
                    self.unfit = Some(Unfit::R(std::mem::take(&mut dependencies.r)));
                }
                self.dependencies = joined(dependencies);
            }
        }
        if is_windows {
            self.unfit = Some(Unfit::Windows);
        }
    }

    /// The lower, the more preferred; equal ranks keep the order of the repositories and versions.
    fn rank(&self, kept: Option<&Locked>) -> u8 {
        let is_version = kept.is_some_and(|kept| kept.version == self.version);
        let is_origin = kept
            .and_then(|kept| kept.origin.as_deref())
            .is_none_or(|origin| origin == self.origin.name());
        match &self.origin {
            Origin::Given(Holder::Base | Holder::Layer(_)) => 0,
            _ if is_version && is_origin => 1,
            _ if is_version => 2,
            Origin::Given(Holder::RLibrary) => 3,
            Origin::Repository { .. } => 4,
            Origin::Extra { .. } => 5,
        }
    }
}

/// Each package once: what Depends or Imports names is loaded, also if LinkingTo names it as well.
fn joined(dependencies: Dependencies) -> Vec<Dependency> {
    let mut all: Vec<Dependency> = Vec::new();
    let loaded = dependencies.depends.into_iter().chain(dependencies.imports);
    let loaded = loaded.map(|requirement| (requirement, true));
    let linked = dependencies.linking_to.into_iter();
    for (requirement, is_loaded) in loaded.chain(linked.map(|requirement| (requirement, false))) {
        let same = |one: &&mut Dependency| one.requirement.package == requirement.package;
        match all.iter_mut().find(same) {
            Some(one) => add_bounds(&mut one.requirement, requirement),
            None => all.push(Dependency {
                requirement,
                is_loaded,
            }),
        }
    }
    all
}

fn add_bounds(requirement: &mut Requirement, more: Requirement) {
    for comparison in more.comparisons {
        if !requirement.comparisons.contains(&comparison) {
            requirement.comparisons.push(comparison);
        }
    }
}
