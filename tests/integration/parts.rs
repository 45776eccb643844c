//! The real parts that tests run against. `scripts/test` puts them where these look.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use r_layer::cache::{Cache, Unfinished};
use r_layer::layer::RuntimeRecipe;
use r_layer::progress::Silent;
use r_layer::target::{Architecture, Target};

/// The folder outside the checkout that scripts/setup.sh keeps parts in.
fn kept() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache"),
        PathBuf::from,
    );
    cache.join("r-layer-dev")
}

/// A part by its path in that folder; its absence fails the test, and says what brings it.
fn part(path: &str) -> PathBuf {
    let part = kept().join(path);
    assert!(
        part.exists(),
        "{} is missing: scripts/test brings it",
        part.display()
    );
    part
}

/// The r-layer under test, with the shared cache. It is started in `folder`, which should be a temporary one.
pub fn r_layer(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("r-layer"));
    command
        .current_dir(folder)
        .env_remove("SOURCE_DATE_EPOCH")
        .env("NO_COLOR", "1");
    for setting in [
        "R_LAYER_R_VERSION",
        "R_LAYER_R_SOURCE",
        "R_LAYER_CRAN",
        "R_LAYER_BUILD_ROOT",
    ] {
        command.env_remove(setting);
    }
    command
}

/// Runs a command and returns what it said; a failure shows all of it.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("the command starts");
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}",
        said(&output)
    );
    output
}

/// Runs a command that must fail with that status, and returns what it said on stderr.
pub fn fail(command: &mut Command, status: i32) -> String {
    let output = command.output().expect("the command starts");
    assert_eq!(
        output.status.code(),
        Some(status),
        "{command:?}:\n{}",
        said(&output)
    );
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn said(output: &Output) -> String {
    format!(
        "{}\nstdout: {}\nstderr: {}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The source of R and that of curl, as Debian's source packages have them.
pub fn r_sources() -> (PathBuf, PathBuf) {
    let recipe = RuntimeRecipe::embedded();
    let part = |name: &str, version: &str| part(&format!("sources/{name}_{version}.orig.tar.gz"));
    (
        part("r-base", &recipe.r.version),
        part("curl", &recipe.curl.version),
    )
}

/// The source of an R package, as Debian's source package of that name has it.
pub fn package_source(debian: &str) -> PathBuf {
    let folder = part("package-sources");
    let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with(&format!("{debian}_")))
        })
        .collect();
    assert_eq!(
        found.len(),
        1,
        "{debian} in {}: scripts/test brings it",
        folder.display()
    );
    found.remove(0)
}

/// Flags with which `build runtime` finds R's sources without the network, if scripts/test fetched them.
pub fn sources() -> Vec<String> {
    let folder = kept().join("sources");
    if folder.is_dir() {
        vec!["--sources".to_owned(), folder.display().to_string()]
    } else {
        Vec::new()
    }
}

/// Flags with which `build runtime` compiles R, or takes the one that is compiled already.
pub fn from_source() -> Vec<String> {
    let mut flags = vec!["--r-source".to_owned(), "cran".to_owned()];
    flags.extend(sources());
    flags
}

/// The runtime layer with a compiled R, built by the r-layer under test. What it lies in, a later run sweeps away.
pub fn runtime_layer() -> &'static Path {
    static LAYER: OnceLock<(Unfinished, PathBuf)> = OnceLock::new();
    let (_, zip) = LAYER.get_or_init(|| {
        let cache = Cache::from_environment().expect("the cache");
        let folder = cache.unfinished().expect("a folder in the cache");
        let mut command = r_layer(folder.path());
        succeed(
            command
                .args(["build", "runtime", "--json"])
                .args(from_source()),
        );
        let zip = only_zip(&folder.path().join("dist"));
        (folder, zip)
    });
    zip
}

/// The one zip in a folder.
pub fn only_zip(folder: &Path) -> PathBuf {
    let zips: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zip"))
        .collect();
    assert_eq!(zips.len(), 1, "{zips:?}");
    zips[0].clone()
}

/// A root file system that holds what Lambda's image holds: its commands, their libraries, no time zones.
pub fn lambda_root() -> PathBuf {
    lambda_root_of(Architecture::X86_64)
}

/// The same for a processor.
pub fn lambda_root_of(architecture: Architecture) -> PathBuf {
    let cache = Cache::from_environment().expect("the cache");
    let target = Target::named(Target::DEFAULT).expect("the default target");
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(r_layer::sandbox::lambda_root(
            "bullseye",
            target,
            architecture,
            &cache,
            &Silent,
        ))
        .expect("a root like Lambda's")
}

