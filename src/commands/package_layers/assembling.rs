//! From installed packages to zips, in this project: beside its runtime layer and its other layers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::obtaining::{Obtained, ObtainedPackage};
use super::pack::{BesidePackages, LayerPackage, LayerPlan, LibrariesFrom, Proof, pack};
use super::project::{Project, RuntimeR};
use crate::commands::build_runtime::Steps;
use crate::commands::packing::Built;
use crate::layer::bundled::part_of_r;
use crate::layer::dist::remove_zips;
use crate::layer::sbom;
use crate::layer::{BuildRecord, ExaminedLayer, PackageLayerRecipe};
use crate::lockfile::{LockedLayer, LockedPackage, PackageKind, PackageOrigin};
use crate::manifest::{LayerName, LayerSection, requested_package};
use crate::package::is_base_package;
use crate::repository::rpm_repository::{RpmAccess, RpmRepository};

/// The root that packages are loaded in as a proof: that of `invoke`.
const PROOF_ROOT: &str = "auto";

impl Project<'_> {
    /// Has the packages of a layer, and makes its zips. The system's packages that libraries came from are locked.
    /// `ready`: the ready layers that it is, or is made of.
    pub async fn pack_layer(
        &mut self,
        layer: &LayerName,
        section: &LayerSection,
        locked: &LockedLayer,
        runtime: &RuntimeR,
        ready: &[&'static PackageLayerRecipe],
    ) -> Result<Vec<Built>> {
        let has_others = ready.iter().any(|recipe| !recipe.r_files.is_empty());
        if !has_others && locked.packages.values().all(|package| package.build_only) {
            self.reporter().note(&format!(
                "all that the layer {layer} asks for is in the runtime layer or in others of this project: there is \
                 nothing to build"
            ));
            let (target, settings) = (self.target(&runtime.r), &self.builder.settings);
            self.remove_built(|record| {
                record.layer_of_packages() == Some(layer.as_str())
                    && record.r_minor().as_deref() == Some(&target.r)
                    && (record.target.as_str(), record.architecture)
                        == (settings.target.name.as_str(), settings.architecture)
            })?;
            return Ok(Vec::new());
        }
        let others = self.other_layers(layer, runtime).await?;
        let obtained = self.obtain(locked, section, runtime).await?;
        let settings = &self.builder.settings;
        let place = match &self.options.rpm_repository {
            Some(place) => place.as_str(),
            None => settings.target.repository.as_str(),
        };
        let access = RpmAccess {
            http: &self.builder.http,
            cache: &self.builder.cache,
            reporter: self.builder.reporter,
            offline: self.options.offline,
        };
        let rpm = RpmRepository::new(access, place, settings.architecture);
        let Obtained { packages, roots } = obtained;
        let with_r = runtime.r.root.clone();
        let mut build_roots: Vec<PathBuf> = roots.into_iter().chain(with_r).collect();
        build_roots.dedup();
        let plan = LayerPlan {
            name: layer.as_str(),
            description: description(layer, section, runtime, locked),
            r_version: &runtime.r.version,
            target: settings.target,
            architecture: settings.architecture,
            packages: packages
                .into_iter()
                .map(|package| layer_package(package, locked, runtime))
                .collect(),
            beside_packages: beside_packages(ready, runtime, &others)?,
            requested: requested(locked),
            keep: section.keep.clone(),
            compression: section.compression,
            others: &others,
            build_roots,
            rpm: Some(&rpm),
            pinned: self.lock.rpms(),
            s3_bucket: settings.s3_bucket.as_deref(),
            entry_time: settings.entry_time,
            out: &settings.out,
            inputs: inputs(locked, runtime),
            proof: match self.options.no_check {
                true => Proof::Skipped,
                false => Proof::In(PROOF_ROOT.to_owned()),
            },
        };
        let packed = pack(&plan, &self.builder.cache, self.builder.reporter).await?;
        for removed in &packed.removed {
            let path = removed.display();
            self.reporter()
                .note(&format!("removed {path}, a part that there is no more"));
        }
        self.lock.pin_rpms(&packed.locked);
        Ok(packed.parts)
    }

    /// Removes zips of layers of packages that nothing builds any more, and says so.
    pub fn remove_built(&self, is_meant: impl Fn(&BuildRecord) -> bool) -> Result<()> {
        let removed = remove_zips(&self.builder.settings.out, is_meant)
            .context("zips of an earlier build cannot be removed")?;
        for zip in removed {
            let path = zip.display();
            self.reporter()
                .note(&format!("removed {path}, which was built earlier"));
        }
        Ok(())
    }

    /// The layers that the function has beside one: the runtime's, which is built if it is not there, and the project's
    /// others, as far as they are built.
    async fn other_layers(
        &self,
        layer: &LayerName,
        runtime: &RuntimeR,
    ) -> Result<Vec<ExaminedLayer>> {
        let path = self.builder.zip_path(&runtime.r.version);
        if !path.is_file() {
            let mut steps = Steps::begin(self.reporter());
            let (r, packages) = (&runtime.r, &runtime.packages);
            let built = self.builder.build(r, packages, &mut steps).await;
            built.context("the layer is made for the runtime layer, which is not there yet")?;
        }
        let mut others = vec![ExaminedLayer::open(&path)?];
        let target = self.target(&runtime.r);
        for (name, _) in self.layers_beside(layer, &target) {
            for path in self.zips_of(name.as_str(), &target.r) {
                others.push(ExaminedLayer::open(&path)?);
            }
        }
        Ok(others)
    }

    /// The zips of a layer that is built: `r-NAME-4.5-al2023-x86_64.zip`, or its parts.
    fn zips_of(&self, layer: &str, r: &str) -> Vec<PathBuf> {
        let settings = &self.builder.settings;
        let (system, architecture) = (&settings.target.short_name, settings.architecture);
        let ending = format!("-{r}-{system}-{architecture}.zip");
        let whole = settings.out.join(format!("r-{layer}{ending}"));
        if whole.is_file() {
            return vec![whole];
        }
        let part = |number: usize| settings.out.join(format!("r-{layer}-{number}{ending}"));
        (1..).map(part).take_while(|path| path.is_file()).collect()
    }

    /// Warns of packages of other layers that need what no layer has any more.
    pub fn warn_of_dangling(&self) {
        for (layer, target) in self.lock.layers() {
            let of_target = self.lock.layers().filter(|(_, other)| *other == target);
            let there: BTreeSet<&String> = of_target
                .filter_map(|(name, other)| self.lock.layer(name, other))
                .flat_map(|layer| layer.packages.keys())
                .collect();
            let of_runtime = &self.builder.recipe.packages.runtime;
            let is_gone = |need: &&String| {
                !there.contains(need) && !of_runtime.contains(need) && !is_base_package(need)
            };
            let locked = self.lock.layer(layer, target);
            for package in locked.iter().flat_map(|layer| layer.packages.values()) {
                if let Some(need) = package.dependencies.iter().find(is_gone) {
                    self.reporter().warn(&format!(
                        "{} in the layer {layer} needs {need}, which no layer has any more; type r-layer lock, then \
                         r-layer build {layer}",
                        package.name
                    ));
                }
            }
        }
    }
}

