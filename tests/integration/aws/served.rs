//! The same AWS for programs that are no tests: moto behind a proxy that adds latency and counts.
//!
//! `cargo test --release --test integration aws::served -- --ignored --nocapture` prints its settings as a line of JSON.
//! To each line that it reads it answers with another one, of what was asked since the last; it ends with its standard
//! input. `R_LAYER_TEST_LATENCY` is in milliseconds a request.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Account;

#[test]
#[ignore = "serves until its standard input ends"]
fn aws_is_served_to_other_programs() {
    let account = Account::new();
    account.proxy.spare_moto();
    let latency = std::env::var("R_LAYER_TEST_LATENCY").unwrap_or_default();
    if let Ok(milliseconds) = latency.parse() {
        account
            .proxy
            .on_any()
            .delay(Duration::from_millis(milliseconds));
    }
    println!(
        "{}",
        json!({"AWS_ENDPOINT_URL": account.proxy.url(), "account": account.number()})
    );
    for line in std::io::stdin().lines() {
        line.expect("text");
        account.proxy.wait_until_idle();
        println!("{}", summary(&account));
        account.proxy.forget();
    }
}

fn summary(account: &Account) -> Value {
    let requests = account.proxy.requests();
    let mut operations = BTreeMap::<&str, usize>::new();
    let mut regions = BTreeMap::<&str, usize>::new();
    for request in &requests {
        *operations.entry(request.name()).or_default() += 1;
        *regions.entry(request.region()).or_default() += 1;
    }
    let fastest = regions
        .keys()
        .map(|region| account.proxy.most_in_a_second(region))
        .max();
    json!({
        "requests": requests.len(),
        "changes": account.proxy.changes().len(),
        // A policy that is not there is no failure.
        "failed": requests.iter().filter(|request| request.status.is_none_or(|status| status >= 400 && status != 404)).count(),
        "bytes": requests.iter().map(|request| request.bytes).sum::<usize>(),
        "regions": regions.len(),
        "most_in_a_second_and_region": fastest,
        "operations": operations,
    })
}
