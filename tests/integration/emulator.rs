//! AWS's own Runtime Interface Emulator runs the built layer in a root that holds what Lambda's image holds and
//! cannot be written to but in /tmp: the nearest thing to Lambda that a machine without AWS has. The emulator, not
//! this project, plays the Runtime API here, and the root, not the build machine, has the libraries and commands;
//! so what R finds only on the machine that compiled it shows.

mod decoys;

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use r_layer::elf::ElfFile;
use r_layer::sandbox::{Sandbox, find_program};
use serde_json::{Value, json};

use crate::emulated::{
    Emulated, LIBRARY_PATH, Server, environment, free_addresses, inside, like_lambda, opt,
    read_only,
};
use crate::parts::{functions, succeed};
use decoys::{Decoys, among_decoys};

/// An HTTP server of one file, for as long as the test process lives.
fn serve_file(content: &'static str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away is the client's business.
            let _ = answer(stream, content);
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, content: &str) -> std::io::Result<()> {
    let mut request = Vec::new();
    for line in BufReader::new(&stream).lines() {
        match line? {
            line if line.is_empty() => break,
            line => request.push(line),
        }
    }
    let found = request
        .first()
        .is_some_and(|line| line.contains(" /file.txt "));
    let (status, body) = if found {
        ("200 OK", content)
    } else {
        ("404 Not Found", "")
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// An HTTPS server of the files in a folder, with a certificate that it makes there: `certificate.pem`.
pub fn serve_https(folder: &Path) -> (Server, String) {
    let openssl = find_program("openssl").expect("openssl is installed");
    let mut request = Command::new(&openssl);
    request
        .current_dir(folder)
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ]);
    succeed(&mut request);
    let [address, _] = free_addresses();
    // In bubblewrap, it ends even when the test is killed.
    let mut server = Command::new(find_program("bwrap").expect("bubblewrap is installed"));
    server
        .args([
            "--die-with-parent",
            "--unshare-pid",
            "--ro-bind",
            "/",
            "/",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
        ])
        .arg("--chdir")
        .arg(folder)
        .arg(openssl)
        .args([
            "s_server",
            "-WWW",
            "-quiet",
            "-cert",
            "certificate.pem",
            "-key",
            "key.pem",
        ])
        .args(["-accept", &address.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut server = Server(server.spawn().expect("bubblewrap starts"));
    assert!(server.listens(address), "openssl s_server ended");
    (server, format!("https://{address}"))
}

/// The two first handlers answer, and an error says what it is, all in one session.
fn basics_answer(sandbox: impl Fn(&str) -> Sandbox) {
    let increment = Emulated::start(&sandbox("basics"), "script.increment");
    assert_eq!(
        increment.invoke(&json!({"x": 1})),
        json!(2),
        "{}",
        increment.log()
    );
    let error = increment.invoke(&json!({"y": 1}));
    assert_eq!(error["errorMessage"], "unused argument (y = 1)");
    assert_eq!(error["errorType"], "simpleError");
    assert_eq!(increment.invoke(&json!({"x": 41})), json!(42));
    let log = increment.log();
    assert!(
        log.contains("ERROR:runtime:simpleError: unused argument (y = 1)"),
        "{log}"
    );

    let parity = Emulated::start(&sandbox("basics"), "script.parity");
    assert_eq!(
        parity.invoke(&json!({"number": 5})),
        json!({"parity": "odd"})
    );
    assert_eq!(
        parity.invoke(&json!({"number": 6})),
        json!({"parity": "even"})
    );
}

/// What R code relies on: a check of tests/fixtures/functions/proof, its arguments, its value.
fn facts() -> Vec<(&'static str, Value, Value)> {
    let text = "\u{65e5}\u{672c}";
    let server = serve_file("one\ntwo\n");
    let file = format!("{server}/file.txt");
    let folders = [
        "/",
        "/etc",
        "/usr/lib64",
        "/opt",
        "/opt/R/library",
        "/var/task",
        "/tmp",
    ];
    let ours_first = format!("/opt/R/lib:/opt/lib:{LIBRARY_PATH}");
    vec![
        (
            "environment",
            json!({"name": "LD_LIBRARY_PATH"}),
            json!(ours_first),
        ),
        ("environment", json!({"name": "TZ"}), json!(":UTC")),
        (
            "environment",
            json!({"name": "_HANDLER"}),
            json!("script.prove"),
        ),
        (
            "writable",
            json!({"folders": folders}),
            json!([false, false, false, false, false, false, true]),
        ),
        ("winter", json!({}), json!("01:00 CET")),
        ("summer", json!({}), json!("02:00 CEST")),
        ("here", json!({}), json!("00:00 UTC")),
        ("utf8", json!({}), json!(true)),
        ("characters", json!({"text": text}), json!(2)),
        ("literal", json!({}), json!(2)),
        ("same_text", json!({"text": text}), json!(true)),
        ("latin1", json!({}), json!("gr\u{fc}\u{df}")),
        ("read_latin1", json!({}), json!("\u{20ac}\u{fc}")),
        (
            "text_back",
            json!({"text": text}),
            json!(format!("{text}\u{8a9e}")),
        ),
        ("solve", json!({}), json!([0.8, 1.4])),
        ("svd", json!({}), json!([3, 2, 1])),
        ("optim", json!({}), json!([1, 1])),
        ("perl", json!({}), json!(6)),
        ("cores", json!({}), json!(processors())),
        ("gzip", json!({}), json!(true)),
        ("bzip2", json!({}), json!(true)),
        ("xz", json!({}), json!(true)),
        ("temporary", json!({}), json!(["/tmp", "kept"])),
        ("which", json!({"name": "uname"}), json!("/usr/bin/uname")),
        ("which", json!({"name": "which"}), json!("")),
        ("rscript", json!({}), json!("2")),
        ("child_text", json!({}), json!("2")),
        ("libcurl", json!({}), json!(true)),
        ("libcurl_version", json!({}), json!(true)),
        ("download", json!({"url": file}), json!(["0", "one", "two"])),
        ("read_url", json!({"url": file}), json!(["one", "two"])),
        (
            "status",
            json!({"url": format!("{server}/other.txt")}),
            json!(404),
        ),
    ]
}

/// How many processors /proc/cpuinfo counts, which is the same in every sandbox.
fn processors() -> usize {
    let cpuinfo = fs_err::read_to_string("/proc/cpuinfo").expect("/proc/cpuinfo");
    cpuinfo
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count()
}

/// The value of a check of tests/fixtures/functions/proof.
pub fn check(session: &Emulated, name: &str, arguments: &Value) -> Value {
    let mut event = arguments.clone();
    event["check"] = json!(name);
    session.invoke(&event)
}

/// Every fact holds; all that do not are named.
fn facts_hold(sandbox: &Sandbox) {
    let session = Emulated::start(sandbox, "script.prove");
    let wrong: Vec<String> = facts()
        .into_iter()
        .filter_map(|(name, arguments, expected)| {
            let value = check(&session, name, &arguments);
            (value != expected).then(|| format!("{name} {arguments}: {value}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), session.log());
    // R's own start says nothing: no warning about a locale, and none of any other kind.
    let log = session.log();
    assert!(!log.contains("arning") && !log.contains("LC_"), "{log}");
}

/// The hour in Berlin by this machine's clock and the rule of the European Union, which needs no time-zone data.
fn hour_in_berlin() -> Value {
    let mut date = Command::new("date");
    date.env("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        .arg("+%Y-%m-%d %H %Z %z");
    let output = succeed(&mut date).stdout;
    json!(String::from_utf8(output).expect("text").trim())
}

/// The files of the session's process.
fn mapped(session: &Emulated) -> Vec<String> {
    let value = check(session, "mapped", &json!({}));
    serde_json::from_value(value).expect("the paths of files")
}

/// The libraries of those paths that only libcurl brings in.
fn of_curl(paths: &[String]) -> Vec<&str> {
    let names = ["libcurl", "libssl", "libcrypto", "curl.so"];
    let of_curl = paths.iter().filter(|path| {
        let name = path.rsplit('/').next().unwrap_or_default();
        names.iter().any(|start| name.starts_with(start))
    });
    of_curl.map(String::as_str).collect()
}

#[test]
fn handlers_answer() {
    basics_answer(|code| like_lambda(&functions(code)));
}

#[test]
fn a_session_keeps_its_state() {
    let session = Emulated::start(&like_lambda(&functions("basics")), "script.count");
    for count in 1..=4 {
        assert_eq!(
            session.invoke(&json!({})),
            json!(count),
            "{}",
            session.log()
        );
    }
}

#[test]
fn a_function_that_cannot_start_says_why() {
    let session = Emulated::start(&like_lambda(&functions("failing")), "broken.handler");
    let error = session.invoke(&json!({}));
    assert_eq!(
        error["errorMessage"],
        "broken while loading",
        "{}",
        session.log()
    );
    assert_eq!(error["errorType"], "simpleError");
}

#[test]
fn handlers_answer_among_decoys() {
    let decoys = Decoys::make();
    basics_answer(|code| among_decoys(&decoys, code));
}

#[test]
fn what_r_code_relies_on_is_there() {
    facts_hold(&like_lambda(&functions("proof")));
}

#[test]
fn what_r_code_relies_on_is_there_among_decoys() {
    let decoys = Decoys::make();
    facts_hold(&among_decoys(&decoys, "proof"));
}

/// Without this, the tests among decoys would show nothing.
#[test]
fn every_decoy_breaks_what_loads_it() {
    let decoys = Decoys::make();
    for name in Decoys::names() {
        let code = format!("dyn.load('/lib64/{name}')");
        let said = r_fails(
            &among_decoys(&decoys, "proof"),
            "/opt/R/lib:/opt/lib",
            &code,
        );
        assert!(
            said.contains(&format!("the decoy {name} was loaded")),
            "{said}"
        );
    }
}

/// Lambda's own order of folders, without the bootstrap, takes the image's libraries: each of them alone breaks R.
#[test]
fn without_the_bootstrap_decoys_are_loaded() {
    let decoys = Decoys::make();
    for name in Decoys::NEEDED {
        let mut sandbox = like_lambda(&functions("proof"));
        sandbox.mounts.push(decoys.mount(name));
        let path = format!("/lib64:/opt/R/lib:{LIBRARY_PATH}");
        let said = r_fails(&sandbox, &path, "libcurlVersion(); solve(diag(2))");
        assert!(said.contains(name), "{name}: {said}");
    }
}

/// Runs R itself, with no bootstrap around it; it must fail. Returns what it said.
fn r_fails(sandbox: &Sandbox, library_path: &str, code: &str) -> String {
    let mut sandbox = sandbox.clone();
    let own = [
        ("LD_LIBRARY_PATH", library_path),
        ("R_HOME", "/opt/R"),
        ("LC_ALL", "C.UTF-8"),
    ];
    sandbox.environment.extend(environment(&own));
    let arguments = ["--no-echo", "--no-restore", "--vanilla", "-e", code];
    let output = inside(&sandbox, "/opt/R/bin/exec/R", &arguments)
        .output()
        .expect("bubblewrap starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{code} succeeds: {said}");
    said
}

#[test]
fn the_time_is_that_of_the_zone_asked_for() {
    let session = Emulated::start(&like_lambda(&functions("proof")), "script.prove");
    let before = hour_in_berlin();
    let now = check(&session, "now", &json!({}));
    let after = hour_in_berlin();
    assert!(
        now == before || now == after,
        "{now} is not from {before} to {after}"
    );
}

#[test]
fn the_internet_module_does_not_need_libcurl() {
    let read = |path: &str| {
        let content = fs_err::read(opt().join("R/modules").join(path)).expect("a module of R");
        ElfFile::read(&content[..]).expect("an ELF file").needed
    };
    assert_eq!(of_curl(&read("internet.so")), Vec::<&str>::new());
    assert_eq!(
        of_curl(&read("curl.so")),
        ["libssl.so.1.1", "libcrypto.so.1.1"]
    );
}

#[test]
fn libcurl_is_loaded_by_the_first_that_uses_it() {
    let session = Emulated::start(&like_lambda(&functions("proof")), "script.prove");
    let at_first = mapped(&session);
    let has = |path: &str| at_first.iter().any(|mapped| mapped == path);
    assert!(has("/opt/R/modules/internet.so"), "{at_first:?}");
    assert_eq!(of_curl(&at_first), Vec::<&str>::new());
    assert_eq!(check(&session, "libcurl_version", &json!({})), json!(true));
    let paths = mapped(&session);
    let mut loaded = of_curl(&paths);
    loaded.sort_unstable();
    let expected = [
        "/opt/R/modules/curl.so",
        "/opt/lib/libcrypto.so.1.1",
        "/opt/lib/libssl.so.1.1",
    ];
    assert_eq!(loaded, expected);
}

/// Among decoys of OpenSSL's libraries, HTTPS works with a server that the image's certificates vouch for, and with
/// no other.
#[test]
fn https_is_checked_against_the_certificates_of_the_image() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs_err::write(folder.path().join("file.txt"), "one\ntwo\n").expect("the file is written");
    let (_server, url) = serve_https(folder.path());
    let event = json!({"url": format!("{url}/file.txt")});
    let decoys = Decoys::make();
    let mut sandbox = among_decoys(&decoys, "proof");

    let strange = Emulated::start(&sandbox, "script.prove");
    let error = check(&strange, "read_url", &event);
    assert!(error["errorMessage"].is_string(), "{error}");
    assert!(
        strange.log().contains("SSL peer certificate"),
        "{}",
        strange.log()
    );

    let certificate = folder.path().join("certificate.pem");
    sandbox
        .mounts
        .push(read_only(&certificate, "/etc/pki/tls/certs/ca-bundle.crt"));
    let vouched_for = Emulated::start(&sandbox, "script.prove");
    let lines = check(&vouched_for, "read_url", &event);
    assert_eq!(lines, json!(["one", "two"]), "{}", vouched_for.log());
}

/// Who sets one of the variables has certificates of their own, for everything that looks for them.
#[test]
fn certificates_of_the_functions_own_are_those_that_count() {
    trusts_its_own_certificates(&like_lambda(&functions("proof")));
}

/// An HTTPS server is trusted whose certificate is only in a file that the function names, and the variables that
/// name such files are both set, to that file or to the image's.
pub fn trusts_its_own_certificates(sandbox: &Sandbox) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs_err::write(folder.path().join("file.txt"), "one\ntwo\n").expect("the file is written");
    let (_server, url) = serve_https(folder.path());
    let event = json!({"url": format!("{url}/file.txt")});
    let certificate = folder.path().join("certificate.pem");
    let variables = |session: &Emulated| {
        ["CURL_CA_BUNDLE", "SSL_CERT_FILE"]
            .map(|name| check(session, "environment", &json!({ "name": name })))
    };

    let of_the_image = "/etc/pki/tls/certs/ca-bundle.crt";
    let strange = Emulated::start(sandbox, "script.prove");
    assert!(check(&strange, "read_url", &event)["errorMessage"].is_string());
    assert_eq!(variables(&strange), [of_the_image, of_the_image]);

    let mut vouched_for = sandbox.clone();
    vouched_for
        .mounts
        .push(read_only(&certificate, of_the_image));
    let session = Emulated::start(&vouched_for, "script.prove");
    let lines = check(&session, "read_url", &event);
    assert_eq!(lines, json!(["one", "two"]), "{}", session.log());

    let own = "/var/runtime/own.pem";
    for name in ["CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
        let mut with_own = sandbox.clone();
        with_own.mounts.push(read_only(&certificate, own));
        with_own.environment.extend(environment(&[(name, own)]));
        let session = Emulated::start(&with_own, "script.prove");
        let lines = check(&session, "read_url", &event);
        assert_eq!(lines, json!(["one", "two"]), "{name}: {}", session.log());
        assert_eq!(variables(&session), [own, own]);
    }
}
