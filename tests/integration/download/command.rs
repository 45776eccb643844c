//! Downloads of the command itself: what there is, what is pinned, through which proxy, trusting whom.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use r_layer::cache::Cache;
use r_layer::checksum::Sha256;

use super::certificates::make_certificates;
use super::server::{Reply, Server, nobody};
use super::tarball;
use crate::parts::{fail, only_zip, r_layer, runtime_layer, succeed};

/// What decides where requests go and whom they trust.
const SURROUNDINGS: [&str; 10] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
];

/// A project whose lock knows R 4.4.9 by a hash that no file has: what a command fetched is then told by its error.
struct Project {
    folder: tempfile::TempDir,
    pinned: Sha256,
}

impl Project {
    fn new() -> Project {
        let (folder, pinned) = (tempfile::tempdir().unwrap(), Sha256::of(b"nothing"));
        let lock = format!(
            "version = 1\n\n[[source]]\nname = \"R\"\nversion = \"4.4.9\"\nsha256 = \"{pinned}\"\n"
        );
        std::fs::write(folder.path().join("r-layer.lock"), lock).unwrap();
        Project { folder, pinned }
    }

    fn build(&self, version: &str, cran: &str) -> Command {
        let mut command = r_layer(self.folder.path());
        for variable in SURROUNDINGS {
            command.env_remove(variable);
        }
        command
            .env_remove("SSL_CERT_DIR")
            .env("R_LAYER_CACHE", self.folder.path().join("cache"));
        command.args(["build", "runtime", "--r-source", "cran"]);
        command.args(["--r-version", version, "--cran", cran]);
        command
    }

    /// Makes sure that the command fetched this and refused it for its hash, and that no zip came of it.
    fn assert_fetched(&self, content: &[u8], command: &mut Command) {
        let error = fail(command, 1);
        for hash in [Sha256::of(content), self.pinned] {
            assert!(error.contains(&hash.to_string()), "{error}");
        }
        assert!(error.contains("r-layer.lock"), "{error}");
        assert_eq!(
            std::fs::read_dir(self.folder.path().join("dist"))
                .unwrap()
                .count(),
            0
        );
    }
}

const R_PATH: &str = "src/base/R-4/R-4.4.9.tar.gz";

#[test]
fn a_version_that_the_mirror_lacks_is_answered_with_those_that_it_has() {
    let listing = "<html><h1>Index of /src/base/R-4</h1>\
        <a href=\"/src/base/\">Parent</a> <a href=\"R-4.4.2.tar.gz\">R-4.4.2.tar.gz</a> \
        <a href=\"R-4.5.1.tar.gz\">R-4.5.1.tar.gz</a> <a href=\"R-4.5.1.tar.gz.sig\">signature</a></html>";
    let cran = Server::of_files(&[("src/base/R-4/", listing.as_bytes())]);
    let project = Project::new();
    let error = fail(&mut project.build("4.9.9", &cran.base()), 1);
    assert!(
        error.contains("there is no R 4.9.9; there are: 4.5.1, 4.4.2\n"),
        "{error}"
    );
    assert_eq!(
        cran.targets(),
        ["/src/base/R-4/R-4.9.9.tar.gz", "/src/base/R-4/"]
    );

    let empty = Server::of_files(&[]);
    let error = fail(&mut project.build("4.9.9", &empty.base()), 1);
    assert!(error.contains("R 4.9.9 was not found"), "{error}");
    assert!(
        error.contains(&format!(
            "{}: not there (HTTP 404",
            empty.url("src/base/R-4/R-4.9.9.tar.gz")
        )),
        "{error}"
    );
}

#[test]
fn another_content_than_the_lock_says_is_refused() {
    let served = tarball("R-4.4.9/VERSION", "4.4.9");
    let cran = Server::of_files(&[(R_PATH, &served)]);
    let project = Project::new();
    project.assert_fetched(&served, &mut project.build("4.4.9", &cran.base()));
}

/// R and its libcurl are in the shared cache; the package comes from the mirror.
#[test]
fn what_a_mirror_served_is_pinned_and_taken_again_without_it() {
    let built = runtime_layer().parent().unwrap().parent().unwrap();
    let (version, sha256) = locked_jsonlite(built);
    let kept = Cache::from_environment()
        .unwrap()
        .get("downloads", &sha256)
        .unwrap();
    let package = std::fs::read(kept).unwrap();
    let path = format!("src/contrib/jsonlite_{version}.tar.gz");
    let index = format!("Package: jsonlite\nVersion: {version}\n");
    let cran = Server::of_files(&[
        ("src/contrib/PACKAGES", index.as_bytes()),
        (&path, &package),
    ]);

    let folder = tempfile::tempdir().unwrap();
    let build = |cran: &str| {
        let mut command = r_layer(folder.path());
        succeed(command.env("NO_PROXY", "127.0.0.1").args([
            "build",
            "runtime",
            "--r-source",
            "cran",
            "--cran",
            cran,
        ]));
        std::fs::read(only_zip(&folder.path().join("dist"))).unwrap()
    };
    let first = build(&cran.base());
    assert_eq!(
        cran.targets(),
        ["/src/contrib/PACKAGES".to_owned(), format!("/{path}")]
    );
    assert_eq!(locked_jsonlite(folder.path()), (version, sha256));
    let lock = std::fs::read_to_string(folder.path().join("r-layer.lock")).unwrap();
    assert!(
        lock.contains(&format!("url = \"{}\"", cran.url(&path))),
        "{lock}"
    );

    assert!(build(&nobody()) == first);
    assert_eq!(
        std::fs::read_to_string(folder.path().join("r-layer.lock")).unwrap(),
        lock
    );
}

