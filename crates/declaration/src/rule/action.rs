//! The actions of a receipt rule.

use crate::{
    diagnostic::Diagnostic,
    reader::{Fields, Reader, Wrong, word},
    scalars,
    shape::{Field, Holds, Kind, Shape, Word, words},
    tree::{Node, Value},
};

/// An action of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Puts the mail into a bucket, under prefix + SES message id.
    Store {
        /// Entry name of the bucket.
        bucket: String,
        /// Prefix of the keys: empty, or ends with `/`.
        prefix: String,
        /// Topic that SES notifies, by its entry name; `None` for none.
        topic: Option<String>,
    },
    /// Invokes a function with the event.
    Invoke {
        /// Entry name of the function.
        function: String,
        /// `Event` is asynchronous; `RequestResponse` waits for the answer.
        invocation: Invocation,
        /// Topic that SES notifies, by its entry name; `None` for none.
        topic: Option<String>,
    },
    /// Publishes the mail to a topic. SES publishes at most 150 KB.
    Publish {
        /// Entry name of the topic.
        topic: String,
        /// Encoding of the mail in the message.
        encoding: Encoding,
    },
    /// Refuses the mail with an answer to its sender.
    Bounce(Bounce),
    /// Adds a header to the mail that the actions after this one see.
    AddHeader {
        /// Name of the header: letters, digits and hyphens.
        name: String,
        /// Value of the header, in one line.
        value: String,
    },
    /// Ends the evaluation of this and all further rules.
    Stop,
}

/// The ways of invoking a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Invocation {
    /// SES does not wait; Lambda retries.
    #[default]
    Event,
    /// SES waits for a disposition.
    RequestResponse,
}

/// The encodings of a mail in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// As text: bytes that are not UTF-8 may be lost.
    #[default]
    Utf8,
    /// As Base64: every byte is kept.
    Base64,
}

/// The answer to the sender of a mail that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// SMTP code, such as `550`.
    pub smtp_code: String,
    /// Enhanced status code, such as `5.1.1`; `None` for none.
    pub status_code: Option<String>,
    /// Text of the answer, for people.
    pub message: String,
    /// Sender of the rejection: an address of a verified identity.
    pub sender: String,
    /// Topic that SES notifies, by its entry name; `None` for none.
    pub topic: Option<String>,
}

impl Word for Invocation {
    const WORDS: &'static [(&'static str, Self)] =
        &[("Event", Self::Event), ("RequestResponse", Self::RequestResponse)];
}

impl Word for Encoding {
    const WORDS: &'static [(&'static str, Self)] = &[("UTF-8", Self::Utf8), ("Base64", Self::Base64)];
}

/// The word of the one action without parameters.
#[derive(Debug, Clone, Copy)]
struct StopWord;

impl Word for StopWord {
    const WORDS: &'static [(&'static str, Self)] = &[("stop", Self)];
}

/// SES's quota of actions in a rule.
const MOST_ACTIONS: usize = 10;

/// Forms of an action in a declaration.
pub(super) static HOLDS: Holds = Holds::AnyOf(&[
    Holds::Mapping(&STORE),
    Holds::Mapping(&INVOKE),
    Holds::Mapping(&PUBLISH),
    Holds::Mapping(&BOUNCE),
    Holds::Mapping(&ADD_HEADER),
    Holds::Word(words::<StopWord>),
]);

const TOPIC: Field = Field::new("topic", Holds::Reference(Kind::Topic), "Topic that SES notifies of the action.");

static STORE: Shape = Shape {
    name: "store",
    keys: &[
        Field::new("store", Holds::Reference(Kind::Bucket), "Stores the mail in a bucket.").required("mail"),
        Field::new("prefix", Holds::Text(scalars::PREFIX), "Prefix of the object's key. The SES message id follows.")
            .or(""),
        TOPIC,
    ],
};

static INVOKE: Shape = Shape {
    name: "invoke",
    keys: &[
        Field::new("invoke", Holds::Reference(Kind::Function), "Invokes a function.").required("maintenance"),
        Field::new(
            "invocation",
            Holds::Word(words::<Invocation>),
            "`Event` is asynchronous; `RequestResponse` waits for the answer.",
        )
        .or("Event"),
        TOPIC,
    ],
};

static PUBLISH: Shape = Shape {
    name: "publish",
    keys: &[
        Field::new(
            "publish",
            Holds::Reference(Kind::Topic),
            "Publishes the mail to a topic. SES publishes at most 150 KB.",
        )
        .required("mails"),
        Field::new("encoding", Holds::Word(words::<Encoding>), "Encoding of the mail in the message.").or("UTF-8"),
    ],
};

