//! What was built, as it is printed and kept beside the layout: `dist/image.image.json`.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::image::{Image, ImageLayer, Pushed};
use crate::target::Architecture;
use crate::terminal::human_size;

/// A layer of an image.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LayerLine {
    /// What it is: a zip's name, `bootstrap`, `code`.
    pub title: String,
    /// The digest of its blob.
    pub digest: String,
    /// Bytes of its blob.
    pub size: u64,
}

/// An image for one architecture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlatformLine {
    /// For which.
    pub architecture: Architecture,
    /// The digest of its manifest: what Lambda takes.
    pub digest: String,
    /// The base's, with its digest.
    pub base: String,
    /// What comes on top of it.
    pub layers: Vec<LayerLine>,
}

/// Where it was pushed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedLine {
    /// Under which name.
    pub reference: String,
    /// What the name led to then.
    pub digest: String,
}

/// What an image is. It holds no time: the same inputs give the same record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImageRecord {
    /// Version of this format.
    pub record_version: u32,
    /// What a tag leads to: the manifest of the only architecture, or an index.
    pub digest: String,
    /// The handler that it is started with.
    pub handler: String,
    /// One for each architecture.
    pub platforms: Vec<PlatformLine>,
    /// Where it was pushed to.
    pub pushed: Vec<PushedLine>,
}

impl ImageRecord {
    /// The record of an image.
    pub fn of(image: &Image, handler: &str, platforms: Vec<PlatformLine>) -> ImageRecord {
        ImageRecord {
            record_version: 1,
            digest: image.top().map_or_else(String::new, |top| top.digest.oci()),
            handler: handler.to_owned(),
            platforms,
            pushed: Vec::new(),
        }
    }

    /// Where the record of a layout lies: `dist/image.image.json` for `dist/image`, `fn.tar.image.json` for `fn.tar`.
    pub fn path_for(layout: &Path) -> PathBuf {
        let mut path = layout.components().as_path().as_os_str().to_owned();
        path.push(".image.json");
        PathBuf::from(path)
    }

    /// Makes sure that a record beside a layout would replace nothing but another record.
    pub fn check_place(layout: &Path) -> Result<()> {
        let path = ImageRecord::path_for(layout);
        let is_record = || {
            let text = fs_err::read(&path).ok()?;
            serde_json::from_slice::<ImageRecord>(&text).ok()
        };
        if path.symlink_metadata().is_ok() && is_record().is_none() {
            bail!(
                "{} is there already and is no record of an image; the record of {} would replace it. Rename it, or name \
                 another place with -o",
                path.display(),
                layout.display()
            );
        }
        Ok(())
    }

    /// The record beside a layout, if it is of that image.
    pub fn read(layout: &Path, digest: &str) -> Option<ImageRecord> {
        let text = fs_err::read(ImageRecord::path_for(layout)).ok()?;
        let record: ImageRecord = serde_json::from_slice(&text).ok()?;
        (record.digest == digest).then_some(record)
    }

    /// Notes a push.
    pub fn add(&mut self, pushed: &Pushed) {
        self.pushed
            .retain(|other| other.reference != pushed.reference);
        self.pushed.push(PushedLine {
            reference: pushed.reference.clone(),
            digest: pushed.digest.clone(),
        });
    }

    /// Writes it beside a layout. Where the image was pushed to before is kept, if it is the same one.
    pub fn write(&mut self, layout: &Path) -> Result<()> {
        for old in ImageRecord::read(layout, &self.digest).map_or_else(Vec::new, |old| old.pushed) {
            if self.pushed.iter().all(|new| new.reference != old.reference) {
                self.pushed.push(old);
            }
        }
        self.pushed
            .sort_by(|one, other| one.reference.cmp(&other.reference));
        let path = ImageRecord::path_for(layout);
        let write = || -> Result<()> {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            fs_err::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            crate::os::set_mode(file.path(), 0o644)?;
            file.persist(&path)?;
            Ok(())
        };
        write().with_context(|| format!("the record {} is not written", path.display()))
    }
}

/// The lines of layers.
pub fn layer_lines(layers: &[ImageLayer]) -> Vec<LayerLine> {
    let layers = layers.iter();
    layers
        .map(|layer| LayerLine {
            title: layer.title.clone(),
            digest: layer.blob.digest.oci(),
            size: layer.blob.size,
        })
        .collect()
}

/// What was built, as it is printed.
#[derive(Debug, Serialize)]
pub struct BuiltImage {
    /// The layout, if one was written.
    pub path: Option<PathBuf>,
    /// What it is.
    #[serde(flatten)]
    pub record: ImageRecord,
    /// What came of pushing it.
    pub push: Option<Pushed>,
}

impl fmt::Display for BuiltImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            writeln!(f, "{}", path.display())?;
        }
        for platform in &self.record.platforms {
            let PlatformLine {
                architecture, base, ..
            } = platform;
            writeln!(f, "  {architecture}, from {base}")?;
            for layer in &platform.layers {
                writeln!(f, "  {:>9}  {}", human_size(layer.size), layer.title)?;
            }
            if self.record.platforms.len() > 1 {
                writeln!(f, "  {}", platform.digest)?;
            }
        }
        writeln!(f, "  {}", self.record.digest)?;
        match &self.push {
            Some(pushed) => PushedImage(pushed).fmt(f),
            None => Ok(()),
        }
    }
}

/// What came of a push, as it is printed.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct PushedImage<T>(pub T);

impl<T: std::borrow::Borrow<Pushed>> fmt::Display for PushedImage<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pushed = self.0.borrow();
        writeln!(f, "{}@{}", pushed.reference, pushed.digest)?;
        writeln!(
            f,
            "  {} sent ({}), {} there already",
            match pushed.sent {
                1 => "1 blob".to_owned(),
                count => format!("{count} blobs"),
            },
            human_size(pushed.sent_bytes),
            pushed.there
        )
    }
}
