//! Records of `renv.lock` that are of other repositories than CRAN: honoured, or named as what stops it.

use std::path::Path;

use serde_json::{Value, json};

use super::{packages, project};
use crate::download::server::{Reply, Server};
use crate::package_repository::making::{Package, Repositories};
use crate::package_repository::origins::{COMMIT, of_github};
use crate::parts::{fail, succeed};

/// Writes a lock of these records, made with Bioconductor 3.21 if that is said.
fn write(project: &Path, of_bioconductor: bool, records: &[Value]) {
    let named = |record: &Value| {
        (
            record["Package"].as_str().unwrap().to_owned(),
            record.clone(),
        )
    };
    let packages: serde_json::Map<String, Value> = records.iter().map(named).collect();
    let mut lock = json!({
        "R": {"Version": "4.5.0", "Repositories": [{"Name": "CRAN", "URL": "https://cloud.r-project.org"}]},
        "Packages": packages,
    });
    if of_bioconductor {
        lock["Bioconductor"] = json!({"Version": "3.21"});
    }
    fs_err::write(project.join("renv.lock"), lock.to_string()).unwrap();
}

/// `add-packages --from renv.lock --dry-run` with these repositories.
fn adding(project: &Path, repositories: &[String]) -> std::process::Command {
    let mut command = packages(
        project,
        &["add-packages", "--from", "renv.lock", "--dry-run"],
    );
    for repository in repositories {
        command.args(["--repo", repository]);
    }
    command
}

fn stdout(command: &mut std::process::Command) -> String {
    String::from_utf8(succeed(command).stdout).unwrap()
}

#[test]
fn records_of_bioconductor_come_from_its_repositories_in_the_locks_versions() {
    let server = Repositories::new()
        .source("cran", Package::new("aa", "1.0").tarball())
        .source("bioc", Package::new("BiocGenerics", "0.54.0").tarball())
        .source(
            "annotation",
            Package::new("GenomeInfoDbData", "1.2.14").tarball(),
        )
        .serve();
    let at = |name: &str, path: &str| format!("{name}={}/{path}", server.base());
    let repositories = [
        at("CRAN", "cran"),
        at("BioCsoft", "bioc"),
        at("BioCann", "annotation"),
        at("BioCexp", "experiment"),
    ];
    let record = |package: &str, version: &str| json!({"Package": package, "Version": version, "Source": "Bioconductor"});
    let known = [
        json!({"Package": "aa", "Version": "1.0", "Source": "Repository", "Repository": "CRAN"}),
        record("BiocGenerics", "0.54.0"),
        record("GenomeInfoDbData", "1.2.14"),
    ];
    let project = project();
    write(project.path(), true, &known);
    let told = stdout(&mut adding(project.path(), &repositories));
    for planned in [
        "+ aa 1.0",
        "+ BiocGenerics 0.54.0",
        "+ GenomeInfoDbData 1.2.14",
        "BioCsoft",
    ] {
        assert!(told.contains(planned), "{planned}: {told}");
    }

    // Another version than Bioconductor's release has.
    write(project.path(), true, &[record("BiocGenerics", "0.53.9")]);
    let error = fail(&mut adding(project.path(), &repositories), 1);
    assert!(
        error.contains("no repository has BiocGenerics 0.53.9"),
        "{error}"
    );
    // A lock that does not say which release.
    write(project.path(), false, &known);
    let error = fail(&mut adding(project.path(), &repositories), 1);
    let reason = "it is of Bioconductor, and the file does not say of which release";
    assert!(
        error.contains(&format!("BiocGenerics: {reason}")) && !error.contains("aa:"),
        "{error}"
    );
    assert!(!project.path().join("r-layer.toml").exists());
}

/// R-universe's repositories stood nowhere once, so that another repository's package of the same name was taken, or none.
#[test]
fn records_of_r_universe_come_by_their_commit_or_from_their_own_repository() {
    let server = Repositories::new()
        .source("cran", Package::new("aa", "1.0").tarball())
        .source("jeroen.r-universe.dev", Package::new("uu", "1.1").tarball())
        .serve();
    let tarball = format!("/repos/o/r/tarball/{COMMIT}");
    let github = Server::start(move |request, _| match request.target == tarball {
        true => Reply::ok(of_github()),
        false => Reply::status(404),
    });
    let universe = format!("{}/jeroen.r-universe.dev", server.base());
    let record = |package: &str, version: &str| json!({"Package": package, "Version": version, "Source": "Repository", "Repository": universe});
    let mut by_commit = record("mine", "0.3");
    by_commit["RemoteUrl"] = json!("https://github.com/o/r");
    by_commit["RemoteSha"] = json!(COMMIT);
    by_commit["RemoteSubdir"] = json!("pkg");
    let cran = [format!("CRAN={}/cran", server.base())];
    let api = github.base();
    let project = project();
    write(project.path(), false, &[by_commit, record("uu", "1.1")]);
    let told = stdout(adding(project.path(), &cran).args(["--github-api", &api]));
    let commit = format!("github::o/r/pkg@{COMMIT}");
    for planned in ["+ mine 0.3", &commit, "+ uu 1.1", &universe] {
        assert!(told.contains(planned), "{planned}: {told}");
    }

    // The universe has the newest version alone, and this record has no commit.
    write(project.path(), false, &[record("uu", "1.0")]);
    let error = fail(&mut adding(project.path(), &cran), 1);
    assert!(error.contains("no repository has uu 1.0"), "{error}");
}
