//! Who may use a layer version: what is asked for, what its resource policy says, and the way from one to the other.
//!
//! A layer version is granted statement by statement, by AddLayerVersionPermission; GetLayerVersionPolicy returns all of
//! them as one JSON text. <https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html>

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;

use super::arn::{AccountId, OrganizationId};
use super::text::serde_as_text;

/// The only action that there is on a layer version for others.
const ACTION: &str = "lambda:GetLayerVersion";

/// The key of the condition that names an organization.
const ORGANIZATION: &str = "aws:PrincipalOrgID";

/// Who may use a layer version.
///
/// As text it is an account's number, an organization's id, or `public`: they cannot be mistaken for each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grant {
    /// An account.
    Account(AccountId),
    /// Every account of an organization.
    Organization(OrganizationId),
    /// Everybody.
    Public,
}

/// A text that names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an account (12 digits) nor an organization (o-…) nor `public`")]
pub struct GrantError(String);

impl Grant {
    /// The statement's id that r-layer gives it.
    pub fn statement_id(&self) -> String {
        match self {
            Grant::Account(account) => format!("r-layer-account-{account}"),
            Grant::Organization(organization) => format!("r-layer-organization-{organization}"),
            Grant::Public => "r-layer-public".to_owned(),
        }
    }

    /// The statement's principal: an account's number, or `*`.
    pub fn principal(&self) -> &str {
        match self {
            Grant::Account(account) => account.as_str(),
            Grant::Organization(_) | Grant::Public => "*",
        }
    }

    /// The organization that `*` is limited to.
    pub fn organization_id(&self) -> Option<&OrganizationId> {
        match self {
            Grant::Organization(organization) => Some(organization),
            Grant::Account(_) | Grant::Public => None,
        }
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let grant = match text {
            "public" => Ok(Grant::Public),
            _ if text.starts_with("o-") => text.parse().map(Grant::Organization),
            _ => text.parse().map(Grant::Account),
        };
        grant.map_err(|_| GrantError(text.to_owned()))
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Grant::Account(account) => account.fmt(f),
            Grant::Organization(organization) => organization.fmt(f),
            Grant::Public => f.write_str("public"),
        }
    }
}

serde_as_text!(Grant);

/// What a statement of a policy amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementMeaning {
    /// These may use the layer version. A statement with a list of principals grants to several.
    Grants(BTreeSet<Grant>),
    /// Something else, in words. It is left alone.
    Other(String),
}

/// A statement of a layer version's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its id, by which it is removed.
    pub id: String,
    /// What it amounts to.
    pub meaning: StatementMeaning,
}

impl Statement {
    fn grants(&self) -> Option<&BTreeSet<Grant>> {
        match &self.meaning {
            StatementMeaning::Grants(grants) => Some(grants),
            StatementMeaning::Other(_) => None,
        }
    }
}

/// A text that is no policy.
#[derive(Debug, thiserror::Error)]
#[error("the layer version's policy is not understood: {0}")]
pub struct PolicyError(#[from] serde_json::Error);

/// A policy as IAM writes it: single things may stand for lists of one.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    statement: OneOrMany<RawStatement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawStatement {
    #[serde(default)]
    sid: String,
    effect: String,
    principal: Option<Principal>,
    action: Option<OneOrMany<String>>,
    #[serde(default)]
    condition: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Principal {
    One(String),
    Of(serde_json::Map<String, Value>),
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

/// The statements of a policy, from the text that GetLayerVersionPolicy returns.
///
/// # Errors
/// If it is no policy at all; single statements that are not understood are [`StatementMeaning::Other`].
pub fn policy_statements(policy: &str) -> Result<Vec<Statement>, PolicyError> {
    let policy: Policy = serde_json::from_str(policy)?;
    let statements = policy.statement.into_vec().into_iter();
    Ok(statements
        .map(|statement| Statement {
            id: statement.sid.clone(),
            meaning: match meaning(statement) {
                Ok(grants) => StatementMeaning::Grants(grants),
                Err(other) => StatementMeaning::Other(other),
            },
        })
        .collect())
}

fn meaning(statement: RawStatement) -> Result<BTreeSet<Grant>, String> {
    if statement.effect != "Allow" {
        return Err(format!("its effect is {}", statement.effect));
    }
    let actions = statement.action.map(OneOrMany::into_vec);
    let actions = actions.unwrap_or_default();
    if !actions
        .iter()
        .any(|action| action.eq_ignore_ascii_case(ACTION))
        || actions.len() != 1
    {
        return Err(format!("its action is {}", actions.join(", ")));
    }
    let organizations = organizations(statement.condition.unwrap_or(Value::Null))?;
    let principals = principals(statement.principal)?;
    let is_everybody = principals == ["*"];
    match organizations {
        None if is_everybody => Ok(BTreeSet::from([Grant::Public])),
        Some(organizations) if is_everybody => Ok(organizations),
        Some(_) => Err("it limits accounts to an organization".to_owned()),
        None => principals.iter().map(|text| account(text)).collect(),
    }
}

fn principals(principal: Option<Principal>) -> Result<Vec<String>, String> {
    match principal {
        Some(Principal::One(text)) => Ok(vec![text]),
        Some(Principal::Of(mut kinds)) => {
            let accounts = kinds.remove("AWS").filter(|_| kinds.is_empty());
            let accounts = accounts.map(serde_json::from_value::<OneOrMany<String>>);
            match accounts {
                Some(Ok(accounts)) => Ok(accounts.into_vec()),
                _ => Err("its principal is no account".to_owned()),
            }
        }
        None => Err("it has no principal".to_owned()),
    }
}

/// An account by its number or by its root's ARN, `arn:aws:iam::123456789012:root`.
fn account(principal: &str) -> Result<Grant, String> {
    let number = match principal.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "iam", "", number, "root"] => number,
        _ => principal,
    };
    let account = number.parse().map(Grant::Account);
    account.map_err(|_| format!("its principal is {principal}"))
}

