//! Leaving out what the loader does not read: symbol tables and debug information.
//!
//! What the segments map stays in memory where it is, byte for byte; in the file it moves together where nothing mapped
//! lies between (patchelf puts what it changes behind the debug information). Behind it come a new table of section
//! names and the headers of the sections that are left. (`object::build` would lay out dynamic symbols and
//! hash tables anew, which a layer neither needs nor can prove right for every file it meets; so only
//! the file's own structures are taken from the crate.)

use object::elf::{self, FileHeader64, ProgramHeader64, SectionHeader64};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{LittleEndian, ReadRef, U16, U32, U64, pod};

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
    let plan = match Plan::of(content) {
        Ok(plan) if plan.size() < content.len() as u64 => plan,
        Ok(_) => return StripOutcome::Kept("nothing to strip"),
        Err(reason) => return StripOutcome::Kept(reason),
    };
    match plan.apply(content) {
        Some(stripped) => StripOutcome::Stripped(stripped),
        None => StripOutcome::Kept("segments that lie outside the file"),
    }
}

/// How long a file of that length will be when it is stripped, if that makes it shorter: found out from its headers, so
/// that it need not be read whole.
pub fn stripped_size<'a>(content: impl ReadRef<'a>, length: u64) -> Option<u64> {
    let plan = Plan::of(content).ok()?;
    (plan.size() < length && plan.layout.fits_in(length)).then(|| plan.size())
}

/// What a file consists of, and where that goes.
struct Plan<'a> {
    header: &'a Header,
    segments: &'a [Segment],
    /// Up to the last that is loaded, with their names; those that are not loaded have none.
    sections: Vec<(Section, &'a [u8])>,
    layout: Layout,
}

impl<'a> Plan<'a> {
    fn of(content: impl ReadRef<'a>) -> Result<Plan<'a>, &'static str> {
        let (header, segments, sections) =
            tables(content).map_err(|_| "not a readable 64-bit ELF file")?;
        let kind = header.e_type(LE);
        if kind != elf::ET_DYN && kind != elf::ET_EXEC {
            return Err("not a program or shared library");
        }
        if sections.is_empty() {
            return Err("nothing to strip");
        }
        let layout =
            Layout::of(header, segments).ok_or("segments that cannot be where they are")?;
        let names = header
            .section_strings(LE, content, sections)
            .map_err(|_| "sections without names")?;
        let last = sections.iter().rposition(is_loaded).unwrap_or(0);
        let mut kept = Vec::with_capacity(last + 1);
        for section in &sections[..=last] {
            let name = match is_loaded(section) {
                true => section
                    .name(LE, names)
                    .map_err(|_| "sections without names")?,
                false => b"",
            };
            kept.push((*section, name));
        }
        Ok(Plan {
            header,
            segments,
            sections: kept,
            layout,
        })
    }

    /// How long the stripped file is.
    fn size(&self) -> u64 {
        let names: usize = self.names().map(|name| name.len() + 1).sum();
        let behind_names = self.layout.length() + (1 + names + NAMES_SECTION.len()) as u64;
        behind_names.next_multiple_of(8) + ((self.sections.len() + 1) * size_of::<Section>()) as u64
    }

    fn names(&self) -> impl Iterator<Item = &&'a [u8]> {
        let loaded = self
            .sections
            .iter()
            .filter(|(section, _)| is_loaded(section));
        loaded.map(|(_, name)| name)
    }

    /// The stripped file.
    fn apply(&self, content: &[u8]) -> Option<Vec<u8>> {
        let mut stripped = self.layout.apply(content, self.segments)?;
        append_sections(&mut stripped, self.header, &self.sections, &self.layout);
        Some(stripped)
    }
}

type Tables<'a> = (&'a Header, &'a [Segment], &'a [Section]);

fn tables<'a>(content: impl ReadRef<'a>) -> object::read::Result<Tables<'a>> {
    let header = Header::parse(content)?;
    header.endian()?;
    Ok((
        header,
        header.program_headers(LE, content)?,
        header.section_headers(LE, content)?,
    ))
}

