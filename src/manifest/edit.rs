//! Changing `r-layer.toml` as its owner would: what is not changed stays as it is written, comments and order too.

mod error;
mod sections;

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use toml_edit::{Array, DocumentMut, Item, Table, TableLike};

pub use error::EditError;
use sections::{insert_section, remove_section};

use super::package_list::PackageList;
use super::repository::is_repository_name;
use super::{LayerName, LayerOptions, Manifest, ManifestError, requested_package};
use crate::nearest::nearest_names;
use crate::os::set_mode;
use crate::public_url::PublicUrl;

const LAYERS: &str = "layers";
const PACKAGES: &str = "packages";

/// What is different in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub enum ManifestChange {
    /// A layer is new.
    LayerAdded {
        /// Its name.
        layer: LayerName,
    },
    /// A layer had no packages left.
    LayerRemoved {
        /// Its name.
        layer: LayerName,
    },
    /// A request is new.
    Added {
        /// Its layer.
        layer: LayerName,
        /// The request.
        request: String,
    },
    /// A request took the place of another one for the same package.
    Replaced {
        /// Its layer.
        layer: LayerName,
        /// The one before.
        from: String,
        /// The one now.
        to: String,
    },
    /// A request is no more.
    Removed {
        /// Its layer.
        layer: LayerName,
        /// The request.
        request: String,
    },
    /// What a layer's section says of how it is made.
    Set {
        /// Its layer.
        layer: LayerName,
        /// The key.
        key: &'static str,
        /// Its value now.
        value: String,
    },
    /// A repository is new.
    RepositoryAdded {
        /// Its name.
        name: String,
        /// Its URL.
        url: PublicUrl,
    },
}

impl fmt::Display for ManifestChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ManifestChange::LayerAdded { layer } => write!(f, "+ [layers.{layer}]"),
            ManifestChange::LayerRemoved { layer } => {
                write!(f, "- [layers.{layer}], which has no packages any more")
            }
            ManifestChange::Added { layer, request } => write!(f, "+ {request} in {layer}"),
            ManifestChange::Replaced { layer, from, to } => write!(f, "{from} → {to} in {layer}"),
            ManifestChange::Removed { layer, request } => write!(f, "- {request} from {layer}"),
            ManifestChange::Set { layer, key, value } => {
                write!(f, "{key} = {value} in {layer}")
            }
            ManifestChange::RepositoryAdded { name, url } => {
                write!(f, "+ [repositories.{name}] {url}")
            }
        }
    }
}

/// A manifest that is being changed. Nothing is written before [`ManifestDocument::write`].
#[derive(Clone, Debug)]
pub struct ManifestDocument {
    path: PathBuf,
    document: DocumentMut,
    manifest: Manifest,
    has_mark: bool,
    has_crlf: bool,
    changed: bool,
}

