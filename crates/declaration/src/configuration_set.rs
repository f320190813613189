//! `configuration_sets` and `identities`: the topics that hear of the mails that SES sends.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Declaration,
    reader::{Fields, Reader},
    scalars,
    shape::{Field, Form, Holds, Kind, Shape, Word, words},
    tags::{TAGS, tags},
    tree::{Key, Node, Value, span_of},
    word_list::word_list,
};

/// A configuration set: settings of the mails that are sent with it, and the topics that hear of their events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigurationSet {
    /// Topics that hear of the mails, by the name of the destination.
    pub events: BTreeMap<String, EventDestination>,
    /// `true` if the rates of its bounces and complaints are metrics.
    pub reputation_metrics: bool,
    /// Encryption on the way to the receiver.
    pub tls: SendingTls,
    /// Events after which SES sends nothing more to an address.
    pub suppression: BTreeSet<Suppression>,
    /// Domain of the links that count openings and clicks; `None` is SES's own.
    pub tracking_domain: Option<String>,
    /// Tags of the set; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// A topic that hears of mails.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventDestination {
    /// Events that it hears of.
    pub types: BTreeSet<EventType>,
    /// Entry name of the topic.
    pub topic: String,
}

/// The events of a mail, in SES's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// SES has taken the mail.
    Send,
    /// A template could not be filled.
    RenderingFailure,
    /// SES has found a virus.
    Reject,
    /// A receiver has taken it.
    Delivery,
    /// No mailbox takes it.
    Bounce,
    /// A receiver complains of it.
    Complaint,
    /// A receiver does not take it yet.
    DeliveryDelay,
    /// A receiver wants no more of a list.
    Subscription,
    /// Somebody has opened it: SES adds a picture to it for that.
    Open,
    /// Somebody has followed a link: SES rewrites them for that.
    Click,
}

impl EventType {
    /// Returns the type as SES writes it: `DELIVERY_DELAY`.
    pub fn of_ses(self) -> String {
        let word = Self::WORDS.iter().find(|(_, one)| *one == self).map_or("", |(word, _)| *word);
        word.to_ascii_uppercase()
    }
}

impl Word for EventType {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("send", Self::Send),
        ("rendering_failure", Self::RenderingFailure),
        ("reject", Self::Reject),
        ("delivery", Self::Delivery),
        ("bounce", Self::Bounce),
        ("complaint", Self::Complaint),
        ("delivery_delay", Self::DeliveryDelay),
        ("subscription", Self::Subscription),
        ("open", Self::Open),
        ("click", Self::Click),
    ];
}

/// The word for every event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct All;

impl Word for All {
    const WORDS: &'static [(&'static str, Self)] = &[("all", Self)];
}

/// Encryption on the way to the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SendingTls {
    /// TLS where the receiver has it.
    #[default]
    Optional,
    /// TLS alone: a mail to a receiver without it bounces.
    Require,
}

impl Word for SendingTls {
    const WORDS: &'static [(&'static str, Self)] = &[("optional", Self::Optional), ("require", Self::Require)];
}

/// An event after which SES sends nothing more to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suppression {
    /// No mailbox takes mails.
    Bounce,
    /// The receiver marked the mail as spam.
    Complaint,
}

impl Suppression {
    /// Returns the reason as SES writes it.
    pub const fn of_ses(self) -> &'static str {
        match self {
            Self::Bounce => "BOUNCE",
            Self::Complaint => "COMPLAINT",
        }
    }
}

impl Word for Suppression {
    const WORDS: &'static [(&'static str, Self)] = &[("bounce", Self::Bounce), ("complaint", Self::Complaint)];
}

/// An identity of SES, which is not the stack's: whoever sends from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendingIdentity {
    /// Topics that hear of its mails, by entry name: for bounces, complaints and deliveries.
    pub feedback: BTreeMap<EventType, String>,
    /// `true` if they are told the mails' headers, too.
    pub headers: bool,
    /// `true` if topics that others chose may be taken.
    pub take_over: bool,
}

/// Form of the name of a destination.
const DESTINATION: Form = Form { what: "a name", pattern: scalars::NAME.pattern };

