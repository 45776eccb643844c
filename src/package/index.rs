//! A repository's PACKAGES index: a record a package and version, in Debian control format.
//!
//! CRAN's has some 23,000 records, of which a request visits a hundred: names and versions are read at once, the other
//! fields of a record when they are asked for. A record that cannot be read is told with its line, and left out.

use std::fmt;
use std::ops::Range;

use super::{Dependencies, RVersion, RequirementError, check_package_name};

/// A text that is no index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A page for browsers, as proxies and login pages answer.
    #[error("this is a web page and not a PACKAGES index; it begins with `{0}`")]
    WebPage(String),
    /// No record in it can be read.
    #[error("this is not a PACKAGES index: {0}")]
    NoRecord(IndexProblem),
}

/// A record that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexProblem {
    /// The line in the index, from 1.
    pub line: usize,
    /// The package, if the record has a name.
    pub package: Option<String>,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for IndexProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(package) = &self.package {
            write!(f, ", package {package}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// An index.
#[derive(Clone, Debug, Default)]
pub struct PackageIndex {
    text: String,
    /// By name, the newest version first, those of one version in the order of the text.
    entries: Vec<Entry>,
    problems: Vec<IndexProblem>,
}

/// Where a record is in the text.
#[derive(Clone, Debug)]
struct Entry {
    record: Range<usize>,
    package: Range<usize>,
    version: RVersion,
    line: usize,
}

impl PackageIndex {
    /// Reads an index. Of two records of one package and version the first counts.
    ///
    /// # Errors
    /// If it is a web page, or nothing in it can be read. An empty text is an index without packages.
    pub fn parse(text: String) -> Result<PackageIndex, IndexError> {
        let beginning = text.trim_start();
        if beginning.starts_with('<') {
            let line = beginning.lines().next().unwrap_or_default();
            return Err(IndexError::WebPage(line.chars().take(60).collect()));
        }
        let (mut entries, problems) = Scan::new(&text).run();
        if let (true, Some(problem)) = (entries.is_empty(), problems.first()) {
            return Err(IndexError::NoRecord(problem.clone()));
        }
        entries.sort_by(|one, other| {
            let names = text[one.package.clone()].cmp(&text[other.package.clone()]);
            names.then_with(|| other.version.cmp(&one.version))
        });
        entries.dedup_by(|later, first| {
            later.version == first.version
                && text[later.package.clone()] == text[first.package.clone()]
        });
        Ok(PackageIndex {
            text,
            entries,
            problems,
        })
    }

    /// How many records can be used.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Has it no record?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The records that were left out.
    pub fn problems(&self) -> &[IndexProblem] {
        &self.problems
    }

    /// All versions of a package, the newest first.
    pub fn versions(&self, package: &str) -> impl Iterator<Item = PackageRecord<'_>> {
        let name = |entry: &Entry| &self.text[entry.package.clone()];
        let from = self.entries.partition_point(|entry| name(entry) < package);
        let of_package = self.entries[from..]
            .iter()
            .take_while(move |entry| name(entry) == package)
            .count();
        self.entries[from..from + of_package]
            .iter()
            .map(|entry| self.record(entry))
    }

    /// All records, by name, the newest version first.
    pub fn records(&self) -> impl Iterator<Item = PackageRecord<'_>> {
        self.entries.iter().map(|entry| self.record(entry))
    }

    fn record<'a>(&'a self, entry: &'a Entry) -> PackageRecord<'a> {
        PackageRecord {
            text: &self.text[entry.record.clone()],
            package: &self.text[entry.package.clone()],
            version: &entry.version,
            line: entry.line,
        }
    }
}

/// A record of an index. Fields other than name and version are looked up in its text.
#[derive(Clone, Copy, Debug)]
pub struct PackageRecord<'a> {
    text: &'a str,
    package: &'a str,
    version: &'a RVersion,
    line: usize,
}

