//! What was typed, made sure of before anything is done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::record::ImageRecord;
use crate::cli::ImageBuildArgs;
use crate::commands::settings;
use crate::function::code::{CodeTree, LeftOut, check_handler};
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
        let layout = layout_of(args);
        let mut built = vec![args.dist.clone(), ImageRecord::path_for(&layout), layout];
        // A folder of the code may have the name of a layer in dist.
        let zips = args.layers.iter().map(PathBuf::from);
        built.extend(zips.filter(|zip| zip.is_file()));
        for built in &built {
            leave_out(&mut code, &args.code, built);
        }
        let files: Vec<String> = code.tree.iter().map(|(path, _)| path.to_owned()).collect();
        check_handler(&args.handler, &files)?;
        if args.handler.contains(char::is_control) {
            bail!("--handler takes FILE.FUNCTION on one line");
        }
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

/// Where the layout goes.
pub fn layout_of(args: &ImageBuildArgs) -> PathBuf {
    let by_default = || args.dist.join("image");
    args.output.clone().unwrap_or_else(by_default)
}

/// What is built, and of what, lies at times within the code, and is none.
fn leave_out(code: &mut CodeTree, folder: &Path, built: &Path) {
    let whole = |path: &Path| fs_err::canonicalize(path).ok();
    let (Some(folder), Some(built)) = (whole(folder), whole(built)) else {
        return;
    };
    if let Ok(within) = built.strip_prefix(folder) {
        let within = within.to_string_lossy().replace('\\', "/");
        let below = format!("{within}/");
        let before = code.tree.iter().count();
        code.tree
            .retain(|path, _| path != within && !path.starts_with(&below));
        if code.tree.iter().count() < before {
            code.left_out.push(LeftOut {
                path: within,
                reason: "what the image is built of, or was before".to_owned(),
                is_expected: true,
            });
        }
    }
}

fn pair(text: &str, flag: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        _ if text.contains(char::is_control) => bail!(
            "{flag} takes NAME=VALUE on one line, and `{}` has a character that ends a line or cannot be seen",
            text.escape_debug()
        ),
        Some((name, _)) if name.contains(char::is_whitespace) => {
            bail!("{flag} takes NAME=VALUE, and the name `{name}` has a space")
        }
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => bail!("{flag} takes NAME=VALUE, and this is `{text}`"),
    }
}
