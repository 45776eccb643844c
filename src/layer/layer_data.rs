//! Data that a ready layer has by itself, as fonts: no library asks for them by a name that a rule could know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::complete::AddedLibrary;
use super::library_data::{DataError, DataFolder, DataRule};
use super::library_rules::Variables;
use super::tree::Content;
use super::{Entry, LayerTree};
use crate::elf::LibraryOrigin;
use crate::package::RpmPackage;

/// Where data are looked for: a root, or the folder of a fetched package.
#[derive(Clone, Debug)]
pub struct DataSource {
    /// The folder, which is like a root.
    pub root: PathBuf,
    /// The package, if it is one's.
    pub package: Option<Arc<RpmPackage>>,
}

/// What came along.
#[derive(Clone, Debug, Default)]
pub struct LayerData {
    /// A line for each folder: what came along, from where.
    pub notes: Vec<String>,
    /// The files that are a distribution's, and where they came from.
    pub files: Vec<AddedLibrary>,
    /// Path of such a file → its licence, as the rule has it.
    pub licenses: BTreeMap<String, String>,
    /// What is to be set.
    pub environment: Variables,
}

impl LayerData {
    /// Adds what a rule names: this program's files, and of each folder the first of the sources' that has files.
    pub fn insert(
        &mut self,
        tree: &mut LayerTree,
        rule: &DataRule,
        sources: &[DataSource],
    ) -> Result<(), DataError> {
        for folder in &rule.folders {
            if let Some((source, place, files)) = found(folder, sources)? {
                self.notes.push(format!(
                    "{} files of {} from {}: {}",
                    files.len(),
                    folder.to,
                    place.display(),
                    rule.reason
                ));
                for (below, path) in files {
                    let place = format!("{}/{below}", folder.to);
                    self.insert_file(tree, place, path, source, rule)?;
                }
            }
        }
        rule.insert_files(tree);
        self.environment.extend(rule.environment.clone());
        Ok(())
    }

    fn insert_file(
        &mut self,
        tree: &mut LayerTree,
        place: String,
        path: PathBuf,
        source: &DataSource,
        rule: &DataRule,
    ) -> Result<(), DataError> {
        let size = fs_err::metadata(&path)?.len();
        let from = match &source.package {
            Some(package) => LibraryOrigin::Rpm(package.clone()),
            None => LibraryOrigin::File(path.clone()),
        };
        self.files.push(AddedLibrary {
            path: place.clone(),
            from,
            size,
        });
        if let Some(license) = &rule.license {
            self.licenses.insert(place.clone(), license.clone());
        }
        let content = Content::File(path);
        let executable = false;
        tree.insert(
            place,
            Entry {
                content,
                size,
                executable,
            },
        );
        Ok(())
    }
}

/// Which folders of a rule are required and are nowhere: where they were looked for.
pub fn absent<'r>(
    rule: &'r DataRule,
    sources: &[DataSource],
) -> Result<Vec<&'r DataFolder>, DataError> {
    let mut absent = Vec::new();
    for folder in rule.folders.iter().filter(|folder| folder.required) {
        if found(folder, sources)?.is_none() {
            absent.push(folder);
        }
    }
    Ok(absent)
}

type Found<'s> = (&'s DataSource, PathBuf, Vec<(String, PathBuf)>);

fn found<'s>(
    folder: &DataFolder,
    sources: &'s [DataSource],
) -> Result<Option<Found<'s>>, DataError> {
    for source in sources {
        let root: &Path = &source.root;
        if let Some(place) = folder.find(root)? {
            let files = folder.files(root, &place)?;
            if !files.is_empty() {
                return Ok(Some((source, place, files)));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_come_from_the_first_place_that_has_them_with_their_licence() {
        let rule: DataRule = toml::from_str(
            r#"
            folders = [{ from = ["usr/share/fonts/*"], to = "share/fonts", only = ["*.ttf"], required = true }]
            files = { "etc/fonts/fonts.conf" = "fontconfig/fonts.conf" }
            environment = { FONTCONFIG_PATH = "/opt/etc/fonts" }
            license = "OFL-1.1"
            reason = "fonts"
            "#,
        )
        .unwrap();
        let roots = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let sources = roots.each_ref().map(|root| DataSource {
            root: root.path().to_owned(),
            package: None,
        });
        assert_eq!(absent(&rule, &sources).unwrap().len(), 1);
        for (root, file) in [
            (&roots[0], "README"),
            (&roots[1], "README"),
            (&roots[1], "a.ttf"),
        ] {
            let folder = root.path().join("usr/share/fonts/some");
            fs_err::create_dir_all(&folder).unwrap();
            fs_err::write(folder.join(file), "font").unwrap();
        }
        assert!(absent(&rule, &sources).unwrap().is_empty());
        let (mut tree, mut data) = (LayerTree::default(), LayerData::default());
        data.insert(&mut tree, &rule, &sources).unwrap();
        let paths: Vec<&str> = tree.iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["etc/fonts/fonts.conf", "share/fonts/a.ttf"]);
        assert_eq!(data.licenses["share/fonts/a.ttf"], "OFL-1.1");
        assert_eq!(data.environment["FONTCONFIG_PATH"], "/opt/etc/fonts");
    }
}