pub(super) static SHAPE: Shape = Shape {
    name: "configuration_set",
    keys: &[
        Field::new(
            "events",
            Holds::Chosen(DESTINATION, &Holds::Mapping(&EVENTS)),
            "Topics that hear of the events of the mails, by a name of your choice.",
        ),
        Field::new(
            "reputation_metrics",
            Holds::Switch,
            "Rates of bounces and complaints as metrics, with an alarm on each.",
        )
        .or("true"),
        Field::new(
            "tls",
            Holds::Word(words::<SendingTls>),
            "`require` sends to receivers with TLS alone: a mail to another one bounces.",
        )
        .or("optional"),
        Field::new(
            "suppression",
            Holds::List(&Holds::Word(words::<Suppression>)),
            "Events after which SES sends nothing more to an address: by default after both. `[]` sends all the same.",
        ),
        Field::new(
            "tracking_domain",
            Holds::Text(scalars::DOMAIN),
            "Verified domain of the links that count openings and clicks, with a CNAME to `r.REGION.awstrack.me`. Without it, SES's own.",
        ),
        TAGS,
    ],
};

static EVENTS: Shape = Shape {
    name: "event_destination",
    keys: &[
        Field::new(
            "types",
            Holds::AnyOf(&[Holds::Word(words::<All>), Holds::List(&Holds::Word(words::<EventType>))]),
            "Events that it hears of, or `all`. `open` and `click` add a picture to mails, and rewrite their links.",
        )
        .required("[bounce, complaint, delivery]"),
        Field::new("topic", Holds::Reference(Kind::Topic), "The topic.").required("mail-events"),
    ],
};

pub(super) static IDENTITY: Shape = Shape {
    name: "identity",
    keys: &[
        Field::new(
            "feedback",
            Holds::Mapping(&FEEDBACK),
            "Topics that hear of mails from the identity, with whatever configuration set they are sent.",
        ),
        Field::new(
            "take_over",
            Holds::Switch,
            "Take the place of topics that others chose. They are noted, and there again after `down`.",
        )
        .or("false"),
    ],
};

static FEEDBACK: Shape = Shape {
    name: "feedback",
    keys: &[
        Field::new("bounce", Holds::Reference(Kind::Topic), "Topic for mails that no mailbox takes."),
        Field::new("complaint", Holds::Reference(Kind::Topic), "Topic for complaints of receivers."),
        Field::new("delivery", Holds::Reference(Kind::Topic), "Topic for mails that a receiver has taken."),
        Field::new("headers", Holds::Switch, "Tell the mails' headers, too.").or("false"),
    ],
};

/// The events that an identity tells of by itself.
const FED_BACK: [(&str, EventType); 3] =
    [("bounce", EventType::Bounce), ("complaint", EventType::Complaint), ("delivery", EventType::Delivery)];

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> ConfigurationSet {
    let fields = &reader.fields(node, &key.span, format!("configuration set `{}`", key.name), &SHAPE);
    let mut events = BTreeMap::new();
    for (name, node) in reader.chosen(fields, "events") {
        if scalars::name(&name.name).is_err() {
            let message =
                format!("the name of a destination must be {}, not `{}`", scalars::NAME.what, name.name.escape_debug());
            reader.diagnose(&name.span, message, "write it in lower case, with hyphens: `feedback`");
        }
        let destination = &reader.fields(node, &name.span, format!("destination `{}`", name.name), &EVENTS);
        let types = types(reader, destination);
        if let Some(topic) = reader.reference(destination, "topic") {
            events.insert(name.name.clone(), EventDestination { types, topic });
        }
    }
    if events.len() > MOST_DESTINATIONS {
        let message = format!("SES takes at most {MOST_DESTINATIONS} destinations for a configuration set");
        reader.diagnose(&fields.span_of("events"), message, "let one topic hear of several types of events");
    }
    ConfigurationSet {
        events,
        reputation_metrics: reader.switch(fields, "reputation_metrics").unwrap_or(true),
        tls: reader.word(fields, "tls").unwrap_or_default(),
        suppression: suppression(reader, fields),
        tracking_domain: reader.text(fields, "tracking_domain", scalars::domain),
        tags: tags(reader, fields),
    }
}

/// Destinations that SES takes for a configuration set. Source: "Service quotas in Amazon SES".
const MOST_DESTINATIONS: usize = 10;

