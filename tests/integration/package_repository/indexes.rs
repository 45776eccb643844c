//! Indexes: order, concurrency, faults, the cache.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use r_layer::repository::{IndexState, Indexes, PackageKind, RepositorySettings};

use super::making::{Fault, Package, Repositories};
use super::{Place, r45, set, settings, with_binaries};
use crate::download::server::{Reply, Server, nobody};

fn one(name: &str) -> Repositories {
    Repositories::new().source("cran", Package::new(name, "1.0").tarball())
}

async fn indexes(place: &Place, settings: &[RepositorySettings]) -> Indexes {
    place.sources().indexes(&set(settings), Some(&r45())).await
}

fn had(indexes: &Indexes) -> Vec<(String, PackageKind, IndexState)> {
    let of = |text: &r_layer::repository::IndexText| {
        (
            text.folder.repository.clone(),
            text.folder.kind(),
            text.state,
        )
    };
    indexes.texts.iter().map(of).collect()
}

/// What is said of the only repository that has a problem.
fn problem(indexes: &Indexes) -> String {
    assert_eq!(indexes.problems.len(), 1, "{:?}", indexes.problems);
    indexes.problems[0].to_string()
}

#[tokio::test]
async fn indexes_come_in_the_order_of_the_repositories_the_binaries_first() {
    let p3m = Repositories::new()
        .source("cran/2025-06-01", Package::new("aa", "1").tarball())
        .binary(
            "cran/2025-06-01",
            Package::new("aa", "1").built("4.5.0").tarball(),
        )
        .serve();
    let corp = one("bb").serve();
    let place = Place::new();
    let dated = RepositorySettings {
        snapshot: Some("2025-06-01".to_owned()),
        ..with_binaries("p3m", &p3m.url("cran/latest"))
    };
    let all = [settings("corp", &corp.url("cran")), dated];
    let found = indexes(&place, &all).await;
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    use IndexState::Fetched;
    assert_eq!(
        had(&found),
        [
            ("corp".to_owned(), PackageKind::Source, Fetched),
            ("p3m".to_owned(), PackageKind::Binary, Fetched),
            ("p3m".to_owned(), PackageKind::Source, Fetched),
        ]
    );
    assert!(
        found.texts[0]
            .text
            .starts_with("Package: bb\nVersion: 1.0\n")
    );
    assert!(found.texts[1].text.contains("\nBuilt: R 4.5.0"));
    let mut targets = p3m.targets();
    targets.sort();
    assert_eq!(
        targets,
        [
            "/cran/2025-06-01/bin/linux/manylinux_2_28-x86_64/4.5/src/contrib/PACKAGES.gz",
            "/cran/2025-06-01/src/contrib/PACKAGES.gz",
        ]
    );
}

#[tokio::test]
async fn all_indexes_are_asked_for_at_once() {
    // Each answer waits until all four questions are there.
    let barrier = Barrier::new(4);
    let server = Server::start(move |_, _| {
        barrier.wait();
        Reply::ok("Package: aa\nVersion: 1\n")
    });
    let all: Vec<RepositorySettings> = ["a", "b", "c", "d"]
        .iter()
        .map(|name| settings(name, &server.url(name)))
        .collect();
    let place = Place::new();
    let fetching = indexes(&place, &all);
    let found = tokio::time::timeout(Duration::from_secs(20), fetching).await;
    assert_eq!(found.expect("they wait for each other").texts.len(), 4);
}

#[tokio::test]
async fn a_second_run_asks_only_whether_it_is_the_same() {
    let server = one("aa").serve();
    let place = Place::new();
    let all = [settings("cran", &server.url("cran"))];
    let first = indexes(&place, &all).await;
    let second = indexes(&place, &all).await;
    assert_eq!(second.texts[0].state, IndexState::Unchanged);
    assert_eq!(second.texts[0].text, first.texts[0].text);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(!requests[1].header("if-none-match").is_empty());
    assert_eq!(place.downloads(), 0);
}

#[tokio::test]
async fn a_server_without_tags_is_asked_by_time_and_a_newer_index_replaces_the_older() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |request, _| {
        let since = request.header("if-modified-since");
        match (asked.fetch_add(1, Ordering::SeqCst), since) {
            (0, "") => Reply::ok("Package: aa\nVersion: 1\n").header("Last-Modified", "Mon"),
            (1, "Mon") => Reply::status(304),
            (2, "Mon") => Reply::ok("Package: aa\nVersion: 2\n").header("Last-Modified", "Tue"),
            (3, "Tue") => Reply::status(304),
            _ => Reply::status(400),
        }
    });
    let place = Place::new();
    let all = [settings("cran", &server.base())];
    for (version, state) in [
        (1, IndexState::Fetched),
        (1, IndexState::Unchanged),
        (2, IndexState::Fetched),
        (2, IndexState::Unchanged),
    ] {
        let found = indexes(&place, &all).await;
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        assert_eq!(
            found.texts[0].text,
            format!("Package: aa\nVersion: {version}\n")
        );
        assert_eq!(found.texts[0].state, state);
    }
}

#[tokio::test]
async fn a_repository_without_gzip_is_remembered_as_one() {
    let server = one("aa").without_gzip().serve();
    let place = Place::new();
    let all = [settings("cran", &server.url("cran"))];
    indexes(&place, &all).await;
    let second = indexes(&place, &all).await;
    assert_eq!(second.texts[0].state, IndexState::Unchanged);
    let contrib = "/cran/src/contrib";
    assert_eq!(
        server.targets(),
        [
            format!("{contrib}/PACKAGES.gz"),
            format!("{contrib}/PACKAGES"),
            format!("{contrib}/PACKAGES"),
        ]
    );
}

