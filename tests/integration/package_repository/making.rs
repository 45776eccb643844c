//! Repositories for tests: packages in, and out comes a server with indexes, archives, snapshots and binaries as CRAN
//! and Posit Package Manager have them, and with the faults that are asked for.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Mutex;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use md5::{Digest, Md5};

use crate::download::server::{Reply, Request, Server};

/// A tiny package.
#[derive(Clone)]
pub struct Package {
    name: String,
    description: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Package {
    pub fn new(name: &str, version: &str) -> Package {
        Package {
            name: name.to_owned(),
            description: format!("Package: {name}\nVersion: {version}\nLicense: MIT\n"),
            files: Vec::new(),
        }
    }

    /// With a field more in its DESCRIPTION.
    pub fn field(mut self, name: &str, value: &str) -> Package {
        self.description += &format!("{name}: {value}\n");
        self
    }

    /// As R built it on x86_64.
    pub fn built(self, r: &str) -> Package {
        let built = format!("R {r}; x86_64-pc-linux-gnu; 2025-06-01 00:00:00 UTC; unix");
        self.field("Built", &built)
    }

    /// With a file more.
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Package {
        self.files.push((path.to_owned(), content.into()));
        self
    }

    pub fn tarball(&self) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let description = (
            "DESCRIPTION".to_owned(),
            self.description.clone().into_bytes(),
        );
        for (path, content) in [description].iter().chain(&self.files) {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(content.len() as u64);
            let path = format!("{}/{path}", self.name);
            archive
                .append_data(&mut header, path, &content[..])
                .unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }
}

/// What becomes of requests for a file.
#[derive(Clone)]
pub enum Fault {
    /// 503 the first time.
    BusyOnce,
    /// Nothing more comes after the first half, the first time.
    StallsOnce,
    /// The connection is closed after the first half, the first time.
    BreaksOnce,
    /// The first half, as if it were all.
    Half,
    /// Another content.
    Other(Vec<u8>),
    /// Always that status.
    Status(u16),
}

impl Fault {
    /// A portal's page.
    pub fn page() -> Fault {
        Fault::Other(b"<!DOCTYPE html><title>Please log in</title>".to_vec())
    }
}

struct File {
    content: Vec<u8>,
    kind: Option<&'static str>,
}

/// Repositories that are being made; each lies under a path of the server, as `cran/latest` or `cran/2025-06-01`.
#[derive(Default)]
pub struct Repositories {
    files: BTreeMap<String, File>,
    /// Folder of an index → its records.
    indexes: BTreeMap<String, Vec<String>>,
    faults: Vec<(String, Fault)>,
    authorization: Option<String>,
    no_headers: bool,
    no_gzip: bool,
}

impl Repositories {
    pub fn new() -> Repositories {
        Repositories::default()
    }

    /// A current source package.
    pub fn source(self, base: &str, tarball: Vec<u8>) -> Repositories {
        let md5 = hex::encode(Md5::digest(&tarball));
        self.add(
            &format!("{base}/src/contrib"),
            tarball,
            &format!("MD5sum: {md5}\n"),
        )
    }

    /// All tarballs of a folder of this machine as current source packages.
    pub fn sources_of(mut self, base: &str, folder: &Path) -> Repositories {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().ends_with(".tar.gz") {
                self = self.source(base, std::fs::read(path).unwrap());
            }
        }
        self
    }

    /// An archived source package.
    pub fn archived(mut self, base: &str, tarball: Vec<u8>) -> Repositories {
        let (name, version, _) = described(&tarball);
        let path = format!("{base}/src/contrib/Archive/{name}/{name}_{version}.tar.gz");
        self.put(path, tarball, None);
        self
    }

    /// What is sent as the binary for R 4.5 on x86_64: a source, if it has no `Built`, as Package Manager does.
    pub fn binary(self, base: &str, tarball: Vec<u8>) -> Repositories {
        let folder = format!("{base}/bin/linux/manylinux_2_28-x86_64/4.5/src/contrib");
        self.add(&folder, tarball, "")
    }

    fn add(mut self, folder: &str, tarball: Vec<u8>, fields: &str) -> Repositories {
        let (name, version, description) = described(&tarball);
        let is_binary = description.contains("\nBuilt:");
        let record = format!("{description}{fields}");
        self.indexes
            .entry(folder.to_owned())
            .or_default()
            .push(record);
        let kind = if is_binary { "binary" } else { "source" };
        self.put(
            format!("{folder}/{name}_{version}.tar.gz"),
            tarball,
            Some(kind),
        );
        self
    }

