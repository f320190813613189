//! `receipt_rules`: which mails are received, and which actions follow, in order.

use std::{collections::BTreeMap, fmt};

use super::{
    Function, checks,
    diagnostic::Diagnostic,
    reader::{Fields, Reader, Wrong, word},
    scalars,
    shape::{Field, Holds, Kind, Shape, Word, words},
    tree::{Node, Value},
};

/// A rule of the receipt rule set: which mails, and what is done with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRule {
    /// Name within the stack.
    pub name: String,
    /// `true` if SES evaluates the rule.
    pub enabled: bool,
    /// Addresses, domains, or sub-domains (`.example.com`); empty takes every mail.
    pub recipients: Vec<Recipient>,
    /// Requirement of TLS for incoming mail.
    pub tls: Tls,
    /// `true` if SES scans for spam and viruses.
    pub scan: bool,
    /// Actions, in the order in which SES takes them.
    pub actions: Vec<Action>,
}

impl ReceiptRule {
    /// Returns the index of the last action that invokes a function; `None` if none does.
    pub fn invokes(&self, entry: &str) -> Option<usize> {
        self.actions.iter().rposition(|action| matches!(action, Action::Invoke { function, .. } if function == entry))
    }

    /// Returns the places where the rule stores a mail before the action of that index: bucket and prefix.
    pub fn stores(&self, before: usize) -> impl Iterator<Item = (&str, &str)> {
        self.actions.iter().take(before).filter_map(|action| match action {
            Action::Store { bucket, prefix, .. } => Some((bucket.as_str(), prefix.as_str())),
            _ => None,
        })
    }
}

/// The recipients that a rule takes mail for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// One address: `maintenance@example.com`. SES ignores the part after `+`.
    Address(String),
    /// Every address of a domain, not of those below it: `example.com`.
    Domain(String),
    /// Every address of every domain below it: `.example.com`; held here without the dot.
    SubDomains(String),
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text) | Self::Domain(text) => formatter.write_str(text),
            Self::SubDomains(parent) => write!(formatter, ".{parent}"),
        }
    }
}

/// The requirement of TLS for incoming mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// SES refuses mail that comes without TLS.
    Require,
    /// SES accepts mail with and without TLS.
    #[default]
    Optional,
}

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

impl Word for Tls {
    const WORDS: &'static [(&'static str, Self)] = &[("require", Self::Require), ("optional", Self::Optional)];
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

/// SES's quota of recipients in a rule.
const MOST_RECIPIENTS: usize = 100;
/// SES's quota of actions in a rule.
const MOST_ACTIONS: usize = 10;
/// SES's quota of rules in a rule set.
const MOST_RULES: usize = 200;

pub(super) static SHAPE: Shape = Shape {
    name: "receipt_rule",
    keys: &[
        Field::new("name", Holds::Text(scalars::NAME), "Name of the rule within the stack.").required("maintenance"),
        Field::new("enabled", Holds::Switch, "Evaluate the rule.").or("true"),
        Field::new(
            "recipients",
            Holds::List(&Holds::Text(scalars::RECIPIENT)),
            "Recipients that the rule matches. Without it, the rule matches every mail.",
        ),
        Field::new("tls", Holds::Word(words::<Tls>), "Accept mail over TLS only, or without TLS too.").or("optional"),
        Field::new("scan", Holds::Switch, "Let SES scan for spam and viruses.").or("true"),
        Field::new(
            "actions",
            Holds::List(&Holds::AnyOf(&[
                Holds::Mapping(&STORE),
                Holds::Mapping(&INVOKE),
                Holds::Mapping(&PUBLISH),
                Holds::Mapping(&BOUNCE),
                Holds::Mapping(&ADD_HEADER),
                Holds::Word(words::<StopWord>),
            ])),
            "Actions on a mail, in this order.",
        )
        .required("[{store: mail}]"),
    ],
};

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

/// Reads all rules, in order.
pub(super) fn read(
    reader: &mut Reader,
    fields: &Fields<'_>,
    functions: &BTreeMap<String, Function>,
) -> Vec<ReceiptRule> {
    let items = reader.items(fields, "receipt_rules", "{name: …, actions: […]}");
    if let Some(item) = items.get(MOST_RULES) {
        let message = format!("SES takes at most {MOST_RULES} rules in a rule set");
        reader.report(Diagnostic::new(item.span.clone(), message));
    }
    let mut rules: Vec<ReceiptRule> = Vec::new();
    for item in items {
        let rule = receipt_rule(reader, item, &rules);
        checks::invocations(reader, item, &rule, functions);
        rules.push(rule);
    }
    rules
}

fn receipt_rule(reader: &mut Reader, node: &Node, before: &[ReceiptRule]) -> ReceiptRule {
    let entries = match &node.value {
        Value::Map(entries) => entries.as_slice(),
        _ => &[],
    };
    let span = entries.first().map_or(&node.span, |(key, _)| &key.span);
    let subject = match entries.iter().find(|(key, _)| key.name == "name") {
        Some((_, Node { value: Value::Text(name), .. })) => format!("receipt rule `{}`", name.escape_debug()),
        _ => "a receipt rule".to_owned(),
    };
    let fields = &reader.fields(node, span, subject, &SHAPE);
    let name = reader.text(fields, "name", scalars::name).unwrap_or_default();
    if before.iter().any(|rule| !name.is_empty() && rule.name == name) {
        let message = format!("a second receipt rule is named `{name}`");
        reader.diagnose(&fields.span_of("name"), message, "names of rules must differ");
    }
    let rule = ReceiptRule {
        name,
        enabled: reader.switch(fields, "enabled").unwrap_or_default(),
        recipients: recipients(reader, fields),
        tls: reader.word(fields, "tls").unwrap_or_default(),
        scan: reader.switch(fields, "scan").unwrap_or_default(),
        actions: actions(reader, fields),
    };
    let ends =
        |rule: &&ReceiptRule| rule.enabled && rule.recipients.is_empty() && rule.actions.last() == Some(&Action::Stop);
    if let Some(end) = before.iter().find(ends)
        && rule.enabled
    {
        let message = format!("no mail reaches {}: rule `{}` takes every mail and stops", fields.subject, end.name);
        reader.diagnose(span, message, format!("put it before `{}`", end.name));
    }
    rule
}

fn recipients(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Recipient> {
    let items = reader.items(fields, "recipients", "maintenance@example.com");
    if let Some(item) = items.get(MOST_RECIPIENTS) {
        let message = format!("SES takes at most {MOST_RECIPIENTS} recipients in a rule");
        reader.diagnose(&item.span, message, "spread them over several rules");
    }
    let mut recipients = Vec::new();
    for item in items {
        let form = scalars::RECIPIENT.what;
        if let Some(recipient) = reader.scalar(item, "recipients", form, scalars::recipient) {
            // SES tells them apart by their letters, whatever the case of these.
            let is_same = |other: &Recipient| other.to_string().eq_ignore_ascii_case(&recipient.to_string());
            if recipients.iter().any(is_same) {
                reader.report(Diagnostic::new(item.span.clone(), "this recipient is there twice"));
            }
            recipients.push(recipient);
        }
    }
    recipients
}

fn actions(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Action> {
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
