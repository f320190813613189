//! Renders topics of Kafka that functions have found or made.

use super::look::clean;
use crate::ops::topics::Topic;
use kafka::{Change, Ensured};

/// Renders a topic: `topic log/lines: made by function access, with 2 partitions on 3 brokers each`.
pub(crate) fn line(topic: &Topic) -> String {
    let Topic { key, function, there: Ensured { change, partitions, replication } } = topic;
    let place = format!("{partitions} partitions on {replication} brokers each");
    clean(&match change {
        Change::Nothing => format!("topic {key}: there, as function {function} says, with {place}"),
        Change::Created => format!("topic {key}: made by function {function}, with {place}"),
        Change::Extended(former) => {
            format!("topic {key}: extended by function {function} from {former} partitions, and has {place}")
        }
    })
}
