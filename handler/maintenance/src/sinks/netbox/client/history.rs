//! NetBox's record of changes: what became of events that are no longer there under their names.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{Client, Page, answer, encoded, plugin::Spoken};
use crate::sinks::netbox::{
    ids::{EventId, ProviderId},
    records::{Fault, Past},
    stored::PastEvent,
};

/// Path of the record in the API.
const CHANGES: &str = "/api/core/object-changes/";
/// Maximum number of changes that are read: the newest.
const MOST_CHANGES: usize = 100;

/// The creation or deletion of an event.
#[derive(Debug, Deserialize)]
struct Change {
    action: Action,
    changed_object_id: EventId,
    /// The event, if it is there; `None` if it was deleted.
    #[serde(default)]
    changed_object: Option<Value>,
    /// The event before it was deleted.
    #[serde(default)]
    prechange_data: Value,
    /// The event as it was made.
    #[serde(default)]
    postchange_data: Value,
}

#[derive(Debug, Deserialize)]
struct Action {
    value: String,
}

impl Client {
    /// Returns whether the token may read the record: `true` until NetBox has refused it.
    pub(super) fn has_history(&self) -> bool {
        self.lacks_history.get().is_none()
    }

    /// Returns what became of the events that were made with one of these names; nothing if the token may not read the record.
    pub(super) async fn past_of(&self, spoken: Spoken, provider: ProviderId, names: &[String]) -> Result<Past, Fault> {
        let names: Vec<_> = names.iter().map(|name| format!("&object_repr={}", encoded(name))).collect();
        let Some(found) = self.changes(spoken, &format!("&action__n=update{}", names.concat())).await? else {
            return Ok(Past::default());
        };
        let mut deleted: BTreeMap<EventId, Value> = BTreeMap::new();
        let (mut there, mut gone) = (BTreeSet::new(), BTreeSet::new());
        let is_its = |data: &Value| data.get("provider").and_then(Value::as_u64).map(ProviderId::new) == Some(provider);
        for change in found {
            let id = change.changed_object_id;
            match (change.action.value.as_str(), change.changed_object) {
                ("delete", _) if is_its(&change.prechange_data) => _ = deleted.insert(id, change.prechange_data),
                // A person may have given it another provider since.
                ("create", Some(_)) if is_its(&change.postchange_data) => _ = there.insert(id),
                ("create", None) if is_its(&change.postchange_data) => _ = gone.insert(id),
                _ => {}
            }
        }
        gone.retain(|id| !deleted.contains_key(id));
        if !gone.is_empty() {
            // They had another name in the end.
            let ids: Vec<_> = gone.iter().map(|id| format!("&changed_object_id={id}")).collect();
            let found = self.changes(spoken, &format!("&action=delete{}", ids.concat())).await?.unwrap_or_default();
            let found = found.into_iter().filter(|change| gone.contains(&change.changed_object_id));
            deleted.extend(found.map(|change| (change.changed_object_id, change.prechange_data)));
        }
        let deleted = deleted.into_iter().filter_map(|(id, data)| {
            let event: PastEvent = serde_json::from_value(data).ok()?;
            Some(event.stored(id))
        });
        let deleted = deleted.collect();
        let there: Vec<_> = there.into_iter().collect();
        let renamed = if there.is_empty() { Vec::new() } else { self.events_with_ids(spoken, &there).await? };
        Ok(Past { deleted, renamed })
    }

    /// Returns changes of events; `None` if the token may not read them, which is not asked again.
    async fn changes(&self, spoken: Spoken, filter: &str) -> Result<Option<Vec<Change>>, Fault> {
        if !self.has_history() {
            return Ok(None);
        }
        let kind = match spoken {
            Spoken::CircuitMaintenance => "netbox_circuitmaintenance.circuitmaintenance",
            Spoken::Notices(_) => "notices.maintenance",
        };
        let path = format!(
            "{CHANGES}?changed_object_type={kind}&fields=action,changed_object,changed_object_id,prechange_data,postchange_data\
             &limit={MOST_CHANGES}{filter}"
        );
        let headers = [("authorization", self.token.header().await?)];
        let answer = self.http.send("GET", &path, &headers, None).await?;
        match answer.status {
            403 | 404 => {
                self.lacks_history.get_or_init(|| ());
                Ok(None)
            }
            200 => {
                let page: Result<Page<Change>, _> = serde_json::from_slice(&answer.body);
                let page = page.map_err(|error| Fault::Transient(format!("GET {CHANGES}: {error}")))?;
                Ok(Some(page.results))
            }
            _ => Err(answer::fault(&answer, &format!("GET {CHANGES}"))),
        }
    }
}
