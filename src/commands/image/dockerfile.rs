//! `r-layer image build --dockerfile`: the same image as a Dockerfile, for those who must build with Docker.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use super::base::{is_lambda, named_in_lock};
use super::build::BOOTSTRAP;
use super::layers::Zips;
use super::registry::login;
use super::settings::Settings;
use crate::cache::Cache;
use crate::cli::ImageBuildArgs;
use crate::image::{RUNTIME_BOOTSTRAP, TASK_ROOT};
use crate::lockfile::Lockfile;
use crate::progress::Reporter;
use crate::target::Architecture;

/// An image of a few MB that has `unzip`.
const UNZIP: &str = "docker.io/library/busybox:stable";

/// The Dockerfile, to be built in the current folder.
pub async fn dockerfile(args: &ImageBuildArgs, reporter: &dyn Reporter) -> Result<String> {
    let settings = Settings::of(args)?;
    let architectures = &settings.architectures;
    let lock = Lockfile::read(&settings.project)?;
    let base = named_in_lock(&settings.base, architectures, &lock);
    let mut text = format!(
        "# Made by r-layer image build --dockerfile; build it in this folder: docker build -t NAME:TAG .\n\
         ARG BASE={base}\nARG UNZIP={UNZIP}\n"
    );
    if architectures.len() > 1 {
        text.push_str("ARG TARGETARCH\n");
    }
    let mut count = 0;
    for architecture in architectures {
        let zips = Zips::find(args, &settings, *architecture, reporter).await?;
        let paths = zips.zips.iter().map(|zip| zip.path.as_path());
        let paths = paths.map(|path| in_context(path, &settings.project));
        let paths = paths.collect::<Result<Vec<_>>>()?;
        count = count.max(paths.len());
        stage(&mut text, *architecture, &paths)?;
    }
    let layers = match architectures.as_slice() {
        [only] => stage_name(*only),
        _ => {
            text.push_str("\nFROM layers-${TARGETARCH} AS layers\n");
            "layers".to_owned()
        }
    };
    let code = in_context(&settings.code, &settings.project)?;
    write!(text, "\nFROM ${{BASE}}\n")?;
    if code == "." {
        text.push_str("# What is no code (dist, .git, r-layer.toml …) goes into .dockerignore.\n");
    }
    writeln!(text, "COPY --from={layers} /bootstrap {RUNTIME_BOOTSTRAP}")?;
    for number in 1..=count {
        writeln!(text, "COPY --from={layers} /layers/{number}/ /opt/")?;
    }
    writeln!(
        text,
        "COPY {}",
        json!([format!("{code}/"), format!("{TASK_ROOT}/")])
    )?;
    let known_as = login(&settings.base, &args.registry, reporter).await?;
    let kept = (&Cache::from_environment()?, &lock);
    let is_lambda = is_lambda(&settings, architectures[0], known_as, kept, reporter).await?;
    execution(&mut text, &settings, is_lambda)?;
    Ok(text)
}

/// How the image is started, and what is told of it.
fn execution(text: &mut String, settings: &Settings, is_lambda: bool) -> Result<()> {
    for (name, value) in &settings.image.environment {
        writeln!(text, "ENV {name}={}", quoted(value))?;
    }
    for (name, value) in &settings.image.labels {
        writeln!(text, "LABEL {}={}", quoted(name), quoted(value))?;
    }
    if !is_lambda {
        writeln!(
            text,
            "WORKDIR {TASK_ROOT}\nENV LAMBDA_TASK_ROOT={TASK_ROOT}\nENTRYPOINT {}",
            json!([RUNTIME_BOOTSTRAP])
        )?;
    }
    writeln!(text, "CMD {}", json!([settings.image.handler]))?;
    Ok(())
}

/// A stage in which the zips of an architecture are unpacked, on the machine that builds.
fn stage(text: &mut String, architecture: Architecture, zips: &[String]) -> Result<()> {
    let name = stage_name(architecture);
    write!(text, "\nFROM ${{UNZIP}} AS {name}\n")?;
    for (number, zip) in (1..).zip(zips) {
        writeln!(text, "COPY {}", json!([zip, format!("/zips/{number}.zip")]))?;
    }
    let last = zips.len();
    writeln!(
        text,
        "RUN for zip in $(seq {last}); do mkdir -p /layers/$zip && unzip -q /zips/$zip.zip -d /layers/$zip || exit 1; done"
    )?;
    let lines = BOOTSTRAP.lines().map(single_quoted);
    let lines: Vec<String> = lines.collect();
    writeln!(
        text,
        "RUN printf '%s\\n' {} > /bootstrap && chmod 755 /bootstrap",
        lines.join(" ")
    )?;
    Ok(())
}

fn stage_name(architecture: Architecture) -> String {
    format!("layers-{}", architecture.oci_name())
}

fn single_quoted(line: &str) -> String {
    format!("'{}'", line.replace('\'', r"'\''"))
}

/// As ENV and LABEL take it: what a Dockerfile would replace is taken literally.
fn quoted(value: &str) -> String {
    let mut quoted = String::from("\"");
    for character in value.chars() {
        if matches!(character, '"' | '\\' | '$') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// A path as it is in the context of a build: below the current folder.
fn in_context(path: &Path, project: &Path) -> Result<String> {
    let whole = fs_err::canonicalize(path)?;
    let within: PathBuf = whole
        .strip_prefix(fs_err::canonicalize(project)?)
        .with_context(|| {
            format!(
                "{} is not below the current folder, and a Dockerfile sees nothing else; copy it here",
                path.display()
            )
        })?
        .to_owned();
    let text = within
        .to_str()
        .with_context(|| format!("{} has a name that is not UTF-8", path.display()))?;
    Ok(match text.is_empty() {
        true => ".".to_owned(),
        false => text.replace('\\', "/"),
    })
}
