//! Layer versions of a region: listed, published, granted, removed.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::SystemTime;

use aws_config::retry::RetryConfig;
use aws_sdk_lambda::operation::get_layer_version::GetLayerVersionOutput;
use aws_sdk_lambda::types::{
    Architecture as SdkArchitecture, FunctionVersion, LayerVersionContentInput,
    LayerVersionContentOutput, Runtime,
};

use super::{AwsError, Call, Session, StagedObject, ZipRequest};
use crate::progress::Task;
use crate::publication::{Region, Timestamp};

/// A layer version as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerVersion {
    /// Its number.
    pub version: u64,
    /// Its ARN, with the number.
    pub arn: String,
    /// What whoever published it says it is.
    pub description: String,
    /// When it was published, as AWS has it: `2026-01-31T12:00:00.000+0000`.
    pub created: String,
    /// The processors that it is for; empty where whoever published it said nothing.
    pub architectures: Vec<String>,
}

impl LayerVersion {
    /// When it was published; now, where AWS's date is not understood.
    pub fn published(&self) -> Timestamp {
        created(&self.created)
    }
}

/// AWS writes `2026-01-31T12:00:00.000+0000`, without the colon that RFC 3339 has.
fn created(text: &str) -> Timestamp {
    let colon = match text.len().checked_sub(2) {
        Some(minutes) if text.is_char_boundary(minutes) && !text.ends_with('Z') => {
            format!("{}:{}", &text[..minutes], &text[minutes..])
        }
        _ => text.to_owned(),
    };
    let now = || SystemTime::now().into();
    text.parse()
        .or_else(|_| colon.parse())
        .unwrap_or_else(|_| now())
}

/// A version that was published just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedVersion {
    /// The version.
    pub version: LayerVersion,
    /// The SHA-256 of the zip that Lambda has got, as base64.
    pub code_sha256: String,
}

/// What a version is published with, beside its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// At most 256 characters.
    pub description: String,
    /// At most 512 characters.
    pub license: Option<String>,
    /// At most 15.
    pub runtimes: Vec<String>,
    /// `x86_64`, `arm64`.
    pub architectures: Vec<String>,
}

/// How the zip gets there.
#[derive(Clone, Debug)]
pub enum Content {
    /// In the request.
    InRequest(ZipRequest),
    /// In a bucket of the same region.
    InBucket(StagedObject),
}

/// A region's layers of our account.
#[derive(Clone, Debug)]
pub struct Layers {
    client: aws_sdk_lambda::Client,
    region: Region,
    /// `arn:aws:lambda:eu-central-1:123456789012:layer`.
    arn: String,
}

impl Layers {
    /// The layers of an account in a region.
    pub fn new(session: &Session, region: &Region, partition: &str, account: &str) -> Layers {
        Layers {
            client: session.lambda(region),
            region: region.clone(),
            arn: format!("arn:{partition}:lambda:{region}:{account}:layer"),
        }
    }

    fn call(&self, action: &'static str, layer: &str) -> Call {
        Call::new(action, format!("{}:{layer}", self.arn), &self.region)
    }

    fn version_call(&self, action: &'static str, layer: &str, version: u64) -> Call {
        self.call(action, &format!("{layer}:{version}"))
    }

    /// The versions of a layer, newest first. One request for fifty of them; a layer that there is not has none.
    pub async fn versions(&self, layer: &str) -> Result<Vec<LayerVersion>, AwsError> {
        let request = self.client.list_layer_versions().layer_name(layer);
        let listed = request.into_paginator().items().send();
        let listed = listed.collect::<Result<Vec<_>, _>>().await;
        let call = self.call("lambda:ListLayerVersions", layer);
        let mut versions: Vec<LayerVersion> = there(call, listed)?
            .unwrap_or_default()
            .into_iter()
            .map(of_list)
            .collect();
        versions.sort_by_key(|version| Reverse(version.version));
        Ok(versions)
    }