static BOUNCE: Shape = Shape {
    name: "bounce",
    keys: &[
        Field::new("bounce", Holds::Text(scalars::LINE), "Rejects the mail with this text.")
            .required("Mailbox does not exist"),
        Field::new("smtp_code", Holds::Text(scalars::SMTP_CODE), "SMTP code of the rejection.").or("550"),
        Field::new("status_code", Holds::Text(scalars::STATUS_CODE), "Enhanced status code of the rejection."),
        Field::new(
            "sender",
            Holds::Text(scalars::ADDRESS),
            "Sender of the rejection: an address of a verified identity.",
        )
        .required("postmaster@example.com"),
        TOPIC,
    ],
};

static ADD_HEADER: Shape = Shape {
    name: "add_header",
    keys: &[
        Field::new("add_header", Holds::Text(scalars::HEADER), "Adds a header. Later actions see it.")
            .required("X-Pipeline"),
        Field::new("value", Holds::Text(scalars::HEADER_VALUE), "Value of the header.").required("maintenance"),
    ],
};

/// Reads the actions of a rule, in order.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Action> {
    let Some(node) = fields.get("actions") else { return Vec::new() };
    let items = reader.list(node, "actions", "{store: mail, prefix: inbound/}");
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        let message = format!("{} has no action", fields.subject);
        reader.diagnose(&node.span, message, "add one, such as `{store: mail}`");
    }
    if let Some(item) = items.get(MOST_ACTIONS) {
        let message = format!("SES takes at most {MOST_ACTIONS} actions in a rule");
        reader.report(Diagnostic::new(item.span.clone(), message));
    }
    let last = items.len().saturating_sub(1);
    let mut actions = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(action) = action(reader, item) else { continue };
        if action == Action::Stop && index != last {
            let message = "`stop` must be the last action: nothing after it is done";
            reader.report(Diagnostic::new(item.span.clone(), message));
        }
        if matches!(action, Action::AddHeader { .. }) && index == last {
            let message = "`add_header` cannot be the last action: only those after it see the header";
            reader.diagnose(&item.span, message, "put it before the action that needs it");
        }
        actions.push(action);
    }
    actions
}

/// Reads one action. Its first key names it.
fn action(reader: &mut Reader, node: &Node) -> Option<Action> {
    const SHAPES: &[&Shape] = &[&STORE, &INVOKE, &PUBLISH, &BOUNCE, &ADD_HEADER];
    const FORMS: &str = "`stop`, or a mapping with `store`, `invoke`, `publish`, `bounce` or `add_header`";
    if !matches!(&node.value, Value::Map(_)) {
        let stop = reader.scalar(node, "actions", FORMS, |text| word::<StopWord>(text).ok_or_else(Wrong::default));
        return stop.map(|StopWord| Action::Stop);
    }
    let fields = &reader.variant(node, "action", SHAPES, &["stop"])?;
    let topic = reader.reference(fields, "topic");
    match fields.name() {
        "store" => {
            let prefix = reader.text(fields, "prefix", scalars::prefix).unwrap_or_default();
            Some(Action::Store { bucket: reader.reference(fields, "store")?, prefix, topic })
        }
        "invoke" => {
            let invocation = reader.word(fields, "invocation").unwrap_or_default();
            Some(Action::Invoke { function: reader.reference(fields, "invoke")?, invocation, topic })
        }
        "publish" => {
            let encoding = reader.word(fields, "encoding").unwrap_or_default();
            Some(Action::Publish { topic: reader.reference(fields, "publish")?, encoding })
        }
        "bounce" => Some(Action::Bounce(bounce(reader, fields, topic))),
        _ => {
            let value = reader.text(fields, "value", scalars::header_value).unwrap_or_default();
            Some(Action::AddHeader { name: reader.text(fields, "add_header", scalars::header)?, value })
        }
    }
}

/// Reads a bounce. Its two codes say by their first digit whether the sender is to try again (RFC 3463, section 2).
fn bounce(reader: &mut Reader, fields: &Fields<'_>, topic: Option<String>) -> Bounce {
    let bounce = Bounce {
        smtp_code: reader.text(fields, "smtp_code", scalars::smtp_code).unwrap_or_default(),
        status_code: reader.text(fields, "status_code", scalars::status_code),
        message: reader.text(fields, "bounce", scalars::line).unwrap_or_default(),
        sender: reader.text(fields, "sender", scalars::address).unwrap_or_default(),
        topic,
    };
    let class = |code: &str| code.chars().next();
    let contradicts = |status: &&String| !bounce.smtp_code.is_empty() && class(status) != class(&bounce.smtp_code);
    if let Some(status) = bounce.status_code.as_ref().filter(contradicts) {
        let span = fields.get("status_code").map(|node| node.span.clone()).unwrap_or_default();
        let message = format!("`{status}` contradicts the SMTP code `{}`", bounce.smtp_code);
        reader.diagnose(
            &span,
            message,
            "4 asks the sender to try again, 5 refuses for good: begin both with the same digit",
        );
    }
    bounce
}
