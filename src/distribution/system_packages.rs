//! Packages of the build root's distribution that R packages need to be compiled: which, whether they are there, and who
//! wants them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::compile::CompileError;
use crate::layer::library_rules::LibraryRules;
use crate::package::{PackageManager, Requirements, parse_records};

/// What a user's own word is called where it is told who wants a package.
const NAMED: &str = "--system-package";

/// What Posit Package Manager's word is called there.
const LISTED: &str = "by Posit Package Manager's list";

/// What an R package asks of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The package.
    pub package: &'a str,
    /// Its field SystemRequirements.
    pub field: &'a str,
    /// The distribution's packages that its repository says it needs.
    pub listed: &'a [String],
}

/// Packages of a distribution, each with who wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemPackages {
    /// Whose names they are.
    pub manager: PackageManager,
    wanted: BTreeMap<String, BTreeSet<String>>,
}

/// What is to be done without packages that a distribution does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Without {
    /// They are none of those that were wanted.
    Unchanged,
    /// Nothing: this one must be there.
    Impossible(String),
    /// These are installed all the same.
    Rest(SystemPackages),
}

impl SystemPackages {
    /// What fields SystemRequirements ask for by the rules of this program, what repositories say, and what the user named.
    pub fn of<'f>(
        asked: impl IntoIterator<Item = Asked<'f>>,
        named: &[String],
        manager: PackageManager,
    ) -> Result<SystemPackages, CompileError> {
        let requirements = requirements()?;
        let mut system = SystemPackages {
            manager,
            wanted: BTreeMap::new(),
        };
        for Asked {
            package,
            field,
            listed,
        } in asked
        {
            for rule in requirements.of_field(field) {
                let by = format!("the R package {package} ({})", rule.name);
                system.want(rule.packages(manager), &by);
            }
            let names = listed.iter().filter(|name| is_system_package_name(name));
            system.want(names, &format!("the R package {package} ({LISTED})"));
        }
        if let Some(name) = named.iter().find(|name| !is_system_package_name(name)) {
            return Err(CompileError::NotASystemPackage(name.clone()));
        }
        system.want(named, NAMED);
        Ok(system)
    }

    /// These, and pkg-config: most configure scripts ask it where the others are, and few fields name it.
    pub fn with_pkg_config(mut self) -> Result<SystemPackages, CompileError> {
        if let Some(rule) = requirements()?.of_program("pkg-config") {
            self.want(rule.packages(self.manager), "configure scripts");
        }
        Ok(self)
    }

    fn want<'n>(&mut self, names: impl IntoIterator<Item = &'n String>, by: &str) {
        for name in names {
            let wanting = self.wanted.entry(name.clone()).or_default();
            wanting.insert(by.to_owned());
        }
    }

    /// Their names, sorted.
    pub fn names(&self) -> Vec<String> {
        self.wanted.keys().cloned().collect()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Those of these names.
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> SystemPackages {
        let mut kept = self.clone();
        kept.wanted.retain(|name, _| keep(name));
        kept
    }

    /// Is one of them among those?
    pub fn meets(&self, others: &SystemPackages) -> bool {
        self.wanted
            .keys()
            .any(|name| others.wanted.contains_key(name))
    }

    /// What is to be done if a distribution has none of these names. What the user named must be there; what the rules ask
    /// for need not if the user has named something, which may be what this distribution calls it. What a list alone names
    /// need not either: that may be the list of a distribution that is much like this one.
    pub fn without(&self, unknown: &BTreeSet<String>) -> Without {
        let ours = unknown
            .iter()
            .filter(|name| self.wanted.contains_key(*name));
        if ours.clone().next().is_none() {
            return Without::Unchanged;
        }
        let is_named = |name: &str| self.wanted.get(name).is_some_and(|by| by.contains(NAMED));
        if let Some(named) = ours.clone().find(|name| is_named(name)) {
            return Without::Impossible(named.clone());
        }
        let needed = ours.clone().find(|name| !self.is_only_listed(name));
        match needed {
            Some(needed) if !self.wanted.keys().any(|name| is_named(name)) => {
                Without::Impossible(needed.clone())
            }
            _ => Without::Rest(self.only(|name| !unknown.contains(name))),
        }
    }

    /// Does nobody want it but lists?
    pub fn is_only_listed(&self, name: &str) -> bool {
        let by = self.wanted.get(name);
        by.is_some_and(|by| by.iter().all(|one| one.contains(LISTED)))
    }

    /// Who wants one.
    pub fn wanted_by(&self, name: &str) -> String {
        let by: Vec<&str> = self
            .wanted
            .get(name)
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        by.join(", ")
    }

    /// Their names for each of the two package managers, one of which gets none.
    pub fn by_manager(&self) -> (Vec<String>, Vec<String>) {
        match self.manager {
            PackageManager::Apt => (self.names(), Vec::new()),
            PackageManager::Dnf => (Vec::new(), self.names()),
        }
    }

    /// What installs them on a machine.
    pub fn command(&self) -> String {
        let install = match self.manager {
            PackageManager::Apt => "apt-get install -y",
            PackageManager::Dnf => "dnf install -y",
        };
        format!("{install} {}", self.names().join(" "))
    }
}

