//! R packages compiled from their sources, a whole closure: in the order of their dependencies, as many at once as that
//! allows, each in a sandbox of its own with what it needs and nothing else; each result cached by all its inputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::R;
use super::build_order::BuildOrder;
use super::compile::{CompileError, Compiler, INSTALL_PACKAGE, key, package_recipe_hash};
use super::failed_package::hint;
use super::furnished::Workshops;
use super::job_slots::JobSlots;
use super::script::{Script, Workbench};
use super::source::unpack_source;
use super::system_packages::{Asked, SystemPackages, manager_of};
use super::workshop::{Work, Workshop};
use crate::package::{Description, PackageManager, RVersion, check_package_name, is_base_package};
use crate::repository::Tarball;

/// A package to compile.
#[derive(Clone, Debug)]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// Its version, which the tarball must have.
    pub version: String,
    /// Its source.
    pub tarball: Tarball,
    /// All packages that it needs to be compiled and loaded, by name: those of Depends, Imports and LinkingTo, and theirs.
    pub needs: Vec<String>,
    /// Its field SystemRequirements.
    pub system_requirements: Option<String>,
    /// The packages of the build root's distribution that its repository says it needs to be compiled.
    pub listed_requirements: Vec<String>,
}

/// A package that is there, compiled, with its headers in `include` if it has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledPackage {
    /// Its folder, which holds its DESCRIPTION.
    pub folder: PathBuf,
    /// What tells it from another build of it; a part of the key of whatever needs it.
    pub identity: String,
}

/// A package that was compiled, now or before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledPackage {
    /// The package.
    pub installed: InstalledPackage,
    /// All that its compilation said; it may have been cleaned away since.
    pub log: PathBuf,
}

/// What came of a closure.
#[derive(Debug)]
pub struct CompiledPackages {
    /// By name.
    pub packages: BTreeMap<String, CompiledPackage>,
    /// The root file system whose libraries they are linked to; `/` on this machine itself.
    pub root: PathBuf,
}

/// Packages compiled from their sources against an R. What they need is among them, in `there`, or in R's own library.
/// Their system requirements are installed in a copy of the place where R is compiled, together with `system_packages`,
/// the names of packages of its distribution.
///
/// After a failure nothing more is begun; what is under way comes to its end, and is kept.
pub async fn compiled_packages(
    compiler: &Compiler<'_>,
    r: &R,
    packages: &[SourcePackage],
    there: &BTreeMap<String, InstalledPackage>,
    system_packages: &[String],
) -> Result<CompiledPackages, CompileError> {
    check(packages, there, r)?;
    let needs = packages
        .iter()
        .map(|package| (package.name.as_str(), &package.needs[..]));
    let order = BuildOrder::new(needs)?;
    let plain = compiler.workshop(Work::Packages).await?;
    let manager = manager_of(&plain.root);
    let asked = system_requirements(packages, there);
    let all = asked.keys().map(|name| asked_by(&asked, name));
    let system = SystemPackages::of(all, system_packages, manager)?;
    let workshops = compiler.workshops(plain, system).await?;
    let packages = packages.iter();
    let closure = Closure {
        compiler,
        r,
        packages: packages
            .map(|package| (&package.name[..], package))
            .collect(),
        there,
        manager,
        system_packages,
        asked: &asked,
        workshops: &workshops,
        slots: JobSlots::new(compiler.jobs, compiler.cache)?,
    };
    let compiled = closure.compile(order).await?;
    Ok(CompiledPackages {
        packages: compiled,
        root: workshops.fullest().root.clone(),
    })
}

impl Compiler<'_> {
    /// The root file system that packages are compiled in before what they need of the system is installed.
    pub async fn package_root(&self) -> Result<PathBuf, CompileError> {
        Ok(self.workshop(Work::Packages).await?.root)
    }
}

/// Names become parts of paths, and all that is needed must be somewhere.
fn check(
    packages: &[SourcePackage],
    there: &BTreeMap<String, InstalledPackage>,
    r: &R,
) -> Result<(), CompileError> {
    let names = packages.iter().map(|package| &package.name);
    for name in names.clone().chain(there.keys()) {
        check_package_name(name)?;
    }
    let library = r.home.path.join("library");
    for package in packages {
        for need in &package.needs {
            check_package_name(need)?;
            let is_there = is_base_package(need)
                || there.contains_key(need)
                || names.clone().any(|name| name == need)
                || library.join(need).is_dir();
            if !is_there {
                return Err(CompileError::MissingNeed {
                    package: package.name.clone(),
                    need: need.clone(),
                });
            }
        }
    }
    Ok(())
}

