//! What is between r-layer and a registry, and goes wrong.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A port that leads to another one. Of connections that begin to send a body, some are cut.
pub struct Wire {
    pub port: u16,
    cuts: Arc<AtomicUsize>,
}

impl Wire {
    /// A wire to a port of this machine that cuts so many uploads, each after so many bytes.
    pub fn to(port: u16, cuts: usize, after: usize) -> Wire {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let wire = Wire {
            port: listener.local_addr().unwrap().port(),
            cuts: Arc::new(AtomicUsize::new(cuts)),
        };
        let cuts = wire.cuts.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let cuts = cuts.clone();
                std::thread::spawn(move || pass(stream, port, &cuts, after));
            }
        });
        wire
    }

    /// How many uploads are still to be cut.
    pub fn left(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

/// Passes on both ways, until one ends or an upload is cut.
fn pass(mut client: TcpStream, port: u16, cuts: &AtomicUsize, after: usize) -> Option<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    let (mut from, mut to) = (server.try_clone().ok()?, client.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let mut buffer = vec![0; 1 << 16];
    let mut of_upload = None;
    loop {
        let read = client.read(&mut buffer).ok().filter(|read| *read > 0)?;
        if buffer.starts_with(b"PATCH ") {
            of_upload = Some(0);
        }
        let sent = of_upload.map(|sent| sent + read);
        server.write_all(&buffer[..read]).ok()?;
        of_upload = sent;
        let is_due = sent.is_some_and(|sent| sent > after);
        if is_due
            && cuts
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
        {
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
            return None;
        }
    }
}

/// A registry that keeps what was sent before a connection broke off, and says how much that is: few do, and the
/// specification has it so. It breaks off the first upload of each blob.
pub struct Resuming {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// What the uploads have, by their numbers.
    uploads: Vec<Vec<u8>>,
    /// Those that were broken off once.
    broken: Vec<usize>,
    blobs: Vec<String>,
    manifests: usize,
    ranges: Vec<String>,
}

impl Resuming {
    /// Breaks off each upload after so many bytes.
    pub fn start(after: usize) -> Resuming {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let registry = Resuming {
            port: listener.local_addr().unwrap().port(),
            state: Arc::default(),
        };
        let state = registry.state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = state.clone();
                std::thread::spawn(move || answer(stream, &state, after));
            }
        });
        registry
    }

    /// The parts that were asked to be put behind others.
    pub fn ranges(&self) -> Vec<String> {
        self.state.lock().unwrap().ranges.clone()
    }

    /// How many manifests it was given.
    pub fn manifests(&self) -> usize {
        self.state.lock().unwrap().manifests
    }
}

/// One request; the connection is closed after it.
fn answer(mut stream: TcpStream, state: &Mutex<State>, after: usize) -> Option<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.to_owned())
    };
    let mut words = head.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    let number = || target.split(['/', '?']).nth(5)?.parse::<usize>().ok();
    let mut say = |status: &str, headers: &str| {
        let text =
            format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).ok()
    };
    match (method.as_str(), target.as_str()) {
        ("GET", "/v2/") => say("200 OK", ""),
        ("HEAD", _) => {
            let digest = target.rsplit('/').next()?;
            let is_there = state.lock().ok()?.blobs.iter().any(|blob| blob == digest);
            say(if is_there { "200 OK" } else { "404 Not Found" }, "")
        }
        ("POST", _) => {
            let mut state = state.lock().ok()?;
            state.uploads.push(Vec::new());
            let number = state.uploads.len() - 1;
            say(
                "202 Accepted",
                &format!("Location: /v2/fn/blobs/uploads/{number}\r\n"),
            )
        }
        ("GET", _) => {
            let have = state.lock().ok()?.uploads.get(number()?)?.len();
            let last = have.saturating_sub(1);
            say(
                "204 No Content",
                &format!("Location: {target}\r\nRange: 0-{last}\r\n"),
            )
        }
        ("PATCH", _) => {
            let number = number()?;
            let is_first = {
                let mut state = state.lock().ok()?;
                state.ranges.extend(header("content-range"));
                let is_first = !state.broken.contains(&number) && length > after;
                state.broken.push(number);
                is_first
            };
            let mut body = vec![0; if is_first { after } else { length }];
            stream.read_exact(&mut body).ok()?;
            state.lock().ok()?.uploads[number].extend(body);
            if is_first {
                return stream.shutdown(Shutdown::Both).ok();
            }
            let text = format!(
                "HTTP/1.1 202 Accepted\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(text.as_bytes()).ok()
        }
        ("PUT", _) if target.contains("/uploads/") => {
            let mut state = state.lock().ok()?;
            let digest = target.split("digest=").nth(1)?.replace("%3A", ":");
            let found = r_layer::checksum::Sha256::of(&state.uploads[number()?]).oci();
            if found != digest {
                return say("400 Bad Request", "");
            }
            state.blobs.push(digest);
            say("201 Created", "")
        }
        ("PUT", _) => {
            let mut body = vec![0; length];
            stream.read_exact(&mut body).ok()?;
            state.lock().ok()?.manifests += 1;
            stream
                .write_all(
                    b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                )
                .ok()
        }
        _ => say("405 Method Not Allowed", ""),
    }
}

/// A proxy for HTTPS that leads every name to one port of this machine.
pub fn proxy_to(port: u16) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || tunnel(stream, port));
        }
    });
    format!("http://127.0.0.1:{own}")
}

fn tunnel(mut client: TcpStream, port: u16) -> Option<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"CONNECT "));
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let (mut from, mut to) = (server.try_clone().ok()?, client.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut client, &mut server).map(drop).ok()
}
