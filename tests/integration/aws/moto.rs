//! moto's server: AWS as far as publishing and attaching need it, on this machine.
//!
//! It takes seconds to start, so that one serves all tests of the process; each test has an AWS account of its own, which
//! moto keeps apart from the others (S3 buckets' names alone are everybody's). It ends with the process, however that
//! ends, since it reads a pipe that nobody else holds.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use crate::parts;

/// A running server.
pub struct Moto {
    port: u16,
    process: Child,
    /// Held for as long as the server is to run.
    life: Option<ChildStdin>,
}

impl Moto {
    /// The server that all tests of this process share.
    pub fn shared() -> &'static Moto {
        static MOTO: OnceLock<Moto> = OnceLock::new();
        MOTO.get_or_init(Moto::start)
    }

    /// A server of one's own, which answers when this returns.
    pub fn start() -> Moto {
        let program =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/aws/moto_server.py");
        let mut process = Command::new("python3")
            .arg(program)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("PATH is set"))
            .env("PYTHONPATH", parts::moto())
            .env("MOTO_ALLOW_NONEXISTENT_REGION", "true")
            // The policy of basic execution, which roles of functions get.
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 starts");
        let mut port = String::new();
        BufReader::new(process.stdout.take().expect("its stdout"))
            .read_line(&mut port)
            .expect("moto's port");
        Moto {
            port: port.trim().parse().expect("moto prints its port"),
            life: process.stdin.take(),
            process,
        }
    }

    /// Lets go of it as a process does that dies, and waits for its end.
    pub fn abandon(mut self) -> ExitStatus {
        drop(self.life.take());
        self.process.wait().expect("its end")
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
