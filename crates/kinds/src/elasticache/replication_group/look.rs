//! Reads a cache and its nodes, and tells if AWS is at work on them.

use std::time::Duration;

use super::wire;
use crate::Session;
use aws::query::{Call, Element};
use engine::{Class, Failure};

pub(super) const DESCRIBE: &str = "elasticache.DescribeReplicationGroups";
/// Pause between two looks at whether AWS has begun with a change, and their number: it says so after some seconds.
const BEGINS_WITHIN: (Duration, usize) = (Duration::from_secs(2), 15);

/// Returns what AWS tells of a cache; `None` if there is none, or it is on its way out.
pub(crate) async fn describe(session: &Session, name: &str) -> Result<Option<Element>, Failure> {
    let found = describe_any(session, name).await?;
    Ok(found.filter(|found| found.text("Status") != wire::DELETING))
}

pub(super) async fn describe_any(session: &Session, name: &str) -> Result<Option<Element>, Failure> {
    let call = Call::new("DescribeReplicationGroups").with("ReplicationGroupId", name);
    let Some(answer) = session.aws.read.elasticache.find(&call).await? else { return Ok(None) };
    let found = answer.list("DescribeReplicationGroupsResult/ReplicationGroups");
    Ok(found.iter().find(|one| one.text("ReplicationGroupId") == name).cloned())
}

/// Returns the name of a node: the first is 1. Those of one that was replaced are not used again.
pub fn node(cache: &str, number: u32) -> String {
    format!("{cache}-{number:03}")
}

/// Returns what AWS tells of a node, which has what it does not tell of the whole: version, subnets, security groups, parameters.
pub(super) async fn describe_node(session: &Session, name: &str) -> Result<Option<Element>, Failure> {
    let call = Call::new("DescribeCacheClusters").with("CacheClusterId", name).with("ShowCacheNodeInfo", "true");
    let Some(answer) = session.aws.read.elasticache.find(&call).await? else { return Ok(None) };
    let found = answer.list("DescribeCacheClustersResult/CacheClusters");
    Ok(found.iter().find(|one| one.text("CacheClusterId") == name).cloned())
}

/// Returns that AWS is at it, for another attempt.
pub(super) fn at_work(name: &str, status: &str) -> Failure {
    Failure::found(DESCRIBE, Class::InProgress, format!("the cache `{name}` is {status}"))
}

/// Waits until AWS says that it has begun with a change, so that the next look does not find it done.
pub(super) async fn begun(session: &Session, name: &str) -> Result<(), Failure> {
    for _ in 0..BEGINS_WITHIN.1 {
        let Some(found) = describe(session, name).await? else { break };
        if found.text("Status") != wire::AVAILABLE || found.list("PendingModifiedValues").is_empty() {
            break;
        }
        tokio::time::sleep(BEGINS_WITHIN.0).await;
    }
    Err(at_work(name, "modifying"))
}
