//! What the audit finds: each a reason why the layer would not load, or not do what its maker thinks.

use std::fmt;

use serde::Serialize;

use crate::elf::SymbolVersion;
use crate::target::Architecture;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The zip.
    pub layer: String,
    /// The file in it, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What is wrong.
    #[serde(flatten)]
    pub fault: Fault,
}

/// What can be wrong with a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// A needed library that neither the layers nor the target have.
    MissingLibrary {
        /// The library.
        soname: String,
    },
    /// A needed library that only the container image has.
    NotGuaranteed {
        /// The library.
        soname: String,
    },
    /// A library of the layer that is never loaded, because the image's own is found first.
    Shadowed {
        /// The library.
        soname: String,
        /// The layer's copy.
        copy: String,
    },
    /// A symbol version that the library found does not define.
    SymbolVersion {
        /// The library asked.
        soname: String,
        /// What it is asked for.
        version: SymbolVersion,
        /// The highest that is there, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        highest: Option<String>,
    },
    /// A file for another processor.
    WrongArchitecture {
        /// The file's, if Lambda has it at all.
        found: Option<Architecture>,
        /// The layer's.
        expected: Architecture,
    },
    /// An ELF file that cannot be read.
    DamagedElf {
        /// What is wrong with it.
        reason: String,
    },
    /// A library search path into a folder that does not exist on Lambda.
    BuildPath {
        /// The folder.
        folder: String,
    },
    /// A loader that is not there on Lambda.
    WrongInterpreter {
        /// The loader that the program asks for.
        interpreter: String,
    },
    /// `bootstrap` is not executable.
    BootstrapNotExecutable,
    /// No layer has a bootstrap, though one was asked for.
    NoBootstrap,
    /// Several layers have a bootstrap; the last wins.
    SeveralBootstraps,
    /// A path that leaves /opt.
    UnsafePath,
    /// A device, pipe or socket.
    SpecialFile,
    /// A link that leads out of the layer, or nowhere.
    LinkLeaves {
        /// Where it leads.
        target: String,
    },
    /// A set-user-id or set-group-id bit.
    SetId,
    /// A file that the function's user cannot read, or a folder it cannot enter.
    NotReadable {
        /// Its permission bits.
        mode: u32,
    },
    /// A path that another entry has too.
    DuplicatePath,
    /// A path below another entry that is a file.
    BelowAFile {
        /// The file.
        file: String,
    },
    /// Two paths that differ only by case.
    CaseConflict {
        /// The other path.
        other: String,
    },
    /// More than Lambda takes unzipped.
    TooLargeUnzipped {
        /// Bytes.
        size: u64,
        /// Bytes that Lambda takes.
        limit: u64,
        /// The heaviest folders: (path, bytes).
        heaviest: Vec<(String, u64)>,
    },
    /// More than a request takes zipped; it can go through S3.
    NeedsS3 {
        /// Bytes.
        size: u64,
        /// Bytes that a request takes.
        limit: u64,
    },
    /// The same path with another content in another layer.
    PathConflict {
        /// The other layer.
        other: String,
    },
    /// The same package at another version in another layer.
    PackageConflict {
        /// The package.
        package: String,
        /// Its version here.
        version: String,
        /// The other layer.
        other: String,
        /// Its version there.
        other_version: String,
    },
}

impl Fault {
    /// Would the layer still load?
    pub fn is_warning(&self) -> bool {
        matches!(self, Fault::NeedsS3 { .. })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::MissingLibrary { soname } => {
                write!(f, "needs {soname}, which neither the layers nor Lambda have")
            }
            Fault::NotGuaranteed { soname } => write!(
                f,
                "needs {soname}, which only Lambda's container image has (--policy image allows it)"
            ),
            Fault::Shadowed { soname, copy } => write!(
                f,
                "needs {soname}: Lambda's own is found before the layer's {copy}; \
                 bootstrap must put /opt first in LD_LIBRARY_PATH"
            ),
            Fault::SymbolVersion { soname, version, highest } => {
                write!(f, "asks {soname} for {version}, which it does not have")?;
                match highest {
                    Some(highest) => write!(f, " (it ends at {highest}): built for a newer system"),
                    None => Ok(()),
                }
            }
            Fault::WrongArchitecture { found: Some(found), expected } => {
                write!(f, "is for {found}, the layer for {expected}")
            }
            Fault::WrongArchitecture { found: None, expected } => {
                write!(f, "is for a processor that Lambda does not have; the layer is for {expected}")
            }
            Fault::DamagedElf { reason } => f.write_str(reason),
            Fault::BuildPath { folder } => {
                write!(f, "looks for libraries in {folder}, which is not there on Lambda")
            }
            Fault::WrongInterpreter { interpreter } => {
                write!(f, "asks for the loader {interpreter}, which is not there on Lambda")
            }
            Fault::BootstrapNotExecutable => f.write_str(
                "is not executable: Lambda would answer Runtime.InvalidEntrypoint (chmod +x bootstrap)",
            ),
            Fault::NoBootstrap => f.write_str("there is no `bootstrap` at the root of the zip"),
            Fault::SeveralBootstraps => {
                f.write_str("is in another layer too: only one runtime layer can start")
            }
            Fault::UnsafePath => f.write_str("is a path that leaves /opt"),
            Fault::SpecialFile => f.write_str("is a device, pipe or socket"),
            Fault::LinkLeaves { target } => {
                write!(f, "is a link to `{target}`, which is not in the layer")
            }
            Fault::SetId => f.write_str("has a set-user-id or set-group-id bit"),
            Fault::NotReadable { mode } => {
                write!(f, "cannot be read by the function's user (mode {mode:03o})")
            }
            Fault::DuplicatePath => f.write_str("is in the zip twice"),
            Fault::BelowAFile { file } => write!(f, "lies below {file}, which is a file"),
            Fault::CaseConflict { other } => write!(f, "differs from {other} only by case"),
            Fault::TooLargeUnzipped { size, limit, heaviest } => {
                write!(f, "{size} bytes unzipped; Lambda takes {limit}. The heaviest folders:")?;
                for (folder, bytes) in heaviest {
                    write!(f, "\n    {bytes:>12}  {folder}")?;
                }
                f.write_str("\n  Leave packages out, or make a container image, which may have 10 GB")
            }
            Fault::NeedsS3 { size, limit } => {
                write!(f, "{size} bytes zipped; a request takes {limit}: it has to go through S3")
            }
            Fault::PathConflict { other } => write!(f, "is another file in {other}"),
            Fault::PackageConflict { package, version, other, other_version } => {
                write!(f, "{package} {version} is {other_version} in {other}")
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            // A zip may hold any name; what would steer a terminal is shown, not sent.
            Some(path) => write!(f, "{}: {}: {}", self.layer, printable(path), self.fault),
            None => write!(f, "{}: {}", self.layer, self.fault),
        }
    }
}

fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}
