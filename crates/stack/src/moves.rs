//! Renamed entries, with everything that is made for them: a function moves with its role, its log group and its alarms.

use std::collections::BTreeMap;

use declaration::{AlarmKind, Database, Declaration, GatewayService, SILENCE, Tier, Watched, subnet_entry};
use kinds::{Kind, iam::instance_profile::OF_SERVER};

/// Returns the entry that each resource of a renamed entry is for now, by its kind and the entry of before.
pub(crate) fn moves(declaration: &Declaration) -> BTreeMap<(Kind, String), String> {
    let of_section = |section: &str| Kind::ALL.iter().find(|kind| kind.identity().section == Some(section));
    let renamed = declaration.moved.iter().filter_map(|one| Some((*of_section(one.section)?, one)));
    let moves = renamed.flat_map(|(kind, one)| {
        let resources = |entry: &str| made_for(kind, entry, declaration.databases.get(&one.to));
        resources(&one.from).into_iter().zip(resources(&one.to)).map(|(from, (_, to))| (from, to))
    });
    moves.collect()
}

/// Returns all resources that are made for an entry of a kind, in the same order whatever the entry is called. `database` is the declared
/// one, of an entry that is one.
fn made_for(kind: Kind, entry: &str, database: Option<&Database>) -> Vec<(Kind, String)> {
    let same_name = match kind {
        Kind::Function => &[Kind::Function, Kind::Role, Kind::LogGroup][..],
        Kind::Api => &[Kind::Api, Kind::AccessLog],
        Kind::Database => &[Kind::Database, Kind::DatabaseSubnets],
        Kind::Cache => &[Kind::Cache, Kind::CacheSubnets],
        Kind::Network => &[Kind::Network, Kind::InternetGateway, Kind::NatGateway],
        Kind::Server => &[Kind::Server, Kind::Volume],
        _ => std::slice::from_ref(&kind),
    };
    let mut resources: Vec<_> = same_name.iter().map(|kind| (*kind, entry.to_owned())).collect();
    match kind {
        Kind::Database => {
            resources.extend(database.map(|one| (Kind::DatabaseParameters, parameters_entry(entry, one))));
        }
        Kind::Server => resources.extend([
            (Kind::Role, server_role_entry(entry)),
            (Kind::InstanceProfile, server_role_entry(entry)),
            (Kind::Address, server_address_entry(entry)),
        ]),
        Kind::Network => resources.extend(in_network(entry)),
        _ => {}
    }
    resources.extend(alarms_on(kind, entry));
    resources
}

/// Returns every alarm that there may be on an entry of a kind.
fn alarms_on(kind: Kind, entry: &str) -> impl Iterator<Item = (Kind, String)> {
    let measures = AlarmKind::ALL.into_iter().map(AlarmKind::measure).chain([SILENCE]);
    measures.filter(move |measure| kind_of(measure.watched) == kind).flat_map(move |measure| {
        let nodes = if kind == Kind::Cache { MOST_NODES } else { 1 };
        (1..=nodes).map(move |node| (Kind::Alarm, node_alarm_entry(entry, measure.name, node)))
    })
}

/// Returns the kind of what an alarm watches.
fn kind_of(watched: Watched) -> Kind {
    match watched {
        Watched::Function | Watched::FunctionWithFailureQueue | Watched::Receiver | Watched::Listener => Kind::Function,
        Watched::FailureQueue | Watched::ConsumedQueue => Kind::Queue,
        Watched::ConfigurationSet => Kind::ConfigurationSet,
        Watched::Api => Kind::Api,
        Watched::Database => Kind::Database,
        Watched::Cache => Kind::Cache,
        Watched::Server => Kind::Server,
    }
}

/// Most availability zones of a network.
const MOST_ZONES: usize = 6;

