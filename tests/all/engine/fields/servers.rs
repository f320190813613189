//! Networks with what is in them, and security groups.

use aws::query::{Call, Element};

use super::{Case, case};
use crate::stack::Trial;

/// Networks and security groups in the declaration of this test.
pub(super) const DECLARED: &str = "\
networks:
  main: {nat: true}
security_groups:
  app: {network: main}
  web:
    network: main
    ingress: [{from: 203.0.113.0/24, port: 443}, {from: app, port: 8000-8010}, {from: web, port: 7000, protocol: udp}]
    egress: [{to: 10.20.0.2, port: 53, protocol: udp}]
";

/// Fields that nobody can change, with the reason.
const FIXED: &str = "AWS cannot change it";
/// Fields of these kinds that no case can change.
pub(super) const RECORDED: &[(&str, &str, &str, &str)] = &[
    ("network", "range", FIXED, "ec2/mod.rs: what_aws_cannot_change_is_refused_with_what_to_do"),
    ("subnet", "network", FIXED, "ec2/mod.rs: what_aws_cannot_change_is_refused_with_what_to_do"),
    ("subnet", "range", FIXED, "ec2/mod.rs: what_aws_cannot_change_is_refused_with_what_to_do"),
    ("subnet", "zone", FIXED, "ec2/mod.rs: what_aws_cannot_change_is_refused_with_what_to_do"),
    ("route table", "network", FIXED, "ec2/mod.rs: what_aws_cannot_change_is_refused_with_what_to_do"),
    ("nat gateway", "subnet", FIXED, "ec2/mod.rs: what_aws_cannot_change_is_refused_with_what_to_do"),
    ("nat gateway", "address", FIXED, "ec2/mod.rs: what_aws_cannot_change_is_refused_with_what_to_do"),
    ("nat gateway", "is_made", "a NAT gateway is made once", "ec2/nat_gateway.rs: its_state_says_whether_it_works"),
    ("nat gateway", "failure", "the emulator makes every one", "ec2/nat_gateway.rs: its_state_says_whether_it_works"),
    ("endpoint", "network", FIXED, "ec2/mod.rs: what_aws_cannot_change_is_refused_with_what_to_do"),
    ("endpoint", "service", FIXED, "ec2/mod.rs: what_aws_cannot_change_is_refused_with_what_to_do"),
    ("security group", "network", FIXED, "ec2/mod.rs: what_aws_cannot_change_is_refused_with_what_to_do"),
];

pub(super) const CASES: &[Case] = &[
    case("network", "main", "dns", |trial| switch(trial, "EnableDnsSupport")),
    case("network", "main", "dns_names", |trial| switch(trial, "EnableDnsHostnames")),
    case("network", "main", "tags.*", |trial| tag(trial, &NETWORK)),
    case("subnet", "main-public-1", "public_addresses", |trial| {
        let call = Call::new("ModifySubnetAttribute").with("SubnetId", id(trial, &SUBNET));
        write(trial, &call.with("MapPublicIpOnLaunch.Value", "true"));
    }),
    case("subnet", "main-public-1", "tags.*", |trial| tag(trial, &SUBNET)),
    case("internet gateway", "main", "network", |trial| {
        let call = Call::new("DetachInternetGateway").with("InternetGatewayId", id(trial, &GATEWAY));
        write(trial, &call.with("VpcId", id(trial, &NETWORK)));
    }),
    case("internet gateway", "main", "tags.*", |trial| tag(trial, &GATEWAY)),
    case("route table", "main-public", "routes.*", |trial| {
        let call = Call::new("DeleteRoute").with("RouteTableId", id(trial, &TABLE));
        write(trial, &call.with("DestinationCidrBlock", "0.0.0.0/0"));
    }),
    case("route table", "main-public", "routes.*", |trial| {
        let call = Call::new("CreateRoute").with("RouteTableId", id(trial, &TABLE));
        write(trial, &call.with("DestinationCidrBlock", "192.0.2.0/24").with("GatewayId", id(trial, &GATEWAY)));
    }),
    case("route table", "main-public", "routes.*", |trial| {
        let call = Call::new("ReplaceRoute").with("RouteTableId", id(trial, &TABLE));
        write(trial, &call.with("DestinationCidrBlock", "0.0.0.0/0").with("NatGatewayId", id(trial, &NAT_GATEWAY)));
    }),
    case("route table", "main-public", "subnets", |trial| {
        let table = member(trial, &TABLE);
        let association = table.texts("associationSet", "routeTableAssociationId").next().unwrap();
        write(trial, &Call::new("DisassociateRouteTable").with("AssociationId", association));
    }),
    case("route table", "main-public", "tags.*", |trial| tag(trial, &TABLE)),
    case("security group", "web", "ingress", |trial| rule(trial, "AuthorizeSecurityGroupIngress", "22", "0.0.0.0/0")),
    case("security group", "web", "ingress", |trial| {
        rule(trial, "RevokeSecurityGroupIngress", "443", "203.0.113.0/24");
    }),
    case("security group", "web", "egress", |trial| rule(trial, "AuthorizeSecurityGroupEgress", "443", "0.0.0.0/0")),
    case("security group", "web", "tags.*", |trial| tag(trial, &GROUP)),
    case("address", "main-nat", "tags.*", |trial| tag(trial, &ADDRESS)),
    case("nat gateway", "main", "tags.*", |trial| tag(trial, &NAT_GATEWAY)),
    case("endpoint", "main-s3", "tables", |trial| {
        let call = Call::new("ModifyVpcEndpoint").with("VpcEndpointId", id(trial, &ENDPOINT));
        write(trial, &call.with("RemoveRouteTableId.1", id(trial, &TABLE)));
    }),
    case("endpoint", "main-s3", "tags.*", |trial| tag(trial, &ENDPOINT)),
];

