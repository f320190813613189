//! Tests the calendar against a fake bucket: what notices leave in it, also two at once.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::*;
use crate::pipeline::tests::run;
use contract::receipt_event::Received;
use mail::Mail;
use notice::outcome::Outcome;
use runtime::store::{Object, StoreError};

const PLANNED: &[u8] = include_bytes!("../../../../../tests/mails/zayo/planned.eml");
const RESCHEDULED: &[u8] = include_bytes!("../../../../../tests/mails/zayo/rescheduled.eml");
const CANCELLED: &[u8] = include_bytes!("../../../../../tests/mails/zayo/cancelled.eml");
const NIGHTS: &[u8] = include_bytes!("../../../../../tests/mails/lumen/two-nights.eml");

/// A fake bucket. Somebody else writes `before_put` before our next write.
#[derive(Default)]
struct Bucket {
    objects: Mutex<BTreeMap<String, Object>>,
    before_put: Mutex<Vec<Vec<u8>>>,
    puts: Mutex<u64>,
}

impl Bucket {
    fn text(&self, key: &str) -> String {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(objects[key].bytes.clone()).unwrap()
    }

    fn write(&self, key: &str, bytes: Vec<u8>) {
        let mut puts = self.puts.lock().unwrap_or_else(PoisonError::into_inner);
        *puts += 1;
        let object = Object { bytes, tag: format!("\"{puts}\"") };
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), object);
    }
}

impl ObjectStore for &Bucket {
    async fn fetch(&self, _: &str, key: &str) -> Result<Option<Object>, StoreError> {
        if key.starts_with("inbound/") {
            return Ok(Some(Object { bytes: b"as it came".to_vec(), tag: String::new() }));
        }
        Ok(self.objects.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    async fn put(
        &self,
        _: &str,
        key: &str,
        bytes: Vec<u8>,
        kind: &str,
        expected: Expected,
    ) -> Result<bool, StoreError> {
        let expected_kind = match key {
            key if key.starts_with("calendar/") => "text/calendar",
            key if key.contains(".json") => "application/json",
            _ => "message/rfc822",
        };
        assert!(kind.starts_with(expected_kind), "{key}: {kind}");
        if let Some(other) = self.before_put.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            self.write(key, other);
        }
        let tag = self.objects.lock().unwrap_or_else(PoisonError::into_inner).get(key).map(|object| object.tag.clone());
        let is_expected = match (expected, tag) {
            (Expected::Anything, _) | (Expected::Nothing, None) => true,
            (Expected::Tag(expected), Some(tag)) => expected == tag,
            _ => false,
        };
        if is_expected {
            self.write(key, bytes);
        }
        Ok(is_expected)
    }

    async fn pause(&self, _: Duration) {}
}

fn now() -> Timestamp {
    "2024-03-01T00:00:00Z".parse().unwrap()
}

fn calendar(bucket: &Bucket) -> CalendarFile<&Bucket> {
    let place = |prefix: &str| Place { bucket: "b".to_owned(), prefix: prefix.to_owned() };
    CalendarFile {
        store: bucket,
        place: place("calendar/"),
        name: "Maintenances, ours".to_owned(),
        unmatched: Some(Unmatched { store: bucket, place: place("unmatched/") }),
        now,
    }
}

fn deliver(calendar: &CalendarFile<&Bucket>, bytes: &[u8]) -> Result<Delivered, SinkError> {
    let mail = Mail::decode(bytes);
    let Outcome::Notice(notice) = carriers::parse(&mail) else { panic!("no notice") };
    let mut arrived =
        ArrivedMail::unopened("ses-1", "mail".to_owned(), "inbound/ses-1".to_owned(), &Received::default());
    arrived.received_at = mail.outer().date;
    arrived.open(mail);
    run(calendar.deliver(&arrived, &notice))
}

/// Returns the lines of the file's entries with these names, unfolded.
fn lines(bucket: &Bucket, names: &[&str]) -> Vec<String> {
    let text = bucket.text("calendar/maintenance.ics");
    for line in text.split("\r\n") {
        assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line}");
    }
    let unfolded = icalendar::parser::unfold(&text);
    icalendar::parser::read_calendar(&unfolded).unwrap();
    let is_asked = |line: &&str| names.iter().any(|name| line.starts_with(name));
    unfolded.lines().filter(is_asked).map(str::to_owned).collect()
}

/// Returns the property of each entry, by start.
fn each(bucket: &Bucket, name: &str) -> Vec<String> {
    let lines = lines(bucket, &[name]);
    lines.iter().map(|line| line.split_once(':').unwrap().1.to_owned()).collect()
}

