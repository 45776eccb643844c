//! Packages from repositories: many at once, source and binary, hashes, faults, the cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use r_layer::checksum::Sha256;
use r_layer::distribution::binary_packages;
use r_layer::package::parse_records;
use r_layer::progress::{Reporter, Silent, Task};
use r_layer::repository::{
    IndexEntry, PackageError, PackageFile, PackageKind, PackageRequest, PackageSources, Repository,
};

use super::making::{Fault, Package, Repositories};
use super::{Place, r45, set, with_binaries};
use crate::download::server::{Reply, Server};

fn repository(server: &Server) -> Repository {
    let all = set(&[with_binaries("p3m", &server.url("cran"))]);
    all.named("p3m").unwrap().clone()
}

fn source(server: &Server, name: &str, version: &str) -> PackageRequest {
    let entry = IndexEntry::of(name, version);
    PackageRequest::of_entry(&entry, &repository(server).sources()).unwrap()
}

fn binary(server: &Server, name: &str, version: &str) -> PackageRequest {
    let entry = IndexEntry::of(name, version);
    let folder = repository(server).binaries(&r45()).unwrap();
    PackageRequest::of_entry(&entry, &folder).unwrap()
}

async fn fetch(place: &Place, request: &PackageRequest) -> Result<PackageFile, PackageError> {
    place.sources().fetch(request).await
}

/// Large enough that halves of it are halves, and of bytes that do not compress.
fn large(name: &str) -> Vec<u8> {
    let content: Vec<u8> = (0..4000_u32)
        .flat_map(|number| *Sha256::of(&number.to_le_bytes()).bytes())
        .collect();
    Package::new(name, "1.0").file("data", content).tarball()
}

#[tokio::test]
async fn what_comes_is_the_package_with_its_hash_its_origin_and_its_description() {
    let tarball = Package::new("aa", "1.0-2")
        .field("Imports", "bb (>= 1)")
        .tarball();
    let server = Repositories::new().source("cran", tarball.clone()).serve();
    let place = Place::new();
    let found = fetch(&place, &source(&server, "aa", "1.0-2"))
        .await
        .unwrap();
    assert_eq!(
        (found.name.as_str(), found.version.as_str()),
        ("aa", "1.0-2")
    );
    assert_eq!(
        (found.kind, found.sha256),
        (PackageKind::Source, Sha256::of(&tarball))
    );
    assert_eq!(std::fs::read(&found.path).unwrap(), tarball);
    let url = server.url("cran/src/contrib/aa_1.0-2.tar.gz");
    assert_eq!(found.origin.url(), Some(url));
    assert!(found.description.contains("Imports: bb (>= 1)"));
    assert_eq!(place.downloads(), 1);
}

#[tokio::test]
async fn many_are_fetched_at_once_eight_from_a_server_and_come_in_their_order() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, highest) = (now.clone(), most.clone());
    let server = Server::start(move |request, _| {
        let count = inside.fetch_add(1, Ordering::SeqCst) + 1;
        highest.fetch_max(count, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(60));
        inside.fetch_sub(1, Ordering::SeqCst);
        let name = request
            .target
            .rsplit('/')
            .next()
            .unwrap()
            .split('_')
            .next()
            .unwrap();
        Reply::ok(Package::new(name, "1.0").tarball())
    });
    let names: Vec<String> = (0..30).map(|number| format!("pkg{number}")).collect();
    let requests: Vec<PackageRequest> = names
        .iter()
        .map(|name| source(&server, name, "1.0"))
        .collect();
    let place = Place::new();
    let outcomes = place.sources().fetch_all(&requests).await;
    let found: Vec<String> = outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap().name)
        .collect();
    assert_eq!(found, names);
    let most = most.load(Ordering::SeqCst);
    assert!((4..=8).contains(&most), "{most}");
    assert_eq!(server.requests().len(), 30);
}

