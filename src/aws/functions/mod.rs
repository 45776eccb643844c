//! Functions of a region: seen, made, changed.

mod access;
mod conversion;
mod versions;

use std::collections::BTreeMap;

use aws_sdk_lambda::types::{
    Architecture as SdkArchitecture, FunctionCode, FunctionConfiguration, PackageType, Runtime,
};
use aws_smithy_types::Blob;
use bytes::Bytes;

pub use access::{FunctionUrl, Permission};

use conversion::{environment, ephemeral, image_config, logging, number};

use super::layers::there;
use super::{AwsError, Call, Refusal, Session, StagedObject};
use crate::function::FunctionSettings;
use crate::publication::Region;
use crate::target::Architecture;

/// A function, or a version of one, as AWS has it.
#[derive(Clone, Debug)]
pub struct DeployedFunction {
    /// Its name.
    pub name: String,
    /// Its ARN; with the number, where a version was asked for.
    pub arn: String,
    /// `$LATEST`, or the number.
    pub version: String,
    /// By which AWS knows whether somebody changed it since.
    pub revision: String,
    /// Its settings; all that there are.
    pub settings: FunctionSettings,
    /// Its processor.
    pub architecture: Architecture,
    /// Is it a container image?
    pub is_image: bool,
    /// Base64 of the sha256 of its code's zip.
    pub code_sha256: String,
    /// Bytes of its code's zip.
    pub code_size: u64,
    /// A URL that its code can be fetched from, for ten minutes.
    pub code_location: Option<String>,
    /// The image that it is made from.
    pub image: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Is it being made or changed?
    pub is_changing: bool,
    /// Why its last change, or its making, failed.
    pub failure: Option<String>,
}

/// The code of a function.
#[derive(Clone, Debug)]
pub enum Code {
    /// A zip in the request.
    Zip(Bytes),
    /// A zip in a bucket of the same region.
    InBucket(StagedObject),
    /// An image in ECR of the same region, by its digest.
    Image(String),
}

/// A function that is to be made.
#[derive(Clone, Debug)]
pub struct NewFunction {
    /// Its settings.
    pub settings: FunctionSettings,
    /// Its processor.
    pub architecture: Architecture,
    /// Its code.
    pub code: Code,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A region's functions of our account.
#[derive(Clone, Debug)]
pub struct Functions {
    client: aws_sdk_lambda::Client,
    region: Region,
    /// `arn:aws:lambda:eu-central-1:123456789012:function`.
    arn: String,
}

impl Functions {
    /// The functions of an account in a region.
    pub fn new(session: &Session, region: &Region, partition: &str, account: &str) -> Functions {
        Functions {
            client: session.lambda(region),
            region: region.clone(),
            arn: format!("arn:{partition}:lambda:{region}:{account}:function"),
        }
    }

    /// The ARN of a function.
    pub fn arn(&self, function: &str) -> String {
        format!("{}:{function}", self.arn)
    }

    pub(super) fn call(&self, action: &'static str, function: &str) -> Call {
        Call::new(action, self.arn(function), &self.region)
    }

    /// A function, or with a qualifier a version of it or what an alias points at; nothing if there is none.
    pub async fn get(
        &self,
        function: &str,
        qualifier: Option<&str>,
    ) -> Result<Option<DeployedFunction>, AwsError> {
        let answer = self
            .client
            .get_function()
            .function_name(function)
            .set_qualifier(qualifier.map(ToOwned::to_owned))
            .send()
            .await;
        let call = self.call("lambda:GetFunction", function);
        let Some(answer) = there(call, answer)? else {
            return Ok(None);
        };
        let Some(configuration) = answer.configuration else {
            return Err(self.incomplete("lambda:GetFunction", "configuration"));
        };
        let mut found = self.understood(configuration)?;
        let code = answer.code;
        found.image = code.as_ref().and_then(|code| {
            // What it was made from, where that names a digest already.
            let named = code.image_uri.clone().filter(|uri| uri.contains('@'));
            named.or_else(|| code.resolved_image_uri.clone())
        });
        found.code_location = code.and_then(|code| code.location);
        found.tags = answer.tags.unwrap_or_default().into_iter().collect();
        Ok(Some(found))
    }

    /// The log group that a function writes to, where its configuration names one.
    pub async fn log_group(&self, function: &str) -> Result<Option<String>, AwsError> {
        let request = self.client.get_function_configuration();
        let answer = request.function_name(function).send().await;
        let call = self.call("lambda:GetFunctionConfiguration", function);
        let answer = answer.map_err(|error| AwsError::of(call, error))?;
        Ok(answer.logging_config.and_then(|it| it.log_group))
    }

    /// The names of all functions.
    pub async fn names(&self) -> Result<Vec<String>, AwsError> {
        let listed = self.client.list_functions().into_paginator().items().send();
        let listed = listed.collect::<Result<Vec<_>, _>>().await;
        let call = || Call::new("lambda:ListFunctions", "*", &self.region);
        let functions = listed.map_err(|error| AwsError::of(call(), error))?;
        let names = functions
            .into_iter()
            .filter_map(|function| function.function_name);
        Ok(names.collect())
    }

