//! A workshop with system packages installed that R itself does without: always a copy, so that what R was compiled in
//! stays what it was, and R is not compiled again because of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::compile::{BuildPlace, CompileError, Compiler};
use super::system_packages::{SystemPackages, Without, installed_by_dpkg, unknown_packages};
use super::workshop::{Workshop, identity};
use crate::checksum::Sha256;
use crate::package::PackageManager;
use crate::sandbox::{
    CommandFailed, Engine, EngineError, EngineImage, RootError, RootSpec, Sandbox,
    forget_downloads, install_packages, install_script,
};

/// The cache's entries of this: names that a root's distribution does not have, by the root's identity.
const LACKING: &str = "lacking-packages";

/// In MB: a copy of bullseye with compilers, and the libraries that come on top.
const ROOM_FOR_ROOT: u64 = 1000;

/// Where packages are compiled: as R was, or with what some of them need besides. Whatever needs nothing besides is
/// compiled as if the others were not there, and so is not compiled again when they come or go.
pub struct Workshops {
    plain: Workshop,
    /// What was missing in it, and the place where that is.
    furnished: Option<(SystemPackages, Workshop)>,
}

impl Workshops {
    /// The one with everything in it.
    pub fn fullest(&self) -> &Workshop {
        match &self.furnished {
            Some((_, furnished)) => furnished,
            None => &self.plain,
        }
    }

    /// The one in which a package is compiled that wants these.
    pub fn with(&self, wanted: &SystemPackages) -> &Workshop {
        match &self.furnished {
            Some((missing, furnished)) if wanted.meets(missing) => furnished,
            _ => &self.plain,
        }
    }
}

