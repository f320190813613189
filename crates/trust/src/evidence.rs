//! Evidence of a mail's origin, as SES testifies it, read once from the bytes of the stored object.
//!
//! A verdict holds only for what it was given for: the mail with the id that the event names, and the author that SES has read. So
//! evidence exists only if SES's block has that id, and if the author that DMARC was checked for, the `From` of the event and the
//! one `From` of the object agree. Code that judges a mail gets this value, and nothing else that the object says of its origin.

use thiserror::Error;

use super::{
    mail_servers,
    results::{Checked, Results},
    section::Section,
    trace::{NotOfSes, Trace},
};
use contract::receipt_event::Received;
use mail::{Domain, Mail, author_of};

/// The author of a mail, on whom SES, the event and the object agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The address, in lower case.
    pub address: String,
    /// Domain of the address.
    pub domain: Domain,
}

/// Evidence of a mail's origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    author: Author,
    is_returned: bool,
    results: Results,
}

/// The reasons why there is no evidence of a mail's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoEvidence {
    /// SES's block is missing or not as SES writes it.
    #[error("of SES's own headers at its top: {0}")]
    NotOfSes(#[from] NotOfSes),
    /// SES's block has no results on the sender.
    #[error("SES has written no results of DKIM and DMARC")]
    NoResults,
    /// Programs could read other headers in the object than we do.
    #[error("its headers can be read in several ways")]
    Ambiguous,
    /// There is no `From`, or more than one, or it is not one plain address.
    #[error("its From is not exactly one plain address")]
    NoAuthor,
    /// The event names another author.
    #[error("its From is not the one that the event names")]
    OtherInEvent,
    /// DMARC was checked for another author.
    #[error("DMARC was not checked for the domain of its From")]
    OtherInResults,
}

impl Evidence {
    /// Reads the evidence from a stored object and the event that SES made of it. `added` are the names of headers that
    /// receipt rules add.
    pub fn read(object: &[u8], received: &Received, added: &[&str]) -> Result<Self, NoEvidence> {
        let section = Section::read(object);
        let id = received.mail.message_id.as_deref().unwrap_or_default();
        let trace = Trace::of(&section, id, added)?;
        let results = trace.results.ok_or(NoEvidence::NoResults)?;
        if !section.is_plain {
            return Err(NoEvidence::Ambiguous);
        }
        let mut froms = section.named("From");
        let (Some(from), None) = (froms.next(), froms.next()) else { return Err(NoEvidence::NoAuthor) };
        let author = plain_author(from.value).ok_or(NoEvidence::NoAuthor)?;
        let [of_event] = received.mail.common_headers.from.as_slice() else { return Err(NoEvidence::OtherInEvent) };
        if shown_address(of_event).and_then(|address| plain_author(address.as_bytes())) != Some(author.clone()) {
            return Err(NoEvidence::OtherInEvent);
        }
        if results.from.as_ref() != Some(&author.domain) {
            return Err(NoEvidence::OtherInResults);
        }
        // A mail without a return path, by the block or by the event, is a bounce; so is one that a mail server returns.
        let is_bounce = |sender: &str| {
            let sender = sender.trim_matches(['<', '>', ' ', '\t']);
            sender.is_empty() || mail_servers::is_server(sender)
        };
        let mut senders = trace.sender.iter().chain(&received.mail.source).peekable();
        let is_returned = senders.peek().is_none() || senders.any(|sender| is_bounce(sender));
        Ok(Self { author, is_returned, results })
    }

    /// Returns the best evidence that SES could give of a mail that it has not seen: everything passed for its author. For
    /// `provision parse`, which shows what the function would do.
    pub fn supposed(mail: &Mail) -> Result<Self, NoEvidence> {
        let sender = mail.outer().sender.as_ref().ok_or(NoEvidence::NoAuthor)?;
        let author = plain_author(sender.address.as_bytes()).ok_or(NoEvidence::NoAuthor)?;
        let passed = (Checked::Pass, Some(author.domain.clone()));
        let from = Some(author.domain.clone());
        let results = Results { spf: Some(Checked::Pass), dkim: vec![passed], dmarc: Some(Checked::Pass), from };
        Ok(Self { author, is_returned: false, results })
    }

    /// Returns the author on whom all agree.
    pub fn author(&self) -> &Author {
        &self.author
    }

    /// Returns whether the mail was sent as bounces are: with a null return path, or with that of a mail server.
    pub fn is_returned(&self) -> bool {
        self.is_returned
    }