/// How EC2 tells something: the action, the list in its answer, the place of the id in a member, and the entry.
type Told = (&'static str, &'static str, &'static str, &'static str);

const NETWORK: Told = ("DescribeVpcs", "vpcSet", "vpcId", "main");
const SUBNET: Told = ("DescribeSubnets", "subnetSet", "subnetId", "main-public-1");
const GATEWAY: Told = ("DescribeInternetGateways", "internetGatewaySet", "internetGatewayId", "main");
const TABLE: Told = ("DescribeRouteTables", "routeTableSet", "routeTableId", "main-public");
const GROUP: Told = ("DescribeSecurityGroups", "securityGroupInfo", "groupId", "web");
const ADDRESS: Told = ("DescribeAddresses", "addressesSet", "allocationId", "main-nat");
const NAT_GATEWAY: Told = ("DescribeNatGateways", "natGatewaySet", "natGatewayId", "main");
const ENDPOINT: Told = ("DescribeVpcEndpoints", "vpcEndpointSet", "vpcEndpointId", "main-s3");

fn write(trial: &Trial, call: &Call) {
    trial.account.wait(trial.account.ec2.call(call)).unwrap();
}

/// Returns what EC2 tells of something of the stack.
fn member(trial: &Trial, (action, list, _, entry): &Told) -> Element {
    let call = Call::new(action).filter("tag:provision:id", [*entry]);
    trial.account.wait(trial.account.ec2.call(&call)).unwrap().list(list)[0].clone()
}

fn id(trial: &Trial, told: &Told) -> String {
    member(trial, told).text(told.2).to_owned()
}

/// Returns the id of a security group.
pub(super) fn group(trial: &Trial, entry: &'static str) -> String {
    id(trial, &(GROUP.0, GROUP.1, GROUP.2, entry))
}

/// Returns the id of a subnet.
pub(super) fn subnet(trial: &Trial, entry: &'static str) -> String {
    id(trial, &(SUBNET.0, SUBNET.1, SUBNET.2, entry))
}

fn tag(trial: &Trial, told: &Told) {
    let call = Call::new("CreateTags").with("ResourceId.1", id(trial, told));
    write(trial, &call.with("Tag.1.Key", "by-hand").with("Tag.1.Value", "yes"));
}

fn switch(trial: &Trial, name: &str) {
    let call = Call::new("ModifyVpcAttribute").with("VpcId", id(trial, &NETWORK));
    write(trial, &call.with(&format!("{name}.Value"), "false"));
}

fn rule(trial: &Trial, action: &'static str, port: &str, range: &str) {
    let call = Call::new(action).with("GroupId", id(trial, &GROUP)).with("IpPermissions.1.IpProtocol", "tcp");
    let call = call.with("IpPermissions.1.FromPort", port).with("IpPermissions.1.ToPort", port);
    write(trial, &call.with("IpPermissions.1.IpRanges.1.CidrIp", range));
}

/// A stack with a network alone.
pub(in super::super) fn alone() -> String {
    format!("stack: circuits\nregion: eu-west-1\n{DECLARED}")
}

/// Deletes something behind the back of the stack.
pub(in super::super) fn delete(trial: &Trial, kind: &str, entry: &str) {
    let tables: [(&str, Told, &'static str, &str); 6] = [
        ("subnet", SUBNET, "DeleteSubnet", "SubnetId"),
        ("internet gateway", GATEWAY, "DeleteInternetGateway", "InternetGatewayId"),
        ("route table", TABLE, "DeleteRouteTable", "RouteTableId"),
        ("security group", GROUP, "DeleteSecurityGroup", "GroupId"),
        ("nat gateway", NAT_GATEWAY, "DeleteNatGateway", "NatGatewayId"),
        ("endpoint", ENDPOINT, "DeleteVpcEndpoints", "VpcEndpointId.1"),
    ];
    let (_, told, action, parameter) = tables.iter().find(|(of, ..)| *of == kind).unwrap();
    let call = Call::new(told.0).filter("tag:provision:id", [entry]);
    let answer = trial.account.wait(trial.account.ec2.call(&call)).unwrap();
    for id in answer.texts(told.1, told.2) {
        write(trial, &Call::new(action).with(parameter, id));
    }
}
