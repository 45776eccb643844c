//! `r-layer list`: what is published where, from this project's record or from somebody else's.

mod remote;

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cli::ListArgs;
use crate::credentials::Credentials;
use crate::http::{Http, HttpError, Patience};
use crate::progress::Reporter;
use crate::public_url::PublicUrl;
use crate::publication::{Listing, ListingFilter, ListingFormat, PublicationRecord, RecordError};
use crate::repository::Location;
use crate::terminal::Printer;

/// Lists what is asked for.
pub async fn run(args: ListArgs, printer: &Printer, reporter: &dyn Reporter) -> Result<()> {
    let architectures = args.architectures.iter().map(|name| name.parse());
    let remote = match args.remote {
        true => Some(remote::record(&args, reporter).await?),
        false => None,
    };
    let filter = ListingFilter {
        regions: args.regions,
        layers: args.layers,
        architectures: architectures.collect::<Result<_, _>>()?,
    };
    let record = match (remote, &args.from) {
        (Some(record), _) => record,
        (None, Some(from)) => published_record(from).await?,
        (None, None) => own_record()?,
    };
    let listing = Listing::of(&record, &filter);
    if listing.is_empty() {
        bail!(not_there(&record));
    }
    match args.format.map(ListingFormat::from) {
        None | Some(ListingFormat::Table) => printer.result(&listing)?,
        Some(format) => printer.data(listing.written(format)?.as_bytes())?,
    }
    Ok(())
}

/// The record in the current folder, which must tell of something.
fn own_record() -> Result<PublicationRecord> {
    let record = PublicationRecord::read(Path::new("."))?;
    if record.is_empty() {
        bail!(
            "nothing is published from this folder yet ({} would say what); type `r-layer publish --region REGION`, or \
             --from with the URL or file of somebody's record",
            PublicationRecord::NAME
        );
    }
    Ok(record)
}

/// A record that somebody published.
async fn published_record(from: &str) -> Result<PublicationRecord> {
    let location = match Location::parse(from) {
        Location::File(path) if path.is_dir() => Location::File(path.join(PublicationRecord::NAME)),
        location => location,
    };
    let text = match &location {
        Location::File(path) => read(path)?,
        Location::Url(_) => {
            let http =
                Http::from_environment(Patience::default(), Credentials::from_environment()?)?;
            location.text(&http).await?
        }
    };
    let origin = PublicUrl::new(&location.to_string()).to_string();
    let record = PublicationRecord::parse(&text, &origin);
    if record.as_ref().is_ok_and(PublicationRecord::is_empty) {
        bail!("{origin} is a record, and nothing is published by it");
    }
    record.map_err(|error| match (&location, error) {
        (Location::Url(_), RecordError::Malformed { origin, .. }) if is_a_page(&text) => {
            HttpError::NotUnderstood {
                url: origin,
                reason: format!(
                    "it is a page for people; --from wants the URL of the file {} itself, on GitHub that of `Raw`",
                    PublicationRecord::NAME
                ),
            }
            .into()
        }
        (_, error) => error.into(),
    })
}

fn read(path: &Path) -> Result<String> {
    fs_err::read_to_string(path).context("--from names no file that can be read")
}

fn is_a_page(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

/// What there is, where nothing is as it was asked for.
fn not_there(record: &PublicationRecord) -> String {
    let all = Listing::of(record, &ListingFilter::default());
    let layers: Vec<&str> = all
        .layers
        .iter()
        .map(|layer| layer.label.as_str())
        .collect();
    let regions: Vec<&str> = all
        .regions()
        .into_iter()
        .map(|region| region.as_str())
        .collect();
    format!(
        "nothing that is published is as asked for; there are the layers {} in {}",
        layers.join(", "),
        regions.join(", ")
    )
}
