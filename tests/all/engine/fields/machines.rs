//! Servers, with their profiles and disks.

use aws::query::{Call, Element};

use super::{Case, case, servers};
use crate::stack::Trial;

/// Servers in the declaration of this test, behind the networks.
pub(super) const DECLARED: &str = "\
servers:
  host: {network: main, security_groups: [web], address: new, key: ops, volume: {}}
";

/// Fields that no case can change.
pub(super) const RECORDED: &[(&str, &str, &str, &str)] = &[
    ("volume", "size", "disks never shrink", "ec2/volume.rs: a_larger_disk_stays_and_one_real_change_is_seen"),
    (
        "volume",
        "is_encrypted",
        "EC2 cannot change it",
        "ec2/volume.rs: a_larger_disk_stays_and_one_real_change_is_seen",
    ),
    ("volume", "kms_key", "EC2 cannot change it", "ec2/volume.rs: a_larger_disk_stays_and_one_real_change_is_seen"),
    (
        "server",
        "prepares.*",
        "EC2 changes it while a server is stopped alone",
        "server/wire.rs: one_real_change_is_seen",
    ),
    (
        "server",
        "worker.*",
        "EC2 changes it while a server is stopped alone: `stack::workers` does",
        "server/wire.rs: one_real_change_is_seen",
    ),
    ("server", "architecture", "EC2 cannot change it", "server/wire.rs: one_real_change_is_seen"),
    ("volume", "zone", "EC2 cannot change it", "ec2/volume.rs: a_larger_disk_stays_and_one_real_change_is_seen"),
    ("server", "subnet", "EC2 cannot change it", "server/wire.rs: one_real_change_is_seen"),
    ("server", "key", "EC2 cannot change it", "server/wire.rs: one_real_change_is_seen"),
    ("instance profile", "path", "IAM cannot change it", "iam/instance_profile.rs: one_real_change_is_seen"),
];

pub(super) const CASES: &[Case] = &[
    case("instance profile", "host-server", "role", release),
    case("instance profile", "host-server", "tags.*", |trial| {
        let tag = aws_sdk_iam::types::Tag::builder().key("by-hand").value("yes").build().unwrap();
        let call = trial.account.iam.tag_instance_profile().instance_profile_name(PROFILE).tags(tag);
        trial.account.wait(call.send()).unwrap();
    }),
    case("volume", "host", "disk_type", |trial| {
        write(trial, &Call::new("ModifyVolume").with("VolumeId", volume(trial)).with("VolumeType", "gp2"));
    }),
    case("volume", "host", "tags.*", |trial| tag(trial, &volume(trial))),
    case("server", "host", "machine", |trial| {
        until(trial, "StopInstances", "stopped");
        modify(trial, "InstanceType", "t3.small");
        until(trial, "StartInstances", "running");
    }),
    case("server", "host", "security_groups", |trial| {
        let app = servers::group(trial, "app");
        write(trial, &Call::new("ModifyInstanceAttribute").with("InstanceId", id(trial)).with("GroupId.1", app));
    }),
    case("server", "host", "profile", |trial| {
        let call = Call::new("DescribeIamInstanceProfileAssociations").filter("instance-id", [id(trial)]);
        let there = trial.account.wait(trial.account.ec2.call(&call)).unwrap();
        let association = there.list("iamInstanceProfileAssociationSet")[0].text("associationId").to_owned();
        write(trial, &Call::new("DisassociateIamInstanceProfile").with("AssociationId", association));
    }),
    case("server", "host", "needs_token", |trial| {
        let call = Call::new("ModifyInstanceMetadataOptions").with("InstanceId", id(trial));
        write(trial, &call.with("HttpTokens", "optional"));
    }),
    case("server", "host", "deletion_protection", |trial| modify(trial, "DisableApiTermination", "true")),
    case("server", "host", "volume", |trial| {
        write(trial, &Call::new("DetachVolume").with("VolumeId", volume(trial)).with("InstanceId", id(trial)));
    }),
    case("server", "host", "address", |trial| {
        let call = Call::new("DescribeAddresses").filter("instance-id", [id(trial)]);
        let there = trial.account.wait(trial.account.ec2.call(&call)).unwrap();
        let association = there.list("addressesSet")[0].text("associationId").to_owned();
        write(trial, &Call::new("DisassociateAddress").with("AssociationId", association));
    }),
    case("server", "host", "is_running", |trial| until(trial, "StopInstances", "stopped")),
    case("server", "host", "tags.*", |trial| tag(trial, &id(trial))),
];

const PROFILE: &str = "circuits-host-server-eu-west-1";

fn write(trial: &Trial, call: &Call) {
    trial.account.wait(trial.account.ec2.call(call)).unwrap();
}

fn server(trial: &Trial) -> Element {
    let call = Call::new("DescribeInstances").filter("tag:provision:id", ["host"]);
    let call = call.filter("instance-state-name", ["pending", "running", "stopping", "stopped"]);
    let answer = trial.account.wait(trial.account.ec2.call(&call)).unwrap();
    answer.list("reservationSet")[0].list("instancesSet")[0].clone()
}

fn id(trial: &Trial) -> String {
    server(trial).text("instanceId").to_owned()
}

fn volume(trial: &Trial) -> String {
    let call = Call::new("DescribeVolumes").filter("tag:provision:id", ["host"]);
    let answer = trial.account.wait(trial.account.ec2.call(&call)).unwrap();
    answer.list("volumeSet")[0].text("volumeId").to_owned()
}

fn modify(trial: &Trial, attribute: &str, value: &str) {
    let call = Call::new("ModifyInstanceAttribute").with("InstanceId", id(trial));
    write(trial, &call.with(&format!("{attribute}.Value"), value));
}

/// Makes a call, and waits until the server is in a state.
fn until(trial: &Trial, action: &'static str, state: &str) {
    write(trial, &Call::new(action).with("InstanceId.1", id(trial)));
    assert!((0..20).any(|_| server(trial).text("instanceState/name") == state), "it is not {state}");
}

fn tag(trial: &Trial, id: &str) {
    let call = Call::new("CreateTags").with("ResourceId.1", id);
    write(trial, &call.with("Tag.1.Key", "by-hand").with("Tag.1.Value", "yes"));
}

/// Takes the role out of its profile.
fn release(trial: &Trial) {
    let iam = &trial.account.iam;
    let call = iam.remove_role_from_instance_profile().instance_profile_name(PROFILE).role_name(PROFILE);
    trial.account.wait(call.send()).unwrap();
}

/// A stack with a server alone, in a network of its own.
pub(in super::super) fn alone() -> String {
    format!(
        "stack: circuits\nregion: eu-west-1\nnetworks: {{main: {{endpoints: []}}}}\nsecurity_groups:\n  web: {{network: main}}\n{DECLARED}"
    )
}

/// Deletes something behind the back of the stack.
pub(in super::super) fn delete(trial: &Trial, kind: &str) {
    let iam = &trial.account.iam;
    match kind {
        "role" => release(trial),
        "instance profile" => {
            release(trial);
            let call = iam.delete_instance_profile().instance_profile_name(PROFILE);
            trial.account.wait(call.send()).unwrap();
        }
        _ => {
            let server = id(trial);
            write(trial, &Call::new("TerminateInstances").with("InstanceId.1", server));
            // It gives back its disk and its address when it is gone.
            for _ in 0..3 {
                write(trial, &Call::new("DescribeInstances"));
            }
        }
    }
}