/// The field SystemRequirements of a package, and what its repository says.
type Requirements<'a> = (String, &'a [String]);

/// The system requirements of packages to compile, and of those that they need: whoever needs a package loads it, and so
/// needs its libraries too.
fn system_requirements<'a>(
    packages: &'a [SourcePackage],
    there: &BTreeMap<String, InstalledPackage>,
) -> BTreeMap<&'a str, Requirements<'a>> {
    let mut asked: BTreeMap<&str, Requirements<'_>> = BTreeMap::new();
    let needs = packages.iter().flat_map(|package| &package.needs);
    for (name, installed) in needs.filter_map(|need| Some((need, there.get(need)?))) {
        let text = fs_err::read_to_string(installed.folder.join("DESCRIPTION")).unwrap_or_default();
        let description = Description::parse(&text).ok();
        let field = description.and_then(|description| description.system_requirements);
        asked.insert(name.as_str(), (field.unwrap_or_default(), &[]));
    }
    for package in packages {
        let field = package.system_requirements.clone().unwrap_or_default();
        asked.insert(&package.name, (field, &package.listed_requirements));
    }
    asked
}

fn asked_by<'a>(all: &'a BTreeMap<&str, Requirements<'a>>, package: &'a str) -> Asked<'a> {
    let (field, listed) = all
        .get(package)
        .map_or(("", &[][..]), |(field, listed)| (field, listed));
    Asked {
        package,
        field,
        listed,
    }
}

/// Packages that are compiled together.
struct Closure<'a> {
    compiler: &'a Compiler<'a>,
    r: &'a R,
    packages: BTreeMap<&'a str, &'a SourcePackage>,
    there: &'a BTreeMap<String, InstalledPackage>,
    manager: PackageManager,
    system_packages: &'a [String],
    asked: &'a BTreeMap<&'a str, Requirements<'a>>,
    workshops: &'a Workshops,
    slots: Option<JobSlots>,
}

impl Closure<'_> {
    async fn compile(
        &self,
        mut order: BuildOrder,
    ) -> Result<BTreeMap<String, CompiledPackage>, CompileError> {
        let jobs = self.compiler.jobs.max(1);
        let mut done = BTreeMap::new();
        let mut running = FuturesUnordered::new();
        let mut failure = None;
        loop {
            while failure.is_none() && running.len() < jobs {
                // Cores that no other package uses are this one's.
                let at_once = (running.len() + order.ready()).clamp(1, jobs);
                let Some(package) = order.begin().and_then(|name| self.packages.get(&*name)) else {
                    break;
                };
                running.push(self.one(package, self.library(package, &done), jobs / at_once));
            }
            let Some((name, outcome)) = running.next().await else {
                break;
            };
            match outcome {
                Ok(compiled) => {
                    order.done(name);
                    done.insert(name.to_owned(), compiled);
                }
                Err(error) if failure.is_none() => {
                    failure = Some(error.and_stopped(order.stopped_by(name)));
                }
                // One is told; the others are in their logs.
                Err(_) => {}
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(done),
        }
    }

    /// What a package needs, by name: all but what R's own library has.
    fn library(
        &self,
        package: &SourcePackage,
        done: &BTreeMap<String, CompiledPackage>,
    ) -> BTreeMap<String, InstalledPackage> {
        let find = |need: &String| {
            let compiled = done.get(need).map(|compiled| &compiled.installed);
            compiled.or_else(|| self.there.get(need)).cloned()
        };
        package
            .needs
            .iter()
            .filter_map(|need| Some((need.clone(), find(need)?)))
            .collect()
    }

    /// Where a package is compiled.
    fn workshop(&self, package: &SourcePackage) -> Result<&Workshop, CompileError> {
        let names = std::iter::once(&package.name).chain(&package.needs);
        let asked = names.map(|name| asked_by(self.asked, name));
        let wanted = SystemPackages::of(asked, self.system_packages, self.manager)?;
        Ok(self.workshops.with(&wanted))
    }

    async fn one<'p>(
        &self,
        package: &'p SourcePackage,
        library: BTreeMap<String, InstalledPackage>,
        jobs: usize,
    ) -> (&'p str, Result<CompiledPackage, CompileError>) {
        let outcome = async {
            let compilation = Compilation {
                closure: self,
                package,
                library: &library,
                workshop: self.workshop(package)?,
                jobs,
            };
            compilation.result().await
        };
        (&package.name, outcome.await)
    }
}

