//! Networks, with what is in each: subnets, gateways, route tables and endpoints. Security groups.

use std::collections::{BTreeMap, BTreeSet};

use super::{Blueprint, of};
use crate::moves::{endpoint_entry, nat_address_entry, table_entry};
use declaration::{
    GatewayService, Network, NetworkPart, NetworkSource, Peer, SecurityGroup, Tier, Traffic, subnet_entry,
};
use engine::{Address as Place, Children};
use kinds::{
    Id, Kind,
    ec2::{address, endpoint, id_of, internet_gateway, nat_gateway, network, route_table, security_group, subnet},
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
        children: Children::default(),
    };
    let address = Place::of(blueprint.names().name(Kind::Network, entry));
    blueprint.add(of(Kind::Network, entry), address, settings, Vec::new());
    let settings = internet_gateway::Settings {
        network: Some(own(blueprint, Kind::Network, entry)),
        tags: blueprint.tags(entry, &declared.tags),
    };
    let address = Place::of(blueprint.names().name(Kind::InternetGateway, entry));
    blueprint.add(of(Kind::InternetGateway, entry), address, settings, vec![of(Kind::Network, entry)]);
    subnets(blueprint, entry, declared);
    if declared.has_nat() {
        nat_gateway(blueprint, entry, declared);
    }
    for tier in Tier::ALL {
        route_table(blueprint, entry, declared, tier);
    }
    for service in declared.endpoints() {
        endpoint(blueprint, entry, declared, *service);
    }
}

/// Adds a NAT gateway in the first zone, with its address. One zone is enough for most: a gateway in each would cost as much again.
fn nat_gateway(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Network) {
    let part = nat_address_entry(entry);
    let settings = address::Settings { tags: blueprint.tags(&part, &declared.tags) };
    let place = Place::of(blueprint.names().name(Kind::Address, &part));
    blueprint.add(of(Kind::Address, &part), place, settings, Vec::new());
    let subnet = subnet_entry(entry, Tier::Public, 1);
    let settings = nat_gateway::Settings {
        subnet: own(blueprint, Kind::Subnet, &subnet),
        address: own(blueprint, Kind::Address, &part),
        is_made: true,
        failure: None,
        tags: blueprint.tags(entry, &declared.tags),
    };
    // Without a way to the internet, EC2 refuses to make one.
    let after = vec![of(Kind::Subnet, subnet), of(Kind::Address, part), of(Kind::InternetGateway, entry)];
    let place = Place::of(blueprint.names().name(Kind::NatGateway, entry));
    blueprint.add(of(Kind::NatGateway, entry), place, settings, after);
}

/// Adds an endpoint, to which the subnets of both tiers have a way.
fn endpoint(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Network, service: GatewayService) {
    let part = endpoint_entry(entry, service);
    let tables = Tier::ALL.map(|tier| table_entry(entry, tier));
    let settings = endpoint::Settings {
        network: own(blueprint, Kind::Network, entry),
        service: endpoint::service(&blueprint.names().realm().region, service.word()),
        tables: tables.iter().map(|table| own(blueprint, Kind::RouteTable, table)).collect(),
        tags: blueprint.tags(&part, &declared.tags),
    };
    let mut after = vec![of(Kind::Network, entry)];
    after.extend(tables.map(|table| of(Kind::RouteTable, table)));
    let place = Place::of(blueprint.names().name(Kind::Endpoint, &part));
    blueprint.add(of(Kind::Endpoint, part), place, settings, after);
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
        let address = Place::of(blueprint.names().name(Kind::Subnet, &part));
        blueprint.add(of(Kind::Subnet, part), address, settings, vec![of(Kind::Network, entry)]);
    }
}

/// Adds the table of the subnets of a tier: from the public ones there is a way to the internet.
fn route_table(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Network, tier: Tier) {
    let part = table_entry(entry, tier);
    let way = match tier {
        Tier::Public => Some(Kind::InternetGateway),
        Tier::Private => declared.has_nat().then_some(Kind::NatGateway),
    };
    let routes = way.map(|kind| (EVERYWHERE.to_owned(), own(blueprint, kind, entry)));
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
        children: Children::default(),
    };
    let mut after = vec![of(Kind::Network, entry), of(Kind::InternetGateway, entry)];
    after.extend(way.map(|kind| of(kind, entry)));
    let mut after = super::distinct(after);
    after.extend(subnets.into_iter().map(|subnet| of(Kind::Subnet, subnet)));
    let address = Place::of(blueprint.names().name(Kind::RouteTable, &part));
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
    let address = Place::of(blueprint.names().name(Kind::SecurityGroup, entry));
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

/// Returns the ids of parts of networks, or what stands for them, and what must be there before what is in them.
pub(super) fn parts<Parts: FromIterator<String>>(
    blueprint: &Blueprint<'_>,
    kind: Kind,
    parts: &[NetworkPart],
) -> (Parts, Vec<Id>) {
    let ids = parts.iter().map(|part| match part {
        NetworkPart::Own(entry) => own(blueprint, kind, entry),
        NetworkPart::Existing(id) => id.clone(),
    });
    (ids.collect(), parts.iter().filter_map(NetworkPart::own).map(|entry| of(kind, entry)).collect())
}

/// Returns the ways out of the subnets of a tier of a network of the stack's own: what runs in it needs them from its beginning.
pub(super) fn ways(blueprint: &Blueprint<'_>, entry: &str, tier: Tier) -> Vec<Id> {
    let own = blueprint.declaration.networks.get(entry).filter(|network| network.existing().is_none());
    let of_network = |network: &Network| {
        let endpoints = network.endpoints().iter().map(|service| of(Kind::Endpoint, endpoint_entry(entry, *service)));
        let table = of(Kind::RouteTable, table_entry(entry, tier));
        endpoints.chain([table]).collect::<Vec<_>>()
    };
    own.map(of_network).unwrap_or_default()
}

/// Returns what stands for the id of one of the stack's, whether it is there or not.
fn own(blueprint: &Blueprint<'_>, kind: Kind, entry: &str) -> String {
    id_of(kind, &blueprint.names().derived(kind, entry))
}
