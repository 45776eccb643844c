//! `invoke`: the local Runtime API, the root like Lambda's, the REPORT line.

use crate::parts::{functions, r_layer, runtime_layer, succeed};

#[test]
fn the_two_first_handlers_answer() {
    let folder = tempfile::tempdir().unwrap();
    for (handler, event, expected) in [
        ("script.increment", r#"{"x":1}"#, "2\n"),
        ("script.parity", r#"{"number":5}"#, "{\"parity\":\"odd\"}\n"),
    ] {
        let mut command = r_layer(folder.path());
        command.args([
            "invoke",
            "--handler",
            handler,
            "--event",
            event,
            "--timeout",
            "30",
            "--code",
        ]);
        let output = succeed(
            command
                .arg(functions("basics"))
                .arg("--layer")
                .arg(runtime_layer()),
        );
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        let log = String::from_utf8_lossy(&output.stderr);
        for part in [
            "START RequestId",
            "END RequestId",
            "REPORT RequestId",
            "Init Duration",
            "Max Memory Used",
        ] {
            assert!(log.contains(part), "{log}");
        }
    }
}
