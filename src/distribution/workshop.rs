//! Where compilers run: a root file system with everything in it that R is compiled with, or this machine.

use std::path::{Path, PathBuf};

use super::compile::{Blas, BuildPlace, CompileError, Compiler};
use crate::checksum::Sha256;
use crate::http::Patience;
use crate::image::{ImageReference, Images};
use crate::root_path::has_shell;
use crate::sandbox::{
    Engine, EngineImage, EngineKind, RootError, RootSpec, debian_root, install_packages,
    install_script,
};
use crate::target::Architecture;

/// A place where compilers run, ready for use.
#[derive(Clone)]
pub struct Workshop {
    /// The root file system; `/` on this machine itself.
    pub root: PathBuf,
    /// By which a result is known to come from it.
    pub identity: String,
    /// The container engine that runs things, and its image; the root then holds libraries only.
    pub engine: Option<(Engine, EngineImage)>,
}

/// What is to be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// R itself, which needs libraries and their headers.
    R,
    /// Packages, which need a C compiler at least; what else one needs, its compilation says.
    Packages,
}

/// How many of the probes are for packages too; they stand first.
const FOR_PACKAGES: usize = 2;

/// What R's configure script finds, and where: a probe for what is installed.
const PROBES: [(&str, &[&str]); 11] = [
    ("a C compiler", &["usr/bin/gcc"]),
    ("make", &["usr/bin/make"]),
    ("a C++ compiler", &["usr/bin/g++"]),
    ("a Fortran compiler", &["usr/bin/gfortran"]),
    ("unzip", &["usr/bin/unzip"]),
    ("PCRE2's headers", &["usr/include/pcre2.h"]),
    ("liblzma's headers", &["usr/include/lzma.h"]),
    ("OpenSSL's headers", &["usr/include/openssl/ssl.h"]),
    (
        "pango's headers",
        &["usr/include/pango-1.0/pango/pangocairo.h"],
    ),
    ("libpng's headers", &["usr/include/png.h"]),
    ("libjpeg's headers", &["usr/include/jpeglib.h"]),
];