impl Compiler<'_> {
    /// A workshop, and one in which these packages are there too. If nothing is missing, no server is asked.
    pub async fn workshops(
        &self,
        plain: Workshop,
        wanted: SystemPackages,
    ) -> Result<Workshops, CompileError> {
        let wanted = self.without_lacking(&plain, &wanted);
        let missing = self.missing_packages(&plain, &wanted).await?;
        if missing.is_empty() {
            let furnished = None;
            return Ok(Workshops { plain, furnished });
        }
        let wanted = wanted.with_pkg_config()?;
        let missing = self.missing_packages(&plain, &wanted).await?;
        if *self.place == BuildPlace::Host {
            return Err(CompileError::HostLacks {
                missing: missing.names().join(", "),
                command: missing.command(),
            });
        }
        let furnished = self.furnished(&plain, &missing).await?;
        Ok(Workshops {
            plain,
            furnished: Some((missing, furnished)),
        })
    }

    async fn furnished(
        &self,
        base: &Workshop,
        missing: &SystemPackages,
    ) -> Result<Workshop, CompileError> {
        let name = self.furnished_name(base, missing);
        let log = self.log(&name);
        match self.install(base, missing, &name, &log).await {
            Ok(workshop) => Ok(workshop),
            Err(error) => self.without_unknown(base, missing, &log, error).await,
        }
    }

    /// What comes of an installation that failed: a second one without what the distribution lacks, if the user has named
    /// packages in its place; else an error that says what it lacks.
    async fn without_unknown(
        &self,
        base: &Workshop,
        missing: &SystemPackages,
        log: &Path,
        error: CompileError,
    ) -> Result<Workshop, CompileError> {
        let said = fs_err::read(log).unwrap_or_default();
        let unknown = unknown_packages(&String::from_utf8_lossy(&said));
        let rest = match missing.without(&unknown) {
            Without::Unchanged => return Err(error),
            Without::Impossible(name) => {
                return Err(CompileError::NoSystemPackage {
                    wanted_by: missing.wanted_by(&name),
                    place: self.place.to_string(),
                    search: match missing.manager {
                        PackageManager::Apt => "https://packages.debian.org",
                        PackageManager::Dnf => "dnf search",
                    },
                    name,
                });
            }
            Without::Rest(rest) => rest,
        };
        for name in &unknown {
            let by = missing.wanted_by(name);
            let said = format!(
                "{} has no package {name}, wanted by {by}: going on without it",
                self.place
            );
            match missing.is_only_listed(name) {
                true => self.reporter.detail(&said),
                false => {
                    let named = format!("{said}, with what --system-package names");
                    self.reporter.warn(&named);
                }
            }
        }
        self.note_lacking(base, missing, &unknown)?;
        if rest.is_empty() {
            return Ok(base.clone());
        }
        let name = self.furnished_name(base, &rest);
        self.install(base, &rest, &name, &self.log(&name)).await
    }

    /// What lists alone name and this distribution is known to lack is not looked for again.
    fn without_lacking(&self, base: &Workshop, wanted: &SystemPackages) -> SystemPackages {
        let lacking = self.lacking(base);
        wanted.only(|name| !(wanted.is_only_listed(name) && lacking.contains(name)))
    }

    fn lacking(&self, base: &Workshop) -> BTreeSet<String> {
        let kept = self.cache.read(LACKING, &lacking_name(base));
        kept.and_then(|names| serde_json::from_slice(&names).ok())
            .unwrap_or_default()
    }

    fn note_lacking(
        &self,
        base: &Workshop,
        missing: &SystemPackages,
        unknown: &BTreeSet<String>,
    ) -> Result<(), CompileError> {
        let mut lacking = self.lacking(base);
        let listed = unknown.iter().filter(|name| missing.is_only_listed(name));
        lacking.extend(listed.cloned());
        if !lacking.is_empty() {
            let names = serde_json::to_vec(&lacking).unwrap_or_default();
            self.cache.put(LACKING, &lacking_name(base), &names)?;
        }
        Ok(())
    }

    fn furnished_name(&self, base: &Workshop, packages: &SystemPackages) -> String {
        let names = packages.names();
        let (kind, state) = match self.place {
            BuildPlace::Root(RootSpec::Debian(_)) => ("debian", String::new()),
            BuildPlace::Root(RootSpec::Image(_)) => ("oci", String::new()),
            BuildPlace::Root(RootSpec::Folder(_)) => ("dir", state_of_folder(&base.root)),
            BuildPlace::Engine(kind, _) => (kind.name(), String::new()),
            BuildPlace::Host => ("host", String::new()),
        };
        let parts = names.iter().map(String::as_bytes);
        let parts = parts.chain([base.identity.as_bytes(), state.as_bytes()]);
        let key = Sha256::of_parts(parts).short();
        format!("{kind}-with-packages-{}-{key}", self.architecture)
    }

    /// What of that is not there.
    async fn missing_packages(
        &self,
        base: &Workshop,
        wanted: &SystemPackages,
    ) -> Result<SystemPackages, CompileError> {
        if wanted.manager == PackageManager::Apt {
            let installed = installed_by_dpkg(&base.root);
            return Ok(wanted.only(|name| !installed.contains(name)));
        }
        if base.engine.is_some() {
            // The engine's probe says so: RPM's list is read by rpm alone, which is in the image.
            return Ok(wanted.clone());
        }
        let mut missing = Vec::new();
        for name in wanted.names() {
            if !self.has_rpm(&base.root, &name).await? {
                missing.push(name);
            }
        }
        Ok(wanted.only(|name| missing.iter().any(|other| other == name)))
    }

    async fn has_rpm(&self, root: &Path, name: &str) -> Result<bool, CompileError> {
        let query = ["-q", "--whatprovides", name];
        let mut command = match self.place {
            BuildPlace::Host => {
                let mut command = Command::new("rpm");
                command.args(query);
                command
            }
            _ => {
                let mut sandbox = Sandbox::new(root);
                sandbox.environment = [("PATH".to_owned(), "/usr/bin:/bin".into())].into();
                sandbox.command("rpm", &query)?
            }
        };
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        // A machine without rpm has nothing that it would know of.
        Ok(command.status().await.is_ok_and(|status| status.success()))
    }

    async fn install(
        &self,
        base: &Workshop,
        packages: &SystemPackages,
        name: &str,
        log: &Path,
    ) -> Result<Workshop, CompileError> {
        if log.exists() {
            fs_err::remove_file(log)?;
        }
        let (root, engine) = match &base.engine {
            Some((engine, image)) => {
                let image = self.furnished_image(engine, image, packages, log).await?;
                let root = engine.libraries(&image, self.cache, self.reporter).await?;
                (root, Some((engine.clone(), image)))
            }
            None => (self.furnished_root(base, packages, name, log).await?, None),
        };
        // The packages' versions too: their libraries go into layers.
        Ok(Workshop {
            identity: format!("{}, with packages: {}", base.identity, identity(&root)),
            root,
            engine,
        })
    }

    async fn furnished_image(
        &self,
        engine: &Engine,
        image: &EngineImage,
        packages: &SystemPackages,
        log: &Path,
    ) -> Result<EngineImage, EngineError> {
        let (apt, dnf) = packages.by_manager();
        let probe = match packages.manager {
            // Those that are there were left out.
            PackageManager::Apt => "false".to_owned(),
            PackageManager::Dnf => format!("rpm -q --whatprovides {}", dnf.join(" ")),
        };
        let install = install_script(&apt, &dnf);
        engine
            .furnished(image, &probe, &install, log, self.reporter)
            .await
    }

    async fn furnished_root(
        &self,
        base: &Workshop,
        packages: &SystemPackages,
        name: &str,
        log: &Path,
    ) -> Result<PathBuf, CompileError> {
        let (apt, dnf) = packages.by_manager();
        let make = async |content: &Path| {
            let what = "a root with more packages in it";
            self.cache.need_room(what, ROOM_FOR_ROOT)?;
            copy_root(&base.root, content).await?;
            install_packages(content, &apt, &dnf, log, self.reporter).await?;
            forget_downloads(content)?;
            Ok::<(), CompileError>(())
        };
        self.cache
            .get_or_make("roots", name, self.reporter, make)
            .await
    }
}

