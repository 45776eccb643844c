//! Does the function have the packages that its code asks for? Asked before anything is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::function::code::FunctionCode;
use crate::function::layers::FunctionLayer;
use crate::function::used_packages::{
    MissingPackage, Place, by_package, in_code, is_run, missing, of_the_code, r_code,
};
use crate::progress::Reporter;

/// What R finds in a file: (package, line); nothing where R does not understand the file.
type FoundByR = Option<Vec<(String, usize)>>;

/// Looks for packages that neither layers nor the code itself bring. `zips`: those of the layers, where all are here.
///
/// # Errors
/// If there are such, with where they are asked for and what to type. Where not every layer could be looked into, they are
/// only warned of.
pub async fn check(
    code: &FunctionCode,
    layers: &[FunctionLayer],
    zips: Vec<PathBuf>,
    reporter: &dyn Reporter,
) -> Result<()> {
    let used = used_packages(&code.r_sources()?, zips, reporter).await;
    let of_layers = layers
        .iter()
        .flat_map(|layer| layer.content.packages.keys());
    let mut known: BTreeSet<String> = of_layers.cloned().collect();
    known.extend(of_the_code(code.files.iter().map(String::as_str)));
    let missing = missing(&used, &known);
    if missing.is_empty() {
        return Ok(());
    }
    let listed: Vec<String> = missing.iter().map(MissingPackage::to_string).collect();
    let listed = listed.join("\n  ");
    let unseen = layers
        .iter()
        .find(|layer| layer.content.has_bootstrap.is_none());
    match unseen {
        Some(layer) => {
            reporter.warn(&format!(
                "what is in {}:{} could not be looked at, and no other layer has\n  {listed}",
                layer.arn.layer.layer, layer.arn.version
            ));
            Ok(())
        }
        None => bail!(
            "the code uses packages that none of its layers has, so nothing was sent:\n  {listed}\nthen publish the layer \
             (r-layer publish), and deploy again (--no-check deploys it all the same)"
        ),
    }
}

/// Which packages files ask for, by R's own parser where these zips and this machine have R, else by r-layer's reading.
async fn used_packages(
    sources: &[(String, String)],
    zips: Vec<PathBuf>,
    reporter: &dyn Reporter,
) -> BTreeMap<String, Vec<Place>> {
    let run = sources.iter().filter(|(path, _)| is_run(path));
    let files: Vec<(&str, String)> = run
        .map(|(path, text)| (path.as_str(), r_code(path, text).into_owned()))
        .collect();
    let found = match zips.is_empty() || files.is_empty() {
        true => Vec::new(),
        false => found_by_r(&files, zips, reporter)
            .await
            .unwrap_or_else(|error| {
                reporter.detail(&format!(
                    "R is not asked which packages the code uses: {error:#}"
                ));
                Vec::new()
            }),
    };
    let mut found = found.into_iter();
    let uses = files.iter().flat_map(|(path, code)| {
        let uses = found.next().flatten().unwrap_or_else(|| in_code(code));
        uses.into_iter()
            .map(|(package, line)| (package, *path, line))
    });
    by_package(uses)
}

/// What R finds in each file.
#[cfg(unix)]
async fn found_by_r(
    files: &[(&str, String)],
    zips: Vec<PathBuf>,
    reporter: &dyn Reporter,
) -> Result<Vec<FoundByR>> {
    use serde::Deserialize;
    use serde_json::json;

    use crate::commands::invoke::loading::Function;
    use crate::embedded;

    #[derive(Deserialize)]
    struct Use {
        package: String,
        line: usize,
    }

    let folder = tempfile::tempdir()?;
    let script = embedded::text("proof/used_packages.R");
    fs_err::write(folder.path().join("used_packages.R"), script)?;
    let mut names = Vec::new();
    for (number, (_, code)) in files.iter().enumerate() {
        // A folder of their own, so that none is taken for the script.
        let name = format!("code/{number}.R");
        fs_err::create_dir_all(folder.path().join("code"))?;
        fs_err::write(folder.path().join(&name), code)?;
        names.push(name);
    }
    let function = Function {
        zips,
        code: folder.path(),
        handler: "used_packages.used_packages",
        environment: &[],
    };
    let event = json!({ "files": names }).to_string();
    let answer = function.answer(event.into_bytes(), reporter).await?;
    reporter.detail("R itself read which packages the code uses");
    let found: Vec<Option<Vec<Use>>> = serde_json::from_slice(&answer)?;
    let plain = |uses: Vec<Use>| {
        uses.into_iter()
            .map(|used| (used.package, used.line))
            .collect()
    };
    Ok(found.into_iter().map(|uses| uses.map(plain)).collect())
}

/// The R of layers is for Linux.
#[cfg(not(unix))]
async fn found_by_r(
    _files: &[(&str, String)],
    _zips: Vec<PathBuf>,
    _reporter: &dyn Reporter,
) -> Result<Vec<FoundByR>> {
    bail!("that needs Linux")
}
