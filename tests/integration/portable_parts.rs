//! The R and the packages that tests/portable makes have the form of those on Posit's servers, which other tests rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::process::Command;

use r_layer::elf::{ElfFile, is_elf};
use r_layer::target::Architecture;

use crate::parts::{binary_jsonlite, binary_jsonlite_arm64, portable_r, portable_r_arm64, succeed};

/// Where the bundled libraries are, in R's prefix.
const BUNDLED: &str = "lib/R/lib/.libs/";

/// What a portable R asks the system for.
const OF_THE_SYSTEM: [&str; 11] = [
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libexpat.so.1",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "libresolv.so.2",
    "libstdc++.so.6",
    "libz.so.1",
];

/// A tarball in memory.
struct Tarball {
    files: BTreeMap<String, Vec<u8>>,
}

impl Tarball {
    /// Reads a tarball, all of which must be below that folder; the paths are those below it.
    fn read(path: &Path, top: &str) -> Tarball {
        let file = std::fs::File::open(path).expect("the tarball");
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
        let mut files = BTreeMap::new();
        for entry in archive.entries().expect("a tarball") {
            let mut entry = entry.expect("an entry");
            let name = entry.path().expect("a path").display().to_string();
            let below = name
                .strip_prefix(&format!("{top}/"))
                .unwrap_or_else(|| panic!("{name} is not below {top}"));
            if !entry.header().entry_type().is_dir() {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).expect("a content");
                files.insert(below.to_owned(), content);
            }
        }
        Tarball { files }
    }

    fn text(&self, name: &str) -> &str {
        let content = self
            .files
            .get(name)
            .unwrap_or_else(|| panic!("{name} is missing"));
        std::str::from_utf8(content).expect("text")
    }

    fn elf_files(&self) -> BTreeMap<&str, ElfFile> {
        self.files
            .iter()
            .filter(|(_, content)| is_elf(content))
            .map(|(name, content)| (name.as_str(), ElfFile::read(&content[..]).expect(name)))
            .collect()
    }
}

