//! The layers that a function is to have: which are meant, what is known of them, whether they go together. What `attach`,
//! `detach` and `deploy` have in common.

mod candidate;
mod changes;
mod find;
mod known;
mod plan;
mod remote_zip;
mod wanted;

use std::path::Path;

use anyhow::Result;

use super::aws_session::Signed;
use crate::credentials::Credentials;
use crate::http::{Http, Patience};
use crate::layer::BuildRecord;
use crate::layer::dist::records;
use crate::manifest::Manifest;
use crate::publication::{LayerNameTemplate, PublicationRecord};
pub use changes::{LayerChange, layer_changes};
use find::Finder;
use known::Knowledge;
pub use plan::{LayerPlan, Place};
pub use wanted::Wanted;

/// Where layers are looked for, and what they are compared by.
pub struct FunctionLayers<'a> {
    signed: &'a Signed,
    manifest: &'a Manifest,
    record: &'a PublicationRecord,
    finder: Finder<'a>,
    knowledge: Knowledge,
}

impl<'a> FunctionLayers<'a> {
    /// For a project and an account; the template is the one that layers were named by when they were published.
    pub fn new(
        signed: &'a Signed,
        manifest: &'a Manifest,
        record: &'a PublicationRecord,
        template: &'a LayerNameTemplate,
    ) -> Result<FunctionLayers<'a>> {
        let built = records(Path::new("dist"))?.into_iter();
        let built: Vec<BuildRecord> = built.map(|(_, record)| record).collect();
        // URLs that AWS signs are fetched without credentials of ours.
        let http = Http::from_environment(Patience::default(), Credentials::default())?;
        Ok(FunctionLayers {
            signed,
            manifest,
            record,
            knowledge: Knowledge::new(&signed.session, http, &built),
            finder: Finder::new(signed, record, template, built),
        })
    }
}