/// The organizations that a condition limits a statement to; nothing if there is no condition.
fn organizations(condition: Value) -> Result<Option<BTreeSet<Grant>>, String> {
    let other = format!("its condition is {condition}");
    if condition.is_null() || condition.as_object().is_some_and(|map| map.is_empty()) {
        return Ok(None);
    }
    let only = |value: &Value| -> Option<(String, Value)> {
        let map = value.as_object().filter(|map| map.len() == 1)?;
        map.iter().next().map(|(k, v)| (k.clone(), v.clone()))
    };
    let ids = only(&condition)
        .filter(|(operator, _)| operator == "StringEquals")
        .and_then(|(_, keys)| only(&keys))
        .filter(|(key, _)| key.eq_ignore_ascii_case(ORGANIZATION))
        .and_then(|(_, ids)| serde_json::from_value::<OneOrMany<OrganizationId>>(ids).ok());
    let ids = ids.ok_or(other)?.into_vec();
    Ok(Some(ids.into_iter().map(Grant::Organization).collect()))
}

/// Whom a policy's statements grant to.
pub fn grants_of(statements: &[Statement]) -> BTreeSet<Grant> {
    let grants = statements.iter().filter_map(Statement::grants);
    grants.flatten().cloned().collect()
}

/// A statement that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStatement {
    /// Its id, which no other statement of the policy has.
    pub id: String,
    /// Whom it grants to.
    pub grant: Grant,
}

/// What brings a policy to what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantChanges {
    /// Statements to add; first, so that nobody who may go on is cut off in between.
    pub add: Vec<NewStatement>,
    /// Statements to remove.
    pub remove: Vec<Statement>,
    /// Statements that are not understood, and stay.
    pub other: Vec<Statement>,
}

impl GrantChanges {
    /// What brings a policy to grant what was asked for; with `exact`, that and nothing else.
    ///
    /// A statement under another id that grants the same is as good. One that grants too much is removed as a whole, and
    /// what was asked for of it is granted anew.
    pub fn between(asked: &BTreeSet<Grant>, existing: &[Statement], exact: bool) -> GrantChanges {
        let (mut kept, mut changes) = (BTreeSet::new(), GrantChanges::default());
        for statement in existing {
            match statement.grants() {
                None => changes.other.push(statement.clone()),
                Some(grants) if exact && !grants.is_subset(asked) => {
                    changes.remove.push(statement.clone());
                }
                Some(grants) => kept.extend(grants),
            }
        }
        let added = asked.iter().filter(|grant| !kept.contains(grant));
        changes.add = added
            .map(|grant| NewStatement {
                id: free_id(grant, existing),
                grant: grant.clone(),
            })
            .collect();
        changes
    }

