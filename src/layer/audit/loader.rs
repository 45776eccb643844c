//! Where the loader would find each library that a layer's files need.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::finding::{Fault, Finding};
use super::{Policy, Question};
use crate::elf::ElfFile;
use crate::layer::ExaminedLayer;

/// R's own libraries: a package layer finds them in the runtime layer.
const OF_THE_RUNTIME_LAYER: [&str; 3] = ["libR.so", "libRblas.so", "libRlapack.so"];

/// How many links the kernel follows before it takes them for a circle.
const MOST_LINKS: usize = 40;

/// The ELF files of a set of layers, and where they are looked for.
pub struct Loader<'a> {
    question: &'a Question<'a>,
    /// Path on Lambda → (layer, headers).
    files: BTreeMap<String, (&'a str, &'a ElfFile)>,
    /// Path on Lambda of a symbolic link → what it says.
    links: BTreeMap<String, String>,
    library_path: Vec<String>,
    has_runtime: bool,
}

/// Where a needed library is.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// In a layer, at that path on Lambda.
    Layer(&'a str, &'a ElfFile),
    Guaranteed,
    Image,
    Nowhere,
}

impl<'a> Loader<'a> {
    /// Collects the headers of every ELF file; those that cannot be read are findings.
    pub fn read(
        layers: &'a [ExaminedLayer],
        question: &'a Question<'a>,
        findings: &mut Vec<Finding>,
    ) -> Loader<'a> {
        let bootstrap = layers.iter().rev().find_map(ExaminedLayer::bootstrap);
        let text = bootstrap.unwrap_or_else(|| crate::embedded::text("runtime/bootstrap"));
        let library_path = super::search_path::library_path(text, &question.target.library_path);
        let mut files = BTreeMap::new();
        for layer in layers {
            let name = layer.archive.name.as_str();
            for (entry, elf) in layer.elf_files() {
                match elf {
                    // Object files (`.o`) are data to the loader.
                    Ok(elf) if elf.loadable => {
                        files.insert(format!("/opt/{}", entry.path), (name, elf));
                    }
                    Ok(_) => {}
                    Err(error) => findings.push(Finding {
                        layer: name.to_owned(),
                        path: Some(entry.path.clone()),
                        fault: Fault::DamagedElf {
                            reason: error.to_string(),
                        },
                    }),
                }
            }
        }
        let links = layers
            .iter()
            .flat_map(ExaminedLayer::links)
            .map(|(entry, target)| (format!("/opt/{}", entry.path), target.to_owned()))
            .collect();
        Loader {
            question,
            files,
            links,
            library_path,
            has_runtime: bootstrap.is_some(),
        }
    }

    /// Everything that would keep a file from being loaded.
    ///
    /// What nothing else needs (programs, R's modules, packages' libraries) is loaded as the loader would, with all it
    /// brings along; what is left over after that needs each other in a circle.
    pub fn check(&self, findings: &mut Vec<Finding>) {
        let needed: BTreeSet<&str> = self
            .files
            .values()
            .flat_map(|(_, elf)| elf.needed.iter().map(String::as_str))
            .collect();
        let is_needed = |path: &&String| needed.contains(path.rsplit('/').next().unwrap_or(path));
        let mut faults: BTreeMap<&str, Vec<Fault>> = BTreeMap::new();
        for path in self.files.keys().filter(|path| !is_needed(path)) {
            self.load(path, &mut faults);
        }
        for path in self.files.keys().filter(is_needed) {
            if !faults.contains_key(path.as_str()) {
                self.load(path, &mut faults);
            }
        }
        for (path, faults) in faults {
            findings.extend(faults.into_iter().map(|fault| Finding {
                layer: self.files[path].0.to_owned(),
                path: path.strip_prefix("/opt/").map(str::to_owned),
                fault,
            }));
        }
    }

    /// Loads a file and, breadth-first, what it needs, as ld.so(8) does: a soname that is loaded already is taken, and
    /// the DT_RPATH of those that led to a file counts for it too. Every file met gets an entry among the faults.
    fn load<'s>(&'s self, first: &'s str, faults: &mut BTreeMap<&'s str, Vec<Fault>>) {
        let mut loaded: BTreeMap<&str, Place<'_>> = BTreeMap::new();
        let mut met = BTreeSet::from([first]);
        let mut queue: VecDeque<(&str, Vec<String>)> = VecDeque::from([(first, Vec::new())]);
        while let Some((path, above)) = queue.pop_front() {
            let elf = self.files[path].1;
            let found = faults
                .entry(path)
                .or_insert_with(|| self.own_faults(path, elf));
            if elf.architecture != Some(self.question.architecture) {
                continue;
            }
            let rpath: Vec<String> = elf
                .rpath
                .iter()
                .map(|folder| expand(folder, path))
                .chain(above)
                .collect();
            for soname in &elf.needed {
                let place = match loaded.get(soname.as_str()) {
                    Some(place) => *place,
                    None => self.find(path, elf, &rpath, soname),
                };
                for fault in self.library_faults(elf, soname, place) {
                    if !found.contains(&fault) {
                        found.push(fault);
                    }
                }
                if !matches!(place, Place::Nowhere) {
                    loaded.insert(soname, place);
                }
                if let Place::Layer(library, headers) = place {
                    if let Some(own_name) = &headers.soname {
                        loaded.entry(own_name).or_insert(place);
                    }
                    if met.insert(library) {
                        queue.push_back((library, rpath.clone()));
                    }
                }
            }
        }
    }

    /// How many ELF files there are.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// The highest glibc version that any file asks for.
    pub fn glibc_floor(&self) -> Option<Vec<u32>> {
        self.files
            .values()
            .filter_map(|(_, elf)| elf.floor("GLIBC"))
            .max()
    }

    /// What is wrong with a file whatever it needs.
    fn own_faults(&self, path: &str, elf: &ElfFile) -> Vec<Fault> {
        let expected = self.question.architecture;
        if elf.architecture != Some(expected) {
            let found = elf.architecture;
            return vec![Fault::WrongArchitecture { found, expected }];
        }
        let search = elf.rpath.iter().chain(&elf.runpath);
        let nowhere = search.filter(|folder| !self.may_exist_on_lambda(&expand(folder, path)));
        let folders = nowhere.map(|folder| Fault::BuildPath {
            folder: folder.clone(),
        });
        self.interpreter_fault(elf)
            .into_iter()
            .chain(folders)
            .collect()
    }

    fn interpreter_fault(&self, elf: &ElfFile) -> Option<Fault> {
        let interpreter = elf.interpreter.as_ref()?;
        let name = interpreter.rsplit('/').next()?;
        let there = self
            .question
            .target
            .guarantees(name, self.question.architecture)
            && ["/lib64", "/lib"]
                .iter()
                .any(|folder| *interpreter == format!("{folder}/{name}"));
        (!there).then(|| Fault::WrongInterpreter {
            interpreter: interpreter.clone(),
        })
    }

    fn may_exist_on_lambda(&self, folder: &str) -> bool {
        let within = |parent: &str| folder == parent || folder.starts_with(&format!("{parent}/"));
        within("/opt")
            || within("/var/task")
            || self
                .question
                .target
                .system_library_folders
                .iter()
                .any(|system| folder == system)
    }

    fn library_faults(&self, elf: &ElfFile, soname: &str, place: Place<'_>) -> Vec<Fault> {
        let nothing = BTreeSet::new();
        let asked = elf.asked.get(soname).unwrap_or(&nothing);
        let soname_owned = || soname.to_owned();
        match place {
            Place::Layer(_, library) => asked
                .difference(&library.defined)
                // A library without any versions answers for all of them; the loader only warns.
                .filter(|_| !library.defined.is_empty())
                .map(|version| Fault::SymbolVersion {
                    soname: soname_owned(),
                    version: version.clone(),
                    highest: None,
                })
                .collect(),
            Place::Guaranteed => asked
                .iter()
                .filter(|version| !self.question.target.defines(version))
                .map(|version| Fault::SymbolVersion {
                    soname: soname_owned(),
                    version: version.clone(),
                    highest: self.question.target.highest(version),
                })
                .collect(),
            Place::Image => match (self.copy(soname), self.question.policy) {
                (Some(copy), _) => vec![Fault::Shadowed {
                    soname: soname_owned(),
                    copy,
                }],
                (None, Policy::Strict) => vec![Fault::NotGuaranteed {
                    soname: soname_owned(),
                }],
                (None, Policy::Image) => Vec::new(),
            },
            Place::Nowhere if !self.has_runtime && OF_THE_RUNTIME_LAYER.contains(&soname) => {
                Vec::new()
            }
            Place::Nowhere => vec![Fault::MissingLibrary {
                soname: soname_owned(),
            }],
        }
    }

    /// Looks in the loader's order: DT_RPATH (the file's and that of those above it, unless it has a DT_RUNPATH),
    /// LD_LIBRARY_PATH, DT_RUNPATH, the system's folders.
    fn find(&self, path: &str, elf: &ElfFile, rpath: &[String], soname: &str) -> Place<'_> {
        let in_layer = |path: &str| self.file(path).map(|(path, elf)| Place::Layer(path, elf));
        if soname.contains('/') {
            return in_layer(&expand(soname, path)).unwrap_or(Place::Nowhere);
        }
        let rpath = if elf.runpath.is_empty() { rpath } else { &[] };
        let folders = rpath
            .iter()
            .cloned()
            .chain(self.library_path.iter().cloned())
            .chain(elf.runpath.iter().map(|folder| expand(folder, path)))
            .chain(self.question.target.system_library_folders.iter().cloned());
        for folder in folders {
            if let Some(place) = in_layer(&format!("{folder}/{soname}")) {
                return place;
            }
            if !self
                .question
                .target
                .system_library_folders
                .contains(&folder)
            {
                continue;
            }
            if self
                .question
                .target
                .guarantees(soname, self.question.architecture)
            {
                return Place::Guaranteed;
            }
            if self
                .question
                .target
                .image_has(soname, self.question.architecture)
            {
                return Place::Image;
            }
        }
        Place::Nowhere
    }

    /// The file at a path on Lambda, behind links if there are any on the way.
    fn file(&self, path: &str) -> Option<(&str, &ElfFile)> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let Some((link, target)) = self.first_link(&path) else {
                let found = self.files.get_key_value(&path);
                return found.map(|(path, (_, elf))| (path.as_str(), *elf));
            };
            let place = if target.starts_with('/') {
                target.clone()
            } else {
                format!("$ORIGIN/{target}")
            };
            path = expand(&place, link) + &path[link.len()..];
        }
        None
    }

    /// The first folder of a path, or the whole, that is a link.
    fn first_link(&self, path: &str) -> Option<(&String, &String)> {
        let folders = path.match_indices('/').skip(1).map(|(end, _)| &path[..end]);
        folders
            .chain([path])
            .find_map(|part| self.links.get_key_value(part))
    }

    /// A file of the layers with that name, wherever it is.
    fn copy(&self, soname: &str) -> Option<String> {
        self.files
            .keys()
            .chain(self.links.keys())
            .find(|path| path.ends_with(&format!("/{soname}")))
            .and_then(|path| path.strip_prefix("/opt/"))
            .map(str::to_owned)
    }
}

/// A folder of a search path with `$ORIGIN` replaced, and `.` and `..` resolved.
fn expand(folder: &str, path: &str) -> String {
    let origin = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let folder = folder
        .replace("${ORIGIN}", origin)
        .replace("$ORIGIN", origin);
    if !folder.starts_with('/') {
        return folder;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_the_folder_of_the_file() {
        let file = "/opt/R/library/stats/libs/stats.so";
        assert_eq!(expand("$ORIGIN/../../../lib", file), "/opt/R/lib");
        assert_eq!(
            expand("${ORIGIN}/.libs/", file),
            "/opt/R/library/stats/libs/.libs"
        );
        assert_eq!(expand("$ORIGIN/../../../../../../../..", file), "/");
        assert_eq!(expand("relative", file), "relative");
    }
}
