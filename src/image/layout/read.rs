//! Reading a layout, whoever wrote it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use oci_client::manifest::{
    ImageIndexEntry, OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageIndex, OciImageManifest,
    OciManifest,
};

use super::{INDEX, LayoutError, MARK, REF_NAME, blob_path};
use crate::checksum::Sha256;
use crate::image::assembled::{Image, PlatformImage};
use crate::image::{Blob, BlobContent};

/// What no manifest or configuration comes near to, in bytes.
const LARGEST_TEXT: u64 = 16 << 20;

/// A layout that was opened: where its files are.
pub struct OciLayout {
    path: PathBuf,
    /// Of a tarball: path → where its bytes begin, and how many they are.
    parts: Option<HashMap<String, (u64, u64)>>,
}

impl OciLayout {
    /// Opens a folder or a tarball.
    pub fn open(path: &Path) -> Result<OciLayout, LayoutError> {
        let no_layout = |reason: String| LayoutError::NoLayout {
            path: path.to_owned(),
            reason,
        };
        let parts = match fs_err::metadata(path) {
            Err(error) => return Err(no_layout(error.kind().to_string())),
            Ok(found) if found.is_dir() => None,
            Ok(_) => Some(parts(path).map_err(|error| no_layout(error.to_string()))?),
        };
        let layout = OciLayout {
            path: path.to_owned(),
            parts,
        };
        layout.file(MARK)?;
        Ok(layout)
    }

    /// The image in it; of several the one with that tag.
    pub fn image(&self, tag: Option<&str>) -> Result<Image, LayoutError> {
        let index = self.file(INDEX)?;
        let index: OciImageIndex = self.parse(INDEX, &index)?;
        let name = |entry: &ImageIndexEntry| {
            let annotations = entry.annotations.as_ref();
            annotations.and_then(|annotations| annotations.get(REF_NAME).cloned())
        };
        let meant: Vec<&ImageIndexEntry> = index
            .manifests
            .iter()
            .filter(|entry| tag.is_none() || name(entry).as_deref() == tag)
            .collect();
        match meant.as_slice() {
            [only] => return self.image_of(only),
            _ if index.manifests.is_empty() => {
                return Err(self.malformed(format!("its {INDEX} names no image")));
            }
            _ => {}
        }
        let names = index.manifests.iter().map(name);
        let names = names.map(|name| name.unwrap_or_else(|| "one without a name".to_owned()));
        let (path, names) = (self.path.clone(), names.collect::<Vec<_>>().join(", "));
        Err(match tag {
            Some(tag) if meant.is_empty() => LayoutError::NoTag {
                path,
                tag: tag.to_owned(),
                names,
            },
            _ => LayoutError::Several { path, names },
        })
    }

    /// The image in it for an architecture, as OCI names it.
    pub fn platform(&self, wanted: &str) -> Result<PlatformImage, LayoutError> {
        let mut platforms = self.image(None)?.platforms;
        let there: Vec<String> = platforms
            .iter()
            .map(|platform| format!("linux/{}", platform.architecture))
            .collect();
        platforms.retain(|platform| platform.architecture == wanted);
        platforms.pop().ok_or_else(|| LayoutError::NoArchitecture {
            path: self.path.clone(),
            wanted: wanted.to_owned(),
            there: there.join(", "),
        })
    }

    fn image_of(&self, entry: &ImageIndexEntry) -> Result<Image, LayoutError> {
        let top = self.blob(&entry.media_type, &entry.digest)?;
        match self.manifest(&top)? {
            OciManifest::Image(manifest) => Ok(Image {
                platforms: vec![self.platform_of(top, manifest)?],
                index: None,
            }),
            OciManifest::ImageIndex(index) => {
                let mut platforms = Vec::new();
                for entry in &index.manifests {
                    let manifest = self.blob(&entry.media_type, &entry.digest)?;
                    match self.manifest(&manifest)? {
                        OciManifest::Image(image) => {
                            platforms.push(self.platform_of(manifest, image)?)
                        }
                        OciManifest::ImageIndex(_) => {
                            return Err(
                                self.malformed("an index that leads to an index".to_owned())
                            );
                        }
                    }
                }
                Ok(Image {
                    platforms,
                    index: Some(top),
                })
            }
        }
    }

