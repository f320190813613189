//! Reads the headers that SES writes before a mail when it stores it: sender, recipient, time, and SES's verdicts.
//!
//! SES begins the object with one block: `Return-Path`, `Received: from … by inbound-smtp.REGION.amazonaws.com with SMTP id ID …`,
//! `X-SES-…-Verdict`, `Received-SPF`, `Authentication-Results: amazonses.com; …`, `X-SES-RECEIPT`, `X-SES-DKIM-SIGNATURE`. All that
//! follows was written by the sender, who may write such fields too. SES's fields are recognised by their place (one unbroken run
//! at the top, each name once, nothing behind the receipt that belongs before it) and by the message id in `Received`, which no
//! sender knows beforehand. The block also contains what the sender said in the SMTP dialogue; see [`super::results`].

use jiff::{Timestamp, fmt::rfc2822};
use thiserror::Error;

use super::{
    lexer::{self, Token},
    results::{self, Results},
    section::{Field, Section},
};

/// The headers that SES wrote before a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Host name by which the sender's server introduced itself.
    pub helo: String,
    /// Sender of the envelope: empty for a null return path; `None` if SES names none.
    pub sender: Option<String>,
    /// Recipient of the envelope; `None` if SES names none.
    pub recipient: Option<String>,
    /// Time at which SES received the mail, to the second; `None` if the date is missing or unreadable.
    pub received_at: Option<Timestamp>,
    /// Value of `X-SES-Spam-Verdict`; `None` if the rule does not scan, or the value is not one word.
    pub spam: Option<String>,
    /// Value of `X-SES-Virus-Verdict`; `None` if the rule does not scan, or the value is not one word.
    pub virus: Option<String>,
    /// SES's results on the sender; `None` if SES has written none.
    pub results: Option<Results>,
    /// Length of SES's block, in bytes: the mail itself begins there.
    pub length: usize,
}

/// The reasons why an object does not begin as SES begins a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotOfSes {
    /// The object has no such block.
    #[error("it does not begin with the headers of SES")]
    NoHeaders,
    /// The block belongs to another mail.
    #[error("the headers of SES are those of another mail")]
    OtherMail,
    /// A field is not as SES writes it.
    #[error("its header `{0}` is not as SES writes it")]
    Odd(&'static str),
}

/// Returns the place of a field in SES's block; `None` for the name of a field that SES does not write.
fn rank(name: &str) -> Option<u8> {
    match name {
        "return-path" => Some(0),
        "received" => Some(1),
        "received-spf" | "authentication-results" => Some(2),
        "x-ses-receipt" => Some(3),
        "x-ses-dkim-signature" => Some(4),
        _ if name.starts_with("x-ses-") => Some(2),
        _ => None,
    }
}

impl Trace {
    /// Reads the headers that SES wrote before the mail with that id. `added` are the names of headers that receipt rules add
    /// before them.
    pub fn read(object: &[u8], id: &str, added: &[&str]) -> Result<Self, NotOfSes> {
        Self::of(&Section::read(object), id, added)
    }

    /// Reads them from the header section of an object.
    pub(super) fn of(section: &Section<'_>, id: &str, added: &[&str]) -> Result<Self, NotOfSes> {
        let block = block(section, added);
        let field = |name: &str| block.iter().find(|field| field.is(name)).map(|field| field.value);
        let received = field("Received").ok_or(NotOfSes::NoHeaders)?;
        let received = Received::read(received).ok_or(NotOfSes::Odd("Received"))?;
        if id.is_empty() || received.id != id {
            return Err(NotOfSes::OtherMail);
        }
        let sender = field("Return-Path").map(|value| sender(value).ok_or(NotOfSes::Odd("Return-Path"))).transpose()?;
        let results = results::read(field("Received-SPF"), field("Authentication-Results"))
            .map_err(|results::Odd(name)| NotOfSes::Odd(name))?;
        Ok(Self {
            helo: received.helo.to_owned(),
            recipient: received.recipient.map(str::to_owned),
            received_at: received.at,
            spam: field("X-SES-Spam-Verdict").and_then(word),
            virus: field("X-SES-Virus-Verdict").and_then(word),
            // SES ends its block with the receipt: where there is none, the sender may have gone on with results of its own.
            results: results.filter(|_| field("X-SES-RECEIPT").is_some()),
            length: block.last().map_or(0, |field| field.end),
            sender,
        })
    }
}

