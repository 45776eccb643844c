//! `r-layer init`: a small project to start from.

mod template;
mod writing;

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::cli::InitArgs;
use crate::manifest::Manifest;
use crate::progress::Reporter;
use template::{ProjectFile, function_name, project};
use writing::{check_folder, is_there, write_all};

/// What was written, as it is printed.
#[derive(Debug, Serialize)]
pub struct NewProject {
    /// Is it what would be written, and nothing was?
    dry_run: bool,
    folder: String,
    function: String,
    written: Vec<WrittenFile>,
    /// What was there already, and is as it was.
    kept: Vec<&'static str>,
    /// What to type now, in the folder.
    next: Vec<String>,
}

#[derive(Debug, Serialize)]
struct WrittenFile {
    path: &'static str,
    what: &'static str,
}

impl fmt::Display for NewProject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            function, folder, ..
        } = self;
        writeln!(f, "{function} in {folder}")?;
        let width = self
            .written
            .iter()
            .map(|file| file.path.len())
            .max()
            .unwrap_or(0);
        for WrittenFile { path, what } in &self.written {
            writeln!(f, "  {path:width$}  {what}")?;
        }
        for path in &self.kept {
            writeln!(f, "  {path} was there already, and is as it was")?;
        }
        if self.dry_run {
            return writeln!(f, "a dry run: nothing was written");
        }
        writeln!(f, "next:")?;
        if folder != "." {
            writeln!(f, "  cd {folder}")?;
        }
        for command in &self.next {
            writeln!(f, "  {command}")?;
        }
        Ok(())
    }
}

/// Writes a project's files into a folder.
pub fn run(args: InitArgs, reporter: &dyn Reporter) -> Result<NewProject> {
    let function = match args.name {
        Some(name) => name,
        None => function_name(&name_of(&args.folder)?),
    };
    let files = project(&function);
    check_folder(&args.folder, &files)?;
    let is_kept = |file: &&ProjectFile| is_there(&args.folder.join(file.path));
    let (kept, new): (Vec<&ProjectFile>, Vec<&ProjectFile>) = files.iter().partition(is_kept);
    let kept: Vec<&'static str> = kept.iter().map(|file| file.path).collect();
    if !kept.is_empty() && !args.missing {
        bail!(
            "{} {} in {} already, and nothing is overwritten; --missing leaves what is there as it is and writes the others, \
             or name a new folder",
            kept.join(", "),
            if kept.len() == 1 { "is" } else { "are" },
            args.folder.display()
        );
    }
    if kept.contains(&Manifest::NAME) {
        check_manifest(&args.folder, &function, reporter)?;
    }
    if !args.dry_run {
        write_all(&args.folder, &new)?;
    }
    let written = new.iter().map(|file| WrittenFile {
        path: file.path,
        what: file.what,
    });
    Ok(NewProject {
        dry_run: args.dry_run,
        folder: args.folder.display().to_string(),
        written: written.collect(),
        kept,
        next: vec![
            "r-layer build runtime".to_owned(),
            "r-layer invoke --handler script.parity --event @event.json".to_owned(),
            "r-layer publish --region REGION".to_owned(),
            format!("r-layer deploy {function} --create-role --region REGION"),
        ],
        function,
    })
}

/// The name of a folder that may be `.` or not be there yet.
fn name_of(folder: &Path) -> Result<String> {
    let whole = match folder.file_name() {
        Some(_) => folder.to_owned(),
        None => {
            fs_err::canonicalize(folder).context("DIR names a folder, or one that is to be made")?
        }
    };
    let name = whole.file_name().unwrap_or_default();
    Ok(name.to_string_lossy().into_owned())
}

/// A manifest that was there knows nothing of the function.
fn check_manifest(folder: &Path, function: &str, reporter: &dyn Reporter) -> Result<()> {
    let manifest = Manifest::read(folder)?;
    if !manifest.functions.contains_key(function) {
        reporter.warn(&format!(
            "{} has no [functions.{function}]; the workflow wants one, with handler = \"script.parity\"",
            Manifest::NAME
        ));
    }
    Ok(())
}
