//! Shared libraries from an RPM repository: a real one, made by rpmbuild and createrepo_c of libraries that gcc made, served
//! over HTTP.

mod completed;
pub mod making;
mod refused;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use r_layer::cache::Cache;
use r_layer::credentials::Credentials;
use r_layer::elf::LibraryFolders;
use r_layer::http::{Http, Patience};
use r_layer::layer::LayerTree;
use r_layer::layer::library_rules::LibraryRules;
use r_layer::progress::Silent;
use r_layer::repository::rpm_repository::{
    Completed, Completion, CompletionError, LockedRpm, RpmAccess, RpmRepository,
};
use r_layer::target::{Architecture, Target};

use crate::download::server::{Reply, Server};
use making::Files;

/// Tries again at once, and gives up early.
const QUICK: Patience = Patience {
    tries: 2,
    first_pause: Duration::from_millis(1),
    silence: Duration::from_secs(20),
};

/// The list of mirrors, as Amazon's is called.
const MIRROR_LIST: &str = "al2023/core/mirrors/latest/$basearch/mirror.list";

fn here() -> Architecture {
    Architecture::of_this_machine().expect("tests run where Lambda's programs do")
}

/// A repository that is served, below a folder whose name is a hash, as Amazon's is. Its files can be changed.
struct Served {
    server: Server,
    files: Arc<Mutex<Files>>,
}

impl Served {
    fn start(files: Files) -> Served {
        let files = Arc::new(Mutex::new(files));
        let known = files.clone();
        let list = format!(
            "/{}",
            MIRROR_LIST.replace("$basearch", here().machine_name())
        );
        let base = format!("/al2023/core/guids/8c97/{}/", here().machine_name());
        let server = Server::start(move |request, _| {
            let known = known.lock().unwrap();
            let target = request.target.as_str();
            if let Some(page) = known.get(target.trim_start_matches('/')) {
                return Reply::ok(page.clone());
            }
            if target == list {
                return Reply::ok(format!("http://{}{base}\n", request.header("host")));
            }
            let file = target.strip_prefix(&base).and_then(|path| known.get(path));
            match file {
                Some(content) => Reply::file(request, content, "\"one\""),
                None => Reply::status(404),
            }
        });
        Served { server, files }
    }

    fn mirror_list(&self) -> String {
        self.server.url(MIRROR_LIST)
    }

    /// Changes every file whose path ends so.
    fn change(&self, end: &str, change: impl Fn(&mut Vec<u8>)) {
        let mut files = self.files.lock().unwrap();
        let changed: Vec<_> = files
            .iter_mut()
            .filter(|(path, _)| path.ends_with(end))
            .map(|(_, content)| change(content))
            .collect();
        assert!(!changed.is_empty(), "there is no {end}");
    }

    /// The names of the files that were asked for.
    fn asked(&self) -> Vec<String> {
        let targets = self.server.targets().into_iter();
        targets
            .map(|target| target.rsplit('/').next().unwrap_or_default().to_owned())
            .collect()
    }
}

/// A run of r-layer: its cache, and how it reaches repositories.
struct Run {
    http: Http,
    cache: Cache,
    offline: bool,
    pinned: Vec<LockedRpm>,
    below: BTreeSet<String>,
    root: Option<LibraryFolders>,
}

impl Run {
    fn new(cache: &std::path::Path) -> Run {
        Run {
            http: Http::from_environment(QUICK, Credentials::default()).unwrap(),
            cache: Cache::open(cache.to_owned()).unwrap(),
            offline: false,
            pinned: Vec::new(),
            below: BTreeSet::new(),
            root: None,
        }
    }

    fn complete(&self, place: &str, tree: &mut LayerTree) -> Result<Completed, CompletionError> {
        let access = RpmAccess {
            http: &self.http,
            cache: &self.cache,
            reporter: &Silent,
            offline: self.offline,
        };
        let repository = RpmRepository::new(access, place, here());
        let completion = Completion {
            layer: "models",
            target: Target::named(Target::DEFAULT).unwrap(),
            architecture: here(),
            below: &self.below,
            roots: self.root.as_slice(),
            repository: Some(&repository),
            pinned: &self.pinned,
            rules: &LibraryRules::embedded().data,
            counts: &|_| true,
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(completion.complete(tree))
    }

    fn refused(&self, place: &str, tree: &mut LayerTree) -> String {
        self.complete(place, tree).unwrap_err().to_string()
    }
}
