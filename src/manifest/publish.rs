//! `[publish]` and `[[publish.to]]`: where layers are published, under which names, and for whom.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::publication::{
    AccountId, BucketTemplate, Grant, LayerNameTemplate, OrganizationId, ParameterTemplate, Region,
    RoleArn, checked_license,
};

/// The word for every region.
const ALL: &str = "all";

/// Which regions: `"all"`, `"eu-central-1"` or `["eu-central-1", "us-east-1"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionChoice {
    /// Every region that there is.
    All,
    /// These, in that order.
    Named(Vec<Region>),
}

impl<'de> Deserialize<'de> for RegionChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AllOrNames;

        impl<'de> Visitor<'de> for AllOrNames {
            type Value = RegionChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "\"{ALL}\", a region or a list of regions")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RegionChoice, E> {
                match text {
                    ALL => Ok(RegionChoice::All),
                    _ => Ok(RegionChoice::Named(vec![text.parse().map_err(E::custom)?])),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<RegionChoice, A::Error> {
                let mut regions: Vec<Region> = Vec::new();
                while let Some(region) = names.next_element()? {
                    match regions.contains(&region) {
                        true => return Err(A::Error::custom(format!("{region} is named twice"))),
                        false => regions.push(region),
                    }
                }
                Ok(RegionChoice::Named(regions))
            }
        }

        deserializer.deserialize_any(AllOrNames)
    }
}

/// `[publish]`: what is not said is left to flags, the environment and defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PublishSection {
    /// The regions.
    pub regions: Option<RegionChoice>,
    /// How layers are named.
    pub name: Option<LayerNameTemplate>,
    /// The licence that AWS shows, an SPDX expression or a URL; else what the build record says.
    #[serde(deserialize_with = "license")]
    pub license: Option<String>,
    /// What AWS shows as the layer's description, before the mark; else what the build record says.
    pub description: Option<String>,
    /// Everybody may use the layers.
    pub public: Option<bool>,
    /// The accounts of this organization may.
    pub organization: Option<OrganizationId>,
    /// These accounts may.
    pub accounts: Option<Vec<AccountId>>,
    /// The bucket that zips go through that are too large for a request.
    pub s3_bucket: Option<BucketTemplate>,
    /// The parameter of the Parameter Store that the ARN is written to.
    pub ssm_parameter: Option<ParameterTemplate>,
    /// The profile of AWS's configuration files that tells who publishes.
    pub profile: Option<String>,
    /// Targets with names, for `publish --to NAME`.
    #[serde(deserialize_with = "targets")]
    pub to: Vec<PublishTarget>,
}

/// `[[publish.to]]`: an account or a stage with a name. What is not said is as `[publish]` has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PublishTarget {
    /// Its name.
    pub name: String,
    /// The profile of AWS's configuration files that tells who publishes.
    pub profile: Option<String>,
    /// The role that is assumed for it.
    pub role: Option<RoleArn>,
    /// The account that it must be; another one stops the command.
    pub account: Option<AccountId>,
    /// The regions.
    pub regions: Option<RegionChoice>,
    /// Everybody may use the layers.
    pub public: Option<bool>,
    /// The accounts of this organization may.
    pub organization: Option<OrganizationId>,
    /// These accounts may.
    pub accounts: Option<Vec<AccountId>>,
    /// The bucket that zips go through that are too large for a request.
    pub s3_bucket: Option<BucketTemplate>,
}

/// A target that there is not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no target `{name}`{}", alternatives(name, known))]
pub struct NoTarget {
    name: String,
    known: Vec<String>,
}

fn alternatives(name: &str, known: &[String]) -> String {
    match known {
        [] => format!(": r-layer.toml has no [[publish.to]]; add one with name = \"{name}\""),
        _ => format!("; there are: {}", known.join(", ")),
    }
}

impl PublishSection {
    /// Who may use the layers.
    pub fn grants(&self) -> BTreeSet<Grant> {
        grants(
            self.public,
            self.organization.as_ref(),
            self.accounts.as_deref(),
        )
    }

    /// The target that `--to` names; nothing if it names none.
    pub fn chosen_target(&self, name: Option<&str>) -> Result<Option<&PublishTarget>, NoTarget> {
        let Some(name) = name else { return Ok(None) };
        let found = self.to.iter().find(|target| target.name == name);
        found.map(Some).ok_or_else(|| NoTarget {
            name: name.to_owned(),
            known: self.to.iter().map(|target| target.name.clone()).collect(),
        })
    }

    /// The regions that a target names, else those of all.
    pub fn regions_for<'a>(
        &'a self,
        target: Option<&'a PublishTarget>,
    ) -> Option<&'a RegionChoice> {
        let of_target = target.and_then(|target| target.regions.as_ref());
        of_target.or(self.regions.as_ref())
    }
}

impl PublishTarget {
    /// Who may use the layers, if it says anything of that; else `[publish]` does.
    pub fn grants(&self) -> Option<BTreeSet<Grant>> {
        let says = self.public.is_some() || self.organization.is_some() || self.accounts.is_some();
        let grants = || {
            grants(
                self.public,
                self.organization.as_ref(),
                self.accounts.as_deref(),
            )
        };
        says.then(grants)
    }
}

fn grants(
    public: Option<bool>,
    organization: Option<&OrganizationId>,
    accounts: Option<&[AccountId]>,
) -> BTreeSet<Grant> {
    let accounts = accounts.unwrap_or_default().iter().cloned();
    let mut grants: BTreeSet<Grant> = accounts.map(Grant::Account).collect();
    grants.extend(organization.cloned().map(Grant::Organization));
    grants.extend((public == Some(true)).then_some(Grant::Public));
    grants
}

