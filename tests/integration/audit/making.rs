//! What the audit is tried on: ELF files made by gcc, zips written entry by entry, and the real binary's verdict on them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rawzip::path::EntryPath;
use rawzip::{CompressionMethod, Crc32Option, DataDescriptorOutput, ZipArchiveWriter};
use serde_json::Value;

use crate::parts::r_layer;

/// An entry of a zip, written as it is, also if no tool would write it so.
#[derive(Clone)]
pub struct Planted {
    path: String,
    mode: u32,
    content: Vec<u8>,
    /// Said instead of the content's own checksum.
    crc: Option<u32>,
    /// Said instead of the content's own length.
    size: Option<u64>,
}

/// A file that everyone can read.
pub fn file(path: &str, content: impl Into<Vec<u8>>) -> Planted {
    Planted {
        path: path.to_owned(),
        mode: 0o100_644,
        content: content.into(),
        crc: None,
        size: None,
    }
}

/// A file that everyone can run.
pub fn program(path: &str, content: impl Into<Vec<u8>>) -> Planted {
    file(path, content).mode(0o100_755)
}

/// A symbolic link.
pub fn link(path: &str, target: &str) -> Planted {
    file(path, target).mode(0o120_777)
}

impl Planted {
    /// Another type and other permissions.
    pub fn mode(self, mode: u32) -> Planted {
        Planted { mode, ..self }
    }

    /// Another checksum than the content has.
    pub fn crc(self, crc: u32) -> Planted {
        Planted {
            crc: Some(crc),
            ..self
        }
    }

    /// Another length than the content has.
    pub fn size(self, size: u64) -> Planted {
        Planted {
            size: Some(size),
            ..self
        }
    }
}

/// A zip with these entries, uncompressed.
pub fn zip(folder: &Path, name: &str, entries: &[Planted]) -> PathBuf {
    let path = folder.join(name);
    let output = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    let mut archive = ZipArchiveWriter::new(output);
    for entry in entries {
        let (mut writer, _) = archive
            .new_file(EntryPath::verbatim(entry.path.as_bytes()))
            .compression_method(CompressionMethod::STORE)
            .unix_permissions(entry.mode)
            .crc32(Crc32Option::Skip)
            .start()
            .unwrap();
        writer.write_all(&entry.content).unwrap();
        let crc = entry.crc.unwrap_or_else(|| rawzip::crc32(&entry.content));
        let size = entry.size.unwrap_or(entry.content.len() as u64);
        writer.finish(DataDescriptorOutput::new(crc, size)).unwrap();
    }
    archive.finish().unwrap().flush().unwrap();
    path
}

/// What `r-layer audit` said, to people and to programs.
pub struct Verdict {
    /// Its exit status.
    pub status: i32,
    /// stdout and stderr of the run without `--json`.
    pub text: String,
    /// stdout of the run with it; null if it was no JSON.
    pub json: Value,
}

/// Audits zips, once for people and once for programs; both must end alike.
pub fn audit(zips: &[&Path], flags: &[&str]) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| -> Output {
        let mut command = r_layer(folder.path());
        command
            .env_remove("R_LAYER_TARGET")
            .arg("audit")
            .args(zips)
            .args(flags)
            .args(more);
        command.output().unwrap()
    };
    let (people, programs) = (run(&[]), run(&["--json"]));
    assert_eq!(people.status.code(), programs.status.code());
    Verdict {
        status: people.status.code().expect("an exit status"),
        text: String::from_utf8([people.stdout, people.stderr].concat()).unwrap(),
        json: serde_json::from_slice(&programs.stdout).unwrap_or_default(),
    }
}

impl Verdict {
    /// The findings as (fault, path), in the order of the report.
    pub fn findings(&self) -> Vec<(&str, &str)> {
        let findings = self.json["findings"]
            .as_array()
            .unwrap_or_else(|| panic!("{}", self.text));
        findings
            .iter()
            .map(|found| {
                (
                    found["fault"].as_str().unwrap(),
                    found["path"].as_str().unwrap_or(""),
                )
            })
            .collect()
    }

