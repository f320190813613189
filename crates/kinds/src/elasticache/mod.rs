//! Kinds of `ElastiCache`: caches, and the groups of subnets that they have for themselves.

pub mod replication_group;
pub mod subnet_group;

use contract::context::Context;

use crate::{Kind, Session, stores};
use aws::query::Element;
use engine::{Class, Failure, Tags};

/// Reads the tags of a resource, which most answers do not have.
async fn tags_of(session: &Session, arn: &str) -> Result<Option<Tags>, Failure> {
    stores::tags_of(&session.aws.read.elasticache, arn).await
}

/// Writes the tags of a resource that differ.
async fn write_tags(session: &Session, arn: &str, desired: &Tags, live: &Tags) -> Result<(), Failure> {
    stores::write_tags(&session.aws.write.elasticache, arn, desired, live).await
}

/// Returns the name of the cache of an entry.
fn cache_of(session: &Session, entry: &str) -> String {
    let indexed = session.tagged.entries().find(|(kind, of, _)| *kind == Kind::Cache && *of == entry);
    indexed.map_or_else(
        || replication_group::IDENTITY.name_of(&session.stack, &session.aws.realm.account, entry),
        |(_, _, name)| name.to_owned(),
    )
}

/// Beginning and end of what stands for the host of a cache, around its name: AWS chooses it when it makes one, and the functions that use
/// it are declared before.
const STANDS_FOR_HOST: &str = "(host of the cache ";
const STANDS_FOR_END: &str = ")";

/// Returns what stands for the host of a cache in settings of functions, declared and live ones.
pub fn host_of(cache: &str) -> String {
    format!("{STANDS_FOR_HOST}{cache}{STANDS_FOR_END}")
}

/// Returns the host of a cache that takes writes; empty if it has none yet. It stays the same when another node takes over.
fn primary(found: &Element) -> &str {
    found.list("NodeGroups").first().map_or("", |group| group.text("PrimaryEndpoint/Address"))
}

/// Returns a context for a call: with the hosts of caches in place of what stands for them.
pub(crate) async fn with_caches(session: &Session, context: &str) -> Result<String, Failure> {
    let mut text = context.to_owned();
    while let Some((before, rest)) = text.split_once(STANDS_FOR_HOST) {
        let Some((name, behind)) = rest.split_once(STANDS_FOR_END) else { break };
        let missing = |what: &str| {
            let words = format!("the cache `{name}` {what}");
            Failure::found("elasticache.DescribeReplicationGroups", Class::NotYet, words)
        };
        let found = replication_group::describe(session, name).await?.ok_or_else(|| missing("is not there"))?;
        let host =
            Some(primary(&found)).filter(|host| !host.is_empty()).ok_or_else(|| missing("has no address yet"))?;
        text = format!("{before}{host}{behind}");
    }
    Ok(text)
}

/// Returns a context that was read, with what stands for them in place of the hosts of the stack's caches.
pub(crate) async fn without_caches(session: &Session, context: &str) -> Result<String, Failure> {
    let Ok(mut read) = serde_json::from_str::<Context>(context) else { return Ok(context.to_owned()) };
    if read.caches.is_empty() {
        return Ok(context.to_owned());
    }
    for (entry, cache) in &mut read.caches {
        let name = cache_of(session, entry);
        let found = replication_group::describe(session, &name).await?;
        if found.is_some_and(|found| primary(&found) == cache.host) {
            cache.host = host_of(&name);
        }
    }
    Ok(serde_json::to_string(&read).unwrap_or_else(|_| context.to_owned()))
}
