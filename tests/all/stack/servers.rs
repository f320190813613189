//! Tests a server: the example from nothing to its end.

use std::{fs, path::Path};

use aws::query::{Call, Element};

use super::{Trial, actions};
use crate::harness::replaced;

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/server.yaml");
    fs::read_to_string(path).unwrap()
}

fn ec2(trial: &Trial, call: &Call) -> Element {
    trial.account.wait(trial.account.ec2.call(call)).unwrap()
}

fn server(trial: &Trial) -> Element {
    let call = Call::new("DescribeInstances").filter("tag:provision:id", ["host"]);
    let call = call.filter("instance-state-name", ["pending", "running", "stopping", "stopped"]);
    ec2(trial, &call).list("reservationSet")[0].list("instancesSet")[0].clone()
}

#[test]
fn a_server_comes_with_all_that_it_has_and_leaves_its_disk() {
    let Some(trial) = Trial::new(&example()) else { return };
    trial.up();
    assert_eq!(actions(&trial.diff()), [""; 0]);
    let made = server(&trial);
    assert_eq!(made.text("instanceState/name"), "running", "`up` waits until it runs");
    assert_eq!(made.text("metadataOptions/httpTokens"), "required");
    assert!(made.text("imageId").starts_with("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023"));
    let profile = made.text("iamInstanceProfile/arn");
    assert!(profile.ends_with("/provision/example-server.eu-west-1/example-server-host-server-eu-west-1"), "{profile}");
    let volumes = ec2(&trial, &Call::new("DescribeVolumes").filter("tag:provision:id", ["host"]));
    let volume = &volumes.list("volumeSet")[0];
    assert_eq!((volume.text("encrypted"), volume.text("status")), ("true", "in-use"));
    let addresses = ec2(&trial, &Call::new("DescribeAddresses").filter("instance-id", [made.text("instanceId")]));
    assert_eq!(addresses.list("addressesSet").len(), 1);
    // Alarms name the server by the id that AWS gave it.
    let alarms = trial.account.wait(trial.account.alarms.describe_alarms().send()).unwrap().metric_alarms.unwrap();
    let of_server: Vec<_> = alarms
        .iter()
        .filter(|alarm| {
            alarm
                .dimensions()
                .iter()
                .any(|one| one.name() == Some("InstanceId") && one.value() == Some(made.text("instanceId")))
        })
        .filter_map(|alarm| Some((alarm.metric_name()?, alarm.treat_missing_data()?)))
        .collect();
    assert_eq!(of_server, [("CPUUtilization", "notBreaching"), ("StatusCheckFailed", "breaching")]);

    // Another zone is another server; its disk for data cannot follow it there, and what holds data is replaced by nobody unasked.
    let other_type = replaced(&example(), &[("    address: new\n", "    address: new\n    type: t3.small\n")]);
    trial.folder.write("infra.yaml", &other_type);
    assert_eq!(actions(&trial.diff()), ["change server host"]);
    trial.up();
    let changed = server(&trial);
    assert_eq!(changed.text("instanceId"), made.text("instanceId"), "it is the same machine");
    assert_eq!((changed.text("instanceType"), changed.text("instanceState/name")), ("t3.small", "running"));

    trial.expect(0, &["down", "--confirm", "example-server"]);
    let volumes = ec2(&trial, &Call::new("DescribeVolumes").filter("tag:provision:id", ["host"]));
    assert_eq!(volumes.list("volumeSet").len(), 1, "a disk for data stays");
    trial.expect(0, &["down", "--confirm", "example-server", "--delete-data"]);
    for (action, list) in
        [("DescribeVolumes", "volumeSet"), ("DescribeAddresses", "addressesSet"), ("DescribeVpcs", "vpcSet")]
    {
        let call = Call::new(action).filter("tag:provision:stack", ["example-server.eu-west-1"]);
        assert!(ec2(&trial, &call).list(list).is_empty(), "{action}");
    }
}
