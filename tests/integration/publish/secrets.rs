//! Secrets are nowhere in what is said or written.

use std::process::{Command, Output};

use super::{project, text};
use crate::aws::Account;
use crate::aws::proxy::faults;

const TOKEN: &str = "a-token-that-nobody-should-see";
const SECRETS: [&str; 4] = [
    "a-secret-that-nobody-should-see",
    TOKEN,
    "hunter2",
    "Signature=",
];

fn told(command: &mut Command) -> Output {
    let output = command.output().expect("r-layer runs");
    let said = text(&output.stdout) + &text(&output.stderr);
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    output
}

#[test]
fn secrets_are_in_no_output_however_much_is_said() {
    let (account, project) = (Account::new(), project());
    let denied = faults::wrong_signature();
    let in_region = account
        .proxy
        .on("PublishLayerVersion")
        .in_region("eu-west-2");
    in_region.answer(denied);
    let with_password = account.proxy.url().replace("://", "://ann:hunter2@");
    let publish = |arguments: &[&str]| {
        let mut command = account.r_layer(project.path());
        command.env("AWS_SESSION_TOKEN", TOKEN);
        command.args(["publish", "-v", "--region", "eu-west-1,eu-west-2"]);
        command.args(arguments);
        command
    };
    let some = told(publish(&["--endpoint-url", &with_password]).env_remove("AWS_ENDPOINT_URL"));
    assert_eq!(some.status.code(), Some(3), "{}", text(&some.stderr));
    let record = project.path().join("r-layer.arns.json");
    let record = std::fs::read_to_string(record).expect("a record");
    assert!(
        SECRETS.iter().all(|secret| !record.contains(secret)),
        "{record}"
    );
    // A proxy that is not there.
    let mut unreached = publish(&[]);
    unreached
        .env("AWS_ENDPOINT_URL", "https://aws.example")
        .env("HTTPS_PROXY", "http://ann:hunter2@127.0.0.1:9")
        .env("AWS_MAX_ATTEMPTS", "1");
    let unreached = told(&mut unreached);
    assert_eq!(unreached.status.code(), Some(1));
    assert!(
        text(&unreached.stderr).contains("aws.example"),
        "{}",
        text(&unreached.stderr)
    );
}
