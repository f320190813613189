//! What SES wrote before a mail when it stored it: who sent it to whom, when, and what SES thinks of it.
//!
//! A sender may write headers of the same names, and what he says in the SMTP dialogue stands in SES's headers too. So SES's are
//! told by their place: the first block of the object, in which each name stands once, with the mail's own id in `Received`,
//! which no sender knows beforehand. Where a verdict could be the sender's word, it is none.

use jiff::{Timestamp, fmt::rfc2822};

use local::verdicts::{Verdict, Verdicts};

/// The headers of SES, in lower case.
const OWN: &[&str] = &[
    "return-path",
    "received",
    "x-ses-spam-verdict",
    "x-ses-virus-verdict",
    "received-spf",
    "authentication-results",
    "x-ses-receipt",
    "x-ses-dkim-signature",
];
/// How SES signs its `Authentication-Results`.
const AUTHORITY: &str = "amazonses.com";

/// What SES wrote before a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    /// What the sender's server called itself.
    pub(super) helo: String,
    /// The sender of the envelope; empty for a bounce.
    pub(super) sender: String,
    /// The recipient of the envelope that SES names.
    pub(super) recipient: Option<String>,
    /// When SES received it, to the second.
    pub(super) received_at: Option<Timestamp>,
    pub(super) verdicts: Verdicts,
    /// Where the mail itself begins, in bytes.
    pub(super) length: usize,
}

/// The object does not begin as SES begins a mail of that id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOfSes {
    #[error("it does not begin with the headers of SES")]
    NoHeaders,
    #[error("the headers of SES are those of another mail")]
    OtherMail,
}

/// One header: its name in lower case, its value in one line, and where it ends.
struct Header {
    name: String,
    value: String,
    end: usize,
}

/// Reads what SES wrote before the mail with that id. `added` are the names of headers that receipt rules add before them.
pub(super) fn read(stored: &[u8], id: &str, added: &[&str]) -> Result<Trace, NotOfSes> {
    let headers = headers(stored);
    let is_added = |header: &&Header| added.iter().any(|name| name.eq_ignore_ascii_case(&header.name));
    let mut block: Vec<&Header> = Vec::new();
    for header in headers.iter().skip_while(is_added) {
        if !OWN.contains(&header.name.as_str()) || block.iter().any(|known| known.name == header.name) {
            break;
        }
        block.push(header);
    }
    let value = |name: &str| block.iter().find(|header| header.name == name).map(|header| header.value.as_str());
    let received = value("received").ok_or(NotOfSes::NoHeaders)?;
    if word_after(received, "id") != Some(id) {
        return Err(NotOfSes::OtherMail);
    }
    let verdict = |name: &str| value(name).map_or(Verdict::Disabled, |word| Verdict::of(word).unwrap_or(Verdict::Gray));
    let before: Vec<&str> = ["return-path", "received", "received-spf"].into_iter().filter_map(value).collect();
    let [spf, dkim, dmarc] = value("authentication-results").map_or([Verdict::Gray; 3], |text| results(text, &before));
    Ok(Trace {
        helo: word_after(received, "from").unwrap_or("unknown").to_owned(),
        sender: value("return-path").unwrap_or_default().trim_matches(['<', '>']).to_owned(),
        recipient: word_after(received, "for").map(str::to_owned).filter(|address| address.contains('@')),
        received_at: received
            .rsplit_once(';')
            .and_then(|(_, date)| rfc2822::DateTimeParser::new().parse_timestamp(date.trim()).ok()),
        verdicts: Verdicts {
            spam: verdict("x-ses-spam-verdict"),
            virus: verdict("x-ses-virus-verdict"),
            spf,
            dkim,
            dmarc,
        },
        length: block.last().map_or(0, |header| header.end),
    })
}

