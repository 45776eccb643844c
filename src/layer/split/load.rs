//! What is to be split, in an order of its own: packages and libraries by name, and who needs whom.

use std::collections::BTreeMap;

use super::{LibrarySize, PackageSize};

/// Packages and libraries, each known by its place in the sorted list.
pub(super) struct Load<'a> {
    pub packages: Vec<&'a PackageSize>,
    pub libraries: Vec<&'a LibrarySize>,
    /// Package → the packages of this layer that it needs, sorted.
    pub needs: Vec<Vec<usize>>,
    /// Package → the libraries that it needs, sorted.
    pub needed_libraries: Vec<Vec<usize>>,
    /// The libraries that no package needs.
    orphans: Vec<usize>,
}

/// What a part takes.
#[derive(Clone, Default)]
pub(super) struct PartRoom {
    pub zipped: u64,
    pub unzipped: u64,
    /// The libraries in it, sorted.
    pub libraries: Vec<usize>,
}

impl<'a> Load<'a> {
    pub fn new(packages: &'a [PackageSize], libraries: &'a [LibrarySize]) -> Load<'a> {
        let by_name: BTreeMap<&str, &PackageSize> = packages
            .iter()
            .map(|package| (package.name.as_str(), package))
            .collect();
        let by_path: BTreeMap<&str, &LibrarySize> = libraries
            .iter()
            .map(|library| (library.path.as_str(), library))
            .collect();
        let place: BTreeMap<&str, usize> = by_name
            .keys()
            .enumerate()
            .map(|(index, &name)| (name, index))
            .collect();
        let packages: Vec<&PackageSize> = by_name.into_values().collect();
        let libraries: Vec<&LibrarySize> = by_path.into_values().collect();
        let places = |names: &[String], but: Option<usize>| {
            let found = names
                .iter()
                .filter_map(|name| place.get(name.as_str()).copied());
            let mut found: Vec<usize> = found.filter(|&index| Some(index) != but).collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        let needs = packages.iter().enumerate();
        let needs = needs
            .map(|(index, package)| places(&package.needs, Some(index)))
            .collect();
        let mut needed_libraries = vec![Vec::new(); packages.len()];
        let mut orphans = Vec::new();
        for (index, library) in libraries.iter().enumerate() {
            let users = places(&library.needed_by, None);
            if users.is_empty() {
                orphans.push(index);
            }
            for user in users {
                needed_libraries[user].push(index);
            }
        }
        Load {
            packages,
            libraries,
            needs,
            needed_libraries,
            orphans,
        }
    }

    /// All bytes unzipped.
    pub fn unzipped(&self) -> u64 {
        let packages = self.packages.iter().map(|package| package.unzipped);
        let libraries = self.libraries.iter().map(|library| library.unzipped);
        packages.chain(libraries).fold(0, u64::saturating_add)
    }

    /// What each part takes, in order: a library counts for the first part that needs it.
    pub fn rooms(&self, parts: &[Vec<usize>]) -> Vec<PartRoom> {
        let mut placed = vec![false; self.libraries.len()];
        let mut rooms = vec![PartRoom::default(); parts.len()];
        for (index, (part, room)) in parts.iter().zip(&mut rooms).enumerate() {
            let mut libraries = if index == 0 {
                self.orphans.clone()
            } else {
                Vec::new()
            };
            for &package in part {
                room.zipped = room.zipped.saturating_add(self.packages[package].zipped);
                room.unzipped = room
                    .unzipped
                    .saturating_add(self.packages[package].unzipped);
                libraries.extend(&self.needed_libraries[package]);
            }
            libraries.sort_unstable();
            libraries.dedup();
            libraries.retain(|&library| !std::mem::replace(&mut placed[library], true));
            for &library in &libraries {
                room.zipped = room.zipped.saturating_add(self.libraries[library].zipped);
                room.unzipped = room
                    .unzipped
                    .saturating_add(self.libraries[library].unzipped);
            }
            room.libraries = libraries;
        }
        rooms
    }

    /// Bytes zipped of a package with those of its libraries that are not placed yet.
    pub fn zipped_with_libraries(&self, package: usize, placed: &[bool]) -> u64 {
        let libraries = self.needed_libraries[package]
            .iter()
            .filter(|&&library| !placed[library]);
        libraries
            .map(|&library| self.libraries[library].zipped)
            .fold(self.packages[package].zipped, u64::saturating_add)
    }

    /// How many needs point from a part to a later one.
    pub fn backward_needs(&self, parts: &[Vec<usize>]) -> usize {
        self.count_needs(parts, |from, to| to > from)
    }

    /// How many needs point from a part to another one.
    pub fn cut_needs(&self, parts: &[Vec<usize>]) -> usize {
        self.count_needs(parts, |from, to| to != from)
    }

    fn count_needs(&self, parts: &[Vec<usize>], counts: impl Fn(usize, usize) -> bool) -> usize {
        let mut part_of = vec![0; self.packages.len()];
        for (index, part) in parts.iter().enumerate() {
            for &package in part {
                part_of[package] = index;
            }
        }
        let needs = self.needs.iter().enumerate();
        let counted = needs.map(|(package, needs)| {
            needs
                .iter()
                .filter(|&&needed| counts(part_of[package], part_of[needed]))
                .count()
        });
        counted.sum()
    }
}
