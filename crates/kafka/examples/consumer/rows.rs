//! The rows: one per message, known by its `dedup-id`, so that a message that comes twice is one row.

use events::Message;
use rusqlite::{Connection, params};

/// Table of the messages. `dedup_id` is the key: Kafka, SNS and this consumer may all deliver twice.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS mail_events (
    dedup_id TEXT PRIMARY KEY, store_id TEXT NOT NULL, message_id TEXT NOT NULL, notify_type TEXT NOT NULL, notify_subtype TEXT,
    from_email TEXT, to_email TEXT, send_domain TEXT, recipient_domain TEXT, send_ip TEXT, platform TEXT NOT NULL,
    created_at TEXT NOT NULL, delivery_code INTEGER NOT NULL, delivery_message TEXT NOT NULL, template_id TEXT, send_at TEXT,
    email_id TEXT NOT NULL, event_day TEXT NOT NULL
) STRICT";

/// A row that is about to be written.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Header `dedup-id` of the record.
    pub(crate) dedup_id: String,
    /// Value of the record.
    pub(crate) message: Message,
}

/// Makes the table if it is not there.
pub(crate) fn prepare(database: &Connection) -> rusqlite::Result<()> {
    database.execute(TABLE, []).map(drop)
}

/// Writes rows, all or none. A row that is there already stays as it is. Returns the number of new rows.
pub(crate) fn write(database: &mut Connection, rows: &[Row]) -> rusqlite::Result<usize> {
    let transaction = database.transaction()?;
    let mut new = 0;
    for Row { dedup_id, message } in rows {
        new += transaction.execute(
            "INSERT INTO mail_events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
             ON CONFLICT (dedup_id) DO NOTHING",
            params![
                dedup_id,
                message.store_id,
                message.message_id,
                message.notify_type,
                message.notify_subtype,
                message.from_email,
                message.to_email,
                message.send_domain,
                message.recipient_domain,
                message.send_ip,
                message.platform,
                message.created_at,
                message.delivery_code,
                message.delivery_message,
                message.template_id,
                message.send_at,
                message.email_id,
                message.event_day,
            ],
        )?;
    }
    transaction.commit()?;
    Ok(new)
}
