//! Plans of layers, installed packages, and libraries that only a build root has.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use r_layer::cache::Cache;
use r_layer::commands::package_layers::pack::{
    BesidePackages, LayerPackage, LayerPlan, LibrariesFrom, PackedLayer, Proof, pack,
};
use r_layer::layer::ExaminedLayer;
use r_layer::layer::LayerTree;
use r_layer::layer::record::SourceRecord;
use r_layer::layer::tree::SourceFolder;
use r_layer::layer::zip::entry_time;
use r_layer::manifest::Compression;
use r_layer::package::{Description, RVersion};
use r_layer::progress::{Reporter, Silent, Task};
use r_layer::target::{Architecture, Target};

use crate::parts::{compiled_r_home, runtime_layer, succeed};

/// The packages that R comes with and that need not be packed.
const OF_R: [&str; 8] = [
    "R",
    "methods",
    "stats",
    "graphics",
    "grDevices",
    "utils",
    "splines",
    "grid",
];

/// The runtime layer, as others are beside it.
pub fn runtime() -> &'static [ExaminedLayer] {
    static LAYER: OnceLock<Vec<ExaminedLayer>> = OnceLock::new();
    LAYER.get_or_init(|| vec![ExaminedLayer::open(runtime_layer()).expect("the runtime layer")])
}

/// A package that is installed in that folder, as its DESCRIPTION tells of it.
pub fn installed(folder: &Path) -> LayerPackage {
    let text = std::fs::read_to_string(folder.join("DESCRIPTION")).expect("a DESCRIPTION");
    let description = Description::parse(&text).expect("a DESCRIPTION");
    let dependencies = description.dependencies().expect("dependencies");
    let needs = dependencies.depends.iter().chain(&dependencies.imports);
    let needs = needs
        .map(|requirement| requirement.package.clone())
        .filter(|name| !OF_R.contains(&name.as_str()));
    LayerPackage {
        name: description.package.clone(),
        version: description.version.clone(),
        files: LayerTree::of_folder(&SourceFolder::new(folder)).expect("the package's files"),
        source: SourceRecord {
            name: description.package.clone(),
            version: description.version.clone(),
            origin: "a test's".to_owned(),
            sha256: None,
        },
        needs: needs.collect(),
        libraries: LibrariesFrom::BuildRoot,
    }
}

/// A package of the R that was compiled for the runtime layer.
pub fn of_r(name: &str) -> LayerPackage {
    installed(&compiled_r_home().join("library").join(name))
}

/// A target with another limit of a request.
pub fn target_with_request(limit: u64) -> &'static Target {
    let mut target = Target::named(Target::DEFAULT).unwrap().clone();
    target.limits.zipped_in_request = limit;
    Box::leak(Box::new(target))
}

/// A plan, and what it borrows.
pub struct Bench {
    pub out: tempfile::TempDir,
    pub r: RVersion,
    pub said: Said,
}

impl Bench {
    pub fn new() -> Bench {
        Bench {
            out: tempfile::tempdir().unwrap(),
            r: "4.5.0".parse().unwrap(),
            said: Said::default(),
        }
    }

    /// A plan for the compiled R, whose packages are all asked for and not loaded.
    pub fn plan(&self, name: &'static str, packages: Vec<LayerPackage>) -> LayerPlan<'_> {
        LayerPlan {
            name,
            description: format!("{name}, for a test"),
            r_version: &self.r,
            target: Target::named(Target::DEFAULT).unwrap(),
            architecture: Architecture::X86_64,
            requested: packages
                .iter()
                .map(|package| package.name.clone())
                .collect(),
            packages,
            beside_packages: BesidePackages::default(),
            keep: Vec::new(),
            compression: Compression::Best,
            others: runtime(),
            build_roots: Vec::new(),
            rpm: None,
            pinned: &[],
            s3_bucket: None,
            entry_time: entry_time(None).unwrap(),
            out: self.out.path(),
            inputs: BTreeMap::new(),
            proof: Proof::Skipped,
        }
    }

    pub fn pack(&self, plan: &LayerPlan<'_>) -> anyhow::Result<PackedLayer> {
        let cache = Cache::from_environment().expect("the cache");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(pack(plan, &cache, &self.said))
    }

    /// The names of what lies in the folder of zips.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.out.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

/// The root that loading is tried in, the tests' own.
pub fn loading() -> Proof {
    crate::parts::lambda_root();
    Proof::In("debian:bullseye".to_owned())
}

/// Remembers notes, warnings and details.
#[derive(Default)]
pub struct Said(Mutex<Vec<String>>);

impl Said {
    pub fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }

    fn add(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

impl Reporter for Said {
    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task> {
        Silent.begin(what, total)
    }
    fn note(&self, line: &str) {
        self.add(line);
    }
    fn warn(&self, line: &str) {
        self.add(line);
    }
    fn detail(&self, line: &str) {
        self.add(line);
    }
}

/// A shared library of C source that needs these others.
pub fn library(path: &Path, soname: Option<&str>, source: &str, needs: &[&Path]) {
    let code = path.with_extension("c");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&code, source).unwrap();
    let mut gcc = Command::new("gcc");
    gcc.args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(path)
        .arg(&code);
    if let Some(soname) = soname {
        gcc.arg(format!("-Wl,-soname,{soname}"));
    }
    succeed(gcc.args(needs));
    std::fs::remove_file(code).unwrap();
}

/// The package `class`, copied, with a library of this source instead of its own; it needs the package MASS.
pub fn class_with(folder: &Path, source: &str, needs: &[&Path]) -> LayerPackage {
    let place = folder.join("class");
    let mut copy = Command::new("cp");
    let original = compiled_r_home().join("library/class");
    succeed(copy.arg("-r").arg(original).arg(&place));
    std::fs::remove_file(place.join("libs/class.so")).unwrap();
    library(&place.join("libs/class.so"), None, source, needs);
    installed(&place)
}
