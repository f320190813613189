//! Subnets: parts of the range of a network, each in one availability zone.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    SUBNET, delete, id, id_there, make, members, tags_of, unchangeable, with_id, without_id, write, write_tags,
};
use crate::{
    Kind, Manage, Session,
    identity::Identity,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{ArnForm, query::Call};
use engine::{Address, Class, ENTRY_TAG, Failure, Field, Holds, Live, Owned, Protection, Slow, Tags, plain};

/// The kind of subnets of networks.
#[derive(Debug)]
pub struct Subnet;

/// The managed settings of a subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Id of its network, or what stands for it.
    pub network: String,
    /// Range of its addresses, as `10.20.0.0/20`.
    pub range: String,
    /// Availability zone; `None` for the one in the place of `number`.
    pub zone: Option<String>,
    /// Place of its zone among those of the region in the order of their names, from 1. It counts only when the subnet is made: AWS adds
    /// zones.
    #[serde(skip)]
    pub number: usize,
    /// `true` if servers in it get public addresses unless they say otherwise.
    pub public_addresses: bool,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// Returns the zone of a new subnet: that at its place among those of the region in the order of their names, without those that subnets
/// beside it have.
async fn zone(session: &Session, desired: &Settings) -> Result<String, Failure> {
    let call = Call::new("DescribeAvailabilityZones")
        .filter("state", ["available"])
        .filter("zone-type", ["availability-zone"])
        .filter("opt-in-status", ["opt-in-not-required", "opted-in"]);
    let mut zones: Vec<String> =
        session.aws.read.ec2.call(&call).await?.texts("availabilityZoneInfo", "zoneName").collect();
    zones.sort_unstable();
    let number = desired.number;
    let words =
        format!("the region has {} availability zones, and the network needs {number}; lower `zones`", zones.len());
    let zone = free(&zones, &beside(session, desired).await?, number);
    zone.ok_or_else(|| Failure::found("ec2.DescribeAvailabilityZones", Class::Invalid, words))
}

/// Returns the zone of the subnet of a number, given the zones of live ones by their numbers. AWS adds zones, so that a live one may be in
/// another zone than that at its place.
fn free(zones: &[String], live: &BTreeMap<usize, String>, number: usize) -> Option<String> {
    let is_free = |zone: &&String| !live.values().any(|taken| taken == *zone);
    // Subnets that are made at the same time take the free ones in their order.
    let before = number.checked_sub(1)? - live.range(..number).count();
    zones.iter().filter(is_free).nth(before).cloned()
}

/// Returns the zones of the live subnets of the same tier and network, by their numbers.
async fn beside(session: &Session, desired: &Settings) -> Result<BTreeMap<usize, String>, Failure> {
    let number = desired.number.to_string();
    let tier = desired.tags.get(ENTRY_TAG).and_then(|entry| entry.strip_suffix(&number)).unwrap_or_default();
    let there = members(session, SUBNET).await?;
    let of_tier = there.iter().filter_map(|member| {
        let number = tags_of(member).get(ENTRY_TAG)?.strip_prefix(tier)?.parse().ok()?;
        Some((number, member.text("availabilityZone").to_owned()))
    });
    Ok(of_tier.filter(|(number, _)| (1..=MOST_ZONES).contains(number)).collect())
}

/// Most availability zones of a network.
const MOST_ZONES: usize = 6;

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("ec2:{region}:{account}:subnet/{name}")),
    ..Identity::implied("subnet", "Subnets", 255)
};

