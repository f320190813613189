//! Lines of logs: time, function, and what was written. Our own functions write JSON; people get the gist of it.

use console::Style;
use contract::report::{MailOutcome, MailReport, Report};
use serde_json::{Value, json};

use super::{
    Printer, VERSION,
    look::{Look, clean},
};
use crate::ops::log::Event;

/// Prints all events there are: lines, or the one JSON document.
pub(crate) fn all(printer: &Printer, events: &[Event], width: usize) -> serde_json::Result<()> {
    if printer.is_json() {
        printer.data(&serde_json::to_string(&json!({"version": VERSION, "events": events}))?);
        return Ok(());
    }
    some(printer, events, width)?;
    if events.is_empty() {
        printer.note("Nothing was logged since then; `--since 2d` looks further back");
    }
    Ok(())
}

/// Prints some more events; with `--json` one line for each.
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

/// One event; where what was written has several lines, each begins with time and function.
fn text(event: &Event, width: usize, look: &Look) -> String {
    let time = event.time.to_zoned(look.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
    let begin = format!("{} {:<width$}", look.paint(Style::new().dim(), &time), clean(&event.function));
    let lines = if event.message.is_empty() { vec![String::new()] } else { readable(&event.message, look) };
    lines.iter().map(|line| format!("{begin} {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// What was written, in lines that people read.
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

/// Lambda's own lines are less to look at than those of the function.
fn platform(line: &str, look: &Look) -> String {
    let is_platform = ["START RequestId:", "END RequestId:", "REPORT RequestId:", "INIT_START "];
    if is_platform.iter().any(|beginning| line.starts_with(beginning)) {
        return look.paint(Style::new().dim(), line);
    }
    line.to_owned()
}

/// A value of an object: a text without quotation marks if that leaves no doubt where it ends.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains([' ', '"', '=']) => text.clone(),
        other => other.to_string(),
    }
}

/// Outcome, provider, ids.
fn of_report(report: &Report) -> String {
    match report {
        Report::Mail(report) => of_mail(report),
        Report::Maintenance(delivered) => {
            let maintenance = &delivered.maintenance;
            let (id, status) = (&maintenance.maintenance_id, maintenance.status);
            format!("maintenance {} {id} {}, mail {}", delivered.provider_slug, plain(&json!(status)), delivered.mail)
        }
        Report::ForPerson(handed) => {
            format!("for a person {}/{}: {}, mail {}", handed.bucket, handed.key, handed.reason, handed.mail)
        }
    }
}

fn of_mail(report: &MailReport) -> String {
    let outcome = match report.outcome {
        MailOutcome::Delivered => "delivered",
        MailOutcome::Ignored => "ignored",
        MailOutcome::ForPerson => "for a person",
        MailOutcome::Retry => "retry",
    };
    let mut words = vec![format!("{outcome} {}", report.provider.as_deref().unwrap_or("unknown sender"))];
    let ids: Vec<&str> = report.maintenances.iter().map(|record| record.maintenance_id.as_ref()).collect();
    words.extend((!ids.is_empty()).then(|| ids.join(" ")));
    words.extend(report.reason.clone());
    words.extend(report.subject.as_ref().map(|subject| format!("\"{subject}\"")));
    words.extend(report.sender.as_ref().map(|sender| format!("from {sender}")));
    // Where it was looked for and not found, SES's id is all that leads to it.
    words.push(format!("mail {}", report.key.as_ref().unwrap_or(&report.ses_message_id)));
    words.push(format!("{:.1} ms", report.duration_ms));
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(message: &str) -> String {
        super::readable(message, &Look::plain()).join("\n")
    }

    #[test]
    fn a_report_tells_its_gist() {
        let mail = r#"{"report":"mail","request_id":"r-1","ses_message_id":"m-1","bucket":"mail","key":"inbound/m-1","message_id":null,"sender":"noc@carrier.example","subject":"Works","received_at":null,"provider":"carrier","recognised_by":null,"outcome":"delivered","reason":null,"verdicts":{},"maintenances":[{"provider":"Carrier","account":"Example","maintenance_id":"CHG-1","status":"CONFIRMED","circuits":[],"start":1798786800,"end":1798794000,"stamp":1798700000,"organizer":"noc@carrier.example","uid":"0","sequence":1,"summary":"Works"}],"suggestion":[],"duration_ms":1.5,"_aws":{}}"#;
        let expected = r#"delivered carrier, CHG-1, "Works", from noc@carrier.example, mail inbound/m-1, 1.5 ms"#;
        assert_eq!(readable(mail), expected);
        let person = r#"{"report":"for_person","mail":"1","bucket":"b","key":"k","reason":"not found: a start","suggestion":[]}"#;
        assert_eq!(readable(person), "for a person b/k: not found: a start, mail 1");
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
