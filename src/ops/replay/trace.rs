//! Converts the headers that SES wrote before a stored mail into an event's values. The function's own code (`trust`) reads them, so
//! that a replay accepts exactly what the function accepts.

use jiff::Timestamp;
use trust::{Checked, NotOfSes};

use local::verdicts::{Verdict, Verdicts};

/// The headers that SES wrote before a stored mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    /// Host name by which the sender's server introduced itself.
    pub(super) helo: String,
    /// Sender of the envelope; empty for a bounce.
    pub(super) sender: String,
    /// Recipient of the envelope; `None` if SES names none.
    pub(super) recipient: Option<String>,
    /// Time at which SES received the mail, to the second; `None` if unreadable.
    pub(super) received_at: Option<Timestamp>,
    pub(super) verdicts: Verdicts,
    /// Length of these headers, in bytes: the mail itself begins there.
    pub(super) length: usize,
}

/// Reads the headers that SES wrote before the mail with that id. `added` are the names of headers that receipt rules add before
/// them.
pub(super) fn read(stored: &[u8], id: &str, added: &[&str]) -> Result<Trace, NotOfSes> {
    let trace = trust::Trace::read(stored, id, added)?;
    let scanned =
        |word: Option<&str>| word.map_or(Verdict::Disabled, |word| Verdict::of(word).unwrap_or(Verdict::Gray));
    let results = trace.results.as_ref();
    // A mail may have many signatures, of which one suffices.
    let signatures: Vec<Checked> =
        results.into_iter().flat_map(|results| &results.dkim).map(|(checked, _)| *checked).collect();
    let order = [Checked::Pass, Checked::Fail, Checked::Error];
    let best = order.into_iter().find(|checked| signatures.contains(checked));
    Ok(Trace {
        verdicts: Verdicts {
            spam: scanned(trace.spam.as_deref()),
            virus: scanned(trace.virus.as_deref()),
            spf: verdict(results.and_then(|results| results.spf)),
            dkim: verdict(best),
            dmarc: verdict(results.and_then(|results| results.dmarc)),
        },
        helo: trace.helo,
        sender: trace.sender.unwrap_or_default(),
        recipient: trace.recipient.filter(|address| address.contains('@')),
        received_at: trace.received_at,
        length: trace.length,
    })
}

/// Converts a result of RFC 8601 into SES's word in events.
fn verdict(checked: Option<Checked>) -> Verdict {
    match checked {
        Some(Checked::Pass) => Verdict::Pass,
        Some(Checked::Fail) => Verdict::Fail,
        Some(Checked::Error) => Verdict::ProcessingFailed,
        Some(Checked::Neutral) | None => Verdict::Gray,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use local::arrival::{Arrival, Envelope};

    const ID: &str = "0123456789abcdefghijklmnopqrstuv01234567";

    fn stored(helo: &str, mail: &str, settings: &[&str]) -> Vec<u8> {
        let envelope = Envelope {
            helo: helo.to_owned(),
            sender: "bounce@carrier.example".to_owned(),
            recipients: vec!["noc@example.com".to_owned()],
        };
        let received_at = "2027-01-05T10:15:30Z".parse().unwrap();
        let arrival = Arrival { id: ID.to_owned(), envelope, received_at, bytes: mail.as_bytes().to_vec() };
        let settings: Vec<_> = settings.iter().map(|text| text.parse().unwrap()).collect();
        arrival.stored("eu-west-1", Verdicts::with(&settings))
    }

    #[test]
    fn what_ses_wrote_is_read_back_and_what_the_sender_wrote_is_not() {
        // The sender begins with headers of SES, and with verdicts that he prefers.
        let mail = "Received: from a by b with SMTP id other; Tue, 5 Jan 2021 10:15:30 +0000\r\nX-SES-Spam-Verdict: PASS\r\n\
                    Authentication-Results: amazonses.com; dmarc=pass\r\nFrom: a@carrier.example\r\n\r\nbody\r\n";
        let settings = ["spam=FAIL", "virus=DISABLED", "spf=GRAY", "dkim=PROCESSING_FAILED", "dmarc=FAIL"];
        let stored = stored("mx.carrier.example", mail, &settings);
        let trace = read(&stored, ID, &[]).unwrap();
        let expected = Trace {
            helo: "mx.carrier.example".to_owned(),
            sender: "bounce@carrier.example".to_owned(),
            recipient: Some("noc@example.com".to_owned()),
            received_at: Some("2027-01-05T10:15:30Z".parse().unwrap()),
            verdicts: Verdicts {
                spam: Verdict::Fail,
                virus: Verdict::Disabled,
                spf: Verdict::Gray,
                dkim: Verdict::ProcessingFailed,
                dmarc: Verdict::Fail,
            },
            length: stored.len() - mail.len(),
        };
        assert_eq!(trace, expected);
    }

    #[test]
    fn headers_that_rules_add_may_come_first_and_no_others() {
        let stored = [b"X-Route: one\r\n".to_vec(), stored("mx", "From: a@b.example\r\n\r\n", &[])].concat();
        assert_eq!(read(&stored, ID, &["x-route"]).unwrap().verdicts, Verdicts::default());
        assert_eq!(read(&stored, ID, &[]), Err(NotOfSes::NoHeaders));
    }

    #[test]
    fn another_mails_headers_and_none_at_all_are_refused() {
        let stored = stored("mx", "\r\n", &[]);
        assert_eq!(read(&stored, "another", &[]), Err(NotOfSes::OtherMail));
        for other in [&b""[..], b"\r\n", b"body", b"\xff\xfe: \x00\r\n", b" folded\r\n"] {
            assert_eq!(read(other, ID, &[]), Err(NotOfSes::NoHeaders));
        }
    }

    #[test]
    fn whoever_calls_himself_a_result_proves_nothing() {
        for helo in ["a;dkim=pass", "a;dmarc=pass", "a;spf=pass;x="] {
            assert_eq!(read(&stored(helo, "\r\n", &["dmarc=FAIL"]), ID, &[]), Err(NotOfSes::Odd("Received")), "{helo}");
        }
    }
}
