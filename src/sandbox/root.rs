//! Root file systems by name: `debian:bullseye`, `oci:IMAGE`, `dir:PATH`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tokio::process::Command;

use super::bubblewrap::find_program;
use super::{
    BubblewrapError, CommandFailed, EmulationError, LoggedCommand, Mount, Sandbox, check_runs,
};
use crate::cache::{Cache, CacheError};
use crate::checksum::Sha256;
use crate::image::{ImageError, ImageReference, ReferenceError};
use crate::progress::Reporter;
use crate::target::Architecture;

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
    /// A file of the root.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// In MB: bullseye with compilers has 462 when it is done, and its downloaded packages beside it until then.
const ROOM_FOR_ROOT: u64 = 800;

/// A Debian root with packages installed, from the cache or made now.
pub async fn debian_root(
    suite: &str,
    packages: &[String],
    architecture: Architecture,
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<PathBuf, RootError> {
    let key = Sha256::of_parts(packages.iter().map(|name| name.as_bytes())).short();
    let name = format!("debian-{suite}-{architecture}-{key}");
    cache
        .get_or_make("roots", &name, reporter, async |content: &Path| {
            let debootstrap = find_program("debootstrap")
                .ok_or_else(|| RootError::NoDebootstrap(suite.to_owned()))?;
            if !rustix::process::geteuid().is_root() {
                return Err(RootError::NotPrivileged {
                    suite: suite.to_owned(),
                    cache: cache.folder().to_owned(),
                });
            }
            // debootstrap runs what it installs.
            check_runs(architecture)?;
            cache.need_room(&format!("a Debian {suite} root"), ROOM_FOR_ROOT)?;
            let task = reporter.begin(
                &format!("making a root: Debian {suite}, {architecture}"),
                None,
            );
            // What debootstrap mounts and starts ends with it, however it ends.
            let bwrap = find_program("bwrap").ok_or(BubblewrapError::NotInstalled)?;
            let mut command = Command::new(bwrap);
            command
                .args(["--unshare-pid", "--die-with-parent", "--dev-bind", "/", "/"])
                .args(["--proc", "/proc", "--cap-add", "ALL", "--"])
                .arg(debootstrap);
            command
                .arg("--variant=minbase")
                .arg(format!("--arch={}", architecture.debian_name()));
            if !packages.is_empty() {
                command.arg(format!("--include={}", packages.join(",")));
            }
            command.arg(suite).arg(content);
            if let Some(mirror) = debian_mirror().await {
                command.arg(mirror);
            }
            let log = cache.folder().join("logs").join(format!("{name}.log"));
            LoggedCommand {
                what: "debootstrap",
                command,
                log: &log,
            }
            .run(&*task)
            .await?;
            forget_downloads(content)?;
            task.finish(&format!("made a root: Debian {suite}, {architecture}"));
            Ok(())
        })
        .await
}

/// What the package manager downloaded is in the root twice.
fn forget_downloads(root: &Path) -> std::io::Result<()> {
    for folder in ["var/cache/apt/archives", "var/lib/apt/lists"] {
        let folder = root.join(folder);
        if folder.exists() {
            fs_err::remove_dir_all(&folder)?;
            fs_err::create_dir_all(folder.join("partial"))?;
        }
    }
    Ok(())
}

/// The Debian mirror that this machine's own apt uses; debootstrap has a default for machines without.
async fn debian_mirror() -> Option<String> {
    if let Some(mirror) = std::env::var("R_LAYER_DEBIAN_MIRROR")
        .ok()
        .filter(|url| !url.is_empty())
    {
        return Some(mirror);
    }
    let output = Command::new(find_program("apt-get")?)
        .args([
            "indextargets",
            "--format",
            "$(ORIGIN) $(LABEL) $(SITE)",
            "Created-By: Packages",
        ])
        .output()
        .await
        .ok()?;
    String::from_utf8(output.stdout)
        .ok()?
        .lines()
        .find_map(|line| line.strip_prefix("Debian Debian ").map(str::to_owned))
}

/// Installs packages with whichever package manager there is. Apt may not become another user where there is none.
pub fn install_script(apt: &[String], dnf: &[String]) -> String {
    format!(
        "export DEBIAN_FRONTEND=noninteractive LC_ALL=C\n\
         if [ -x /usr/bin/apt-get ]; then\n\
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
    let task = reporter.begin("installing what R is compiled with", None);
    let mut sandbox = Sandbox::new(root);
    sandbox.writable_root = true;
    sandbox.privileged = true;
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    sandbox.environment = [("PATH".to_owned(), path.into())].into();
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    ] {
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
    task.finish("installed what R is compiled with");
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
