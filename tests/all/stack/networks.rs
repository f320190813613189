//! Tests functions in a VPC: a network without a way to what they use is told before the first change, with its place.

use std::time::Duration;

use aws::query::Call;
use rustix::process::{Pid, Signal, kill_process};

use super::Trial;
use crate::{
    emulator::{account::Account, fault::Fault},
    harness::Run,
};

/// A network in the account: two private subnets in two zones, and a security group.
pub(super) struct Network {
    pub(super) table: String,
    pub(super) vpc: String,
    pub(super) subnets: [String; 2],
    pub(super) group: String,
}

/// Makes a call, and returns a text of its answer.
pub(super) fn made(account: &Account, call: &Call, path: &str) -> String {
    account.wait(account.ec2.call(call)).unwrap().text(path).to_owned()
}

impl Network {
    pub(super) fn make(account: &Account) -> Self {
        let vpc = made(account, &Call::new("CreateVpc").with("CidrBlock", "10.20.0.0/16"), "vpc/vpcId");
        let subnet = |zone: &str, block: &str| {
            let call = Call::new("CreateSubnet").with("VpcId", &vpc).with("CidrBlock", block);
            made(account, &call.with("AvailabilityZone", format!("eu-west-1{zone}")), "subnet/subnetId")
        };
        let subnets = [subnet("a", "10.20.0.0/24"), subnet("b", "10.20.1.0/24")];
        let call = Call::new("CreateSecurityGroup").with("GroupName", "reader").with("GroupDescription", "reader");
        let group = made(account, &call.with("VpcId", &vpc), "groupId");
        let table = made(account, &Call::new("CreateRouteTable").with("VpcId", &vpc), "routeTable/routeTableId");
        for subnet in &subnets {
            let call = Call::new("AssociateRouteTable").with("RouteTableId", &table).with("SubnetId", subnet);
            made(account, &call, "associationId");
        }
        Self { table, vpc, subnets, group }
    }

    /// Returns a declaration with all subnets of the network.
    fn with_declaration(&self) -> String {
        self.declaration(&self.subnets)
    }

    fn declaration(&self, subnets: &[String]) -> String {
        format!(
            "stack: circuits\nregion: eu-west-1\nbuckets: {{mail: {{}}}}\nsecrets: {{token: {{existing: netbox/token}}}}\nalarms: {{off: [errors, throttles, duration, undelivered]}}\nfunctions:\n  \
             reader:\n    use: standin\n    reads: [mail]\n    secrets: {{TOKEN: token}}\n    vpc: {{subnets: [{}], security_groups: [{}]}}\n",
            subnets.join(", "),
            self.group
        )
    }
}

fn up(trial: &Trial, code: i32, arguments: &[&str]) -> Run {
    trial.proxy.reset();
    trial.expect(code, &[&["up"], arguments].concat())
}

#[test]
fn a_network_without_a_way_out_stops_the_first_change_until_somebody_has_made_one() {
    let Some(trial) = Trial::new("stack: none\nregion: eu-west-1\n") else { return };
    let network = Network::make(&trial.account);
    let secret = trial.account.secrets.create_secret().name("netbox/token").secret_string("hush");
    trial.account.wait(secret.send()).unwrap();
    trial.folder.write("infra.yaml", network.declaration(&network.subnets));
    let [a, b] = &network.subnets;
    let lack = |service: &str| {
        format!(
            "infra.yaml:11: function `reader` does not reach {service} from `{a}` and `{b}`: route table `{}` does not lead out of the VPC",
            network.table
        )
    };
    for arguments in [["--dry-run"], ["--yes"]] {
        let run = up(&trial, 2, &arguments);
        let words = run.stderr().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&lack("S3")) && words.contains(&lack("Secrets Manager")), "{run}");
        assert!(
            words.contains(&format!("add a gateway endpoint `com.amazonaws.eu-west-1.s3` to `{}`", network.table)),
            "{run}"
        );
        assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    }
    // A gateway endpoint is a way to S3 alone.
    let call =
        Call::new("CreateVpcEndpoint").with("VpcId", &network.vpc).with("ServiceName", "com.amazonaws.eu-west-1.s3");
    made(&trial.account, &call.list("RouteTableId", [&network.table]), "vpcEndpoint/vpcEndpointId");
    let words = up(&trial, 2, &["--dry-run"]).stderr();
    assert!(!words.contains("reach S3") && words.contains("reach Secrets Manager"), "{words}");
    let call = Call::new("CreateRoute").with("RouteTableId", &network.table).with("DestinationCidrBlock", "0.0.0.0/0");
    made(&trial.account, &call.with("NatGatewayId", "nat-0123456789abcdef0"), "return");
    let run = up(&trial, 0, &["--yes"]);
    assert!(!run.stderr().contains("reach"), "{run}");
    trial.is_converged();
}

