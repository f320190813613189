//! Groups of subnets: where the network interfaces of a database are.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{owned, tags_of, used, write_tags};
use crate::{
    Kind, Manage, Session, ec2,
    identity::{Identity, Naming},
    rights::{Right, Target, deletes, reads, writes},
    stores::{not_yet, with_tags},
};
use aws::{ArnForm, query::Call};
use engine::{Address, Failure, Field, Holds, Live, Owned, Owner, Slow, Tags, plain};

/// The kind of groups of subnets of databases.
#[derive(Debug)]
pub struct SubnetGroup;

/// A group of subnets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Description of the group, for people.
    pub description: String,
    /// Ids of the subnets, in two availability zones at least.
    pub subnets: BTreeSet<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("rds:{region}:{account}:subgrp:{name}")),
    naming: Naming::SingleHyphens,
    ..Identity::implied("database subnets", "DatabaseSubnets", 255)
};

impl Manage for SubnetGroup {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[plain("description"), plain("subnets"), plain("tags.*")];

    // It goes with its database, and stays with it.
    const HOLDS: Holds = Holds::Passing;

    const ENDS_IN: Option<Slow> = Some(super::instance::ENDING);

    const REFERS_TO: &'static [Kind] = &[Kind::Subnet];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Own(Kind::DatabaseSubnets), &["rds:DescribeDBSubnetGroups", "rds:ListTagsForResource"]),
        writes(
            Target::Own(Kind::DatabaseSubnets),
            &[
                "rds:AddTagsToResource",
                "rds:CreateDBSubnetGroup",
                "rds:ModifyDBSubnetGroup",
                "rds:RemoveTagsFromResource",
            ],
        ),
        // RDS looks at the network by the rights of whoever makes a group.
        writes(Target::Everything, &["ec2:DescribeSubnets", "ec2:DescribeVpcs"]),
        deletes(Target::Own(Kind::DatabaseSubnets), &["rds:DeleteDBSubnetGroup"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text, texts};
        Settings { description: text(), subnets: texts(), tags: tags() }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let name = &address.name;
        let call = Call::new("DescribeDBSubnetGroups").with("DBSubnetGroupName", name);
        let Some(answer) = session.aws.read.rds.find(&call).await? else { return Ok(None) };
        let groups = answer.list("DescribeDBSubnetGroupsResult/DBSubnetGroups");
        let Some(group) = groups.iter().find(|group| group.text("DBSubnetGroupName") == name) else { return Ok(None) };
        let tags = tags_of(session, &arn(session, name)).await?.unwrap_or_default();
        // It has tags from its beginning, so that one without is somebody's.
        let owner = Owner::of(&tags, &session.stack, true);
        let settings = Settings {
            description: group.text("DBSubnetGroupDescription").to_owned(),
            subnets: ec2::without_ids(session, &group.texts("Subnets", "SubnetIdentifier").collect()).await?,
            tags,
        };
        Ok(Some(Live { settings, owner }))
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let call = whole("CreateDBSubnetGroup", &address.name, &with_subnets(session, desired).await?);
        session.aws.write.rds.call(&with_tags(call, &desired.tags)).await.map(drop).map_err(not_yet)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        write_tags(session, &arn(session, name), &desired.tags, &live.tags).await?;
        if (&desired.description, &desired.subnets) == (&live.description, &live.subnets) {
            return Ok(());
        }
        let call = whole("ModifyDBSubnetGroup", name, &with_subnets(session, desired).await?);
        session.aws.write.rds.call(&call).await.map(drop).map_err(not_yet)
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let call = Call::new("DeleteDBSubnetGroup").with("DBSubnetGroupName", &address.name);
        session.aws.write.rds.find(&call).await.map(drop)
    }

    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        used(session, Kind::DatabaseSubnets, address).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        owned(session, Kind::DatabaseSubnets).await
    }
}

/// Returns settings for a call, with the ids of subnets in place of what stands for them.
async fn with_subnets(session: &Session, settings: &Settings) -> Result<Settings, Failure> {
    Ok(Settings { subnets: ec2::with_set(session, &settings.subnets).await?, ..settings.clone() })
}

/// Returns a call with all that a group has but its tags.
fn whole(action: &'static str, name: &str, settings: &Settings) -> Call {
    Call::new(action)
        .with("DBSubnetGroupName", name)
        .with("DBSubnetGroupDescription", &settings.description)
        .list("SubnetIds.SubnetIdentifier", &settings.subnets)
}
