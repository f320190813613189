//! Tests a server: the example from nothing to its end.

use std::{fs, path::Path};

use aws::query::{Call, Element};

use super::{
    Trial, actions,
    networks::{Network, made},
};
use crate::harness::{Run, replaced};

pub(super) fn example() -> String {
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
    comes_and_goes(&trial, &|arguments| trial.run(arguments));
}

/// Runs the binary as somebody.
pub(super) type Runs<'trial> = &'trial dyn Fn(&[&str]) -> Run;

#[track_caller]
pub(super) fn succeeds(run: Runs<'_>, arguments: &[&str]) {
    let run = run(arguments);
    assert_eq!(run.code(), Some(0), "{run}");
}

/// Makes the example, changes its type, and ends it: without its data, and then with it.
pub(super) fn comes_and_goes(trial: &Trial, run: Runs<'_>) {
    succeeds(run, &["up", "--yes"]);
    trial.is_converged();
    let made = server(trial);
    assert_eq!(made.text("instanceState/name"), "running", "`up` waits until it runs");
    assert_eq!(made.text("metadataOptions/httpTokens"), "required");
    let profile = made.text("iamInstanceProfile/arn");
    assert!(profile.ends_with("/provision/example-server.eu-west-1/example-server-host-server-eu-west-1"), "{profile}");
    let volumes = ec2(trial, &Call::new("DescribeVolumes").filter("tag:provision:id", ["host"]));
    let volume = &volumes.list("volumeSet")[0];
    assert_eq!((volume.text("encrypted"), volume.text("status")), ("true", "in-use"));
    let addresses = ec2(trial, &Call::new("DescribeAddresses").filter("instance-id", [made.text("instanceId")]));
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

    let other_type = replaced(&example(), &[("    address: new\n", "    address: new\n    type: t3.small\n")]);
    trial.folder.write("infra.yaml", &other_type);
    assert_eq!(actions(&trial.diff()), ["change server host"]);
    succeeds(run, &["up", "--yes"]);
    let changed = server(trial);
    assert_eq!(changed.text("instanceId"), made.text("instanceId"), "it is the same machine");
    assert_eq!((changed.text("instanceType"), changed.text("instanceState/name")), ("t3.small", "running"));

    succeeds(run, &["down", "--confirm", "example-server"]);
    let volumes = ec2(trial, &Call::new("DescribeVolumes").filter("tag:provision:id", ["host"]));
    assert_eq!(volumes.list("volumeSet").len(), 1, "a disk for data stays");
    let networks = Call::new("DescribeVpcs").filter("tag:provision:stack", ["example-server.eu-west-1"]);
    assert!(!ec2(trial, &networks).list("vpcSet").is_empty(), "database and cache stay and keep their network");
    succeeds(run, &["down", "--confirm", "example-server", "--delete-data"]);
    for (action, list) in
        [("DescribeVolumes", "volumeSet"), ("DescribeAddresses", "addressesSet"), ("DescribeVpcs", "vpcSet")]
    {
        let call = Call::new(action).filter("tag:provision:stack", ["example-server.eu-west-1"]);
        assert!(ec2(trial, &call).list(list).is_empty(), "{action}");
    }
}

/// Returns the number of servers that are there.
pub(super) fn count(trial: &Trial) -> usize {
    let call =
        Call::new("DescribeInstances").filter("instance-state-name", ["pending", "running", "stopping", "stopped"]);
    ec2(trial, &call).list("reservationSet").iter().map(|one| one.list("instancesSet").len()).sum()
}

/// A stack with a server alone, which has these keys, too.
pub(super) fn alone(server: &str) -> String {
    format!(
        "stack: circuits\nregion: eu-west-1\nnetworks: {{main: {{endpoints: []}}}}\nsecurity_groups: {{web: {{network: main}}}}\n\
         servers:\n  host: {{network: main, security_groups: [web], address: new, volume: {{}}{server}}}\n"
    )
}

fn volume(trial: &Trial) -> Element {
    ec2(trial, &Call::new("DescribeVolumes").filter("tag:provision:id", ["host"])).list("volumeSet")[0].clone()
}

