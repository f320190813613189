//! Topics in clusters of Kafka, by MSK's own interface: nobody needs a way to the brokers for it.
//!
//! A topic has no tags, and nothing tells who made it: so one that is there is used if it fits, and none is ever deleted. AWS's answers
//! about topics are late by up to a minute.

use serde::Serialize;
use serde_json::{Value, json};

use super::{arn_of, path};
use crate::{
    Kind, Manage, Session,
    documents::{number, text},
    identity::{Identity, Naming},
    rights::{Right, Target, reads, writes},
};
use aws::json::Call;
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Owner, Protection, plain};

/// Topics of Kafka, each within its cluster: that one's ARN, or the name of the stack's.
#[derive(Debug)]
pub struct Topic;

/// The managed settings of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Number of its partitions: Kafka can add some, and take none away.
    pub partitions: u32,
    /// Number of brokers that have each partition.
    pub replication: u32,
}

const CREATE: &str = "kafka.CreateTopic";
const UPDATE: &str = "kafka.UpdateTopic";
/// Why more of it than is declared stays.
const NEVER_LESS: &str = "Kafka takes no partition of a topic away";
/// Why more brokers than are declared keep a partition.
const AS_MADE: &str = "a topic keeps the replication that it was made with";

async fn describe(session: &Session, address: &Address) -> Result<Option<Value>, Failure> {
    let Some(arn) = arn_of(session, address.container()).await? else { return Ok(None) };
    let call = Call::get("DescribeTopic", &path(&arn, &["topics", &address.name]));
    let topic = session.aws.read.kafka.find(call).await?;
    Ok(topic.filter(|topic| text(topic, &["status"]) != Some("DELETING")))
}

async fn cluster(session: &Session, address: &Address) -> Result<String, Failure> {
    let missing = || {
        let words = format!("cluster `{}` is not there", address.container());
        Failure::found(CREATE, Class::NotYet, words)
    };
    arn_of(session, address.container()).await?.ok_or_else(missing)
}

/// Returns `true` if the cluster of a topic is still being made.
async fn is_being_made(session: &Session, address: &Address) -> Result<bool, Failure> {
    let Some(arn) = arn_of(session, address.container()).await? else { return Ok(false) };
    let cluster = super::describe(session, &arn).await?;
    Ok(cluster.is_some_and(|cluster| text(&cluster, &["state"]) == Some("CREATING")))
}

/// Waits until AWS tells that a topic has what was written: its answers are late.
async fn settle(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
    let end = tokio::time::Instant::now() + session.aws.pacing.deadline;
    loop {
        let there = describe(session, address).await?;
        let is_active =
            there.as_ref().is_some_and(|topic| text(topic, &["status"]).is_none_or(|status| status == "ACTIVE"));
        if is_active && there.as_ref().and_then(settings).as_ref() == Some(desired) {
            return Ok(());
        }
        if tokio::time::Instant::now() >= end {
            let words = format!("the topic `{}` is not seen as it was written; run it again", address.name);
            return Err(Failure::found(CREATE, Class::InProgress, words));
        }
        tokio::time::sleep(session.aws.pacing.poll).await;
    }
}

fn settings(topic: &Value) -> Option<Settings> {
    Some(Settings {
        partitions: number(topic, &["partitionCount"])?,
        replication: number(topic, &["replicationFactor"])?,
    })
}

/// The identity of this kind. The name is what is declared: others know it, too.
pub const IDENTITY: Identity =
    Identity { naming: Naming::Part(""), ..Identity::implied("kafka topic", "KafkaTopics", 249) };

impl Manage for Topic {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[plain("partitions"), plain("replication")];

    // It holds data, and is never deleted.
    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Cluster];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Kafka, &["kafka-cluster:Connect", "kafka-cluster:DescribeTopic", "kafka:DescribeTopic"]),
        reads(Target::Kafka, &["kafka-cluster:DescribeTopicDynamicConfiguration"]),
        writes(
            Target::Kafka,
            &["kafka-cluster:AlterTopic", "kafka-cluster:CreateTopic", "kafka:CreateTopic", "kafka:UpdateTopic"],
        ),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        Settings { partitions: 1, replication: 3 }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let described = match describe(session, address).await {
            // AWS refuses to tell of topics while it makes the cluster: there are none yet.
            Err(failure) if failure.class == Class::InProgress && is_being_made(session, address).await? => None,
            described => described?,
        };
        let Some(topic) = described else { return Ok(None) };
        let missing = || crate::documents::lacks("kafka.DescribeTopic", "partitionCount and replicationFactor");
        Ok(Some(Live { settings: settings(&topic).ok_or_else(missing)?, owner: Owner::Ours }))
    }

    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        let mut kept = Vec::new();
        for (path, wanted, there, why) in [
            ("partitions", &mut desired.partitions, live.partitions, NEVER_LESS),
            ("replication", &mut desired.replication, live.replication, AS_MADE),
        ] {
            if there > *wanted {
                *wanted = there;
                kept.push(Protection::new(path, there.to_string(), why));
            }
        }
        kept
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let arn = cluster(session, address).await?;
        let document = json!({
            "topicName": address.name,
            "partitionCount": desired.partitions,
            "replicationFactor": desired.replication,
        });
        match session.aws.write.kafka.call(Call::post("CreateTopic", &path(&arn, &["topics"]), document)).await {
            // It is not seen yet.
            Err(failure) if failure.class != Class::Exists => return Err(failure),
            _ => {}
        }
        settle(session, address, desired).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        if desired.replication != live.replication {
            let words = format!(
                "not changed: each partition of `{}` is on {} brokers, and nobody can change that; declare `replication: {}`, or another topic",
                address.name, live.replication, live.replication
            );
            return Err(Failure::found(UPDATE, Class::Invalid, words));
        }
        let arn = cluster(session, address).await?;
        let document = json!({"partitionCount": desired.partitions});
        session
            .aws
            .write
            .kafka
            .call(Call::put("UpdateTopic", &path(&arn, &["topics", &address.name]), document))
            .await?;
        settle(session, address, desired).await
    }

    /// Deletes nothing: the messages of others may be in it.
    async fn delete(_: &Session, address: &Address) -> Result<(), Failure> {
        let words = format!("not deleted: the topic `{}` may have messages of others", address.name);
        Err(Failure::found("kafka.DeleteTopic", Class::Invalid, words))
    }

    /// Lists none: nothing tells whose a topic is.
    async fn list_owned(_: &Session) -> Result<Vec<Owned>, Failure> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_is_declared_stays_and_less_does_not() {
        let topic = |partitions, replication| Settings { partitions, replication };
        for (declared, live, kept, desired) in [
            (topic(1, 3), topic(1, 3), 0, topic(1, 3)),
            (topic(1, 2), topic(6, 3), 2, topic(6, 3)),
            (topic(6, 3), topic(1, 2), 0, topic(6, 3)),
        ] {
            let mut wanted = declared;
            assert_eq!(Topic::keep_protections(&mut wanted, &live).len(), kept);
            assert_eq!(wanted, desired);
        }
    }
}
