//! Functions as the SDK has them, and as r-layer does.

use std::collections::BTreeMap;

use aws_sdk_lambda::types::{
    Environment, EphemeralStorage, FunctionConfiguration, ImageConfig, LastUpdateStatus,
    LogFormat as SdkLogFormat, LoggingConfig, PackageType, State,
};

use super::{DeployedFunction, Functions};
use crate::aws::AwsError;
use crate::function::{FunctionSettings, ImageStart, LogFormat};
use crate::target::Architecture;

impl Functions {
    pub(super) fn understood(
        &self,
        found: FunctionConfiguration,
    ) -> Result<DeployedFunction, AwsError> {
        let (Some(name), Some(arn)) = (found.function_name.clone(), found.function_arn.clone())
        else {
            return Err(self.incomplete("lambda:GetFunction", "name"));
        };
        // AWS's default, where an old function says nothing.
        let architecture = found.architectures.as_ref().and_then(|all| all.first());
        let architecture = architecture.and_then(|name| name.as_str().parse().ok());
        let in_update = matches!(found.last_update_status, Some(LastUpdateStatus::InProgress));
        let in_making = matches!(found.state, Some(State::Pending));
        let failure = match (&found.state, &found.last_update_status) {
            (Some(State::Failed), _) => Some(found.state_reason.clone()),
            (_, Some(LastUpdateStatus::Failed)) => Some(found.last_update_status_reason.clone()),
            _ => None,
        };
        Ok(DeployedFunction {
            name,
            arn,
            version: found.version.clone().unwrap_or_default(),
            revision: found.revision_id.clone().unwrap_or_default(),
            architecture: architecture.unwrap_or(Architecture::X86_64),
            is_image: found.package_type == Some(PackageType::Image),
            code_sha256: found.code_sha256.clone().unwrap_or_default(),
            code_size: u64::try_from(found.code_size).unwrap_or_default(),
            code_location: None,
            image: None,
            tags: BTreeMap::new(),
            is_changing: in_update || in_making,
            failure: failure.map(|reason| reason.unwrap_or_else(|| "AWS gives no reason".into())),
            settings: settings(found),
        })
    }
}

fn settings(found: FunctionConfiguration) -> FunctionSettings {
    let layers = found.layers.unwrap_or_default();
    // Variables that AWS could not decrypt for us are not shown, and are there all the same.
    let environment = match found.environment {
        Some(environment) if environment.error.is_some() => None,
        Some(environment) => Some(environment.variables.unwrap_or_default()),
        None => Some(Default::default()),
    };
    let format = found.logging_config.and_then(|logging| logging.log_format);
    FunctionSettings {
        runtime: found.runtime.map(|runtime| runtime.as_str().to_owned()),
        handler: found.handler,
        image_start: found
            .image_config_response
            .and_then(|response| response.image_config)
            .map(|config| ImageStart {
                command: config.command.unwrap_or_default(),
                entry_point: config.entry_point.unwrap_or_default(),
                working_folder: config.working_directory,
            }),
        role: found.role,
        description: Some(found.description.unwrap_or_default()),
        memory: found.memory_size.and_then(|size| size.try_into().ok()),
        timeout: found.timeout.and_then(|time| time.try_into().ok()),
        tmp_size: found
            .ephemeral_storage
            .and_then(|storage| storage.size.try_into().ok()),
        environment: environment.map(|variables| variables.into_iter().collect()),
        log_format: Some(match format {
            Some(SdkLogFormat::Json) => LogFormat::Json,
            _ => LogFormat::Text,
        }),
        layers: Some(layers.into_iter().filter_map(|layer| layer.arn).collect()),
    }
}

/// AWS's numbers are signed; ours are checked where they are typed.
pub(super) fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

pub(super) fn ephemeral(settings: &FunctionSettings) -> Option<EphemeralStorage> {
    let size = settings.tmp_size.map(number)?;
    EphemeralStorage::builder().size(size).build().ok()
}

pub(super) fn environment(settings: &FunctionSettings) -> Option<Environment> {
    let variables = settings.environment.clone()?;
    let variables = Some(variables.into_iter().collect());
    Some(Environment::builder().set_variables(variables).build())
}

pub(super) fn image_config(settings: &FunctionSettings) -> Option<ImageConfig> {
    let start = settings.image_start.clone()?;
    let words = |words: Vec<String>| (!words.is_empty()).then_some(words);
    let config = ImageConfig::builder()
        .set_command(words(start.command))
        .set_entry_point(words(start.entry_point))
        .set_working_directory(start.working_folder);
    Some(config.build())
}

pub(super) fn logging(settings: &FunctionSettings) -> Option<LoggingConfig> {
    let format = SdkLogFormat::from(settings.log_format?.aws_name());
    Some(LoggingConfig::builder().log_format(format).build())
}
