//! Reads what became of mails, for people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mysql_async::Value;
use serde::Serialize;

use crate::{
    Database, Fault, Status,
    store::{instant, read, read_instant, rows, text_of},
};

/// Which mails are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The mail with that id of SES.
    Mail(String),
    /// The mails to that address, the latest first.
    Recipient(String),
    /// All mails whose status is of that time or later, the latest first.
    Since(Timestamp),
    /// The mails without a sender's record whose status is older than that time: parked, and not only early.
    ParkedBefore(Timestamp),
}

/// A mail for one recipient, with its status and its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tracked {
    /// SES's id of the mail.
    pub message_id: String,
    /// Recipient's bare address in small letters; empty if the events name nobody.
    pub recipient: String,
    /// Status, in the database's word.
    pub status: String,
    /// Time since which it has the status.
    pub status_at: Timestamp,
    /// Time at which its sender began it; `None` as long as no sender's record is known.
    pub sent_at: Option<Timestamp>,
    /// Number of times that it was opened.
    pub opens: usize,
    /// Number of times that a link in it was followed.
    pub clicks: usize,
    /// Events of the mail, the first first.
    pub events: Vec<Happened>,
}

/// An event of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Happened {
    /// Time of the event.
    pub at: Timestamp,
    /// Type of the event, in SES's word.
    pub kind: String,
    /// Subtype or reason in the event; `None` if it states none.
    pub subtype: Option<String>,
}

/// A row of `mail`: id, recipient, status and its time, time of sending.
type Row = (String, String, String, String, Option<String>);

impl Database {
    /// Returns what became of the mails that are meant, `most` at most.
    pub async fn tracked(&self, selection: &Selection, most: u32) -> Result<Vec<Tracked>, Fault> {
        let (condition, value) = match selection {
            Selection::Mail(id) => ("message_id = ? ORDER BY recipient", id.clone()),
            Selection::Recipient(address) => {
                ("recipient = ? ORDER BY status_at DESC, message_id", address.to_lowercase())
            }
            Selection::Since(at) => ("status_at >= ? ORDER BY status_at DESC, message_id, recipient", instant(*at)),
            Selection::ParkedBefore(at) => {
                ("sent_at IS NULL AND status_at < ? ORDER BY status_at DESC, message_id, recipient", instant(*at))
            }
        };
        let statement = format!(
            "SELECT message_id, recipient, status, {}, {} FROM mail WHERE {condition} LIMIT {most}",
            text_of("status_at"),
            text_of("sent_at")
        );
        self.run(async |connection| {
            let found: Vec<Row> = read(connection, &statement, vec![Value::from(&value)]).await?;
            let mut all: Vec<Tracked> = found.into_iter().filter_map(tracked).collect();
            for some in all.chunks_mut(500) {
                add_events(connection, some).await?;
            }
            Ok(all)
        })
        .await
    }
}

/// Returns a row as a value; `None` if it has a time that no column can hold.
fn tracked((message_id, recipient, status, status_at, sent_at): Row) -> Option<Tracked> {
    let (status_at, sent_at) = (read_instant(&status_at)?, sent_at.as_deref().and_then(read_instant));
    Some(Tracked { message_id, recipient, status, status_at, sent_at, opens: 0, clicks: 0, events: Vec::new() })
}

/// Adds their events to mails.
async fn add_events(connection: &mut mysql_async::Conn, mails: &mut [Tracked]) -> mysql_async::Result<()> {
    let statement = format!(
        "SELECT message_id, recipient, kind, {}, subtype FROM mail_event WHERE (message_id, recipient) IN ({})
         ORDER BY at, event_id",
        text_of("at"),
        rows(mails.len(), "(?,?)")
    );
    let keys = mails.iter().flat_map(|mail| [Value::from(&mail.message_id), Value::from(&mail.recipient)]).collect();
    let mut events: BTreeMap<(String, String), Vec<Happened>> = BTreeMap::new();
    for (message_id, recipient, kind, at, subtype) in read::<Row>(connection, &statement, keys).await? {
        let Some(at) = read_instant(&at) else { continue };
        events.entry((message_id, recipient)).or_default().push(Happened { at, kind, subtype });
    }
    for mail in mails {
        mail.events = events.remove(&(mail.message_id.clone(), mail.recipient.clone())).unwrap_or_default();
        let count = |status| mail.events.iter().filter(|event| status_of(&event.kind) == Some(status)).count();
        (mail.opens, mail.clicks) = (count(Status::Opened), count(Status::Clicked));
    }
    Ok(())
}

fn status_of(kind: &str) -> Option<Status> {
    match events::Kind::of(kind) {
        events::Kind::Open => Some(Status::Opened),
        events::Kind::Click => Some(Status::Clicked),
        _ => None,
    }
}
