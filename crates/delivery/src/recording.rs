//! The sender's side: a record before the mail, SES's id after it.

use contract::sending::MailId;
use jiff::Timestamp;
use mysql_async::{Conn, Params, TxOpts, prelude::Queryable};

use crate::{
    Database, Fault, Status,
    store::{instant, read_instant, rising, row, text_of},
};

/// A mail that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Sender's own id, which goes with the mail as the tag [`contract::sending::TAG`].
    pub mail_id: MailId,
    /// Bare address of the sender.
    pub sender: String,
    /// Sender's own name for the kind of mail; `None` if there is none.
    pub template_id: Option<String>,
    /// Digest of the request to send, of 64 lower-case hex digits: one mail is begun for it; `None` if the sender does not tell requests apart.
    pub request: Option<String>,
    /// Key of the body in S3; `None` if it is not kept.
    pub body_key: Option<String>,
    /// Time at which it is begun.
    pub at: Timestamp,
}

/// A request to send a mail, as the database has recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Sender's own id of the mail.
    pub mail_id: MailId,
    /// Time at which it was begun.
    pub begun_at: Timestamp,
    /// Key of the body in S3; `None` if it is not kept.
    pub body_key: Option<String>,
    /// SES's id, and the time of sending; `None` if SES's answer is not known.
    pub sent: Option<(String, Timestamp)>,
}

/// A row of `sent_mail`: mail id, time of the beginning, key of the body, SES's id, time of sending.
type Row = (String, String, Option<String>, Option<String>, Option<String>);

/// Records mails in a database. Every step can be done again.
#[derive(Debug, Clone, Copy)]
pub struct Recording<'database>(pub &'database Database);

impl Recording<'_> {
    /// Returns what is known of a request; `None` if nothing is.
    pub async fn find(&self, request: &str) -> Result<Option<Recorded>, Fault> {
        let statement = format!(
            "SELECT mail_id, {}, body_key, message_id, {} FROM sent_mail WHERE request = ?",
            text_of("begun_at"),
            text_of("sent_at")
        );
        let found: Option<Row> =
            self.0.run(async |connection| connection.exec_first(&statement, (request,)).await).await?;
        let Some((mail_id, begun_at, body_key, message_id, sent_at)) = found else { return Ok(None) };
        let unread = || Fault::Away("the record of the request cannot be read".to_owned());
        let begun_at = read_instant(&begun_at).ok_or_else(unread)?;
        // An event that came before SES's answer was learned has noted the id.
        let at = sent_at.as_deref().and_then(read_instant).unwrap_or(begun_at);
        let mail_id = MailId::read(&mail_id).ok_or_else(unread)?;
        Ok(Some(Recorded { mail_id, begun_at, body_key, sent: message_id.map(|id| (id, at)) }))
    }

    /// Writes that a mail is about to be sent; returns `false`, and writes nothing, if another mail was begun for the same request. The
    /// events of a mail can come before SES's answer to its sender: they find this record by the tag that they carry.
    pub async fn begin(&self, mail: &Begun) -> Result<bool, Fault> {
        const WRITE: &str = "INSERT INTO sent_mail (mail_id, sender, template_id, request, body_key, begun_at) VALUES (?, ?, ?, ?, ?, ?)
            ON DUPLICATE KEY UPDATE mail_id = sent_mail.mail_id";
        const LOOK: &str = "SELECT 1 FROM sent_mail WHERE mail_id = ?";
        let Begun { mail_id, sender, template_id, request, body_key, at } = mail;
        self.0
            .run(async |connection| {
                let values = (mail_id.as_str(), sender.to_lowercase(), template_id, request, body_key, instant(*at));
                connection.exec_drop(WRITE, values).await?;
                let ours: Option<u8> = connection.exec_first(LOOK, (mail_id.as_str(),)).await?;
                Ok(ours.is_some())
            })
            .await
    }

    /// Writes that SES has accepted a mail under that id, for these recipients. Events that came before have a status already, which stays
    /// if it is greater.
    pub async fn confirm(
        &self,
        mail: &Begun,
        message_id: &str,
        recipients: &[String],
        at: Timestamp,
    ) -> Result<(), Fault> {
        self.0.run(async |connection| confirm(connection, mail, message_id, recipients, at).await).await
    }

    /// Removes the record of a mail that SES has refused.
    pub async fn withdraw(&self, mail_id: &MailId) -> Result<(), Fault> {
        const STATEMENT: &str = "DELETE FROM sent_mail WHERE mail_id = ? AND message_id IS NULL";
        self.0.run(async |connection| connection.exec_drop(STATEMENT, (mail_id.as_str(),)).await).await
    }
}

async fn confirm(
    connection: &mut Conn,
    mail: &Begun,
    message_id: &str,
    recipients: &[String],
    at: Timestamp,
) -> mysql_async::Result<()> {
    const RECORD: &str = "INSERT INTO sent_mail (mail_id, message_id, sender, template_id, request, body_key, begun_at, sent_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE message_id = COALESCE(sent_mail.message_id, VALUES(message_id)), sent_at = VALUES(sent_at)";
    // What came before the record, for recipients that the mail does not name: a list that was resolved, an alias.
    const REST: &str = "UPDATE mail SET sent_at = ? WHERE message_id = ? AND sent_at IS NULL";
    let mut transaction = connection.start_transaction(TxOpts::default()).await?;
    let Begun { mail_id, sender, template_id, request, body_key, at: begun } = mail;
    let (begun_at, sent_at) = (instant(*begun), instant(at));
    let values =
        (mail_id.as_str(), message_id, sender.to_lowercase(), template_id, request, body_key, begun_at, sent_at);
    transaction.exec_drop(RECORD, values).await?;
    let mut recipients: Vec<String> = recipients.iter().map(|recipient| recipient.to_lowercase()).collect();
    recipients.sort_unstable();
    recipients.dedup();
    if !recipients.is_empty() {
        let values = recipients.iter().flat_map(|recipient| row(message_id, recipient, Status::Sent, at, Some(*begun)));
        transaction.exec_drop(rising(recipients.len()), Params::Positional(values.collect())).await?;
    }
    transaction.exec_drop(REST, (instant(*begun), message_id)).await?;
    transaction.commit().await
}
