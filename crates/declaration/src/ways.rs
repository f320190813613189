//! Checks that functions and servers can reach the databases, caches and clusters of Kafka that they use: both sides must be in one network, and
//! their security groups must let the connection out and in. The stack's security groups have the declared rules and no others, so that
//! a connection that they block is known before anything is created.

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

/// A database, a cache or a cluster, which can be reached only from within its network.
struct Store<'declared> {
    /// Its description in messages, such as "database `mails`". No other store has the same.
    what: String,
    /// Kind of store, as "database".
    kind: &'static str,
    port: u16,
    network: Option<&'declared str>,
    groups: &'declared [NetworkPart],
}

/// A function or server that uses stores.
struct Caller<'declared> {
    /// Its description in messages, such as "server `host`".
    what: String,
    network: Option<&'declared str>,
    groups: &'declared [NetworkPart],
}

/// The stores that a function names under a key, each once.
struct Use<'declared> {
    key: &'static str,
    stores: Vec<Store<'declared>>,
}

/// Reports each store that a function or server uses and cannot reach.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    for (entry, function) in declaration.lambda_functions() {
        for used in used_by_function(declaration, entry) {
            let place = span_of(root, &["functions", entry, used.key]);
            let Some(vpc) = &function.vpc else {
                report_without_network(reader, &place, entry, &used);
                continue;
            };
            let (what, network) = (format!("function `{entry}`"), vpc.network.as_deref());
            let caller = Caller { what, network, groups: &vpc.security_groups };
            check_between(reader, declaration, &place, &caller, &used.stores);
        }
    }
    for (entry, server) in &declaration.servers {
        let (what, network) = (format!("server `{entry}`"), Some(server.network.as_str()));
        let caller = Caller { what, network, groups: &server.security_groups };
        let own = distinct(server.databases.iter().filter_map(|name| database(declaration, name)));
        check_between(reader, declaration, &span_of(root, &["servers", entry, "databases"]), &caller, &own);
        let uses = server.runs.iter().flat_map(|function| used_by_function(declaration, function));
        // The server's own databases have been checked.
        let further =
            uses.flat_map(|used| used.stores).filter(|store| own.iter().all(|other| other.what != store.what));
        let place = span_of(root, &["servers", entry, "runs"]);
        check_between(reader, declaration, &place, &caller, &distinct(further));
    }
}

/// Returns the stores that a function uses, by the keys that name them.
fn used_by_function<'declared>(declaration: &'declared Declaration, entry: &str) -> Vec<Use<'declared>> {
    let Some(function) = declaration.functions.get(entry) else { return Vec::new() };
    let databases = function.databases.iter().filter_map(|name| database(declaration, name));
    let caches = function.caches.iter().filter_map(|name| cache(declaration, name));
    let mut uses =
        vec![Use { key: "databases", stores: distinct(databases) }, Use { key: "caches", stores: distinct(caches) }];
    for key in ["produces", "creates", "follows"] {
        let topics = function.topics_of_kafka().filter(|(named_under, _)| *named_under == key);
        uses.push(Use { key, stores: distinct(topics.filter_map(|(_, topic)| brokers(declaration, topic))) });
    }
    uses.retain(|used| !used.stores.is_empty());
    uses
}

/// Returns each store once, in the order in which they are named: two topics may be of one cluster.
fn distinct<'declared>(stores: impl Iterator<Item = Store<'declared>>) -> Vec<Store<'declared>> {
    let mut distinct: Vec<Store<'declared>> = Vec::new();
    for store in stores {
        if distinct.iter().all(|other| other.what != store.what) {
            distinct.push(store);
        }
    }
    distinct
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

/// Returns the cluster of a topic. The network and the security groups of an existing cluster are not known.
fn brokers<'declared>(declaration: &'declared Declaration, topic: &str) -> Option<Store<'declared>> {
    let (name, _) = topic.split_once('/')?;
    let what = format!("cluster `{name}`");
    let (network, groups) = match &declaration.clusters.get(name)?.source {
        ClusterSource::Existing(_) => (None, &[][..]),
        ClusterSource::Created(one) => (one.network.as_deref(), &one.security_groups[..]),
    };
    Some(Store { what, kind: "cluster", port: BROKERS, network, groups })
}