fn requirements() -> Result<Requirements<'static>, CompileError> {
    Ok(Requirements::new(
        &LibraryRules::embedded().system_requirements,
    )?)
}

/// The package manager of a root, or of what was kept of one.
pub fn manager_of(root: &Path) -> PackageManager {
    let has = |path: &str| root.join(path).exists();
    match has("usr/bin/apt-get") || has("var/lib/dpkg/status") {
        true => PackageManager::Apt,
        false => PackageManager::Dnf,
    }
}

/// Is that the name of a distribution's package, and nothing else (no option, no pattern, no removal as `vim-` is one)?
/// Debian's policy has lower-case letters, digits and `+-.`; RPM's names have `_` and upper-case letters too.
pub fn is_system_package_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
    name.len() >= 2
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(is_part)
        && !name.ends_with('-')
}

/// The packages that are installed in a Debian root, and the names that they provide besides: dpkg's own list.
pub fn installed_by_dpkg(root: &Path) -> BTreeSet<String> {
    let status = fs_err::read_to_string(root.join("var/lib/dpkg/status")).unwrap_or_default();
    let Ok(records) = parse_records(&status) else {
        return BTreeSet::new();
    };
    let mut names = BTreeSet::new();
    for record in records.iter() {
        if record.get("Status") != Some("install ok installed") {
            continue;
        }
        names.extend(record.get("Package").map(str::to_owned));
        // `libpng-dev (= 1.6.37), libpng12-dev`.
        let provided = record.get("Provides").unwrap_or_default().split(',');
        let bare = provided.filter_map(|entry| entry.split_whitespace().next());
        names.extend(bare.map(str::to_owned));
    }
    names
}

/// What package managers say of a package that they do not have, its name in the first group.
static UNKNOWN: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(?m)^E: Unable to locate package (\S+)",
        r"(?m)^E: Package '([^']+)' has no installation candidate",
        r"(?m)^E: Couldn't find any package by (?:regex|glob) '([^']+)'",
        r"(?m)^No match for argument: (?:\x1b\[[0-9;]*m)?([^\s\x1b]+)",
    ]
    .into_iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

