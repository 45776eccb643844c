//! What `attach` and `detach` need.

use std::collections::BTreeSet;

use super::{FunctionPattern, IamPolicy, IamStatement, Scope};

/// The layers that functions are given.
///
/// Lambda asks whether the caller may read every layer that a function has in the end, those too that others attached.
#[derive(Clone, Debug, Default)]
pub struct UsedLayers {
    /// Patterns of names of layers of the account.
    pub own: Vec<String>,
    /// ARNs of versions of layers, or patterns of such.
    pub others: BTreeSet<String>,
}

impl UsedLayers {
    pub(super) fn arns(&self, scope: &Scope) -> Vec<String> {
        let own = self
            .own
            .iter()
            .map(|layer| scope.arn("lambda", &format!("layer:{layer}:*")));
        own.chain(self.others.iter().cloned()).collect()
    }

    pub(super) fn statements(&self, scope: &Scope) -> [IamStatement; 2] {
        let arns = self.arns(scope);
        let read = IamStatement::allow("ReadLayers", ["lambda:GetLayerVersion"], arns);
        // Neither action knows resources.
        let list = IamStatement::allow(
            "ListLayers",
            ["lambda:ListLayers", "lambda:ListLayerVersions"],
            ["*".to_owned()],
        );
        [scope.in_regions(read), scope.in_regions(list)]
    }
}

/// What attaching does.
#[derive(Clone, Debug, Default)]
pub struct AttachPermissions {
    /// The functions.
    pub functions: Vec<FunctionPattern>,
    /// The layers.
    pub layers: UsedLayers,
    /// Is a version of the function published?
    pub publish_version: bool,
    /// The alias that is moved to it.
    pub alias: Option<String>,
}

impl AttachPermissions {
    /// The policy.
    ///
    /// There is no condition on `lambda:Layer`: functions keep the layers of others that they have.
    pub fn policy(&self, scope: &Scope) -> IamPolicy {
        let with_version = self.publish_version || self.alias.is_some();
        let mut actions = vec!["lambda:GetFunction", "lambda:UpdateFunctionConfiguration"];
        if with_version {
            actions.extend(["lambda:PublishVersion", "lambda:ListVersionsByFunction"]);
        }
        let functions = function_arns(scope, &self.functions, "");
        let change = IamStatement::allow("ChangeFunctions", actions, functions);
        let mut statements = vec![scope.in_regions(change), list_functions(scope)];
        if with_version {
            statements.push(read_versions(scope, &self.functions));
        }
        statements.extend(
            self.alias
                .as_deref()
                .map(|alias| move_alias(scope, &self.functions, alias)),
        );
        statements.extend(self.layers.statements(scope));
        IamPolicy::new(statements)
    }
}

/// The ARNs of functions, or with a `:` of versions and aliases.
pub(super) fn function_arns(
    scope: &Scope,
    functions: &[FunctionPattern],
    end: &str,
) -> Vec<String> {
    let arn = |function| scope.arn("lambda", &format!("function:{function}{end}"));
    functions.iter().map(arn).collect()
}

/// The nearest names of a function that there is not; the action knows no resources.
fn list_functions(scope: &Scope) -> IamStatement {
    scope.in_regions(IamStatement::allow(
        "ListFunctions",
        ["lambda:ListFunctions"],
        ["*".to_owned()],
    ))
}

/// Whether a version is what the function is now. Asked for a version, Lambda asks for the version's own ARN.
pub(super) fn read_versions(scope: &Scope, functions: &[FunctionPattern]) -> IamStatement {
    let versions = function_arns(scope, functions, ":*");
    scope.in_regions(IamStatement::allow(
        "ReadVersions",
        ["lambda:GetFunction"],
        versions,
    ))
}

/// Which resource Lambda asks for is the function by its reference, and the alias by its messages: both are named.
pub(super) fn move_alias(
    scope: &Scope,
    functions: &[FunctionPattern],
    alias: &str,
) -> IamStatement {
    let mut arns = function_arns(scope, functions, "");
    arns.extend(function_arns(scope, functions, &format!(":{alias}")));
    scope.in_regions(IamStatement::allow(
        "MoveAlias",
        [
            "lambda:GetAlias",
            "lambda:CreateAlias",
            "lambda:UpdateAlias",
        ],
        arns,
    ))
}
