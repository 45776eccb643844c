//! Leaving out what the loader does not read: symbol tables and debug information.
//!
//! What the segments map stays where it is, byte for byte; behind it come a new table of section names
//! and the headers of the sections that are left. (`object::build` would lay out dynamic symbols and
//! hash tables anew, which a layer neither needs nor can prove right for every file it meets; so only
//! the file's own structures are taken from the crate.)

use object::elf::{self, FileHeader64, ProgramHeader64, SectionHeader64};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{LittleEndian, U16, U32, U64, pod};

type Header = FileHeader64<LittleEndian>;
type Segment = ProgramHeader64<LittleEndian>;
type Section = SectionHeader64<LittleEndian>;

const LE: LittleEndian = LittleEndian;

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StripOutcome {
    /// The shorter content.
    Stripped(Vec<u8>),
    /// Nothing to leave out, or nothing that can be left out safely: the reason.
    Kept(&'static str),
}

/// Strips a program or shared library; anything else (object files, damaged files) is kept as it is.
pub fn strip(content: &[u8]) -> StripOutcome {
    let Ok((header, segments, sections)) = tables(content) else {
        return StripOutcome::Kept("not a readable 64-bit ELF file");
    };
    let kind = header.e_type(LE);
    if kind != elf::ET_DYN && kind != elf::ET_EXEC {
        return StripOutcome::Kept("not a program or shared library");
    }
    if sections.is_empty() {
        return StripOutcome::Kept("nothing to strip");
    }
    let Some(mut stripped) = mapped_part(content, header, segments) else {
        return StripOutcome::Kept("segments that lie outside the file");
    };
    let Some(names) = header
        .section_strings(LE, content, sections)
        .ok()
        .and_then(|strings| kept_names(sections, strings))
    else {
        return StripOutcome::Kept("sections without names");
    };
    append_sections(&mut stripped, header, sections, names);
    if stripped.len() < content.len() {
        StripOutcome::Stripped(stripped)
    } else {
        StripOutcome::Kept("nothing to strip")
    }
}

type Tables<'a> = (&'a Header, &'a [Segment], &'a [Section]);

fn tables(content: &[u8]) -> object::read::Result<Tables<'_>> {
    let header = Header::parse(content)?;
    header.endian()?;
    Ok((
        header,
        header.program_headers(LE, content)?,
        header.section_headers(LE, content)?,
    ))
}

/// The file up to the end of what is mapped; bytes in between that no segment maps are zeroed, so that
/// they take no room in a zip.
fn mapped_part(content: &[u8], header: &Header, segments: &[Segment]) -> Option<Vec<u8>> {
    let headers_end =
        u64::from(header.e_phentsize(LE)) * segments.len() as u64 + header.e_phoff(LE);
    let mut mapped = vec![(0, headers_end)];
    mapped.extend(
        segments
            .iter()
            .map(|segment| segment.file_range(LE))
            .map(|(offset, size)| (offset, offset.saturating_add(size))),
    );
    mapped.sort_unstable();
    let mut part = Vec::new();
    for (start, end) in mapped {
        let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
        let bytes = content.get(start..end)?;
        if part.len() < start {
            part.resize(start, 0);
        }
        if part.len() < end {
            part.extend_from_slice(&bytes[part.len() - start..]);
        }
    }
    Some(part)
}

/// The names of the sections, in order; empty where a section is left out.
fn kept_names<'a>(
    sections: &[Section],
    strings: object::read::StringTable<'a>,
) -> Option<Vec<&'a [u8]>> {
    sections
        .iter()
        .map(|section| {
            if is_loaded(section) {
                section.name(LE, strings).ok()
            } else {
                Some(&b""[..])
            }
        })
        .collect()
}

fn is_loaded(section: &Section) -> bool {
    section.sh_flags(LE).contains(elf::SHF_ALLOC)
}