/// The packages that a package manager did not have, by the log of an installation that failed.
pub fn unknown_packages(log: &str) -> BTreeSet<String> {
    let found = UNKNOWN
        .iter()
        .flat_map(|pattern| pattern.captures_iter(log));
    found
        .filter_map(|captures| Some(captures.get(1)?.as_str().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked<'a>(package: &'a str, field: &'a str) -> Asked<'a> {
        Asked {
            package,
            field,
            listed: &[],
        }
    }

    #[test]
    fn what_fields_ask_for_and_what_the_user_names_come_together_with_who_wants_it() {
        let fields = [
            asked("xml2", "libxml2: libxml2-dev (deb), libxml2-devel (rpm)"),
            asked("XML", "libxml2 (>= 2.6.3)"),
            asked("glue", ""),
        ];
        let named = ["libmagic-dev".to_owned()];
        let of = |manager| SystemPackages::of(fields, &named, manager).unwrap();
        let apt = of(PackageManager::Apt);
        assert_eq!(apt.names(), ["libmagic-dev", "libxml2-dev"]);
        assert_eq!(
            apt.wanted_by("libxml2-dev"),
            "the R package XML (libxml2), the R package xml2 (libxml2)"
        );
        assert_eq!(apt.wanted_by("libmagic-dev"), "--system-package");
        let dnf = of(PackageManager::Dnf).with_pkg_config().unwrap();
        assert_eq!(
            dnf.command(),
            "dnf install -y libmagic-dev libxml2-devel pkgconf-pkg-config"
        );
        let glue = SystemPackages::of([fields[2]], &[], PackageManager::Apt).unwrap();
        assert!(glue.is_empty() && !glue.meets(&apt), "{glue:?}");
        let xml = SystemPackages::of([fields[1]], &[], PackageManager::Apt).unwrap();
        assert!(xml.meets(&apt));
    }

    #[test]
    fn what_a_distribution_lacks_may_be_missing_only_if_the_user_named_something_in_its_place() {
        let of = |named: &[&str]| {
            let named: Vec<String> = named.iter().map(|&name| name.to_owned()).collect();
            let fields = [asked("xml2", "libxml2"), asked("openssl", "OpenSSL")];
            SystemPackages::of(fields, &named, PackageManager::Apt).unwrap()
        };
        let unknown = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let xml = "libxml2-dev".to_owned();
        assert_eq!(of(&[]).without(&unknown(&["other"])), Without::Unchanged);
        let impossible = Without::Impossible(xml.clone());
        assert_eq!(of(&[]).without(&unknown(&["libxml2-dev"])), impossible);
        let (both, one) = (of(&["libxml3-dev"]), unknown(&["libxml2-dev"]));
        let Without::Rest(rest) = both.without(&one) else {
            panic!("{both:?}");
        };
        assert_eq!(rest.names(), ["libssl-dev", "libxml3-dev"]);
        let named = both.without(&unknown(&["libxml2-dev", "libxml3-dev"]));
        assert_eq!(named, Without::Impossible("libxml3-dev".to_owned()));
    }

    #[test]
    fn a_repositorys_list_comes_on_top_of_the_rules_and_may_name_what_there_is_not() {
        let listed = ["libxml2-dev", "libnew-dev", "$(id)", "-y"].map(str::to_owned);
        let xml2 = Asked {
            listed: &listed,
            ..asked("xml2", "libxml2")
        };
        let system = SystemPackages::of([xml2], &[], PackageManager::Apt).unwrap();
        assert_eq!(system.names(), ["libnew-dev", "libxml2-dev"]);
        assert!(system.is_only_listed("libnew-dev") && !system.is_only_listed("libxml2-dev"));
        let by = system.wanted_by("libnew-dev");
        assert_eq!(by, "the R package xml2 (by Posit Package Manager's list)");
        let unknown = |name: &str| BTreeSet::from([name.to_owned()]);
        let Without::Rest(rest) = system.without(&unknown("libnew-dev")) else {
            panic!("{system:?}");
        };
        assert_eq!(rest.names(), ["libxml2-dev"]);
        let xml = "libxml2-dev".to_owned();
        assert_eq!(system.without(&unknown(&xml)), Without::Impossible(xml));
    }

    #[test]
    fn what_is_no_name_of_a_package_reaches_no_package_manager() {
        for name in [
            "libxml2-dev",
            "g++",
            "libgdal-dev",
            "ImageMagick-c++-devel",
            "python3.11",
        ] {
            assert!(is_system_package_name(name), "{name}");
        }
        for name in [
            "", "-y", "--allow", "vim-", "a b", "$(id)", "x;id", "lib*", "./x.deb", "a/b", "x=1",
        ] {
            assert!(!is_system_package_name(name), "{name}");
            let error =
                SystemPackages::of([], &[name.to_owned()], PackageManager::Apt).unwrap_err();
            assert!(error.to_string().contains("--system-package"), "{error}");
        }
    }

    #[test]
    fn dpkgs_list_says_what_is_installed_and_what_that_provides() {
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(root.path().join("var/lib/dpkg")).unwrap();
        fs_err::write(
            root.path().join("var/lib/dpkg/status"),
            "Package: zlib1g-dev\nStatus: install ok installed\nProvides: libz-dev (= 1:1.2.11), zlib-dev\n\
             Description: a\n library\n\nPackage: gone\nStatus: deinstall ok config-files\n",
        )
        .unwrap();
        let installed: Vec<String> = installed_by_dpkg(root.path()).into_iter().collect();
        assert_eq!(installed, ["libz-dev", "zlib-dev", "zlib1g-dev"]);
        assert_eq!(manager_of(root.path()), PackageManager::Apt);
        assert!(installed_by_dpkg(Path::new("/nowhere")).is_empty());
    }

    #[test]
    fn package_managers_say_what_they_do_not_have() {
        let apt = "Reading package lists...\nE: Unable to locate package libnone-dev\n\
                   E: Couldn't find any package by glob 'libno.2-dev'\n\
                   E: Package 'awk-dev' has no installation candidate\n";
        let names: Vec<String> = unknown_packages(apt).into_iter().collect();
        assert_eq!(names, ["awk-dev", "libno.2-dev", "libnone-dev"]);
        let dnf = "No match for argument: \u{1b}[1mlibnone-devel\u{1b}[m\nNo match for argument: other-devel\n\
                   Error: Unable to find a match: libnone-devel other-devel\n";
        let names: Vec<String> = unknown_packages(dnf).into_iter().collect();
        assert_eq!(names, ["libnone-devel", "other-devel"]);
        assert!(unknown_packages("E: Failed to fetch http://deb.example/x\n").is_empty());
    }
}
