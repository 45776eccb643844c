//! Brings the grants of a version to what is asked.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use crate::aws::{AwsError, Layers, Refusal};
use crate::publication::{Grant, GrantChanges, Statement, grants_of, policy_statements};

/// Who is to be granted the use of a version.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// These.
    pub grants: &'a BTreeSet<Grant>,
    /// And nobody else.
    pub exact: bool,
}

/// Reads a version's policy, and adds and removes what differs. Returns who may use it then, and whether anything was
/// changed. Without grants asked for, and nobody to be shut out, the policy is read all the same: the record tells it.
///
/// A version that `is_new`, published by this run a moment ago, has no policy yet.
pub async fn bring_grants(
    layers: &Layers,
    layer: &str,
    version: u64,
    is_new: bool,
    asked: &Asked<'_>,
) -> Result<(BTreeSet<Grant>, bool)> {
    let Asked {
        grants: asked,
        exact,
    } = *asked;
    let mut existing = match is_new {
        true => Vec::new(),
        false => statements(layers, layer, version).await?,
    };
    let changes = GrantChanges::between(asked, &existing, exact);
    if changes.is_empty() {
        return Ok((grants_of(&existing), false));
    }
    // New grants first: nobody who keeps one is without it meanwhile.
    for statement in &changes.add {
        let grant = &statement.grant;
        let organization = grant.organization_id().map(|id| id.as_str());
        let added = layers
            .add_statement(
                layer,
                version,
                &statement.id,
                grant.principal(),
                organization,
            )
            .await;
        match added {
            // Another run was faster, or an answer was lost: what the policy says counts.
            Err(error) if error.refusal() == Some(Refusal::Conflict) => {
                existing = statements(layers, layer, version).await?;
                if !grants_of(&existing).contains(grant) {
                    return Err(error).context(format!(
                        "the policy of {layer}:{version} has another statement named {}",
                        statement.id
                    ));
                }
            }
            added => added?,
        }
    }
    for statement in &changes.remove {
        layers
            .remove_statement(layer, version, &statement.id)
            .await?;
    }
    let mut granted = grants_of(&existing);
    granted.extend(asked.iter().cloned());
    if exact {
        granted.clone_from(asked);
    }
    Ok((granted, true))
}

/// The statements of a version's policy.
pub async fn statements(layers: &Layers, layer: &str, version: u64) -> Result<Vec<Statement>> {
    let policy: Result<Option<String>, AwsError> = layers.policy(layer, version).await;
    match policy?.map(|policy| policy_statements(&policy)) {
        None => Ok(Vec::new()),
        Some(Ok(statements)) => Ok(statements),
        Some(Err(error)) => bail!("{layer}:{version}: {error}"),
    }
}
