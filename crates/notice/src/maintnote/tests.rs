//! Tests the reading of MAINTNOTE calendars: whole entries, every field that may lack or contradict another, and any text without a panic.

use proptest::prelude::*;

use super::*;
use crate::{
    failure::FailureKind,
    model::{Maintenance, Moment},
    provider::LearnedFrom,
};
use mail::Mail;

mod entries;

static CARRIER: Provider = Provider {
    slug: "carrier",
    name: "Carrier",
    domains: &["carrier.example"],
    organizer: "noc@carrier.example",
    learned_from: LearnedFrom::PublicKnowledge,
    says: |source| names(source, source.provider()),
    read: |source| expect(source).map(crate::provider::Reading::Notice),
};

const EVENT: &str = "SUMMARY:Fibre works\\, span A\nDTSTART:20310401T220000Z\nDTEND:20310402T040000Z\n\
    DTSTAMP:20310301T101500Z\nUID:77@carrier.example\nSEQUENCE:3\nX-MAINTNOTE-PROVIDER:carrier.example\n\
    X-MAINTNOTE-ACCOUNT:EX-1\nX-MAINTNOTE-MAINTENANCE-ID:CHG-77\nX-MAINTNOTE-OBJECT-ID:EX/10G/1\n\
    X-MAINTNOTE-IMPACT:OUTAGE\nX-MAINTNOTE-STATUS:CONFIRMED\nORGANIZER;CN=\"NOC: a;b\":mailto:noc@carrier.example\n";

