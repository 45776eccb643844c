//! The root file system that a function runs in: Lambda's own image where it can be had, else one like it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cache::Cache;
use crate::http::Patience;
use crate::image::{ImageReference, Images};
use crate::lockfile::Lockfile;
use crate::progress::Reporter;
use crate::root_path::has_shell;
use crate::sandbox::{RootError, RootSpec, cached_lambda_root, glibc_of_root, lambda_root};
use crate::target::{Architecture, Target};

/// Debian's releases by their glibc, oldest first: the first that a layer runs on is taken.
const DEBIAN_GLIBC: [(&str, [u32; 2]); 3] = [
    ("bullseye", [2, 31]),
    ("bookworm", [2, 36]),
    ("trixie", [2, 41]),
];

/// Where nobody asked for an image by name, it is asked for once.
const BRIEFLY: Patience = Patience {
    tries: 1,
    first_pause: Duration::ZERO,
    silence: Duration::from_secs(5),
};

/// A root, and what to say of it.
type Found = (PathBuf, String);

/// What a root is wanted for.
pub struct Wanted<'a> {
    /// What was asked for: `auto`, `debian:SUITE`, `oci:IMAGE` or `dir:PATH`.
    pub name: &'a str,
    /// The lowest glibc that the layers run on, as `2.29`.
    pub glibc: Option<&'a str>,
    /// The processor.
    pub architecture: Architecture,
    /// Where the function is to run.
    pub target: &'a Target,
}

/// The root file system; says which one it is.
pub async fn function_root(
    wanted: &Wanted<'_>,
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<PathBuf> {
    let floor = wanted.glibc.and_then(crate::elf::parse_version_number);
    let floor = floor.unwrap_or_default();
    let roots = Roots {
        target: wanted.target,
        architecture: wanted.architecture,
        cache,
        reporter,
    };
    let (root, origin) = match wanted.name {
        "auto" => roots.automatic(&floor).await?,
        name => {
            let root = name
                .parse()
                .context("--root takes auto, debian:SUITE, oci:IMAGE or dir:PATH")?;
            roots.named(&root).await?
        }
    };
    roots.checked(root, &origin, &floor)
}

/// Where roots come from.
struct Roots<'a> {
    target: &'a Target,
    architecture: Architecture,
    cache: &'a Cache,
    reporter: &'a dyn Reporter,
}

impl Roots<'_> {
    /// Says which root it is, if the layers run in it.
    fn checked(&self, root: PathBuf, origin: &str, floor: &[u32]) -> Result<PathBuf> {
        let architecture = self.architecture;
        let Some(glibc) = glibc_of_root(&root, architecture) else {
            bail!(
                "{} is no root file system for {architecture}: it has no libc.so.6",
                root.display()
            );
        };
        if !has_shell(&root) {
            return Err(RootError::NoShell(root).into());
        }
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
        self.reporter
            .note(&format!("root: {path} ({origin}; glibc {glibc})"));
        Ok(root)
    }

    /// The root that was asked for.
    async fn named(&self, root: &RootSpec) -> Result<Found> {
        match root {
            RootSpec::Debian(suite) => self.debian(suite).await,
            RootSpec::Image(image) => self.image(image, Patience::default()).await,
            RootSpec::Folder(folder) => {
                let folder = fs_err::canonicalize(folder).with_context(|| {
                    format!(
                        "--root dir:{} names a folder that holds a root",
                        folder.display()
                    )
                })?;
                Ok((folder, "as named".to_owned()))
            }
        }
    }

    /// One like Lambda's that is there already, else AWS's image, else one made of Debian.
    async fn automatic(&self, floor: &[u32]) -> Result<Found> {
        let image: ImageReference = self.target.image.parse()?;
        if let Some(root) = self
            .images(BRIEFLY)
            .kept(&self.pinned(&image)?, self.architecture)
        {
            return Ok((root.path, image.to_string()));
        }
        let suite = DEBIAN_GLIBC
            .iter()
            .find(|(_, glibc)| floor <= glibc.as_slice())
            .map(|(suite, _)| *suite);
        let cached = suite.and_then(|suite| {
            let root = cached_lambda_root(suite, self.target, self.architecture, self.cache)?;
            Some((root, of_debian(suite)))
        });
        if let Some(found) = cached {
            return Ok(found);
        }
        match self.image(&image, BRIEFLY).await {
            Ok(found) => return Ok(found),
            Err(error) => self.reporter.note(&format!(
                "AWS's own image is not to be had now ({error:#}); one like it is made of Debian"
            )),
        }
        let suite = suite.context(
            "these layers need a newer glibc than any Debian has; name a root with --root dir:PATH",
        )?;
        self.debian(suite).await
    }

    async fn debian(&self, suite: &str) -> Result<Found> {
        let Roots {
            target,
            architecture,
            cache,
            reporter,
        } = self;
        let root = lambda_root(suite, target, *architecture, cache, *reporter).await?;
        Ok((root, of_debian(suite)))
    }

    /// An image's root, as pinned in the lock.
    async fn image(&self, image: &ImageReference, patience: Patience) -> Result<Found> {
        let (images, pinned) = (self.images(patience), self.pinned(image)?);
        let root = match images.root(&pinned, self.architecture).await {
            Err(error) if error.is_unreachable() => {
                let Some(kept) = images.kept(&pinned, self.architecture) else {
                    return Err(error.into());
                };
                let warning = format!("{error}; taking it as it was pulled before");
                self.reporter.warn(&warning);
                kept
            }
            root => root?,
        };
        Ok((root.path, image.at(&root.digest).to_string()))
    }

    /// Invoking pins nothing, but takes what a build has pinned.
    fn pinned(&self, image: &ImageReference) -> Result<ImageReference> {
        let project = std::env::current_dir().context("the current folder is gone")?;
        let lock = Lockfile::read(&project)?;
        let digest = lock.image(&image.to_string(), self.architecture);
        Ok(digest.map_or_else(|| image.clone(), |digest| image.at(&digest)))
    }

    fn images(&self, patience: Patience) -> Images<'_> {
        Images {
            cache: self.cache,
            patience,
            login: None,
            reporter: self.reporter,
        }
    }
}

fn of_debian(suite: &str) -> String {
    format!("Lambda's commands and libraries, from Debian {suite}")
}
