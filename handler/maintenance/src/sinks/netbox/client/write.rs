//! Writes to NetBox. Nothing here is retried: [`crate::sinks::netbox::converge`] reads again to find out whether a request without
//! an answer has had its effect.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Client, PLUGIN,
    body::{MESSAGE, all, bytes, changelog_message, one},
    lookup::{WireEvent, WireImpact},
    notices,
    plugin::{NOTICES_PATH, Spoken},
    plugin_version::PluginVersion,
};
use crate::sinks::netbox::{
    claim::Claimant,
    ids::{EventId, ProviderId},
    records::{Action, Fault, Past, Pause, Performed, Records},
    stored::{StoredEvent, StoredImpact},
};

/// Key of the time zone, in our records and in `netbox-circuitmaintenance`.
const TIME_ZONE: &str = "time_zone";

impl Records for Client {
    async fn events(&self, provider: ProviderId, names: &[String]) -> Result<Vec<StoredEvent>, Fault> {
        self.look_up(async |spoken| self.events_named(spoken, provider, names).await).await
    }

    async fn events_by_id(&self, ids: &[EventId]) -> Result<Vec<StoredEvent>, Fault> {
        self.events_with_ids(self.spoken().await?, ids).await
    }

    async fn past(&self, provider: ProviderId, names: &[String]) -> Result<Past, Fault> {
        self.past_of(self.spoken().await?, provider, names).await
    }

    fn shows_past(&self) -> bool {
        self.has_history()
    }

    async fn impacts(&self, events: &[EventId]) -> Result<Vec<StoredImpact>, Fault> {
        self.impacts_of(self.spoken().await?, events).await
    }

    async fn mails(&self, event: EventId) -> Result<BTreeSet<String>, Fault> {
        self.fingerprints(event).await
    }

    fn takes_twins(&self) -> bool {
        self.shown.age() > PluginVersion::Current
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn perform(&self, action: &Action, by: &Claimant) -> Result<Performed, Fault> {
        let spoken = self.spoken().await?;
        let message = &changelog_message(action.reason(), &by.source);
        let (events, impacts) = (spoken.events(), spoken.impacts());
        match action {
            Action::Create(event) => self.event(spoken, "POST", &events, None, one(event, message)?).await,
            Action::Update { event, etag, change, .. } => {
                self.event(spoken, "PATCH", &format!("{events}{event}/"), Some(etag), one(change, message)?).await
            }
            Action::AddImpacts(new) => match spoken {
                Spoken::CircuitMaintenance => self.impacts_written(spoken, "POST", &impacts, &all(new, message)?).await,
                Spoken::Notices(types) => {
                    let new: Vec<_> = new.iter().map(|new| notices::impact(new, types)).collect();
                    self.impacts_written(spoken, "POST", &impacts, &all(&new, message)?).await
                }
            },
            Action::ChangeImpacts(changes) => {
                self.impacts_written(spoken, "PATCH", &impacts, &all(changes, message)?).await
            }
            Action::RemoveImpacts(removed) => {
                let ids: Vec<_> = removed.iter().map(|id| json!({"id": id, MESSAGE: message})).collect();
                self.call("DELETE", &impacts, None, Some(&bytes(&ids)?)).await.map(|_| Performed::Done)
            }
            Action::MoveNotifications { from, to } => self.move_notifications(spoken, (*from, *to), message).await,
        }
    }

    async fn pause(&self, pause: Pause) {
        let about = match pause {
            Pause::Contention(time) => Duration::from_millis(40).saturating_mul(time.min(15)),
            Pause::Trouble(time) => Duration::from_millis(150) * 2_u32.pow(time.min(5)),
        };
        self.wait(about).await;
    }
}

impl Client {
    async fn event(
        &self,
        spoken: Spoken,
        method: &str,
        path: &str,
        etag: Option<&str>,
        mut body: Value,
    ) -> Result<Performed, Fault> {
        let key = if spoken == Spoken::CircuitMaintenance { TIME_ZONE } else { "original_timezone" };
        let zone = body.as_object_mut().and_then(|fields| fields.remove(TIME_ZONE));
        let without_zone = bytes(&body)?;
        let sent = match zone {
            None => self.json(method, path, etag, Some(&without_zone)).await,
            Some(zone) => {
                if let Some(fields) = body.as_object_mut() {
                    fields.insert(key.to_owned(), zone);
                }
                match self.json(method, path, etag, Some(&bytes(&body)?)).await {
                    // NetBox may know fewer zones than we do. A maintenance is not kept back for that.
                    Err(Fault::Rejected(said)) if said.contains(key) => {
                        self.json(method, path, etag, Some(&without_zone)).await
                    }
                    sent => sent,
                }
            }
        };
        let event: WireEvent = sent?;
        Ok(Performed::Event(Box::new(self.stored(spoken, event))))
    }

    async fn impacts_written(
        &self,
        spoken: Spoken,
        method: &str,
        path: &str,
        body: &[Value],
    ) -> Result<Performed, Fault> {
        let body = bytes(&body)?;
        Ok(Performed::Impacts(match spoken {
            Spoken::CircuitMaintenance => {
                let written: Vec<WireImpact> = self.json(method, path, None, Some(&body)).await?;
                written.into_iter().map(StoredImpact::from).collect()
            }
            Spoken::Notices(types) => {
                let written: Vec<notices::WireImpact> = self.json(method, path, None, Some(&body)).await?;
                written.into_iter().filter_map(|written| written.stored(types)).collect()
            }
        }))
    }

    async fn move_notifications(
        &self,
        spoken: Spoken,
        (from, to): (EventId, EventId),
        message: &str,
    ) -> Result<Performed, Fault> {
        let (path, link) = match spoken {
            Spoken::CircuitMaintenance => (format!("{PLUGIN}/circuitmaintenancenotifications/"), "circuitmaintenance"),
            Spoken::Notices(_) => (format!("{NOTICES_PATH}/eventnotification/"), "event_object_id"),
        };
        let linked = self.linked(spoken, from).await?;
        let changes: Vec<_> = linked.iter().map(|id| json!({"id": id, link: to, MESSAGE: message})).collect();
        if !changes.is_empty() {
            self.call("PATCH", &path, None, Some(&bytes(&changes)?)).await?;
        }
        Ok(Performed::Done)
    }
}
