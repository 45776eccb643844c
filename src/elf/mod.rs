//! Reading and stripping ELF files: what a file needs, under which name it is known, which symbol
//! versions it asks for.
//!
//! Everything is read from the files' headers. Nothing is executed, so that files of any architecture
//! can be looked at on any machine.

mod closure;
mod read;
mod strip;
mod symbol_version;

pub use closure::{
    Closure, FoundLibrary, LibraryFolders, LibraryOrigin, LibrarySource, MissingLibrary,
};
pub use read::{ElfError, ElfFile, is_elf};
pub use strip::{StripOutcome, strip, stripped_size};
pub use symbol_version::{SymbolVersion, parse_version_number};
