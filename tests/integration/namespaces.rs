//! Where bubblewrap may not make user namespaces, the error says which setting forbids them.

use std::path::Path;
use std::process::Command;

use crate::parts::{fail, from_source, functions, r_layer, runtime_layer};

/// A command as an ordinary user of a kernel that allows no user namespaces: in one of its own, whose limit is 0.
fn without_user_namespaces(command: &Command) -> Command {
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && \
                  exec setpriv --ambient-caps=-all --inh-caps=-all \"$@\"";
    let mut unshare = Command::new("unshare");
    unshare.args([
        "--user",
        "--map-user=1000",
        "--keep-caps",
        "/bin/sh",
        "-c",
        script,
        "sh",
    ]);
    unshare.arg(command.get_program()).args(command.get_args());
    unshare.current_dir(command.get_current_dir().unwrap_or(Path::new("/")));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => unshare.env(name, value),
            None => unshare.env_remove(name),
        };
    }
    unshare
}

#[test]
fn an_invocation_says_which_setting_forbids_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = r_layer(folder.path());
    command.args(["invoke", "--handler", "script.increment", "--layer"]);
    command
        .arg(runtime_layer())
        .arg("--code")
        .arg(functions("basics"));
    let error = fail(&mut without_user_namespaces(&command), 1);
    assert!(error.contains("bubblewrap (`bwrap`) cannot run"), "{error}");
    assert!(
        error.contains("sudo sysctl -w user.max_user_namespaces=15000"),
        "{error}"
    );
}

#[test]
fn a_build_says_which_setting_forbids_it() {
    // A root in which something is to be installed first.
    let folder = tempfile::tempdir().unwrap();
    for file in ["root/bin/sh", "root/usr/bin/dnf"] {
        let file = folder.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::copy("/bin/sh", file).unwrap();
    }
    let mut command = r_layer(folder.path());
    command
        .args(["build", "runtime", "--build-root", "dir:root"])
        .args(from_source());
    let cache = tempfile::tempdir().unwrap();
    command.env("R_LAYER_CACHE", cache.path());
    let error = fail(&mut without_user_namespaces(&command), 1);
    assert!(
        error.contains("sudo sysctl -w user.max_user_namespaces=15000"),
        "{error}"
    );
}