    /// Is it all there already?
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

/// An id that no statement has, those that are to be removed included.
fn free_id(grant: &Grant, existing: &[Statement]) -> String {
    let id = grant.statement_id();
    let is_taken = |id: &str| existing.iter().any(|statement| statement.id == id);
    let mut free = id.clone();
    let mut number = 2;
    while is_taken(&free) {
        free = format!("{id}-{number}");
        number += 1;
    }
    free
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn grants(texts: &[&str]) -> BTreeSet<Grant> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn statement(id: &str, principal: Value, condition: Value) -> Value {
        let mut statement = json!({
            "Sid": id, "Effect": "Allow", "Principal": principal, "Action": ACTION,
            "Resource": "arn:aws:lambda:eu-central-1:123456789012:layer:r:1"
        });
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        statement
    }

    fn read(statements: &[Value]) -> Vec<Statement> {
        let policy = json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
        policy_statements(&policy.to_string()).unwrap()
    }

    #[test]
    fn grants_are_texts_and_have_ids_of_their_own() {
        for (text, id, principal) in [
            ("public", "r-layer-public", "*"),
            (
                "123456789012",
                "r-layer-account-123456789012",
                "123456789012",
            ),
            ("o-abcdef1234", "r-layer-organization-o-abcdef1234", "*"),
        ] {
            let grant: Grant = text.parse().unwrap();
            assert_eq!(grant.to_string(), text);
            assert_eq!(
                (grant.statement_id().as_str(), grant.principal()),
                (id, principal)
            );
            assert_eq!(grant.organization_id().is_some(), text.starts_with("o-"));
        }
        let error = "everybody".parse::<Grant>().unwrap_err().to_string();
        assert!(error.contains("nor `public`"), "{error}");
    }

    #[test]
    fn statements_are_read_for_what_they_amount_to() {
        let organization = |id: &str| json!({ "StringEquals": { "aws:PrincipalOrgID": id } });
        let none = || Value::Null;
        let root = "arn:aws-cn:iam::111111111111:root";
        for (principal, condition, expected) in [
            (json!("*"), none(), &["public"][..]),
            (json!({ "AWS": "*" }), none(), &["public"]),
            (json!({ "AWS": root }), none(), &["111111111111"]),
            (
                json!({ "AWS": ["222222222222", root] }),
                none(),
                &["111111111111", "222222222222"],
            ),
            (json!("*"), organization("o-abcdef1234"), &["o-abcdef1234"]),
            (
                json!("*"),
                json!({ "StringEquals": { "aws:principalorgid": ["o-abcdef1234", "o-bbcdef1234"] } }),
                &["o-abcdef1234", "o-bbcdef1234"],
            ),
        ] {
            let read = read(&[statement("any", principal, condition)]);
            assert_eq!(read[0].meaning, StatementMeaning::Grants(grants(expected)));
        }
    }

    #[test]
    fn what_is_something_else_is_kept_and_told_in_words() {
        let mut denied = statement("a", json!("*"), Value::Null);
        denied["Effect"] = json!("Deny");
        let mut other_action = statement("b", json!("*"), Value::Null);
        other_action["Action"] = json!("lambda:*");
        let others = read(&[
            denied,
            other_action,
            statement("c", json!({ "Service": "x.amazonaws.com" }), Value::Null),
            statement("d", json!({ "AWS": "AIDAEXAMPLE" }), Value::Null),
            statement(
                "e",
                json!("*"),
                json!({ "StringLike": { "aws:PrincipalOrgID": "o-*" } }),
            ),
            json!({ "Effect": "Allow", "Action": ACTION }),
        ]);
        let words = [
            "Deny",
            "lambda:*",
            "no account",
            "AIDAEXAMPLE",
            "StringLike",
            "no principal",
        ];
        for (other, word) in others.iter().zip(words) {
            let StatementMeaning::Other(what) = &other.meaning else {
                panic!("{other:?}");
            };
            assert!(what.contains(word), "{what}");
        }
        let changes = GrantChanges::between(&BTreeSet::new(), &others, true);
        assert_eq!(
            (changes.remove.len(), changes.other.len()),
            (0, others.len())
        );
        for text in ["", "<html>", "{}", "[]"] {
            let error = policy_statements(text).unwrap_err().to_string();
            assert!(error.contains("policy is not understood"), "{error}");
        }
        let single = json!({ "Statement": statement("x", json!("*"), Value::Null) });
        assert_eq!(policy_statements(&single.to_string()).unwrap().len(), 1);
    }

    #[test]
    fn what_is_granted_already_under_whatever_id_is_not_granted_again() {
        let existing = read(&[
            statement("xaccount", json!({ "AWS": "111111111111" }), Value::Null),
            statement("everyone", json!("*"), Value::Null),
        ]);
        let asked = grants(&["public", "222222222222"]);
        let changes = GrantChanges::between(&asked, &existing, false);
        let added: Vec<&str> = changes.add.iter().map(|new| new.id.as_str()).collect();
        assert_eq!(added, ["r-layer-account-222222222222"]);
        assert!(changes.remove.is_empty());
        let exact = GrantChanges::between(&asked, &existing, true);
        assert_eq!(exact.remove, existing[..1]);
        assert!(GrantChanges::between(&grants_of(&existing), &existing, true).is_empty());
    }

    #[test]
    fn a_statement_that_grants_too_much_is_replaced_by_what_is_asked_for() {
        let both = json!({ "AWS": ["111111111111", "222222222222"] });
        let existing = read(&[statement("r-layer-account-111111111111", both, Value::Null)]);
        let changes = GrantChanges::between(&grants(&["111111111111"]), &existing, true);
        assert_eq!(changes.remove, existing);
        assert_eq!(changes.add[0].id, "r-layer-account-111111111111-2");
    }
}