/// Where what is mapped lies in the file, and where it will lie.
struct Layout {
    /// Sorted and apart from each other: (offset, end, offset from then on).
    ranges: Vec<(u64, u64, u64)>,
    program_headers: u64,
}

impl Layout {
    fn of(header: &Header, segments: &[Segment]) -> Option<Layout> {
        let program_headers = header.e_phoff(LE);
        let table_size = u64::from(header.e_phentsize(LE)) * segments.len() as u64;
        let mut mapped = vec![
            (0, size_of::<Header>() as u64),
            (program_headers, program_headers.checked_add(table_size)?),
        ];
        for segment in segments {
            let (offset, size) = segment.file_range(LE);
            mapped.push((offset, offset.checked_add(size)?));
        }
        mapped.retain(|(start, end)| start < end);
        mapped.sort_unstable();
        let alignment = segments
            .iter()
            .map(|segment| segment.p_align(LE))
            .max()?
            .max(1);
        let mut ranges: Vec<(u64, u64, u64)> = Vec::new();
        for (start, end) in mapped {
            match ranges.last_mut() {
                Some((_, last_end, _)) if start <= *last_end => *last_end = end.max(*last_end),
                Some((last_start, last_end, place)) => {
                    // An offset and the address that it is mapped to agree modulo the alignment.
                    let free = *place + (*last_end - *last_start);
                    let gap = (start % alignment + alignment - free % alignment) % alignment;
                    let place = free.checked_add(gap)?.min(start);
                    ranges.push((start, end, place));
                }
                None => ranges.push((start, end, start)),
            }
        }
        Some(Layout {
            ranges,
            program_headers,
        })
    }

    /// How long the mapped part will be.
    fn length(&self) -> u64 {
        let last = self.ranges.last();
        last.map_or(0, |(start, end, place)| place + (end - start))
    }

    /// Do the ranges lie in a file of that length?
    fn fits_in(&self, length: u64) -> bool {
        self.ranges.last().is_none_or(|(_, end, _)| *end <= length)
    }

    /// Where an offset of the file will be.
    fn moved(&self, offset: u64) -> u64 {
        let before = self.ranges.iter().rfind(|(start, _, _)| *start <= offset);
        before.map_or(offset, |(start, end, place)| {
            place + (offset.min(*end) - start)
        })
    }

    /// The mapped part of a file, with zeros in between, and with segments that know where they are.
    fn apply(&self, content: &[u8], segments: &[Segment]) -> Option<Vec<u8>> {
        let mut part = Vec::new();
        for (start, end, place) in &self.ranges {
            let bytes = content.get(usize::try_from(*start).ok()?..usize::try_from(*end).ok()?)?;
            part.resize(usize::try_from(*place).ok()?, 0);
            part.extend_from_slice(bytes);
        }
        let mut segments = segments.to_vec();
        for segment in &mut segments {
            if segment.p_filesz(LE) > 0 {
                segment.p_offset = U64::new(LE, self.moved(segment.p_offset(LE)));
            }
        }
        let table = pod::bytes_of_slice(&segments);
        let place = usize::try_from(self.moved(self.program_headers)).ok()?;
        part.get_mut(place..place + table.len())?
            .copy_from_slice(table);
        Some(part)
    }
}

/// What the section of the names is called.
const NAMES_SECTION: &[u8] = b".shstrtab\0";

fn is_loaded(section: &Section) -> bool {
    section.sh_flags(LE).contains(elf::SHF_ALLOC)
}

