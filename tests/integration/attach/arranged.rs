//! The order of layers: a table of functions, commands and what comes of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::making::{Lambda, Making, REGION, Ran, zip_with};
use crate::aws::Account;

/// A line of the table, and the function that stands for it.
struct Case<'a> {
    line: &'a str,
    function: String,
    existing: &'a str,
    result: &'a str,
}

/// The cases by what is typed for them.
fn table() -> BTreeMap<&'static str, Vec<Case<'static>>> {
    let mut table: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    let lines = include_str!("arranged.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    for (number, line) in lines.enumerate() {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [existing, typed, result] = parts[..] else {
            panic!("{line}")
        };
        table.entry(typed).or_default().push(Case {
            line,
            function: format!("case-{number}"),
            existing,
            result,
        });
    }
    table
}

/// `models@4.4` with R's version and the processor.
fn layer_of(name: &str) -> Making<'_> {
    let (name, of) = name.split_once('@').unwrap_or((name, ""));
    Making {
        name,
        r: if of == "4.4" { "4.4.1" } else { "4.5.0" },
        architecture: if of == "arm64" { of } else { "x86_64" },
        ..Making::default()
    }
}

/// The ARNs of layers by their names in the table.
fn published(lambda: &Lambda) -> BTreeMap<String, String> {
    let mut arns = BTreeMap::new();
    let mut publish = |name: &str, versions: usize| {
        for version in 1..=versions {
            let mark = version.to_string();
            let making = Making {
                mark: &mark,
                ..layer_of(name)
            };
            arns.insert(format!("{name}:{version}"), lambda.publish(&making.build()));
        }
    };
    // What is earlier in time, which AWS's dates tell by the second.
    for (name, versions) in [("pics", 1), ("maps-1", 1), ("maps-2", 1)] {
        publish(name, versions);
    }
    std::thread::sleep(std::time::Duration::from_millis(1100));
    for (name, versions) in [
        ("runtime", 2),
        ("models", 3),
        ("tables", 1),
        ("data", 1),
        ("data-2", 2),
        ("pics-1", 2),
        ("pics-2", 2),
        ("maps", 1),
        ("runtime@4.4", 1),
        ("models@4.4", 2),
        ("pics@4.4", 1),
        ("models@arm64", 1),
    ] {
        publish(name, versions);
    }
    for (name, versions, file) in [
        ("other", 2, "python/other.py"),
        ("other2", 1, "python/other2.py"),
        ("third", 1, "lib/third"),
        ("boot", 1, "bootstrap"),
    ] {
        for version in 1..=versions {
            let zip = zip_with(file, &version.to_string());
            let arn = lambda.publish_other(name, "somebody else's", None, &zip);
            arns.insert(format!("{name}:{version}"), arn);
        }
    }
    arns
}

#[test]
fn layers_end_up_where_the_table_says_and_stay_there() {
    let account = Account::new();
    account.create_role("function-role");
    let lambda = Lambda::of(&account);
    let arns = published(&lambda);
    let arns_of = |names: &str| -> Vec<&str> {
        let names = names.split_whitespace();
        names.map(|name| arns[name].as_str()).collect()
    };
    let table = table();
    assert!(table.values().map(Vec::len).sum::<usize>() >= 40);
    for case in table.values().flatten() {
        lambda.function(&case.function, &arns_of(case.existing));
        if !case.result.starts_with('!') {
            let after = format!("{}-after", case.function);
            lambda.function(&after, &arns_of(case.result));
        }
    }
    account.proxy.forget();
    let folder = tempfile::tempdir().expect("a folder");
    let run = |typed: &str, cases: &[Case]| {
        let mut command = account.r_layer(folder.path());
        command.env("AWS_REGION", REGION).args(typed.split(' '));
        for case in cases {
            command.arg(&case.function);
            // The same again changes nothing; what is detached is not there any more.
            if !case.result.starts_with('!') && typed.starts_with("attach") {
                command.arg(format!("{}-after", case.function));
            }
        }
        let ran = Ran::of(command.args(["--dry-run", "--json"]));
        let results = ran.functions();
        for case in cases {
            let of = |name: &str| results.iter().find(|result| result["function"] == name);
            check(case, of(&case.function).expect("a result"), &arns_of);
            if let Some(after) = of(&format!("{}-after", case.function)) {
                assert_eq!(after["outcome"], "unchanged", "{}\n{after}", case.line);
            }
        }
    };
    std::thread::scope(|scope| {
        for (typed, cases) in &table {
            scope.spawn(move || run(typed, cases));
        }
    });
    assert_eq!(account.proxy.changes(), [""; 0]);
}

fn check<'a>(case: &Case, result: &Value, arns_of: &impl Fn(&str) -> Vec<&'a str>) {
    if let Some(words) = case.result.strip_prefix("! ") {
        let reason = result["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(words), "{}\n{result}", case.line);
        return;
    }
    let arns: Vec<&str> = result["arns"]
        .as_array()
        .expect("ARNs")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(arns, arns_of(case.result), "{}\n{result}", case.line);
    let is_same = arns_of(case.existing) == arns;
    let outcome = if is_same { "unchanged" } else { "would-change" };
    assert_eq!(result["outcome"], outcome, "{}\n{result}", case.line);
}
