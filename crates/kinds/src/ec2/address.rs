//! Public addresses that stay the same, which AWS calls elastic IPs.

use serde::Serialize;

use super::{ADDRESS, delete, id, id_there, make, tags_of, write_tags};
use crate::{
    Kind, Manage, Session,
    identity::{Identity, Output},
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{ArnForm, query::Call};
use engine::{Address as Place, Failure, Field, Holds, Live, Owned, Slow, Tags, plain};

/// The kind of public addresses, which EC2 calls elastic ones.
#[derive(Debug)]
pub struct Address;

/// A public address. What has it says so: see the kinds of servers and NAT gateways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("ec2:{region}:{account}:elastic-ip/{name}")),
    output: Output::Name,
    ..Identity::implied("address", "Addresses", 255)
};

impl Manage for Address {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[plain("tags.*")];

    const HOLDS: Holds = Holds::Nothing;

    // A NAT gateway that is on its way out has its address for some minutes more.
    const ENDS_IN: Option<Slow> = Some(super::nat_gateway::ENDING);

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ec2:DescribeAddresses"]),
        writes(Target::Own(Kind::Address), &["ec2:AllocateAddress", "ec2:CreateTags", "ec2:DeleteTags"]),
        deletes(Target::Own(Kind::Address), &["ec2:ReleaseAddress"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        Settings { tags: crate::registered::tags() }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn read(session: &Session, address: &Place) -> Result<Option<Live<Settings>>, Failure> {
        let Some((member, owner)) = super::read(session, ADDRESS, address).await? else { return Ok(None) };
        Ok(Some(Live { settings: Settings { tags: tags_of(&member) }, owner }))
    }

    async fn create(session: &Session, address: &Place, desired: &Settings) -> Result<(), Failure> {
        let call = Call::new("AllocateAddress").with("Domain", "vpc");
        make(session, ADDRESS, address, call, ("allocationId", &desired.tags)).await.map(drop)
    }

    async fn update(session: &Session, address: &Place, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let id = id_there(session, ADDRESS, address).await?;
        write_tags(session, Kind::Address, &id, &desired.tags, &live.tags).await
    }

    /// Gives the address back. It is refused as long as something has it, and tried again: what has it goes before.
    async fn delete(session: &Session, address: &Place) -> Result<(), Failure> {
        let Some(id) = id(session, ADDRESS, address).await? else { return Ok(()) };
        delete(session, ADDRESS, address, Call::new("ReleaseAddress").with("AllocationId", id)).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        super::list_owned(session, ADDRESS).await
    }
}
