//! Looks up providers, circuits, events and impacts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Client, plugin::Spoken, plugin_version::PluginVersion};
use crate::sinks::netbox::{
    circuits::NamedCircuit,
    fields,
    ids::{CircuitId, EventId, ImpactId, ProviderId},
    note::Note,
    records::Fault,
    stored::{HANDS_OFF, StoredCircuit, StoredEvent, StoredImpact, StoredProvider},
};
use notice::model::Impact;
use schedule::EventStatus;

const EVENT_FIELDS: &str = "fields=id,name,summary,status,provider,start,end,acknowledged,comments,last_updated,time_zone,original_timezone,tags";

/// Maximum number of pages of a provider's circuits.
const MOST_CIRCUIT_PAGES: usize = 25;

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
    #[serde(default)]
    tags: Vec<Tag>,
    /// Time zone; sent by `netbox-circuitmaintenance` 0.8 and newer only.
    #[serde(default)]
    time_zone: Option<String>,
    /// Time zone; sent by `netbox-notices` only.
    #[serde(default)]
    original_timezone: Option<String>,
}

/// A tag, which people alone set.
#[derive(Debug, Deserialize)]
struct Tag {
    name: String,
}

impl From<WireEvent> for StoredEvent {
    fn from(wire: WireEvent) -> Self {
        // NetBox derives the `ETag` from this time; lists do not contain the `ETag`.
        let etag = format!("W/\"{}\"", wire.last_updated.replace('Z', "+00:00"));
        Self {
            id: wire.id,
            name: wire.name,
            summary: wire.summary,
            status: wire.status,
            start: wire.start,
            end: wire.end,
            zone: wire.time_zone.or(wire.original_timezone).filter(|zone| !zone.is_empty()),
            acknowledged: wire.acknowledged.unwrap_or(false),
            is_tagged: wire.tags.iter().any(|tag| tag.name.trim().eq_ignore_ascii_case(HANDS_OFF)),
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

/// A circuit as NetBox writes it.
#[derive(Debug, Deserialize)]
struct WireCircuit {
    id: CircuitId,
    cid: String,
    provider: Nested<ProviderId>,
    #[serde(default)]
    termination_a: Option<WireEnd>,
    #[serde(default)]
    termination_z: Option<WireEnd>,
    #[serde(default)]
    custom_fields: serde_json::Map<String, Value>,
}

/// An end of a circuit.
#[derive(Debug, Deserialize)]
struct WireEnd {
    #[serde(default)]
    xconnect_id: Option<String>,
}

impl WireCircuit {
    fn named(self, aliases: Option<&str>) -> NamedCircuit {
        let ends = [self.termination_a, self.termination_z].into_iter().flatten();
        let cross_connects = ends.filter_map(|end| end.xconnect_id).filter(|id| !id.trim().is_empty()).collect();
        let value = aliases.and_then(|field| self.custom_fields.get(field));
        NamedCircuit { id: self.id, cid: self.cid, aliases: value.map(names).unwrap_or_default(), cross_connects }
    }
}

/// Returns the names in a custom field, whatever its type: the text as a whole, each of its parts, or each value of a list.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => {
            let parts = text.split(['\n', '\r', ',', ';']);
            let all = std::iter::once(text.as_str()).chain(parts).map(|name| name.trim().to_owned());
            let names: BTreeSet<String> = all.filter(|name| !name.is_empty()).collect();
            names.into_iter().collect()
        }
        Value::Number(number) => vec![number.to_string()],
        Value::Array(values) => values.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

impl Client {
    /// Returns the circuits with one of these CIDs, of any provider.
    pub async fn circuits(&self, cids: &BTreeSet<&str>) -> Result<Vec<StoredCircuit>, Fault> {
        // A value that NetBox could not hold is not looked up; an empty filter would be ignored.
        let can_be = |cid: &&&str| {
            !cid.is_empty() && cid.chars().count() <= fields::LONGEST_NAME && !cid.chars().any(char::is_control)
        };
        let asked = cids.iter().filter(can_be).map(|cid| (*cid).to_owned());
        let found: Vec<StoredCircuit> =
            self.list_any("/api/circuits/circuits/", "fields=id,cid,provider", "cid", asked).await?;
        Ok(found.into_iter().filter(|circuit| cids.contains(circuit.cid.as_str())).collect())
    }

    /// Returns all circuits of a provider with everything that people may call them; `aliases` is the custom field with other names. `None`
    /// if there are too many for the time that is left.
    pub async fn all_circuits(
        &self,
        provider: ProviderId,
        aliases: Option<&str>,
    ) -> Result<Option<Vec<NamedCircuit>>, Fault> {
        let fields = if aliases.is_some() { ",custom_fields" } else { "" };
        let query =
            format!("fields=id,cid,provider,termination_a,termination_z{fields}&provider_id={provider}&ordering=id");
        let listed: Option<Vec<WireCircuit>> =
            self.list_up_to("/api/circuits/circuits/", &query, MOST_CIRCUIT_PAGES).await?;
        let ours = |listed: Vec<WireCircuit>| {
            let ours = listed.into_iter().filter(|circuit| circuit.provider.id == provider);
            ours.map(|circuit| circuit.named(aliases)).collect()
        };
        Ok(listed.map(ours))
    }

    /// Returns the providers whose field has one of these values; others may be among them.
    pub async fn providers(&self, field: &str, values: &[String]) -> Result<Vec<StoredProvider>, Fault> {
        let values = values.iter().map(|value| fields::line(value)).filter(|value| !value.is_empty());
        self.list_any("/api/circuits/providers/", "fields=id,name,slug", field, values).await
    }

    /// Returns the provider's events with one of these names.
    pub(super) async fn events_named(
        &self,
        spoken: Spoken,
        provider: ProviderId,
        names: &[String],
    ) -> Result<Vec<StoredEvent>, Fault> {
        let filter = match spoken {
            Spoken::CircuitMaintenance => "provider",
            Spoken::Notices(_) => "provider_id",
        };
        let query = format!("{EVENT_FIELDS}&{filter}={provider}");
        let found: Vec<WireEvent> = self.list_any(&spoken.events(), &query, "name", names.iter().cloned()).await?;
        let asked = |event: &WireEvent| event.provider.id == provider && names.contains(&event.name);
        Ok(found.into_iter().filter(asked).map(|event| self.stored(spoken, event)).collect())
    }

    /// Returns those of the events with these ids that are there.
    pub(super) async fn events_with_ids(&self, spoken: Spoken, ids: &[EventId]) -> Result<Vec<StoredEvent>, Fault> {
        let found: Vec<WireEvent> =
            self.list_any(&spoken.events(), EVENT_FIELDS, "id", ids.iter().map(ToString::to_string)).await?;
        let asked = |event: &WireEvent| ids.contains(&event.id);
        Ok(found.into_iter().filter(asked).map(|event| self.stored(spoken, event)).collect())
    }

    /// Returns an event as it was read, and records what it shows of the plugin's version.
    pub(super) fn stored(&self, spoken: Spoken, event: WireEvent) -> StoredEvent {
        if spoken == Spoken::CircuitMaintenance && event.time_zone.is_none() {
            self.shown.note(PluginVersion::Before0_8);
        }
        event.into()
    }

    /// Returns the impacts of these events. The filter takes one event only: of several, NetBox
    /// uses the last.
    pub(super) async fn impacts_of(&self, spoken: Spoken, events: &[EventId]) -> Result<Vec<StoredImpact>, Fault> {
        if let Spoken::Notices(types) = spoken {
            return self.notices_impacts(types, events).await;
        }
        let path = spoken.impacts();
        let mut all = Vec::new();
        for event in events {
            let query = format!("fields=id,circuitmaintenance,circuit,impact&circuitmaintenance={event}");
            let found: Vec<WireImpact> = self.list(&path, &query).await?;
            all.extend(found.into_iter().map(StoredImpact::from).filter(|impact| impact.event == *event));
        }
        Ok(all)
    }
}
