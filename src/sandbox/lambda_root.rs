//! A root file system like Lambda's, made from the files of a Debian release: the commands that Lambda has and the libraries
//! that these need, its locales, its certificates; and nothing else. What a handler finds missing on Lambda
//! (`which`, tar, perl, time-zone data) it finds missing here.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::checksum::Sha256;
use crate::elf::{Closure, ElfFile, LibraryFolders, LibrarySource, is_elf};
use crate::os::{set_mode, symlink};
use crate::progress::Reporter;
use crate::sandbox::{RootError, unpack_debian};
use crate::target::{Architecture, Target};

/// What a Debian root needs beside its minimum to have Lambda's commands.
const PACKAGES: [&str; 4] = ["ca-certificates", "curl", "gawk", "zlib1g"];

/// Libraries that are there though no command needs them.
const LIBRARIES: [&str; 6] = [
    "libstdc++.so.6",
    "libgcc_s.so.1",
    "libz.so.1",
    "libnss_files.so.2",
    "libnss_dns.so.2",
    "libresolv.so.2",
];

/// The converters of iconv() that glibc's own package holds; the rest is in glibc-gconv-extra, which Lambda lacks.
const CONVERTERS: [&str; 8] = [
    "ANSI_X3.110",
    "CP1252",
    "ISO8859-1",
    "ISO8859-15",
    "UNICODE",
    "UTF-16",
    "UTF-32",
    "UTF-7",
];

/// A root like the target's, from a Debian release; from the cache or made now.
pub async fn lambda_root(
    suite: &str,
    target: &Target,
    architecture: Architecture,
    cache: &crate::cache::Cache,
    reporter: &dyn Reporter,
) -> Result<PathBuf, RootError> {
    let name = name(suite, target, architecture);
    cache
        .get_or_make("roots", &name, reporter, async |content: &Path| {
            let packages = PACKAGES.map(str::to_owned);
            let unpacked = cache.unfinished()?;
            let debian = unpacked.path().join("debian");
            unpack_debian(suite, &packages, architecture, &debian, cache, reporter).await?;
            Maker {
                debian: &debian,
                root: content,
                architecture,
            }
            .make(target)?;
            Ok(())
        })
        .await
}

/// The same, if it is in the cache already.
pub fn cached_lambda_root(
    suite: &str,
    target: &Target,
    architecture: Architecture,
    cache: &crate::cache::Cache,
) -> Option<PathBuf> {
    cache.get("roots", &name(suite, target, architecture))
}

/// A root of another recipe is another root.
fn name(suite: &str, target: &Target, architecture: Architecture) -> String {
    let recipe = target.sandbox.commands.iter().map(String::as_bytes);
    let key = Sha256::of_parts(recipe.chain([include_bytes!("lambda_root.rs").as_slice()])).short();
    format!("lambda-{}-{suite}-{architecture}-{key}", target.short_name)
}

struct Maker<'a> {
    debian: &'a Path,
    root: &'a Path,
    architecture: Architecture,
}

