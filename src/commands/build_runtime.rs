//! `r-layer build runtime`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::settings;
use crate::cache::Cache;
use crate::checksum::Sha256;
use crate::cli::BuildRuntimeArgs;
use crate::distribution::{
    Blas, BuildPlace, Compiler, R, RSourceSpec, compiled_package, compiled_r, installed_r,
};
use crate::elf::LibraryFolders;
use crate::http::{Http, Patience};
use crate::layer::audit::{self, AuditReport, Policy, Question};
use crate::layer::complete::{AddedLibrary, complete};
use crate::layer::prune::{Pruned, prune};
use crate::layer::record::{PackageRecord, Saving};
use crate::layer::runtime::{insert_description, insert_r, insert_runtime};
use crate::layer::strip::strip;
use crate::layer::zip;
use crate::layer::{BuildRecord, LayerArchive, LayerTree, RuntimeRecipe};
use crate::lockfile::{LockedSource, Lockfile};
use crate::manifest::Manifest;
use crate::package::RVersion;
use crate::progress::Reporter;
use crate::repository::{
    Location, Mirror, Tarball, TarballError, TarballRequest, Tarballs, available_r_versions,
    newest_source, package_locations, r_locations,
};
use crate::target::{Architecture, Target};
use crate::terminal::human_size;

/// Everything that decides what is built.
struct Settings {
    r_version: Option<RVersion>,
    r_source: RSourceSpec,
    r_tarballs: Vec<Location>,
    mirrors: Vec<Mirror>,
    folders: Vec<PathBuf>,
    place: BuildPlace,
    blas: Blas,
    architecture: Architecture,
    target: &'static Target,
    out: PathBuf,
    s3_bucket: Option<String>,
    jobs: usize,
}

impl Settings {
    /// Flags and environment before the manifest before defaults.
    fn resolve(args: BuildRuntimeArgs, manifest: Manifest, recipe: &RuntimeRecipe) -> Result<Settings> {
        let section = manifest.runtime;
        let or = |flags: Vec<String>, section: Vec<String>| if flags.is_empty() { section } else { flags };
        let mut mirrors = or(args.cran, section.cran);
        if mirrors.is_empty() {
            mirrors.clone_from(&recipe.cran.mirrors);
        }
        let blas = match (args.blas, section.blas.as_deref()) {
            (Some(blas), _) => blas.into(),
            (None, None | Some("reference")) => Blas::Reference,
            (None, Some("openblas")) => Blas::Openblas,
            (None, Some(other)) => {
                bail!("r-layer.toml: blas is `{other}`; there are: reference, openblas")
            }
        };
        let place = if args.build_on_host {
            BuildPlace::Host
        } else {
            let root = args.build_root.or(section.build_root);
            BuildPlace::Root(root.as_deref().unwrap_or(&recipe.build_root.default).parse()?)
        };
        let r_version = args.r_version.or(section.r_version);
        Ok(Settings {
            r_version: r_version.as_deref().map(r_version_of).transpose()?,
            r_source: args.r_source.or(section.r_source).as_deref().unwrap_or("auto").parse()?,
            r_tarballs: or(args.r_tarball, section.r_tarball).iter().map(|text| Location::parse(text)).collect(),
            mirrors: mirrors.iter().map(|text| Mirror::parse(text)).collect(),
            folders: if args.sources.is_empty() { section.sources } else { args.sources },
            place,
            blas,
            architecture: settings::architecture(args.arch.or(section.arch).as_deref())?,
            target: settings::target(args.target.or(section.target).as_deref())?,
            out: args.out,
            s3_bucket: args.s3_bucket.or(manifest.publish.s3_bucket),
            jobs: args
                .jobs
                .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        })
    }
}

fn r_version_of(text: &str) -> Result<RVersion> {
    let version: RVersion = text.parse().with_context(|| format!("--r-version {text}"))?;
    if version.len() != 3 {
        bail!("R's version has three numbers, as 4.5.0, and this is `{text}`");
    }
    Ok(version)
}

/// What was built, as it is printed.
#[derive(Debug, Serialize)]
pub struct Built {
    /// The zip.
    path: PathBuf,
    /// Its build record.
    #[serde(flatten)]
    record: BuildRecord,
}

