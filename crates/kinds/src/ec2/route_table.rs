//! Route tables: where what leaves a subnet goes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    ROUTE_TABLE, delete, find_now, id_there, make, tags_of, take_away, unchangeable, with_id, without_id, write,
    write_tags,
};
use crate::{
    Kind, Manage, Session,
    children::ensure_ended,
    identity::Identity,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{
    ArnForm,
    query::{Call, Element},
};
use engine::{Address, Children, Class, Failure, Field, Holds, Live, Owned, Tags, plain, severe};

/// The kind of route tables of networks.
#[derive(Debug)]
pub struct RouteTable;

/// The managed settings of a route table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Id of its network, or what stands for it.
    pub network: String,
    /// Where what is for a range goes, by the range, as `0.0.0.0/0`: the id of a gateway, or what stands for it. The network itself, what
    /// is told to it by others and what endpoints add are not among them.
    pub routes: BTreeMap<String, String>,
    /// Ids of its subnets, or what stands for them.
    pub subnets: BTreeSet<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

/// Where a route may go: the place of its id in an answer, and in a call.
const WAYS: &[(&str, &str)] = &[
    ("gatewayId", "GatewayId"),
    ("natGatewayId", "NatGatewayId"),
    ("transitGatewayId", "TransitGatewayId"),
    ("vpcPeeringConnectionId", "VpcPeeringConnectionId"),
    ("egressOnlyInternetGatewayId", "EgressOnlyInternetGatewayId"),
    ("instanceId", "InstanceId"),
    ("networkInterfaceId", "NetworkInterfaceId"),
];
/// Where what a route is for stands in an answer, and in a call.
const DESTINATIONS: &[(&str, &str)] = &[
    ("destinationCidrBlock", "DestinationCidrBlock"),
    ("destinationIpv6CidrBlock", "DestinationIpv6CidrBlock"),
    ("destinationPrefixListId", "DestinationPrefixListId"),
];

/// Returns what a route is for and where it goes; `None` for those that nobody wrote.
fn route(member: &Element) -> Option<(String, String)> {
    let first = |places: &[(&str, &str)]| {
        let texts = places.iter().map(|(place, _)| member.text(place));
        texts.into_iter().find(|text| !text.is_empty()).map(str::to_owned)
    };
    let way = first(WAYS)?;
    // What leads to a gateway endpoint is for the list of its service; to other endpoints somebody wrote the way.
    let is_of_endpoint = way.starts_with("vpce-") && !member.text("destinationPrefixListId").is_empty();
    let is_written = member.text("origin") == "CreateRoute" && way != "local" && !is_of_endpoint;
    is_written.then_some((first(DESTINATIONS)?, way))
}

/// Returns the parameter of a call that says where a route goes.
fn way_of(id: &str) -> &'static str {
    let ways = [
        ("nat-", "NatGatewayId"),
        ("tgw-", "TransitGatewayId"),
        ("pcx-", "VpcPeeringConnectionId"),
        ("eigw-", "EgressOnlyInternetGatewayId"),
        ("i-", "InstanceId"),
        ("eni-", "NetworkInterfaceId"),
    ];
    ways.iter().find(|(prefix, _)| id.starts_with(prefix)).map_or("GatewayId", |(_, way)| way)
}

/// Returns the parameter of a call that says what a route is for.
fn destination_of(range: &str) -> &'static str {
    match range {
        range if range.starts_with("pl-") => "DestinationPrefixListId",
        range if range.contains(':') => "DestinationIpv6CidrBlock",
        _ => "DestinationCidrBlock",
    }
}

/// Returns the ids of the associations of a table with subnets, by subnet.
fn associations(member: &Element) -> BTreeMap<String, String> {
    let with_subnets = member.list("associationSet").iter().filter(|one| !one.text("subnetId").is_empty());
    // One that is taken away is told for a while.
    let standing = with_subnets.filter(|one| !one.text("associationState/state").starts_with("disassociat"));
    standing.map(|one| (one.text("subnetId").to_owned(), one.text("routeTableAssociationId").to_owned())).collect()
}

