//! An event of SES.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Kind, Problem,
    address::bare,
    lenient::{lenient, list, tags, text},
};

/// The tag with the address that SES took the mail from.
const SOURCE_IP: &str = "ses:source-ip";

/// An event of a mail, whose id and time are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    kind: Kind,
    message_id: String,
    /// Time of the event itself.
    at: Timestamp,
    /// Time at which SES took the mail; `None` if it is not stated.
    sent_at: Option<Timestamp>,
    body: Body,
}

/// Content of an event, as far as messages are made of it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    #[serde(deserialize_with = "lenient")]
    mail: Mail,
    #[serde(deserialize_with = "lenient")]
    bounce: Bounce,
    #[serde(deserialize_with = "lenient")]
    complaint: Complaint,
    #[serde(deserialize_with = "lenient")]
    delivery: Delivery,
    #[serde(deserialize_with = "lenient")]
    delivery_delay: Delay,
    #[serde(deserialize_with = "lenient")]
    reject: Reject,
    #[serde(deserialize_with = "lenient")]
    failure: RenderingFailure,
    #[serde(deserialize_with = "lenient")]
    subscription: Subscription,
    #[serde(deserialize_with = "lenient")]
    open: Happened,
    #[serde(deserialize_with = "lenient")]
    click: Happened,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Mail {
    #[serde(deserialize_with = "text")]
    timestamp: Option<String>,
    #[serde(deserialize_with = "text")]
    message_id: Option<String>,
    #[serde(deserialize_with = "text")]
    source: Option<String>,
    #[serde(deserialize_with = "text")]
    source_ip: Option<String>,
    #[serde(deserialize_with = "list")]
    destination: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    common_headers: CommonHeaders,
    #[serde(deserialize_with = "tags")]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct CommonHeaders {
    #[serde(deserialize_with = "list")]
    from: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Recipient {
    #[serde(deserialize_with = "text")]
    email_address: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Bounce {
    #[serde(deserialize_with = "text")]
    timestamp: Option<String>,
    #[serde(rename = "bounceType", deserialize_with = "text")]
    kind: Option<String>,
    #[serde(rename = "bounceSubType", deserialize_with = "text")]
    subtype: Option<String>,
    #[serde(deserialize_with = "list")]
    bounced_recipients: Vec<Recipient>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Complaint {
    #[serde(deserialize_with = "text")]
    timestamp: Option<String>,
    #[serde(rename = "complaintFeedbackType", deserialize_with = "text")]
    kind: Option<String>,
    #[serde(rename = "complaintSubType", deserialize_with = "text")]
    subtype: Option<String>,
    #[serde(deserialize_with = "list")]
    complained_recipients: Vec<Recipient>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Delivery {
    #[serde(deserialize_with = "text")]
    timestamp: Option<String>,
    #[serde(deserialize_with = "list")]
    recipients: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Delay {
    #[serde(deserialize_with = "text")]
    timestamp: Option<String>,
    #[serde(rename = "delayType", deserialize_with = "text")]
    kind: Option<String>,
    #[serde(deserialize_with = "list")]
    delayed_recipients: Vec<Recipient>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Reject {
    #[serde(deserialize_with = "text")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RenderingFailure {
    #[serde(deserialize_with = "text")]
    template_name: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Subscription {
    #[serde(deserialize_with = "text")]
    timestamp: Option<String>,
    #[serde(deserialize_with = "text")]
    source: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Happened {
    #[serde(deserialize_with = "text")]
    timestamp: Option<String>,
}

impl Event {
    /// Reads the event of that type.
    pub(crate) fn read(kind: Kind, document: Value) -> Result<Self, Problem> {
        let body: Body = serde_json::from_value(document).unwrap_or_default();
        let message_id = body.mail.message_id.clone().ok_or(Problem::NoMessageId)?;
        let sent_at = time(body.mail.timestamp.as_ref());
        let at = time(body.timestamp(&kind)).or(sent_at).ok_or(Problem::NoTime)?;
        Ok(Self { kind, message_id, at, sent_at, body })
    }

    /// Returns the type of the event.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Returns SES's id of the mail.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Returns when it happened. What has no time of its own (`Send`, `Reject`, `Rendering Failure`) happened when SES took the mail.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns when SES took the mail; `None` if it is not stated.
    pub fn sent_at(&self) -> Option<Timestamp> {
        self.sent_at
    }

    /// Returns the sender's bare address in small letters, by which the table has the mail; `None` if none is stated.
    pub fn sender(&self) -> Option<String> {
        self.from().map(str::to_lowercase)
    }

    /// Returns the first value of a tag of the mail; identity notifications have no tags.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.body.mail.tags.get(name)?.first().map(String::as_str)
    }

    /// Returns the sender's bare address, as it was written.
    pub(crate) fn from(&self) -> Option<&str> {
        let Mail { source, common_headers, .. } = &self.body.mail;
        source.as_ref().or(common_headers.from.first()).and_then(|source| bare(source))
    }

    /// Returns the address that SES took the mail from.
    pub(crate) fn source_ip(&self) -> Option<&str> {
        self.body.mail.source_ip.as_deref().or_else(|| self.tag(SOURCE_IP))
    }

    /// Returns the bare addresses that the event is about, each once: those that it names, else those of the mail.
    pub fn recipients(&self) -> Vec<&str> {
        let Body { mail, bounce, complaint, delivery, delivery_delay, .. } = &self.body;
        let named: Vec<&str> = match self.kind {
            Kind::Bounce => named(&bounce.bounced_recipients),
            Kind::Complaint => named(&complaint.complained_recipients),
            Kind::DeliveryDelay => named(&delivery_delay.delayed_recipients),
            Kind::Delivery => once(delivery.recipients.iter()),
            _ => Vec::new(),
        };
        if named.is_empty() { once(mail.destination.iter()) } else { named }
    }

    /// Returns what the event says beyond its type: of a bounce its type and subtype, of a complaint the feedback's, of a delay its
    /// type, of a rejection its reason, of a failure the template, of a subscription where it was changed.
    pub fn subtype(&self) -> Option<String> {
        let body = &self.body;
        match self.kind {
            Kind::Bounce => joined(body.bounce.kind.as_deref(), body.bounce.subtype.as_deref()),
            Kind::Complaint => joined(body.complaint.kind.as_deref(), body.complaint.subtype.as_deref()),
            Kind::DeliveryDelay => body.delivery_delay.kind.clone(),
            Kind::Reject => body.reject.reason.clone(),
            Kind::RenderingFailure => body.failure.template_name.clone(),
            Kind::Subscription => body.subscription.source.clone(),
            Kind::Send | Kind::Delivery | Kind::Open | Kind::Click | Kind::Other(_) => None,
        }
    }
}

impl Body {
    fn timestamp(&self, kind: &Kind) -> Option<&String> {
        match kind {
            Kind::Bounce => self.bounce.timestamp.as_ref(),
            Kind::Complaint => self.complaint.timestamp.as_ref(),
            Kind::Delivery => self.delivery.timestamp.as_ref(),
            Kind::DeliveryDelay => self.delivery_delay.timestamp.as_ref(),
            Kind::Subscription => self.subscription.timestamp.as_ref(),
            Kind::Open => self.open.timestamp.as_ref(),
            Kind::Click => self.click.timestamp.as_ref(),
            Kind::Send | Kind::Reject | Kind::RenderingFailure | Kind::Other(_) => None,
        }
    }
}

fn time(text: Option<&String>) -> Option<Timestamp> {
    text?.parse().ok()
}

fn named(list: &[Recipient]) -> Vec<&str> {
    once(list.iter().filter_map(|recipient| recipient.email_address.as_ref()))
}

/// Returns the bare addresses, each once, in their order.
fn once<'text>(addresses: impl Iterator<Item = &'text String>) -> Vec<&'text str> {
    let mut all = Vec::new();
    for address in addresses.filter_map(|address| bare(address)) {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

/// Returns a type with its subtype, `Transient/MailboxFull`; `General` and a repetition add nothing.
fn joined(of: Option<&str>, sub: Option<&str>) -> Option<String> {
    match (of, sub.filter(|sub| *sub != "General" && Some(*sub) != of)) {
        (Some(of), Some(sub)) => Some(format!("{of}/{sub}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}
