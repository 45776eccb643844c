//! What `publish`, `grant` and `prune` need.

use super::{IamPolicy, IamStatement, Scope};

/// What publishing does.
#[derive(Clone, Debug, Default)]
pub struct PublishPermissions {
    /// Patterns of layers' names: `r-*-4_5-*`.
    pub layers: Vec<String>,
    /// Are others granted the use of versions?
    pub grants: bool,
    /// Are grants taken away that were not asked for?
    pub exact: bool,
    /// Are old versions deleted?
    pub prune: bool,
    /// The bucket that zips go through, as a pattern.
    pub bucket: Option<String>,
    /// The parameter that gets the ARN, as a pattern.
    pub parameter: Option<String>,
}

impl PublishPermissions {
    /// The policy.
    pub fn policy(&self, scope: &Scope) -> IamPolicy {
        let mut statements = vec![
            scope.in_regions(IamStatement::allow(
                "PublishLayers",
                ["lambda:PublishLayerVersion"],
                self.layers
                    .iter()
                    .map(|layer| scope.arn("lambda", &format!("layer:{layer}"))),
            )),
            scope.list_layer_versions(),
            scope.in_regions(IamStatement::allow(
                "ManageLayerVersions",
                self.on_versions(),
                self.layers
                    .iter()
                    .map(|layer| scope.arn("lambda", &format!("layer:{layer}:*"))),
            )),
        ];
        if self.prune {
            statements.push(scope.in_regions(IamStatement::allow(
                "SeeWhatThereIsAndIsUsed",
                ["lambda:ListFunctions", "lambda:ListLayers"],
                ["*".to_owned()],
            )));
        }
        statements.extend(
            self.bucket
                .as_deref()
                .map(|bucket| scope.through_bucket(bucket)),
        );
        statements.extend(self.parameter.as_deref().map(|name| {
            // The ARN of `/r/x` is `parameter/r/x`, as that of `r` is `parameter/r`.
            let parameter = format!("parameter/{}", name.trim_start_matches('/'));
            scope.in_regions(IamStatement::allow(
                "WriteParameters",
                ["ssm:GetParameter", "ssm:PutParameter"],
                [scope.arn("ssm", &parameter)],
            ))
        }));
        IamPolicy::new(statements)
    }

    fn on_versions(&self) -> Vec<&'static str> {
        let mut actions = vec![
            "lambda:GetLayerVersion",
            "lambda:GetLayerVersionPolicy",
            // Of two runs that publish the same at once, one removes its own version. IAM knows no condition for that.
            "lambda:DeleteLayerVersion",
        ];
        if self.grants {
            actions.push("lambda:AddLayerVersionPermission");
        }
        if self.exact {
            actions.push("lambda:RemoveLayerVersionPermission");
        }
        actions
    }
}