/// Reports a function that uses stores and is in no network, with the first of these stores.
fn report_without_network(reader: &mut Reader, place: &Range<usize>, entry: &str, used: &Use<'_>) {
    let Some(Store { what, kind, .. }) = used.stores.first() else { return };
    let message = format!("function `{entry}` cannot reach {what} without a `vpc`");
    let hint = format!(
        "add `vpc: {{subnets: […], security_groups: […]}}` in the network of the {kind}: it can be reached only from inside"
    );
    reader.diagnose(place, message, hint);
}

/// Reports each of these stores that a caller cannot reach.
fn check_between(
    reader: &mut Reader,
    declaration: &Declaration,
    place: &Range<usize>,
    caller: &Caller<'_>,
    stores: &[Store<'_>],
) {
    // A security group of another network than its user's is reported where it is named.
    let is_elsewhere = |network: Option<&str>, groups: &[NetworkPart]| {
        let mut own = groups.iter().filter_map(|part| declaration.security_groups.get(part.own()?));
        network.is_some_and(|network| own.any(|group| group.network != network))
    };
    for store in stores {
        // The security groups of an existing cluster are not known.
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
            _ => check_security_groups(reader, declaration, place, caller, store),
        }
    }
}

/// Reports the store's security groups if they do not let a caller in, and the caller's own if they do not let it out to the store.
fn check_security_groups(
    reader: &mut Reader,
    declaration: &Declaration,
    place: &Range<usize>,
    caller: &Caller<'_>,
    store: &Store<'_>,
) {
    let (from, to, port) = (&caller.what, &store.what, store.port);
    let closed_in = closed_group(declaration, store.groups, caller.groups, (port, |group| Some(&group.ingress)));
    if let Some(group) = closed_in {
        let message = format!("{from} uses {to}, and security group `{group}` does not let it in");
        let peer = peer(declaration, group, caller.groups);
        let hint = format!("add `{{from: {peer}, port: {port}}}` to the `ingress` of `{group}`");
        reader.diagnose(place, message, hint);
    }
    if let Some(group) = closed_group(declaration, caller.groups, store.groups, (port, |group| group.egress.as_ref())) {
        let message = format!("{from} uses {to}, and its security group `{group}` does not let it out");
        // Two groups cannot name each other. If the hint above is followed, the store's group names the caller's.
        let peer = peer(declaration, group, if closed_in.is_some() { &[] } else { store.groups });
        let hint = format!("add `{{to: {peer}, port: {port}}}` to the `egress` of `{group}`");
        reader.diagnose(place, message, hint);
    }
}

/// Returns the peer that a rule of a group should name for the other side: one of the other side's groups, or else the range of the network. A
/// group that names this group already is left out, since two groups cannot name each other.
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

/// Returns the first of one side's groups if none of them lets the other side through; `None` if one does, or if that is not known, since one of
/// them is not the stack's own.
fn closed_group<'side>(
    declaration: &Declaration,
    side: &'side [NetworkPart],
    other: &[NetworkPart],
    (port, rules): (u16, Rules),
) -> Option<&'side str> {
    for part in side {
        // An existing group may have any rules; one that is not declared is reported where it is named.
        let group = part.own().and_then(|entry| declaration.security_groups.get(entry))?;
        let rules = rules(group)?;
        if rules.iter().any(|rule| lets_through(rule, other, port)) {
            return None;
        }
    }
    side.first()?.own()
}

/// Returns `true` if a rule lets TCP at a port through between its group and one of the other groups. A range is believed to contain their
/// members.
fn lets_through(rule: &Traffic, other: &[NetworkPart], port: u16) -> bool {
    let is_peer = match &rule.peer {
        Peer::Group(entry) => other.iter().any(|part| part.own() == Some(entry)),
        Peer::Existing(id) => other.iter().any(|part| part.existing() == Some(id)),
        Peer::Range(_) => true,
    };
    is_peer && rule.protocol == Protocol::Tcp && (rule.ports.0..=rule.ports.1).contains(&port)
}

#[cfg(test)]
mod tests;
