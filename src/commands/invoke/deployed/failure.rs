//! Why a function was not invoked, and whether it may have run all the same.

use anyhow::anyhow;

use crate::aws::{AwsError, Refusal};
use crate::commands::function_at_aws::FunctionAtAws;

/// What is wrong, and what to type.
pub async fn explained(error: AwsError, at: &FunctionAtAws) -> anyhow::Error {
    let AwsError::Refused {
        refusal, detail, ..
    } = &error
    else {
        return error.into();
    };
    let name = at.name();
    match refusal {
        Refusal::NotFound => at.missing(detail).await,
        Refusal::Throttled => anyhow!(
            "{name} is throttled and did not run ({detail}): as many of it run at once as may, which its reserved \
             concurrency or the account's limit says; try again later"
        ),
        Refusal::Conflict => anyhow!("{name} cannot be invoked now, and did not run ({detail})"),
        Refusal::NoAnswer => anyhow!(lost(name, detail)),
        Refusal::Fault if is_of_the_service(detail) => anyhow!(lost(name, detail)),
        Refusal::Fault => anyhow!("AWS cannot start {name}: {detail}"),
        _ => error.into(),
    }
}

/// An answer did not come, or not to its end.
fn lost(name: &str, detail: &str) -> String {
    format!(
        "the answer of {name} is lost ({detail}). The function may have run, or may still run, and is not invoked again by \
         itself; `r-layer logs {name} --since 20m` shows whether it did"
    )
}

/// Faults with a name of their own (KMSAccessDeniedException, InvalidZipFileException, …) come before a function starts.
fn is_of_the_service(detail: &str) -> bool {
    [
        "ServiceException",
        "HTTP ",
        "InternalFailure",
        "ServiceUnavailable",
    ]
    .iter()
    .any(|begin| detail.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_service_may_have_run_the_function_and_one_of_its_settings_not() {
        assert!(is_of_the_service("ServiceException: internal error"));
        assert!(is_of_the_service("HTTP 502"));
        assert!(!is_of_the_service("KMSAccessDeniedException: no key"));
    }
}
