//! The questions to the function of a stack through which Kafka is reached, and its answers. It does what its declaration names alone:
//! the topics that it `creates` and those that it `follows`.
//!
//! Only whoever may invoke the function through Lambda's own API can ask: no service makes an event of this form of what a sender wrote.

use serde::{Deserialize, Serialize};

use crate::{Ensured, Selection, Start};

/// Largest size of the entries of an answer as JSON, in bytes: Lambda takes 6 MB, the rest of the answer included.
pub const LARGEST_ANSWER: usize = 5_000_000;
/// Longest time for which the function waits at the end of a topic, in milliseconds.
pub const LONGEST_WAIT_MS: u64 = 20_000;

/// An event that asks: `{"provision": {"ensure": {"topic": "events/messages"}}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Question in an event that is for this function.
    pub provision: Question,
}

/// A question. Topics are named as they are declared, `CLUSTER/TOPIC`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Make a topic that is not there, and add the partitions that one lacks. The answer is an [`Answer`].
    Ensure(Ensure),
    /// Read messages of a topic. The answer is a [`crate::Page`].
    Read(Read),
}

/// The answer to [`Question::Ensure`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The topic is there.
    Ensured(Ensured),
    /// The function's role may not make it or look at it, yet: new rights work within a minute.
    Denied(String),
}

/// A topic that is to be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ensure {
    /// The topic. How large it is to be, the function's declaration says.
    pub topic: String,
    /// `true` in a cluster that decides by itself how many brokers have each partition, as serverless ones do.
    #[serde(default)]
    pub leaves_replication: bool,
}

/// A part of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Topic as it is declared, `CLUSTER/TOPIC`.
    pub topic: String,
    /// Place at which reading begins.
    pub start: Start,
    /// Messages that are chosen.
    #[serde(default)]
    pub selection: Selection,
    /// Time for which the function waits for a first one at the end of the topic, in milliseconds, at most [`LONGEST_WAIT_MS`].
    #[serde(default)]
    pub wait_ms: u64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn questions_are_read_as_they_were_written_and_nothing_else_is_one() {
        let selection = Selection {
            recipients: vec!["@example.org".to_owned()],
            kinds: vec![events::Kind::Bounce, events::Kind::RenderingFailure],
            mails: ["0107-1".to_owned()].into(),
        };
        let topic = "events/messages".to_owned();
        let at = Start::At([(0, 7), (11, 0)].into());
        for question in [
            Question::Ensure(Ensure { topic: topic.clone(), leaves_replication: false }),
            Question::Ensure(Ensure { topic: topic.clone(), leaves_replication: true }),
            Question::Read(Read { topic: topic.clone(), start: at, selection, wait_ms: 5000 }),
            Question::Read(Read { topic, start: Start::Now, selection: Selection::default(), wait_ms: 0 }),
        ] {
            let text = serde_json::to_string(&Event { provision: question.clone() }).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap().provision, question, "{text}");
        }
        for other in [
            json!({"Records": []}),
            json!({"provision": "probe"}),
            json!({"provision": {"delete": {"topic": "events/messages"}}}),
            json!({"provision": {"ensure": {"topic": "events/messages"}}, "Records": []}),
            json!({"provision": {"ensure": {"topic": "events/messages", "partitions": 1}}}),
            json!({"provision": {"ensure": {"topic": "events/messages", "replication": 1}}}),
        ] {
            assert!(serde_json::from_value::<Event>(other.clone()).is_err(), "{other}");
        }
    }
}
