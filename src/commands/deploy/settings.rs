//! What is wanted of a function: flags, over its section of the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::source::Source;
use crate::aws::DeployedFunction;
use crate::cli::DeployArgs;
use crate::commands::function_layers::Wanted;
use crate::commands::function_version::VersionWanted;
use crate::function::{FunctionSettings, ImageStart};
use crate::iam::FunctionUrlAuth;
use crate::manifest::{FunctionSection, Manifest};
use crate::publication::BucketTemplate;
use crate::target::{Architecture, Target};

/// What a new function gets where nobody says anything: Lambda's own 128 MB and 3 s are little for R with packages.
const NEW_MEMORY: u32 = 512;
const NEW_TIMEOUT: u32 = 30;

/// The role that the function runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleWanted {
    /// One that there is.
    Given(String),
    /// One that is made for it, with these policies beside that of basic execution.
    Made(Vec<String>),
    /// The one that it has.
    Own,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct DeploySettings {
    /// Its code.
    pub code: PathBuf,
    /// Its role.
    pub role: RoleWanted,
    /// Its processor, where flag or section says one.
    pub architecture: Option<Architecture>,
    /// That of a new function, where they do not.
    pub usual_architecture: Option<Architecture>,
    /// Its layers.
    pub layers: Wanted,
    /// Its tags, beside those that it has.
    pub tags: BTreeMap<String, String>,
    /// Version and alias.
    pub version: VersionWanted,
    /// Who may call its URL; nothing, if it is to get none.
    pub url: Option<FunctionUrlAuth>,
    /// When it is invoked by itself.
    pub schedule: Option<String>,
    /// The bucket that large code goes through.
    pub bucket: Option<BucketTemplate>,
    /// What is said of its settings; environment, layers and role come later.
    said: FunctionSettings,
    environment: BTreeMap<String, String>,
    unset: BTreeSet<String>,
}

impl DeploySettings {
    /// Flags before the function's section of the manifest.
    pub fn of(args: &DeployArgs, manifest: &Manifest) -> Result<DeploySettings> {
        let section = manifest.functions.get(&args.function.name);
        let section = section.cloned().unwrap_or_default();
        let layers = match args.layers.is_empty() {
            true => section.layers.clone(),
            false => args.layers.clone(),
        };
        let usual = manifest.runtime.arch.first().map(str::parse).transpose()?;
        Ok(DeploySettings {
            code: args
                .code
                .clone()
                .or_else(|| section.code.clone())
                .unwrap_or_else(|| PathBuf::from(".")),
            role: role(args, &section)?,
            architecture: args.arch.or(section.arch),
            usual_architecture: usual,
            layers: Wanted {
                layers,
                r_version: args.r_version.clone(),
            },
            tags: section
                .tags
                .clone()
                .into_iter()
                .chain(args.tags.clone())
                .collect(),
            version: VersionWanted {
                publish: args.change.publish_version,
                alias: args.change.alias.clone().or_else(|| section.alias.clone()),
            },
            url: match (args.function_url, args.function_url_auth) {
                (true, auth) => Some(auth.unwrap_or_default().into()),
                (false, _) => section.function_url,
            },
            schedule: args.schedule.clone().or_else(|| section.schedule.clone()),
            bucket: args
                .s3_bucket
                .clone()
                .or_else(|| manifest.publish.s3_bucket.clone()),
            said: FunctionSettings {
                runtime: Some(Target::DEFAULT.to_owned()),
                handler: args.handler.clone().or_else(|| section.handler.clone()),
                description: args
                    .description
                    .clone()
                    .or_else(|| section.description.clone()),
                memory: args.memory.or(section.memory),
                timeout: args.timeout.or(section.timeout),
                tmp_size: args.tmp_size.or(section.tmp_size),
                log_format: args.log_format.map(Into::into).or(section.log_format),
                ..FunctionSettings::default()
            },
            environment: environment(args, &section)?,
            unset: args.unset.iter().cloned().collect(),
        })
    }