/// Returns SES's fields at the top of the section, after the headers that rules add. The block ends at the first field that is not
/// SES's, repeats a name, or is out of order.
fn block<'section, 'object>(section: &'section Section<'object>, added: &[&str]) -> Vec<&'section Field<'object>> {
    let mut block: Vec<&Field<'object>> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut highest = 0;
    let is_added = |field: &&Field<'_>| added.iter().any(|name| field.is(name));
    for field in section.fields.iter().skip_while(is_added) {
        let name = field.name();
        match rank(&name) {
            Some(rank) if rank >= highest && !names.contains(&name) => highest = rank,
            _ => break,
        }
        names.push(name);
        block.push(field);
    }
    block
}

/// Returns the one word of a value; `None` if there are several, or SES does not write such a value.
fn word(value: &[u8]) -> Option<String> {
    match lexer::tokens(value)?.as_slice() {
        [Token::Word(word)] => Some((*word).to_owned()),
        _ => None,
    }
}

/// Returns the address of `Return-Path`, empty for `<>`; `None` for a value that SES does not write.
fn sender(value: &[u8]) -> Option<String> {
    let text = match lexer::tokens(value)?.as_slice() {
        [] => "",
        [Token::Word(word)] => *word,
        _ => return None,
    };
    let bare = text.strip_prefix('<').map_or(Some(text), |rest| rest.strip_suffix('>'))?;
    results::is_envelope_sender(bare).then(|| bare.to_owned())
}

/// The `Received` header of SES.
struct Received<'value> {
    helo: &'value str,
    id: &'value str,
    recipient: Option<&'value str>,
    at: Option<Timestamp>,
}

impl<'value> Received<'value> {
    /// Reads `from HELO by inbound-smtp.REGION.amazonaws.com with SMTP id ID for RECIPIENT; DATE`; `None` for anything else.
    fn read(value: &'value [u8]) -> Option<Self> {
        let clauses = lexer::clauses(value)?;
        let (words, date) = match clauses.as_slice() {
            [words] => (words, None),
            [words, date] => (words, Some(date.join(" "))),
            _ => return None,
        };
        let (route, recipient) = match words.as_slice() {
            [route @ .., "for", recipient] => (route, Some(recipient.trim_matches(['<', '>']))),
            route => (route, None),
        };
        let ["from", helo, "by", host, "with", _, "id", id] = route else { return None };
        let at = date.and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(&date).ok());
        (results::is_host(helo) && is_ses(host)).then_some(Self { helo, id, recipient, at })
    }
}

