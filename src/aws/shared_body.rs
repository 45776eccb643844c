//! One request body for all regions: a zip of 49 MB is 65 MB as base64 in JSON, and that once instead of once a region.
//! The SDK makes and signs the request; what it would serialise for each region anew is put in just before it signs.

use std::sync::Arc;

use aws_runtime::auth::PayloadSigningOverride;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use super::{NewVersion, Sent};
use crate::checksum::Sha256;
use crate::progress::Task;

/// The body of PublishLayerVersion with the zip in it.
#[derive(Clone, Debug)]
pub struct ZipRequest {
    body: Bytes,
    sha256: String,
}

impl ZipRequest {
    /// The request that publishes these bytes of a zip. Takes 4/3 of the zip's size in memory.
    ///
    /// Source: Lambda's API reference, PublishLayerVersion.
    pub fn new(version: &NewVersion, zip: &[u8]) -> ZipRequest {
        let fields = serde_json::json!({
            "CompatibleArchitectures": version.architectures,
            "CompatibleRuntimes": version.runtimes,
            "Description": version.description,
            "LicenseInfo": version.license,
        });
        let fields = match fields {
            Value::Object(mut fields) => {
                fields.retain(|_, value| !value.is_null());
                Value::Object(fields).to_string()
            }
            other => other.to_string(),
        };
        let end = fields.trim_start_matches('{');
        let mut body = String::with_capacity(zip.len().div_ceil(3) * 4 + end.len() + 32);
        body.push_str(r#"{"Content":{"ZipFile":""#);
        STANDARD.encode_string(zip, &mut body);
        body.push_str(r#""},"#);
        body.push_str(end);
        let sha256 = Sha256::of(body.as_bytes()).to_string();
        ZipRequest {
            body: body.into(),
            sha256,
        }
    }

    /// How many bytes are sent.
    pub fn size(&self) -> u64 {
        self.body.len() as u64
    }

    /// Puts this body into a request, and tells a task how much of it is sent.
    pub(super) fn interceptor(&self, task: Arc<dyn Task>) -> SharedBody {
        SharedBody {
            request: self.clone(),
            sent: Sent(task),
        }
    }
}

/// Puts a body into a request before it is signed.
pub(super) struct SharedBody {
    request: ZipRequest,
    sent: Sent,
}

impl std::fmt::Debug for SharedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SharedBody({} bytes)", self.request.size())
    }
}

impl Intercept for SharedBody {
    fn name(&self) -> &'static str {
        "SharedBody"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        *request.body_mut() = SdkBody::from(self.request.body.clone());
        let length = self.request.size().to_string();
        request.headers_mut().insert("content-length", length);
        request.add_extension(self.sent.clone());
        // Another try begins anew.
        self.sent.0.set_done(0);
        // The hash is that of the body above, counted once.
        let sha256 = self.request.sha256.clone();
        let payload = PayloadSigningOverride::Precomputed(sha256);
        config.interceptor_state().store_put(payload);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_the_json_that_lambda_takes() {
        let version = NewVersion {
            description: "R \"4.5\"".into(),
            license: None,
            runtimes: vec!["provided.al2023".into()],
            architectures: vec!["x86_64".into()],
        };
        let request = ZipRequest::new(&version, b"zip");
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let expected = serde_json::json!({
            "Content": {"ZipFile": "emlw"}, "Description": "R \"4.5\"",
            "CompatibleRuntimes": ["provided.al2023"], "CompatibleArchitectures": ["x86_64"]
        });
        assert_eq!(body, expected);
        assert_eq!(request.sha256, Sha256::of(&request.body).to_string());
    }
}
