//! A small HTTP/1.1 server on a real socket that misbehaves on demand, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a client asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// As it stands in the first line: a path, or a whole URL when a proxy is asked.
    pub target: String,
    headers: BTreeMap<String, String>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Request> {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let target = lines.next()?.split(' ').nth(1)?.to_owned();
        let headers = lines
            .take_while(|line| !line.is_empty())
            .filter_map(|line| {
                let (name, value) = line.split_once(": ")?;
                Some((name.to_lowercase(), value.to_owned()))
            })
            .collect();
        Some(Request { target, headers })
    }

    /// A header by its name in small letters; empty if it was not sent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What becomes of a body on its way.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// It arrives.
    Whole,
    /// After so many bytes the connection is closed.
    Broken(usize),
    /// After so many bytes nothing more comes, and the connection stays open.
    Stalled(usize),
    /// It arrives in chunks, without the one that says that it is all.
    Unfinished,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    way: Way,
}

impl Reply {
    /// An answer of that status without a body.
    pub fn status(status: u16) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            way: Way::Whole,
        }
    }

    /// 200 with a body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            body: body.into(),
            ..Reply::status(200)
        }
    }

    /// A file as a server of files gives it: whole, or the part that is asked for, if the tag is still the same.
    pub fn file(request: &Request, content: &[u8], tag: &str) -> Reply {
        let whole = Reply::ok(content).header("ETag", tag);
        let condition = request.header("if-range");
        let Some(start) = request
            .header("range")
            .strip_prefix("bytes=")
            .and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok())
            .filter(|_| condition.is_empty() || condition == tag)
        else {
            return whole;
        };
        if start >= content.len() {
            return Reply::status(416)
                .header("Content-Range", format!("bytes */{}", content.len()));
        }
        Reply::part(content, start..content.len()).header("ETag", tag)
    }

    /// 206 with a part of a content.
    pub fn part(content: &[u8], range: std::ops::Range<usize>) -> Reply {
        let (first, last) = (range.start, range.end - 1);
        Reply {
            status: 206,
            ..Reply::ok(&content[range])
        }
        .header(
            "Content-Range",
            format!("bytes {first}-{last}/{}", content.len()),
        )
    }

    /// With one header more.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// Closes the connection after so many bytes of the body.
    pub fn broken_after(self, bytes: usize) -> Reply {
        let way = Way::Broken(bytes);
        Reply { way, ..self }
    }

    /// Sends nothing more after so many bytes of the body.
    pub fn stalled_after(self, bytes: usize) -> Reply {
        let way = Way::Stalled(bytes);
        Reply { way, ..self }
    }

    /// Closes the connection behind the body without saying that it is at its end.
    pub fn unfinished(self) -> Reply {
        let way = Way::Unfinished;
        Reply { way, ..self }
    }

    /// A client that has gone away is no fault of the server.
    fn send(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let length = self.body.len();
        head += &match self.way {
            Way::Unfinished => format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n"),
            _ => format!("Content-Length: {length}\r\n\r\n"),
        };
        stream.write_all(head.as_bytes())?;
        match self.way {
            Way::Whole => stream.write_all(&self.body),
            Way::Broken(bytes) => stream.write_all(&self.body[..bytes]),
            Way::Unfinished => {
                stream.write_all(&self.body)?;
                stream.write_all(b"\r\n")
            }
            Way::Stalled(bytes) => {
                stream.write_all(&self.body[..bytes])?;
                // Until the client gives up and closes.
                stream.read_to_end(&mut Vec::new()).map(drop)
            }
        }
    }
}

/// A server that runs as long as the test program.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts one. `answer` gets each request and how many were made before it.
    pub fn start(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (requests.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, answer) = (seen.clone(), answer.clone());
                std::thread::spawn(move || {
                    let request = Request::read(&stream)?;
                    let before = {
                        let mut seen = seen.lock().unwrap();
                        seen.push(request.clone());
                        seen.len() - 1
                    };
                    answer(&request, before).send(stream).ok()
                });
            }
        });
        Server { address, requests }
    }

    /// One that has these files, each by its path from the top, and answers 404 for everything else.
    pub fn of_files(files: &[(&str, &[u8])]) -> Server {
        let files: BTreeMap<String, Vec<u8>> = files
            .iter()
            .map(|(path, content)| (format!("/{path}"), content.to_vec()))
            .collect();
        Server::start(move |request, _| match files.get(&request.target) {
            Some(content) => Reply::file(request, content, "\"one\""),
            None => Reply::status(404),
        })
    }

    /// The URL of a path from the top.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// The URL of the top, without a slash at its end.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All that was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The first line's target of all that was asked so far.
    pub fn targets(&self) -> Vec<String> {
        self.requests()
            .into_iter()
            .map(|request| request.target)
            .collect()
    }
}

/// The URL of a port that nobody listens at.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
