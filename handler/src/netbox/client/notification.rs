//! Notifications: the mails, linked to events or, without one, in the queue of what a person has to look at.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, PLUGIN, Page, encoded, lookup::Nested, notices, plugin::Spoken, write::bytes};
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
    #[serde(rename = "circuitmaintenance", default)]
    event: Option<Nested<EventId>>,
    /// The same, with `netbox-notices`, where it belongs to something that has no window too.
    #[serde(default)]
    event_object_id: Option<EventId>,
    #[serde(default)]
    event_content_type: Option<u64>,
    email_body: String,
    subject: String,
    email_from: String,
}

impl StoredNotification {
    /// The event that it belongs to.
    fn event(&self, spoken: Spoken) -> Option<EventId> {
        match spoken {
            Spoken::CircuitMaintenance => self.event.map(|event| event.id),
            Spoken::Notices(types) => {
                self.event_object_id.filter(|_| self.event_content_type == Some(types.maintenance))
            }
        }
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

/// The list of the notifications with the fields that we read; filters follow.
fn listed(spoken: Spoken) -> String {
    match spoken {
        Spoken::CircuitMaintenance => format!(
            "{PLUGIN}/circuitmaintenancenotifications/?fields=id,circuitmaintenance,email_body,subject,email_from"
        ),
        Spoken::Notices(_) => format!(
            "{}/eventnotification/?fields=id,event_content_type,event_object_id,email_body,subject,email_from",
            notices::PART
        ),
    }
}

impl Client {
    /// Whether a notification with this one's subject and sender is as asked; the newest are looked at first.
    pub async fn any_notification(
        &self,
        like: &NewNotification,
        among: Among,
        is: impl Fn(&StoredNotification) -> bool,
    ) -> Result<bool, Fault> {
        self.look_up(async |spoken| self.any_spoken(spoken, like, among, &is).await).await
    }

    async fn any_spoken(
        &self,
        spoken: Spoken,
        like: &NewNotification,
        among: Among,
        is: &impl Fn(&StoredNotification) -> bool,
    ) -> Result<bool, Fault> {
        let filter = match (among, spoken) {
            (Among::Event(event), Spoken::CircuitMaintenance) => format!("&circuitmaintenance={event}"),
            (Among::Event(event), Spoken::Notices(_)) => {
                format!("&{}&event_object_id={event}", notices::OF_MAINTENANCES)
            }
            (Among::Received(time), _) => format!("&email_received={}", encoded(&time.to_string())),
            (Among::Unlinked, Spoken::CircuitMaintenance) => "&has_maintenance=false".to_owned(),
            (Among::Unlinked, Spoken::Notices(_)) => return Ok(false),
        };
        let subject = match spoken {
            Spoken::CircuitMaintenance => like.subject.clone(),
            Spoken::Notices(_) => notices::subject(&like.subject),
        };
        let listed = listed(spoken);
        let query = format!("&ordering=-id&subject={}&email_from={}{filter}", encoded(&subject), encoded(&like.sender));
        for page in 0..MOST_PAGES {
            let path = format!("{listed}{query}&limit={PAGE}&offset={}", page * PAGE);
            let page: Page<StoredNotification> = self.get(&path).await?;
            let asked = |found: &&StoredNotification| {
                found.subject == subject
                    && found.email_from.eq_ignore_ascii_case(&like.sender)
                    && match among {
                        Among::Event(event) => found.event(spoken) == Some(event),
                        Among::Unlinked => found.event(spoken).is_none(),
                        Among::Received(_) => true,
                    }
            };
            if page.results.iter().filter(asked).any(is) {
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
        let spoken = self.spoken().await?;
        let filter = match spoken {
            Spoken::CircuitMaintenance => format!("circuitmaintenance={event}"),
            Spoken::Notices(_) => format!("{}&event_object_id={event}", notices::OF_MAINTENANCES),
        };
        let listed = listed(spoken);
        let mut found = BTreeSet::new();
        for page in 0.. {
            let path = format!("{listed}&{filter}&limit={PAGE}&offset={}", page * PAGE);
            let page: Page<StoredNotification> = self.get(&path).await?;
            let stored = page.results.iter().filter(|stored| stored.event(spoken) == Some(event));
            found.extend(stored.map(|stored| fingerprint(&stored.subject, &stored.email_from, &stored.email_body)));
            if page.next.is_none() || page.results.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// Stores mails: all or none.
    pub async fn notify(&self, mails: &[NewNotification]) -> Result<(), Fault> {
        if let Spoken::Notices(types) = self.spoken().await? {
            if mails.iter().any(|mail| mail.event.is_none()) {
                return Err(Fault::Refused("netbox-notices stores no mail without an event".to_owned()));
            }
            let list: Vec<_> = mails.iter().map(|mail| notices::notification(mail, types)).collect();
            let path = format!("{}/eventnotification/", notices::PART);
            return self.call("POST", &path, None, Some(&bytes(&list)?)).await.map(|_| ());
        }
        let old = self.old_spelling.load(Ordering::Relaxed);
        match self.notify_spelled(mails, old).await {
            // Until 0.7 the field was misspelt. The answer names the field that is missing.
            Err(Fault::Rejected(said)) if said.contains("email_recieved") && !old => {
                self.old_spelling.store(true, Ordering::Relaxed);
                self.notify_spelled(mails, true).await
            }
            other => other,
        }
        .inspect_err(|fault| {
            // Until 0.7 each mail had to have an event. The answer names the field that may not be null.
            let is_null = |said: &str| said.contains("\"circuitmaintenance\"") && said.contains("may not be null");
            if matches!(fault, Fault::Rejected(said) if is_null(said)) && mails.iter().any(|mail| mail.event.is_none())
            {
                self.no_queue.store(true, Ordering::Relaxed);
            }
        })
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
