//! A proxy in front of moto: what r-layer is told is AWS.
//!
//! It records every request by its operation and region, adds what moto lacks (limits, `GetLayerVersionByArn`, zips that
//! can be fetched, functions' revisions), and does to requests what rules say: `proxy.on("PublishLayerVersion").nth(1).answer(throttled(2))`.
//! A request that arrived whole is carried out even if its sender has died since, as at AWS.

mod completing;
mod contents;
pub mod faults;
mod forwarding;
mod invoking;
mod limits;
mod operation;
mod recording;
mod revisions;
mod rules;
mod serving;

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use contents::Contents;
pub use forwarding::Upstream;
pub use invoking::event;
pub use recording::Request;
use revisions::Changes;
pub use rules::RuleBuilder;
use rules::Rules;
pub use serving::Reply;

/// A running proxy; dropping it closes its port.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// What all requests share.
struct Shared {
    port: u16,
    upstream: Upstream,
    started: Instant,
    rules: Mutex<Rules>,
    requests: Mutex<Vec<Request>>,
    contents: Mutex<Contents>,
    under_way: AtomicUsize,
    spares_moto: AtomicBool,
    /// Where functions answer.
    functions: Mutex<Option<u16>>,
    changes: tokio::sync::Mutex<Changes>,
}

/// Where proxies run, and where tests speak to moto.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime"))
}

impl Proxy {
    /// A proxy on a free port of 127.0.0.1, without rules.
    pub fn start(upstream: Upstream) -> Proxy {
        let listener = runtime()
            .block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            port,
            upstream,
            started: Instant::now(),
            rules: Mutex::new(Rules::new(0)),
            requests: Mutex::new(Vec::new()),
            contents: Mutex::new(Contents::default()),
            under_way: AtomicUsize::new(0),
            spares_moto: AtomicBool::new(false),
            functions: Mutex::new(None),
            changes: tokio::sync::Mutex::default(),
        });
        let accepting = runtime().spawn(serving::accept(listener, shared.clone()));
        Proxy {
            port,
            shared,
            accepting,
        }
    }

    /// For `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A rule for an operation, such as `ListLayerVersions`.
    pub fn on(&self, operation: &str) -> RuleBuilder<'_> {
        RuleBuilder::new(self, Some(operation))
    }

    /// A rule for all operations.
    pub fn on_any(&self) -> RuleBuilder<'_> {
        RuleBuilder::new(self, None)
    }

    /// The seed of all chances from now on; 0 at first.
    pub fn set_seed(&self, seed: u64) {
        self.with_rules(|rules| rules.set_seed(seed));
    }

    /// From now on moto gets a few bytes in place of each layer's zip, and answers that came through here have the hash
    /// and the size of the zip all the same. moto needs four times a zip's size in memory, for each region anew.
    pub fn spare_moto(&self) {
        self.shared.spares_moto.store(true, Ordering::SeqCst);
    }

    /// From now on what is served at that port of 127.0.0.1 (`invoke --serve`) answers for every function that there is.
    pub fn let_functions_answer_at(&self, port: u16) {
        *self.shared.lock(&self.shared.functions) = Some(port);
    }

    /// Ends all rules.
    pub fn forgive(&self) {
        self.with_rules(Rules::clear);
    }

    /// What was asked so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock(&self.shared.requests).clone()
    }

    /// Forgets what was asked so far.
    pub fn forget(&self) {
        self.wait_until_idle();
        self.shared.lock(&self.shared.requests).clear();
    }

    /// How many requests of an operation came.
    pub fn count(&self, operation: &str) -> usize {
        self.requests()
            .iter()
            .filter(|request| request.name() == operation)
            .count()
    }

    /// The names of operations that may have changed something, in the order of arrival.
    pub fn changes(&self) -> Vec<String> {
        self.requests()
            .iter()
            .filter(|request| request.changes())
            .map(|request| request.name().to_owned())
            .collect()
    }

    /// The most requests to Lambda that came to a region within one second.
    pub fn most_in_a_second(&self, region: &str) -> usize {
        let requests = self.requests();
        let times: Vec<Duration> = requests
            .iter()
            .filter(|request| request.operation.service == "lambda" && request.region() == region)
            .map(|request| request.at)
            .collect();
        times
            .iter()
            .map(|end| {
                times
                    .iter()
                    .filter(|at| *at <= end && *end - **at < Duration::from_secs(1))
                    .count()
            })
            .max()
            .unwrap_or(0)
    }

    /// Waits for the end of all that is under way, also of requests whose sender has died.
    pub fn wait_until_idle(&self) {
        while self.shared.under_way.load(Ordering::SeqCst) > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn with_rules<T>(&self, change: impl FnOnce(&mut Rules) -> T) -> T {
        change(&mut self.shared.lock(&self.shared.rules))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    /// A lock that a failed test does not spoil for the others.
    fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> std::sync::MutexGuard<'a, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
