//! The image under podman, with runc and AWS's own emulator: as somebody runs it before it goes to Lambda.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::base::{Function, whole_base};
use crate::emulated::{Server, free_addresses};
use crate::oci::engine::Podman;
use crate::parts::succeed;

/// A container that answers at an address.
struct Container {
    _process: Server,
    address: SocketAddr,
}

impl Container {
    fn run(podman: &Podman, image: &str) -> Container {
        let [address, runtime_api] = free_addresses();
        let addresses = format!(
            "TEST_ADDRESSES=--runtime-interface-emulator-address {address} --runtime-api-address {runtime_api}"
        );
        let run = ["run", "--rm", "--network=host", "--env", &addresses, image];
        let process: Child = podman.command(&run).stdout(Stdio::null()).spawn().unwrap();
        let mut process = Server(process);
        assert!(process.listens(address), "podman run ended");
        Container {
            _process: process,
            address,
        }
    }

    fn answer(&self, event: &Value) -> Value {
        let path = "2015-03-31/functions/function/invocations";
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--data",
            &event.to_string(),
        ]);
        let output = succeed(curl.arg(format!("http://{}/{path}", self.address)));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[test]
fn curl_gets_the_predecessors_answer_from_the_image_and_from_the_dockerfiles() {
    let function = Function::on(&whole_base()).with_runtime();
    let time = "zone <- function() list(zone = Sys.timezone(), warned = length(warnings()), handler = Sys.getenv('_HANDLER'))\n";
    function.write("fn/other.R", time);
    let name = function.registry.name("fn:1");
    function.built(&["--push", &name]);
    let podman = Podman::new(&function.registry);
    let container = Container::run(&podman, &name);
    for (number, parity) in [(5, "odd"), (4, "even")] {
        assert_eq!(
            container.answer(&json!({"number": number})),
            json!({"parity": parity})
        );
    }
    let error = container.answer(&json!({"nr": 5}));
    assert_eq!(error["errorMessage"], "unused argument (nr = 5)");
    drop(container);

    // The Dockerfile, built without a daemon; `unzip` comes from an image of busybox.
    let busybox = function.path("busybox/bin");
    std::fs::create_dir_all(&busybox).unwrap();
    std::fs::copy("/bin/busybox", busybox.join("busybox"))
        .expect("busybox-static is installed by scripts/test");
    for applet in ["sh", "unzip", "mkdir", "seq", "printf", "chmod"] {
        std::os::unix::fs::symlink("busybox", busybox.join(applet)).unwrap();
    }
    let mut tar = Command::new("tar");
    tar.args(["-cf", "busybox.tar", "-C", "busybox", "."]);
    succeed(tar.current_dir(function.project.folder.path()));
    let tarball = function.path("busybox.tar");
    succeed(&mut podman.command(&["import", tarball.to_str().unwrap(), "localhost/busybox:1"]));
    let dockerfile = succeed(&mut function.build(&["--dockerfile", "--env", "A=$b \"c\""])).stdout;
    function.write("Dockerfile", std::str::from_utf8(&dockerfile).unwrap());
    let mut build = podman.command(&["build", "--isolation=chroot", "--network=host"]);
    build.args([
        "--build-arg",
        "UNZIP=localhost/busybox:1",
        "--tag",
        "localhost/docked:1",
        ".",
    ]);
    succeed(build.current_dir(function.project.folder.path()));
    let container = Container::run(&podman, "localhost/docked:1");
    assert_eq!(
        container.answer(&json!({"number": 5})),
        json!({"parity": "odd"})
    );
}
