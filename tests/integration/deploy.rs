//! `deploy` and `destroy`, against moto behind a proxy that records; the code that was deployed then answers under AWS's
//! emulator.

mod invokers;
mod refused;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::aws::Account;
use crate::emulated::{Emulated, like_lambda};
use crate::parts::{runtime_layer, succeed};

const REGION: &str = "eu-central-1";

/// A project with a handler and the runtime layer, which is published.
struct Project {
    account: Account,
    folder: tempfile::TempDir,
}

impl Project {
    fn new() -> Project {
        let folder = tempfile::tempdir().expect("a folder");
        let dist = folder.path().join("dist");
        std::fs::create_dir(&dist).expect("a folder");
        let built = runtime_layer();
        for file in [built.to_owned(), built.with_extension("json")] {
            let place = dist.join(file.file_name().expect("a name"));
            std::fs::copy(&file, place).expect("a copy");
        }
        let project = Project {
            account: Account::new(),
            folder,
        };
        project.account.proxy.spare_moto();
        project.write(
            "script.R",
            "parity <- function(number) list(parity = if (number %% 2 == 0) \"even\" else \"odd\")\n",
        );
        project.done(&["publish"]);
        project
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, content).expect("a file");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.account.r_layer(self.path());
        command.args(arguments).env("AWS_REGION", REGION);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("r-layer runs")
    }

    /// What a command that succeeds says on stdout.
    fn done(&self, arguments: &[&str]) -> String {
        let output = succeed(&mut self.command(arguments));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What a command that fails says on stderr.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        said
    }

    fn function(&self, name: &str) -> Value {
        self.account
            .function(REGION, name)
            .expect("there is such a function")
    }
}

const DEPLOY: [&str; 5] = [
    "deploy",
    "my-function",
    "--handler",
    "script.parity",
    "--create-role",
];

#[test]
fn what_is_deployed_is_as_asked_and_the_third_time_nothing_changes() {
    let project = Project::new();
    let out = project.done(&DEPLOY);
    assert!(out.contains("my-function in eu-central-1: made"), "{out}");
    assert!(
        out.contains("invoke: r-layer invoke --function my-function"),
        "{out}"
    );
    let function = project.function("my-function");
    let settings = &function["Configuration"];
    assert_eq!(settings["Handler"], "script.parity");
    assert_eq!(settings["Runtime"], "provided.al2023");
    assert_eq!(settings["MemorySize"], 512);
    let layer = settings["Layers"][0]["Arn"].as_str().expect("a layer");
    assert!(layer.ends_with(":layer:r-runtime-4_5-x86_64:1"), "{layer}");
    let role = settings["Role"].as_str().expect("a role");
    assert!(
        role.ends_with(":role/r-layer-my-function-eu-central-1"),
        "{role}"
    );

    let out = project.done(&["attach", "my-function"]);
    assert!(out.contains("nothing to do"), "{out}");
    project.account.proxy.forget();
    let out = project.done(&DEPLOY);
    assert!(out.contains("nothing to do"), "{out}");
    assert_eq!(project.account.proxy.changes(), Vec::<String>::new());
}

#[test]
fn only_what_differs_is_sent() {
    let project = Project::new();
    project.done(&DEPLOY);
    let changes = |arguments: &[&str]| {
        project.account.proxy.forget();
        let out = project.done(&[&["deploy", "my-function"], arguments].concat());
        (project.account.proxy.changes(), out)
    };
    let (sent, out) = changes(&["--memory", "1024", "--env", "KEY=a-secret-value"]);
    assert_eq!(sent, ["UpdateFunctionConfiguration"]);
    assert!(out.contains("memory: 512 MB → 1024 MB"), "{out}");
    assert!(out.contains("environment variable KEY"), "{out}");
    assert!(!out.contains("a-secret-value"), "{out}");
    project.write("other.R", "x <- 1\n");
    let (sent, out) = changes(&[]);
    assert_eq!(sent, ["UpdateFunctionCode"]);
    assert!(out.contains("code:"), "{out}");
    let (sent, _) = changes(&["--env", "SECOND=2", "--unset-env", "KEY"]);
    assert_eq!(sent, ["UpdateFunctionConfiguration"]);
    let variables = &project.function("my-function")["Configuration"]["Environment"]["Variables"];
    assert_eq!(*variables, json!({"SECOND": "2"}));
    let (sent, _) = changes(&["--tag", "team=data"]);
    assert_eq!(sent, ["TagResource"]);
    let (sent, out) = changes(&["--alias", "live"]);
    assert_eq!(sent, ["PublishVersion", "CreateAlias"]);
    assert!(out.contains("new alias live points at it"), "{out}");
    let (sent, _) = changes(&["--alias", "live", "--tag", "team=data"]);
    assert_eq!(sent, Vec::<String>::new());
}