/// Returns what is made in a network, and named after it: its subnets and route tables, and its ways out.
fn in_network(entry: &str) -> impl Iterator<Item = (Kind, String)> {
    let of_tier = move |tier: Tier| {
        let subnets = (1..=MOST_ZONES).map(move |number| (Kind::Subnet, subnet_entry(entry, tier, number)));
        subnets.chain([(Kind::RouteTable, table_entry(entry, tier))])
    };
    let endpoints = GatewayService::ALL.map(|service| (Kind::Endpoint, endpoint_entry(entry, service)));
    Tier::ALL.into_iter().flat_map(of_tier).chain(endpoints).chain([(Kind::Address, nat_address_entry(entry))])
}

/// Returns the entry of an alarm on a function or a queue.
pub(crate) fn alarm_entry(watched: &str, measure: &str) -> String {
    format!("{watched}-{measure}")
}

/// Returns the entry of the parameters of a database. What they are for is in their name: RDS cannot change that, and a group that is used
/// cannot be replaced.
pub(crate) fn parameters_entry(entry: &str, database: &Database) -> String {
    format!("{entry}-{}", database.family().replace('.', "-"))
}

/// Returns the entry of the role and the profile of a server: a function may have the same name.
pub(crate) fn server_role_entry(server: &str) -> String {
    format!("{server}{OF_SERVER}")
}

/// Returns the entry of the public address of a server.
pub(crate) fn server_address_entry(server: &str) -> String {
    format!("{server}-address")
}

/// Returns the entry of the address of a network's NAT gateway.
pub(crate) fn nat_address_entry(network: &str) -> String {
    format!("{network}-nat")
}

/// Returns the entry of an endpoint of a network.
pub(crate) fn endpoint_entry(network: &str, service: GatewayService) -> String {
    format!("{network}-{}", service.word())
}

/// Most nodes of a cache.
const MOST_NODES: u32 = 6;

/// Returns the entry of an alarm on a node of a cache: the first is 1.
pub(crate) fn node_alarm_entry(watched: &str, measure: &str, node: u32) -> String {
    let alarm = alarm_entry(watched, measure);
    if node == 1 { alarm } else { format!("{alarm}-{node}") }
}

/// Returns the entry of the route table of a tier of a network.
pub(crate) fn table_entry(network: &str, tier: Tier) -> String {
    format!("{network}-{}", tier.word())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Kinds that are neither entries nor made for one under its name, with the reason why nothing of them moves.
    const STAY: &[(Kind, &str)] = &[
        (Kind::BucketStatement, "named by a bucket of others and a rule"),
        (Kind::EventInvoke, "a part of its function, which moves"),
        (Kind::Mapping, "named by its function and its queue in AWS, which stay"),
        (
            Kind::Permission,
            "named by what invokes its function in AWS, which stays; that of a route is made anew before the old one goes",
        ),
        (Kind::Subscription, "named by its topic and its endpoint in AWS, which stay"),
        (Kind::KafkaTopic, "a part of its cluster, under its own name"),
        (Kind::ReceiptRuleSet, "one for a stack"),
        (Kind::ReceiptOrder, "one for a stack"),
        (Kind::Activation, "one for a stack"),
        (Kind::Feedback, "named by an identity that is not the stack's"),
        // Their entries have no tags, by which alone something stays under another name.
        (Kind::ReceiptRule, "known by its name alone"),
        (Kind::ReceiptFilter, "known by its name alone"),
    ];

    #[test]
    fn every_kind_moves_with_an_entry_or_is_known_to_stay() {
        let entries = declaration::sections();
        let is_entry = |kind: &Kind| kind.identity().section.is_some_and(|section| entries.contains(&section));
        let database = Database::default();
        let moved: BTreeSet<Kind> = Kind::ALL
            .iter()
            .filter(|kind| is_entry(kind))
            .flat_map(|kind| made_for(*kind, "entry", Some(&database)))
            .map(|(kind, _)| kind)
            .collect();
        for kind in Kind::ALL {
            let stays = STAY.iter().any(|(known, _)| known == kind);
            assert_ne!(moved.contains(kind), stays, "{kind:?}");
        }
    }
}
