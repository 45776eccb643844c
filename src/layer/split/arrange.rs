//! Which packages go together: few parts first, then related ones close to each other.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::load::Load;

/// Steps of the exact search per number of parts. What it finds within them depends on the load alone.
const SEARCH_STEPS: usize = 20_000;

/// How often all packages are looked at for a better part.
const MOVING_ROUNDS: usize = 10;

/// Up to this many parts, every order of them is looked at.
const PARTS_TO_REORDER: usize = 6;

type Parts = Vec<Vec<usize>>;

/// The parts, each below `limit` bytes zipped but for packages that are not by themselves. At least one, which is empty
/// where there are no packages.
pub(super) fn arrange(load: &Load, limit: u64) -> Parts {
    let (oversize, order) = oversize_first(load, limit, related_order(load));
    let context = Context {
        load,
        limit,
        oversize,
    };
    let lowest = context.fewest_possible(&order);
    let mut best = context.in_order(&order);
    let attempts: [&dyn Fn() -> Option<Parts>; 2] = [&|| Some(context.first_fit(&order)), &|| {
        (lowest..best.len()).find_map(|parts| context.search(&order, parts))
    }];
    let mut found = Vec::new();
    for attempt in attempts {
        let fewest = found.iter().map(Vec::len).min().unwrap_or(best.len());
        if fewest > lowest {
            found.extend(attempt());
        }
    }
    // The first of the shortest: `in_order` keeps related ones closest together.
    if let Some(shorter) = found
        .into_iter()
        .min_by_key(Vec::len)
        .filter(|parts| parts.len() < best.len())
    {
        best = shorter;
    }
    let mut parts = context.oversize.clone();
    parts.extend(best);
    if parts.is_empty() {
        parts.push(Vec::new());
    }
    context.closer_together(context.reordered(parts))
}

/// Packages that do not fit below the limit even alone, each a part; and the order without them. A library that one of
/// them brings is there for those after it.
fn oversize_first(load: &Load, limit: u64, mut order: Vec<usize>) -> (Parts, Vec<usize>) {
    let mut placed = vec![false; load.libraries.len()];
    let mut oversize = Vec::new();
    while let Some(at) = order
        .iter()
        .position(|&package| load.zipped_with_libraries(package, &placed) >= limit)
    {
        let package = order.remove(at);
        for &library in &load.needed_libraries[package] {
            placed[library] = true;
        }
        oversize.push(vec![package]);
    }
    (oversize, order)
}

struct Context<'a> {
    load: &'a Load<'a>,
    limit: u64,
    oversize: Parts,
}

impl Context<'_> {
    /// Are all of these parts, behind those of oversize packages, below the limit?
    fn fits(&self, parts: &[Vec<usize>]) -> bool {
        let all: Parts = self.oversize.iter().chain(parts).cloned().collect();
        let rooms = self.load.rooms(&all);
        rooms
            .iter()
            .skip(self.oversize.len())
            .all(|room| room.zipped < self.limit)
    }

    /// No arrangement has fewer parts.
    fn fewest_possible(&self, order: &[usize]) -> usize {
        let mut all = self.oversize.clone();
        all.push(order.to_vec());
        let room = self.load.rooms(&all).pop().map_or(0, |room| room.zipped);
        let parts = room.div_ceil(self.limit.saturating_sub(1).max(1));
        usize::try_from(parts)
            .unwrap_or(usize::MAX)
            .max(usize::from(!order.is_empty()))
    }

    /// One part after the other, filled in order.
    fn in_order(&self, order: &[usize]) -> Parts {
        self.fill(order, |parts| parts.len().saturating_sub(1))
    }

    /// Each into the first part with room.
    fn first_fit(&self, order: &[usize]) -> Parts {
        self.fill(order, |_| 0)
    }

    fn fill(&self, order: &[usize], first_tried: impl Fn(&Parts) -> usize) -> Parts {
        let mut parts = Parts::new();
        for &package in order {
            let from = first_tried(&parts);
            let place = (from..parts.len()).find(|&index| {
                parts[index].push(package);
                let fits = self.fits(&parts);
                parts[index].pop();
                fits
            });
            match place {
                Some(index) => parts[index].push(package),
                None => parts.push(vec![package]),
            }
        }
        parts
    }

    /// Into that many parts, the largest packages first, going back where it does not work out.
    fn search(&self, order: &[usize], count: usize) -> Option<Parts> {
        let nothing_placed = vec![false; self.load.libraries.len()];
        let mut largest_first = order.to_vec();
        largest_first.sort_by_key(|&package| {
            Reverse(self.load.zipped_with_libraries(package, &nothing_placed))
        });
        let mut parts = vec![Vec::new(); count];
        let mut steps = SEARCH_STEPS;
        self.place_rest(&largest_first, &mut parts, &mut steps)
            .then_some(parts)
    }

    fn place_rest(&self, rest: &[usize], parts: &mut Parts, steps: &mut usize) -> bool {
        let Some((&package, rest)) = rest.split_first() else {
            return true;
        };
        for index in 0..parts.len() {
            if *steps == 0 {
                return false;
            }
            *steps -= 1;
            let is_empty = parts[index].is_empty();
            parts[index].push(package);
            if self.fits(parts) && self.place_rest(rest, parts, steps) {
                return true;
            }
            parts[index].pop();
            // The other empty parts are no different from this one.
            if is_empty {
                return false;
            }
        }
        false
    }

    /// The order of the parts in which the most packages have what they need before them.
    fn reordered(&self, parts: Parts) -> Parts {
        if parts.len() > PARTS_TO_REORDER {
            return parts;
        }
        let allowed = self.too_large(&parts);
        orders(parts.len())
            .into_iter()
            .map(|order| {
                order
                    .into_iter()
                    .map(|index| parts[index].clone())
                    .collect()
            })
            .filter(|parts| self.too_large(parts) <= allowed)
            .min_by_key(|parts: &Parts| self.load.backward_needs(parts))
            .unwrap_or(parts)
    }

    /// How many parts do not fit into a request.
    fn too_large(&self, parts: &Parts) -> usize {
        let rooms = self.load.rooms(parts);
        rooms
            .iter()
            .filter(|room| room.zipped >= self.limit)
            .count()
    }

    /// Moves packages one by one to the part of those that they need or that need them, where there is room.
    fn closer_together(&self, mut parts: Parts) -> Parts {
        let allowed = self.too_large(&parts);
        for _ in 0..MOVING_ROUNDS {
            let mut moved = false;
            for package in 0..self.load.packages.len() {
                moved |= self.move_closer(package, &mut parts, allowed);
            }
            if !moved {
                break;
            }
        }
        parts.retain(|part| !part.is_empty() || self.load.packages.is_empty());
        parts
    }

    fn move_closer(&self, package: usize, parts: &mut Parts, allowed: usize) -> bool {
        let is_oversize = self.oversize.iter().any(|part| part.contains(&package));
        let home = parts.iter().position(|part| part.contains(&package));
        let (Some(home), false) = (home, is_oversize) else {
            return false;
        };
        let is_alone = |part: &[usize]| self.oversize.iter().any(|oversize| oversize == part);
        let mut best = (self.distance(parts), parts.clone());
        for index in (0..parts.len()).filter(|&index| index != home && !is_alone(&parts[index])) {
            let mut changed = parts.clone();
            changed[home].retain(|&other| other != package);
            changed[index].push(package);
            let distance = self.distance(&changed);
            if distance < best.0 && self.too_large(&changed) <= allowed {
                best = (distance, changed);
            }
        }
        std::mem::replace(parts, best.1) != *parts
    }

    /// How many needs point to a later part, and how many to another one at all.
    fn distance(&self, parts: &Parts) -> (usize, usize) {
        (self.load.backward_needs(parts), self.load.cut_needs(parts))
    }
}

