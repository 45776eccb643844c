//! Who else manages a function: the next deployment from a template undoes what is changed beside it.

use std::collections::BTreeMap;

/// What a function is made from, as far as its tags tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManagedBy {
    /// A CloudFormation stack, which SAM and CDK make too.
    CloudFormation {
        /// The stack's name.
        stack: String,
        /// `SAM` or `CDK`, if a tag says so.
        through: Option<&'static str>,
    },
    /// Terraform or OpenTofu.
    Terraform,
}

impl ManagedBy {
    /// Reads it from tags: CloudFormation sets its own, people tag what Terraform makes.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html>.
    pub fn of(tags: &BTreeMap<String, String>) -> Option<ManagedBy> {
        if let Some(stack) = tags.get("aws:cloudformation:stack-name") {
            let is_sam = tags
                .get("lambda:createdBy")
                .is_some_and(|tool| tool == "SAM");
            let is_cdk = tags.keys().any(|key| key.to_lowercase().contains("cdk"));
            let through = match (is_sam, is_cdk) {
                (true, _) => Some("SAM"),
                (_, true) => Some("CDK"),
                _ => None,
            };
            return Some(ManagedBy::CloudFormation {
                stack: stack.clone(),
                through,
            });
        }
        let names_terraform = |text: &String| {
            let text = text.to_lowercase();
            text.contains("terraform") || text.contains("opentofu")
        };
        let mut tags = tags.iter();
        let is_it = tags.any(|(key, value)| {
            let is_off = ["false", "no"].contains(&value.to_lowercase().as_str());
            names_terraform(value) || names_terraform(key) && !is_off
        });
        is_it.then_some(ManagedBy::Terraform)
    }

    /// The warning, with the line for the template.
    pub fn warning(&self, function: &str, layers: &[String]) -> String {
        let quoted: Vec<String> = layers.iter().map(|arn| format!("\"{arn}\"")).collect();
        let (who, line) = match self {
            ManagedBy::CloudFormation { stack, through } => {
                let through = through.map_or("CloudFormation", |tool| tool);
                let line = match through {
                    "CDK" => {
                        "for each: lambda.LayerVersion.fromLayerVersionArn(this, \"…\", ARN), or on the CfnFunction: layers: ["
                            .to_owned()
                            + &quoted.join(", ")
                            + "]"
                    }
                    _ => format!("Layers: [{}]", quoted.join(", ")),
                };
                (format!("{through} (stack {stack})"), line)
            }
            ManagedBy::Terraform => (
                "Terraform".to_owned(),
                format!("layers = [{}]", quoted.join(", ")),
            ),
        };
        format!(
            "{function} is managed by {who}, whose next deployment would undo this; put into its template: {line}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tags: &[(&str, &str)]) -> Option<ManagedBy> {
        let tags = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        ManagedBy::of(&tags.collect())
    }

    #[test]
    fn tags_tell_who_manages_a_function() {
        assert_eq!(of(&[("team", "data")]), None);
        assert_eq!(of(&[("terraform", "false")]), None);
        for tags in [
            &[("terraform", "true")][..],
            &[("ManagedBy", "Terraform")],
            &[("managed-by", "opentofu")],
        ] {
            assert_eq!(of(tags), Some(ManagedBy::Terraform), "{tags:?}");
        }
        let stack = ("aws:cloudformation:stack-name", "app");
        for (tags, words) in [
            (
                &[stack][..],
                "CloudFormation (stack app), whose next deployment would undo this; put into its template: Layers: [\"arn:1\"]",
            ),
            (&[stack, ("lambda:createdBy", "SAM")], "SAM (stack app)"),
            (&[stack, ("aws-cdk:id", "x")], "CDK (stack app)"),
        ] {
            let managed = of(tags).unwrap();
            let warning = managed.warning("f", &["arn:1".to_owned()]);
            assert!(warning.contains(words), "{warning}");
        }
        let terraform = ManagedBy::Terraform.warning("f", &["arn:1".into(), "arn:2".into()]);
        assert!(
            terraform.ends_with("layers = [\"arn:1\", \"arn:2\"]"),
            "{terraform}"
        );
    }
}