/// `libfoo-1a2b3c4d.so.1`: the first dot comes after eight digits of a hash.
fn has_hash(name: &str) -> bool {
    let stem = name.split('.').next().expect("a first part");
    stem.rsplit_once('-').is_some_and(|(_, hash)| {
        hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// The run path by which a file of R finds the bundled libraries.
fn run_path(name: &str) -> String {
    let up = "../".repeat(name.matches('/').count());
    match name.strip_prefix("lib/R/lib/") {
        Some(_) => "$ORIGIN/.libs".to_owned(),
        None => format!("$ORIGIN/{}lib/.libs", &up[..up.len() - "../../".len()]),
    }
}

fn assert_portable(r: &Tarball, architecture: Architecture) {
    let elf_files = r.elf_files();
    let bundled: BTreeSet<&str> = elf_files
        .keys()
        .filter_map(|name| name.strip_prefix(BUNDLED))
        .collect();
    assert!(bundled.len() > 60, "{bundled:?}");
    for (name, elf) in &elf_files {
        assert_eq!(elf.architecture, Some(architecture), "{name}");
        assert!(elf.floor("GLIBC") <= Some(vec![2, 34]), "{name}");
        assert_eq!(elf.rpath, [""; 0], "{name}");
        let of_r = ["libR.so", "libRblas.so"];
        for needed in elf.needed.iter().chain(elf.asked.keys()) {
            let needed = needed.as_str();
            assert!(
                bundled.contains(needed)
                    || of_r.contains(&needed)
                    || OF_THE_SYSTEM.contains(&needed),
                "{name} asks for {needed}"
            );
        }
        if let Some(library) = name.strip_prefix(BUNDLED) {
            assert!(has_hash(library), "{library}");
            assert_eq!(elf.soname.as_deref(), Some(library));
            assert_eq!(elf.runpath, ["$ORIGIN"], "{name}");
        } else if elf.interpreter.is_some() {
            assert_eq!(elf.runpath, [""; 0], "{name} is a program");
        } else if elf
            .needed
            .iter()
            .any(|needed| of_r.contains(&needed.as_str()))
        {
            assert_eq!(elf.runpath, [run_path(name)], "{name}");
        }
    }
    assert_complete(r, &elf_files);
    assert_bill_of_materials(r, &bundled);
}

/// What other tests look for, and what must not be there.
fn assert_complete(r: &Tarball, elf_files: &BTreeMap<&str, ElfFile>) {
    let asks = |name: &str, library: &str| {
        let elf = elf_files
            .get(name)
            .unwrap_or_else(|| panic!("{name} is missing"));
        elf.needed.iter().any(|needed| needed.starts_with(library))
    };
    assert!(asks("lib/R/bin/exec/R", "libR.so"));
    assert!(asks("lib/R/library/grDevices/libs/cairo.so", "libcairo-"));
    assert!(asks("lib/R/modules/R_X11.so", "libX11-"));
    assert!(asks("lib/R/modules/internet.so", "libcurl-"));
    assert!(asks("lib/R/lib/libR.so", "libRblas.so"));
    assert!(asks("lib/R/lib/libRblas.so", "libgomp-"));
    let blas = &elf_files["lib/R/lib/libRblas.so"];
    assert_eq!(blas.soname.as_deref(), Some("libRblas.so"));
    let fontconfig = elf_files
        .keys()
        .find(|name| name.contains("/libfontconfig-"))
        .expect("fontconfig is bundled");
    assert!(asks(fontconfig, "libexpat.so.1"));
    for absent in ["zoneinfo", "libRlapack", "libexpat", "libz-", "libstdc++"] {
        assert!(
            !r.files.keys().any(|name| name.contains(absent)),
            "{absent}"
        );
    }
    for program in ["bin/Rscript", "lib/R/bin/Rscript"] {
        assert!(r.text(program).contains("RHOME="));
        assert!(elf_files.contains_key(format!("{program}.bin").as_str()));
    }
    let profile = r.text("lib/R/library/base/R/Rprofile");
    assert!(profile.contains("HTTPUserAgent") && profile.contains("CURL_CA_BUNDLE"));
    assert!(r.files.contains_key("lib/R/library/Matrix/libs/Matrix.so"));
}

/// Each bundled library is in the list of one Debian package.
fn assert_bill_of_materials(r: &Tarball, bundled: &BTreeSet<&str>) {
    let sbom: serde_json::Value =
        serde_json::from_str(r.text("lib/R/sbom.cdx.json")).expect("JSON");
    assert_eq!(sbom["specVersion"], "1.5");
    let mut listed = BTreeSet::new();
    for component in sbom["components"].as_array().expect("components") {
        let purl = component["purl"].as_str().expect("a purl");
        assert!(purl.starts_with("pkg:deb/debian/"), "{purl}");
        let property = &component["properties"][0];
        assert_eq!(property["name"], "posit:bundled-files");
        let files = property["value"].as_str().expect("files");
        for file in files.split(", ") {
            assert!(listed.insert(file), "{file} is listed twice");
        }
    }
    assert_eq!(&listed, bundled);
}

fn assert_binary_package(package: &Tarball, r: &str, platform: &str, architecture: Architecture) {
    let built = package
        .text("DESCRIPTION")
        .lines()
        .find_map(|line| line.strip_prefix("Built: "))
        .expect("a line that says how it was built");
    let parts: Vec<&str> = built.split("; ").collect();
    assert!(parts[0].starts_with(r), "{built}");
    assert_eq!(parts[1], platform);
    assert!(parts[2].ends_with(" UTC"), "{built}");
    assert_eq!(parts[3..], ["unix"]);
    let library = &package.elf_files()["libs/jsonlite.so"];
    assert_eq!(library.architecture, Some(architecture));
    assert!(package.files.contains_key("help/jsonlite.rdb"));
}

#[test]
fn portable_r_for_x86_64_has_posits_form() {
    let r = Tarball::read(&portable_r(), "4.5.0");
    assert_portable(&r, Architecture::X86_64);
}

#[test]
fn portable_r_for_arm64_has_posits_form() {
    let r = Tarball::read(&portable_r_arm64(), "4.0.4");
    assert_portable(&r, Architecture::Arm64);
}

#[test]
fn binary_packages_have_posits_form() {
    let package = Tarball::read(&binary_jsonlite(), "jsonlite");
    assert_binary_package(
        &package,
        "R 4.5.0",
        "x86_64-pc-linux-gnu",
        Architecture::X86_64,
    );
    let package = Tarball::read(&binary_jsonlite_arm64(), "jsonlite");
    assert_binary_package(
        &package,
        "R 4.0.",
        "aarch64-unknown-linux-gnu",
        Architecture::Arm64,
    );
}

#[test]
fn portable_r_runs_where_it_was_unpacked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = std::fs::File::open(portable_r()).expect("the tarball");
    tar::Archive::new(flate2::read::GzDecoder::new(file))
        .unpack(folder.path())
        .expect("it unpacks");
    let prefix = folder.path().join("4.5.0");
    let mut command = Command::new(prefix.join("bin/Rscript"));
    command.args([
        "--vanilla",
        "-e",
        "cat(as.character(getRversion()), R.home(), La_library(), capabilities(c('cairo', 'ICU', 'libcurl')))",
    ]);
    let said = succeed(command.env_remove("R_HOME")).stdout;
    let home = prefix.join("lib/R");
    let expected = format!(
        "4.5.0 {home} {home}/lib/libRblas.so TRUE TRUE TRUE",
        home = home.display()
    );
    assert_eq!(String::from_utf8_lossy(&said), expected);
}
