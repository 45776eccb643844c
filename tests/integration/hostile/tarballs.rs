//! Tarballs that are damaged, something else, or made to do harm.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::EntryType;

use super::Place;

/// An entry of a tarball, also one that no tool would write.
struct Item {
    path: String,
    kind: EntryType,
    /// A file's content, or a link's target.
    content: String,
    /// Said instead of the content's own length.
    size: Option<u64>,
}

fn item(kind: EntryType, path: &str, content: &str) -> Item {
    Item {
        path: path.to_owned(),
        kind,
        content: content.to_owned(),
        size: None,
    }
}

fn file(path: &str, content: &str) -> Item {
    item(EntryType::Regular, path, content)
}

fn link(path: &str, target: &str) -> Item {
    item(EntryType::Symlink, path, target)
}

/// What is looked for in R's source, in the version that is asked for.
fn r_source(version: &str) -> Vec<Item> {
    vec![
        file("R-4.4.9/VERSION", version),
        file("R-4.4.9/configure", "exit 1"),
        file("R-4.4.9/src/main/main.c", "int main(void) { return 1; }"),
    ]
}

fn tarball(items: &[Item]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    for Item {
        path,
        kind,
        content,
        size,
    } in items
    {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        let data = if *kind == EntryType::Regular {
            content.as_bytes()
        } else {
            b""
        };
        if data.is_empty() {
            header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
        }
        header.set_size(size.unwrap_or(data.len() as u64));
        header.set_cksum();
        gzip.write_all(header.as_bytes()).unwrap();
        gzip.write_all(data).unwrap();
        gzip.write_all(&vec![0; data.len().next_multiple_of(512) - data.len()])
            .unwrap();
    }
    gzip.write_all(&[0; 1024]).unwrap();
    gzip.finish().unwrap()
}

/// Makes sure that R 4.4.9 is not built from these bytes.
fn assert_refused(place: &Place, content: &[u8], words: &[&str]) {
    let path = place.write("given.tar.gz", content);
    let mut command = place.build_offline();
    command
        .args(["--r-version", "4.4.9", "--r-tarball"])
        .arg(path);
    place.assert_refused(&mut command, words);
}

#[test]
fn a_tarball_that_is_damaged_or_none() {
    let place = Place::new();
    let whole = tarball(&r_source("4.4.9"));
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 0xff;
    let damaged = "is damaged or truncated";
    let none = "given.tar.gz: what is there is not a .tar.gz or .tar.xz file";
    for (content, words) in [
        (&whole[..whole.len() / 2], damaged),
        (&whole[..whole.len() - 4], damaged),
        (&whole[..12], damaged),
        (changed.as_slice(), damaged),
        (b"\xfd7zXZ\0 and then nothing", damaged),
        (b"<html>Not Found</html>", none),
        (b"PK\x03\x04", none),
        (b"", none),
    ] {
        assert_refused(&place, content, &[words]);
    }
}

#[test]
fn a_tarball_of_something_else() {
    let place = Place::new();
    let without = |missing: &str| {
        let mut items = r_source("4.4.9");
        items.retain(|item| !item.path.ends_with(missing));
        tarball(&items)
    };
    let package = tarball(&[file(
        "jsonlite/DESCRIPTION",
        "Package: jsonlite\nVersion: 2.0.0\n",
    )]);
    let of_version = |version: &str| tarball(&r_source(version));
    for (content, words) in [
        (package, ["is not R's source", "it has no configure"]),
        (tarball(&[]), ["is not R's source", "it has no configure"]),
        (
            without("VERSION"),
            ["is not R's source", "it has no VERSION"],
        ),
        (
            without("main.c"),
            ["is not R's source", "it has no src/main/main.c"],
        ),
        (
            of_version("4.4.8"),
            ["is R 4.4.8, not R 4.4.9", "--r-version 4.4.8"],
        ),
        (
            of_version("4.5.0 Under development (unstable)"),
            ["is R 4.5.0, not R 4.4.9", "--r-version 4.5.0"],
        ),
        (of_version("nonsense"), ["is R nonsense", "not R 4.4.9"]),
        (of_version(""), ["is R ", "not R 4.4.9"]),
    ] {
        assert_refused(&place, &content, &words);
    }
}

