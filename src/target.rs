//! What a Lambda runtime offers to the files of a layer: libraries, symbol versions, limits.
//!
//! The facts are data in `layers/targets/`, one file a target, so that a new Amazon Linux is a new
//! file and no constant is spread through the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::elf::SymbolVersion;
use crate::embedded;

/// A processor architecture that Lambda runs.
///
/// AWS and OCI say `arm64` where ELF and Rust say `aarch64`; this is the one place that knows both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// Intel and AMD, 64 bit.
    #[serde(rename = "x86_64")]
    X86_64,
    /// Graviton.
    Arm64,
}

impl Architecture {
    /// Every architecture, in the order they are listed to users.
    pub const ALL: [Architecture; 2] = [Architecture::X86_64, Architecture::Arm64];

    /// The name AWS uses, which is also the one in file names.
    pub fn aws_name(self) -> &'static str {
        match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
        }
    }

    /// The name the kernel, Rust and RPM use.
    pub fn machine_name(self) -> &'static str {
        match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "aarch64",
        }
    }

    /// The name Debian uses.
    pub fn debian_name(self) -> &'static str {
        match self {
            Architecture::X86_64 => "amd64",
            Architecture::Arm64 => "arm64",
        }
    }

    /// The name OCI images use, which is Go's.
    pub fn oci_name(self) -> &'static str {
        self.debian_name()
    }

    /// The architecture of the machine that r-layer runs on, if Lambda has it.
    pub fn of_this_machine() -> Option<Architecture> {
        std::env::consts::ARCH.parse().ok()
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.aws_name())
    }
}

/// An architecture that Lambda does not have.
#[derive(Debug, thiserror::Error)]
#[error("there is no architecture `{0}` on Lambda; there are: x86_64, arm64")]
pub struct UnknownArchitecture(String);

impl FromStr for Architecture {
    type Err = UnknownArchitecture;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "x86_64" | "amd64" | "x86-64" => Ok(Architecture::X86_64),
            "arm64" | "aarch64" => Ok(Architecture::Arm64),
            _ => Err(UnknownArchitecture(name.to_owned())),
        }
    }
}

/// Sizes in bytes that Lambda refuses to go over.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// A layer, and a function with all its layers, unzipped.
    pub unzipped: u64,
    /// A zip in the request itself; larger ones go through S3.
    pub zipped_in_request: u64,
    /// The layers of a function.
    pub layers: usize,
}

/// What a local root must hold to be like Lambda's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxContents {
    /// Names of the commands on Lambda's PATH.
    pub commands: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SymbolVersions {
    highest: BTreeMap<String, String>,
    named: BTreeSet<String>,
}

/// A Lambda runtime that layers are built for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// AWS's identifier, for example `provided.al2023`.
    pub name: String,
    /// The part of it that goes into file names, for example `al2023`.
    pub short_name: String,
    /// The operating system, for people.
    pub description: String,
    /// The container image that AWS publishes of it.
    pub image: String,
    /// The list of mirrors of the system's RPM repository; `$basearch` stands for the processor as RPM names it.
    pub repository: String,
    /// Sizes that Lambda refuses to go over.
    pub limits: Limits,
    /// The LD_LIBRARY_PATH that a bootstrap is started with.
    pub library_path: Vec<String>,
    /// Where the loader looks last.
    pub system_library_folders: Vec<String>,
    /// What a local root must hold to be like Lambda's.
    pub sandbox: SandboxContents,
    guaranteed: BTreeSet<String>,
    #[serde(default)]
    guaranteed_x86_64: BTreeSet<String>,
    symbol_versions: SymbolVersions,
    #[serde(skip)]
    image_libraries: BTreeMap<Architecture, BTreeSet<String>>,
}

/// A target that r-layer has no data for.
#[derive(Debug, thiserror::Error)]
#[error("there is no target `{0}`; there are: {all}", all = Target::all().iter().map(|t| t.name.as_str()).collect::<Vec<_>>().join(", "))]
pub struct UnknownTarget(String);

impl Target {
    /// The target used when none is named.
    pub const DEFAULT: &'static str = "provided.al2023";

