//! Networks of one's own, which AWS calls virtual private clouds: a range of addresses that others do not reach.

use serde::Serialize;

use super::{NETWORK, delete, id, id_there, make, tags_of, unchangeable, write, write_tags};
use crate::{
    Kind, Manage, Session,
    identity::{Identity, Output},
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{
    ArnForm,
    query::{Call, Element},
};
use engine::{Address, Children, Failure, Field, Holds, Live, Owned, Tags, plain, stays};

/// The kind of networks, which EC2 calls VPCs.
#[derive(Debug)]
pub struct Network;

/// The managed settings of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Range of its addresses, as `10.20.0.0/16`.
    pub range: String,
    /// `true` if AWS answers questions for names in it.
    pub dns: bool,
    /// `true` if what has a public address gets a name, too; endpoints of services need it.
    pub dns_names: bool,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

/// The two switches of names: the setting in a call and in an answer.
const DNS: (&str, &str) = ("EnableDnsSupport", "enableDnsSupport");
const DNS_NAMES: (&str, &str) = ("EnableDnsHostnames", "enableDnsHostnames");

/// Returns a switch of a network, which AWS tells one by one.
async fn switch(session: &Session, id: &str, (_, name): (&str, &str)) -> Result<bool, Failure> {
    let call = Call::new("DescribeVpcAttribute").with("VpcId", id).with("Attribute", name);
    Ok(session.aws.read.ec2.call(&call).await?.is(&format!("{name}/value")))
}

/// Sets a switch of a network, which AWS takes one by one.
async fn set(session: &Session, id: &str, (name, _): (&str, &str), to: bool) -> Result<(), Failure> {
    let call = Call::new("ModifyVpcAttribute").with("VpcId", id).with(&format!("{name}.Value"), to.to_string());
    write(session, Kind::Network, call).await
}

/// Returns the ranges that others gave a network beside its own: routes and groups say who reaches them.
fn ranges(member: &Element) -> Children {
    let mut children = Children::default();
    let lists = [
        ("cidrBlockAssociationSet", "cidrBlock", "cidrBlockState/state"),
        ("ipv6CidrBlockAssociationSet", "ipv6CidrBlock", "ipv6CidrBlockState/state"),
    ];
    for (list, range, state) in lists {
        let there = member.list(list).iter().filter(|one| one.text(state).starts_with("associat"));
        for one in there.filter(|one| one.text(range) != member.text("cidrBlock")) {
            children.add("ranges", one.text(range), one.text("associationId"), false);
        }
    }
    children
}

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity = Identity {
    section: Some("networks"),
    output: Output::Name,
    arn: Some(ArnForm("ec2:{region}:{account}:vpc/{name}")),
    ..Identity::implied("network", "Networks", 128)
};

impl Manage for Network {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("range"),
        plain("dns"),
        plain("dns_names"),
        plain("tags.*"),
        stays("ranges.*", "a further range of the network"),
    ];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ec2:DescribeVpcAttribute", "ec2:DescribeVpcs"]),
        writes(
            Target::Own(Kind::Network),
            &["ec2:CreateTags", "ec2:CreateVpc", "ec2:DeleteTags", "ec2:ModifyVpcAttribute"],
        ),
        deletes(Target::Own(Kind::Network), &["ec2:DeleteVpc"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text};
        let children = Children::one_in_each(Self::FIELDS);
        Settings { range: text(), dns: false, dns_names: true, tags: tags(), children }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some((member, owner)) = super::read(session, NETWORK, address).await? else { return Ok(None) };
        let id = member.text(NETWORK.id);
        let (dns, dns_names) = tokio::try_join!(switch(session, id, DNS), switch(session, id, DNS_NAMES))?;
        let settings = Settings {
            range: member.text("cidrBlock").to_owned(),
            dns,
            dns_names,
            tags: tags_of(&member),
            children: ranges(&member),
        };
        Ok(Some(Live { settings, owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let call = Call::new("CreateVpc").with("CidrBlock", &desired.range);
        let id = make(session, NETWORK, address, call, ("vpc/vpcId", &desired.tags)).await?;
        set(session, &id, DNS, desired.dns).await?;
        set(session, &id, DNS_NAMES, desired.dns_names).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        if desired.range != live.range {
            return Err(unchangeable(NETWORK, &address.name, "the range"));
        }
        let id = id_there(session, NETWORK, address).await?;
        if desired.dns != live.dns {
            set(session, &id, DNS, desired.dns).await?;
        }
        if desired.dns_names != live.dns_names {
            set(session, &id, DNS_NAMES, desired.dns_names).await?;
        }
        write_tags(session, Kind::Network, &id, &desired.tags, &live.tags).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(id) = id(session, NETWORK, address).await? else { return Ok(()) };
        delete(session, NETWORK, address, Call::new("DeleteVpc").with("VpcId", id)).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        super::list_owned(session, NETWORK).await
    }
}
