//! Which layers an image is made of: those that were named, or those of the project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::settings::Settings;
use crate::cli::{AddPackagesArgs, ImageBuildArgs, PackageOptions};
use crate::commands::built_layers::{built_packages, built_runtime};
use crate::commands::package_layers;
use crate::elf::ElfFile;
use crate::layer::record::PackageRecord;
use crate::layer::{BuildRecord, LayerArchive};
use crate::package::spdx_expression;
use crate::progress::Reporter;
use crate::target::Architecture;

/// The layer of packages that a `renv.lock` or a `DESCRIPTION` asks for.
const OF_CODE: &str = "packages";

/// By what the code says which packages it needs, the exact one first.
const REQUEST_FILES: [&str; 2] = ["renv.lock", "DESCRIPTION"];

/// A layer's zip.
pub struct Zip {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub archive: LayerArchive,
    /// How it was built, if that lies beside it.
    pub record: Option<BuildRecord>,
}

/// The layers of an image.
pub struct Zips {
    /// In their order, the lowest first.
    pub zips: Vec<Zip>,
}

impl Zips {
    /// Finds the zips for an architecture, and looks at them.
    pub async fn find(
        args: &ImageBuildArgs,
        settings: &Settings,
        architecture: Architecture,
        reporter: &dyn Reporter,
    ) -> Result<Zips> {
        let request = REQUEST_FILES.map(|name| settings.code.folder.join(name));
        let request = request.into_iter().find(|path| path.is_file());
        let request = request.filter(|_| args.layers.is_empty());
        let paths = match (&request, args.layers.as_slice()) {
            (Some(file), _) => of_code(args, file, settings, architecture, reporter).await?,
            (None, []) => of_project(args, settings, architecture)?,
            (None, named) => named_layers(args, named, settings, architecture)?,
        };
        // In a thread of its own, so that an interruption is heard while it reads.
        let open = move || paths.into_iter().map(Zip::open).collect::<Result<Vec<_>>>();
        let mut zips = tokio::task::spawn_blocking(open).await??;
        if !args.layers.is_empty() {
            zips = for_architecture(zips, architecture, settings.architectures.len())?;
        }
        check(&zips, architecture)?;
        Ok(Zips { zips })
    }

    /// The licences of everything that the layers' records know of, as SPDX has them.
    pub fn licenses(&self) -> Option<String> {
        let records = self.zips.iter().filter_map(|zip| zip.record.as_ref());
        let packages = records.flat_map(|record| record.packages.values());
        let of = |package: &PackageRecord| spdx_expression(package.license.as_deref()?);
        let mut licenses: Vec<String> = packages.filter_map(of).collect();
        licenses.sort();
        licenses.dedup();
        let expressions = licenses.iter().map(|license| match license.contains(' ') {
            true => format!("({license})"),
            false => license.clone(),
        });
        let all = expressions.collect::<Vec<_>>().join(" AND ");
        (!all.is_empty()).then_some(all)
    }
}

impl Zip {
    fn open(path: PathBuf) -> Result<Zip> {
        let archive = LayerArchive::open(&path).context("--layer names a layer's zip")?;
        let record = fs_err::read(path.with_extension("json")).ok();
        let record = record.and_then(|text| serde_json::from_slice::<BuildRecord>(&text).ok());
        // A record of another zip says nothing of this one.
        let record = record.filter(|record| record.sha256 == archive.sha256);
        Ok(Zip {
            path,
            archive,
            record,
        })
    }

