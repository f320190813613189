//! Reads a network: subnets, route tables, endpoints and security groups.

use std::collections::{BTreeMap, BTreeSet};

use super::block::Block;
use aws::query::Element;

/// Parts of the account's networks, as far as functions need them.
#[derive(Debug, Clone, Default)]
pub(super) struct Network {
    /// Subnets of the network, by id.
    pub(super) subnets: BTreeMap<String, Subnet>,
    /// Security groups by id.
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) tables: Vec<Table>,
    pub(super) endpoints: Vec<Endpoint>,
}

/// A subnet with its place in the network.
#[derive(Debug, Clone)]
pub(super) struct Subnet {
    pub(super) vpc: String,
    pub(super) zone: String,
    /// Account that owns it: it may be another one's that shares it.
    pub(super) owner: String,
    pub(super) block: Option<Block>,
}

/// A route table with its routes.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) id: String,
    pub(super) vpc: String,
    /// `true` for the table of all subnets that have none of their own.
    pub(super) is_main: bool,
    pub(super) subnets: BTreeSet<String>,
    /// Routes of IPv4 that lead somewhere.
    pub(super) routes: Vec<Route>,
}

/// A route of IPv4.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// Destination; `None` for a list of blocks that is not known here.
    pub(super) to: Option<Block>,
    pub(super) by: Gate,
}

/// The next hop of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gate {
    /// The network itself: traffic stays inside.
    Local,
    /// An internet gateway, by id: it serves those that have a public address, and no function has one.
    Internet(String),
    /// A NAT gateway: it leads to public addresses, as a rule.
    Nat,
    /// A gateway endpoint, which stands for its service alone.
    Endpoint,
    /// Something that may lead anywhere: a transit gateway, a peering, a virtual private gateway, an appliance.
    Anything,
    /// Nothing: the target of the route is gone.
    Nothing,
}

/// An endpoint of a service in a network.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) id: String,
    pub(super) vpc: String,
    /// Last part of the service's name: `s3`, `secretsmanager`.
    pub(super) service: String,
    pub(super) form: Form,
    /// `true` if it is ready.
    pub(super) is_available: bool,
    /// Route tables that lead to a gateway endpoint.
    pub(super) tables: BTreeSet<String>,
    /// Security groups of an interface endpoint.
    pub(super) groups: BTreeSet<String>,
}

/// The forms of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A target of routes.
    Gateway,
    /// Addresses in the network, to which the service's own name leads there.
    NamedInterface,
    /// Addresses in the network, to which the service's own name leads only if somebody has seen to it.
    Interface,
}

/// A security group with its outgoing rules.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) vpc: String,
    pub(super) egress: Vec<Rule>,
    pub(super) ingress: Vec<Rule>,
}

/// A rule of a security group.
#[derive(Debug, Clone, Default)]
pub(super) struct Rule {
    /// First and last port, if it is one of TCP or of every protocol; `None` for other protocols.
    pub(super) ports: Option<(u16, u16)>,
    pub(super) blocks: Vec<Block>,
    pub(super) groups: BTreeSet<String>,
    /// `true` if it names lists of blocks that are not known here.
    pub(super) has_lists: bool,
}

impl Subnet {
    pub(super) fn read(element: &Element) -> (String, Self) {
        let text = |path: &str| element.text(path).to_owned();
        let subnet = Self {
            vpc: text("vpcId"),
            zone: text("availabilityZone"),
            owner: text("ownerId"),
            block: Block::parse(element.text("cidrBlock")),
        };
        (text("subnetId"), subnet)
    }
}

impl Table {
    pub(super) fn read(element: &Element) -> Self {
        Self {
            id: element.text("routeTableId").to_owned(),
            vpc: element.text("vpcId").to_owned(),
            is_main: element.list("associationSet").iter().any(|one| one.is("main")),
            subnets: element.texts("associationSet", "subnetId").collect(),
            routes: element.list("routeSet").iter().filter_map(Route::read).collect(),
        }
    }
}

impl Route {
    /// Reads a route; `None` if it is not one of IPv4.
    fn read(element: &Element) -> Option<Self> {
        let to = match (element.text("destinationCidrBlock"), element.text("destinationPrefixListId")) {
            ("", "") => return None,
            ("", _) => None,
            (block, _) => Some(Block::parse(block)?),
        };
        let gateway = element.text("gatewayId");
        let by = match gateway {
            _ if element.text("state") == "blackhole" => Gate::Nothing,
            "local" => Gate::Local,
            _ if gateway.starts_with("igw-") => Gate::Internet(gateway.to_owned()),
            // The destination of a gateway endpoint is the list of its service; that of an appliance is a block.
            _ if gateway.starts_with("vpce-") && to.is_none() => Gate::Endpoint,
            _ if !element.text("natGatewayId").is_empty() => Gate::Nat,
            _ => Gate::Anything,
        };
        Some(Self { to, by })
    }
}

impl Endpoint {
    pub(super) fn read(element: &Element) -> Self {
        // The name that leads to an interface of S3 may be the service's own for queries from outside of the network alone.
        let leads_outside = element.is("dnsOptions/privateDnsOnlyForInboundResolverEndpoint");
        Self {
            id: element.text("vpcEndpointId").to_owned(),
            vpc: element.text("vpcId").to_owned(),
            service: element.text("serviceName").rsplit('.').next().unwrap_or_default().to_owned(),
            form: match element.text("vpcEndpointType") {
                "Gateway" | "" => Form::Gateway,
                "Interface" if element.is("privateDnsEnabled") && !leads_outside => Form::NamedInterface,
                _ => Form::Interface,
            },
            is_available: element.text("state").eq_ignore_ascii_case("available"),
            tables: element.texts("routeTableIdSet", "").collect(),
            groups: element.texts("groupSet", "groupId").collect(),
        }
    }
}

impl Group {
    pub(super) fn read(element: &Element) -> (String, Self) {
        let rules = |path: &str| element.list(path).iter().map(Rule::read).collect();
        let group = Self {
            vpc: element.text("vpcId").to_owned(),
            egress: rules("ipPermissionsEgress"),
            ingress: rules("ipPermissions"),
        };
        (element.text("groupId").to_owned(), group)
    }
}

impl Rule {
    fn read(element: &Element) -> Self {
        let port = |path: &str| element.text(path).parse::<u16>().ok();
        let ports = match element.text("ipProtocol") {
            "-1" => Some((0, u16::MAX)),
            "tcp" | "6" => Some((port("fromPort").unwrap_or(0), port("toPort").unwrap_or(u16::MAX))),
            _ => None,
        };
        Self {
            ports,
            blocks: element.texts("ipRanges", "cidrIp").filter_map(|block| Block::parse(&block)).collect(),
            groups: element.texts("groups", "groupId").collect(),
            has_lists: !element.list("prefixListIds").is_empty(),
        }
    }

    /// Returns `true` if the rule is about a port of TCP.
    pub(super) fn is_for(&self, port: u16) -> bool {
        self.ports.is_some_and(|(first, last)| (first..=last).contains(&port))
    }
}
