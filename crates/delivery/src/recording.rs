//! The sender's side: a record before the mail, SES's id after it.

use contract::sending::MailId;
use jiff::Timestamp;
use mysql_async::{Conn, Params, TxOpts, prelude::Queryable};

use crate::{
    Database, Fault, Status,
    store::{instant, rising, row},
};

/// A mail that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Sender's own id, which goes with the mail as the tag [`contract::sending::TAG`].
    pub mail_id: MailId,
    /// Sender's bare address.
    pub sender: String,
    /// Sender's own name for the kind of mail; `None` if there is none.
    pub template_id: Option<String>,
    /// Time at which it is begun.
    pub at: Timestamp,
}

/// Records mails in a database. Every step can be done again.
#[derive(Debug, Clone, Copy)]
pub struct Recording<'database>(pub &'database Database);

impl Recording<'_> {
    /// Writes that a mail is about to be sent. The events of a mail can come before SES's answer to its sender: they find this record by the
    /// tag that they carry.
    pub async fn begin(&self, mail: &Begun) -> Result<(), Fault> {
        const STATEMENT: &str = "INSERT INTO sent_mail (mail_id, sender, template_id, begun_at) VALUES (?, ?, ?, ?)
            ON DUPLICATE KEY UPDATE mail_id = sent_mail.mail_id";
        let Begun { mail_id, sender, template_id, at } = mail;
        self.0
            .run(async |connection| {
                let values = (mail_id.as_str(), sender.to_lowercase(), template_id, instant(*at));
                connection.exec_drop(STATEMENT, values).await
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
    const RECORD: &str = "INSERT INTO sent_mail (mail_id, message_id, sender, template_id, begun_at, sent_at) VALUES (?, ?, ?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE message_id = COALESCE(sent_mail.message_id, VALUES(message_id)), sent_at = VALUES(sent_at)";
    // What came before the record, for recipients that the mail does not name: a list that was resolved, an alias.
    const REST: &str = "UPDATE mail SET sent_at = ? WHERE message_id = ? AND sent_at IS NULL";
    let mut transaction = connection.start_transaction(TxOpts::default()).await?;
    let Begun { mail_id, sender, template_id, at: begun } = mail;
    let values = (mail_id.as_str(), message_id, sender.to_lowercase(), template_id, instant(*begun), instant(at));
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
