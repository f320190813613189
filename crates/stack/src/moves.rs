//! Renamed entries, with everything that is made for them: a function moves with its role, its log group and its alarms.

use std::collections::BTreeMap;

use declaration::{AlarmKind, Database, Declaration, GatewayService, SILENCE, Tier, Watched, subnet_entry};
use kinds::{Kind, iam::instance_profile::OF_SERVER};

/// The entry that each resource of a renamed entry is for now, by its kind and the entry of before.
pub(crate) fn moves(declaration: &Declaration) -> BTreeMap<(Kind, String), String> {
    let mut moves = BTreeMap::new();
    for one in &declaration.moved {
        let Some(kind) = Kind::ALL.iter().find(|kind| kind.identity().section == Some(one.section)) else { continue };
        let together = match kind {
            Kind::Function => &[Kind::Function, Kind::Role, Kind::LogGroup][..],
            Kind::Api => &[Kind::Api, Kind::AccessLog],
            Kind::Database => &[Kind::Database, Kind::DatabaseSubnets],
            Kind::Cache => &[Kind::Cache, Kind::CacheSubnets],
            Kind::Network => &[Kind::Network, Kind::InternetGateway, Kind::NatGateway],
            Kind::Server => &[Kind::Server, Kind::Volume],
            kind => std::slice::from_ref(kind),
        };
        moves.extend(together.iter().map(|kind| ((*kind, one.from.clone()), one.to.clone())));
        if *kind == Kind::Database
            && let Some(database) = declaration.databases.get(&one.to)
        {
            let of = |entry: &str| parameters_entry(entry, database);
            moves.insert((Kind::DatabaseParameters, of(&one.from)), of(&one.to));
        }
        if *kind == Kind::Server {
            let role = [Kind::Role, Kind::InstanceProfile];
            let of = |entry: &str| server_role_entry(entry);
            moves.extend(role.map(|kind| ((kind, of(&one.from)), of(&one.to))));
            moves.insert((Kind::Address, server_address_entry(&one.from)), server_address_entry(&one.to));
        }
        if *kind == Kind::Network {
            moves.extend(in_network(&one.from, &one.to));
        }
        let alarms = AlarmKind::ALL.into_iter().map(AlarmKind::measure).chain([SILENCE]);
        let alarms = alarms.filter(|measure| match measure.watched {
            Watched::Function | Watched::FunctionWithFailureQueue | Watched::Receiver | Watched::Listener => {
                *kind == Kind::Function
            }
            Watched::ConfigurationSet => *kind == Kind::ConfigurationSet,
            Watched::FailureQueue | Watched::ConsumedQueue => *kind == Kind::Queue,
            Watched::Api => *kind == Kind::Api,
            Watched::Database => *kind == Kind::Database,
            Watched::Cache => *kind == Kind::Cache,
            Watched::Server => *kind == Kind::Server,
        });
        moves.extend(alarms.flat_map(|measure| {
            let nodes = if measure.watched == Watched::Cache { MOST_NODES } else { 1 };
            (1..=nodes).map(move |node| {
                let alarm = |entry: &str| node_alarm_entry(entry, measure.name, node);
                ((Kind::Alarm, alarm(&one.from)), alarm(&one.to))
            })
        }));
    }
    moves
}

/// Most availability zones of a network.
const MOST_ZONES: usize = 6;

/// Returns what moves with a network: its subnets and route tables.
fn in_network(from: &str, to: &str) -> Vec<((Kind, String), String)> {
    let of_tier = |tier: Tier| {
        let subnets = (1..=MOST_ZONES)
            .map(move |number| ((Kind::Subnet, subnet_entry(from, tier, number)), subnet_entry(to, tier, number)));
        subnets.chain([((Kind::RouteTable, table_entry(from, tier)), table_entry(to, tier))])
    };
    let endpoints = GatewayService::ALL
        .map(|service| ((Kind::Endpoint, endpoint_entry(from, service)), endpoint_entry(to, service)));
    let address = ((Kind::Address, nat_address_entry(from)), nat_address_entry(to));
    Tier::ALL.into_iter().flat_map(of_tier).chain(endpoints).chain([address]).collect()
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
