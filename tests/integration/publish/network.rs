//! Proxies and certificates of the surroundings count for AWS as they do for every other request.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{done, project, versions};
use crate::aws::Account;
use crate::download::certificates::make_certificates;
use crate::download::server::{Reply, Server};
use crate::parts::fail;

fn publish(account: &Account, folder: &Path) -> Command {
    let mut command = account.r_layer(folder);
    command.env_remove("SSL_CERT_FILE");
    command.env("AWS_MAX_ATTEMPTS", "1");
    command.args(["publish", "--region", "eu-west-1"]);
    command
}

#[test]
fn a_proxy_is_asked_for_aws_unless_no_proxy_names_its_host() {
    let (account, project) = (Account::new(), project());
    let proxy = Server::start(|_, _| Reply::status(403));
    let through = || {
        let mut command = publish(&account, project.path());
        command.env("HTTP_PROXY", proxy.base());
        command
    };
    fail(&mut through(), 1);
    let asked = proxy.targets();
    assert!(!asked.is_empty());
    for target in &asked {
        // A proxy is asked for the whole URL.
        assert!(target.starts_with(&account.proxy.url()), "{target}");
    }
    let mut past = through();
    done(
        past.env("NO_PROXY", "127.0.0.1")
            .output()
            .expect("r-layer runs"),
    );
    assert_eq!(proxy.targets().len(), asked.len());
    assert_eq!(versions(&account, "eu-west-1"), [1]);
}

/// Speaks TLS, and hands on what it gets in plain.
struct TlsFront {
    folder: tempfile::TempDir,
    process: Child,
    port: u16,
}

const RELAY: &str = r#"
import asyncio, ssl, sys

async def hand_on(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

async def serve(reader, writer):
    plain_reader, plain_writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    await asyncio.gather(hand_on(reader, plain_writer), hand_on(plain_reader, writer), return_exceptions=True)

async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("server.pem", "server.key")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"#;

impl TlsFront {
    fn start(port: u16) -> TlsFront {
        let folder = tempfile::tempdir().expect("a folder");
        make_certificates(folder.path());
        let mut process = Command::new("python3")
            .args(["-c", RELAY, &port.to_string()])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 starts");
        let mut port = String::new();
        BufReader::new(process.stdout.take().expect("its stdout"))
            .read_line(&mut port)
            .expect("its port");
        TlsFront {
            folder,
            process,
            port: port.trim().parse().expect("a port"),
        }
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn an_authority_of_ones_own_is_trusted_for_aws_where_aws_ca_bundle_names_it() {
    let (account, project) = (Account::new(), project());
    let front = TlsFront::start(account.proxy.port());
    let url = format!("https://127.0.0.1:{}", front.port);
    let by_tls = || {
        let mut command = publish(&account, project.path());
        command.env("AWS_ENDPOINT_URL", &url);
        command
    };
    let said = fail(&mut by_tls(), 1);
    assert!(
        said.contains("certificate") && said.contains("AWS_CA_BUNDLE"),
        "{said}"
    );
    assert_eq!(account.proxy.requests().len(), 0);
    let authority = front.folder.path().join("authority.pem");
    let mut trusting = by_tls();
    trusting.env("AWS_CA_BUNDLE", authority);
    done(trusting.output().expect("r-layer runs"));
    assert_eq!(versions(&account, "eu-west-1"), [1]);
}