impl<'a> PackageRecord<'a> {
    /// Its name.
    pub fn package(&self) -> &'a str {
        self.package
    }

    /// Its version.
    pub fn version(&self) -> &'a RVersion {
        self.version
    }

    /// The line in the index, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// A field, without the white space around it; of several lines, parted by line feeds. Names are as written, as R
    /// compares them.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut lines = self.text.split('\n');
        let first = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let mut value = first.trim().to_owned();
        for more in lines.take_while(|line| line.starts_with([' ', '\t'])) {
            value.push('\n');
            value.push_str(more.trim());
        }
        Some(value)
    }

    /// Depends, Imports and LinkingTo.
    pub fn dependencies(&self) -> Result<Dependencies, RequirementError> {
        Dependencies::parse(|name| self.field(name))
    }

    /// The licence, in R's words.
    pub fn license(&self) -> Option<String> {
        self.field("License")
    }

    /// Has it code to compile? Nothing if the record does not say.
    pub fn needs_compilation(&self) -> Option<bool> {
        match self.field("NeedsCompilation")?.as_str() {
            "yes" | "true" | "TRUE" => Some(true),
            "no" | "false" | "FALSE" => Some(false),
            _ => None,
        }
    }

    /// What it needs of the system, in its author's words.
    pub fn system_requirements(&self) -> Option<String> {
        self.field("SystemRequirements")
    }

    /// The MD5 of its tarball, in hexadecimal digits.
    pub fn md5(&self) -> Option<String> {
        self.field("MD5sum")
    }

    /// The SHA-256 of its tarball, in hexadecimal digits; few repositories have it.
    pub fn sha256(&self) -> Option<String> {
        self.field("SHA256")
    }

    /// The folder of its tarball, below the index's.
    pub fn path(&self) -> Option<String> {
        self.field("Path")
    }

    /// The name of its tarball, if it is not `package_version.tar.gz`.
    pub fn file(&self) -> Option<String> {
        self.field("File")
    }

    /// What a binary was built with.
    pub fn built(&self) -> Option<String> {
        self.field("Built")
    }

    /// Is it for Windows alone?
    pub fn is_windows_only(&self) -> bool {
        self.field("OS_type").is_some_and(|os| os == "windows")
    }
}

/// The first reading of an index, line by line.
struct Scan<'a> {
    text: &'a str,
    entries: Vec<Entry>,
    problems: Vec<IndexProblem>,
    open: Option<OpenRecord<'a>>,
}

