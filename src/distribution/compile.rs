//! Compiling R, and R packages, in a build root or on this machine; each result is cached by all its inputs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::source::{SourceError, check_r_source, unpack_source};
use super::R;
use crate::cache::{Cache, CacheError};
use crate::checksum::Sha256;
use crate::embedded;
use crate::layer::RuntimeRecipe;
use crate::package::{Description, RVersion};
use crate::progress::Reporter;
use crate::repository::Tarball;
use crate::sandbox::{
    BubblewrapError, CommandFailed, LoggedCommand, Mount, RootError, RootSpec, Sandbox, debian_root,
    install_packages,
};
use crate::target::Architecture;

/// The linear algebra that R is linked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blas {
    /// R's own: small, slow for large matrices.
    Reference,
    /// The build root's OpenBLAS: fast, and large.
    Openblas,
}

impl Blas {
    fn name(self) -> &'static str {
        match self {
            Blas::Reference => "reference",
            Blas::Openblas => "openblas",
        }
    }
}

/// Where compilers run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildPlace {
    /// In a root file system.
    Root(RootSpec),
    /// On this machine: for those who are on Amazon Linux already.
    Host,
}

/// Why something was not compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The root.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The sandbox.
    #[error(transparent)]
    Bubblewrap(#[from] BubblewrapError),
    /// A source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The compilation.
    #[error(transparent)]
    Failed(#[from] CommandFailed),
    /// A file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// This machine lacks what R is compiled with.
    #[error("this machine lacks {missing}, which R is compiled with; type: {command}")]
    HostLacks {
        /// What is not there.
        missing: String,
        /// What installs it.
        command: String,
    },
    /// Another package than asked for.
    #[error("{tarball} is not the source of the R package {expected}")]
    OtherPackage {
        /// The tarball.
        tarball: PathBuf,
        /// The package asked for.
        expected: String,
    },
    /// Not on this machine's processor.
    #[error(
        "R is compiled on a machine of its own architecture, and this one is {this}; type --arch {this}, or run \
         this on {wanted}"
    )]
    OtherArchitecture {
        /// What was asked for.
        wanted: Architecture,
        /// What this machine is.
        this: String,
    },
}

/// How things are compiled.
pub struct Compiler<'a> {
    /// Where.
    pub place: &'a BuildPlace,
    /// What R is made of and compiled with.
    pub recipe: &'a RuntimeRecipe,
    /// The linear algebra.
    pub blas: Blas,
    /// For which processor.
    pub architecture: Architecture,
    /// How many compilers at once.
    pub jobs: usize,
    /// Where results are kept.
    pub cache: &'a Cache,
    /// Told of the steps.
    pub reporter: &'a dyn Reporter,
}

/// A place where compilers run, ready for use.
struct Workshop {
    /// The root file system; `/` on this machine itself.
    root: PathBuf,
    /// By which a result is known to come from it.
    identity: String,
}

/// What R's configure script finds, and where: a probe for what is installed.
const PROBES: [(&str, &[&str]); 8] = [
    ("a C compiler", &["usr/bin/gcc"]),
    ("a C++ compiler", &["usr/bin/g++"]),
    ("a Fortran compiler", &["usr/bin/gfortran"]),
    ("make", &["usr/bin/make"]),
    ("unzip", &["usr/bin/unzip"]),
    ("PCRE2's headers", &["usr/include/pcre2.h"]),
    ("liblzma's headers", &["usr/include/lzma.h"]),
    ("OpenSSL's headers", &["usr/include/openssl/ssl.h"]),
];

impl Compiler<'_> {
    fn packages(&self) -> (Vec<String>, Vec<String>) {
        let wanted = &self.recipe.build_root;
        let (mut apt, mut dnf) = (wanted.apt.clone(), wanted.dnf.clone());
        if self.blas == Blas::Openblas {
            apt.extend_from_slice(&wanted.apt_openblas);
            dnf.extend_from_slice(&wanted.dnf_openblas);
        }
        (apt, dnf)
    }

    async fn workshop(&self) -> Result<Workshop, CompileError> {
        if Architecture::of_this_machine() != Some(self.architecture) {
            let this = std::env::consts::ARCH.to_owned();
            return Err(CompileError::OtherArchitecture { wanted: self.architecture, this });
        }
        let (apt, dnf) = self.packages();
        match self.place {
            BuildPlace::Root(RootSpec::Debian(suite)) => {
                let root = debian_root(suite, &apt, self.architecture, self.cache, self.reporter).await?;
                let identity = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Ok(Workshop { root, identity })
            }
            BuildPlace::Root(RootSpec::Folder(folder)) => {
                let root = fs_err::canonicalize(folder)?;
                if !root.join("usr").is_dir() {
                    return Err(RootError::NotARoot(root).into());
                }
                if !missing(&root).is_empty() {
                    let log = self.log("install-packages");
                    install_packages(&root, &apt, &dnf, &log, self.reporter).await?;
                }
                Ok(Workshop { identity: identity(&root), root })
            }
            BuildPlace::Host => {
                let missing = missing(Path::new("/"));
                if !missing.is_empty() {
                    let command = if Path::new("/usr/bin/dnf").exists() {
                        format!("dnf install -y {}", dnf.join(" "))
                    } else {
                        format!("apt-get install -y {}", apt.join(" "))
                    };
                    return Err(CompileError::HostLacks { missing: missing.join(", "), command });
                }
                Ok(Workshop { identity: identity(Path::new("/")), root: "/".into() })
            }
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.cache.folder().join("logs").join(format!("{name}.log"))
    }
}

