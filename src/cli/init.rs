//! `r-layer init`.

use std::path::PathBuf;

use clap::Args;

/// Make a small project to start from.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "It writes r-layer.toml, a handler with an event and a test, a workflow for GitHub that builds, audits, \
                        publishes and deploys, .gitignore, .lambdaignore and a README. What is there already is never \
                        overwritten: it is named, and nothing is written.\n\n\
                        Examples:\n  \
                        r-layer init parity\n  \
                        r-layer init --missing"
)]
pub struct InitArgs {
    /// The folder; made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
    /// The function's name [default: that of the folder]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub name: Option<String>,
    /// Leave the files that are there already as they are, and write the others
    #[arg(long)]
    pub missing: bool,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

fn name(text: &str) -> Result<String, String> {
    match crate::function::is_function_name(text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is no name of a function: AWS takes letters, digits, `-` and `_`, at most 64"
        )),
    }
}