/// Reads the types of events: `all`, or a list of them.
fn types(reader: &mut Reader, fields: &Fields<'_>) -> BTreeSet<EventType> {
    let every = || EventType::WORDS.iter().map(|(_, one)| *one).collect();
    let Some(node) = fields.get("types") else { return BTreeSet::new() };
    if !matches!(node.value, Value::List(_)) {
        let expected = "`all`, or a list of types of events";
        let read = reader.scalar(node, "types", expected, |text| {
            if text == "all" {
                Ok(())
            } else {
                Err(super::reader::Wrong::default().hint("write `[bounce, complaint]`"))
            }
        });
        return read.map(|()| every()).unwrap_or_default();
    }
    let types = word_list(reader, fields, "types", "bounce");
    if types.is_empty() && matches!(&node.value, Value::List(items) if items.is_empty()) {
        reader.diagnose(&node.span, "`types` is empty", "name one at least, or write `all`");
    }
    types
}

fn suppression(reader: &mut Reader, fields: &Fields<'_>) -> BTreeSet<Suppression> {
    if fields.get("suppression").is_none() {
        return [Suppression::Bounce, Suppression::Complaint].into();
    }
    word_list(reader, fields, "suppression", "bounce")
}

/// Reads the identities, by domain or address.
pub(super) fn identities(reader: &mut Reader, fields: &Fields<'_>) -> BTreeMap<String, SendingIdentity> {
    let mut identities = BTreeMap::new();
    for (key, node) in reader.chosen(fields, "identities") {
        if let Err(wrong) = scalars::sender(&key.name) {
            let message = format!("an identity must be {}, not `{}`", scalars::SENDER.what, key.name.escape_debug());
            reader.diagnose(
                &key.span,
                message,
                wrong.hint.unwrap_or_else(|| "write it as SES has it: `example.com`".to_owned()),
            );
        }
        let fields = &reader.fields(node, &key.span, format!("identity `{}`", key.name), &IDENTITY);
        let mut identity = SendingIdentity {
            take_over: reader.switch(fields, "take_over").unwrap_or_default(),
            ..SendingIdentity::default()
        };
        if let Some(feedback) = &reader.mapping(fields, "feedback") {
            identity.headers = reader.switch(feedback, "headers").unwrap_or_default();
            for (name, of) in FED_BACK {
                identity.feedback.extend(reader.reference(feedback, name).map(|topic| (of, topic)));
            }
        }
        if identity.feedback.is_empty() && reader.is_clean() {
            let message = format!("nothing is declared of the identity `{}`", key.name);
            reader.diagnose(&key.span, message, "write `feedback: {bounce: TOPIC, complaint: TOPIC}`, or remove it");
        }
        identities.insert(key.name.clone(), identity);
    }
    identities
}

impl Declaration {
    /// Returns the entries of the topics to which SES tells of mails that it sends.
    pub fn event_topics(&self) -> BTreeSet<&str> {
        let of_sets =
            self.configuration_sets.values().flat_map(|set| set.events.values()).map(|one| one.topic.as_str());
        let of_identities =
            self.identities.values().flat_map(|identity| identity.feedback.values()).map(String::as_str);
        of_sets.chain(of_identities).collect()
    }

    /// Returns the entries of the functions that hear of mails that SES sends.
    pub fn listeners(&self) -> BTreeSet<&str> {
        let topics = self.event_topics().into_iter().filter_map(|topic| self.topics.get(topic));
        let told = topics.flat_map(|topic| &topic.subscriptions);
        told.filter_map(|told| match told {
            super::Subscription::Function { function, .. } => Some(function.as_str()),
            super::Subscription::Mail(_) | super::Subscription::Queue { .. } => None,
        })
        .collect()
    }
}

/// Reports events of both sources: each would come twice, in two forms.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    for (identity, declared) in &declaration.identities {
        for (name, of) in FED_BACK.iter().filter(|(_, of)| declared.feedback.contains_key(of)) {
            let sets = declaration.configuration_sets.iter();
            let told = sets.flat_map(|(set, declared)| declared.events.iter().map(move |(name, one)| (set, name, one)));
            let Some((set, destination, _)) = told.into_iter().find(|(.., one)| one.types.contains(of)) else {
                continue;
            };
            let message = format!(
                "each {name} comes twice: identity `{identity}` tells of it, and destination `{destination}` of configuration set `{set}`"
            );
            let hint = "remove it here, or from `types` there: identities tell of all mails, configuration sets of those that are sent with them";
            reader.diagnose(&span_of(root, &["identities", identity, "feedback", name]), message, hint);
        }
    }
}
