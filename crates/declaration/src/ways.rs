//! Ways from functions and servers to the databases, caches and brokers that they use: through a network, and through security groups. Those
//! of the stack have the declared rules and no others, so that what they do not let through is known before anything is made.

use std::ops::Range;

use super::{
    ClusterSource, Declaration, SecurityGroup, Traffic,
    network::{NetworkPart, NetworkSource},
    reader::Reader,
    security_group::{Peer, Protocol},
    tree::{Node, span_of},
};

/// Port of MySQL, which RDS gives each database.
const MYSQL: u16 = 3306;
/// Port at which MSK's brokers check IAM's rights.
const BROKERS: u16 = 9098;

/// A database, a cache or a cluster, which is reached from within a network alone.
struct Store<'declared> {
    /// Words for it, as "database `mails`".
    what: String,
    /// Kind of store, as "database".
    kind: &'static str,
    port: u16,
    network: Option<&'declared str>,
    groups: &'declared [NetworkPart],
}

/// A function or server that uses stores.
struct Caller<'declared> {
    /// Words for it, as "server `host`".
    what: String,
    network: Option<&'declared str>,
    groups: &'declared [NetworkPart],
}

/// The stores that a function or server names under a key.
struct Use<'declared> {
    key: &'static str,
    stores: Vec<Store<'declared>>,
}

/// Checks that whoever uses a database, a cache or a topic of Kafka has a way to it.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    for (entry, function) in declaration.lambda_functions() {
        for one in of_function(declaration, entry) {
            let place = span_of(root, &["functions", entry, one.key]);
            let Some(vpc) = &function.vpc else {
                outside(reader, &place, entry, &one);
                continue;
            };
            let (what, network) = (format!("function `{entry}`"), vpc.network.as_deref());
            let caller = Caller { what, network, groups: &vpc.security_groups };
            between(reader, declaration, &place, &caller, &one.stores);
        }
    }
    for (entry, server) in &declaration.servers {
        let (what, network) = (format!("server `{entry}`"), Some(server.network.as_str()));
        let caller = Caller { what, network, groups: &server.security_groups };
        let own: Vec<_> = server.databases.iter().filter_map(|name| database(declaration, name)).collect();
        between(reader, declaration, &span_of(root, &["servers", entry, "databases"]), &caller, &own);
        for one in server.runs.iter().flat_map(|function| of_function(declaration, function)) {
            between(reader, declaration, &span_of(root, &["servers", entry, "runs"]), &caller, &one.stores);
        }
    }
}

/// Returns what a function uses, by the keys that name it.
fn of_function<'declared>(declaration: &'declared Declaration, entry: &str) -> Vec<Use<'declared>> {
    let Some(function) = declaration.functions.get(entry) else { return Vec::new() };
    let databases = function.databases.iter().filter_map(|name| database(declaration, name)).collect();
    let caches = function.caches.iter().filter_map(|name| cache(declaration, name)).collect();
    let mut all = vec![Use { key: "databases", stores: databases }, Use { key: "caches", stores: caches }];
    for (key, topic) in function.topics_of_kafka() {
        all.push(Use { key, stores: brokers(declaration, topic).into_iter().collect() });
    }
    all.retain(|one| !one.stores.is_empty());
    all
}

fn database<'declared>(declaration: &'declared Declaration, name: &str) -> Option<Store<'declared>> {
    let one = declaration.databases.get(name)?;
    let (what, network) = (format!("database `{name}`"), one.network.as_deref());
    Some(Store { what, kind: "database", port: MYSQL, network, groups: &one.security_groups })
}

fn cache<'declared>(declaration: &'declared Declaration, name: &str) -> Option<Store<'declared>> {
    let one = declaration.caches.get(name)?;
    let (what, network) = (format!("cache `{name}`"), one.network.as_deref());
    Some(Store { what, kind: "cache", port: one.port, network, groups: &one.security_groups })
}

/// Returns the brokers of a topic; of a cluster that exists nothing is known but that it is in some network.
fn brokers<'declared>(declaration: &'declared Declaration, topic: &str) -> Option<Store<'declared>> {
    let (name, _) = topic.split_once('/')?;
    let what = format!("cluster `{name}`");
    let (network, groups) = match &declaration.clusters.get(name)?.source {
        ClusterSource::Existing(_) => (None, &[][..]),
        ClusterSource::Created(one) => (one.network.as_deref(), &one.security_groups[..]),
    };
    Some(Store { what, kind: "cluster", port: BROKERS, network, groups })
}

/// Reports a function outside of every network.
fn outside(reader: &mut Reader, place: &Range<usize>, entry: &str, one: &Use<'_>) {
    let Some(Store { what, kind, .. }) = one.stores.first() else { return };
    let message = format!("function `{entry}` cannot reach {what} without a `vpc`");
    let hint = format!(
        "add `vpc: {{subnets: […], security_groups: […]}}` in the network of the {kind}: it is reached from within alone"
    );
    reader.diagnose(place, message, hint);
}

