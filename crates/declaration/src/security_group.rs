//! `security_groups`: who may reach what is in a network, and whom that may reach.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
    ops::Range,
};

use ipnet::IpNet;

use super::{
    Declaration,
    network::NetworkPart,
    reader::{Fields, Reader, Wrong},
    scalars,
    shape::{Field, Form, Holds, Kind, Shape, Word, words},
    suggestion::choose,
    tags::{TAGS, tags},
    tree::{Key, Node, span_of},
};

/// A security group in a network of the declaration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecurityGroup {
    /// Network that it is in, by entry.
    pub network: String,
    /// Who may reach what is in it; nobody, if it is empty.
    pub ingress: Vec<Traffic>,
    /// Whom what is in it may reach; `None` is everybody.
    pub egress: Option<Vec<Traffic>>,
    /// Tags of the group; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// A rule of a group: it allows some ports of a protocol, from or to a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// Peer at the other side of the traffic.
    pub peer: Peer,
    /// Protocol of the ports: TCP or UDP.
    pub protocol: Protocol,
    /// First and last port.
    pub ports: (u16, u16),
}

/// The other side of traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// Whatever is in a declared group, by entry.
    Group(String),
    /// Whatever is in a group that exists, by id.
    Existing(String),
    /// Range of IP addresses (CIDR).
    Range(IpNet),
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) | Self::Existing(name) => formatter.write_str(name),
            Self::Range(range) => range.fmt(formatter),
        }
    }
}

/// A protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Returns the protocol as EC2 calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl Word for Protocol {
    const WORDS: &'static [(&'static str, Self)] = &[("tcp", Self::Tcp), ("udp", Self::Udp)];
}

/// Form of one side of traffic.
const PEER: Form = Form {
    what: "a declared security group, the id of one, or a range such as `203.0.113.0/24`",
    pattern: "^([a-z][a-z0-9-]*|sg-[0-9a-f]+|[0-9a-fA-F.:]+(/[0-9]{1,3})?)$",
};
/// Form of one port, or of a range of ports.
const PORTS: Form =
    Form { what: "a port or a span of ports, such as `443` or `8000-8010`", pattern: "^[0-9]{1,5}(-[0-9]{1,5})?$" };

pub(super) static SHAPE: Shape = Shape {
    name: "security_group",
    keys: &[
        Field::new("network", Holds::Reference(Kind::Network), "Network that it is in. Nobody can change it.")
            .required("main"),
        Field::new(
            "ingress",
            Holds::List(&Holds::Mapping(&INGRESS)),
            "Peers that may reach its members. Without it none may. A rule that somebody else adds is taken away.",
        ),
        Field::new(
            "egress",
            Holds::List(&Holds::Mapping(&EGRESS)),
            "Peers that its members may reach: `[]` is none. Without it all may be reached.",
        ),
        TAGS,
    ],
};

const FROM: Field =
    Field::new("from", Holds::Text(PEER), "Who may: a group, its own name too, or a range.").required("web");
const TO: Field =
    Field::new("to", Holds::Text(PEER), "To whom: a group, its own name too, or a range.").required("web");
const PORT: Field = Field::new("port", Holds::Text(PORTS), "Port, or a span of ports.").required("443");
const PROTOCOL: Field = Field::new("protocol", Holds::Word(words::<Protocol>), "Protocol.").or("tcp");

static INGRESS: Shape = Shape { name: "ingress", keys: &[FROM, PORT, PROTOCOL] };
static EGRESS: Shape = Shape { name: "egress", keys: &[TO, PORT, PROTOCOL] };

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> SecurityGroup {
    let fields = &reader.fields(node, &key.span, format!("security group `{}`", key.name), &SHAPE);
    let ingress = traffic(reader, fields, ("ingress", "from"), &INGRESS);
    let egress = traffic(reader, fields, ("egress", "to"), &EGRESS);
    SecurityGroup {
        network: reader.reference(fields, "network").unwrap_or_default(),
        ingress,
        egress: fields.get("egress").is_some().then_some(egress),
        tags: tags(reader, fields),
    }
}

