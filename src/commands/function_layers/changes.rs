//! The change of a function's layers as it is told: what stays, what takes whose place, what comes, goes and moves.

use std::fmt;

use serde::Serialize;

use crate::function::layers::FunctionLayer;

/// A place in the list of layers: what is there before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerChange {
    /// As it is; nothing if it is new.
    pub before: Option<String>,
    /// As it will be; nothing if it goes.
    pub after: Option<String>,
    /// Does it stand elsewhere among those that stay?
    pub moved: bool,
}

/// Each layer with what it takes the place of; then those that go.
pub fn layer_changes(
    before: &[FunctionLayer],
    after: &[FunctionLayer],
    account: &str,
) -> Vec<LayerChange> {
    let shown = |layer: &FunctionLayer| layer.shown(account);
    let is_in = |layers: &[FunctionLayer], one: &FunctionLayer| {
        layers.iter().any(|other| other.is_same_layer(one))
    };
    let stay: Vec<&FunctionLayer> = before.iter().filter(|old| is_in(after, old)).collect();
    let mut place = 0;
    let mut changes = Vec::new();
    for layer in after {
        let old = stay.iter().find(|old| old.is_same_layer(layer));
        let moved = old.is_some() && {
            place += 1;
            !stay[place - 1].is_same_layer(layer)
        };
        changes.push(LayerChange {
            before: old.map(|old| shown(old)),
            after: Some(shown(layer)),
            moved,
        });
    }
    let goes = before.iter().filter(|old| !is_in(after, old));
    changes.extend(goes.map(|old| LayerChange {
        before: Some(shown(old)),
        after: None,
        moved: false,
    }));
    changes
}

impl fmt::Display for LayerChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if before == after => write!(f, "  {after}")?,
            (Some(before), Some(after)) => write!(f, "  {before} → {after}")?,
            (None, Some(after)) => write!(f, "+ {after}")?,
            (Some(before), None) => write!(f, "- {before}")?,
            (None, None) => {}
        }
        match self.moved {
            true => f.write_str(" (moved)"),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::layers::KnownContent;

    fn layers(names: &[&str]) -> Vec<FunctionLayer> {
        let layer = |name: &&str| FunctionLayer {
            arn: format!("arn:aws:lambda:eu-central-1:123456789012:layer:{name}")
                .parse()
                .unwrap(),
            logical_name: None,
            content: KnownContent::default(),
        };
        names.iter().map(layer).collect()
    }

    #[test]
    fn layers_that_stand_elsewhere_are_told() {
        let told = |before: &[&str], after: &[&str]| {
            let changes = layer_changes(&layers(before), &layers(after), "123456789012");
            let lines = changes.iter().map(ToString::to_string);
            lines.collect::<Vec<_>>()
        };
        assert_eq!(
            told(&["a:1", "b:1"], &["a:1", "b:2"]),
            ["  a:1", "  b:1 → b:2"]
        );
        assert_eq!(
            told(&["a:1", "b:1"], &["b:1", "a:1"]),
            ["  b:1 (moved)", "  a:1 (moved)"]
        );
        // What comes and goes moves nobody.
        assert_eq!(
            told(&["a:1", "b:1", "c:1"], &["n:1", "b:1", "c:1"]),
            ["+ n:1", "  b:1", "  c:1", "- a:1"]
        );
    }
}
