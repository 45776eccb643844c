//! Lambda's own limits, which moto does not know.

use bytes::Bytes;
use serde_json::Value;

use super::faults::{Answer, invalid_parameter, request_too_large};
use super::operation::Operation;

/// Bytes of a request's body, as Lambda's own error message has them.
pub const REQUEST: usize = 70_167_211;

/// How many layers a function may have.
const LAYERS: usize = 5;

/// What Lambda answers where a limit is exceeded that can be seen in the request.
pub fn refuse(operation: &Operation, body: &Bytes) -> Option<Answer> {
    if operation.service != "lambda" {
        return None;
    }
    if body.len() > REQUEST {
        return Some(request_too_large(&operation.name));
    }
    match operation.name.as_str() {
        "CreateFunction" | "UpdateFunctionConfiguration" => too_many_layers(body),
        _ => None,
    }
}

fn too_many_layers(body: &Bytes) -> Option<Answer> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let layers = body.get("Layers")?.as_array()?;
    (layers.len() > LAYERS).then(|| invalid_parameter("You cannot reference more than 5 layers."))
}
