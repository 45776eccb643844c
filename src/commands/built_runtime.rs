//! How the runtime layer in `dist/` was made. Packages are made for the same R, and `build --all` makes the same again, so
//! that what a flag said once need not be typed each time.

use std::path::PathBuf;

use super::settings;
use crate::cli::{BlasArg, RuntimeOptions};
use crate::distribution::{Blas, RVersionRequest};
use crate::layer::{BuildRecord, RuntimeRecipe};
use crate::manifest::RuntimeSection;
use crate::package::RVersion;
use crate::target::Architecture;

/// Takes over where R came from, and its linear algebra, from the newest runtime layer for the processor and the version
/// that are asked for. What a flag, the environment or the manifest says stays.
pub fn take_over(options: &mut RuntimeOptions, section: &RuntimeSection) {
    if options.r_source.is_some() || section.r_source.is_some() {
        return;
    }
    let Some(record) = newest(options, section) else {
        return;
    };
    // Of what was fetched compiled, its source is no input.
    if !record.inputs.contains_key("R source") {
        return;
    }
    options.r_source = Some("cran".to_owned());
    let has_openblas = record.inputs.get("BLAS").map(String::as_str) == Some(Blas::Openblas.name());
    if has_openblas && options.blas.is_none() && section.blas.is_none() {
        options.blas = Some(BlasArg::Openblas);
    }
}

fn newest(options: &RuntimeOptions, section: &RuntimeSection) -> Option<BuildRecord> {
    let architecture = options.arch.as_deref().or(section.arch.first());
    let architecture = settings::architecture(architecture).ok()?;
    let version = options.r_version.as_deref().or(section.r_version.first());
    let entries = fs_err::read_dir(&options.out).ok()?.flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| {
            name.starts_with("r-runtime-")
                && name.ends_with(".json")
                && !name.ends_with(".cdx.json")
        })
    });
    paths.sort_by_key(|path| fs_err::metadata(path).and_then(|data| data.modified()).ok());
    let records = paths.iter().rev().filter_map(|path| {
        let text = fs_err::read(path).ok()?;
        serde_json::from_slice::<BuildRecord>(&text).ok()
    });
    let mut meant = records.filter(|record| is_meant(record, architecture, version));
    meant.next()
}

fn is_meant(record: &BuildRecord, architecture: Architecture, asked: Option<&str>) -> bool {
    let asked = asked.filter(|text| !text.is_empty());
    let asked = asked.unwrap_or(&RuntimeRecipe::embedded().r.version);
    let is_version = match (asked.parse(), record.r_version.parse::<RVersion>()) {
        (Ok(RVersionRequest::Exact(asked)), Ok(there)) => asked == there,
        (Ok(RVersionRequest::Minor(asked)), Ok(there)) => asked.minor() == there.minor(),
        // Which that is, a list of versions or the lock says; here any may be it.
        (Ok(RVersionRequest::Back(_)), Ok(_)) => true,
        _ => false,
    };
    is_version && record.architecture == architecture
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{BuildCommand, Cli, Command};

    fn options(arguments: &[&str], out: &std::path::Path) -> RuntimeOptions {
        let line = ["r-layer", "build", "runtime"].iter().chain(arguments);
        let Command::Build(args) = Cli::parse_from(line).command else {
            panic!("not build");
        };
        let Some(BuildCommand::Runtime(args)) = args.layer else {
            panic!("not the runtime");
        };
        let mut options = args.options;
        options.out = out.to_owned();
        options
    }

    fn write(out: &std::path::Path, r: &str, architecture: &str, inputs: serde_json::Value) {
        let zip = format!("r-runtime-{r}-al2023-{architecture}.zip");
        let record = serde_json::json!({
            "record_version": 1, "name": "r-runtime", "description": "", "zip": zip,
            "sha256": crate::checksum::Sha256::of(b""), "zipped_size": 1, "unzipped_size": 1, "needs_s3": false,
            "target": "provided.al2023", "architecture": architecture, "r_version": r, "glibc": null,
            "r_layer_version": "", "packages": {}, "added_libraries": {}, "savings": [], "inputs": inputs,
        });
        let path = out.join(zip).with_extension("json");
        fs_err::write(path, record.to_string()).unwrap();
    }

    /// It was once the newest record of all, and R's linear algebra was forgotten.
    #[test]
    fn the_layer_for_the_same_processor_and_version_says_how_r_was_made() {
        let out = tempfile::tempdir().unwrap();
        let compiled = |blas: &str| serde_json::json!({"R source": "sha256 x", "BLAS": blas});
        write(out.path(), "4.4.3", "x86_64", serde_json::json!({}));
        write(out.path(), "4.5.0", "x86_64", compiled("openblas"));
        write(out.path(), "4.5.0", "arm64", compiled("reference"));
        let taken = |arguments: &[&str]| {
            let mut options = options(arguments, out.path());
            take_over(&mut options, &RuntimeSection::default());
            (options.r_source, options.blas)
        };
        let cran = || Some("cran".to_owned());
        let openblas = (cran(), Some(BlasArg::Openblas));
        assert_eq!(taken(&["--arch", "x86_64"]), openblas);
        let of = |r: &'static str| taken(&["--arch", "x86_64", "--r-version", r]);
        assert_eq!(of("4.5"), openblas);
        assert_eq!(of("4.4"), (None, None));
        assert_eq!(of("4.3"), (None, None));
        assert_eq!(taken(&["--arch", "arm64"]), (cran(), None));
        let named = taken(&["--arch", "x86_64", "--r-source", "posit"]);
        assert_eq!(named, (Some("posit".to_owned()), None));
    }
}
