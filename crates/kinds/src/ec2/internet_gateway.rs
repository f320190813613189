//! Internet gateways: the way of a network to the internet, and back to what has a public address.

use serde::Serialize;

use super::{
    INTERNET_GATEWAY, delete, find_now, id_there, make, tags_of, take_away, with_id, without_id, write, write_tags,
};
use crate::{
    Kind, Manage, Session,
    identity::Identity,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{
    ArnForm,
    query::{Call, Element},
};
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Tags, plain};

/// The kind of internet gateways of networks.
#[derive(Debug)]
pub struct InternetGateway;

/// The managed settings of an internet gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Id of the network that it is attached to, or what stands for it; `None` if it is to none.
    pub network: Option<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("ec2:{region}:{account}:internet-gateway/{name}")),
    ..Identity::implied("internet gateway", "InternetGateways", 255)
};

impl Manage for InternetGateway {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[plain("network"), plain("tags.*")];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Network];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ec2:DescribeInternetGateways"]),
        writes(
            Target::Own(Kind::InternetGateway),
            &[
                "ec2:AttachInternetGateway",
                "ec2:CreateInternetGateway",
                "ec2:CreateTags",
                "ec2:DeleteTags",
                "ec2:DetachInternetGateway",
            ],
        ),
        writes(Target::Own(Kind::Network), &["ec2:AttachInternetGateway", "ec2:DetachInternetGateway"]),
        deletes(Target::Own(Kind::InternetGateway), &["ec2:DeleteInternetGateway", "ec2:DetachInternetGateway"]),
        deletes(Target::Own(Kind::Network), &["ec2:DetachInternetGateway"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text};
        Settings { network: Some(text()), tags: tags() }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some((member, owner)) = super::read(session, INTERNET_GATEWAY, address).await? else { return Ok(None) };
        let network = match attached_to(&member) {
            Some(id) => Some(without_id(session, id).await?),
            None => None,
        };
        let settings = Settings { network, tags: tags_of(&member) };
        Ok(Some(Live { settings, owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let call = Call::new("CreateInternetGateway");
        let place = "internetGateway/internetGatewayId";
        let id = make(session, INTERNET_GATEWAY, address, call, (place, &desired.tags)).await?;
        attach(session, &id, desired).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let id = id_there(session, INTERNET_GATEWAY, address).await?;
        if desired.network != live.network {
            if let Some(network) = &live.network {
                detach(session, &id, &with_id(session, network).await?).await?;
            }
            attach(session, &id, desired).await?;
        }
        write_tags(session, Kind::InternetGateway, &id, &desired.tags, &live.tags).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(member) = find_now(session, INTERNET_GATEWAY, &address.name).await? else { return Ok(()) };
        let id = member.text(INTERNET_GATEWAY.id);
        if let Some(network) = attached_to(&member) {
            detach(session, id, network).await?;
        }
        let call = Call::new("DeleteInternetGateway").with("InternetGatewayId", id);
        delete(session, INTERNET_GATEWAY, address, call).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        super::list_owned(session, INTERNET_GATEWAY).await
    }
}

/// Returns the id of the network that a gateway is attached to.
fn attached_to(member: &Element) -> Option<&str> {
    let id = member.list("attachmentSet").first()?.text("vpcId");
    (!id.is_empty()).then_some(id)
}

async fn attach(session: &Session, id: &str, desired: &Settings) -> Result<(), Failure> {
    let Some(network) = &desired.network else { return Ok(()) };
    let call = Call::new("AttachInternetGateway")
        .with("InternetGatewayId", id)
        .with("VpcId", with_id(session, network).await?);
    match write(session, Kind::InternetGateway, call).await {
        // An earlier attempt has done it.
        Err(failure) if failure.class == Class::Exists => Ok(()),
        result => result,
    }
}

async fn detach(session: &Session, id: &str, network: &str) -> Result<(), Failure> {
    let call = Call::new("DetachInternetGateway").with("InternetGatewayId", id).with("VpcId", network);
    take_away(session, Kind::InternetGateway, call).await
}
