//! Security groups: who may reach what is in them, and whom that may reach. What is not allowed is dropped.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    SECURITY_GROUP, delete, find_now, id, id_there, make, tags_of, take_away, unchangeable, with_id, without_id, write,
    write_tags,
};
use crate::{
    Kind, Manage, Session,
    identity::{Identity, Output},
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{
    ArnForm,
    query::{Call, Element},
};
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Protection, Slow, Tags, plain};

/// The kind of security groups, with their rules.
#[derive(Debug)]
pub struct SecurityGroup;

/// The managed settings of a security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Id of its network, or what stands for it.
    pub network: String,
    /// Who may reach what is in it, as [`rule`] writes it: all rules of the group, ours and others'.
    pub ingress: BTreeSet<String>,
    /// Whom what is in it may reach.
    pub egress: BTreeSet<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// The rule that AWS gives a new group: what is in it may reach everybody.
pub const TO_EVERYBODY: &str = "all 0.0.0.0/0";
/// The rule that AWS gives it, too, where its network has IPv6.
const TO_EVERYBODY_OVER_IPV6: &str = "all ::/0";
/// AWS's word for every protocol.
const EVERY: &str = "-1";

/// Returns the text of a rule: a protocol, its ports, and a range, a group or a list of prefixes. Every protocol has no ports.
///
/// ```
/// use kinds::ec2::security_group::rule;
///
/// assert_eq!(rule("tcp", Some((443, 443)), "10.0.0.0/8"), "tcp 443 10.0.0.0/8");
/// assert_eq!(rule("udp", Some((1, 65535)), "sg-0a1b2c3d"), "udp 1-65535 sg-0a1b2c3d");
/// assert_eq!(rule("-1", None, "::/0"), "all ::/0");
/// ```
pub fn rule(protocol: &str, ports: Option<(i32, i32)>, peer: &str) -> String {
    match ports.filter(|_| protocol != EVERY) {
        Some((from, to)) if from == to => format!("{protocol} {from} {peer}"),
        Some((from, to)) => format!("{protocol} {from}-{to} {peer}"),
        None if protocol == EVERY => format!("all {peer}"),
        None => format!("{protocol} {peer}"),
    }
}

/// A rule as EC2 answers it: protocol, first and last port, and one peer.
type ReadRule = (String, Option<(i32, i32)>, String);

/// Where the peers of a rule stand in an answer.
const PEERS: &[(&str, &str)] =
    &[("ipRanges", "cidrIp"), ("ipv6Ranges", "cidrIpv6"), ("prefixListIds", "prefixListId"), ("groups", "groupId")];

/// Returns the rules of one direction, each with one peer. A group of another account has that account before it.
fn rules(member: &Element, direction: &str) -> Vec<ReadRule> {
    let mut rules = Vec::new();
    for permission in member.list(direction) {
        let port = |name: &str| permission.text(name).parse().ok();
        let ports = port("fromPort").and_then(|from| Some((from, port("toPort")?)));
        for (list, place) in PEERS {
            for peer in permission.list(list) {
                let owner = peer.text("userId");
                let is_theirs = !owner.is_empty() && owner != member.text("ownerId");
                let peer =
                    if is_theirs { format!("{owner}/{}", peer.text(place)) } else { peer.text(place).to_owned() };
                rules.push((permission.text("ipProtocol").to_owned(), ports, peer));
            }
        }
    }
    rules
}

/// Returns the rules of one direction as settings have them.
async fn read_rules(session: &Session, member: &Element, direction: &str) -> Result<BTreeSet<String>, Failure> {
    let mut texts = BTreeSet::new();
    for (protocol, ports, peer) in rules(member, direction) {
        texts.insert(rule(&protocol, ports, &without_id(session, &peer).await?));
    }
    Ok(texts)
}

