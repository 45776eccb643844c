//! The proxy itself, in front of moto: each fault does what it says, and the recording names what was asked.

mod completed;
mod faulty;
mod recorded;

use axum::http::Method;
use bytes::Bytes;
use serde_json::{Value, json};

use super::Account;
use super::proxy::{Reply, Upstream, runtime};

/// A zip with nothing in it, in base64.
const EMPTY_ZIP: &str = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";

/// A plain client, which neither tries again nor checks anything.
struct Client(Upstream);

impl Client {
    fn of(account: &Account) -> Client {
        Client(Upstream::new(account.proxy.port(), account.number()))
    }

    /// The answer to a request to Lambda; none if the connection was cut.
    fn lambda(&self, region: &str, method: Method, path: &str, body: String) -> Option<Reply> {
        let answer = self
            .0
            .ask("lambda", region, method, path, Bytes::from(body));
        runtime().block_on(answer).ok()
    }

    fn publish(&self, region: &str, layer: &str) -> Option<Reply> {
        self.publish_with(region, layer, "")
    }

    fn publish_with(&self, region: &str, layer: &str, description: &str) -> Option<Reply> {
        let body =
            json!({"Description": description, "Content": {"ZipFile": EMPTY_ZIP}}).to_string();
        self.lambda(region, Method::POST, &versions(layer), body)
    }

    /// The numbers that `ListLayerVersions` has.
    fn list(&self, region: &str, layer: &str) -> Vec<u64> {
        let list = parsed(&self.get(region, &versions(layer)));
        let list = list["LayerVersions"].as_array().expect("a list");
        list.iter()
            .map(|version| version["Version"].as_u64().expect("a number"))
            .collect()
    }

    fn get(&self, region: &str, path: &str) -> Reply {
        self.lambda(region, Method::GET, path, String::new())
            .expect("an answer")
    }
}

fn versions(layer: &str) -> String {
    format!("/2018-10-31/layers/{layer}/versions")
}

fn parsed(reply: &Reply) -> Value {
    serde_json::from_slice(reply.body()).expect("JSON")
}

fn status(reply: Option<Reply>) -> Option<u16> {
    Some(reply?.status().as_u16())
}
