//! Topics of Kafka that a function of the stack makes: those of clusters that exist and in which AWS makes none. They are in no plan, since
//! whether such a topic is there, nothing outside the VPC tells.

use declaration::Declaration;
use kinds::kafka::Seen;

use crate::Existing;

/// A topic, and the function that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Making<'declared> {
    /// Entry of the function.
    pub function: &'declared str,
    /// Topic as it is declared, `CLUSTER/TOPIC`.
    pub topic: &'declared str,
    /// Declared number of brokers that have each partition; `None` in a serverless cluster, which decides that itself.
    pub replication: Option<u32>,
}

/// Returns the topics that functions have to make, by function. A cluster that was not read has none: why, a precondition tells.
pub fn makings<'declared>(declaration: &'declared Declaration, existing: &Existing) -> Vec<Making<'declared>> {
    let functions = declaration.functions.iter();
    let created = functions.flat_map(|(entry, function)| function.creates.iter().map(move |topic| (entry, topic)));
    let making = |(function, topic): (&'declared String, &'declared String)| {
        let (cluster, name) = topic.split_once('/')?;
        let cluster = declaration.clusters.get(cluster)?;
        let seen = without_topics(existing, cluster.existing()?)?;
        let declared = cluster.topics.get(name)?;
        let replication = seen.version.is_some().then_some(declared.replication);
        Some(Making { function, topic, replication })
    };
    created.filter_map(making).collect()
}

/// Returns a cluster in which AWS makes no topics, if it is one.
fn without_topics<'read>(existing: &'read Existing, arn: &str) -> Option<&'read Seen> {
    let seen = existing.cluster(arn)?.as_ref().ok()?.as_ref()?;
    (!seen.has_topics()).then_some(seen)
}
