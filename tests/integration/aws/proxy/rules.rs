//! Which requests a fault meets: by operation, region, and how many of that kind came before.
//!
//! A chance is drawn from the seed, the operation, the region and that count, and from nothing else. So a run with the
//! same requests has the same faults, in whatever order regions are served.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Proxy;
use super::faults::{Answer, Cut, Fault};
use super::operation::Operation;

/// Which of the requests of an operation in a region: the first is 1.
#[derive(Clone, Copy, Debug)]
enum Which {
    Every,
    Between(usize, usize),
    Chance(f64),
}

/// A fault, and whom it meets.
struct Rule {
    operation: Option<String>,
    region: Option<String>,
    which: Which,
    fault: Fault,
    /// How many requests of each kind came since the rule is in force.
    seen: HashMap<Operation, usize>,
}

/// The rules of a proxy.
pub struct Rules {
    seed: u64,
    rules: Vec<Rule>,
}

impl Rules {
    /// None yet.
    pub fn new(seed: u64) -> Rules {
        Rules {
            seed,
            rules: Vec::new(),
        }
    }

    /// The seed of all that comes from now on.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// No rule any more.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// Counts a request, and says what it meets, in the order of the rules.
    pub fn meet(&mut self, operation: &Operation) -> Vec<Fault> {
        let seed = self.seed;
        self.rules
            .iter_mut()
            .enumerate()
            .filter_map(|(index, rule)| {
                rule.meets(seed, index, operation)
                    .then(|| rule.fault.clone())
            })
            .collect()
    }
}

impl Rule {
    fn meets(&mut self, seed: u64, index: usize, operation: &Operation) -> bool {
        if !self.is_for(operation) {
            return false;
        }
        let count = self.seen.entry(operation.clone()).or_default();
        *count += 1;
        match self.which {
            Which::Every => true,
            Which::Between(first, last) => (first..=last).contains(count),
            Which::Chance(chance) => draw(seed, index, operation, *count) < chance,
        }
    }

    fn is_for(&self, operation: &Operation) -> bool {
        self.operation
            .as_ref()
            .is_none_or(|name| *name == operation.name)
            && self
                .region
                .as_ref()
                .is_none_or(|region| *region == operation.region)
    }
}

/// A number from 0 up to 1.
fn draw(seed: u64, rule: usize, operation: &Operation, count: usize) -> f64 {
    let key = format!("{seed} {rule} {operation:?} {count}");
    let [a, b, c, d, ..] = Sha256::digest(key)[..] else {
        unreachable!("a sha256 has 32 bytes")
    };
    f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
}

/// A rule in the making: `proxy.on("PublishLayerVersion").in_region("eu-west-1").nth(1).answer(throttled(2))`.
/// Unless it says otherwise it is for every request in every region. The last word puts it into force.
#[must_use]
pub struct RuleBuilder<'a> {
    proxy: &'a Proxy,
    operation: Option<String>,
    region: Option<String>,
    which: Which,
}

impl<'a> RuleBuilder<'a> {
    pub(super) fn new(proxy: &'a Proxy, operation: Option<&str>) -> RuleBuilder<'a> {
        RuleBuilder {
            proxy,
            operation: operation.map(str::to_owned),
            region: None,
            which: Which::Every,
        }
    }

    /// In that region only.
    pub fn in_region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// The first, second, … request of the operation; counted by itself in every region.
    pub fn nth(mut self, nth: usize) -> Self {
        self.which = Which::Between(nth, nth);
        self
    }

    /// The first so many requests of the operation; counted by itself in every region.
    pub fn first(mut self, requests: usize) -> Self {
        self.which = Which::Between(1, requests);
        self
    }

    /// Each request with a chance between 0 and 1, by the seed.
    pub fn with_chance(mut self, chance: f64) -> Self {
        self.which = Which::Chance(chance);
        self
    }

    /// Answered later.
    pub fn delay(self, latency: Duration) {
        self.put(Fault::Latency(latency));
    }

    /// Answered so; moto does not hear of it.
    pub fn answer(self, answer: Answer) {
        self.put(Fault::Answer(answer));
    }

    /// The connection is closed there.
    pub fn cut(self, cut: Cut) {
        self.put(Fault::Cut(cut));
    }

    /// moto's answer is changed.
    pub fn edit(self, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.put(Fault::Edit(Arc::new(edit)));
    }

    /// For `ListLayerVersions`: each version is missing from the first so many lists after it was published.
    pub fn stale_lists(self, lists: usize) {
        self.put(Fault::HideFromLists(lists));
    }

    /// For `ListLayerVersions`: each version is missing from lists for so long after it was published.
    pub fn stale_for(self, time: Duration) {
        self.put(Fault::HideFor(time));
    }

    fn put(self, fault: Fault) {
        let rule = Rule {
            operation: self.operation,
            region: self.region,
            which: self.which,
            fault,
            seen: HashMap::new(),
        };
        self.proxy.with_rules(|rules| rules.rules.push(rule));
    }
}