fn license<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let license = String::deserialize(deserializer)?;
    checked_license(&license)
        .map(Some)
        .map_err(D::Error::custom)
}

fn targets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PublishTarget>, D::Error> {
    let targets = Vec::<PublishTarget>::deserialize(deserializer)?;
    for (index, target) in targets.iter().enumerate() {
        let name = &target.name;
        if name.is_empty() || name.starts_with('-') {
            let fault = format!("`{name}` is no name for a target: it is typed after --to");
            return Err(D::Error::custom(fault));
        }
        if targets[..index].iter().any(|other| other.name == *name) {
            return Err(D::Error::custom(format!("there are two targets `{name}`")));
        }
        if target.profile.is_some() && target.role.is_some() {
            return Err(D::Error::custom(format!(
                "target `{name}` has a profile and a role; a profile can name the role itself (role_arn in ~/.aws/config)"
            )));
        }
        if let (Some(role), Some(account)) = (&target.role, &target.account)
            && role.account() != account.as_str()
        {
            return Err(D::Error::custom(format!(
                "target `{name}`: the role is of account {}, not of {account}",
                role.account()
            )));
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Manifest {
        publish: PublishSection,
    }

    fn parsed(text: &str) -> Result<PublishSection, String> {
        let manifest = toml::from_str::<Manifest>(text);
        manifest
            .map(|manifest| manifest.publish)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_section_is_read_with_its_targets() {
        let publish = parsed(
            r#"
            [publish]
            regions = ["eu-central-1", "us-east-1"]
            name = "acme-{name}-{arch}"
            license = "GPL-3.0-or-later"
            organization = "o-abcdef1234"
            accounts = ["123456789012"]
            s3-bucket = "layers-{account}-{region}"
            ssm-parameter = "/r/{name}/{arch}"

            [[publish.to]]
            name = "try"
            profile = "sandbox"
            regions = "eu-west-1"
            accounts = []

            [[publish.to]]
            name = "prod"
            role = "arn:aws:iam::210987654321:role/layers/publisher"
            account = "210987654321"
            regions = "all"
            public = true
            "#,
        )
        .unwrap();
        let texts = |grants: BTreeSet<Grant>| -> Vec<String> {
            grants.iter().map(ToString::to_string).collect()
        };
        assert_eq!(texts(publish.grants()), ["123456789012", "o-abcdef1234"]);
        let (tried, prod) = (
            publish.chosen_target(Some("try")).unwrap().unwrap(),
            publish.chosen_target(Some("prod")).unwrap().unwrap(),
        );
        assert_eq!(tried.grants(), Some(BTreeSet::new()));
        assert_eq!(texts(prod.grants().unwrap()), ["public"]);
        assert_eq!(prod.regions, Some(RegionChoice::All));
        let named = RegionChoice::Named(vec!["eu-west-1".parse().unwrap()]);
        assert_eq!(tried.regions, Some(named));
        let error = publish
            .chosen_target(Some("stage"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("no target `stage`; there are: "), "{error}");
        assert_eq!(parsed("[publish]").unwrap(), PublishSection::default());
        let silent = parsed("[[publish.to]]\nname = \"x\"").unwrap();
        assert_eq!(silent.to[0].grants(), None);
    }

    #[test]
    fn what_cannot_be_is_named_with_its_line() {
        for (line, words) in [
            ("regoins = []", &["line 2", "unknown field `regoins`"][..]),
            ("regions = \"mars\"", &["line 2", "`mars` is no region"]),
            ("regions = 1", &["line 2", "a region or a list of regions"]),
            (
                "regions = [\"eu-west-1\", \"eu-west-1\"]",
                &["line 2", "eu-west-1 is named twice"],
            ),
            (
                "name = \"{nmae}\"",
                &["line 2", "no {nmae} in a layer's name", "{name}"],
            ),
            (
                "organization = \"acme\"",
                &["line 2", "`acme` is no organization"],
            ),
            (
                "accounts = [\"1\"]",
                &["line 2", "`1` is no account (12 digits)"],
            ),
            (
                "accounts = [123456789012]",
                &["line 2", "expected a string"],
            ),
            ("public = \"yes\"", &["line 2", "expected a boolean"]),
            ("s3-bucket = \"My_Bucket\"", &["line 2", "S3 takes 3 to 63"]),
            ("ssm-parameter = \"/aws/x\"", &["line 2", "AWS's own"]),
            (
                &format!("license = \"{}\"", "x".repeat(513)),
                &["line 2", "512 characters"],
            ),
            (
                "[[publish.to]]\nprofile = \"x\"",
                &["line 2", "missing field `name`"],
            ),
            (
                "[[publish.to]]\nname = \"--x\"",
                &["line 2", "typed after --to"],
            ),
            (
                "[[publish.to]]\nname = \"x\"\n[[publish.to]]\nname = \"x\"",
                &["two targets `x`"],
            ),
            (
                "[[publish.to]]\nname = \"x\"\nrole = \"publisher\"",
                &["line 4", "`publisher` is no role"],
            ),
            (
                "[[publish.to]]\nname = \"x\"\nprofile = \"y\"\nrole = \"arn:aws:iam::123456789012:role/z\"",
                &["line 2", "a profile and a role"],
            ),
            (
                "[[publish.to]]\nname = \"x\"\naccount = \"210987654321\"\nrole = \"arn:aws:iam::123456789012:role/z\"",
                &["line 2", "of account 123456789012, not of 210987654321"],
            ),
        ] {
            let error = parsed(&format!("[publish]\n{line}\n")).unwrap_err();
            for word in words {
                assert!(error.contains(word), "{word}: {error}");
            }
        }
    }
}
