//! Disks of servers for data, which EC2 calls volumes: one stays when its server is replaced.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    SERVER, SUBNET, VOLUME, delete, find_among, find_now, id_of, id_there, make, members, name_of, tags_of, with_id,
    write, write_tags,
};
use crate::{
    Condition, Input, Kind, Manage, Session,
    documents::lacks,
    identity::{Identity, Output},
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{
    ArnForm,
    query::{Call, Element},
};
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Protection, Slow, Tags, immutable, plain};

/// The kind of disks of servers, which EC2 calls volumes.
#[derive(Debug)]
pub struct Volume;

/// The managed settings of a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Id of a subnet in its availability zone, or what stands for it. It counts only when the disk is made.
    #[serde(skip)]
    pub subnet: Input<String>,
    /// Subnets in the zone of a live one: their ids, and what stands for those of the stack's.
    #[serde(skip)]
    pub beside: Input<BTreeSet<String>>,
    /// Its availability zone, or [`zone_of`] a subnet.
    pub zone: String,
    /// State in AWS's word.
    #[serde(skip)]
    pub state: Input<String>,
    /// Its size, in GiB.
    pub size: u32,
    /// Type of the disk: `gp3`.
    pub disk_type: String,
    /// `true` if it is encrypted.
    pub is_encrypted: bool,
    /// ARN of the KMS key that encrypts it; `None` is EC2's own.
    pub kms_key: Option<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// Type of disk: the one of today, with 3,000 operations a second.
pub const GP3: &str = "gp3";
const DESCRIBE: &str = "ec2.DescribeVolumes";
/// A server is stopped before a disk is taken from it: what it has not written yet would be lost.
const ENDING: Slow = Slow { seconds: 120, why: "EC2 stops its server" };

/// Returns what stands for the zone of a subnet in declared settings: AWS may not have made that one yet.
///
/// ```
/// assert_eq!(kinds::ec2::volume::zone_of("subnet-0a1b2c3d"), "that of subnet-0a1b2c3d");
/// ```
pub fn zone_of(subnet: &str) -> String {
    format!("that of {subnet}")
}

fn at_work(name: &str, state: &str) -> Failure {
    Failure::found(DESCRIBE, Class::InProgress, format!("the disk `{name}` is {state}"))
}

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("ec2:{region}:{account}:volume/{name}")),
    output: Output::Name,
    ..Identity::implied("volume", "Volumes", 255)
};

impl Manage for Volume {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        immutable("zone", "EC2 cannot move a disk to another zone"),
        plain("size"),
        plain("disk_type"),
        immutable("is_encrypted", "EC2 encrypts a disk when it makes it"),
        immutable("kms_key", "EC2 cannot change the key of a disk"),
        plain("tags.*"),
    ];

    const HOLDS: Holds = Holds::Lasting;

    /// It is made after a subnet, which tells its zone, and is in none: one that stays keeps no network.
    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ec2:DescribeInstances", "ec2:DescribeSubnets", "ec2:DescribeVolumes"]),
        writes(
            Target::Own(Kind::Volume),
            &["ec2:CreateTags", "ec2:CreateVolume", "ec2:DeleteTags", "ec2:ModifyVolume"],
        ),
        deletes(Target::Own(Kind::Volume), &["ec2:DeleteVolume", "ec2:DetachVolume"]),
        deletes(Target::Own(Kind::Server), &["ec2:DetachVolume", "ec2:StopInstances"]),
    ];

    const ENDS_IN: Option<Slow> = Some(ENDING);

    fn condition(live: &Settings) -> Condition {
        match live.state.as_str() {
            "error" => Condition::Failed("EC2 cannot reach its data".to_owned()),
            "creating" => Condition::Pending("EC2 makes it".to_owned()),
            _ => Condition::Well,
        }
    }

    fn under_way(live: &Settings) -> Option<&'static str> {
        (live.state.as_str() == "creating").then_some("EC2 makes it")
    }

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text};
        Settings {
            subnet: Input(text()),
            beside: Input(BTreeSet::from([text()])),
            zone: text(),
            state: Input(text()),
            size: 10,
            disk_type: text(),
            is_encrypted: true,
            kms_key: Some(text()),
            tags: tags(),
        }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    /// Keeps what cannot be had back: a larger disk, and the key of a disk. The zone is the right one if the subnet is in it.
    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        if live.beside.contains(desired.subnet.as_str()) {
            desired.zone.clone_from(&live.zone);
        }
        if desired.kms_key.is_none() {
            desired.kms_key.clone_from(&live.kms_key);
        }
        if live.size <= desired.size {
            return Vec::new();
        }
        desired.size = live.size;
        vec![Protection::new("size", live.size.to_string(), "disks never shrink")]
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some((member, owner)) = super::read(session, VOLUME, address).await? else { return Ok(None) };
        let mut settings = settings(&member)?;
        settings.beside = Input(beside(session, &settings.zone).await?);
        Ok(Some(Live { settings, owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let call = Call::new("CreateVolume")
            .with("AvailabilityZone", zone(session, &desired.subnet).await?)
            .with("Size", desired.size.to_string())
            .with("VolumeType", &desired.disk_type)
            .with("Encrypted", desired.is_encrypted.to_string());
        let call = match &desired.kms_key {
            Some(key) => call.with("KmsKeyId", key),
            None => call,
        };
        let id = make(session, VOLUME, address, call, ("volumeId", &desired.tags)).await?;
        made(&id, find_now(session, VOLUME, &id).await?.as_ref())
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let id = id_there(session, VOLUME, address).await?;
        if (desired.size, &desired.disk_type) != (live.size, &live.disk_type) {
            let call = Call::new("ModifyVolume").with("VolumeId", &id).with("Size", desired.size.to_string());
            write(session, Kind::Volume, call.with("VolumeType", &desired.disk_type)).await?;
        }
        write_tags(session, Kind::Volume, &id, &desired.tags, &live.tags).await
    }

    /// Deletes a disk. A server that goes, too, goes before; from one that stays it is taken first.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(member) = find_now(session, VOLUME, &address.name).await? else { return Ok(()) };
        let id = member.text(VOLUME.id);
        if let Some(attachment) = member.list("attachmentSet").first() {
            return Err(take_from_server(session, id, attachment).await);
        }
        delete(session, VOLUME, address, Call::new("DeleteVolume").with("VolumeId", id)).await
    }

    /// Returns that it may hold something: nobody but its server may read it.
    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        let found = find_among(session, VOLUME, &members(session, VOLUME).await?, &address.name)?;
        Ok(found.map(|_| "its files".to_owned()))
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        super::list_owned(session, VOLUME).await
    }
}