/// Writes the names and headers of the loaded sections behind the mapped part and points the file's
/// header to them. Sections keep their numbers, which dynamic symbols refer to.
fn append_sections(part: &mut Vec<u8>, header: &Header, sections: &[Section], names: Vec<&[u8]>) {
    let last = sections.iter().rposition(is_loaded).unwrap_or(0);
    let names_offset = part.len();
    part.push(0);
    let mut kept: Vec<Section> = Vec::with_capacity(last + 2);
    for (section, name) in sections[..=last].iter().zip(names) {
        if !is_loaded(section) {
            kept.push(empty_section());
            continue;
        }
        let mut section = *section;
        section.sh_name = U32::new(LE, (part.len() - names_offset) as u32);
        part.extend_from_slice(name);
        part.push(0);
        kept.push(section);
    }
    let mut names_section = empty_section();
    names_section.sh_name = U32::new(LE, (part.len() - names_offset) as u32);
    part.extend_from_slice(b".shstrtab\0");
    names_section.sh_type = U32::new(LE, elf::SHT_STRTAB);
    names_section.sh_offset = U64::new(LE, names_offset as u64);
    names_section.sh_size = U64::new(LE, (part.len() - names_offset) as u64);
    names_section.sh_addralign = U64::new(LE, 1);
    kept.push(names_section);

    part.resize(part.len().next_multiple_of(8), 0);
    let mut header = *header;
    header.e_shoff = U64::new(LE, part.len() as u64);
    header.e_shnum = U16::new(LE, kept.len() as u16);
    header.e_shstrndx = U16::new(LE, elf::SymbolSection((kept.len() - 1) as u16));
    part.extend_from_slice(pod::bytes_of_slice(&kept));
    let header = pod::bytes_of(&header);
    part[..header.len()].copy_from_slice(header);
}

fn empty_section() -> Section {
    Section {
        sh_name: U32::new(LE, 0),
        sh_type: U32::new(LE, elf::SHT_NULL),
        sh_flags: U64::new(LE, elf::SectionFlags(0)),
        sh_addr: U64::new(LE, 0),
        sh_offset: U64::new(LE, 0),
        sh_size: U64::new(LE, 0),
        sh_link: U32::new(LE, 0),
        sh_info: U32::new(LE, 0),
        sh_addralign: U64::new(LE, 0),
        sh_entsize: U64::new(LE, 0),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::elf::ElfFile;

    fn this_program() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn a_stripped_program_keeps_what_it_needs_and_still_runs() {
        let program = this_program();
        let StripOutcome::Stripped(stripped) = strip(&program) else {
            panic!("{:?}", strip(&program));
        };
        assert!(stripped.len() < program.len());
        assert_eq!(
            ElfFile::read(&program).unwrap(),
            ElfFile::read(&stripped).unwrap()
        );
        assert!(matches!(strip(&stripped), StripOutcome::Kept(_)));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stripped");
        std::fs::write(&path, stripped).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let output = std::process::Command::new(path)
            .arg("--list")
            .output()
            .unwrap();
        assert!(output.status.success());
    }

    #[test]
    fn what_every_segment_maps_is_unchanged() {
        let program = this_program();
        let StripOutcome::Stripped(stripped) = strip(&program) else {
            panic!("{:?}", strip(&program));
        };
        let (_, before, _) = tables(&program).unwrap();
        let (_, after, _) = tables(&stripped).unwrap();
        assert_eq!(pod::bytes_of_slice(before), pod::bytes_of_slice(after));
        let header = size_of::<Header>();
        for segment in before {
            let (offset, size) = segment.file_range(LE);
            let (start, end) = (offset as usize, (offset + size) as usize);
            let start = start.max(header).min(end);
            assert_eq!(program[start..end], stripped[start..end]);
        }
    }

    #[test]
    fn what_is_no_program_is_kept() {
        assert!(matches!(strip(b"#!/bin/sh\n"), StripOutcome::Kept(_)));
        assert!(matches!(strip(b"\x7fELF"), StripOutcome::Kept(_)));
        let whole = this_program();
        assert!(matches!(
            strip(&whole[..whole.len() / 3]),
            StripOutcome::Kept(_)
        ));
    }
}
