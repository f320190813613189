//! `networks`: virtual private clouds with their subnets, and networks that exist already.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::{
    reader::{Fields, Reader, Wrong},
    scalars,
    shape::{Field, Form, Holds, Shape},
    tags::{TAGS, tags},
    tree::{Key, Node},
};

/// A network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its origin.
    pub source: NetworkSource,
    /// Tags of the network and of everything in it; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// The origin of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkSource {
    /// It exists, under this id: it stays as it is.
    Existing(String),
    /// The stack's own.
    Created {
        /// Range of its addresses, from /16 to /24.
        range: Ipv4Net,
        /// Number of availability zones: each has a public and a private subnet.
        zones: u8,
    },
}

/// Who reaches a subnet, and whom it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// What has a public address reaches the internet, and is reached from there.
    Public,
    /// Nothing from the internet reaches it.
    Private,
}

impl Tier {
    /// All tiers.
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
            NetworkSource::Existing(id) => Some(id),
            NetworkSource::Created { .. } => None,
        }
    }

    /// Returns the subnets of a network of the stack's own: tier, number of the zone from 1, and range. Another zone adds subnets, and
    /// leaves the ranges of those before as they are.
    ///
    /// ```
    /// use declaration::{Network, NetworkSource, Tier};
    ///
    /// let source = NetworkSource::Created { range: "10.20.0.0/16".parse()?, zones: 2 };
    /// let network = Network { source, tags: Default::default() };
    /// let subnets: Vec<_> = network.subnets().into_iter().map(|(tier, zone, range)| (tier, zone, range.to_string())).collect();
    /// assert_eq!(subnets[1], (Tier::Public, 2, "10.20.16.0/20".to_owned()));
    /// assert_eq!(subnets[2], (Tier::Private, 1, "10.20.128.0/20".to_owned()));
    /// # Ok::<(), ipnet::AddrParseError>(())
    /// ```
    pub fn subnets(&self) -> Vec<(Tier, usize, Ipv4Net)> {
        let NetworkSource::Created { range, zones } = &self.source else { return Vec::new() };
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
        TAGS,
    ],
};

/// Keys that only a network of the stack's own has.
const OWN: [&str; 3] = ["range", "zones", "tags"];

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Network {
    let fields = &reader.fields(node, &key.span, format!("network `{}`", key.name), &SHAPE);
    let existing = reader.text(fields, "existing", |text| scalars::id(text, "vpc"));
    if fields.entry("existing").is_some() {
        refuse_own(reader, fields);
    }
    let range = reader.text(fields, "range", range).or_else(|| range(RANGE_DEFAULT).ok()).unwrap_or_default();
    let zones = reader.number(fields, "zones").unwrap_or_default();
    let source = existing.map_or(NetworkSource::Created { range, zones }, NetworkSource::Existing);
    Network { source, tags: tags(reader, fields) }
}

/// Range of a network without one.
const RANGE_DEFAULT: &str = "10.20.0.0/16";

fn refuse_own(reader: &mut Reader, fields: &Fields<'_>) {
    for name in OWN {
        if let Some((key, _)) = fields.entry(name) {
            let message = format!("a network that exists stays as it is: `{name}` cannot be declared for it");
            reader.note_at(&key.span, message, "remove one of them");
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
                Network { source: NetworkSource::Created { range, zones }, tags: BTreeMap::new() }.subnets()
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
