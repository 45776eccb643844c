//! A tarball from one of several places, and its hash.

use r_layer::cache::Cache;
use r_layer::checksum::Sha256;
use r_layer::lockfile::{LockedSource, Lockfile};
use r_layer::progress::Silent;
use r_layer::repository::{
    Location, Mirror, Tarball, TarballError, TarballRequest, Tarballs, available_r_versions,
    newest_package, package_locations, r_locations,
};

use super::server::{Reply, Server, nobody};
use super::{QUICK, http, tarball};

const PAGE: &[u8] = b"<!DOCTYPE html><title>Please log in</title>";
const R_PATH: &str = "src/base/R-4/R-4.4.9.tar.gz";

fn mirrors(bases: &[&str]) -> Vec<Mirror> {
    bases.iter().map(|base| Mirror::parse(base)).collect()
}

fn r_of(bases: &[&str], sha256: Option<Sha256>) -> TarballRequest {
    TarballRequest {
        what: "R 4.4.9's source".to_owned(),
        built_for: None,
        sha256,
        file_names: vec!["R-4.4.9.tar.gz".to_owned()],
        locations: r_locations(&mirrors(bases), &"4.4.9".parse().unwrap()),
    }
}

/// A cache of its own, and tarballs from it.
struct Shelf {
    folder: tempfile::TempDir,
    cache: Cache,
}

impl Shelf {
    fn new() -> Shelf {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("cache")).unwrap();
        Shelf { folder, cache }
    }

    async fn obtain(&self, request: &TarballRequest) -> Result<Tarball, TarballError> {
        let folders = [self.folder.path().to_owned()];
        let http = http(QUICK);
        let tarballs = Tarballs {
            http: &http,
            cache: &self.cache,
            folders: &folders,
            reporter: &Silent,
        };
        let outcome = tarballs.obtain(request).await;
        let unfinished = std::fs::read_dir(self.cache.folder().join("unfinished")).unwrap();
        assert_eq!(unfinished.count(), 0);
        outcome
    }
}

#[tokio::test]
async fn the_first_mirror_that_has_it_serves() {
    let r = tarball("R-4.4.9/VERSION", "4.4.9");
    let serving = Server::of_files(&[(R_PATH, &r)]);
    let empty = Server::of_files(&[]);
    let portal = Server::start(|_, _| Reply::ok(PAGE).header("Content-Type", "text/html"));
    let broken = Server::start(|_, _| Reply::status(500).header("Retry-After", "0"));
    for before in [nobody(), empty.base(), portal.base(), broken.base()] {
        for sha256 in [None, Some(Sha256::of(&r))] {
            let shelf = Shelf::new();
            let tarball = shelf
                .obtain(&r_of(&[&before, &serving.base()], sha256))
                .await
                .unwrap();
            assert_eq!(
                tarball.from,
                Some(Location::Url(serving.url(R_PATH))),
                "{before}"
            );
            assert_eq!(tarball.sha256, Sha256::of(&r));
            assert_eq!(std::fs::read(tarball.path).unwrap(), r);
        }
    }
    assert_eq!((portal.requests().len(), empty.requests().len()), (2, 2));
}

