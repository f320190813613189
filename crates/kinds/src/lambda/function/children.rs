//! Children of a function: who may reach it beside its declared permissions, what feeds it, and what hangs on to it.

use std::collections::BTreeSet;

use aws_sdk_lambda::types::{
    AliasConfiguration, DeadLetterConfig, EventSourceMappingConfiguration, FunctionUrlAuthType,
};
use futures::future::try_join_all;

use super::Settings;
use crate::{
    Session,
    children::if_offered,
    lambda::{
        policy,
        sources::{Source, delete_mapping, mappings_of_others},
    },
};
use aws::{
    OrFail,
    policy::{Effect, Statement},
};
use engine::{Children, Failure};

/// Field of the function's URLs.
pub(super) const URLS: &str = "urls";
/// Field of the statements of others in its policy, and in those of its aliases and versions.
pub(super) const PERMISSIONS: &str = "permissions";
/// Field of what it is fed from.
pub(super) const MAPPINGS: &str = "mappings";
/// Field of the target of events that it failed at.
pub(super) const DEAD_LETTER: &str = "dead_letter";
/// Field of the file systems that it mounts.
pub(super) const FILE_SYSTEMS: &str = "file_systems";
/// Name of the current code, as Lambda has it.
const LATEST: &str = "$LATEST";

/// Reads the children that the function's configuration does not have.
pub(super) async fn read(session: &Session, name: &str) -> Result<Children, Failure> {
    let (urls, own, mappings, aliases, versions) = tokio::try_join!(
        urls(session, name),
        permissions(session, name, None),
        mappings_of_others(session, Source::Function(name)),
        aliases(session, name),
        versions(session, name),
    )?;
    let mut children = urls;
    children.extend(own);
    add_mappings(&mut children, mappings);
    // Each alias and each version has a policy and mappings of its own.
    let qualifiers = aliases.iter().filter_map(|alias| alias.name.as_ref()).chain(&versions);
    let of_each = qualifiers.map(|qualifier| of_qualifier(session, name, qualifier));
    for (permissions, mappings) in try_join_all(of_each).await? {
        children.extend(permissions);
        add_mappings(&mut children, mappings);
    }
    for alias in aliases {
        let version = format!("version {}", alias.function_version.unwrap_or_default());
        children.add("aliases", alias.name.unwrap_or_default(), version, false);
    }
    children.add_only("versions", (!versions.is_empty()).then(|| versions.join(", ")), false);
    Ok(children)
}

/// Reads the policy and the mappings of an alias or version.
async fn of_qualifier(
    session: &Session,
    name: &str,
    qualifier: &str,
) -> Result<(Children, Vec<EventSourceMappingConfiguration>), Failure> {
    let whole = format!("{name}:{qualifier}");
    let mappings = mappings_of_others(session, Source::Function(&whole));
    tokio::try_join!(permissions(session, name, Some(qualifier)), mappings)
}

fn add_mappings(children: &mut Children, mappings: Vec<EventSourceMappingConfiguration>) {
    for one in mappings {
        let cluster = one.self_managed_event_source.map(|_| "a cluster that is not AWS's".to_owned());
        let from = one.event_source_arn.or(cluster).unwrap_or_default();
        children.add(MAPPINGS, one.uuid.unwrap_or_default(), from, true);
    }
}

async fn urls(session: &Session, name: &str) -> Result<Children, Failure> {
    let mut pages = session.aws.read.lambda.list_function_url_configs().function_name(name).into_paginator().send();
    let mut children = Children::default();
    while let Some(page) = pages.next().await {
        let Some(page) = if_offered(page.or_fail("lambda.ListFunctionUrlConfigs"))? else { break };
        for url in page.function_url_configs {
            let qualifier = qualifier(&url.function_arn).unwrap_or(LATEST);
            let is_open = url.auth_type != FunctionUrlAuthType::AwsIam;
            children.add(URLS, qualifier, format!("{}, authentication {}", url.function_url, url.auth_type), is_open);
        }
    }
    Ok(children)
}