#[test]
fn a_subnet_that_does_not_exist_is_told_and_what_may_not_be_read_is_no_lack() {
    let Some(trial) = Trial::new("stack: none\nregion: eu-west-1\n") else { return };
    let network = Network::make(&trial.account);
    let [a, _] = &network.subnets;
    trial.folder.write("infra.yaml", network.declaration(&[a.clone(), "subnet-0123456789abcdef0".to_owned()]));
    let run = up(&trial, 2, &["--dry-run"]);
    let words = run.stderr().split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "infra.yaml:11: subnet `subnet-0123456789abcdef0` of function `reader` does not exist in eu-west-1";
    assert!(words.contains(told), "{run}");

    let _told = trial.proxy.on(Fault::Denies, |call| call.operation == "ec2.DescribeSubnets");
    let arguments = ["up", "--dry-run"];
    let run = trial.run(&arguments);
    let words = run.stderr().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("whether functions reach what they use from their VPC is not known: ec2.DescribeSubnets 403"),
        "{run}"
    );
    assert!(!words.contains("does not exist in eu-west-1"), "{run}");
}

/// A deployed function in a VPC with a way out, and a network interface of Lambda that is in use.
struct Deployed {
    trial: Trial,
    interface: String,
}

impl Deployed {
    fn new() -> Option<Self> {
        Trial::new("stack: none\nregion: eu-west-1\n").map(Self::on)
    }

    /// The same in an account that checks rights.
    fn checked() -> Option<Self> {
        Trial::checked("stack: none\nregion: eu-west-1\n").map(Self::on)
    }

    fn on(trial: Trial) -> Self {
        let (account, network) = (&trial.account, Network::make(&trial.account));
        account.wait(account.secrets.create_secret().name("netbox/token").secret_string("hush").send()).unwrap();
        let call =
            Call::new("CreateRoute").with("RouteTableId", &network.table).with("DestinationCidrBlock", "0.0.0.0/0");
        made(account, &call.with("TransitGatewayId", "tgw-0123456789abcdef0"), "return");
        trial.folder.write("infra.yaml", network.declaration(&network.subnets));
        trial.up();
        let interface = |function: &str| {
            let description = format!("AWS Lambda VPC ENI-{function}-0b7a2f5e-1c3d-4e5f-8a9b-0c1d2e3f4a5b");
            let call = Call::new("CreateNetworkInterface")
                .with("SubnetId", &network.subnets[0])
                .with("Description", description);
            let id =
                made(account, &call.list("SecurityGroupId", [&network.group]), "networkInterface/networkInterfaceId");
            let call = Call::new("AttachNetworkInterface")
                .with("NetworkInterfaceId", &id)
                .with("InstanceId", "i-0123456789abcdef0");
            made(account, &call.with("DeviceIndex", "1"), "attachmentId");
            id
        };
        // The name of this one begins with that of ours.
        interface("circuits-reader-two");
        let interface = interface("circuits-reader");
        trial.proxy.reset();
        Self { trial, interface }
    }

    /// Returns the ids of the network interfaces that are there.
    fn interfaces(&self) -> Vec<String> {
        let call = Call::new("DescribeNetworkInterfaces");
        let answer = self.trial.account.wait(self.trial.account.ec2.call(&call)).unwrap();
        answer.texts("networkInterfaceSet", "networkInterfaceId").collect()
    }

    /// Frees the interface, as Lambda does some time after the function has left its network.
    fn free(&self) {
        let answer =
            self.trial.account.wait(self.trial.account.ec2.call(&Call::new("DescribeNetworkInterfaces"))).unwrap();
        let own = answer
            .list("networkInterfaceSet")
            .iter()
            .find(|one| one.text("networkInterfaceId") == self.interface)
            .unwrap();
        made(
            &self.trial.account,
            &Call::new("DetachNetworkInterface").with("AttachmentId", own.text("attachment/attachmentId")),
            "return",
        );
    }

    fn has_role(&self) -> bool {
        self.trial.account.inventory().iter().any(|line| line.starts_with("role ") && line.contains("circuits-reader"))
    }

    /// Begins to delete the stack, and returns when it has waited for the interfaces some times.
    fn begin_down(&self) -> std::process::Child {
        let looked = self.trial.proxy.on(Fault::Delays, |call| call.operation == "ec2.DescribeNetworkInterfaces");
        let child = self.trial.command(&["down", "--confirm", "circuits"]).spawn().unwrap();
        for _ in 0..3 {
            looked.recv_timeout(Duration::from_mins(1)).unwrap();
        }
        child
    }

    fn place_of(&self, operation: &str) -> usize {
        let calls = self.trial.proxy.calls();
        calls
            .iter()
            .position(|call| call.operation == operation)
            .unwrap_or_else(|| panic!("{}", self.trial.proxy.record()))
    }
}

#[test]
fn a_role_goes_after_its_function_has_left_the_network_and_its_interfaces_are_gone() {
    let Some(deployed) = Deployed::new() else { return };
    let child = deployed.begin_down();
    assert!(deployed.has_role() && deployed.interfaces().contains(&deployed.interface));
    deployed.free();
    let run = deployed.trial.folder.finish(&["down"], child.wait_with_output().unwrap());
    assert_eq!(run.code(), Some(0), "{run}\n{}", deployed.trial.proxy.record());
    // What is free blocks subnets and groups, too, and is taken away; what another function is using is not.
    assert!(!deployed.interfaces().contains(&deployed.interface) && !deployed.interfaces().is_empty());
    let order = [
        "lambda.UpdateFunctionConfiguration",
        "lambda.DeleteFunction",
        "ec2.DescribeNetworkInterfaces",
        "ec2.DeleteNetworkInterface",
        "iam.DeleteRolePolicy",
        "iam.DeleteRole",
    ];
    let places: Vec<usize> = order.iter().map(|operation| deployed.place_of(operation)).collect();
    assert!(places.is_sorted(), "{places:?}\n{}", deployed.trial.proxy.record());
    assert!(!deployed.has_role());
}

