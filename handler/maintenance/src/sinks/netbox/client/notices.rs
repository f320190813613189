//! The wire format of `netbox-notices`: impacts and notifications belong to objects of any content type, given by number.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, NewNotification, plugin::Types, write::MESSAGE};
use crate::sinks::netbox::{
    fields,
    ids::{CircuitId, EventId, ImpactId, NotificationId},
    records::{Fault, NewImpact},
    stored::StoredImpact,
};
use notice::model::Impact;

/// Path of the plugin in the API.
pub(super) const PART: &str = "/api/plugins/notices";
/// Filter for maintenances, in place of the content type's number.
pub(super) const OF_MAINTENANCES: &str = "event_content_type=notices.maintenance";

/// An impact as the plugin writes it.
#[derive(Debug, Deserialize)]
pub(super) struct WireImpact {
    id: ImpactId,
    event_content_type: u64,
    event_object_id: EventId,
    target_content_type: u64,
    target_object_id: CircuitId,
    impact: Option<String>,
}

impl WireImpact {
    /// Returns the impact; `None` if it is not a maintenance's on a circuit.
    pub(super) fn stored(self, types: Types) -> Option<StoredImpact> {
        let is_ours = self.event_content_type == types.maintenance && self.target_content_type == types.circuit;
        is_ours.then(|| StoredImpact {
            id: self.id,
            event: self.event_object_id,
            circuit: self.target_object_id,
            impact: self.impact.as_deref().and_then(Impact::from_word),
        })
    }
}

/// Returns an impact as the plugin takes it.
pub(super) fn impact(new: &NewImpact, types: Types) -> Value {
    json!({
        "event_content_type": types.maintenance,
        "event_object_id": new.event,
        "target_content_type": types.circuit,
        "target_object_id": new.circuit,
        "impact": new.impact,
    })
}

/// Returns a mail as the plugin takes it.
pub(super) fn notification(mail: &NewNotification, types: Types) -> Value {
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

impl Client {
    /// Returns the impacts of these events on circuits.
    pub(super) async fn notices_impacts(&self, types: Types, events: &[EventId]) -> Result<Vec<StoredImpact>, Fault> {
        let fields = "fields=id,event_content_type,event_object_id,target_content_type,target_object_id,impact";
        let query = format!("{fields}&{OF_MAINTENANCES}&target_content_type=circuits.circuit");
        let ids = events.iter().map(ToString::to_string);
        let found: Vec<WireImpact> = self.list_any(&format!("{PART}/impact/"), &query, "event_object_id", ids).await?;
        let stored = found.into_iter().filter_map(|found| found.stored(types));
        Ok(stored.filter(|impact| events.contains(&impact.event)).collect())
    }

    /// Returns the ids of an event's notifications.
    pub(super) async fn notices_linked(&self, types: Types, event: EventId) -> Result<Vec<NotificationId>, Fault> {
        #[derive(Deserialize)]
        struct Linked {
            id: NotificationId,
            event_content_type: u64,
            event_object_id: EventId,
        }
        let query = format!("fields=id,event_content_type,event_object_id&{OF_MAINTENANCES}&event_object_id={event}");
        let found: Vec<Linked> = self.list(&format!("{PART}/eventnotification/"), &query).await?;
        let is_asked =
            |found: &&Linked| found.event_content_type == types.maintenance && found.event_object_id == event;
        Ok(found.iter().filter(is_asked).map(|found| found.id).collect())
    }
}