/// The root that R is compiled in: Debian with compilers, and the headers of what R is linked to.
pub fn build_root() -> PathBuf {
    let cache = Cache::from_environment().expect("the cache");
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(r_layer::sandbox::debian_root(
            "bullseye",
            &RuntimeRecipe::embedded().build_root.apt,
            Architecture::X86_64,
            &cache,
            &Silent,
        ))
        .expect("the root that R is compiled in")
}

/// The source of one of R's recommended packages, out of R's own.
pub fn recommended_source(package: &str, folder: &Path) -> PathBuf {
    runtime_layer();
    let r = RuntimeRecipe::embedded().r.sha256.to_string();
    let r = Cache::from_environment()
        .expect("the cache")
        .get("downloads", &r)
        .expect("R's source");
    let mut tar = Command::new("tar");
    tar.args([
        "--extract",
        "--gzip",
        "--strip-components=4",
        "--wildcards",
        "--directory",
    ]);
    tar.arg(folder).arg("--file").arg(r);
    succeed(tar.arg(format!("*/src/library/Recommended/{package}_*.tar.gz")));
    let mut found = std::fs::read_dir(folder).expect("the folder is there");
    found
        .next()
        .expect("the package's source")
        .expect("an entry")
        .path()
}

/// AWS's Runtime Interface Emulator for a processor.
pub fn rie(architecture: Architecture) -> PathBuf {
    part(&format!("rie/aws-lambda-rie-{architecture}"))
}

/// A program in Python that finds boto3 and the AWS command line, and no settings but these.
pub fn aws_client(home: &Path) -> Command {
    let mut command = Command::new("python3");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("PATH is set"))
        .env("HOME", home)
        .env("PYTHONPATH", part("aws-clients"))
        .env("AWS_ACCESS_KEY_ID", "nobody")
        .env("AWS_SECRET_ACCESS_KEY", "nothing")
        .env("AWS_DEFAULT_REGION", "eu-central-1");
    command
}

/// The folder of Python modules with moto, which plays AWS.
pub fn moto() -> PathBuf {
    part("moto")
}

/// The folder of Python modules with CycloneDX's own schemas and their validator.
pub fn cyclonedx() -> PathBuf {
    part("cyclonedx")
}

/// R for x86_64 in the form of Posit's portable builds; tests/portable/make-x86_64.sh makes it.
pub fn portable_r() -> PathBuf {
    part("portable/x86_64/R-4.5.0-manylinux_2_34.tar.gz")
}

/// R for arm64 in the form of Posit's portable builds; tests/portable/make-arm64.sh makes it.
pub fn portable_r_arm64() -> PathBuf {
    part("portable/arm64/R-4.0.4-manylinux_2_34-arm64.tar.gz")
}

/// jsonlite for R 4.5 and x86_64, in the form of Posit Package Manager's binary packages.
pub fn binary_jsonlite() -> PathBuf {
    part("portable/x86_64/jsonlite_1.9.1.tar.gz")
}

/// jsonlite for R 4.0 and arm64, in the form of Posit Package Manager's binary packages.
pub fn binary_jsonlite_arm64() -> PathBuf {
    part("portable/arm64/jsonlite_1.7.2.tar.gz")
}

/// Repositories of real packages; tests/real_repository/make.sh makes them.
pub fn real_repositories() -> PathBuf {
    part("real-repository/current")
}

/// A folder of functions in tests/fixtures.
pub fn functions(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/functions")
        .join(name)
}

/// A cache of its own whose named folders are the shared one's, so that a test can break it without breaking others.
pub fn cache_sharing(folders: &[&str]) -> tempfile::TempDir {
    let shared = Cache::from_environment().expect("the cache");
    let cache = tempfile::tempdir().expect("a temporary folder");
    for folder in folders {
        std::os::unix::fs::symlink(shared.folder().join(folder), cache.path().join(folder))
            .expect("a link");
    }
    cache
}

/// The home of the R that was compiled for the runtime layer, in the shared cache.
pub fn compiled_r_home() -> PathBuf {
    runtime_layer();
    let compiled = Cache::from_environment()
        .expect("the cache")
        .folder()
        .join("compiled");
    let newest = std::fs::read_dir(compiled)
        .expect("something was compiled")
        .map(|entry| entry.expect("an entry"))
        .max_by_key(|entry| {
            entry
                .metadata()
                .and_then(|data| data.modified())
                .expect("a time")
        })
        .expect("something was compiled");
    newest.path().join("opt/R")
}

/// The folder of Python modules that check the formats of `list`.
pub fn format_checkers() -> PathBuf {
    part("format-checkers")
}

/// The folder of the shared cache, for commands whose home is another.
pub fn cache_folder() -> PathBuf {
    std::env::var_os("R_LAYER_CACHE")
        .map_or_else(|| kept().with_file_name("r-layer"), PathBuf::from)
}
