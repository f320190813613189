//! `queues`: messages that wait, and failed events. Always encrypted, with SQS's own keys.

use std::{collections::BTreeMap, time::Duration};

use super::{
    protection::{KMS_KEY, PROTECT, protect},
    reader::Reader,
    scalars,
    shape::{Field, Holds, Kind, Shape},
    tags::{TAGS, tags},
    tree::{Key, Node},
};

/// A queue of messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queue {
    /// Retention of a message.
    pub retention: Duration,
    /// Time for which a received message is hidden from other consumers.
    pub visibility_timeout: Duration,
    /// Dead-letter queue for messages that were received too often.
    pub redrive: Option<Redrive>,
    /// ARN of the KMS key that encrypts it; `None` is that of the stack.
    pub kms_key: Option<String>,
    /// `true` to delete or replace it only by name, `false` to protect it no longer; `None` leaves that to the kind.
    pub protect: Option<bool>,
    /// Tags of the queue; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// Dead-letter queue for messages that were received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// Entry name of the dead-letter queue.
    pub queue: String,
    /// Number of receipts before a message moves: `maxReceiveCount` of SQS.
    pub after: u16,
}

/// Bounds of SQS for `MessageRetentionPeriod`.
const RETENTION: Holds = Holds::Duration(Duration::from_mins(1), Duration::from_hours(14 * 24));
/// Bounds of SQS for `VisibilityTimeout`.
const VISIBILITY: Holds = Holds::Duration(Duration::ZERO, LONGEST_VISIBILITY);
/// The longest `VisibilityTimeout` of SQS.
pub(super) const LONGEST_VISIBILITY: Duration = Duration::from_hours(12);

pub(super) static SHAPE: Shape = Shape {
    name: "queue",
    keys: &[
        Field::new("retention", RETENTION, "Retention of a message.").or("14d"),
        Field::new(
            "visibility_timeout",
            VISIBILITY,
            "Time for which a received message is hidden from other consumers.",
        )
        .or("30s"),
        Field::new("redrive", Holds::Mapping(&REDRIVE), "Dead-letter queue for messages that were received too often."),
        KMS_KEY,
        PROTECT,
        TAGS,
    ],
};

static REDRIVE: Shape = Shape {
    name: "redrive",
    keys: &[
        Field::new("queue", Holds::Reference(Kind::Queue), "The dead-letter queue.").required("dead-letters"),
        Field::new("after", Holds::Number(1, 1000), "Number of receipts after which a message moves there.").or("3"),
    ],
};

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Queue {
    let fields = &reader.fields(node, &key.span, format!("queue `{}`", key.name), &SHAPE);
    let redrive = reader.mapping(fields, "redrive").and_then(|redrive| {
        let after = reader.number(&redrive, "after").unwrap_or_default();
        let queue = reader.reference(&redrive, "queue")?;
        if queue == key.name {
            reader.diagnose(
                &redrive.span_of("queue"),
                format!("queue `{queue}` redrives to itself"),
                "name another queue",
            );
        }
        Some(Redrive { queue, after })
    });
    Queue {
        retention: reader.duration(fields, "retention").unwrap_or_default(),
        visibility_timeout: reader.duration(fields, "visibility_timeout").unwrap_or_default(),
        redrive,
        kms_key: reader.text(fields, "kms_key", scalars::kms_key),
        protect: protect(reader, fields),
        tags: tags(reader, fields),
    }
}
