//! Notifications: the mails, linked to events or, without one, in the queue of mails for a person.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Client, PLUGIN, Page,
    body::{MESSAGE, bytes},
    encoded,
    lookup::Nested,
    notices,
    plugin::{NOTICES_PATH, Spoken, Types},
    plugin_version::PluginVersion,
};
use crate::sinks::netbox::{
    fields,
    ids::{EventId, NotificationId},
    mark::{Mark, Role},
    records::Fault,
};

/// Page size, small so that an answer stays small, whatever the bodies.
const PAGE: usize = 5;
/// Maximum number of pages that are searched.
const MOST_PAGES: usize = 20;

/// A mail to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotification {
    /// Event that it belongs to; `None` for a person to look at.
    pub event: Option<EventId>,
    /// Body, with the mark at its end.
    pub body: String,
    /// Mark that tells the mail from others.
    pub mark: Mark,
    /// Subject, not empty, at most 500 characters.
    pub subject: String,
    /// Sender, as a bare address.
    pub sender: String,
    /// Time at which SES received it.
    pub received_at: Timestamp,
    /// Message for NetBox's changelog.
    pub message: String,
}

/// A mail as NetBox has stored it.
#[derive(Debug, Clone, Deserialize)]
struct StoredNotification {
    id: NotificationId,
    #[serde(rename = "circuitmaintenance", default)]
    event: Option<Nested<EventId>>,
    /// Object that it belongs to, of `netbox-notices`; that object may lack a window.
    #[serde(default)]
    event_object_id: Option<EventId>,
    #[serde(default)]
    event_content_type: Option<u64>,
    email_body: String,
    subject: String,
    email_from: String,
}

impl StoredNotification {
    /// Returns the event that it belongs to.
    fn event(&self, spoken: Spoken) -> Option<EventId> {
        match spoken {
            Spoken::CircuitMaintenance => self.event.map(|event| event.id),
            Spoken::Notices(types) => {
                self.event_object_id.filter(|_| self.event_content_type == Some(types.maintenance))
            }
        }
    }
}

/// The notifications among which one is looked for.
#[derive(Debug, Clone, Copy)]
pub enum Among {
    /// Notifications of this event.
    Event(EventId),
    /// Notifications without an event.
    Unlinked,
    /// Notifications that were received at that time.
    Received(Timestamp),
}

/// Returns a mail as `netbox-notices` takes it.
fn notices_notification(mail: &NewNotification, types: Types) -> Value {
    json!({
        "event_content_type": types.maintenance,
        "event_object_id": mail.event,
        "email_body": mail.body,
        "subject": fields::cut(&mail.subject, fields::SHORT_SUBJECT),
        "email_from": mail.sender,
        "email_received": mail.received_at,
        MESSAGE: mail.message,
    })
}

/// Returns the list of the notifications with the fields that we read; filters follow.
fn listed(spoken: Spoken) -> String {
    match spoken {
        Spoken::CircuitMaintenance => format!(
            "{PLUGIN}/circuitmaintenancenotifications/?fields=id,circuitmaintenance,email_body,subject,email_from"
        ),
        Spoken::Notices(_) => format!(
            "{NOTICES_PATH}/eventnotification/?fields=id,event_content_type,event_object_id,email_body,subject,email_from"
        ),
    }
}

/// Returns the filter that finds a subject however much of it the plugin has kept.
fn subject_filter(subject: &str) -> String {
    if subject.chars().count() <= fields::SHORT_SUBJECT {
        return format!("subject={}", encoded(subject));
    }
    let kept: String = subject.chars().take(fields::SHORT_SUBJECT - 1).collect();
    format!("subject__isw={}", encoded(kept.trim_end()))
}

impl Client {
    /// Returns the body of the notification with that mark; `None` if there is none. The newest are read first.
    pub async fn find_notification(&self, like: &NewNotification, among: Among) -> Result<Option<String>, Fault> {
        let found = self.look_up(async |spoken| self.find_spoken(spoken, like, among).await).await?;
        Ok(found.map(|found| found.email_body))
    }