/// Every order of that many, the natural one first.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for _ in 0..count {
        let longer = orders.iter().flat_map(|order: &Vec<usize>| {
            let rest = (0..count).filter(|index| !order.contains(index));
            rest.map(|index| order.iter().copied().chain([index]).collect())
        });
        orders = longer.collect();
    }
    orders
}

/// Every package behind those that it needs, and close to them: connected packages stay together, the heaviest of such
/// groups first; in a group, what shares the most with what is there already comes next.
fn related_order(load: &Load) -> Vec<usize> {
    let closures: Vec<BTreeSet<usize>> = (0..load.packages.len())
        .map(|package| closure(load, package))
        .collect();
    let zipped_of = |packages: &BTreeSet<usize>| -> u64 {
        packages
            .iter()
            .map(|&package| load.packages[package].zipped)
            .fold(0, u64::saturating_add)
    };
    let mut groups = groups(load);
    groups.sort_by_key(|group| Reverse(zipped_of(group)));
    let mut order = Order {
        load,
        seen: vec![false; load.packages.len()],
        packages: Vec::new(),
    };
    for group in groups {
        let is_needed = |package: &usize| {
            group
                .iter()
                .any(|other| load.needs[*other].contains(package))
        };
        let mut tops: BTreeSet<usize> = group
            .iter()
            .copied()
            .filter(|top| !is_needed(top))
            .collect();
        while let Some(top) = tops.iter().copied().max_by_key(|&top| {
            let shared: BTreeSet<usize> = closures[top]
                .iter()
                .copied()
                .filter(|&package| order.seen[package])
                .collect();
            (zipped_of(&shared), zipped_of(&closures[top]), Reverse(top))
        }) {
            tops.remove(&top);
            order.visit(top);
        }
        // What is left is needed in a circle only.
        group.into_iter().for_each(|package| order.visit(package));
    }
    order.packages
}

struct Order<'a> {
    load: &'a Load<'a>,
    seen: Vec<bool>,
    packages: Vec<usize>,
}

impl Order<'_> {
    fn visit(&mut self, package: usize) {
        if std::mem::replace(&mut self.seen[package], true) {
            return;
        }
        let load = self.load;
        load.needs[package]
            .iter()
            .for_each(|&needed| self.visit(needed));
        self.packages.push(package);
    }
}

/// A package with all that it needs.
fn closure(load: &Load, package: usize) -> BTreeSet<usize> {
    let (mut closure, mut open) = (BTreeSet::new(), vec![package]);
    while let Some(next) = open.pop() {
        if closure.insert(next) {
            open.extend(&load.needs[next]);
        }
    }
    closure
}

/// Packages that are connected by needs, in either direction.
fn groups(load: &Load) -> Vec<BTreeSet<usize>> {
    let mut neighbours = load.needs.clone();
    for (package, needs) in load.needs.iter().enumerate() {
        needs
            .iter()
            .for_each(|&needed| neighbours[needed].push(package));
    }
    let mut left: BTreeSet<usize> = (0..load.packages.len()).collect();
    let mut groups = Vec::new();
    while let Some(first) = left.pop_first() {
        let (mut group, mut open) = (BTreeSet::new(), vec![first]);
        while let Some(next) = open.pop() {
            if group.insert(next) {
                left.remove(&next);
                open.extend(&neighbours[next]);
            }
        }
        groups.push(group);
    }
    groups
}
