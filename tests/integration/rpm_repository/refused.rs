//! Repositories that are not there, are none, or were tampered with.

use super::making::Made;
use super::{MIRROR_LIST, Run, Served, here};
use crate::download::server::nobody;

/// What comes of it, with a change made to every file whose path ends so.
fn refusal_with(end: &str, change: impl Fn(&mut Vec<u8>)) -> String {
    let made = Made::once();
    let served = Served::start(made.files());
    served.change(end, change);
    let folder = tempfile::tempdir().unwrap();
    let mut tree = made.layer(&["libmiddle.so.2"]);
    let before = tree.len();
    let refusal = Run::new(folder.path()).refused(&served.mirror_list(), &mut tree);
    assert_eq!(tree.len(), before);
    refusal
}

const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><body>Sign in</body></html>";

#[test]
fn a_page_in_the_place_of_each_file_is_told_as_one() {
    for end in ["repomd.xml", "primary.xml.gz", ".rpm"] {
        let refusal = refusal_with(end, |content| *content = PAGE.to_vec());
        assert!(
            refusal.contains("html") || refusal.contains("web page"),
            "{end}: {refusal}"
        );
        assert!(refusal.contains(end), "{refusal}");
    }
    let made = Made::once();
    let mut files = made.files();
    let list = MIRROR_LIST.replace("$basearch", here().machine_name());
    files.insert(list, PAGE.to_vec());
    let served = Served::start(files);
    let folder = tempfile::tempdir().unwrap();
    let mut tree = made.layer(&["libmiddle.so.2"]);
    let refusal = Run::new(folder.path()).refused(&served.mirror_list(), &mut tree);
    assert!(
        refusal.contains("mirror.list") && refusal.contains("<!DOCTYPE html>"),
        "{refusal}"
    );
}

#[test]
fn what_was_changed_on_its_way_is_refused_with_both_hashes() {
    for end in ["primary.xml.gz", ".rpm"] {
        let refusal = refusal_with(end, |content| {
            let middle = content.len() / 2;
            content[middle] ^= 1;
        });
        assert!(refusal.contains("expected is"), "{end}: {refusal}");
        assert!(refusal.contains(end), "{refusal}");
    }
}

#[test]
fn metadata_that_are_cut_are_refused() {
    let refusal = refusal_with("repomd.xml", |content| content.truncate(300));
    assert!(
        refusal.contains("repomd.xml") && refusal.contains("not understood"),
        "{refusal}"
    );
}

#[test]
fn a_library_that_no_package_has_is_told_with_its_nearest_and_who_needs_it() {
    let made = Made::once();
    let served = Served::start(made.files());
    let folder = tempfile::tempdir().unwrap();
    let mut tree = made.layer(&["libother.so.1", "libmiddle.so.2"]);
    let refusal = Run::new(folder.path()).refused(&served.mirror_list(), &mut tree);
    assert!(
        refusal.contains("R/library/pkg/libs/pkg.so needs libother.so.1"),
        "{refusal}"
    );
    assert!(refusal.contains("(it has libother.so.16)"), "{refusal}");
    assert!(refusal.contains(&served.server.base()), "{refusal}");
}

#[test]
fn a_repository_that_is_not_there_is_told_by_its_url() {
    let made = Made::once();
    let folder = tempfile::tempdir().unwrap();
    let place = format!("{}/{MIRROR_LIST}?key=secret", nobody());
    let mut tree = made.layer(&["libmiddle.so.2"]);
    let refusal = Run::new(folder.path()).refused(&place, &mut tree);
    assert!(
        refusal.contains("mirror.list") && refusal.contains("2 tries"),
        "{refusal}"
    );
    assert!(!refusal.contains("secret"), "{refusal}");
}

#[test]
fn offline_without_a_cache_says_what_it_lacks() {
    let made = Made::once();
    let served = Served::start(made.files());
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(folder.path());
    run.offline = true;
    let mut tree = made.layer(&["libmiddle.so.2"]);
    let refusal = run.refused(&served.mirror_list(), &mut tree);
    assert!(
        refusal.contains("--offline") && refusal.contains("index"),
        "{refusal}"
    );
    assert!(served.asked().is_empty());
}

#[test]
fn a_layer_that_lacks_nothing_asks_nobody() {
    let made = Made::once();
    let folder = tempfile::tempdir().unwrap();
    let mut tree = made.layer(&[]);
    let completed = Run::new(folder.path())
        .complete(&nobody(), &mut tree)
        .unwrap();
    assert!(completed.added.is_empty());
}
