//! Renders what became of mails, and the suppression list: for people, as JSON, as CSV.

use delivery::{Happened, Tracked};
use jiff::Timestamp;
use serde_json::json;

use super::{Printer, VERSION, look::clean};
use crate::ops::track::Suppressed;

/// The forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text of 80 columns for people.
    Text,
    /// JSON, all in one document.
    Json,
    /// Lines with a header (RFC 4180).
    Csv,
}

/// The mails that were found.
#[derive(Debug)]
pub(crate) struct Found<'found> {
    /// Mails, one for each recipient, the latest first.
    pub(crate) mails: &'found [Tracked],
    /// `true` if there are more than these.
    pub(crate) has_more: bool,
    /// `true` if SES tells of openings; `None` if the declaration does not say.
    pub(crate) opens: Option<bool>,
}

/// Prints mails with their events.
pub(crate) fn mails(printer: &Printer, format: Format, found: &Found<'_>) -> anyhow::Result<()> {
    let Found { mails, has_more, opens } = found;
    match format {
        Format::Json => {
            let document = json!({"version": VERSION, "mails": mails, "has_more": has_more, "tells_of_opens": opens});
            printer.data(&document.to_string());
            return Ok(());
        }
        Format::Csv => printer.data(&mails_csv(mails)?),
        Format::Text if mails.is_empty() => printer.line("Nothing is known of it"),
        Format::Text => printer.data(&printer.look().fit(&mails_text(mails))),
    }
    if *has_more {
        printer.line(&format!("There are more than {}: `--limit` shows them", mails.len()));
    }
    if *opens == Some(false) {
        const OFF: &str = "Nobody sees who has read a mail: no configuration set has the event type `open`";
        printer.line(OFF);
    }
    Ok(())
}

/// Renders mails in the order in which they come, those of one id together.
fn mails_text(mails: &[Tracked]) -> String {
    let mut lines = Vec::new();
    let mut last = None;
    for mail in mails {
        if last != Some(&mail.message_id) {
            lines.push(clean(&mail.message_id));
            last = Some(&mail.message_id);
        }
        lines.push(format!("  {}", clean(recipient(mail))));
        lines.extend([state(mail), record(mail)].map(|words| format!("    {words}")));
        lines.extend(mail.events.iter().map(|event| format!("    {}", happened(event))));
    }
    lines.join("\n")
}

fn recipient(mail: &Tracked) -> &str {
    if mail.recipient.is_empty() { "nobody in particular" } else { &mail.recipient }
}

/// Returns the status of a mail in words: `opened since 2027-01-05T11:00:30Z, 2 opens`.
fn state(mail: &Tracked) -> String {
    let count = |number: usize, one: &str, more: &str| match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{number} {more}")),
    };
    let counts = [count(mail.opens, "open", "opens"), count(mail.clicks, "click", "clicks")];
    let status = clean(&mail.status.replace('_', " "));
    let first = format!("{status} since {}", short(mail.status_at));
    std::iter::once(first).chain(counts.into_iter().flatten()).collect::<Vec<_>>().join(", ")
}

/// Returns what is known of the sender's record.
fn record(mail: &Tracked) -> String {
    match mail.sent_at {
        Some(at) => format!("sent {}", short(at)),
        None => "parked: no sender has recorded it".to_owned(),
    }
}

fn happened(event: &Happened) -> String {
    let subtype = event.subtype.as_ref().map(|subtype| format!(" ({subtype})")).unwrap_or_default();
    clean(&format!("{}  {}{subtype}", short(event.at), event.kind))
}