/// Builds the runtime layer.
pub async fn run(args: BuildRuntimeArgs, reporter: &dyn Reporter) -> Result<Built> {
    let recipe = RuntimeRecipe::embedded();
    let project = std::env::current_dir().context("the current folder is gone")?;
    let settings = Settings::resolve(args, Manifest::read(&project)?, recipe)?;
    fs_err::create_dir_all(&settings.out)
        .and_then(|()| tempfile::tempfile_in(&settings.out).map(drop))
        .with_context(|| format!("nothing can be written to {}; name another folder with --out", settings.out.display()))?;
    let builder = Builder {
        recipe,
        http: Http::from_environment(Patience::default())?,
        cache: Cache::from_environment()?,
        settings,
        reporter,
    };
    let mut lock = Lockfile::read(&project)?;
    let r = builder.r(&mut lock).await?;
    let packages = builder.packages(&r, &mut lock).await?;
    lock.write()?;
    builder.build(&r, &packages).await
}

struct Builder<'a> {
    recipe: &'a RuntimeRecipe,
    http: Http,
    cache: Cache,
    settings: Settings,
    reporter: &'a dyn Reporter,
}

/// A package that goes into the layer: its name and its folder.
type PackageFolder = (String, PathBuf);

impl Builder<'_> {
    fn tarballs(&self) -> Tarballs<'_> {
        Tarballs {
            http: &self.http,
            cache: &self.cache,
            folders: &self.settings.folders,
            reporter: self.reporter,
        }
    }

    fn compiler<'b>(&'b self, place: &'b BuildPlace) -> Compiler<'b> {
        Compiler {
            place,
            recipe: self.recipe,
            blas: self.settings.blas,
            architecture: self.settings.architecture,
            jobs: self.settings.jobs,
            cache: &self.cache,
            reporter: self.reporter,
        }
    }

    async fn r(&self, lock: &mut Lockfile) -> Result<R> {
        let wanted = self.settings.r_version.as_ref();
        match &self.settings.r_source {
            RSourceSpec::Folder(home) => {
                let r = installed_r(home, wanted)
                    .with_context(|| format!("--r-source dir:{}", home.display()))?;
                self.reporter.note(&format!("R {} from {}", r.version, r.home.display()));
                Ok(r)
            }
            RSourceSpec::Cran => {
                let version = match wanted {
                    Some(version) => version.clone(),
                    None => self.recipe.r.version.parse()?,
                };
                let source = self.r_tarball(&version, lock).await?;
                let curl = self.curl_tarball().await?;
                let compiler = self.compiler(&self.settings.place);
                Ok(compiled_r(&compiler, &version, &source, &curl).await?)
            }
        }
    }

    async fn r_tarball(&self, version: &RVersion, lock: &mut Lockfile) -> Result<Tarball> {
        let text = version.to_string();
        let known = (text == self.recipe.r.version).then_some(self.recipe.r.sha256);
        let mut locations = self.settings.r_tarballs.clone();
        locations.extend(r_locations(&self.settings.mirrors, version));
        let request = TarballRequest {
            what: format!("R {version}'s source"),
            sha256: known.or_else(|| lock.source("R", &text).map(|source| source.sha256)),
            file_names: vec![
                format!("R-{version}.tar.gz"),
                format!("r-base_{version}.orig.tar.gz"),
            ],
            locations,
        };
        match self.tarballs().obtain(&request).await {
            Ok(tarball) => {
                if known.is_none() {
                    pin(lock, "R", &text, &tarball);
                }
                Ok(tarball)
            }
            Err(error @ TarballError::Nowhere { not_there: true, .. }) => {
                let there = available_r_versions(&self.settings.mirrors, version.major(), &self.http).await;
                Err(error).with_context(|| unknown_version(version, &there))
            }
            Err(error) => Err(error).context(
                "R's source is needed once. Where CRAN cannot be reached, put the tarball into a folder and type \
                 --sources FOLDER, or name it with --r-tarball, or a mirror with --cran",
            ),
        }
    }

    async fn curl_tarball(&self) -> Result<Tarball> {
        let curl = &self.recipe.curl;
        let request = TarballRequest {
            what: format!("curl {}'s source", curl.version),
            sha256: Some(curl.sha256),
            file_names: vec![curl.file_name(), format!("curl_{}.orig.tar.gz", curl.version)],
            locations: curl.urls.iter().map(|url| Location::parse(url)).collect(),
        };
        self.tarballs().obtain(&request).await.with_context(|| {
            format!(
                "R's libcurl is compiled from its source. Where {} cannot be reached, put {} into a folder and \
                 type --sources FOLDER",
                curl.urls[0],
                curl.file_name()
            )
        })
    }

    /// The packages that are part of the runtime: those of an installed R that has them, else compiled.
    async fn packages(&self, r: &R, lock: &mut Lockfile) -> Result<Vec<PackageFolder>> {
        let place = match self.settings.r_source {
            RSourceSpec::Cran => self.settings.place.clone(),
            RSourceSpec::Folder(_) => BuildPlace::Host,
        };
        let mut folders = Vec::new();
        for package in &self.recipe.packages.runtime {
            if r.home.join("library").join(package).is_dir() {
                continue;
            }
            let source = self.package_tarball(package, lock).await?;
            let folder = compiled_package(&self.compiler(&place), r, package, &source).await?;
            folders.push((package.clone(), folder));
        }
        Ok(folders)
    }

    async fn package_tarball(&self, package: &str, lock: &mut Lockfile) -> Result<Tarball> {
        let (version, sha256) = match self.package_version(package, lock).await? {
            Some(found) => found,
            None => bail!(
                "the R package {package} is at none of {}; name a mirror that has it with --cran, or a folder with \
                 its tarball with --sources",
                self.settings.mirrors.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ),
        };
        let request = TarballRequest {
            what: format!("{package} {version}'s source"),
            sha256,
            file_names: package_file_names(package, &version),
            locations: package_locations(&self.settings.mirrors, package, &version),
        };
        let tarball = self.tarballs().obtain(&request).await?;
        pin(lock, package, &version, &tarball);
        Ok(tarball)
    }

    /// The locked version, else one that a named folder has, else the newest of the mirrors.
    async fn package_version(
        &self,
        package: &str,
        lock: &Lockfile,
    ) -> Result<Option<(String, Option<Sha256>)>> {
        if let Some(locked) = lock.versions(package).last() {
            return Ok(Some((locked.version.clone(), Some(locked.sha256))));
        }
        if let Some(version) = version_in_folders(&self.settings.folders, package) {
            return Ok(Some((version, None)));
        }
        let found = newest_source(&self.settings.mirrors, package, &self.http)
            .await
            .with_context(|| {
                format!(
                    "the R package {package} is part of the runtime. Where CRAN cannot be reached, put its tarball into \
                     a folder and type --sources FOLDER"
                )
            })?;
        Ok(found.map(|found| (found.version, None)))
    }

    async fn build(&self, r: &R, packages: &[PackageFolder]) -> Result<Built> {
        let packing = self.reporter.begin("packing the runtime layer", None);
        let assembled = assemble(r, packages, &self.settings, self.recipe)?;
        for saving in &assembled.savings {
            self.reporter.detail(&format!("left out {}: {}", human_size(saving.bytes), saving.reason));
        }
        for library in &assembled.added {
            let size = human_size(library.size);
            self.reporter.detail(&format!("added {} ({size}) from {}", library.path, library.from.display()));
        }
        packing.step("compressing");
        let zip_name = self.zip_name(&r.version);
        let mut zip_file = tempfile::Builder::new()
            .prefix(".r-layer-")
            .suffix(".zip")
            .tempfile_in(&self.settings.out)
            .context("the zip cannot be written")?;
        let time = zip::entry_time(std::env::var("SOURCE_DATE_EPOCH").ok().as_deref())?;
        let tree = assembled.tree;
        // The file stays with this function, so that it goes when the command is interrupted.
        let mut output = zip_file.as_file().try_clone()?;
        let tree = tokio::task::spawn_blocking(move || {
            zip::write(&tree, time, &mut output, &|_| ()).map(|()| tree)
        })
        .await??;
        zip_file.as_file_mut().flush()?;
        packing.step("auditing");
        let archive = LayerArchive { name: zip_name.clone(), ..LayerArchive::open(zip_file.path())? };
        let report = self.audit(&archive)?;
        let record = self.record(r, &tree, &archive, &report, zip_file.path(), assembled.savings, &assembled.added)?;
        let path = keep(&self.settings.out, &zip_name, zip_file, &record)?;
        packing.finish(&format!("packed {}", path.display()));
        Ok(Built { path, record })
    }

    fn zip_name(&self, version: &RVersion) -> String {
        let Settings { target, architecture, .. } = &self.settings;
        format!("{}-{version}-{}-{architecture}.zip", self.recipe.name, target.short_name)
    }

    /// Audits a finished zip; one that would not load is an error.
    fn audit(&self, archive: &LayerArchive) -> Result<AuditReport> {
        let limit = self.settings.target.limits.zipped_in_request;
        let question = Question {
            target: self.settings.target,
            architecture: self.settings.architecture,
            policy: Policy::Strict,
            wants_runtime: true,
        };
        let report = audit::audit(std::slice::from_ref(archive), &question);
        if !report.passed {
            let findings: Vec<String> = report.findings.iter().map(|found| format!("\n  {found}")).collect();
            bail!("the layer would not load on Lambda, so it is not kept:{}", findings.concat());
        }
        if archive.zipped_size >= limit && self.settings.s3_bucket.is_none() {
            let heaviest: Vec<String> = audit::heaviest_folders(std::slice::from_ref(archive))
                .iter()
                .map(|(folder, bytes)| format!("\n  {:>10}  {folder}", human_size(*bytes)))
                .collect();
            bail!(
                "the zip has {} bytes; without S3 Lambda takes less than {limit}. Name a bucket with --s3-bucket or leave \
                 something out (--blas reference is smaller than openblas). The heaviest folders:{}",
                archive.zipped_size,
                heaviest.concat()
            );
        }
        Ok(report)
    }

    #[expect(clippy::too_many_arguments, reason = "a record is made of everything")]
    fn record(
        &self,
        r: &R,
        tree: &LayerTree,
        archive: &LayerArchive,
        report: &AuditReport,
        zip: &Path,
        savings: Vec<Saving>,
        added: &[AddedLibrary],
    ) -> Result<BuildRecord> {
        let Settings { target, architecture, .. } = &self.settings;
        Ok(BuildRecord {
            record_version: 1,
            name: self.recipe.name.clone(),
            description: self.recipe.describe(&r.version.to_string(), &target.description, architecture.aws_name()),
            zip: archive.name.clone(),
            sha256: Sha256::of_file(zip)?,
            zipped_size: archive.zipped_size,
            unzipped_size: tree.unzipped_size(),
            needs_s3: archive.zipped_size >= target.limits.zipped_in_request,
            target: target.name.clone(),
            architecture: *architecture,
            r_version: r.version.to_string(),
            glibc: report.glibc.clone(),
            r_layer_version: env!("CARGO_PKG_VERSION").to_owned(),
            packages: audit::packages(archive)
                .into_iter()
                .map(|(name, found)| (name, PackageRecord { version: found.version, license: found.license }))
                .collect(),
            added_libraries: added.iter().map(|library| (library.path.clone(), library.size)).collect(),
            savings,
            inputs: r.inputs.clone(),
        })
    }
}