    /// The settings that the function is to have: what is said, over what it has, over what a new one gets.
    pub fn wanted(
        &self,
        existing: Option<&DeployedFunction>,
        source: &Source,
    ) -> Result<FunctionSettings> {
        let mut wanted = self.said.clone();
        let current = existing.map(|function| &function.settings);
        if existing.is_none() {
            wanted.memory = wanted.memory.or(Some(NEW_MEMORY));
            wanted.timeout = wanted.timeout.or(Some(NEW_TIMEOUT));
        }
        wanted.handler = wanted
            .handler
            .or_else(|| current.and_then(|current| current.handler.clone()));
        if let Source::Image(_) = source {
            // An image has its own runtime, and its command is the handler.
            wanted.runtime = None;
            let own = current.and_then(|current| current.image_start.clone());
            wanted.image_start = wanted.handler.take().map(|handler| ImageStart {
                command: vec![handler],
                ..own.unwrap_or_default()
            });
        } else if wanted.handler.is_none() {
            bail!(
                "which function of the code is the handler? Type --handler file.function (the file without .R), or put \
                 handler into [functions.NAME] of r-layer.toml"
            );
        }
        let says_nothing = self.environment.is_empty() && self.unset.is_empty();
        let variables = match current.map(|current| &current.environment) {
            // AWS does not show them to us: what is not sent stays as it is.
            Some(None) if says_nothing => return Ok(wanted),
            Some(None) => bail!(
                "AWS does not show the function's environment variables, so that setting one would lose the others: the \
                 credentials need kms:Decrypt for the function's key, or leave out --env, --env-file and --unset-env"
            ),
            Some(Some(variables)) => variables.clone(),
            None => BTreeMap::new(),
        };
        let mut variables = variables;
        variables.extend(self.environment.clone());
        variables.retain(|name, _| !self.unset.contains(name));
        wanted.environment = Some(variables);
        Ok(wanted)
    }
}

fn role(args: &DeployArgs, section: &FunctionSection) -> Result<RoleWanted> {
    let policies = || match args.policy_arns.is_empty() {
        true => section.policy_arns.clone(),
        false => args.policy_arns.clone(),
    };
    let role = match (&args.role, args.create_role) {
        (Some(role), _) => RoleWanted::Given(role.to_string()),
        (None, true) => RoleWanted::Made(policies()),
        (None, false) => match (&section.role, section.create_role) {
            (Some(_), true) => bail!(
                "r-layer.toml: [functions.{}] has a role and create-role; leave one of them out",
                args.function
            ),
            (Some(role), false) => RoleWanted::Given(role.to_string()),
            (None, true) => RoleWanted::Made(policies()),
            (None, false) => RoleWanted::Own,
        },
    };
    if !args.policy_arns.is_empty() && !matches!(role, RoleWanted::Made(_)) {
        bail!(
            "--policy-arn is for the role that --create-role makes; a role that there is keeps its policies"
        );
    }
    Ok(role)
}

/// The manifest's variables, the file's, those of flags: the last counts.
fn environment(args: &DeployArgs, section: &FunctionSection) -> Result<BTreeMap<String, String>> {
    let mut variables = section.environment.clone();
    if let Some(path) = &args.env_file {
        variables.extend(of_file(path)?);
    }
    for (index, text) in args.environment.iter().enumerate() {
        // The text is not shown: it may be a secret.
        let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let Some((name, value)) = pair else {
            bail!(
                "--env takes NAME=VALUE, and number {} of them is none",
                index + 1
            );
        };
        variables.insert(name.to_owned(), value.to_owned());
    }
    for name in variables.keys() {
        check_name(name)?;
    }
    Ok(variables)
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
fn check_name(name: &str) -> Result<()> {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !begins || name.len() < 2 || !name.chars().all(is_taken) {
        bail!(
            "`{name}` is no name of a variable: Lambda takes letters, digits and `_`, two at least, a letter first"
        );
    }
    Ok(())
}

/// `NAME=VALUE` a line, as in `.env` and `.Renviron`: `#` begins a comment, `export` may stand before, quotes around.
fn of_file(path: &Path) -> Result<Vec<(String, String)>> {
    let text = fs_err::read_to_string(path).context("--env-file names a file that can be read")?;
    let mut variables = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        // The line is not shown: it may be a secret.
        let Some((name, value)) = line.split_once('=') else {
            bail!(
                "{}, line {}: this is no NAME=VALUE",
                path.display(),
                index + 1
            );
        };
        variables.push((name.trim().to_owned(), unquoted(value.trim()).to_owned()));
    }
    Ok(variables)
}

fn unquoted(value: &str) -> &str {
    let inside = |quote: char| {
        let inside = value.strip_prefix(quote)?.strip_suffix(quote)?;
        Some(inside)
    };
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_variables_is_read_and_its_faults_show_no_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs_err::write(&path, "# x\nA=1\nexport B=\"two words\"\n\nURL=a=b\n").unwrap();
        let variables = of_file(&path).unwrap();
        let pairs: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(pairs, [("A", "1"), ("B", "two words"), ("URL", "a=b")]);
        fs_err::write(&path, "A=1\nsecret\n").unwrap();
        let error = of_file(&path).unwrap_err().to_string();
        assert!(
            error.contains("line 2") && !error.contains("secret"),
            "{error}"
        );
        assert!(
            check_name("1A").is_err() && check_name("A").is_err() && check_name("AB_1").is_ok()
        );
    }
}
