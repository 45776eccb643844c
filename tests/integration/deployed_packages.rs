//! `deploy` of a new project whose code uses packages: those that no layer has are named, and nothing is sent.

use std::path::Path;

use crate::aws::Account;
use crate::parts::{fail, r_layer, runtime_layer, succeed};

const REGION: &str = "eu-central-1";

/// A new project `parity` with the runtime layer built.
fn project(parent: &Path) -> std::path::PathBuf {
    succeed(r_layer(parent).args(["init", "parity"]));
    let (project, zip) = (parent.join("parity"), runtime_layer());
    let dist = project.join("dist");
    std::fs::create_dir(&dist).unwrap();
    for file in [zip.to_owned(), zip.with_extension("json")] {
        std::fs::copy(&file, dist.join(file.file_name().unwrap())).unwrap();
    }
    project
}

#[test]
fn a_package_that_no_layer_has_is_named_before_anything_is_sent() {
    let (account, parent) = (Account::new(), tempfile::tempdir().unwrap());
    let project = project(parent.path());
    succeed(
        account
            .r_layer(&project)
            .args(["publish", "--region", REGION]),
    );
    let deploy = |arguments: &[&str]| {
        let mut command = account.r_layer(&project);
        command.args([
            "deploy",
            "parity",
            "--region",
            REGION,
            "--create-role",
            "-v",
        ]);
        command.args(arguments);
        command
    };
    let script = project.join("script.R");
    let handler = std::fs::read_to_string(&script).unwrap();
    let uses = "# library(boot)\nlibrary(jsonlite)\nx <- \"library(boot)\"\nlibrary(MASS)\nif (FALSE) cli::rule()\n";
    std::fs::write(&script, format!("{uses}{handler}")).unwrap();
    std::fs::write(project.join("report.Rmd"), "```{r}\nMASS::area\n```\n").unwrap();
    std::fs::create_dir_all(project.join("library/glue")).unwrap();
    std::fs::write(project.join("library/glue/DESCRIPTION"), "Package: glue\n").unwrap();
    std::fs::write(project.join("more.R"), "glue::glue(\"it came along\")\n").unwrap();

    account.proxy.forget();
    let said = fail(&mut deploy(&[]), 1);
    assert_eq!(account.proxy.changes(), Vec::<String>::new());
    for words in [
        "MASS (report.Rmd:2, script.R:4); type r-layer add-packages MASS",
        "cli (script.R:5); type r-layer add-packages cli",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert!(!said.contains("boot") && !said.contains("glue"), "{said}");
    let by_r = "R itself read which packages";
    assert!(said.contains(by_r), "{said}");
    succeed(&mut deploy(&["--no-check", "--dry-run"]));

    // Without the zips there is no R to ask, and the answer is the same.
    std::fs::rename(project.join("dist"), project.join("elsewhere")).unwrap();
    let said = fail(&mut deploy(&[]), 1);
    assert!(said.contains("MASS (report.Rmd:2, script.R:4)"), "{said}");
    assert!(!said.contains(by_r), "{said}");
    std::fs::rename(project.join("elsewhere"), project.join("dist")).unwrap();

    std::fs::write(&script, handler).unwrap();
    std::fs::remove_file(project.join("report.Rmd")).unwrap();
    succeed(&mut deploy(&[]));
    assert!(account.function(REGION, "parity").is_some());
}