/// The headers of a mail, unfolded.
fn headers(stored: &[u8]) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    let mut end = 0;
    for line in stored.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            break;
        }
        match (text.starts_with([' ', '\t']), headers.last_mut(), text.split_once(':')) {
            (true, Some(last), _) => {
                last.value.push(' ');
                last.value.push_str(text.trim());
                last.end = end;
            }
            (false, _, Some((name, value))) => {
                headers.push(Header {
                    name: name.trim_end().to_ascii_lowercase(),
                    value: value.trim().to_owned(),
                    end,
                });
            }
            // What is no header ends those that can be trusted.
            _ => break,
        }
    }
    headers
}

/// The word after another, as in `with SMTP id ID for RECIPIENT;`.
fn word_after<'text>(text: &'text str, before: &str) -> Option<&'text str> {
    let mut words = text.split_whitespace();
    words.find(|word| *word == before)?;
    words.next().map(|word| word.trim_end_matches(';').trim_matches(['<', '>']))
}

/// The results of SPF, DKIM and DMARC. `before` are SES's other headers: if there is talk of results in them, somebody tries
/// to be taken for SES, and nothing is proved.
fn results(value: &str, before: &[&str]) -> [Verdict; 3] {
    let unproven = [Verdict::Gray; 3];
    let talks = |text: &&str| ["spf=", "dkim=", "dmarc="].iter().any(|word| text.to_ascii_lowercase().contains(word));
    let Some(value) = trust::without_comments(value) else { return unproven };
    let mut parts = value.split(';').map(str::trim);
    if value.contains('"') || before.iter().any(talks) || parts.next() != Some(AUTHORITY) {
        return unproven;
    }
    let words: Vec<(&str, Verdict)> = parts
        .filter_map(|part| part.split_whitespace().next()?.split_once('='))
        .map(|(method, word)| (method, verdict(word)))
        .collect();
    let of = |method: &str| -> Vec<Verdict> {
        words.iter().filter(|(own, _)| *own == method).map(|(_, verdict)| *verdict).collect()
    };
    // There may be many signatures, of which one is enough; there is one sender, and one author.
    let only = |verdicts: &[Verdict]| if let [one] = verdicts { *one } else { Verdict::Gray };
    let best = |verdicts: &[Verdict]| {
        let order = [Verdict::Pass, Verdict::Fail, Verdict::ProcessingFailed];
        order.into_iter().find(|verdict| verdicts.contains(verdict)).unwrap_or(Verdict::Gray)
    };
    [only(&of("spf")), best(&of("dkim")), only(&of("dmarc"))]
}

/// A result of RFC 8601 as SES calls it.
fn verdict(word: &str) -> Verdict {
    match word {
        "pass" => Verdict::Pass,
        "fail" => Verdict::Fail,
        "temperror" | "permerror" => Verdict::ProcessingFailed,
        _ => Verdict::Gray,
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
        // The sender begins with headers of SES, and with verdicts that he likes better.
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
            let verdicts = read(&stored(helo, "\r\n", &["dmarc=FAIL"]), ID, &[]).unwrap().verdicts;
            assert_eq!([verdicts.spf, verdicts.dkim, verdicts.dmarc], [Verdict::Gray; 3], "{helo}");
        }
        let none = [Verdict::Gray; 3];
        assert_eq!(results("amazonses.com; dmarc=pass; dmarc=fail", &[])[2], Verdict::Gray);
        assert_eq!(results("elsewhere.example; spf=pass; dmarc=pass", &[]), none);
        assert_eq!(results("amazonses.com; spf=pass (open", &[]), none);
        assert_eq!(results("amazonses.com; spf=pass envelope-from=\"a; dmarc=pass\"@b", &[]), none);
        let several =
            "amazonses.com; spf=softfail; dkim=fail header.i=@a.example; dkim=pass header.i=@b.example; dmarc=none";
        assert_eq!(results(several, &[]), [Verdict::Gray, Verdict::Pass, Verdict::Gray]);
    }
}
