//! Servers, each with a role, a profile, and its disk and address where it has some.

use super::{Blueprint, first_start, function, network, of, rights, sending};
use crate::{
    moves::{server_address_entry, server_role_entry},
    names::Names,
};
use declaration::{Function, NetworkPart, PublicAddress, Server};
use engine::{Address as Place, Children};
use kinds::{
    Id, Input, Kind,
    ec2::{address, id_of, volume},
    iam::{instance_profile, role},
    s3::{artifacts, bucket},
    server,
};

pub(super) fn add(blueprint: &mut Blueprint<'_>) {
    let declaration = blueprint.declaration;
    for (entry, declared) in &declaration.servers {
        let mut after = vec![role(blueprint, entry, declared)];
        after.extend(address(blueprint, entry, declared));
        after.extend(volume(blueprint, entry, declared));
        after.extend(of_worker(blueprint, entry, declared));
        server(blueprint, entry, declared, after);
    }
}

/// Adds the role and its profile, after everything that its policy names.
fn role(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Server) -> Id {
    let part = server_role_entry(entry);
    let settings = role::Settings {
        path: role::path(blueprint.names().stack()),
        trust: rights::trust_of_servers(),
        policies: rights::server_policies(blueprint, declared),
        permissions_boundary: blueprint.declaration.permissions_boundary.clone(),
        tags: blueprint.tags(&part, &declared.tags),
        ..role::Settings::default()
    };
    let queues = declared.receives.iter().chain(&declared.sends).map(|queue| of(Kind::Queue, queue));
    let topics = declared.publishes.iter().chain(&declared.login_alerts).map(|topic| of(Kind::Topic, topic));
    let of_function = worker(blueprint, declared).map(|(_, function)| function::referred(blueprint, function));
    let after = super::distinct(queues.chain(topics).chain(of_function.into_iter().flatten()).collect());
    let name = blueprint.names().name(Kind::Role, &part);
    blueprint.add(of(Kind::Role, &part), Place::of(&name), settings, after);
    let settings = instance_profile::Settings {
        path: role::path(blueprint.names().stack()),
        role: Some(name),
        tags: blueprint.tags(&part, &declared.tags),
    };
    let place = Place::of(blueprint.names().name(Kind::InstanceProfile, &part));
    blueprint.add(of(Kind::InstanceProfile, &part), place, settings, vec![of(Kind::Role, &part)]);
    of(Kind::InstanceProfile, part)
}

fn address(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Server) -> Option<Id> {
    if declared.address != PublicAddress::Own {
        return None;
    }
    let part = server_address_entry(entry);
    let settings = address::Settings { tags: blueprint.tags(&part, &declared.tags) };
    let place = Place::of(blueprint.names().name(Kind::Address, &part));
    blueprint.add(of(Kind::Address, &part), place, settings, Vec::new());
    Some(of(Kind::Address, part))
}

fn volume(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Server) -> Option<Id> {
    let disk = declared.volume.as_ref()?;
    let (subnet, after) = subnet(blueprint, declared);
    let settings = volume::Settings {
        zone: volume::zone_of(&subnet),
        subnet: Input(subnet),
        beside: Input::default(),
        state: Input::default(),
        size: disk.size,
        disk_type: volume::GP3.to_owned(),
        is_encrypted: true,
        kms_key: blueprint.declaration.kms_key(declared.kms_key.as_ref()),
        tags: blueprint.protected_tags(Kind::Volume, entry, &declared.tags, declared.protect),
    };
    let place = Place::of(blueprint.names().name(Kind::Volume, entry));
    blueprint.add(of(Kind::Volume, entry), place, settings, after);
    Some(of(Kind::Volume, entry))
}

/// Returns the function that a server runs, with its entry.
fn worker<'given>(blueprint: &Blueprint<'given>, declared: &Server) -> Option<(&'given String, &'given Function)> {
    blueprint.declaration.functions.get_key_value(declared.runs.as_ref()?)
}