    /// The processor that it is for; nothing if it holds no program or library.
    fn architecture(&self) -> Result<Option<Architecture>> {
        if let Some(record) = &self.record {
            return Ok(Some(record.architecture));
        }
        for entry in self.archive.entries.iter().filter(|entry| entry.is_file()) {
            if let Some(found) = ElfFile::architecture_of_header(&entry.first_bytes()?) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn has_bootstrap(&self) -> bool {
        let bootstrap = self.archive.get("bootstrap");
        bootstrap.is_some_and(|bootstrap| bootstrap.mode & 0o111 != 0)
    }
}

/// The runtime layer and the packages that a file of the code asks for, built if they are not there yet.
async fn of_code(
    args: &ImageBuildArgs,
    file: &Path,
    settings: &Settings,
    architecture: Architecture,
    reporter: &dyn Reporter,
) -> Result<Vec<PathBuf>> {
    let mut options = PackageOptions::by_default();
    options.runtime.arch = Some(architecture.to_string());
    options.runtime.out = args.dist.clone();
    options.runtime.target = Some(settings.target.name.clone());
    reporter.note(&format!(
        "{} says which packages the function needs: layer {OF_CODE} of r-layer.toml",
        file.display()
    ));
    let request = AddPackagesArgs {
        packages: Vec::new(),
        layer: OF_CODE.to_owned(),
        from: Some(file.to_owned()),
        dry_run: false,
        options,
    };
    let changed = Box::pin(package_layers::add(request, reporter)).await?;
    let mut paths = vec![runtime(args, settings, architecture)?];
    paths.extend(changed.layers.into_iter().map(|built| built.path));
    Ok(paths)
}

/// The runtime layer and the layers of the manifest.
fn of_project(
    args: &ImageBuildArgs,
    settings: &Settings,
    architecture: Architecture,
) -> Result<Vec<PathBuf>> {
    let mut paths = vec![runtime(args, settings, architecture)?];
    for layer in settings.manifest.layers.keys() {
        paths.extend(packages(args, layer.as_str(), &paths[0], architecture)?);
    }
    Ok(paths)
}

fn named_layers(
    args: &ImageBuildArgs,
    named: &[String],
    settings: &Settings,
    architecture: Architecture,
) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for name in named {
        if name.ends_with(".zip") || Path::new(name).is_file() {
            paths.push(PathBuf::from(name));
        } else if name == "runtime" {
            paths.push(runtime(args, settings, architecture)?);
        } else {
            let runtime = runtime(args, settings, architecture)?;
            paths.extend(packages(args, name, &runtime, architecture)?);
        }
    }
    Ok(paths)
}

fn runtime(
    args: &ImageBuildArgs,
    settings: &Settings,
    architecture: Architecture,
) -> Result<PathBuf> {
    let r = settings.manifest.runtime.r_version.first();
    let r = r.map(|version| version.parse()).transpose()?;
    built_runtime(&args.dist, architecture, r.as_ref())
}

/// The zips of a layer of packages that goes with a runtime layer.
fn packages(
    args: &ImageBuildArgs,
    layer: &str,
    runtime: &Path,
    architecture: Architecture,
) -> Result<Vec<PathBuf>> {
    let record = fs_err::read(runtime.with_extension("json"))?;
    let record: BuildRecord = serde_json::from_slice(&record)?;
    let minor = record.r_minor().unwrap_or_default();
    let zips = built_packages(&args.dist, layer, architecture, &minor);
    if zips.is_empty() {
        bail!(
            "there is no layer {layer} for R {minor} and {architecture} in {}; type r-layer build {layer} --arch \
             {architecture}, or name a zip with --layer",
            args.dist.display()
        );
    }
    Ok(zips)
}

/// Of zips that were named, those for an architecture; without programs they are for all.
fn for_architecture(zips: Vec<Zip>, architecture: Architecture, wanted: usize) -> Result<Vec<Zip>> {
    let mut kept = Vec::new();
    for zip in zips {
        match zip.architecture()? {
            Some(other) if other != architecture && wanted > 1 => {}
            Some(other) if other != architecture => bail!(
                "{} is for {other}, and the image is to be for {architecture}; type --arch {other}, or name another zip",
                zip.path.display()
            ),
            _ => kept.push(zip),
        }
    }
    Ok(kept)
}

/// Do they make a function together?
fn check(zips: &[Zip], architecture: Architecture) -> Result<()> {
    if !zips.iter().any(Zip::has_bootstrap) {
        bail!(
            "none of the layers for {architecture} has an executable bootstrap; add the runtime layer with --layer (r-layer \
             build runtime --arch {architecture})"
        );
    }
    let mut versions: BTreeMap<String, &Path> = BTreeMap::new();
    for zip in zips {
        if let Some(minor) = zip.record.as_ref().and_then(BuildRecord::r_minor) {
            versions.insert(minor, &zip.path);
        }
    }
    if versions.len() > 1 {
        let versions = versions.iter();
        let list: Vec<String> = versions
            .map(|(minor, path)| format!("{} is for R {minor}", path.display()))
            .collect();
        bail!("these layers do not go together: {}", list.join(", "));
    }
    Ok(())
}
