//! The configuration of an image: how it is started, and what its layers are.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/config.md>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::checksum::Sha256;
use crate::target::Architecture;

/// The entry point of AWS's images, which starts `/var/runtime/bootstrap`: with AWS's emulator where there is no Runtime API.
///
/// <https://github.com/aws/aws-lambda-base-images>
pub const LAMBDA_ENTRYPOINT: &str = "/lambda-entrypoint.sh";

/// Where that entry point looks for the runtime.
pub const RUNTIME_BOOTSTRAP: &str = "/var/runtime/bootstrap";

/// Where the function's code is.
pub const TASK_ROOT: &str = "/var/task";

/// What is told of an image, as far as it is told.
#[derive(Clone, Debug, Default)]
pub struct ImageSettings {
    /// The handler, which Lambda passes on as the command.
    pub handler: String,
    /// Variables of the environment; those of the base stay, unless they are named here.
    pub environment: Vec<(String, String)>,
    /// Labels of the configuration, and annotations of the manifest.
    pub labels: BTreeMap<String, String>,
    /// When it was made, as RFC 3339 has it.
    pub created: String,
}

impl ImageSettings {
    /// The variables that are set. AWS's images name a file of time zones that they do not have, of which R warns; so it is
    /// UTC, as it is for functions from zips.
    pub fn variables(&self, is_lambda: bool) -> Vec<(&str, &str)> {
        let own = self.environment.iter();
        let mut variables: Vec<(&str, &str)> = own
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if is_lambda && variables.iter().all(|(name, _)| *name != "TZ") {
            variables.push(("TZ", ":UTC"));
        }
        variables
    }
}

/// A layer that comes on top of the base.
#[derive(Clone, Debug)]
pub struct AddedLayer {
    /// The digest of its tarball.
    pub diff_id: Sha256,
    /// What it is, for people who read the history.
    pub created_by: String,
}

/// The digests of the tarballs of an image's layers.
pub(super) fn diff_ids(config: &Value) -> Vec<&str> {
    let ids = config["rootfs"]["diff_ids"].as_array();
    ids.map_or_else(Vec::new, |ids| {
        ids.iter().filter_map(Value::as_str).collect()
    })
}

/// Is the image started as AWS's images are?
pub fn is_lambda_base(config: &Value) -> bool {
    strings(&config["config"]["Entrypoint"]) == [LAMBDA_ENTRYPOINT]
}

/// The configuration of an image from that of its base.
pub fn configured(
    base: &Value,
    architecture: Architecture,
    settings: &ImageSettings,
    added: &[AddedLayer],
) -> Value {
    let mut history = history_of(base);
    history.extend(added.iter().map(|layer| {
        json!({"created": settings.created, "created_by": layer.created_by, "comment": "r-layer"})
    }));
    let mut ids: Vec<String> = diff_ids(base).into_iter().map(ToOwned::to_owned).collect();
    ids.extend(added.iter().map(|layer| layer.diff_id.oci()));
    let mut config = json!({
        "created": settings.created,
        "architecture": architecture.oci_name(),
        "os": "linux",
        "config": execution(base, settings),
        "rootfs": {"type": "layers", "diff_ids": ids},
        "history": history,
    });
    // Of what Docker alone knows, nothing is taken over.
    for key in ["os.version", "os.features", "variant"] {
        if let Some(value) = base.get(key) {
            config[key] = value.clone();
        }
    }
    config
}

/// The base's history, with a line for each of its layers: some tools leave it out, and others count.
fn history_of(base: &Value) -> Vec<Value> {
    let mut history = base["history"].as_array().cloned().unwrap_or_default();
    let is_layer = |line: &&Value| line["empty_layer"] != true;
    let told = history.iter().filter(is_layer).count();
    let untold = diff_ids(base).len().saturating_sub(told);
    history.extend(std::iter::repeat_n(
        json!({"comment": "a layer of the base"}),
        untold,
    ));
    history
}

