//! Root file systems by name: `debian:bullseye`, `oci:IMAGE`, `dir:PATH`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::container::PROXIES;
use super::{BubblewrapError, CommandFailed, EmulationError, LoggedCommand, Mount, Sandbox};
use crate::cache::CacheError;
use crate::image::{ImageError, ImageReference, ReferenceError, UnpackError};
use crate::progress::Reporter;

/// A root file system that a user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootSpec {
    /// Debian's release of that code name, made by debootstrap and kept in the cache.
    Debian(String),
    /// An image, pulled from its registry and kept in the cache.
    Image(ImageReference),
    /// A folder that is there already.
    Folder(PathBuf),
}

impl fmt::Display for RootSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RootSpec::Debian(suite) => write!(f, "debian:{suite}"),
            RootSpec::Image(reference) => write!(f, "oci:{reference}"),
            RootSpec::Folder(path) => write!(f, "dir:{}", path.display()),
        }
    }
}

impl FromStr for RootSpec {
    type Err = RootError;

    fn from_str(text: &str) -> Result<Self, RootError> {
        match text.split_once(':') {
            // A suite becomes an argument and the name of a folder.
            Some(("debian", suite))
                if !suite.is_empty() && suite.bytes().all(|byte| byte.is_ascii_lowercase()) =>
            {
                Ok(RootSpec::Debian(suite.to_owned()))
            }
            Some(("oci", image)) => Ok(RootSpec::Image(image.parse()?)),
            Some(("dir", path)) if !path.is_empty() => Ok(RootSpec::Folder(path.into())),
            _ => Err(RootError::Unknown(text.to_owned())),
        }
    }
}

/// Why there is no such root.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// A name of no known form.
    #[error(
        "`{0}` is no root file system; there are: debian:SUITE (for example debian:bullseye), oci:IMAGE, dir:PATH"
    )]
    Unknown(String),
    /// No image's name.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A folder that is none, or not a root.
    #[error("{0} is no root file system: it has no /usr; name a folder that holds one")]
    NotARoot(PathBuf),
    /// A folder in which no script can be run.
    #[error(
        "{0} is no root to run scripts in: it has no /bin/sh; name a folder that holds a whole system"
    )]
    NoShell(PathBuf),
    /// debootstrap is needed.
    #[error(
        "a {0} root is made by debootstrap, which is not installed; type: apt-get install debootstrap, \
         or name a folder that holds a root with dir:PATH"
    )]
    NoDebootstrap(String),
    /// debootstrap needs to be root.
    #[error(
        "a debian:{suite} root is made by debootstrap, which only root may run. Once, with this cache: type this command \
         behind `sudo env R_LAYER_CACHE={cache}`, then `sudo chown -R $(id -u) {cache}`; or name a folder that holds a \
         root with dir:PATH",
        cache = cache.display()
    )]
    NotPrivileged {
        /// The Debian release.
        suite: String,
        /// Where the root would be kept.
        cache: PathBuf,
    },
    /// It is for another processor.
    #[error(transparent)]
    Emulation(#[from] EmulationError),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// bubblewrap.
    #[error(transparent)]
    Bubblewrap(#[from] BubblewrapError),
    /// debootstrap or the package manager.
    #[error(transparent)]
    Failed(#[from] CommandFailed),
    /// Neither apt nor dnf.
    #[error("{0} has neither apt-get nor dnf, so that nothing can be installed in it")]
    NoPackageManager(PathBuf),
    /// A package of Debian.
    #[error("{package} cannot be unpacked: {source}")]
    Package {
        /// The .deb file.
        package: PathBuf,
        /// What is wrong with it.
        source: UnpackError,
    },
    /// A file of the root.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Installs packages with whichever package manager there is. Apt may not become another user where there is none,
/// and does not make the folder for what it downloads, which small images lack.
pub fn install_script(apt: &[String], dnf: &[String]) -> String {
    format!(
        "export DEBIAN_FRONTEND=noninteractive LC_ALL=C\n\
         if [ -x /usr/bin/apt-get ]; then\n\
         mkdir -p /var/cache/apt/archives/partial\n\
         set -- -o APT::Sandbox::User=root\n\
         apt-get \"$@\" update && apt-get \"$@\" install -y --no-install-recommends {}\n\
         elif [ -x /usr/bin/dnf ]; then dnf install -y {}\n\
         else echo 'there is neither apt-get nor dnf, so that nothing can be installed' >&2; exit 1; fi\n",
        apt.join(" "),
        dnf.join(" ")
    )
}

/// Installs packages in a root that the user brought, with the package manager that it has.
pub async fn install_packages(
    root: &Path,
    apt: &[String],
    dnf: &[String],
    log: &Path,
    reporter: &dyn Reporter,
) -> Result<(), RootError> {
    let has = |program: &str| root.join("usr/bin").join(program).exists();
    if !has("apt-get") && !has("dnf") {
        return Err(RootError::NoPackageManager(root.to_owned()));
    }
    let script = install_script(apt, dnf);
    let task = reporter.begin("installing system packages", None);
    let mut sandbox = Sandbox::new(root);
    sandbox.writable_root = true;
    sandbox.privileged = true;
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    sandbox.environment = [("PATH".to_owned(), path.into())].into();
    for name in PROXIES {
        if let Some(value) = std::env::var_os(name) {
            sandbox.environment.insert(name.to_owned(), value);
        }
    }
    // A root that was unpacked, not booted, knows no name server; this machine's is lent for the time.
    let names = PathBuf::from("/etc/resolv.conf");
    if names.exists() {
        sandbox.mounts.push(Mount::ReadOnly {
            from: names.clone(),
            to: names,
        });
    }
    let command = sandbox.command("/bin/sh", &["-c", &script])?;
    LoggedCommand {
        what: "installing packages",
        command,
        log,
    }
    .run(&*task)
    .await?;
    task.finish("installed system packages");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_named_by_kind() {
        let root = |text: &str| text.parse::<RootSpec>();
        assert_eq!(
            root("debian:bullseye").unwrap(),
            RootSpec::Debian("bullseye".into())
        );
        assert_eq!(
            root("dir:/srv/root").unwrap(),
            RootSpec::Folder("/srv/root".into())
        );
        assert_eq!(
            root("oci:debian").unwrap().to_string(),
            "oci:docker.io/library/debian:latest"
        );
        let error = root("oci:").unwrap_err().to_string();
        assert!(error.contains("names no image"), "{error}");
        for text in [
            "",
            "bullseye",
            "debian:",
            "debian:../x",
            "debian:--foreign",
            "dir:",
        ] {
            let error = root(text).unwrap_err().to_string();
            assert!(error.contains("debian:bullseye"), "{error}");
        }
        assert_eq!(
            root("debian:bullseye").unwrap().to_string(),
            "debian:bullseye"
        );
    }
}
