//! Writing a layout. It appears under its name when it is whole.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use oci_client::manifest::{ImageIndexEntry, OCI_IMAGE_INDEX_MEDIA_TYPE, OciImageIndex};
use tar::{EntryType, Header};

use super::{INDEX, LayoutError, MARK, MARK_CONTENT, OciLayout, REF_NAME, blob_path};
use crate::image::assembled::{Image, index_entry};
use crate::image::{Blob, BlobContent};
use crate::os::set_mode;

/// Writes an image as a folder, in the place of another one that was written there.
pub fn write_folder(image: &Image, tag: &str, path: &Path) -> Result<(), LayoutError> {
    let failed = |source| LayoutError::Io {
        path: path.to_owned(),
        source,
    };
    check_place(path)?;
    let parent = parent_of(path);
    fs_err::create_dir_all(&parent).map_err(failed)?;
    let beside = tempfile::Builder::new()
        .prefix(".r-layer-image-")
        .tempdir_in(&parent)
        .map_err(failed)?;
    let content = beside.path().join("new");
    let write = || -> io::Result<()> {
        fs_err::create_dir_all(content.join("blobs/sha256"))?;
        for blob in image.blobs() {
            put(blob, &content.join(blob_path(&blob.digest)))?;
        }
        fs_err::write(content.join(INDEX), index(image, tag)?)?;
        fs_err::write(content.join(MARK), MARK_CONTENT)?;
        if path.exists() {
            fs_err::rename(path, beside.path().join("old"))?;
        }
        fs_err::rename(&content, path)
    };
    write().map_err(failed)
}

/// Is a layout written to a tarball?
pub fn is_tarball(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tar")
}

/// May a layout be written there, in the place of what there is?
pub fn check_place(path: &Path) -> Result<(), LayoutError> {
    let is_free = match is_tarball(path) {
        true => !path.exists() || is_tarball_of_layout(path),
        false => !path.exists() || is_replaceable(path),
    };
    match is_free {
        true => Ok(()),
        false => Err(LayoutError::Occupied(path.to_owned())),
    }
}

/// An empty folder, or a layout.
fn is_replaceable(path: &Path) -> bool {
    let is_empty = || fs_err::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    path.is_dir() && (path.join(MARK).is_file() || is_empty())
}

/// A file that is empty, or the tarball of a layout.
fn is_tarball_of_layout(path: &Path) -> bool {
    let is_empty = || fs_err::metadata(path).is_ok_and(|found| found.len() == 0);
    path.is_file() && (is_empty() || OciLayout::open(path).is_ok())
}

fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Puts a copy of a blob at a place. A second name of the cache's own file would be quicker, but whoever writes into the
/// layout would change the cache.
fn put(blob: &Blob, place: &Path) -> io::Result<()> {
    match &blob.content {
        // Without the bytes themselves, where the file system can.
        BlobContent::File(path) => fs_err::copy(path, place)?,
        _ => io::copy(&mut blob.open()?, &mut fs_err::File::create(place)?)?,
    };
    set_mode(place, 0o644)
}

/// Writes an image as a tarball of a layout, the same bytes for the same image.
pub fn write_tarball(image: &Image, tag: &str, path: &Path) -> Result<(), LayoutError> {
    let failed = |source| LayoutError::Io {
        path: path.to_owned(),
        source,
    };
    check_place(path)?;
    let parent = parent_of(path);
    fs_err::create_dir_all(&parent).map_err(failed)?;
    let write = || -> io::Result<()> {
        let file = tempfile::Builder::new()
            .prefix(".r-layer-image-")
            .tempfile_in(&parent)?;
        set_mode(file.path(), 0o644)?;
        let mut archive = tar::Builder::new(io::BufWriter::with_capacity(1 << 18, file.as_file()));
        append(
            &mut archive,
            MARK,
            MARK_CONTENT.len() as u64,
            MARK_CONTENT.as_bytes(),
        )?;
        let index = index(image, tag)?;
        append(&mut archive, INDEX, index.len() as u64, index.as_slice())?;
        for folder in ["blobs/", "blobs/sha256/"] {
            let mut header = header(EntryType::Directory, 0o755, 0);
            archive.append_data(&mut header, folder, io::empty())?;
        }
        for blob in image.blobs() {
            append(
                &mut archive,
                &blob_path(&blob.digest),
                blob.size,
                blob.open()?,
            )?;
        }
        archive.into_inner()?.flush()?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(failed)
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    path: &str,
    size: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = header(EntryType::Regular, 0o644, size);
    archive.append_data(&mut header, path, content)
}

/// What a layout begins with: the image under its tag.
fn index(image: &Image, tag: &str) -> io::Result<Vec<u8>> {
    let mut entry = match (&image.index, image.platforms.first()) {
        (None, Some(only)) => index_entry(only),
        (index, _) => {
            let index = index
                .as_ref()
                .ok_or_else(|| io::Error::other("an image of nothing"))?;
            let descriptor = index.descriptor();
            ImageIndexEntry {
                media_type: descriptor.media_type,
                digest: descriptor.digest,
                size: descriptor.size,
                platform: None,
                annotations: None,
                artifact_type: None,
            }
        }
    };
    entry.annotations = Some(BTreeMap::from([(REF_NAME.to_owned(), tag.to_owned())]));
    let index = OciImageIndex {
        schema_version: 2,
        media_type: Some(OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned()),
        manifests: vec![entry],
        artifact_type: None,
        annotations: None,
    };
    Ok(serde_json::to_vec(&index)?)
}
