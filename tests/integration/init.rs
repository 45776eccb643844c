//! `init`: the project that it makes is one that works.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::Parser;
use r_layer::cli::Cli;
use r_layer::function::code::FunctionCode;
use serde_json::Value;

use crate::parts::{fail, format_checkers, r_layer, sources, succeed};

/// A folder with a new project `parity` in it.
fn project() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    succeed(r_layer(parent.path()).args(["init", "parity"]));
    let project = parent.path().join("parity");
    (parent, project)
}

fn files(folder: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let path = path.strip_prefix(folder).unwrap();
                    files.insert(path.display().to_string());
                }
            }
        }
    }
    files
}

/// The steps of the workflow: name → shell script.
fn steps(project: &Path) -> Vec<(String, String)> {
    let workflow = workflow(project);
    let steps = workflow["jobs"]["deploy"]["steps"].as_array().unwrap();
    let script = |step: &Value| {
        Some((
            step["name"].as_str()?.to_owned(),
            step["run"].as_str()?.to_owned(),
        ))
    };
    steps.iter().filter_map(script).collect()
}

/// The workflow as a YAML parser reads it.
fn workflow(project: &Path) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let mut python = Command::new("python3");
    python
        .env("PYTHONPATH", format_checkers())
        .args(["-c", script]);
    let output = succeed(python.arg(project.join(".github/workflows/deploy.yml")));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A script of the workflow, as GitHub runs it, with a compiled R as the source.
fn run(script: &str, project: &Path) -> Output {
    let program = r_layer(project);
    let folder = Path::new(program.get_program()).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut bash = Command::new("bash");
    bash.current_dir(project)
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("R_LAYER_R_SOURCE", "cran");
    if let [_, folder] = &sources()[..] {
        bash.env("R_LAYER_SOURCES", folder);
    }
    succeed(&mut bash)
}

#[test]
fn the_workflow_of_a_new_project_builds_audits_and_answers() {
    let (_parent, project) = project();
    let of_aws = ["Publish the layers", "Deploy the function"];
    let mut answers = Vec::new();
    for (name, script) in steps(&project) {
        if name != "Install r-layer" && !of_aws.contains(&name.as_str()) {
            answers.push(String::from_utf8(run(&script, &project).stdout).unwrap());
        }
    }
    let [built, audited, answered] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert!(
        built.contains("r-runtime-4.5.0-al2023-x86_64.zip"),
        "{built}"
    );
    assert!(
        audited.contains("would load on provided.al2023"),
        "{audited}"
    );
    assert_eq!(answered, "\"passed\"\n{\"parity\":\"odd\"}\n");
    // What a build leaves behind is what the project says that it commits, or does not.
    let ignored = std::fs::read_to_string(project.join(".gitignore")).unwrap();
    assert!(ignored.contains("/dist/") && project.join("r-layer.lock").exists());

    let test = project.join("tests/test-script.R");
    let tested = |project: &Path| {
        let mut rscript = Command::new("Rscript");
        rscript.current_dir(project).arg(&test);
        rscript
    };
    succeed(&mut tested(&project));
    let script = project.join("script.R");
    let wrong = std::fs::read_to_string(&script)
        .unwrap()
        .replace("== 0", "== 1");
    std::fs::write(&script, wrong).unwrap();
    fail(&mut tested(&project), 1);
}

#[test]
fn the_workflow_asks_for_a_token_and_names_no_key() {
    let (_parent, project) = project();
    let workflow = workflow(&project);
    assert_eq!(workflow["permissions"]["id-token"], "write");
    let steps = workflow["jobs"]["deploy"]["steps"].as_array().unwrap();
    let credentials = steps
        .iter()
        .find(|step| step["with"]["role-to-assume"].is_string());
    let uses = credentials.unwrap()["uses"].as_str().unwrap();
    assert!(
        uses.starts_with("aws-actions/configure-aws-credentials@v"),
        "{uses}"
    );
    assert!(!workflow.to_string().contains("secrets."));
}

