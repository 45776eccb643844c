//! The command that does again what failed.

use super::result::{RegionEnd, RegionResult};
use crate::cli::PublishArgs;
use crate::public_url::PublicUrl;
use crate::publication::Region;

/// What to type for the regions that failed, and only for those; nothing if none did. With `--align` all regions are named
/// that were typed: numbers are the same only among those that are looked at.
pub fn command(args: &PublishArgs, results: &[RegionResult]) -> Option<String> {
    let failed: Vec<&RegionResult> = results
        .iter()
        .filter(|result| matches!(result.end, RegionEnd::Failed { .. }))
        .collect();
    if failed.is_empty() {
        return None;
    }
    let mut words = vec!["r-layer".to_owned(), "publish".to_owned()];
    words.extend(args.zips.iter().map(|zip| zip.display().to_string()));
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push(format!("--{name}"));
            words.push(value);
        }
    };
    option("to", args.to.clone());
    let all = args.regions.all_regions && (args.align || failed.len() == results.len());
    let regions: Vec<&Region> = match args.align {
        true => args.regions.regions.iter().collect(),
        false => failed.iter().map(|result| &result.region).collect(),
    };
    for region in regions.into_iter().filter(|_| !all) {
        option("region", Some(region.to_string()));
    }
    for organization in &args.grants.organizations {
        option("organization", Some(organization.to_string()));
    }
    for account in &args.grants.accounts {
        option("account", Some(account.to_string()));
    }
    option("profile", args.aws.profile.clone());
    let endpoint = args.aws.endpoint_url.as_deref();
    option(
        "endpoint-url",
        endpoint.map(|url| PublicUrl::new(url).to_string()),
    );
    option(
        "expect-account",
        args.aws.expect_account.as_ref().map(ToString::to_string),
    );
    option("name", args.name.as_ref().map(ToString::to_string));
    option("license", args.license.clone());
    option("description", args.description.clone());
    option(
        "s3-bucket",
        args.s3_bucket.as_ref().map(ToString::to_string),
    );
    option(
        "ssm-parameter",
        args.ssm_parameter.as_ref().map(ToString::to_string),
    );
    for (flag, is_set) in [
        ("--all-regions", all),
        ("--public", args.grants.public),
        ("--exact", args.grants.exact),
        ("--keep", args.keep),
        ("--align", args.align),
    ] {
        words.extend(is_set.then(|| flag.to_owned()));
    }
    let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    Some(quoted.join(" "))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
