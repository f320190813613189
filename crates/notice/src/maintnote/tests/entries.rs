//! Several entries under one UID, ranked properties, repetition, and the places of failures.

use super::*;

/// Returns a calendar with an entry for each maintenance id and sequence, all under one UID, or the same text where both recur.
fn entries(ranks: &[(&str, u32)]) -> String {
    let event = |(id, sequence): &(&str, u32)| {
        let event = EVENT.replace("CHG-77", id).replace("SEQUENCE:3", &format!("SEQUENCE:{sequence}"));
        format!("BEGIN:VEVENT\n{event}END:VEVENT\n")
    };
    let events: String = ranks.iter().map(event).collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n")
}

#[test]
fn of_each_maintenance_under_a_uid_the_latest_entry_counts_in_any_order() {
    for (ranks, expected) in [
        (&[("A", 0), ("B", 0)][..], Some(&[("A", 0), ("B", 0)][..])),
        (&[("A", 0), ("B", 0), ("B", 0)], Some(&[("A", 0), ("B", 0)])),
        (&[("A", 0), ("B", 0), ("B", 1)], Some(&[("A", 0), ("B", 1)])),
        (&[("A", 0), ("B", 1), ("B", 0)], Some(&[("A", 0), ("B", 1)])),
        (&[("A", 2), ("A", 0), ("A", 1)], Some(&[("A", 2)])),
        (&[("A", 0), ("B", 1)], None),
        (&[("B", 1), ("A", 0)], None),
    ] {
        for turn in 0..ranks.len() {
            let mut turned = ranks.to_vec();
            turned.rotate_left(turn);
            let read = read_all(&entries(&turned)).map(|all| {
                let mut read: Vec<_> = all.iter().map(|one| (one.id().to_owned(), one.sequence().unwrap())).collect();
                read.sort();
                read
            });
            let expected = expected.map(|ranks| ranks.iter().map(|(id, rank)| ((*id).to_owned(), *rank)).collect());
            assert_eq!(read.ok(), expected, "{turned:?}");
        }
    }
}

#[test]
fn a_time_is_read_in_the_zone_of_the_property_that_counts() {
    let start = "DTSTART;TZID=Asia/Tokyo;X-MAINTNOTE-PRECEDENCE=NON-PRIMARY:20310402T070000\n\
        DTSTART;TZID=Europe/Paris;X-MAINTNOTE-PRECEDENCE=PRIMARY:20310402T000000\n";
    let calendar = with("DTSTART", start);
    assert_eq!(only(&calendar).window().unwrap().start().to_string(), "2031-04-01T22:00:00Z");
    let calendar = calendar.replace("DTEND:20310402T040000Z", "DURATION:PT6H");
    assert_eq!(only(&calendar).window().unwrap().end().to_string(), "2031-04-02T04:00:00Z");
}

#[test]
fn a_failure_names_its_property() {
    let place = |calendar: &str| read_all(calendar).unwrap_err().place;
    let at = |property| Some(Place::Calendar { event: 1, property });
    assert_eq!(place(&with("UID", "UID:1\nRDATE:20310501T220000Z\n")), at("RDATE"));
    assert_eq!(place(&with("UID", "UID:1\nRRULE:FREQ=DAILY;COUNT=3\n")), at("RRULE"));
    assert_eq!(
        place(&with("X-MAINTNOTE-ACCOUNT", "X-MAINTNOTE-ACCOUNT:A\nX-MAINTNOTE-ACCOUNT:B\n")),
        at("X-MAINTNOTE-ACCOUNT")
    );
}

#[test]
fn a_place_counts_every_entry_of_the_mail() {
    let lunch = "BEGIN:VEVENT\nSUMMARY:Lunch\nEND:VEVENT\nBEGIN:VEVENT\n";
    let calendar = calendar(EVENT).replacen("BEGIN:VEVENT\n", lunch, 1);
    let place = with_calendar(&calendar, |source| names(source, &CARRIER).unwrap().place);
    assert_eq!(place, Place::Calendar { event: 2, property: "X-MAINTNOTE-PROVIDER" });
}

#[test]
fn an_entry_without_objects_needs_an_impact_too() {
    let bare = |status: &str| {
        let calendar = with("X-MAINTNOTE-IMPACT", "").replace("X-MAINTNOTE-OBJECT-ID:EX/10G/1\n", "");
        read_all(&calendar.replace("STATUS:CONFIRMED", status)).map_err(|failure| failure.kind)
    };
    assert_eq!(bare("STATUS:CONFIRMED").map(drop), Err(FailureKind::Missing));
    assert!(bare("STATUS:CANCELLED").is_ok());
}

#[test]
fn windows_of_an_invitation_that_is_cancelled_or_repeats() {
    let event = "UID:1\nDTSTART:20310401T220000Z\n";
    for (calendar, expected) in [
        (calendar(&format!("{event}DTEND:20310402T040000Z\n")), Some(1)),
        (calendar(&format!("{event}STATUS:CANCELLED\n")), Some(0)),
        (calendar(event).replace("VERSION:2.0\n", "VERSION:2.0\nMETHOD:CANCEL\n"), Some(0)),
        (calendar(event), None),
        (calendar(&format!("{event}DTEND:20310402T040000Z\nRRULE:FREQ=DAILY\n")), None),
    ] {
        assert_eq!(
            with_calendar(&calendar, |source| windows(source).ok().map(|all| all.len())),
            expected,
            "{calendar}"
        );
    }
}

#[test]
fn a_mail_whose_body_cannot_be_read_is_no_other_mail() {
    let read = |body: &str| {
        let mail =
            format!("From: a@carrier.example\nSubject: Notice\nMIME-Version: 1.0\nContent-Type: text/html\n\n{body}");
        let mail = Mail::decode(mail.replace('\n', "\r\n").as_bytes());
        read_or_other(&Source::new(&mail, &CARRIER)).map_err(|failure| failure.kind)
    };
    assert!(matches!(read("<p>Happy new year</p>"), Ok(Reading::Other(_))));
    assert_eq!(read("<p>Planned work tonight</p>").map(drop), Err(FailureKind::Missing));
    assert_eq!(read(&"<div>".repeat(100_000)).map(drop), Err(FailureKind::TooLarge));
}