/// Adds rules, with ids in place of what stands for them, to a call.
fn with_rules(mut call: Call, rules: &[String]) -> Call {
    for (text, number) in rules.iter().zip(1..) {
        let words: Vec<&str> = text.split(' ').collect();
        let (protocol, ports, peer) = match words.as_slice() {
            ["all", peer] => (EVERY, None, *peer),
            [protocol, peer] => (*protocol, None, *peer),
            [protocol, ports, peer] => (*protocol, Some(span(ports)), *peer),
            _ => continue,
        };
        let prefix = format!("IpPermissions.{number}");
        call = call.with(&format!("{prefix}.IpProtocol"), protocol);
        if let Some((from, to)) = ports {
            call = call.with(&format!("{prefix}.FromPort"), from).with(&format!("{prefix}.ToPort"), to);
        }
        let (owner, peer) = match peer.split_once('/') {
            Some((owner, peer)) if peer.starts_with("sg-") => (Some(owner), peer),
            _ => (None, peer),
        };
        let (list, name) = match peer {
            peer if peer.starts_with("sg-") => ("Groups", "GroupId"),
            peer if peer.starts_with("pl-") => ("PrefixListIds", "PrefixListId"),
            peer if peer.contains(':') => ("Ipv6Ranges", "CidrIpv6"),
            _ => ("IpRanges", "CidrIp"),
        };
        call = call.with(&format!("{prefix}.{list}.1.{name}"), peer);
        if let Some(owner) = owner {
            call = call.with(&format!("{prefix}.{list}.1.UserId"), owner);
        }
    }
    call
}

/// Returns the first and the last port of a span; the numbers of ICMP may be -1.
fn span(ports: &str) -> (&str, &str) {
    let end = ports.char_indices().skip(1).find(|(_, character)| *character == '-').map(|(index, _)| index);
    end.and_then(|end| Some((ports.get(..end)?, ports.get(end + 1..)?))).unwrap_or((ports, ports))
}