/// Returns the alias or version at the end of a function's ARN.
fn qualifier(arn: &str) -> Option<&str> {
    arn.split(':').nth(7)
}

/// Returns the statements that are not the stack's in the policy of a function, or of an alias or version of it.
async fn permissions(session: &Session, name: &str, qualifier: Option<&str>) -> Result<Children, Failure> {
    let mut children = Children::default();
    for (id, statement) in policy::statements(session, name, qualifier).await? {
        if qualifier.is_some() || !id.starts_with(policy::OURS) {
            let id = qualifier.map_or(id.clone(), |qualifier| format!("{qualifier}:{id}"));
            children.add(PERMISSIONS, id, in_words(&statement), opens(&statement, &session.aws.realm.account));
        }
    }
    Ok(children)
}

/// Returns a statement in words.
fn in_words(statement: &Statement) -> String {
    let listed = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
    let conditions = statement.conditions.iter().flat_map(|(of, keys)| keys.iter().map(move |key| (of, key)));
    let conditions = conditions.map(|(of, (key, values))| format!(" if {key} {of} {}", listed(values)));
    let conditions: Vec<String> = conditions.collect();
    format!("{} may {}{}", listed(&statement.principals), listed(&statement.actions), conditions.concat())
}

/// Operators of conditions that hold for the named values alone.
const CONFINING: &[&str] = &["StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"];

/// Returns `true` if a statement allows something to others than the account itself and what AWS's services do for it.
pub(crate) fn opens(statement: &Statement, account: &str) -> bool {
    let is_own = |arn: &str| arn.split(':').nth(4) == Some(account);
    let confines = |operator: &str, key: &str, values: &BTreeSet<String>| {
        let is_confining = match key {
            "aws:sourceaccount" | "aws:principalaccount" | "aws:sourceowner" => {
                values.iter().all(|value| value == account)
            }
            "aws:sourcearn" | "aws:principalarn" => values.iter().all(|value| is_own(value)),
            _ => false,
        };
        CONFINING.contains(&operator) && is_confining && !values.is_empty()
    };
    let mut conditions =
        statement.conditions.iter().flat_map(|(of, keys)| keys.iter().map(move |(key, values)| (of, key, values)));
    let is_known = |principal: &String| {
        let arn = principal.strip_prefix("AWS:").unwrap_or_default();
        arn == account || is_own(arn)
    };
    statement.effect == Effect::Allow
        && !conditions.any(|(operator, key, values)| confines(operator, key, values))
        && (statement.principals.is_empty() || !statement.principals.iter().all(is_known))
}

async fn aliases(session: &Session, name: &str) -> Result<Vec<AliasConfiguration>, Failure> {
    let mut pages = session.aws.read.lambda.list_aliases().function_name(name).into_paginator().send();
    let mut aliases = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = if_offered(page.or_fail("lambda.ListAliases"))? else { break };
        aliases.extend(page.aliases.unwrap_or_default());
    }
    Ok(aliases)
}

/// Returns the numbers of the published versions.
async fn versions(session: &Session, name: &str) -> Result<Vec<String>, Failure> {
    let mut pages = session.aws.read.lambda.list_versions_by_function().function_name(name).into_paginator().send();
    let mut versions = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = if_offered(page.or_fail("lambda.ListVersionsByFunction"))? else { break };
        versions.extend(page.versions.unwrap_or_default().into_iter().filter_map(|one| one.version));
    }
    versions.retain(|version| version != LATEST);
    Ok(versions)
}

