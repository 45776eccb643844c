//! Which package a library came from: of a root file system, as its own dpkg has it in its files, or of an RPM
//! repository, as that told.

use std::collections::BTreeMap;
use std::path::Path;

use super::complete::AddedLibrary;
use crate::checksum::Sha256;
use crate::elf::LibraryOrigin;
use crate::package::{RpmPackage, parse_records};

/// How a distribution packs its packages, as package URLs name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageFormat {
    /// Debian's.
    Deb,
    /// Red Hat's, which Amazon Linux has too.
    Rpm,
}

impl PackageFormat {
    /// Its name in a package URL.
    pub fn purl_type(self) -> &'static str {
        match self {
            PackageFormat::Deb => "deb",
            PackageFormat::Rpm => "rpm",
        }
    }
}

/// A distribution's package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemPackage {
    /// How it is packed.
    pub format: PackageFormat,
    /// The distribution, as its os-release names it: `debian`, `amzn`.
    pub distribution: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What goes before the version where versions of RPMs are compared; nothing if it is 0, or part of the version.
    pub epoch: Option<u32>,
    /// The processor, as the distribution names it.
    pub architecture: String,
    /// Its licence in the distribution's words, where the package itself says it.
    pub license: Option<String>,
    /// Where the distribution keeps its licence, if the root has it.
    pub copyright: Option<String>,
    /// Where it was fetched, and its hash.
    pub fetched: Option<(String, Sha256)>,
}

/// Amazon Linux, as its os-release names it.
const AMAZON_LINUX: &str = "amzn";

impl From<&RpmPackage> for SystemPackage {
    fn from(package: &RpmPackage) -> SystemPackage {
        SystemPackage {
            format: PackageFormat::Rpm,
            distribution: AMAZON_LINUX.to_owned(),
            name: package.name.clone(),
            version: format!("{}-{}", package.version, package.release),
            epoch: (package.epoch > 0).then_some(package.epoch),
            architecture: package.architecture.clone(),
            license: package.license.clone(),
            copyright: None,
            fetched: Some((package.url.clone(), package.sha256)),
        }
    }
}

/// The packages of the libraries that were fetched from an RPM repository: path in the layer → package.
pub fn fetched_owners(added: &[AddedLibrary]) -> BTreeMap<String, SystemPackage> {
    added
        .iter()
        .filter_map(|library| match &library.from {
            LibraryOrigin::Rpm(package) => Some((library.path.clone(), (&**package).into())),
            LibraryOrigin::File(_) => None,
        })
        .collect()
}

/// The packages that own the libraries which were added from a root, or fetched: path in the layer → package. A library
/// that no package owns, and any library of a root without dpkg, is not among them.
pub fn owners(root: &Path, added: &[AddedLibrary]) -> BTreeMap<String, SystemPackage> {
    let wanted: BTreeMap<String, &str> = added
        .iter()
        .filter_map(|library| {
            let LibraryOrigin::File(file) = &library.from else {
                return None;
            };
            let within = file.strip_prefix(root).ok()?.to_str()?;
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
    let mut owners = fetched_owners(added);
    if let Some(status) = Status::read(root) {
        owners.extend(
            owned
                .into_iter()
                .filter_map(|(path, package)| Some((path.to_owned(), status.package(&package)?))),
        );
    }
    owners
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
            format: PackageFormat::Deb,
            distribution: self.distribution.clone(),
            name: name.to_owned(),
            version: record.get("Version")?.to_owned(),
            epoch: None,
            architecture: record.get("Architecture")?.to_owned(),
            license: None,
            copyright: self
                .root
                .join(&copyright)
                .exists()
                .then(|| format!("/{copyright}")),
            fetched: None,
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
            from: LibraryOrigin::File(root.path().join("usr/lib/x86_64-linux-gnu").join(name)),
            size: 1,
        };
        let owners = owners(root.path(), &[library("libb.so.2"), library("libc.so.1")]);
        let expected = SystemPackage {
            format: PackageFormat::Deb,
            distribution: "debian".into(),
            name: "libb2".into(),
            version: "1:2.0+x-3".into(),
            epoch: None,
            architecture: "amd64".into(),
            license: None,
            copyright: Some("/usr/share/doc/libb2/copyright".into()),
            fetched: None,
        };
        assert_eq!(owners, BTreeMap::from([("lib/libb.so.2".into(), expected)]));
    }

    #[test]
    fn a_root_without_dpkg_tells_nothing() {
        let root = tempfile::tempdir().unwrap();
        let library = AddedLibrary {
            path: "lib/liba.so".into(),
            from: LibraryOrigin::File(root.path().join("usr/lib64/liba.so")),
            size: 1,
        };
        assert!(owners(root.path(), &[library]).is_empty());
    }

    #[test]
    fn a_fetched_library_is_known_by_its_rpm_wherever_the_rest_is_from() {
        let root = tempfile::tempdir().unwrap();
        let package = RpmPackage {
            name: "libxml2".into(),
            epoch: 1,
            version: "2.10.4".into(),
            release: "1.amzn2023".into(),
            architecture: "x86_64".into(),
            license: Some("MIT".into()),
            url: "https://example.org/libxml2.rpm".into(),
            sha256: Sha256::of(b"rpm"),
        };
        let library = AddedLibrary {
            path: "lib/libxml2.so.2".into(),
            from: LibraryOrigin::Rpm(package.clone().into()),
            size: 1,
        };
        let owners = owners(root.path(), &[library]);
        let owner = &owners["lib/libxml2.so.2"];
        assert_eq!(owner.format.purl_type(), "rpm");
        assert_eq!(
            (owner.version.as_str(), owner.epoch),
            ("2.10.4-1.amzn2023", Some(1))
        );
        assert_eq!(owner.license.as_deref(), Some("MIT"));
        assert_eq!(owner.fetched, Some((package.url, package.sha256)));
    }
}