    /// Every target there is data for.
    pub fn all() -> &'static [Target] {
        static TARGETS: OnceLock<Vec<Target>> = OnceLock::new();
        TARGETS.get_or_init(|| {
            vec![Target::parse(
                embedded::text("targets/provided.al2023.toml"),
                embedded::text("targets/provided.al2023-x86_64.txt"),
                embedded::text("targets/provided.al2023-arm64.txt"),
            )]
        })
    }

    /// The target of that name (`provided.al2023`, or short: `al2023`).
    pub fn named(name: &str) -> Result<&'static Target, UnknownTarget> {
        Target::all()
            .iter()
            .find(|target| target.name == name || target.short_name == name)
            .ok_or_else(|| UnknownTarget(name.to_owned()))
    }

    #[expect(
        clippy::expect_used,
        reason = "embedded data, parsed by a test of this module"
    )]
    fn parse(data: &str, x86_64: &str, arm64: &str) -> Target {
        let mut target: Target = toml::from_str(data).expect("the embedded target data parses");
        let libraries = |list: &str| {
            list.lines()
                .filter(|line| !line.starts_with('#') && !line.is_empty())
                .map(str::to_owned)
                .collect()
        };
        target
            .image_libraries
            .insert(Architecture::X86_64, libraries(x86_64));
        target
            .image_libraries
            .insert(Architecture::Arm64, libraries(arm64));
        target
    }

    /// Is a library of that soname in every sandbox, also that of zip functions?
    pub fn guarantees(&self, soname: &str, architecture: Architecture) -> bool {
        self.guaranteed.contains(soname)
            || (architecture == Architecture::X86_64 && self.guaranteed_x86_64.contains(soname))
    }

    /// Is a library of that soname in the container image's /lib64?
    pub fn image_has(&self, soname: &str, architecture: Architecture) -> bool {
        self.image_libraries
            .get(&architecture)
            .is_some_and(|libraries| libraries.contains(soname))
    }

    /// Do the guaranteed libraries define that symbol version (`GLIBC_2.17`)?
    pub fn defines(&self, version: &SymbolVersion) -> bool {
        if self.symbol_versions.named.contains(version.as_str()) {
            return true;
        }
        let Some((family, number)) = version.family_and_number() else {
            return false;
        };
        self.symbol_versions
            .highest
            .get(family)
            .and_then(|highest| crate::elf::parse_version_number(highest))
            .is_some_and(|highest| number <= highest)
    }

    /// The highest version of a symbol family, for messages (`GLIBC` → `GLIBC_2.34`).
    pub fn highest(&self, version: &SymbolVersion) -> Option<String> {
        let family = version.as_str().split('_').next()?;
        let number = self.symbol_versions.highest.get(family)?;
        Some(format!("{family}_{number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_of_every_target_parses_and_lists_both_architectures() {
        for target in Target::all() {
            for architecture in Architecture::ALL {
                assert!(
                    target.image_has("libc.so.6", architecture),
                    "{}",
                    target.name
                );
                assert!(target.guarantees("libc.so.6", architecture));
            }
        }
    }

    #[test]
    fn a_library_of_the_image_alone_is_not_guaranteed() {
        let target = Target::named("al2023").unwrap();
        assert!(target.image_has("libcurl.so.4", Architecture::Arm64));
        assert!(!target.guarantees("libcurl.so.4", Architecture::Arm64));
        assert!(target.guarantees("libmvec.so.1", Architecture::X86_64));
        assert!(!target.guarantees("libmvec.so.1", Architecture::Arm64));
    }

    #[test]
    fn symbol_versions_are_compared_as_numbers() {
        let target = Target::named("provided.al2023").unwrap();
        let defines = |name: &str| target.defines(&SymbolVersion::new(name));
        assert!(defines("GLIBC_2.2.5"));
        assert!(defines("GLIBC_2.34"));
        assert!(!defines("GLIBC_2.35"));
        assert!(!defines("GLIBC_2.100"));
        assert!(defines("GLIBCXX_3.4.9"));
        assert!(!defines("GLIBCXX_3.4.34"));
        assert!(!defines("GLIBC_PRIVATE"));
        assert!(!defines("GLIBC_ABI_DT_RELR"));
        assert!(defines("CXXABI_FLOAT128"));
        assert!(!defines("OPENSSL_3.0.0"));
    }

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        let error = Target::named("provided.al2").unwrap_err().to_string();
        assert!(error.contains("provided.al2023"), "{error}");
        let error = "mips".parse::<Architecture>().unwrap_err().to_string();
        assert!(error.contains("arm64"), "{error}");
    }
}
