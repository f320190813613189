//! Attacks on the reading of mails by their calendars.

use replaced::Replaced as _;

use super::{Shape, fill, one_of, pieces};

const HEAD: &str =
    "Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n";

/// Returns an event of the MAINTNOTE extension with further lines.
fn event(number: usize, zone: &str, more: &str) -> String {
    format!(
        "BEGIN:VEVENT\r\nUID:{number}\r\nDTSTAMP:20310101T000000Z\r\nDTSTART{zone}:20310401T220000\r\nDTEND{zone}:20310402T040000\r\n\
         SUMMARY:Works\r\nSEQUENCE:1\r\nX-MAINTNOTE-PROVIDER:ntt\r\nX-MAINTNOTE-ACCOUNT:EX-1\r\nX-MAINTNOTE-MAINTENANCE-ID:CHG-{number}\r\n\
         X-MAINTNOTE-OBJECT-ID:EX/{number}\r\nX-MAINTNOTE-IMPACT:OUTAGE\r\nX-MAINTNOTE-STATUS:CONFIRMED\r\n{more}END:VEVENT\r\n"
    )
}

fn rule(number: usize, rule: &str) -> String {
    format!(
        "BEGIN:STANDARD\r\nDTSTART:{:04}0101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:{rule}\r\nEND:STANDARD\r\n",
        1600 + number % 400
    )
}

const RULES: [&str; 6] = [
    "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "FREQ=YEARLY",
    "FREQ=SECONDLY",
    "FREQ=DAILY;INTERVAL=1",
    "FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=1SU,2SU,3SU,4SU",
    "FREQ=YEARLY;COUNT=99999999999;UNTIL=99991231T000000Z",
];

fn calendar(body: &str) -> String {
    format!("{HEAD}{body}END:VCALENDAR\r\n")
}