/// Returns what must be there before a server that runs a function. Servers of one function change one after the other, so that one of
/// them always takes from its queue.
fn of_worker(blueprint: &Blueprint<'_>, entry: &str, declared: &Server) -> Vec<Id> {
    let Some((function, of_function)) = worker(blueprint, declared) else { return Vec::new() };
    let runners = blueprint.declaration.runners(function).map(|(server, _)| server);
    let before = runners.take_while(|server| *server != entry).last().map(|server| of(Kind::Server, server));
    let parts = [of(Kind::Bucket, bucket::ARTIFACTS), of(Kind::LogGroup, function)];
    parts.into_iter().chain(before).chain(sending::clusters_of(blueprint, of_function)).collect()
}

/// Returns what a server is told of the function that it runs; empty if it runs none.
fn told(blueprint: &Blueprint<'_>, declared: &Server) -> server::Worker {
    let Some((entry, function)) = worker(blueprint, declared) else { return server::Worker::new() };
    let names = blueprint.names();
    let code = blueprint.given.code.get(entry).cloned().unwrap_or_default();
    let queue = function.consumes.as_ref().map(|consumes| names.queue_url(&names.name(Kind::Queue, &consumes.queue)));
    let told = [
        ("function", entry.clone()),
        ("key", artifacts::worker_key(&code)),
        ("code_sha256", code),
        ("bucket", names.artifacts()),
        ("owner", names.account().to_owned()),
        ("region", names.realm().region.clone()),
        ("queue", queue.unwrap_or_default()),
        ("log_group", names.name(Kind::LogGroup, entry)),
        ("context", function::context(blueprint, entry)),
    ];
    let variables = function.environment.iter().map(|(name, value)| (format!("environment.{name}"), value.clone()));
    told.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(variables).collect()
}

/// Returns the subnet of a server, and what must be there before. A zone that the network does not have is refused before.
fn subnet(blueprint: &Blueprint<'_>, declared: &Server) -> (String, Vec<Id>) {
    let network = blueprint.declaration.networks.get(&declared.network);
    let subnets = network.map(|network| network.parts(&declared.network, declared.tier())).unwrap_or_default();
    let of_zone: Vec<NetworkPart> = subnets.into_iter().skip(declared.zone.saturating_sub(1)).take(1).collect();
    let (subnets, after): (Vec<String>, _) = network::parts(blueprint, Kind::Subnet, &of_zone);
    (subnets.into_iter().next().unwrap_or_default(), after)
}

/// Returns the id of a server's public address, or what stands for it.
fn public_address(names: &Names, entry: &str, declared: &Server) -> Option<String> {
    match &declared.address {
        PublicAddress::None => None,
        PublicAddress::Own => Some(id_of(Kind::Address, &names.derived(Kind::Address, &server_address_entry(entry)))),
        PublicAddress::Existing(id) => Some(id.clone()),
    }
}

fn server(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Server, mut after: Vec<Id>) {
    let names = blueprint.names();
    let (subnet, of_subnet) = subnet(blueprint, declared);
    let (security_groups, groups) = network::parts(blueprint, Kind::SecurityGroup, &declared.security_groups);
    after.extend(of_subnet.into_iter().chain(groups));
    let address = public_address(names, entry, declared);
    after.extend(network::ways(blueprint, &declared.network, declared.tier()));
    let topic = declared.login_alerts.as_ref().map(|topic| names.arn(Kind::Topic, topic));
    let script = first_start::script(declared.volume.as_ref(), topic.as_deref(), &names.realm().region);
    let settings = server::Settings {
        image: Input(declared.image.clone()),
        disk: Input(declared.disk),
        prepares: server::prepared(&script),
        worker: told(blueprint, declared),
        architecture: declared.architecture().to_owned(),
        first_start: Input(script),
        machine: declared.machine.clone(),
        subnet,
        security_groups,
        key: declared.key.clone(),
        profile: Some(names.name(Kind::InstanceProfile, &server_role_entry(entry))),
        needs_token: true,
        deletion_protection: declared.deletion_protection,
        volume: declared.volume.as_ref().map(|_| id_of(Kind::Volume, &names.derived(Kind::Volume, entry))),
        address,
        is_running: true,
        state: Input::default(),
        // What AWS refuses to delete goes by name alone.
        tags: blueprint.protected_tags(
            Kind::Server,
            entry,
            &declared.tags,
            declared.deletion_protection.then_some(true),
        ),
        children: Children::default(),
    };
    let place = Place::of(names.name(Kind::Server, entry));
    blueprint.add(of(Kind::Server, entry), place, settings, super::distinct(after));
}

#[cfg(test)]
mod tests;
