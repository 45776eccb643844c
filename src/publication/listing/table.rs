//! For people: a block a layer, a line a region.

use std::fmt;

use super::Listing;

pub(super) struct Table<'a>(pub &'a Listing);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let regions = self.0.regions();
        let width = regions.iter().map(|region| region.as_str().len()).max();
        let width = width.unwrap_or(0);
        for (index, layer) in self.0.layers.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let architecture = layer.architecture().map_or("", |one| one.aws_name());
            let (r, grants) = (layer.r_versions(), layer.grants());
            writeln!(f, "{}: R {r}, {architecture}, for {grants}", layer.label)?;
            for publication in &layer.publications {
                let (region, arn) = (&publication.region, &publication.arn);
                let day = publication.published.day();
                writeln!(f, "  {:<width$}  {day}  {arn}", region.as_str())?;
            }
        }
        Ok(())
    }
}