impl Manage for Subnet {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] =
        &[plain("network"), plain("range"), plain("zone"), plain("public_addresses"), plain("tags.*")];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Network];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ec2:DescribeAvailabilityZones", "ec2:DescribeSubnets"]),
        writes(
            Target::Own(Kind::Subnet),
            &["ec2:CreateSubnet", "ec2:CreateTags", "ec2:DeleteTags", "ec2:ModifySubnetAttribute"],
        ),
        writes(Target::Own(Kind::Network), &["ec2:CreateSubnet"]),
        deletes(Target::Own(Kind::Subnet), &["ec2:DeleteSubnet"]),
    ];

    /// Keeps the zone that was chosen when the subnet was made.
    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        if desired.zone.is_none() {
            desired.zone.clone_from(&live.zone);
        }
        // It has done its work.
        desired.number = live.number;
        Vec::new()
    }

    const ENDS_IN: Option<Slow> = Some(super::LEAVING);

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text};
        Settings { network: text(), range: text(), zone: Some(text()), number: 1, public_addresses: true, tags: tags() }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some((member, owner)) = super::read(session, SUBNET, address).await? else { return Ok(None) };
        let settings = Settings {
            network: without_id(session, member.text("vpcId")).await?,
            range: member.text("cidrBlock").to_owned(),
            zone: Some(member.text("availabilityZone").to_owned()).filter(|zone| !zone.is_empty()),
            number: 0,
            public_addresses: member.is("mapPublicIpOnLaunch"),
            tags: tags_of(&member),
        };
        Ok(Some(Live { settings, owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let zone = match &desired.zone {
            Some(zone) => zone.clone(),
            None => zone(session, desired).await?,
        };
        let call = Call::new("CreateSubnet")
            .with("VpcId", with_id(session, &desired.network).await?)
            .with("CidrBlock", &desired.range)
            .with("AvailabilityZone", zone);
        let id = make(session, SUBNET, address, call, ("subnet/subnetId", &desired.tags)).await?;
        if desired.public_addresses {
            set_public_addresses(session, &id, true).await?;
        }
        Ok(())
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let fixed = [
            (desired.network != live.network, "the network"),
            (desired.range != live.range, "the range"),
            (desired.zone != live.zone, "the availability zone"),
        ];
        if let Some((_, what)) = fixed.into_iter().find(|(differs, _)| *differs) {
            return Err(unchangeable(SUBNET, &address.name, what));
        }
        let id = id_there(session, SUBNET, address).await?;
        if desired.public_addresses != live.public_addresses {
            set_public_addresses(session, &id, desired.public_addresses).await?;
        }
        write_tags(session, Kind::Subnet, &id, &desired.tags, &live.tags).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(id) = id(session, SUBNET, address).await? else { return Ok(()) };
        delete(session, SUBNET, address, Call::new("DeleteSubnet").with("SubnetId", id)).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        super::list_owned(session, SUBNET).await
    }
}

async fn set_public_addresses(session: &Session, id: &str, to: bool) -> Result<(), Failure> {
    let call =
        Call::new("ModifySubnetAttribute").with("SubnetId", id).with("MapPublicIpOnLaunch.Value", to.to_string());
    write(session, Kind::Subnet, call).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_subnets_of_a_tier_are_in_one_zone() {
        let zones = |names: &str| names.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let live = |taken: &[(usize, &str)]| taken.iter().map(|(number, zone)| (*number, (*zone).to_owned())).collect();
        for (names, taken, number, expected) in [
            ("a b d", &[][..], 1, Some("a")),
            ("a b d", &[], 3, Some("d")),
            ("a b d", &[], 4, None),
            // What another one of the same run has made changes nothing.
            ("a b d", &[(1, "a"), (3, "d")], 2, Some("b")),
            ("a b d", &[(3, "d")], 1, Some("a")),
            // AWS has added a zone.
            ("a b c d", &[(1, "a"), (2, "b"), (3, "d")], 4, Some("c")),
            ("a b c d e", &[(1, "a"), (2, "b"), (3, "d")], 5, Some("e")),
            ("a b c d e", &[(1, "a"), (2, "b"), (3, "d"), (4, "c")], 5, Some("e")),
        ] {
            let found = free(&zones(names), &live(taken), number);
            assert_eq!(found.as_deref(), expected, "{names} {taken:?} {number}");
        }
    }
}
