//! What `invoke --function` and `logs` need.

use super::attach::function_arns;
use super::{FunctionPattern, IamPolicy, IamStatement, Scope};

/// Invoking functions and reading what they log.
#[derive(Clone, Debug, Default)]
pub struct InvokePermissions {
    /// The functions.
    pub functions: Vec<FunctionPattern>,
}

impl InvokePermissions {
    /// The policy. Versions and aliases are resources of their own where they are invoked.
    pub fn policy(&self, scope: &Scope) -> IamPolicy {
        let functions = function_arns(scope, &self.functions, "");
        let versions = function_arns(scope, &self.functions, ":*");
        let invoked = functions.iter().cloned().chain(versions);
        let log_group = |function| {
            let group = format!("log-group:/aws/lambda/{function}:*");
            scope.arn("logs", &group)
        };
        let statements = [
            IamStatement::allow("InvokeFunctions", ["lambda:InvokeFunction"], invoked),
            IamStatement::allow(
                "SeeWhereTheyLog",
                ["lambda:GetFunctionConfiguration"],
                functions,
            ),
            IamStatement::allow(
                "ReadLogs",
                ["logs:FilterLogEvents"],
                self.functions.iter().map(log_group),
            ),
        ];
        IamPolicy::new(statements.map(|statement| scope.in_regions(statement)))
    }
}
