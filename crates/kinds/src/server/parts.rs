//! The parts of a server that are changed while it runs: its groups, metadata, protection, profile, disk for data and public address.

use super::{
    Settings, modify,
    wire::{DEVICE, metadata, not_yet_known},
};
use crate::{
    Kind, Session,
    ec2::{SERVER, with_id, with_ids, write},
};
use aws::query::{Call, Element};
use engine::Failure;

/// Changes the parts of a server that runs.
pub(super) async fn change(
    session: &Session,
    member: &Element,
    desired: &Settings,
    live: &Settings,
) -> Result<(), Failure> {
    let id = member.text(SERVER.id);
    if desired.security_groups != live.security_groups {
        let groups = with_ids(session, &desired.security_groups).await?;
        let call = Call::new("ModifyInstanceAttribute").with("InstanceId", id).list("GroupId", groups);
        write(session, Kind::Server, call).await?;
    }
    if desired.needs_token != live.needs_token {
        write(session, Kind::Server, metadata(id, desired.needs_token)).await?;
    }
    if desired.deletion_protection != live.deletion_protection {
        modify(session, id, "DisableApiTermination", &desired.deletion_protection.to_string()).await?;
    }
    if desired.profile != live.profile {
        profile(session, id, desired.profile.as_deref()).await?;
    }
    if desired.volume != live.volume {
        if let Some(volume) = &live.volume {
            let call = Call::new("DetachVolume").with("VolumeId", with_id(session, volume).await?);
            write(session, Kind::Server, call.with("InstanceId", id)).await?;
            // Its name for a disk is free when that is gone.
            return Err(super::at_work(id, "giving back a disk"));
        }
        if let Some(volume) = &desired.volume {
            let call = Call::new("AttachVolume").with("VolumeId", with_id(session, volume).await?);
            write(session, Kind::Server, call.with("InstanceId", id).with("Device", DEVICE)).await?;
        }
    }
    if desired.address != live.address {
        address(session, id, desired.address.as_deref()).await?;
    }
    Ok(())
}

/// Gives a server its public address. One that another server has is not taken away from it.
async fn address(session: &Session, id: &str, desired: Option<&str>) -> Result<(), Failure> {
    if let Some(address) = desired {
        let call = Call::new("AssociateAddress")
            .with("InstanceId", id)
            .with("AllocationId", with_id(session, address).await?)
            .with("AllowReassociation", "false");
        return write(session, Kind::Server, call).await;
    }
    let call = Call::new("DescribeAddresses").filter("instance-id", [id]);
    for one in session.aws.read.ec2.pages(call, "addressesSet").await? {
        let association = one.text("associationId");
        if !association.is_empty() {
            let call = Call::new("DisassociateAddress").with("AssociationId", association);
            write(session, Kind::Server, call).await?;
        }
    }
    Ok(())
}

/// Gives a server its instance profile, in place of the one that it has.
async fn profile(session: &Session, id: &str, desired: Option<&str>) -> Result<(), Failure> {
    let call = Call::new("DescribeIamInstanceProfileAssociations")
        .filter("instance-id", [id])
        .filter("state", ["associating", "associated"]);
    let there = session.aws.read.ec2.pages(call, "iamInstanceProfileAssociationSet").await?;
    let association = there.first().map(|one| one.text("associationId")).filter(|id| !id.is_empty());
    let call = match (association, desired) {
        (None, None) => return Ok(()),
        (None, Some(name)) => {
            Call::new("AssociateIamInstanceProfile").with("InstanceId", id).with("IamInstanceProfile.Name", name)
        }
        (Some(association), Some(name)) => Call::new("ReplaceIamInstanceProfileAssociation")
            .with("AssociationId", association)
            .with("IamInstanceProfile.Name", name),
        (Some(association), None) => Call::new("DisassociateIamInstanceProfile").with("AssociationId", association),
    };
    write(session, Kind::Server, call).await.map_err(not_yet_known)
}
