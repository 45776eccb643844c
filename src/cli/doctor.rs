//! `r-layer doctor` and `r-layer completions`.

use clap::Args;
use clap_complete::Shell;

/// What can this machine do, what is missing, and what to type?
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 if R and packages can be fetched and packed on this machine, else 1."
)]
pub struct DoctorArgs {
    /// Ask no server
    #[arg(long)]
    pub offline: bool,
}

/// Completions for a shell, on stdout.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        r-layer completions bash > ~/.local/share/bash-completion/completions/r-layer\n  \
        r-layer completions zsh > \"${fpath[1]}/_r-layer\"\n  \
        r-layer completions fish > ~/.config/fish/completions/r-layer.fish")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}
