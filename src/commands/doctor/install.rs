//! What to type on this machine to install something.

use crate::sandbox::find_program;

/// A program manager that installs what is missing.
pub struct Installer {
    manager: Option<Manager>,
    /// `sudo `, where that is needed.
    prefix: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Brew,
}

/// Something to install, by the names that it has.
pub struct Package {
    /// What it is, for those whose system has another name for it.
    pub what: &'static str,
    /// Debian's and Ubuntu's name.
    pub apt: &'static str,
    /// Fedora's and Amazon Linux's name.
    pub dnf: &'static str,
    /// Homebrew's name, if it is there and of use on a Mac.
    pub brew: Option<&'static str>,
}

/// Runs commands in roots.
pub const BUBBLEWRAP: Package = Package {
    what: "bubblewrap",
    apt: "bubblewrap",
    dnf: "bubblewrap",
    brew: None,
};
/// Makes Debian roots.
pub const DEBOOTSTRAP: Package = Package {
    what: "debootstrap",
    apt: "debootstrap",
    dnf: "debootstrap",
    brew: None,
};
/// Runs programs for another processor.
pub const QEMU: Package = Package {
    what: "qemu-user with its binfmt registration",
    apt: "qemu-user-static binfmt-support",
    dnf: "qemu-user-static",
    brew: None,
};
/// Runs containers.
pub const ENGINE: Package = Package {
    what: "docker, podman or finch",
    apt: "podman",
    dnf: "podman",
    brew: Some("--cask finch"),
};
/// The certificates of the usual authorities.
pub const CERTIFICATES: Package = Package {
    what: "the certificates of the usual authorities (ca-certificates)",
    apt: "ca-certificates",
    dnf: "ca-certificates",
    brew: Some("ca-certificates"),
};

impl Installer {
    /// The one that this machine has.
    pub fn of_this_machine() -> Installer {
        let managers = [
            ("apt-get", Manager::Apt),
            ("dnf", Manager::Dnf),
            ("brew", Manager::Brew),
        ];
        let manager = managers
            .into_iter()
            .find(|(program, _)| find_program(program).is_some())
            .map(|(_, manager)| manager);
        let needs_sudo = !crate::os::is_root() && manager != Some(Manager::Brew);
        Installer {
            manager,
            prefix: if needs_sudo { "sudo " } else { "" },
        }
    }

    /// The command that installs a package.
    pub fn command(&self, package: &Package) -> String {
        let prefix = self.prefix;
        match self.manager {
            Some(Manager::Apt) => format!("{prefix}apt-get install -y {}", package.apt),
            Some(Manager::Dnf) => format!("{prefix}dnf install -y {}", package.dnf),
            Some(Manager::Brew) => match package.brew {
                Some(name) => format!("brew install {name}"),
                None => format!("{} needs Linux; use a container: {}", package.what, {
                    self.command(&ENGINE)
                }),
            },
            None => format!("install {}", package.what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_that_of_the_manager_which_is_there() {
        let command = |manager, prefix, package: &Package| {
            let installer = Installer { manager, prefix };
            installer.command(package)
        };
        assert_eq!(
            command(Some(Manager::Apt), "sudo ", &BUBBLEWRAP),
            "sudo apt-get install -y bubblewrap"
        );
        assert_eq!(
            command(Some(Manager::Dnf), "", &DEBOOTSTRAP),
            "dnf install -y debootstrap"
        );
        assert!(
            command(Some(Manager::Brew), "", &BUBBLEWRAP).contains("brew install --cask finch")
        );
        assert!(command(None, "", &ENGINE).contains("podman"));
    }
}
