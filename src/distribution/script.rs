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
    /// The sources, and room to work.
    pub bench: &'a Workbench,
    /// The folder that receives what it makes; made here.
    pub stage: &'a Path,
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
                BuildPlace::Host => self.on_host(compiler),
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
        sources: &Path,
        work: &Path,
        stage: &Path,
        r_root: &Path,
    ) -> BTreeMap<String, OsString> {
        let variables: [(&str, OsString); 8] = [
            (
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into(),
            ),
            ("HOME", work.into()),
            ("SOURCES", sources.into()),
            ("WORK", work.into()),
            ("STAGE", stage.into()),
            ("R_ROOT", r_root.into()),
            ("JOBS", compiler.jobs.to_string().into()),
            ("BLAS", compiler.blas.name().into()),
        ];
        variables
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// The environment and the mounts of a root or a container, and the script's path in it.
    fn inside(&self, compiler: &Compiler<'_>) -> (BTreeMap<String, OsString>, Vec<Mount>, PathBuf) {
        let places = [
            "/tmp/r-layer/sources",
            "/tmp/r-layer/work",
            "/tmp/r-layer/stage",
        ]
        .map(PathBuf::from);
        let [sources, work, stage] = &places;
        let r_root = Path::new("/opt/R");
        let environment = self.environment(compiler, sources, work, stage, r_root);
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
                to: r_root.into(),
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

    fn on_host(&self, compiler: &Compiler<'_>) -> Command {
        let r_root = self.r_home.unwrap_or(Path::new("/opt/R"));
        let (sources, work) = (self.bench.sources(), self.bench.work());
        let mut command = Command::new("/bin/sh");
        command
            .arg(sources.join("recipe").join(self.script))
            .env_clear()
            .envs(self.environment(compiler, &sources, &work, self.stage, r_root));
        command
    }
}
