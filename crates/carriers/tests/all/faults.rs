//! Tests faults of parsers of such mails, all of them in one table: [`FAULTS`]. Each fault is covered by a mail of ours and its
//! expected reading, or by a test that is named there. Those below it are about the tools that all providers share: the carrier
//! in them is made up.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use mail::Mail;
use notice::{
    dates,
    failure::Failure,
    found::Found,
    outcome::{Outcome, Recognition},
    provider::{LearnedFrom, Provider, says_nothing},
    source::Source,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{rewrite, support};

/// The proof that we do not have a fault.
enum Shown {
    /// A mail of ours, and what is read of it: see [`told`].
    By(&'static str, &'static [&'static str]),
    /// A test: its file below `crates/carriers/`, and its name.
    In(&'static str, &'static str),
}

use Shown::{By, In};

#[rustfmt::skip]
const FAULTS: &[(&str, Shown)] = &[
    // Of mails
    ("a forwarded notice is still the carrier's: inline", By("cirion/forwarded", &["30771440 CONFIRMED"])),
    ("… as a message/rfc822 part", By("arelion/forwarded", &["PWIC730118.1 CONFIRMED 2031-03-05T23:00Z–2031-03-06T05:00Z"])),
    ("… behind a list's prefix", By("colt/planned", &["CRQ1-30040506 CONFIRMED"])),
    ("… of every carrier, by every mail program, twice", In("tests/all/metamorphic/forwarding.rs", "inline_twice")),
    ("a look-alike is nobody", In("tests/all/faults.rs", "a_look_alike_in_any_hand_is_nobody")),
    ("a second HTML part changes nothing", In("tests/all/faults.rs", "a_second_html_part_changes_nothing")),
    ("… nor a list's footer, of every carrier", In("tests/all/metamorphic/wrapping.rs", "footers_of_lists_change_nothing")),
    ("8 bits without a charset are read", In("tests/all/mail.rs", "eight_bits_without_a_charset_are_read")),
    ("… of every carrier", In("tests/all/metamorphic/wrapping.rs", "charsets")),
    ("no Date, no From, no body: nothing is guessed", In("tests/all/faults.rs", "a_mail_without_a_part_reads_the_same_or_not_at_all")),
    ("… and no crash", In("tests/all/mail.rs", "a_mail_without_anything_is_a_mail")),
    ("an already decoded body is decoded once", In("tests/all/mail.rs", "a_body_is_decoded_once")),
    ("a missing year, over New Year as well", In("tests/all/faults.rs", "a_missing_year_comes_from_the_mails_date_over_new_year_as_well")),
    ("… of every carrier that writes none", In("tests/all/metamorphic/moments.rs", "other_days")),
    ("times that are struck through are the old ones", In("tests/all/faults.rs", "times_that_are_struck_through_are_the_old_ones")),
    ("another mail of a carrier is ignored, with the reason: a disturbance", By("arelion/disturbance", &["ignored: a disturbance, no maintenance; a fault"])),
    ("… a receipt", By("hgc/receipt", &["ignored: no maintenance in the subject, and no details of one; a receipt"])),
    ("… marketing", By("turkcell/campaign", &["ignored: "])),
    ("… a newsletter", By("telstra/newsletter", &["ignored: "])),
    ("no window is guessed: times to come", By("verizon/undated", &["failed: not understood"])),
    ("… an end that is no time", By("turkcell/forwarded-no-end", &["failed: not understood"])),
    ("… a day that may be a month", By("vodafone/ambiguous-date", &["failed: not understood"])),
    ("… times without a zone", By("genericprovider/floating-time", &["failed: not understood"])),
    // Of carriers
    ("apple: one format of times; circuits are the peer's AS", By("apple/planned", &["2031-03-03T01:00Z–2031-03-03T05:30Z AS64500 OUTAGE"])),
    ("apple: the other", By("apple/rescheduled", &["2031-03-10T01:00Z–2031-03-10T05:30Z AS64500 OUTAGE, AS64501 OUTAGE"])),
    ("aquacomms: the time before a date with the day first", By("aquacomms/planned", &["2031-11-03T23:00Z–2031-11-04T07:00Z"])),
    ("calendar: several entries in one file", By("arelion/planned", &["PWIC730118.1 CONFIRMED 2031-03-05T23:00Z", "PWIC730118.2 TENTATIVE 2031-03-07T23:00Z"])),
    ("calendar: cancelled without circuits", By("arelion/cancelled", &["CANCELLED 2031-03-12T23:00Z–2031-03-13T05:00Z"])),
    ("calendar: another mail without one", By("ntt/newsletter", &["ignored: "])),
    ("att: leading zeros that the sheet does not store", By("att/numbered-circuits-two-nights", &["00700413 REDUCED-REDUNDANCY, 00700414 REDUCED-REDUNDANCY"])),
    ("att: each of the sheet's headings", In("src/providers/att.rs", "columns_are_told_by_the_words_in_their_headings")),
    ("aws: an id of circuits, start and end", In("tests/all/faults.rs", "a_missing_id_is_the_hash_of_the_content")),
    ("bso: slots merge, and each circuit has its impact", By("bso/planned", &["EXN-PAR1-LON2-W-001 REDUCED-REDUNDANCY, EXN-PAR1-FRA3-W-002 OUTAGE"])),
    ("bso: the first start and the last end", By("bso/reminder-two-slots", &["2031-09-03T22:00Z–2031-09-06T04:00Z"])),
    ("cogent: the month first, in the time of Chicago", By("cogent/planned", &["2031-03-04T06:00Z–2031-03-04T12:00Z"])),
    ("cogent: the summer of Frankfurt", By("cogent/emergency", &["2031-03-30T21:00Z–2031-03-31T03:00Z"])),
    ("cogent: a city that nobody knows", By("cogent/nowhere", &["failed: not found: the city"])),
    ("colt: a subject with times, the day first", By("colt/planned", &["2031-03-04T23:00Z–2031-03-05T03:00Z"])),
    ("colt: a subject without; the sheet is UTF-16", By("colt/about-to-start", &["EXN/EXN/LE-300405 "])),
    ("crowncastle: completed, without circuits", By("crowncastle/completed-without-circuits", &["COMPLETED 2031-07-23T04:00Z–2031-07-23T10:00Z"])),
    ("equinix: the year in a span, over New Year; 3 columns", By("equinix/planned", &["2024-12-31T22:00Z–2025-01-01T03:00Z 20881177-A"])),
    ("equinix: 4 columns", By("equinix/completed-forwarded", &["COMPLETED", "EC7788.2 OUTAGE"])),
    ("equinix: the English part last; 14 columns", By("equinix/reminder-bilingual", &["K-204499001 CONFIRMED 2025-02-14T14:00Z–2025-02-14T18:00Z 20990044-A OUTAGE, a41c9e02-7d0b"])),
    ("equinix: \"CANCELLED - Scheduled …\" is cancelled", By("equinix/cancelled", &["CANCELLED"])),
    ("globalcloudxchange: times and id in the subject", By("globalcloudxchange/planned", &["PE2031051270011 CONFIRMED 2031-05-20T22:00Z–2031-05-21T02:00Z"])),
    ("google: a missing end is not invented", By("google/started-without-end", &["failed: not found: an end"])),
    ("gtt: old times struck through", By("gtt/rescheduled", &["2031-03-25T22:00Z–2031-03-26T04:00Z"])),
    ("gtt: cancelled without times", By("gtt/cancelled", &["77123456 CANCELLED no window 2044001-77003311 OUTAGE"])),
    ("hgc: one layout, the id in the subject", By("hgc/planned", &["TIC000000000770011 CONFIRMED 2031-05-15T16:00Z"])),
    ("hgc: the other", By("hgc/rescheduled-forwarded", &["TIC000000000770011 RE-SCHEDULED 2031-05-17T16:00Z"])),
    ("lumen: several windows under one id", By("lumen/planned", &["30114417 CONFIRMED 2025-01-01T05:00Z", "30114417 CONFIRMED 2025-01-02T05:00Z"])),
    ("lumen: the status per circuit", By("lumen/two-nights", &["COMPLETED 2025-03-10T04:00Z–2025-03-10T10:00Z 440012771", "CONFIRMED 2025-03-11T04:00Z–2025-03-11T10:00Z KQGN-881120"])),
    ("netflix: the end is the start and the downtime", By("netflix/planned", &["2031-02-03T18:00Z–2031-02-03T19:00Z"])),
    ("sparkle: several ids, one maintenance each", By("sparkle/planned", &["7001001 CONFIRMED 2031-03-10T03:00Z", "7001002 CONFIRMED 2031-03-11T03:00Z"])),
    ("pccw: a calendar part", By("pccw/calendar", &["2031-09-20T01:00Z–2031-09-20T06:00Z EXA(LON)-EXB(PAR) EP7701"])),
    ("pccw: no calendar part", By("pccw/planned", &["2031-09-20T01:00Z–2031-09-20T06:00Z"])),
    ("pccw: a completion without a calendar", In("src/providers/pccw.rs", "kinds_of_notices")),
    ("zayo: one heading of circuits, several windows under one id", By("zayo/planned", &["TTN-0007310442 CONFIRMED 2024-03-06T04:00Z", "TTN-0007310442 CONFIRMED 2024-03-07T04:00Z"])),
    ("zayo: another heading", By("zayo/rescheduled", &["2024-03-20T03:00Z–2024-03-20T09:00Z /OGYX/884410/   /ZYO / OUTAGE"])),
    ("zayo: the day of the notice is its stamp", By("zayo/planned", &["of 2024-02-21T00:00Z"])),
    ("genericprovider: anybody's MAINTNOTE calendar", By("genericprovider/planned", &["FF-2031-0088 TENTATIVE 2031-06-19T22:00Z–2031-06-20T04:00Z FF-BGO-OSL-7 OUTAGE"])),
    ("… and that it is anybody's", In("tests/all/faults.rs", "a_strangers_calendar_is_read_and_known_to_be_a_strangers")),
];

/// Returns the reading of a mail, in short: `ID STATUS START–END CIRCUIT IMPACT, … of STAMP` a line, or the outcome and its
/// reason.
fn told(reading: &Value) -> String {
    let time = |value: &Value| {
        let seconds = value.as_i64().unwrap();
        Timestamp::from_second(seconds).unwrap().strftime("%Y-%m-%dT%H:%MZ").to_string()
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |one: &Value| {
        let window = if one["start"].is_null() {
            "no window".to_owned()
        } else {
            format!("{}–{}", time(&one["start"]), time(&one["end"]))
        };
        let circuits = one["circuits"].as_array().unwrap().iter();
        let circuits = circuits.map(|circuit| format!("{} {}", text(&circuit["circuit_id"]), text(&circuit["impact"])));
        let circuits = circuits.collect::<Vec<_>>().join(", ");
        let (id, status) = (text(&one["maintenance_id"]), text(&one["status"]));
        format!("{id} {status} {window} {circuits} of {}", time(&one["stamp"]))
    };
    match reading["outcome"].as_str() {
        Some("maintenance") => {
            reading["maintenances"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
        }
        outcome => format!("{}: {}", outcome.unwrap(), text(&reading["reason"])),
    }
}

#[test]
fn every_fault_is_shown_not_to_be_ours() {
    let mut wrong = Vec::new();
    for (fault, shown) in FAULTS {
        match shown {
            By(mail, expected) => {
                let path = support::repository().join(format!("tests/mails/{mail}.eml"));
                let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{mail}: {error}"));
                let told = told(&support::parse(&bytes));
                let missing = expected.iter().filter(|line| !told.contains(**line));
                wrong.extend(missing.map(|line| format!("{fault}: {mail} says not {line:?} but {told:?}")));
            }
            In(file, test) => {
                let path = support::repository().join("crates/carriers").join(file);
                let source = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"));
                let is_there = source.contains(&format!("#[test]\n    fn {test}()"))
                    || source.contains(&format!("#[test]\nfn {test}()"));
                wrong.extend((!is_there).then(|| format!("{fault}: there is no test {test} in {file}")));
            }
        }
    }
    println!("{} faults, {} not shown", FAULTS.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A mail without a header or a body is read as before, or not at all.
#[test]
fn a_mail_without_a_part_reads_the_same_or_not_at_all() {
    let without = |mail: &[u8], name: &str| rewrite::Message::of(mail).without(name).bytes();
    let essence = |reading: &Value| {
        let keys = ["maintenance_id", "status", "start", "end", "circuits"];
        let one = |one: &Value| keys.map(|key| one[key].clone()).to_vec();
        reading["maintenances"].as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    let (mut read, mut refused, mut wrong) = (0, 0, Vec::new());
    for mail in support::own_mails() {
        let whole = support::parse(&mail.bytes);
        // Who imitates a carrier is told by the sender alone.
        if whole["outcome"] != "maintenance" {
            continue;
        }
        let bodiless = rewrite::Message::of(&mail.bytes).without_body();
        for (what, bytes) in
            [("Date", without(&mail.bytes, "date:")), ("From", without(&mail.bytes, "from:")), ("body", bodiless)]
        {
            let reading = support::parse(&bytes);
            let is_read = reading["outcome"] == "maintenance";
            (read, refused) = (read + usize::from(is_read), refused + usize::from(!is_read));
            if is_read && essence(&reading) != essence(&whole) {
                wrong.push(format!("{} without {what}: {}, not {}", mail.name, told(&reading), told(&whole)));
            }
            let is_nothing = what == "body" && reading["maintenances"] != Value::Array(Vec::new());
            if is_nothing {
                wrong.push(format!("{} without a body: {}", mail.name, told(&reading)));
            }
        }
    }
    println!("{read} mails that lack a part read, {refused} not, {} otherwise", wrong.len());
    assert!(read > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Amazon's notices have no id: it is the hash of the circuits, one behind the other, and of the window.
#[test]
fn a_missing_id_is_the_hash_of_the_content() {
    let mail = std::fs::read(support::repository().join("tests/mails/aws/planned.eml")).unwrap();
    let said = "dxcon-fh6q1w2edxvif-fg9z8y7xdxvif-ffk3m5n719304316001930446000";
    let hash = Sha256::digest(said).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(support::parse(&mail)["maintenances"][0]["maintenance_id"], hash);
}

static CARRIER: Provider = Provider {
    slug: "carrier",
    name: "Carrier",
    domains: &["carrier.example"],
    organizer: "noc@carrier.example",
    learned_from: LearnedFrom::PublicKnowledge,
    says: says_nothing,
    read: |_| Err(Failure::missing("nothing")),
};

const LOCAL: &[&str] = &["%b %d, %H:%M"];

fn with_both_line_ends(mail: &str, look: impl Fn(&Mail)) {
    for (_, bytes) in support::with_both_line_ends(mail.as_bytes()) {
        look(&Mail::decode(&bytes));
    }
}

/// Returns the start of a notice that writes no year.
fn start(source: &Source<'_>) -> Result<Found<DateTime>, Failure> {
    let announced = source.announced_at().ok_or_else(|| Failure::missing("the date of the mail"))?;
    let announced = announced.to_zoned(TimeZone::UTC).date();
    let cell = source.page()?.expect_value_of("Start")?;
    cell.try_map("a time", |text| dates::civil_near(text, LOCAL, announced))
}

fn notice(date: &str, start: &str) -> String {
    format!(
        "From: NOC <noc@carrier.example>\nTo: maintenance@networks.example\nDate: {date}\nSubject: Planned work\n\
         MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\n--b\n\
         Content-Type: text/html; charset=utf-8\n\n<html><body><p>Dear customer,</p><table>\n\
         <tr><td><b>Start:</b></td><td>{start}</td></tr></table></body></html>\n--b\n\
         Content-Type: text/html; charset=utf-8\n\n<table><tr><td>Start:</td><td>May 01, 00:00</td></tr></table>\n--b--\n"
    )
}

fn read(date: &str, start_cell: &str, expected: Option<&str>) {
    with_both_line_ends(&notice(date, start_cell), |mail| {
        assert!(mail.defects.is_empty(), "{:?}", mail.defects);
        let start = start(&Source::new(mail, &CARRIER)).map(|found| found.value.to_string());
        assert_eq!(start.ok().as_deref(), expected, "{date}: {start_cell}");
    });
}

#[test]
fn a_missing_year_comes_from_the_mails_date_over_new_year_as_well() {
    read("Mon, 30 Dec 2030 10:00:00 +0000", "Jan 04, 22:00", Some("2031-01-04T22:00:00"));
    read("Thu, 02 Jan 2031 10:00:00 +0000", "Dec 30, 22:00", Some("2030-12-30T22:00:00"));
    read("Mon, 30 Dec 2030 10:00:00 +0000", "Jun 30, 22:00", None);
}

#[test]
fn times_that_are_struck_through_are_the_old_ones() {
    let date = "Mon, 03 Mar 2031 10:00:00 +0000";
    for old in [
        "<s>Mar 10, 22:00</s> Mar 17, 22:00",
        "<span style=\"color:#c00;text-decoration:line-through\">Mar 10, 22:00</span><br>Mar 17, 22:00",
        "<del><b>Mar 10, 22:00</b></del>&nbsp;<u>Mar 17, 22:00</u>",
    ] {
        read(date, old, Some("2031-03-17T22:00:00"));
    }
    read(date, "Mar 10, 22:00 Mar 17, 22:00", None);
}

#[test]
fn a_second_html_part_changes_nothing() {
    read("Mon, 03 Mar 2031 10:00:00 +0000", "Mar 10, 22:00", Some("2031-03-10T22:00:00"));
}

#[test]
fn a_strangers_calendar_is_read_and_known_to_be_a_strangers() {
    let mail = std::fs::read(support::repository().join("tests/mails/genericprovider/cancelled.eml")).unwrap();
    match carriers::parse(&Mail::decode(&mail)) {
        Outcome::Notice(notice) => assert_eq!(notice.recognised.by, Recognition::Calendar),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_look_alike_in_any_hand_is_nobody() {
    let mail = std::fs::read_to_string(support::repository().join("tests/mails/arelion/planned.eml")).unwrap();
    let sender = "Arelion Change Management <carrier-csc@arelion.com>";
    assert!(mail.contains(sender));
    for imitation in [
        "carrier-csc@evil-arelion.com",
        "carrier-csc@arelion.com.evil.example",
        "\"carrier-csc@arelion.com\" <a@evil.example>",
        "carrier-csc@are1ion.com",
    ] {
        with_both_line_ends(&mail.replace(sender, imitation), |mail| match carriers::parse(mail) {
            Outcome::Unrecognised { suggestion, .. } => assert_eq!(suggestion.len(), 2, "{imitation}"),
            other => panic!("{imitation}: {other:?}"),
        });
    }
    let honest = mail.replace(sender, "Robin <robin@networks.example>");
    with_both_line_ends(&honest, |mail| assert!(matches!(carriers::parse(mail), Outcome::Notice(_))));
}
