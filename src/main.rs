//! r-layer: puts R on AWS Lambda.

use std::process::ExitCode;

use r_layer::cli::Cli;
use r_layer::commands::{self, Outcome};
use r_layer::terminal::{Printer, print_error};

/// Exit status of a command of whose work a part failed.
const PARTLY_DONE: u8 = 3;

/// Exit status of a command that was interrupted: 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let cli = Cli::typed(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let printer = Printer::new(cli.global.json, cli.global.verbosity(), cli.global.color);
    // One thread: children die with the thread that started them (bubblewrap's --die-with-parent), and this
    // one lives as long as the process. Compression has threads of its own.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            print_error(&printer, &error.into());
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            () = interrupted() => None,
            outcome = commands::run(cli, printer) => Some(outcome),
        }
    });
    // What still runs in other threads has nothing to write any more.
    runtime.shutdown_background();
    match outcome {
        Some(Ok(Outcome::Done)) => ExitCode::SUCCESS,
        Some(Ok(Outcome::PartlyDone)) => ExitCode::from(PARTLY_DONE),
        Some(Ok(Outcome::Fault)) => ExitCode::FAILURE,
        Some(Err(error)) => {
            print_error(&printer, &error);
            ExitCode::FAILURE
        }
        None => {
            printer.line("interrupted");
            ExitCode::from(INTERRUPTED)
        }
    }
}

/// Ends when the user or the system asks the command to stop: its future is then dropped, which ends its
/// children and removes its temporary files.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminated), Ok(mut hung_up)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
            _ = hung_up.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