    fn platform_of(
        &self,
        manifest: Blob,
        content: OciImageManifest,
    ) -> Result<PlatformImage, LayoutError> {
        #[derive(serde::Deserialize)]
        struct Platform {
            architecture: String,
        }
        let of = |descriptor: &OciDescriptor| self.blob(&descriptor.media_type, &descriptor.digest);
        let config = of(&content.config)?;
        let text = self.text(&config)?;
        let platform: Platform = self.parse("its configuration", &text)?;
        let layers = content.layers.iter().map(of);
        Ok(PlatformImage {
            architecture: platform.architecture,
            manifest,
            config,
            layers: layers.collect::<Result<_, _>>()?,
        })
    }

    fn manifest(&self, blob: &Blob) -> Result<OciManifest, LayoutError> {
        let text = self.text(blob)?;
        self.parse("its manifest", &text)
    }

    /// A manifest or configuration, which has the digest that it is named by.
    fn text(&self, blob: &Blob) -> Result<Vec<u8>, LayoutError> {
        if blob.size > LARGEST_TEXT {
            return Err(self.malformed(format!("{} is far too large", blob.digest.oci())));
        }
        let bytes = blob.read().map_err(|source| self.unreadable(source))?;
        let found = Sha256::of(&bytes);
        if found != blob.digest {
            return Err(self.malformed(format!(
                "the blob {} was changed: it has the digest {}",
                blob.digest.oci(),
                found.oci()
            )));
        }
        Ok(bytes.to_vec())
    }

    fn parse<T: serde::de::DeserializeOwned>(
        &self,
        what: &str,
        text: &[u8],
    ) -> Result<T, LayoutError> {
        serde_json::from_slice(text).map_err(|error| self.malformed(format!("{what}: {error}")))
    }

    fn blob(&self, media_type: &str, digest: &str) -> Result<Blob, LayoutError> {
        let media_type = match media_type {
            "" => OCI_IMAGE_MEDIA_TYPE,
            kind => kind,
        };
        let digest: Sha256 = digest
            .strip_prefix("sha256:")
            .and_then(|hex| hex.parse().ok())
            .ok_or_else(|| self.malformed(format!("`{digest}` is not the digest of a blob")))?;
        let place = blob_path(&digest);
        let (content, size) = match &self.parts {
            None => {
                let path = self.path.join(&place);
                let size = fs_err::metadata(&path)
                    .map_err(|source| self.unreadable(source))?
                    .len();
                (BlobContent::File(path), size)
            }
            Some(parts) => {
                let part = parts.get(&place);
                let (offset, size) = part
                    .copied()
                    .ok_or_else(|| self.malformed(format!("{place} is missing")))?;
                let path = self.path.clone();
                (BlobContent::Part { path, offset }, size)
            }
        };
        Ok(Blob {
            media_type: media_type.to_owned(),
            digest,
            size,
            content,
        })
    }

    /// A small file of the layout.
    fn file(&self, name: &str) -> Result<Vec<u8>, LayoutError> {
        let content = match &self.parts {
            None => BlobContent::File(self.path.join(name)),
            Some(parts) => match parts.get(name) {
                Some((offset, _)) => BlobContent::Part {
                    path: self.path.clone(),
                    offset: *offset,
                },
                None => return Err(self.malformed(format!("{name} is missing"))),
            },
        };
        let size = match (&content, &self.parts) {
            (BlobContent::File(path), _) => fs_err::metadata(path).map_or(0, |found| found.len()),
            (_, Some(parts)) => parts.get(name).map_or(0, |(_, size)| *size),
            _ => 0,
        };
        if size > LARGEST_TEXT {
            return Err(self.malformed(format!("{name} is far too large")));
        }
        let blob = Blob {
            media_type: String::new(),
            digest: Sha256::UNKNOWN,
            size,
            content,
        };
        match blob.read() {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(_) => Err(self.malformed(format!("{name} is missing"))),
        }
    }

    fn malformed(&self, reason: String) -> LayoutError {
        LayoutError::NoLayout {
            path: self.path.clone(),
            reason,
        }
    }

    fn unreadable(&self, source: std::io::Error) -> LayoutError {
        LayoutError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

/// Where the files of a tarball are.
fn parts(path: &Path) -> std::io::Result<HashMap<String, (u64, u64)>> {
    let file = fs_err::File::open(path)?;
    let mut archive = tar::Archive::new(file);
    let mut parts = HashMap::new();
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let path = entry.path()?;
        let name = path.strip_prefix("./").unwrap_or(&path);
        let name = name.to_string_lossy().into_owned();
        parts.insert(name, (entry.raw_file_position(), entry.size()));
    }
    Ok(parts)
}
