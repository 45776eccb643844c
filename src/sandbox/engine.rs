//! A command in a container, for those who have a container engine, and for systems without bubblewrap.
//!
//! Nothing here looks into the engine's storage: what is needed of an image comes out of a container as a tarball,
//! so that it works as well where the engine runs in a virtual machine.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;

use tokio::process::Command;

use super::CommandFailed;
use super::bubblewrap::find_program;
use crate::cache::CacheError;
use crate::checksum::Sha256;
use crate::image::{ImageReference, UnpackError};
use crate::progress::Reporter;
use crate::target::Architecture;

/// The engines that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Docker, with a daemon.
    Docker,
    /// Podman, without.
    Podman,
    /// AWS's Finch.
    Finch,
}

impl EngineKind {
    /// The program's name, which is the engine's in flags and in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            EngineKind::Docker => "docker",
            EngineKind::Podman => "podman",
            EngineKind::Finch => "finch",
        }
    }

    /// What makes it answer.
    fn fix(self, reason: &str) -> &'static str {
        if reason.contains("permission denied") {
            return "sudo usermod -aG docker $USER (and log in again)";
        }
        match (self, cfg!(target_os = "macos")) {
            (EngineKind::Docker, true) => "open -a Docker",
            (EngineKind::Docker, false) => "sudo systemctl start docker",
            (EngineKind::Podman, true) => "podman machine init; podman machine start",
            (EngineKind::Podman, false) => "podman info",
            (EngineKind::Finch, true) => "finch vm init; finch vm start",
            (EngineKind::Finch, false) => "sudo systemctl start finch",
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EngineKind {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        [EngineKind::Docker, EngineKind::Podman, EngineKind::Finch]
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| EngineError::Unknown(text.to_owned()))
    }
}

/// Why nothing runs in a container.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another engine.
    #[error("there is no engine `{0}`; there are: docker, podman, finch")]
    Unknown(String),
    /// No such program.
    #[error(
        "{0} is not installed; install it, name another with --engine, or pull the image without an engine: \
         --build-root oci:IMAGE"
    )]
    NotInstalled(EngineKind),
    /// The program is there, and what does the work is not.
    #[error("{kind} does not answer ({reason}); type: {fix}", fix = kind.fix(reason))]
    NotRunning {
        /// The engine.
        kind: EngineKind,
        /// Its word.
        reason: String,
    },
    /// No such image.
    #[error(
        "{kind} has no image {image} and cannot pull it ({reason}). Look at the name; an image that was never pushed \
         has the registry `localhost` with podman; for a private one type: {kind} login {registry}"
    )]
    NoImage {
        /// The engine.
        kind: EngineKind,
        /// The image.
        image: String,
        /// Its registry.
        registry: String,
        /// The engine's word.
        reason: String,
    },
    /// An image for another processor.
    #[error(
        "{image} is for {there}, and linux/{wanted} was asked for; name another image with --build-image"
    )]
    NoArchitecture {
        /// The image.
        image: String,
        /// What it is for.
        there: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// The engine does not do what it was told.
    #[error("{kind} {what} failed: {reason}")]
    Refused {
        /// The engine.
        kind: EngineKind,
        /// What it was told.
        what: String,
        /// Its word.
        reason: String,
    },
    /// The libraries of an image.
    #[error("the libraries of {image} cannot be read: {source}")]
    Libraries {
        /// The image.
        image: String,
        /// What is wrong.
        source: UnpackError,
    },
    /// A command in a container.
    #[error(transparent)]
    Failed(#[from] CommandFailed),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Starting the engine's program.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// An image that an engine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineImage {
    /// The digest of its configuration, by which the engine knows it.
    pub id: String,
    /// The digest by which a registry has it; nothing for one that was never pushed.
    pub digest: Option<Sha256>,
}

/// An engine that answers.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) kind: EngineKind,
    pub(super) program: PathBuf,
    pub(super) architecture: Architecture,
    /// Options of every `run`: R_LAYER_ENGINE_OPTIONS.
    pub(super) options: Vec<String>,
    /// Is root in a container root on this machine?
    pub(super) is_rootful: bool,
}

