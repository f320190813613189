//! NAT gateways: what is in private subnets reaches the internet through one, and is not reached from there. It is paid for by the hour.

use serde::Serialize;

use super::{
    NAT_GATEWAY, find_among, find_now, id_there, make, tags_of, unchangeable, with_id, without_id, write_tags,
};
use crate::{
    Condition, Kind, Manage, Session,
    identity::Identity,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{
    ArnForm,
    query::{Call, Element},
};
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, STACK_TAG, Slow, Tags, coupled, plain};

/// The kind of NAT gateways of networks.
#[derive(Debug)]
pub struct NatGateway;

/// The managed settings of a NAT gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Id of its subnet, a public one, or what stands for it.
    pub subnet: String,
    /// Id of its public address, or what stands for it.
    pub address: String,
    /// `false` as long as AWS makes it.
    pub is_made: bool,
    /// Reason for which AWS could not make it; `None` if it could.
    pub failure: Option<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// AWS makes one within some two minutes, as its guide says of the states of NAT gateways.
const MAKING: Slow = Slow { seconds: 180, why: "AWS makes the NAT gateway" };
/// It ends as slowly, and has its address until then.
pub(super) const ENDING: Slow =
    Slow { seconds: 180, why: "AWS takes the NAT gateway away, which has its address until then" };
const DESCRIBE: &str = "ec2.DescribeNatGateways";

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("ec2:{region}:{account}:natgateway/{name}")),
    ..Identity::implied("nat gateway", "NatGateways", 255)
};

fn at_work(name: &str, state: &str) -> Failure {
    Failure::found(DESCRIBE, Class::InProgress, format!("the NAT gateway `{name}` is {state}"))
}

/// Returns one of the stack's that is not gone yet, whichever its state.
async fn not_gone(session: &Session, name: &str) -> Result<Option<Element>, Failure> {
    let call = Call::new(NAT_GATEWAY.describe)
        .filter(&format!("tag:{STACK_TAG}"), [session.stack.id()])
        .filter("state", ["deleting"]);
    let leaving = session.aws.read.ec2.pages(call, NAT_GATEWAY.list).await?;
    match find_now(session, NAT_GATEWAY, name).await? {
        Some(found) => Ok(Some(found)),
        None => find_among(session, NAT_GATEWAY, &leaving, name),
    }
}

/// Returns `false` as long as AWS makes one, and the reason why AWS could not make it.
fn state(member: &Element) -> (bool, Option<String>) {
    let state = member.text("state");
    (state != "pending", (state == "failed").then(|| member.text("failureMessage").to_owned()))
}

impl Manage for NatGateway {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("subnet"),
        plain("address"),
        coupled("is_made", &["failure"]),
        coupled("failure", &["is_made"]),
        plain("tags.*"),
    ];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Subnet, Kind::Address, Kind::InternetGateway];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ec2:DescribeNatGateways"]),
        writes(Target::Own(Kind::NatGateway), &["ec2:CreateNatGateway", "ec2:CreateTags", "ec2:DeleteTags"]),
        writes(Target::Own(Kind::Subnet), &["ec2:CreateNatGateway"]),
        writes(Target::Own(Kind::Address), &["ec2:CreateNatGateway"]),
        deletes(Target::Own(Kind::NatGateway), &["ec2:DeleteNatGateway"]),
    ];

    const ENDS_IN: Option<Slow> = Some(ENDING);

    fn slow(live: Option<&Settings>, _desired: &Settings) -> Option<Slow> {
        live.is_none_or(|live| !live.is_made).then_some(MAKING)
    }

    fn condition(live: &Settings) -> Condition {
        match &live.failure {
            Some(why) => Condition::Failed(why.clone()),
            None if live.is_made => Condition::Well,
            None => Condition::Pending("waits until AWS has made it".to_owned()),
        }
    }

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text};
        Settings { subnet: text(), address: text(), is_made: true, failure: Some(text()), tags: tags() }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some((member, owner)) = super::read(session, NAT_GATEWAY, address).await? else { return Ok(None) };
        let public = member.list("natGatewayAddressSet").first().map_or("", |one| one.text("allocationId"));
        let (is_made, failure) = state(&member);
        let settings = Settings {
            subnet: without_id(session, member.text("subnetId")).await?,
            address: without_id(session, public).await?,
            is_made,
            failure,
            tags: tags_of(&member),
        };
        Ok(Some(Live { settings, owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let call = Call::new("CreateNatGateway")
            .with("SubnetId", with_id(session, &desired.subnet).await?)
            .with("AllocationId", with_id(session, &desired.address).await?);
        make(session, NAT_GATEWAY, address, call, ("natGateway/natGatewayId", &desired.tags)).await?;
        Err(at_work(&address.name, "pending"))
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        if let Some(why) = &live.failure {
            let words =
                format!("AWS could not make the NAT gateway `{}`: {why}; delete it and run it again", address.name);
            return Err(Failure::found(DESCRIBE, Class::Other, words));
        }
        let fixed = [(desired.subnet != live.subnet, "the subnet"), (desired.address != live.address, "the address")];
        if let Some((_, what)) = fixed.into_iter().find(|(differs, _)| *differs) {
            return Err(unchangeable(NAT_GATEWAY, &address.name, what));
        }
        let id = id_there(session, NAT_GATEWAY, address).await?;
        write_tags(session, Kind::NatGateway, &id, &desired.tags, &live.tags).await?;
        if live.is_made { Ok(()) } else { Err(at_work(&address.name, "pending")) }
    }

    /// Deletes one, and succeeds when it is gone: its address and its network stay as long as it is there.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(member) = not_gone(session, &address.name).await? else { return Ok(()) };
        if member.text("state") != "deleting" {
            let call = Call::new("DeleteNatGateway").with("NatGatewayId", member.text(NAT_GATEWAY.id));
            super::delete(session, NAT_GATEWAY, address, call).await?;
        }
        match not_gone(session, &address.name).await? {
            Some(_) => Err(at_work(&address.name, "deleting")),
            None => Ok(()),
        }
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        super::list_owned(session, NAT_GATEWAY).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_state_says_whether_it_works() {
        for (told, expected) in [
            ("<state>pending</state>", (false, None)),
            ("<state>available</state>", (true, None)),
            (
                "<state>failed</state><failureMessage>Network vpc-0a has no Internet gateway attached</failureMessage>",
                (true, Some("Network vpc-0a has no Internet gateway attached".to_owned())),
            ),
        ] {
            assert_eq!(state(&Element::read(&format!("<item>{told}</item>")).unwrap()), expected, "{told}");
        }
    }
}
