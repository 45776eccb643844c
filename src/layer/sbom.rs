//! A layer's bill of materials, `dist/NAME.cdx.json`: CycloneDX 1.5, for tools that look for known vulnerabilities and
//! for licences.
//!
//! It says nothing of when and where the layer was made, so that the same zip has the same bill.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use cyclonedx_bom::models::bom::SpecVersion;
use cyclonedx_bom::models::component::{Classification, Components};
use cyclonedx_bom::models::dependency::{Dependencies, Dependency};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{License, LicenseChoice, Licenses};
use cyclonedx_bom::models::metadata::Metadata;
use cyclonedx_bom::models::property::{Properties, Property};
use cyclonedx_bom::models::tool::{Tool, Tools};
use cyclonedx_bom::prelude::{Bom, Component, DateTime, Purl, UrnUuid};
use purl::GenericPurlBuilder;
use rawzip::time::UtcDateTime;
use rayon::prelude::*;

use super::archive::ArchiveEntry;
use super::system_package::SystemPackage;
use super::zoneinfo::TIME_ZONES;
use super::{BuildRecord, ExaminedLayer, RuntimeRecipe};
use crate::checksum::Sha256;
use crate::package::{R_LICENSE, spdx_expression};

/// Why there is no bill of materials.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// A library of the layer could not be unpacked.
    #[error(transparent)]
    Zip(#[from] super::archive::ReadZipError),
    /// The bill that came with R is none that can be read.
    #[error("the bill of materials that came with R cannot be read: {0}")]
    Distributed(#[from] cyclonedx_bom::errors::JsonReadError),
}

/// Where the bill that comes with a prebuilt R lies in the layer.
pub const DISTRIBUTED: &str = "R/sbom.cdx.json";

/// The property in which Posit's bill names the files that it took from a package.
const BUNDLED_FILES: &str = "posit:bundled-files";

/// What a bill of materials is made from.
#[derive(Clone, Copy, Debug)]
pub struct SbomSources<'a> {
    /// The zip.
    pub layer: &'a ExaminedLayer,
    /// Its build record.
    pub record: &'a BuildRecord,
    /// The distribution's packages that added libraries, and data, came from.
    pub owners: &'a BTreeMap<String, SystemPackage>,
    /// Components that are told by another bill.
    pub distributed: &'a [Component],
    /// When the layer was made, where that is fixed from outside (SOURCE_DATE_EPOCH).
    pub created: Option<UtcDateTime>,
}

/// A bill of materials.
#[derive(Clone, Debug)]
pub struct Sbom(Bom);

impl Sbom {
    /// The bill of a layer.
    pub fn of(sources: &SbomSources<'_>) -> Result<Sbom, SbomError> {
        let layer = layer_component(sources.record);
        let mut components: Vec<Component> = r_components(sources.layer, sources.record);
        components.extend(package_components(sources.layer));
        components.extend(library_components(sources)?);
        components.extend(data_components(sources));
        components.extend(present(sources.distributed, sources.layer));
        let mut seen = BTreeSet::new();
        components.retain(|component| seen.insert(component.bom_ref.clone()));
        let depends = Dependency {
            dependency_ref: layer.bom_ref.clone().unwrap_or_default(),
            dependencies: seen.into_iter().flatten().collect(),
        };
        let created = sources.created.map(timestamp);
        Ok(Sbom(Bom {
            serial_number: UrnUuid::new(serial_number(&sources.record.sha256)).ok(),
            metadata: Some(Metadata {
                timestamp: created.and_then(|time| DateTime::try_from(time).ok()),
                tools: Some(Tools::List(vec![Tool {
                    vendor: None,
                    ..Tool::new("", "r-layer", &sources.record.r_layer_version)
                }])),
                component: Some(layer),
                ..Metadata::default()
            }),
            components: Some(Components(components)),
            dependencies: Some(Dependencies(vec![depends])),
            spec_version: SpecVersion::V1_5,
            ..Bom::default()
        }))
    }

    /// Writes it as JSON.
    pub fn write(&self, mut output: impl Write) -> io::Result<()> {
        self.0
            .clone()
            .output_as_json_v1_5(&mut output)
            .map_err(io::Error::other)?;
        output.write_all(b"\n")
    }
}

/// The components of a bill that came with R.
pub fn distributed_components(bill: &[u8]) -> Result<Vec<Component>, SbomError> {
    let bom = Bom::parse_from_json(bill)?;
    Ok(bom.components.map(|found| found.0).unwrap_or_default())
}

/// The same zip always has the same number.
fn serial_number(zip: &Sha256) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&zip.bytes()[..16]);
    let number = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    format!("urn:uuid:{number}")
}

fn timestamp(time: UtcDateTime) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