/// One package's compilation.
struct Compilation<'a> {
    closure: &'a Closure<'a>,
    package: &'a SourcePackage,
    library: &'a BTreeMap<String, InstalledPackage>,
    workshop: &'a Workshop,
    jobs: usize,
}

impl Compilation<'_> {
    async fn result(&self) -> Result<CompiledPackage, CompileError> {
        let Closure { compiler, .. } = self.closure;
        let package = &self.package.name;
        let key = key(compiler, &self.inputs());
        let name = format!("{package}-{}-{key}", compiler.architecture);
        let log = compiler.log(&name);
        let kept = compiler
            .cache
            .get_or_make(
                "packages",
                &name,
                compiler.reporter,
                async |content: &Path| self.make(content, log.clone()).await,
            )
            .await?;
        Ok(CompiledPackage {
            installed: InstalledPackage {
                folder: kept.join(package),
                identity: key,
            },
            log,
        })
    }

    /// All that decides how it comes out.
    fn inputs(&self) -> BTreeMap<String, String> {
        let SourcePackage {
            name,
            version,
            tarball,
            ..
        } = self.package;
        let mut inputs = self.closure.r.inputs.clone();
        let mut add = |input: String, value: String| inputs.insert(input, value);
        add(
            "package".to_owned(),
            format!("{name} {version}, sha256 {}", tarball.sha256),
        );
        add(
            "package recipe".to_owned(),
            package_recipe_hash().to_string(),
        );
        add("packages' root".to_owned(), self.workshop.identity.clone());
        for (need, installed) in self.library {
            add(format!("needs {need}"), installed.identity.clone());
        }
        inputs
    }

    async fn make(&self, content: &Path, log: PathBuf) -> Result<(), CompileError> {
        let Closure { compiler, r, .. } = self.closure;
        let SourcePackage { name, version, .. } = self.package;
        let bench = Workbench::new(compiler.cache)?;
        let (package, folder) = (self.package.clone(), bench.unpacked("package"));
        // Some have a hundred MB, and the other compilations go on meanwhile.
        let unpacking = tokio::task::spawn_blocking(move || unpacked(&package, &folder));
        let top = unpacking.await.map_err(std::io::Error::other)??;
        bench.take(&top, "package")?;
        let library: BTreeMap<&str, &Path> = self
            .library
            .iter()
            .map(|(name, installed)| (name.as_str(), installed.folder.as_path()))
            .collect();
        let script = Script {
            what: format!("compiling the R package {name} {version}"),
            script: INSTALL_PACKAGE,
            workshop: self.workshop,
            r_home: Some(&r.home.path),
            library: &library,
            bench: &bench,
            stage: content,
            jobs: self.jobs,
            slots: self.closure.slots.as_ref(),
            log,
        };
        let _slot = self.closure.slots.as_ref().and_then(JobSlots::take);
        match script.run(compiler).await {
            Err(CompileError::Failed(source)) => Err(CompileError::PackageFailed {
                hint: hint(&script.log, self.closure.manager),
                stopped: Vec::new(),
                source: Box::new(source),
            }),
            outcome => outcome,
        }
    }
}

/// Unpacks a package's source and makes sure that it is the one that it should be. Returns the folder of its DESCRIPTION.
fn unpacked(package: &SourcePackage, folder: &Path) -> Result<PathBuf, CompileError> {
    let top = unpack_source(&package.tarball, folder)?;
    let tarball = package.tarball.known_as();
    let text = fs_err::read_to_string(top.join("DESCRIPTION")).unwrap_or_default();
    let found = Description::parse(&text).ok();
    let Some(found) = found.filter(|found| found.package == package.name) else {
        return Err(CompileError::OtherPackage {
            tarball,
            expected: package.name.clone(),
        });
    };
    let parsed = |version: &str| version.parse::<RVersion>().ok();
    if found.version != package.version && parsed(&found.version) != parsed(&package.version) {
        return Err(CompileError::OtherPackageVersion {
            tarball,
            found: format!("{} {}", found.package, found.version),
            expected: package.version.clone(),
        });
    }
    Ok(top)
}

impl CompileError {
    /// The same, with the packages that are not compiled because of it.
    fn and_stopped(mut self, names: Vec<String>) -> CompileError {
        if let CompileError::PackageFailed { stopped, .. } = &mut self {
            *stopped = names;
        }
        self
    }
}
