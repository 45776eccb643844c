//! The README's first commands, from nothing to an answering function: each is run as it stands there. moto plays AWS, and
//! what was deployed answers by R's runtime on this machine.

use std::path::Path;
use std::process::Command;

use crate::aws::Account;
use crate::parts::{sources, succeed};
use crate::serve::served::Served;

/// The commands of the first block of the README, and what the last one answers there.
fn first_commands() -> (Vec<Vec<String>>, String) {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```console\n").expect("a block");
    let (block, _) = rest.split_once("```").expect("its end");
    let commands = block.lines().filter_map(|line| line.strip_prefix("$ "));
    let words = |command: &str| {
        // The shell's own words: the event is quoted.
        let output = succeed(Command::new("sh").args(["-c", &format!("printf '%s\\n' {command}")]));
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    let answer = block.lines().last().expect("an answer").to_owned();
    (commands.map(words).collect(), answer)
}

fn run(account: &Account, folder: &Path, words: &[String]) -> Vec<u8> {
    assert_eq!(words[0], "r-layer");
    let mut command = account.r_layer(folder);
    // Where Posit's servers cannot be reached, R is compiled; the tests' machine has compiled it already.
    let sources = sources();
    if let [_, folder] = &sources[..] {
        command.env("R_LAYER_SOURCES", folder);
    }
    command.env("R_LAYER_R_SOURCE", "cran").args(&words[1..]);
    succeed(&mut command).stdout
}

#[test]
fn the_first_five_commands_lead_from_nothing_to_an_answer() {
    let (commands, answer) = first_commands();
    let [init, build, publish, deploy, invoke] = &commands[..] else {
        panic!("five commands: {commands:?}");
    };
    let (account, folder) = (Account::new(), tempfile::tempdir().expect("a folder"));
    account.proxy.spare_moto();
    run(&account, folder.path(), init);
    let project = folder.path().join("parity");
    for command in [build, publish, deploy] {
        run(&account, &project, command);
    }
    let function = account
        .function("eu-central-1", "parity")
        .expect("it is deployed");
    assert_eq!(function["Configuration"]["Handler"], "script.parity");
    let served = Served::start(&project, &["--handler", "script.parity"]);
    let port = served.address.rsplit(':').next().expect("a port");
    account
        .proxy
        .let_functions_answer_at(port.parse().expect("a number"));
    let answered = run(&account, &project, invoke);
    assert_eq!(String::from_utf8_lossy(&answered).trim(), answer);
}
