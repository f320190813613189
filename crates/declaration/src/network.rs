//! `networks`: virtual private clouds with their subnets, and networks that exist already; and what others name of them.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::{
    reader::{Fields, Reader, Wrong},
    scalars,
    shape::{Field, Form, Holds, Kind, Shape, Word, words},
    tags::{TAGS, tags},
    tree::{Key, Node},
    word_list::word_list,
};

pub use super::network_part::NetworkPart;

/// A network of subnets in several availability zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Origin: an existing network, or a new one of the stack.
    pub source: NetworkSource,
    /// Tags of the network and of everything in it; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// The origin of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkSource {
    /// It exists: it stays as it is.
    Existing {
        /// Id of the network, as `vpc-0a1b2c3d`.
        id: String,
        /// Ids of those of its subnets that are known as public ones.
        public: Vec<String>,
        /// Ids of those of its subnets that are known as private ones.
        private: Vec<String>,
    },
    /// The stack creates it with all its parts.
    Created {
        /// Range of its addresses, from /16 to /24.
        range: Ipv4Net,
        /// Number of availability zones: each has a public and a private subnet.
        zones: u8,
        /// `true` if what is in private subnets reaches the internet, through a NAT gateway.
        nat: bool,
        /// Services with a way of their own, which costs nothing.
        endpoints: Vec<GatewayService>,
    },
}

/// A service with gateway endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GatewayService {
    /// S3.
    S3,
    /// `DynamoDB`.
    DynamoDb,
}

impl GatewayService {
    /// Every service with a gateway endpoint.
    pub const ALL: [Self; 2] = [Self::S3, Self::DynamoDb];

    /// Returns the last part of the name that AWS has for its endpoints.
    pub const fn word(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::DynamoDb => "dynamodb",
        }
    }
}

impl Word for GatewayService {
    const WORDS: &'static [(&'static str, Self)] = &[("s3", Self::S3), ("dynamodb", Self::DynamoDb)];
}

/// Returns the entry of a subnet of a network.
pub fn subnet_entry(network: &str, tier: Tier, zone: usize) -> String {
    format!("{network}-{}-{zone}", tier.word())
}

/// Who reaches a subnet, and whom it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Members have public addresses: they reach the internet, and are reached from there.
    Public,
    /// Nothing from the internet reaches it.
    Private,
}

impl Tier {
    /// Both tiers, the public one first.
    pub const ALL: [Self; 2] = [Self::Public, Self::Private];

    /// Returns the tier as a word in a name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

/// Bits by which the range of a subnet is smaller than that of its network: there are 16 of them.
const SUBNET_BITS: u8 = 4;
/// Place of the first private subnet among the 16: the public ones have room for as many zones before it.
const FIRST_PRIVATE: usize = 8;

impl Network {
    /// Returns the id of a network that exists; `None` for the stack's own.
    pub fn existing(&self) -> Option<&str> {
        match &self.source {
            NetworkSource::Existing { id, .. } => Some(id),
            NetworkSource::Created { .. } => None,
        }
    }

    /// Returns the subnets of a tier, as others name them; none for an existing network of which none is declared.
    pub fn parts(&self, entry: &str, tier: Tier) -> Vec<NetworkPart> {
        match &self.source {
            NetworkSource::Existing { public, private, .. } => {
                let ids = if tier == Tier::Public { public } else { private };
                ids.iter().cloned().map(NetworkPart::Existing).collect()
            }
            NetworkSource::Created { .. } => {
                let of_tier = self.subnets().into_iter().filter(|(of, ..)| *of == tier);
                of_tier.map(|(tier, zone, _)| NetworkPart::Own(subnet_entry(entry, tier, zone))).collect()
            }
        }
    }

    /// Returns `true` if it is the stack's own, and has a NAT gateway.
    pub fn has_nat(&self) -> bool {
        matches!(self.source, NetworkSource::Created { nat: true, .. })
    }

    /// Returns the services that the stack's own network has a way of their own to.
    pub fn endpoints(&self) -> &[GatewayService] {
        match &self.source {
            NetworkSource::Created { endpoints, .. } => endpoints,
            NetworkSource::Existing { .. } => &[],
        }
    }

