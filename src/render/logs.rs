//! Renders log lines: time, function, and text. Functions write JSON; people see its essence.

use console::Style;
use contract::report::{ItemReport, Report};
use serde_json::{Value, json};

use super::{
    Printer, VERSION,
    look::{Look, clean},
};
use crate::ops::log::Event;

/// Prints all events: lines, or the one JSON document.
pub(crate) fn all(printer: &Printer, events: &[Event], width: usize) -> serde_json::Result<()> {
    if printer.is_json() {
        printer.data(&serde_json::to_string(&json!({"version": VERSION, "events": events}))?);
        return Ok(());
    }
    some(printer, events, width)?;
    if events.is_empty() {
        printer.line("Nothing was logged since then; `--since 2d` looks further back");
    }
    Ok(())
}

/// Prints further events; with `--json` one line for each.
pub(crate) fn some(printer: &Printer, events: &[Event], width: usize) -> serde_json::Result<()> {
    for event in events {
        if printer.is_json() {
            printer.data(&serde_json::to_string(event)?);
        } else {
            printer.data(&text(event, width, printer.look()));
        }
    }
    Ok(())
}

/// Renders one event; if its text has several lines, each begins with time and function.
fn text(event: &Event, width: usize, look: &Look) -> String {
    let time = event.time.to_zoned(look.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
    let begin = format!("{} {:<width$}", look.paint(Style::new().dim(), &time), clean(&event.function));
    let lines = if event.message.is_empty() { vec![String::new()] } else { readable(&event.message, look) };
    lines.iter().map(|line| format!("{begin} {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Returns a log message in lines for people.
pub(super) fn readable(message: &str, look: &Look) -> Vec<String> {
    if let Ok(report) = serde_json::from_str::<Report>(message) {
        return vec![clean(&of_report(&report))];
    }
    match serde_json::from_str::<Value>(message) {
        Ok(Value::Object(object)) => {
            let words =
                object.iter().filter(|(key, _)| *key != "_aws").map(|(key, value)| format!("{key}={}", plain(value)));
            vec![clean(&words.collect::<Vec<_>>().join(" "))]
        }
        _ => message.lines().map(|line| platform(&clean(line), look)).collect(),
    }
}

/// Renders Lambda's own lines less prominently than those of the function.
fn platform(line: &str, look: &Look) -> String {
    let is_platform = ["START RequestId:", "END RequestId:", "REPORT RequestId:", "INIT_START "];
    if is_platform.iter().any(|beginning| line.starts_with(beginning)) {
        return look.paint(Style::new().dim(), line);
    }
    line.to_owned()
}

/// Renders a value of an object: a text without quotation marks if its end is unambiguous.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains([' ', '"', '=']) => text.clone(),
        other => other.to_string(),
    }
}

/// Renders a report in one line: the outcome or the kind, and the facts.
fn of_report(report: &Report) -> String {
    match report {
        Report::Start(start) => format!("started, build {}", start.build),
        Report::Item(report) => of_item(report),
        Report::Output(output) => words(&output.kind, &output.facts).join(", "),
    }
}

fn of_item(report: &ItemReport) -> String {
    let mut words = words(&report.outcome, &report.facts);
    words.extend(report.reason.iter().map(|reason| format!("because {reason}")));
    if report.facts.is_empty() {
        words.push(format!("item {}", report.item));
    }
    words.push(format!("{:.1} ms", report.duration_ms));
    words.join(", ")
}

/// Joins the facts; a text with white space or a comma is quoted, so that its end is unambiguous.
fn words(first: &str, facts: &[(String, String)]) -> Vec<String> {
    let fact = |(label, text): &(String, String)| {
        if text.contains([' ', ',']) { format!("{label} \"{text}\"") } else { format!("{label} {text}") }
    };
    std::iter::once(first.replace('_', " ")).chain(facts.iter().map(fact)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(message: &str) -> String {
        super::readable(message, &Look::plain()).join("\n")
    }

    #[test]
    fn a_report_tells_its_gist() {
        let item = r#"{"report":"item","request_id":"r-1","item":"m-1","class":"done","outcome":"delivered","facts":[["provider","carrier"],["maintenance","CHG-1"],["subject","Works at night"]],"duration_ms":1.5,"details":{"sizes":[1]},"_aws":{}}"#;
        assert_eq!(
            readable(item),
            r#"delivered, provider carrier, maintenance CHG-1, subject "Works at night", 1.5 ms"#
        );
        let least = r#"{"report":"item","request_id":"r-1","item":"m-1","class":"for_person","outcome":"for_person","reason":"odd"}"#;
        assert_eq!(readable(least), "for person, because odd, item m-1, 0.0 ms");
        assert_eq!(readable(r#"{"report":"start","build":"0a1b2c3d4e5f6071"}"#), "started, build 0a1b2c3d4e5f6071");
        let output = r#"{"report":"output","kind":"for_person","facts":[["mail","k"]],"bucket":"b"}"#;
        assert_eq!(readable(output), "for person, mail k");
    }

    #[test]
    fn any_other_document_is_told_by_its_keys_and_any_other_line_as_it_is() {
        let line = r#"{"report":"echo","subject":"two words","size":12,"stored":{"a":1},"_aws":{"Timestamp":1}}"#;
        assert_eq!(readable(line), r#"report=echo size=12 stored={"a":1} subject="two words""#);
        assert_eq!(readable("[1, 2]"), "[1, 2]");
        assert_eq!(readable("one\nt\u{1b}wo"), "one\nt\u{fffd}wo");
    }

    #[test]
    fn every_line_begins_with_its_time_and_its_function() {
        let event = Event {
            time: jiff::Timestamp::from_millisecond(1_772_438_401_250).unwrap(),
            function: "echo".to_owned(),
            stream: "s".to_owned(),
            id: "1".to_owned(),
            message: "one\ntwo".to_owned(),
        };
        let expected = "2026-03-02T08:00:01.250+00:00 echo   one\n2026-03-02T08:00:01.250+00:00 echo   two";
        assert_eq!(text(&event, 6, &Look::plain()), expected);
    }
}
