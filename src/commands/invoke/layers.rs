//! The layers of a function that is invoked here: read, audited, unpacked; and the root that they run in.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cache::Cache;
use crate::checksum::Sha256;
use crate::commands::settings;
use crate::layer::audit::{self, AuditReport, Policy, Question, architecture_of};
use crate::layer::unpack::unpack;
use crate::layer::{BuildRecord, ExaminedLayer, RuntimeRecipe};
use crate::progress::Reporter;
use crate::sandbox::{RootSpec, glibc_of_root, lambda_root};
use crate::target::Target;

/// Debian's releases by their glibc, oldest first: the first that a layer runs on is taken.
const DEBIAN_GLIBC: [(&str, [u32; 2]); 3] = [
    ("bullseye", [2, 31]),
    ("bookworm", [2, 36]),
    ("trixie", [2, 41]),
];

/// The layers of the function.
pub struct Layers {
    archives: Vec<ExaminedLayer>,
    key: String,
    report: AuditReport,
}

impl Layers {
    /// Reads the named zips; none named, the runtime layer in `dist`.
    pub fn read(paths: &[PathBuf], target: &'static Target) -> Result<Layers> {
        let paths = match paths {
            [] => vec![built_runtime(Path::new("dist"))?],
            named => named.to_vec(),
        };
        let archives = paths
            .iter()
            .map(|path| ExaminedLayer::open(path).context("--layer names a layer's zip"))
            .collect::<Result<Vec<_>>>()?;
        if archives.iter().all(|layer| layer.bootstrap().is_none()) {
            bail!(
                "none of these layers has a bootstrap; add the runtime layer with --layer (r-layer build runtime)"
            );
        }
        let this = settings::architecture(None)?;
        let architecture = architecture_of(&archives).unwrap_or(this);
        if architecture != this {
            bail!(
                "these layers are for {architecture}, and this machine is {this}; build them with --arch {this}"
            );
        }
        let question = Question {
            target,
            architecture,
            policy: Policy::Strict,
            wants_runtime: true,
        };
        let report = audit::audit(&archives, &question);
        let hashes: Vec<String> = archives
            .iter()
            .map(|layer| layer.archive.sha256.to_string())
            .collect();
        let key = Sha256::of_parts(hashes.iter().map(|hash| hash.as_bytes())).short();
        Ok(Layers {
            archives,
            key,
            report,
        })
    }

    /// /opt, from the cache or unpacked now.
    pub async fn unpacked(&self, cache: &Cache, reporter: &dyn Reporter) -> Result<PathBuf> {
        for finding in &self.report.findings {
            reporter.warn(&finding.to_string());
        }
        cache
            .get_or_make("unpacked", &self.key, reporter, async |content: &Path| {
                let archives = self.archives.iter().map(|layer| &layer.archive);
                Ok(unpack(archives, content)?)
            })
            .await
    }

    /// The root file system; says which one it is.
    pub async fn root(
        &self,
        name: &str,
        target: &Target,
        cache: &Cache,
        reporter: &dyn Reporter,
    ) -> Result<PathBuf> {
        let architecture = self.report.architecture;
        let floor = self
            .report
            .glibc
            .as_deref()
            .and_then(crate::elf::parse_version_number)
            .unwrap_or_default();
        let suite = match name {
            "auto" => DEBIAN_GLIBC
                .iter()
                .find(|(_, glibc)| floor <= glibc.to_vec())
                .map(|(suite, _)| (*suite).to_owned())
                .context("these layers need a newer glibc than any Debian has; name a root with --root dir:PATH")?,
            name => match name.parse()? {
                RootSpec::Debian(suite) => suite,
                RootSpec::Folder(folder) => {
                    let folder = fs_err::canonicalize(folder)?;
                    return self.checked(folder, "as named", &floor, reporter);
                }
            },
        };
        let root = lambda_root(&suite, target, architecture, cache, reporter).await?;
        let origin = format!("Lambda's commands and libraries, from Debian {suite}");
        self.checked(root, &origin, &floor, reporter)
    }

    /// Says which root it is, if the layers run in it.
    fn checked(
        &self,
        root: PathBuf,
        origin: &str,
        floor: &[u32],
        reporter: &dyn Reporter,
    ) -> Result<PathBuf> {
        let architecture = self.report.architecture;
        let Some(glibc) = glibc_of_root(&root, architecture) else {
            bail!(
                "{} is no root file system for {architecture}: it has no libc.so.6",
                root.display()
            );
        };
        let text = |version: &[u32]| {
            version
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(".")
        };
        if glibc.as_slice() < floor {
            bail!(
                "these layers need glibc {}, and {} has {}; name another root with --root",
                text(floor),
                root.display(),
                text(&glibc)
            );
        }
        let (path, glibc) = (root.display(), text(&glibc));
        reporter.note(&format!("root: {path} ({origin}; glibc {glibc})"));
        Ok(root)
    }
}

/// The one runtime layer for this machine in a folder.
fn built_runtime(folder: &Path) -> Result<PathBuf> {
    let this = settings::architecture(None)?;
    let name = &RuntimeRecipe::embedded().name;
    let mut found: Vec<PathBuf> = fs_err::read_dir(folder)
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| entry.path())
                .collect::<Vec<_>>()
        })
        .unwrap_or_default()
        .into_iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .filter_map(|path| {
            let record: BuildRecord = serde_json::from_slice(&fs_err::read(&path).ok()?).ok()?;
            let zip = folder.join(&record.zip);
            (record.name == *name && record.architecture == this && zip.is_file()).then_some(zip)
        })
        .collect();
    found.sort();
    match found.len() {
        0 => bail!(
            "there is no runtime layer for {this} in {}; type r-layer build runtime, or name one with --layer",
            folder.display()
        ),
        1 => Ok(found.remove(0)),
        _ => bail!(
            "there are several runtime layers in {}; name one with --layer: {}",
            folder.display(),
            found
                .iter()
                .map(|path| path.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}
