//! Tarballs that are made to write elsewhere, or are something else than was asked for.

use flate2::Compression;
use flate2::write::GzEncoder;
use r_layer::repository::{IndexEntry, PackageError, PackageFile, PackageRequest, unpack_source};
use tar::EntryType;

use super::making::{Package, Repositories};
use super::{Place, set, settings};

const DESCRIPTION: (&str, EntryType, &str) = (
    "aa/DESCRIPTION",
    EntryType::Regular,
    "Package: aa\nVersion: 1.0\n",
);

/// Entries as they are, also those that `tar` itself would refuse; a link's content is its target.
fn tarball(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        let data = match kind {
            EntryType::Regular => content.as_bytes(),
            _ => {
                header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
                b""
            }
        };
        header.set_size(data.len() as u64);
        header.set_cksum();
        archive.append(&header, data).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// What a repository that has that as aa 1.0 gives.
async fn fetched(place: &Place, content: &[u8]) -> Result<PackageFile, PackageError> {
    let mut made = Repositories::new();
    let path = "cran/src/contrib/aa_1.0.tar.gz".to_owned();
    made.put(path, content.to_vec(), None);
    let server = made.serve();
    let all = set(&[settings("cran", &server.url("cran"))]);
    let folder = all.named("cran").unwrap().sources();
    let request = PackageRequest::of_entry(&IndexEntry::of("aa", "1.0"), &folder).unwrap();
    place.sources().fetch(&request).await
}

#[tokio::test]
async fn another_package_or_version_inside_is_refused_and_not_kept() {
    for (content, words) in [
        (
            Package::new("bb", "1.0").tarball(),
            "holds bb 1.0, and aa 1.0 was asked for",
        ),
        (
            Package::new("aa", "1.1").tarball(),
            "holds aa 1.1, and aa 1.0 was asked for",
        ),
        (
            tarball(&[("aa/R/code.R", EntryType::Regular, "x")]),
            "it has no DESCRIPTION in its folder",
        ),
        (
            tarball(&[("aa/DESCRIPTION", EntryType::Regular, "<html>")]),
            "its DESCRIPTION",
        ),
        (
            tarball(&[("DESCRIPTION", EntryType::Regular, DESCRIPTION.2)]),
            "it has no DESCRIPTION in its folder",
        ),
        (
            tarball(&[("a/a/DESCRIPTION", EntryType::Regular, DESCRIPTION.2)]),
            "it has no DESCRIPTION in its folder",
        ),
        (
            Package::new("aa", "1.0").built("4.5.0").tarball(),
            "is a binary package, and a source package is needed",
        ),
    ] {
        let place = Place::new();
        let error = fetched(&place, &content).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(error.contains("/cran/src/contrib/aa_1.0.tar.gz"), "{error}");
        assert_eq!(place.downloads(), 0);
    }
}

#[tokio::test]
async fn what_leads_out_of_its_folder_is_refused_when_it_is_unpacked() {
    use EntryType::{Link, Regular, Symlink};
    for (bad, words) in [
        (("aa/../../out", Regular, "x"), "leaves the folder"),
        (("/tmp/out", Regular, "x"), "leaves the folder"),
        (
            ("aa/link", Symlink, "/etc/passwd"),
            "leads to `/etc/passwd`, outside its folder",
        ),
        (("aa/link", Symlink, "../../out"), "outside its folder"),
        (("aa/link", Link, "../out"), "outside its folder"),
        (
            ("aa/pipe", EntryType::Fifo, ""),
            "neither a file, a folder nor a link",
        ),
        (
            ("bb/DESCRIPTION", Regular, "Package: bb\nVersion: 1\n"),
            "not one folder with a DESCRIPTION",
        ),
    ] {
        let place = Place::new();
        let file = fetched(&place, &tarball(&[DESCRIPTION, bad]))
            .await
            .unwrap();
        let into = place.folder.path().join("around/into");
        let error = unpack_source(&file, &into).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(
            error.contains("/cran/src/contrib/aa_1.0.tar.gz"),
            "its place in the cache says nothing: {error}"
        );
        let around = std::fs::read_dir(place.folder.path().join("around")).unwrap();
        assert_eq!(around.count(), 1, "{words}");
    }
}

/// The first DESCRIPTION is the one that is looked at before, a second one wins when it is unpacked.
#[tokio::test]
async fn a_second_description_does_not_smuggle_another_package_in() {
    let place = Place::new();
    let other = (
        "aa/DESCRIPTION",
        EntryType::Regular,
        "Package: bb\nVersion: 1.0\n",
    );
    let file = fetched(&place, &tarball(&[DESCRIPTION, other]))
        .await
        .unwrap();
    let error = unpack_source(&file, &place.folder.path().join("into"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("holds bb 1.0, and aa 1.0 was asked for"),
        "{error}"
    );
}

#[tokio::test]
async fn a_good_one_is_unpacked_into_its_folder() {
    let place = Place::new();
    let content = tarball(&[DESCRIPTION, ("aa/R/code.R", EntryType::Regular, "x")]);
    let file = fetched(&place, &content).await.unwrap();
    let top = unpack_source(&file, &place.folder.path().join("into")).unwrap();
    assert_eq!(std::fs::read_to_string(top.join("R/code.R")).unwrap(), "x");
}