/// Returns whether SES receives mail at a host.
fn is_ses(host: &str) -> bool {
    let region = host
        .strip_prefix("inbound-smtp.")
        .and_then(|rest| rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn")));
    region.is_some_and(|region| {
        !region.is_empty()
            && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdefghijklmnopqrstuv01234567";

    fn received(helo: &str, id: &str) -> String {
        format!(
            "Received: from {helo} (mx.a.example [192.0.2.7])\r\n by inbound-smtp.eu-west-1.amazonaws.com with SMTP id {id}\r\n \
             for noc@example.com;\r\n Tue, 05 Jan 2027 10:15:30 +0000 (UTC)\r\n"
        )
    }

    const PATH: &str = "Return-Path: <b@a.example>\r\n";
    const SPF: &str = "Received-SPF: pass (spfCheck: x) client-ip=192.0.2.7; envelope-from=b@a.example; helo=mx;\r\n";
    const RESULTS: &str = "Authentication-Results: amazonses.com;\r\n spf=pass (spfCheck: x) client-ip=192.0.2.7; \
                           envelope-from=b@a.example; helo=mx;\r\n dkim=pass header.i=@a.example;\r\n dmarc=pass header.from=a.example;\r\n";
    const RECEIPT: &str = "X-SES-RECEIPT: AEFB\r\nX-SES-DKIM-SIGNATURE: a=rsa-sha256; q=dns/txt; b=x=\r\n";

    fn read(object: &str) -> Result<Trace, NotOfSes> {
        Trace::read(object.as_bytes(), ID, &[])
    }

    #[test]
    fn the_block_of_ses_is_read_and_later_headers_are_not() {
        let block = [PATH, &received("mx", ID), "X-SES-Spam-Verdict: FAIL\r\n", SPF, RESULTS, RECEIPT].concat();
        let trace = read(&format!("{block}X-SES-Virus-Verdict: PASS\r\n{RESULTS}From: a@a.example\r\n\r\n")).unwrap();
        assert_eq!((trace.helo.as_str(), trace.sender.as_deref()), ("mx", Some("b@a.example")));
        assert_eq!((trace.spam.as_deref(), trace.virus), (Some("FAIL"), None));
        assert_eq!(trace.received_at, "2027-01-05T10:15:30Z".parse().ok());
        assert_eq!((trace.recipient.as_deref(), trace.length), (Some("noc@example.com"), block.len()));
        assert!(trace.results.is_some());
    }

    #[test]
    fn results_that_the_sender_wrote_are_not_those_of_ses() {
        let own = received("mx", ID);
        for object in [
            [PATH, &own, SPF, RECEIPT, RESULTS].concat(),
            [PATH, &own, RESULTS].concat(),
            [PATH, &own, SPF, RESULTS, "X-SES-Spam-Verdict: PASS\r\n", "X-SES-DKIM-SIGNATURE: x\r\n"].concat(),
            [PATH, &own, "X-SES-RECEIPT: AEFB\r\n", RESULTS, RECEIPT].concat(),
            [PATH, &own, "From: a@a.example\r\n", RESULTS].concat(),
            [PATH, &own, &received("mx", "other"), RESULTS].concat(),
            [PATH, &own, SPF, SPF, RESULTS].concat(),
            [PATH, &own, "DKIM-Signature: x\r\n", RESULTS].concat(),
        ] {
            assert_eq!(read(&format!("{object}\r\n")).map(|trace| trace.results), Ok(None), "{object}");
        }
    }

    #[test]
    fn a_block_that_ses_does_not_write_is_none() {
        let own = received("mx", ID);
        let table = [
            (String::new(), NotOfSes::NoHeaders),
            (RESULTS.to_owned(), NotOfSes::NoHeaders),
            (format!("{RESULTS}{own}"), NotOfSes::NoHeaders),
            (format!("X-Other: x\r\n{own}{RESULTS}"), NotOfSes::NoHeaders),
            (format!("{own}{PATH}{}", received("mx", "x")), NotOfSes::Odd("")),
            (received("mx", "another"), NotOfSes::OtherMail),
            (own.replace("inbound-smtp.", "smtp."), NotOfSes::Odd("Received")),
            (own.replace("amazonaws.com", "amazonaws.com.evil.example"), NotOfSes::Odd("Received")),
            (own.replace(" id ", " key "), NotOfSes::Odd("Received")),
            (received("mx;dkim=pass()header.i=@zayo.com", ID), NotOfSes::Odd("Received")),
            (received("mx)", ID), NotOfSes::Odd("Received")),
            (received("mx id x", ID), NotOfSes::Odd("Received")),
            (format!("{}{own}", PATH.replace("b@", "b;dkim=pass@")), NotOfSes::Odd("Return-Path")),
            (
                format!("{own}{}", SPF.replace("helo=mx", "helo=mx;dkim=pass()header.i=@zayo.com")),
                NotOfSes::Odd("Received-SPF"),
            ),
            (
                format!("{own}{SPF}{}", RESULTS.replace("helo=mx", "helo=other")),
                NotOfSes::Odd("Authentication-Results"),
            ),
        ];
        for (object, expected) in table {
            let is_read = expected == NotOfSes::Odd("");
            assert_eq!(read(&format!("{object}\r\n")).err(), (!is_read).then_some(expected), "{object}");
        }
        assert_eq!(Trace::read(format!("{own}\r\n").as_bytes(), "", &[]), Err(NotOfSes::OtherMail));
    }

    #[test]
    fn only_headers_that_a_rule_adds_may_come_first() {
        let object = format!("X-Route: one\r\n{}\r\n", received("mx", ID));
        assert!(Trace::read(object.as_bytes(), ID, &["x-route"]).is_ok());
        assert_eq!(read(&object), Err(NotOfSes::NoHeaders));
    }

    #[test]
    fn a_null_return_path_is_an_empty_sender() {
        for path in ["<>", ""] {
            let trace = read(&format!("Return-Path: {path}\r\n{}\r\n", received("mx", ID))).unwrap();
            assert_eq!(trace.sender.as_deref(), Some(""));
        }
    }
}
