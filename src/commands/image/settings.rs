//! What was typed, made sure of before anything is done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::ImageBuildArgs;
use crate::commands::settings;
use crate::function::code::{CodeTree, check_handler};
use crate::image::{ImageReference, ImageSettings};
use crate::layer::zip::entry_time;
use crate::manifest::Manifest;
use crate::target::{Architecture, Target};

/// Labels with short names. <https://github.com/opencontainers/image-spec/blob/main/annotations.md>
const SHORT_LABELS: [&str; 9] = [
    "title",
    "version",
    "revision",
    "description",
    "authors",
    "url",
    "source",
    "vendor",
    "licenses",
];

/// What an image is made of and from.
pub struct Settings {
    /// The project's folder.
    pub project: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// The function's code.
    pub code: CodeTree,
    /// For which processors, each once.
    pub architectures: Vec<Architecture>,
    /// Where the function is to run.
    pub target: &'static Target,
    /// The image that it is made from.
    pub base: ImageReference,
    /// How it is started, and what is told of it.
    pub image: ImageSettings,
    /// The time of everything in it: seconds since 1970.
    pub time: u64,
}

impl Settings {
    /// Checks what was typed.
    pub fn of(args: &ImageBuildArgs) -> Result<Settings> {
        let project = std::env::current_dir().context("the current folder is gone")?;
        let manifest = Manifest::read(&project)?;
        let section = &manifest.runtime;
        let target = settings::target(args.target.as_deref().or(section.target.as_deref()))?;
        let base = args.base.as_deref().unwrap_or(&target.image);
        let base: ImageReference = base.parse().context("--base names an image")?;
        let mut code = CodeTree::of(&args.code)?;
        for out in [&args.dist, args.output.as_ref().unwrap_or(&args.dist)] {
            leave_out(&mut code, &args.code, out);
        }
        let files: Vec<String> = code.tree.iter().map(|(path, _)| path.to_owned()).collect();
        check_handler(&args.handler, &files)?;
        let variable = std::env::var("SOURCE_DATE_EPOCH").ok();
        let time = entry_time(variable.as_deref())?.to_unix();
        let created = OffsetDateTime::from_unix_timestamp(time)?.format(&Rfc3339)?;
        let mut labels = BTreeMap::from([(full_label("title"), args.handler.clone())]);
        for text in &args.labels {
            let (name, value) = pair(text, "--label")?;
            labels.insert(full_label(&name), value);
        }
        let environment = args.environment.iter().map(|text| pair(text, "--env"));
        Ok(Settings {
            architectures: architectures(args, section.arch.first())?,
            image: ImageSettings {
                handler: args.handler.clone(),
                environment: environment.collect::<Result<_>>()?,
                labels,
                created,
            },
            time: u64::try_from(time).unwrap_or_default(),
            project,
            manifest,
            code,
            target,
            base,
        })
    }
}

/// `org.opencontainers.image.title` for `title`; others as they are.
pub fn full_label(name: &str) -> String {
    match SHORT_LABELS.contains(&name) {
        true => format!("org.opencontainers.image.{name}"),
        false => name.to_owned(),
    }
}

fn architectures(args: &ImageBuildArgs, usual: Option<&str>) -> Result<Vec<Architecture>> {
    let typed = args.architectures.iter();
    let mut architectures = typed
        .map(|name| Ok(name.parse()?))
        .collect::<Result<Vec<Architecture>>>()?;
    if architectures.is_empty() {
        architectures.push(settings::architecture(usual)?);
    }
    architectures.sort();
    architectures.dedup();
    Ok(architectures)
}

/// What is built lies at times within the code, and is none.
fn leave_out(code: &mut CodeTree, folder: &Path, built: &Path) {
    let whole = |path: &Path| fs_err::canonicalize(path).ok();
    let (Some(folder), Some(built)) = (whole(folder), whole(built)) else {
        return;
    };
    if let Ok(within) = built.strip_prefix(folder) {
        let within = within.to_string_lossy().replace('\\', "/");
        let below = format!("{within}/");
        code.tree
            .retain(|path, _| path != within && !path.starts_with(&below));
    }
}

fn pair(text: &str, flag: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => bail!("{flag} takes NAME=VALUE, and this is `{text}`"),
    }
}
