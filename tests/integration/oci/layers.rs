//! Layers as other programs make them, and as nobody should: what becomes of them in a root.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use r_layer::image::{Limits, UnpackError, Unpacker};
use tar::EntryType;

/// An entry of a layer: its path, its kind, and its content or what it links to.
type Entry<'a> = (&'a str, EntryType, &'a str);

const FILE: EntryType = EntryType::Regular;
const FOLDER: EntryType = EntryType::Directory;
const LINK: EntryType = EntryType::Symlink;
const HARD: EntryType = EntryType::Link;

/// A layer whose entries are written as they are, also those that `tar` itself would refuse.
pub fn layer(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, kind, content) in entries {
        let mode = if *kind == FOLDER { 0o755 } else { 0o644 };
        append(&mut archive, path, *kind, content, mode);
    }
    archive.into_inner().unwrap()
}

/// Adds an entry of that mode.
pub fn append(
    archive: &mut tar::Builder<Vec<u8>>,
    path: &str,
    kind: EntryType,
    content: &str,
    mode: u32,
) {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(mode);
    let data = if kind == FILE { content } else { "" };
    if kind != FILE {
        header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
    }
    header.set_size(data.len() as u64);
    header.set_cksum();
    archive.append(&header, data.as_bytes()).unwrap();
}

/// Unpacks layers one over the other into a folder below a temporary one, beside which a file lies that no layer may
/// reach.
fn unpacked(layers: &[Vec<u8>], limits: Limits) -> (tempfile::TempDir, Result<(), UnpackError>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("outside"), "untouched").unwrap();
    let mut unpacker = Unpacker::new(&folder.path().join("root"), limits).unwrap();
    let result = layers
        .iter()
        .try_for_each(|layer| unpacker.layer(layer.as_slice()));
    let outside = std::fs::read_to_string(folder.path().join("outside")).unwrap();
    assert_eq!(outside, "untouched");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    (folder, result)
}

/// What is in the root, sorted: folders with `/` at their end, links with what they lead to, files with their content.
fn listing(layers: &[Vec<u8>]) -> Vec<String> {
    let (folder, result) = unpacked(layers, Limits::default());
    result.unwrap();
    let mut lines = Vec::new();
    list(&folder.path().join("root"), "", &mut lines);
    lines.sort();
    lines
}

fn list(folder: &Path, above: &str, lines: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{above}{}", entry.file_name().to_str().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            let target = std::fs::read_link(entry.path()).unwrap();
            lines.push(format!("{name} -> {}", target.display()));
        } else if kind.is_dir() {
            lines.push(format!("{name}/"));
            list(&entry.path(), &format!("{name}/"), lines);
        } else {
            let content = std::fs::read_to_string(entry.path()).unwrap();
            lines.push(format!("{name} = {content}"));
        }
    }
}

#[test]
fn a_whiteout_takes_away_what_the_layers_below_brought() {
    let below = layer(&[
        ("etc/", FOLDER, ""),
        ("etc/gone", FILE, "x"),
        ("etc/stays", FILE, "x"),
        ("folder/deep/file", FILE, "x"),
        ("link", LINK, "etc/stays"),
    ]);
    let above = layer(&[
        ("etc/.wh.gone", FILE, ""),
        (".wh.folder", FILE, ""),
        (".wh.link", FILE, ""),
        ("etc/.wh.never-there", FILE, ""),
        (".wh..wh.plnk", FOLDER, ""),
    ]);
    assert_eq!(listing(&[below, above]), ["etc/", "etc/stays = x"]);
}

#[test]
fn an_opaque_folder_keeps_what_its_own_layer_brought_before_or_after_the_mark() {
    let below = layer(&[("etc/old", FILE, "x"), ("etc/sub/old", FILE, "x")]);
    let above = layer(&[
        ("etc/", FOLDER, ""),
        ("etc/sub/", FOLDER, ""),
        ("etc/sub/before", FILE, "new"),
        ("etc/.wh..wh..opq", FILE, ""),
        ("etc/after", FILE, "new"),
    ]);
    let expected = [
        "etc/",
        "etc/after = new",
        "etc/sub/",
        "etc/sub/before = new",
    ];
    assert_eq!(listing(&[below, above]), expected);
}

#[test]
fn a_whiteout_beside_what_its_own_layer_brought_hides_the_old_one_only() {
    let below = layer(&[("etc/file", FILE, "old"), ("etc/folder/old", FILE, "old")]);
    let above = layer(&[
        ("etc/file", FILE, "new"),
        ("etc/.wh.file", FILE, ""),
        ("etc/folder/new", FILE, "new"),
        ("etc/.wh.folder", FILE, ""),
    ]);
    let expected = [
        "etc/",
        "etc/file = new",
        "etc/folder/",
        "etc/folder/new = new",
    ];
    assert_eq!(listing(&[below, above]), expected);
}

#[test]
fn links_are_kept_as_they_are_and_followed_within_the_root() {
    let layers = [
        layer(&[
            ("usr/lib64/", FOLDER, ""),
            ("lib64", LINK, "/usr/lib64"),
            ("up", LINK, "../../../../usr"),
            ("outside", LINK, "/outside"),
        ]),
        layer(&[
            ("lib64/liba.so", FILE, "a"),
            ("up/lib64/libb.so", FILE, "b"),
            ("outside/file", FILE, "within"),
            ("/absolute", FILE, "x"),
        ]),
    ];
    let expected = [
        "absolute = x",
        "lib64 -> /usr/lib64",
        // What the link leads to is made in the root.
        "outside -> /outside",
        "up -> ../../../../usr",
        "usr/",
        "usr/lib64/",
        "usr/lib64/liba.so = a",
        "usr/lib64/libb.so = b",
    ];
    let (folder, result) = unpacked(&layers, Limits::default());
    // `outside` leads to itself within the root.
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("outside/file") && error.contains("link to itself"),
        "{error}"
    );
    drop(folder);
    let without = layer(&[
        ("lib64/liba.so", FILE, "a"),
        ("up/lib64/libb.so", FILE, "b"),
        ("/absolute", FILE, "x"),
    ]);
    assert_eq!(listing(&[layers[0].clone(), without]), expected);
}

