//! Disks of servers for data, which EC2 calls volumes: one stays when its server is replaced.

use serde::Serialize;

use super::{SUBNET, VOLUME, delete, find_among, id, id_there, known, make, tags_of, with_id, write, write_tags};
use crate::{
    Input, Kind, Manage, Session,
    documents::lacks,
    identity::{Identity, Output},
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{
    ArnForm,
    query::{Call, Element},
};
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Protection, Tags, immutable, plain};

/// Disks.
#[derive(Debug)]
pub struct Volume;

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Id of a subnet in its availability zone, or what stands for it. It counts only when the disk is made.
    #[serde(skip)]
    pub subnet: Input<String>,
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
        plain("size"),
        plain("disk_type"),
        immutable("is_encrypted", "EC2 encrypts a disk when it makes it"),
        immutable("kms_key", "EC2 cannot change the key of a disk"),
        plain("tags.*"),
    ];

    const HOLDS: Holds = Holds::Lasting;

    const REFERS_TO: &'static [Kind] = &[Kind::Subnet];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ec2:DescribeVolumes"]),
        writes(
            Target::Own(Kind::Volume),
            &["ec2:CreateTags", "ec2:CreateVolume", "ec2:DeleteTags", "ec2:ModifyVolume"],
        ),
        deletes(Target::Own(Kind::Volume), &["ec2:DeleteVolume"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text};
        Settings {
            subnet: Input(text()),
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

    /// Keeps what cannot be had back: a larger disk, and the key of a disk.
    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
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
        Ok(Some(Live { settings: settings(&member)?, owner }))
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
        make(session, VOLUME, address, call, ("volumeId", &desired.tags)).await.map(drop)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let id = id_there(session, VOLUME, address).await?;
        if (desired.size, &desired.disk_type) != (live.size, &live.disk_type) {
            let call = Call::new("ModifyVolume").with("VolumeId", &id).with("Size", desired.size.to_string());
            write(session, Kind::Volume, call.with("VolumeType", &desired.disk_type)).await?;
        }
        write_tags(session, Kind::Volume, &id, &desired.tags, &live.tags).await
    }

    /// Deletes a disk. It is refused as long as a server has it, and tried again: that one goes before.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(id) = id(session, VOLUME, address).await? else { return Ok(()) };
        delete(session, VOLUME, address, Call::new("DeleteVolume").with("VolumeId", id)).await
    }

    /// Returns that it may hold something: nobody but its server may read it.
    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        let found = find_among(session, VOLUME, &known(session, VOLUME).await?, &address.name)?;
        Ok(found.map(|_| "its files".to_owned()))
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        super::list_owned(session, VOLUME).await
    }
}

fn settings(member: &Element) -> Result<Settings, Failure> {
    Ok(Settings {
        subnet: Input::default(),
        size: member.text("size").parse().map_err(|_| lacks(DESCRIBE, "size"))?,
        disk_type: member.text("volumeType").to_owned(),
        is_encrypted: member.is("encrypted"),
        kms_key: Some(member.text("kmsKeyId").to_owned()).filter(|key| !key.is_empty()),
        tags: tags_of(member),
    })
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
                "<item><size>{size}</size><volumeType>gp3</volumeType><encrypted>{encrypted}</encrypted><kmsKeyId>{key}</kmsKeyId></item>"
            );
            settings(&Element::read(&text).unwrap()).unwrap()
        };
        let plain = read(10, true, "k");
        for (other, field) in [
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
}
