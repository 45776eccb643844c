//! Compiling R, and R packages, in a build root or on this machine; each result is cached by all its inputs.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::R;
use super::build_order::DependencyCycle;
use super::script::{Script, Workbench};
use super::source::{SourceError, check_r_source, unpack_source};
use super::workshop::Work;
use crate::cache::{Cache, CacheError};
use crate::checksum::Sha256;
use crate::embedded;
use crate::image::ImageReference;
use crate::layer::RuntimeRecipe;
use crate::layer::record::SourceRecord;
use crate::layer::tree::SourceFolder;
use crate::package::{NameError, RVersion, RuleError};
use crate::progress::Reporter;
use crate::repository::Tarball;
use crate::sandbox::{
    BubblewrapError, CommandFailed, EngineError, EngineKind, RootError, RootSpec,
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
    /// The one of that name.
    pub fn parse(name: &str) -> Result<Blas, UnknownBlas> {
        match name {
            "reference" => Ok(Blas::Reference),
            "openblas" => Ok(Blas::Openblas),
            other => Err(UnknownBlas(other.to_owned())),
        }
    }

    /// Its name in flags and in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Blas::Reference => "reference",
            Blas::Openblas => "openblas",
        }
    }
}

/// A linear algebra that R is not linked to here.
#[derive(Debug, thiserror::Error)]
#[error("there is no BLAS `{0}`; there are: reference, openblas")]
pub struct UnknownBlas(String);

/// Where compilers run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildPlace {
    /// In a root file system.
    Root(RootSpec),
    /// In containers of an engine, made from an image.
    Engine(EngineKind, ImageReference),
    /// On this machine: for those who are on Amazon Linux already.
    Host,
}

impl fmt::Display for BuildPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildPlace::Root(spec) => spec.fmt(f),
            BuildPlace::Engine(kind, image) => write!(f, "{kind}'s image {image}"),
            BuildPlace::Host => f.write_str("this machine"),
        }
    }
}

impl BuildPlace {
    /// The image that it is made of, if it is made of one.
    pub fn image(&self) -> Option<&ImageReference> {
        match self {
            BuildPlace::Root(RootSpec::Image(image)) | BuildPlace::Engine(_, image) => Some(image),
            _ => None,
        }
    }

    /// The same place, made of the content of its image that has that digest.
    pub fn pin(&mut self, digest: &Sha256) {
        if let BuildPlace::Root(RootSpec::Image(image)) | BuildPlace::Engine(_, image) = self {
            *image = image.at(digest);
        }
    }
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
    /// The container engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
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
    #[error("this machine lacks {missing}, which is needed to compile on it; type: {command}")]
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
    /// Another version of it than asked for.
    #[error("{tarball} is {found}, and {expected} was expected")]
    OtherPackageVersion {
        /// The tarball.
        tarball: PathBuf,
        /// The package in it, and its version.
        found: String,
        /// The version asked for.
        expected: String,
    },
    /// No name of a package.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Packages that need each other.
    #[error(transparent)]
    Cycle(#[from] DependencyCycle),
    /// A package needs one that is nowhere.
    #[error(
        "{package} needs {need} to be compiled, which is neither compiled with it, nor there, nor in R's own library"
    )]
    MissingNeed {
        /// The package.
        package: String,
        /// What it needs.
        need: String,
    },
    /// A package did not compile.
    #[error("{source}{}{}", on_lines(.hint.as_deref()), stopped_line(.stopped))]
    PackageFailed {
        /// The package, how it ended, its log's path and last lines.
        source: Box<CommandFailed>,
        /// What its log says of the reason, and what to type.
        hint: Option<String>,
        /// Those that need it, and were not compiled.
        stopped: Vec<String>,
    },
    /// The rules in this program.
    #[error(transparent)]
    Rules(#[from] RuleError),
    /// No name of a package of a distribution.
    #[error(
        "--system-package {0:?} is not the name of a package of a distribution: letters, digits and `+-._` are all that it \
         may have, a letter or digit first, and no `-` last"
    )]
    NotASystemPackage(String),
    /// The distribution of the build root has no such package.
    #[error(
        "{place} has no package {name}, wanted by {wanted_by}. Look for the name that its distribution has for it \
         ({search}), and type: --system-package NAME; or name another root with --build-root"
    )]
    NoSystemPackage {
        /// The package.
        name: String,
        /// Who wants it.
        wanted_by: String,
        /// The build root.
        place: String,
        /// Where names are looked for.
        search: &'static str,
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

fn on_lines(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("\n{hint}"))
}

