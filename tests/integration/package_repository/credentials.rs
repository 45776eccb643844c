//! Who asks: told to the repository that it is for, and to nobody else, and in no message.

use std::process::Command;

use r_layer::credentials::Credentials;
use r_layer::repository::{IndexEntry, PackageRequest, RepositorySet};

use super::making::{Package, Repositories};
use super::{Place, settings};
use crate::download::server::{Reply, Server};

/// `ann:sesame`
const BASIC: &str = "Basic YW5uOnNlc2FtZQ==";

fn with_password(server: &Server) -> String {
    server
        .url("cran")
        .replacen("http://", "http://ann:sesame@", 1)
}

fn private() -> Repositories {
    Repositories::new().source("cran", Package::new("aa", "1.0").tarball())
}

#[tokio::test]
async fn a_repository_is_told_who_asks_and_no_other_is() {
    let server = private().for_those_who_say(BASIC).serve();
    let other = Repositories::new()
        .source("cran", Package::new("bb", "1.0").tarball())
        .serve();
    let mut credentials = Credentials::default();
    let named = [
        settings("corp", &with_password(&server)),
        settings("cran", &other.url("cran")),
    ];
    let all = RepositorySet::new(&named, &mut credentials).unwrap();
    let place = Place::knowing(credentials);
    let indexes = place.sources().indexes(&all, None).await;
    assert_eq!(indexes.texts.len(), 2, "{:?}", indexes.problems);
    let folder = all.named("corp").unwrap().sources();
    let request = PackageRequest::of_entry(&IndexEntry::of("aa", "1.0"), &folder).unwrap();
    let found = place.sources().fetch(&request).await.unwrap();
    for request in other.requests() {
        assert_eq!(request.header("authorization"), "");
    }
    let said = format!("{found:?} {all:?} {:?} {indexes:?} {request:?}", place.http);
    assert!(!said.contains("sesame") && !said.contains("YW5u"), "{said}");
    // Nor does the cache keep it.
    for kind in ["indexes", "fetched"] {
        for name in place.cache.names(kind) {
            let kept = std::fs::read(place.cache.folder().join(kind).join(name)).unwrap();
            let kept = String::from_utf8_lossy(&kept).into_owned();
            assert!(!kept.contains("sesame") && !kept.contains("ann"), "{kept}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_is_told_without_the_password_and_with_what_to_set() {
    for status in [401, 403] {
        let server = Server::start(move |_, _| Reply::status(status));
        let mut credentials = Credentials::default();
        let named = [settings("corp-r.internal", &with_password(&server))];
        let all = RepositorySet::new(&named, &mut credentials).unwrap();
        let place = Place::knowing(credentials);
        let problems = place.sources().indexes(&all, None).await.problems;
        let folder = all.named("corp-r.internal").unwrap().sources();
        let request = PackageRequest::of_entry(&IndexEntry::of("aa", "1.0"), &folder).unwrap();
        let error = place.sources().fetch(&request).await.unwrap_err();
        for said in [problems[0].to_string(), error.to_string()] {
            assert!(
                said.contains("R_LAYER_REPO_CORP_R_INTERNAL_TOKEN"),
                "{said}"
            );
            assert!(said.contains("machine 127.0.0.1 login"), "{said}");
        }
        let said = format!("{problems:?} {error:?} {error}");
        assert!(!said.contains("sesame") && !said.contains("ann"), "{said}");
        assert_eq!(server.requests()[0].header("authorization"), BASIC);
    }
}

/// A variable is set for a process, so that this test is one of its own.
#[test]
fn a_variable_by_the_repository_s_name_is_taken() {
    let inner = "package_repository::credentials::with_the_variable_set";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", inner, "--ignored"])
        .env("R_LAYER_REPO_CORP_R_TOKEN", "open")
        .env("GITHUB_PAT", "of-github")
        .env_remove("GITHUB_TOKEN")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[tokio::test]
#[ignore = "run by the test above, with variables set"]
async fn with_the_variable_set() {
    let server = private().for_those_who_say("Bearer open").serve();
    let mut credentials = Credentials::default();
    // The variable says more than what stands in the URL.
    let named = [settings("corp.r", &with_password(&server))];
    let all = RepositorySet::new(&named, &mut credentials).unwrap();
    let github = Server::start(|_, _| Reply::ok("x"));
    let api = credentials.of_github(&github.base()).unwrap();
    let place = Place::knowing(credentials);
    assert_eq!(place.sources().indexes(&all, None).await.texts.len(), 1);
    place.http.text(&api).await.unwrap();
    assert_eq!(
        github.requests()[0].header("authorization"),
        "Bearer of-github"
    );
}
