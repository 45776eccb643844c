//! Which package of a repository has a library: what is kept of its list of packages.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use rpm_version::Evr;
use serde::{Deserialize, Serialize};

use super::primary::{self, Listed};
use crate::checksum::Sha256;
use crate::package::RpmPackage;
use crate::target::Architecture;

/// The packages of a repository by the libraries that they provide, and by name. Their `url` is as the list has it:
/// below the repository, unless it is a whole one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PackageIndex {
    packages: Vec<RpmPackage>,
    /// Soname → its package.
    providers: BTreeMap<String, usize>,
    /// Name → the newest package of that name.
    names: BTreeMap<String, usize>,
}

impl PackageIndex {
    /// Reads a list of packages, of which those for a processor are kept.
    pub fn of_list(path: &Path, architecture: Architecture) -> Result<PackageIndex, String> {
        let text = primary::open(path).map_err(|error| error.to_string())?;
        let mut collected = Collected::default();
        primary::read(text, |listed| {
            let for_it = [architecture.machine_name(), "noarch"];
            if for_it.contains(&listed.architecture.as_str()) {
                collected.add(listed);
            }
        })?;
        Ok(collected.finish())
    }

    /// The package that has a library.
    pub fn provider(&self, soname: &str) -> Option<&RpmPackage> {
        self.packages.get(*self.providers.get(soname)?)
    }

    /// The newest package of a name.
    pub fn named(&self, name: &str) -> Option<&RpmPackage> {
        self.packages.get(*self.names.get(name)?)
    }

    /// Sonames that one may have meant: other versions of the library, else libraries whose names begin alike.
    pub fn nearest(&self, soname: &str) -> Vec<&str> {
        const MOST: usize = 4;
        let wanted = stem(soname);
        let all = || self.providers.keys().map(String::as_str);
        let same: Vec<&str> = all()
            .filter(|other| stem(other) == wanted)
            .take(MOST)
            .collect();
        if !same.is_empty() || wanted.len() < 5 {
            return same;
        }
        all()
            .filter(|other| stem(other).starts_with(wanted) || wanted.starts_with(stem(other)))
            .filter(|other| stem(other).len() >= 5)
            .take(MOST)
            .collect()
    }
}

/// The library's name without any version: `libxml` of `libxml2.so.2`, `libpng` of `libpng16.so.16`.
fn stem(soname: &str) -> &str {
    let name = soname.split(".so").next().unwrap_or(soname);
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    bare.strip_suffix('-').unwrap_or(bare)
}

/// How RPM says that a package has a 64-bit library; symbol versions stand between the first parentheses.
const LIBRARY: &str = "()(64bit)";

#[derive(Default)]
struct Collected {
    packages: Vec<RpmPackage>,
    providers: HashMap<String, Vec<usize>>,
    names: HashMap<String, usize>,
}

impl Collected {
    /// A package whose hash cannot be checked is as good as none.
    fn add(&mut self, listed: Listed) {
        let (kind, digest) = &listed.checksum;
        let Some(sha256) = digest.parse::<Sha256>().ok().filter(|_| kind == "sha256") else {
            return;
        };
        let place = self.packages.len();
        for provided in &listed.provides {
            if let Some(soname) = provided.strip_suffix(LIBRARY)
                && soname.contains(".so")
            {
                self.providers
                    .entry(soname.to_owned())
                    .or_default()
                    .push(place);
            }
        }
        let url = match listed.base {
            Some(base) => format!("{}/{}", base.trim_end_matches('/'), listed.location),
            None => listed.location,
        };
        let package = RpmPackage {
            name: listed.name,
            epoch: listed.epoch,
            version: listed.version,
            release: listed.release,
            architecture: listed.architecture,
            license: (!listed.license.is_empty()).then_some(listed.license),
            url,
            sha256,
        };
        let newest = self.names.entry(package.name.clone()).or_insert(place);
        if *newest != place && is_newer(&package, &self.packages[*newest]) {
            *newest = place;
        }
        self.packages.push(package);
    }

    /// Is a package to be taken before another that has the same library?
    ///
    /// One that is the newest of its name is taken before one that is not (whose library the newest has no more), one
    /// with a short name before a long one (`libcurl` before `libcurl-minimal`), and then the newest.
    fn is_better(&self, one: usize, other: usize) -> bool {
        let key = |place: usize| {
            let package = &self.packages[place];
            let is_newest = self.names.get(&package.name) == Some(&place);
            (!is_newest, package.name.len(), &package.name)
        };
        match key(one).cmp(&key(other)) {
            Ordering::Equal => is_newer(&self.packages[one], &self.packages[other]),
            order => order.is_lt(),
        }
    }

    fn best(&self, places: &[usize]) -> Option<usize> {
        let places = places.iter().copied();
        places.reduce(|best, place| match self.is_better(place, best) {
            true => place,
            false => best,
        })
    }

