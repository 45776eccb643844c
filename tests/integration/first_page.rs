//! The first page of the README: from nothing to a function that answers, each command as it stands there, at AWS as moto
//! plays it.

use std::path::Path;
use std::process::Command;

use crate::aws::Account;
use crate::parts::{sources, succeed};
use crate::serve::served::Served;

const README: &str = include_str!("../../README.md");

/// A line of the README in a shell, with the r-layer under test and a compiled R as the source. Returns what it prints.
fn type_in(line: &str, folder: &Path, account: &Account) -> String {
    let r_layer = account.r_layer(folder);
    let program = Path::new(r_layer.get_program()).parent().expect("a folder");
    let path = std::env::var("PATH").expect("a path");
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(folder);
    for (name, value) in r_layer.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
        .env("PATH", format!("{}:{path}", program.display()))
        .env("R_LAYER_R_SOURCE", "cran");
    if let [_, folder] = &sources()[..] {
        shell.env("R_LAYER_SOURCES", folder);
    }
    String::from_utf8(succeed(&mut shell).stdout).expect("text")
}

#[test]
fn five_commands_lead_to_an_answer() {
    let (_, block) = README.split_once("```console\n").expect("a console");
    let (block, rest) = block.split_once("```").expect("its end");
    let commands: Vec<&str> = block
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .collect();
    let [init, build, publish, deploy, invoke] = commands[..] else {
        panic!("{commands:?}");
    };
    let answer = block.lines().last().expect("an answer");
    let (account, parent) = (Account::new(), tempfile::tempdir().expect("a folder"));
    let folder = parent.path().join("parity");

    type_in(init, parent.path(), &account);
    type_in(build, &folder, &account);
    // What works without AWS.
    let (_, here) = rest
        .split_once("`r-layer invoke --handler")
        .expect("another invoke");
    let (here, _) = here.split_once('`').expect("its end");
    let here = format!("r-layer invoke --handler{here}");
    assert_eq!(type_in(&here, &folder, &account).trim_end(), answer);
    assert_eq!(account.proxy.requests().len(), 0);

    type_in(publish, &folder, &account);
    type_in(deploy, &folder, &account);
    // moto runs no functions; the handler that was deployed is that of the folder.
    let served = Served::of("script.parity", &folder, &[]);
    let port = served
        .address
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    account.proxy.let_functions_answer_at(port.expect("a port"));
    assert_eq!(type_in(invoke, &folder, &account).trim_end(), answer);
}
