//! A registry of our own, and images that are made by hand.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use r_layer::checksum::Sha256;
use serde_json::{Value, json};

use crate::parts::succeed;

/// Debian's docker-registry on a port of its own. It ends with the test program, however that ends.
pub struct Registry {
    port: u16,
    storage: tempfile::TempDir,
    // Its closed stdin ends the registry.
    _process: Child,
}

impl Registry {
    /// Starts one without images.
    pub fn start() -> Registry {
        Registry::start_for(None, "")
    }

    /// Starts one with a certificate, which answers to that line of a file of passwords only.
    pub fn start_with_tls(users: &str, certificate: &Path, key: &Path) -> Registry {
        let (certificate, key) = (certificate.display(), key.display());
        let tls = format!(", tls: {{certificate: {certificate}, key: {key}}}");
        Registry::start_for(Some(users), &tls)
    }

    /// Starts one that answers to a user `reader` with the password `secret` only.
    pub fn start_closed() -> Registry {
        Registry::start_for(
            Some("reader:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"),
            "",
        )
    }

    fn start_for(users: Option<&str>, tls: &str) -> Registry {
        let storage = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let configuration = storage.path().join("config.yml");
        let passwords = storage.path().join("passwords");
        let auth = users.map_or(String::new(), |users| {
            std::fs::write(&passwords, users).unwrap();
            let path = passwords.display();
            format!("auth: {{htpasswd: {{realm: test, path: {path}}}}}\n")
        });
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"127.0.0.1:{port}\"{tls}}}\n{auth}",
            storage.path().display()
        );
        std::fs::write(&configuration, text).unwrap();
        let script = "docker-registry serve \"$0\" & cat >/dev/null; kill $!";
        let process = Command::new("/bin/sh")
            .args(["-c", script])
            .arg(&configuration)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is installed by scripts/test");
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(60), "docker-registry");
            std::thread::sleep(Duration::from_millis(20));
        }
        Registry {
            port,
            storage,
            _process: process,
        }
    }

    /// Where it listens on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name of an image in it.
    pub fn name(&self, image: &str) -> String {
        format!("localhost:{}/{image}", self.port)
    }

    /// The same as a root of r-layer.
    pub fn root(&self, image: &str) -> String {
        format!("oci:{}", self.name(image))
    }

    /// Lets skopeo push a layout.
    pub fn push(&self, layout: &Layout, image: &str) {
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "--all"]);
        skopeo.args(["--dest-tls-verify=false", "--dest-creds=reader:secret"]);
        skopeo.arg(format!("oci:{}:made", layout.folder.path().display()));
        succeed(skopeo.arg(format!("docker://{}", self.name(image))));
    }

    /// The file in which it keeps a blob.
    pub fn blob(&self, digest: &Sha256) -> PathBuf {
        let hex = digest.to_string();
        self.storage
            .path()
            .join("docker/registry/v2/blobs/sha256")
            .join(&hex[..2])
            .join(&hex)
            .join("data")
    }
}

/// How a layer is compressed.
#[derive(Clone, Copy, Debug)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    fn apply(self, tarball: &[u8]) -> (Vec<u8>, &'static str) {
        match self {
            Compression::None => (tarball.to_vec(), ""),
            Compression::Gzip => {
                let level = flate2::Compression::fast();
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(tarball).unwrap();
                (encoder.finish().unwrap(), "+gzip")
            }
            Compression::Zstd => (zstd::encode_all(tarball, 1).unwrap(), "+zstd"),
        }
    }
}

/// A folder laid out as OCI has it: blobs by their digest.
pub struct Layout {
    folder: tempfile::TempDir,
}

impl Layout {
    /// An image of these layers, for that architecture.
    pub fn of_image(architecture: &str, layers: &[(&[u8], Compression)]) -> Layout {
        let layout = Layout::new();
        let manifest = layout.manifest(architecture, layers, &Value::Null);
        layout.finish(manifest)
    }

    /// The same, with what its configuration says of how it is started.
    pub fn of_started(
        architecture: &str,
        layers: &[(&[u8], Compression)],
        start: &Value,
    ) -> Layout {
        let layout = Layout::new();
        let manifest = layout.manifest(architecture, layers, start);
        layout.finish(manifest)
    }

    /// Changes the kind of the first layer, as manifests name it.
    pub fn with_layer_kind(self, kind: &str) -> Layout {
        let mut manifest: Value = serde_json::from_slice(&self.manifest_content()).unwrap();
        manifest["layers"][0]["mediaType"] = json!(kind);
        let name = manifest["mediaType"].as_str().unwrap().to_owned();
        let manifest = self.add(&name, manifest.to_string().as_bytes());
        self.finish(manifest)
    }