/// Writes the routes that differ.
async fn write_routes(
    session: &Session,
    id: &str,
    desired: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let about = |action: &'static str, range: &str| {
        Call::new(action).with("RouteTableId", id).with(destination_of(range), range)
    };
    for range in live.keys().filter(|range| !desired.contains_key(*range)) {
        take_away(session, Kind::RouteTable, about("DeleteRoute", range)).await?;
    }
    for (range, way) in desired.iter().filter(|(range, way)| live.get(*range) != Some(way)) {
        let action = if live.contains_key(range) { "ReplaceRoute" } else { "CreateRoute" };
        let to = with_id(session, way).await?;
        let call = about(action, range).with(way_of(&to), &to);
        match write(session, Kind::RouteTable, call).await {
            // Of an earlier attempt, or of somebody meanwhile.
            Err(failure) if failure.class == Class::Exists => {
                write(session, Kind::RouteTable, about("ReplaceRoute", range).with(way_of(&to), to)).await?;
            }
            result => result?,
        }
    }
    Ok(())
}

/// Gives a table its subnets. One that has another table loses that one.
async fn write_subnets(
    session: &Session,
    id: &str,
    desired: &BTreeSet<String>,
    live: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let mut wanted = BTreeSet::new();
    for subnet in desired {
        wanted.insert(with_id(session, subnet).await?);
    }
    for (_, association) in live.iter().filter(|(subnet, _)| !wanted.contains(*subnet)) {
        let call = Call::new("DisassociateRouteTable").with("AssociationId", association);
        take_away(session, Kind::RouteTable, call).await?;
    }
    for subnet in wanted.iter().filter(|subnet| !live.contains_key(*subnet)) {
        let other = Call::new("DescribeRouteTables").filter("association.subnet-id", [subnet]);
        let others = session.aws.read.ec2.pages(other, ROUTE_TABLE.list).await?;
        let other = others.iter().find_map(|table| associations(table).remove(subnet));
        let call = match &other {
            Some(other) => Call::new("ReplaceRouteTableAssociation").with("AssociationId", other),
            None => Call::new("AssociateRouteTable").with("SubnetId", subnet),
        };
        write(session, Kind::RouteTable, call.with("RouteTableId", id)).await?;
    }
    Ok(())
}

/// Field of the gateways whose routes the table has, too.
const PROPAGATION: &str = "propagation";
const PROPAGATION_FIELD: &str = "propagation.*";

/// Returns the gateways whose routes a table has, too: what is behind them is let in, whatever the declared routes say.
fn propagation(member: &Element) -> Children {
    let mut children = Children::default();
    for gateway in member.texts("propagatingVgwSet", "gatewayId") {
        children.add(PROPAGATION, gateway, "its routes", true);
    }
    children
}

/// Fails as long as a gateway brings its routes: it is somebody's, and the right to end that is one to the gateway.
fn ensure_not_propagated(id: &str, desired: &Settings, live: &Settings) -> Result<(), Failure> {
    let gateways = live.children.surplus(&desired.children, PROPAGATION).into_iter();
    let command =
        |gateway| format!("aws ec2 disable-vgw-route-propagation --route-table-id {id} --gateway-id {gateway}");
    let commands: Vec<String> = gateways.map(command).collect();
    ensure_ended("ec2.DescribeRouteTables", &format!("the route table `{id}`"), &commands)
}

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("ec2:{region}:{account}:route-table/{name}")),
    ..Identity::implied("route table", "RouteTables", 255)
};