/// A record whose end is not yet seen.
struct OpenRecord<'a> {
    start: usize,
    line: usize,
    package: Option<&'a str>,
    version: Option<&'a str>,
    fault: Option<(usize, String)>,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Self {
        // A record of CRAN's index is 450 bytes on the average; too many are no harm.
        Scan {
            text,
            entries: Vec::with_capacity(text.len() / 400),
            problems: Vec::new(),
            open: None,
        }
    }

    fn run(mut self) -> (Vec<Entry>, Vec<IndexProblem>) {
        let mut start = 0;
        for (index, line) in self.text.split('\n').enumerate() {
            match line.as_bytes().first() {
                Some(b' ' | b'\t' | b'\r') | None if line.trim_ascii().is_empty() => {
                    self.close(start);
                }
                _ => self.line(start, index + 1, line),
            }
            start += line.len() + 1;
        }
        self.close(self.text.len());
        (self.entries, self.problems)
    }

    fn line(&mut self, start: usize, number: usize, line: &'a str) {
        let is_first = self.open.is_none();
        let open = self.open.get_or_insert(OpenRecord {
            start,
            line: number,
            package: None,
            version: None,
            fault: None,
        });
        if line.starts_with([' ', '\t']) && !is_first {
            return;
        }
        let name = line
            .bytes()
            .position(|byte| byte == b':')
            .map(|at| line.split_at(at));
        match name {
            Some(("Package", value)) => open.package = Some(value[1..].trim()),
            Some(("Version", value)) => open.version = Some(value[1..].trim()),
            Some((name, _)) if !name.is_empty() && !name.contains([' ', '\t']) => {}
            _ => {
                let text: String = line.trim().chars().take(60).collect();
                let reason = format!("`{text}` is not a field (`Name: value`)");
                open.fault.get_or_insert((number, reason));
            }
        }
    }

    fn close(&mut self, end: usize) {
        let Some(open) = self.open.take() else { return };
        match self.entry(&open, end) {
            Ok(entry) => self.entries.push(entry),
            Err((line, reason)) => self.problems.push(IndexProblem {
                line,
                package: open.package.map(str::to_owned),
                reason,
            }),
        }
    }

    fn entry(&self, open: &OpenRecord<'a>, end: usize) -> Result<Entry, (usize, String)> {
        if let Some(fault) = &open.fault {
            return Err(fault.clone());
        }
        let here = |reason: String| (open.line, reason);
        let no_field = |name: &str| here(format!("there is no field `{name}`"));
        let package = open.package.ok_or_else(|| no_field("Package"))?;
        check_package_name(package).map_err(|error| here(error.to_string()))?;
        let version = open.version.ok_or_else(|| no_field("Version"))?;
        let version = version
            .parse()
            .map_err(|error: super::VersionError| here(error.to_string()))?;
        let from = package.as_ptr().addr() - self.text.as_ptr().addr();
        Ok(Entry {
            record: open.start..end,
            package: from..from + package.len(),
            version,
            line: open.line,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(text: &str) -> PackageIndex {
        PackageIndex::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn records_are_found_by_name_the_newest_first() {
        let index = index(
            "Package: bb\nVersion: 1.9\n\n\nPackage: aa\nVersion: 1.0\nFile: one\n \t\nPackage: bb\r\nVersion: 1.10\r\n\r\n\
             Package: aa\nVersion: 1.0\nFile: two\n",
        );
        let versions: Vec<_> = index
            .versions("bb")
            .map(|one| one.version().to_string())
            .collect();
        assert_eq!(versions, ["1.10", "1.9"]);
        assert_eq!((index.len(), index.versions("cc").count()), (3, 0));
        let first = index.versions("aa").next().unwrap();
        assert_eq!((first.file().as_deref(), first.line()), (Some("one"), 5));
    }

    #[test]
    fn fields_are_read_over_several_lines() {
        let index = index(
            "Package: aa\nVersion: 1\nDepends: R (>= 3.5),\n\tmethods\nImports: Rcpp\n  (>= 1.0)\nOS_type: windows\n\
             NeedsCompilation: yes\nMD5sum: 00ff\nPath: 4.6.0/Recommended\n",
        );
        let record = index.versions("aa").next().unwrap();
        assert_eq!(
            record.field("Depends").as_deref(),
            Some("R (>= 3.5),\nmethods")
        );
        let dependencies = record.dependencies().unwrap();
        assert_eq!(dependencies.imports[0].to_string(), "Rcpp (>= 1.0)");
        assert_eq!(dependencies.r[0].to_string(), ">= 3.5");
        assert!(record.is_windows_only());
        assert_eq!(record.needs_compilation(), Some(true));
        assert_eq!(record.md5().as_deref(), Some("00ff"));
        assert_eq!(record.path().as_deref(), Some("4.6.0/Recommended"));
        assert_eq!((record.license(), record.sha256()), (None, None));
    }

    #[test]
    fn a_malformed_record_is_named_and_the_others_go_on() {
        let index = index(
            "Package: aa\nVersion: 1\n\nPackage: bb\nVersion: one\n\nPackage: cc\n\nVersion: 1\n\n\
             Package: dd\nVersion: 1\n<p>error</p>\n\nPackage: ../ee\nVersion: 1\n\nPackage: ff\nVersion: 1\n",
        );
        let names: Vec<_> = index.records().map(|record| record.package()).collect();
        assert_eq!(names, ["aa", "ff"]);
        let problems: Vec<_> = index
            .problems()
            .iter()
            .map(IndexProblem::to_string)
            .collect();
        assert_eq!(problems.len(), 5);
        assert!(problems[0].starts_with("line 4, package bb: `one` is not a version"));
        assert_eq!(
            problems[1],
            "line 7, package cc: there is no field `Version`"
        );
        assert_eq!(problems[2], "line 9: there is no field `Package`");
        assert!(problems[3].starts_with("line 13, package dd: `<p>error</p>`"));
        assert!(problems[4].starts_with("line 15, package ../ee: "));
    }

    #[test]
    fn what_is_no_index_is_an_error_and_an_empty_one_is_none() {
        assert!(index("").is_empty() && index("\n\n").is_empty());
        let error = PackageIndex::parse("\n<!DOCTYPE html><title>Log in".to_owned()).unwrap_err();
        assert!(error.to_string().contains("web page"), "{error}");
        let error = PackageIndex::parse("Not Found\n".to_owned()).unwrap_err();
        assert!(error.to_string().contains("line 1: `Not Found`"), "{error}");
    }
}
