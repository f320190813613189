//! Judges a function's network: what is proved to be missing blocks, what may be missing warns.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    facts::{Form, Network},
    needs::{Need, Service},
    quoted,
    ways::{Place, Way},
};
use crate::preconditions::{Finding, Weight};
use aws::Realm;

/// A declared function in a VPC.
#[derive(Debug, Clone)]
pub(super) struct Function<'declared> {
    pub(super) entry: &'declared str,
    pub(super) declared: &'declared declaration::Function,
    /// Network of the declaration that it is in, by entry; `None` if its subnets are named.
    pub(super) network: Option<&'declared str>,
    /// Ids of its subnets; none in a network that the stack makes.
    pub(super) subnets: Vec<String>,
    /// Ids of those of its security groups that exist.
    pub(super) security_groups: Vec<String>,
    /// File and line at which its network is declared: `infra.yaml:12`.
    pub(super) place: String,
}

/// Returns what is wrong with the network of a function. Ways are judged only where its parts fit each other.
pub(super) fn judge(network: &Network, realm: &Realm, function: &Function<'_>, needs: &[Need]) -> Vec<Finding> {
    let mut findings = parts(network, realm, function);
    if findings.iter().all(|finding| finding.weight != Weight::Blocks) {
        findings.extend(needs.iter().flat_map(|need| ways(network, realm, function, need)));
    }
    for finding in &mut findings {
        finding.what = format!("{}: {}", function.place, finding.what);
    }
    findings
}

/// Checks that subnets and security groups exist, in one network, and that the subnets are in several zones.
fn parts(network: &Network, realm: &Realm, function: &Function<'_>) -> Vec<Finding> {
    let Function { entry, subnets: declared, security_groups, .. } = function;
    let missing = |kind: &str, id: &String, command: &str| {
        let what = format!(
            "{kind} `{id}` of function `{entry}` does not exist in {}, in account {}",
            realm.region, realm.account
        );
        Finding::blocks(what, format!("name one that does: `aws ec2 {command} --region {}` lists them", realm.region))
    };
    let subnets = declared.iter().filter(|id| !network.subnets.contains_key(*id));
    let groups = security_groups.iter().filter(|id| !network.groups.contains_key(*id));
    let mut findings: Vec<Finding> = subnets.map(|id| missing("subnet", id, "describe-subnets")).collect();
    findings.extend(groups.map(|id| missing("security group", id, "describe-security-groups")));
    let known = || declared.iter().filter_map(|id| Some((id, network.subnets.get(id)?)));
    let mut by_vpc: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for (id, subnet) in known() {
        by_vpc.entry(&subnet.vpc).or_default().push(id);
    }
    if by_vpc.len() > 1 {
        let each: Vec<String> = by_vpc.iter().map(|(vpc, ids)| format!("{} in `{vpc}`", quoted(ids))).collect();
        let what = format!("the subnets of function `{entry}` are in several VPCs: {}", each.join(", "));
        findings.push(Finding::blocks(what, "name subnets of one VPC"));
    } else if let Some(vpc_id) = by_vpc.keys().next() {
        for (id, group) in security_groups.iter().filter_map(|id| Some((id, network.groups.get(id)?))) {
            if group.vpc != **vpc_id {
                let what = format!(
                    "security group `{id}` of function `{entry}` is in `{}`, and its subnets are in `{vpc_id}`",
                    group.vpc
                );
                findings.push(Finding::blocks(what, "name security groups of the subnets' VPC"));
            }
        }
    }
    let zones: BTreeSet<&str> = known().map(|(_, subnet)| subnet.zone.as_str()).collect();
    let is_known = known().count() == declared.len();
    if let (1, Some(zone), true) = (zones.len(), zones.first(), is_known && declared.len() > 1) {
        let what = format!("all subnets of function `{entry}` are in {zone}: it stops when that zone does");
        findings.push(Finding::warns(what, "name subnets in different availability zones"));
    }
    findings
}

