//! A function under AWS's own Runtime Interface Emulator, in a root that holds what Lambda's image holds and cannot be
//! written to but in /tmp.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use r_layer::cache::{Cache, Unfinished};
use r_layer::layer::LayerArchive;
use r_layer::layer::unpack::unpack;
use r_layer::sandbox::{Mount, Sandbox};
use r_layer::target::Architecture;
use serde_json::Value;

use crate::parts::{lambda_root, lambda_root_of, rie, runtime_layer, succeed};

/// Lambda's own, which a bootstrap finds when it starts.
pub const LIBRARY_PATH: &str =
    "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib";

/// Where the emulator is in the root.
pub const EMULATOR: &str = "/var/runtime/aws-lambda-rie";

/// The built layer, unpacked as Lambda unpacks it, in a folder that the cache sweeps away after this process.
pub fn opt() -> &'static Path {
    static OPT: OnceLock<(Unfinished, PathBuf)> = OnceLock::new();
    let (_, path) = OPT.get_or_init(|| {
        let cache = Cache::from_environment().expect("the cache");
        let folder = cache.unfinished().expect("a folder in the cache");
        let path = folder.path().join("opt");
        let layer = LayerArchive::open(runtime_layer()).expect("the layer is a zip");
        unpack(&[layer], &path).expect("the layer is unpacked");
        (folder, path)
    });
    path
}

/// A root like Lambda's with the built layer in /opt and a folder as the function's code. Only /tmp can be written.
pub fn like_lambda(code: &Path) -> Sandbox {
    like_lambda_of(Architecture::X86_64, opt(), code)
}

/// The same of a processor, with other layers.
pub fn like_lambda_of(architecture: Architecture, opt: &Path, code: &Path) -> Sandbox {
    let mut sandbox = Sandbox::new(lambda_root_of(architecture));
    sandbox.mounts.extend([
        read_only(opt, "/opt"),
        read_only(code, "/var/task"),
        read_only(&rie(architecture), EMULATOR),
    ]);
    sandbox.working_folder = "/var/task".into();
    sandbox.environment = environment(&[
        ("LD_LIBRARY_PATH", LIBRARY_PATH),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
    ]);
    sandbox
}

/// A command in a root. It dies with the thread that starts it.
pub fn inside(sandbox: &Sandbox, program: &str, arguments: &[&str]) -> Command {
    let command = sandbox.command(program, arguments);
    command.expect("bubblewrap is installed").into_std()
}

pub fn read_only(from: &Path, to: &str) -> Mount {
    Mount::ReadOnly {
        from: from.to_owned(),
        to: to.into(),
    }
}

pub fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, OsString> {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect()
}

/// The image's curl, which asks the emulator as AWS's own service would. It sees the image's libraries only.
pub fn curl(arguments: &[&str]) -> Vec<u8> {
    let mut sandbox = Sandbox::new(lambda_root());
    sandbox.environment = environment(&[("LD_LIBRARY_PATH", LIBRARY_PATH)]);
    let always = ["--silent", "--show-error", "--max-time", "120"];
    succeed(&mut inside(
        &sandbox,
        "/usr/bin/curl",
        &[&always, arguments].concat(),
    ))
    .stdout
}

/// The emulator with a function.
pub struct Emulated {
    emulator: Server,
    address: SocketAddr,
    log: tempfile::NamedTempFile,
}

impl Emulated {
    /// Starts it in a root.
    pub fn start(sandbox: &Sandbox, handler: &str) -> Emulated {
        let [address, runtime_api] = free_addresses();
        let log = tempfile::NamedTempFile::new().expect("a file for the log");
        let (stdout, stderr) = (log.as_file().try_clone(), log.as_file().try_clone());
        let emulator = inside(
            sandbox,
            EMULATOR,
            &[
                "--runtime-interface-emulator-address",
                &address.to_string(),
                "--runtime-api-address",
                &runtime_api.to_string(),
                "/opt/bootstrap",
                handler,
            ],
        )
        .stdin(Stdio::null())
        .stdout(stdout.expect("the log"))
        .stderr(stderr.expect("the log"))
        .spawn()
        .expect("bubblewrap starts");
        let mut emulator = Server(emulator);
        let listens = emulator.listens(address);
        let emulated = Emulated {
            emulator,
            address,
            log,
        };
        assert!(listens, "the emulator ended:\n{}", emulated.log());
        emulated
    }

    /// What the function answers to an event.
    pub fn invoke(&self, event: &Value) -> Value {
        let answer = self.invoke_bytes(event);
        serde_json::from_slice(&answer).unwrap_or_else(|error| {
            let answer = String::from_utf8_lossy(&answer);
            panic!("{error}: {event} is answered {answer:?}\n{}", self.log())
        })
    }

    /// The same as bytes, which need not be JSON.
    pub fn invoke_bytes(&self, event: &Value) -> Vec<u8> {
        let path = "2015-03-31/functions/function/invocations";
        let url = format!("http://{}/{path}", self.address);
        curl(&["--data-binary", &event.to_string(), &url])
    }

    /// Ends the emulator as a user does, and waits until it has ended; it ends the function before.
    pub fn end(&mut self) {
        let sandbox = self.emulator.0.id();
        let emulator = std::iter::successors(Some(vec![sandbox]), |parents| {
            let children: Vec<u32> = parents.iter().flat_map(|pid| children(*pid)).collect();
            (!children.is_empty()).then_some(children)
        })
        .flatten()
        .find(|pid| {
            let name = fs_err::read_to_string(format!("/proc/{pid}/comm"));
            name.is_ok_and(|name| EMULATOR.ends_with(name.trim_end()))
        })
        .and_then(|pid| rustix::process::Pid::from_raw(pid as i32))
        .expect("the emulator runs");
        rustix::process::kill_process(emulator, rustix::process::Signal::TERM)
            .expect("the emulator takes signals");
        self.emulator.0.wait().expect("the emulator ends");
    }

    /// What the emulator, the runtime and the function wrote.
    pub fn log(&self) -> String {
        let log = fs_err::read(self.log.path()).expect("the log");
        String::from_utf8_lossy(&log).into_owned()
    }
}

/// The processes that one has started.
fn children(pid: u32) -> Vec<u32> {
    fs_err::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect()
}

/// A server's process, which ends when this is dropped.
pub struct Server(pub Child);

impl Server {
    /// Waits until it takes connections; one that ends instead fails the test.
    pub fn listens(&mut self, address: SocketAddr) -> bool {
        while TcpStream::connect(address).is_err() {
            if self.0.try_wait().expect("the server's state").is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself is no error here: the answer it owes has failed the test.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Two addresses of this machine that nobody listens on.
pub fn free_addresses() -> [SocketAddr; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("its address"))
}
