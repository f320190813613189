//! The questions of `provision backfill` to a deployed function that stores outputs of jobs, and its answers: which jobs are complete at
//! the platform, and which of them have no output in the bucket. The function asks the platform and S3 with its own rights and from its own
//! network; it stores nothing.
//!
//! Only whoever may invoke the function through Lambda's own API can ask: a queue wraps whatever a sender wrote into events of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::job::JobId;

/// The largest number of jobs in one answer to [`Question::List`]: some 2 MB, of the 6 MB that Lambda takes.
pub const LARGEST_LIST: usize = 10_000;
/// The largest number of jobs in one [`Question::Look`]: each takes two requests to S3.
pub const LARGEST_LOOK: usize = 200;

/// An event that asks: `{"provision": {"backfill": "list"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Question in an event that is for this function.
    pub provision: Question,
}

/// A question to the function of a webhook's jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "backfill", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// Which jobs are complete and have an output? The answer is a [`List`].
    List {
        /// Time of the first upload, RFC 3339; `None` lists all. A job whose time is unknown is listed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<String>,
        /// The last job of the answer before; `None` asks for the first ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<JobId>,
    },
    /// Asks for the state of these jobs in the bucket, at most [`LARGEST_LOOK`] of them. The answer is a [`Look`].
    Look {
        /// The jobs, as they were listed.
        jobs: Vec<ListedJob>,
    },
}

/// A complete job of a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedJob {
    /// Id of the job.
    pub id: JobId,
    /// File name of its output; `None` if the list does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Time of its upload, as the platform writes it; `None` if the list does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded: Option<String>,
    /// Time at which its output expires, as the platform writes it; `None` if the list does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// The complete jobs of a platform, or a part of them, by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Complete jobs by their ids.
    pub jobs: Vec<ListedJob>,
    /// Number of all jobs at the platform, in whatever state.
    pub known: usize,
    /// Number of jobs that the function does not take, since their ids are none that it could put into a key.
    #[serde(default)]
    pub strange: usize,
    /// `true` if there are more after the last one.
    #[serde(default)]
    pub more: bool,
}

/// The states of some jobs in the bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// State of each job, by its id.
    pub found: BTreeMap<JobId, Found>,
}

/// The state of a job in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Found {
    /// Its output is stored.
    Stored {
        /// Key of the object.
        key: String,
    },
    /// It has no output yet.
    Missing {
        /// Mark of the record that there is none, which changes with every record; `None` if there is no record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<String>,
    },
    /// Something that keeps its output from being stored.
    Blocked {
        /// The reason, for people.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_is_nothing_that_a_queue_can_hand_over() {
        let event = Event { provision: Question::List { since: None, after: None } };
        assert_eq!(serde_json::to_value(&event).unwrap(), json!({"provision": {"backfill": "list"}}));
        for other in [
            json!({"Records": []}),
            json!({"provision": "probe"}),
            json!({"provision": {"backfill": "list"}, "Records": []}),
            json!({"provision": {"backfill": "delete"}}),
            json!({"provision": {"backfill": "list", "key": "x"}}),
            json!({"provision": {"backfill": "look", "jobs": [{"id": "../a"}]}}),
        ] {
            assert!(serde_json::from_value::<Event>(other.clone()).is_err(), "{other}");
        }
    }

    #[test]
    fn questions_and_answers_are_read_as_they_were_written() {
        let id = JobId::read("a-1").unwrap();
        let job = ListedJob { id: id.clone(), file: Some("a.csv".to_owned()), uploaded: None, expires: None };
        let question = Question::Look { jobs: vec![job] };
        let text = serde_json::to_string(&Event { provision: question.clone() }).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap().provision, question);
        let look = Look { found: BTreeMap::from([(id, Found::Missing { record: None })]) };
        let text = serde_json::to_string(&look).unwrap();
        assert_eq!(text, r#"{"found":{"a-1":{"state":"missing"}}}"#);
        assert_eq!(serde_json::from_str::<Look>(&text).unwrap(), look);
    }
}