/// Judges the ways to something that a function calls: Lambda may choose any of its subnets, so that each needs one.
fn ways(network: &Network, realm: &Realm, function: &Function<'_>, need: &Need) -> Vec<Finding> {
    let mut found: BTreeMap<(Weight, String), Vec<&str>> = BTreeMap::new();
    for id in &function.subnets {
        let Some(place) = Place::of(network, id, &function.security_groups) else { continue };
        // Its owner's route tables and endpoints are not all told to others.
        if place.subnet.owner != realm.account && !place.subnet.owner.is_empty() {
            continue;
        }
        if let Some(lack) = lack(place, need) {
            found.entry(lack).or_default().push(id);
        }
    }
    let finding = |((weight, reason), subnets): ((Weight, String), Vec<&str>)| {
        let (entry, verb) = (function.entry, if weight == Weight::Blocks { "does not reach" } else { "may not reach" });
        let what = format!("function `{entry}` {verb} {} from {}: {reason}", name(need), quoted(&subnets));
        Finding { weight, what, todo: todo(network, realm, need, &subnets) }
    };
    found.into_iter().map(finding).collect()
}

/// Returns why something may not be reached from a place, and how sure that is; `None` if there is no reason to doubt it.
fn lack(place: Place<'_>, need: &Need) -> Option<(Weight, String)> {
    match need {
        Need::Service(service) => match place.to_service(*service) {
            Way::Open => None,
            Way::Doubtful(reason) => Some((Weight::Warns, reason)),
            Way::Closed(reason) => Some((Weight::Blocks, reason)),
        },
        Need::Server { host, port, addresses, .. } => {
            if let Some(reason) = place.is_shut(*port) {
                // It may be the address of a page that nobody calls.
                return Some((Weight::Warns, reason));
            }
            let reasons = addresses.iter().map(|address| match place.to_address(*address, *port) {
                Way::Closed(reason) => Some(reason),
                Way::Open | Way::Doubtful(_) => None,
            });
            // One way suffices. Without any address nothing is known.
            let reason = reasons.collect::<Option<Vec<_>>>()?.into_iter().next()?;
            if super::block::address(host).is_some() {
                return Some((Weight::Blocks, reason));
            }
            // In the network the name may lead to another address than here.
            Some((Weight::Warns, format!("{reason}, to which the name leads here")))
        }
    }
}

fn name(need: &Need) -> String {
    match need {
        Need::Service(service) => service.title.to_owned(),
        Need::Server { variable, host, .. } => format!("`{host}` (`{variable}`)"),
    }
}

/// Returns what to do about a lack.
fn todo(network: &Network, realm: &Realm, need: &Need, subnets: &[&str]) -> String {
    match need {
        Need::Server { port, .. } => {
            format!(
                "give the subnets a route there, such as a NAT gateway, and the security groups a rule that lets port {port} out"
            )
        }
        Need::Service(service) => of_service(network, realm, *service, subnets),
    }
}

fn of_service(network: &Network, realm: &Realm, service: Service, subnets: &[&str]) -> String {
    let endpoint = format!("`com.amazonaws.{}.{}`", realm.region, service.name);
    let has_interface = network.endpoints.iter().any(|one| one.service == service.name && one.form != Form::Gateway);
    if has_interface {
        return format!(
            "let port 443 out of the function's security groups and into those of the endpoint {endpoint}, and give it private DNS"
        );
    }
    let tables: BTreeSet<&str> =
        subnets.iter().filter_map(|id| Some(Place::of(network, id, &[])?.table?.id.as_str())).collect();
    let tables: Vec<&str> = tables.into_iter().collect();
    let way = if service.has_gateway {
        format!("add a gateway endpoint {endpoint} to {} (it costs nothing)", quoted(&tables))
    } else {
        format!("add an interface endpoint {endpoint} with private DNS to the VPC")
    };
    format!("{way}, or a route to a NAT gateway; let port 443 out of the function's security groups")
}