/// The version and the hash of jsonlite in a project's lock.
fn locked_jsonlite(project: &Path) -> (String, String) {
    let lock = r_layer::lockfile::Lockfile::read(project).unwrap();
    let source = lock
        .versions("jsonlite", None)
        .next()
        .expect("jsonlite is locked");
    (source.version.clone(), source.sha256.to_string())
}

#[test]
fn a_proxy_is_asked_unless_the_server_is_excepted() {
    let (proxied, direct) = (
        tarball("R-4.4.9/VERSION", "proxied"),
        tarball("R-4.4.9/VERSION", "direct"),
    );
    let body = proxied.clone();
    let proxy = Server::start(move |_, _| Reply::ok(body.clone()));
    let cran = Server::of_files(&[(R_PATH, &direct)]);
    let project = Project::new();
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let mut command = project.build("4.4.9", "http://cran.invalid");
        project.assert_fetched(&proxied, command.env(variable, proxy.base()));
    }
    assert_eq!(
        proxy.targets(),
        vec![format!("http://cran.invalid/{R_PATH}"); 3]
    );

    let mut command = project.build("4.4.9", &cran.base());
    project.assert_fetched(&proxied, command.env("HTTP_PROXY", proxy.base()));
    let mut command = project.build("4.4.9", &cran.base());
    project.assert_fetched(
        &direct,
        command
            .env("HTTP_PROXY", proxy.base())
            .env("NO_PROXY", "localhost,127.0.0.1"),
    );
    assert_eq!((proxy.requests().len(), cran.requests().len()), (4, 1));
}

/// A server with a certificate of an authority that no system knows: `openssl s_server`.
struct TlsServer {
    folder: tempfile::TempDir,
    process: Child,
    port: u16,
}

impl TlsServer {
    fn start(files: &[(&str, &[u8])]) -> TlsServer {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        make_certificates(folder.path());
        let mut process = Command::new("openssl")
            .args([
                "s_server",
                "-accept",
                "127.0.0.1:0",
                "-WWW",
                "-cert",
                "server.pem",
                "-key",
                "server.key",
            ])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is installed");
        let port = port_of(&mut process);
        TlsServer {
            folder,
            process,
            port,
        }
    }

    fn base(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The certificate of the authority.
    fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// It says `ACCEPT 127.0.0.1:PORT` when it is ready.
fn port_of(process: &mut Child) -> u16 {
    use std::io::BufRead;
    let lines = std::io::BufReader::new(process.stdout.as_mut().unwrap()).lines();
    lines
        .map_while(Result::ok)
        .find_map(|line| {
            line.strip_prefix("ACCEPT ")?
                .rsplit_once(':')?
                .1
                .parse()
                .ok()
        })
        .expect("openssl tells its port")
}

#[test]
fn an_authority_of_ones_own_is_trusted_where_it_is_named() {
    let served = tarball("R-4.4.9/VERSION", "4.4.9");
    let server = TlsServer::start(&[(R_PATH, &served)]);
    let project = Project::new();
    for variable in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        let mut command = project.build("4.4.9", &server.base());
        project.assert_fetched(&served, command.env(variable, server.authority()));
    }
    let error = fail(&mut project.build("4.4.9", &server.base()), 1);
    assert!(
        error.contains(&server.base()) && error.contains("certificate"),
        "{error}"
    );
    assert!(
        error.contains("UnknownIssuer") && error.contains("AWS_CA_BUNDLE"),
        "{error}"
    );
    assert!(
        !error.contains("tries"),
        "a certificate does not get better: {error}"
    );
}

#[test]
fn a_file_that_holds_no_certificate_is_named_with_its_variable() {
    let project = Project::new();
    let file = project.folder.path().join("authorities.pem");
    let nonsense = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n";
    for variable in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        for content in [None, Some(""), Some("no certificate"), Some(nonsense)] {
            let _ = std::fs::remove_file(&file);
            if let Some(content) = content {
                std::fs::write(&file, content).unwrap();
            }
            let error = fail(project.build("4.4.9", &nobody()).env(variable, &file), 1);
            let named = format!(
                "{variable} names {}, which cannot be used: ",
                file.display()
            );
            assert!(error.contains(&named), "{content:?}: {error}");
        }
    }
}
