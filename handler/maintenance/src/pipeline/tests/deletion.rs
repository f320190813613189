//! Tests which mails are deleted, and when.

use super::*;

/// Objects that record their deletion.
struct Shelf {
    objects: Objects,
    deleted: Mutex<Vec<String>>,
    may: bool,
}

impl ObjectSource for &Shelf {
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        ObjectSource::get(&self.objects, bucket, key).await
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        if !self.may {
            return Err(StoreError::Unavailable("AccessDenied".to_owned()));
        }
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{bucket}/{key}"));
        Ok(())
    }
}

/// Runs these mails, in one event, with that configuration; returns the deleted ones, and the
/// result.
fn deleted(deletion: Deletion, mails: &[&str], sink: &Noting, may: bool) -> (Vec<String>, Result<(), String>) {
    let objects = stored(&[
        ("second/planned", PLANNED),
        ("second/order", ORDER),
        ("second/unknown", UNKNOWN),
        ("second/spoofed", PLANNED),
    ]);
    let shelf = Shelf { objects, deleted: Mutex::default(), may };
    let Pipeline { places, policy, parse, log, .. } = pipeline(Objects::default(), sink, log(&Written::default()));
    let pipeline = Pipeline { places, policy, deletion, parse, store: &shelf, sink, log };
    let record = |id: &&str| match *id {
        "spoofed" => record(id, "dmarc"),
        "order" => record_of(id, "", ORDER),
        _ => record(id, ""),
    };
    let records: Vec<_> = mails.iter().map(record).collect();
    let end = run(pipeline.handle("request", &event(&records))).map_err(|error| error.to_string());
    (shelf.deleted.into_inner().unwrap_or_else(PoisonError::into_inner), end)
}

#[test]
fn mails_are_deleted_only_as_configured_and_only_when_nothing_is_left_to_do() {
    let all = ["planned", "order", "unknown", "spoofed"];
    let (processed, unknown) =
        (Deletion { processed: true, unknown: false }, Deletion { processed: false, unknown: true });
    let fine = || Noting::new(WHOLE, Ok(()));
    assert_eq!(deleted(Deletion::default(), &all, &fine(), true), (Vec::new(), Ok(())));
    let expected = |names: &[&str]| (names.iter().map(ToString::to_string).collect::<Vec<_>>(), Ok(()));
    assert_eq!(deleted(processed, &all, &fine(), true), expected(&["second/planned", "second/order"]));
    assert_eq!(deleted(unknown, &all, &fine(), true), expected(&["second/unknown"]));
    let slow = Noting::new(Err(SinkError::Transient("slow".to_owned())), Ok(()));
    let (none, end) = deleted(processed, &all, &slow, true);
    assert!(none.is_empty() && end.is_err(), "the event is tried again as a whole: {none:?}");
    let lost = Noting::new(WHOLE, Err(SinkError::Transient("slow".to_owned())));
    assert_eq!(deleted(unknown, &["unknown"], &lost, true).0, Vec::<String>::new());
    let end = deleted(processed, &["planned"], &fine(), false).1.unwrap_err();
    assert!(end.contains("s3://second/planned could not be deleted: AccessDenied"), "{end}");
}
