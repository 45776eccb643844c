//! The real repositories are what other tests take them for.

use std::collections::BTreeMap;
use std::time::Duration;

use md5::{Digest, Md5};
use r_layer::cache::Cache;
use r_layer::credentials::Credentials;
use r_layer::elf::ElfFile;
use r_layer::http::{Http, Patience};
use r_layer::lockfile::BuiltFor;
use r_layer::package::{Description, PackageIndex, RVersion, Requirement};
use r_layer::progress::Silent;
use r_layer::repository::{
    Binaries, ContribFolder, IndexEntry, PackageFile, PackageKind, PackageRequest, PackageSources,
    Repository, RepositorySet, RepositorySettings,
};
use r_layer::resolve::{
    Given, Holder, Origin, Outcome, Preferences, Resolution, ResolveInput, resolve,
};
use r_layer::target::Architecture;

use super::{EARLY_SNAPSHOT, LARGE_REQUEST, RealRepository, SNAPSHOT, cran, p3m};
use crate::parts::{compiled_r_home, succeed};

/// A client with a cache of its own.
struct Client {
    folder: tempfile::TempDir,
    cache: Cache,
    http: Http,
}

impl Client {
    fn new() -> Client {
        let folder = tempfile::tempdir().unwrap();
        let patience = Patience {
            tries: 1,
            first_pause: Duration::ZERO,
            silence: Duration::from_secs(60),
        };
        Client {
            cache: Cache::open(folder.path().join("cache")).unwrap(),
            http: Http::from_environment(patience, Credentials::default()).unwrap(),
            folder,
        }
    }

    fn sources(&self) -> PackageSources<'_> {
        PackageSources {
            http: &self.http,
            cache: &self.cache,
            reporter: &Silent,
            offline: false,
        }
    }

    async fn index(&self, folder: &ContribFolder) -> PackageIndex {
        let text = self.sources().index(folder).await.unwrap().text;
        let index = PackageIndex::parse(text).unwrap();
        assert_eq!(index.problems(), []);
        index
    }

    /// All that an index offers.
    async fn all_of(&self, folder: &ContribFolder) -> BTreeMap<String, PackageFile> {
        let index = self.index(folder).await;
        let requests: Vec<PackageRequest> = index
            .records()
            .map(|record| {
                let entry = IndexEntry {
                    md5sum: record.md5(),
                    ..IndexEntry::of(record.package(), &record.version().to_string())
                };
                PackageRequest::of_entry(&entry, folder).unwrap()
            })
            .collect();
        let outcomes = self.sources().fetch_all(&requests).await;
        let files = outcomes.into_iter().map(Result::unwrap);
        files.map(|file| (file.name.clone(), file)).collect()
    }
}

fn repository(base: &str, snapshot: Option<&str>) -> Repository {
    let settings = RepositorySettings {
        name: "real".to_owned(),
        base: base.to_owned(),
        snapshot: snapshot.map(str::to_owned),
        binaries: Binaries::PackageManager {
            platform: "manylinux_2_28".to_owned(),
        },
    };
    let all = RepositorySet::new(&[settings], &mut Credentials::default()).unwrap();
    all.named("real").unwrap().clone()
}

fn r45() -> BuiltFor {
    BuiltFor {
        architecture: Architecture::X86_64,
        r: Some("4.5".to_owned()),
    }
}

fn binaries(snapshot: &str) -> ContribFolder {
    let repository = repository(&p3m().base, Some(snapshot));
    repository.binaries(&r45()).unwrap()
}

#[tokio::test]
async fn every_source_package_comes_as_the_index_of_cran_promises_it() {
    let client = Client::new();
    let folder = repository(&cran().base, None).sources();
    let index = client.index(&folder).await;
    assert!(index.records().all(|record| record.md5().is_some()));
    let files = client.all_of(&folder).await;
    assert_eq!(files.len(), index.len());
    for (name, file) in &files {
        assert_eq!(file.kind, PackageKind::Source, "{name}");
    }
    let compiled = index
        .records()
        .filter(|record| record.needs_compilation() == Some(true));
    assert!(compiled.count() > 20);
}

#[tokio::test]
async fn every_package_with_a_binary_comes_as_one_and_backports_as_its_source() {
    let files = Client::new().all_of(&binaries(SNAPSHOT)).await;
    let sources: Vec<&str> = files
        .values()
        .filter(|file| file.kind == PackageKind::Source)
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(sources, ["backports"]);
    assert!(files.len() > 40, "{}", files.len());
}

#[tokio::test]
async fn the_older_version_is_in_the_archive_and_in_the_early_snapshot() {
    let client = Client::new();
    let repository_now = repository(&cran().base, None);
    let archived = PackageRequest::of_version("glue", "1.6.2", &repository_now).unwrap();
    let file = client.sources().fetch(&archived).await.unwrap();
    assert_eq!(
        (file.name.as_str(), file.version.as_str()),
        ("glue", "1.6.2")
    );
    let now = client.index(&repository_now.sources()).await;
    let newest = now.versions("glue").next().unwrap().version().clone();
    assert!(newest > "1.6.2".parse().unwrap(), "{newest}");
    let early = client.index(&binaries(EARLY_SNAPSHOT)).await;
    assert_eq!(
        early.versions("glue").next().unwrap().version().to_string(),
        "1.6.2"
    );
    let early = client.all_of(&binaries(EARLY_SNAPSHOT)).await;
    assert_eq!(early["glue"].kind, PackageKind::Source);
}

