//! What `deploy` needs.

use super::attach::{UsedLayers, function_arns, move_alias, read_versions};
use super::{FunctionPattern, IamPolicy, IamStatement, Scope};
use crate::checksum::Sha256;
use crate::publication::RoleArn;

/// AWS's policy for functions that do nothing at AWS but write their log.
pub const BASIC_EXECUTION: &str = "service-role/AWSLambdaBasicExecutionRole";

/// The role that is made for a function, if it is given none. IAM is the same in all regions, and functions are not: the
/// region is a part of the name.
pub fn execution_role_name(function: &str, region: &str) -> String {
    limited(&format!("{function}-{region}"))
}

/// The rule of EventBridge that invokes a function on a schedule.
pub fn schedule_rule_name(function: &str) -> String {
    limited(function)
}

/// Names of roles and rules have at most 64 characters, as those of functions have.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
fn limited(name: &str) -> String {
    const LONGEST: usize = 64;
    let whole = format!("r-layer-{name}");
    if whole.chars().count() <= LONGEST {
        return whole;
    }
    let kept: String = whole.chars().take(LONGEST - 9).collect();
    // A pattern's hash would be of the pattern.
    let end = match name.contains('*') {
        true => "*".to_owned(),
        false => Sha256::of(name.as_bytes()).to_string()[..8].to_owned(),
    };
    format!("{kept}-{end}")
}

/// Who may call a function's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionUrlAuth {
    /// Who is allowed to by IAM.
    Iam,
    /// Everybody.
    None,
}

impl FunctionUrlAuth {
    /// As AWS has it.
    pub fn as_str(self) -> &'static str {
        match self {
            FunctionUrlAuth::Iam => "AWS_IAM",
            FunctionUrlAuth::None => "NONE",
        }
    }
}

/// What deploying does.
#[derive(Clone, Debug, Default)]
pub struct DeployPermissions {
    /// The functions.
    pub functions: Vec<FunctionPattern>,
    /// The layers.
    pub layers: UsedLayers,
    /// The role that the functions are given.
    pub role: Option<RoleArn>,
    /// Is a role made for each function?
    pub create_role: bool,
    /// Policies that the role gets beside that of basic execution.
    pub policy_arns: Vec<String>,
    /// The alias that is moved to the new version.
    pub alias: Option<String>,
    /// Does the function get a URL, and for whom?
    pub function_url: Option<FunctionUrlAuth>,
    /// Is it invoked on a schedule?
    pub schedule: bool,
    /// Is a version of the function published?
    pub publish_version: bool,
    /// Is it removed again, by `destroy`?
    pub destroy: bool,
    /// The bucket that code goes through that is too large for a request, as a pattern.
    pub bucket: Option<String>,
}

impl DeployPermissions {
    /// The policy.
    pub fn policy(&self, scope: &Scope) -> IamPolicy {
        let mut statements = vec![self.create_functions(scope), self.change_functions(scope)];
        statements.extend(self.pass_role(scope));
        if self.create_role {
            statements.extend(self.make_role(scope));
        }
        if self.publish_version || self.alias.is_some() {
            statements.push(read_versions(scope, &self.functions));
        }
        let alias = self.alias.as_deref();
        statements.extend(alias.map(|alias| move_alias(scope, &self.functions, alias)));
        if let Some(auth) = self.function_url {
            statements.extend(self.url(scope, auth));
        }
        if self.schedule {
            statements.extend(self.rule(scope));
        }
        if self.destroy {
            statements.extend(self.remove(scope));
        }
        statements.extend(
            self.bucket
                .as_deref()
                .map(|bucket| scope.through_bucket(bucket)),
        );
        statements.extend(self.layers.statements(scope));
        IamPolicy::new(statements)
    }