    /// The best package of each library, and the newest of each name; the others are not kept.
    fn finish(self) -> PackageIndex {
        let providers: BTreeMap<String, usize> = self
            .providers
            .iter()
            .filter_map(|(soname, places)| Some((soname.clone(), self.best(places)?)))
            .collect();
        let places = providers.values().chain(self.names.values());
        let kept: BTreeSet<usize> = places.copied().collect();
        let numbers = kept.iter().enumerate();
        let renumbered: HashMap<usize, usize> = numbers.map(|(new, old)| (*old, new)).collect();
        let renumber = |places: BTreeMap<String, usize>| {
            let places = places.into_iter();
            places
                .filter_map(|(name, place)| Some((name, *renumbered.get(&place)?)))
                .collect()
        };
        let packages = kept.iter().map(|place| self.packages[*place].clone());
        PackageIndex {
            packages: packages.collect(),
            providers: renumber(providers),
            names: renumber(self.names.into_iter().collect()),
        }
    }
}

/// As RPM compares: epoch, then version, then release, each by its runs of digits and letters.
fn is_newer(one: &RpmPackage, other: &RpmPackage) -> bool {
    let (one_epoch, other_epoch) = (one.epoch.to_string(), other.epoch.to_string());
    let one = Evr::new(one_epoch.as_str(), &*one.version, &*one.release);
    let other = Evr::new(other_epoch.as_str(), &*other.version, &*other.release);
    one > other
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, evr: &str, provides: &[&str]) -> Listed {
        let (epoch, rest) = evr.split_once(':').unwrap_or(("0", evr));
        let (version, release) = rest.split_once('-').unwrap();
        Listed {
            name: name.into(),
            architecture: "x86_64".into(),
            epoch: epoch.parse().unwrap(),
            version: version.into(),
            release: release.into(),
            checksum: (
                "sha256".into(),
                Sha256::of(format!("{name} {evr}").as_bytes()).to_string(),
            ),
            location: format!("Packages/{name}.rpm"),
            provides: provides
                .iter()
                .map(|soname| format!("{soname}()(64bit)"))
                .collect(),
            ..Listed::default()
        }
    }

    fn index(packages: Vec<Listed>) -> PackageIndex {
        let mut collected = Collected::default();
        packages
            .into_iter()
            .for_each(|package| collected.add(package));
        collected.finish()
    }

    fn provider(index: &PackageIndex, soname: &str) -> String {
        let package = index.provider(soname).unwrap();
        format!("{} {}", package.name, package.evr())
    }

    #[test]
    fn of_several_packages_the_newest_is_taken_as_rpm_compares() {
        let index = index(vec![
            listed("libxml2", "2.10.4-1.amzn2023.0.9", &["libxml2.so.2"]),
            listed("libxml2", "2.10.4-1.amzn2023.0.11", &["libxml2.so.2"]),
            listed("libxml2", "2.9.14-1.amzn2023", &["libxml2.so.2"]),
            listed("zzz", "1.0~rc1-1", &["libzzz.so.1"]),
            listed("zzz", "1.0-1", &["libzzz.so.1"]),
            listed("aaa", "1:0.1-1", &["libaaa.so.1"]),
            listed("aaa", "9.0-1", &["libaaa.so.1"]),
        ]);
        assert_eq!(
            provider(&index, "libxml2.so.2"),
            "libxml2 2.10.4-1.amzn2023.0.11"
        );
        assert_eq!(provider(&index, "libzzz.so.1"), "zzz 1.0-1");
        assert_eq!(provider(&index, "libaaa.so.1"), "aaa 1:0.1-1");
        assert_eq!(index.named("aaa").unwrap().evr(), "1:0.1-1");
        // What neither has a library nor is the newest of its name is not kept.
        assert_eq!(index.packages.len(), 3);
    }

    #[test]
    fn a_library_that_the_newest_has_no_more_comes_from_an_older_one() {
        let index = index(vec![
            listed("icu", "74.1-1", &["libicuuc.so.74"]),
            listed("icu", "67.1-7", &["libicuuc.so.67"]),
            listed("icu", "67.1-9", &["libicuuc.so.67"]),
        ]);
        assert_eq!(provider(&index, "libicuuc.so.67"), "icu 67.1-9");
        assert_eq!(provider(&index, "libicuuc.so.74"), "icu 74.1-1");
    }

    #[test]
    fn the_full_library_is_taken_before_the_minimal_one() {
        for reversed in [false, true] {
            let mut packages = vec![
                listed("libcurl", "8.5.0-1", &["libcurl.so.4"]),
                listed("libcurl-minimal", "8.5.0-1", &["libcurl.so.4"]),
                listed("a", "1-1", &[]),
            ];
            if reversed {
                packages.reverse();
            }
            assert_eq!(
                provider(&index(packages), "libcurl.so.4"),
                "libcurl 8.5.0-1"
            );
        }
    }

    #[test]
    fn what_is_not_provided_has_its_nearest() {
        let mut versioned = listed("libxml2", "2.13-1", &["libxml2.so.16"]);
        versioned
            .provides
            .push("libxml2.so.2(LIBXML2_2.4.30)(64bit)".into());
        let index = index(vec![
            versioned,
            listed("icu", "74-1", &["libicuuc.so.74"]),
            listed("libpng", "1-1", &["libpng16.so.16"]),
        ]);
        assert!(index.provider("libxml2.so.2").is_none());
        assert_eq!(index.nearest("libxml2.so.2"), ["libxml2.so.16"]);
        assert_eq!(index.nearest("libpng12.so.0"), ["libpng16.so.16"]);
        assert!(index.nearest("libnothing.so.1").is_empty());
    }
}
