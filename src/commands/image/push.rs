//! `r-layer image push`.

use anyhow::{Context, Result};

use super::record::{ImageRecord, PushedImage};
use super::registry::{check_push, login, make_repository};
use crate::cli::{ImagePushArgs, RegistryOptions};
use crate::http::Patience;
use crate::image::layout::OciLayout;
use crate::image::{Image, ImageReference, Push, Pushed};
use crate::progress::Reporter;

/// Pushes what lies in a layout.
pub async fn push(args: &ImagePushArgs, reporter: &dyn Reporter) -> Result<PushedImage<Pushed>> {
    let reference: ImageReference = args.reference.parse()?;
    check_push(&reference, &args.registry)?;
    let (from, tag) = (args.from.clone(), args.tag.clone());
    // In a thread of its own, so that an interruption is heard while it reads.
    let read = move || OciLayout::open(&from)?.image(tag.as_deref());
    let image = tokio::task::spawn_blocking(read)
        .await?
        .context("--from names the image that is pushed")?;
    let pushed = push_image(&image, &reference, &args.registry, reporter).await?;
    if let Some(mut record) = ImageRecord::read(&args.from, &pushed.digest) {
        record.add(&pushed);
        record.write(&args.from)?;
    }
    Ok(PushedImage(pushed))
}

/// Pushes an image, into a repository that is made now if that was asked for.
pub async fn push_image(
    image: &Image,
    reference: &ImageReference,
    options: &RegistryOptions,
    reporter: &dyn Reporter,
) -> Result<Pushed> {
    make_repository(reference, options, reporter).await?;
    let push = Push {
        reference,
        patience: Patience::default(),
        login: login(reference, options, reporter).await?,
        reporter,
    };
    Ok(push.image(image).await?)
}