/// Removes the children that are not desired.
pub(super) async fn remove(session: &Session, name: &str, desired: &Settings, live: &Settings) -> Result<(), Failure> {
    let (lambda, live, desired) = (&session.aws.write.lambda, &live.children, &desired.children);
    for qualifier in live.surplus(desired, URLS) {
        let qualifier = Some(qualifier).filter(|qualifier| *qualifier != LATEST).map(str::to_owned);
        let call = lambda.delete_function_url_config().function_name(name).set_qualifier(qualifier);
        call.send().await.or_absent("lambda.DeleteFunctionUrlConfig")?;
    }
    for id in live.surplus(desired, PERMISSIONS) {
        let (qualifier, id) = id.split_once(':').map_or((None, id), |(of, id)| (Some(of.to_owned()), id));
        let call = lambda.remove_permission().function_name(name).statement_id(id).set_qualifier(qualifier);
        call.send().await.or_absent("lambda.RemovePermission")?;
    }
    for uuid in live.surplus(desired, MAPPINGS) {
        delete_mapping(session, Source::Function(name), uuid).await?;
    }
    if live.has_surplus(desired, DEAD_LETTER) {
        // An empty target takes it away.
        let none = DeadLetterConfig::builder().target_arn("").build();
        let call = lambda.update_function_configuration().function_name(name).dead_letter_config(none);
        call.send().await.or_fail("lambda.UpdateFunctionConfiguration")?;
        super::settle(session, name).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "123456789012";

    fn statement() -> Statement {
        Statement::allow(
            &["lambda:InvokeFunction"],
            ["arn:aws:lambda:eu-west-1:123456789012:function:reader".to_owned()],
        )
    }

    fn by(principal: &str) -> Statement {
        let mut statement = statement();
        statement.principals.insert(principal.to_owned());
        statement
    }

    #[test]
    fn a_statement_for_the_account_alone_opens_nothing() {
        let queue = || ["arn:aws:sqs:eu-west-1:123456789012:theirs".to_owned()];
        for closed in [
            by("AWS:arn:aws:iam::123456789012:role/theirs"),
            by("AWS:arn:aws:iam::123456789012:root"),
            by("AWS:123456789012"),
            by("Service:events.amazonaws.com").when("ArnLike", "AWS:SourceArn", queue()),
            by("Service:s3.amazonaws.com").when("StringEquals", "AWS:SourceAccount", [ACCOUNT.to_owned()]),
            by("*").when("StringEquals", "aws:PrincipalAccount", [ACCOUNT.to_owned()]),
            Statement { effect: Effect::Deny, ..by("*") },
        ] {
            assert!(!opens(&closed, ACCOUNT), "{closed:?}");
        }
    }

    #[test]
    fn a_statement_for_anybody_else_opens_the_function() {
        let one = |text: &str| [text.to_owned()];
        for open in [
            by("*"),
            statement(),
            by("AWS:arn:aws:iam::210987654321:root"),
            by("AWS:210987654321"),
            by("AWS:*"),
            by("Service:sns.amazonaws.com"),
            by("Service:s3.amazonaws.com").when("ArnLike", "AWS:SourceArn", one("arn:aws:s3:::theirs")),
            by("Service:sns.amazonaws.com").when(
                "ArnLike",
                "AWS:SourceArn",
                one("arn:aws:sns:eu-west-1:210987654321:a"),
            ),
            by("*").when("StringEquals", "aws:PrincipalOrgID", one("o-1")),
            by("*").when("StringNotEquals", "aws:SourceAccount", one(ACCOUNT)),
            by("*").when("StringEquals", "lambda:FunctionUrlAuthType", one("NONE")),
        ] {
            assert!(opens(&open, ACCOUNT), "{open:?}");
        }
        let mut both = by("AWS:arn:aws:iam::123456789012:root");
        both.principals.insert("AWS:210987654321".to_owned());
        assert!(opens(&both, ACCOUNT));
    }

    #[test]
    fn the_qualifier_is_the_end_of_the_arn() {
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:reader";
        assert_eq!(qualifier(arn), None);
        assert_eq!(qualifier(&format!("{arn}:live")), Some("live"));
    }
}
