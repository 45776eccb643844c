//! From the layers that a function has and those that are wanted to those that it is to have.

use std::collections::BTreeSet;

use super::{FunctionLayer, whole_name};

/// What is wanted.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The layers, in the order in which new ones are put.
    pub layers: Vec<FunctionLayer>,
    /// Layers that are wanted as a whole, by their name without the number of a part: parts of them that are not among
    /// `layers` go.
    pub whole: BTreeSet<String>,
}

impl Request {
    /// Is it a part of a layer that is wanted as a whole, and that has no such part any more?
    fn makes_stale(&self, layer: &FunctionLayer) -> bool {
        let Some(name) = &layer.logical_name else {
            return false;
        };
        let is_wanted = self.layers.iter().any(|wanted| wanted.is_same_layer(layer));
        !is_wanted && (self.whole.contains(whole_name(name)) || self.whole.contains(name))
    }
}

/// Puts the wanted layers into the place of those that they are versions of. New ones go behind the last layer of ours,
/// the runtime before all others; layers of others keep their place and order.
pub fn arrange(existing: &[FunctionLayer], request: &Request) -> Vec<FunctionLayer> {
    let mut arranged: Vec<FunctionLayer> = Vec::new();
    for layer in existing {
        let wanted = request
            .layers
            .iter()
            .find(|wanted| wanted.is_same_layer(layer));
        match wanted {
            Some(wanted) if !arranged.contains(wanted) => arranged.push(wanted.clone()),
            // A second version of it, which no function may have.
            Some(_) => {}
            None if request.makes_stale(layer) => {}
            None => arranged.push(layer.clone()),
        }
    }
    for wanted in &request.layers {
        if !arranged.contains(wanted) {
            let place = place_of_new(wanted, &arranged);
            arranged.insert(place, wanted.clone());
        }
    }
    runtime_first(&mut arranged);
    arranged
}

fn place_of_new(layer: &FunctionLayer, arranged: &[FunctionLayer]) -> usize {
    if layer.is_runtime() {
        return 0;
    }
    let last_of_ours = arranged.iter().rposition(FunctionLayer::is_ours);
    match last_of_ours {
        Some(place) if layer.is_ours() => place + 1,
        _ => arranged.len(),
    }
}

/// The runtime stands before the packages that are made for it.
fn runtime_first(arranged: &mut Vec<FunctionLayer>) {
    let runtime = arranged.iter().position(FunctionLayer::is_runtime);
    let packages = arranged
        .iter()
        .position(|layer| layer.is_ours() && !layer.is_runtime());
    if let (Some(runtime), Some(packages)) = (runtime, packages)
        && packages < runtime
    {
        let layer = arranged.remove(runtime);
        arranged.insert(packages, layer);
    }
}

/// Takes layers out; the others keep their order.
pub fn remove(
    existing: &[FunctionLayer],
    is_meant: impl Fn(&FunctionLayer) -> bool,
) -> Vec<FunctionLayer> {
    let kept = existing.iter().filter(|layer| !is_meant(layer));
    kept.cloned().collect()
}