/// How it is started: as the base is, with the handler as the command.
fn execution(base: &Value, settings: &ImageSettings) -> Value {
    let known = [
        "User",
        "ExposedPorts",
        "Env",
        "Entrypoint",
        "Volumes",
        "WorkingDir",
        "Labels",
    ];
    let of_base = base["config"].as_object();
    let of_base = of_base.into_iter().flatten();
    let mut config: Map<String, Value> = of_base
        .filter(|(key, value)| known.contains(&key.as_str()) && !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut environment = environment_of(base);
    if !is_lambda_base(base) {
        config.insert("Entrypoint".to_owned(), json!([RUNTIME_BOOTSTRAP]));
        environment.retain(|(name, _)| name != "LAMBDA_TASK_ROOT");
        environment.push(("LAMBDA_TASK_ROOT".to_owned(), TASK_ROOT.to_owned()));
        config.insert("WorkingDir".to_owned(), json!(TASK_ROOT));
    }
    for (name, value) in settings.variables(is_lambda_base(base)) {
        match environment.iter_mut().find(|(other, _)| other == name) {
            Some((_, other)) => value.clone_into(other),
            None => environment.push((name.to_owned(), value.to_owned())),
        }
    }
    let environment = environment.iter();
    let environment: Vec<String> = environment
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    config.insert("Env".to_owned(), json!(environment));
    config.insert("Cmd".to_owned(), json!([settings.handler]));
    let mut labels = match config.remove("Labels") {
        Some(Value::Object(labels)) => labels,
        _ => Map::new(),
    };
    for (name, value) in &settings.labels {
        labels.insert(name.clone(), json!(value));
    }
    config.insert("Labels".to_owned(), Value::Object(labels));
    Value::Object(config)
}

/// The variables of an image's environment.
pub fn environment_of(config: &Value) -> Vec<(String, String)> {
    let variables = strings(&config["config"]["Env"]);
    let variables = variables
        .into_iter()
        .filter_map(|text| text.split_once('='));
    variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What an image is started with: entry point, then command.
pub fn command_of(config: &Value, handler: Option<&str>) -> Vec<String> {
    let entrypoint = strings(&config["config"]["Entrypoint"]);
    let command = match handler {
        Some(handler) => vec![handler],
        None => strings(&config["config"]["Cmd"]),
    };
    let parts = entrypoint.into_iter().chain(command);
    parts.map(ToOwned::to_owned).collect()
}

/// The folder that an image is started in.
pub fn working_folder_of(config: &Value) -> &str {
    let folder = config["config"]["WorkingDir"].as_str();
    folder.filter(|folder| !folder.is_empty()).unwrap_or("/")
}

fn strings(list: &Value) -> Vec<&str> {
    let list = list.as_array();
    list.map_or_else(Vec::new, |list| {
        list.iter().filter_map(Value::as_str).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Value {
        json!({
            "architecture": "amd64", "os": "linux", "docker_version": "20.10", "container": "abc",
            "config": {
                "Env": ["PATH=/usr/bin", "TZ=:/etc/localtime"], "Entrypoint": [LAMBDA_ENTRYPOINT], "Cmd": null,
                "WorkingDir": "/var/task", "Labels": {"of": "base"}, "Image": "sha256:abc", "Hostname": "",
            },
            "rootfs": {"type": "layers", "diff_ids": ["sha256:aa"]},
            "history": [{"created_by": "base"}],
        })
    }

    fn settings() -> ImageSettings {
        ImageSettings {
            handler: "script.parity".to_owned(),
            environment: vec![
                ("TZ".to_owned(), "Europe/Berlin".to_owned()),
                ("STAGE".to_owned(), "a=b".to_owned()),
            ],
            labels: BTreeMap::from([("org.example".to_owned(), "x".to_owned())]),
            created: "1980-01-01T00:00:00Z".to_owned(),
        }
    }

    fn made(base: &Value) -> Value {
        let added = [AddedLayer {
            diff_id: Sha256::of(b"layer"),
            created_by: "runtime".to_owned(),
        }];
        configured(base, Architecture::X86_64, &settings(), &added)
    }

    #[test]
    fn the_base_stays_and_the_function_is_added() {
        let config = made(&base());
        assert_eq!(config["config"]["Cmd"], json!(["script.parity"]));
        assert_eq!(config["config"]["Entrypoint"], json!([LAMBDA_ENTRYPOINT]));
        let environment = json!(["PATH=/usr/bin", "TZ=Europe/Berlin", "STAGE=a=b"]);
        assert_eq!(config["config"]["Env"], environment);
        let labels = json!({"of": "base", "org.example": "x"});
        assert_eq!(config["config"]["Labels"], labels);
        let ids = json!(["sha256:aa", Sha256::of(b"layer").oci()]);
        assert_eq!(config["rootfs"]["diff_ids"], ids);
        assert_eq!(config["history"].as_array().unwrap().len(), 2);
        let mut untold = base();
        untold["history"] = json!([{"created_by": "ENV", "empty_layer": true}]);
        assert_eq!(made(&untold)["history"].as_array().unwrap().len(), 3);
        for of_docker in ["container", "docker_version"] {
            assert!(config.get(of_docker).is_none());
        }
        assert!(config["config"].get("Image").is_none());
        assert_eq!(
            command_of(&config, Some("other.handler")),
            [LAMBDA_ENTRYPOINT, "other.handler"]
        );
    }

    /// R warned of an unknown time zone in images.
    #[test]
    fn the_time_zone_is_utc_unless_it_is_set() {
        let settings = ImageSettings::default();
        let config = configured(&base(), Architecture::X86_64, &settings, &[]);
        let environment = json!(["PATH=/usr/bin", "TZ=:UTC"]);
        assert_eq!(config["config"]["Env"], environment);
    }

    #[test]
    fn a_base_that_is_not_lambdas_gets_the_runtime_as_its_entry_point() {
        let mut base = base();
        base["config"] = json!({"Cmd": ["bash"]});
        let config = made(&base);
        assert_eq!(
            command_of(&config, None),
            [RUNTIME_BOOTSTRAP, "script.parity"]
        );
        assert_eq!(working_folder_of(&config), TASK_ROOT);
        let environment = environment_of(&config);
        assert!(environment.contains(&("LAMBDA_TASK_ROOT".to_owned(), TASK_ROOT.to_owned())));
    }
}
