//! Permissions to invoke functions.
//!
//! A function's policy is not ours alone: only the statements with our prefix are. Lambda has no call that changes a
//! statement, so every change is a replacement.

use crate::identity::{Identity, Naming};
use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;

use crate::{
    Kind, Manage, Session, apigateway,
    lambda::{
        function,
        policy::{OURS, statements},
    },
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{
    OrFail,
    policy::{Effect, Statement},
};
use engine::{Address, Field, Holds, Live, Owned, Owner, immutable};
use engine::{Class, Failure};

/// Permissions of functions. Their address is the function's name and the statement's id.
#[derive(Debug)]
pub struct Permission;

/// The settings of a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Domain of the service, such as `ses.amazonaws.com`.
    pub principal: String,
    /// Action that it allows: `lambda:InvokeFunction`.
    pub action: String,
    /// Account that the service acts for: a bucket's ARN does not name one.
    pub source_account: Option<String>,
    /// ARN of the resource that the service acts for.
    pub source_arn: Option<String>,
    /// Further elements of the statement. We write none.
    pub other: Option<String>,
}

/// The service that invokes functions for the routes of APIs.
const API_GATEWAY: &str = "apigateway.amazonaws.com";
const ACCOUNT: &str = "aws:sourceaccount";
const ARN: &str = "aws:sourcearn";

impl Settings {
    /// Returns the permission of a service to invoke a function for one resource of one account.
    pub fn invoke(service: &str, account: &str, source_arn: impl Into<String>) -> Self {
        Self {
            principal: service.to_owned(),
            action: "lambda:InvokeFunction".to_owned(),
            source_account: Some(account.to_owned()),
            source_arn: Some(source_arn.into()),
            other: None,
        }
    }

    /// Returns the permission of a route of an API. Its ARN names the account, too.
    pub fn route(source_arn: impl Into<String>) -> Self {
        Self { source_account: None, ..Self::invoke(API_GATEWAY, "", source_arn) }
    }

    /// Returns the whole content of a statement: all of it is in some field.
    fn of(statement: &Statement) -> Self {
        let mut rest = statement.clone();
        let principal = only(&mut rest.principals).unwrap_or_default();
        let condition = |rest: &mut Statement, operators: &[&str], key: &str| {
            let operator = *operators.iter().find(|operator| {
                let values = rest.conditions.get(**operator).and_then(|keys| keys.get(key));
                values.is_some_and(|values| values.len() == 1)
            })?;
            let keys = rest.conditions.get_mut(operator)?;
            keys.remove(key).and_then(|values| values.into_iter().next())
        };
        let source_account = condition(&mut rest, &["StringEquals"], ACCOUNT);
        // Lambda writes `ArnLike` for both; without a wildcard they are equal.
        let source_arn = condition(&mut rest, &["ArnLike", "ArnEquals"], ARN);
        rest.conditions.retain(|_, keys| !keys.is_empty());
        Self {
            principal: principal.strip_prefix("Service:").unwrap_or(&principal).to_owned(),
            action: only(&mut rest.actions).unwrap_or_default(),
            source_account,
            source_arn,
            other: other(rest),
        }
    }
}

/// Returns the id of an API in the ARN of one of its routes, with what stands before and behind it; `None` if it is of something else.
fn api_in(arn: &str) -> Option<(&str, &str, &str)> {
    let start = arn.match_indices(':').nth(4).map(|(colon, _)| colon + 1)?;
    let (before, resource) = arn.split_at_checked(start)?;
    let length = resource.find('/')?;
    let (id, behind) = resource.split_at_checked(length)?;
    Some((before, id, behind))
}

/// Takes the one element out of a set of one.
fn only(set: &mut BTreeSet<String>) -> Option<String> {
    if set.len() == 1 { set.pop_first() } else { None }
}

/// Returns the rest of a statement; its resource is always the function.
fn other(rest: Statement) -> Option<String> {
    let is_plain = rest.effect == Effect::Allow
        && rest.principals.is_empty()
        && rest.actions.is_empty()
        && rest.conditions.is_empty()
        && rest.other.is_empty();
    let rest = Statement { resources: BTreeSet::new(), ..rest };
    // `Serialize` fails only for maps whose keys are not strings; a statement has none.
    (!is_plain).then(|| serde_json::to_string(&rest).unwrap_or_else(|error| error.to_string()))
}

/// Returns the entry of a permission: a dot ends the function's, since no name has one.
pub fn entry(function: &str, part: &str) -> String {
    format!("{function}.{part}")
}

const NO_CHANGE: &str = "Lambda cannot change a statement";

/// The identity of this kind.
pub const IDENTITY: Identity =
    Identity { naming: Naming::Part(OURS), ..Identity::implied("permission", "Permissions", 100) };

