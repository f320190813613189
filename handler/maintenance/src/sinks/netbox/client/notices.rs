//! Impacts and notifications of `netbox-notices`, which belong to objects of any content type, given by number.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Client,
    plugin::{NOTICES_PATH, Types},
};
use crate::sinks::netbox::{
    ids::{CircuitId, EventId, ImpactId, NotificationId},
    records::{Fault, NewImpact},
    stored::StoredImpact,
};
use notice::model::Impact;

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

impl Client {
    /// Returns the impacts of these events on circuits.
    pub(super) async fn notices_impacts(&self, types: Types, events: &[EventId]) -> Result<Vec<StoredImpact>, Fault> {
        let fields = "fields=id,event_content_type,event_object_id,target_content_type,target_object_id,impact";
        let query = format!("{fields}&{OF_MAINTENANCES}&target_content_type=circuits.circuit");
        let ids = events.iter().map(ToString::to_string);
        let found: Vec<WireImpact> =
            self.list_any(&format!("{NOTICES_PATH}/impact/"), &query, "event_object_id", ids).await?;
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
        let found: Vec<Linked> = self.list(&format!("{NOTICES_PATH}/eventnotification/"), &query).await?;
        let is_asked =
            |found: &&Linked| found.event_content_type == types.maintenance && found.event_object_id == event;
        Ok(found.iter().filter(is_asked).map(|found| found.id).collect())
    }
}
