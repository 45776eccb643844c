//! The libraries that a prebuilt R, or package, brings along in folders named `.libs`: those that nothing kept needs are
//! left out, and so is what needs a library that can be had nowhere, where a rule allows it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::LayerTree;
use super::elf_files::{ElfFiles, elf_files, file_name};
use super::prune::{Pruned, patterns};
use super::runtime::R_HOME;
use super::tree::{SourceFolder, TreeError};
use crate::elf::ElfFile;

/// What may be left out, and for want of which libraries.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionalRule {
    /// The libraries, by soname.
    pub libraries: Vec<String>,
    /// Patterns of the files that may be left out if they need one of them, directly or through others.
    pub files: Vec<String>,
    /// Why it is no loss, for people.
    pub reason: String,
}

/// Leaves out the files of each rule that need one of its libraries, where that is neither in the tree nor provided by
/// the target.
pub fn leave_out_optional(
    tree: &mut LayerTree,
    files: &mut ElfFiles,
    rules: &[OptionalRule],
    provided: impl Fn(&str) -> bool,
) -> Result<Vec<Pruned>, globset::Error> {
    let mut report = Vec::new();
    for rule in rules {
        let optional = patterns(&rule.files)?;
        let own: BTreeSet<&str> = files.keys().map(|path| file_name(path)).collect();
        let absent: BTreeSet<&str> = rule
            .libraries
            .iter()
            .map(String::as_str)
            .filter(|soname| !own.contains(soname) && !provided(soname))
            .collect();
        let dropped: Vec<String> = files
            .keys()
            .filter(|path| optional.is_match(path))
            .filter(|path| !closure(files, [path.as_str()]).is_disjoint(&absent))
            .cloned()
            .collect();
        report.push(take_out(tree, files, dropped, &rule.reason));
    }
    Ok(report)
}

/// Leaves out the bundled libraries that no file outside of the `.libs` folders needs, directly or through others.
pub fn leave_out_unneeded(tree: &mut LayerTree, files: &mut ElfFiles) -> Pruned {
    let roots = files
        .keys()
        .map(String::as_str)
        .filter(|path| !is_bundled(path));
    let needed = closure(files, roots);
    let dropped = files
        .keys()
        .filter(|path| is_bundled(path) && !needed.contains(file_name(path)))
        .cloned()
        .collect();
    take_out(
        tree,
        files,
        dropped,
        "libraries that came with R and that nothing kept needs",
    )
}

/// The files of R that match, as a layer of their own has them, with those of the libraries that came with R which they need.
pub fn part_of_r(home: &SourceFolder, files: &[String]) -> Result<LayerTree, PartOfRError> {
    let mut tree = LayerTree::default();
    tree.insert_folder(R_HOME, home)?;
    let wanted = patterns(files)?;
    tree.retain(|path, _| wanted.is_match(path) || is_bundled(path));
    let mut headers = elf_files(&tree)?;
    leave_out_unneeded(&mut tree, &mut headers);
    Ok(tree)
}

/// Why a part of R could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum PartOfRError {
    /// R's home could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A pattern that is none.
    #[error(transparent)]
    Pattern(#[from] globset::Error),
}

/// The sonames that files need, directly or through libraries of the tree.
fn closure<'a>(files: &'a ElfFiles, from: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut by_name: BTreeMap<&str, Vec<&ElfFile>> = BTreeMap::new();
    for (path, elf) in files {
        by_name.entry(file_name(path)).or_default().push(elf);
    }
    let mut needed = BTreeSet::new();
    let mut queue: Vec<&ElfFile> = from
        .into_iter()
        .filter_map(|path| files.get(path))
        .collect();
    while let Some(elf) = queue.pop() {
        for soname in &elf.needed {
            if needed.insert(soname.as_str()) {
                queue.extend(by_name.get(soname.as_str()).into_iter().flatten());
            }
        }
    }
    needed
}

fn take_out(
    tree: &mut LayerTree,
    files: &mut ElfFiles,
    paths: Vec<String>,
    reason: &str,
) -> Pruned {
    let mut pruned = Pruned {
        reason: reason.to_owned(),
        files: 0,
        bytes: 0,
    };
    for path in paths {
        files.remove(&path);
        if let Some(entry) = tree.remove(&path) {
            pruned.files += 1;
            pruned.bytes += entry.size;
        }
    }
    pruned
}

fn is_bundled(path: &str) -> bool {
    path.split('/').rev().nth(1) == Some(".libs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Entry;

    /// A tree of ELF files that need each other, as Posit's R has them.
    fn portable() -> (LayerTree, ElfFiles) {
        let mut tree = LayerTree::default();
        let mut files = ElfFiles::new();
        for (path, needed) in [
            ("R/lib/libR.so", &["libpcre2-aa.so.0", "libm.so.6"][..]),
            ("R/library/grDevices/libs/cairo.so", &["libcairo-bb.so.2"]),
            ("R/library/grDevices/libs/grDevices.so", &["libR.so"]),
            ("R/lib/.libs/libpcre2-aa.so.0", &["libshared-dd.so.1"]),
            (
                "R/lib/.libs/libcairo-bb.so.2",
                &["libfontconfig-cc.so.1", "libshared-dd.so.1"],
            ),
            ("R/lib/.libs/libfontconfig-cc.so.1", &["libexpat.so.1"]),
            ("R/lib/.libs/libshared-dd.so.1", &["libc.so.6"]),
            ("R/lib/.libs/libunused-ee.so.1", &["libc.so.6"]),
        ] {
            tree.insert(path, Entry::bytes(&b"12345"[..], true));
            let elf = ElfFile {
                needed: needed.iter().map(|&name| name.to_owned()).collect(),
                ..ElfFile::default()
            };
            files.insert(path.to_owned(), elf);
        }
        (tree, files)
    }

    fn rule() -> OptionalRule {
        OptionalRule {
            libraries: vec!["libexpat.so.1".to_owned()],
            files: vec!["R/library/grDevices/libs/*.so".to_owned()],
            reason: "no fonts".to_owned(),
        }
    }

    #[test]
    fn what_lacks_a_library_goes_with_all_that_only_it_needed() {
        let (mut tree, mut files) = portable();
        let report = leave_out_optional(&mut tree, &mut files, &[rule()], |_| false).unwrap();
        assert_eq!((report[0].files, report[0].bytes), (1, 5));
        assert!(tree.get("R/library/grDevices/libs/cairo.so").is_none());
        assert!(tree.get("R/library/grDevices/libs/grDevices.so").is_some());
        assert_eq!(leave_out_unneeded(&mut tree, &mut files).files, 3);
        let kept: Vec<&str> = tree.iter().map(|(path, _)| path).collect();
        assert_eq!(
            kept,
            [
                "R/lib/.libs/libpcre2-aa.so.0",
                "R/lib/.libs/libshared-dd.so.1",
                "R/lib/libR.so",
                "R/library/grDevices/libs/grDevices.so",
            ]
        );
    }

    #[test]
    fn what_lacks_nothing_stays() {
        let (mut tree, mut files) = portable();
        let there = |soname: &str| soname == "libexpat.so.1";
        let report = leave_out_optional(&mut tree, &mut files, &[rule()], there).unwrap();
        assert_eq!(report[0].files, 0);
        assert_eq!(leave_out_unneeded(&mut tree, &mut files).files, 1);
        assert!(tree.get("R/lib/.libs/libfontconfig-cc.so.1").is_some());
    }
}
