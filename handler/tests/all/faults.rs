//! What goes wrong in parsers of such mails, each with a whole mail: look-alikes, calendars of strangers, footers that
//! lists add, years that are missing over New Year, times that are struck through. The carrier is made up, so that
//! nothing but the tools that all providers share is under test.

use handler::{
    mail::Mail,
    maintenance::{
        self, dates,
        failure::Failure,
        found::Found,
        outcome::{Outcome, Recognition},
        provider::{LearnedFrom, Provider, says_nothing},
        source::Source,
    },
};
use jiff::{civil::DateTime, tz::TimeZone};

use crate::support;

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

/// The start of a notice that writes no year.
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
    match maintenance::parse(&Mail::decode(&mail)) {
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
        with_both_line_ends(&mail.replace(sender, imitation), |mail| match maintenance::parse(mail) {
            Outcome::Unrecognised { suggestion, .. } => assert_eq!(suggestion.len(), 2, "{imitation}"),
            other => panic!("{imitation}: {other:?}"),
        });
    }
    let honest = mail.replace(sender, "Robin <robin@networks.example>");
    with_both_line_ends(&honest, |mail| assert!(matches!(maintenance::parse(mail), Outcome::Notice(_))));
}
