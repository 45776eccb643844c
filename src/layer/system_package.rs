//! Which package of a root file system a library came from, as the root's own dpkg has it in its files.

use std::collections::BTreeMap;
use std::path::Path;

use super::complete::AddedLibrary;
use crate::package::parse_records;

/// A distribution's package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemPackage {
    /// The distribution, as its os-release names it: `debian`.
    pub distribution: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The processor, as Debian names it.
    pub architecture: String,
    /// Where the distribution keeps its licence, if the root has it.
    pub copyright: Option<String>,
}

/// The packages that own the libraries which were added from a root: path in the layer → package. A library that no
/// package owns, and any library of a root without dpkg, is not among them.
pub fn owners(root: &Path, added: &[AddedLibrary]) -> BTreeMap<String, SystemPackage> {
    let wanted: BTreeMap<String, &str> = added
        .iter()
        .filter_map(|library| {
            let within = library.from.strip_prefix(root).ok()?.to_str()?;
            Some((without_usr(within).to_owned(), library.path.as_str()))
        })
        .collect();
    let mut owned: BTreeMap<&str, String> = BTreeMap::new();
    for (package, list) in lists(root) {
        for line in list.lines() {
            if let Some(path) = wanted.get(without_usr(line.trim_start_matches('/'))) {
                owned.insert(path, package.clone());
            }
        }
    }
    let Some(status) = Status::read(root) else {
        return BTreeMap::new();
    };
    owned
        .into_iter()
        .filter_map(|(path, package)| Some((path.to_owned(), status.package(&package)?)))
        .collect()
}

/// `/lib` is `/usr/lib` where a root is merged, and dpkg may know a file by either.
fn without_usr(path: &str) -> &str {
    path.strip_prefix("usr/").unwrap_or(path)
}

/// dpkg's lists of files: package (with its architecture, if there may be several) and list.
fn lists(root: &Path) -> impl Iterator<Item = (String, String)> {
    fs_err::read_dir(root.join("var/lib/dpkg/info"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let package = name.strip_suffix(".list")?.to_owned();
            Some((package, fs_err::read_to_string(entry.path()).ok()?))
        })
}

/// What dpkg says of the packages of a root.
struct Status<'a> {
    root: &'a Path,
    distribution: String,
    records: deb822_fast::Deb822,
}

impl Status<'_> {
    fn read(root: &Path) -> Option<Status<'_>> {
        let text = fs_err::read_to_string(root.join("var/lib/dpkg/status")).ok()?;
        let release = fs_err::read_to_string(root.join("etc/os-release")).unwrap_or_default();
        let id = release.lines().find_map(|line| line.strip_prefix("ID="));
        Some(Status {
            root,
            distribution: id.unwrap_or("debian").trim_matches('"').to_owned(),
            records: parse_records(&text).ok()?,
        })
    }

    /// The package of that name, which may have its architecture behind it (`libgomp1:amd64`).
    fn package(&self, listed: &str) -> Option<SystemPackage> {
        let (name, architecture) = listed
            .split_once(':')
            .map_or((listed, None), |(name, of)| (name, Some(of)));
        let record = self.records.iter().find(|record| {
            record.get("Package") == Some(name)
                && architecture.is_none_or(|wanted| record.get("Architecture") == Some(wanted))
        })?;
        let copyright = format!("usr/share/doc/{name}/copyright");
        Some(SystemPackage {
            distribution: self.distribution.clone(),
            name: name.to_owned(),
            version: record.get("Version")?.to_owned(),
            architecture: record.get("Architecture")?.to_owned(),
            copyright: self
                .root
                .join(&copyright)
                .exists()
                .then(|| format!("/{copyright}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_known_by_the_package_that_brought_it() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        };
        write("etc/os-release", "NAME=\"Some\"\nID=debian\n");
        write(
            "var/lib/dpkg/info/libb2:amd64.list",
            "/.\n/lib\n/lib/x86_64-linux-gnu/libb.so.2\n",
        );
        write("usr/share/doc/libb2/copyright", "As you like");
        write(
            "var/lib/dpkg/status",
            "Package: libb2\nStatus: install ok installed\nArchitecture: i386\nVersion: 1\n\n\
             Package: libb2\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2.0+x-3\n",
        );
        let library = |name: &str| AddedLibrary {
            path: format!("lib/{name}"),
            from: root.path().join("usr/lib/x86_64-linux-gnu").join(name),
            size: 1,
        };
        let owners = owners(root.path(), &[library("libb.so.2"), library("libc.so.1")]);
        let expected = SystemPackage {
            distribution: "debian".into(),
            name: "libb2".into(),
            version: "1:2.0+x-3".into(),
            architecture: "amd64".into(),
            copyright: Some("/usr/share/doc/libb2/copyright".into()),
        };
        assert_eq!(owners, BTreeMap::from([("lib/libb.so.2".into(), expected)]));
    }

    #[test]
    fn a_root_without_dpkg_tells_nothing() {
        let root = tempfile::tempdir().unwrap();
        let library = AddedLibrary {
            path: "lib/liba.so".into(),
            from: root.path().join("usr/lib64/liba.so"),
            size: 1,
        };
        assert!(owners(root.path(), &[library]).is_empty());
    }
}
