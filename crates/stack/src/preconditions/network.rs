//! Checks that functions in a VPC reach what they use: their subnets and security groups exist and fit each other, and each subnet has a
//! way to every service and server that a function calls.
//!
//! A lack is told as an error only where it is proved: by the routes, endpoints and security groups that AWS tells. What lies behind a
//! NAT gateway, a transit gateway, a peering or an appliance is not known from here, and is not doubted; neither are network ACLs and
//! policies of endpoints. KMS is in no list: the services that encrypt call it themselves.

mod block;
mod facts;
mod judge;
mod needs;
mod own;
mod ways;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, path::Path};

use futures::future::join_all;

use self::{
    facts::{Endpoint, Group, Network, Subnet, Table},
    judge::Function,
    needs::Need,
};
use super::{Dns, Finding};
use aws::query::{Call, Client, Element};
use declaration::{Declaration, NetworkPart};
use engine::Failure;
use kinds::Session;

/// Reads that the check makes; none of them has a resource level.
pub(super) const ACTIONS: &[&str] =
    &["ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcEndpoints"];

/// Checks the networks of all functions that are in one. `file` is the declaration's, for the places in messages.
pub(super) async fn check(session: &Session, declaration: &Declaration, file: &Path, dns: &Dns) -> Vec<Finding> {
    let (own, functions): (Vec<_>, Vec<_>) =
        functions(declaration, file).into_iter().partition(|function| function.subnets.is_empty());
    let mut findings = Vec::new();
    for function in own {
        let needs = join_all(needs::of(function.declared).into_iter().map(|need| resolved(need, dns))).await;
        findings.extend(own::judge(declaration, &function, &needs));
    }
    if functions.is_empty() {
        return findings;
    }
    let needs = functions.iter().map(|function| async {
        let needs = needs::of(function.declared);
        join_all(needs.into_iter().map(|need| resolved(need, dns))).await
    });
    let (network, needs) = tokio::join!(Box::pin(read(&session.aws.read.ec2, &functions)), join_all(needs));
    match network {
        Ok(network) => {
            let judged = functions.iter().zip(&needs);
            let judged =
                judged.flat_map(|(function, needs)| judge::judge(&network, &session.aws.realm, function, needs));
            findings.extend(judged);
        }
        Err(failure) => {
            let what = format!("whether functions reach what they use from their VPC is not known: {failure}");
            findings.push(Finding::warns(what, format!("allow {}", quoted(ACTIONS))));
        }
    }
    findings
}

/// Returns the declared functions in a VPC.
fn functions<'declared>(declaration: &'declared Declaration, file: &Path) -> Vec<Function<'declared>> {
    let in_vpc =
        declaration.functions.iter().filter_map(|(entry, declared)| Some((entry, declared, declared.vpc.as_ref()?)));
    let function = |(entry, declared, vpc): (&'declared String, _, &'declared declaration::Vpc)| {
        let place = format!("{}:{}", file.display(), vpc.line);
        let ids = |parts: &[NetworkPart]| parts.iter().filter_map(NetworkPart::existing).map(str::to_owned).collect();
        Function {
            entry,
            declared,
            network: vpc.network.as_deref(),
            subnets: ids(&vpc.subnets),
            security_groups: ids(&vpc.security_groups),
            place,
        }
    };
    in_vpc.map(function).collect()
}

/// Looks up the addresses of a server that is named. Where they cannot be looked up, none is known.
async fn resolved(need: Need, dns: &Dns) -> Need {
    match need {
        Need::Server { variable, host, port, .. } if block::address(&host).is_none() => {
            let addresses = dns.addresses(&host).await.unwrap_or_default();
            Need::Server { variable, host, port, addresses }
        }
        need => need,
    }
}

/// Reads what AWS tells of the functions' networks, in three rounds: each needs the ids of the one before it.
async fn read(ec2: &Client, functions: &[Function<'_>]) -> Result<Network, Failure> {
    let of = |ids: fn(&Function<'_>) -> Vec<String>| -> BTreeSet<String> { functions.iter().flat_map(ids).collect() };
    let (subnets, groups) = tokio::try_join!(
        described(ec2, "DescribeSubnets", ("subnet-id", of(|function| function.subnets.clone())), "subnetSet"),
        described(
            ec2,
            "DescribeSecurityGroups",
            ("group-id", of(|function| function.security_groups.clone())),
            "securityGroupInfo"
        ),
    )?;
    let mut network = Network {
        subnets: subnets.iter().map(Subnet::read).collect(),
        groups: groups.iter().map(Group::read).collect(),
        ..Network::default()
    };
    let networks: BTreeSet<String> = network.subnets.values().map(|subnet| subnet.vpc.clone()).collect();
    let (tables, endpoints) = tokio::try_join!(
        described(ec2, "DescribeRouteTables", ("vpc-id", networks.clone()), "routeTableSet"),
        described(ec2, "DescribeVpcEndpoints", ("vpc-id", networks), "vpcEndpointSet"),
    )?;
    network.tables = tables.iter().map(Table::read).collect();
    network.endpoints = endpoints.iter().map(Endpoint::read).collect();
    let further: BTreeSet<String> = network
        .endpoints
        .iter()
        .flat_map(|endpoint| &endpoint.groups)
        .filter(|id| !network.groups.contains_key(*id))
        .cloned()
        .collect();
    let further = described(ec2, "DescribeSecurityGroups", ("group-id", further), "securityGroupInfo").await?;
    network.groups.extend(further.iter().map(Group::read));
    Ok(network)
}

/// Values of a filter that EC2 takes at most.
const MOST_VALUES: usize = 200;

/// Returns what an action tells of everything that has one of these values.
async fn described(
    ec2: &Client,
    action: &'static str,
    (filter, values): (&str, BTreeSet<String>),
    list: &str,
) -> Result<Vec<Element>, Failure> {
    let values: Vec<String> = values.into_iter().collect();
    let calls = values.chunks(MOST_VALUES).map(|values| ec2.pages(Call::new(action).filter(filter, values), list));
    Ok(futures::future::try_join_all(calls).await?.into_iter().flatten().collect())
}

/// Returns words as a list: `a`, `b` and `c`.
fn quoted(words: &[impl AsRef<str>]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
