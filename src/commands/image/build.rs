//! `r-layer image build`: a base, the runtime's bootstrap where the base looks for it, layers, code.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::base::Bases;
use super::layers::{Zip, Zips};
use super::push::push_image;
use super::record::{BuiltImage, ImageRecord, PlatformLine, layer_lines};
use super::registry::{check_push, login};
use super::settings::{Settings, full_label, layout_of};
use crate::cache::Cache;
use crate::checksum::Sha256;
use crate::cli::ImageBuildArgs;
use crate::image::layout::{check_place, is_tarball, write_folder, write_tarball};
use crate::image::{
    Blob, BlobContent, GZIPPED_LAYER, Image, ImageLayer, ImageReference, LayerContent, LayerError,
    PlatformImage, RUNTIME_BOOTSTRAP, TASK_ROOT, WrittenLayer, is_lambda_base,
};
use crate::layer::{Entry, LayerTree};
use crate::lockfile::Lockfile;
use crate::progress::Reporter;

/// What Lambda takes, unpacked. <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const LARGEST: u64 = 10 << 30;

/// Who writes layers. Another version may make other bytes, so that what was kept of this one is not taken.
const WRITER: &str = concat!("r-layer ", env!("CARGO_PKG_VERSION"));

/// What the base starts: it becomes the bootstrap of the layers, which finds its files beside itself. A base that is not
/// Lambda's starts it with the handler, as Lambda starts every image.
pub(super) const BOOTSTRAP: &str = "#!/bin/sh\n\
    # Started by the image's entry point; the runtime itself is in the layers.\n\
    if [ -z \"$_HANDLER\" ]; then export _HANDLER=\"$1\"; fi\n\
    exec /opt/bootstrap\n";

/// Builds an image, and pushes it, if that was asked for.
pub async fn build(args: &ImageBuildArgs, reporter: &dyn Reporter) -> Result<BuiltImage> {
    let settings = Settings::of(args)?;
    let push_to: Option<ImageReference> = args.push.as_deref().map(str::parse).transpose()?;
    if args.registry.create_repository && push_to.is_none() {
        bail!("--create-repository goes with --push, or with r-layer image push");
    }
    let path = (push_to.is_none() || args.output.is_some()).then(|| layout_of(args));
    if let Some(reference) = &push_to {
        check_push(reference, &args.registry)?;
    }
    if let Some(path) = &path {
        check_place(path)?;
        ImageRecord::check_place(path)?;
    }
    for out in &settings.code.left_out {
        reporter.detail(&format!("left out: {} ({})", out.path, out.reason));
    }
    let cache = Cache::from_environment()?;
    let builder = Builder {
        args,
        settings: &settings,
        cache: &cache,
        reporter,
    };
    let (image, platforms) = builder.image().await?;
    let mut record = ImageRecord::of(&image, &args.handler, platforms);
    if let Some(path) = &path {
        write_layout(&image, &args.tag, path).await?;
        record.write(path)?;
    }
    let push = match &push_to {
        Some(reference) => {
            let pushed = push_image(&image, reference, &args.registry, reporter).await?;
            record.add(&pushed);
            if let Some(path) = &path {
                record.write(path)?;
            }
            Some(pushed)
        }
        None => None,
    };
    Ok(BuiltImage { path, record, push })
}

async fn write_layout(image: &Image, tag: &str, path: &Path) -> Result<()> {
    let (image, tag, path) = (image.clone(), tag.to_owned(), path.to_owned());
    // In a thread of its own, so that an interruption is heard while it writes.
    let write = move || match is_tarball(&path) {
        true => write_tarball(&image, &tag, &path),
        false => write_folder(&image, &tag, &path),
    };
    Ok(tokio::task::spawn_blocking(write).await??)
}

/// Builds images.
struct Builder<'a> {
    args: &'a ImageBuildArgs,
    settings: &'a Settings,
    cache: &'a Cache,
    reporter: &'a dyn Reporter,
}