fn layer_component(record: &BuildRecord) -> Component {
    let stem = record.zip.trim_end_matches(".zip");
    let mut layer = Component::new(
        Classification::Application,
        &record.name,
        &record.r_version,
        Some(stem.to_owned()),
    );
    layer.description = Some(record.description.as_str().into());
    layer.hashes = Some(sha256(&record.sha256));
    layer.properties = properties(&[
        ("r-layer:zip", &record.zip),
        ("r-layer:target", &record.target),
        ("r-layer:architecture", record.architecture.aws_name()),
    ]);
    layer
}

/// R itself, and what is compiled into it, if the layer holds R.
fn r_components(layer: &ExaminedLayer, record: &BuildRecord) -> Vec<Component> {
    if layer.archive.get("R/lib/libR.so").is_none() {
        return Vec::new();
    }
    let mut r = known(
        Classification::Application,
        purl("generic", None, "R", &record.r_version, &[]),
        "R",
        &record.r_version,
    );
    r.licenses = licenses(R_LICENSE);
    let curl = &RuntimeRecipe::embedded().curl;
    let compiled = record.inputs.get("curl source");
    let mut components = vec![r];
    if compiled.is_some_and(|source| *source == format!("sha256 {}", curl.sha256)) {
        let mut library = known(
            Classification::Library,
            purl("generic", None, "curl", &curl.version, &[]),
            "curl",
            &curl.version,
        );
        library.licenses = licenses("curl");
        library.properties = properties(&[("r-layer:path", "R/modules/curl.so")]);
        components.push(library);
    }
    if let Some(zones) = record
        .sources
        .iter()
        .find(|source| source.name == TIME_ZONES)
    {
        let release = &zones.version;
        let purl = purl("generic", None, "tzdata", release, &[]);
        let mut data = known(Classification::Data, purl, "tzdata", release);
        data.properties = properties(&[("r-layer:path", "R/share/zoneinfo")]);
        components.push(data);
    }
    components
}

fn package_components(layer: &ExaminedLayer) -> impl Iterator<Item = Component> {
    layer.packages().into_iter().map(|(name, package)| {
        let purl = purl("cran", None, &name, &package.version, &[]);
        let mut component = known(Classification::Library, purl, &name, &package.version);
        component.licenses = package.license.as_deref().and_then(licenses_of_r);
        component.properties = properties(&[("r-layer:path", &format!("R/library/{name}"))]);
        component
    })
}

/// The BLAS of a prebuilt R is OpenBLAS under R's name for it, of which its own bill does not tell.
const PREBUILT_BLAS: &str = "R/lib/libRblas.so";

impl SbomSources<'_> {
    /// Is R one that came compiled, with a bill of its own?
    fn is_prebuilt(&self) -> bool {
        !self.distributed.is_empty()
    }
}

/// The shared libraries that were added, as what the distribution calls them where that is known.
fn library_components(sources: &SbomSources<'_>) -> Result<Vec<Component>, SbomError> {
    let paths = sources.record.added_libraries.keys().map(String::as_str);
    let added: Vec<(&str, &ArchiveEntry)> = paths
        .chain(sources.is_prebuilt().then_some(PREBUILT_BLAS))
        .filter_map(|path| Some((path, sources.layer.archive.get(path)?)))
        .collect();
    let component = |(path, entry): &(&str, &ArchiveEntry)| {
        let path = *path;
        let name = path.rsplit('/').next().unwrap_or(path);
        let mut component =
            Component::new(Classification::Library, name, "", Some(path.to_owned()));
        component.version = None;
        component.hashes = Some(sha256(&Sha256::of(&entry.content()?)));
        let mut said = vec![("r-layer:path", path)];
        if let Some(owner) = sources.owners.get(path) {
            let epoch = owner.epoch.map(|epoch| epoch.to_string());
            let mut qualifiers = vec![("arch", owner.architecture.as_str())];
            qualifiers.extend(epoch.as_deref().map(|epoch| ("epoch", epoch)));
            let (of, name) = (owner.distribution.as_str(), owner.name.as_str());
            let kind = owner.format.purl_type();
            component.version = Some(owner.version.as_str().into());
            component.purl = purl(kind, Some(of), name, &owner.version, &qualifiers);
            component.licenses = owner.license.as_deref().map(named_license);
            said.extend(
                owner
                    .fetched
                    .iter()
                    .map(|(url, _)| ("r-layer:url", url.as_str())),
            );
            said.push(("r-layer:package", &owner.name));
            said.extend(
                owner
                    .copyright
                    .as_deref()
                    .map(|file| ("r-layer:copyright-file", file)),
            );
        }
        component.properties = properties(&said);
        Ok(component)
    };
    added.par_iter().map(component).collect()
}