fn settings(member: &Element) -> Result<Settings, Failure> {
    Ok(Settings {
        subnet: Input::default(),
        beside: Input::default(),
        zone: member.text("availabilityZone").to_owned(),
        state: Input(member.text("status").to_owned()),
        size: member.text("size").parse().map_err(|_| lacks(DESCRIBE, "size"))?,
        disk_type: member.text("volumeType").to_owned(),
        is_encrypted: member.is("encrypted"),
        kms_key: Some(member.text("kmsKeyId").to_owned()).filter(|key| !key.is_empty()),
        tags: tags_of(member),
    })
}

/// Returns whether a disk was made, as it is told now. EC2 answers before it has looked at the key, and drops one that it cannot encrypt.
fn made(id: &str, found: Option<&Element>) -> Result<(), Failure> {
    match found.map(|found| found.text("status")) {
        Some("creating") => Err(at_work(id, "creating")),
        Some("error") => {
            Err(Failure::found(DESCRIBE, Class::Invalid, format!("EC2 could not make the disk `{id}`; delete it")))
        }
        Some(_) => Ok(()),
        None => {
            let words = format!("the disk `{id}` is not there: EC2 drops one whose KMS key it may not use");
            Err(Failure::found(DESCRIBE, Class::NotYet, words))
        }
    }
}

/// Takes the next step to take a disk from a server of the stack's, and returns what is waited for, or why it stays there.
async fn take_from_server(session: &Session, id: &str, attachment: &Element) -> Failure {
    let server = attachment.text("instanceId");
    let step = async {
        let Some(member) = find_now(session, SERVER, server).await? else { return Ok("on its way from a server") };
        if name_of(session, Kind::Server, &member).is_none() {
            let words = format!("the server `{server}` has the disk `{id}`, and is not the stack's; detach it");
            return Err(Failure::found(DESCRIBE, Class::Other, words));
        }
        match (member.text("instanceState/name"), attachment.text("status")) {
            ("running", _) => {
                write(session, Kind::Server, Call::new("StopInstances").with("InstanceId.1", server)).await?;
                Ok("with its server, which stops")
            }
            ("stopped", "attached") => {
                let call = Call::new("DetachVolume").with("VolumeId", id).with("InstanceId", server);
                write(session, Kind::Volume, call).await?;
                Ok("on its way from its server")
            }
            _ => Ok("with its server, which stops"),
        }
    };
    step.await.map_or_else(|failure| failure, |state| at_work(id, state))
}