/// What ready layers hold beside packages, without what the function's other layers have.
fn beside_packages(
    ready: &[&'static PackageLayerRecipe],
    runtime: &RuntimeR,
    others: &[ExaminedLayer],
) -> Result<BesidePackages> {
    let files = ready.iter().flat_map(|recipe| recipe.r_files.clone());
    let files: Vec<String> = files.collect();
    let mut beside = BesidePackages {
        data: ready.iter().flat_map(|recipe| &recipe.data).collect(),
        proofs: ready
            .iter()
            .filter_map(|recipe| recipe.proof.as_deref())
            .collect(),
        ..BesidePackages::default()
    };
    if files.is_empty() {
        return Ok(beside);
    }
    let mut tree = part_of_r(&runtime.r.home, &files)?;
    if tree.is_empty() {
        bail!(
            "R {} was made without cairo: it has none of {}",
            runtime.r.version,
            files.join(", ")
        );
    }
    tree.retain(|path, _| others.iter().all(|layer| layer.archive.get(path).is_none()));
    beside.of_r = Some((tree, libraries_of_r(runtime)));
    let sources = runtime.r.sources.iter();
    beside.r_sources = sources
        .filter(|source| source.name == "R")
        .cloned()
        .collect();
    let bill = runtime.r.home.path.join("sbom.cdx.json");
    if bill.is_file() {
        beside.distributed = sbom::distributed_components(&fs_err::read(bill)?)?;
    }
    Ok(beside)
}

/// What came with an R that brings its libraries along is linked to those.
fn libraries_of_r(runtime: &RuntimeR) -> LibrariesFrom {
    match runtime.r.root {
        Some(_) => LibrariesFrom::BuildRoot,
        None => LibrariesFrom::Repository,
    }
}

fn layer_package(
    package: ObtainedPackage,
    locked: &LockedLayer,
    runtime: &RuntimeR,
) -> LayerPackage {
    let kind = locked.packages.get(&package.name).map(|one| one.kind());
    let libraries = match kind {
        Some(PackageKind::Source) => LibrariesFrom::BuildRoot,
        Some(PackageKind::WithR) => libraries_of_r(runtime),
        Some(PackageKind::Binary) | None => LibrariesFrom::Repository,
    };
    LayerPackage {
        name: package.name,
        version: package.version,
        files: package.files,
        source: package.source,
        needs: package.needs,
        libraries,
    }
}

/// The packages that were asked for and are in the layer. What is of no repository was asked for as itself, and may have
/// another name than its folder.
pub(super) fn requested(locked: &LockedLayer) -> Vec<String> {
    let names = locked.inputs.requests.iter();
    let names: BTreeSet<&str> = names.map(|request| requested_package(request)).collect();
    let is_itself = |package: &LockedPackage| {
        !matches!(
            package.origin,
            PackageOrigin::Repository { .. } | PackageOrigin::WithR
        )
    };
    let packages = locked.packages.values();
    packages
        .filter(|package| names.contains(package.name.as_str()) || is_itself(package))
        .map(|package| package.name.clone())
        .collect()
}

fn description(
    layer: &LayerName,
    section: &LayerSection,
    runtime: &RuntimeR,
    locked: &LockedLayer,
) -> String {
    let minor = runtime.r.version.minor_text();
    match &section.description {
        Some(text) => format!("{text} (R {minor})"),
        None => {
            let names = requested(locked);
            let shown = names.iter().take(8).map(String::as_str);
            let shown = shown.collect::<Vec<_>>().join(", ");
            let more = match names.len() > 8 {
                true => " and more",
                false => "",
            };
            format!("R packages for R {minor}, layer {layer}: {shown}{more}")
        }
    }
}

fn inputs(locked: &LockedLayer, runtime: &RuntimeR) -> BTreeMap<String, String> {
    let mut inputs = runtime.r.inputs.clone();
    inputs.insert("requests".to_owned(), locked.inputs.requests.join(", "));
    inputs
}
