//! A closure of R packages compiled from real sources: in order, in parallel, with what the system has to give; and what is
//! said where that fails.

mod failures;
mod system_packages;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use r_layer::cache::Cache;
use r_layer::checksum::Sha256;
use r_layer::distribution::{
    Blas, BuildPlace, CompileError, CompiledPackages, Compiler, InstalledPackage, R, SourcePackage,
    compiled_packages, compiled_r,
};
use r_layer::layer::RuntimeRecipe;
use r_layer::package::Description;
use r_layer::progress::Silent;
use r_layer::repository::Tarball;
use r_layer::sandbox::{Mount, RootSpec, Sandbox};
use r_layer::target::Architecture;

use crate::parts::{package_source, r_sources, succeed};

/// Packages of a closure, as Debian's source packages call them, with what each needs.
const CLOSURE: [(&str, &str, &[&str]); 9] = [
    (
        "vctrs",
        "r-cran-vctrs",
        &["cli", "glue", "lifecycle", "rlang"],
    ),
    ("xml2", "r-cran-xml2", &["cli", "methods", "rlang"]),
    ("minqa", "r-cran-minqa", &["Rcpp", "methods", "utils"]),
    ("lifecycle", "r-cran-lifecycle", &["cli", "glue", "rlang"]),
    ("cli", "r-cran-cli", &["utils"]),
    ("glue", "r-cran-glue", &["methods"]),
    ("rlang", "r-cran-rlang", &["utils"]),
    ("Rcpp", "rcpp", &["methods", "utils"]),
    ("quadprog", "quadprog", &[]),
];

/// What compiles here, with a cache.
fn with_compiler<T>(
    cache: &Cache,
    place: &BuildPlace,
    run: impl AsyncFnOnce(&Compiler<'_>) -> T,
) -> T {
    let compiler = Compiler {
        place,
        recipe: RuntimeRecipe::embedded(),
        blas: Blas::Reference,
        architecture: Architecture::of_this_machine().unwrap(),
        jobs: 2,
        cache,
        reporter: &Silent,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(&compiler))
}

fn bullseye() -> BuildPlace {
    BuildPlace::Root(RootSpec::Debian("bullseye".to_owned()))
}

/// Compiles against the R of the runtime layer, in the root that it was compiled in.
fn compile(
    cache: &Cache,
    packages: &[SourcePackage],
    there: &BTreeMap<String, InstalledPackage>,
    system_packages: &[&str],
) -> Result<CompiledPackages, CompileError> {
    let system_packages: Vec<String> = system_packages
        .iter()
        .map(|&name| name.to_owned())
        .collect();
    let r = the_r();
    with_compiler(cache, &bullseye(), async |compiler| {
        compiled_packages(compiler, r, packages, there, &system_packages).await
    })
}

/// The R of the runtime layer, with all that its inputs are: from the shared cache.
fn the_r() -> &'static R {
    static THE_R: OnceLock<R> = OnceLock::new();
    THE_R.get_or_init(|| {
        let (r, curl) = r_sources();
        let [r, curl] = [r, curl].map(tarball);
        let version = RuntimeRecipe::embedded().r.version.parse().unwrap();
        with_compiler(&shared_cache(), &bullseye(), async |compiler| {
            compiled_r(compiler, &version, &r, &curl).await.unwrap()
        })
    })
}

fn shared_cache() -> Cache {
    Cache::from_environment().unwrap()
}

fn tarball(path: PathBuf) -> Tarball {
    Tarball {
        sha256: Sha256::of_file(&path).unwrap(),
        path,
        from: None,
    }
}

/// A package of the closure.
fn source(name: &str) -> SourcePackage {
    let (_, debian, needs) = CLOSURE.iter().find(|(other, ..)| *other == name).unwrap();
    source_of(name, &package_source(debian), needs)
}

/// The whole closure, in no good order.
fn closure() -> Vec<SourcePackage> {
    CLOSURE.iter().map(|(name, ..)| source(name)).collect()
}

