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
fn mails_are_deleted_only_as_configured_and_only_when_all_of_them_is_held() {
    let all = ["planned", "order", "unknown", "spoofed"];
    let (processed, unknown) =
        (Deletion { processed: true, unknown: false }, Deletion { processed: false, unknown: true });
    let holding = |answer, person| Noting { holds: true, ..Noting::new(answer, person) };
    let fine = || holding(WHOLE, Ok(()));
    let expected = |names: &[&str]| (names.iter().map(ToString::to_string).collect::<Vec<_>>(), Ok(()));
    assert_eq!(deleted(Deletion::default(), &all, &fine(), true), expected(&[]));
    // Nobody is given the order, which is ignored: it stays.
    assert_eq!(deleted(processed, &all, &fine(), true), expected(&["second/planned"]));
    assert_eq!(deleted(unknown, &all, &fine(), true), expected(&["second/unknown"]));
    let empty = Noting::new(WHOLE, Ok(()));
    let both = Deletion { processed: true, unknown: true };
    assert_eq!(deleted(both, &all, &empty, true), expected(&[]), "a sink that holds nothing keeps everything");
    let in_part = Ok(Delivered { concerns: vec!["a circuit".to_owned()], ..Delivered::completely() });
    assert_eq!(deleted(both, &["planned"], &holding(in_part, Ok(())), true), expected(&[]), "a person has to look");
    let slow = holding(Err(SinkError::Transient("slow".to_owned())), Ok(()));
    let (none, end) = deleted(processed, &all, &slow, true);
    assert!(none.is_empty() && end.is_err(), "the event is tried again as a whole: {none:?}");
    let lost = holding(WHOLE, Err(SinkError::Transient("slow".to_owned())));
    assert_eq!(deleted(unknown, &["unknown"], &lost, true).0, Vec::<String>::new());
    let end = deleted(processed, &["planned"], &fine(), false).1.unwrap_err();
    assert!(end.contains("s3://second/planned could not be deleted: AccessDenied"), "{end}");
}

#[test]
fn a_mail_that_stays_although_it_was_to_be_deleted_says_so() {
    let table = [(true, true, "PLANNED"), (true, false, "PLANNED"), (true, true, "ORDER"), (false, true, "ORDER")];
    for (is_on, holds, mail) in table {
        let sink = Noting { holds, ..Noting::new(WHOLE, Ok(())) };
        let written = Written::default();
        let bytes = if mail == "PLANNED" { PLANNED } else { ORDER };
        let shelf = Shelf { objects: stored(&[("second/m", bytes)]), deleted: Mutex::default(), may: true };
        let Pipeline { places, policy, parse, log, .. } = pipeline(Objects::default(), &sink, log(&written));
        let deletion = Deletion { processed: is_on, unknown: is_on };
        let pipeline = Pipeline { places, policy, deletion, parse, store: &shelf, sink: &sink, log };
        run(pipeline.handle("request", &event(&[record_of("m", "", bytes)]))).unwrap();
        let is_deleted = !shelf.deleted.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        let line = &written.lines()[0];
        assert_eq!(line["details"]["deleted"], is_deleted, "{line}");
        let says = line["reason"].as_str().unwrap_or_default().contains("the mail stays in its bucket");
        assert_eq!(says, is_on && !is_deleted, "{line}");
        assert_eq!(is_deleted, is_on && holds && mail == "PLANNED", "{line}");
    }
}
