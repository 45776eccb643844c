//! Why bubblewrap cannot run anything: whoever is not root needs user namespaces for it, and systems differ in how
//! they forbid them.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::BubblewrapError;
use super::bubblewrap::{NAMESPACES, find_program};
use crate::os;

/// A setting of the kernel that forbids user namespaces, and what allows them.
struct Setting {
    /// Its file below /proc/sys.
    file: &'static str,
    /// The value that forbids.
    forbids: &'static str,
    /// Why it is set.
    why: &'static str,
    /// What to type.
    fix: &'static str,
}

const SETTINGS: [Setting; 3] = [
    Setting {
        file: "kernel/apparmor_restrict_unprivileged_userns",
        forbids: "1",
        why: "AppArmor keeps programs without a profile from making user namespaces, as on Ubuntu since 23.10",
        fix: "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (until the next boot; for good: a line in \
              /etc/sysctl.d, or an AppArmor profile for bwrap with `userns,`)",
    },
    Setting {
        file: "kernel/unprivileged_userns_clone",
        forbids: "0",
        why: "the kernel lets only root make user namespaces",
        fix: "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    },
    Setting {
        file: "user/max_user_namespaces",
        forbids: "0",
        why: "the kernel allows no user namespaces",
        fix: "sudo sysctl -w user.max_user_namespaces=15000",
    },
];

/// Asked when a command in a sandbox has failed: was it bubblewrap itself?
pub async fn bubblewrap_runs() -> Result<(), BubblewrapError> {
    let bwrap = find_program("bwrap").ok_or(BubblewrapError::NotInstalled)?;
    let mut command = Command::new(bwrap);
    command
        .args(NAMESPACES)
        .args(["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]);
    command
        .args(["--", "/bin/sh", "-c", ":"])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let reason = match command.output().await {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    let setting = |file: &str| fs_err::read_to_string(Path::new("/proc/sys").join(file)).ok();
    let is_root = os::is_root();
    let is_container = ["/.dockerenv", "/run/.containerenv"]
        .iter()
        .any(|mark| Path::new(mark).exists());
    let hint = hint(setting, is_root, is_container);
    Err(BubblewrapError::Unusable { reason, hint })
}

/// Why, and what to type.
fn hint(setting: impl Fn(&str) -> Option<String>, is_root: bool, is_container: bool) -> String {
    let forbidding = SETTINGS
        .iter()
        .find(|found| setting(found.file).is_some_and(|value| value.trim() == found.forbids));
    match forbidding {
        Some(Setting { why, fix, .. }) if !is_root => format!("{why}; type: {fix}"),
        _ if is_container => "This is a container, which may not make namespaces; start it with \
             --security-opt seccomp=unconfined --security-opt systempaths=unconfined, or with --privileged"
            .to_owned(),
        _ => "It needs namespaces, which this system does not let it make; run it as root, or build with \
              --engine podman"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_that_forbids_is_named_with_its_fix() {
        for (file, value, fix) in [
            (
                "kernel/apparmor_restrict_unprivileged_userns",
                "1\n",
                "kernel.apparmor_restrict_unprivileged_userns=0",
            ),
            (
                "kernel/unprivileged_userns_clone",
                "0\n",
                "kernel.unprivileged_userns_clone=1",
            ),
            (
                "user/max_user_namespaces",
                "0\n",
                "user.max_user_namespaces=15000",
            ),
        ] {
            let set = |asked: &str| (asked == file).then(|| value.to_owned());
            assert!(hint(set, false, true).contains(fix), "{file}");
            assert!(!hint(set, true, false).contains(fix), "{file}");
            let allowed = |asked: &str| (asked == file).then(|| "7\n".to_owned());
            assert!(hint(allowed, false, false).contains("--engine podman"));
        }
        assert!(hint(|_| None, true, true).contains("seccomp=unconfined"));
    }
}
