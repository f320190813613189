//! The sender's record and the events of its mail meet, whichever comes first.

use contract::sending::{MailId, TAG};
use delivery::{Begun, Change, Database, Fault, Location, Recording, Selection, Standing, Status, Store, changes};
use events::{Reading, read};
use jiff::{Timestamp, ToSpan};
use replaced::Replaced as _;
use serde_json::json;

use crate::{model::at, servers::MySql};

const ADA: &str = "ada@example.org";

fn id() -> MailId {
    MailId::of([10; 16])
}

fn begun() -> Begun {
    Begun {
        mail_id: id(),
        sender: "orders@shop.example".to_owned(),
        template_id: Some("order".to_owned()),
        request: Some("0a".repeat(32)),
        body_key: None,
        at: time(0),
    }
}

fn time(second: u32) -> Timestamp {
    at(second).parse().unwrap()
}

/// Returns the changes of an event of the mail `m-1`, which carries the sender's id or does not.
fn event(kind: &str, second: u32, is_tagged: bool) -> Vec<Change> {
    let tags = if is_tagged { json!({TAG: [id().as_str()]}) } else { json!({}) };
    let text = json!({
        "eventType": kind, kind.to_lowercase(): {"timestamp": at(second)},
        "mail": {"messageId": "m-1", "timestamp": at(second), "destination": [ADA], "tags": tags},
    })
    .to_string();
    let Ok(Reading::Event(event)) = read(&text) else { panic!("{text}") };
    changes(&text, &event).unwrap()
}

/// Steps of a sender and of a worker, in one order.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Begin,
    Confirm,
    Deliver { is_tagged: bool },
}

async fn run(database: &Database, step: Step) -> Vec<Standing> {
    let recording = Recording(database);
    match step {
        Step::Begin => assert!(recording.begin(&begun()).await.unwrap()),
        Step::Confirm => recording.confirm(&begun(), "m-1", &["Ada@Example.org".to_owned()], time(1)).await.unwrap(),
        Step::Deliver { is_tagged } => return database.apply(&event("Delivery", 9, is_tagged)).await.unwrap(),
    }
    Vec::new()
}