#[test]
fn every_command_that_a_new_project_names_is_one() {
    let (_parent, project) = project();
    let steps = steps(&project).into_iter().map(|(_, script)| script);
    let readme = std::fs::read_to_string(project.join("README.md")).unwrap();
    // Blocks, and what is in backticks within lines.
    let marked = readme.split('`').skip(1).step_by(2).map(str::to_owned);
    let blocks = readme.split("```").skip(1).step_by(2).map(str::to_owned);
    let texts: Vec<String> = steps.chain(blocks).chain(marked).collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let commands = lines
        .map(str::trim)
        .filter(|line| line.starts_with("r-layer "));
    let mut names = BTreeSet::new();
    for command in commands {
        let words = command.split_whitespace().take_while(|word| *word != "#");
        let words = words.flat_map(|word| match word {
            "$layers" => vec!["--layer", "dist/r.zip"],
            word => vec![word],
        });
        let words: Vec<&str> = words.collect();
        if let Err(error) = Cli::try_parse_from(&words) {
            panic!("{command}: {error}");
        }
        names.insert(words[1]);
    }
    let expected = [
        "add-packages",
        "audit",
        "build",
        "deploy",
        "doctor",
        "invoke",
        "policy",
        "publish",
    ];
    assert_eq!(names, expected.into());
}

#[test]
fn the_handler_alone_is_deployed() {
    let (_parent, project) = project();
    let code = FunctionCode::pack(&project, None).unwrap();
    assert_eq!(code.files, ["script.R"]);
    assert!(
        code.left_out.iter().all(|out| out.is_expected),
        "{:?}",
        code.left_out
    );
}

#[test]
fn what_is_there_is_named_and_never_overwritten() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path();
    std::fs::write(folder.join("README.md"), "mine").unwrap();
    std::fs::write(folder.join("data.csv"), "a").unwrap();
    let before = files(folder);
    let error = fail(r_layer(folder).args(["init", "--name", "parity"]), 1);
    assert!(
        error.contains("README.md is in . already") && error.contains("--missing"),
        "{error}"
    );
    let dry = [
        "init",
        "--missing",
        "--dry-run",
        "--name",
        "parity",
        "--json",
    ];
    let output = succeed(r_layer(folder).args(dry));
    assert_eq!(files(folder), before);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["dry_run"], true);
    assert_eq!(printed["kept"], serde_json::json!(["README.md"]));

    succeed(r_layer(folder).args(["init", "--missing", "--name", "parity"]));
    assert_eq!(
        std::fs::read_to_string(folder.join("README.md")).unwrap(),
        "mine"
    );
    let written = printed["written"].as_array().unwrap().iter();
    let mut all: BTreeSet<String> = written
        .map(|file| file["path"].as_str().unwrap().to_owned())
        .collect();
    all.extend(before);
    assert_eq!(files(folder), all);
    let error = fail(r_layer(folder).args(["init", "--name", "parity"]), 1);
    assert!(
        error.contains("r-layer.toml, script.R, event.json"),
        "{error}"
    );
    let again = succeed(r_layer(folder).args(["init", "--missing", "--name", "other"]));
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("no [functions.other]"), "{said}");
    assert_eq!(files(folder), all);
}

#[test]
fn a_folder_that_cannot_be_one_and_a_name_that_cannot_be_one_are_told() {
    let parent = tempfile::tempdir().unwrap();
    std::fs::write(parent.path().join("file"), "").unwrap();
    for (arguments, status, words) in [
        (&["file"][..], 1, "file is no folder"),
        (&["file/new"], 1, "file is no folder"),
        (&["new", "--name", "a b"], 2, "letters, digits"),
        (
            &[
                "new",
                "--name",
                "arn:aws:lambda:eu-west-1:123456789012:function:f",
            ],
            2,
            "no name of a function",
        ),
    ] {
        let error = fail(r_layer(parent.path()).arg("init").args(arguments), status);
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
    assert_eq!(files(parent.path()), ["file".to_owned()].into());
}
