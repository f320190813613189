//! The lines that a function writes to its log, one JSON document each: the outcome of each item of an event, and documents that
//! the function publishes by its log. `provision dev` and `provision logs` read them back and show those of any function: they
//! know no function by name. A line without the key `report`, or with another value, is the function's own affair.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Name of the file in a function's zip with the hash of the other files in it: it tells of each line of the log which code wrote it.
pub const BUILD: &str = "build.txt";

/// Returns `true` if a text is such a hash: some hexadecimal digits.
#[must_use]
pub fn is_build(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A line of the log that `provision` understands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// Start of an instance of the function.
    Start(Start),
    /// Outcome of an item: one line per item and attempt.
    Item(Box<ItemReport>),
    /// Document that the function publishes by its log, as the sink `lines` of `maintenance` does.
    Output(Box<Output>),
}

/// Start of an instance of the function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Hash of the code, from the file [`BUILD`].
    pub build: String,
}

/// Outcome of an item of an event: of a mail, a queue's message, or a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemReport {
    /// Lambda's request id; the same for a retry.
    pub request_id: String,
    /// Id of the item in the event, such as the SES message id of a mail; empty if the event names none.
    pub item: String,
    /// Class of the outcome.
    pub class: Class,
    /// Outcome in the function's own word, such as `delivered`.
    pub outcome: String,
    /// Why the item is not done, or not completely; `None` if it is.
    #[serde(default)]
    pub reason: Option<String>,
    /// Labels and texts for people, the most telling first: if only one fits, the first is shown.
    #[serde(default)]
    pub facts: Vec<(String, String)>,
    /// Duration of the handling, in milliseconds.
    #[serde(default)]
    pub duration_ms: f64,
    /// The function's own values, for programs.
    #[serde(default)]
    pub details: Map<String, Value>,
}

impl ItemReport {
    /// Returns a short version of the report: without details, which the reason mentions.
    #[must_use]
    pub fn shortened(&self) -> Self {
        const LONGEST_REASON: usize = 1000;
        const LONGEST_FACT: usize = 200;
        let cut = |text: &str, longest: usize| text.chars().take(longest).collect::<String>();
        let remark = "the details are too long for the log".to_owned();
        let reason = self.reason.iter().map(|reason| cut(reason, LONGEST_REASON)).chain([remark]);
        Self {
            reason: Some(reason.collect::<Vec<_>>().join("; ")),
            facts: self.facts.iter().map(|(label, text)| (label.clone(), cut(text, LONGEST_FACT))).collect(),
            details: Map::new(),
            ..self.clone()
        }
    }
}

/// The class of an outcome: exactly one of four.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Everything is where it belongs.
    Done,
    /// Nothing had to be done.
    Ignored,
    /// A person has to look at it, and can.
    ForPerson,
    /// The item must be retried.
    #[default]
    Retry,
}

/// A document that a function publishes by its log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Kind of the document, in the function's own word.
    pub kind: String,
    /// Labels and texts for people, as in [`ItemReport::facts`].
    #[serde(default)]
    pub facts: Vec<(String, String)>,
    /// The document; its keys are beside these.
    #[serde(flatten)]
    pub document: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item() -> ItemReport {
        let Value::Object(details) = json!({"sizes": [1, 2]}) else { unreachable!() };
        ItemReport {
            request_id: "r-1".to_owned(),
            item: "m-1".to_owned(),
            class: Class::ForPerson,
            outcome: "held".to_owned(),
            reason: Some("not found: a start time".to_owned()),
            facts: vec![("size".to_owned(), "3".to_owned())],
            duration_ms: 1.5,
            details,
        }
    }

    #[test]
    fn a_line_of_each_kind_reads_back_as_it_was() {
        let Value::Object(document) = json!({"id": "CHG-1"}) else { unreachable!() };
        let output = Output { kind: "maintenance".to_owned(), facts: Vec::new(), document };
        let start = Start { build: "0a1b2c3d4e5f6071".to_owned() };
        for report in [Report::Start(start), Report::Item(Box::new(item())), Report::Output(Box::new(output))] {
            let line = serde_json::to_string(&report).unwrap();
            assert_eq!(serde_json::from_str::<Report>(&line).unwrap(), report, "{line}");
        }
    }

    #[test]
    fn the_least_that_a_function_may_write_is_read_and_other_lines_are_not() {
        let least = r#"{"report":"item","request_id":"r","item":"1","class":"done","outcome":"sent","_aws":{}}"#;
        let Report::Item(read) = serde_json::from_str(least).unwrap() else { panic!("{least}") };
        assert_eq!((read.class, read.outcome.as_str(), read.facts.len()), (Class::Done, "sent", 0));
        for other in [r#"{"report":"echo","size":1}"#, r#"{"report":"item","class":"odd"}"#, "{}", "3"] {
            assert!(serde_json::from_str::<Report>(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_shortened_report_keeps_its_counts() {
        let (item, short) = (item(), item().shortened());
        assert_eq!((short.class, &short.outcome, &short.facts), (item.class, &item.outcome, &item.facts));
        assert_eq!(short.reason.unwrap(), "not found: a start time; the details are too long for the log");
        assert!(short.details.is_empty());
    }
}
