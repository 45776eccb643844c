//! Debian's releases as root file systems, by debootstrap: installed, to compile in; or only unpacked, to take files from.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::bubblewrap::find_program;
use super::{BubblewrapError, LoggedCommand, RootError, check_runs};
use crate::cache::Cache;
use crate::checksum::Sha256;
use crate::image::{Limits, UnpackError, Unpacker};
use crate::os;
use crate::progress::{Reporter, Task};
use crate::target::Architecture;

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
    let debian = Debian {
        suite,
        packages,
        architecture,
        cache,
    };
    let key = Sha256::of_parts(packages.iter().map(|name| name.as_bytes())).short();
    let name = format!("debian-{suite}-{architecture}-{key}");
    cache
        .get_or_make("roots", &name, reporter, async |content: &Path| {
            // debootstrap runs what it installs.
            check_runs(architecture)?;
            let what = format!("making a root: Debian {suite}, {architecture}");
            let task = reporter.begin(&what, None);
            debian.debootstrap(&[], content, &name, &*task).await?;
            forget_downloads(content)?;
            task.finish(&format!("made a root: Debian {suite}, {architecture}"));
            Ok(())
        })
        .await
}

/// The files of a Debian release with packages, unpacked into an empty folder: nothing of them is run, so that they may be
/// for any processor, and nothing is set up.
pub async fn unpack_debian(
    suite: &str,
    packages: &[String],
    architecture: Architecture,
    folder: &Path,
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<(), RootError> {
    let debian = Debian {
        suite,
        packages,
        architecture,
        cache,
    };
    let what = format!("fetching Debian {suite}'s files, {architecture}");
    let task = reporter.begin(&what, None);
    let downloads = cache.unfinished()?;
    let name = format!("debian-{suite}-{architecture}-files");
    debian
        .debootstrap(&["--download-only"], downloads.path(), &name, &*task)
        .await?;
    let mut archives: Vec<PathBuf> =
        fs_err::read_dir(downloads.path().join("var/cache/apt/archives"))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .collect();
    archives.sort();
    let mut unpacker = Unpacker::new(folder, Limits::default())?;
    for archive in archives {
        unpack_package(&archive, &mut unpacker)?;
    }
    task.finish(&format!("fetched Debian {suite}'s files, {architecture}"));
    Ok(())
}

/// A .deb is an ar archive whose `data.tar.xz` holds the files (deb(5)).
fn unpack_package(package: &Path, unpacker: &mut Unpacker) -> Result<(), RootError> {
    let damaged = |source| RootError::Package {
        package: package.to_owned(),
        source,
    };
    let mut archive = ar::Archive::new(fs_err::File::open(package)?);
    while let Some(entry) = archive.next_entry() {
        let entry = entry.map_err(|error| damaged(UnpackError::Damaged(error)))?;
        if entry.header().identifier().starts_with(b"data.tar") {
            return unpacker.layer(entry).map_err(damaged);
        }
    }
    let none = std::io::Error::other("it has no data.tar");
    Err(damaged(UnpackError::Damaged(none)))
}

/// A release, with packages beyond its minimum.
struct Debian<'a> {
    suite: &'a str,
    packages: &'a [String],
    architecture: Architecture,
    cache: &'a Cache,
}

impl Debian<'_> {
    async fn debootstrap(
        &self,
        options: &[&str],
        folder: &Path,
        name: &str,
        task: &dyn Task,
    ) -> Result<(), RootError> {
        let debootstrap = find_program("debootstrap")
            .ok_or_else(|| RootError::NoDebootstrap(self.suite.to_owned()))?;
        if !os::is_root() {
            return Err(RootError::NotPrivileged {
                suite: self.suite.to_owned(),
                cache: self.cache.folder().to_owned(),
            });
        }
        let what = format!("a Debian {} root", self.suite);
        self.cache.need_room(&what, ROOM_FOR_ROOT)?;
        // What debootstrap mounts and starts ends with it, however it ends.
        let bwrap = find_program("bwrap").ok_or(BubblewrapError::NotInstalled)?;
        let mut command = Command::new(bwrap);
        command
            .args(["--unshare-pid", "--die-with-parent", "--dev-bind", "/", "/"])
            .args(["--proc", "/proc", "--cap-add", "ALL", "--"])
            .arg(debootstrap)
            .args(options)
            .arg("--variant=minbase")
            .arg(format!("--arch={}", self.architecture.debian_name()));
        if !self.packages.is_empty() {
            command.arg(format!("--include={}", self.packages.join(",")));
        }
        command.arg(self.suite).arg(folder);
        if let Some(mirror) = debian_mirror().await {
            command.arg(mirror);
        }
        let log = self.cache.folder().join("logs").join(format!("{name}.log"));
        LoggedCommand {
            what: "debootstrap",
            command,
            log: &log,
        }
        .run(task)
        .await?;
        Ok(())
    }
}

/// What the package manager downloaded is in the root twice.
pub fn forget_downloads(root: &Path) -> std::io::Result<()> {
    for folder in [
        "var/cache/apt/archives",
        "var/cache/dnf",
        "var/lib/apt/lists",
    ] {
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