fn with_calendar<T>(calendar: &str, look: impl FnOnce(&Source<'_>) -> T) -> T {
    let mail = format!(
        "From: someone@customer.example\nMIME-Version: 1.0\nContent-Type: text/calendar; charset=utf-8\n\n{calendar}"
    );
    let mail = Mail::decode(mail.replace('\n', "\r\n").as_bytes());
    look(&Source::new(&mail, &CARRIER))
}

fn calendar(event: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\n{event}END:VEVENT\nEND:VCALENDAR\n")
}

fn read_all(calendar: &str) -> Result<Vec<Maintenance>, Failure> {
    with_calendar(calendar, |source| expect(source)?.into_iter().map(Draft::build).collect())
}

/// Returns the example with one line replaced by others (or by none).
fn with(line: &str, others: &str) -> String {
    let (before, after) = EVENT.split_once(line).unwrap();
    let (_, after) = after.split_once('\n').unwrap();
    calendar(&format!("{before}{others}{after}"))
}

fn only(calendar: &str) -> Maintenance {
    let mut all = read_all(calendar).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[test]
fn a_list_longer_than_any_network_is_for_a_person() {
    let listed =
        |count| with("X-MAINTNOTE-OBJECT-ID", &format!("X-MAINTNOTE-OBJECT-ID:{}\n", vec!["EX/1"; count].join(",")));
    assert_eq!(read_all(&listed(20_000)).unwrap()[0].circuits.len(), 20_000);
    assert!(read_all(&listed(20_001)).unwrap_err().to_string().starts_with("too large: at most 20000 circuits"));
}

#[test]
fn a_whole_entry() {
    let maintenance = only(&calendar(EVENT));
    assert_eq!(maintenance.id(), "CHG-77");
    assert_eq!(maintenance.account(), "EX-1");
    assert_eq!(maintenance.announced_provider(), Some("carrier.example"));
    assert_eq!(maintenance.organizer(), "mailto:noc@carrier.example");
    assert_eq!(maintenance.summary(), "Fibre works, span A");
    assert_eq!(maintenance.status(), Status::Confirmed);
    assert_eq!(maintenance.uid(), "77@carrier.example");
    assert_eq!(maintenance.sequence(), Some(3));
    let window = maintenance.window().unwrap();
    assert_eq!(window.start().to_string(), "2031-04-01T22:00:00Z");
    assert_eq!(window.end().to_string(), "2031-04-02T04:00:00Z");
    assert_eq!(maintenance.stamp().to_string(), "2031-03-01T10:15:00Z");
}

#[test]
fn objects_keep_their_order_repetitions_and_own_impact() {
    let maintenance = only(&with(
        "X-MAINTNOTE-OBJECT-ID",
        "X-MAINTNOTE-OBJECT-ID;X-MAINTNOTE-OBJECT-IMPACT=NO-IMPACT:EX/1\nX-MAINTNOTE-OBJECT-ID:EX/2\n\
         x-maintnote-object-id;X-MAINTNOTE-OBJECT-IMPACT=\"DEGRADED\":EX/1\nX-MAINTNOTE-OBJECT-ID:\n",
    ));
    let circuits: Vec<_> =
        maintenance.circuits().iter().map(|circuit| format!("{} {}", circuit.id(), circuit.impact())).collect();
    assert_eq!(circuits, ["EX/1 NO-IMPACT", "EX/2 OUTAGE", "EX/1 DEGRADED"]);
    let failure =
        read_all(&with("X-MAINTNOTE-OBJECT-ID", "X-MAINTNOTE-OBJECT-ID;X-MAINTNOTE-OBJECT-IMPACT=SEVERE:EX/1\n"));
    assert_eq!(failure.unwrap_err().kind, FailureKind::Malformed);
}

#[test]
fn an_impact_that_is_missing_or_unknown_is_for_a_person() {
    assert_eq!(read_all(&with("X-MAINTNOTE-IMPACT", "")).unwrap_err().kind, FailureKind::Missing);
    assert!(read_all(&with("X-MAINTNOTE-IMPACT", "X-MAINTNOTE-IMPACT:SEVERE\n")).is_err());
    let own = with("X-MAINTNOTE-IMPACT", "").replace("OBJECT-ID:", "OBJECT-ID;X-MAINTNOTE-OBJECT-IMPACT=DEGRADED:");
    assert_eq!(only(&own).circuits()[0].impact(), Impact::Degraded);
}

#[test]
fn a_list_of_objects_is_several_circuits_and_an_escaped_comma_is_part_of_one() {
    let ids = |line: &str| {
        let read = read_all(&with("X-MAINTNOTE-OBJECT-ID", &format!("X-MAINTNOTE-OBJECT-ID:{line}\n")));
        read.map(|all| all[0].circuits().iter().map(|circuit| circuit.id().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(ids("EX/1,EX/2, EX/3").unwrap(), ["EX/1", "EX/2", "EX/3"]);
    assert_eq!(ids("EX/1\\, leg A").unwrap(), ["EX/1, leg A"]);
    for line in ["N/A", "EX/1,TBD", "_"] {
        assert_eq!(ids(line).unwrap_err().kind, FailureKind::Malformed, "{line}");
    }
}

#[test]
fn of_two_ids_the_primary_one_counts() {
    let id = |lines: &str| {
        read_all(&with("X-MAINTNOTE-MAINTENANCE-ID", lines)).map(|all| all[0].id().to_owned()).map_err(|one| one.kind)
    };
    let ids = "X-MAINTNOTE-MAINTENANCE-ID;X-MAINTNOTE-PRECEDENCE=NON-PRIMARY:LL-9\n\
        X-MAINTNOTE-MAINTENANCE-ID;X-MAINTNOTE-PRECEDENCE=PRIMARY:CHG-1\n";
    assert_eq!(id(ids).as_deref(), Ok("CHG-1"));
    assert_eq!(
        id(&ids.replace(";X-MAINTNOTE-PRECEDENCE=PRIMARY", "").replace(";X-MAINTNOTE-PRECEDENCE=NON-PRIMARY", "")),
        Err(FailureKind::Ambiguous)
    );
}

#[test]
fn the_highest_sequence_of_a_uid_counts() {
    let read = |changes: &[&[(&str, &str)]]| {
        let events = changes.iter().map(|changes| {
            changes.iter().fold(EVENT.to_owned(), |event, (from, to)| {
                assert!(event.contains(from));
                event.replace(from, to)
            })
        });
        let events = events.collect::<Vec<_>>().join("END:VEVENT\nBEGIN:VEVENT\n");
        read_all(&calendar(&events)).map_err(|failure| failure.kind)
    };
    let moved = [("SEQUENCE:3", "SEQUENCE:4"), ("20310401T22", "20310401T23")];
    let starts = |read: Result<Vec<Maintenance>, FailureKind>| {
        read.map(|all| all.iter().map(|one| one.window().unwrap().start().to_string()).collect::<Vec<_>>())
    };
    assert_eq!(starts(read(&[&[], &moved])).unwrap(), ["2031-04-01T23:00:00Z"]);
    assert_eq!(starts(read(&[&moved, &[]])).unwrap(), ["2031-04-01T23:00:00Z"]);
    assert_eq!(starts(read(&[&[], &[]])).unwrap().len(), 1, "the same entry twice");
    assert_eq!(starts(read(&[&[], &moved[1..]])), Err(FailureKind::Ambiguous), "nothing ranks them");
    let other = [("CHG-77", "CHG-78")];
    assert_eq!(starts(read(&[&[], &other])).unwrap().len(), 2, "two maintenances under one UID");
    assert_eq!(starts(read(&[&[], &[other[0], moved[0]]])), Err(FailureKind::Ambiguous));
}

#[test]
fn a_broken_entry_makes_the_others_a_suggestion() {
    let broken = EVENT.replace("DTSTART:20310401T", "DTSTART:2031041T").replace("77", "78");
    for (second, kind, suggested) in [
        (broken, FailureKind::Malformed, vec!["CHG-77"]),
        (
            EVENT.replace("X-MAINTNOTE-ACCOUNT:EX-1\n", "").replace("77", "78"),
            FailureKind::Missing,
            vec!["CHG-77", "CHG-78"],
        ),
        (
            EVENT.replace("ACCOUNT:EX-1", "ACCOUNT:N/A").replace("77", "78"),
            FailureKind::Malformed,
            vec!["CHG-77", "CHG-78"],
        ),
    ] {
        let digest = calendar(&format!("{EVENT}END:VEVENT\nBEGIN:VEVENT\n{second}"));
        assert_eq!(read_all(&digest).unwrap_err().kind, kind, "{second}");
        let read = with_calendar(&digest, |source| {
            suggest(source).into_iter().filter_map(|draft| draft.build().ok()).collect::<Vec<_>>()
        });
        assert_eq!(read.iter().map(Maintenance::id).collect::<Vec<_>>(), suggested, "{second}");
    }
}

#[test]
fn statuses() {
    for (line, expected) in [
        ("X-MAINTNOTE-STATUS:TENTATIVE\n", Some(Status::Tentative)),
        ("X-MAINTNOTE-STATUS: in-process \n", Some(Status::InProcess)),
        ("X-MAINTNOTE-STATUS:RESCHEDULED\n", Some(Status::ReScheduled)),
        ("X-MAINTNOTE-STATUS:CANCELED\nSTATUS:CONFIRMED\n", Some(Status::Cancelled)),
        ("X-MAINTNOTE-STATUS:COMPLETED\nSTATUS:CANCELLED\n", Some(Status::Completed)),
        ("STATUS:CANCELLED\n", Some(Status::Cancelled)),
        ("STATUS:CONFIRMED\n", Some(Status::NoChange)),
        ("", Some(Status::NoChange)),
        ("X-MAINTNOTE-STATUS:MAYBE\n", None),
        ("X-MAINTNOTE-STATUS:CONFIRMED\nSTATUS:CANCELLED\n", None),
    ] {
        let read = read_all(&with("X-MAINTNOTE-STATUS", line)).map(|all| all[0].status());
        assert_eq!(read.ok(), expected, "{line}");
    }
    let cancel = with("X-MAINTNOTE-STATUS", "").replacen("VERSION:2.0", "METHOD:CANCEL", 1);
    assert_eq!(only(&cancel).status(), Status::Cancelled);
}

#[test]
fn a_cancelled_entry_may_lack_circuits_and_its_window() {
    let event = EVENT.replace("CONFIRMED", "CANCELLED").replace("X-MAINTNOTE-OBJECT-ID:EX/10G/1\n", "");
    assert!(only(&calendar(&event)).circuits().is_empty());
    let event = event.replace("DTEND:20310402T040000Z\n", "");
    assert_eq!(only(&calendar(&event)).window(), None);
    assert!(read_all(&with("X-MAINTNOTE-OBJECT-ID", "")).is_err());
}

#[test]
fn the_identifying_properties_are_required() {
    for line in ["X-MAINTNOTE-ACCOUNT", "X-MAINTNOTE-MAINTENANCE-ID", "DTSTAMP", "DTSTART", "DTEND"] {
        let failure = read_all(&with(line, "")).unwrap_err();
        assert_eq!((failure.kind, failure.expected.as_str()), (FailureKind::Missing, line));
    }
}

#[test]
fn times_need_a_zone() {
    let start = |lines: &str| {
        let calendar = with("DTSTART", lines).replace("20310402T040000Z", "20310702T040000Z");
        read_all(&calendar).map(|all| all[0].window().unwrap().start().to_string()).ok()
    };
    for (line, expected) in [
        ("DTSTART;TZID=Europe/Paris:20310402T000000\n", "2031-04-01T22:00:00Z"),
        ("DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Paris:20310402T000000\n", "2031-04-01T22:00:00Z"),
        ("DTSTART;TZID=\"W. Europe Standard Time\":20310402T000000\n", "2031-04-01T22:00:00Z"),
        ("DTSTART;TZID=UTC:20310401T220000\n", "2031-04-01T22:00:00Z"),
        ("DTSTART;VALUE=DATE-TIME:20310401T220000Z\n", "2031-04-01T22:00:00Z"),
        ("DTSTART;TZID=Europe/Paris:20310401T220000Z\n", "2031-04-01T22:00:00Z"),
    ] {
        assert_eq!(start(line).as_deref(), Some(expected), "{line}");
    }
    for line in [
        "DTSTART:20310401T220000\n",
        "DTSTART;VALUE=DATE:20310401\n",
        "DTSTART;TZID=Nowhere:20310401T220000\n",
        "DTSTART;TZID=Europe/Paris:20310330T023000\n",
        "DTSTART:20310401T220000Z\nDTSTART:20310402T220000Z\n",
        "DTSTART:garbage\n",
        "DTSTART:2031041T220000Z\n",
        "DTSTART:2031111T220000Z\n",
        "DTSTART:20310401T22000Z\n",
        "DTSTART:20310401T2200000Z\n",
        "DTSTART:020310401T220000Z\n",
        "DTSTART:20310401 220000Z\n",
        "DTSTART;TZID=EST:20310701T220000\n",
    ] {
        assert_eq!(start(line), None, "{line}");
    }
}

#[test]
fn a_calendar_brings_its_own_zone() {
    let zone = "BEGIN:VTIMEZONE\nTZID:Own\nBEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\n\
        TZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\n\
        DTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\n\
        END:DAYLIGHT\nEND:VTIMEZONE\n";
    for (local, expected) in [("20310402T000000", "2031-04-01T22:00:00Z"), ("20310302T000000", "2031-03-01T23:00:00Z")]
    {
        let calendar = with("DTSTART", &format!("DTSTART;TZID=Own:{local}\n"));
        let calendar = calendar.replacen("VERSION:2.0\n", zone, 1);
        assert_eq!(only(&calendar).window().unwrap().start().to_string(), expected);
    }
    let fixed = "BEGIN:VTIMEZONE\nTZID:Own\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0530\n\
        TZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE\n";
    let calendar = with("DTSTART", "DTSTART;TZID=Own:20310402T000000\n").replacen("VERSION:2.0\n", fixed, 1);
    assert_eq!(only(&calendar).window().unwrap().start().to_string(), "2031-04-01T18:30:00Z");
}

/// The clock of Paris, by the rules that it has had since 1996 and by a rule that ended.
const PARIS: &str = "BEGIN:VTIMEZONE\nTZID:NAME\nBEGIN:STANDARD\nDTSTART:19961027T030000\nTZOFFSETFROM:+0200\n\
    TZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\n\
    DTSTART:19810329T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\n\
    END:DAYLIGHT\nBEGIN:STANDARD\nDTSTART:19790930T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n\
    RRULE:FREQ=YEARLY;UNTIL=19950924T010000Z;BYDAY=-1SU;BYMONTH=9\nEND:STANDARD\nEND:VTIMEZONE\n";

fn start_in(definition: &str, name: &str, local: &str) -> Result<String, FailureKind> {
    let calendar = with("DTSTART", &format!("DTSTART;TZID={name}:{local}\n")).replace("20310402T04", "20320402T04");
    let calendar = calendar.replacen("VERSION:2.0\n", &definition.replace("NAME", name), 1);
    read_all(&calendar).map(|all| clock(&all[0].window().unwrap().stated().0)).map_err(|failure| failure.kind)
}

/// Returns a moment on its own clock, without the name of its zone.
fn clock(moment: &Moment) -> String {
    moment.to_string().split('[').next().unwrap_or_default().to_owned()
}

#[test]
fn a_definition_of_a_calendar_stands_above_a_name() {
    for name in ["Own", "EST", "GMT", "Customized Time Zone", "Europe/Paris", "Romance Standard Time"] {
        assert_eq!(start_in(PARIS, name, "20310702T000000").as_deref(), Ok("2031-07-02T00:00:00+02:00"), "{name}");
        assert_eq!(start_in(PARIS, name, "20310102T000000").as_deref(), Ok("2031-01-02T00:00:00+01:00"), "{name}");
        for skipped in ["20310330T023000", "20311026T023000"] {
            assert_eq!(start_in(PARIS, name, skipped), Err(FailureKind::Malformed), "{name}");
        }
    }
    for place in ["America/New_York", "/example.org/Europe/London", "Eastern Standard Time"] {
        assert_eq!(start_in(PARIS, place, "20310702T000000"), Err(FailureKind::Ambiguous), "{place}");
    }
    let unreadable = PARIS.replace("FREQ=YEARLY", "FREQ=DAILY");
    assert_eq!(start_in(&unreadable, "EST", "20310102T000000"), Err(FailureKind::Malformed));
    assert_eq!(start_in(&unreadable, "Europe/Paris", "20310102T000000").as_deref(), Ok("2031-01-02T00:00:00+01:00"));
    let lone = "BEGIN:VTIMEZONE\nTZID:NAME\nEND:VTIMEZONE\n";
    assert_eq!(start_in(lone, "Own", "20310102T000000"), Err(FailureKind::Malformed));
}

#[test]
fn an_older_rule_of_a_definition_has_ended() {
    let american = "BEGIN:VTIMEZONE\nTZID:NAME\nBEGIN:DAYLIGHT\nDTSTART:19870405T020000\nTZOFFSETFROM:-0500\n\
        TZOFFSETTO:-0400\nRRULE:FREQ=YEARLY;UNTIL=20060402T070000Z;BYMONTH=4;BYDAY=1SU\nEND:DAYLIGHT\nBEGIN:DAYLIGHT\n\
        DTSTART:20070311T020000\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=SU;\
        BYMONTHDAY=8,9,10,11,12,13,14\nEND:DAYLIGHT\nBEGIN:STANDARD\nDTSTART:20071104T020000\nTZOFFSETFROM:-0400\n\
        TZOFFSETTO:-0500\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\nEND:STANDARD\nEND:VTIMEZONE\n";
    for name in ["Own", "America/New_York"] {
        assert_eq!(start_in(american, name, "20310320T120000").as_deref(), Ok("2031-03-20T12:00:00-04:00"), "{name}");
        assert_eq!(start_in(american, name, "20310308T120000").as_deref(), Ok("2031-03-08T12:00:00-05:00"), "{name}");
    }
}

#[test]
fn a_duration_may_stand_for_the_end() {
    let end = |line: &str| read_all(&with("DTEND", line)).map(|all| all[0].window().unwrap().end().to_string()).ok();
    assert_eq!(end("DURATION:PT4H30M\n").as_deref(), Some("2031-04-02T02:30:00Z"));
    assert_eq!(end("DURATION:P1D\n").as_deref(), Some("2031-04-02T22:00:00Z"));
    for line in ["DURATION:-PT1H\n", "DURATION:long\n", "DURATION:P1M\n", "DURATION:PT0S\n"] {
        assert_eq!(end(line), None, "{line}");
    }
}

#[test]
fn a_day_of_a_duration_is_as_long_as_its_day() {
    let end = |start: &str, duration: &str| {
        let calendar = with("DTEND", &format!("DURATION:{duration}\n"));
        let calendar = calendar.replace("DTSTART:20310401T220000Z", &format!("DTSTART;TZID=Europe/Paris:{start}"));
        read_all(&calendar).map(|all| clock(&all[0].window().unwrap().stated().1)).ok()
    };
    assert_eq!(end("20310329T230000", "P1D").as_deref(), Some("2031-03-30T23:00:00+02:00"), "23 hours");
    assert_eq!(end("20310329T230000", "PT24H").as_deref(), Some("2031-03-31T00:00:00+02:00"));
    assert_eq!(end("20311025T230000", "P1D").as_deref(), Some("2031-10-26T23:00:00+01:00"), "25 hours");
    assert_eq!(end("20311025T230000", "P1DT2H").as_deref(), Some("2031-10-27T01:00:00+01:00"));
    assert_eq!(end("20310323T023000", "P1W"), None, "the clock skips the end");
}

#[test]
fn an_entry_that_repeats_is_for_a_person() {
    assert!(read_all(&with("UID", "UID:1\nRRULE:FREQ=DAILY;COUNT=3\n")).is_err());
}

#[test]
fn folded_lines_are_joined_and_wrongly_folded_ones_passed_over() {
    let event = EVENT.replace("CHG-77", "CHG-\n 77").replace("EX/10G/1", "EX/10\n\tG/1");
    let event = event.replace("SEQUENCE:3", "DESCRIPTION:Works will\nbe done: soon.\n  And more\nSEQUENCE:3");
    let maintenance = only(&calendar(&event));
    assert_eq!((maintenance.id(), maintenance.circuits()[0].id()), ("CHG-77", "EX/10G/1"));
    assert_eq!(maintenance.sequence(), Some(3));
}

#[test]
fn several_entries_are_several_maintenances_and_others_are_passed_over() {
    let other = "BEGIN:VEVENT\nSUMMARY:Lunch\nEND:VEVENT\n";
    let second = format!("BEGIN:VEVENT\n{}END:VEVENT\n", EVENT.replace("CHG-77", "CHG-78"));
    let calendar = calendar(EVENT).replace("END:VCALENDAR", &format!("{other}{second}END:VCALENDAR"));
    let ids: Vec<_> = read_all(&calendar).unwrap().iter().map(|maintenance| maintenance.id().to_owned()).collect();
    assert_eq!(ids, ["CHG-77", "CHG-78"]);
}

#[test]
fn an_invitation_is_no_notice() {
    let invitation = calendar("SUMMARY:Meeting\nDTSTART:20310401T220000Z\nDTEND:20310402T040000Z\n");
    with_calendar(&invitation, |source| {
        assert!(read(source).unwrap().is_none());
        assert!(!is_announced(source));
    });
}

#[test]
fn a_calendar_that_is_cut_short_is_a_failure() {
    let whole = calendar(EVENT);
    for (end, _) in whole.match_indices('\n').filter(|(end, _)| whole[..*end].contains("X-MAINTNOTE-P")) {
        if whole[end..].trim().is_empty() {
            continue;
        }
        assert_eq!(read_all(&whole[..end]).unwrap_err().kind, FailureKind::CutShort, "{end}");
    }
    assert_eq!(read_all(&whole.replace("END:VEVENT\n", "")).unwrap_err().kind, FailureKind::Missing);
}

#[test]
fn deep_nesting_is_refused() {
    assert_eq!(read_all(&"BEGIN:VEVENT\n".repeat(100_000)).unwrap_err().kind, FailureKind::TooLarge);
}

#[test]
fn a_calendar_identifies_its_provider() {
    let whose = |calendar: &str| with_calendar(calendar, |source| names(source, &CARRIER).map(|found| found.value));
    assert_eq!(whose(&calendar(EVENT)).as_deref(), Some("carrier.example"));
    assert_eq!(whose(&with("X-MAINTNOTE-PROVIDER", "X-MAINTNOTE-PROVIDER:Carrier\n")).as_deref(), Some("Carrier"));
    let by_organizer = with("X-MAINTNOTE-PROVIDER", "X-MAINTNOTE-PROVIDER:Another Name\n");
    assert_eq!(whose(&by_organizer).as_deref(), Some("mailto:noc@carrier.example"));
    assert_eq!(whose(&by_organizer.replace("@carrier.example", "@evil-carrier.example")), None);
}

proptest! {
    #[test]
    fn any_text_is_a_calendar_or_a_failure(text in ".{0,300}") {
        let _ = read_all(&text);
    }

    #[test]
    fn any_change_of_a_calendar_is_read_or_refused(at in 0_usize..600, text in "[\\PC\\n]{0,12}", length in 0_usize..40) {
        let mut calendar: Vec<char> = calendar(EVENT).chars().collect();
        let at = at.min(calendar.len());
        let end = (at + length).min(calendar.len());
        calendar.splice(at..end, text.chars());
        let _ = read_all(&calendar.into_iter().collect::<String>());
    }
}