    fn on_functions(
        &self,
        scope: &Scope,
        sid: &'static str,
        actions: &[&'static str],
    ) -> IamStatement {
        let functions = function_arns(scope, &self.functions, "");
        scope.in_regions(IamStatement::allow(sid, actions.iter().copied(), functions))
    }

    /// A new function has no layers but those that it is given here.
    fn create_functions(&self, scope: &Scope) -> IamStatement {
        let layers = self.layers.arns(scope);
        let create = self.on_functions(scope, "CreateFunctions", &["lambda:CreateFunction"]);
        create.with("ForAllValues:StringLike", "lambda:Layer", layers)
    }

    fn change_functions(&self, scope: &Scope) -> IamStatement {
        let mut actions = vec![
            "lambda:GetFunction",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            // New functions get a tag by which `destroy` knows them.
            "lambda:TagResource",
        ];
        if self.publish_version || self.alias.is_some() {
            actions.extend(["lambda:PublishVersion", "lambda:ListVersionsByFunction"]);
        }
        if self.function_url.is_some() || self.schedule {
            actions.extend(["lambda:GetPolicy", "lambda:RemovePermission"]);
        }
        self.on_functions(scope, "ChangeFunctions", &actions)
    }

    /// The roles that are made, one a function and region.
    fn made_roles(&self, scope: &Scope) -> Vec<String> {
        let role = |function: &FunctionPattern, region: &str| {
            let name = execution_role_name(function.as_str(), region);
            scope.global_arn("iam", &format!("role/{name}"))
        };
        let regions = scope.region_names();
        let of_function = |function| regions.iter().map(move |region| role(function, region));
        self.functions.iter().flat_map(of_function).collect()
    }

    fn pass_role(&self, scope: &Scope) -> Option<IamStatement> {
        let mut roles: Vec<String> = self.role.iter().map(ToString::to_string).collect();
        if self.create_role {
            roles.extend(self.made_roles(scope));
        }
        let pass = IamStatement::allow("PassRoleToLambda", ["iam:PassRole"], roles);
        let lambda = vec!["lambda.amazonaws.com".to_owned()];
        let pass = pass.with("StringEquals", "iam:PassedToService", lambda);
        (!pass.resource.is_empty()).then_some(pass)
    }

    fn make_role(&self, scope: &Scope) -> [IamStatement; 2] {
        let roles = self.made_roles(scope);
        let mut policies = vec![scope.managed_policy(BASIC_EXECUTION)];
        policies.extend(self.policy_arns.iter().cloned());
        let make = [
            "iam:GetRole",
            "iam:CreateRole",
            "iam:ListAttachedRolePolicies",
        ];
        let attach = IamStatement::allow("AttachPolicies", ["iam:AttachRolePolicy"], roles.clone());
        [
            IamStatement::allow("MakeRole", make, roles),
            attach.with("ArnEquals", "iam:PolicyARN", policies),
        ]
    }

    /// A URL for everybody needs a permission for the URL and one for the function behind it.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html>
    fn url(&self, scope: &Scope, auth: FunctionUrlAuth) -> Vec<IamStatement> {
        let configure = self.on_functions(
            scope,
            "ConfigureUrl",
            &[
                "lambda:GetFunctionUrlConfig",
                "lambda:CreateFunctionUrlConfig",
                "lambda:UpdateFunctionUrlConfig",
            ],
        );
        let auth_type = || vec![auth.as_str().to_owned()];
        let mut statements =
            vec![configure.with("StringEquals", "lambda:FunctionUrlAuthType", auth_type())];
        if auth == FunctionUrlAuth::None {
            let open = self.on_functions(scope, "OpenUrl", &["lambda:AddPermission"]);
            let open = open.with("StringEquals", "lambda:Principal", vec!["*".to_owned()]);
            // The function's own permission is asked for without the URL's kind.
            let key = "lambda:FunctionUrlAuthType";
            statements.push(open.with("StringEqualsIfExists", key, auth_type()));
        }
        statements
    }

    /// What `destroy` removes, and looks at before.
    fn remove(&self, scope: &Scope) -> [IamStatement; 3] {
        let role = [
            "iam:GetRole",
            "iam:ListAttachedRolePolicies",
            "iam:DetachRolePolicy",
            "iam:DeleteRole",
        ];
        let rule = [
            "events:DescribeRule",
            "events:RemoveTargets",
            "events:DeleteRule",
        ];
        [
            self.on_functions(
                scope,
                "RemoveFunctions",
                &["lambda:GetFunction", "lambda:DeleteFunction"],
            ),
            IamStatement::allow("RemoveRole", role, self.made_roles(scope)),
            scope.in_regions(IamStatement::allow(
                "RemoveSchedule",
                rule,
                self.rules(scope),
            )),
        ]
    }

    /// The rules of EventBridge, one a function.
    fn rules(&self, scope: &Scope) -> Vec<String> {
        let rule = |function: &FunctionPattern| {
            let name = schedule_rule_name(function.as_str());
            scope.arn("events", &format!("rule/{name}"))
        };
        self.functions.iter().map(rule).collect()
    }

    fn rule(&self, scope: &Scope) -> [IamStatement; 2] {
        let allow = self.on_functions(scope, "LetRulesInvoke", &["lambda:AddPermission"]);
        let events = vec!["events.amazonaws.com".to_owned()];
        [
            scope.in_regions(IamStatement::allow(
                "Schedule",
                [
                    "events:DescribeRule",
                    "events:ListTargetsByRule",
                    "events:PutRule",
                    "events:PutTargets",
                ],
                self.rules(scope),
            )),
            allow.with("StringEquals", "lambda:Principal", events),
        ]
    }
}
