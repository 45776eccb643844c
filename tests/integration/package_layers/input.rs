//! Files and repositories that are not as they should be, and requests that other tools' files make.

use std::path::Path;

use serde_json::json;

use super::{packages, project, zips};
use crate::download::server::{Reply, Server};
use crate::package_repository::making::{Fault, Package, Repositories};
use crate::package_repository::origins::{COMMIT, of_github};
use crate::parts::{fail, r_layer, succeed};

fn write(project: &Path, name: &str, text: &str) {
    fs_err::write(project.join(name), text).expect("a file");
}

fn read(project: &Path, name: &str) -> String {
    fs_err::read_to_string(project.join(name)).unwrap_or_default()
}

/// A package that R 4.5 has built.
fn built(name: &str, version: &str) -> Package {
    Package::new(name, version).built("4.5.0")
}

fn said(output: &std::process::Output) -> String {
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(stdout).into_owned() + &String::from_utf8_lossy(stderr)
}

#[test]
fn a_malformed_file_is_told_with_the_line_and_what_to_type() {
    let from = |name: &'static str| vec!["add-packages", "--offline", "--from", name];
    for (name, text, arguments, expected) in [
        (
            "r-layer.toml",
            "[layers.packages]\npackages = [\"MASS\"\n",
            vec!["build", "packages", "--offline"],
            &["r-layer.toml is not understood", "line 2"][..],
        ),
        (
            "r-layer.toml",
            "[layers.packages]\npackages = [\"MASS\"]\nkeep = [\"hlep\"]\n",
            vec!["build", "packages", "--offline"],
            &["[layers.packages] keep", "`hlep`", "help, doc"],
        ),
        (
            "r-layer.lock",
            "version = 1\nresolved = [\n",
            vec!["add-packages", "MASS", "--offline"],
            &["r-layer.lock is not a lock", "line 2", "type r-layer lock"],
        ),
        (
            "renv.lock",
            "{\"R\": {\"Version\": \"4.5.0\"},\n \"Packages\": {\n",
            from("renv.lock"),
            &[
                "renv.lock is not a lock of renv",
                "line 3",
                "renv::snapshot()",
            ],
        ),
        (
            "DESCRIPTION",
            "Package: x\nVersion 1\n",
            from("DESCRIPTION"),
            &["DESCRIPTION", "line 2", "`Version 1`"],
        ),
        (
            "other",
            "",
            from("nowhere.lock"),
            &["nowhere.lock", "--from takes a renv.lock"],
        ),
    ] {
        let project = project();
        write(project.path(), name, text);
        let lock = read(project.path(), "r-layer.lock");
        let error = fail(&mut packages(project.path(), &arguments), 1);
        for part in expected {
            assert!(error.contains(part), "{name}: {error}");
        }
        assert_eq!(read(project.path(), "r-layer.lock"), lock);
        assert!(zips(project.path()).is_empty());
    }
}

#[test]
fn a_repository_that_answers_with_something_else_is_named_and_the_others_go_on() {
    let good = Repositories::new().binary("cran/latest", built("aa", "1.0").tarball());
    let good = good.serve();
    let repository = format!("good={}/cran/latest", good.base());
    for (fault, expected) in [
        (Fault::page(), "a web page is there, not an index"),
        (Fault::Other(Vec::new()), "the index is empty"),
        (
            Fault::Other(vec![0x1f, 0x8b, 8, 0, 0]),
            "damaged or truncated",
        ),
        (Fault::Status(500), "500"),
    ] {
        let bad = Repositories::new().source("cran", built("zz", "1.0").tarball());
        let bad = bad
            .fault("PACKAGES.gz", fault.clone())
            .fault("PACKAGES", fault)
            .serve();
        let bad = format!("bad={}/cran", bad.base());
        let project = project();
        let add = [
            "add-packages",
            "aa",
            "--dry-run",
            "--repo",
            &bad,
            "--repo",
            &repository,
        ];
        let told = said(&succeed(&mut packages(project.path(), &add)));
        let is_told = told.contains("warning: the repository bad") && told.contains(expected);
        assert!(is_told && told.contains("+ aa 1.0"), "{told}");
    }
}

#[test]
fn a_malformed_record_is_told_by_its_line_and_leaves_the_others() {
    let index = "Package: aa\nVersion: 1.0\n\nPackage: bb\nVersion: one\n";
    let server = Repositories::new()
        .binary("cran/latest", built("aa", "1.0").tarball())
        .fault("PACKAGES.gz", Fault::Status(404))
        .fault("PACKAGES", Fault::Other(index.into()))
        .serve();
    let repository = format!("near={}/cran/latest", server.base());
    let add = |package: &str| {
        let add = [
            "add-packages",
            package,
            "--dry-run",
            "-v",
            "--repo",
            &repository,
        ];
        let project = project();
        let output = packages(project.path(), &add).output().expect("it starts");
        (output.status.success(), said(&output))
    };
    let (is_good, told) = add("aa");
    assert!(is_good && told.contains("line 4, package bb"), "{told}");
    let (is_good, told) = add("bb");
    let expected = told.contains("near has a record that cannot be read");
    assert!(!is_good && expected, "{told}");
}

