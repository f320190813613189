//! Network interfaces that Lambda makes in a VPC, by the rights of a function's role, and takes away by them: a role that goes earlier
//! leaves its interfaces for ever, and with them nobody can delete the subnets and security groups.
//!
//! Lambda takes them away up to 45 minutes after the function has left the network. It shares them among the functions with the same
//! subnet and security groups, and names them after the one that came first.

use std::collections::BTreeSet;

use crate::{FUNCTION_TAG, Kind, Session};
use aws::{OrFail, policy::Policy, query::Call};
use engine::{Class, ENTRY_TAG, Failure, Tags};

use super::function;

/// Beginning of the description of each interface, before the function's name and a UUID.
const DESCRIPTION: &str = "AWS Lambda VPC ENI-";
/// Length of a UUID.
const UUID: usize = 36;
/// Right without which Lambda takes no interface away.
const RIGHT: &str = "ec2:DeleteNetworkInterface";

/// An interface in one subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Interface {
    id: String,
    subnet: String,
    groups: BTreeSet<String>,
    /// `true` if nothing uses it: it is a leftover.
    is_free: bool,
}

/// Returns `true` if policies let Lambda take interfaces away.
pub(crate) fn are_deleted_by<'policy>(policies: impl IntoIterator<Item = &'policy Policy>) -> bool {
    let mut statements = policies.into_iter().flat_map(|policy| policy.statements().values());
    statements.any(|statement| statement.actions.iter().any(|action| action.eq_ignore_ascii_case(RIGHT)))
}

/// Fails, for another attempt, as long as an interface is there that Lambda takes away by the rights of a role with these tags.
pub(crate) async fn ensure_gone(session: &Session, tags: &Tags) -> Result<(), Failure> {
    let Some(entry) = tags.get(ENTRY_TAG) else { return Ok(()) };
    let named = session.tagged.entries().find(|(kind, of, _)| *kind == Kind::Function && of == entry);
    let name = match (named, tags.get(FUNCTION_TAG)) {
        (Some((_, _, name)), _) => name.to_owned(),
        // An earlier run has deleted it.
        (None, Some(name)) => name.clone(),
        (None, None) => function::IDENTITY.name_of(&session.stack, "", entry),
    };
    let mut left = of_function(session, &name).await?;
    if left.is_empty() {
        return Ok(());
    }
    let others = others(session, &name).await?;
    left.retain(|interface| {
        !others.iter().any(|(subnets, groups)| subnets.contains(&interface.subnet) && *groups == interface.groups)
    });
    for interface in left.iter().filter(|interface| interface.is_free) {
        let call = Call::new("DeleteNetworkInterface").with("NetworkInterfaceId", &interface.id);
        match session.aws.write.ec2.call(&call).await {
            Err(failure) if failure.class != Class::NotFound => return Err(failure),
            _ => {}
        }
    }
    let used: Vec<&str> = left.iter().filter(|one| !one.is_free).map(|one| one.id.as_str()).collect();
    if used.is_empty() {
        return Ok(());
    }
    let words = format!(
        "the network interfaces of function `{name}` are still there, and AWS needs the role to take them away, which may take 45 minutes: {}; run it again",
        used.join(", ")
    );
    Err(Failure::found("ec2.DescribeNetworkInterfaces", Class::InProgress, words))
}

/// Returns the interfaces that have a function's name.
async fn of_function(session: &Session, name: &str) -> Result<Vec<Interface>, Failure> {
    let beginning = format!("{DESCRIPTION}{name}-");
    let call = Call::new("DescribeNetworkInterfaces").filter("description", [format!("{beginning}*")]);
    let found = session.aws.read.ec2.pages(call, "networkInterfaceSet").await?;
    // The name of another function may begin with this one's.
    let is_of = |description: &str| description.strip_prefix(&beginning).is_some_and(|rest| rest.len() == UUID);
    let interfaces = found.iter().filter(|one| is_of(one.text("description"))).map(|one| Interface {
        id: one.text("networkInterfaceId").to_owned(),
        subnet: one.text("subnetId").to_owned(),
        groups: one.texts("groupSet", "groupId").collect(),
        is_free: one.text("status") == "available",
    });
    Ok(interfaces.collect())
}

/// Returns subnets and security groups of all other functions of the account.
async fn others(session: &Session, name: &str) -> Result<Vec<(Vec<String>, BTreeSet<String>)>, Failure> {
    let mut pages = session.aws.read.lambda.list_functions().into_paginator().send();
    let mut networks = Vec::new();
    while let Some(page) = pages.next().await {
        let functions = page.or_fail("lambda.ListFunctions")?.functions.unwrap_or_default();
        let others = functions.into_iter().filter(|one| one.function_name.as_deref() != Some(name));
        networks.extend(others.filter_map(|one| one.vpc_config).map(|network| {
            let groups = network.security_group_ids.unwrap_or_default().into_iter().collect();
            (network.subnet_ids.unwrap_or_default(), groups)
        }));
    }
    Ok(networks)
}
