//! `r-layer image build --dockerfile`: the same image as a Dockerfile, for those who must build with Docker.

use std::collections::BTreeSet;
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
    let mut stage = Stage::default();
    for architecture in architectures {
        let zips = Zips::find(args, &settings, *architecture, reporter).await?;
        let paths = zips.zips.iter().map(|zip| zip.path.as_path());
        let paths = paths.map(|path| in_context(path, &settings.project));
        stage.add(*architecture, paths.collect::<Result<_>>()?);
    }
    let mut text = format!(
        "# Made by r-layer image build --dockerfile; build it in this folder: docker build -t NAME:TAG .\n\
         ARG BASE={base}\nARG UNZIP={UNZIP}\n\n"
    );
    stage.write(&mut text)?;
    let platform = match architectures.as_slice() {
        [only] => format!("--platform=linux/{} ", only.oci_name()),
        _ => String::new(),
    };
    writeln!(text, "\nFROM {platform}${{BASE}}")?;
    writeln!(text, "COPY --from=layers /bootstrap {RUNTIME_BOOTSTRAP}")?;
    for number in 1..=stage.layers() {
        writeln!(text, "COPY --from=layers /layers/{number}/ /opt/")?;
    }
    code(&mut text, &settings)?;
    let known_as = login(&settings.base, &args.registry, reporter).await?;
    let kept = (&Cache::from_environment()?, &lock);
    let is_lambda = is_lambda(&settings, architectures[0], known_as, kept, reporter).await?;
    execution(&mut text, &settings, is_lambda)?;
    Ok(text)
}

/// The code, and nothing that is left out of it: a folder of which something is left out is not copied as a whole.
fn code(text: &mut String, settings: &Settings) -> Result<()> {
    let folder = match settings.code.folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => &settings.code.folder,
    };
    let folder = in_context(folder, &settings.project)?;
    let files: Vec<&str> = settings.code.tree.iter().map(|(path, _)| path).collect();
    let left_out: Vec<&str> = settings
        .code
        .left_out
        .iter()
        .map(|out| out.path.trim_end_matches('/'))
        .collect();
    for (mut sources, place) in copies(&files, &left_out, "") {
        for source in &mut sources {
            if folder != "." {
                *source = format!("{folder}/{source}");
            }
            // What stands in brackets would be one character of several.
            *source = source.replace('[', "[[]");
        }
        sources.push(format!("{TASK_ROOT}/{place}"));
        writeln!(text, "COPY {}", json!(sources))?;
    }
    Ok(())
}

/// What is copied below a folder of the code (`sub/`, or nothing for all of it): the sources, and the folder that they go to.
fn copies(files: &[&str], left_out: &[&str], folder: &str) -> Vec<(Vec<String>, String)> {
    let mut copies = Vec::new();
    let mut own = Vec::new();
    let mut folders = BTreeSet::new();
    for path in files {
        let Some(within) = path.strip_prefix(folder) else {
            continue;
        };
        match within.split_once('/') {
            Some((below, _)) => {
                folders.insert(format!("{folder}{below}/"));
            }
            None => own.push((*path).to_owned()),
        }
    }
    if !own.is_empty() {
        copies.push((own, folder.to_owned()));
    }
    for below in folders {
        match left_out.iter().any(|out| out.starts_with(&below)) {
            true => copies.extend(self::copies(files, left_out, &below)),
            false => copies.push((vec![below.clone()], below)),
        }
    }
    copies
}

/// How the image is started, and what is told of it.
fn execution(text: &mut String, settings: &Settings, is_lambda: bool) -> Result<()> {
    for (name, value) in settings.image.variables(is_lambda) {
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

/// The stage in which zips are unpacked, on the machine that builds, whatever it builds for.
#[derive(Default)]
struct Stage {
    /// Architecture and zips, in their order.
    zips: Vec<(Architecture, Vec<String>)>,
}

impl Stage {
    fn add(&mut self, architecture: Architecture, zips: Vec<String>) {
        self.zips.push((architecture, zips));
    }

    /// How many layers there are, of the architecture that has most.
    fn layers(&self) -> usize {
        let counts = self.zips.iter().map(|(_, zips)| zips.len());
        counts.max().unwrap_or(0)
    }

    fn write(&self, text: &mut String) -> Result<()> {
        writeln!(text, "FROM --platform=$BUILDPLATFORM ${{UNZIP}} AS layers")?;
        for (architecture, zips) in &self.zips {
            for (number, zip) in (1..).zip(zips) {
                let place = format!("/zips/{}/{number}.zip", architecture.oci_name());
                writeln!(text, "COPY {}", json!([zip, place]))?;
            }
        }
        let wanted = match self.zips.as_slice() {
            [(only, _)] => only.oci_name(),
            _ => {
                text.push_str("ARG TARGETARCH\n");
                "$TARGETARCH"
            }
        };
        writeln!(
            text,
            "RUN for n in $(seq {}); do mkdir -p /layers/$n; \\\n    \
             zip=/zips/{wanted}/$n.zip; [ ! -f $zip ] || unzip -q $zip -d /layers/$n || exit 1; done",
            self.layers()
        )?;
        let lines: Vec<String> = BOOTSTRAP.lines().map(single_quoted).collect();
        writeln!(
            text,
            "RUN printf '%s\\n' {} > /bootstrap && chmod 755 /bootstrap",
            lines.join(" ")
        )?;
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_which_something_is_left_out_is_not_copied_as_a_whole() {
        let files = ["R/a.R", "data/raw/x", "data/y", "script.R"];
        let left_out = [".git", "data/raw/.env"];
        let found = copies(&files, &left_out, "");
        let found: Vec<_> = found
            .iter()
            .map(|(sources, place)| (sources.join(" "), place.as_str()))
            .collect();
        let wanted = [
            ("script.R", ""),
            ("R/", "R/"),
            ("data/y", "data/"),
            ("data/raw/x", "data/raw/"),
        ];
        assert_eq!(
            found,
            wanted.map(|(sources, place)| (sources.to_owned(), place))
        );
    }

    #[test]
    fn what_shells_and_docker_would_replace_is_taken_as_it_is() {
        assert_eq!(quoted(r#"a "b" $c \d"#), r#""a \"b\" \$c \\d""#);
        assert_eq!(single_quoted("image's"), r"'image'\''s'");
    }
}
