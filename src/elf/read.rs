//! What an ELF file says of itself in its headers.

use std::collections::{BTreeMap, BTreeSet};

use object::elf;
use object::read::elf::{Dyn, ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, FileKind, ReadRef};

use super::SymbolVersion;
use crate::target::Architecture;

/// A file that begins like an ELF file and is none that can be read.
#[derive(Debug, thiserror::Error)]
pub enum ElfError {
    /// A 32-bit file.
    #[error("is a 32-bit ELF file; Lambda runs 64-bit ones only")]
    Not64Bit,
    /// Section headers stripped away (`sstrip`), in which what it needs would be found.
    #[error(
        "has no section headers, so that what it needs cannot be told; strip it with `strip` instead"
    )]
    NoSections,
    /// Headers that point nowhere, a truncated file and the like.
    #[error("is a damaged ELF file: {0}")]
    Damaged(#[from] object::read::Error),
}

/// Does the content begin as an ELF file does?
pub fn is_elf(content: &[u8]) -> bool {
    content.starts_with(&elf::ELFMAG)
}

/// The facts of an ELF file that decide whether it loads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElfFile {
    /// The architecture, or nothing if Lambda has none like it.
    pub architecture: Option<Architecture>,
    /// Is it something the loader takes: a program or a shared library? An object file (`.o`) is not.
    pub loadable: bool,
    /// The path of the loader that a program asks for.
    pub interpreter: Option<String>,
    /// The name under which others need it.
    pub soname: Option<String>,
    /// The sonames it needs, in order.
    pub needed: Vec<String>,
    /// DT_RPATH, searched before LD_LIBRARY_PATH; `$ORIGIN` unexpanded.
    pub rpath: Vec<String>,
    /// DT_RUNPATH, searched after LD_LIBRARY_PATH; `$ORIGIN` unexpanded.
    pub runpath: Vec<String>,
    /// The symbol versions it asks for, by the soname it asks.
    pub asked: BTreeMap<String, BTreeSet<SymbolVersion>>,
    /// The symbol versions it defines.
    pub defined: BTreeSet<SymbolVersion>,
}