pub(super) const SHAPES: &[Shape] = &[
    ("rules of a zone", |rng, size| {
        let how = one_of(rng, &RULES);
        let rules = pieces(size - 1_000, |number| rule(number, how));
        calendar(&format!("BEGIN:VTIMEZONE\r\nTZID:Own\r\n{rules}END:VTIMEZONE\r\n{}", event(1, ";TZID=Own", "")))
    }),
    ("rules of a zone of many events", |rng, size| {
        let how = one_of(rng, &RULES);
        let rules = pieces(size / 2, |number| rule(number, how));
        let events = pieces(size / 2 - 1_000, |number| event(number, ";TZID=Own", ""));
        calendar(&format!("BEGIN:VTIMEZONE\r\nTZID:Own\r\n{rules}END:VTIMEZONE\r\n{events}"))
    }),
    ("offsets of a zone of many events", |rng, size| {
        let how = one_of(rng, &RULES);
        let rules: String = (0..rng.usize(10..200))
            .map(|number| {
                rule(number, how)
                    .replaced("TZOFFSETTO:+0200", &format!("TZOFFSETTO:+{:02}{:02}", number / 60, number % 60))
            })
            .collect();
        let events = pieces(size - rules.len() - 1_000, |number| event(number, ";TZID=Own", ""));
        calendar(&format!("BEGIN:VTIMEZONE\r\nTZID:Own\r\n{rules}END:VTIMEZONE\r\n{events}"))
    }),
    ("zones and events", |rng, size| {
        let how = one_of(rng, &RULES);
        let zones = pieces(size / 2, |number| {
            format!("BEGIN:VTIMEZONE\r\nTZID:Own {number}\r\n{}END:VTIMEZONE\r\n", rule(number, how))
        });
        let events = pieces(size / 2 - 1_000, |number| event(number, &format!(";TZID=Own {}", number * 7), ""));
        calendar(&format!("{zones}{events}"))
    }),
    ("times of a zone", |_, size| {
        let times = pieces(size - 1_200, |number| format!(",{:04}0101T000000", 1600 + number % 8000));
        calendar(&format!(
            "BEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\nDTSTART:16000101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRDATE:16000101T000000{times}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n{}",
            event(1, ";TZID=Own", "")
        ))
    }),
    ("repetitions of an event", |rng, size| {
        calendar(&event(1, "", &format!("{}\r\n", fill(&format!("RRULE:{}\r\n", one_of(rng, &RULES)), size - 1_000))))
    }),
    ("properties", |rng, size| {
        let line = one_of(
            rng,
            &[
                "X-MAINTNOTE-OBJECT-ID:EX/2\r\n",
                "X:y\r\n",
                "UID:1\r\n",
                "X-MAINTNOTE-PROVIDER:ntt\r\n",
                "DTSTART:20310401T220000Z\r\n",
                "SUMMARY:a\r\n",
            ],
        );
        calendar(&event(1, "", &fill(line, size - 1_000)))
    }),
    ("objects", |_, size| {
        calendar(&event(
            1,
            "",
            &pieces(size - 1_000, |number| {
                format!("X-MAINTNOTE-OBJECT-ID;X-MAINTNOTE-OBJECT-IMPACT=OUTAGE:EX/{number}\r\n")
            }),
        ))
    }),
    ("folded lines", |rng, size| {
        calendar(&event(
            1,
            "",
            &format!("SUMMARY:a{}\r\n", fill(one_of(rng, &["\r\n a", "\r\n ", "\r\n\tb", "\n a"]), size - 1_000)),
        ))
    }),
    ("parameters", |rng, size| {
        let line = pieces(size - 1_000, |number| format!(";A{number}=\"b\""));
        calendar(&event(
            1,
            "",
            &format!("{}{line}:c\r\n", one_of(rng, &["SUMMARY", "X-MAINTNOTE-OBJECT-ID", "DTSTART"])),
        ))
    }),
    ("escapes", |rng, size| {
        calendar(&event(
            1,
            "",
            &format!(
                "{}:{}\r\n",
                one_of(rng, &["SUMMARY", "X-MAINTNOTE-OBJECT-ID"]),
                fill(one_of(rng, &["\\n", "\\,", ",", "\\\\", "\\", "\\;a,"]), size - 1_000)
            ),
        ))
    }),
    ("ids in a list", |rng, size| {
        let ids = fill(one_of(rng, &["a,", "\\;a,", "ab,,"]), size - 1_000);
        calendar(&event(1, ";TZID=Europe/Berlin", &format!("X-MAINTNOTE-OBJECT-ID:{ids}\r\n")))
    }),
    ("components in components", |rng, size| {
        let name = one_of(rng, &["VEVENT", "VCALENDAR", "X", "VTIMEZONE", "VALARM"]);
        format!("{HEAD}{}", fill(&format!("BEGIN:{name}\r\n"), size - 200))
    }),
    ("ends of components", |_, size| calendar(&fill("END:VEVENT\r\n", size - 200))),
    ("events", |rng, size| {
        let zone =
            one_of(rng, &["", ";TZID=Europe/Berlin", ";TZID=No Such Zone", ";TZID=\"(UTC+01:00) Amsterdam, Berlin\""]);
        calendar(&pieces(size - 200, |number| event(number, zone, "")))
    }),
    ("events of one id", |_, size| calendar(&fill(&event(1, ";TZID=Europe/Berlin", ""), size - 200))),
    ("events that nearly are equal", |_, size| {
        calendar(&pieces(size - 200, |number| event(1, "", &format!("X-MAINTNOTE-OBJECT-ID:{number}\r\n"))))
    }),
    ("long names", |_, size| calendar(&format!("{}:y\r\n", fill("X-A", size - 200)))),
    ("calendars", |_, size| {
        let part = format!("--b\r\n{HEAD}{}END:VCALENDAR\r\n", event(1, "", ""));
        let parts = pieces(size - 100, |number| part.replaced("UID:1\r\n", &format!("UID:{number}\r\n")));
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n")
    }),
];
