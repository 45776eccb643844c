//! Resolutions as trees, for people: what a request needs, and why a package is there.

use std::collections::HashSet;
use std::fmt;

use super::{Holder, Origin, Resolution, ResolvedPackage, Role};

/// What the requests need, as an indented tree. What was printed before is marked `(*)`, and its part not repeated.
/// Base packages are left out, unless asked for.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a>(&'a Resolution);

/// Why a package is there: a tree from it to the requests.
#[derive(Clone, Copy, Debug)]
pub struct Why<'a> {
    resolution: &'a Resolution,
    package: &'a ResolvedPackage,
}

impl Resolution {
    /// What the requests need.
    pub fn tree(&self) -> Tree<'_> {
        Tree(self)
    }

    /// Why a package is there; nothing if it is not.
    pub fn why(&self, package: &str) -> Option<Why<'_>> {
        Some(Why {
            resolution: self,
            package: self.packages.get(package)?,
        })
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = |package: &'_ ResolvedPackage| {
            let wanted = package.dependencies.iter();
            wanted.map(|one| one.requirement.package.clone()).collect()
        };
        let mut branches = Branches {
            resolution: self.0,
            next: &wanted,
            marks_requested: false,
            printed: HashSet::new(),
        };
        for name in &self.0.requested {
            if let Some(package) = self.0.packages.get(name) {
                branches.root(package, f)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanters = |package: &ResolvedPackage| package.wanted_by.clone();
        let mut branches = Branches {
            resolution: self.resolution,
            next: &wanters,
            marks_requested: true,
            printed: HashSet::new(),
        };
        branches.root(self.package, f)
    }
}

struct Branches<'a> {
    resolution: &'a Resolution,
    next: &'a dyn Fn(&ResolvedPackage) -> Vec<String>,
    marks_requested: bool,
    printed: HashSet<&'a str>,
}

impl<'a> Branches<'a> {
    fn root(&mut self, package: &'a ResolvedPackage, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line(package, "", f)?;
        self.below(package, "", f)
    }

    fn children(&self, package: &ResolvedPackage) -> Vec<&'a ResolvedPackage> {
        let mut names = (self.next)(package);
        names.sort();
        let all = names
            .iter()
            .filter_map(|name| self.resolution.packages.get(name));
        all.filter(|one| one.origin != Origin::Given(Holder::Base))
            .collect()
    }

    fn line(
        &self,
        package: &ResolvedPackage,
        indent: &str,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        write!(f, "{indent}{} {}", package.name, package.version)?;
        match (&package.origin, package.role) {
            (Origin::Given(Holder::Base), _) => f.write_str(" (part of R)")?,
            (Origin::Given(Holder::Layer(layer)), _) => write!(f, " (in layer {layer})")?,
            (_, Role::BuildOnly) => f.write_str(" (build only)")?,
            _ => {}
        }
        if self.marks_requested && package.is_requested {
            f.write_str(" (requested)")?;
        }
        let is_repeated = self.printed.contains(package.name.as_str());
        let is_cut = is_repeated && !self.children(package).is_empty();
        f.write_str(if is_cut { " (*)\n" } else { "\n" })
    }

    fn below(
        &mut self,
        package: &'a ResolvedPackage,
        indent: &str,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        if !self.printed.insert(&package.name) {
            return Ok(());
        }
        let children = self.children(package);
        for (index, child) in children.iter().enumerate() {
            let is_last = index + 1 == children.len();
            let (branch, space) = if is_last {
                ("└── ", "    ")
            } else {
                ("├── ", "│   ")
            };
            self.line(child, &format!("{indent}{branch}"), f)?;
            self.below(child, &format!("{indent}{space}"), f)?;
        }
        Ok(())
    }
}