fn traffic(
    reader: &mut Reader,
    fields: &Fields<'_>,
    (list, side): (&str, &str),
    shape: &'static Shape,
) -> Vec<Traffic> {
    let mut found: Vec<Traffic> = Vec::new();
    for item in reader.items(fields, list, &format!("{{{side}: web, port: 443}}")) {
        let fields = &reader.fields(item, &item.span, format!("a rule of `{list}`"), shape);
        let groups = reader.declared(Kind::SecurityGroup).to_vec();
        let peer = reader.text(fields, side, |text| peer(text, &groups));
        let ports = reader.text(fields, "port", ports);
        let protocol = reader.word(fields, "protocol");
        let (Some(peer), Some(ports), Some(protocol)) = (peer, ports, protocol) else { continue };
        let one = Traffic { peer, protocol, ports };
        if found.contains(&one) {
            reader.diagnose(&item.span, format!("this rule is there twice in `{list}`"), "remove one of them");
        } else {
            found.push(one);
        }
    }
    found
}

/// Key of what is in security groups.
pub(super) const GROUPS: Holds = Holds::List(&Holds::ReferenceOr(Kind::SecurityGroup, scalars::SECURITY_GROUP));

/// Reads the security groups of something: declared ones by name, others by id, each once.
pub(super) fn groups(reader: &mut Reader, fields: &Fields<'_>, name: &str) -> Vec<NetworkPart> {
    let declared = reader.declared(Kind::SecurityGroup).to_vec();
    let mut groups = Vec::new();
    for item in reader.items(fields, name, "sg-0a1b2c3d") {
        let what = "a declared security group, or the id of one";
        let Some(group) = reader.scalar(item, name, what, |text| part(text, &declared)) else { continue };
        if groups.contains(&group) {
            reader.diagnose(&item.span, format!("`{group}` is there twice in `{name}`"), "remove one of them");
        } else {
            groups.push(group);
        }
    }
    groups
}

/// Parses a declared group or the id of one.
fn part(text: &str, declared: &[String]) -> Result<NetworkPart, Wrong> {
    if declared.iter().any(|group| group == text) {
        return Ok(NetworkPart::Own(text.to_owned()));
    }
    scalars::id(text, "sg").map(NetworkPart::Existing).map_err(|wrong| {
        let known: Vec<&str> = declared.iter().map(String::as_str).collect();
        if known.is_empty() { wrong } else { Wrong::default().hint(choose(text, "declared security groups", &known)) }
    })
}

/// Checks that something that names a network is in groups of that network.
pub(super) fn check_placed(
    reader: &mut Reader,
    declaration: &Declaration,
    (what, place): (&str, Range<usize>),
    network: Option<&String>,
    groups: &[NetworkPart],
) {
    let Some(network) = network else { return };
    for group in groups.iter().filter_map(NetworkPart::own) {
        let of = declaration.security_groups.get(group).map(|group| &group.network);
        if of.is_some_and(|of| of != network) {
            let message = format!("{what} is in network `{network}`, and security group `{group}` is in another one");
            reader.diagnose(&place, message, format!("name a group of `{network}`"));
        }
    }
}

/// Parses one side of traffic.
fn peer(text: &str, groups: &[String]) -> Result<Peer, Wrong> {
    if groups.iter().any(|group| group == text) {
        return Ok(Peer::Group(text.to_owned()));
    }
    if text.strip_prefix("sg-").is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Ok(Peer::Existing(text.to_owned()));
    }
    let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let Ok(range) = range else {
        let known: Vec<&str> = groups.iter().map(String::as_str).collect();
        return Err(Wrong::default().hint(choose(text, "declared security groups", &known)));
    };
    if range.addr() != range.network() {
        let hint = format!("write `{}` for the whole range, or `{}` for the address", range.trunc(), range.addr());
        return Err(Wrong::default().hint(hint));
    }
    Ok(Peer::Range(range))
}

