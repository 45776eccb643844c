//! Running the scripts of layers/runtime/build/ in a workshop.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::compile::{BuildPlace, CompileError, Compiler};
use super::workshop::Workshop;
use crate::cache::{Cache, Unfinished};
use crate::embedded;
use crate::sandbox::{Container, Engine, EngineImage, LoggedCommand, Mount, Sandbox};

/// The folders of one compilation on the cache's disk; gone when dropped.
pub struct Workbench {
    folder: Unfinished,
}

impl Workbench {
    /// Empty folders, with the recipe among the sources.
    pub fn new(cache: &Cache) -> Result<Workbench, CompileError> {
        let bench = Workbench {
            folder: cache.unfinished()?,
        };
        let recipe = bench.sources().join("recipe");
        for folder in [&recipe, &bench.work()] {
            fs_err::create_dir_all(folder)?;
        }
        for (name, content) in embedded::files("runtime/build") {
            fs_err::write(recipe.join(name), content)?;
        }
        Ok(bench)
    }

    /// Where a tarball is unpacked before anything is known of it.
    pub fn unpacked(&self, name: &str) -> PathBuf {
        self.folder.path().join("unpacked").join(name)
    }

    /// Makes a folder one of the sources.
    pub fn take(&self, folder: &Path, name: &str) -> std::io::Result<()> {
        fs_err::rename(folder, self.sources().join(name))
    }

    fn sources(&self) -> PathBuf {
        self.folder.path().join("sources")
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// A library with links to packages.
    fn library(&self, packages: &BTreeMap<&str, &Path>) -> std::io::Result<PathBuf> {
        let library = self.folder.path().join("library");
        fs_err::create_dir_all(&library)?;
        for (name, folder) in packages {
            fs_err::os::unix::fs::symlink(folder, library.join(name))?;
        }
        Ok(library)
    }
}

/// A run of one of the recipe's scripts.
pub struct Script<'a> {
    /// What it does, for messages.
    pub what: String,
    /// Its file name.
    pub script: &'a str,
    /// Where it runs.
    pub workshop: &'a Workshop,
    /// R's home, for compiling packages.
    pub r_home: Option<&'a Path>,
    /// The packages that are needed, by name: their folders.
    pub library: &'a BTreeMap<&'a str, &'a Path>,
    /// The sources, and room to work.
    pub bench: &'a Workbench,
    /// The folder that receives what it makes; made here.
    pub stage: &'a Path,
    /// How many compilers it runs at once.
    pub jobs: usize,
    /// Where all it says goes.
    pub log: PathBuf,
}

impl Script<'_> {
    /// Runs it to its end.
    pub async fn run(&self, compiler: &Compiler<'_>) -> Result<(), CompileError> {
        fs_err::create_dir_all(self.stage)?;
        if self.log.exists() {
            fs_err::remove_file(&self.log)?;
        }
        let task = compiler.reporter.begin(&self.what, None);
        let (what, log) = (self.what.as_str(), self.log.as_path());
        if let Some((engine, image)) = &self.workshop.engine {
            let container = self.in_container(compiler, engine, image);
            container.logged(what, log, &*task).await?;
        } else {
            let command = match compiler.place {
                BuildPlace::Host => self.on_host(compiler)?,
                _ => self.in_root(compiler)?,
            };
            LoggedCommand { what, command, log }.run(&*task).await?;
        }
        task.finish(&format!("done: {}", self.what));
        Ok(())
    }

    fn environment(
        &self,
        compiler: &Compiler<'_>,
        places: Places<'_>,
    ) -> BTreeMap<String, OsString> {
        let Places {
            sources,
            work,
            stage,
            library,
            r_root,
        } = places;
        let variables: [(&str, OsString); 9] = [
            (
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into(),
            ),
            ("HOME", work.into()),
            ("SOURCES", sources.into()),
            ("WORK", work.into()),
            ("STAGE", stage.into()),
            ("R_ROOT", r_root.into()),
            ("LIBRARY", library.into()),
            ("JOBS", self.jobs.to_string().into()),
            ("BLAS", compiler.blas.name().into()),
        ];
        variables
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// The environment and the mounts of a root or a container, and the script's path in it.
    fn inside(&self, compiler: &Compiler<'_>) -> (BTreeMap<String, OsString>, Vec<Mount>, PathBuf) {
        let inside = Path::new("/tmp/r-layer");
        let [sources, work, stage, library] =
            ["sources", "work", "stage", "library"].map(|name| inside.join(name));
        let places = Places {
            sources: &sources,
            work: &work,
            stage: &stage,
            library: &library,
            r_root: Path::new("/opt/R"),
        };
        let environment = self.environment(compiler, places);
        let mut mounts = vec![
            Mount::ReadOnly {
                from: self.bench.sources(),
                to: sources.clone(),
            },
            Mount::Writable {
                from: self.bench.work(),
                to: work.clone(),
            },
            Mount::Writable {
                from: self.stage.into(),
                to: stage.clone(),
            },
        ];
        if let Some(home) = self.r_home {
            mounts.push(Mount::ReadOnly {
                from: home.into(),
                to: places.r_root.into(),
            });
        }
        for (name, folder) in self.library {
            mounts.push(Mount::ReadOnly {
                from: (*folder).into(),
                to: library.join(name),
            });
        }
        (
            environment,
            mounts,
            sources.join("recipe").join(self.script),
        )
    }

    fn in_root(&self, compiler: &Compiler<'_>) -> Result<Command, CompileError> {
        let (environment, mounts, script) = self.inside(compiler);
        let mut sandbox = Sandbox::new(&self.workshop.root);
        sandbox.environment = environment;
        sandbox.network = false;
        sandbox.mounts.extend(mounts);
        Ok(sandbox.command("/bin/sh", &[&script.to_string_lossy()])?)
    }

    fn in_container(
        &self,
        compiler: &Compiler<'_>,
        engine: &Engine,
        image: &EngineImage,
    ) -> Container {
        let (environment, mounts, script) = self.inside(compiler);
        engine.isolated_script(image, &mounts, &environment, &script)
    }

    fn on_host(&self, compiler: &Compiler<'_>) -> Result<Command, CompileError> {
        let (sources, work) = (self.bench.sources(), self.bench.work());
        let library = self.bench.library(self.library)?;
        let places = Places {
            sources: &sources,
            work: &work,
            stage: self.stage,
            library: &library,
            r_root: self.r_home.unwrap_or(Path::new("/opt/R")),
        };
        let mut command = Command::new("/bin/sh");
        command
            .arg(sources.join("recipe").join(self.script))
            .env_clear()
            .envs(self.environment(compiler, places));
        Ok(command)
    }
}

/// The folders that a script is told of, as it sees them.
#[derive(Clone, Copy)]
struct Places<'a> {
    sources: &'a Path,
    work: &'a Path,
    stage: &'a Path,
    library: &'a Path,
    r_root: &'a Path,
}
