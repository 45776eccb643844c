//! For a README: a table a layer.

use std::fmt;

use super::Listing;

pub(super) struct Markdown<'a>(pub &'a Listing);

/// A text that does not end a cell or begin code.
fn cell(text: &str) -> String {
    let is_plain = |c: char| !c.is_control() && !"|`<>[]*\\".contains(c);
    text.chars().filter(|&c| is_plain(c)).collect()
}

impl fmt::Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, layer) in self.0.layers.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            writeln!(f, "### {}\n", layer.label)?;
            writeln!(f, "| region | R | ARN |")?;
            writeln!(f, "| --- | --- | --- |")?;
            for publication in &layer.publications {
                let (region, arn) = (&publication.region, &publication.arn);
                let r = cell(&publication.r_version);
                writeln!(f, "| {region} | {r} | `{arn}` |")?;
            }
        }
        Ok(())
    }
}
