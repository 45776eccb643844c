//! The search for candidates that go together: backtracking, directed by conflicts.
//!
//! Packages are decided in the order in which they are met (breadth first from the requests), each for its first
//! candidate that goes with what is decided. Where none does, the search goes back to the last decision that had a part
//! in it, over all that had none ("conflict-directed backjumping": Prosser 1993).

use std::collections::{BTreeSet, HashMap};

use super::candidate::{Candidate, Candidates};
use super::explain::{DeadEnd, explain};
use super::{Chain, ResolveInput};
use crate::package::{RVersion, Requirement};

/// A package that was decided.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub package: String,
    /// Which of its candidates.
    pub choice: usize,
    pub version: RVersion,
    /// The depths of decisions that rule out the candidates before it.
    conflicts: BTreeSet<usize>,
    /// How many packages were met before those that it wants.
    met: usize,
}

/// Who wants a package.
#[derive(Clone, Debug)]
pub(super) struct Wanter {
    /// The decision; nothing: a request.
    pub depth: Option<usize>,
    pub wants: Requirement,
}

pub(super) struct Search<'s, 'a> {
    pub input: &'s ResolveInput<'a>,
    pub candidates: &'s mut Candidates<'a>,
    pub decisions: Vec<Decision>,
    /// Packages in the order in which they were met; that at a depth is decided there.
    met: Vec<String>,
    depths: HashMap<String, usize>,
    wanters: HashMap<String, Vec<Wanter>>,
    /// What is to be told if all fails: the first dead end, or the first that no other choice could have avoided.
    report: Option<DeadEnd>,
    is_report_final: bool,
}

/// Finds candidates for the requests and all that these want, or tells why there are none.
pub(super) fn run<'a>(
    input: &ResolveInput<'a>,
    candidates: &mut Candidates<'a>,
) -> Result<Vec<Decision>, DeadEnd> {
    let mut search = Search {
        input,
        candidates,
        decisions: Vec::new(),
        met: Vec::new(),
        depths: HashMap::new(),
        wanters: HashMap::new(),
        report: None,
        is_report_final: false,
    };
    for request in input.requests {
        search.want(None, request);
    }
    search.decide_all()?;
    Ok(search.decisions)
}

impl Search<'_, '_> {
    fn decide_all(&mut self) -> Result<(), DeadEnd> {
        let (mut from, mut conflicts) = (0, BTreeSet::new());
        while let Some(package) = self.met.get(self.decisions.len()).cloned() {
            let found = self.first_fitting(&package, from, &mut conflicts);
            (from, conflicts) = match found {
                Some(choice) => {
                    self.decide(&package, choice, conflicts);
                    (0, BTreeSet::new())
                }
                None => self.back(&package, conflicts)?,
            };
        }
        Ok(())
    }

    /// The first candidate that goes with all decisions; what rules out others is added to the conflicts.
    fn first_fitting(
        &mut self,
        package: &str,
        from: usize,
        conflicts: &mut BTreeSet<usize>,
    ) -> Option<usize> {
        let candidates = self.candidates.of(package);
        (from..candidates.len()).find(|&at| {
            let candidate = &candidates[at];
            candidate.unfit.is_none()
                && !self.is_unwanted(package, candidate, conflicts)
                && !self.wants_otherwise(package, candidate, conflicts)
        })
    }

    /// Does a request or a decision want another version?
    fn is_unwanted(
        &self,
        package: &str,
        candidate: &Candidate<'_>,
        conflicts: &mut BTreeSet<usize>,
    ) -> bool {
        let all = self.wanters(package).iter();
        let mut against = all.filter(|one| !one.wants.is_satisfied_by(&candidate.version));
        let first = against.next();
        conflicts.extend(first.and_then(|one| one.depth));
        first.is_some()
    }

    /// Does it want another version of a package than was decided?
    fn wants_otherwise(
        &self,
        package: &str,
        candidate: &Candidate<'_>,
        conflicts: &mut BTreeSet<usize>,
    ) -> bool {
        let conflict = self.decided_otherwise(package, candidate);
        conflicts.extend(conflict.map(|(depth, _)| depth));
        conflict.is_some()
    }

