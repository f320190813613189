//! Renders sent mails and their events.

use std::time::Duration;

use events::Message;
use kafka::Entry;
use sending::{Request, Sending, Sent};
use serde_json::{Value, json};

use super::{Printer, VERSION, look::clean};
use crate::ops::{send::Place, sent::Mail, track::Address};

/// Prints what would be sent or, with the message id of `--sent-as`, recorded as sent.
pub(crate) fn would_send(printer: &Printer, request: &Request, place: &Place<Address<'_>>, sent_as: Option<&str>) {
    let to: Vec<&str> = request.recipients().map(|recipient| recipient.address.as_str()).collect();
    if printer.is_json() {
        let document = json!({
            "version": VERSION,
            "outcome": "not_sent",
            "sent_as": sent_as,
            "request": request.digest(),
            "from": request.from.address,
            "to": to,
            "configuration_set": request.configuration_set,
            "table": place.records.table(),
            "in_database": place.records.database().is_some(),
            "bucket": place.bodies.as_ref().map(|bodies| &bodies.bucket),
        });
        printer.data(&document.to_string());
        return;
    }
    let (would, not) = match sent_as {
        None => ("would be sent".to_owned(), "nothing was sent"),
        Some(id) => (format!("would be recorded as {id}, sent"), "nothing was recorded"),
    };
    let (from, to, set) = (&request.from.address, to.join(", "), &request.configuration_set);
    printer.data(&clean(&format!("{would} from {from} to {to} with the configuration set {set}; {not}")));
}

/// Prints the end of a run.
pub(crate) fn sent(printer: &Printer, end: &Sending) {
    let (word, id, Sent { message_id, at }) = match end {
        Sending::Sent { record, sent } => ("sent", &record.id, sent),
        Sending::AlreadySent { id, sent } => ("already_sent", id, sent),
    };
    if printer.is_json() {
        let document = json!({
            "version": VERSION,
            "outcome": word,
            "message_id": message_id,
            "mail_id": id,
            "sent_at": at.to_string(),
        });
        printer.data(&document.to_string());
        return;
    }
    let message_id = clean(message_id);
    printer.data(&match end {
        Sending::Sent { .. } => format!("sent as {message_id} at {at}"),
        Sending::AlreadySent { .. } => format!("sent already, as {message_id} at {at}: nothing was sent now"),
    });
}

/// Prints a record of the topic; with `--json` as one line.
pub(crate) fn message(printer: &Printer, entry: &Entry) -> serde_json::Result<()> {
    if printer.is_json() {
        printer.data(&serde_json::to_string(&document(entry))?);
        return Ok(());
    }
    let Entry { partition, offset, .. } = entry;
    match &entry.message {
        Ok(message) => printer.data(&line(message, true)),
        Err(reason) => printer.line(&format!("partition {partition}, offset {offset}: {reason}")),
    }
    Ok(())
}

/// Prints that nothing came after which nothing more does.
pub(crate) fn nothing_final(printer: &Printer, waited: Duration) {
    printer.line(&format!(
        "No delivery, bounce or complaint came in {} s: `provision logs` and `provision status` show whether the function works",
        waited.as_secs()
    ));
}

/// Prints what is known of mails, each with its messages in the order in which they happened.
pub(crate) fn timeline(printer: &Printer, what: &str, mails: &[Mail]) -> serde_json::Result<()> {
    if printer.is_json() {
        let mails: Vec<Value> = mails.iter().map(mail_document).collect();
        printer.data(&serde_json::to_string(&json!({"version": VERSION, "mails": mails}))?);
        return Ok(());
    }
    if mails.is_empty() {
        printer.line(&format!("Nothing is known of {} in that time; `--since 30d` looks further back", clean(what)));
    }
    for mail in mails {
        printer.data(&clean(&heading(mail)));
        if let Some(record) = &mail.record {
            let at = record.send_time.as_deref().unwrap_or("an unknown time");
            let status = record.status.as_deref().unwrap_or("there");
            printer.data(&clean(&format!("  {at}  recorded as {status}  {}", record.to.join(", "))));
        }
        for message in &mail.messages {
            printer.data(&format!("  {}", line(message, false)));
        }
    }
    Ok(())
}

/// Renders a mail: `0107-1 from orders@shop.example at 2027-01-05T11:00:00.000Z, template order`.
fn heading(mail: &Mail) -> String {
    let (first, record) = (mail.messages.first(), mail.record.as_ref());
    let id = mail.message_id().map_or_else(
        || {
            let own = record.and_then(|record| record.mail_id.as_deref()).unwrap_or("an unknown mail");
            format!("{own}, whose id at SES is not known,")
        },
        str::to_owned,
    );
    let from = first.and_then(|message| message.from_email.as_deref()).or_else(|| record?.from.as_deref());
    let template = mail.messages.iter().find_map(|message| message.template_id.as_deref());
    let template = template.or_else(|| record?.template_id.as_deref());
    let template = template.map(|template| format!(", template {template}")).unwrap_or_default();
    let at = mail.sent_at().unwrap_or("an unknown time");
    format!("{id} from {} at {at}{template}", from.unwrap_or("an unknown sender"))
}

fn mail_document(mail: &Mail) -> Value {
    let record = mail.record.as_ref().map(|record| {
        json!({
            "mail_id": record.mail_id,
            "status": record.status,
            "send_time": record.send_time,
            "from": record.from,
            "to": record.to,
            "template_id": record.template_id,
            "s3_key": record.s3_key,
        })
    });
    json!({"message_id": mail.message_id(), "record": record, "messages": mail.messages})
}

/// Renders a message: `2027-01-05T11:00:05.000Z bounce/General ada@example.org 0107-1 order`.
fn line(message: &Message, has_mail: bool) -> String {
    let subtype = message.notify_subtype.as_ref().map(|subtype| format!(" ({subtype})")).unwrap_or_default();
    let to = message.to_email.as_deref().unwrap_or("-");
    let mail = if has_mail {
        format!("  {} {}", message.message_id, message.template_id.as_deref().unwrap_or("-"))
    } else {
        String::new()
    };
    clean(&format!("{}  {}{subtype}  {to}{mail}", message.created_at, message.notify_type))
}

fn document(entry: &Entry) -> Value {
    let (message, reason) = match &entry.message {
        Ok(message) => (Some(message), None),
        Err(reason) => (None, Some(reason.to_string())),
    };
    json!({
        "partition": entry.partition,
        "offset": entry.offset,
        "written_at": entry.at.map(|at| at.to_string()),
        "dedup_id": entry.dedup_id,
        "message": message,
        "reason": reason,
    })
}
