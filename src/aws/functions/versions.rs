//! Versions of a function, and aliases that point at them.

use super::Functions;
use crate::aws::AwsError;
use crate::aws::layers::there;

impl Functions {
    /// Makes a version of a function as it is now, if its code is still that one, and returns its number. AWS makes none
    /// where nothing changed since the last one, and returns that.
    pub async fn publish_version(
        &self,
        function: &str,
        code_sha256: &str,
    ) -> Result<String, AwsError> {
        let answer = self
            .client
            .publish_version()
            .function_name(function)
            .code_sha256(code_sha256)
            .send()
            .await;
        let call = self.call("lambda:PublishVersion", function);
        let answer = answer.map_err(|error| AwsError::of(call, error))?;
        let version = answer.version;
        version.ok_or_else(|| self.incomplete("lambda:PublishVersion", "version"))
    }

    /// The number of the newest version of a function; nothing if none was published.
    pub async fn newest_version(&self, function: &str) -> Result<Option<String>, AwsError> {
        let request = self
            .client
            .list_versions_by_function()
            .function_name(function);
        let listed = request.into_paginator().items().send();
        let listed = listed.collect::<Result<Vec<_>, _>>().await;
        let call = self.call("lambda:ListVersionsByFunction", function);
        let versions = listed.map_err(|error| AwsError::of(call, error))?;
        let numbers = versions
            .into_iter()
            .filter_map(|version| version.version?.parse::<u64>().ok());
        Ok(numbers.max().map(|number| number.to_string()))
    }

    /// The version that an alias points at; nothing if there is no such alias.
    pub async fn alias(&self, function: &str, alias: &str) -> Result<Option<String>, AwsError> {
        let answer = self
            .client
            .get_alias()
            .function_name(function)
            .name(alias)
            .send()
            .await;
        let call = self.call("lambda:GetAlias", &format!("{function}:{alias}"));
        Ok(there(call, answer)?.and_then(|answer| answer.function_version))
    }

    /// Points an alias at a version; `is_new` makes it.
    pub async fn point_alias(
        &self,
        function: &str,
        alias: &str,
        version: &str,
        is_new: bool,
    ) -> Result<(), AwsError> {
        let resource = format!("{function}:{alias}");
        if is_new {
            let answer = self
                .client
                .create_alias()
                .function_name(function)
                .name(alias)
                .function_version(version)
                .send()
                .await;
            let call = self.call("lambda:CreateAlias", &resource);
            return answer.map(drop).map_err(|error| AwsError::of(call, error));
        }
        let answer = self
            .client
            .update_alias()
            .function_name(function)
            .name(alias)
            .function_version(version)
            .send()
            .await;
        let call = self.call("lambda:UpdateAlias", &resource);
        answer.map(drop).map_err(|error| AwsError::of(call, error))
    }
}