fn lacking_name(base: &Workshop) -> String {
    Sha256::of(base.identity.as_bytes()).to_string()
}

/// What a user may have put into a root without its package manager: the times at which its folders changed.
fn state_of_folder(root: &Path) -> String {
    let mut state = root.display().to_string();
    for top in ["usr", "usr/local", "opt"] {
        for folder in ["bin", "include", "lib", "lib64", "share", ""] {
            let changed =
                fs_err::metadata(root.join(top).join(folder)).and_then(|it| it.modified());
            state.push_str(&format!(" {:?}", changed.ok()));
        }
    }
    state
}

/// What a root has of its own while it runs: mounted, not kept.
const NOT_COPIED: [&str; 5] = ["dev", "proc", "run", "sys", "tmp"];

/// Copies a root into a folder that is not there yet, as it is: links, modes, owners and times. Where the file system can
/// share the content, it does. Links to the same files would not do: some packages change files where they are.
async fn copy_root(root: &Path, into: &Path) -> Result<(), CompileError> {
    fs_err::create_dir_all(into)?;
    let mut command = Command::new("cp");
    command.args(["-a", "--reflink=auto", "--"]);
    for entry in fs_err::read_dir(root)? {
        let entry = entry?;
        if NOT_COPIED.iter().any(|name| entry.file_name() == *name) {
            fs_err::create_dir(into.join(entry.file_name()))?;
        } else {
            command.arg(entry.path());
        }
    }
    command.arg(into).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await?;
    if output.status.success() {
        return Ok(());
    }
    Err(RootError::Failed(CommandFailed::Start {
        what: format!("copying the root {}", root.display()),
        source: std::io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    })
    .into())
}