#[tokio::test]
async fn one_that_fails_does_not_keep_the_others_from_being_had() {
    let server = Repositories::new()
        .source("cran", large("aa"))
        .source("cran", large("cc"))
        .serve();
    let requests = ["aa", "bb", "cc"].map(|name| source(&server, name, "1.0"));
    let place = Place::new();
    let outcomes = place.sources().fetch_all(&requests).await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    let error = outcomes[1].as_ref().unwrap_err();
    assert!(
        matches!(
            error,
            PackageError::Nowhere {
                not_there: true,
                ..
            }
        ),
        "{error}"
    );
    let said = error.to_string();
    for words in [
        "bb 1.0 of the repository p3m",
        "/src/contrib/bb_1.0.tar.gz",
        "/Archive/bb/bb_1.0.tar.gz",
        "404",
    ] {
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_binary_is_one_by_its_built_field_whether_the_server_says_so_or_not() {
    let make = || {
        Repositories::new()
            .binary("cran", Package::new("aa", "1.0").built("4.5.2").tarball())
            .binary("cran", Package::new("bb", "1.0").tarball())
    };
    for server in [make().serve(), make().without_package_headers().serve()] {
        let place = Place::new();
        let found = fetch(&place, &binary(&server, "aa", "1.0")).await.unwrap();
        assert_eq!(found.kind, PackageKind::Binary);
        let silently = fetch(&place, &binary(&server, "bb", "1.0")).await.unwrap();
        assert_eq!(silently.kind, PackageKind::Source);
    }
}

/// Remembers what is said of downloads.
#[derive(Clone, Default)]
struct Heard(Arc<std::sync::Mutex<Vec<String>>>);

struct HeardTask(Heard);

impl Reporter for Heard {
    fn begin(&self, what: &str, _total: Option<u64>) -> Box<dyn Task> {
        self.note(what);
        Box::new(HeardTask(self.clone()))
    }
    fn note(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
    fn warn(&self, line: &str) {
        self.note(line);
    }
    fn detail(&self, line: &str) {
        self.note(line);
    }
}

impl Task for HeardTask {
    fn advance(&self, _amount: u64) {}
    fn set_total(&self, _total: u64) {}
    fn set_done(&self, _amount: u64) {}
    fn step(&self, _step: &str) {}
    fn finish(self: Box<Self>, line: &str) {
        self.0.note(line);
    }
}

#[tokio::test]
async fn downloads_are_told_one_by_one_and_together_and_a_header_that_lies_too() {
    let binary_of = |name| Package::new(name, "1.0").built("4.5.2").tarball();
    let lying = Reply::ok(binary_of("bb")).header("x-package-type", "source");
    let good = Reply::ok(binary_of("aa")).header("x-package-type", "binary");
    let server = Server::start(move |request, _| match request.target.contains("/aa_") {
        true => good.clone(),
        false => lying.clone(),
    });
    let place = Place::new();
    let heard = Heard::default();
    let sources = PackageSources {
        reporter: &heard,
        ..place.sources()
    };
    let requests = ["aa", "bb"].map(|name| binary(&server, name, "1.0"));
    for outcome in sources.fetch_all(&requests).await {
        assert_eq!(outcome.unwrap().kind, PackageKind::Binary);
    }
    let said = heard.0.lock().unwrap().join("\n");
    for words in [
        "fetching 2 packages",
        "fetching aa 1.0",
        "fetched bb 1.0",
        "bb_1.0.tar.gz: the server says that it is a source package, and it is a binary package",
        "fetched 2 packages, 0.0 MB",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("aa_1.0.tar.gz: the server says"), "{said}");
}

#[tokio::test]
async fn a_binary_for_something_else_is_refused_and_not_kept() {
    let windows = "R 4.5.0; x86_64-w64-mingw32; 2025-06-01; windows";
    let arm = "R 4.5.0; aarch64-unknown-linux-gnu; 2025-06-01; unix";
    for (package, words) in [
        (
            Package::new("aa", "1.0").built("4.4.3"),
            "built for R 4.4.3",
        ),
        (
            Package::new("aa", "1.0").field("Built", windows),
            "built on x86_64-w64-mingw32",
        ),
        (
            Package::new("aa", "1.0").field("Built", arm),
            "built on aarch64-unknown-linux-gnu",
        ),
    ] {
        let server = Repositories::new()
            .binary("cran", package.tarball())
            .serve();
        let place = Place::new();
        let error = fetch(&place, &binary(&server, "aa", "1.0"))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(words) && error.contains("R 4.5 on x86_64"),
            "{error}"
        );
        assert_eq!(place.downloads(), 0);
    }
}

#[tokio::test]
async fn archived_versions_are_found_and_described() {
    let server = Repositories::new()
        .source("cran", Package::new("aa", "2.0").tarball())
        .archived(
            "cran",
            Package::new("aa", "1.0")
                .field("Depends", "R (>= 3.5)")
                .tarball(),
        )
        .serve();
    let place = Place::new();
    let request = PackageRequest::of_version("aa", "1.0", &repository(&server)).unwrap();
    let found = fetch(&place, &request).await.unwrap();
    assert!(found.description.contains("Depends: R (>= 3.5)"));
    // It was current when it was locked, and has moved since.
    let entry = IndexEntry::of("aa", "1.0");
    let moved = PackageRequest::of_entry(&entry, &repository(&server).sources()).unwrap();
    let moved = fetch(&Place::new(), &moved).await.unwrap();
    assert_eq!(moved.sha256, found.sha256);
    assert!(moved.origin.url().unwrap().contains("/Archive/aa/"));
    // The current version by the same way.
    let request = PackageRequest::of_version("aa", "2.0", &repository(&server)).unwrap();
    assert!(fetch(&place, &request).await.is_ok());
}

#[tokio::test]
async fn a_repository_is_made_of_the_tarballs_of_a_folder() {
    let place = Place::new();
    for name in ["aa", "bb"] {
        let tarball = Package::new(name, "1.0").tarball();
        std::fs::write(place.folder.path().join(format!("{name}.tar.gz")), tarball).unwrap();
    }
    let server = Repositories::new()
        .sources_of("cran", place.folder.path())
        .serve();
    for name in ["aa", "bb"] {
        let request = source(&server, name, "1.0");
        assert_eq!(fetch(&place, &request).await.unwrap().name, name);
    }
}

#[tokio::test]
async fn hashes_of_the_lock_and_of_the_index_are_checked() {
    let server = Repositories::new().source("cran", large("aa")).serve();
    let place = Place::new();
    let mut pinned = source(&server, "aa", "1.0");
    pinned.sha256 = Some(Sha256::of(b"other"));
    let error = fetch(&place, &pinned).await.unwrap_err();
    assert!(matches!(error, PackageError::Hash { .. }), "{error}");

    let text = r_layer::repository::Location::parse(&server.url("cran/src/contrib/PACKAGES"));
    let records = parse_records(&text.text(&place.http).await.unwrap()).unwrap();
    let entry = IndexEntry::of_record(records.iter().next().unwrap()).unwrap();
    assert!(entry.md5sum.is_some());
    let folder = repository(&server).sources();
    let good = PackageRequest::of_entry(&entry, &folder).unwrap();
    let wrong = IndexEntry {
        md5sum: Some("0".repeat(32)),
        ..entry
    };
    let wrong = PackageRequest::of_entry(&wrong, &folder).unwrap();
    let error = fetch(&place, &wrong).await.unwrap_err().to_string();
    assert!(
        error.contains("the repository's index says 00000000"),
        "{error}"
    );
    assert_eq!(place.downloads(), 0, "what is refused is not kept");
    assert!(fetch(&place, &good).await.is_ok());

    let sha256 = IndexEntry {
        sha256: Some(Sha256::of(b"other").to_string()),
        ..IndexEntry::of("aa", "1.0")
    };
    let wrong = PackageRequest::of_entry(&sha256, &folder).unwrap();
    let error = fetch(&place, &wrong).await.unwrap_err();
    assert!(
        matches!(
            error,
            PackageError::IndexHash {
                algorithm: "sha256",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_stumbles_is_asked_again_and_for_the_rest_only() {
    for (fault, ranges) in [
        (Fault::BusyOnce, false),
        (Fault::StallsOnce, true),
        (Fault::BreaksOnce, true),
    ] {
        let server = Repositories::new()
            .source("cran", large("aa"))
            .fault("aa_1.0.tar.gz", fault)
            .serve();
        let found = fetch(&Place::new(), &source(&server, "aa", "1.0"))
            .await
            .unwrap();
        assert_eq!(found.sha256, Sha256::of(&large("aa")));
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(!requests[1].header("range").is_empty(), ranges);
    }
}

#[tokio::test]
async fn a_page_and_half_a_file_are_no_package() {
    for (fault, words) in [
        (
            Fault::page(),
            "not a .tar.gz or .tar.xz file (a portal's page?)",
        ),
        (Fault::Half, "damaged or truncated"),
        (Fault::Status(503), "503"),
        (
            Fault::Status(401),
            "Set R_LAYER_REPO_P3M_TOKEN (or R_LAYER_REPO_P3M_USER and R_LAYER_REPO_P3M_PASSWORD), or put \
                              `machine 127.0.0.1 login USER",
        ),
    ] {
        // All of the file's content but its DESCRIPTION is behind the half that comes.
        let content = Package::new("aa", "1.0").tarball();
        let server = Repositories::new()
            .source("cran", content)
            .fault("aa_1.0.tar.gz", fault)
            .serve();
        let place = Place::new();
        let error = fetch(&place, &source(&server, "aa", "1.0"))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{error}");
        assert!(error.contains("aa_1.0.tar.gz"), "{error}");
        assert_eq!(place.downloads(), 0);
    }
}

#[tokio::test]
async fn a_second_run_fetches_nothing() {
    let server = Repositories::new().source("cran", large("aa")).serve();
    let place = Place::new();
    let first = fetch(&place, &source(&server, "aa", "1.0")).await.unwrap();
    assert_eq!(server.requests().len(), 1);
    // Pinned: the server is not even asked.
    let folder = repository(&server).sources();
    let locked = PackageRequest::of_lock(
        "aa",
        "1.0",
        first.origin.url().as_deref(),
        first.sha256,
        &folder,
    );
    let second = fetch(&place, &locked.unwrap()).await.unwrap();
    assert_eq!(second, first);
    assert_eq!(server.requests().len(), 1);
    // Not pinned: it is asked whether it is still the same.
    let third = fetch(&place, &source(&server, "aa", "1.0")).await.unwrap();
    assert_eq!(third, first);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(!requests[1].header("if-none-match").is_empty());
    assert_eq!(place.downloads(), 1);
}

#[tokio::test]
async fn without_a_network_the_cache_serves_and_names_what_it_lacks() {
    let server = Repositories::new()
        .source("cran", large("aa"))
        .source("cran", large("bb"))
        .serve();
    let mut place = Place::new();
    let first = fetch(&place, &source(&server, "aa", "1.0")).await.unwrap();
    place.offline = true;
    let asked = server.requests().len();
    assert_eq!(
        fetch(&place, &source(&server, "aa", "1.0")).await.unwrap(),
        first
    );
    let error = fetch(&place, &source(&server, "bb", "1.0"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("bb 1.0 of the repository p3m is not in the cache"),
        "{error}"
    );
    let mut other = source(&server, "aa", "1.0");
    other.sha256 = Some(Sha256::of(b"other"));
    assert!(matches!(
        fetch(&place, &other).await,
        Err(PackageError::Offline { .. })
    ));
    assert_eq!(server.requests().len(), asked);
}

#[tokio::test]
async fn a_folder_of_this_machine_serves_without_a_network() {
    let mut place = Place::new();
    place.offline = true;
    let contrib = place.folder.path().join("mine/src/contrib");
    std::fs::create_dir_all(&contrib).unwrap();
    std::fs::write(contrib.join("aa_1.0.tar.gz"), large("aa")).unwrap();
    let base = place.folder.path().join("mine");
    let all = set(&[super::settings("mine", base.to_str().unwrap())]);
    let folder = all.named("mine").unwrap().sources();
    let request = PackageRequest::of_entry(&IndexEntry::of("aa", "1.0"), &folder).unwrap();
    let found = fetch(&place, &request).await.unwrap();
    assert_eq!(
        (found.sha256, found.origin.url()),
        (Sha256::of(&large("aa")), None)
    );
    // Another content under the same name is noticed.
    let newer = Package::new("aa", "1.0").file("new", "x").tarball();
    std::fs::write(contrib.join("aa_1.0.tar.gz"), &newer).unwrap();
    assert_eq!(
        fetch(&place, &request).await.unwrap().sha256,
        Sha256::of(&newer)
    );
}

#[tokio::test]
async fn binaries_are_unpacked_once_and_all_of_them() {
    let mut made = Repositories::new();
    let names: Vec<String> = (0..12).map(|number| format!("pkg{number}")).collect();
    for name in &names {
        let package = Package::new(name, "1.0")
            .built("4.5.0")
            .file("R/code", name.as_bytes());
        made = made.binary("cran", package.tarball());
    }
    let server = made.serve();
    let place = Place::new();
    let requests: Vec<PackageRequest> = names
        .iter()
        .map(|name| binary(&server, name, "1.0"))
        .collect();
    let outcomes = place.sources().fetch_all(&requests).await;
    let files: Vec<PackageFile> = outcomes.into_iter().map(Result::unwrap).collect();
    for _ in 0..2 {
        let unpacked = binary_packages(&files, &r45(), &place.cache, &Silent).await;
        for (name, folder) in names.iter().zip(unpacked) {
            let code = std::fs::read_to_string(folder.unwrap().path.join("R/code")).unwrap();
            assert_eq!(code, *name);
        }
    }
    assert_eq!(place.cache.names("prebuilt").len(), 12);
}
