//! `alarms`: the recipients of alarms, and the thresholds.
//!
//! Every function and every failure queue is monitored without being asked for: a pipeline that fails in silence loses
//! mail. Each metric and its default threshold are in one table, `kind.rs`. Only [`SILENCE`] is asked for: how long
//! nothing may come depends on the senders.

mod kind;
mod measure;

use std::{collections::BTreeMap, time::Duration};

use super::{
    Declaration,
    diagnostic::Diagnostic,
    reader::{Fields, Reader, Wrong, one_of, word},
    scalars,
    shape::{Field, Holds, Kind, Shape, words},
    tree::{Node, Value, span_of},
};
use kind::THRESHOLDS;

pub use kind::AlarmKind;
pub use measure::{Measure, SILENCE, Unit, Watched};

/// The alarms of a stack, and their recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarms {
    /// Recipients; without any, alarms change their state and notify nobody.
    pub notify: Vec<Notify>,
    /// Threshold of each alarm that is on, in the unit of its measure.
    pub thresholds: BTreeMap<AlarmKind, u32>,
    /// Time without any mail after which [`SILENCE`] rings, in whole hours; `None` leaves that alarm out.
    pub silence: Option<Duration>,
}

/// A recipient of alarms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notify {
    /// A mail address; its owner has to confirm.
    Mail(String),
    /// A topic, by its entry name.
    Topic(String),
}

/// Longest range that CloudWatch evaluates, with periods of an hour or longer.
const LONGEST_SILENCE: Duration = Duration::from_hours(7 * 24);

impl Default for Alarms {
    fn default() -> Self {
        let thresholds = AlarmKind::ALL.into_iter().map(|kind| (kind, kind.measure().threshold)).collect();
        Self { notify: Vec::new(), thresholds, silence: None }
    }
}

pub(super) static SHAPE: Shape = Shape {
    name: "alarms",
    keys: &[
        Field::new(
            "notify",
            Holds::List(&Holds::ReferenceOr(Kind::Topic, scalars::ADDRESS)),
            "Recipients of alarms: mail addresses and topics.",
        ),
        Field::new("off", Holds::List(&Holds::Word(words::<AlarmKind>)), "Alarms to leave out."),
        Field::new(
            "silence",
            Holds::Duration(Duration::from_hours(1), LONGEST_SILENCE),
            "Time in whole hours after which an alarm rings because no mail came, or nothing was heard of sent ones. A new stack is silent: the alarm rings until its first mail.",
        ),
        Field::new("thresholds", Holds::Mapping(&THRESHOLDS), "Values from which on an alarm fires."),
    ],
};

/// Entries of the topic that sends alarms to mail addresses. It has the first one that no declared topic has.
pub(super) const MAIL_TOPICS: [&str; 2] = ["alarms", "alarm-mails"];

impl Declaration {
    /// Returns the entry of the topic that sends alarms to mail addresses; `None` if nothing is sent to one.
    pub fn alarm_mail_topic(&self) -> Option<&'static str> {
        let is_needed = self.alarms.notify.iter().any(|target| matches!(target, Notify::Mail(_)));
        MAIL_TOPICS.into_iter().find(|entry| is_needed && !self.topics.contains_key(*entry))
    }
}

/// Reports mail addresses that get alarms by a topic for which no name is left.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    let is_mail = |target: &Notify| matches!(target, Notify::Mail(_));
    if declaration.alarms.notify.iter().any(is_mail) && declaration.alarm_mail_topic().is_none() {
        let [first, second] = MAIL_TOPICS;
        let message = format!(
            "mail addresses get alarms by a topic of the stack's own, `{first}` or `{second}`, and both are declared for something else"
        );
        let hint = format!("rename the topic `{second}`, or subscribe the addresses to a declared topic and name that");
        reader.diagnose(&span_of(root, &["alarms", "notify"]), message, hint);
    }
}

pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Alarms {
    let Some(fields) = &reader.mapping(fields, "alarms") else { return Alarms::default() };
    let mut notify = Vec::new();
    for item in reader.items(fields, "notify", "noc@example.com") {
        let Some(who) = notified(reader, item) else { continue };
        if notify.contains(&who) {
            reader.report(Diagnostic::new(item.span.clone(), "this one is told already"));
        }
        notify.push(who);
    }
    let mut alarms = Alarms { notify, silence: silence(reader, fields), ..Alarms::default() };
    let declared = reader.mapping(fields, "thresholds");
    if let Some(declared) = &declared {
        for kind in AlarmKind::ALL {
            let threshold = reader.number(declared, kind.measure().name);
            alarms.thresholds.insert(kind, threshold.unwrap_or(kind.measure().threshold));
        }
    }
    let known = words::<AlarmKind>();
    for item in reader.items(fields, "off", "throttles") {
        let expected = one_of(&known);
        let kind = reader.scalar(item, "off", &expected, |text| word::<AlarmKind>(text).ok_or_else(Wrong::default));
        let Some(kind) = kind else { continue };
        let name = kind.measure().name;
        if alarms.thresholds.remove(&kind).is_none() {
            reader.report(Diagnostic::new(item.span.clone(), format!("`{name}` is off already")));
        }
        if declared.as_ref().is_some_and(|declared| declared.get(name).is_some()) {
            let message = format!("`{name}` is off, and has a threshold");
            reader.diagnose(&item.span, message, "remove one of them");
        }
    }
    alarms
}

/// Reads the time without mails, in CloudWatch's periods of an hour.
fn silence(reader: &mut Reader, fields: &Fields<'_>) -> Option<Duration> {
    let silence = reader.duration(fields, "silence")?;
    if silence.as_secs().is_multiple_of(SILENCE.period.into()) {
        return Some(silence);
    }
    let span = fields.get("silence").map(|node| node.span.clone()).unwrap_or_default();
    reader.diagnose(&span, "silence is measured in whole hours", "write it as `36h` or `5d`");
    None
}

/// Reads a recipient: an address has an `@`, and a topic's name has none.
fn notified(reader: &mut Reader, node: &Node) -> Option<Notify> {
    if let Value::Text(text) = &node.value
        && text.contains('@')
    {
        return reader.scalar(node, "notify", scalars::ADDRESS.what, scalars::address).map(Notify::Mail);
    }
    reader.refer(node, "notify", Kind::Topic).map(Notify::Topic)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::Declaration;

    #[test]
    fn the_topic_for_mail_addresses_has_a_name_left() {
        let parse = |topics: &str, notify: &str| {
            let source =
                format!("stack: shop\nregion: eu-west-1\ntopics: {{{topics}}}\nalarms: {{notify: [{notify}]}}\n");
            Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).map(drop)
        };
        for (topics, notify) in [
            ("alarms: {}", "noc@example.com"),
            ("alarm-mails: {}", "noc@example.com"),
            ("alarms: {}, alarm-mails: {}", "alarms"),
        ] {
            parse(topics, notify).unwrap();
        }
        let refused = parse("alarms: {}, alarm-mails: {}", "alarms, noc@example.com").unwrap_err();
        assert!(format!("{refused:?}").contains("mail addresses"), "{refused:?}");
    }
}