    /// An index of images, one for each of these architectures, of the same layers.
    pub fn of_index(architectures: &[&str], layers: &[(&[u8], Compression)]) -> Layout {
        let layout = Layout::new();
        let manifests: Vec<Value> = architectures
            .iter()
            .map(|architecture| {
                let mut manifest = layout.manifest(architecture, layers, &Value::Null);
                manifest["platform"] = json!({"architecture": architecture, "os": "linux"});
                manifest
            })
            .collect();
        let kind = "application/vnd.oci.image.index.v1+json";
        let index = json!({"schemaVersion": 2, "mediaType": kind, "manifests": manifests});
        let index = layout.add(kind, index.to_string().as_bytes());
        layout.finish(index)
    }

    fn new() -> Layout {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
        let version = json!({"imageLayoutVersion": "1.0.0"}).to_string();
        std::fs::write(folder.path().join("oci-layout"), version).unwrap();
        Layout { folder }
    }

    fn add(&self, kind: &str, content: &[u8]) -> Value {
        let digest = Sha256::of(content);
        let path = self
            .folder
            .path()
            .join("blobs/sha256")
            .join(digest.to_string());
        std::fs::write(path, content).unwrap();
        json!({"mediaType": kind, "digest": digest.oci(), "size": content.len()})
    }

    fn manifest(
        &self,
        architecture: &str,
        layers: &[(&[u8], Compression)],
        start: &Value,
    ) -> Value {
        let ids: Vec<String> = layers
            .iter()
            .map(|(tar, _)| Sha256::of(tar).oci())
            .collect();
        let history = vec![json!({"created_by": "made"}); layers.len()];
        let config = json!({
            "architecture": architecture, "os": "linux", "config": start, "history": history,
            "rootfs": {"type": "layers", "diff_ids": ids},
        });
        let config = self.add(
            "application/vnd.oci.image.config.v1+json",
            config.to_string().as_bytes(),
        );
        let layers: Vec<Value> = layers
            .iter()
            .map(|(tar, compression)| {
                let (content, ending) = compression.apply(tar);
                self.add(
                    &format!("application/vnd.oci.image.layer.v1.tar{ending}"),
                    &content,
                )
            })
            .collect();
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let manifest =
            json!({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers});
        self.add(kind, manifest.to_string().as_bytes())
    }

    fn finish(self, mut only: Value) -> Layout {
        only["annotations"] = json!({"org.opencontainers.image.ref.name": "made"});
        let index = json!({"schemaVersion": 2, "manifests": [only]});
        std::fs::write(self.folder.path().join("index.json"), index.to_string()).unwrap();
        self
    }

    /// The blobs by their digests, `sha256:…`.
    pub fn blobs(&self) -> BTreeMap<String, Vec<u8>> {
        let blobs = std::fs::read_dir(self.folder.path().join("blobs/sha256")).unwrap();
        let read = |blob: std::io::Result<std::fs::DirEntry>| {
            let content = std::fs::read(blob.unwrap().path()).unwrap();
            (Sha256::of(&content).oci(), content)
        };
        blobs.map(read).collect()
    }

    /// The first manifest that has layers.
    pub fn manifest_content(&self) -> Vec<u8> {
        let has_layers = |content: &Vec<u8>| {
            serde_json::from_slice::<Value>(content)
                .is_ok_and(|manifest| manifest["layers"].is_array())
        };
        self.blobs()
            .into_values()
            .find(has_layers)
            .expect("a manifest with layers")
    }

    /// The digest of the layer of that number of the first manifest that has layers.
    pub fn layer(&self, number: usize) -> Sha256 {
        let manifest: Value = serde_json::from_slice(&self.manifest_content()).unwrap();
        let digest = manifest["layers"][number]["digest"].as_str().unwrap();
        digest.strip_prefix("sha256:").unwrap().parse().unwrap()
    }
}

/// The tarball of a root file system, without what only people read.
pub fn tarball_of(root: &Path) -> Vec<u8> {
    let mut tar = Command::new("tar");
    tar.args([
        "--create",
        "--numeric-owner",
        "--exclude=./usr/share/doc",
        "--exclude=./usr/share/locale",
    ]);
    tar.args([
        "--exclude=./usr/share/man",
        "--exclude=./var/cache",
        "--directory",
    ]);
    succeed(tar.arg(root).arg(".")).stdout
}