    /// Makes a function.
    pub async fn create(
        &self,
        function: &str,
        new: &NewFunction,
    ) -> Result<DeployedFunction, AwsError> {
        let settings = &new.settings;
        let (code, package) = match &new.code {
            Code::Zip(zip) => (
                FunctionCode::builder().zip_file(Blob::new(zip.to_vec())),
                PackageType::Zip,
            ),
            Code::InBucket(object) => {
                let code = FunctionCode::builder()
                    .s3_bucket(&object.bucket)
                    .s3_key(&object.key);
                (code, PackageType::Zip)
            }
            Code::Image(uri) => (FunctionCode::builder().image_uri(uri), PackageType::Image),
        };
        let request = self
            .client
            .create_function()
            .function_name(function)
            .code(code.build())
            .package_type(package)
            .architectures(SdkArchitecture::from(new.architecture.aws_name()))
            .set_runtime(settings.runtime.as_deref().map(Runtime::from))
            .set_handler(settings.handler.clone())
            .set_image_config(image_config(settings))
            .set_role(settings.role.clone())
            .set_description(settings.description.clone())
            .set_memory_size(settings.memory.map(number))
            .set_timeout(settings.timeout.map(number))
            .set_ephemeral_storage(ephemeral(settings))
            .set_environment(environment(settings))
            .set_logging_config(logging(settings))
            .set_layers(settings.layers.clone())
            .set_tags((!new.tags.is_empty()).then(|| new.tags.clone().into_iter().collect()));
        let answer = request.send().await;
        let call = self.call("lambda:CreateFunction", function);
        let made = answer.map_err(|error| AwsError::of(call, error))?;
        let made = FunctionConfiguration::builder()
            .set_function_name(made.function_name)
            .set_function_arn(made.function_arn)
            .set_version(made.version)
            .set_revision_id(made.revision_id)
            .set_architectures(made.architectures)
            .set_code_sha256(made.code_sha256)
            .set_state(made.state)
            .set_state_reason(made.state_reason)
            .build();
        self.understood(made)
    }

    /// Changes settings of a function, if it is still of that revision. Another one is [`Refusal::Conflict`], and so is
    /// a change that is under way.
    pub async fn configure(
        &self,
        function: &str,
        settings: &FunctionSettings,
        revision: &str,
    ) -> Result<(), AwsError> {
        let answer = self
            .client
            .update_function_configuration()
            .function_name(function)
            .revision_id(revision)
            .set_runtime(settings.runtime.as_deref().map(Runtime::from))
            .set_handler(settings.handler.clone())
            .set_image_config(image_config(settings))
            .set_role(settings.role.clone())
            .set_description(settings.description.clone())
            .set_memory_size(settings.memory.map(number))
            .set_timeout(settings.timeout.map(number))
            .set_ephemeral_storage(ephemeral(settings))
            .set_environment(environment(settings))
            .set_logging_config(logging(settings))
            .set_layers(settings.layers.clone())
            .send()
            .await;
        let call = self.call("lambda:UpdateFunctionConfiguration", function);
        answer.map(drop).map_err(|error| AwsError::of(call, error))
    }

    /// Gives a function other code, if it is still of that revision.
    pub async fn replace_code(
        &self,
        function: &str,
        code: &Code,
        architecture: Architecture,
        revision: &str,
    ) -> Result<(), AwsError> {
        let request = self
            .client
            .update_function_code()
            .function_name(function)
            .revision_id(revision)
            .architectures(SdkArchitecture::from(architecture.aws_name()));
        let request = match code {
            Code::Zip(zip) => request.zip_file(Blob::new(zip.to_vec())),
            Code::InBucket(object) => request.s3_bucket(&object.bucket).s3_key(&object.key),
            Code::Image(uri) => request.image_uri(uri),
        };
        let answer = request.send().await;
        let call = self.call("lambda:UpdateFunctionCode", function);
        answer.map(drop).map_err(|error| AwsError::of(call, error))
    }

    /// Adds tags to a function, and takes others away.
    pub async fn tag(
        &self,
        function: &str,
        added: &BTreeMap<String, String>,
    ) -> Result<(), AwsError> {
        let answer = self
            .client
            .tag_resource()
            .resource(self.arn(function))
            .set_tags(Some(added.clone().into_iter().collect()))
            .send()
            .await;
        let call = self.call("lambda:TagResource", function);
        answer.map(drop).map_err(|error| AwsError::of(call, error))
    }

    /// Removes a function, its versions and aliases. One that is not there is no error.
    pub async fn delete(&self, function: &str) -> Result<(), AwsError> {
        let answer = self
            .client
            .delete_function()
            .function_name(function)
            .send()
            .await;
        let call = self.call("lambda:DeleteFunction", function);
        there(call, answer).map(drop)
    }

    fn incomplete(&self, action: &'static str, what: &'static str) -> AwsError {
        AwsError::Incomplete {
            action,
            region: self.region.clone(),
            what,
        }
    }
}

/// May the same be tried again once the change that is under way is over?
pub fn is_conflict(error: &AwsError) -> bool {
    error.refusal() == Some(Refusal::Conflict)
}