/// Writes the rules of one direction that differ: new ones first, so that nothing is cut off that both allow.
async fn write_rules(
    session: &Session,
    group: &str,
    [authorize, revoke]: [&'static str; 2],
    desired: &BTreeSet<String>,
    live: &BTreeSet<String>,
) -> Result<(), Failure> {
    let call = |action| Call::new(action).with("GroupId", group);
    // By ids on both sides: one of the stack's own may be declared by its id.
    let (desired, live) = (super::with_set(session, desired).await?, super::with_set(session, live).await?);
    let new: Vec<String> = desired.difference(&live).cloned().collect();
    if !new.is_empty() {
        match write(session, Kind::SecurityGroup, with_rules(call(authorize), &new)).await {
            // One of them is there already, and then none is written: each by itself.
            Err(failure) if failure.class == Class::Exists => {
                for one in &new {
                    let one = with_rules(call(authorize), std::slice::from_ref(one));
                    match write(session, Kind::SecurityGroup, one).await {
                        Err(failure) if failure.class == Class::Exists => {}
                        result => result?,
                    }
                }
            }
            result => result?,
        }
    }
    for old in live.difference(&desired) {
        take_away(session, Kind::SecurityGroup, with_rules(call(revoke), std::slice::from_ref(old))).await?;
    }
    Ok(())
}

const INGRESS: [&str; 2] = ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"];
const EGRESS: [&str; 2] = ["AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress"];

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity = Identity {
    section: Some("security_groups"),
    arn: Some(ArnForm("ec2:{region}:{account}:security-group/{name}")),
    output: Output::Name,
    ..Identity::implied("security group", "SecurityGroups", 255)
};

impl Manage for SecurityGroup {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[plain("network"), plain("ingress"), plain("egress"), plain("tags.*")];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Network];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ec2:DescribeSecurityGroups"]),
        writes(
            Target::Own(Kind::SecurityGroup),
            &[
                "ec2:AuthorizeSecurityGroupEgress",
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:CreateSecurityGroup",
                "ec2:CreateTags",
                "ec2:DeleteTags",
                "ec2:RevokeSecurityGroupEgress",
                "ec2:RevokeSecurityGroupIngress",
            ],
        ),
        writes(Target::Own(Kind::Network), &["ec2:CreateSecurityGroup"]),
        writes(Target::Existing(Kind::Network), &["ec2:CreateSecurityGroup"]),
        deletes(Target::Own(Kind::SecurityGroup), &["ec2:DeleteSecurityGroup"]),
    ];

    const ENDS_IN: Option<Slow> = Some(super::LEAVING);

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text, texts};
        Settings { network: text(), ingress: texts(), egress: texts(), tags: tags() }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    /// Everybody is everybody over IPv6, too, where AWS says so.
    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        if desired.egress.contains(TO_EVERYBODY) && live.egress.contains(TO_EVERYBODY_OVER_IPV6) {
            desired.egress.insert(TO_EVERYBODY_OVER_IPV6.to_owned());
        }
        Vec::new()
    }

    /// Allows what was allowed until whoever uses it is changed.
    fn interim(desired: &Settings, live: &Settings) -> Settings {
        let both = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.union(other).cloned().collect();
        Settings {
            ingress: both(&desired.ingress, &live.ingress),
            egress: both(&desired.egress, &live.egress),
            ..desired.clone()
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some((member, owner)) = super::read(session, SECURITY_GROUP, address).await? else { return Ok(None) };
        let settings = Settings {
            network: without_id(session, member.text("vpcId")).await?,
            ingress: read_rules(session, &member, "ipPermissions").await?,
            egress: read_rules(session, &member, "ipPermissionsEgress").await?,
            tags: tags_of(&member),
        };
        Ok(Some(Live { settings, owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let call = Call::new("CreateSecurityGroup")
            .with("GroupName", &address.name)
            .with("GroupDescription", format!("{} of {}", address.name, session.stack.id()))
            .with("VpcId", with_id(session, &desired.network).await?);
        let id = make(session, SECURITY_GROUP, address, call, ("groupId", &desired.tags)).await?;
        write_rules(session, &id, INGRESS, &desired.ingress, &BTreeSet::new()).await?;
        // AWS gives a new group its rule, and another one where the network has IPv6.
        let there = find_now(session, SECURITY_GROUP, &address.name).await?;
        let mut egress = match &there {
            Some(member) => read_rules(session, member, "ipPermissionsEgress").await?,
            None => BTreeSet::from([TO_EVERYBODY.to_owned()]),
        };
        if desired.egress.contains(TO_EVERYBODY) {
            egress.remove(TO_EVERYBODY_OVER_IPV6);
        }
        write_rules(session, &id, EGRESS, &desired.egress, &egress).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        if desired.network != live.network {
            return Err(unchangeable(SECURITY_GROUP, &address.name, "the network"));
        }
        let id = id_there(session, SECURITY_GROUP, address).await?;
        write_rules(session, &id, INGRESS, &desired.ingress, &live.ingress).await?;
        write_rules(session, &id, EGRESS, &desired.egress, &live.egress).await?;
        write_tags(session, Kind::SecurityGroup, &id, &desired.tags, &live.tags).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(id) = id(session, SECURITY_GROUP, address).await? else { return Ok(()) };
        delete(session, SECURITY_GROUP, address, Call::new("DeleteSecurityGroup").with("GroupId", id)).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        super::list_owned(session, SECURITY_GROUP).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const GROUP: &str = "<item><ownerId>123456789012</ownerId><groupId>sg-0a</groupId><ipPermissions>\
        <item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>\
        <groups><item><userId>123456789012</userId><groupId>sg-0b</groupId></item><item><userId>210987654321</userId><groupId>sg-0c</groupId></item></groups>\
        <ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges><ipv6Ranges><item><cidrIpv6>fd00::/8</cidrIpv6></item></ipv6Ranges>\
        <prefixListIds><item><prefixListId>pl-0a</prefixListId></item></prefixListIds></item>\
        <item><ipProtocol>icmp</ipProtocol><fromPort>-1</fromPort><toPort>-1</toPort><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>\
        <item><ipProtocol>icmp</ipProtocol><fromPort>8</fromPort><toPort>-1</toPort><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>\
        <item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>10.1.0.0/16</cidrIp></item></ipRanges></item>\
        <item><ipProtocol>50</ipProtocol><ipRanges><item><cidrIp>10.1.0.0/16</cidrIp></item></ipRanges></item>\
        </ipPermissions></item>";

    /// Returns the rules that an answer would have after a call.
    fn as_read(call: &Call) -> Vec<ReadRule> {
        let mut rules: BTreeMap<u32, BTreeMap<String, String>> = BTreeMap::new();
        for (name, value) in call.parameters() {
            let (number, part) = name.strip_prefix("IpPermissions.").unwrap().split_once('.').unwrap();
            rules.entry(number.parse().unwrap()).or_default().insert(part.to_owned(), value.to_owned());
        }
        let rule = |parts: &BTreeMap<String, String>| {
            let port = |name: &str| parts.get(name).map(|port| port.parse().unwrap());
            let is_peer = |name: &str| name.contains(".1.") && !name.ends_with("UserId");
            let peers = parts.iter().find(|(name, _)| is_peer(name)).unwrap().1;
            let owner = parts.iter().find(|(name, _)| name.ends_with("UserId")).map(|(_, owner)| format!("{owner}/"));
            let peer = format!("{}{peers}", owner.unwrap_or_default());
            (parts["IpProtocol"].clone(), port("FromPort").zip(port("ToPort")), peer)
        };
        rules.values().map(rule).collect()
    }

    #[test]
    fn each_peer_is_written_as_one_of_its_sort() {
        for (peer, name) in [
            ("sg-0b", "Groups.1.GroupId"),
            ("pl-0a", "PrefixListIds.1.PrefixListId"),
            ("fd00::/8", "Ipv6Ranges.1.CidrIpv6"),
            ("10.0.0.0/8", "IpRanges.1.CidrIp"),
        ] {
            let call = with_rules(Call::new("AuthorizeSecurityGroupIngress"), &[format!("tcp 443 {peer}")]);
            let sent = call.parameters().find(|(_, value)| *value == peer).map(|(name, _)| name.to_owned());
            assert_eq!(sent, Some(format!("IpPermissions.1.{name}")), "{peer}");
        }
    }

    #[test]
    fn every_rule_is_written_as_it_was_read() {
        let read = rules(&Element::read(GROUP).unwrap(), "ipPermissions");
        assert_eq!(read.len(), 9);
        let texts: Vec<String> = read.iter().map(|(protocol, ports, peer)| rule(protocol, *ports, peer)).collect();
        assert_eq!(
            texts,
            [
                "tcp 443 10.0.0.0/8",
                "tcp 443 fd00::/8",
                "tcp 443 pl-0a",
                "tcp 443 sg-0b",
                "tcp 443 210987654321/sg-0c",
                "icmp -1 0.0.0.0/0",
                "icmp 8--1 0.0.0.0/0",
                "all 10.1.0.0/16",
                "50 10.1.0.0/16",
            ]
        );
        assert_eq!(as_read(&with_rules(Call::new("AuthorizeSecurityGroupIngress"), &texts)), read);
    }

    #[test]
    fn what_was_allowed_is_until_its_users_are_changed() {
        let group = |ingress: &[&str], egress: &[&str]| {
            let [ingress, egress] =
                [ingress, egress].map(|rules| rules.iter().map(|rule| (*rule).to_owned()).collect());
            Settings { network: "vpc-0a".to_owned(), ingress, egress, tags: Tags::new() }
        };
        let live = group(&["tcp 3306 sg-0a"], &[TO_EVERYBODY, TO_EVERYBODY_OVER_IPV6]);
        let mut desired = group(&["tcp 3306 sg-0b"], &[TO_EVERYBODY]);
        assert!(SecurityGroup::keep_protections(&mut desired, &live).is_empty());
        assert_eq!(desired.egress, live.egress, "everybody is everybody");
        let interim = SecurityGroup::interim(&desired, &live);
        assert_eq!(interim.ingress.iter().collect::<Vec<_>>(), ["tcp 3306 sg-0a", "tcp 3306 sg-0b"]);
        let mut nobody = group(&[], &[]);
        SecurityGroup::keep_protections(&mut nobody, &live);
        assert!(nobody.egress.is_empty(), "nobody is nobody");
    }
}