/// Writes the names and headers of the loaded sections behind the mapped part and points the file's
/// header to them. Sections keep their numbers, which dynamic symbols refer to.
fn append_sections(
    part: &mut Vec<u8>,
    header: &Header,
    sections: &[(Section, &[u8])],
    layout: &Layout,
) {
    let names_offset = part.len();
    part.push(0);
    let mut kept: Vec<Section> = Vec::with_capacity(sections.len() + 1);
    for (section, name) in sections {
        if !is_loaded(section) {
            kept.push(empty_section());
            continue;
        }
        let mut section = *section;
        section.sh_name = U32::new(LE, (part.len() - names_offset) as u32);
        section.sh_offset = U64::new(LE, layout.moved(section.sh_offset(LE)));
        part.extend_from_slice(name);
        part.push(0);
        kept.push(section);
    }
    let mut names_section = empty_section();
    names_section.sh_name = U32::new(LE, (part.len() - names_offset) as u32);
    part.extend_from_slice(NAMES_SECTION);
    names_section.sh_type = U32::new(LE, elf::SHT_STRTAB);
    names_section.sh_offset = U64::new(LE, names_offset as u64);
    names_section.sh_size = U64::new(LE, (part.len() - names_offset) as u64);
    names_section.sh_addralign = U64::new(LE, 1);
    kept.push(names_section);

    part.resize(part.len().next_multiple_of(8), 0);
    let mut header = *header;
    header.e_phoff = U64::new(LE, layout.moved(layout.program_headers));
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
        let announced = stripped_size(&program[..], program.len() as u64);
        assert_eq!(announced, Some(stripped.len() as u64));
        assert_eq!(stripped_size(&stripped[..], stripped.len() as u64), None);
        assert_eq!(
            ElfFile::read(&program[..]).unwrap(),
            ElfFile::read(&stripped[..]).unwrap()
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
        let (_, before, _) = tables(&program[..]).unwrap();
        let (_, after, _) = tables(&stripped[..]).unwrap();
        assert_eq!(pod::bytes_of_slice(before), pod::bytes_of_slice(after));
        let header = size_of::<Header>();
        for segment in before {
            let (offset, size) = segment.file_range(LE);
            let (start, end) = (offset as usize, (offset + size) as usize);
            let start = start.max(header).min(end);
            assert_eq!(program[start..end], stripped[start..end]);
        }
    }

    /// The same program with room that nothing maps before its last segment, as patchelf leaves it.
    fn with_a_hole(program: &[u8], size: u64) -> Vec<u8> {
        let (header, segments, sections) = tables(program).unwrap();
        let loads = segments
            .iter()
            .filter(|segment| segment.p_type(LE) == elf::PT_LOAD);
        let hole = loads.map(|segment| segment.p_offset(LE)).max().unwrap();
        let moved = |offset: u64| {
            U64::new(
                LE,
                if offset >= hole {
                    offset + size
                } else {
                    offset
                },
            )
        };
        let mut file = program[..hole as usize].to_vec();
        file.resize((hole + size) as usize, 0xcc);
        file.extend_from_slice(&program[hole as usize..]);
        let write = |file: &mut Vec<u8>, place: u64, bytes: &[u8]| {
            file[place as usize..][..bytes.len()].copy_from_slice(bytes);
        };
        let (mut header, mut segments, mut sections) =
            (*header, segments.to_vec(), sections.to_vec());
        for segment in &mut segments {
            segment.p_offset = moved(segment.p_offset(LE));
        }
        for section in &mut sections {
            section.sh_offset = moved(section.sh_offset(LE));
        }
        header.e_shoff = moved(header.e_shoff(LE));
        write(&mut file, 0, pod::bytes_of(&header));
        write(
            &mut file,
            header.e_phoff(LE),
            pod::bytes_of_slice(&segments),
        );
        write(
            &mut file,
            header.e_shoff(LE),
            pod::bytes_of_slice(&sections),
        );
        file
    }

    #[test]
    fn what_nothing_maps_takes_no_room_wherever_it_lies() {
        let program = this_program();
        let file = with_a_hole(&program, 1 << 20);
        assert_eq!(
            ElfFile::read(&file[..]).unwrap(),
            ElfFile::read(&program[..]).unwrap()
        );
        let (StripOutcome::Stripped(closed), StripOutcome::Stripped(expected)) =
            (strip(&file), strip(&program))
        else {
            panic!("a program with symbols is stripped");
        };
        assert!(closed == expected);
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
