//! `alarms`: the recipients of alarms, and the thresholds.
//!
//! Every function and every failure queue is monitored without being asked for: a pipeline that fails in silence loses
//! mail. Each metric and its default threshold are in one table, `kind.rs`. Only [`SILENCE`] is asked for: how long
//! nothing may come depends on the senders.

mod kind;
mod measure;

use std::{collections::BTreeMap, time::Duration};

use super::{
    diagnostic::Diagnostic,
    reader::{Fields, Reader, Wrong, one_of, word},
    scalars,
    shape::{Field, Holds, Kind, Shape, words},
    tree::{Node, Value},
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