    /// Returns the subnets of a network of the stack's own: tier, number of the zone from 1, and range. Another zone adds subnets, and
    /// leaves the ranges of those before as they are.
    ///
    /// ```
    /// use declaration::{Network, NetworkSource, Tier};
    ///
    /// let range = "10.20.0.0/16".parse()?;
    /// let source = NetworkSource::Created { range, zones: 2, nat: false, endpoints: Vec::new() };
    /// let network = Network { source, tags: Default::default() };
    /// let subnets: Vec<_> = network.subnets().into_iter().map(|(tier, zone, range)| (tier, zone, range.to_string())).collect();
    /// assert_eq!(subnets[1], (Tier::Public, 2, "10.20.16.0/20".to_owned()));
    /// assert_eq!(subnets[2], (Tier::Private, 1, "10.20.128.0/20".to_owned()));
    /// # Ok::<(), ipnet::AddrParseError>(())
    /// ```
    pub fn subnets(&self) -> Vec<(Tier, usize, Ipv4Net)> {
        let NetworkSource::Created { range, zones, .. } = &self.source else { return Vec::new() };
        let ranges: Vec<Ipv4Net> = range.subnets(range.prefix_len() + SUBNET_BITS).into_iter().flatten().collect();
        let zones = usize::from(*zones);
        let of = |tier: Tier| {
            let first = if tier == Tier::Public { 0 } else { FIRST_PRIVATE };
            let of_tier = ranges.iter().skip(first).take(zones);
            of_tier.enumerate().map(move |(index, range)| (tier, index + 1, *range))
        };
        Tier::ALL.into_iter().flat_map(of).collect()
    }
}

/// Form of the id of a network.
const ID: Form = Form { what: "the id of a network, such as `vpc-0a1b2c3d`", pattern: "^vpc-[0-9a-f]+$" };
/// Form of the range of a network.
const RANGE: Form = Form {
    what: "a private range from /16 to /24, such as `10.20.0.0/16`",
    pattern: "^[0-9]{1,3}(\\.[0-9]{1,3}){3}/(1[6-9]|2[0-4])$",
};

pub(super) static SHAPE: Shape = Shape {
    name: "network",
    keys: &[
        Field::new(
            "existing",
            Holds::Text(ID),
            "Id of an existing network: it stays as it is. Without it, `up` makes one.",
        ),
        Field::new(
            "range",
            Holds::Text(RANGE),
            "Range of its addresses, from /16 to /24. Nobody can change it, and networks that are to reach each other must not overlap.",
        )
        .or("10.20.0.0/16"),
        Field::new(
            "zones",
            Holds::Number(1, 6),
            "Number of availability zones: each has a public and a private subnet. More can be added; fewer take the last ones away.",
        )
        .or("2"),
        Field::new(
            "nat",
            Holds::Switch,
            "Let what is in private subnets reach the internet, through a NAT gateway in the first zone: some 37 dollars a month.",
        )
        .or("false"),
        Field::new(
            "endpoints",
            Holds::List(&Holds::Word(words::<GatewayService>)),
            "Services with a way of their own, without the internet and at no cost. Without it `[s3, dynamodb]`; `[]` for none.",
        ),
        Field::new(
            "public",
            Holds::List(&Holds::Text(scalars::SUBNET)),
            "Public subnets of an existing network, for servers with an address on the internet.",
        ),
        Field::new(
            "private",
            Holds::List(&Holds::Text(scalars::SUBNET)),
            "Private subnets of an existing network, for what names the network: in two zones at least.",
        ),
        TAGS,
    ],
};

/// Keys that only a network of the stack's own has.
const OWN: [&str; 5] = ["range", "zones", "nat", "endpoints", "tags"];
/// Keys that only an existing network has: the stack makes the subnets of its own.
const OF_EXISTING: [&str; 2] = ["public", "private"];

/// Key of what is in a network.
pub(super) const NETWORK: Field = Field::new(
    "network",
    Holds::Reference(Kind::Network),
    "Network in whose private subnets it is, instead of `subnets`.",
);

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Network {
    let fields = &reader.fields(node, &key.span, format!("network `{}`", key.name), &SHAPE);
    let existing = reader.text(fields, "existing", |text| scalars::id(text, "vpc"));
    if fields.entry("existing").is_some() {
        refuse(reader, fields, &OWN, "a network that exists stays as it is");
    } else {
        refuse(reader, fields, &OF_EXISTING, "the stack makes the subnets of its own networks");
    }
    let range = reader.text(fields, "range", range).or_else(|| range(RANGE_DEFAULT).ok()).unwrap_or_default();
    let zones = reader.number(fields, "zones").unwrap_or_default();
    let nat = reader.switch(fields, "nat").unwrap_or_default();
    let endpoints = match fields.get("endpoints") {
        Some(_) => word_list(reader, fields, "endpoints", "s3").into_iter().collect(),
        None => GatewayService::ALL.to_vec(),
    };
    let [public, private] = OF_EXISTING.map(|name| reader.ids(fields, name, "subnet", scalars::SUBNET));
    let source = match existing {
        Some(id) => NetworkSource::Existing { id, public, private },
        None => NetworkSource::Created { range, zones, nat, endpoints },
    };
    Network { source, tags: tags(reader, fields) }
}

/// Returns the key by which something says where it is.
pub(super) fn key(fields: &Fields<'_>) -> &'static str {
    if fields.entry("network").is_some() { "network" } else { "subnets" }
}

/// Reads where something is: the subnets that it names, or the private ones of the network that it names, with that network.
pub(super) fn subnets(reader: &mut Reader, fields: &Fields<'_>) -> (Option<String>, Vec<NetworkPart>) {
    let Some((place, _)) = fields.entry("network") else {
        let ids = reader.ids(fields, "subnets", "subnet", scalars::SUBNET);
        return (None, ids.into_iter().map(NetworkPart::Existing).collect());
    };
    if fields.entry("subnets").is_some() {
        let message = "`network` stands for its private subnets, and `subnets` names others";
        reader.diagnose(&place.span, message, "remove one of them");
    }
    let Some(network) = reader.reference(fields, "network") else { return (None, Vec::new()) };
    // A network of the stack's own without any is told where it is declared.
    let Some(subnets) = reader.private_subnets(&network) else { return (Some(network), Vec::new()) };
    if subnets.is_empty() {
        let message = format!("no private subnets of the existing network `{network}` are declared");
        let hint = "add them to it: `private: [subnet-0a1b2c3d, subnet-4e5f6a7b]`, or name `subnets` here";
        reader.diagnose(&fields.span_of("network"), message, hint);
    }
    (Some(network), subnets)
}

/// Range of a network without one.
const RANGE_DEFAULT: &str = "10.20.0.0/16";

fn refuse(reader: &mut Reader, fields: &Fields<'_>, names: &[&str], why: &str) {
    for name in names {
        if let Some((key, _)) = fields.entry(name) {
            let message = format!("{why}: `{name}` cannot be declared for it");
            reader.diagnose(&key.span, message, "remove one of them");
        }
    }
}

/// Parses the range of a network.
fn range(text: &str) -> Result<Ipv4Net, Wrong> {
    let range: Ipv4Net = text.parse().map_err(|_| Wrong::default())?;
    if range.addr() != range.network() {
        return Err(Wrong::default().hint(format!("write `{}`", range.trunc())));
    }
    if !(16..=24).contains(&range.prefix_len()) {
        return Err(
            Wrong::default().hint("AWS takes nothing larger than /16, and below /24 sixteen subnets find no room")
        );
    }
    if !range.addr().is_private() {
        let hint = "take one within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16: others are somebody's on the internet";
        return Err(Wrong::default().hint(hint));
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn subnets_of_one_network_are_apart_and_stay_when_zones_are_added() {
        for length in 16..=24 {
            let of = |zones| {
                let range = format!("10.20.0.0/{length}").parse().unwrap();
                let source = NetworkSource::Created { range, zones, nat: false, endpoints: Vec::new() };
                Network { source, tags: BTreeMap::new() }.subnets()
            };
            for zones in 1..=6 {
                let subnets = of(zones);
                assert_eq!(subnets.len(), 2 * usize::from(zones));
                let ranges: BTreeSet<Ipv4Net> = subnets.iter().map(|(.., range)| *range).collect();
                assert_eq!(ranges.len(), subnets.len());
                assert!(ranges.iter().all(|one| ranges.iter().all(|other| one == other || !one.contains(other))));
                assert!(of(6).iter().filter(|(_, zone, _)| *zone <= usize::from(zones)).eq(&subnets));
            }
        }
    }
}
