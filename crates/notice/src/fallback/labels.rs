//! The labels under which carriers state the parts of a notice, each by its words: "Maintenance Start Time (UTC)".
//!
//! A label counts only if every word of it is expected there. So "Related ticket", "Previous start" and "Customer circuit ID"
//! are none of these, whatever stands beside them.

use jiff::tz::TimeZone;

use crate::zones;

/// The kind of value that a label announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Start,
    End,
    Window,
    Zone,
    Circuits,
    Impact,
    Affecting,
    Status,
    Summary,
    Account,
}

/// A label that was understood.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) kind: Kind,
    /// Its words, for telling whether two labels are the same one.
    pub(super) words: String,
    /// `true` if the label may announce something else as well: a value that does not fit then belongs to that.
    pub(super) is_weak: bool,
    pub(super) zone: Zone,
}

/// The zone that a label states for its times.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    Unstated,
    Stated(TimeZone),
    /// It states an unknown one, such as "local time".
    Unknown,
}

/// The words of a kind of label: one of the first has to be there, the second may.
struct Vocabulary {
    kind: Kind,
    core: &'static [&'static str],
    others: &'static [&'static str],
}

const PLAN: &[&str] = &[
    "maintenance",
    "planned",
    "scheduled",
    "work",
    "works",
    "event",
    "activity",
    "window",
    "outage",
    "expected",
    "estimated",
    "proposed",
    "confirmed",
    "of",
    "the",
    "and",
    "date",
    "time",
    "datetime",
    "times",
    "dates",
    "new",
    "network",
    "our",
    "change",
];

#[rustfmt::skip]
const VOCABULARIES: &[Vocabulary] = &[
    Vocabulary { kind: Kind::Zone, core: &["timezone", "tz"], others: &["time", "zone"] },
    Vocabulary {
        kind: Kind::Id,
        core: &["id", "ids", "number", "no", "nr", "reference", "ref", "ticket", "tt", "cr", "crq", "chg", "pew", "rfc", "identifier", "change", "case"],
        others: &["maintenance", "planned", "scheduled", "work", "works", "event", "activity", "network", "our", "outage", "the", "control", "request", "order", "provider", "carrier", "vendor", "internal"],
    },
    Vocabulary { kind: Kind::Start, core: &["start", "starts", "starting", "begin", "begins", "beginning", "commencement", "commences", "from"], others: PLAN },
    Vocabulary { kind: Kind::End, core: &["end", "ends", "ending", "finish", "finishes", "until", "till", "to", "stop"], others: PLAN },
    Vocabulary { kind: Kind::Window, core: &["window", "windows", "period", "timeframe", "schedule", "slot", "when"], others: PLAN },
    Vocabulary {
        kind: Kind::Affecting,
        core: &["affecting", "impacting"],
        others: &["service", "customer", "traffic"],
    },
    Vocabulary {
        kind: Kind::Impact,
        core: &["impact", "impacts", "effect"],
        others: &["expected", "service", "customer", "type", "of", "on", "services", "level", "to", "traffic", "your", "the", "circuit", "circuits", "anticipated", "estimated", "maintenance"],
    },
    Vocabulary {
        kind: Kind::Circuits,
        core: &["circuit", "circuits", "service", "services", "cid", "cids", "port", "ports", "link", "links", "connection", "connections", "evc", "vlan"],
        others: &["affected", "impacted", "id", "ids", "number", "numbers", "reference", "references", "your", "list", "of", "name", "names", "in", "scope", "concerned", "the", "following", "identifier"],
    },
    Vocabulary { kind: Kind::Status, core: &["status", "state"], others: &["maintenance", "of", "notification", "the", "current", "work", "works", "activity", "change", "event", "ticket"] },
    Vocabulary {
        kind: Kind::Summary,
        core: &["description", "reason", "summary", "purpose"],
        others: &["work", "works", "of", "for", "maintenance", "the", "activity", "change", "planned", "short"],
    },
    Vocabulary { kind: Kind::Account, core: &["customer", "account", "company"], others: &["name", "number", "id", "no"] },
];

/// Labels that announce other things as well.
const WEAK: &[&str] = &[
    "from",
    "to",
    "until",
    "till",
    "when",
    "change",
    "case",
    "date",
    "service",
    "services",
    "service name",
    "port",
    "ports",
    "link",
    "links",
    "connection",
    "connections",
    "schedule",
    "start",
    "end",
    "order number",
    "order no",
    "number",
    "the change",
    "service number",
];

/// Numbers that repeat a label: "Window 2", "First start".
const ORDINALS: &[&str] = &["first", "second", "third", "1st", "2nd", "3rd", "day", "night"];

