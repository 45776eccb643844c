//! A function at AWS is invoked: the same output as of a handler on this machine.
//!
//! It is invoked once. What AWS refused before it began is tried again; an answer that was lost is told, since the function
//! may have done its work.

mod attempts;
mod failure;
mod streamed;
mod tail;

use anyhow::{Result, bail};
use serde_json::json;

use super::{answer, event};
use crate::aws::{Invocations, InvokeRequest, Invoked};
use crate::cli::InvokeArgs;
use crate::commands::Outcome;
use crate::commands::function_at_aws::FunctionAtAws;
use crate::function::QualifiedFunction;
use crate::invoke_api::InvocationType;
use crate::progress::Reporter;
use crate::runtime_api::{Answer, ErrorReport};
use crate::terminal::Printer;
use attempts::{Unanswered, until_taken};

/// Invokes a function.
pub async fn run(
    mut function: QualifiedFunction,
    args: InvokeArgs,
    printer: &Printer,
    reporter: &dyn Reporter,
) -> Result<Outcome> {
    let kind = match args.asynchronous {
        true => InvocationType::Event,
        false => InvocationType::RequestResponse,
    };
    // In a thread of its own, so that an interruption is heard while it reads.
    let event = tokio::task::spawn_blocking(move || event::read(&args.event, kind)).await??;
    function.qualifier = qualifier(&function, args.qualifier)?;
    let request = InvokeRequest {
        function: function.clone(),
        event,
    };
    let at = FunctionAtAws::open(function, &args.region, &args.aws, reporter).await?;
    let way = match (args.asynchronous, args.stream) {
        (true, _) => Way::HandedOver,
        (_, true) => Way::Streamed,
        _ => Way::Whole,
    };
    let unanswered = Unanswered::new(at.name(), reporter);
    let outcome = invoke(&at, &request, way, printer, reporter).await;
    unanswered.over();
    outcome
}

/// How the answer comes.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Not at all.
    HandedOver,
    /// While it is made.
    Streamed,
    /// At its end.
    Whole,
}

async fn invoke(
    at: &FunctionAtAws,
    request: &InvokeRequest,
    way: Way,
    printer: &Printer,
    reporter: &dyn Reporter,
) -> Result<Outcome> {
    let invocations = Invocations::new(&at.session, &at.region);
    let name = at.name();
    let error = match way {
        Way::HandedOver => match until_taken(name, reporter, || invocations.send(request)).await {
            Ok(id) => return taken(name, &id, printer, reporter),
            Err(error) => error,
        },
        Way::Streamed => match until_taken(name, reporter, || invocations.stream(request)).await {
            Ok(stream) => return streamed::show(stream, at, printer, reporter).await,
            Err(error) => error,
        },
        Way::Whole => match until_taken(name, reporter, || invocations.invoke(request)).await {
            Ok(invoked) => {
                let report = tail::print(&invoked.log, name, printer, reporter);
                return answer::print(printer, answered(invoked), report);
            }
            Err(error) => error,
        },
    };
    Err(failure::explained(error, at).await)
}

/// The version or alias that was typed, here or there.
fn qualifier(function: &QualifiedFunction, typed: Option<String>) -> Result<Option<String>> {
    match (typed, &function.qualifier) {
        (Some(typed), Some(own)) if typed != *own => {
            bail!("--qualifier is {typed}, and --function says {own}; leave out one of them")
        }
        (typed, own) => Ok(typed.or_else(|| own.clone())),
    }
}

/// The event is AWS's now.
fn taken(name: &str, id: &str, printer: &Printer, reporter: &dyn Reporter) -> Result<Outcome> {
    if printer.json {
        let line = json!({"accepted": true, "requestId": id}).to_string() + "\n";
        printer.data(line.as_bytes())?;
    }
    reporter.note(&format!(
        "AWS has taken the event for {name} (request {id}); `r-layer logs {name} --follow` shows what comes of it"
    ));
    Ok(Outcome::Done)
}

fn answered(invoked: Invoked) -> Answer {
    match invoked.function_error {
        None => Answer::Response(invoked.payload),
        Some(kind) => {
            let mut report = ErrorReport::parse(&invoked.payload);
            if report.error_type.is_empty() {
                // Lambda's own errors (the time is over) may have a message alone.
                report.error_type = kind;
            }
            Answer::Error(report)
        }
    }
}