impl Builder<'_> {
    async fn image(&self) -> Result<(Image, Vec<PlatformLine>)> {
        let settings = self.settings;
        let mut lines = Vec::new();
        let mut platforms = Vec::new();
        let mut image_settings = settings.image.clone();
        let bases = Bases {
            settings,
            cache: self.cache,
            login: login(&settings.base, &self.args.registry, self.reporter).await?,
            upgrade: self.args.upgrade,
            reporter: self.reporter,
        };
        for architecture in settings.architectures.iter().copied() {
            let zips = Zips::find(self.args, settings, architecture, self.reporter).await?;
            if let Some(licenses) = zips.licenses() {
                let label = full_label("licenses");
                image_settings.labels.entry(label).or_insert(licenses);
            }
            // Read when the layers are found: packages of the code may have been locked meanwhile.
            let mut lock = Lockfile::read(&settings.project)?;
            let base = bases.get(architecture, &mut lock).await?;
            lock.write()?;
            if !is_lambda_base(&base.config) {
                self.reporter.note(&format!(
                    "{} is not started as AWS's images are: the runtime becomes its entry point",
                    settings.base
                ));
            }
            let layers = self.layers(&zips).await?;
            check_size(&layers)?;
            let blobs: Vec<ImageLayer> = layers.into_iter().map(|(layer, _)| layer).collect();
            let image = PlatformImage::assemble(&base, architecture, &blobs, &image_settings)?;
            lines.push(PlatformLine {
                architecture,
                digest: image.manifest.digest.oci(),
                base: base.reference.at(&base.digest).to_string(),
                layers: layer_lines(&blobs),
            });
            platforms.push(image);
        }
        Ok((Image::of(platforms, &image_settings)?, lines))
    }

    /// What comes on top of the base: what changes seldom first, the code last. With the bytes of the files.
    async fn layers(&self, zips: &Zips) -> Result<Vec<(ImageLayer, u64)>> {
        let mut layers = vec![self.bootstrap().await?];
        for zip in &zips.zips {
            layers.push(self.zip(zip).await?);
        }
        layers.push(self.code().await?);
        Ok(layers)
    }

    async fn bootstrap(&self) -> Result<(ImageLayer, u64)> {
        let mut tree = LayerTree::default();
        let path = RUNTIME_BOOTSTRAP.trim_start_matches('/');
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        tree.insert(name, Entry::bytes(BOOTSTRAP.as_bytes(), true));
        let content = LayerContent::of_tree(&tree, folder, "bootstrap")?;
        let key = content.fingerprint()?;
        self.layer("bootstrap", key, content).await
    }

    async fn zip(&self, zip: &Zip) -> Result<(ImageLayer, u64)> {
        let content = LayerContent::of_zip(&zip.archive, "opt")?;
        self.layer(&zip.archive.name, zip.archive.sha256, content)
            .await
    }

    async fn code(&self) -> Result<(ImageLayer, u64)> {
        let code = &self.settings.code;
        let folder = TASK_ROOT.trim_start_matches('/');
        let name = code.folder.display().to_string();
        let content = LayerContent::of_tree(&code.tree, folder, &name)?;
        let key = content.fingerprint()?;
        self.layer("code", key, content).await
    }

    /// A layer from the cache, or written now.
    async fn layer(
        &self,
        title: &str,
        key: Sha256,
        content: LayerContent,
    ) -> Result<(ImageLayer, u64)> {
        let time = self.settings.time;
        let parts = [
            WRITER.as_bytes(),
            key.bytes(),
            &time.to_le_bytes(),
            title.as_bytes(),
        ];
        let name = Sha256::of_parts(parts).short();
        let make = async |folder: &Path| {
            let what = format!("packing {title}");
            self.cache
                .need_room(&what, content.unpacked() / 1_000_000)?;
            let task = self.reporter.begin(&what, None);
            let folder = folder.to_owned();
            // In a thread of its own, so that an interruption is heard while it writes.
            tokio::task::spawn_blocking(move || write_layer(&content, time, &folder)).await??;
            task.finish(&format!("packed {title}"));
            anyhow::Ok(())
        };
        let folder = self
            .cache
            .get_or_make("image-layers", &name, self.reporter, make)
            .await?;
        let written = fs_err::read(folder.join(WRITTEN))?;
        let written: WrittenLayer = serde_json::from_slice(&written)?;
        let layer = ImageLayer {
            blob: Blob {
                media_type: GZIPPED_LAYER.to_owned(),
                digest: written.digest,
                size: written.size,
                content: BlobContent::File(folder.join(BLOB)),
            },
            diff_id: written.diff_id,
            title: title.to_owned(),
        };
        Ok((layer, written.unpacked))
    }
}

/// The files of a layer in the cache.
const BLOB: &str = "layer.tar.gz";
const WRITTEN: &str = "layer.json";

fn write_layer(content: &LayerContent, time: u64, folder: &PathBuf) -> Result<(), LayerError> {
    fs_err::create_dir_all(folder)?;
    let written = content.write(time, &folder.join(BLOB))?;
    let text = serde_json::to_vec(&written).map_err(std::io::Error::from)?;
    fs_err::write(folder.join(WRITTEN), text)?;
    Ok(())
}

fn check_size(layers: &[(ImageLayer, u64)]) -> Result<()> {
    let unpacked: u64 = layers.iter().map(|(_, unpacked)| unpacked).sum();
    if unpacked <= LARGEST {
        return Ok(());
    }
    let largest = layers.iter().max_by_key(|(_, unpacked)| unpacked);
    let (layer, size) = largest.context("an image has layers")?;
    bail!(
        "the image would have {unpacked} bytes beside its base, and Lambda takes {LARGEST} in all; the largest layer is {} \
         with {size}",
        layer.title
    )
}