/// What some editors put before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl ManifestDocument {
    /// Reads the manifest in a folder; none is an empty one. One that is not understood is an error, and is not touched.
    pub fn read(folder: &Path) -> Result<ManifestDocument, ManifestError> {
        let path = folder.join(Manifest::NAME);
        match fs_err::read_to_string(&path) {
            Ok(text) => ManifestDocument::parse(&text, path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                ManifestDocument::parse("", path)
            }
            Err(source) => Err(ManifestError::Io { path, source }),
        }
    }

    fn parse(text: &str, path: PathBuf) -> Result<ManifestDocument, ManifestError> {
        let manifest = Manifest::parse(text, &path)?;
        let without_mark = text.strip_prefix(BYTE_ORDER_MARK);
        // What is added has the line ends that the first line has.
        let first_line_end = text.find('\n').unwrap_or(0);
        let has_crlf = text[..first_line_end].ends_with('\r');
        let lines = without_mark.unwrap_or(text).replace("\r\n", "\n");
        // Another parser than the manifest's, of the same crate family; should they differ, its word counts.
        let document = lines.parse().map_err(|error: toml_edit::TomlError| {
            let source = serde::de::Error::custom(error);
            ManifestError::Malformed {
                path: path.clone(),
                source: Box::new(source),
            }
        })?;
        Ok(ManifestDocument {
            path,
            document,
            manifest,
            has_mark: without_mark.is_some(),
            has_crlf,
            changed: false,
        })
    }

    /// What the manifest says now, with the changes.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its text, with the changes.
    pub fn text(&self) -> String {
        let text = self.document.to_string();
        let text = if self.has_crlf {
            text.replace('\n', "\r\n")
        } else {
            text
        };
        if self.has_mark {
            format!("{BYTE_ORDER_MARK}{text}")
        } else {
            text
        }
    }

    /// The layers that ask for a package.
    pub fn layers_with(&self, package: &str) -> Vec<LayerName> {
        let asks = |request: &String| requested_package(request) == package;
        let layers = self.manifest.layers.iter();
        layers
            .filter(|(_, section)| section.packages.iter().any(asks))
            .map(|(layer, _)| layer.clone())
            .collect()
    }

    /// Adds requests to a layer, which is made if need be. One for a package that is there takes the place of the
    /// other, unless it is the bare name: that asks for nothing that the other does not.
    pub fn add_packages(
        &mut self,
        layer: &LayerName,
        requests: &[String],
    ) -> Result<Vec<ManifestChange>, EditError> {
        let before = self.clone();
        let mut changes = Vec::new();
        let mut list = match self.packages_of(layer) {
            Some(list) => list,
            None => PackageList::new(&[]),
        };
        if !self.manifest.layers.contains_key(layer) {
            changes.push(ManifestChange::LayerAdded {
                layer: layer.clone(),
            });
        }
        for request in requests {
            changes.extend(add_request(&mut list, layer, request));
        }
        if !changes.is_empty() {
            self.set_packages(layer, list);
            self.accept(before, layer)?;
        }
        Ok(changes)
    }

    /// Says in a layer's section how it is made, as flags said it, so that every build makes it so.
    pub fn set_options(
        &mut self,
        layer: &LayerName,
        options: &LayerOptions,
    ) -> Result<Vec<ManifestChange>, EditError> {
        let Some(listed) = self.manifest.layers.get(layer).cloned() else {
            return Err(self.no_layer(layer));
        };
        let wanted = options.added_to(&listed);
        let changed = options.other_than(&listed);
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let before = self.clone();
        let mut changes = Vec::new();
        for key in changed {
            let value: toml_edit::Value = match key {
                "package-type" => wanted.package_type.name().into(),
                "compression" => wanted.compression.name().into(),
                "keep" => wanted.keep.iter().collect::<Array>().into(),
                _ => wanted.system_packages.iter().collect::<Array>().into(),
            };
            changes.push(ManifestChange::Set {
                layer: layer.clone(),
                key,
                value: value.to_string(),
            });
            if let Some(section) = self.section(layer) {
                set_value(section, key, value);
            }
        }
        let found = Manifest::parse(&self.document.to_string(), &self.path);
        let mut expected = before.manifest.clone();
        expected.layers.insert(layer.clone(), wanted);
        match found {
            Ok(found) if found == expected => self.manifest = found,
            Ok(_) => {
                *self = before;
                return Err(EditError::OptionsNotEditable {
                    path: self.path.clone(),
                    layer: layer.clone(),
                    wanted: changes.iter().map(ManifestChange::to_string).collect(),
                });
            }
            Err(error) => {
                *self = before;
                return Err(error.into());
            }
        }
        self.changed = true;
        Ok(changes)
    }

    /// Takes packages out of a layer, all of them or, if one is not there, none. A layer without packages goes.
    pub fn remove_packages(
        &mut self,
        layer: &LayerName,
        packages: &[String],
    ) -> Result<Vec<ManifestChange>, EditError> {
        let before = self.clone();
        if !self.manifest.layers.contains_key(layer) {
            return Err(self.no_layer(layer));
        }
        let mut list = self
            .packages_of(layer)
            .unwrap_or_else(|| PackageList::new(&[]));
        let mut changes = Vec::new();
        for package in packages.iter().map(|package| requested_package(package)) {
            let at = list
                .position(package)
                .ok_or_else(|| self.no_package(layer, package))?;
            let request = list.remove(at);
            changes.push(ManifestChange::Removed {
                layer: layer.clone(),
                request,
            });
        }
        if changes.is_empty() {
            return Ok(changes);
        }
        if list.is_empty() {
            remove_section(&mut self.document, LAYERS, layer.as_str());
            changes.push(ManifestChange::LayerRemoved {
                layer: layer.clone(),
            });
        } else {
            self.set_packages(layer, list);
        }
        self.accept(before, layer)?;
        Ok(changes)
    }

    /// Adds a repository behind those that are there; one of that name stays as it is. Credentials in the URL are
    /// left out.
    pub fn add_repository(
        &mut self,
        name: &str,
        url: &str,
        snapshot: Option<&super::SnapshotDate>,
    ) -> Result<Option<ManifestChange>, EditError> {
        if !is_repository_name(name) {
            return Err(EditError::RepositoryName(name.to_owned()));
        }
        if self.manifest.repositories.get(name).is_some() {
            return Ok(None);
        }
        let url = PublicUrl::new(url);
        let mut section = Table::new();
        section.insert("url", url.as_str().into());
        if let Some(snapshot) = snapshot {
            section.insert("snapshot", snapshot.to_string().into());
        }
        insert_section(&mut self.document, "repositories", name, section);
        self.manifest = Manifest::parse(&self.document.to_string(), &self.path)?;
        self.changed = true;
        Ok(Some(ManifestChange::RepositoryAdded {
            name: name.to_owned(),
            url,
        }))
    }

    /// Writes it if anything changed: beside the file first, which it then takes the place of.
    pub fn write(&mut self) -> Result<(), EditError> {
        if !self.changed {
            return Ok(());
        }
        write_beside(&self.path, &self.text()).map_err(|source| EditError::Write {
            path: self.path.clone(),
            source,
        })?;
        self.changed = false;
        Ok(())
    }

    fn no_layer(&self, layer: &LayerName) -> EditError {
        let names = self.manifest.layers.keys().map(LayerName::as_str);
        EditError::NoLayer {
            path: self.path.clone(),
            layer: layer.clone(),
            nearest: nearest_names(layer.as_str(), names)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }
    }

    fn no_package(&self, layer: &LayerName, package: &str) -> EditError {
        let requests = self
            .manifest
            .layers
            .get(layer)
            .map(|section| &section.packages);
        let names = requests
            .into_iter()
            .flatten()
            .map(|request| requested_package(request));
        EditError::NoPackage {
            path: self.path.clone(),
            layer: layer.clone(),
            package: package.to_owned(),
            nearest: nearest_names(package, names)
                .into_iter()
                .map(str::to_owned)
                .collect(),
            elsewhere: self
                .layers_with(package)
                .into_iter()
                .filter(|other| other != layer)
                .collect(),
        }
    }

    fn section(&mut self, layer: &LayerName) -> Option<&mut dyn TableLike> {
        let layers = self.document.get_mut(LAYERS)?.as_table_like_mut()?;
        layers.get_mut(layer.as_str())?.as_table_like_mut()
    }

    fn packages_of(&mut self, layer: &LayerName) -> Option<PackageList> {
        Some(PackageList::of(
            self.section(layer)?.get(PACKAGES)?.as_array()?,
        ))
    }

    fn set_packages(&mut self, layer: &LayerName, list: PackageList) {
        if let Some(section) = self.section(layer) {
            match section.get_mut(PACKAGES).and_then(Item::as_array_mut) {
                Some(array) => list.write(array),
                None => {
                    section.insert(PACKAGES, array_of(&list).into());
                }
            }
            return;
        }
        let mut section = Table::new();
        section.insert(PACKAGES, array_of(&list).into());
        insert_section(&mut self.document, LAYERS, layer.as_str(), section);
    }

    /// Is the text, read anew, what was wanted? If not, nothing is changed.
    fn accept(&mut self, before: ManifestDocument, layer: &LayerName) -> Result<(), EditError> {
        let wanted: Vec<String> = self
            .packages_of(layer)
            .map(|list| list.requests().map(str::to_owned).collect())
            .unwrap_or_default();
        let mut others = before.manifest.clone();
        let mut found = match Manifest::parse(&self.document.to_string(), &self.path) {
            Ok(found) => found,
            Err(error) => {
                *self = before;
                return Err(error.into());
            }
        };
        self.manifest = found.clone();
        let of_layer = found.layers.remove(layer).unwrap_or_default();
        others.layers.remove(layer);
        if of_layer.packages != wanted || found != others {
            let path = self.path.clone();
            *self = before;
            return Err(EditError::NotEditable {
                path,
                layer: layer.clone(),
                wanted,
            });
        }
        self.changed = true;
        Ok(())
    }
}

