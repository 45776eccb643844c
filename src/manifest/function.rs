//! `[functions.NAME]`: how a function is deployed. What is not said is left to flags, and to what the function has.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::function::LogFormat;
use crate::iam::FunctionUrlAuth;
use crate::publication::{LayerReference, RoleArn};
use crate::target::Architecture;

/// How a function is deployed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FunctionSection {
    /// The folder with its code, or one R file.
    pub code: Option<PathBuf>,
    /// `file.function`.
    pub handler: Option<String>,
    /// The role that it runs as.
    pub role: Option<RoleArn>,
    /// Is a role made for it?
    pub create_role: bool,
    /// Policies that this role gets beside that of basic execution.
    pub policy_arns: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// MB.
    pub memory: Option<u32>,
    /// Seconds.
    pub timeout: Option<u32>,
    /// MB of `/tmp`.
    pub tmp_size: Option<u32>,
    /// Environment variables; no place for secrets.
    pub environment: BTreeMap<String, String>,
    /// Its processor.
    pub arch: Option<Architecture>,
    /// How its log is written: `text` or `json`.
    pub log_format: Option<LogFormat>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its layers; else the runtime and all layers of packages.
    #[serde(deserialize_with = "layers")]
    pub layers: Vec<LayerReference>,
    /// An alias that points at what was deployed last.
    pub alias: Option<String>,
    /// Who may call its URL: `aws-iam` or `public`; without, it gets none.
    #[serde(deserialize_with = "auth")]
    pub function_url: Option<FunctionUrlAuth>,
    /// When it is invoked by itself: `rate(1 day)`, `cron(0 6 * * ? *)`.
    pub schedule: Option<String>,
}

fn layers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<LayerReference>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let layers = texts
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom));
    layers.collect()
}

fn auth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FunctionUrlAuth>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        "aws-iam" => Ok(Some(FunctionUrlAuth::Iam)),
        "public" => Ok(Some(FunctionUrlAuth::None)),
        _ => Err(D::Error::custom(format!(
            "`{text}`: who may call the URL is \"aws-iam\" (who is allowed to) or \"public\" (everybody)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_read_and_what_cannot_be_is_said() {
        let section: FunctionSection = toml::from_str(
            "handler = \"script.parity\"\ncode = \"fn\"\nmemory = 512\nlayers = [\"runtime\", \"models:3\"]\n\
             function-url = \"public\"\nlog-format = \"json\"\narch = \"arm64\"\n[environment]\nA = \"1\"\n",
        )
        .unwrap();
        assert_eq!(section.memory, Some(512));
        assert_eq!(section.layers.len(), 2);
        assert_eq!(section.function_url, Some(FunctionUrlAuth::None));
        assert_eq!(section.arch, Some(Architecture::Arm64));
        for (text, words) in [
            ("function-url = \"open\"", "\"aws-iam\" (who is allowed to)"),
            ("layers = [\"models:x\"]", "the number of a version"),
            ("handlr = \"x\"", "unknown field `handlr`"),
            ("role = \"x\"", "role"),
        ] {
            let error = toml::from_str::<FunctionSection>(text)
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