/// Returns the meaning of a label; `None` if the text is not a label.
pub(super) fn label(text: &str) -> Option<Label> {
    if text.len() > LONGEST {
        return None;
    }
    let lower = text.to_lowercase().replace("(s)", "s").replace('#', " number ").replace('[', "(").replace(']', ")");
    let (words, zone) = without_zone(lower.trim_matches([':', ' ', '*', '.']));
    let words = words.split(|mark: char| !mark.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_ordinal = |word: &&str| ORDINALS.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = words.filter(|word| !is_ordinal(word)).collect();
    let joined = words.join(" ");
    let kind = match joined.as_str() {
        // An answer, not a number.
        "no" => return None,
        "time zone" | "timezone" => Kind::Zone,
        "maintenance date" | "maintenance time" | "date and time" | "date time" | "maintenance date time" => {
            Kind::Window
        }
        "notification type" | "type of notification" | "notice type" => Kind::Status,
        _ => {
            let fits = |vocabulary: &&Vocabulary| {
                let has_core = words.iter().any(|word| vocabulary.core.contains(word));
                has_core && words.iter().all(|word| vocabulary.core.contains(word) || vocabulary.others.contains(word))
            };
            VOCABULARIES.iter().find(fits)?.kind
        }
    };
    let is_weak =
        WEAK.contains(&joined.as_str()) || joined.starts_with("maintenance date") || joined.starts_with("date");
    Some(Label { kind, is_weak, words: joined, zone })
}

const LONGEST: usize = 60;

/// Returns the label without the zone that it ends in, in brackets or not.
fn without_zone(label: &str) -> (&str, Zone) {
    if let Some((before, inside)) = label.strip_suffix(')').and_then(|open| open.rsplit_once('(')) {
        let inside = inside.trim();
        return match zones::by_name(inside) {
            Some(zone) => (before, Zone::Stated(zone)),
            None if inside.contains("time") || inside.contains("local") || inside.contains("tz") => {
                (before, Zone::Unknown)
            }
            None => (label, Zone::Unstated),
        };
    }
    if let Some((before, last)) = label.rsplit_once([' ', '/', '-'])
        && matches!(
            last,
            "utc"
                | "gmt"
                | "cet"
                | "cest"
                | "est"
                | "edt"
                | "cst"
                | "cdt"
                | "pst"
                | "pdt"
                | "bst"
                | "sgt"
                | "hkt"
                | "jst"
        )
    {
        return (before, zones::by_name(last).map_or(Zone::Unknown, Zone::Stated));
    }
    let is_local = label.split(' ').any(|word| matches!(word, "local" | "lt"));
    (label, if is_local { Zone::Unknown } else { Zone::Unstated })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_as_carriers_write_them() {
        for (text, kind) in [
            ("Maintenance ID", Kind::Id),
            ("Ticket #:", Kind::Id),
            ("Change Reference", Kind::Id),
            ("CR number", Kind::Id),
            ("Our ref.", Kind::Id),
            ("Planned Work No.", Kind::Id),
            ("Start", Kind::Start),
            ("Planned Start Date & Time (UTC)", Kind::Start),
            ("Maintenance Begin", Kind::Start),
            ("Window 2 start", Kind::Start),
            ("FROM", Kind::Start),
            ("End time UTC", Kind::End),
            ("Finish", Kind::End),
            ("Until", Kind::End),
            ("Maintenance Window", Kind::Window),
            ("Date/Time", Kind::Window),
            ("Time Zone", Kind::Zone),
            ("Circuit(s)", Kind::Circuits),
            ("Affected Services", Kind::Circuits),
            ("CID", Kind::Circuits),
            ("Service Impact", Kind::Impact),
            ("Service Affecting", Kind::Affecting),
            ("Status", Kind::Status),
            ("Reason for maintenance", Kind::Summary),
            ("Customer Name", Kind::Account),
        ] {
            assert_eq!(label(text).map(|label| label.kind), Some(kind), "{text}");
        }
    }

    #[test]
    fn other_labels_are_none() {
        for text in [
            "",
            "Related ticket",
            "Previous start",
            "Backup window",
            "Customer circuit ID",
            "Circuit type",
            "Your reference",
            "Message-ID",
            "Location",
            "Account manager",
            "Start of the day of the week",
            "Subject",
            "Alt Circuit ID",
            "Notification number",
            "No",
        ] {
            assert!(label(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_label_states_a_zone_or_one_that_nobody_knows() {
        assert!(matches!(label("Start (UTC)").unwrap().zone, Zone::Stated(_)));
        assert!(matches!(label("End Time [UTC]").unwrap().zone, Zone::Stated(_)));
        assert!(matches!(label("Start (local time)").unwrap().zone, Zone::Unknown));
        assert!(matches!(label("Start").unwrap().zone, Zone::Unstated));
    }
}