#[tokio::test]
async fn what_it_sends_is_told_in_the_headers_and_is_not_sent_twice() {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let base = format!("{}/latest", p3m().base);
    let folder = format!("{base}/bin/linux/manylinux_2_28-x86_64/4.5/src/contrib");
    let binary = tarball_url(&p3m(), &folder, "R6");
    let answer = client.get(&binary).send().await.unwrap();
    let header = |answer: &reqwest::Response, name: &str| {
        let value = answer.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    };
    assert_eq!(header(&answer, "x-package-type"), "binary");
    assert_eq!(
        header(&answer, "x-package-binary-tag"),
        "4.5-manylinux_2_28"
    );
    let etag = header(&answer, "etag");
    let known = client.get(&binary).header("if-none-match", etag).send();
    assert_eq!(known.await.unwrap().status(), 304);
    let modified = header(&answer, "last-modified");
    let known = client
        .get(&binary)
        .header("if-modified-since", modified)
        .send();
    assert_eq!(known.await.unwrap().status(), 304);
    let whole = answer.bytes().await.unwrap();
    let rest = client
        .get(&binary)
        .header("range", "bytes=100-")
        .send()
        .await
        .unwrap();
    assert_eq!(rest.status(), 206);
    assert_eq!(rest.bytes().await.unwrap(), whole[100..]);
    let source = tarball_url(&p3m(), &folder, "backports");
    let answer = client.head(&source).send().await.unwrap();
    assert_eq!(header(&answer, "x-package-type"), "source");
    assert_eq!(header(&answer, "x-package-binary-tag"), "");
    let none = client
        .get(format!("{base}/../../../cran/../../lock"))
        .send();
    assert_eq!(none.await.unwrap().status(), 404);
}

/// Where the server has a package of the latest snapshot.
fn tarball_url(repository: &RealRepository, folder: &str, package: &str) -> String {
    let tarball = repository.tarball("latest/src/contrib", package);
    format!(
        "{folder}/{}",
        tarball.file_name().unwrap().to_string_lossy()
    )
}

#[tokio::test]
async fn the_large_request_is_more_than_thirty_packages_with_binaries() {
    let index = Client::new().index(&binaries(SNAPSHOT)).await;
    let resolution = resolved(&index);
    let packed = resolution.packages.values();
    let names: Vec<&str> = packed
        .filter(|package| matches!(package.origin, Origin::Repository { .. }))
        .map(|package| package.name.as_str())
        .collect();
    assert!(names.len() > 30, "{names:?}");
    assert!(!names.contains(&"backports"));
}

/// The large request with all that it needs, beside the packages of the R that was compiled.
fn resolved(index: &PackageIndex) -> Resolution {
    let library = compiled_r_home().join("library");
    let given: Vec<Given> = std::fs::read_dir(library)
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path().join("DESCRIPTION")).ok())
        .map(|text| Given::new(Description::parse(&text).unwrap(), Holder::RLibrary).unwrap())
        .collect();
    let requests = LARGE_REQUEST.map(Requirement::any);
    let r: RVersion = "4.5.0".parse().unwrap();
    let outcome = resolve(&ResolveInput {
        requests: &requests,
        repositories: &[r_layer::resolve::Repository { name: "p3m", index }],
        extras: &[],
        given: &given,
        r: &r,
        preferences: &Preferences::default(),
    });
    match outcome.unwrap() {
        Outcome::Resolved(resolution) => resolution,
        Outcome::ArchivedWanted(archived) => panic!("{archived:?}"),
    }
}

#[tokio::test]
async fn packages_ask_for_libraries_by_the_names_that_amazon_linux_has() {
    let client = Client::new();
    let files = client.all_of(&binaries(SNAPSHOT)).await;
    for (package, library) in [
        ("curl", "libcurl.so.4"),
        ("png", "libpng16.so.16"),
        ("stringi", "libicui18n.so.67"),
        ("units", "libudunits2.so.0"),
        ("xml2", "libxml2.so.2"),
    ] {
        let folder = client.folder.path().join(package);
        std::fs::create_dir(&folder).unwrap();
        let mut tar = std::process::Command::new("tar");
        succeed(
            tar.arg("-xzf")
                .arg(&files[package].path)
                .arg("-C")
                .arg(&folder),
        );
        let path = folder.join(format!("{package}/libs/{package}.so"));
        let elf = ElfFile::read(&std::fs::read(path).unwrap()[..]).unwrap();
        assert!(
            elf.needed.iter().any(|needed| needed == library),
            "{package}: {:?}",
            elf.needed
        );
    }
}

#[test]
fn the_files_are_on_this_machine_too() {
    let cran = cran();
    let tarball = cran.tarball("src/contrib", "Rcpp");
    let md5 = hex::encode(Md5::digest(std::fs::read(tarball).unwrap()));
    let index = std::fs::read_to_string(cran.folder().join("src/contrib/PACKAGES")).unwrap();
    let index = PackageIndex::parse(index).unwrap();
    assert_eq!(index.versions("Rcpp").next().unwrap().md5(), Some(md5));
}
