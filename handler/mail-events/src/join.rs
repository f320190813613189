//! The join of an event with the sender's table: by SES's id of the mail, else by our own id, which the mail carries as a tag while SES's
//! is not in the table yet.

use std::time::Duration;

use contract::sending::{MailId, TAG, TEMPLATE_ID, partition_key, pending_sort_key, sort_key_start};
use events::Event;
use jiff::{SignedDuration, Timestamp};
use runtime::{
    Deadline,
    table::{NoItems, SortKey, Table},
};

/// First pause before a mail is looked for again; each one is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The sender's table of mails.
pub trait Mails {
    /// Returns the templates of a sender's items, in the order of their sort keys: `None` for an item without one.
    fn templates(
        &self,
        sender: &str,
        mail: SortKey<'_>,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Vec<Option<String>>, NoItems>>;
}

impl Mails for Table {
    async fn templates(
        &self,
        sender: &str,
        mail: SortKey<'_>,
        deadline: Deadline,
    ) -> Result<Vec<Option<String>>, NoItems> {
        self.query(sender, mail, TEMPLATE_ID, deadline).await
    }
}

/// Knowledge of the table about a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    /// It has the mail, with this template; `None` if the mail has none.
    Known(Option<String>),
    /// It does not have the mail.
    Unknown,
}

impl Joined {
    /// Returns the template of the mail; `None` if it has none or is not known.
    pub fn template(&self) -> Option<&str> {
        match self {
            Self::Known(template) => template.as_deref(),
            Self::Unknown => None,
        }
    }
}

/// Returns what the table knows of an event's mail. A mail younger than `patience` that it does not have is looked for again until it is
/// that old, or until the deadline: its item may be on its way. A table that cannot be asked is an error, since it may know the mail.
pub async fn join(mails: &impl Mails, event: &Event, patience: Duration, deadline: Deadline) -> Result<Joined, String> {
    let mut pause = FIRST_PAUSE;
    loop {
        let joined = look(mails, event, deadline).await.map_err(|error| error.to_string())?;
        let is_hopeless = joined != Joined::Unknown || event.sender().is_none();
        if is_hopeless || !is_young(event, patience) || deadline.left() < pause * 2 {
            return Ok(joined);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn look(mails: &impl Mails, event: &Event, deadline: Deadline) -> Result<Joined, NoItems> {
    let Some(sender) = event.sender() else { return Ok(Joined::Unknown) };
    let sender = partition_key(&sender);
    let sent = sort_key_start(event.message_id());
    let mut items = mails.templates(&sender, SortKey::BeginsWith(&sent), deadline).await?;
    if let (true, Some(id)) = (items.is_empty(), event.tag(TAG).and_then(MailId::read)) {
        items = mails.templates(&sender, SortKey::Is(&pending_sort_key(&id)), deadline).await?;
    }
    // Of several items the first one that names a template, in the order of their keys: the same for every event of the mail.
    let is_known = !items.is_empty();
    let template = items.into_iter().flatten().find(|template| !template.is_empty());
    Ok(if is_known { Joined::Known(template) } else { Joined::Unknown })
}

/// Returns whether the mail is younger than that; one whose time is unknown, or far in the future, is not.
fn is_young(event: &Event, patience: Duration) -> bool {
    let Some(sent_at) = event.sent_at() else { return false };
    let Ok(patience) = SignedDuration::try_from(patience) else { return false };
    let age = Timestamp::now().duration_since(sent_at);
    -patience < age && age < patience
}