/// A package as its tarball describes it.
fn source_of(name: &str, path: &Path, needs: &[&str]) -> SourcePackage {
    let output = succeed(
        Command::new("tar")
            .args([
                "--extract",
                "--to-stdout",
                "--wildcards",
                "--no-wildcards-match-slash",
                "--file",
            ])
            .arg(path)
            .arg("*/DESCRIPTION"),
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let description = Description::parse(&text).unwrap();
    SourcePackage {
        name: name.to_owned(),
        version: description.version,
        tarball: tarball(path.to_owned()),
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        system_requirements: description.system_requirements,
        listed_requirements: Vec::new(),
    }
}

/// A source tarball of a package made for a test, with these files; what stands for its DESCRIPTION is more fields of it.
fn made(folder: &Path, name: &str, files: &[(&str, &str)], needs: &[&str]) -> SourcePackage {
    let top = folder.join(name);
    let (more, files): (Vec<_>, Vec<_>) =
        files.iter().partition(|(path, _)| *path == "DESCRIPTION");
    let more: String = more.iter().map(|(_, fields)| *fields).collect();
    let imports = match needs {
        [] => String::new(),
        needs => format!("Imports: {}\n", needs.join(", ")),
    };
    let description =
        format!("Package: {name}\nVersion: 1.0\nTitle: Test\nLicense: MIT\n{imports}{more}");
    for (path, content) in [("DESCRIPTION", &*description), ("NAMESPACE", "")]
        .iter()
        .chain(&files)
    {
        std::fs::create_dir_all(top.join(path).parent().unwrap()).unwrap();
        std::fs::write(top.join(path), content).unwrap();
    }
    for (path, _) in files.iter().filter(|(path, _)| *path == "configure") {
        succeed(Command::new("chmod").arg("+x").arg(top.join(path)));
    }
    let path = folder.join(format!("{name}_1.0.tar.gz"));
    // The same bytes every time, so that what is cached is found.
    let mut tar = Command::new("tar");
    tar.args([
        "--sort=name",
        "--mtime=@0",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "-C",
    ]);
    succeed(
        tar.arg(folder)
            .args(["-I", "gzip -n", "-cf"])
            .arg(&path)
            .arg(name),
    );
    source_of(name, &path, needs)
}

/// Runs R in the root that packages were compiled in, with these packages, and returns what it prints.
fn run_r(compiled: &CompiledPackages, script: &str) -> String {
    let mut sandbox = Sandbox::new(&compiled.root);
    let library = Path::new("/tmp/library");
    for (name, package) in &compiled.packages {
        sandbox.mounts.push(Mount::ReadOnly {
            from: package.installed.folder.clone(),
            to: library.join(name),
        });
    }
    sandbox.mounts.push(Mount::ReadOnly {
        from: the_r().home.path.clone(),
        to: "/opt/R".into(),
    });
    sandbox.environment = [
        ("PATH".to_owned(), "/usr/bin:/bin".into()),
        ("R_LIBS".to_owned(), library.into()),
        ("LC_ALL".to_owned(), "C.UTF-8".into()),
    ]
    .into();
    let command = sandbox
        .command("/opt/R/bin/Rscript", &["--vanilla", "-e", script])
        .unwrap();
    let output = succeed(&mut command.into_std());
    String::from_utf8(output.stdout).unwrap()
}

/// C, C++ and Fortran, headers of other packages, a system library that is not there at first; from the cache where an
/// earlier run has left them.
#[test]
fn a_closure_compiles_in_the_order_of_its_dependencies_and_runs() {
    let compiled = compile(&shared_cache(), &closure(), &BTreeMap::new(), &[]).unwrap();
    let names: Vec<&str> = compiled.packages.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "Rcpp",
            "cli",
            "glue",
            "lifecycle",
            "minqa",
            "quadprog",
            "rlang",
            "vctrs",
            "xml2"
        ]
    );
    for (name, package) in &compiled.packages {
        assert!(
            package.installed.folder.join("DESCRIPTION").is_file(),
            "{name}"
        );
    }
    let rcpp = &compiled.packages["Rcpp"].installed.folder;
    assert!(
        rcpp.join("include/Rcpp.h").is_file(),
        "what links to it needs its headers"
    );
    let said = run_r(
        &compiled,
        "cat(minqa::bobyqa(c(1, 2), function(x) sum((x - 3)^2))$feval > 0,
             xml2::xml_text(xml2::read_xml('<a>text</a>')),
             vctrs::vec_rbind(data.frame(x = 1), data.frame(x = 2))$x,
             round(quadprog::solve.QP(diag(2), c(1, 1), diag(2), c(0, 0))$value, 2))",
    );
    assert_eq!(said, "TRUE text 1 2 -1");

    // Again, as another run: nothing is compiled, and nothing is different.
    let again = compile(&shared_cache(), &closure(), &BTreeMap::new(), &[]).unwrap();
    assert_eq!(again.packages, compiled.packages);
    assert_eq!(again.root, compiled.root);
}

#[test]
fn a_package_is_compiled_again_when_what_it_needs_is_another_build() {
    let folder = tempfile::tempdir().unwrap();
    let shared = compile(&shared_cache(), &[source("glue")], &BTreeMap::new(), &[]).unwrap();
    let user = made(
        folder.path(),
        "usesglue",
        &[("R/a.R", "a <- function(x) glue::glue('{x}')\n")],
        &["glue"],
    );
    let key = |identity: &str| {
        let glue = InstalledPackage {
            identity: identity.to_owned(),
            ..shared.packages["glue"].installed.clone()
        };
        let there = BTreeMap::from([("glue".to_owned(), glue)]);
        let compiled = compile(&shared_cache(), std::slice::from_ref(&user), &there, &[]).unwrap();
        compiled.packages["usesglue"].installed.clone()
    };
    let (one, same, other) = (key("one"), key("one"), key("other"));
    assert_eq!(one, same);
    assert_ne!(one.identity, other.identity);
    assert_ne!(one.folder, other.folder);
}

#[test]
fn a_package_that_is_alone_has_all_cores_as_one_makefile_shows() {
    let folder = tempfile::tempdir().unwrap();
    // Each target says how many are under way while it is.
    let makefile = "all: a b c d\na b c d:\n\t@touch run-$@; sleep 0.3; ls run-* | wc -l >>counts; rm run-$@\n";
    let configure = "#!/bin/sh\nmake -f shown.mk && test \"$(sort -n counts | tail -n 1)\" -eq 2\n";
    let files = [("configure", configure), ("shown.mk", makefile)];
    let package = made(folder.path(), "manytargets", &files, &[]);
    compile(&shared_cache(), &[package], &BTreeMap::new(), &[]).unwrap();
}
