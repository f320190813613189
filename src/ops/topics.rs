//! Topics of Kafka that functions of the stack make: after everything else is there, each such function is asked for its topics.

use std::time::Duration;

use super::{account::Opened, compare::Compared, invocation, sent::unanswered};
use kafka::{
    Ensured,
    asked::{Answer, Ensure, Event, Question},
};
use kinds::Kind;
use problem::Problem;
use stack::{Making, makings};
use tokio::time::Instant;

/// Longest time for which a new right of a function is waited for: AWS says "up to a minute".
const PATIENCE: Duration = Duration::from_mins(2);

/// A topic as a function has found or made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic {
    /// Topic as it is declared, `CLUSTER/TOPIC`.
    pub(crate) key: String,
    /// Entry of the function.
    pub(crate) function: String,
    /// State of the topic, and the change that the function made.
    pub(crate) there: Ensured,
}

/// Lets functions make the topics that AWS does not make, one after the other. A topic is never deleted, and none loses a partition; one
/// with fewer replicas than are declared is an error, since nobody can change that.
pub(crate) async fn ensure(opened: &Opened, compared: &Compared) -> Vec<Result<Topic, Problem>> {
    let mut topics = Vec::new();
    for making in makings(&opened.declaration, &compared.existing) {
        topics.push(one(opened, compared, making).await);
    }
    topics
}

async fn one(opened: &Opened, compared: &Compared, making: Making<'_>) -> Result<Topic, Problem> {
    let Making { function, topic, replication } = making;
    let name = compared.names(opened).name(Kind::Function, function);
    let timeout = opened.declaration.functions.get(function).map(|declared| declared.timeout).unwrap_or_default();
    let question = Ensure { topic: topic.to_owned(), leaves_replication: replication.is_none() };
    let event = Event { provision: Question::Ensure(question) };
    let pacing = opened.session.aws.pacing;
    let end = Instant::now() + pacing.deadline.min(PATIENCE);
    let there = loop {
        let answer = invocation::ask(&opened.session, (&name, timeout), &event).await;
        match answer.map_err(|reason| unanswered(function, reason))? {
            Answer::Ensured(there) => break there,
            Answer::Denied(_) if Instant::now() + pacing.poll < end => tokio::time::sleep(pacing.poll).await,
            Answer::Denied(reason) => {
                let hint = "a new right works within some minutes: run it again; else look whether a policy of others denies it";
                return Err(Problem::new(format!("Failed to make the topic `{topic}`"))
                    .with_hint(hint)
                    .with_source(reason));
            }
        }
    };
    if let Some(declared) = replication.filter(|declared| there.replication < *declared) {
        let message = format!(
            "Failed to make the topic `{topic}` as it is declared: {} of its brokers have each partition, not {declared}",
            there.replication
        );
        let hint = format!("nobody can change that: declare `replication: {}`, or another topic", there.replication);
        return Err(Problem::new(message).with_hint(hint));
    }
    Ok(Topic { key: topic.to_owned(), function: function.to_owned(), there })
}