impl Manage for RouteTable {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("network"),
        plain("routes.*"),
        plain("subnets"),
        plain("tags.*"),
        severe(PROPAGATION_FIELD, "a gateway of a VPN that brings routes of others"),
    ];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Network, Kind::Subnet, Kind::InternetGateway, Kind::NatGateway];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ec2:DescribeRouteTables"]),
        writes(
            Target::Own(Kind::RouteTable),
            &[
                "ec2:AssociateRouteTable",
                "ec2:CreateRoute",
                "ec2:CreateRouteTable",
                "ec2:CreateTags",
                "ec2:DeleteRoute",
                "ec2:DeleteTags",
                "ec2:DisassociateRouteTable",
                "ec2:ReplaceRoute",
                "ec2:ReplaceRouteTableAssociation",
            ],
        ),
        writes(Target::Own(Kind::Network), &["ec2:CreateRouteTable"]),
        writes(
            Target::Own(Kind::Subnet),
            &["ec2:AssociateRouteTable", "ec2:DisassociateRouteTable", "ec2:ReplaceRouteTableAssociation"],
        ),
        deletes(Target::Own(Kind::RouteTable), &["ec2:DeleteRouteTable", "ec2:DisassociateRouteTable"]),
        deletes(Target::Own(Kind::Subnet), &["ec2:DisassociateRouteTable"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text, texts};
        let routes = BTreeMap::from([("0.0.0.0/0".to_owned(), text())]);
        let children = Children::one_in_each(Self::FIELDS);
        Settings { network: text(), routes, subnets: texts(), tags: tags(), children }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some((member, owner)) = super::read(session, ROUTE_TABLE, address).await? else { return Ok(None) };
        let mut routes = BTreeMap::new();
        for (range, way) in member.list("routeSet").iter().filter_map(route) {
            routes.insert(range, without_id(session, &way).await?);
        }
        let mut subnets = BTreeSet::new();
        for subnet in associations(&member).keys() {
            subnets.insert(without_id(session, subnet).await?);
        }
        let network = without_id(session, member.text("vpcId")).await?;
        let children = propagation(&member);
        let settings = Settings { network, routes, subnets, tags: tags_of(&member), children };
        Ok(Some(Live { settings, owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let call = Call::new("CreateRouteTable").with("VpcId", with_id(session, &desired.network).await?);
        let id = make(session, ROUTE_TABLE, address, call, ("routeTable/routeTableId", &desired.tags)).await?;
        write_routes(session, &id, &desired.routes, &BTreeMap::new()).await?;
        // An earlier attempt may have begun.
        let there = find_now(session, ROUTE_TABLE, &address.name).await?;
        write_subnets(session, &id, &desired.subnets, &there.as_ref().map(associations).unwrap_or_default()).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        if desired.network != live.network {
            return Err(unchangeable(ROUTE_TABLE, &address.name, "the network"));
        }
        let id = id_there(session, ROUTE_TABLE, address).await?;
        write_routes(session, &id, &desired.routes, &live.routes).await?;
        if desired.subnets != live.subnets {
            let there = find_now(session, ROUTE_TABLE, &address.name).await?;
            let there = there.as_ref().map(associations).unwrap_or_default();
            write_subnets(session, &id, &desired.subnets, &there).await?;
        }
        write_tags(session, Kind::RouteTable, &id, &desired.tags, &live.tags).await?;
        ensure_not_propagated(&id, desired, live)
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(member) = find_now(session, ROUTE_TABLE, &address.name).await? else { return Ok(()) };
        for association in associations(&member).values() {
            let call = Call::new("DisassociateRouteTable").with("AssociationId", association);
            take_away(session, Kind::RouteTable, call).await?;
        }
        let call = Call::new("DeleteRouteTable").with("RouteTableId", member.text(ROUTE_TABLE.id));
        delete(session, ROUTE_TABLE, address, call).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        super::list_owned(session, ROUTE_TABLE).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_called_as_it_is_told() {
        for (id, place) in [
            ("igw-0a", "gatewayId"),
            ("vgw-0a", "gatewayId"),
            ("nat-0a", "natGatewayId"),
            ("tgw-0a", "transitGatewayId"),
            ("pcx-0a", "vpcPeeringConnectionId"),
            ("eigw-0a", "egressOnlyInternetGatewayId"),
            ("i-0a", "instanceId"),
            ("eni-0a", "networkInterfaceId"),
        ] {
            let told = WAYS.iter().find(|(_, way)| *way == way_of(id)).map(|(place, _)| *place);
            assert_eq!(told, Some(place), "{id}");
            for (range, at) in [
                ("10.0.0.0/8", "destinationCidrBlock"),
                ("::/0", "destinationIpv6CidrBlock"),
                ("pl-0a", "destinationPrefixListId"),
            ] {
                let called = DESTINATIONS.iter().find(|(_, name)| *name == destination_of(range)).map(|(at, _)| *at);
                assert_eq!(called, Some(at));
                let item =
                    format!("<item><{at}>{range}</{at}><{place}>{id}</{place}><origin>CreateRoute</origin></item>");
                assert_eq!(route(&Element::read(&item).unwrap()), Some((range.to_owned(), id.to_owned())));
            }
        }
    }

    #[test]
    fn what_nobody_wrote_is_no_route() {
        let to_appliance = "<item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><gatewayId>vpce-0a</gatewayId><origin>CreateRoute</origin></item>";
        assert!(route(&Element::read(to_appliance).unwrap()).is_some(), "somebody wrote it");
        for item in [
            "<item><destinationCidrBlock>10.20.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId><origin>CreateRouteTable</origin></item>",
            "<item><destinationPrefixListId>pl-0a</destinationPrefixListId><gatewayId>vpce-0a</gatewayId><origin>CreateRoute</origin></item>",
            "<item><destinationCidrBlock>10.0.0.0/8</destinationCidrBlock><gatewayId>vgw-0a</gatewayId><origin>EnableVgwRoutePropagation</origin></item>",
        ] {
            assert_eq!(route(&Element::read(item).unwrap()), None, "{item}");
        }
    }
}