#[tokio::test]
async fn a_record_and_its_events_meet_in_any_order() {
    use Step::{Begin, Confirm, Deliver};
    let Some(maria) = MySql::start() else { return };
    let database = maria.database();
    let tagged = Deliver { is_tagged: true };
    let bare = Deliver { is_tagged: false };
    for (steps, is_known) in [
        (vec![Begin, Confirm, tagged], true),
        (vec![Begin, tagged, Confirm], true),
        (vec![Begin, bare, Confirm], true),
        (vec![bare, Begin, Confirm], true),
        (vec![tagged, Begin, Confirm], true),
        // SES's answer was lost: the tag tells.
        (vec![Begin, tagged], true),
        (vec![Begin, tagged, tagged], true),
        // Nobody's mail, or one whose answer was lost and which carries no tag: parked, and seen.
        (vec![bare], false),
        (vec![Begin, bare], false),
        (vec![Begin, Begin, Confirm, Confirm, bare, bare], true),
    ] {
        let mut connection = maria.connection().await;
        for table in ["mail", "mail_event", "sent_mail"] {
            database.reach().await.unwrap();
            mysql_async::prelude::Queryable::query_drop(&mut connection, format!("DELETE FROM {table}")).await.unwrap();
        }
        let mut last = Vec::new();
        for step in &steps {
            last = run(&database, *step).await;
        }
        let all = database.tracked(&Selection::Mail("m-1".to_owned()), 10).await.unwrap();
        let [mail] = &all[..] else { panic!("{steps:?}: {all:?}") };
        assert_eq!(
            (mail.status.as_str(), mail.recipient.as_str(), mail.events.len()),
            ("delivered", ADA, 1),
            "{steps:?}"
        );
        assert_eq!((mail.status_at, mail.sent_at.is_some()), (time(9), is_known), "{steps:?}");
        assert!(mail.sent_at.is_none_or(|at| at == time(0)), "{steps:?}: {mail:?}");
        if let Some(standing) = last.first() {
            assert_eq!((standing.status, standing.is_parked), (Status::Delivered, !is_known), "{steps:?}");
        }
        let parked = database.tracked(&Selection::ParkedBefore(time(60)), 10).await.unwrap();
        assert_eq!(parked.len(), usize::from(!is_known), "{steps:?}");
        assert!(database.tracked(&Selection::ParkedBefore(time(5)), 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_refused_mail_leaves_no_record_and_a_sent_one_keeps_it() {
    let Some(maria) = MySql::start() else { return };
    let database = maria.database();
    let recording = Recording(&database);
    let count = async || {
        let mut connection = maria.connection().await;
        let count: Option<u32> =
            mysql_async::prelude::Queryable::query_first(&mut connection, "SELECT COUNT(*) FROM sent_mail")
                .await
                .unwrap();
        count.unwrap()
    };
    recording.begin(&begun()).await.unwrap();
    recording.withdraw(&id()).await.unwrap();
    assert_eq!(count().await, 0);
    recording.begin(&begun()).await.unwrap();
    recording.confirm(&begun(), "m-1", &[], time(1)).await.unwrap();
    recording.withdraw(&id()).await.unwrap();
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn of_two_mails_for_one_request_one_is_begun_and_the_request_knows_what_became_of_it() {
    let Some(maria) = MySql::start() else { return };
    let database = maria.database();
    let recording = Recording(&database);
    let (request, other) = ("0a".repeat(32), MailId::of([11; 16]));
    assert_eq!(recording.find(&request).await.unwrap(), None);
    assert!(recording.begin(&begun()).await.unwrap());
    assert!(!recording.begin(&Begun { mail_id: other.clone(), ..begun() }).await.unwrap());
    // A sender that does not tell requests apart begins any number of mails.
    for id in [12, 13] {
        assert!(recording.begin(&Begun { mail_id: MailId::of([id; 16]), request: None, ..begun() }).await.unwrap());
    }
    let found = recording.find(&request).await.unwrap().unwrap();
    assert_eq!((&found.mail_id, found.begun_at, &found.sent), (&id(), time(0), &None));
    // SES's answer was lost, and an event has brought the id.
    database.apply(&event("Delivery", 9, true)).await.unwrap();
    let found = recording.find(&request).await.unwrap().unwrap();
    assert_eq!(found.sent.map(|(id, _)| id), Some("m-1".to_owned()));
    recording.withdraw(&id()).await.unwrap();
    assert!(recording.find(&request).await.unwrap().is_some());
}

#[tokio::test]
async fn mails_are_found_by_their_id_their_recipient_and_their_time() {
    let Some(maria) = MySql::start() else { return };
    let database = maria.database();
    for (kind, second) in [("Open", 30), ("Delivery", 9), ("Open", 20), ("Click", 31), ("Open", 20)] {
        database.apply(&event(kind, second, false)).await.unwrap();
    }
    let reader = Database::with_schema_as_it_is(Location::read(&maria.url(), None).unwrap());
    for (selection, count) in [
        (Selection::Mail("m-1".to_owned()), 1),
        (Selection::Mail("m".to_owned()), 0),
        (Selection::Recipient("ADA@example.org".to_owned()), 1),
        (Selection::Recipient("bob@example.org".to_owned()), 0),
        (Selection::Since(time(31)), 1),
        (Selection::Since(time(31).saturating_add(1.second()).unwrap()), 0),
    ] {
        let found = reader.tracked(&selection, 10).await.unwrap();
        assert_eq!(found.len(), count, "{selection:?}");
        let Some(mail) = found.first() else { continue };
        assert_eq!((mail.status.as_str(), mail.opens, mail.clicks, mail.status_at), ("clicked", 2, 1, time(31)));
        let seconds: Vec<_> = mail.events.iter().map(|event| event.at).collect();
        assert_eq!(seconds, [9, 20, 30, 31].map(time));
    }
}

#[tokio::test]
async fn a_reader_changes_nothing_and_a_wrong_password_is_told_as_one() {
    let Some(maria) = MySql::start() else { return };
    let reader = Database::with_schema_as_it_is(Location::read(&maria.url(), None).unwrap());
    assert!(
        matches!(reader.tracked(&Selection::Mail("m".to_owned()), 1).await, Err(Fault::Away(reason)) if reason.contains("no tables"))
    );
    let wrong = Database::new(Location::read(&maria.url().replaced("s3cret", "other"), None).unwrap());
    let Err(Fault::Denied(reason)) = wrong.reach().await else { panic!() };
    assert!(reason.contains("1045") && !reason.contains("other-of-a-test"), "{reason}");
}
