//! Tests the memory of events, for a NetBox that does not show its record of changes.

use std::time::Duration;

use super::*;
use crate::sinks::netbox::memory::{Memory, converge_and_remember};
use contract::context::Place;
use runtime::store::{Expected, Object, ObjectStore, StoreError};

/// A bucket to which another delivery writes before our first write.
#[derive(Default)]
struct Bucket {
    objects: RefCell<BTreeMap<String, Object>>,
    writes: Cell<u32>,
}

impl ObjectStore for &Bucket {
    async fn fetch(&self, _: &str, key: &str) -> Result<Option<Object>, StoreError> {
        Ok(self.objects.borrow().get(key).cloned())
    }

    async fn put(&self, _: &str, key: &str, bytes: Vec<u8>, _: &str, expected: Expected) -> Result<bool, StoreError> {
        let number = self.writes.get() + 1;
        self.writes.set(number);
        if number == 1 {
            let other = Object { bytes: b"[]".to_vec(), tag: "other".to_owned() };
            self.objects.borrow_mut().insert(key.to_owned(), other);
        }
        let tag = self.objects.borrow().get(key).map(|object| object.tag.clone());
        let is_expected = match expected {
            Expected::Anything => true,
            Expected::Nothing => tag.is_none(),
            Expected::Tag(expected) => tag == Some(expected),
        };
        if is_expected {
            self.objects.borrow_mut().insert(key.to_owned(), Object { bytes, tag: number.to_string() });
        }
        Ok(is_expected)
    }

    async fn pause(&self, _: Duration) {}
}

#[test]
fn what_was_renamed_or_deleted_is_remembered_where_netbox_does_not_tell() {
    let base = RefCell::new(Base { hides_past: true, ..Base::default() });
    let (dice, bucket, provider, circuits) = (Dice(Cell::new(7)), Bucket::default(), provider(), circuits());
    let memory = Memory { store: &bucket, place: Place { bucket: "mail".to_owned(), prefix: "state/".to_owned() } };
    let deliver = |announcement: &Announcement| {
        let records = Simulated::new(&base, &dice, 0);
        let claimant = claimant(announcement, 1);
        let input = PlanInput { announcement, provider: &provider, circuits: &circuits, claimant: &claimant };
        let settled = run(converge_and_remember(&records, Some(&memory), &input)).unwrap();
        (settled.remarks, records.writes.get())
    };
    let window = |day| (day, content(EventStatus::Confirmed, &[("A", Impact::Outage)]));
    let first = wanted(1, &[window(1), window(2)]);
    deliver(&first);
    let writes = bucket.writes.get();
    assert_eq!((deliver(&first).1, bucket.writes.get()), (0, writes), "nothing new is to be remembered");
    let events: Vec<StoredEvent> = base.borrow().events.values().cloned().collect();
    base.borrow_mut().store(StoredEvent { name: "Frankfurt".to_owned(), ..events[0].clone() });
    base.borrow_mut().delete(events[1].id);
    let (remarks, writes) = deliver(&first);
    assert!(writes == 0 && remarks.len() == 1 && remarks[0].contains("was deleted in NetBox by hand"), "{remarks:?}");
    assert_eq!(told(&base.borrow()), ["Frankfurt Confirmed 1 1=OUTAGE"]);
    deliver(&wanted(2, &[window(1), (2, content(EventStatus::Tentative, &[("A", Impact::Outage)]))]));
    assert_eq!(told(&base.borrow()), ["Frankfurt Confirmed 1 1=OUTAGE", "CHG-1 #2 Tentative 2 1=OUTAGE"]);
}