impl Engine {
    /// The engine of that kind, if it is there and answers.
    pub async fn open(kind: EngineKind, architecture: Architecture) -> Result<Engine, EngineError> {
        let program = find_program(kind.name()).ok_or(EngineError::NotInstalled(kind))?;
        let options = std::env::var("R_LAYER_ENGINE_OPTIONS").unwrap_or_default();
        let mut engine = Engine {
            kind,
            program,
            architecture,
            options: options.split_whitespace().map(str::to_owned).collect(),
            is_rootful: false,
        };
        let info = engine.ask(&["info"]).await?;
        let info = info.map_err(|reason| EngineError::NotRunning { kind, reason })?;
        engine.is_rootful = kind != EngineKind::Podman && !info.contains("rootless");
        Ok(engine)
    }

    /// An image by its name, or by its digest if the name has one; pulled if the engine does not have it.
    pub async fn image(
        &self,
        reference: &ImageReference,
        reporter: &dyn Reporter,
    ) -> Result<EngineImage, EngineError> {
        let name = match reference.digest() {
            Some(digest) => reference.by_digest(&digest),
            None => reference.to_string(),
        };
        if let Some(image) = self.inspect(&name).await? {
            return Ok(image);
        }
        let no_image = |reason: String| EngineError::NoImage {
            kind: self.kind,
            image: name.clone(),
            registry: reference.registry().to_owned(),
            reason,
        };
        let task = reporter.begin(&format!("pulling {name} with {}", self.kind), None);
        let mut arguments = vec!["pull"];
        let platform = self.platform();
        arguments.extend(platform.as_deref());
        arguments.push(&name);
        self.ask(&arguments).await?.map_err(no_image)?;
        task.finish(&format!("pulled {name} with {}", self.kind));
        let pulled = self.inspect(&name).await?;
        pulled.ok_or_else(|| no_image("it is not there after the pull".to_owned()))
    }

    /// An image that the engine has.
    async fn inspect(&self, name: &str) -> Result<Option<EngineImage>, EngineError> {
        let format = "{{.Id}} {{.Os}}/{{.Architecture}} {{json .RepoDigests}}";
        let answer = self
            .ask(&["image", "inspect", "--format", format, name])
            .await?;
        let Ok(answer) = answer else {
            return Ok(None);
        };
        let mut parts = answer.trim().splitn(3, ' ');
        let (id, platform) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let wanted = self.architecture.oci_name();
        if platform != format!("linux/{wanted}") {
            return Err(EngineError::NoArchitecture {
                image: name.to_owned(),
                there: platform.to_owned(),
                wanted,
            });
        }
        Ok(Some(EngineImage {
            id: id.trim_start_matches("sha256:").to_owned(),
            digest: pushed_digest(name, parts.next().unwrap_or("")),
        }))
    }

    /// An image with packages installed: `install` has run in it, unless `probe` says that nothing is missing. The
    /// engine keeps it under a name made of all its inputs.
    pub async fn furnished(
        &self,
        image: &EngineImage,
        probe: &str,
        install: &str,
        log: &Path,
        reporter: &dyn Reporter,
    ) -> Result<EngineImage, EngineError> {
        let key = Sha256::of_parts([image.id.as_bytes(), install.as_bytes()]).short();
        let name = format!("localhost/r-layer-build:{key}");
        if let Some(kept) = self.inspect(&name).await? {
            return Ok(kept);
        }
        if self.script(&image.id, probe).quiet().await?.success() {
            self.done(&["tag", &image.id, &name]).await?;
        } else {
            let task = reporter.begin("installing system packages", None);
            let container = self.script(&image.id, install);
            let installed = container.name().to_owned();
            let _container = container.logged("installing packages", log, &*task).await?;
            self.done(&["commit", &installed, &name]).await?;
            task.finish("installed system packages");
        }
        let kept = self.inspect(&name).await?;
        kept.ok_or_else(|| self.refused("commit", format!("it has no image {name}")))
    }

