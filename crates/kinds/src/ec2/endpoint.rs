//! Gateway endpoints: ways from a network to S3 and `DynamoDB` that need neither the internet nor a NAT gateway, and cost nothing.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{ENDPOINT, id, id_there, make, tags_of, unchangeable, with_id, with_ids, without_id, write, write_tags};
use crate::{
    Kind, Manage, Session,
    identity::Identity,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{
    ArnForm, failure_within,
    query::{Call, Element},
};
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Tags, plain};

/// The kind of gateway endpoints of networks.
#[derive(Debug)]
pub struct Endpoint;

/// A gateway endpoint. Its policy, which allows everything unless somebody writes another, stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Id of its network, or what stands for it.
    pub network: String,
    /// Name of the service, as `com.amazonaws.eu-west-1.s3`.
    pub service: String,
    /// Ids of the route tables that lead to it, or what stands for them.
    pub tables: BTreeSet<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// Returns the name of a service in a region.
///
/// ```
/// assert_eq!(kinds::ec2::endpoint::service("eu-west-1", "s3"), "com.amazonaws.eu-west-1.s3");
/// ```
pub fn service(region: &str, name: &str) -> String {
    format!("com.amazonaws.{region}.{name}")
}

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("ec2:{region}:{account}:vpc-endpoint/{name}")),
    ..Identity::implied("endpoint", "Endpoints", 255)
};

impl Manage for Endpoint {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[plain("network"), plain("service"), plain("tables"), plain("tags.*")];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Network, Kind::RouteTable];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ec2:DescribeVpcEndpoints"]),
        writes(
            Target::Own(Kind::Endpoint),
            &["ec2:CreateTags", "ec2:CreateVpcEndpoint", "ec2:DeleteTags", "ec2:ModifyVpcEndpoint"],
        ),
        writes(Target::Own(Kind::Network), &["ec2:CreateVpcEndpoint"]),
        writes(Target::Own(Kind::RouteTable), &["ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint"]),
        deletes(Target::Own(Kind::Endpoint), &["ec2:DeleteVpcEndpoints"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text, texts};
        Settings { network: text(), service: text(), tables: texts(), tags: tags() }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some((member, owner)) = super::read(session, ENDPOINT, address).await? else { return Ok(None) };
        let mut tables = BTreeSet::new();
        for table in member.texts("routeTableIdSet", "") {
            tables.insert(without_id(session, &table).await?);
        }
        let settings = Settings {
            network: without_id(session, member.text("vpcId")).await?,
            service: member.text("serviceName").to_owned(),
            tables,
            tags: tags_of(&member),
        };
        Ok(Some(Live { settings, owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let call = Call::new("CreateVpcEndpoint")
            .with("VpcEndpointType", "Gateway")
            .with("VpcId", with_id(session, &desired.network).await?)
            .with("ServiceName", &desired.service)
            .list("RouteTableId", with_ids(session, &desired.tables).await?);
        make(session, ENDPOINT, address, call, ("vpcEndpoint/vpcEndpointId", &desired.tags)).await.map(drop)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let fixed =
            [(desired.network != live.network, "the network"), (desired.service != live.service, "the service")];
        if let Some((_, what)) = fixed.into_iter().find(|(differs, _)| *differs) {
            return Err(unchangeable(ENDPOINT, &address.name, what));
        }
        let id = id_there(session, ENDPOINT, address).await?;
        if desired.tables != live.tables {
            let new = with_ids(session, desired.tables.difference(&live.tables)).await?;
            let old = with_ids(session, live.tables.difference(&desired.tables)).await?;
            let call = Call::new("ModifyVpcEndpoint").with("VpcEndpointId", &id);
            write(session, Kind::Endpoint, call.list("AddRouteTableId", new).list("RemoveRouteTableId", old)).await?;
        }
        write_tags(session, Kind::Endpoint, &id, &desired.tags, &live.tags).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(id) = id(session, ENDPOINT, address).await? else { return Ok(()) };
        let call = Call::new("DeleteVpcEndpoints").with("VpcEndpointId.1", id);
        let answer = session.aws.write.ec2.call(&call).await;
        super::record_deletion(session, ENDPOINT, address).await;
        refused(&answer?)
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        super::list_owned(session, ENDPOINT).await
    }
}

/// Returns the failure in an answer about deletions: the call as a whole succeeds, whatever becomes of each endpoint.
fn refused(answer: &Element) -> Result<(), Failure> {
    let Some(one) = answer.list("unsuccessful").first() else { return Ok(()) };
    let failure = failure_within("ec2.DeleteVpcEndpoints", one.text("error/code"), one.text("error/message"));
    if failure.class == Class::NotFound { Ok(()) } else { Err(failure) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_that_is_refused_within_its_answer_is_a_failure() {
        let answer = |items: &str| {
            let text = format!(
                "<DeleteVpcEndpointsResponse><unsuccessful>{items}</unsuccessful></DeleteVpcEndpointsResponse>"
            );
            Element::read(&text).unwrap()
        };
        let item = |code: &str| {
            format!(
                "<item><error><code>{code}</code><message>no</message></error><resourceId>vpce-0a</resourceId></item>"
            )
        };
        assert!(refused(&answer("")).is_ok());
        assert!(refused(&answer(&item("InvalidVpcEndpointId.NotFound"))).is_ok());
        let failure = refused(&answer(&item("InvalidParameter"))).unwrap_err();
        assert!(failure.to_string().contains("InvalidParameter: no"), "{failure:?}");
        assert_eq!(failure.class, Class::Invalid);
        assert_eq!(refused(&answer(&item("DependencyViolation"))).unwrap_err().class, Class::InProgress);
    }
}
