//! A package of a repository that is wanted: where it may be, and what it must be.

use std::path::{Component, Path};

use deb822_fast::Paragraph;

use super::PackageError;
use crate::checksum::Sha256;
use crate::lockfile::BuiltFor;
use crate::package::{RVersion, is_package_name};
use crate::repository::{ContribFolder, Location, Repository};

/// What a record of an index says of where its package is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexEntry {
    /// `Package`.
    pub package: String,
    /// `Version`, as written.
    pub version: String,
    /// `Path`: a folder below the index's.
    pub path: Option<String>,
    /// `File`: another name than `PKG_VERSION.tar.gz`.
    pub file: Option<String>,
    /// `MD5sum`.
    pub md5sum: Option<String>,
    /// `SHA256`.
    pub sha256: Option<String>,
}

impl IndexEntry {
    /// Of a package and version alone.
    pub fn of(package: &str, version: &str) -> IndexEntry {
        IndexEntry {
            package: package.to_owned(),
            version: version.to_owned(),
            ..IndexEntry::default()
        }
    }

    /// Of a record; nothing if it has no package or version.
    pub fn of_record(record: &Paragraph) -> Option<IndexEntry> {
        let field = |name: &str| {
            let text = record.get(name)?.trim();
            // R writes fields that a package has not as NA.
            (!text.is_empty() && text != "NA").then(|| text.to_owned())
        };
        Some(IndexEntry {
            package: field("Package")?,
            version: field("Version")?,
            path: field("Path"),
            file: field("File"),
            md5sum: field("MD5sum"),
            sha256: field("SHA256"),
        })
    }

    /// `Path/File` below the folder of the index.
    fn place(&self) -> Result<String, PackageError> {
        let refused = |reason: String| PackageError::Refused {
            what: format!("the index's record of {}", self.package),
            reason,
        };
        let file = match &self.file {
            Some(file) if !is_inside(file) || file.contains('/') => {
                return Err(refused(format!(
                    "its field File is `{file}`, which is not a name of a file"
                )));
            }
            Some(file) => file.clone(),
            None => format!("{}_{}.tar.gz", self.package, self.version),
        };
        match &self.path {
            Some(path) if !is_inside(path) => Err(refused(format!(
                "its field Path is `{path}`, which is not a folder of the repository"
            ))),
            Some(path) => Ok(format!("{}/{file}", path.trim_matches('/'))),
            None => Ok(file),
        }
    }
}

/// Is a path one below a folder, and nothing else to a URL?
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['?', '#', '\\', ':', '%'])
        && !path.chars().any(char::is_control)
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// A package that is wanted from a repository.
#[derive(Clone, Debug)]
pub struct PackageRequest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The name of the repository, for messages, records and the variables of its credentials.
    pub repository: String,
    /// What it must be built for if it is a binary; nothing if a source is needed.
    pub built_for: Option<BuiltFor>,
    /// Where it may be, tried in order.
    pub locations: Vec<Location>,
    /// The hash that a lock pins.
    pub sha256: Option<Sha256>,
    /// The MD5 that the index has, in hexadecimal digits.
    pub index_md5: Option<String>,
    /// The hash that the index has.
    pub index_sha256: Option<Sha256>,
}

impl PackageRequest {
    /// What an index offers: in its folder, and in the archive below that, whereto it moves when a newer one comes.
    ///
    /// # Errors
    /// A record with a name, version or path that leads elsewhere.
    pub fn of_entry(
        entry: &IndexEntry,
        folder: &ContribFolder,
    ) -> Result<PackageRequest, PackageError> {
        check(&entry.package, &entry.version)?;
        let locations = vec![
            folder.at(&entry.place()?),
            folder.at(&archived(&entry.package, &entry.version)),
        ];
        Ok(PackageRequest {
            index_md5: entry.md5sum.as_ref().map(|text| text.to_lowercase()),
            index_sha256: entry.sha256.as_ref().and_then(|text| text.parse().ok()),
            ..PackageRequest::at(&entry.package, &entry.version, folder, locations)
        })
    }

    /// A version of which no index is known: the repository's archive first, then its current ones.
    ///
    /// # Errors
    /// A name or version that is none.
    pub fn of_version(
        package: &str,
        version: &str,
        repository: &Repository,
    ) -> Result<PackageRequest, PackageError> {
        check(package, version)?;
        let folder = repository.sources();
        let current = format!("{package}_{version}.tar.gz");
        let locations = vec![folder.at(&archived(package, version)), folder.at(&current)];
        Ok(PackageRequest::at(package, version, &folder, locations))
    }

    /// What a lock has: the URL that it was had from, then where the repository has such a version.
    ///
    /// # Errors
    /// A name or version that is none.
    pub fn of_lock(
        package: &str,
        version: &str,
        url: Option<&str>,
        sha256: Sha256,
        folder: &ContribFolder,
    ) -> Result<PackageRequest, PackageError> {
        let entry = IndexEntry::of(package, version);
        let mut request = PackageRequest::of_entry(&entry, folder)?;
        if let Some(url) = url.map(Location::parse) {
            request.locations.retain(|location| *location != url);
            request.locations.insert(0, url);
        }
        request.sha256 = Some(sha256);
        Ok(request)
    }