impl Maker<'_> {
    fn make(&self, target: &Target) -> io::Result<()> {
        for folder in [
            "usr/bin",
            "usr/lib64",
            "etc/pki/tls/certs",
            "opt",
            "var/task",
            "var/runtime",
            "tmp",
            "proc",
            "dev",
        ] {
            fs_err::create_dir_all(self.root.join(folder))?;
        }
        self.link_folders()?;
        let commands = self.copy_commands(&target.sandbox.commands)?;
        self.copy_libraries(&commands)?;
        self.copy_locale()?;
        self.copy_converters()?;
        self.write_configuration()
    }

    /// Amazon Linux's layout. Debian's loader looks in its own folders, so these lead to the same place.
    fn link_folders(&self) -> io::Result<()> {
        symlink("usr/bin", self.root.join("bin"))?;
        symlink("usr/bin", self.root.join("sbin"))?;
        symlink("usr/lib64", self.root.join("lib64"))?;
        symlink("usr/lib64", self.root.join("lib"))?;
        symlink("lib64", self.root.join("usr/lib"))?;
        let triplet = format!("{}-linux-gnu", self.architecture.machine_name());
        symlink(".", self.root.join("usr/lib64").join(triplet))
    }

    fn copy_commands(&self, names: &[String]) -> io::Result<BTreeMap<String, ElfFile>> {
        let mut programs = BTreeMap::new();
        for name in names {
            // Lambda's sh is bash, and its awk is gawk; Debian has others of those names.
            let source = match name.as_str() {
                "sh" => "bash",
                "awk" => "gawk",
                name => name,
            };
            let found = ["bin", "usr/bin"]
                .iter()
                .map(|folder| self.debian.join(folder).join(source))
                .find(|path| path.is_file());
            let Some(path) = found else {
                continue;
            };
            let content = fs_err::read(&path)?;
            if is_elf(&content)
                && let Ok(elf) = ElfFile::read(&content[..])
            {
                programs.insert(name.clone(), elf);
            }
            self.write(&format!("usr/bin/{name}"), &content, 0o755)?;
        }
        Ok(programs)
    }

    fn copy_libraries(&self, programs: &BTreeMap<String, ElfFile>) -> io::Result<()> {
        let mut wanted = programs.clone();
        let needed = LIBRARIES.map(str::to_owned).to_vec();
        wanted.insert(
            "Lambda".to_owned(),
            ElfFile {
                needed,
                ..ElfFile::default()
            },
        );
        for elf in programs.values() {
            if let Some(loader) = elf
                .interpreter
                .as_deref()
                .and_then(|path| path.rsplit('/').next())
            {
                let needed = vec![loader.to_owned()];
                wanted.insert(
                    loader.to_owned(),
                    ElfFile {
                        needed,
                        ..ElfFile::default()
                    },
                );
            }
        }
        let folders = LibraryFolders::of_root(self.debian, self.architecture, &[]);
        let closure = Closure::complete(&wanted, |_| false, &folders, self.architecture);
        for (soname, library) in closure.libraries {
            self.write(&format!("usr/lib64/{soname}"), &library.content, 0o755)?;
        }
        Ok(())
    }

    /// C.UTF-8 is the one locale beside C that Lambda has; older glibc keeps it in files.
    fn copy_locale(&self) -> io::Result<()> {
        for name in ["C.UTF-8", "C.utf8"] {
            let from = self.debian.join("usr/lib/locale").join(name);
            if from.is_dir() {
                copy_folder(&from, &self.root.join("usr/lib64/locale").join(name))?;
            }
        }
        Ok(())
    }

    /// Without them R can neither read Latin-1 nor translate a string that is marked as such.
    fn copy_converters(&self) -> io::Result<()> {
        let triplet = format!("{}-linux-gnu", self.architecture.machine_name());
        let from = self.debian.join("usr/lib").join(triplet).join("gconv");
        fs_err::create_dir_all(self.root.join("usr/lib64/gconv"))?;
        let modules = CONVERTERS.map(|name| format!("{name}.so"));
        // A later glibc may have one of them built in.
        let there = |name: &&str| from.join(name).is_file();
        for name in modules
            .iter()
            .map(String::as_str)
            .chain(["gconv-modules"])
            .filter(there)
        {
            let content = fs_err::read(from.join(name))?;
            self.write(&format!("usr/lib64/gconv/{name}"), &content, 0o755)?;
        }
        Ok(())
    }

    /// All of Mozilla's authorities in one file, as update-ca-certificates writes them.
    fn certificates(&self) -> io::Result<Vec<u8>> {
        let folder = self.debian.join("usr/share/ca-certificates/mozilla");
        let mut files: Vec<PathBuf> = fs_err::read_dir(folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()?;
        files.sort();
        let mut all = Vec::new();
        for file in files {
            all.extend(fs_err::read(file)?);
            all.push(b'\n');
        }
        Ok(all)
    }

    fn write_configuration(&self) -> io::Result<()> {
        let certificates = self.certificates()?;
        self.write("etc/pki/tls/certs/ca-bundle.crt", &certificates, 0o644)?;
        self.write(
            "etc/nsswitch.conf",
            b"passwd: files\ngroup: files\nhosts: files dns\n",
            0o644,
        )?;
        self.write("etc/hosts", b"127.0.0.1 localhost\n", 0o644)?;
        self.write("etc/resolv.conf", b"", 0o644)?;
        self.write(
            "etc/passwd",
            b"root:x:0:0:root:/root:/bin/bash\nsbx_user1051:x:993:990::/tmp:/bin/sh\n",
            0o644,
        )?;
        self.write("etc/group", b"root:x:0:\nsbx_user1051:x:990:\n", 0o644)?;
        self.write(
            "etc/system-release",
            b"Amazon Linux release 2023 (Amazon Linux)\n",
            0o644,
        )
    }

    fn write(&self, path: &str, content: &[u8], mode: u32) -> io::Result<()> {
        let path = self.root.join(path);
        fs_err::write(&path, content)?;
        set_mode(&path, mode)
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &place)?;
        } else {
            fs_err::copy(entry.path(), place)?;
        }
    }
    Ok(())
}

/// The glibc version of a root: `[2, 31]`.
///
/// Read from the banner in its libc.so.6. The symbol versions would not do: a release that adds no function to
/// libc.so.6 (2.31) leaves no mark there.
pub fn glibc_of_root(root: &Path, architecture: Architecture) -> Option<Vec<u32>> {
    const BANNER: &[u8] = b"GNU C Library";
    const VERSION: &str = "release version ";
    let folders = LibraryFolders::of_root(root, architecture, &[]);
    let content = folders.find("libc.so.6", architecture)?.content;
    let start = content
        .windows(BANNER.len())
        .position(|window| window == BANNER)?;
    let banner =
        String::from_utf8_lossy(&content[start..content.len().min(start + 200)]).into_owned();
    let version = banner.split_once(VERSION)?.1;
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    crate::elf::parse_version_number(version[..end].trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_glibc_of_this_machine_is_what_it_says_itself() {
        let architecture = Architecture::of_this_machine().unwrap();
        let found = glibc_of_root(Path::new("/"), architecture).unwrap();
        let found = found
            .iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join(".");
        let said = std::process::Command::new("getconf")
            .arg("GNU_LIBC_VERSION")
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&said.stdout).trim(),
            format!("glibc {found}")
        );
    }
}
