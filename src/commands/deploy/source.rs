//! What a function is made from: R code that becomes a zip, or an image in ECR.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::aws::DeployedFunction;
use crate::checksum::Sha256;
use crate::cli::RegistryOptions;
use crate::commands::aws_session::Signed;
use crate::commands::image::login;
use crate::function::code::FunctionCode;
use crate::http::Patience;
use crate::image::{ImageReference, Images};
use crate::progress::Reporter;
use crate::publication::{Partition, Region};
use crate::target::Architecture;

/// What a function is made from.
pub enum Source {
    /// Code, as a zip.
    Code(FunctionCode),
    /// An image, as it was named.
    Image(ImageReference),
}

/// An image of one processor, which Lambda takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceImage {
    /// The repository and the digest of the manifest.
    pub uri: String,
    /// That digest.
    pub digest: Sha256,
}

impl Source {
    /// Packs the code; an image is looked at later, when it is known for which processor.
    pub async fn of(code: PathBuf, image: Option<&ImageReference>) -> Result<Source> {
        if let Some(image) = image {
            return Ok(Source::Image(image.clone()));
        }
        let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
        // In a thread of its own, so that an interruption is heard while it reads.
        let pack = move || FunctionCode::pack(&code, epoch.as_deref());
        let code = tokio::task::spawn_blocking(pack).await??;
        Ok(Source::Code(code))
    }

    /// The code, if it is made from some.
    pub fn code(&self) -> Option<&FunctionCode> {
        match self {
            Source::Code(code) => Some(code),
            Source::Image(_) => None,
        }
    }
}

/// The image of a processor that a name leads to now: Lambda takes no index, and no name that may mean another tomorrow.
///
/// # Errors
/// If it is not in ECR of the function's region.
pub async fn resolved(
    image: &ImageReference,
    architecture: Architecture,
    signed: &Signed,
    region: &Region,
    registry: &RegistryOptions,
    reporter: &dyn Reporter,
) -> Result<SourceImage> {
    let name = |region: &Region| {
        format!(
            "{}.dkr.ecr.{region}.{}/{}:{}",
            signed.account,
            match Partition::of(region).as_str() {
                "aws-cn" => "amazonaws.com.cn",
                _ => "amazonaws.com",
            },
            image.repository(),
            image.tag()
        )
    };
    match image.ecr() {
        None => bail!(
            "{image} is in the registry {}, and Lambda takes images from ECR of the function's region only: build it \
             for there (r-layer image build --push {name} --create-repository) or copy it (skopeo copy docker://{image} \
             docker://{name}), and deploy that",
            image.registry(),
            name = name(region)
        ),
        Some(ecr) if ecr.region != *region => bail!(
            "{image} is in ECR of {}, and the function is in {region}: Lambda takes images of the function's region only; \
             push it to {}, or deploy with --region {}",
            ecr.region,
            name(region),
            ecr.region
        ),
        Some(_) => {}
    }
    let cache = crate::cache::Cache::from_environment()?;
    let images = Images {
        cache: &cache,
        patience: Patience::default(),
        login: Some(login(image, registry, reporter).await?),
        reporter,
    };
    let found = images.resolve(image, architecture).await?;
    if found.is_from_index {
        reporter.detail(&format!(
            "{image} has images for several processors; the one for {architecture} is {}",
            found.digest.oci()
        ));
    }
    Ok(SourceImage {
        uri: image.by_digest(&found.digest),
        digest: found.digest,
    })
}

/// A function is of a zip or of an image for all its life.
pub fn check_kind(function: &DeployedFunction, source: &Source) -> Result<()> {
    match (function.is_image, source) {
        (true, Source::Code(_)) => bail!(
            "{name} is a container image, and stays one: r-layer deploy {name} --image REF brings another image; code goes \
             under another name, or after r-layer destroy {name}",
            name = function.name
        ),
        (false, Source::Image(_)) => bail!(
            "{name} is made from a zip, and cannot become a container image: deploy the image under another name, or after \
             r-layer destroy {name}",
            name = function.name
        ),
        _ => Ok(()),
    }
}