impl ElfFile {
    /// Reads the headers of an ELF file: of its content in memory, or of a file (`ReadCache`) that need not be read whole.
    pub fn read<'a>(content: impl ReadRef<'a>) -> Result<ElfFile, ElfError> {
        if FileKind::parse(content)? != FileKind::Elf64 {
            return Err(ElfError::Not64Bit);
        }
        let file = ElfFile64::<Endianness, _>::parse(content)?;
        let mut read = ElfFile::default();
        read.read_header(&file);
        read.read_interpreter(&file)?;
        read.read_dynamic(&file)?;
        read.read_versions(&file)?;
        Ok(read)
    }

    /// The architecture of a file by its first 20 bytes; nothing if it is no ELF file, or for none that Lambda has.
    pub fn architecture_of_header(first: &[u8]) -> Option<Architecture> {
        let machine = first.get(18..20).filter(|_| is_elf(first))?;
        // Both are little-endian.
        match elf::Machine(u16::from_le_bytes([machine[0], machine[1]])) {
            elf::EM_X86_64 => Some(Architecture::X86_64),
            elf::EM_AARCH64 => Some(Architecture::Arm64),
            _ => None,
        }
    }

    fn read_header<'a>(&mut self, file: &ElfFile64<'a, Endianness, impl ReadRef<'a>>) {
        let header = file.elf_header();
        self.architecture = match header.e_machine(file.endian()) {
            elf::EM_X86_64 => Some(Architecture::X86_64),
            elf::EM_AARCH64 => Some(Architecture::Arm64),
            _ => None,
        };
        let kind = header.e_type(file.endian());
        self.loadable = kind == elf::ET_DYN || kind == elf::ET_EXEC;
    }

    fn read_interpreter<'a>(
        &mut self,
        file: &ElfFile64<'a, Endianness, impl ReadRef<'a>>,
    ) -> Result<(), ElfError> {
        for segment in file.elf_program_headers() {
            if let Some(path) = segment.interpreter(file.endian(), file.data())? {
                self.interpreter = Some(text(path));
            }
        }
        Ok(())
    }

    fn read_dynamic<'a>(
        &mut self,
        file: &ElfFile64<'a, Endianness, impl ReadRef<'a>>,
    ) -> Result<(), ElfError> {
        let endian = file.endian();
        let sections = file.elf_section_table();
        let Some((entries, link)) = sections.dynamic(endian, file.data())? else {
            let mut segments = file.elf_program_headers().iter();
            return match segments.any(|segment| segment.p_type(endian) == elf::PT_DYNAMIC) {
                true => Err(ElfError::NoSections),
                false => Ok(()),
            };
        };
        let strings = sections.strings(endian, file.data(), link)?;
        for entry in entries {
            if !entry.is_string(endian) {
                continue;
            }
            let value = text(entry.string(endian, strings)?);
            match entry.tag(endian) {
                elf::DT_NEEDED => self.needed.push(value),
                elf::DT_SONAME => self.soname = Some(value),
                elf::DT_RPATH => self.rpath = search_path(&value),
                elf::DT_RUNPATH => self.runpath = search_path(&value),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_versions<'a>(
        &mut self,
        file: &ElfFile64<'a, Endianness, impl ReadRef<'a>>,
    ) -> Result<(), ElfError> {
        let endian = file.endian();
        let sections = file.elf_section_table();
        if let Some((mut needs, link)) = sections.gnu_verneed(endian, file.data())? {
            let strings = sections.strings(endian, file.data(), link)?;
            while let Some((need, mut versions)) = needs.next()? {
                let soname = text(need.file(endian, strings)?);
                let asked = self.asked.entry(soname).or_default();
                while let Some(version) = versions.next()? {
                    asked.insert(SymbolVersion::new(text(version.name(endian, strings)?)));
                }
            }
        }
        if let Some((mut definitions, link)) = sections.gnu_verdef(endian, file.data())? {
            let strings = sections.strings(endian, file.data(), link)?;
            while let Some((_, mut names)) = definitions.next()? {
                // The first name is the version's own; those after it are its predecessors.
                if let Some(name) = names.next()? {
                    let name = text(name.name(endian, strings)?);
                    self.defined.insert(SymbolVersion::new(name));
                }
            }
        }
        Ok(())
    }

    /// The highest version of a family that it asks for, whatever library it asks: the glibc floor for
    /// `GLIBC`.
    pub fn floor(&self, family: &str) -> Option<Vec<u32>> {
        self.asked
            .values()
            .flatten()
            .filter_map(SymbolVersion::family_and_number)
            .filter(|(name, _)| *name == family)
            .map(|(_, number)| number)
            .max()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn search_path(value: &str) -> Vec<String> {
    value
        .split(':')
        .filter(|folder| !folder.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn this_program() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn this_test_program_is_read() {
        let elf = ElfFile::read(&this_program()[..]).unwrap();
        assert_eq!(elf.architecture, Architecture::of_this_machine());
        assert!(elf.loadable);
        assert!(elf.needed.iter().any(|soname| soname == "libc.so.6"));
        assert!(elf.interpreter.unwrap().contains("ld-linux"));
        assert!(!elf.asked["libc.so.6"].is_empty());
    }

    #[test]
    fn a_file_without_section_headers_is_an_error_and_not_one_that_needs_nothing() {
        let mut program = this_program();
        // e_shoff, e_shnum and e_shstrndx of an Elf64_Ehdr.
        program[40..48].fill(0);
        program[60..64].fill(0);
        assert!(matches!(
            ElfFile::read(&program[..]),
            Err(ElfError::NoSections)
        ));
    }

    #[test]
    fn a_truncated_file_is_an_error_and_no_panic() {
        let whole = this_program();
        for length in [4, 16, 63, 64, 100, 4096, whole.len() / 2] {
            assert!(ElfFile::read(&whole[..length]).is_err(), "{length} bytes");
        }
    }
}