#[test]
fn a_hard_link_is_one_of_the_root_and_an_entry_takes_the_place_of_another_kind() {
    let below = layer(&[
        ("bin/one", FILE, "tool"),
        ("bin/two", HARD, "bin/one"),
        ("link", LINK, "bin"),
        ("hard-link-of-a-link", HARD, "link"),
        ("folder/file", FILE, "x"),
        ("file", FILE, "x"),
    ]);
    let above = layer(&[
        // The one changes, the other does not.
        ("bin/one", FILE, "new tool"),
        ("bin/three", HARD, "/bin/two"),
        ("link", FILE, "no link any more"),
        ("folder", LINK, "bin"),
        ("file/", FOLDER, ""),
    ]);
    let expected = [
        "bin/",
        "bin/one = new tool",
        "bin/three = tool",
        "bin/two = tool",
        "file/",
        "folder -> bin",
        "hard-link-of-a-link -> bin",
        "link = no link any more",
    ];
    assert_eq!(listing(&[below, above]), expected);
}

#[test]
fn what_leads_out_of_the_root_is_refused() {
    for entry in [
        ("../outside", FILE, "x"),
        ("a/../../outside", FILE, "x"),
        ("hard", HARD, "../outside"),
        (".wh...", FILE, ""),
        ("etc/.wh...", FILE, ""),
    ] {
        let (_folder, result) = unpacked(&[layer(&[entry])], Limits::default());
        let error = result.unwrap_err();
        assert!(
            matches!(error, UnpackError::Leaves { .. }),
            "{entry:?}: {error}"
        );
    }
    // Neither a hard link to what a link of the root leads to, nor a file behind such a link, gets there.
    let tricks = [
        layer(&[("up", LINK, ".."), ("hard", HARD, "up/outside")]),
        layer(&[("up", LINK, "../.."), ("up/outside", FILE, "changed")]),
        layer(&[("up", LINK, ".."), ("up/.wh.outside", FILE, "")]),
        layer(&[
            ("outside", LINK, "../outside"),
            ("outside", FILE, "changed"),
        ]),
    ];
    for trick in tricks {
        // `unpacked` looks whether what is outside is as it was.
        let _ = unpacked(&[trick], Limits::default());
    }
}

#[test]
fn modes_are_kept_as_far_as_a_user_may_have_them() {
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, "tmp/", FOLDER, "", 0o1777);
    append(&mut archive, "closed/", FOLDER, "", 0o000);
    append(&mut archive, "closed/file", FILE, "x", 0o000);
    append(&mut archive, "sudo", FILE, "x", 0o6755);
    append(&mut archive, "device", EntryType::Char, "", 0o666);
    append(&mut archive, "pipe", EntryType::Fifo, "", 0o666);
    let (folder, result) = unpacked(&[archive.into_inner().unwrap()], Limits::default());
    result.unwrap();
    let root = folder.path().join("root");
    let mode = |path: &str| {
        let found = std::fs::symlink_metadata(root.join(path)).unwrap();
        found.permissions().mode() & 0o7777
    };
    for (path, expected) in [
        ("tmp", 0o1777),
        ("closed", 0o700),
        ("closed/file", 0o400),
        ("sudo", 0o755),
    ] {
        assert_eq!(mode(path), expected, "{path}");
    }
    assert!(!root.join("device").exists() && !root.join("pipe").exists());
}

#[test]
fn what_would_fill_the_disk_is_refused() {
    let limits = Limits {
        bytes: 100,
        entries: 3,
    };
    let ninety = "0".repeat(90);
    let layers = [
        layer(&[("a", FILE, &ninety)]),
        layer(&[("b", FILE, &ninety)]),
    ];
    let (folder, result) = unpacked(&layers, limits);
    assert!(
        matches!(result, Err(UnpackError::TooLarge(100))),
        "{result:?}"
    );
    let size = |name: &str| {
        let file = folder.path().join("root").join(name);
        std::fs::metadata(file).unwrap().len()
    };
    let written = size("a") + size("b");
    assert!(written <= 101, "{written}");

    let many = layer(&[
        ("a/", FOLDER, ""),
        ("b/", FOLDER, ""),
        ("c/", FOLDER, ""),
        ("d/", FOLDER, ""),
    ]);
    let (_folder, result) = unpacked(&[many], limits);
    assert!(matches!(result, Err(UnpackError::TooMany(3))), "{result:?}");
}

#[test]
fn a_damaged_layer_is_refused() {
    let whole = layer(&[("a", FILE, &"0".repeat(2000))]);
    let compressed = zstd::encode_all(whole.as_slice(), 1).unwrap();
    for damaged in [
        &whole[..1500],
        &compressed[..compressed.len() - 4],
        b"<html>no tarball</html>",
    ] {
        let (_folder, result) = unpacked(&[damaged.to_vec()], Limits::default());
        assert!(result.is_err());
    }
}
