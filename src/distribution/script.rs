//! Running the scripts of layers/runtime/build/ in a workshop.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::compile::{CompileError, Compiler};
use super::workshop::Workshop;
use crate::sandbox::{LoggedCommand, Mount, Sandbox};

/// A run of one of the recipe's scripts.
pub struct Script<'a> {
    /// What it does, for messages.
    pub what: String,
    /// Its file name.
    pub name: &'a str,
    /// Where it runs.
    pub workshop: &'a Workshop,
    /// Is that this machine itself?
    pub on_host: bool,
    /// R's home, for compiling packages.
    pub r_home: Option<&'a Path>,
    /// The folder of sources, with the script in `recipe/`.
    pub sources: &'a Path,
    /// An empty folder to work in.
    pub work: &'a Path,
    /// The folder that receives what it makes.
    pub stage: &'a Path,
    /// Where all it says goes.
    pub log: PathBuf,
}

impl Script<'_> {
    /// Runs it to its end.
    pub async fn run(&self, compiler: &Compiler<'_>) -> Result<(), CompileError> {
        let command = if self.on_host {
            self.on_host(compiler)
        } else {
            self.in_root(compiler)?
        };
        if self.log.exists() {
            fs_err::remove_file(&self.log)?;
        }
        let task = compiler.reporter.begin(&self.what, None);
        LoggedCommand {
            what: &self.what,
            command,
            log: &self.log,
        }
        .run(&*task)
        .await?;
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

    fn in_root(&self, compiler: &Compiler<'_>) -> Result<Command, CompileError> {
        let places = [
            "/tmp/r-layer/sources",
            "/tmp/r-layer/work",
            "/tmp/r-layer/stage",
        ]
        .map(PathBuf::from);
        let [sources, work, stage] = &places;
        let r_root = Path::new("/opt/R");
        let mut sandbox = Sandbox::new(&self.workshop.root);
        sandbox.environment = self.environment(compiler, sources, work, stage, r_root);
        sandbox.mounts.extend([
            Mount::ReadOnly {
                from: self.sources.into(),
                to: sources.clone(),
            },
            Mount::Writable {
                from: self.work.into(),
                to: work.clone(),
            },
            Mount::Writable {
                from: self.stage.into(),
                to: stage.clone(),
            },
        ]);
        if let Some(home) = self.r_home {
            sandbox.mounts.push(Mount::ReadOnly {
                from: home.into(),
                to: r_root.into(),
            });
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