/// Reports each store that a caller has no way to.
fn between(
    reader: &mut Reader,
    declaration: &Declaration,
    place: &Range<usize>,
    caller: &Caller<'_>,
    stores: &[Store<'_>],
) {
    // A group of another network is reported at the place that names it.
    let is_elsewhere = |network: Option<&str>, groups: &[NetworkPart]| {
        let mut own = groups.iter().filter_map(|part| declaration.security_groups.get(part.own()?));
        network.is_some_and(|network| own.any(|group| group.network != network))
    };
    for store in stores {
        // Of a cluster that exists the groups are not known.
        let is_known = !caller.groups.is_empty() && !store.groups.is_empty();
        if !is_known || is_elsewhere(caller.network, caller.groups) || is_elsewhere(store.network, store.groups) {
            continue;
        }
        match (caller.network, store.network) {
            (Some(here), Some(there)) if here != there => {
                let (from, to) = (&caller.what, &store.what);
                let message = format!("{from} is in network `{here}`, and {to}, which it uses, in `{there}`");
                reader.diagnose(place, message, "put both into one network");
            }
            _ => through_groups(reader, declaration, place, caller, store),
        }
    }
}

/// Reports security groups of the stack that do not let a caller through to a store: those of the store, and the caller's own.
fn through_groups(
    reader: &mut Reader,
    declaration: &Declaration,
    place: &Range<usize>,
    caller: &Caller<'_>,
    store: &Store<'_>,
) {
    let (from, to, port) = (&caller.what, &store.what, store.port);
    let closed_in = closed(declaration, store.groups, caller.groups, (port, |group| Some(&group.ingress)));
    if let Some(group) = closed_in {
        let message = format!("{from} uses {to}, and security group `{group}` does not let it in");
        let peer = peer(declaration, group, caller.groups);
        let hint = format!("add `{{from: {peer}, port: {port}}}` to the `ingress` of `{group}`");
        reader.diagnose(place, message, hint);
    }
    if let Some(group) = closed(declaration, caller.groups, store.groups, (port, |group| group.egress.as_ref())) {
        let message = format!("{from} uses {to}, and its security group `{group}` does not let it out");
        // The store's group names the caller's, or will.
        let peer = peer(declaration, group, if closed_in.is_some() { &[] } else { store.groups });
        let hint = format!("add `{{to: {peer}, port: {port}}}` to the `egress` of `{group}`");
        reader.diagnose(place, message, hint);
    }
}

/// Returns what a rule of a group may name for the other side: one of its groups, else the range of the network. Two groups cannot name each other,
/// so that one which names this group already is left out.
fn peer(declaration: &Declaration, group: &str, other: &[NetworkPart]) -> String {
    let names_it = |part: &&NetworkPart| {
        let found = part.own().and_then(|entry| Some((entry, declaration.security_groups.get(entry)?)));
        found.is_some_and(|(entry, one)| one.peers(entry).any(|peer| peer == group))
    };
    if let Some(part) = other.iter().find(|part| !names_it(part)) {
        return part.to_string();
    }
    let network = declaration.security_groups.get(group).and_then(|group| declaration.networks.get(&group.network));
    match network.map(|network| &network.source) {
        Some(NetworkSource::Created { range, .. }) => range.to_string(),
        Some(NetworkSource::Existing { .. }) | None => "RANGE".to_owned(),
    }
}

/// The rules of one direction of a group; `None` lets everybody through.
type Rules = fn(&SecurityGroup) -> Option<&Vec<Traffic>>;

/// Returns the first of the groups at one side if all of them are the stack's own and none lets the other side through; `None` if one does,
/// or if that is not known.
fn closed<'side>(
    declaration: &Declaration,
    side: &'side [NetworkPart],
    other: &[NetworkPart],
    (port, rules): (u16, Rules),
) -> Option<&'side str> {
    for part in side {
        // A group that exists may have any rules, and one that nobody declared is told where it is named.
        let group = part.own().and_then(|entry| declaration.security_groups.get(entry))?;
        let rules = rules(group)?;
        if rules.iter().any(|rule| lets(rule, other, port)) {
            return None;
        }
    }
    side.first()?.own()
}

/// Returns `true` if a rule lets TCP through at a port, between its group and one of these. A range is taken for theirs.
fn lets(rule: &Traffic, other: &[NetworkPart], port: u16) -> bool {
    let is_peer = match &rule.peer {
        Peer::Group(entry) => other.iter().any(|part| part.own() == Some(entry)),
        Peer::Existing(id) => other.iter().any(|part| part.existing() == Some(id)),
        Peer::Range(_) => true,
    };
    is_peer && rule.protocol == Protocol::Tcp && (rule.ports.0..=rule.ports.1).contains(&port)
}

#[cfg(test)]
mod tests;
