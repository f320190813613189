//! Networks, with what is in each: subnets, an internet gateway and route tables. Security groups.

use std::collections::{BTreeMap, BTreeSet};

use super::{Blueprint, of};
use crate::moves::{subnet_entry, table_entry};
use declaration::{Network, NetworkSource, Peer, SecurityGroup, Tier, Traffic};
use engine::Address;
use kinds::{
    Id, Kind,
    ec2::{id_of, internet_gateway, network, route_table, security_group, subnet},
};

/// The range of every address.
const EVERYWHERE: &str = "0.0.0.0/0";

pub(super) fn add(blueprint: &mut Blueprint<'_>) {
    let declaration = blueprint.declaration;
    for (entry, declared) in &declaration.networks {
        network(blueprint, entry, declared);
    }
    for (entry, declared) in &declaration.security_groups {
        security_group(blueprint, entry, declared);
    }
}

fn network(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Network) {
    let NetworkSource::Created { range, .. } = &declared.source else { return };
    let settings = network::Settings {
        range: range.to_string(),
        dns: true,
        dns_names: true,
        tags: blueprint.tags(entry, &declared.tags),
    };
    let address = Address::of(blueprint.names().name(Kind::Network, entry));
    blueprint.add(of(Kind::Network, entry), address, settings, Vec::new());
    let settings = internet_gateway::Settings {
        network: Some(own(blueprint, Kind::Network, entry)),
        tags: blueprint.tags(entry, &declared.tags),
    };
    let address = Address::of(blueprint.names().name(Kind::InternetGateway, entry));
    blueprint.add(of(Kind::InternetGateway, entry), address, settings, vec![of(Kind::Network, entry)]);
    subnets(blueprint, entry, declared);
    for tier in Tier::ALL {
        route_table(blueprint, entry, declared, tier);
    }
}

fn subnets(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Network) {
    for (tier, number, range) in declared.subnets() {
        let part = subnet_entry(entry, tier, number);
        let settings = subnet::Settings {
            network: own(blueprint, Kind::Network, entry),
            range: range.to_string(),
            zone: None,
            number,
            public_addresses: false,
            tags: blueprint.tags(&part, &declared.tags),
        };
        let address = Address::of(blueprint.names().name(Kind::Subnet, &part));
        blueprint.add(of(Kind::Subnet, part), address, settings, vec![of(Kind::Network, entry)]);
    }
}

/// Adds the table of the subnets of a tier: from the public ones there is a way to the internet.
fn route_table(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Network, tier: Tier) {
    let part = table_entry(entry, tier);
    let gateway = own(blueprint, Kind::InternetGateway, entry);
    let routes = (tier == Tier::Public).then(|| (EVERYWHERE.to_owned(), gateway));
    let subnets: Vec<String> = declared
        .subnets()
        .into_iter()
        .filter(|(of, ..)| *of == tier)
        .map(|(tier, number, _)| subnet_entry(entry, tier, number))
        .collect();
    let settings = route_table::Settings {
        network: own(blueprint, Kind::Network, entry),
        routes: BTreeMap::from_iter(routes),
        subnets: subnets.iter().map(|subnet| own(blueprint, Kind::Subnet, subnet)).collect(),
        tags: blueprint.tags(&part, &declared.tags),
    };
    let mut after = vec![of(Kind::Network, entry), of(Kind::InternetGateway, entry)];
    after.extend(subnets.into_iter().map(|subnet| of(Kind::Subnet, subnet)));
    let address = Address::of(blueprint.names().name(Kind::RouteTable, &part));
    blueprint.add(of(Kind::RouteTable, part), address, settings, after);
}

fn security_group(blueprint: &mut Blueprint<'_>, entry: &str, declared: &SecurityGroup) {
    let declaration = blueprint.declaration;
    let existing = declaration.networks.get(&declared.network).and_then(Network::existing);
    let network = existing.map_or_else(|| own(blueprint, Kind::Network, &declared.network), str::to_owned);
    let rules = |traffic: &[Traffic]| -> BTreeSet<String> { traffic.iter().map(|one| rule(blueprint, one)).collect() };
    let everybody = || BTreeSet::from([security_group::TO_EVERYBODY.to_owned()]);
    let settings = security_group::Settings {
        network,
        ingress: rules(&declared.ingress),
        egress: declared.egress.as_ref().map_or_else(everybody, |traffic| rules(traffic)),
        tags: blueprint.tags(entry, &declared.tags),
    };
    let mut after: Vec<Id> = declared.peers(entry).map(|peer| of(Kind::SecurityGroup, peer)).collect();
    after.extend(existing.is_none().then(|| of(Kind::Network, &declared.network)));
    let address = Address::of(blueprint.names().name(Kind::SecurityGroup, entry));
    blueprint.add(of(Kind::SecurityGroup, entry), address, settings, super::distinct(after));
}

fn rule(blueprint: &Blueprint<'_>, traffic: &Traffic) -> String {
    let (first, last) = traffic.ports;
    let peer = match &traffic.peer {
        Peer::Group(group) => own(blueprint, Kind::SecurityGroup, group),
        other => other.to_string(),
    };
    security_group::rule(traffic.protocol.word(), Some((first.into(), last.into())), &peer)
}

/// Returns what stands for the id of one of the stack's, whether it is there or not.
fn own(blueprint: &Blueprint<'_>, kind: Kind, entry: &str) -> String {
    id_of(kind, &blueprint.names().derived(kind, entry))
}
