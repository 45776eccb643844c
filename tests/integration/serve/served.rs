//! A function that is served, and curl to call it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::parts::{r_layer, runtime_layer};

/// AWS's emulator has its function there too.
pub const PATH: &str = "/2015-03-31/functions/function/invocations";

/// A folder with a script.R of that text.
pub fn function(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("script.R"), script).unwrap();
    folder
}

/// Waits until something is so; that it never is fails the test.
pub fn eventually(so: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < patience, "it never came to that");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Is there a process of that number that has not ended?
pub fn runs(process: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z "))
}

/// What curl got.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// `invoke --serve` of `script.handler`, unless flags name another, in a folder, which is killed when this is dropped.
pub struct Served {
    pub address: String,
    process: Child,
    log: tempfile::NamedTempFile,
}

impl Served {
    /// Starts it and waits until it says where it is.
    pub fn start(code: &Path, flags: &[&str]) -> Served {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = r_layer(Path::new("/tmp"));
        command
            .args(["invoke", "--json", "--serve", "0"])
            .arg("--code")
            .arg(code)
            .arg("--layer")
            .arg(runtime_layer());
        if !flags.contains(&"--handler") {
            command.args(["--handler", "script.handler"]);
        }
        if !flags.contains(&"--timeout") {
            command.args(["--timeout", "60"]);
        }
        let mut process = command
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(log.as_file().try_clone().unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| {
            let log = std::fs::read_to_string(log.path()).unwrap();
            panic!("{error}: {line:?}\n{log}")
        });
        assert_eq!(said["path"], PATH);
        let address = said["address"].as_str().unwrap().to_owned();
        Served {
            address,
            process,
            log,
        }
    }

    /// What curl gets at a path, with more flags and what it reads from stdin.
    pub fn curl(&self, path: &str, flags: &[&str], stdin: &str) -> Answer {
        let mut child = Command::new("curl")
            .args(["--silent", "--show-error", "--include", "--noproxy", "*"])
            .args(["--max-time", "180", "--header", "Expect:"])
            .args(flags)
            .arg(format!("{}{path}", self.address))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(stdin.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}\n{}", self.log());
        parse(&output.stdout)
    }

    /// The answer to an event that is posted with more flags.
    pub fn curl_event(&self, flags: &[&str], event: &str) -> Answer {
        let flags = [&["--data-binary", "@-"], flags].concat();
        self.curl(PATH, &flags, event)
    }

    /// The answer to an event.
    pub fn post(&self, event: &str) -> Answer {
        self.curl_event(&[], event)
    }

    /// What it wrote to stderr.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log.path()).unwrap()).into_owned()
    }

    /// The processes that it started itself.
    pub fn children(&self) -> Vec<i32> {
        children(self.process.id() as i32)
    }

    /// The processes that it started, and those that they started.
    pub fn descendants(&self) -> Vec<i32> {
        let mut found = self.children();
        let mut next = 0;
        while next < found.len() {
            found.extend(children(found[next]));
            next += 1;
        }
        found
    }

    /// Sends a signal, and returns the exit status.
    pub fn stop(&mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
        self.process.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // One that has ended by itself is no error here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn children(process: i32) -> Vec<i32> {
    std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .map(|child| child.parse().unwrap())
        .collect()
}

fn parse(output: &[u8]) -> Answer {
    let end = output
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("headers");
    let head = String::from_utf8_lossy(&output[..end]);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    Answer {
        status: status.expect("a status").parse().expect("a number"),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: output[end + 4..].to_vec(),
    }
}
