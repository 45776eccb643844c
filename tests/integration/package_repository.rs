//! Package repositories: indexes and packages from servers laid out as CRAN and Posit Package Manager are, that
//! stall, break off, refuse and lie; packages of this machine, of git and of GitHub.

mod credentials;
mod fetching;
mod indexes;
pub mod making;
pub mod origins;
mod refused;

use std::time::Duration;

use r_layer::cache::Cache;
use r_layer::credentials::Credentials;
use r_layer::http::{Http, Patience};
use r_layer::lockfile::BuiltFor;
use r_layer::progress::Silent;
use r_layer::repository::{Binaries, PackageSources, RepositorySet, RepositorySettings};
use r_layer::target::Architecture;

/// Tries again at once, and gives up early.
const QUICK: Patience = Patience {
    tries: 3,
    first_pause: Duration::from_millis(1),
    silence: Duration::from_secs(2),
};

/// A cache of its own, a client, and whether the network is used.
struct Place {
    folder: tempfile::TempDir,
    cache: Cache,
    http: Http,
    offline: bool,
}

impl Place {
    fn new() -> Place {
        Place::knowing(Credentials::default())
    }

    fn knowing(credentials: Credentials) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("cache")).unwrap();
        let http = Http::from_environment(QUICK, credentials).unwrap();
        Place {
            folder,
            cache,
            http,
            offline: false,
        }
    }

    fn sources(&self) -> PackageSources<'_> {
        PackageSources {
            http: &self.http,
            cache: &self.cache,
            reporter: &Silent,
            offline: self.offline,
        }
    }

    /// How many tarballs the cache keeps; and that no work is left behind.
    fn downloads(&self) -> usize {
        let unfinished = std::fs::read_dir(self.cache.folder().join("unfinished")).unwrap();
        assert_eq!(unfinished.count(), 0);
        self.cache.names("downloads").len()
    }
}

fn settings(name: &str, base: &str) -> RepositorySettings {
    RepositorySettings {
        name: name.to_owned(),
        base: base.to_owned(),
        snapshot: None,
        binaries: Binaries::None,
    }
}

fn with_binaries(name: &str, base: &str) -> RepositorySettings {
    RepositorySettings {
        binaries: Binaries::PackageManager {
            platform: "manylinux_2_28".to_owned(),
        },
        ..settings(name, base)
    }
}

fn set(settings: &[RepositorySettings]) -> RepositorySet {
    RepositorySet::new(settings, &mut Credentials::default()).unwrap()
}

fn r45() -> BuiltFor {
    BuiltFor {
        architecture: Architecture::X86_64,
        r: Some("4.5".to_owned()),
    }
}
