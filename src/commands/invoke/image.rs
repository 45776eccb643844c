//! An image that is invoked here: its own file system, started as its configuration says.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cache::Cache;
use crate::cli::{AwsOptions, RegistryOptions};
use crate::commands::image::login;
use crate::http::Patience;
use crate::image::layout::OciLayout;
use crate::image::{
    ImageReference, Images, PlatformImage, command_of, environment_of, working_folder_of,
};
use crate::progress::Reporter;
use crate::runtime_api::{FunctionFiles, ImageStart};
use crate::sandbox::check_runs;
use crate::target::Architecture;

/// Which image is invoked.
pub struct ImageWanted<'a> {
    /// A registry's name for it, or a layout.
    pub name: &'a str,
    /// The handler that takes the place of its command.
    pub handler: Option<&'a str>,
    /// For which processor.
    pub architecture: Option<Architecture>,
    /// Who we are to ECR.
    pub aws: &'a AwsOptions,
}

/// An image's file system, and how it is started.
pub struct InvokedImage {
    /// The file system.
    pub root: PathBuf,
    /// How it is started.
    pub files: FunctionFiles,
}

impl InvokedImage {
    /// Unpacks an image, of a layout or of a registry.
    pub async fn of(
        wanted: &ImageWanted<'_>,
        cache: &Cache,
        reporter: &dyn Reporter,
    ) -> Result<InvokedImage> {
        let name = wanted.name;
        let (root, config) = match Path::new(name) {
            path if path.exists() || name.ends_with(".tar") => {
                of_layout(path, wanted.architecture, cache, reporter).await?
            }
            _ => of_registry(wanted, cache, reporter).await?,
        };
        reporter.note(&format!("root: {} ({name})", root.display()));
        let command = command_of(&config, wanted.handler);
        if command.is_empty() {
            bail!(
                "{name} has neither an entry point nor a command; r-layer image build makes images that Lambda starts"
            );
        }
        let start = ImageStart {
            command,
            environment: environment_of(&config),
            working_folder: working_folder_of(&config).to_owned(),
        };
        Ok(InvokedImage {
            root,
            files: FunctionFiles::Image(start),
        })
    }
}

async fn of_layout(
    path: &Path,
    architecture: Option<Architecture>,
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<(PathBuf, Value)> {
    let layout = OciLayout::open(path).context("--image names an image: REF, or a layout")?;
    let images = images(cache, None, reporter);
    let image = match architecture.or_else(Architecture::of_this_machine) {
        Some(wanted) => match (layout.platform(wanted.oci_name()), architecture) {
            (Err(_), None) => only(&layout)?,
            (image, _) => image?,
        },
        None => only(&layout)?,
    };
    let architecture: Architecture = image.architecture.parse()?;
    check_runs(architecture)
        .with_context(|| format!("{} is for {architecture}", path.display()))?;
    let root = images.root_of(&image, &path.display().to_string()).await?;
    let config = serde_json::from_slice(&image.config.read()?)?;
    Ok((root, config))
}

/// The image of a layout that is for one processor alone.
fn only(layout: &OciLayout) -> Result<PlatformImage> {
    let mut platforms = layout.image(None)?.platforms;
    match (platforms.pop(), platforms.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => bail!(
            "the image is for several processors, and not for this machine's; name one with --arch"
        ),
    }
}

async fn of_registry(
    wanted: &ImageWanted<'_>,
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<(PathBuf, Value)> {
    let name = wanted.name;
    let reference: ImageReference = name
        .parse()
        .context("--image names an image: REF, or the folder or .tar of a layout")?;
    let architecture = match wanted.architecture.or_else(Architecture::of_this_machine) {
        Some(architecture) => architecture,
        None => bail!("this machine's processor is none of Lambda's; type --arch"),
    };
    check_runs(architecture).with_context(|| format!("{name} is wanted for {architecture}"))?;
    let options = RegistryOptions {
        aws: wanted.aws.clone(),
        ..RegistryOptions::default()
    };
    let login = login(&reference, &options, reporter).await?;
    let images = images(cache, Some(login), reporter);
    let root = match images.root(&reference, architecture).await {
        Err(error) if error.is_unreachable() => {
            let Some(kept) = images.kept(&reference, architecture) else {
                return Err(error.into());
            };
            reporter.warn(&format!("{error}; taking it as it was pulled before"));
            kept
        }
        root => root?,
    };
    let config = images
        .config(&reference.at(&root.digest), architecture)
        .await?;
    Ok((root.path, config))
}

fn images<'a>(
    cache: &'a Cache,
    login: Option<crate::image::RegistryLogin>,
    reporter: &'a dyn Reporter,
) -> Images<'a> {
    Images {
        cache,
        patience: Patience::default(),
        login,
        reporter,
    }
}