/// A tree that is ready to be zipped, and how it came about.
struct Assembled {
    tree: LayerTree,
    savings: Vec<Saving>,
    added: Vec<AddedLibrary>,
}

fn assemble(r: &R, packages: &[PackageFolder], settings: &Settings, recipe: &RuntimeRecipe) -> Result<Assembled> {
    let mut tree = LayerTree::default();
    insert_r(&mut tree, &r.home)?;
    for (name, folder) in packages {
        tree.insert_folder(&format!("R/library/{name}"), folder)?;
    }
    insert_runtime(&mut tree);
    let (target, architecture) = (settings.target, settings.architecture);
    insert_description(&mut tree, &recipe.name, &r.version.to_string(), &target.name, architecture.aws_name());
    let mut savings: Vec<Saving> = prune(&mut tree, &recipe.prune)?
        .into_iter()
        .map(|Pruned { reason, files, bytes }| Saving { reason, files, bytes })
        .collect();
    let stripped = strip(&mut tree)?;
    savings.push(Saving {
        reason: "symbols and debug information, which only debuggers read".to_owned(),
        files: stripped.files,
        bytes: stripped.bytes,
    });
    let folders = LibraryFolders::of_root(&r.root, architecture, &[]);
    let added = complete(&mut tree, target, architecture, &folders)?;
    Ok(Assembled { tree, savings, added })
}

