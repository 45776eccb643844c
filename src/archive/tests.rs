//! Tarballs that are as they should be, and such as are made to write elsewhere or without end.

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

const LIMIT: u64 = 1 << 20;

/// A tarball whose entries are written as they are, also those that `tar` itself would refuse.
fn tarball(entries: &[(&str, EntryType, &str)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.tar.gz");
    let mut archive = tar::Builder::new(GzEncoder::new(
        File::create(&path).unwrap(),
        Compression::fast(),
    ));
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        let data = if *kind == EntryType::Regular {
            content.as_bytes()
        } else {
            b""
        };
        if *kind != EntryType::Regular {
            header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
        }
        header.set_size(data.len() as u64);
        header.set_cksum();
        archive.append(&header, data).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
    (folder, path)
}

fn unpacked(entries: &[(&str, EntryType, &str)]) -> Result<tempfile::TempDir, ArchiveError> {
    let (_folder, path) = tarball(entries);
    let into = tempfile::tempdir().unwrap();
    unpack(&path, into.path(), LIMIT, Links::Kept).map(|_| into)
}

#[test]
fn files_and_inner_links_are_unpacked() {
    let into = unpacked(&[
        ("R/VERSION", EntryType::Regular, "4.5.0"),
        ("R/share/link", EntryType::Symlink, "../VERSION"),
        ("R/hard", EntryType::Link, "R/VERSION"),
    ])
    .unwrap();
    for name in ["R/VERSION", "R/share/link", "R/hard"] {
        assert_eq!(
            fs_err::read_to_string(into.path().join(name)).unwrap(),
            "4.5.0"
        );
    }
    assert_eq!(top_folder(into.path()).unwrap(), into.path().join("R"));
}

#[test]
fn links_become_copies_where_they_are_to() {
    let (_folder, path) = tarball(&[
        ("R/second", EntryType::Symlink, "first"),
        ("R/first", EntryType::Symlink, "bin/R"),
        ("R/bin/R", EntryType::Regular, "program"),
        ("R/tools", EntryType::Symlink, "bin"),
        ("R/nowhere", EntryType::Symlink, "absent"),
        ("R/circle", EntryType::Symlink, "circle"),
    ]);
    let into = tempfile::tempdir().unwrap();
    unpack(&path, into.path(), LIMIT, Links::Copied).unwrap();
    for name in ["first", "second", "tools/R"] {
        let place = into.path().join("R").join(name);
        assert!(!place.is_symlink());
        assert_eq!(fs_err::read_to_string(place).unwrap(), "program");
    }
    for name in ["nowhere", "circle"] {
        assert!(!into.path().join("R").join(name).exists());
    }
    let read = read_files(&path, LIMIT).unwrap();
    let names: Vec<&str> = read.keys().map(String::as_str).collect();
    assert_eq!(names, ["R/bin/R", "R/first", "R/second", "R/tools/R"]);
    assert!(read.values().all(|file| file.content == "program"));
}

/// What is read into memory is what would be unpacked, and what is refused is refused with the same words.
#[test]
fn reading_obeys_the_rules_of_unpacking() {
    let bomb = "0".repeat(LIMIT as usize + 1);
    let entry =
        |name, kind, content| [("p/R/code", EntryType::Regular, "x"), (name, kind, content)];
    let (regular, symlink, hard) = (EntryType::Regular, EntryType::Symlink, EntryType::Link);
    for (name, kind, content) in [
        ("../out", regular, "x"),
        ("a/../../out", regular, "x"),
        ("/etc/out", regular, "x"),
        ("a", symlink, "/etc"),
        ("d/a", symlink, "../../x"),
        ("a", hard, "../x"),
        ("a", EntryType::Char, ""),
        ("a", EntryType::Fifo, ""),
        ("bomb", regular, &bomb),
    ] {
        let (_folder, path) = tarball(&entry(name, kind, content));
        let into = tempfile::tempdir().unwrap();
        let unpacked = unpack(&path, into.path(), LIMIT, Links::Copied).unwrap_err();
        let read = read_files(&path, LIMIT).unwrap_err();
        assert_eq!(read.to_string(), unpacked.to_string());
    }
    for (name, kind, content) in [("p/R/code/inner", regular, "x"), ("a", hard, "absent")] {
        let (_folder, path) = tarball(&entry(name, kind, content));
        let into = tempfile::tempdir().unwrap();
        assert!(unpack(&path, into.path(), LIMIT, Links::Copied).is_err());
        let read = read_files(&path, LIMIT).unwrap_err();
        assert!(matches!(read, ArchiveError::Damaged { .. }), "{read}");
    }
}

#[test]
fn what_leaves_the_folder_is_refused() {
    use ArchiveError::*;
    let refused = |name, kind, content| unpacked(&[(name, kind, content)]).unwrap_err();
    assert!(matches!(
        refused("../out", EntryType::Regular, "x"),
        PathLeaves { .. }
    ));
    assert!(matches!(
        refused("a/../../out", EntryType::Regular, "x"),
        PathLeaves { .. }
    ));
    assert!(matches!(
        refused("/etc/out", EntryType::Regular, "x"),
        PathLeaves { .. }
    ));
    assert!(matches!(
        refused("a", EntryType::Symlink, "/etc"),
        LinkLeaves { .. }
    ));
    assert!(matches!(
        refused("d/a", EntryType::Symlink, "../../x"),
        LinkLeaves { .. }
    ));
    assert!(matches!(
        refused("a", EntryType::Link, "../x"),
        LinkLeaves { .. }
    ));
    assert!(matches!(
        refused("a", EntryType::Char, ""),
        SpecialFile { .. }
    ));
    assert!(matches!(
        refused("a", EntryType::Fifo, ""),
        SpecialFile { .. }
    ));
}

#[test]
fn links_of_links_that_lead_out_together_make_nothing_outside() {
    // Each stays within by its words; the second, through the first, does not, and the third lies below it.
    let (_folder, path) = tarball(&[
        ("a/b/c/f", EntryType::Regular, "x"),
        ("a/b/up", EntryType::Symlink, "../../a"),
        ("a/b/out", EntryType::Symlink, "up/../.."),
        ("a/b/out/made/link", EntryType::Symlink, "f"),
    ]);
    let around = tempfile::tempdir().unwrap();
    let into = around.path().join("in");
    let error = unpack(&path, &into, LIMIT, Links::Kept).unwrap_err();
    assert!(matches!(error, ArchiveError::PathLeaves { .. }), "{error}");
    let beside: Vec<_> = fs_err::read_dir(around.path()).unwrap().collect();
    assert_eq!(beside.len(), 1, "{beside:?}");
}

#[test]
fn links_that_multiply_folders_are_refused() {
    let mut entries = vec![("0/f".to_owned(), EntryType::Regular, String::new())];
    for level in 1..8 {
        for copy in 0..8 {
            let (name, target) = (format!("{level}/{copy}"), format!("../{}", level - 1));
            entries.push((name, EntryType::Symlink, target));
        }
    }
    let entries: Vec<(&str, EntryType, &str)> = entries
        .iter()
        .map(|(name, kind, target)| (name.as_str(), *kind, target.as_str()))
        .collect();
    let (_folder, path) = tarball(&entries);
    let into = tempfile::tempdir().unwrap();
    // Two million files altogether; what is allowed takes a disk minutes.
    let few = || Allowance {
        entries: 1000,
        ..Allowance::new(&path, LIMIT)
    };
    let error = unpack_within(&path, into.path(), few(), Links::Copied).unwrap_err();
    assert!(
        error.to_string().contains("more than it may unpack to"),
        "{error}"
    );
    let error = contents::read_within(&path, few()).unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge { .. }), "{error}");
}

