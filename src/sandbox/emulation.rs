//! Programs of another processor: qemu-user runs them where the kernel (binfmt_misc) knows of it.

use std::path::Path;

use crate::target::Architecture;

/// Why this machine runs no programs of another processor.
#[derive(Debug, thiserror::Error)]
pub enum EmulationError {
    /// Nothing is registered for that processor.
    #[error(
        "this machine is {this}, and programs for {wanted} run on it through qemu-user, which is not set up; type: \
         apt-get install qemu-user-static binfmt-support (Fedora: dnf install qemu-user-static), or on a machine \
         without packages: docker run --privileged --rm tonistiigi/binfmt --install {wanted}"
    )]
    NotSetUp {
        /// What this machine is.
        this: String,
        /// The processor.
        wanted: Architecture,
    },
    /// It is, but only for programs that see the whole machine.
    #[error(
        "qemu-user is set up for {wanted} ({entry}) without the flag F, so that it is not found in a root file system; type: \
         apt-get install qemu-user-static (its -static kind registers itself with F)"
    )]
    NotInRoots {
        /// The processor.
        wanted: Architecture,
        /// The kernel's entry.
        entry: String,
    },
}

impl EmulationError {
    /// What is wrong, without what to type.
    pub fn reason(&self) -> String {
        let text = self.to_string();
        text.split_once("; type:")
            .map_or(text.clone(), |(reason, _)| reason.to_owned())
    }
}

/// Where the kernel tells which interpreters it knows
/// (<https://docs.kernel.org/admin-guide/binfmt-misc.html>).
const REGISTRY: &str = "/proc/sys/fs/binfmt_misc";

/// Makes sure that programs for a processor run in a root file system on this machine.
pub fn check_runs(architecture: Architecture) -> Result<(), EmulationError> {
    if Architecture::of_this_machine() == Some(architecture) {
        return Ok(());
    }
    registered(Path::new(REGISTRY), architecture)
}

fn registered(registry: &Path, wanted: Architecture) -> Result<(), EmulationError> {
    let mut without_flag = None;
    for entry in fs_err::read_dir(registry).into_iter().flatten().flatten() {
        let text = fs_err::read_to_string(entry.path()).unwrap_or_default();
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let is_it = field("magic ").is_some_and(|magic| magic.ends_with(machine_in_magic(wanted)));
        if !is_it || !text.starts_with("enabled") {
            continue;
        }
        if field("flags: ").is_some_and(|flags| flags.contains('F')) {
            return Ok(());
        }
        without_flag = Some(entry.file_name().to_string_lossy().into_owned());
    }
    Err(match without_flag {
        Some(entry) => EmulationError::NotInRoots { wanted, entry },
        None => EmulationError::NotSetUp {
            this: std::env::consts::ARCH.to_owned(),
            wanted,
        },
    })
}

/// The end of the bytes by which programs are known: e_type and e_machine of an ELF header.
fn machine_in_magic(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "02003e00",
        Architecture::Arm64 => "0200b700",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: PF\noffset 0\n\
        magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n";

    #[test]
    fn an_interpreter_counts_if_it_is_enabled_and_found_in_roots() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("qemu-aarch64");
        let registered = |text: &str| {
            fs_err::write(&path, text).unwrap();
            registered(folder.path(), Architecture::Arm64)
        };
        registered(ENTRY).unwrap();
        let error = registered(&ENTRY.replace("PF", "OC")).unwrap_err();
        assert!(matches!(error, EmulationError::NotInRoots { .. }));
        let error = registered(&ENTRY.replace("enabled", "disabled")).unwrap_err();
        assert!(matches!(error, EmulationError::NotSetUp { .. }));
        let error = registered(&ENTRY.replace("b700", "2800")).unwrap_err();
        assert!(error.to_string().contains("qemu-user-static"), "{error}");
    }

    #[test]
    fn this_machine_runs_its_own_programs() {
        check_runs(Architecture::of_this_machine().unwrap()).unwrap();
    }
}