/// Returns a time to the second.
fn short(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn mails_csv(mails: &[Tracked]) -> anyhow::Result<String> {
    let header = [
        "message_id",
        "recipient",
        "status",
        "status_at",
        "sent_at",
        "opens",
        "clicks",
        "event_at",
        "event",
        "subtype",
    ];
    let rows = mails.iter().flat_map(|mail| {
        let of_mail = [
            mail.message_id.clone(),
            mail.recipient.clone(),
            mail.status.clone(),
            mail.status_at.to_string(),
            mail.sent_at.map(|at| at.to_string()).unwrap_or_default(),
            mail.opens.to_string(),
            mail.clicks.to_string(),
        ];
        let events = mail
            .events
            .iter()
            .map(|event| [event.at.to_string(), event.kind.clone(), event.subtype.clone().unwrap_or_default()]);
        // A mail without an event has its line, too.
        let none = mail.events.is_empty().then(Default::default);
        events.chain(none).map(move |event| of_mail.iter().cloned().chain(event).collect())
    });
    table(&header, rows)
}

/// Prints the suppression list.
pub(crate) fn suppressed(printer: &Printer, format: Format, list: &[Suppressed]) -> anyhow::Result<()> {
    let since = |one: &Suppressed| one.since.map(short).unwrap_or_default();
    match format {
        Format::Json => printer.data(&json!({"version": VERSION, "suppressed": list}).to_string()),
        Format::Csv => {
            let rows = list.iter().map(|one| vec![one.address.clone(), one.reason.clone(), since(one)]);
            printer.data(&table(&["address", "reason", "since"], rows)?);
        }
        Format::Text if list.is_empty() => printer.line("The suppression list is empty: SES sends to everybody"),
        Format::Text => {
            for one in list {
                printer.data(&clean(&format!("{:20}  {:9}  {}", since(one), one.reason.to_lowercase(), one.address)));
            }
        }
    }
    Ok(())
}

/// Renders a table as CSV, without the end of its last line.
fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| plain(cell)))?;
    }
    let text = String::from_utf8(writer.into_inner()?)?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// Returns a cell that moves no cursor and that no spreadsheet takes for a formula: a mail's events quote what other servers say.
fn plain(cell: &str) -> String {
    let cell = clean(cell);
    if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u32) -> Timestamp {
        format!("2027-01-05T11:00:{second:02}.250Z").parse().unwrap()
    }

    fn mail(recipient: &str, status: &str, sent: bool) -> Tracked {
        let event = |second, kind: &str, subtype: Option<&str>| Happened {
            at: at(second),
            kind: kind.to_owned(),
            subtype: subtype.map(str::to_owned),
        };
        Tracked {
            message_id: "0107018f3c1d2e4b-8c9d0e1f-0a1b-2c3d-4e5f-6a7b8c9d0e1f-000000".to_owned(),
            recipient: recipient.to_owned(),
            status: status.to_owned(),
            status_at: at(9),
            sent_at: sent.then(|| at(0)),
            opens: 2,
            clicks: 1,
            events: vec![event(1, "Send", None), event(9, "Bounce", Some("Transient/=Mailbox\u{1b}Full, \"now\""))],
        }
    }

    #[test]
    fn mails_fit_eighty_columns_and_move_no_cursor() {
        let mails = [mail("ada@example.org", "soft_bounced", true), mail("", "opened", false)];
        let text = mails_text(&mails);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let expected = "\
0107018f3c1d2e4b-8c9d0e1f-0a1b-2c3d-4e5f-6a7b8c9d0e1f-000000
  ada@example.org
    soft bounced since 2027-01-05T11:00:09Z, 2 opens, 1 click
    sent 2027-01-05T11:00:00Z
    2027-01-05T11:00:01Z  Send
    2027-01-05T11:00:09Z  Bounce (Transient/=Mailbox\u{fffd}Full, \"now\")
  nobody in particular
    opened since 2027-01-05T11:00:09Z, 2 opens, 1 click
    parked: no sender has recorded it
    2027-01-05T11:00:01Z  Send
    2027-01-05T11:00:09Z  Bounce (Transient/=Mailbox\u{fffd}Full, \"now\")";
        assert_eq!(text, expected);
    }

    #[test]
    fn csv_quotes_and_has_no_formulas() {
        let mut first = mail("=1+1@example.org", "opened", true);
        first.events.remove(0);
        let mut second = mail("b@example.org", "sent", false);
        second.events.clear();
        let id = &second.message_id.clone();
        let expected = format!(
            "message_id,recipient,status,status_at,sent_at,opens,clicks,event_at,event,subtype\n\
             {id},'=1+1@example.org,opened,2027-01-05T11:00:09.25Z,2027-01-05T11:00:00.25Z,2,1,2027-01-05T11:00:09.25Z,Bounce,\
             \"Transient/=Mailbox\u{fffd}Full, \"\"now\"\"\"\n\
             {id},b@example.org,sent,2027-01-05T11:00:09.25Z,,2,1,,,"
        );
        assert_eq!(mails_csv(&[first, second]).unwrap(), expected);
    }
}