#[test]
fn the_manifest_says_what_flags_leave_out_and_a_dry_run_sends_nothing() {
    let project = Project::new();
    project.write(
        "r-layer.toml",
        "[functions.my-function]\ncode = \"fn\"\nhandler = \"script.parity\"\ncreate-role = true\nmemory = 256\n\
         timeout = 10\ndescription = \"odd or even\"\nlog-format = \"json\"\n[functions.my-function.environment]\n\
         LEVEL = \"debug\"\n[functions.my-function.tags]\nteam = \"data\"\n",
    );
    project.write("fn/script.R", "parity <- function(number) number\n");
    project.account.proxy.forget();
    let out = project.done(&["deploy", "my-function", "--dry-run"]);
    for words in [
        "would be made",
        "memory: 256 MB",
        "the role r-layer-my-function-eu-central-1 would be made",
        "the tag team=data would be set",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert_eq!(project.account.proxy.changes(), Vec::<String>::new());
    let out = project.done(&["deploy", "my-function", "--timeout", "20", "--json"]);
    let out: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(out["outcome"], "created");
    let settings = &project.function("my-function")["Configuration"];
    assert_eq!(settings["MemorySize"], 256);
    assert_eq!(settings["Timeout"], 20);
    assert_eq!(settings["Description"], "odd or even");
    assert_eq!(settings["Environment"]["Variables"]["LEVEL"], "debug");
    assert_eq!(project.function("my-function")["Tags"]["team"], "data");
}

#[test]
fn secrets_in_the_folder_stay_there_and_are_named() {
    let project = Project::new();
    project.write(".Renviron", "KEY=a-secret-value\n");
    project.write("notes/private.txt", "x\n");
    project.write(".lambdaignore", "notes/\n");
    let out = project.done(&DEPLOY);
    assert!(
        out.contains("left out: .Renviron (it may hold secrets"),
        "{out}"
    );
    let function = project.function("my-function");
    let size = function["Configuration"]["CodeSize"]
        .as_u64()
        .expect("a size");
    assert!(size < 400, "only script.R is in it: {size}");
}

#[test]
fn what_was_deployed_answers_under_awss_emulator() {
    let project = Project::new();
    project.done(&DEPLOY);
    // The code as AWS has it.
    project.account.proxy.forget();
    let program = "import boto3, urllib.request\n\
                   at = boto3.client('lambda', region_name='eu-central-1').get_function(FunctionName='my-function')\n\
                   urllib.request.urlretrieve(at['Code']['Location'], 'code.zip')\n";
    succeed(project.account.python(program).current_dir(project.path()));
    let code = project.path().join("deployed");
    succeed(
        Command::new("unzip")
            .args(["-q", "code.zip", "-d", "deployed"])
            .current_dir(project.path()),
    );
    let emulated = Emulated::start(&like_lambda(&code), "script.parity");
    assert_eq!(
        emulated.invoke(&json!({"number": 5})),
        json!({"parity": "odd"}),
        "{}",
        emulated.log()
    );
}

#[test]
fn code_that_is_too_large_for_a_request_goes_through_a_bucket() {
    let project = Project::new();
    // What does not get smaller.
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33).to_le_bytes()[0]
    });
    let noise: Vec<u8> = noise.take(53_000_000).collect();
    std::fs::write(project.path().join("model.bin"), noise).expect("a file");
    let said = project.refused(&DEPLOY);
    assert!(said.contains("--s3-bucket"), "{said}");
    let bucket = format!("code-{}-{REGION}", project.account.number());
    project.account.create_bucket(REGION, &bucket);
    let through = [&DEPLOY[..], &["--s3-bucket", "code-{account}-{region}"]].concat();
    project.done(&through);
    assert_eq!(
        project.account.objects(REGION, &bucket),
        Vec::<String>::new()
    );
    let size = &project.function("my-function")["Configuration"]["CodeSize"];
    assert!(size.as_u64().expect("a size") > 52_000_000, "{size}");
    project.account.proxy.forget();
    project.done(&through);
    assert_eq!(project.account.proxy.changes(), Vec::<String>::new());
}

#[test]
fn a_dry_run_of_what_is_so_already_says_so_and_one_of_what_is_not_says_what() {
    let project = Project::new();
    project.done(&DEPLOY);
    let dry = |arguments: &[&str]| project.done(&[&DEPLOY[..], &["--dry-run"], arguments].concat());
    project.account.proxy.forget();
    let out = dry(&[]);
    assert!(
        out.contains("my-function in eu-central-1: nothing to do"),
        "{out}"
    );
    let out = dry(&[
        "--function-url",
        "--schedule",
        "rate(1 day)",
        "--alias",
        "live",
    ]);
    for words in [
        "would be changed",
        "it would get a URL, AWS_IAM",
        "the schedule rate(1 day)",
        "alias live",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(out.contains("--alias live --event"), "{out}");
    assert_eq!(project.account.proxy.changes(), Vec::<String>::new());
}