    /// Takes the notification with that mark out of the queue of mails for a person, if it is there: it then belongs to an event.
    pub async fn take_from_queue(&self, like: &NewNotification, event: EventId) -> Result<(), Fault> {
        let found = self.look_up(async |spoken| self.find_spoken(spoken, like, Among::Unlinked).await).await?;
        let Some(found) = found else { return Ok(()) };
        let path = format!("{PLUGIN}/circuitmaintenancenotifications/{}/", found.id);
        match self.call("PATCH", &path, None, Some(&bytes(&json!({"circuitmaintenance": event}))?)).await {
            // Somebody has removed it meanwhile.
            Err(Fault::Rejected(_)) | Ok(_) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    async fn find_spoken(
        &self,
        spoken: Spoken,
        like: &NewNotification,
        among: Among,
    ) -> Result<Option<StoredNotification>, Fault> {
        let filter = match (among, spoken) {
            (Among::Event(event), Spoken::CircuitMaintenance) => format!("&circuitmaintenance={event}"),
            (Among::Event(event), Spoken::Notices(_)) => {
                format!("&{}&event_object_id={event}", notices::OF_MAINTENANCES)
            }
            (Among::Received(time), _) => format!("&email_received={}", encoded(&time.to_string())),
            (Among::Unlinked, Spoken::CircuitMaintenance) => "&has_maintenance=false".to_owned(),
            (Among::Unlinked, Spoken::Notices(_)) => return Ok(None),
        };
        let subject = subject_filter(&like.subject);
        let short = |subject: &str| fields::cut(subject, fields::SHORT_SUBJECT);
        let listed = listed(spoken);
        // A version that does not know the filter of the mark answers with more.
        let (sender, mark) = (encoded(&like.sender), &like.mark.mail);
        let query = format!("&ordering=-id&{subject}&email_from={sender}{filter}&email_body__ic={mark}");
        for page in 0..MOST_PAGES {
            let path = format!("{listed}{query}&limit={PAGE}&offset={}", page * PAGE);
            let page: Page<StoredNotification> = self.get(&path).await?;
            let asked = |found: &StoredNotification| {
                short(&found.subject) == short(&like.subject)
                    && found.email_from.eq_ignore_ascii_case(&like.sender)
                    && match among {
                        Among::Event(event) => found.event(spoken) == Some(event),
                        Among::Unlinked => found.event(spoken).is_none(),
                        Among::Received(_) => true,
                    }
            };
            let is_it =
                |found: &StoredNotification| asked(found) && Mark::read(&found.email_body).as_ref() == Some(&like.mark);
            if let Some(found) = page.results.into_iter().find(is_it) {
                return Ok(Some(found));
            }
            if page.next.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// Returns the ids of an event's notifications. Before 0.8 the plugin lists those of all events, whichever is asked
    /// for, so no bodies are requested.
    pub(super) async fn linked(&self, spoken: Spoken, event: EventId) -> Result<Vec<NotificationId>, Fault> {
        #[derive(Deserialize)]
        struct Linked {
            id: NotificationId,
            circuitmaintenance: Option<Nested<EventId>>,
        }
        if let Spoken::Notices(types) = spoken {
            return self.notices_linked(types, event).await;
        }
        let path = format!("{PLUGIN}/circuitmaintenancenotifications/");
        let query = format!("fields=id,circuitmaintenance&circuitmaintenance={event}");
        let found: Vec<Linked> = self.list(&path, &query).await?;
        let is_asked = |found: &&Linked| found.circuitmaintenance.is_some_and(|linked| linked.id == event);
        Ok(found.iter().filter(is_asked).map(|found| found.id).collect())
    }

    /// Returns the fingerprints of an event's notifications. Those that were for a person say nothing of what is stored with the event.
    pub(super) async fn fingerprints(&self, event: EventId) -> Result<BTreeSet<String>, Fault> {
        let spoken = self.spoken().await?;
        let mut found = BTreeSet::new();
        for ids in self.linked(spoken, event).await?.chunks(PAGE) {
            let ids: Vec<String> = ids.iter().map(|id| format!("id={id}")).collect();
            let path = format!("{}&{}&limit={PAGE}", listed(spoken), ids.join("&"));
            let page: Page<StoredNotification> = self.get(&path).await?;
            let stored = page.results.iter().filter(|stored| stored.event(spoken) == Some(event));
            let marks = stored.filter_map(|stored| Mark::read(&stored.email_body));
            found.extend(marks.filter(|mark| mark.role == Role::OfEvent).map(|mark| mark.mail));
        }
        Ok(found)
    }

    /// Stores mails: all or none.
    pub async fn notify(&self, mails: &[NewNotification]) -> Result<(), Fault> {
        if let Spoken::Notices(types) = self.spoken().await? {
            if mails.iter().any(|mail| mail.event.is_none()) {
                return Err(Fault::Refused("netbox-notices stores no mail without an event".to_owned()));
            }
            let list: Vec<_> = mails.iter().map(|mail| notices_notification(mail, types)).collect();
            let path = format!("{NOTICES_PATH}/eventnotification/");
            return self.call("POST", &path, None, Some(&bytes(&list)?)).await.map(|_| ());
        }
        let has_unlinked = mails.iter().any(|mail| mail.event.is_none());
        let mut age = self.shown.age();
        loop {
            let stored = self.store(mails, age).await;
            if let Err(Fault::Rejected(said)) = &stored {
                self.shown.note(PluginVersion::told_by(said, has_unlinked));
            }
            // A version that does not take mails without an event is not asked again.
            if stored.is_ok() || has_unlinked || self.shown.age() == age {
                return stored;
            }
            age = self.shown.age();
        }
    }

    async fn store(&self, mails: &[NewNotification], age: PluginVersion) -> Result<(), Fault> {
        let list: Vec<Value> = mails
            .iter()
            .map(|mail| {
                json!({
                    "circuitmaintenance": mail.event,
                    "email_body": mail.body,
                    "subject": fields::cut(&mail.subject, age.longest_subject()),
                    "email_from": mail.sender,
                    age.received(): mail.received_at,
                    MESSAGE: mail.message,
                })
            })
            .collect();
        let path = format!("{PLUGIN}/circuitmaintenancenotifications/");
        self.call("POST", &path, None, Some(&bytes(&list)?)).await.map(|_| ())
    }
}