    /// Returns whether DMARC passed for the author.
    pub(super) fn passes_dmarc(&self) -> bool {
        self.results.dmarc == Some(Checked::Pass)
    }

    /// Returns the domains whose DKIM signatures passed.
    pub(super) fn signers(&self) -> impl Iterator<Item = &Domain> {
        let passed = self.results.dkim.iter().filter(|(result, _)| *result == Checked::Pass);
        passed.filter_map(|(_, domain)| domain.as_ref())
    }
}

/// Returns the one author of a raw `From`; `None` if it is not one plain address.
fn plain_author(value: &[u8]) -> Option<Author> {
    let (address, domain) = author_of(value)?;
    Some(Author { address, domain })
}

/// Returns the address in `Name <address>` as the event shows it, where names are decoded and no longer quoted.
fn shown_address(shown: &str) -> Option<&str> {
    let shown = shown.trim();
    let Some(inner) = shown.strip_suffix('>') else { return Some(shown) };
    let (name, address) = inner.split_once('<')?;
    (!name.contains('>') && !address.contains(['<', '>', ' '])).then_some(address)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "0123456789abcdefghijklmnopqrstuv01234567";

    fn object(checked: &str, headers: &str) -> String {
        format!(
            "Return-Path: <b@attacker.example>\r\nReceived: from mx (mx [192.0.2.7])\r\n by inbound-smtp.eu-west-1.amazonaws.com \
             with SMTP id {ID}\r\n for noc@example.com; Tue, 05 Jan 2027 10:15:30 +0000 (UTC)\r\n\
             Authentication-Results: amazonses.com; dkim=pass header.i=@{checked}; dmarc=pass header.from={checked};\r\n\
             X-SES-RECEIPT: AEFB\r\n{headers}Subject: x\r\n\r\ntext\r\n"
        )
    }

    fn read(object: &str, from: &[&str]) -> Result<Evidence, NoEvidence> {
        let received =
            json!({"mail": {"messageId": ID, "source": "b@attacker.example", "commonHeaders": {"from": from}}});
        Evidence::read(object.as_bytes(), &serde_json::from_value(received).unwrap(), &[])
    }

    #[test]
    fn one_plain_author_that_all_agree_on_is_evidence() {
        for (from, shown) in [
            ("mr@zayo.com", "mr@zayo.com"),
            ("MR Zayo <MR@Zayo.com>", "MR Zayo <MR@Zayo.com>"),
            ("\"Zayo, MR\" <mr@zayo.com>", "Zayo, MR <mr@zayo.com>"),
            ("=?utf-8?q?Z=C3=A4yo?= <mr@zayo.com>", "Z\u{e4}yo <mr@zayo.com>"),
            ("MR (the \\) desk)\r\n <mr@zayo.com> (noc)", "MR <mr@zayo.com>"),
            ("\"mr@zayo.com\" <mr@zayo.com>", "mr@zayo.com <mr@zayo.com>"),
        ] {
            let evidence = read(&object("zayo.com", &format!("From: {from}\r\n")), &[shown]);
            assert_eq!(evidence.map(|evidence| evidence.author.address), Ok("mr@zayo.com".to_owned()), "{from}");
        }
    }

    /// Tests forms of `From` that one program reads as Zayo's and another as the attacker's. Whatever SES has checked and the
    /// event shows, none of them is evidence for Zayo.
    #[test]
    fn no_other_from_speaks_for_a_carrier() {
        let long = format!("mr@zayo.com{}, x@attacker.example", " ".repeat(3000));
        let far = format!("\"{}\" <x@attacker.example>, mr@zayo.com", "a".repeat(3000));
        let attacks = [
            "x@attacker.example <mr@zayo.com>",
            "<x@attacker.example> <mr@zayo.com>",
            "mr@zayo.com <x@attacker.example>",
            "<@attacker.example:mr@zayo.com>",
            "<@attacker.example,@b.example:mr@zayo.com>",
            "carriers: mr@zayo.com;",
            "carriers: mr@zayo.com, x@attacker.example;",
            "mr@zayo.com, x@attacker.example",
            "x@attacker.example, mr@zayo.com",
            "mr@zayo.com,",
            "<<mr@zayo.com>>",
            "<mr@zayo.com",
            "mr@zayo.com>",
            "<mr@zayo.com> x",
            "<mr@zayo.com><x@attacker.example>",
            "mr@attacker.example?.zayo.com",
            "mr@attacker.example/.zayo.com",
            "mr@attacker.example#.zayo.com",
            "mr@attacker.example\\.zayo.com",
            "mr@attacker.example\0.zayo.com",
            "mr@attacker.example_.zayo.com",
            "mr@attacker.example%.zayo.com",
            "mr@[192.0.2.1].zayo.com",
            "x@attacker.example@zayo.com",
            "\"x@attacker.example\"@zayo.com",
            "\"mr\"@zayo.com",
            "mr @zayo.com",
            "mr@ zayo.com",
            "mr@zayo. com",
            "mr(x)@zayo.com",
            "mr@(x@attacker.example)zayo.com",
            "mr@zayo.com.",
            "mr@.zayo.com",
            "mr@zayo..com",
            ".mr@zayo.com",
            "mr.@zayo.com",
            "m..r@zayo.com",
            "@zayo.com",
            "mr@",
            "",
            "=?utf-8?q?mr=40zayo.com?=",
            "=?utf-8?q?=3Cmr=40zayo.com=3E?= x@attacker.example",
            "MR [Zayo] <mr@zayo.com>",
            "MR: <mr@zayo.com>",
            "MR; <mr@zayo.com>",
            "\"open <mr@zayo.com>",
            "(open <mr@zayo.com>",
            "mr@z\u{e0}yo.com",
            "mr@zayo\u{ff0e}com",
            "mr\u{e9}@zayo.com",
            long.as_str(),
            far.as_str(),
        ];
        for from in attacks {
            for checked in ["attacker.example", "zayo.com"] {
                for shown in [from, "mr@zayo.com", "x@attacker.example"] {
                    let evidence = read(&object(checked, &format!("From: {from}\r\n")), &[shown]);
                    assert!(evidence.is_err(), "{from:?}, checked for {checked}, shown as {shown}: {evidence:?}");
                }
            }
        }
    }

    #[test]
    fn there_is_one_from_wherever_it_stands() {
        for headers in [
            "From: mr@zayo.com\r\nFrom: mr@zayo.com\r\n",
            "From: mr@zayo.com\r\nX-A: b\r\nfrom : x@attacker.example\r\n",
            "From: mr@zayo.com\r\nno field\r\nFrom: x@attacker.example\r\n",
            "From: mr@zayo.com\r\nX-A: b\rFrom: x@attacker.example\r\n",
            "From: mr@zayo.com\r\nX-A: b\x0bFrom: x@attacker.example\r\n",
            "From\u{a0}: x@attacker.example\r\nFrom: mr@zayo.com\r\n",
            "From x@attacker.example Mon, 10:00\r\nFrom: mr@zayo.com\r\n",
            "Subject: no From\r\n",
        ] {
            assert!(read(&object("zayo.com", headers), &["mr@zayo.com"]).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn a_verdict_for_somebody_else_is_no_evidence() {
        let own = object("zayo.com", "From: mr@zayo.com\r\n");
        let table: [(&str, &[&str], Option<NoEvidence>); 8] = [
            (&own, &["mr@zayo.com"], None),
            (&own, &["x@attacker.example"], Some(NoEvidence::OtherInEvent)),
            (&own, &["other@zayo.com"], Some(NoEvidence::OtherInEvent)),
            (&own, &["x@attacker.example", "mr@zayo.com"], Some(NoEvidence::OtherInEvent)),
            (&own, &["<x@attacker.example> <mr@zayo.com>"], Some(NoEvidence::OtherInEvent)),
            (&own, &[], Some(NoEvidence::OtherInEvent)),
            (
                &own.replace("header.from=zayo.com", "header.from=mail.zayo.com"),
                &["mr@zayo.com"],
                Some(NoEvidence::OtherInResults),
            ),
            (&own.replace(" header.from=zayo.com", ""), &["mr@zayo.com"], Some(NoEvidence::OtherInResults)),
        ];
        for (object, from, expected) in table {
            assert_eq!(read(object, from).err(), expected, "{from:?}");
        }
        let unsaid = own.replace("Authentication-Results: ", "X-Results: ");
        assert_eq!(read(&unsaid, &["mr@zayo.com"]).err(), Some(NoEvidence::NoResults));
        let other = own.replace(ID, "another0id");
        assert_eq!(read(&other, &["mr@zayo.com"]).err(), Some(NoEvidence::NotOfSes(NotOfSes::OtherMail)));
    }
}