    /// Any other file.
    pub fn put(&mut self, path: String, content: Vec<u8>, kind: Option<&'static str>) {
        self.files.insert(path, File { content, kind });
    }

    /// A fault of all files whose path ends so.
    pub fn fault(mut self, ending: &str, fault: Fault) -> Repositories {
        self.faults.push((ending.to_owned(), fault));
        self
    }

    /// 401 for who does not send that header.
    pub fn for_those_who_say(mut self, authorization: &str) -> Repositories {
        self.authorization = Some(authorization.to_owned());
        self
    }

    /// As a mirror that drops the headers that it does not know.
    pub fn without_package_headers(mut self) -> Repositories {
        self.no_headers = true;
        self
    }

    /// With `PACKAGES` alone.
    pub fn without_gzip(mut self) -> Repositories {
        self.no_gzip = true;
        self
    }

    /// Indexes are written now.
    pub fn serve(mut self) -> Server {
        for (folder, records) in std::mem::take(&mut self.indexes) {
            let text = records.join("\n");
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(text.as_bytes()).unwrap();
            if !self.no_gzip {
                self.put(
                    format!("{folder}/PACKAGES.gz"),
                    gzip.finish().unwrap(),
                    None,
                );
            }
            self.put(format!("{folder}/PACKAGES"), text.into_bytes(), None);
        }
        let asked = Mutex::new(BTreeMap::<String, usize>::new());
        Server::start(move |request, _| {
            let mut asked = asked.lock().unwrap();
            let count = asked.entry(request.target.clone()).or_default();
            *count += 1;
            self.answer(request, *count - 1)
        })
    }

    fn answer(&self, request: &Request, before: usize) -> Reply {
        if self
            .authorization
            .as_deref()
            .is_some_and(|wanted| request.header("authorization") != wanted)
        {
            return Reply::status(401);
        }
        let path = request.target.trim_start_matches('/');
        let fault = self
            .faults
            .iter()
            .find(|(ending, _)| path.ends_with(ending));
        let fault = fault.map(|(_, fault)| fault);
        match fault {
            Some(Fault::Status(status)) => return Reply::status(*status),
            Some(Fault::BusyOnce) if before == 0 => {
                return Reply::status(503).header("Retry-After", "0");
            }
            Some(Fault::Other(content)) => return Reply::ok(content.clone()),
            _ => {}
        }
        let Some(file) = self.files.get(path) else {
            return self.listing(path);
        };
        let half = file.content.len() / 2;
        if let Some(Fault::Half) = fault {
            return Reply::ok(&file.content[..half]);
        }
        let tag = format!("\"{}\"", hex::encode(Md5::digest(&file.content)));
        if request.header("if-none-match") == tag {
            return Reply::status(304).header("ETag", tag);
        }
        let mut reply = Reply::file(request, &file.content, &tag);
        if let (Some(kind), false) = (file.kind, self.no_headers) {
            reply = reply.header("x-package-type", kind);
        }
        match fault {
            Some(Fault::StallsOnce) if before == 0 => reply.stalled_after(half),
            Some(Fault::BreaksOnce) if before == 0 => reply.broken_after(half),
            _ => reply,
        }
    }

    /// A folder's page, as servers make it.
    fn listing(&self, path: &str) -> Reply {
        let inside = self.files.keys().filter_map(|file| file.strip_prefix(path));
        let links: String = inside
            .filter(|name| path.ends_with('/') && !name.contains('/'))
            .map(|name| format!("<a href=\"{name}\">{name}</a>\n"))
            .collect();
        match links.is_empty() {
            true => Reply::status(404),
            false => Reply::ok(links),
        }
    }
}

/// Name, version and DESCRIPTION of a package's tarball.
fn described(tarball: &[u8]) -> (String, String, String) {
    let mut archive = tar::Archive::new(GzDecoder::new(tarball));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().ends_with("DESCRIPTION") {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let field = |name: &str| {
                let start = format!("{name}: ");
                let value = text.lines().find_map(|line| line.strip_prefix(&start));
                value.unwrap().to_owned()
            };
            return (field("Package"), field("Version"), text.clone());
        }
    }
    panic!("a tarball without DESCRIPTION")
}