fn add_request(list: &mut PackageList, layer: &LayerName, request: &str) -> Option<ManifestChange> {
    let package = requested_package(request);
    let layer = layer.clone();
    match list.position(package) {
        None => {
            list.add(request);
            Some(ManifestChange::Added {
                layer,
                request: request.to_owned(),
            })
        }
        Some(_) if package == request.trim() => None,
        Some(at) if list.requests().nth(at) == Some(request) => None,
        Some(at) => {
            let from = list.replace(at, request);
            Some(ManifestChange::Replaced {
                layer,
                from,
                to: request.to_owned(),
            })
        }
    }
}

/// Sets a key; what stood behind the value, as a comment, stays.
fn set_value(section: &mut dyn TableLike, key: &str, mut value: toml_edit::Value) {
    if let Some(old) = section.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    match section.get_mut(key) {
        Some(item) => *item = value.into(),
        None => {
            section.insert(key, value.into());
        }
    }
}

fn array_of(list: &PackageList) -> Array {
    let requests: Vec<String> = list.requests().map(str::to_owned).collect();
    let mut array = Array::new();
    PackageList::new(&requests).write(&mut array);
    array
}

fn write_beside(path: &Path, text: &str) -> std::io::Result<()> {
    // A link stays one: what it leads to is replaced.
    let path = match path.exists() {
        true => fs_err::canonicalize(path)?,
        false => path.to_owned(),
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    match fs_err::metadata(&path) {
        Ok(metadata) => fs_err::set_permissions(file.path(), metadata.permissions())?,
        Err(_) => set_mode(file.path(), 0o644)?,
    }
    file.write_all(text.as_bytes())?;
    file.persist(&path)?;
    Ok(())
}

#[cfg(test)]
mod tests;