    fn at(
        package: &str,
        version: &str,
        folder: &ContribFolder,
        locations: Vec<Location>,
    ) -> PackageRequest {
        PackageRequest {
            name: package.to_owned(),
            version: version.to_owned(),
            repository: folder.repository.clone(),
            built_for: folder.built_for.clone(),
            locations,
            sha256: None,
            index_md5: None,
            index_sha256: None,
        }
    }

    /// `jsonlite 2.0.0`, for messages.
    pub fn what(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

fn archived(package: &str, version: &str) -> String {
    format!("Archive/{package}/{package}_{version}.tar.gz")
}

fn check(package: &str, version: &str) -> Result<(), PackageError> {
    let refused = |reason: &str| PackageError::Refused {
        what: format!("{package} {version}"),
        reason: reason.to_owned(),
    };
    if !is_package_name(package) {
        return Err(refused(
            "a package's name has letters, digits and dots only, and begins with a letter",
        ));
    }
    match version.parse::<RVersion>() {
        Ok(_) if version.trim() == version => Ok(()),
        _ => Err(refused("a version is integers parted by `.` or `-`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::{Binaries, Mirror};
    use crate::target::Architecture;

    fn repository() -> Repository {
        Repository {
            name: "cran".to_owned(),
            base: Mirror::parse("https://r.example"),
            binaries: Binaries::PackageManager {
                platform: "manylinux_2_28".to_owned(),
            },
        }
    }

    fn places(request: &PackageRequest) -> Vec<String> {
        let places = request.locations.iter();
        places.map(ToString::to_string).collect()
    }

    #[test]
    fn what_an_index_had_may_have_moved_to_the_archive() {
        let entry = IndexEntry::of("ab", "1.0-2");
        let request = PackageRequest::of_entry(&entry, &repository().sources()).unwrap();
        assert_eq!(
            places(&request),
            [
                "https://r.example/src/contrib/ab_1.0-2.tar.gz",
                "https://r.example/src/contrib/Archive/ab/ab_1.0-2.tar.gz"
            ]
        );
        let built_for = BuiltFor {
            architecture: Architecture::X86_64,
            r: Some("4.5".to_owned()),
        };
        let folder = repository().binaries(&built_for).unwrap();
        let request = PackageRequest::of_entry(&entry, &folder).unwrap();
        let place = "bin/linux/manylinux_2_28-x86_64/4.5/src/contrib";
        assert_eq!(
            places(&request),
            [
                format!("https://r.example/{place}/ab_1.0-2.tar.gz"),
                format!("https://r.example/{place}/Archive/ab/ab_1.0-2.tar.gz")
            ]
        );
        assert_eq!(request.built_for, Some(built_for));
        let old = PackageRequest::of_version("ab", "0.9", &repository()).unwrap();
        assert!(places(&old)[0].ends_with("Archive/ab/ab_0.9.tar.gz"));
    }

    #[test]
    fn path_and_file_of_a_record_are_followed_and_lead_nowhere_else() {
        let text = "Package: ab\nVersion: 1.0\nPath: 4.5.0/Recommended\nFile: ab_1.0_R4.tar.gz\nMD5sum: ABCDEF\nSHA256: NA\n";
        let records = crate::package::parse_records(text).unwrap();
        let entry = IndexEntry::of_record(records.iter().next().unwrap()).unwrap();
        let request = PackageRequest::of_entry(&entry, &repository().sources()).unwrap();
        assert_eq!(
            places(&request)[0],
            "https://r.example/src/contrib/4.5.0/Recommended/ab_1.0_R4.tar.gz"
        );
        assert_eq!(request.index_md5.as_deref(), Some("abcdef"));
        assert_eq!(request.index_sha256, None);
        let with = |path: Option<&str>, file: Option<&str>| IndexEntry {
            path: path.map(str::to_owned),
            file: file.map(str::to_owned),
            ..IndexEntry::of("ab", "1.0")
        };
        for entry in [
            with(Some("../x"), None),
            with(Some("/etc"), None),
            with(Some("https://evil.example"), None),
            with(Some("a?b"), None),
            with(None, Some("../ab.tar.gz")),
            with(None, Some("a/b.tar.gz")),
            with(None, Some("..")),
            with(None, Some("%2e%2e")),
        ] {
            let error = PackageRequest::of_entry(&entry, &repository().sources());
            let error = error.unwrap_err().to_string();
            assert!(error.contains("record of ab"), "{error}");
        }
    }

    #[test]
    fn names_and_versions_that_are_none_are_refused() {
        for (package, version) in [
            ("../ab", "1"),
            ("-ab", "1"),
            ("ab", "1/../2"),
            ("ab", ""),
            ("ab", " 1"),
        ] {
            let entry = IndexEntry::of(package, version);
            let request = PackageRequest::of_entry(&entry, &repository().sources());
            assert!(request.is_err(), "{package} {version}");
        }
    }

    #[test]
    fn a_lock_is_asked_where_it_was_had_from_first() {
        let sha256 = Sha256::of(b"x");
        let folder = repository().sources();
        let url = "https://r.example/src/contrib/ab_1.0.tar.gz";
        let request = PackageRequest::of_lock("ab", "1.0", Some(url), sha256, &folder).unwrap();
        assert_eq!(request.locations.len(), 2);
        let url = "https://old.example/ab_1.0.tar.gz";
        let request = PackageRequest::of_lock("ab", "1.0", Some(url), sha256, &folder).unwrap();
        assert_eq!(places(&request)[0], url);
        assert_eq!(request.locations.len(), 3);
        assert_eq!(request.sha256, Some(sha256));
    }
}
