//! `r-layer invoke`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use super::{AwsOptions, OneRegionOption};
use crate::function::QualifiedFunction;

/// Let a handler answer an event on this machine, or one after another, in a root file system like Lambda's; or a function
/// at AWS.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    r-layer invoke --code . --handler script.increment --event '{\"x\":1}'\n  \
    r-layer invoke --code fn --handler app.handler --event @event.json --layer dist/r-runtime-4.5.0-al2023-x86_64.zip\n  \
    r-layer invoke --code fn --handler app.handler --serve 9000 --watch\n  \
    r-layer invoke --function my-function --alias live --event @event.json\n  \
    r-layer invoke --image dist/image --event '{\"x\":1}'\n\
    \nThe result goes to stdout, the handler's log and a REPORT line to stderr. A function error exits with 1.\n\
    With --serve, curl, the AWS command line and the AWS SDKs invoke the function at the address that is printed,\n\
    until Ctrl-C.")]
pub struct InvokeArgs {
    /// The folder with the function's code: /var/task
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub code: PathBuf,
    /// The handler, as Lambda has it: file.function
    #[arg(
        long,
        env = "R_LAYER_HANDLER",
        value_name = "FILE.FUNCTION",
        required_unless_present_any = ["function", "image"]
    )]
    pub handler: Option<String>,
    /// A container image instead of layers and code: a registry's name for it, or the folder or .tar that `image build`
    /// wrote; --handler takes the place of its own
    #[arg(long, value_name = "REF|LAYOUT")]
    pub image: Option<String>,
    /// The event: JSON, @FILE, or - for stdin
    #[arg(
        long,
        value_name = "JSON",
        default_value = "{}",
        allow_hyphen_values = true
    )]
    pub event: String,
    /// Stay, and let the handler answer what is posted to this port; 0 is a free one
    #[arg(long, value_name = "PORT", conflicts_with = "event")]
    pub serve: Option<u16>,
    /// The address to listen at with --serve: 0.0.0.0 lets other machines in
    #[arg(
        long,
        value_name = "ADDRESS",
        requires = "serve",
        default_value = "127.0.0.1"
    )]
    pub host: IpAddr,
    /// With --serve: begin a new session when the code has changed
    #[arg(long, requires = "serve")]
    pub watch: bool,
    /// A layer's zip; repeated in the order of the function's list [default: the runtime layer in dist]
    #[arg(long = "layer", value_name = "ZIP")]
    pub layers: Vec<PathBuf>,
    /// The root file system: auto (one like Lambda's), debian:SUITE, oci:IMAGE, dir:PATH
    #[arg(
        long,
        env = "R_LAYER_INVOKE_ROOT",
        value_name = "ROOT",
        default_value = "auto"
    )]
    pub root: String,
    /// Seconds that the function may take, 1 to 900
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=900))]
    pub timeout: u64,
    /// The function's memory in MB, 128 to 10240: told to the handler, not enforced
    #[arg(long, value_name = "MB", default_value_t = 128, value_parser = clap::value_parser!(u64).range(128..=10240))]
    pub memory: u64,
    /// An environment variable of the function; may be repeated
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub environment: Vec<String>,
    /// The processor: which runtime layer in dist is taken; another than this machine's runs through qemu-user
    /// [default: this machine's]
    #[arg(long, env = "R_LAYER_ARCH", value_name = "ARCH")]
    pub arch: Option<String>,
    /// The Lambda runtime [default: provided.al2023]
    #[arg(long, env = "R_LAYER_TARGET", value_name = "TARGET")]
    pub target: Option<String>,
    /// Invoke this function at AWS, not a handler here
    #[arg(long, value_name = "NAME|ARN", help_heading = "A function at AWS")]
    pub function: Option<QualifiedFunction>,
    /// Its version or alias [default: $LATEST]
    #[arg(
        long,
        visible_alias = "alias",
        value_name = "VERSION|ALIAS",
        requires = "function",
        help_heading = "A function at AWS"
    )]
    pub qualifier: Option<String>,
    /// Hand over the event and wait for nothing; `r-layer logs` shows what comes of it
    #[arg(
        long = "async",
        requires = "function",
        conflicts_with = "stream",
        help_heading = "A function at AWS"
    )]
    pub asynchronous: bool,
    /// Print a streamed response as it comes; without it all of it comes at the end
    #[arg(long, requires = "function", help_heading = "A function at AWS")]
    pub stream: bool,
    /// Where.
    #[command(flatten)]
    pub region: OneRegionOption,
    /// As whom.
    #[command(flatten)]
    pub aws: AwsOptions,
}

/// What is about a handler on this machine, by clap's ids.
const HERE: [&str; 13] = [
    "image",
    "code",
    "handler",
    "serve",
    "host",
    "watch",
    "layers",
    "root",
    "timeout",
    "memory",
    "environment",
    "arch",
    "target",
];

/// What is about layers and code, which an image has within itself.
const BESIDE_IMAGES: [&str; 6] = ["code", "layers", "root", "target", "watch", "region"];

/// What is about AWS.
const AT_AWS: [&str; 4] = ["region", "profile", "endpoint_url", "expect_account"];

/// The flag that was typed and does not go with the place where the function is, and why. Variables of the environment are
/// for whoever can use them.
pub fn misplaced_flag(matches: &ArgMatches) -> Option<String> {
    let typed = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let has = |id| matches.value_source(id).is_some();
    let (ids, why) = match (has("function"), has("image")) {
        (true, _) => (
            &HERE[..],
            "is for a handler that is invoked on this machine, and --function names one at AWS, which has its own settings",
        ),
        (false, true) => (
            &BESIDE_IMAGES[..],
            "does not go with --image, which names all that is invoked",
        ),
        (false, false) => (
            &AT_AWS[..],
            "is for a function at AWS, which --function names; without it a handler is invoked on this machine",
        ),
    };
    let flag = match *ids.iter().find(|id| typed(id))? {
        "layers" => "layer".to_owned(),
        "environment" => "env".to_owned(),
        id => id.replace('_', "-"),
    };
    Some(format!("--{flag} {why}"))
}
