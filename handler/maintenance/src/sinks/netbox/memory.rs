//! The function's memory of the events of each maintenance, as an object below `state/`: it tells which were deleted or renamed by hand,
//! where the token may not see NetBox's record of changes.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    case::PlanInput,
    claim::Claimant,
    converge::converge,
    fields,
    ids::{EventId, ProviderId},
    records::{Action, Fault, Past, Pause, Performed, Records},
    settled::Settled,
    stored::{PastEvent, StoredEvent, StoredImpact},
};
use contract::context::Place;
use runtime::store::{Expected, ObjectStore};

/// Maximum number of attempts to write, since another delivery may be quicker.
const ATTEMPTS: u32 = 8;

/// A memory of events.
#[derive(Debug, Clone)]
pub struct Memory<Store> {
    /// Store that contains it.
    pub store: Store,
    /// Place of its objects.
    pub place: Place,
}

/// An event as it was when it was seen last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    id: EventId,
    #[serde(flatten)]
    event: PastEvent,
}

impl From<&StoredEvent> for Remembered {
    fn from(event: &StoredEvent) -> Self {
        Self { id: event.id, event: event.into() }
    }
}

/// Makes NetBox say what a notice says of one maintenance, and remembers its events.
pub async fn converge_and_remember<Store: ObjectStore>(
    records: &impl Records,
    memory: Option<&Memory<Store>>,
    input: &PlanInput<'_>,
) -> Result<Settled, Fault> {
    let Some(memory) = memory else { return converge(records, input).await };
    let settled = converge(&Remembering { records, memory, id: &input.announcement.id }, input).await?;
    memory.remember(input.provider.id, &input.announcement.id, &settled.managed).await?;
    Ok(settled)
}

impl<Store: ObjectStore> Memory<Store> {
    fn key(&self, provider: ProviderId, id: &str) -> String {
        format!("{}netbox/{provider}-{}.json", self.place.prefix, fields::digest(id.as_bytes(), 16))
    }

    /// Returns the events of a maintenance that were ever seen, with the tag of the object; `None` if there is no object.
    async fn recall(&self, provider: ProviderId, id: &str) -> Result<Option<(Vec<Remembered>, String)>, Fault> {
        let key = self.key(provider, id);
        let object = self.store.fetch(&self.place.bucket, &key).await;
        let object = object.map_err(|error| self.fault(&key, &error.to_string()))?;
        let Some(object) = object else { return Ok(None) };
        let seen = serde_json::from_slice(&object.bytes).map_err(|error| self.fault(&key, &error.to_string()))?;
        Ok(Some((seen, object.tag)))
    }

    async fn remember(&self, provider: ProviderId, id: &str, events: &[StoredEvent]) -> Result<(), Fault> {
        let key = self.key(provider, id);
        for _ in 0..ATTEMPTS {
            let (seen, tag) =
                self.recall(provider, id).await?.map_or((Vec::new(), None), |(seen, tag)| (seen, Some(tag)));
            let is_there = |one: &&Remembered| !events.iter().any(|event| event.id == one.id);
            let mut all: Vec<_> =
                seen.iter().filter(is_there).cloned().chain(events.iter().map(Remembered::from)).collect();
            all.sort_by_key(|one| one.id);
            if all == seen {
                return Ok(());
            }
            let bytes = serde_json::to_vec(&all).map_err(|error| Fault::Refused(error.to_string()))?;
            let expected = tag.map_or(Expected::Nothing, Expected::Tag);
            let put = self.store.put(&self.place.bucket, &key, bytes, "application/json", expected).await;
            if put.map_err(|error| self.fault(&key, &error.to_string()))? {
                return Ok(());
            }
            self.store.pause(Duration::from_millis(100)).await;
        }
        Err(self.fault(&key, "others were quicker every time, or the function may not read it"))
    }

    fn fault(&self, key: &str, reason: &str) -> Fault {
        Fault::Unavailable(format!("s3://{}/{key}: {reason}", self.place.bucket))
    }
}

/// Records of NetBox, with the memory in place of changes that NetBox does not show.
struct Remembering<'delivery, Inner, Store> {
    records: &'delivery Inner,
    memory: &'delivery Memory<Store>,
    id: &'delivery str,
}

impl<Inner: Records, Store: ObjectStore> Records for Remembering<'_, Inner, Store> {
    async fn events(&self, provider: ProviderId, names: &[String]) -> Result<Vec<StoredEvent>, Fault> {
        self.records.events(provider, names).await
    }

    async fn events_by_id(&self, ids: &[EventId]) -> Result<Vec<StoredEvent>, Fault> {
        self.records.events_by_id(ids).await
    }

    async fn past(&self, provider: ProviderId, names: &[String]) -> Result<Past, Fault> {
        let past = self.records.past(provider, names).await?;
        if self.records.shows_past() {
            return Ok(past);
        }
        let Some((seen, _)) = self.memory.recall(provider, self.id).await? else { return Ok(past) };
        let ids: Vec<_> = seen.iter().map(|one| one.id).collect();
        let renamed = self.records.events_by_id(&ids).await?;
        let deleted = seen.into_iter().filter(|one| !renamed.iter().any(|event| event.id == one.id));
        Ok(Past { deleted: deleted.map(|one| one.event.stored(one.id)).collect(), renamed })
    }

    fn shows_past(&self) -> bool {
        self.records.shows_past()
    }

    async fn impacts(&self, events: &[EventId]) -> Result<Vec<StoredImpact>, Fault> {
        self.records.impacts(events).await
    }

    fn takes_twins(&self) -> bool {
        self.records.takes_twins()
    }

    async fn mails(&self, event: EventId) -> Result<BTreeSet<String>, Fault> {
        self.records.mails(event).await
    }

    async fn perform(&self, action: &Action, by: &Claimant) -> Result<Performed, Fault> {
        self.records.perform(action, by).await
    }

    async fn pause(&self, pause: Pause) {
        self.records.pause(pause).await;
    }

    fn now(&self) -> Timestamp {
        self.records.now()
    }
}
