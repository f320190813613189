//! `topics`: messages to many subscribers.

use std::collections::BTreeMap;

use super::{
    diagnostic::Diagnostic,
    protection::{KMS_KEY, PROTECT, protect},
    reader::Reader,
    scalars,
    shape::{Field, Holds, Kind, Shape},
    tags::{TAGS, tags},
    tree::{Key, Node, Value},
};

/// A topic of messages, with its subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Topic {
    /// Display name of the sender of its mails; may be empty.
    pub display_name: String,
    /// Subscriptions of the stack; those of others are left alone.
    pub subscriptions: Vec<Subscription>,
    /// ARN of the KMS key that encrypts it; `None` is that of the stack.
    pub kms_key: Option<String>,
    /// `true` to delete or replace it only by name, `false` to protect it no longer; `None` leaves that to the kind.
    pub protect: Option<bool>,
    /// Tags of the topic; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// A subscriber of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subscription {
    /// A mail address; its owner has to confirm.
    Mail(String),
    /// A queue of messages.
    Queue {
        /// Entry name of the queue.
        queue: String,
        /// `true` to deliver the message alone, without SNS's envelope.
        raw: bool,
    },
    /// A function is invoked with each message.
    Function {
        /// Entry name of the function.
        function: String,
        /// Entry name of the queue for messages that Lambda does not take; `None` drops them.
        redrive: Option<String>,
    },
}

pub(super) static SHAPE: Shape = Shape {
    name: "topic",
    keys: &[
        Field::new(
            "display_name",
            Holds::Text(scalars::DISPLAY_NAME),
            "Sender name of the mails that the topic sends.",
        )
        .or(""),
        Field::new(
            "subscriptions",
            Holds::List(&Holds::AnyOf(&[
                Holds::Text(scalars::ADDRESS),
                Holds::Mapping(&TO_QUEUE),
                Holds::Mapping(&TO_FUNCTION),
            ])),
            "Subscribers: mail addresses, queues and functions. Subscriptions of others are left alone.",
        ),
        KMS_KEY,
        PROTECT,
        TAGS,
    ],
};

static TO_QUEUE: Shape = Shape {
    name: "subscription_of_queue",
    keys: &[
        Field::new("queue", Holds::Reference(Kind::Queue), "The subscribed queue.").required("events"),
        Field::new("raw", Holds::Switch, "Deliver the message alone, without SNS's envelope.").or("false"),
    ],
};

static TO_FUNCTION: Shape = Shape {
    name: "subscription_of_function",
    keys: &[
        Field::new("function", Holds::Reference(Kind::Function), "The subscribed function.").required("worker"),
        Field::new(
            "redrive",
            Holds::Reference(Kind::Queue),
            "Queue for messages that Lambda does not take after all of SNS's attempts. What the function fails on goes to its `on_failure`.",
        ),
    ],
};

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Topic {
    let fields = &reader.fields(node, &key.span, format!("topic `{}`", key.name), &SHAPE);
    let mut subscriptions = Vec::new();
    for item in reader.items(fields, "subscriptions", "noc@example.com") {
        let Some(subscription) = subscription(reader, item) else { continue };
        if subscriptions.iter().any(|other| is_same(other, &subscription)) {
            reader.report(Diagnostic::new(item.span.clone(), "this subscription is there twice"));
        }
        subscriptions.push(subscription);
    }
    Topic {
        display_name: reader.text(fields, "display_name", scalars::display_name).unwrap_or_default(),
        subscriptions,
        kms_key: reader.text(fields, "kms_key", scalars::kms_key),
        protect: protect(reader, fields),
        tags: tags(reader, fields),
    }
}

fn is_same(one: &Subscription, other: &Subscription) -> bool {
    match (one, other) {
        (Subscription::Queue { queue: one, .. }, Subscription::Queue { queue: other, .. })
        | (Subscription::Function { function: one, .. }, Subscription::Function { function: other, .. }) => {
            one == other
        }
        _ => one == other,
    }
}

fn subscription(reader: &mut Reader, node: &Node) -> Option<Subscription> {
    if !matches!(node.value, Value::Map(_)) {
        let expected = "a mail address, `{queue: NAME}` or `{function: NAME}`";
        return reader.scalar(node, "subscriptions", expected, scalars::address).map(Subscription::Mail);
    }
    let fields = &reader.variant(node, "subscription", &[&TO_QUEUE, &TO_FUNCTION], &[])?;
    if fields.get("queue").is_some() {
        let raw = reader.switch(fields, "raw").unwrap_or_default();
        return Some(Subscription::Queue { queue: reader.reference(fields, "queue")?, raw });
    }
    let redrive = reader.reference(fields, "redrive");
    Some(Subscription::Function { function: reader.reference(fields, "function")?, redrive })
}