/// Parses a port or a span of ports.
fn ports(text: &str) -> Result<(u16, u16), Wrong> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Ok((first, last)),
        _ => Err(Wrong::default()),
    }
}

impl SecurityGroup {
    /// Returns the declared groups that its rules name, without itself.
    pub fn peers<'group>(&'group self, own: &'group str) -> impl Iterator<Item = &'group str> {
        let traffic = self.ingress.iter().chain(self.egress.iter().flatten());
        let groups = traffic.filter_map(|one| match &one.peer {
            Peer::Group(group) => Some(group.as_str()),
            Peer::Existing(_) | Peer::Range(_) => None,
        });
        groups.filter(move |group| *group != own)
    }
}

/// Checks that groups name groups of their own network, and none in a circle: each is made before those that name it.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    placed(reader, root, declaration);
    let groups = &declaration.security_groups;
    for (entry, group) in groups {
        let place = span_of(root, &["security_groups", entry]);
        for peer in
            group.peers(entry).filter(|peer| groups.get(*peer).is_some_and(|peer| peer.network != group.network))
        {
            let message = format!("security group `{entry}` names `{peer}`, which is in another network");
            reader.diagnose(&place, message, "name a group of the same network, or a range");
        }
        // The first of a circle tells of it.
        if let Some(between) = circle(groups, entry).filter(|between| entry.as_str() < *between) {
            let message = format!("security groups `{entry}` and `{between}` name each other");
            let hint = "declare one direction: answers to what is allowed pass anyhow; or name a range in one of them";
            reader.diagnose(&place, message, hint);
        }
    }
}

/// Checks everything that names a network and security groups.
fn placed(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    for (entry, function) in &declaration.functions {
        let Some(vpc) = &function.vpc else { continue };
        let place = span_of(root, &["functions", entry, "vpc", "security_groups"]);
        let what = format!("function `{entry}`");
        check_placed(reader, declaration, (&what, place), vpc.network.as_ref(), &vpc.security_groups);
    }
    for (entry, database) in &declaration.databases {
        let place = span_of(root, &["databases", entry, "security_groups"]);
        let what = format!("database `{entry}`");
        check_placed(reader, declaration, (&what, place), database.network.as_ref(), &database.security_groups);
    }
    for (entry, cluster) in &declaration.clusters {
        let Some(brokers) = cluster.brokers() else { continue };
        let place = span_of(root, &["clusters", entry, "security_groups"]);
        let what = format!("cluster `{entry}`");
        check_placed(reader, declaration, (&what, place), brokers.network.as_ref(), &brokers.security_groups);
    }
}

/// Returns the group that leads back to one; `None` if none does.
fn circle<'group>(groups: &'group BTreeMap<String, SecurityGroup>, entry: &'group str) -> Option<&'group str> {
    let mut seen = BTreeSet::from([entry]);
    let mut next = vec![entry];
    while let Some(name) = next.pop() {
        let Some(group) = groups.get(name) else { continue };
        for peer in group.peers(name) {
            if peer == entry {
                return Some(name);
            }
            if seen.insert(peer) {
                next.push(peer);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_and_ports_are_read_as_they_are_meant() {
        let groups = ["web".to_owned()];
        for (text, expected) in [
            ("web", Some(Peer::Group("web".to_owned()))),
            ("sg-0a1b2c3d", Some(Peer::Existing("sg-0a1b2c3d".to_owned()))),
            ("203.0.113.7", Some(Peer::Range("203.0.113.7/32".parse().unwrap()))),
            ("2001:db8::/32", Some(Peer::Range("2001:db8::/32".parse().unwrap()))),
            ("203.0.113.7/24", None),
            ("data", None),
            ("sg-", None),
        ] {
            assert_eq!(peer(text, &groups).ok(), expected, "{text}");
        }
        for (text, expected) in [
            ("443", Some((443, 443))),
            ("1-65535", Some((1, 65535))),
            ("0", None),
            ("9-8", None),
            ("65536", None),
            ("-", None),
        ] {
            assert_eq!(ports(text).ok(), expected, "{text}");
        }
    }
}
