//! `build runtime` from Posit's portable R and binary packages, in their real form, from servers of this machine.

mod answers;
mod packages;
mod refused;
mod versions;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::download::server::{Reply, Request, Server};
use crate::parts::{binary_jsonlite, binary_jsonlite_arm64, portable_r, portable_r_arm64, r_layer};

/// What decides where R comes from, and whom servers take us for.
const SURROUNDINGS: [&str; 8] = [
    "R_LAYER_POSIT",
    "R_LAYER_P3M",
    "R_LAYER_REPO_POSIT_TOKEN",
    "R_LAYER_REPO_P3M_TOKEN",
    "NETRC",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
];

/// Posit's two servers: path → content.
#[derive(Clone, Default)]
pub struct Posit {
    files: Vec<(String, Arc<[u8]>)>,
}

impl Posit {
    /// With R 4.5.0 for x86_64 and R 4.0.4 for arm64, and jsonlite for both.
    pub fn complete() -> Posit {
        let mut posit = Posit::default();
        posit.list(&["4.0.4", "4.4.3", "4.5.0", "next", "devel"]);
        posit.r("R-4.5.0-manylinux_2_34.tar.gz", read(&portable_r()));
        posit.r(
            "R-4.0.4-manylinux_2_34-arm64.tar.gz",
            read(&portable_r_arm64()),
        );
        posit.package("x86_64", "4.5", "1.9.1", read(&binary_jsonlite()));
        posit.package("aarch64", "4.0", "1.7.2", read(&binary_jsonlite_arm64()));
        posit
    }

    /// The published list of versions.
    pub fn list(&mut self, versions: &[&str]) {
        let list = serde_json::json!({ "r_versions": versions }).to_string();
        self.put("/r/versions.json", list.into_bytes());
    }

    /// A portable R.
    pub fn r(&mut self, name: &str, content: Vec<u8>) {
        self.put(&format!("/r/manylinux_2_34/{name}"), content);
    }

    /// jsonlite's binary for a processor and a minor version of R.
    pub fn package(&mut self, machine: &str, r: &str, version: &str, content: Vec<u8>) {
        self.binary(machine, r, &format!("jsonlite_{version}"), "", content);
    }

    /// A binary package (`PACKAGE_VERSION`) for a processor and a minor version of R. `fields`: what its index says of it
    /// beside name and version, a line each.
    pub fn binary(&mut self, machine: &str, r: &str, name: &str, fields: &str, content: Vec<u8>) {
        let folder = format!("/p3m/bin/linux/manylinux_2_28-{machine}/{r}/src/contrib");
        self.list_package(&folder, name, fields, content);
    }

    /// A source package.
    pub fn source(&mut self, name: &str, content: Vec<u8>) {
        self.list_package("/p3m/src/contrib", name, "", content);
    }

    fn list_package(&mut self, folder: &str, name: &str, fields: &str, content: Vec<u8>) {
        let (package, version) = name.split_once('_').unwrap();
        let path = format!("{folder}/PACKAGES");
        let listed = self.files.iter().find(|(known, _)| *known == path);
        let mut index = listed.map_or(Vec::new(), |(_, index)| index.to_vec());
        let record = format!("Package: {package}\nVersion: {version}\n{fields}\n");
        index.extend(record.into_bytes());
        self.put(&path, index);
        self.put(&format!("{folder}/{name}.tar.gz"), content);
    }

    fn put(&mut self, path: &str, content: Vec<u8>) {
        self.files.retain(|(other, _)| other != path);
        self.files.push((path.to_owned(), content.into()));
    }

    fn answer(&self, request: &Request) -> Reply {
        let path = request.target.split('?').next().unwrap_or_default();
        match self.files.iter().find(|(known, _)| known == path) {
            Some((_, content)) => Reply::file(request, content, "\"one\""),
            None => Reply::status(404),
        }
    }

    /// Serves it.
    pub fn serve(self) -> Server {
        Server::start(move |request, _| self.answer(request))
    }
}

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// A project with a cache of its own.
pub struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    pub fn new() -> Project {
        let folder = tempfile::tempdir().unwrap();
        Project { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The lock's text.
    pub fn lock(&self) -> String {
        std::fs::read_to_string(self.path("r-layer.lock")).unwrap_or_default()
    }

    /// `build runtime` with these servers.
    pub fn build(&self, servers: &str) -> Command {
        let mut command = self.command(servers);
        command.args(["build", "runtime"]);
        command
    }

    /// r-layer with these servers.
    pub fn command(&self, servers: &str) -> Command {
        let mut command = r_layer(self.folder.path());
        for variable in SURROUNDINGS {
            command.env_remove(variable);
        }
        command
            .env("HOME", self.folder.path())
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("R_LAYER_CACHE", self.path("cache"))
            .env("R_LAYER_POSIT", format!("{servers}/r"))
            .env("R_LAYER_P3M", format!("{servers}/p3m"));
        command
    }

    /// Makes sure that nothing came of a build but what the cache may keep.
    pub fn assert_nothing_built(&self) {
        let dist = self.path("dist");
        let built = std::fs::read_dir(&dist).map_or(0, Iterator::count);
        assert_eq!(built, 0, "{}", dist.display());
        let unfinished = std::fs::read_dir(self.path("cache/unfinished")).unwrap();
        assert_eq!(unfinished.count(), 0);
    }
}