    /// The option that asks for another processor than this machine's.
    pub(super) fn platform(&self) -> Option<String> {
        let this = Architecture::of_this_machine();
        (this != Some(self.architecture))
            .then(|| format!("--platform=linux/{}", self.architecture.oci_name()))
    }

    /// Lets the engine's program do something quick: what it says, or why it does not.
    async fn ask(&self, arguments: &[&str]) -> Result<Result<String, String>, EngineError> {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command.output().await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(reason(&text(&output.stderr))),
        })
    }

    async fn done(&self, arguments: &[&str]) -> Result<(), EngineError> {
        let answer = self.ask(arguments).await?;
        answer
            .map(drop)
            .map_err(|reason| self.refused(arguments[0], reason))
    }

    pub(super) fn refused(&self, what: &str, reason: String) -> EngineError {
        EngineError::Refused {
            kind: self.kind,
            what: what.to_owned(),
            reason,
        }
    }
}

/// The line that says what is wrong: engines mark it, or it is the last.
pub(super) fn reason(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let marked = |line: &&str| line.starts_with("ERROR: ") || line.starts_with("Error: ");
    let found = lines.clone().find(marked).or_else(|| lines.next_back());
    let found = found.unwrap_or("it says nothing");
    let unmarked = found.split_once(": ").filter(|_| marked(&found));
    unmarked.map_or(found, |(_, rest)| rest).to_owned()
}

/// The digest by which a registry has an image. Podman gives one to images that were never pushed too; they have
/// `localhost` for a registry.
fn pushed_digest(name: &str, digests: &str) -> Option<Sha256> {
    let image: ImageReference = name.parse().ok()?;
    let digests: Option<Vec<String>> = serde_json::from_str(digests.trim()).ok()?;
    digests?
        .iter()
        .filter_map(|digest| digest.parse::<ImageReference>().ok())
        .filter(|pushed| pushed.registry() != "localhost")
        .find(|pushed| pushed.is_of_the_repository_of(&image))
        .and_then(|pushed| pushed.digest())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_was_pushed_is_known_by_its_digest() {
        let digest = Sha256::of(b"manifest");
        let of = |name: &str, listed: &str| {
            pushed_digest(name, &format!("[\"{listed}@sha256:{digest}\"]"))
        };
        assert_eq!(of("debian:bullseye", "debian"), Some(digest));
        assert_eq!(
            of("docker.io/library/debian:bullseye", "debian"),
            Some(digest)
        );
        assert_eq!(of("localhost:5000/r:1", "localhost:5000/r"), Some(digest));
        assert_eq!(of("localhost/r:1", "localhost/r"), None);
        assert_eq!(of("debian:bullseye", "elsewhere.example/debian"), None);
        assert_eq!(pushed_digest("debian", "null"), None);
    }

    #[test]
    fn of_what_an_engine_says_the_reason_is_told() {
        for (said, told) in [
            (
                "ERROR: Cannot connect.\nerrors pretty printing info\n",
                "Cannot connect.",
            ),
            (
                "Trying to pull r:1...\nError: initializing source: unknown\n",
                "initializing source: unknown",
            ),
            (
                "Error response from daemon: not found\n\n",
                "Error response from daemon: not found",
            ),
            ("\n", "it says nothing"),
        ] {
            assert_eq!(reason(said), told);
        }
        let denied = EngineKind::Docker.fix("permission denied while trying to connect");
        assert!(denied.contains("usermod"), "{denied}");
    }

    #[test]
    fn engines_are_known_by_their_programs() {
        for name in ["docker", "podman", "finch"] {
            assert_eq!(name.parse::<EngineKind>().unwrap().to_string(), name);
        }
        let error = "lxc".parse::<EngineKind>().unwrap_err().to_string();
        assert!(error.contains("docker, podman, finch"), "{error}");
    }
}