/// A server's own disk, and all the more its disk for data, is lost only where somebody has named it; nothing is stopped for what
/// cannot be.
#[test]
fn a_server_is_replaced_and_stopped_for_nobody_who_has_not_said_so() {
    let Some(trial) = Trial::new(&alone("")) else { return };
    trial.up();
    let (made, disk) = (server(&trial), volume(&trial));
    let refused = |server: &str, code: i32, words: &[&str]| {
        trial.folder.write("infra.yaml", alone(server));
        let before = trial.proxy.mutating().len();
        let run = trial.expect(code, &["up", "--yes"]);
        for words in words {
            assert!(run.stderr().contains(words) || run.stdout().contains(words), "{words}: {run}");
        }
        assert_eq!(trial.proxy.mutating().len(), before, "{}", trial.proxy.record());
    };
    // Another processor, another zone: what is lost is named, and nothing happens.
    refused(", type: t4g.micro", 2, &["add --allow-delete server/host"]);
    refused(", zone: 2", 2, &["--allow-delete volume/host", "--allow-delete server/host"]);
    // A type that the zone does not have is told while the server runs.
    refused(", type: u-6tb1.metal", 2, &["EC2 has no `u-6tb1.metal` in eu-west-1a"]);
    assert_eq!(server(&trial).text("instanceState/name"), "running");

    // A network that has another name is the same network.
    let renamed = alone("").replace("main", "core");
    trial.folder.write("infra.yaml", format!("{renamed}moved: {{network/main: network/core}}\n"));
    let planned = actions(&trial.diff());
    assert!(planned.iter().all(|action| action.starts_with("change ")), "{planned:?}");

    // Another key is another machine, with the same disk for data and the same address.
    trial.folder.write("infra.yaml", alone(", key: ops"));
    // Its alarms watch the new one.
    let planned = actions(&trial.diff());
    assert_eq!(planned, ["replace server host", "change alarm host-server_cpu", "change alarm host-server_status"]);
    trial.expect(0, &["up", "--yes", "--allow-delete", "server/host"]);
    let other = server(&trial);
    assert_ne!(other.text("instanceId"), made.text("instanceId"));
    assert_eq!(volume(&trial).text("volumeId"), disk.text("volumeId"));
    assert_eq!(volume(&trial).list("attachmentSet")[0].text("instanceId"), other.text("instanceId"));

    // Another zone takes both.
    trial.folder.write("infra.yaml", alone(", key: ops, zone: 2"));
    trial.expect(0, &["up", "--yes", "--allow-delete", "server/host", "--allow-delete", "volume/host"]);
    let moved = volume(&trial);
    assert_ne!(moved.text("volumeId"), disk.text("volumeId"));
    assert_eq!(moved.text("availabilityZone"), "eu-west-1b");
    assert_eq!(moved.list("attachmentSet")[0].text("instanceId"), server(&trial).text("instanceId"));
    assert_eq!(actions(&trial.diff()), [""; 0]);

    // Of a disk that stays, the network does not.
    trial.expect(0, &["down", "--confirm", "circuits"]);
    assert_eq!(volume(&trial).text("status"), "available");
    let networks = Call::new("DescribeVpcs").filter("tag:provision:stack", ["circuits.eu-west-1"]);
    assert!(ec2(&trial, &networks).list("vpcSet").is_empty());
}

/// Whoever agrees to lose all data of a stack has not named what is protected: that stays, and works on.
#[test]
fn what_a_protected_server_uses_stays_with_it_whatever_goes() {
    let Some(trial) = Trial::new(&alone(", deletion_protection: true")) else { return };
    trial.up();
    let made = server(&trial);
    let down = trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
    assert!(
        down.stderr().contains("--allow-delete server/host") || down.stdout().contains("--allow-delete server/host"),
        "{down}"
    );
    let left = server(&trial);
    assert_eq!((left.text("instanceId"), left.text("instanceState/name")), (made.text("instanceId"), "running"));
    assert_eq!(volume(&trial).list("attachmentSet")[0].text("instanceId"), made.text("instanceId"));
    trial.expect(0, &["down", "--confirm", "circuits", "--delete-data", "--allow-delete", "server/host"]);
    assert_eq!(count(&trial), 0);
    let volumes = ec2(&trial, &Call::new("DescribeVolumes").filter("tag:provision:id", ["host"]));
    assert!(volumes.list("volumeSet").is_empty());
}

/// A network and an address that exist are used, and are neither changed nor taken away.
#[test]
fn a_server_in_a_network_that_exists_leaves_it_and_its_address_as_they_were() {
    let Some(trial) = Trial::new("stack: none\nregion: eu-west-1\n") else { return };
    let network = Network::make(&trial.account);
    let gateway = made(&trial.account, &Call::new("CreateInternetGateway"), "internetGateway/internetGatewayId");
    let call = Call::new("AttachInternetGateway").with("InternetGatewayId", &gateway).with("VpcId", &network.vpc);
    made(&trial.account, &call, "return");
    let call = Call::new("CreateRoute").with("RouteTableId", &network.table).with("DestinationCidrBlock", "0.0.0.0/0");
    made(&trial.account, &call.with("GatewayId", &gateway), "return");
    let address = made(&trial.account, &Call::new("AllocateAddress").with("Domain", "vpc"), "allocationId");
    let there = || {
        let [vpcs, subnets, tables] = [
            ("DescribeVpcs", "vpcSet", "vpcId"),
            ("DescribeSubnets", "subnetSet", "subnetId"),
            ("DescribeRouteTables", "routeTableSet", "routeTableId"),
        ]
        .map(|(action, list, id)| {
            let found = ec2(&trial, &Call::new(action));
            found.list(list).iter().map(|one| (one.text(id).to_owned(), one.list("tagSet").len())).collect::<Vec<_>>()
        });
        (vpcs, subnets, tables)
    };
    let before = there();
    let [a, b] = &network.subnets;
    trial.folder.write(
        "infra.yaml",
        format!(
            "stack: circuits\nregion: eu-west-1\nnetworks: {{company: {{existing: {}, public: [{a}, {b}]}}}}\nsecurity_groups:\n  web: {{network: company, ingress: [{{from: 203.0.113.0/24, port: 22}}]}}\n\
             servers:\n  host: {{network: company, security_groups: [web, {}], address: {address}}}\n",
            network.vpc, network.group
        ),
    );
    trial.up();
    trial.is_converged();
    let made = server(&trial);
    assert_eq!((made.text("vpcId"), made.text("subnetId")), (network.vpc.as_str(), a.as_str()));
    let groups: Vec<_> = made.texts("groupSet", "groupId").collect();
    assert!(groups.len() == 2 && groups.contains(&network.group), "{groups:?}");
    let of_address = || {
        ec2(&trial, &Call::new("DescribeAddresses").list("AllocationId", [&address])).list("addressesSet")[0].clone()
    };
    assert_eq!(of_address().text("instanceId"), made.text("instanceId"));

    trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
    assert_eq!(count(&trial), 0);
    assert_eq!(of_address().text("instanceId"), "", "the address is given back, and there");
    assert_eq!(there(), before);
    let groups = ec2(&trial, &Call::new("DescribeSecurityGroups").filter("tag:provision:id", ["web"]));
    assert!(groups.list("securityGroupInfo").is_empty());
}