/// The distribution's packages that data are from, as fonts, each once.
fn data_components(sources: &SbomSources<'_>) -> Vec<Component> {
    let mut folders: BTreeMap<(&str, &str), (&SystemPackage, BTreeSet<&str>)> = BTreeMap::new();
    for (path, owner) in sources.owners {
        let is_there = sources.layer.archive.get(path).is_some();
        if !is_there || sources.record.added_libraries.contains_key(path) {
            continue;
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let known = folders.entry((&owner.name, &owner.version));
        known.or_insert((owner, BTreeSet::new())).1.insert(folder);
    }
    let packages = folders.into_values();
    packages
        .map(|(owner, folders)| {
            let (of, kind) = (owner.distribution.as_str(), owner.format.purl_type());
            let qualifiers = [("arch", owner.architecture.as_str())];
            let purl = purl(kind, Some(of), &owner.name, &owner.version, &qualifiers);
            let mut data = known(Classification::Data, purl, &owner.name, &owner.version);
            data.licenses = owner.license.as_deref().map(named_license);
            let paths = folders.into_iter().map(|folder| ("r-layer:path", folder));
            data.properties = properties(&paths.collect::<Vec<_>>());
            data
        })
        .collect()
}

/// The components of another bill of which the layer holds a file, or which do not say what files they are.
fn present(components: &[Component], layer: &ExaminedLayer) -> Vec<Component> {
    let names: BTreeSet<&str> = layer
        .archive
        .entries
        .iter()
        .filter_map(|entry| entry.path.rsplit('/').next())
        .collect();
    components
        .iter()
        .filter_map(|component| {
            let mut component = component.clone();
            for property in component.properties.iter_mut().flat_map(|all| &mut all.0) {
                if property.name == BUNDLED_FILES {
                    let files = property.value.split(',').map(str::trim);
                    let there: Vec<&str> = files.filter(|file| names.contains(file)).collect();
                    if there.is_empty() {
                        return None;
                    }
                    property.value = there.join(", ").as_str().into();
                }
            }
            let purl = component.purl.as_ref().map(ToString::to_string);
            let name = component.name.to_string();
            component.bom_ref = component.bom_ref.or(purl).or(Some(name));
            Some(component)
        })
        .collect()
}

/// A component whose package URL is its reference.
fn known(kind: Classification, purl: Option<Purl>, name: &str, version: &str) -> Component {
    let reference = purl.as_ref().map(ToString::to_string);
    let mut component = Component::new(kind, name, version, reference);
    component.purl = purl;
    component
}

fn purl(
    kind: &str,
    namespace: Option<&str>,
    name: &str,
    version: &str,
    qualifiers: &[(&str, &str)],
) -> Option<Purl> {
    let mut builder = GenericPurlBuilder::new(kind.to_owned(), name).with_version(version);
    if let Some(namespace) = namespace {
        builder = builder.with_namespace(namespace);
    }
    for (key, value) in qualifiers {
        builder = builder.with_qualifier(*key, *value).ok()?;
    }
    builder.build().ok()?.to_string().parse().ok()
}

fn licenses(expression: &str) -> Option<Licenses> {
    let choice = if expression.contains(' ') {
        LicenseChoice::expression(expression)
    } else {
        LicenseChoice::License(License::license_id(expression))
    };
    Some(Licenses(vec![choice]))
}

/// A licence in the words of whoever packed it.
fn named_license(text: &str) -> Licenses {
    Licenses(vec![LicenseChoice::License(License::named_license(text))])
}

/// The licences of an R package: by their SPDX names, or in the package's own words.
fn licenses_of_r(text: &str) -> Option<Licenses> {
    match spdx_expression(text) {
        Some(expression) => licenses(&expression),
        None => Some(named_license(text)),
    }
}

fn sha256(digest: &Sha256) -> Hashes {
    Hashes(vec![Hash {
        alg: HashAlgorithm::SHA_256,
        content: HashValue(digest.to_string()),
    }])
}

fn properties(said: &[(&str, &str)]) -> Option<Properties> {
    let properties = said.iter().map(|(name, value)| Property::new(name, value));
    Some(Properties(properties.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_both_kinds_have_their_urls() {
        let rpm = [("arch", "aarch64"), ("epoch", "1")];
        let cases = [
            (
                purl(
                    "deb",
                    Some("debian"),
                    "libgomp1",
                    "10.2.1-6",
                    &[("arch", "arm64")],
                ),
                "pkg:deb/debian/libgomp1@10.2.1-6?arch=arm64",
            ),
            (
                purl("rpm", Some("amzn"), "libxml2", "2.10.4-1.amzn2023", &rpm),
                "pkg:rpm/amzn/libxml2@2.10.4-1.amzn2023?arch=aarch64&epoch=1",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found.unwrap().to_string(), expected);
        }
    }
}
