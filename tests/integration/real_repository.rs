//! Repositories of real packages: upstream's tarballs laid out as CRAN has them, and what was compiled from them laid out as
//! Posit Package Manager has it. tests/real_repository makes them, once on a machine, and serves them.

mod large_index;
mod packages;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use crate::parts::real_repositories;

/// The day of the snapshot that is the latest too.
pub const SNAPSHOT: &str = "2025-06-01";

/// A day before, of which there are older versions, without binaries.
pub const EARLY_SNAPSHOT: &str = "2023-03-01";

/// Packages that need more than 30 others, all with binaries, and no library that Lambda or the runtime layer lacks.
pub const LARGE_REQUEST: [&str; 10] = [
    "ggplot2",
    "dplyr",
    "purrr",
    "data.table",
    "Rcpp",
    "quadprog",
    "rappdirs",
    "mime",
    "openssl",
    "cpp11",
];

/// A repository by its base URL; `src/contrib` lies below it. It is there as long as the tests run.
pub struct RealRepository {
    /// Without a slash at its end.
    pub base: String,
    folder: PathBuf,
}

impl RealRepository {
    /// The same files on this machine, for tests that take a package or break one.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A package's tarball among them, of whatever version there is.
    pub fn tarball(&self, contrib: &str, package: &str) -> PathBuf {
        let folder = self.folder.join(contrib);
        let begins = format!("{package}_");
        let entries = std::fs::read_dir(&folder).expect("a folder of packages");
        entries
            .map(|entry| entry.expect("an entry"))
            .find(|entry| entry.file_name().to_string_lossy().starts_with(&begins))
            .unwrap_or_else(|| panic!("{} has no {package}", folder.display()))
            .path()
    }
}

/// As CRAN: sources, and an archive, in which glue 1.6.2 is.
pub fn cran() -> RealRepository {
    served("cran")
}

/// As Posit Package Manager: what lies in `latest` and under the days. Binaries for R 4.5 on x86_64, manylinux_2_28;
/// backports has none, so that its source is what a client gets.
pub fn p3m() -> RealRepository {
    served("p3m/cran")
}

fn served(path: &str) -> RealRepository {
    RealRepository {
        base: format!("{}/{path}", server().0),
        folder: real_repositories().join(path),
    }
}

/// The server, which ends with this process: then nobody holds its stdin any more.
fn server() -> &'static (String, Child) {
    static SERVER: OnceLock<(String, Child)> = OnceLock::new();
    SERVER.get_or_init(|| {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_repository/serve.py");
        let mut child = Command::new("python3")
            .arg(program)
            .arg(real_repositories())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("its stdout");
        BufReader::new(stdout)
            .read_line(&mut url)
            .expect("the server says its URL");
        assert!(url.starts_with("http://"), "the server said {url:?}");
        (url.trim_end().to_owned(), child)
    })
}

/// The root file system in which the binaries were compiled.
pub fn root() -> PathBuf {
    let kept = real_repositories();
    let kept = kept.parent().expect("its folder");
    let entries = std::fs::read_dir(kept).expect("the folder is there");
    entries
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.join("usr/lib").is_dir())
        .expect("a root")
}
