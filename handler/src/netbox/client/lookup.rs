//! Look-ups of providers, circuits, events and impacts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Client, PLUGIN, encoded, notices, plugin::Spoken};
use crate::{
    maintenance::model::Impact,
    netbox::{
        fields,
        ids::{CircuitId, EventId, ImpactId, ProviderId},
        note::Note,
        records::Fault,
        stored::{EventStatus, StoredCircuit, StoredEvent, StoredImpact, StoredProvider},
        wanted::Circuits,
    },
};

const EVENT_FIELDS: &str = "fields=id,name,summary,status,provider,start,end,acknowledged,comments,last_updated";

/// An object inside another.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Nested<Id> {
    pub(super) id: Id,
}

/// An event as NetBox writes it.
#[derive(Debug, Deserialize)]
pub(super) struct WireEvent {
    id: EventId,
    name: String,
    summary: String,
    status: EventStatus,
    provider: Nested<ProviderId>,
    start: Timestamp,
    end: Timestamp,
    #[serde(default)]
    acknowledged: Option<bool>,
    #[serde(default)]
    comments: String,
    last_updated: String,
}

impl From<WireEvent> for StoredEvent {
    fn from(wire: WireEvent) -> Self {
        // NetBox makes the tag of this time; lists do not carry it.
        let etag = format!("W/\"{}\"", wire.last_updated.replace('Z', "+00:00"));
        Self {
            id: wire.id,
            name: wire.name,
            summary: wire.summary,
            status: wire.status,
            start: wire.start,
            end: wire.end,
            acknowledged: wire.acknowledged.unwrap_or(false),
            note: Note::read(&wire.comments),
            comments: wire.comments,
            etag,
        }
    }
}

/// An impact as NetBox writes it.
#[derive(Debug, Deserialize)]
pub(super) struct WireImpact {
    id: ImpactId,
    circuitmaintenance: Nested<EventId>,
    circuit: Nested<CircuitId>,
    impact: Option<String>,
}

impl From<WireImpact> for StoredImpact {
    fn from(wire: WireImpact) -> Self {
        Self {
            id: wire.id,
            event: wire.circuitmaintenance.id,
            circuit: wire.circuit.id,
            impact: wire.impact.as_deref().and_then(Impact::from_word),
        }
    }
}

impl Client {
    /// The provider with that slug and those of its circuits that have one of these CIDs, in one look-up. `None` if there is no such
    /// provider, or it has none of them.
    pub async fn circuits_of_slug(
        &self,
        slug: &str,
        cids: &BTreeSet<&str>,
    ) -> Result<Option<(StoredProvider, Circuits)>, Fault> {
        let found = match self.circuits(&format!("provider={}", encoded(slug)), cids).await {
            Ok(found) => found,
            // A slug that no provider has is no valid choice of this filter.
            Err(Fault::Rejected(_)) => return Ok(None),
            Err(other) => return Err(other),
        };
        let found: Vec<_> = found.into_iter().filter(|circuit| circuit.provider.slug == slug).collect();
        let provider = found.first().map(|circuit| circuit.provider.clone());
        Ok(provider.map(|provider| (provider, by_cid(found))))
    }

    /// Those of a provider's circuits that have one of these CIDs.
    pub async fn circuits_of(&self, provider: ProviderId, cids: &BTreeSet<&str>) -> Result<Circuits, Fault> {
        let found = self.circuits(&format!("provider_id={provider}"), cids).await?;
        Ok(by_cid(found.into_iter().filter(|circuit| circuit.provider.id == provider)))
    }

    async fn circuits(&self, filter: &str, cids: &BTreeSet<&str>) -> Result<Vec<StoredCircuit>, Fault> {
        // What NetBox could not hold need not be asked for; an empty filter would be ignored.
        let can_be = |cid: &&&str| {
            !cid.is_empty() && cid.chars().count() <= fields::LONGEST_NAME && !cid.chars().any(char::is_control)
        };
        let asked = cids.iter().filter(can_be).map(|cid| (*cid).to_owned());
        let query = format!("fields=id,cid,provider&{filter}");
        let found: Vec<StoredCircuit> = self.list_any("/api/circuits/circuits/", &query, "cid", asked).await?;
        Ok(found.into_iter().filter(|circuit| cids.contains(circuit.cid.as_str())).collect())
    }

    /// The provider with that slug.
    pub async fn provider_by_slug(&self, slug: &str) -> Result<Option<StoredProvider>, Fault> {
        let found = self.providers("slug", slug).await?;
        Ok(found.into_iter().find(|provider| provider.slug == slug))
    }

    /// The providers with that name, compared without case.
    pub async fn providers_by_name(&self, name: &str) -> Result<Vec<StoredProvider>, Fault> {
        let found = self.providers("name__ie", name).await?;
        Ok(found.into_iter().filter(|provider| provider.name.to_lowercase() == name.to_lowercase()).collect())
    }

    async fn providers(&self, field: &str, value: &str) -> Result<Vec<StoredProvider>, Fault> {
        let value = fields::line(value);
        if value.is_empty() {
            return Ok(Vec::new());
        }
        self.list("/api/circuits/providers/", &format!("fields=id,name,slug&{field}={}", encoded(&value))).await
    }

    /// The provider's events with one of these names.
    pub(super) async fn events_named(
        &self,
        spoken: Spoken,
        provider: ProviderId,
        names: &[String],
    ) -> Result<Vec<StoredEvent>, Fault> {
        let (path, filter) = match spoken {
            Spoken::CircuitMaintenance => (format!("{PLUGIN}/circuitmaintenance/"), "provider"),
            Spoken::Notices(_) => (format!("{}/maintenance/", notices::PART), "provider_id"),
        };
        let query = format!("{EVENT_FIELDS}&{filter}={provider}");
        let found: Vec<WireEvent> = self.list_any(&path, &query, "name", names.iter().cloned()).await?;
        let asked = |event: &WireEvent| event.provider.id == provider && names.contains(&event.name);
        Ok(found.into_iter().filter(asked).map(StoredEvent::from).collect())
    }

    /// The impacts of these events. The filter takes one event: of several, it would go by the last.
    pub(super) async fn impacts_of(&self, spoken: Spoken, events: &[EventId]) -> Result<Vec<StoredImpact>, Fault> {
        if let Spoken::Notices(types) = spoken {
            return self.notices_impacts(types, events).await;
        }
        let path = format!("{PLUGIN}/circuitmaintenanceimpact/");
        let mut all = Vec::new();
        for event in events {
            let query = format!("fields=id,circuitmaintenance,circuit,impact&circuitmaintenance={event}");
            let found: Vec<WireImpact> = self.list(&path, &query).await?;
            all.extend(found.into_iter().map(StoredImpact::from).filter(|impact| impact.event == *event));
        }
        Ok(all)
    }
}

fn by_cid(circuits: impl IntoIterator<Item = StoredCircuit>) -> Circuits {
    circuits.into_iter().map(|circuit| (circuit.cid, circuit.id)).collect()
}