    /// Publishes a version, once: a call whose answer is lost may have been carried out, and is not repeated here.
    ///
    /// The task is told how many bytes are sent.
    pub async fn publish(
        &self,
        layer: &str,
        version: &NewVersion,
        content: &Content,
        task: Arc<dyn Task>,
    ) -> Result<PublishedVersion, AwsError> {
        let request = self.client.publish_layer_version().layer_name(layer);
        let once = aws_sdk_lambda::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer = match content {
            Content::InRequest(zip) => {
                let request = request.content(LayerVersionContentInput::builder().build());
                let request = request.customize().config_override(once);
                request.interceptor(zip.interceptor(task)).send().await
            }
            Content::InBucket(object) => {
                let content = LayerVersionContentInput::builder()
                    .s3_bucket(&object.bucket)
                    .s3_key(&object.key)
                    .build();
                let architectures = version
                    .architectures
                    .iter()
                    .map(|name| SdkArchitecture::from(name.as_str()));
                let runtimes = version
                    .runtimes
                    .iter()
                    .map(|name| Runtime::from(name.as_str()));
                let request = request
                    .content(content)
                    .description(&version.description)
                    .set_license_info(version.license.clone())
                    .set_compatible_architectures(Some(architectures.collect()))
                    .set_compatible_runtimes(Some(runtimes.collect()));
                request.customize().config_override(once).send().await
            }
        };
        let call = self.call("lambda:PublishLayerVersion", layer);
        let answer = answer.map_err(|error| {
            let error = AwsError::of(call, error);
            match content {
                Content::InBucket(object) => error.of_reading(object, &self.region),
                Content::InRequest(_) => error,
            }
        })?;
        let number = u64::try_from(answer.version)
            .ok()
            .filter(|number| *number > 0);
        match (number, answer.layer_version_arn) {
            (Some(number), Some(arn)) => Ok(PublishedVersion {
                version: LayerVersion {
                    version: number,
                    arn,
                    description: answer.description.unwrap_or_default(),
                    created: answer.created_date.unwrap_or_default(),
                    architectures: names(answer.compatible_architectures),
                },
                code_sha256: code_sha256(answer.content),
            }),
            _ => Err(AwsError::Incomplete {
                action: "lambda:PublishLayerVersion",
                region: self.region.clone(),
                what: "ARN",
            }),
        }
    }

    /// The SHA-256 of a version's zip as base64, which the list does not have; nothing if there is no such version.
    pub async fn code_sha256(&self, layer: &str, version: u64) -> Result<Option<String>, AwsError> {
        let answer = self.get(layer, version).await?;
        Ok(answer.map(|answer| code_sha256(answer.content)))
    }

    /// A version by its number: it is there before lists have it. Nothing if there is no such version.
    pub async fn version(
        &self,
        layer: &str,
        version: u64,
    ) -> Result<Option<LayerVersion>, AwsError> {
        let answer = self.get(layer, version).await?;
        Ok(answer.map(|answer| LayerVersion {
            version,
            arn: answer.layer_version_arn.unwrap_or_default(),
            description: answer.description.unwrap_or_default(),
            created: answer.created_date.unwrap_or_default(),
            architectures: names(answer.compatible_architectures),
        }))
    }

    async fn get(
        &self,
        layer: &str,
        version: u64,
    ) -> Result<Option<GetLayerVersionOutput>, AwsError> {
        let answer = self
            .client
            .get_layer_version()
            .layer_name(layer)
            .version_number(number(version))
            .send()
            .await;
        let call = self.version_call("lambda:GetLayerVersion", layer, version);
        there(call, answer)
    }

    /// Removes a version. One that is not there is no error.
    pub async fn delete(&self, layer: &str, version: u64) -> Result<(), AwsError> {
        let answer = self
            .client
            .delete_layer_version()
            .layer_name(layer)
            .version_number(number(version))
            .send()
            .await;
        let call = self.version_call("lambda:DeleteLayerVersion", layer, version);
        there(call, answer).map(drop)
    }

    /// A version's resource policy, as JSON; nothing if nobody is granted anything.
    pub async fn policy(&self, layer: &str, version: u64) -> Result<Option<String>, AwsError> {
        let answer = self
            .client
            .get_layer_version_policy()
            .layer_name(layer)
            .version_number(number(version))
            .send()
            .await;
        let call = self.version_call("lambda:GetLayerVersionPolicy", layer, version);
        Ok(there(call, answer)?.and_then(|answer| answer.policy))
    }