fn missing(root: &Path) -> Vec<&'static str> {
    PROBES
        .iter()
        .filter(|(_, paths)| !paths.iter().any(|path| root.join(path).exists()))
        .map(|(what, _)| *what)
        .collect()
}

/// What tells one root from another: its system and what is installed in it.
fn identity(root: &Path) -> String {
    let read = |path: &str| fs_err::read(root.join(path)).unwrap_or_default();
    let parts = ["etc/os-release", "var/lib/dpkg/status", "var/lib/rpm/rpmdb.sqlite"].map(read);
    Sha256::of_parts(parts.iter().map(Vec::as_slice)).short()
}

/// A run of one of the recipe's scripts.
struct Script<'a> {
    what: String,
    name: &'a str,
    workshop: &'a Workshop,
    on_host: bool,
    /// R's home, for compiling packages.
    r_home: Option<&'a Path>,
    /// The folder of sources, with the script in `recipe/`.
    sources: &'a Path,
    work: &'a Path,
    stage: &'a Path,
    log: PathBuf,
}

impl Script<'_> {
    async fn run(&self, compiler: &Compiler<'_>) -> Result<(), CompileError> {
        let command = if self.on_host { self.on_host(compiler) } else { self.in_root(compiler)? };
        if self.log.exists() {
            fs_err::remove_file(&self.log)?;
        }
        let task = compiler.reporter.begin(&self.what, None);
        LoggedCommand { what: &self.what, command, log: &self.log }.run(&*task).await?;
        task.finish(&format!("done: {}", self.what));
        Ok(())
    }

    fn environment(
        &self,
        compiler: &Compiler<'_>,
        sources: &Path,
        work: &Path,
        stage: &Path,
        r_root: &Path,
    ) -> BTreeMap<String, OsString> {
        let variables: [(&str, OsString); 8] = [
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()),
            ("HOME", work.into()),
            ("SOURCES", sources.into()),
            ("WORK", work.into()),
            ("STAGE", stage.into()),
            ("R_ROOT", r_root.into()),
            ("JOBS", compiler.jobs.to_string().into()),
            ("BLAS", compiler.blas.name().into()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn in_root(&self, compiler: &Compiler<'_>) -> Result<Command, CompileError> {
        let places = ["/tmp/r-layer/sources", "/tmp/r-layer/work", "/tmp/r-layer/stage"].map(PathBuf::from);
        let [sources, work, stage] = &places;
        let r_root = Path::new("/opt/R");
        let mut sandbox = Sandbox::new(&self.workshop.root);
        sandbox.environment = self.environment(compiler, sources, work, stage, r_root);
        sandbox.mounts.extend([
            Mount::ReadOnly { from: self.sources.into(), to: sources.clone() },
            Mount::Writable { from: self.work.into(), to: work.clone() },
            Mount::Writable { from: self.stage.into(), to: stage.clone() },
        ]);
        if let Some(home) = self.r_home {
            sandbox.mounts.push(Mount::ReadOnly { from: home.into(), to: r_root.into() });
        }
        let script = sources.join("recipe").join(self.name);
        Ok(sandbox.command("/bin/sh", &[&script.to_string_lossy()])?)
    }

    fn on_host(&self, compiler: &Compiler<'_>) -> Command {
        let r_root = self.r_home.unwrap_or(Path::new("/opt/R"));
        let mut command = Command::new("/bin/sh");
        command
            .arg(self.sources.join("recipe").join(self.name))
            .env_clear()
            .envs(self.environment(compiler, self.sources, self.work, self.stage, r_root));
        command
    }
}

/// R compiled from its source tarball.
pub async fn compiled_r(
    compiler: &Compiler<'_>,
    version: &RVersion,
    source: &Tarball,
    curl: &Tarball,
) -> Result<R, CompileError> {
    let workshop = compiler.workshop().await?;
    let inputs: BTreeMap<String, String> = [
        ("R source", format!("sha256 {}", source.sha256)),
        ("curl source", format!("sha256 {}", curl.sha256)),
        ("build recipe", r_recipe_hash().to_string()),
        ("build root", root_name(compiler.place, &workshop)),
        ("BLAS", compiler.blas.name().to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let key = key(compiler, &inputs);
    let name = format!("R-{version}-{}-{key}", compiler.architecture);
    let kept = compiler
        .cache
        .get_or_make("compiled", &name, compiler.reporter, async |content: &Path| {
            let unfinished = compiler.cache.unfinished()?;
            let [sources, work] = ["sources", "work"].map(|name| unfinished.path().join(name));
            for folder in [&sources, &work, &content.to_owned()] {
                fs_err::create_dir_all(folder)?;
            }
            let unpacking = compiler.reporter.begin("unpacking the sources", None);
            let r = unfinished.path().join("R");
            let top = check_r_source(&source.path, version, &r)?;
            fs_err::rename(top, sources.join("R"))?;
            let top = unpack_source(&curl.path, &unfinished.path().join("curl"))?;
            fs_err::rename(top, sources.join("curl"))?;
            write_recipe(&sources)?;
            unpacking.finish("unpacked the sources");
            Script {
                what: format!("compiling R {version}"),
                name: "compile-r.sh",
                workshop: &workshop,
                on_host: *compiler.place == BuildPlace::Host,
                r_home: None,
                sources: &sources,
                work: &work,
                stage: content,
                log: compiler.log(&name),
            }
            .run(compiler)
            .await
        })
        .await?;
    Ok(R { version: version.clone(), home: kept.join("opt/R"), root: workshop.root, inputs })
}

/// A package compiled from its source tarball against an R: the package's folder in the cache.
pub async fn compiled_package(
    compiler: &Compiler<'_>,
    r: &R,
    package: &str,
    source: &Tarball,
) -> Result<PathBuf, CompileError> {
    let mut inputs = r.inputs.clone();
    inputs.insert("package".to_owned(), format!("{package}, sha256 {}", source.sha256));
    inputs.insert("package recipe".to_owned(), package_recipe_hash().to_string());
    let name = format!("{package}-{}-{}", compiler.architecture, key(compiler, &inputs));
    let kept = compiler
        .cache
        .get_or_make("packages", &name, compiler.reporter, async |content: &Path| {
            let workshop = compiler.workshop().await?;
            let unfinished = compiler.cache.unfinished()?;
            let [sources, work] = ["sources", "work"].map(|name| unfinished.path().join(name));
            for folder in [&sources, &work, &content.to_owned()] {
                fs_err::create_dir_all(folder)?;
            }
            let top = unpack_source(&source.path, &unfinished.path().join("unpacked"))?;
            let description = fs_err::read_to_string(top.join("DESCRIPTION")).unwrap_or_default();
            if Description::parse(&description).ok().is_none_or(|found| found.package != package) {
                let tarball = source.from.as_ref().map_or_else(
                    || source.path.clone(),
                    |location| location.to_string().into(),
                );
                return Err(CompileError::OtherPackage { tarball, expected: package.to_owned() });
            }
            fs_err::rename(top, sources.join("package"))?;
            write_recipe(&sources)?;
            Script {
                what: format!("compiling the R package {package}"),
                name: INSTALL_PACKAGE,
                workshop: &workshop,
                on_host: *compiler.place == BuildPlace::Host,
                r_home: Some(&r.home),
                sources: &sources,
                work: &work,
                stage: content,
                log: compiler.log(&name),
            }
            .run(compiler)
            .await
        })
        .await?;
    Ok(kept.join(package))
}

fn root_name(place: &BuildPlace, workshop: &Workshop) -> String {
    match place {
        BuildPlace::Root(RootSpec::Debian(_)) => workshop.identity.clone(),
        BuildPlace::Root(RootSpec::Folder(_)) => format!("folder {}", workshop.identity),
        BuildPlace::Host => format!("host {}", workshop.identity),
    }
}

fn key(compiler: &Compiler<'_>, inputs: &BTreeMap<String, String>) -> String {
    let architecture = compiler.architecture.aws_name();
    let parts = inputs.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    Sha256::of_parts(parts.chain([architecture.as_bytes()])).short()
}

/// The folder `layers/runtime/build/` beside the sources.
fn write_recipe(sources: &Path) -> std::io::Result<()> {
    let recipe = sources.join("recipe");
    fs_err::create_dir_all(&recipe)?;
    for (name, content) in embedded::files("runtime/build") {
        fs_err::write(recipe.join(name), content)?;
    }
    Ok(())
}

/// The script that compiles packages; everything else beside it is for compiling R.
const INSTALL_PACKAGE: &str = "install-package.sh";

/// What of the recipe decides how R comes out.
fn r_recipe_hash() -> Sha256 {
    recipe_hash(|name| name != INSTALL_PACKAGE)
}

/// What of it decides how a package comes out.
fn package_recipe_hash() -> Sha256 {
    recipe_hash(|name| name == INSTALL_PACKAGE)
}

fn recipe_hash(concerns: impl Fn(&str) -> bool) -> Sha256 {
    let mut files = embedded::files("runtime/build");
    files.retain(|(name, _)| concerns(name));
    Sha256::of_parts(files.iter().flat_map(|(name, content)| [name.as_bytes(), *content]))
}
