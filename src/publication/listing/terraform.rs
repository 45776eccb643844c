//! A file of Terraform or OpenTofu: locals, and outputs for those who take it as a module.

use std::fmt;

use super::Listing;

pub(super) struct Module<'a>(pub &'a Listing);

const HEAD: &str = r#"# Written by `r-layer list --format terraform`. Layer, then region, to ARN; a function takes its layers so, the runtime's
# first:
#   data "aws_region" "current" {}
"#;

impl fmt::Display for Module<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        writeln!(f, "#   layers = [")?;
        for layer in self.0.example() {
            let look_up = format!("local.r_layers[\"{}\"]", layer.label);
            writeln!(f, "#     {look_up}[data.aws_region.current.region],")?;
        }
        writeln!(f, "#   ]")?;
        writeln!(f, "locals {{\n  r_layers = {{")?;
        for layer in &self.0.layers {
            writeln!(f, "    \"{}\" = {{", layer.label)?;
            let regions = layer
                .publications
                .iter()
                .map(|one| one.region.as_str().len());
            let width = regions.max().unwrap_or(0) + 2;
            for publication in &layer.publications {
                let region = format!("\"{}\"", publication.region);
                writeln!(f, "      {region:<width$} = \"{}\"", publication.arn)?;
            }
            writeln!(f, "    }}")?;
        }
        writeln!(f, "  }}\n}}\n")?;
        writeln!(f, "output \"r_layers\" {{")?;
        writeln!(
            f,
            "  description = \"ARNs of layers with R and R packages: layer, then region\""
        )?;
        writeln!(f, "  value       = local.r_layers\n}}")
    }
}
