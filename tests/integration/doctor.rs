//! `doctor` and `completions`: on this machine, and on what is made of it by taking things away.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::parts::{r_layer, succeed};

/// A doctor on a machine with a cache and a home of its own, both in the folder, and without proxies.
fn doctor(folder: &Path) -> Command {
    let mut command = r_layer(folder);
    command
        .arg("doctor")
        .env("R_LAYER_CACHE", folder.join("cache"))
        .env("HOME", folder);
    for variable in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "AWS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CONFIG_FILE",
    ] {
        command.env_remove(variable);
    }
    command
}

fn diagnosis(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

fn work<'a>(diagnosis: &'a Value, name: &str) -> &'a Value {
    let works = diagnosis["works"].as_array().unwrap();
    works.iter().find(|work| work["work"] == name).unwrap()
}

fn check<'a>(diagnosis: &'a Value, name: &str) -> &'a Value {
    let checks = diagnosis["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("{name}: {diagnosis:#}"))
}

#[test]
fn this_machine_packs_compiles_and_invokes() {
    let folder = tempfile::tempdir().unwrap();
    let output = succeed(doctor(folder.path()).args(["--offline", "--json"]));
    let found = diagnosis(&output);
    for name in ["pack", "compile", "invoke-x86_64"] {
        assert_eq!(work(&found, name)["possible"], true, "{found:#}");
    }
    assert_eq!(check(&found, "cran.r-project.org")["status"], "skipped");
    assert_eq!(work(&found, "publish")["possible"], false);
    let remedy = check(&found, "AWS credentials")["remedy"].as_str().unwrap();
    assert!(remedy.contains("aws configure"), "{remedy}");

    let mut command = doctor(folder.path());
    command.env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE");
    let output = succeed(command.arg("--offline"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("yes  fetch R and packages"), "{text}");
    assert!(text.contains("AWS_ACCESS_KEY_ID is set"), "{text}");
    assert!(!text.contains("AKIAEXAMPLE"), "{text}");
}

#[test]
fn without_programs_layers_are_packed_and_the_rest_is_told_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let programs = folder.path().join("bin");
    std::fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink("/usr/bin/apt-get", programs.join("apt-get")).unwrap();
    let mut command = doctor(folder.path());
    command.args(["--offline", "--json"]).env("PATH", &programs);
    // debootstrap is looked for where administrators' programs are, too.
    let found = diagnosis(&succeed(&mut command));
    assert_eq!(work(&found, "pack")["possible"], true);
    for name in ["compile", "invoke-x86_64", "invoke-arm64"] {
        let missing = work(&found, name)["missing"].as_array().unwrap();
        assert!(missing.contains(&"bubblewrap".into()), "{found:#}");
    }
    for (name, package) in [("bubblewrap", "bubblewrap"), ("container engine", "podman")] {
        let remedy = check(&found, name)["remedy"].as_str().unwrap();
        let typed = format!("apt-get install -y {package}");
        assert!(remedy.ends_with(&typed), "{remedy}");
    }
}

#[test]
fn a_bubblewrap_that_may_not_make_namespaces_is_of_no_use() {
    let folder = tempfile::tempdir().unwrap();
    let plain = doctor(folder.path());
    // In a user namespace in which no other may be made, and without root's privileges.
    let mut command = Command::new("bwrap");
    command.args(["--unshare-user", "--disable-userns", "--cap-drop", "ALL"]);
    command.args(["--dev-bind", "/", "/"]);
    command.arg("--").arg(plain.get_program());
    command.args(plain.get_args()).args(["--offline", "--json"]);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let found = diagnosis(&succeed(&mut command));
    let bubblewrap = check(&found, "bubblewrap");
    assert_eq!(bubblewrap["status"], "missing", "{found:#}");
    let said = bubblewrap["found"].as_str().unwrap();
    assert!(said.contains("cannot make namespaces"), "{said}");
    assert_eq!(work(&found, "invoke-x86_64")["possible"], false);
}

#[test]
fn servers_that_do_not_answer_and_settings_that_are_of_no_use() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = doctor(folder.path());
    // Nobody listens at port 1, and what is said of the proxy does not tell its password.
    command.env("HTTPS_PROXY", "http://me:secret@127.0.0.1:1");
    let output = command.args(["--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let found = diagnosis(&output);
    assert_eq!(work(&found, "pack")["possible"], false);
    assert_eq!(check(&found, "p3m.dev/cran/latest")["status"], "missing");
    let remedy = check(&found, "servers of R and packages")["remedy"].clone();
    assert!(remedy.as_str().unwrap().contains("HTTPS_PROXY"), "{remedy}");
    let proxy = check(&found, "HTTPS_PROXY")["found"].as_str().unwrap();
    assert_eq!(proxy, "http://127.0.0.1:1");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("secret"));

    let bundle = folder.path().join("bundle.pem");
    std::fs::write(&bundle, "no certificate").unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let mut command = doctor(folder.path());
    command.args(["--offline"]).env("AWS_CA_BUNDLE", &bundle);
    command.env("R_LAYER_CACHE", folder.path().join("file/cache"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "no   fetch R and packages, pack layers: missing cache, certificates",
        "export R_LAYER_CACHE=",
        "AWS_CA_BUNDLE names",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
}

#[test]
fn completions_are_scripts_that_their_shell_reads() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let mut command = r_layer(folder.path());
        let script = succeed(command.args(["completions", shell])).stdout;
        let script = String::from_utf8(script).unwrap();
        for command in ["inspect", "doctor", "older-than"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
        if shell == "bash" {
            let file = folder.path().join("completions");
            std::fs::write(&file, script).unwrap();
            succeed(Command::new("bash").arg("-n").arg(&file));
            // Loaded, it completes a command that is begun.
            let ask = format!(
                "source {}; COMP_WORDS=(r-layer insp); COMP_CWORD=1; \
                 set -- $(complete -p r-layer); while [ $1 != -F ]; do shift; done; $2 r-layer insp r-layer; echo \"${{COMPREPLY[@]}}\"",
                file.display()
            );
            let answer = succeed(Command::new("bash").args(["-c", &ask])).stdout;
            assert_eq!(String::from_utf8(answer).unwrap(), "inspect\n");
        }
    }
    let mut command = r_layer(folder.path());
    crate::parts::fail(command.args(["completions", "csh"]), 2);
}