    /// The first decision that a candidate does not go with, and what the candidate wants instead.
    pub fn decided_otherwise<'c>(
        &self,
        package: &str,
        candidate: &'c Candidate<'_>,
    ) -> Option<(usize, &'c Requirement)> {
        let wants = candidate.dependencies.iter().map(|one| &one.requirement);
        wants
            .filter(|wants| wants.package != package)
            .find_map(|wants| {
                let depth = *self.depths.get(&wants.package)?;
                let decision = self.decisions.get(depth)?;
                (!wants.is_satisfied_by(&decision.version)).then_some((depth, wants))
            })
    }

    fn decide(&mut self, package: &str, choice: usize, conflicts: BTreeSet<usize>) {
        let candidates = self.candidates.of(package);
        let candidate = &candidates[choice];
        let depth = self.decisions.len();
        self.decisions.push(Decision {
            package: package.to_owned(),
            choice,
            version: candidate.version.clone(),
            conflicts,
            met: self.met.len(),
        });
        for dependency in &candidate.dependencies {
            self.want(Some(depth), &dependency.requirement);
        }
    }

    fn want(&mut self, depth: Option<usize>, wants: &Requirement) {
        let package = &wants.package;
        if !self.depths.contains_key(package) {
            self.depths.insert(package.clone(), self.met.len());
            self.met.push(package.clone());
        }
        let wanter = Wanter {
            depth,
            wants: wants.clone(),
        };
        self.wanters
            .entry(package.clone())
            .or_default()
            .push(wanter);
    }

    /// From a dead end to the last decision that had a part in it: where to go on there, and what is known against the
    /// candidates before that.
    fn back(
        &mut self,
        package: &str,
        mut conflicts: BTreeSet<usize>,
    ) -> Result<(usize, BTreeSet<usize>), DeadEnd> {
        self.report(package);
        // Without it the package would not be wanted at this place.
        conflicts.extend(self.wanters(package).first().and_then(|one| one.depth));
        let Some(last) = conflicts.last().copied() else {
            return Err(self
                .report
                .take()
                .unwrap_or_else(|| explain(self, package).0));
        };
        let mut undone = None;
        while self.decisions.len() > last {
            undone = self.undo();
        }
        conflicts.remove(&last);
        let (next, known) =
            undone.map_or((0, BTreeSet::new()), |one| (one.choice + 1, one.conflicts));
        conflicts.extend(known);
        Ok((next, conflicts))
    }

    fn report(&mut self, package: &str) {
        if self.is_report_final {
            return;
        }
        let (dead_end, is_final) = explain(self, package);
        if is_final || self.report.is_none() {
            self.report = Some(dead_end);
            self.is_report_final = is_final;
        }
    }

    fn undo(&mut self) -> Option<Decision> {
        let decision = self.decisions.pop()?;
        let candidates = self.candidates.of(&decision.package);
        for dependency in candidates[decision.choice].dependencies.iter().rev() {
            // The last who wanted it is this one.
            if let Some(all) = self.wanters.get_mut(&dependency.requirement.package) {
                all.pop();
            }
        }
        for package in self.met.drain(decision.met..) {
            self.depths.remove(&package);
        }
        Some(decision)
    }

    /// Who wants a package, in the order in which they were decided.
    pub fn wanters(&self, package: &str) -> &[Wanter] {
        self.wanters.get(package).map_or(&[], Vec::as_slice)
    }

    /// The way from a request to what somebody wants.
    pub fn chain(&self, wanter: &Wanter) -> Chain {
        let mut through = Vec::new();
        let mut at = wanter.depth;
        while let Some(decision) = at.and_then(|depth| self.decisions.get(depth)) {
            through.push((decision.package.clone(), decision.version.clone()));
            at = self
                .wanters(&decision.package)
                .first()
                .and_then(|one| one.depth);
        }
        through.reverse();
        Chain {
            through,
            wants: wanter.wants.clone(),
        }
    }
}
