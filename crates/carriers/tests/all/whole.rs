//! Notices that stop in the midst, and those that end where they should.

use carriers::parse;
use mail::Mail;
use notice::{failure::FailureKind, outcome::Outcome};

const NOTICE: &str = "From: noc@cogentco.com\nDate: Mon, 17 Feb 2031 15:00:00 +0000\nSubject: Planned Network Maintenance\n\n\
    Start time: 1:00 AM (UTC) 03/04/2031\nEnd time: 2:00 AM (UTC) 03/04/2031\nWork order number: MNT1-1\n\
    Order ID(s) impacted: 1-300100200\n";

fn outcome(mail: &str) -> Outcome {
    parse(&Mail::decode(mail.as_bytes()))
}

#[test]
fn a_value_at_the_end_of_a_text_may_be_cut() {
    for below in ["", "\n\n", "> \n", "Thank y"] {
        match outcome(&format!("{NOTICE}{below}")) {
            Outcome::Failed { failure, suggestion, .. } => {
                assert_eq!((failure.kind, suggestion.len()), (FailureKind::CutShort, 1), "{below:?}");
            }
            other => panic!("{below:?}: {other:?}"),
        }
    }
    assert!(matches!(outcome(&format!("{NOTICE}\nThank you\n")), Outcome::Notice(_)));
}

#[test]
fn a_cancellation_without_its_window_is_whole_if_it_says_goodbye() {
    let cancelled =
        NOTICE.replace("Planned", "Cancelled").replace("Order ID(s) impacted: 1-300100200\n", "More follows.\n");
    assert!(matches!(outcome(&cancelled), Outcome::Failed { .. }));
    assert!(matches!(outcome(&format!("{cancelled}> Best regards,\nNOC\n")), Outcome::Notice(_)));
}

#[test]
fn a_boundary_or_an_end_tag_shows_that_nothing_is_missing() {
    let (headers, body) = NOTICE.split_once("\n\n").unwrap();
    let part = format!("{headers}\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n{body}--b--\n");
    let page = format!("<html>{}</html>", body.replace('\n', "<br>\n"));
    let page = format!("{headers}\nContent-Type: text/html\n\n{page}");
    for mail in [part, page] {
        assert!(matches!(outcome(&mail), Outcome::Notice(_)), "{mail}");
    }
}
