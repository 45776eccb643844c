//! What a call is about, for those who read why it failed.

use crate::publication::Region;

/// A call to AWS: what is done, to what, where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The IAM action: `lambda:PublishLayerVersion`.
    pub action: &'static str,
    /// What it is done to: an ARN, as far as it is known.
    pub resource: String,
    /// Where.
    pub region: Region,
}

impl Call {
    /// A call.
    pub fn new(action: &'static str, resource: impl Into<String>, region: &Region) -> Call {
        Call {
            action,
            resource: resource.into(),
            region: region.clone(),
        }
    }

    /// A statement for an IAM policy that allows it, on one line.
    pub fn statement(&self) -> String {
        serde_json::json!({"Effect": "Allow", "Action": self.action, "Resource": self.resource})
            .to_string()
    }
}
