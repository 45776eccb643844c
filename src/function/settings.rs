//! The settings of a function: as AWS has them, and as they are wanted. Only what differs is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// How Lambda writes a function's log.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html>, `LogFormat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines of text.
    Text,
    /// A JSON object a line.
    Json,
}

impl LogFormat {
    /// As AWS has it.
    pub fn aws_name(self) -> &'static str {
        match self {
            LogFormat::Text => "Text",
            LogFormat::Json => "JSON",
        }
    }
}

/// How an image is started in place of its own way. AWS takes all of it at once, so that what was set by others is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageStart {
    /// The command: the handler.
    pub command: Vec<String>,
    /// The entry point; none is the image's own.
    pub entry_point: Vec<String>,
    /// The folder that it starts in; nothing is the image's own.
    pub working_folder: Option<String>,
}

/// Settings of a function; nothing where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionSettings {
    /// `provided.al2023`.
    pub runtime: Option<String>,
    /// `file.function`.
    pub handler: Option<String>,
    /// How an image is started in place of its own way.
    pub image_start: Option<ImageStart>,
    /// The ARN of the role that it runs as.
    pub role: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// MB.
    pub memory: Option<u32>,
    /// Seconds.
    pub timeout: Option<u32>,
    /// MB of `/tmp`.
    pub tmp_size: Option<u32>,
    /// Environment variables, all of them; nothing where AWS does not show them to us, either.
    pub environment: Option<BTreeMap<String, String>>,
    /// How its log is written.
    pub log_format: Option<LogFormat>,
    /// ARNs of layer versions, in their order.
    pub layers: Option<Vec<String>>,
}

/// A setting that changes, for people. Values of environment variables are not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which setting.
    pub setting: String,
    /// As it is; nothing if it is new.
    pub before: Option<String>,
    /// As it will be; nothing if it is taken away.
    pub after: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setting = &self.setting;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{setting}: {before} → {after}"),
            (None, Some(after)) => write!(f, "{setting}: {after}"),
            (Some(_), None) => write!(f, "{setting}: taken away"),
            (None, None) => f.write_str(setting),
        }
    }
}

/// What is said, where it is not the same already.
fn other<T: Clone + PartialEq>(wanted: &Option<T>, current: &Option<T>) -> Option<T> {
    wanted
        .as_ref()
        .filter(|wanted| Some(*wanted) != current.as_ref())
        .cloned()
}

impl FunctionSettings {
    /// What is wanted here and is not so there.
    pub fn other_than(&self, current: &FunctionSettings) -> FunctionSettings {
        FunctionSettings {
            runtime: other(&self.runtime, &current.runtime),
            handler: other(&self.handler, &current.handler),
            image_start: other(&self.image_start, &current.image_start),
            role: other(&self.role, &current.role),
            description: other(&self.description, &current.description),
            memory: other(&self.memory, &current.memory),
            timeout: other(&self.timeout, &current.timeout),
            tmp_size: other(&self.tmp_size, &current.tmp_size),
            environment: other(&self.environment, &current.environment),
            log_format: other(&self.log_format, &current.log_format),
            layers: other(&self.layers, &current.layers),
        }
    }

    /// Is nothing said?
    pub fn is_empty(&self) -> bool {
        *self == FunctionSettings::default()
    }

    /// What changes, but layers, which are shown in another way.
    pub fn differences(&self, current: &FunctionSettings) -> Vec<Difference> {
        let new = self.other_than(current);
        let mut differences = Vec::new();
        let mut compare = |setting: &str, before: Option<String>, after: Option<String>| {
            let setting = setting.to_owned();
            if after.is_some() {
                differences.push(Difference {
                    setting,
                    before,
                    after,
                });
            }
        };
        let number = |value: &Option<u32>, unit: &str| value.map(|value| format!("{value} {unit}"));
        let format = |format: &Option<LogFormat>| format.map(|it| it.aws_name().to_owned());
        compare("runtime", current.runtime.clone(), new.runtime);
        compare("handler", current.handler.clone(), new.handler);
        let command = |start: &Option<ImageStart>| {
            let start = start.as_ref()?;
            Some(start.command.join(" "))
        };
        compare(
            "command",
            command(&current.image_start),
            command(&new.image_start),
        );
        compare("role", current.role.clone(), new.role);
        compare("description", current.description.clone(), new.description);
        compare(
            "memory",
            number(&current.memory, "MB"),
            number(&new.memory, "MB"),
        );
        compare(
            "timeout",
            number(&current.timeout, "s"),
            number(&new.timeout, "s"),
        );
        compare(
            "/tmp",
            number(&current.tmp_size, "MB"),
            number(&new.tmp_size, "MB"),
        );
        compare(
            "log format",
            format(&current.log_format),
            format(&new.log_format),
        );
        if let Some(wanted) = &new.environment {
            let empty = BTreeMap::new();
            let current = current.environment.as_ref().unwrap_or(&empty);
            differences.extend(variables(current, wanted));
        }
        differences
    }
}

fn variables(
    current: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> Vec<Difference> {
    let names: BTreeSet<&String> = current.keys().chain(wanted.keys()).collect();
    let hidden = |there: bool, text: &str| there.then(|| text.to_owned());
    let changed = names
        .into_iter()
        .filter(|name| current.get(*name) != wanted.get(*name));
    changed
        .map(|name| Difference {
            setting: format!("environment variable {name}"),
            before: hidden(current.contains_key(name), "another value"),
            after: hidden(wanted.contains_key(name), "a new value"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_sent_and_told_and_no_secret_is() {
        let environment = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Some(pairs.collect::<BTreeMap<_, _>>())
        };
        let current = FunctionSettings {
            handler: Some("script.handler".to_owned()),
            memory: Some(128),
            timeout: Some(3),
            environment: environment(&[("KEY", "old-secret"), ("GONE", "x"), ("SAME", "y")]),
            ..FunctionSettings::default()
        };
        let wanted = FunctionSettings {
            handler: Some("script.handler".to_owned()),
            memory: Some(512),
            description: Some("new".to_owned()),
            environment: environment(&[("KEY", "new-secret"), ("SAME", "y")]),
            ..FunctionSettings::default()
        };
        let sent = wanted.other_than(&current);
        assert_eq!((sent.handler, sent.timeout), (None, None));
        assert_eq!(sent.memory, Some(512));
        let lines: Vec<String> = wanted
            .differences(&current)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            lines,
            [
                "description: new",
                "memory: 128 MB → 512 MB",
                "environment variable GONE: taken away",
                "environment variable KEY: another value → a new value",
            ]
        );
        assert!(wanted.other_than(&wanted).is_empty());
    }
}
