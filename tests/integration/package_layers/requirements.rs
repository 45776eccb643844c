//! What Posit Package Manager says that packages need of the system.

use super::{packages, project, result};
use crate::download::server::Server;
use crate::package_repository::making::{Package, Repositories};
use crate::parts::{fail, succeed};

/// A package that is linked to libxml2 and does not say so.
fn silent() -> Vec<u8> {
    let code = "#include <libxml/parser.h>\nint f(void) { xmlInitParser(); return 0; }\n";
    let makevars =
        "PKG_CPPFLAGS = $(shell xml2-config --cflags)\nPKG_LIBS = $(shell xml2-config --libs)\n";
    let package = Package::new("silent", "1.0")
        .field("Title", "Says Nothing")
        .field("Description", "Needs a library.")
        .field("Author", "A")
        .field("Maintainer", "A <a@b.c>")
        .field("NeedsCompilation", "yes");
    package
        .file("NAMESPACE", "useDynLib(silent)\n")
        .file("src/a.c", code)
        .file("src/Makevars", makevars)
        .tarball()
}

/// A Package Manager that answers as Posit's does.
fn server(answer: Option<&str>) -> Server {
    let mut repositories = Repositories::new().source("cran/latest", silent());
    if let Some(answer) = answer {
        let question =
            "__api__/repos/cran/sysreqs?all=false&pkgname=silent&distribution=debian&release=11";
        repositories.put(question.to_owned(), answer.into(), None);
    }
    repositories.serve()
}

/// The answer's form: <https://packagemanager.posit.co/__api__/swagger/index.html>.
const ANSWER: &str = r#"{"requirements":[{"name":"silent","requirements":{"packages":["libxml2-dev","libno.such-dev","$(id)"],
    "install_scripts":["apt-get install -y libxml2-dev"],"pre_install":[{"command":"false","script":"exit 1"}]}}]}"#;

#[test]
fn what_it_names_is_installed_and_asked_for_once() {
    let (project, server) = (project(), server(Some(ANSWER)));
    let repository = format!("p3m={}/cran/latest", server.base());
    let add = ["add-packages", "silent", "--repo", &repository];
    let changed = result(&mut packages(project.path(), &add));
    let added = &changed["layers"][0]["added_libraries"];
    let libraries = added.as_object().expect("libraries");
    assert!(
        libraries
            .keys()
            .any(|path| path.starts_with("lib/libxml2.so")),
        "{libraries:?}"
    );
    // The same without a network, and without the question.
    let build = ["build", "packages", "--offline"];
    succeed(&mut packages(project.path(), &build));
}

#[test]
fn where_nobody_answers_the_rules_of_the_program_have_to_do() {
    let (project, server) = (project(), server(None));
    let repository = format!("p3m={}/cran/latest", server.base());
    let add = ["add-packages", "silent", "--repo", &repository, "-v"];
    let error = fail(&mut packages(project.path(), &add), 1);
    for said in [
        "is decided by r-layer's own rules, as p3m does not say it",
        "libxml2-dev",
    ] {
        assert!(error.contains(said), "{error}");
    }
}