impl Manage for Permission {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        immutable("principal", NO_CHANGE),
        immutable("action", NO_CHANGE),
        immutable("source_account", NO_CHANGE),
        immutable("source_arn", NO_CHANGE),
        immutable("other", NO_CHANGE),
    ];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Function, Kind::Api];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Own(Kind::Function), &["lambda:Get*", "lambda:List*"]),
        reads(Target::Everything, &["lambda:ListFunctions"]),
        // Lambda cannot change a permission: it is created anew.
        writes(Target::Own(Kind::Function), &["lambda:AddPermission", "lambda:RemovePermission"]),
        deletes(Target::Own(Kind::Function), &["lambda:RemovePermission"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::text;
        let some = || Some(text());
        Settings { principal: text(), action: text(), source_account: some(), source_arn: some(), other: some() }
    }

    const INTERRUPTION: Option<Duration> = Some(Duration::from_secs(2));

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let statements = statements(session, address.container(), None).await?;
        // Its id is ours, in a function that is ours.
        let Some(statement) = statements.get(&address.name) else { return Ok(None) };
        let mut settings = Settings::of(statement);
        if settings.principal == API_GATEWAY
            && let Some(arn) = &mut settings.source_arn
            && let Some((before, id, behind)) = api_in(arn)
        {
            *arn = format!("{before}{}{behind}", apigateway::without_id(session, id).await?);
        }
        Ok(Some(Live { settings, owner: Owner::Ours }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let call = session.aws.write.lambda.add_permission().function_name(address.container());
        let call = call.statement_id(&address.name).principal(&desired.principal).action(&desired.action);
        let source = match &desired.source_arn {
            Some(arn) => Some(apigateway::with_id(session, arn).await?),
            None => None,
        };
        let call = call.set_source_account(desired.source_account.clone()).set_source_arn(source);
        call.send().await.or_fail("lambda.AddPermission").map(drop)
    }

    async fn update(_: &Session, address: &Address, _: &Settings, _: &Settings) -> Result<(), Failure> {
        Err(Failure::found("lambda.AddPermission", Class::Invalid, format!("{NO_CHANGE}: `{}`", address.name)))
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let call = session.aws.write.lambda.remove_permission().function_name(address.container());
        call.statement_id(&address.name).send().await.or_absent("lambda.RemovePermission").map(drop)
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let named = function::named(session).await?;
        let owned = named.iter().map(|(name, arn)| async move {
            tokio::join!(function::owned(session, name, arn), statements(session, name, None))
        });
        let mut found = Vec::new();
        for (function, statements) in futures::future::join_all(owned).await {
            let Some(function) = function?.filter(|function| function.stays.is_none()) else { continue };
            found.extend(statements?.into_keys().filter_map(|id| {
                let entry = entry(&function.entry, id.strip_prefix(OURS)?);
                Some(Owned::new(entry, Address::within(&function.address.name, id)))
            }));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws::policy::Policy;

    const RULE: &str = "arn:aws:ses:eu-west-1:123456789012:receipt-rule-set/a:receipt-rule/mail.maintenance";

    fn read(text: &str) -> Settings {
        Settings::of(Policy::from_json(text).unwrap().statements().get("mail-ses").unwrap())
    }

    fn recorded() -> String {
        // Lambda's answer after `AddPermission`.
        format!(
            r#"{{"Version":"2012-10-17","Id":"default","Statement":[{{"Sid":"mail-ses","Effect":"Allow",
            "Principal":{{"Service":"ses.amazonaws.com"}},"Action":"lambda:InvokeFunction",
            "Resource":"arn:aws:lambda:eu-west-1:123456789012:function:mail-maintenance",
            "Condition":{{"StringEquals":{{"AWS:SourceAccount":"123456789012"}},"ArnLike":{{"AWS:SourceArn":"{RULE}"}}}}}},
            {{"Sid":"theirs","Effect":"Allow","Principal":"*","Action":"lambda:*","Resource":"*"}}]}}"#
        )
    }

    #[test]
    fn the_form_of_lambda_is_equal() {
        assert_eq!(read(&recorded()), Settings::invoke("ses.amazonaws.com", "123456789012", RULE));
    }

    #[test]
    fn one_real_change_is_seen_in_its_field_alone() {
        let ours = Settings::invoke("ses.amazonaws.com", "123456789012", RULE);
        let some = |text: &str| Some(text.to_owned());
        for (from, to, changed) in [
            ("ses.amazonaws", "sns.amazonaws", Settings { principal: "sns.amazonaws.com".to_owned(), ..ours.clone() }),
            ("InvokeFunction", "GetFunction", Settings { action: "lambda:GetFunction".to_owned(), ..ours.clone() }),
            (
                "rule/mail.",
                "rule/other.",
                Settings { source_arn: some(&RULE.replace("rule/mail.", "rule/other.")), ..ours.clone() },
            ),
            (
                r#"unt":"123456789012""#,
                r#"unt":"210987654321""#,
                Settings { source_account: some("210987654321"), ..ours.clone() },
            ),
            (
                r#""StringEquals":{"AWS:SourceAccount":"123456789012"},"#,
                "",
                Settings { source_account: None, ..ours.clone() },
            ),
        ] {
            assert_eq!(read(&recorded().replacen(from, to, 1)), changed, "{from} → {to}");
        }
    }

    #[test]
    fn the_id_of_an_api_is_a_part_of_its_routes_arn() {
        let arn = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/*/POST/in/{token}";
        let (before, id, behind) = api_in(arn).unwrap();
        assert_eq!((id, behind), ("a1b2c3", "/*/POST/in/{token}"));
        assert_eq!(format!("{before}{id}{behind}"), arn);
        assert_eq!(api_in("arn:aws:sns:eu-west-1:123456789012:news"), None);
        assert_eq!(api_in("theirs"), None);
    }

    #[test]
    fn further_elements_are_kept() {
        for (from, to) in [
            ("\"Allow\"", "\"Deny\""),
            ("\"ArnLike\":{", "\"ArnLike\":{\"aws:PrincipalOrgID\":\"o-1\","),
            ("StringEquals", "StringNotEquals"),
            ("\"Service\":\"ses.amazonaws.com\"", "\"Service\":[\"a.amazonaws.com\",\"b.amazonaws.com\"]"),
            ("\"Action\"", "\"NotAction\""),
        ] {
            assert!(read(&recorded().replacen(from, to, 1)).other.is_some(), "{from} → {to}");
        }
    }
}
