//! Reads the notices of a carrier that `provision` does not know, and leaves every other mail to its parsers.

use std::{io, process::ExitCode};

use contract::{
    context::Context,
    receipt_event::ReceiptEvent,
    report::{Class, ItemReport},
};
use mail::Mail;
use notice::json::OutcomeRecord;
use runtime::{
    Invocation, S3, answer,
    environment::{Aws, ConfigurationError, Reader},
    log::Log,
    start,
    store::ObjectSource,
};
use serde_json::{Value, json};

fn main() -> ExitCode {
    start(configuration, serve)
}

fn configuration(variable: &dyn Fn(&str) -> Option<String>) -> Result<(Context, Aws), ConfigurationError> {
    let mut reader = Reader::new(variable);
    let both = reader.context().zip(reader.aws());
    reader.finish(both)
}

async fn serve((context, aws): (Context, Aws)) -> ExitCode {
    let (objects, log) = (S3::new(&aws), Log::new(&context, io::stdout()));
    answer("NotRead", async |invocation: Invocation<ReceiptEvent>| {
        for record in &invocation.event.records {
            let id = record.ses.mail.message_id.as_deref().ok_or("a record has no message id")?;
            let bytes = fetch(&objects, &context, id).await?;
            let report = report(&Mail::decode(&bytes));
            let report = ItemReport { request_id: invocation.request_id.clone(), item: id.to_owned(), ..report };
            log.item(report, &[]).map_err(|error| error.to_string())?;
        }
        Ok::<_, String>("done")
    })
    .await
}

/// Reads a mail from the first place that has it. A mail that is not there is an error, which Lambda retries.
async fn fetch(objects: &S3, context: &Context, id: &str) -> Result<Vec<u8>, String> {
    for place in &context.mail {
        let key = format!("{}{id}", place.prefix);
        if let Some(bytes) = objects.get(&place.bucket, &key).await.map_err(|error| error.to_string())? {
            return Ok(bytes);
        }
    }
    Err(format!("mail {id} is in none of the places of this function"))
}

/// Reads a mail, with our own carrier first.
fn report(mail: &Mail) -> ItemReport {
    let (outcome, details) = match harbour_fibre(mail) {
        Some(maintenance) => ("maintenance", json!({"maintenances": [maintenance], "suggestion": []})),
        None => {
            let outcome = carriers::parse(mail);
            let record = OutcomeRecord::from(&outcome);
            (record.outcome, json!({"maintenances": record.maintenances, "suggestion": record.suggestion}))
        }
    };
    let class = match outcome {
        "maintenance" => Class::Done,
        "ignored" => Class::Ignored,
        _ => Class::ForPerson,
    };
    let details = details.as_object().cloned().unwrap_or_default();
    ItemReport { class, outcome: outcome.to_owned(), details, ..ItemReport::default() }
}

/// Reads a notice of Harbour Fibre: lines of label and value, times in seconds since the epoch. `None` for any other mail, and for a
/// notice that lacks something: no value is invented.
fn harbour_fibre(mail: &Mail) -> Option<Value> {
    let text = mail.texts.first()?;
    let value = |label: &str| text.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(": ")).map(str::trim);
    let number = |label: &str| value(label)?.parse::<i64>().ok();
    let from = mail.inner().sender.as_ref()?.address.clone();
    from.ends_with("@harbour-fibre.example").then_some(())?;
    Some(json!({
        "provider": "harbour-fibre",
        "account": value("Customer")?,
        "maintenance_id": value("Work order")?,
        "status": "CONFIRMED",
        "circuits": [{"circuit_id": value("Service")?, "impact": "OUTAGE"}],
        "start": number("Begins")?,
        "end": number("Ends")?,
        "stamp": number("Announced")?,
        "organizer": from,
        "uid": "0",
        "sequence": 1,
        "summary": mail.inner().bare_subject(),
    }))
}