fn stopped_line(stopped: &[String]) -> String {
    match stopped {
        [] => String::new(),
        [one] => format!("\n{one} needs it, and was not compiled."),
        all => format!("\n{} need it, and were not compiled.", all.join(", ")),
    }
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

/// Sources, objects and the result, in MB: 4.5.0 with its recommended packages had 407 at its most.
const ROOM_FOR_R: u64 = 500;

/// R compiled from its source tarball.
pub async fn compiled_r(
    compiler: &Compiler<'_>,
    version: &RVersion,
    source: &Tarball,
    curl: &Tarball,
) -> Result<R, CompileError> {
    let workshop = compiler.workshop(Work::R).await?;
    let inputs: BTreeMap<String, String> = [
        ("R source", format!("sha256 {}", source.sha256)),
        ("curl source", format!("sha256 {}", curl.sha256)),
        ("build recipe", r_recipe_hash().to_string()),
        ("build root", workshop.identity.clone()),
        ("BLAS", compiler.blas.name().to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let key = key(compiler, &inputs);
    let name = format!("R-{version}-{}-{key}", compiler.architecture);
    let make = async |content: &Path| {
        let what = format!("compiling R {version}");
        compiler.cache.need_room(&what, ROOM_FOR_R)?;
        let unpacking = compiler.reporter.begin("unpacking the sources", None);
        let bench = Workbench::new(compiler.cache)?;
        let top = check_r_source(source, version, &bench.unpacked("R"))?;
        bench.take(&top, "R")?;
        let top = unpack_source(curl, &bench.unpacked("curl"))?;
        bench.take(&top, "curl")?;
        unpacking.finish("unpacked the sources");
        let (script, log) = (COMPILE_R, compiler.log(&name));
        Script {
            what,
            script,
            workshop: &workshop,
            r_home: None,
            library: &BTreeMap::new(),
            bench: &bench,
            stage: content,
            jobs: compiler.jobs,
            log,
        }
        .run(compiler)
        .await
    };
    let Compiler {
        cache, reporter, ..
    } = compiler;
    let kept = cache
        .get_or_make("compiled", &name, *reporter, make)
        .await?;
    Ok(R {
        version: version.clone(),
        home: SourceFolder::new(kept.join("opt/R")),
        root: Some(workshop.root),
        sources: vec![
            source_record("R", version.to_string(), "CRAN's source, compiled", source),
            source_record(
                "curl",
                compiler.recipe.curl.version.clone(),
                "its own source, compiled",
                curl,
            ),
        ],
        inputs,
    })
}

fn source_record(name: &str, version: String, origin: &str, source: &Tarball) -> SourceRecord {
    SourceRecord {
        name: name.to_owned(),
        version,
        origin: origin.to_owned(),
        sha256: Some(source.sha256),
    }
}

/// What all inputs of a result come to, for its name in the cache.
pub(super) fn key(compiler: &Compiler<'_>, inputs: &BTreeMap<String, String>) -> String {
    let architecture = compiler.architecture.aws_name();
    let parts = inputs
        .iter()
        .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    Sha256::of_parts(parts.chain([architecture.as_bytes()])).short()
}

/// The script that compiles R.
const COMPILE_R: &str = "compile-r.sh";

/// The script that compiles packages; everything else beside it is for compiling R.
pub(super) const INSTALL_PACKAGE: &str = "install-package.sh";

/// What of the recipe decides how R comes out.
fn r_recipe_hash() -> Sha256 {
    recipe_hash(|name| name != INSTALL_PACKAGE)
}

/// What of it decides how a package comes out.
pub(super) fn package_recipe_hash() -> Sha256 {
    recipe_hash(|name| name == INSTALL_PACKAGE)
}

fn recipe_hash(concerns: impl Fn(&str) -> bool) -> Sha256 {
    let mut files = embedded::files("runtime/build");
    files.retain(|(name, _)| concerns(name));
    Sha256::of_parts(
        files
            .iter()
            .flat_map(|(name, content)| [name.as_bytes(), *content]),
    )
}