#[tokio::test]
async fn what_is_wrong_with_one_is_said_and_the_others_go_on() {
    let good = one("aa").serve();
    let portal = Server::start(|_, _| Reply::ok("<html><title>Please log in</title>"));
    let empty = Server::start(|_, _| Reply::ok(""));
    let nothing = Server::start(|_, _| Reply::status(404));
    let closed = Server::start(|_, _| Reply::status(403));
    let json = Server::start(|_, _| Reply::ok("{\"message\": \"no\"}"));
    let busy = Server::start(|_, _| Reply::status(503).header("Retry-After", "0"));
    let half = one("aa")
        .fault("PACKAGES.gz", Fault::Half)
        .fault("PACKAGES", Fault::Status(404))
        .serve();
    for (bad, words) in [
        (
            portal.base(),
            "a web page is there, not an index: «Please log in»",
        ),
        (empty.base(), "the index is empty"),
        (nothing.base(), "no PACKAGES.gz and no PACKAGES"),
        (
            closed.base(),
            "403 Forbidden: it wants credentials, or others. Set R_LAYER_REPO_BAD_ONE_TOKEN",
        ),
        (
            json.base(),
            "not an index of packages: it begins with `{\"message",
        ),
        (busy.base(), "503"),
        (half.url("cran"), "damaged or truncated"),
        (nobody(), "Connection refused"),
        ("/nowhere/at/all".to_owned(), "tools::write_PACKAGES()"),
    ] {
        let place = Place::new();
        let all = [
            settings("bad-one", &bad),
            settings("good", &good.url("cran")),
        ];
        let found = indexes(&place, &all).await;
        let said = problem(&found);
        assert!(said.contains(words), "{said}");
        assert!(said.contains("bad-one") && said.contains(&bad), "{said}");
        assert_eq!(found.texts[0].folder.repository, "good");
        place.downloads();
    }
}

#[tokio::test]
async fn what_is_wrong_for_a_moment_is_tried_again() {
    for fault in [Fault::BusyOnce, Fault::StallsOnce, Fault::BreaksOnce] {
        let server = one("aa").fault("PACKAGES.gz", fault).serve();
        let found = indexes(&Place::new(), &[settings("cran", &server.url("cran"))]).await;
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        assert_eq!(server.requests().len(), 2);
    }
    // A damaged file is no reason to give up what is there uncompressed.
    for fault in [Fault::Half, Fault::page()] {
        let server = one("aa").fault("PACKAGES.gz", fault).serve();
        let found = indexes(&Place::new(), &[settings("cran", &server.url("cran"))]).await;
        assert!(found.texts[0].text.starts_with("Package: aa"));
    }
}

#[tokio::test]
async fn without_a_network_the_cache_serves_and_says_what_it_lacks() {
    let server = one("aa").serve();
    let mut place = Place::new();
    let known = settings("cran", &server.url("cran"));
    indexes(&place, std::slice::from_ref(&known)).await;
    place.offline = true;
    let unknown = settings("corp", "https://corp.example/cran");
    let started = Instant::now();
    let found = indexes(&place, &[known.clone(), unknown]).await;
    assert_eq!(found.texts[0].state, IndexState::Kept);
    let said = problem(&found);
    assert!(
        said.contains("corp") && said.contains("not in the cache"),
        "{said}"
    );
    assert_eq!(server.requests().len(), 1);
    assert!(started.elapsed() < Duration::from_secs(2));

    // Not reachable is not the same as not wanted.
    place.offline = false;
    let gone = [settings("cran", &nobody())];
    let said = problem(&indexes(&place, &gone).await);
    assert!(!said.contains("--offline"), "{said}");
}

#[tokio::test]
async fn a_folder_of_this_machine_is_a_repository_too() {
    let place = Place::new();
    let contrib = place.folder.path().join("mine/src/contrib");
    std::fs::create_dir_all(&contrib).unwrap();
    std::fs::write(contrib.join("PACKAGES"), "Package: aa\nVersion: 1\n").unwrap();
    let base = place.folder.path().join("mine");
    let found = indexes(&place, &[settings("mine", base.to_str().unwrap())]).await;
    assert_eq!(found.texts[0].text, "Package: aa\nVersion: 1\n");
}

#[tokio::test]
async fn an_unknown_package_is_looked_for_in_archives_and_in_bioconductor() {
    let server = one("aa")
        .archived("cran", Package::new("old", "1.2-3").tarball())
        .archived("cran", Package::new("old", "1.10").tarball())
        .source("bioc", Package::new("limma", "3.0").tarball())
        .serve();
    let mut place = Place::new();
    let repositories = set(&[
        settings("cran", &server.url("cran")),
        settings("gone", &nobody()),
    ]);
    let bioconductor = r_layer::repository::Mirror::parse(&server.url("bioc"));
    let old = place
        .sources()
        .unknown_package("old", &repositories, None)
        .await;
    let versions: Vec<String> = old.archived[0].1.iter().map(ToString::to_string).collect();
    assert_eq!(
        (old.archived[0].0.as_str(), versions),
        ("cran", vec!["1.10".to_owned(), "1.2-3".to_owned()])
    );
    assert!(old.to_string().contains("`old==1.10`"), "{old}");
    let limma = place
        .sources()
        .unknown_package("limma", &repositories, Some(&bioconductor))
        .await;
    assert!(limma.in_bioconductor && limma.archived.is_empty());
    place.offline = true;
    let asked = server.requests().len();
    let limma = place
        .sources()
        .unknown_package("limma", &repositories, Some(&bioconductor))
        .await;
    assert!(limma.in_bioconductor, "its index is in the cache");
    assert_eq!(server.requests().len(), asked);
    let odd = place
        .sources()
        .unknown_package("../x", &repositories, None)
        .await;
    assert!(odd.archived.is_empty());
}