/// Writes the record, then gives the zip its name: a run that is killed leaves no zip that looks finished.
fn keep(out: &Path, name: &str, zip: tempfile::NamedTempFile, record: &BuildRecord) -> Result<PathBuf> {
    let path = out.join(name);
    let mut file = tempfile::NamedTempFile::new_in(out)?;
    serde_json::to_writer_pretty(&mut file, record)?;
    file.write_all(b"\n")?;
    readable(file.as_file())?;
    file.persist(path.with_extension("json"))?;
    readable(zip.as_file())?;
    zip.as_file().sync_all()?;
    zip.persist(&path)?;
    Ok(path)
}

/// Temporary files are their owner's alone; results are files like any other.
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    Ok(())
}

fn pin(lock: &mut Lockfile, name: &str, version: &str, tarball: &Tarball) {
    let before = lock.source(name, version).and_then(|source| source.url.clone());
    let url = match &tarball.from {
        Some(Location::Url(url)) => Some(url.clone()),
        _ => before,
    };
    lock.pin(LockedSource {
        name: name.to_owned(),
        version: version.to_owned(),
        url,
        sha256: tarball.sha256,
    });
}

fn unknown_version(version: &RVersion, there: &[RVersion]) -> String {
    if there.is_empty() {
        return format!("R {version} was not found");
    }
    let list: Vec<String> = there.iter().take(8).map(ToString::to_string).collect();
    format!("there is no R {version}; there are: {}", list.join(", "))
}

