//! From the layers that a function has and those that are wanted to those that it is to have.

use std::collections::BTreeSet;

use super::{FunctionLayer, is_part, whole_name};

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
    /// Is it the whole or a part of a layer that is wanted as a whole, and now consists of others?
    fn makes_stale(&self, layer: &FunctionLayer, existing: &[FunctionLayer]) -> bool {
        let Some(name) = &layer.logical_name else {
            return false;
        };
        let is_wanted = self.layers.iter().any(|wanted| wanted.is_same_layer(layer));
        let is_stale_part = is_part(name, existing) && self.whole.contains(whole_name(name));
        !is_wanted && (is_stale_part || self.whole.contains(name))
    }

    /// The layers that take the place of a part that there is no more: those of the same whole that the function has not.
    fn successors<'a>(
        &'a self,
        stale: &FunctionLayer,
        existing: &[FunctionLayer],
    ) -> impl Iterator<Item = &'a FunctionLayer> {
        let new = self
            .layers
            .iter()
            .filter(move |wanted| !existing.iter().any(|layer| layer.is_same_layer(wanted)));
        new.filter(move |wanted| wanted.is_of_same_whole(stale))
    }
}

/// Puts the wanted layers into the place of those that they are versions of, or the parts of one into the place of those that
/// it had before. New ones go behind the last layer of ours, the runtime before all others; layers of others keep their place
/// and order.
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
            None if request.makes_stale(layer, existing) => {
                for wanted in request.successors(layer, existing) {
                    if !arranged.contains(wanted) {
                        arranged.push(wanted.clone());
                    }
                }
            }
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
    let last_part = arranged
        .iter()
        .rposition(|other| other.is_of_same_whole(layer));
    let last_of_ours = arranged.iter().rposition(FunctionLayer::is_ours);
    match last_part.or(last_of_ours) {
        Some(place) if layer.is_ours() => place + 1,
        _ => arranged.len(),
    }
}

/// Our runtime stands before the packages that are made for it.
fn runtime_first(arranged: &mut Vec<FunctionLayer>) {
    let runtime = arranged
        .iter()
        .position(|layer| layer.is_ours() && layer.is_runtime());
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

#[cfg(test)]
mod tests {
    use super::super::fixtures::{layers, names};
    use super::*;

    /// What comes of `existing` when `wanted` are asked for; those of `whole` with all their parts.
    fn arranged(existing: &str, wanted: &str, whole: &[&str]) -> String {
        let request = Request {
            layers: layers(wanted),
            whole: whole.iter().map(|name| (*name).to_owned()).collect(),
        };
        names(&arrange(&layers(existing), &request))
    }

    #[test]
    fn layers_of_ours_are_replaced_in_place_and_others_keep_theirs() {
        for (existing, wanted, result) in [
            ("", "runtime:1 models:1", "runtime:1 models:1"),
            ("", "models:1 runtime:1", "runtime:1 models:1"),
            (
                "other:1",
                "runtime:1 models:1",
                "runtime:1 models:1 other:1",
            ),
            (
                "runtime:1 other:1 models:2",
                "models:3",
                "runtime:1 other:1 models:3",
            ),
            (
                "runtime:1 models:2 other:1",
                "runtime:2",
                "runtime:2 models:2 other:1",
            ),
            (
                "runtime:1 other:1",
                "models:1",
                "runtime:1 models:1 other:1",
            ),
            (
                "other:1 runtime:1",
                "models:1",
                "other:1 runtime:1 models:1",
            ),
            (
                "other:1 runtime:1 models:1",
                "runtime:2",
                "other:1 runtime:2 models:1",
            ),
            (
                "models:1 other:1 runtime:1",
                "models:1",
                "runtime:1 models:1 other:1",
            ),
            (
                "other:1 models:1",
                "runtime:1",
                "runtime:1 other:1 models:1",
            ),
            ("runtime:1 other:1", "other:2", "runtime:1 other:2"),
            ("runtime:1 other:1", "third:1", "runtime:1 other:1 third:1"),
            (
                "runtime:1 models:1 models:2",
                "models:3",
                "runtime:1 models:3",
            ),
            (
                "runtime:1 tables:1",
                "models:1 tables:2",
                "runtime:1 tables:2 models:1",
            ),
        ] {
            assert_eq!(
                arranged(existing, wanted, &[]),
                result,
                "{existing} + {wanted}"
            );
        }
    }

    #[test]
    fn parts_come_and_go_where_the_layer_was() {
        for (existing, wanted, result) in [
            (
                "runtime:1 models:1 other:1",
                "models-1:1 models-2:1",
                "runtime:1 models-1:1 models-2:1 other:1",
            ),
            (
                "runtime:1 other:1 models-1:1 third:1 models-2:1",
                "models:2",
                "runtime:1 other:1 models:2 third:1",
            ),
            (
                "runtime:1 models-1:1 models-2:1 tables:1",
                "models-1:2 models-2:2 models-3:1",
                "runtime:1 models-1:2 models-2:2 models-3:1 tables:1",
            ),
            (
                "runtime:1 models-1:1 models-2:1 models-3:1",
                "models-1:2 models-2:2",
                "runtime:1 models-1:2 models-2:2",
            ),
        ] {
            assert_eq!(
                arranged(existing, wanted, &["r-models"]),
                result,
                "{existing}"
            );
        }
        // A layer of its own that ends in a number is no part.
        assert_eq!(
            arranged("runtime:1 models:1 models-2:1", "models:2", &["r-models"]),
            "runtime:1 models:2 models-2:1"
        );
        // Named by itself, a part is no whole: the others stay.
        let existing = "runtime:1 models-1:1 models-2:1";
        assert_eq!(
            arranged(existing, "models-2:2", &[]),
            "runtime:1 models-1:1 models-2:2"
        );
    }

    #[test]
    fn a_runtime_of_somebody_elses_keeps_its_place() {
        let mut existing = layers("models:1 other:1");
        existing[1].content.has_bootstrap = Some(true);
        let request = Request {
            layers: layers("models:2"),
            ..Request::default()
        };
        assert_eq!(names(&arrange(&existing, &request)), "models:2 other:1");
    }

    #[test]
    fn what_is_taken_out_leaves_the_others_in_their_order() {
        let existing = layers("other:1 runtime:1 third:1 models:1");
        let left = remove(&existing, FunctionLayer::is_ours);
        assert_eq!(names(&left), "other:1 third:1");
    }
}