impl Compiler<'_> {
    fn packages(&self) -> (Vec<String>, Vec<String>) {
        let wanted = &self.recipe.build_root;
        let (mut apt, mut dnf) = (wanted.apt.clone(), wanted.dnf.clone());
        if self.blas == Blas::Openblas {
            apt.extend_from_slice(&wanted.apt_openblas);
            dnf.extend_from_slice(&wanted.dnf_openblas);
        }
        (apt, dnf)
    }

    /// The place that was asked for, with what is missing installed in it.
    pub async fn workshop(&self, work: Work) -> Result<Workshop, CompileError> {
        // An engine may run another processor's programs, by emulation.
        let is_engine = matches!(self.place, BuildPlace::Engine(..));
        if !is_engine && Architecture::of_this_machine() != Some(self.architecture) {
            let this = std::env::consts::ARCH.to_owned();
            return Err(CompileError::OtherArchitecture {
                wanted: self.architecture,
                this,
            });
        }
        let (apt, dnf) = self.packages();
        match self.place {
            BuildPlace::Root(RootSpec::Debian(suite)) => {
                let root =
                    debian_root(suite, &apt, self.architecture, self.cache, self.reporter).await?;
                let name = root.file_name().unwrap_or_default().to_string_lossy();
                // The packages' versions too: their libraries go into layers.
                let identity = format!("{name} {}", identity(&root));
                Ok(Workshop {
                    root,
                    identity,
                    engine: None,
                })
            }
            BuildPlace::Root(RootSpec::Folder(folder)) => {
                let root = fs_err::canonicalize(folder)?;
                if !root.join("usr").is_dir() {
                    return Err(RootError::NotARoot(root).into());
                }
                if !has_shell(&root) {
                    return Err(RootError::NoShell(root).into());
                }
                if !missing(&root, work).is_empty() {
                    let log = self.log("install-packages");
                    install_packages(&root, &apt, &dnf, &log, self.reporter).await?;
                }
                Ok(Workshop {
                    identity: format!("folder {}", identity(&root)),
                    root,
                    engine: None,
                })
            }
            BuildPlace::Root(RootSpec::Image(reference)) => self.image_root(reference).await,
            BuildPlace::Engine(kind, reference) => self.container(*kind, reference).await,
            BuildPlace::Host => {
                let missing = missing(Path::new("/"), work);
                if !missing.is_empty() {
                    let command = if Path::new("/usr/bin/dnf").exists() {
                        format!("dnf install -y {}", dnf.join(" "))
                    } else {
                        format!("apt-get install -y {}", apt.join(" "))
                    };
                    return Err(CompileError::HostLacks {
                        missing: missing.join(", "),
                        command,
                    });
                }
                Ok(Workshop {
                    identity: format!("host {}", identity(Path::new("/"))),
                    root: "/".into(),
                    engine: None,
                })
            }
        }
    }

    /// An image's root, and where it lacks something a copy of it that does not.
    async fn image_root(&self, reference: &ImageReference) -> Result<Workshop, CompileError> {
        let (apt, dnf) = self.packages();
        let images = Images {
            cache: self.cache,
            patience: Patience::default(),
            login: None,
            reporter: self.reporter,
        };
        let pulled = images
            .root(reference, self.architecture)
            .await
            .map_err(RootError::from)?;
        let root = if missing(&pulled.path, Work::R).is_empty() {
            pulled.path
        } else {
            let packages = apt.iter().chain(&dnf).map(|name| name.as_bytes());
            let key = Sha256::of_parts(packages).short();
            let name = format!("oci-{}-{}-{key}", pulled.digest.short(), self.architecture);
            let pinned = reference.at(&pulled.digest);
            let make = async |content: &Path| -> Result<(), RootError> {
                images.unpack(&pinned, self.architecture, content).await?;
                let log = self.log(&name);
                install_packages(content, &apt, &dnf, &log, self.reporter).await
            };
            self.cache
                .get_or_make("roots", &name, self.reporter, make)
                .await?
        };
        // The digest says what was there before packages were installed, which have versions of their own.
        Ok(Workshop {
            identity: format!("image {} {}", pulled.digest.oci(), identity(&root)),
            root,
            engine: None,
        })
    }

    /// An image of a container engine, with what it lacks installed.
    async fn container(
        &self,
        kind: EngineKind,
        reference: &ImageReference,
    ) -> Result<Workshop, CompileError> {
        let (apt, dnf) = self.packages();
        let engine = Engine::open(kind, self.architecture).await?;
        let image = engine.image(reference, self.reporter).await?;
        let probe = PROBES
            .iter()
            .flat_map(|(_, paths)| paths.iter())
            .map(|path| format!("test -e /{path}"))
            .collect::<Vec<_>>()
            .join(" && ");
        let install = install_script(&apt, &dnf);
        let log = self.log(&format!("{kind}-install-packages"));
        let furnished = engine
            .furnished(&image, &probe, &install, &log, self.reporter)
            .await?;
        let root = engine
            .libraries(&furnished, self.cache, self.reporter)
            .await?;
        Ok(Workshop {
            identity: format!("{kind} image {} {}", image.id, identity(&root)),
            root,
            engine: Some((engine, furnished)),
        })
    }

    /// The log of a piece of work.
    pub fn log(&self, name: &str) -> PathBuf {
        self.cache.folder().join("logs").join(format!("{name}.log"))
    }
}

fn missing(root: &Path, work: Work) -> Vec<&'static str> {
    let probes = match work {
        Work::R => &PROBES[..],
        Work::Packages => &PROBES[..FOR_PACKAGES],
    };
    probes
        .iter()
        .filter(|(_, paths)| !paths.iter().any(|path| root.join(path).exists()))
        .map(|(what, _)| *what)
        .collect()
}

/// What tells one root from another: its system and what is installed in it.
pub(super) fn identity(root: &Path) -> String {
    let read = |path: &str| fs_err::read(root.join(path)).unwrap_or_default();
    let parts = [
        "etc/os-release",
        "var/lib/dpkg/status",
        "var/lib/rpm/rpmdb.sqlite",
    ]
    .map(read);
    Sha256::of_parts(parts.iter().map(Vec::as_slice)).short()
}