/// Returns the subnets in a zone: their ids, and what stands for those of the stack's.
async fn beside(session: &Session, zone: &str) -> Result<BTreeSet<String>, Failure> {
    let call = Call::new(SUBNET.describe).filter("availability-zone", [zone]);
    let found = session.aws.read.ec2.pages(call, SUBNET.list).await?;
    let texts = found.iter().flat_map(|subnet| {
        let name = name_of(session, Kind::Subnet, subnet).map(|name| id_of(Kind::Subnet, &name));
        name.into_iter().chain([subnet.text(SUBNET.id).to_owned()])
    });
    Ok(texts.collect())
}

/// Returns the availability zone of a subnet.
async fn zone(session: &Session, subnet: &str) -> Result<String, Failure> {
    let id = with_id(session, subnet).await?;
    let call = Call::new(SUBNET.describe).filter(SUBNET.filter, [&id]);
    let found = session.aws.read.ec2.pages(call, SUBNET.list).await?;
    let zone = found.first().map(|subnet| subnet.text("availabilityZone")).unwrap_or_default().to_owned();
    if zone.is_empty() {
        return Err(Failure::found("ec2.DescribeSubnets", Class::NotYet, format!("the subnet `{id}` is not there")));
    }
    Ok(zone)
}

#[cfg(test)]
mod tests {
    use engine::Kind as _;

    use super::*;

    #[test]
    fn a_larger_disk_stays_and_one_real_change_is_seen() {
        let read = |size: u32, encrypted: bool, key: &str| {
            let text = format!(
                "<item><size>{size}</size><availabilityZone>eu-west-1a</availabilityZone><volumeType>gp3</volumeType><encrypted>{encrypted}</encrypted><kmsKeyId>{key}</kmsKeyId></item>"
            );
            settings(&Element::read(&text).unwrap()).unwrap()
        };
        let plain = read(10, true, "k");
        for (other, field) in [
            (Settings { zone: "eu-west-1b".to_owned(), ..plain.clone() }, "zone"),
            (read(20, true, "k"), "size"),
            (read(10, false, "k"), "is_encrypted"),
            (read(10, true, "other"), "kms_key"),
        ] {
            let [one, two] = [&other, &plain].map(|settings| Kind::tree(&settings.clone().into()));
            let paths: Vec<String> = engine::differences(&one, &two).into_iter().map(|one| one.path).collect();
            assert_eq!(paths, [field]);
        }
        let mut desired = Settings { kms_key: None, ..read(10, true, "k") };
        let kept = Volume::keep_protections(&mut desired, &read(20, true, "k"));
        assert_eq!((desired.size, desired.kms_key.as_deref(), kept.len()), (20, Some("k"), 1));
        let mut desired = read(30, true, "k");
        assert!(Volume::keep_protections(&mut desired, &read(20, true, "k")).is_empty() && desired.size == 30);
    }

    #[test]
    fn a_disk_stays_where_its_server_is_in_its_zone() {
        let live = Settings {
            beside: Input(BTreeSet::from(["subnet-0a".to_owned(), id_of(Kind::Subnet, "circuits-main-private-1")])),
            zone: "eu-west-1a".to_owned(),
            ..Volume::full()
        };
        for (subnet, same) in [
            ("subnet-0a", true),
            ("(id of subnet circuits-main-private-1)", true),
            ("subnet-0b", false),
            ("(id of subnet circuits-main-private-2)", false),
        ] {
            let mut desired = Settings { subnet: Input(subnet.to_owned()), zone: zone_of(subnet), ..live.clone() };
            Volume::keep_protections(&mut desired, &live);
            let [one, two] = [&live, &desired].map(|settings| Kind::tree(&settings.clone().into()));
            let found = engine::differences(&one, &two);
            assert_eq!(engine::Reasons::among(Kind::Volume, &found).is_none(), same, "{subnet}: {found:?}");
        }
    }

    #[test]
    fn a_new_disk_is_waited_for_and_one_that_is_dropped_is_told() {
        let made = |state: &str| {
            let told = Element::read(&format!("<item><status>{state}</status></item>")).unwrap();
            made("vol-0a", Some(&told)).map_err(|failure| failure.class)
        };
        assert_eq!(made("available"), Ok(()));
        assert_eq!(made("in-use"), Ok(()));
        assert_eq!(made("creating"), Err(Class::InProgress));
        assert_eq!(made("error"), Err(Class::Invalid));
        let dropped = super::made("vol-0a", None).unwrap_err();
        assert!(dropped.class == Class::NotYet && dropped.message.contains("KMS key"), "{dropped}");
    }
}