#[test]
fn entries_follow_their_maintenance() {
    let bucket = Bucket::default();
    let calendar = calendar(&bucket);
    assert_eq!(deliver(&calendar, PLANNED), Ok(Delivered::completely()));
    let uids = each(&bucket, "UID");
    assert_eq!(uids.len(), 2);
    assert_eq!(each(&bucket, "DTSTART"), ["20240306T040000Z", "20240307T040000Z"]);
    assert_eq!(each(&bucket, "DTEND"), ["20240306T100000Z", "20240307T100000Z"]);
    assert_eq!((each(&bucket, "SEQUENCE"), each(&bucket, "STATUS")), (words("0 0"), words("CONFIRMED CONFIRMED")));
    assert!(each(&bucket, "SUMMARY")[0].starts_with("Zayo TTN-0007310442: Zayo will move a span"));
    assert_eq!(lines(&bucket, &["X-MAINTNOTE-OBJECT-ID"]).len(), 4);

    // One window instead of two: the first moves, the second is off.
    let rescheduled = deliver(&calendar, RESCHEDULED);
    let reason = rescheduled.clone().unwrap().concerns.join("; ");
    assert!(reason.contains("no longer has the window of `TTN-0007310442` from 2024-03-07T04:00:00Z"), "{reason}");
    assert_eq!(each(&bucket, "DTSTART"), ["20240307T040000Z", "20240320T030000Z"]);
    assert_eq!(each(&bucket, "UID"), [uids[1].clone(), uids[0].clone()]);
    assert_eq!((each(&bucket, "SEQUENCE"), each(&bucket, "STATUS")), (words("1 1"), words("CANCELLED CONFIRMED")));

    let before = bucket.text("calendar/maintenance.ics");
    // The first delivery may have failed to hand the mail to a person.
    assert_eq!(deliver(&calendar, RESCHEDULED), rescheduled);
    let older = "`TTN-0007310442` is older than what the calendar has of it: nothing changed".to_owned();
    let delivered = Delivered { remarks: vec![older], ..Delivered::completely() };
    assert_eq!(deliver(&calendar, PLANNED), Ok(delivered));
    assert_eq!(bucket.text("calendar/maintenance.ics"), before, "the same again, and an older one, change nothing");

    assert_eq!(deliver(&calendar, CANCELLED), Ok(Delivered::completely()));
    assert_eq!(each(&bucket, "DTSTART"), ["20240307T040000Z", "20240320T030000Z"]);
    assert_eq!((each(&bucket, "SEQUENCE"), each(&bucket, "STATUS")), (words("1 2"), words("CANCELLED CANCELLED")));
    assert!(each(&bucket, "SUMMARY")[1].starts_with("Cancelled: Zayo TTN-0007310442: "));
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn of_two_writers_at_once_none_is_lost() {
    let other = Bucket::default();
    deliver(&calendar(&other), PLANNED).unwrap();
    let theirs = other.text("calendar/maintenance.ics");
    let bucket = Bucket::default();
    bucket.before_put.lock().unwrap().push(theirs.into_bytes());
    let calendar = CalendarFile { now: || Timestamp::UNIX_EPOCH, ..calendar(&bucket) };
    assert_eq!(deliver(&calendar, NIGHTS), Ok(Delivered::completely()));
    assert_eq!(each(&bucket, "UID").len(), 4, "two of theirs and two of ours");
}

#[test]
fn entries_that_ended_long_ago_are_removed() {
    let bucket = Bucket::default();
    let calendar = CalendarFile { now: || "2024-07-01T00:00:00Z".parse().unwrap(), ..calendar(&bucket) };
    let said = deliver(&calendar, PLANNED).unwrap();
    assert_eq!((said.concerns.len(), said.remarks.len()), (0, 2), "{said:?}");
    let words = "`TTN-0007310442` from 2024-03-06T04:00:00Z to 2024-03-06T10:00:00Z is over for more than 90 days: the calendar has no entry of it";
    assert_eq!(said.remarks[0], words);
    assert_eq!(lines(&bucket, &["BEGIN:VEVENT"]), [""; 0]);
}

#[test]
fn a_cancellation_of_an_unknown_entry_is_for_a_person() {
    let bucket = Bucket::default();
    let reason = deliver(&calendar(&bucket), CANCELLED).unwrap().concerns.join("; ");
    assert!(reason.contains("states no window"), "{reason}");
    assert_eq!(bucket.text("unmatched/ses-1"), "as it came");
    let beside: serde_json::Value = serde_json::from_str(&bucket.text("unmatched/ses-1.json")).unwrap();
    assert_eq!((&beside["version"], &beside["kind"]), (&serde_json::json!(1), &serde_json::json!("for_person")));
    assert_eq!(beside["suggestion"][0]["maintenance_id"], "TTN-0007310442");
    assert_eq!(
        (&beside["reason"], &beside["mail"]["key"]),
        (&serde_json::json!(reason), &serde_json::json!("inbound/ses-1"))
    );
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    for strange in ["", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", "<html>"] {
        let bucket = Bucket::default();
        bucket.write("calendar/maintenance.ics", strange.as_bytes().to_vec());
        let Err(SinkError::Transient(reason)) = deliver(&calendar(&bucket), PLANNED) else { panic!("no error") };
        assert!(reason.contains("not a calendar that `provision` has written"), "{reason}");
        assert_eq!(bucket.text("calendar/maintenance.ics"), strange);
    }
}

#[test]
fn notices_of_unknown_order_are_for_a_person() {
    let bucket = Bucket::default();
    deliver(&calendar(&bucket), PLANNED).unwrap();
    let mut feed = text::read(&bucket.text("calendar/maintenance.ics")).unwrap();
    let before = feed.clone();
    let mail = Mail::decode(PLANNED);
    let Outcome::Notice(notice) = carriers::parse(&mail) else { panic!("no notice") };
    let mut announcement = Announcement::of(&notice, mail.outer().date).unwrap().remove(0);
    let source = Source { provider: "zayo".to_owned(), provider_name: "Zayo".to_owned(), stamp: now() };
    assert_eq!(feed.apply(&source, &announcement), Findings::default(), "the same again");
    announcement.windows.remove(0);
    announcement.version.digest = "another".to_owned();
    assert!(feed.apply(&source, &announcement).concerns[0].contains("nothing tells which came first"));
    assert_eq!(feed, before);
}

#[test]
fn a_mails_text_cannot_end_a_line_or_forge_an_entry() {
    let bucket = Bucket::default();
    let calendar = CalendarFile { now: || Timestamp::UNIX_EPOCH, ..calendar(&bucket) };
    deliver(&calendar, NIGHTS).unwrap();
    let mut feed = text::read(&bucket.text("calendar/maintenance.ics")).unwrap();
    let nasty = "a\r\nEND:VEVENT\r\nX-PROVISION-STATE:{}\\n;,\u{1}\u{85}\u{2028} \"ü\" \\, end\\";
    for event in &mut feed.events {
        nasty.clone_into(&mut event.shown.summary);
        nasty.clone_into(&mut event.id);
        event.shown.circuits.insert(nasty.to_owned(), notice::model::Impact::Outage);
    }
    let written = text::write(&feed, nasty).unwrap();
    assert_eq!(text::read(&written), Ok(feed));
}

/// Returns a calendar with that many entries, a day each, the first of which begins on that day.
fn full(entries: usize, first: Timestamp) -> Feed {
    let bucket = Bucket::default();
    deliver(&CalendarFile { now: || Timestamp::UNIX_EPOCH, ..calendar(&bucket) }, PLANNED).unwrap();
    let one = text::read(&bucket.text("calendar/maintenance.ics")).unwrap().events.remove(0);
    let day = |number: usize| first + jiff::SignedDuration::from_hours(24 * i64::try_from(number).unwrap());
    let entry = |number: usize| {
        let mut event = one.clone();
        event.id = format!("OTHER-{number}");
        (event.shown.start, event.shown.end) = (day(number), day(number + 1));
        event
    };
    Feed { events: (0..entries).map(entry).collect() }
}

#[test]
fn a_full_calendar_drops_what_is_over_and_never_what_is_to_come() {
    // Entries of the 60 days before now and of as many days to come as there is room for.
    let first = now() - jiff::SignedDuration::from_hours(60 * 24);
    let bucket = Bucket::default();
    let calendar = calendar(&bucket);
    let store =
        |feed: &Feed| bucket.write("calendar/maintenance.ics", text::write(feed, &calendar.name).unwrap().into_bytes());
    let ids = || text::read(&bucket.text("calendar/maintenance.ics")).unwrap().events.into_iter().map(|event| event.id);
    store(&full(event::MOST_EVENTS, first));
    assert_eq!(deliver(&calendar, PLANNED), Ok(Delivered::completely()));
    assert_eq!(ids().count(), event::MOST_EVENTS);
    assert_eq!(ids().filter(|id| id.starts_with("TTN-")).count(), 2);
    let there: Vec<_> = (0..4).map(|number| ids().any(|id| id == format!("OTHER-{number}"))).collect();
    assert_eq!(there, [false, false, true, true], "the two that ended first make room");

    // Nothing is over, and there is room for one of two.
    store(&full(event::MOST_EVENTS - 1, now()));
    let delivered = deliver(&calendar, PLANNED).unwrap();
    assert_eq!(
        ids().filter(|id| id.starts_with("OTHER-")).count(),
        event::MOST_EVENTS - 1,
        "nothing to come is dropped"
    );
    assert_eq!((ids().count(), delivered.concerns.len()), (event::MOST_EVENTS, 1), "{delivered:?}");
    let reason = &delivered.concerns[0];
    assert!(reason.contains("from 2024-03-07T04:00:00Z") && reason.contains("the calendar is full"), "{reason}");
    assert_eq!(bucket.text("unmatched/ses-1"), "as it came", "a person is given the mail");
    assert_eq!(deliver(&calendar, PLANNED).unwrap(), delivered, "and once more, until there is room");
    store(&full(10, now()));
    assert_eq!(deliver(&calendar, PLANNED), Ok(Delivered::completely()));
}
