//! A layer version by its ARN, whoever's it is: what functions are given may be another account's.

use super::layers::{names, there};
use super::{AwsError, Call, Session};
use crate::publication::LayerVersionArn;

/// A layer version as its owner published it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedLayer {
    /// What whoever published it says it is.
    pub description: String,
    /// The processors that it is for; empty where nothing was said.
    pub architectures: Vec<String>,
    /// A URL that its zip can be fetched from, for ten minutes.
    pub location: Option<String>,
}

/// A layer version, in its own region; nothing if there is none, or none any more.
///
/// # Errors
/// If its owner has not granted it to us: [`super::Refusal::Denied`].
pub async fn shared_layer(
    session: &Session,
    arn: &LayerVersionArn,
) -> Result<Option<SharedLayer>, AwsError> {
    let region = &arn.layer.region;
    let client = session.lambda(region);
    let request = client.get_layer_version_by_arn().arn(arn.to_string());
    let answer = request.send().await;
    let call = Call::new("lambda:GetLayerVersion", arn.to_string(), region);
    let found = there(call, answer)?;
    Ok(found.map(|found| SharedLayer {
        description: found.description.unwrap_or_default(),
        architectures: names(found.compatible_architectures),
        location: found.content.and_then(|content| content.location),
    }))
}
