//! Notifications: the mails, linked to events or, without one, in the queue of what a person has to look at.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, PLUGIN, Page, encoded, lookup::Nested, write::bytes};
use crate::netbox::{claim::fingerprint, ids::EventId, records::Fault};

/// So few that an answer stays small, whatever the bodies.
const PAGE: usize = 5;
/// Further back nobody looks.
const MOST_PAGES: usize = 20;

/// A mail to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotification {
    /// The event; `None` for a person to look at.
    pub event: Option<EventId>,
    /// The decoded body, not blank.
    pub body: String,
    /// At most 500 characters, not empty.
    pub subject: String,
    /// A bare address.
    pub sender: String,
    /// When SES received it.
    pub received_at: Timestamp,
}

/// A mail that is stored.
#[derive(Debug, Clone, Deserialize)]
pub struct StoredNotification {
    #[serde(rename = "circuitmaintenance")]
    event: Option<Nested<EventId>>,
    email_body: String,
    subject: String,
    email_from: String,
}

impl StoredNotification {
    /// The event that it belongs to.
    pub fn event(&self) -> Option<EventId> {
        self.event.map(|event| event.id)
    }

    /// What it says.
    pub fn body(&self) -> &str {
        &self.email_body
    }
}

/// Which notifications to look for.
#[derive(Debug, Clone, Copy)]
pub enum Among {
    /// Those of this event.
    Event(EventId),
    /// Those of none.
    Unlinked,
    /// All that came at that time.
    Received(Timestamp),
}

impl Client {
    /// Whether a notification with this one's subject and sender is as asked; the newest are looked at first.
    pub async fn any_notification(
        &self,
        like: &NewNotification,
        among: Among,
        is: impl Fn(&StoredNotification) -> bool,
    ) -> Result<bool, Fault> {
        let filter = match among {
            Among::Event(event) => format!("&circuitmaintenance={event}"),
            Among::Unlinked => "&has_maintenance=false".to_owned(),
            Among::Received(time) => format!("&email_received={}", encoded(&time.to_string())),
        };
        let query = format!(
            "fields=id,circuitmaintenance,email_body,subject,email_from&ordering=-id&subject={}&email_from={}{filter}",
            encoded(&like.subject),
            encoded(&like.sender)
        );
        for page in 0..MOST_PAGES {
            let path = format!("{PLUGIN}/circuitmaintenancenotifications/?{query}&limit={PAGE}&offset={}", page * PAGE);
            let page: Page<StoredNotification> = self.get(&path).await?;
            let asked = |found: &&StoredNotification| {
                found.subject == like.subject
                    && found.email_from.eq_ignore_ascii_case(&like.sender)
                    && match among {
                        Among::Event(event) => found.event() == Some(event),
                        Among::Unlinked => found.event().is_none(),
                        Among::Received(_) => true,
                    }
            };
            if page.results.iter().filter(asked).any(&is) {
                return Ok(true);
            }
            if page.next.is_none() {
                break;
            }
        }
        Ok(false)
    }

    /// The fingerprints of an event's notifications.
    pub(super) async fn fingerprints(&self, event: EventId) -> Result<BTreeSet<String>, Fault> {
        let query = format!("fields=id,circuitmaintenance,email_body,subject,email_from&circuitmaintenance={event}");
        let mut found = BTreeSet::new();
        for page in 0.. {
            let path = format!("{PLUGIN}/circuitmaintenancenotifications/?{query}&limit={PAGE}&offset={}", page * PAGE);
            let page: Page<StoredNotification> = self.get(&path).await?;
            let stored = page.results.iter().filter(|stored| stored.event() == Some(event));
            found.extend(stored.map(|stored| fingerprint(&stored.subject, &stored.email_from, &stored.email_body)));
            if page.next.is_none() || page.results.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// Stores mails: all or none.
    pub async fn notify(&self, mails: &[NewNotification]) -> Result<(), Fault> {
        let old = self.old_spelling.load(Ordering::Relaxed);
        match self.notify_spelled(mails, old).await {
            // Until 0.7 the field was misspelt. The answer names the field that is missing.
            Err(Fault::Rejected(said)) if said.contains("email_recieved") && !old => {
                self.old_spelling.store(true, Ordering::Relaxed);
                self.notify_spelled(mails, true).await
            }
            other => other,
        }
    }

    async fn notify_spelled(&self, mails: &[NewNotification], old: bool) -> Result<(), Fault> {
        let received = if old { "email_recieved" } else { "email_received" };
        let list: Vec<Value> = mails
            .iter()
            .map(|mail| {
                json!({
                    "circuitmaintenance": mail.event,
                    "email_body": mail.body,
                    "subject": mail.subject,
                    "email_from": mail.sender,
                    received: mail.received_at,
                })
            })
            .collect();
        let path = format!("{PLUGIN}/circuitmaintenancenotifications/");
        self.call("POST", &path, None, Some(&bytes(&list)?)).await.map(|_| ())
    }
}
