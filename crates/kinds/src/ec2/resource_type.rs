//! The resource types of EC2: the call that describes each, where its answer has the ids, and its states.

use aws::query::{Call, Element};
use engine::{Class, Failure};

use crate::Kind;

/// A resource type of EC2, for one of our kinds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResourceType {
    pub(super) kind: Kind,
    /// Action that describes resources of the type.
    pub(crate) describe: &'static str,
    /// Path of the list in the answer.
    pub(crate) list: &'static str,
    /// Path of the id in a member of the list.
    pub(crate) id: &'static str,
    /// Name of the filter by id.
    pub(super) filter: &'static str,
    /// Name of the type in EC2's `TagSpecification`.
    pub(super) name: &'static str,
    /// Beginning of the ids.
    pub(super) prefix: &'static str,
    /// Name of the filter by state, and the states of what exists: EC2 goes on describing what is deleted. `None` for a type without states.
    pub(super) states: Option<(&'static str, &'static [&'static str])>,
    /// States of what is deleted or being deleted, for a type that EC2 describes for an hour after that and creates by calls with a client
    /// token; `None` for other types.
    pub(super) ended: Option<&'static [&'static str]>,
}

// Source: botocore 1.44.8, `ec2` 2016-11-15.
pub(super) const NETWORK: ResourceType = ResourceType {
    kind: Kind::Network,
    describe: "DescribeVpcs",
    list: "vpcSet",
    id: "vpcId",
    filter: "vpc-id",
    name: "vpc",
    prefix: "vpc-",
    states: None,
    ended: None,
};
pub(super) const SUBNET: ResourceType = ResourceType {
    kind: Kind::Subnet,
    describe: "DescribeSubnets",
    list: "subnetSet",
    id: "subnetId",
    filter: "subnet-id",
    name: "subnet",
    prefix: "subnet-",
    states: None,
    ended: None,
};
pub(super) const INTERNET_GATEWAY: ResourceType = ResourceType {
    kind: Kind::InternetGateway,
    describe: "DescribeInternetGateways",
    list: "internetGatewaySet",
    id: "internetGatewayId",
    filter: "internet-gateway-id",
    name: "internet-gateway",
    prefix: "igw-",
    states: None,
    ended: None,
};
pub(super) const ROUTE_TABLE: ResourceType = ResourceType {
    kind: Kind::RouteTable,
    describe: "DescribeRouteTables",
    list: "routeTableSet",
    id: "routeTableId",
    filter: "route-table-id",
    name: "route-table",
    prefix: "rtb-",
    states: None,
    ended: None,
};
pub(super) const SECURITY_GROUP: ResourceType = ResourceType {
    kind: Kind::SecurityGroup,
    describe: "DescribeSecurityGroups",
    list: "securityGroupInfo",
    id: "groupId",
    filter: "group-id",
    name: "security-group",
    prefix: "sg-",
    states: None,
    ended: None,
};
pub(super) const ADDRESS: ResourceType = ResourceType {
    kind: Kind::Address,
    describe: "DescribeAddresses",
    list: "addressesSet",
    id: "allocationId",
    filter: "allocation-id",
    name: "elastic-ip",
    prefix: "eipalloc-",
    states: None,
    ended: None,
};
pub(super) const NAT_GATEWAY: ResourceType = ResourceType {
    kind: Kind::NatGateway,
    describe: "DescribeNatGateways",
    list: "natGatewaySet",
    id: "natGatewayId",
    filter: "nat-gateway-id",
    name: "natgateway",
    prefix: "nat-",
    states: Some(("state", &["pending", "available", "failed"])),
    ended: Some(&["deleting", "deleted"]),
};
pub(super) const ENDPOINT: ResourceType = ResourceType {
    kind: Kind::Endpoint,
    describe: "DescribeVpcEndpoints",
    list: "vpcEndpointSet",
    id: "vpcEndpointId",
    filter: "vpc-endpoint-id",
    name: "vpc-endpoint",
    prefix: "vpce-",
    states: Some(("vpc-endpoint-state", &["pendingAcceptance", "pending", "available"])),
    ended: None,
};
pub(super) const VOLUME: ResourceType = ResourceType {
    kind: Kind::Volume,
    describe: "DescribeVolumes",
    list: "volumeSet",
    id: "volumeId",
    filter: "volume-id",
    name: "volume",
    prefix: "vol-",
    states: Some(("status", &["creating", "available", "in-use", "error"])),
    ended: None,
};
/// The list in its answer is one of reservations: see [`ResourceType::members`].
pub(crate) const SERVER: ResourceType = ResourceType {
    kind: Kind::Server,
    describe: "DescribeInstances",
    list: "reservationSet",
    id: "instanceId",
    filter: "instance-id",
    name: "instance",
    prefix: "i-",
    states: Some(("instance-state-name", &["pending", "running", "stopping", "stopped"])),
    ended: Some(&["shutting-down", "terminated"]),
};
/// Every resource type that is one of our kinds.
pub(super) const RESOURCE_TYPES: [ResourceType; 10] =
    [NETWORK, SUBNET, INTERNET_GATEWAY, ROUTE_TABLE, SECURITY_GROUP, ADDRESS, NAT_GATEWAY, ENDPOINT, VOLUME, SERVER];

impl ResourceType {
    /// Returns the name of the describing call, as it is in messages.
    pub(super) fn call(self) -> String {
        format!("ec2.{}", self.describe)
    }

    /// Returns the resources in the list of an answer. EC2 lists servers by reservation: those that one call created.
    pub(crate) fn members(self, list: Vec<Element>) -> Vec<Element> {
        if self.kind != Kind::Server {
            return list;
        }
        list.iter().flat_map(|reservation| reservation.list("instancesSet")).cloned().collect()
    }

    /// Returns the call that describes the existing resources for which a filter has a value.
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
