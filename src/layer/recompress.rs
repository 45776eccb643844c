//! R's lazy-load databases, compressed better: the same objects in the same places.
//!
//! `R/PKG.rdb` is one compressed object after the other, `R/PKG.rdx` says where each begins and how long it is. An object is
//! its length, four bytes, and a zlib stream that R makes at level 6. A shorter stream of the same object is put where the
//! longer one was, with zeros behind it, of which nothing is left in a zip: no reader looks behind the end of a stream
//! (`R_decompress1` in R's src/main/serialize.c, by zlib's `uncompress` or by libdeflate), and no place changes. What is
//! compressed by bzip2 or xz stays as it is.

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{CompressionLvl, Compressor};
use rayon::prelude::*;

use super::prune::patterns;
use super::tree::Content;
use super::{Entry, LayerTree};

/// Bytes of an object's length.
const LENGTH: usize = 4;

/// More than any object has that R writes in one piece.
const LARGEST: usize = 1 << 30;

/// As a layer's zip is compressed.
const LEVEL: i32 = 9;

/// Objects of fewer bytes are compressed harder: a fifth of what there is, most of it functions, becomes 3% smaller for half
/// as much time again; the same for the rest would take three times as long.
const SMALL: usize = 20_000;
const LEVEL_OF_SMALL: i32 = 10;

/// Lets the files that match be compressed better: those on the disk when they are read, those in memory now. Returns how
/// many those are; their sizes stay.
pub fn recompress_databases(
    tree: &mut LayerTree,
    files: &[String],
) -> Result<usize, globset::Error> {
    let matcher = patterns(files)?;
    let matching: Vec<(&str, &Entry)> = tree
        .iter()
        .filter(|(path, _)| matcher.is_match(path))
        .collect();
    let found: Vec<(String, Entry)> = matching
        .into_par_iter()
        .with_max_len(1)
        .filter_map(|(path, entry)| {
            let content = match &entry.content {
                Content::File(file) => Content::Recompressed(file.clone()),
                Content::Bytes(bytes) => Content::Bytes(recompressed(bytes.to_vec()).into()),
                Content::Stripped(_) | Content::Recompressed(_) => return None,
            };
            let entry = Entry {
                content,
                ..entry.clone()
            };
            Some((path.to_owned(), entry))
        })
        .collect();
    let count = found.len();
    for (path, entry) in found {
        tree.insert(path, entry);
    }
    Ok(count)
}

/// The database, of the same length, with every object that becomes shorter made so. One that is not understood to its
/// end stays whole as it is.
pub fn recompressed(database: Vec<u8>) -> Vec<u8> {
    recompress(&database).unwrap_or(database)
}

fn recompress(database: &[u8]) -> Option<Vec<u8>> {
    let mut better = database.to_vec();
    let mut usual = Compressor::new(CompressionLvl::new(LEVEL).ok()?);
    let mut harder = Compressor::new(CompressionLvl::new(LEVEL_OF_SMALL).ok()?);
    let mut place = 0;
    while place < database.len() {
        let stream = place + LENGTH;
        let (object, length) = object(database.get(place..)?)?;
        let compressor = match object.len() < SMALL {
            true => &mut harder,
            false => &mut usual,
        };
        let mut shorter = vec![0; compressor.zlib_compress_bound(object.len())];
        let now = compressor.zlib_compress(&object, &mut shorter).ok()?;
        if now < length {
            let room = better.get_mut(stream..stream + length)?;
            room.fill(0);
            room[..now].copy_from_slice(&shorter[..now]);
        }
        place = stream + length;
    }
    Some(better)
}

/// The first object, and how long its stream is.
fn object(database: &[u8]) -> Option<(Vec<u8>, usize)> {
    let length = u32::from_be_bytes(database.get(..LENGTH)?.try_into().ok()?);
    let length = usize::try_from(length).ok().filter(|&it| it <= LARGEST)?;
    let mut object = Vec::with_capacity(length);
    let mut stream = Decompress::new(true);
    let input = &database[LENGTH..];
    let status = stream.decompress_vec(input, &mut object, FlushDecompress::Finish);
    let whole = matches!(status, Ok(Status::StreamEnd)) && object.len() == length;
    let read = usize::try_from(stream.total_in()).ok()?;
    whole.then_some((object, read))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;
    use crate::layer::tree::SourceFolder;

    fn stored(objects: &[&[u8]], level: u32) -> (Vec<u8>, Vec<usize>) {
        let (mut database, mut places) = (Vec::new(), Vec::new());
        for object in objects {
            places.push(database.len());
            database.extend(u32::try_from(object.len()).unwrap().to_be_bytes());
            let mut encoder = ZlibEncoder::new(database, Compression::new(level));
            encoder.write_all(object).unwrap();
            database = encoder.finish().unwrap();
        }
        (database, places)
    }

    fn text(seed: u32) -> Vec<u8> {
        let lines = (0..2000).map(|line| format!("{} x <- f({line})\n", line * seed % 97));
        lines.collect::<String>().into_bytes()
    }

    #[test]
    fn every_object_is_where_it_was_and_what_it_was() {
        let objects = [text(3), Vec::new(), text(5)];
        let objects: Vec<&[u8]> = objects.iter().map(Vec::as_slice).collect();
        let (database, places) = stored(&objects, 1);
        let better = recompressed(database.clone());
        assert_eq!(better.len(), database.len());
        assert_ne!(better, database);
        for (object_was, place) in objects.iter().zip(places) {
            let (object, length) = object(&better[place..]).unwrap();
            assert_eq!(object, *object_was);
            let (_, before) = super::object(&database[place..]).unwrap();
            assert!(length <= before);
        }
    }

    #[test]
    fn a_database_in_memory_becomes_what_one_on_the_disk_does() {
        let (database, _) = stored(&[&text(3), &text(5)], 1);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.rdb");
        fs_err::write(&file, &database).unwrap();
        let mut tree = LayerTree::default();
        tree.insert_folder("R", &SourceFolder::new(folder.path()))
            .unwrap();
        tree.insert("R/b.rdb", Entry::bytes(database.clone(), false));
        tree.insert("R/c.rds", Entry::bytes(database.clone(), false));
        let count = recompress_databases(&mut tree, &["R/*.rdb".to_owned()]).unwrap();
        assert_eq!(count, 2);
        let read = |path: &str| tree.get(path).unwrap().read().unwrap();
        assert_eq!(read("R/a.rdb"), read("R/b.rdb"));
        assert_ne!(read("R/b.rdb"), database);
        assert_eq!(read("R/c.rds"), database);
    }

    #[test]
    fn what_is_not_understood_stays() {
        let (mut database, _) = stored(&[&text(3)], 1);
        // As R writes what is compressed by xz: a letter behind the length.
        let xz = [&9_u32.to_be_bytes()[..], b"Z\xfd7zXZ"].concat();
        assert_eq!(recompressed(xz.clone()), xz);
        database.extend(xz);
        assert_eq!(recompressed(database.clone()), database);
        let (cut, _) = stored(&[&text(3)], 1);
        let cut = cut[..cut.len() / 2].to_vec();
        assert_eq!(recompressed(cut.clone()), cut);
        assert_eq!(recompressed(Vec::new()), Vec::<u8>::new());
    }
}
