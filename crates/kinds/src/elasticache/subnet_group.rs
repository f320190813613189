//! Groups of subnets: where the network interfaces of a cache are.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{cache_of, replication_group, tags_of, write_tags};
use crate::{
    Kind, Manage, Session, ec2,
    identity::{Identity, Naming},
    rights::{Right, Target, deletes, reads, writes},
    stores::{not_yet, with_tags},
};
use aws::{ArnForm, query::Call};
use engine::{Address, Class, ENTRY_TAG, Failure, Field, Holds, Live, Owned, Owner, Slow, Tags, plain};

/// The kind of groups of subnets of caches.
#[derive(Debug)]
pub struct SubnetGroup;

/// A group of subnets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Description of the group, for people.
    pub description: String,
    /// Ids of the subnets, one for each node at least, in other availability zones.
    pub subnets: BTreeSet<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("elasticache:{region}:{account}:subnetgroup:{name}")),
    naming: Naming::SingleHyphens,
    ..Identity::implied("cache subnets", "CacheSubnets", 255)
};

impl Manage for SubnetGroup {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[plain("description"), plain("subnets"), plain("tags.*")];

    // It goes with its cache, and stays with it.
    const HOLDS: Holds = Holds::Passing;

    const ENDS_IN: Option<Slow> = Some(replication_group::ENDING);

    const REFERS_TO: &'static [Kind] = &[Kind::Subnet];

    const RIGHTS: &'static [Right] = &[
        reads(
            Target::Own(Kind::CacheSubnets),
            &["elasticache:DescribeCacheSubnetGroups", "elasticache:ListTagsForResource"],
        ),
        writes(
            Target::Own(Kind::CacheSubnets),
            &[
                "elasticache:AddTagsToResource",
                "elasticache:CreateCacheSubnetGroup",
                "elasticache:ModifyCacheSubnetGroup",
                "elasticache:RemoveTagsFromResource",
            ],
        ),
        // ElastiCache looks at the network by the rights of whoever makes a group.
        writes(Target::Everything, &["ec2:DescribeSubnets", "ec2:DescribeVpcs"]),
        deletes(Target::Own(Kind::CacheSubnets), &["elasticache:DeleteCacheSubnetGroup"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text, texts};
        Settings { description: text(), subnets: texts(), tags: tags() }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let name = &address.name;
        let call = Call::new("DescribeCacheSubnetGroups").with("CacheSubnetGroupName", name);
        let Some(answer) = session.aws.read.elasticache.find(&call).await? else { return Ok(None) };
        let groups = answer.list("DescribeCacheSubnetGroupsResult/CacheSubnetGroups");
        let Some(group) = groups.iter().find(|group| group.text("CacheSubnetGroupName") == name) else {
            return Ok(None);
        };
        let tags = tags_of(session, &arn(session, name)).await?.unwrap_or_default();
        // It has tags from its beginning, so that one without is somebody's.
        let owner = Owner::of(&tags, &session.stack, true);
        let settings = Settings {
            description: group.text("CacheSubnetGroupDescription").to_owned(),
            subnets: ec2::without_ids(session, &group.texts("Subnets", "SubnetIdentifier").collect()).await?,
            tags,
        };
        Ok(Some(Live { settings, owner }))
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let call = whole("CreateCacheSubnetGroup", &address.name, &with_subnets(session, desired).await?);
        session.aws.write.elasticache.call(&with_tags(call, &desired.tags)).await.map(drop).map_err(not_yet)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        write_tags(session, &arn(session, name), &desired.tags, &live.tags).await?;
        if (&desired.description, &desired.subnets) == (&live.description, &live.subnets) {
            return Ok(());
        }
        let call = whole("ModifyCacheSubnetGroup", name, &with_subnets(session, desired).await?);
        session.aws.write.elasticache.call(&call).await.map(drop).map_err(not_yet)
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let call = Call::new("DeleteCacheSubnetGroup").with("CacheSubnetGroupName", &address.name);
        session.aws.write.elasticache.find(&call).await.map(drop)
    }

    /// Returns the cache that uses it: `ElastiCache` keeps a group as long as that is there.
    async fn holds_data(session: &Session, address: &Address) -> Result<Option<String>, Failure> {
        let Some(tags) = tags_of(session, &arn(session, &address.name)).await? else { return Ok(None) };
        let Some(entry) = tags.get(ENTRY_TAG) else { return Ok(None) };
        let is_indexed = session.tagged.entries().any(|(kind, of, _)| kind == Kind::Cache && of == entry);
        let found = match replication_group::describe(session, &cache_of(session, entry)).await {
            // Of one that is gone, and was not declared, IAM knows no right.
            Err(failure) if failure.class == Class::Denied && !is_indexed => None,
            found => found?,
        };
        Ok(found.map(|found| format!("the cache `{}`, which uses it", found.text("ReplicationGroupId"))))
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let mut owned = Vec::new();
        for name in session.indexed(Kind::CacheSubnets)? {
            // Nobody may ask for the tags of what is gone, and the index is behind.
            let tags = tags_of(session, &arn(session, &name)).await;
            owned.extend(session.owned(Kind::CacheSubnets, &name, tags)?);
        }
        Ok(owned)
    }
}

/// Returns settings for a call, with the ids of subnets in place of what stands for them.
async fn with_subnets(session: &Session, settings: &Settings) -> Result<Settings, Failure> {
    Ok(Settings { subnets: ec2::with_set(session, &settings.subnets).await?, ..settings.clone() })
}

/// Returns a call with all that a group has but its tags.
fn whole(action: &'static str, name: &str, settings: &Settings) -> Call {
    Call::new(action)
        .with("CacheSubnetGroupName", name)
        .with("CacheSubnetGroupDescription", &settings.description)
        .list("SubnetIds.SubnetIdentifier", &settings.subnets)
}
