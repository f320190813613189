//! Subnets: parts of the range of a network, each in one availability zone.

use serde::Serialize;

use super::{SUBNET, delete, id, id_there, make, refuse, tags_of, with_id, without_id, write, write_tags};
use crate::{
    Kind, Manage, Session,
    identity::Identity,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{ArnForm, query::Call};
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Protection, Slow, Tags, plain};

/// Subnets.
#[derive(Debug)]
pub struct Subnet;

/// A subnet.
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

/// Returns the zone at a place among those of the region in the order of their names.
async fn zone(session: &Session, number: usize) -> Result<String, Failure> {
    let call = Call::new("DescribeAvailabilityZones")
        .filter("state", ["available"])
        .filter("zone-type", ["availability-zone"])
        .filter("opt-in-status", ["opt-in-not-required", "opted-in"]);
    let mut zones: Vec<String> =
        session.aws.read.ec2.call(&call).await?.texts("availabilityZoneInfo", "zoneName").collect();
    zones.sort_unstable();
    let words =
        format!("the region has {} availability zones, and the network needs {number}; lower `zones`", zones.len());
    let zone = number.checked_sub(1).and_then(|index| zones.get(index)).cloned();
    zone.ok_or_else(|| Failure::found("ec2.DescribeAvailabilityZones", Class::Invalid, words))
}

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
            None => zone(session, desired.number).await?,
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
            return Err(refuse(SUBNET, &address.name, what));
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