    /// Adds a statement to a version's policy. A statement of that name that is there already is a
    /// [`super::Refusal::Conflict`].
    pub async fn add_statement(
        &self,
        layer: &str,
        version: u64,
        statement: &str,
        principal: &str,
        organization: Option<&str>,
    ) -> Result<(), AwsError> {
        let answer = self
            .client
            .add_layer_version_permission()
            .layer_name(layer)
            .version_number(number(version))
            .statement_id(statement)
            .action("lambda:GetLayerVersion")
            .principal(principal)
            .set_organization_id(organization.map(ToOwned::to_owned))
            .send()
            .await;
        let call = self.version_call("lambda:AddLayerVersionPermission", layer, version);
        answer.map(drop).map_err(|error| AwsError::of(call, error))
    }

    /// Removes a statement from a version's policy. One that is not there is no error.
    pub async fn remove_statement(
        &self,
        layer: &str,
        version: u64,
        statement: &str,
    ) -> Result<(), AwsError> {
        let answer = self
            .client
            .remove_layer_version_permission()
            .layer_name(layer)
            .version_number(number(version))
            .statement_id(statement)
            .send()
            .await;
        let call = self.version_call("lambda:RemoveLayerVersionPermission", layer, version);
        there(call, answer).map(drop)
    }

    /// The functions of the region that have layers, with all their published versions.
    pub async fn users(&self) -> Result<Vec<LayerUser>, AwsError> {
        let request = self.client.list_functions();
        let request = request.function_version(FunctionVersion::All);
        let listed = request.into_paginator().items().send();
        let listed = listed.collect::<Result<Vec<_>, _>>().await;
        let call = || Call::new("lambda:ListFunctions", "*", &self.region);
        let functions = listed.map_err(|error| AwsError::of(call(), error))?;
        let users = functions.into_iter().map(|function| LayerUser {
            function: function.function_arn.unwrap_or_default(),
            layers: function
                .layers
                .unwrap_or_default()
                .into_iter()
                .filter_map(|layer| layer.arn)
                .collect(),
        });
        Ok(users.filter(|user| !user.layers.is_empty()).collect())
    }

    /// The names of the layers of the region that are of this account.
    pub async fn names(&self) -> Result<Vec<String>, AwsError> {
        let listed = self.client.list_layers().into_paginator().items().send();
        let listed = listed.collect::<Result<Vec<_>, _>>().await;
        let call = || Call::new("lambda:ListLayers", "*", &self.region);
        let layers = listed.map_err(|error| AwsError::of(call(), error))?;
        Ok(layers
            .into_iter()
            .filter_map(|layer| layer.layer_name)
            .collect())
    }
}

/// A function, or a version of one, and the layers it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerUser {
    /// The function's ARN, with its version.
    pub function: String,
    /// The ARNs of the layer versions, in their order.
    pub layers: Vec<String>,
}

/// An answer, or nothing where there is no such thing.
pub(super) fn there<T, E>(
    call: Call,
    answer: Result<
        T,
        aws_smithy_runtime_api::client::result::SdkError<
            E,
            aws_smithy_runtime_api::client::orchestrator::HttpResponse,
        >,
    >,
) -> Result<Option<T>, AwsError>
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata
        + std::error::Error
        + Send
        + Sync
        + 'static,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => {
            let error = AwsError::of(call, error);
            match error.refusal() {
                Some(super::Refusal::NotFound) => Ok(None),
                _ => Err(error),
            }
        }
    }
}

fn code_sha256(content: Option<LayerVersionContentOutput>) -> String {
    content.and_then(|it| it.code_sha256).unwrap_or_default()
}

fn of_list(version: aws_sdk_lambda::types::LayerVersionsListItem) -> LayerVersion {
    LayerVersion {
        version: u64::try_from(version.version).unwrap_or_default(),
        arn: version.layer_version_arn.unwrap_or_default(),
        description: version.description.unwrap_or_default(),
        created: version.created_date.unwrap_or_default(),
        architectures: names(version.compatible_architectures),
    }
}

pub(super) fn names<T: AsRef<str>>(values: Option<Vec<T>>) -> Vec<String> {
    let values = values.unwrap_or_default();
    values
        .iter()
        .map(|value| value.as_ref().to_owned())
        .collect()
}

/// Version numbers are small; AWS's own type is a signed one.
fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_that_aws_writes_is_read() {
        for text in [
            "2026-01-31T12:00:00.000+0000",
            "2026-01-31T12:00:00Z",
            "2026-01-31T13:00:00.5+01:00",
        ] {
            assert_eq!(created(text).to_string(), "2026-01-31T12:00:00Z", "{text}");
        }
    }
}