#[test]
fn a_tarball_that_would_write_elsewhere() {
    let place = Place::new();
    let outside = place.path("outside");
    let absolute = outside.display().to_string();
    let leaves = "leaves the folder it is unpacked into";
    let leads = "outside its folder";
    for (items, words) in [
        (
            vec![file("../../../planted", "x")],
            ["`../../../planted`", leaves],
        ),
        (
            vec![file("R-4.4.9/../../../../planted", "x")],
            ["`R-4.4.9/../../../../planted`", leaves],
        ),
        (vec![file(&absolute, "x")], [absolute.as_str(), leaves]),
        (
            vec![link("R-4.4.9/a", "../../planted")],
            ["`R-4.4.9/a` leads to `../../planted`", leads],
        ),
        (
            vec![link("R-4.4.9/a", &absolute)],
            ["`R-4.4.9/a` leads to", leads],
        ),
        (
            vec![link("d", &absolute), file("d/planted", "x")],
            ["`d` leads to", leads],
        ),
        (
            vec![item(EntryType::Link, "a", "../../../planted")],
            ["`a` leads to `../../../planted`", leads],
        ),
        (
            vec![item(EntryType::Link, "a", "/etc/passwd")],
            ["`a` leads to `/etc/passwd`", leads],
        ),
        // Each link stays within, by its words; one through the other does not.
        (
            vec![
                link("R-4.4.9/out", "a/b/up/.."),
                link("R-4.4.9/a/b/up", "../../.."),
            ],
            ["`R-4.4.9/out` leads to", leads],
        ),
    ] {
        let all: Vec<Item> = r_source("4.4.9").into_iter().chain(items).collect();
        assert_refused(&place, &tarball(&all), &words);
        assert!(!outside.exists());
    }
}

#[test]
fn a_tarball_with_what_no_source_has() {
    let place = Place::new();
    let neither = "is neither a file, a folder nor a link";
    let absurd = |kind| Item {
        size: Some(3 << 30),
        ..item(kind, "R-4.4.9/bomb", "")
    };
    for (planted, words) in [
        (
            item(EntryType::Char, "R-4.4.9/null", ""),
            ["`R-4.4.9/null`", neither],
        ),
        (
            item(EntryType::Block, "R-4.4.9/disk", ""),
            ["`R-4.4.9/disk`", neither],
        ),
        (
            item(EntryType::Fifo, "R-4.4.9/pipe", ""),
            ["`R-4.4.9/pipe`", neither],
        ),
        (
            absurd(EntryType::Regular),
            ["is refused: it unpacks to more than", "2147483648 bytes"],
        ),
    ] {
        let mut items = r_source("4.4.9");
        items.push(planted);
        assert_refused(&place, &tarball(&items), &words);
    }
}

#[test]
fn a_tarball_that_is_not_there() {
    let place = Place::new();
    std::fs::create_dir(place.path("project/folder")).unwrap();
    let cran = place.path("cran").display().to_string();
    for name in ["absent.tar.gz", "folder"] {
        let mut command = place.build_offline();
        command.args(["--r-version", "4.4.9", "--r-tarball", name]);
        let tried = [name, &format!("{cran}/src/base/R-4/R-4.4.9.tar.gz")]
            .map(|place| format!("{place}: no such file"));
        place.assert_refused(
            &mut command,
            &[&tried[0], &tried[1], "R 4.4.9 was not found"],
        );
    }
}

/// The hashes of R 4.5.0's and curl's sources are part of r-layer.
#[test]
fn a_tarball_in_a_folder_that_is_another_than_its_name_says() {
    let place = Place::new();
    std::fs::remove_dir_all(place.path("cache/downloads")).unwrap();
    let content = tarball(&r_source("4.5.0"));
    let found = r_layer::checksum::Sha256::of(&content).to_string();
    place.write("R-4.5.0.tar.gz", &content);
    let mut command = place.build_offline();
    let known = "3b33ea113e0d1ddc9793874d5949cec2c7386f66e4abfb1cef9aec22846c3ce1";
    place.assert_refused(
        command.args(["--sources", "."]),
        &[&found, known, "R-4.5.0.tar.gz"],
    );
}

#[test]
fn a_package_that_is_another_than_its_name_says() {
    let place = Place::new();
    let description = "Package: other\nVersion: 9.0.0\n";
    place.write(
        "jsonlite_9.0.0.tar.gz",
        tarball(&[file("jsonlite/DESCRIPTION", description)]),
    );
    let mut command = place.build_offline();
    let words = ["jsonlite_9.0.0.tar.gz is not the source of the R package jsonlite"];
    place.assert_refused(command.args(["--sources", "."]), &words);

    place.write(
        "jsonlite_9.0.0.tar.gz",
        tarball(&[file("../../../planted", "x")]),
    );
    let words = ["`../../../planted`", "leaves the folder"];
    place.assert_refused(place.build_offline().args(["--sources", "."]), &words);
}
