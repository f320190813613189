//! How EC2 tells each kind: its calls, the places of its ids, and its states.

use aws::query::{Call, Element};
use engine::{Class, Failure};

use crate::Kind;

/// How EC2 tells a kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(super) kind: Kind,
    /// Action that describes all of them.
    pub(crate) describe: &'static str,
    /// Place of the list in its answer.
    pub(crate) list: &'static str,
    /// Place of the id in a member.
    pub(crate) id: &'static str,
    /// Filter by the id.
    pub(super) filter: &'static str,
    /// Type in specifications of tags.
    pub(super) resource: &'static str,
    /// Beginning of the ids.
    pub(super) prefix: &'static str,
    /// Filter that leaves out what is gone and still told, with the states that it takes; `None` for a kind without states.
    pub(super) states: Option<(&'static str, &'static [&'static str])>,
    /// States of what is gone, or on its way, of a kind that is told of for an hour after that, and is made by calls that take tokens.
    pub(super) ended: Option<&'static [&'static str]>,
}

// Source: botocore 1.44.8, `ec2` 2016-11-15.
pub(super) const NETWORK: Told = Told {
    kind: Kind::Network,
    describe: "DescribeVpcs",
    list: "vpcSet",
    id: "vpcId",
    filter: "vpc-id",
    resource: "vpc",
    prefix: "vpc-",
    states: None,
    ended: None,
};
pub(super) const SUBNET: Told = Told {
    kind: Kind::Subnet,
    describe: "DescribeSubnets",
    list: "subnetSet",
    id: "subnetId",
    filter: "subnet-id",
    resource: "subnet",
    prefix: "subnet-",
    states: None,
    ended: None,
};
pub(super) const INTERNET_GATEWAY: Told = Told {
    kind: Kind::InternetGateway,
    describe: "DescribeInternetGateways",
    list: "internetGatewaySet",
    id: "internetGatewayId",
    filter: "internet-gateway-id",
    resource: "internet-gateway",
    prefix: "igw-",
    states: None,
    ended: None,
};
pub(super) const ROUTE_TABLE: Told = Told {
    kind: Kind::RouteTable,
    describe: "DescribeRouteTables",
    list: "routeTableSet",
    id: "routeTableId",
    filter: "route-table-id",
    resource: "route-table",
    prefix: "rtb-",
    states: None,
    ended: None,
};
pub(super) const SECURITY_GROUP: Told = Told {
    kind: Kind::SecurityGroup,
    describe: "DescribeSecurityGroups",
    list: "securityGroupInfo",
    id: "groupId",
    filter: "group-id",
    resource: "security-group",
    prefix: "sg-",
    states: None,
    ended: None,
};
pub(super) const ADDRESS: Told = Told {
    kind: Kind::Address,
    describe: "DescribeAddresses",
    list: "addressesSet",
    id: "allocationId",
    filter: "allocation-id",
    resource: "elastic-ip",
    prefix: "eipalloc-",
    states: None,
    ended: None,
};
pub(super) const NAT_GATEWAY: Told = Told {
    kind: Kind::NatGateway,
    describe: "DescribeNatGateways",
    list: "natGatewaySet",
    id: "natGatewayId",
    filter: "nat-gateway-id",
    resource: "natgateway",
    prefix: "nat-",
    states: Some(("state", &["pending", "available", "failed"])),
    ended: Some(&["deleting", "deleted"]),
};
pub(super) const ENDPOINT: Told = Told {
    kind: Kind::Endpoint,
    describe: "DescribeVpcEndpoints",
    list: "vpcEndpointSet",
    id: "vpcEndpointId",
    filter: "vpc-endpoint-id",
    resource: "vpc-endpoint",
    prefix: "vpce-",
    states: Some(("vpc-endpoint-state", &["pendingAcceptance", "pending", "available"])),
    ended: None,
};
pub(super) const VOLUME: Told = Told {
    kind: Kind::Volume,
    describe: "DescribeVolumes",
    list: "volumeSet",
    id: "volumeId",
    filter: "volume-id",
    resource: "volume",
    prefix: "vol-",
    states: Some(("status", &["creating", "available", "in-use", "error"])),
    ended: None,
};
/// Its list is one of reservations: see [`Told::members`].
pub(crate) const SERVER: Told = Told {
    kind: Kind::Server,
    describe: "DescribeInstances",
    list: "reservationSet",
    id: "instanceId",
    filter: "instance-id",
    resource: "instance",
    prefix: "i-",
    states: Some(("instance-state-name", &["pending", "running", "stopping", "stopped"])),
    ended: Some(&["shutting-down", "terminated"]),
};
/// All kinds of EC2.
pub(super) const TOLD: [Told; 10] =
    [NETWORK, SUBNET, INTERNET_GATEWAY, ROUTE_TABLE, SECURITY_GROUP, ADDRESS, NAT_GATEWAY, ENDPOINT, VOLUME, SERVER];

impl Told {
    /// Returns the name of a call in messages.
    pub(super) fn call(self) -> String {
        format!("ec2.{}", self.describe)
    }

    /// Returns the members of a list as it was told: servers are told by the calls that made them.
    pub(crate) fn members(self, list: Vec<Element>) -> Vec<Element> {
        if self.kind != Kind::Server {
            return list;
        }
        list.iter().flat_map(|reservation| reservation.list("instancesSet")).cloned().collect()
    }

    /// Returns the call that describes what has a value, and is there.
    pub(crate) fn described(self, filter: &str, value: &str) -> Call {
        let call = Call::new(self.describe).filter(filter, [value]);
        match self.states {
            Some((filter, states)) => call.filter(filter, states.iter().copied()),
            None => call,
        }
    }

    pub(crate) fn gone(self, name: &str) -> Failure {
        Failure::found(&self.call(), Class::NotFound, format!("there is no {} `{name}`", self.kind.name()))
    }
}