fn renv_lock(r: &str) -> String {
    json!({
        "R": {"Version": r, "Repositories": [{"Name": "CRAN", "URL": "https://cloud.r-project.org"}]},
        "Packages": {
            "aa": {"Package": "aa", "Version": "0.9", "Source": "Repository", "Repository": "CRAN"},
            "mine": {
                "Package": "mine", "Version": "0.3", "Source": "GitHub", "RemoteType": "github",
                "RemoteHost": "api.github.com", "RemoteUsername": "o", "RemoteRepo": "r",
                "RemoteSubdir": "pkg", "RemoteRef": "main", "RemoteSha": COMMIT,
            },
        },
    })
    .to_string()
}

#[test]
fn a_lock_of_renv_keeps_its_versions_and_its_r() {
    let server = Repositories::new()
        .source("cran", Package::new("aa", "1.0").tarball())
        .archived("cran", Package::new("aa", "0.9").tarball())
        .serve();
    let tarball = format!("/repos/o/r/tarball/{COMMIT}");
    let github = Server::start(move |request, _| match request.target == tarball {
        true => Reply::ok(of_github()),
        false => Reply::status(404),
    });
    let (repository, api) = (format!("CRAN={}/cran", server.base()), github.base());
    let add = [
        "add-packages",
        "--from",
        "renv.lock",
        "--dry-run",
        "--repo",
        &repository,
        "--github-api",
        &api,
    ];
    let project = project();
    write(project.path(), "renv.lock", &renv_lock("4.5.1"));
    let told = said(&succeed(&mut packages(project.path(), &add)));
    assert!(
        told.contains("+ aa 0.9") && told.contains("+ mine 0.3"),
        "{told}"
    );
    let commit = format!("github::o/r/pkg@{COMMIT}");
    assert!(told.contains(&commit), "{told}");

    write(project.path(), "renv.lock", &renv_lock("4.3.2"));
    let error = fail(&mut packages(project.path(), &add), 1);
    assert!(
        error.contains("4.3.2") && error.contains("--r-version"),
        "{error}"
    );
}

#[test]
fn what_a_description_asks_for_is_honoured_or_named() {
    let server = Repositories::new()
        .source("cran", Package::new("aa", "1.0").tarball())
        .serve();
    let repository = format!("cran={}/cran", server.base());
    let add = [
        "add-packages",
        "--from",
        "DESCRIPTION",
        "--dry-run",
        "--repo",
        &repository,
    ];
    let project = project();
    let description = "Package: app\nVersion: 1.0\nDepends: R (>= 4.1)\nImports: aa (>= 1.0), stats\nSuggests: testthat\n";
    write(project.path(), "DESCRIPTION", description);
    let told = said(&succeed(&mut packages(project.path(), &add)));
    assert!(
        told.contains("+ aa 1.0") && !told.contains("testthat"),
        "{told}"
    );
    let other = format!("{description}Remotes: svn::https://svn.example.org/aa\n");
    write(project.path(), "DESCRIPTION", &other);
    let error = fail(&mut packages(project.path(), &add), 1);
    assert!(error.contains("aa") && error.contains("svn"), "{error}");
}

#[test]
fn names_that_look_like_options_or_commands_are_refused() {
    let project = project();
    for (arguments, expected) in [
        (["add-packages", "--", "--help"], "looks like an option"),
        (["add-packages", "--", "$(id)"], "is not a package name"),
        (
            ["remove-packages", "--", "-x"],
            "there is no layer `packages`",
        ),
        (
            ["lock", "--offline", "--upgrade=-x"],
            "no layer of packages",
        ),
    ] {
        let error = fail(r_layer(project.path()).args(arguments), 1);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    let error = fail(
        r_layer(project.path()).args(["add-packages", "MASS", "--keep=hlep"]),
        2,
    );
    assert!(error.contains("a similar value exists: 'help'"), "{error}");
}

/// It was once that any name was taken, and that one package's upgrade forgot what the others' libraries came from.
#[test]
fn what_is_to_be_upgraded_is_locked_and_the_rest_stays() {
    let project = project();
    let add = ["add-packages", "MASS", "--offline"];
    succeed(&mut packages(project.path(), &add));
    let lock = ["lock", "--upgrade", "MAS", "--offline"];
    let error = fail(&mut packages(project.path(), &lock), 1);
    assert!(
        error.contains("--upgrade MAS") && error.contains("did you mean MASS?"),
        "{error}"
    );
    let before = read(project.path(), "r-layer.lock");
    let lock = ["lock", "--upgrade", "MASS", "--offline"];
    succeed(&mut packages(project.path(), &lock));
    assert_eq!(read(project.path(), "r-layer.lock"), before);
}
