//! Places that AWS chose and a context tells: brokers of clusters, hosts and secrets of databases, hosts of caches. In settings something stands for
//! them, since whoever uses them is declared before they are made.

use crate::{Session, elasticache, kafka, rds};
use engine::Failure;

/// Returns a context for a call: with the places in place of what stands for them.
pub(crate) async fn with(session: &Session, context: &str) -> Result<String, Failure> {
    let with_stores = rds::with_databases(session, &kafka::with_brokers(session, context).await?).await?;
    elasticache::with_caches(session, &with_stores).await
}

/// Returns a context that was read, with what stands for the places of the stack.
pub(crate) async fn without(session: &Session, context: &str) -> Result<String, Failure> {
    let without = rds::without_databases(session, &kafka::without_brokers(session, context).await?).await?;
    elasticache::without_caches(session, &without).await
}