#[tokio::test]
async fn what_came_of_each_mirror_is_told() {
    let empty = Server::of_files(&[]);
    let portal = Server::start(|_, _| Reply::ok(PAGE));
    let forbidden = Server::start(|_, _| Reply::status(403));
    let down = nobody();
    let bases = [empty.base(), portal.base(), forbidden.base(), down.clone()];
    let bases: Vec<&str> = bases.iter().map(String::as_str).collect();
    let error = Shelf::new().obtain(&r_of(&bases, None)).await.unwrap_err();
    assert!(
        matches!(
            error,
            TarballError::Nowhere {
                not_there: false,
                ..
            }
        ),
        "{error:?}"
    );
    let text = error.to_string();
    assert!(
        text.starts_with("R 4.4.9's source could not be had."),
        "{text}"
    );
    for (base, outcome) in bases.iter().zip([
        "not there (HTTP 404",
        "what is there is not a .tar.gz",
        "403",
        "Connection refused",
    ]) {
        let line = text
            .lines()
            .find(|line| line.contains(base))
            .unwrap_or_else(|| panic!("{base}: {text}"));
        assert!(
            line.contains(&format!("{base}/{R_PATH}: ")) && line.contains(outcome),
            "{line}"
        );
    }
    let error = Shelf::new()
        .obtain(&r_of(&[&empty.base()], None))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            TarballError::Nowhere {
                not_there: true,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn another_content_than_expected_is_refused_and_not_kept() {
    let (wanted, served) = (
        tarball("R-4.4.9/VERSION", "4.4.9"),
        tarball("R-4.4.9/VERSION", "4.4.8"),
    );
    let server = Server::of_files(&[(R_PATH, &served)]);
    let shelf = Shelf::new();
    let error = shelf
        .obtain(&r_of(&[&server.base()], Some(Sha256::of(&wanted))))
        .await
        .unwrap_err()
        .to_string();
    for part in [
        Sha256::of(&wanted).to_string(),
        Sha256::of(&served).to_string(),
        server.url(R_PATH),
    ] {
        assert!(error.contains(&part), "`{part}` is not in: {error}");
    }
    assert!(!shelf.cache.folder().join("downloads").exists());
}

#[tokio::test]
async fn what_is_known_by_its_hash_is_fetched_once_and_what_is_in_a_folder_never() {
    let r = tarball("R-4.4.9/VERSION", "4.4.9");
    let server = Server::of_files(&[(R_PATH, &r)]);
    let shelf = Shelf::new();
    let first = shelf.obtain(&r_of(&[&server.base()], None)).await.unwrap();
    let again = shelf
        .obtain(&r_of(&[&server.base()], Some(first.sha256)))
        .await
        .unwrap();
    assert_eq!((again.path, again.from), (first.path, None));
    assert_eq!(server.targets(), [format!("/{R_PATH}")]);

    let shelf = Shelf::new();
    let path = shelf.folder.path().join("R-4.4.9.tar.gz");
    std::fs::write(&path, &r).unwrap();
    let found = shelf.obtain(&r_of(&[&server.base()], None)).await.unwrap();
    assert_eq!(found.from, Some(Location::File(path)));
    assert_eq!(server.requests().len(), 1);
}

/// What is pinned at the first download is what the next run insists on.
#[tokio::test]
async fn a_hash_that_was_pinned_holds_when_the_server_changes_its_mind() {
    let (r, other) = (
        tarball("R-4.4.9/VERSION", "4.4.9"),
        tarball("R-4.4.9/VERSION", "changed"),
    );
    let server = Server::of_files(&[(R_PATH, &r)]);
    let project = tempfile::tempdir().unwrap();
    let mut lock = Lockfile::read(project.path()).unwrap();
    let first = Shelf::new()
        .obtain(&r_of(&[&server.base()], None))
        .await
        .unwrap();
    lock.pin(LockedSource {
        name: "R".to_owned(),
        version: "4.4.9".to_owned(),
        architecture: None,
        r: None,
        url: first.from.map(|location| location.to_string()),
        sha256: first.sha256,
    });
    lock.write().unwrap();

    let lock = Lockfile::read(project.path()).unwrap();
    let pinned = lock.source("R", "4.4.9", None).unwrap();
    assert_eq!(
        (pinned.sha256, pinned.url.clone()),
        (Sha256::of(&r), Some(server.url(R_PATH)))
    );
    let changed = Server::of_files(&[(R_PATH, &other)]);
    let error = Shelf::new()
        .obtain(&r_of(&[&changed.base()], Some(pinned.sha256)))
        .await
        .unwrap_err();
    assert!(matches!(error, TarballError::Hash { .. }), "{error}");
}

#[tokio::test]
async fn indexes_and_listings_are_read_from_the_first_mirror_that_has_them() {
    let listing = b"<a href=\"R-4.4.3.tar.gz\">x</a><a href=\"R-4.10.0.tar.gz\"><a href=\"NEWS\"><a href=\"R-4.4.3.tar.gz\">";
    let index = b"Package: jsonlite\nVersion: 1.9.1\n\nPackage: jsonlite\nVersion: 1.10.0\n\nPackage: other\nVersion: 9.0\n";
    let cran = Server::of_files(&[("src/base/R-4/", listing), ("src/contrib/PACKAGES", index)]);
    let portal = Server::start(|_, _| Reply::ok(PAGE));
    let http = http(QUICK);
    for first in [nobody(), portal.base(), Server::of_files(&[]).base()] {
        let mirrors = mirrors(&[&first, &cran.base()]);
        let versions: Vec<String> = available_r_versions(&mirrors, 4, &http)
            .await
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(versions, ["4.10.0", "4.4.3"], "{first}");
        let newest = newest_package(&mirrors, "jsonlite", &http)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(newest.version, "1.10.0", "{first}");
        assert!(
            newest_package(&mirrors, "absent", &http)
                .await
                .unwrap()
                .is_none()
        );
    }
    assert!(
        newest_package(&mirrors(&[&nobody()]), "jsonlite", &http)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_version_that_is_no_longer_current_is_in_the_archive() {
    let package = tarball("jsonlite/DESCRIPTION", "Package: jsonlite");
    let path = "src/contrib/Archive/jsonlite/jsonlite_1.8.9.tar.gz";
    let server = Server::of_files(&[(path, &package)]);
    let request = TarballRequest {
        locations: package_locations(&mirrors(&[&server.base()]), "jsonlite", "1.8.9"),
        ..r_of(&[], None)
    };
    let found = Shelf::new().obtain(&request).await.unwrap();
    assert_eq!(found.from, Some(Location::Url(server.url(path))));
}