#[test]
fn a_run_that_waits_for_interfaces_can_be_interrupted_and_another_one_goes_on() {
    let Some(deployed) = Deployed::new() else { return };
    let child = deployed.begin_down();
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let run = deployed.trial.folder.finish(&["down"], child.wait_with_output().unwrap());
    assert_eq!(run.code(), Some(130), "{run}");
    let words = run.stderr().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("the network interfaces of function `circuits-reader` are still there"), "{run}");
    assert!(words.contains("run it again") && deployed.has_role(), "{run}");
    deployed.trial.proxy.reset();
    deployed.free();
    deployed.trial.expect(0, &["down", "--confirm", "circuits"]);
    assert!(!deployed.has_role() && !deployed.interfaces().contains(&deployed.interface));
}

#[test]
fn a_function_that_leaves_its_network_keeps_the_rights_for_it_until_its_interfaces_are_gone() {
    let Some(deployed) = Deployed::new() else { return };
    let text = std::fs::read_to_string(deployed.trial.folder.path("infra.yaml")).unwrap();
    let (before, _) = text.split_once("    vpc:").unwrap();
    deployed.trial.folder.write("infra.yaml", before);
    deployed.free();
    deployed.trial.up();
    let order = ["lambda.UpdateFunctionConfiguration", "ec2.DeleteNetworkInterface"];
    let places: Vec<usize> = order.iter().map(|operation| deployed.place_of(operation)).collect();
    assert!(places.is_sorted(), "{places:?}\n{}", deployed.trial.proxy.record());
    let calls = deployed.trial.proxy.calls();
    let narrowed = calls.iter().rposition(|call| call.operation == "iam.PutRolePolicy").unwrap();
    assert!(narrowed > places[1], "{}", deployed.trial.proxy.record());
    deployed.trial.is_converged();
}

/// Who waits no longer has lost nothing: the rights stay, and the next `up` goes on.
#[test]
fn the_wait_for_the_interfaces_of_a_function_that_left_its_network_ends_and_the_next_up_goes_on() {
    let Some(deployed) = Deployed::new() else { return };
    let trial = &deployed.trial;
    let text = std::fs::read_to_string(trial.folder.path("infra.yaml")).unwrap();
    let (before, _) = text.split_once("    vpc:").unwrap();
    trial.folder.write("infra.yaml", before);
    let rights = || {
        let call = trial.account.iam.get_role_policy().role_name("circuits-reader-eu-west-1").policy_name("provision");
        trial.account.wait(call.send()).unwrap().policy_document
    };
    let arguments = ["up", "--yes"];
    let ended = trial.command(&arguments).env("PROVISION_WAIT_S", "2").output().unwrap();
    let run = trial.folder.finish(&arguments, ended);
    assert_eq!(run.code(), Some(2), "{run}");
    let words = run.stderr().split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "the network interfaces of function `circuits-reader` are still there";
    assert!(words.contains(told) && words.contains("run it again"), "{run}");
    assert!(rights().contains("DeleteNetworkInterface"), "{}", rights());
    deployed.free();
    trial.up();
    assert!(!rights().contains("DeleteNetworkInterface"), "{}", rights());
    trial.is_converged();
}

/// The last function in a VPC goes, and with it all that the declaration says of networks: the least policy of `up` lets it go.
#[test]
fn the_last_function_in_a_network_goes_with_the_least_policy() {
    let Some(deployed) = Deployed::checked() else { return };
    let trial = &deployed.trial;
    let text = std::fs::read_to_string(trial.folder.path("infra.yaml")).unwrap();
    let (before, _) = text.split_once("functions:").unwrap();
    trial.folder.write("infra.yaml", before);
    deployed.free();
    let up = trial.with_least_rights("up");
    trial.expect_as(0, &up, &["up", "--yes", "--allow-delete", "log-group/reader"]);
    assert!(!deployed.has_role() && !deployed.interfaces().contains(&deployed.interface));
    trial.expect_as(0, &up, &["diff"]);
}

#[test]
fn a_security_group_of_another_network_stops_the_first_change() {
    let Some(trial) = Trial::new("stack: none\nregion: eu-west-1\n") else { return };
    let (network, other) = (Network::make(&trial.account), Network::make(&trial.account));
    trial.folder.write("infra.yaml", Network { group: other.group.clone(), ..network }.with_declaration());
    for arguments in [["--dry-run"], ["--yes"]] {
        let run = up(&trial, 2, &arguments);
        let words = run.stderr().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("infra.yaml:11: ") && words.contains(&other.vpc), "{run}");
        assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    }
}