    /// Makes sure that exactly this was found, that a person reads these words, and that the layer would not load.
    pub fn assert_found(&self, findings: &[(&str, &str)], words: &str) {
        assert_eq!(self.findings(), findings, "{}", self.text);
        assert!(
            self.text.contains(words),
            "`{words}` is not in:\n{}",
            self.text
        );
        assert!(self.text.contains("would NOT load"), "{}", self.text);
        assert_eq!(
            (self.status, &self.json["passed"]),
            (1, &Value::Bool(false)),
            "{}",
            self.text
        );
    }

    /// Makes sure that the layer would load, and that nothing at all was found.
    pub fn assert_clean(&self) {
        assert_eq!(self.findings(), [], "{}", self.text);
        assert!(self.text.contains("would load"), "{}", self.text);
        assert_eq!(
            (self.status, &self.json["passed"]),
            (0, &Value::Bool(true)),
            "{}",
            self.text
        );
    }
}

/// A folder in which gcc makes programs and libraries that need no library but those named.
pub struct Workbench {
    folder: tempfile::TempDir,
}

impl Workbench {
    pub fn new() -> Workbench {
        Workbench {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Where zips can be put, too.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A shared library of that soname. `needed` are libraries made before.
    pub fn library(&self, soname: &str, source: &str, needed: &[&str], flags: &[&str]) -> Vec<u8> {
        let soname_flag = format!("-Wl,-soname,{soname}");
        self.gcc(
            soname,
            source,
            needed,
            &[&["-shared", "-fPIC", &soname_flag], flags].concat(),
        )
    }

    /// A library that does nothing but need others, which are made empty.
    pub fn needing(&self, sonames: &[&str], flags: &[&str]) -> Vec<u8> {
        for soname in sonames {
            if !self.folder.path().join(soname).exists() {
                self.library(soname, "", &[], &[]);
            }
        }
        self.library("libuser.so", "int user(void) { return 1; }", sonames, flags)
    }

    /// A program.
    pub fn program(&self, flags: &[&str]) -> Vec<u8> {
        self.library("libstarted.so", "", &[], &[]);
        let source = "void _start(void) { for (;;) {} }";
        self.gcc(
            "program",
            source,
            &["libstarted.so"],
            &[&["-pie", "-fPIE"], flags].concat(),
        )
    }

    /// A library whose symbols have versions: each line of the script is one.
    pub fn versioned(&self, soname: &str, source: &str, versions: &str) -> Vec<u8> {
        let script = self.folder.path().join("versions");
        std::fs::write(&script, versions).unwrap();
        let flag = format!("-Wl,--version-script,{}", script.display());
        self.library(soname, source, &[], &[&flag])
    }

    /// What a compiler leaves behind beside a library.
    pub fn object(&self) -> Vec<u8> {
        self.gcc(
            "object.o",
            "int absent(void); int x(void) { return absent(); }",
            &[],
            &["-c"],
        )
    }

    fn gcc(&self, name: &str, source: &str, needed: &[&str], flags: &[&str]) -> Vec<u8> {
        let path = self.folder.path().join(name);
        std::fs::write(path.with_extension("c"), source).unwrap();
        let mut command = Command::new("gcc");
        command.args([
            "-O0",
            "-nostdlib",
            "-Wl,--no-as-needed",
            "-Wl,--allow-shlib-undefined",
        ]);
        command
            .args(flags)
            .arg("-o")
            .arg(&path)
            .arg(path.with_extension("c"));
        command
            .arg("-L")
            .arg(self.folder.path())
            .args(needed.iter().map(|soname| format!("-l:{soname}")));
        let output = command.output().expect("gcc is installed");
        assert!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::read(path).unwrap()
    }
}