/// CRAN's name of a package's tarball, and those of Debian's source packages.
fn package_file_names(package: &str, version: &str) -> Vec<String> {
    let debian = package.to_lowercase();
    let mut names = vec![format!("{package}_{version}.tar.gz")];
    for repacked in ["", "+dfsg", "+dfsg1", "+ds"] {
        for ending in ["gz", "xz"] {
            names.push(format!("r-cran-{debian}_{version}{repacked}.orig.tar.{ending}"));
        }
    }
    names
}

/// The newest version of a package whose tarball is in one of the folders.
fn version_in_folders(folders: &[PathBuf], package: &str) -> Option<String> {
    let mut versions: Vec<RVersion> = folders
        .iter()
        .filter_map(|folder| fs_err::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|name| {
            let rest = name
                .strip_prefix(&format!("{package}_"))
                .or_else(|| name.strip_prefix(&format!("r-cran-{}_", package.to_lowercase())))?;
            let version = rest.split(".orig.tar").next()?.split(".tar").next()?;
            version.split('+').next()?.parse().ok()
        })
        .collect();
    versions.sort();
    versions.last().map(ToString::to_string)
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = &self.record;
        let packages: BTreeMap<&str, &str> = record
            .packages
            .iter()
            .map(|(name, package)| (name.as_str(), package.version.as_str()))
            .collect();
        writeln!(f, "{}", self.path.display())?;
        writeln!(f, "  {}", record.description)?;
        writeln!(
            f,
            "  {} zipped, {} unzipped, glibc {} or newer, {} R packages",
            human_size(record.zipped_size),
            human_size(record.unzipped_size),
            record.glibc.as_deref().unwrap_or("any"),
            packages.len()
        )?;
        if record.needs_s3 {
            writeln!(f, "  needs S3: too large for a request")?;
        }
        writeln!(f, "  sha256 {}", record.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_cran_or_debian_names_has_a_package() {
        let folder = tempfile::tempdir().unwrap();
        let has = |name: &str| fs_err::write(folder.path().join(name), "").unwrap();
        let folders = [folder.path().to_owned()];
        assert_eq!(version_in_folders(&folders, "jsonlite"), None);
        has("r-cran-jsonlite_1.9.1+dfsg.orig.tar.xz");
        has("jsonliteplus_9.0.tar.gz");
        assert_eq!(version_in_folders(&folders, "jsonlite").as_deref(), Some("1.9.1"));
        has("jsonlite_1.10.0.tar.gz");
        assert_eq!(version_in_folders(&folders, "jsonlite").as_deref(), Some("1.10.0"));
        let names = package_file_names("jsonlite", "1.9.1");
        assert!(names.contains(&"r-cran-jsonlite_1.9.1+dfsg.orig.tar.xz".to_owned()));
    }

    #[test]
    fn r_versions_have_three_numbers() {
        assert!(r_version_of("4.5.0").is_ok());
        assert!(r_version_of("4.5").unwrap_err().to_string().contains("4.5.0"));
        assert!(r_version_of("release").is_err());
    }
}