#[test]
fn a_hard_link_to_a_program_is_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.tar.gz");
    let file = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
    let mut archive = tar::Builder::new(file);
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(1);
    archive.append_data(&mut header, "b", &b"x"[..]).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(EntryType::Link);
    header.set_size(0);
    archive.append_link(&mut header, "a", "b").unwrap();
    archive.into_inner().unwrap().finish().unwrap();
    let into = folder.path().join("into");
    let executables = unpack(&path, &into, LIMIT, Links::Copied).unwrap();
    assert_eq!(executables, ["a", "b"].map(PathBuf::from).into());
    let read = read_files(&path, LIMIT).unwrap();
    assert!(read["a"].executable && read["a"] == read["b"]);
}

#[test]
fn nothing_is_written_through_a_link() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().to_str().unwrap();
    let refused = unpacked(&[
        ("d", EntryType::Symlink, target),
        ("d/file", EntryType::Regular, "x"),
    ]);
    assert!(refused.is_err());
    assert!(!outside.path().join("file").exists());
}

#[test]
fn a_truncated_tarball_is_refused() {
    let (_folder, path) = tarball(&[("R/VERSION", EntryType::Regular, "4.5.0")]);
    let content = fs_err::read(&path).unwrap();
    fs_err::write(&path, &content[..content.len() - 6]).unwrap();
    let into = tempfile::tempdir().unwrap();
    let error = unpack(&path, into.path(), LIMIT, Links::Kept).unwrap_err();
    assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
    let error = read_files(&path, LIMIT).unwrap_err();
    assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
    fs_err::write(&path, "<html>").unwrap();
    let error = unpack(&path, into.path(), LIMIT, Links::Kept).unwrap_err();
    assert!(matches!(error, ArchiveError::NotATarball(_)), "{error}");
}

#[test]
fn a_tarball_that_unpacks_to_an_absurd_size_is_refused() {
    let zeros = "0".repeat(LIMIT as usize + 1);
    let error = unpacked(&[("bomb", EntryType::Regular, &zeros)]).unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge { .. }), "{error}");
}
