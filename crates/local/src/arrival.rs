//! A mail that arrived: its envelope, its SES message id, and the bytes that SES stores.
//!
//! SES writes headers of its own before the mail. The function reads them, and `replay` rebuilds events from them, so
//! they are written here too. `X-SES-DKIM-SIGNATURE` is left out: nothing on this machine may sign in the name of SES.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use mail_parser::MessageParser;
use sha2::{Digest, Sha256};

use super::verdicts::{Verdict, Verdicts};
use data_encoding::HEXLOWER;

/// Envelope of a mail, as the SMTP session stated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Host name with which the client introduced itself.
    pub helo: String,
    /// Sender (MAIL FROM); empty for a bounce.
    pub sender: String,
    /// Recipients (RCPT TO), in order; never empty.
    pub recipients: Vec<String>,
}

/// A mail that arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// SES's message id: 40 characters, `0-9a-v`.
    pub id: String,
    /// Envelope of the mail.
    pub envelope: Envelope,
    /// Time of arrival.
    pub received_at: Timestamp,
    /// The mail as its sender wrote it.
    pub bytes: Vec<u8>,
}

impl Arrival {
    /// Returns a mail that arrives now.
    pub fn now(envelope: Envelope, bytes: Vec<u8>) -> Self {
        let received_at = Timestamp::now();
        Self { id: message_id(received_at, &bytes), envelope, received_at, bytes }
    }

    /// Returns the object that SES stores: its own headers, then the mail, byte by byte.
    pub fn stored(&self, region: &str, verdicts: Verdicts) -> Vec<u8> {
        let mut stored = self.headers(region, verdicts).into_bytes();
        stored.extend_from_slice(&self.bytes);
        stored
    }

    fn headers(&self, region: &str, verdicts: Verdicts) -> String {
        let Envelope { helo, sender, recipients } = &self.envelope;
        let (id, recipient) = (&self.id, recipients.first().map_or("", String::as_str));
        let date = jiff::fmt::rfc2822::to_string(&self.received_at.to_zoned(jiff::tz::TimeZone::UTC))
            .unwrap_or_else(|_| self.received_at.to_string());
        let author = self.author_domain().unwrap_or_else(|| "unknown".to_owned());
        let client = format!("client-ip=127.0.0.1; envelope-from={sender}; helo={helo};");
        let spf = format!("{} ({})", verdicts.spf.result(), spf_comment(verdicts.spf, sender));
        let (dkim, dmarc) = (verdicts.dkim.result(), verdicts.dmarc.result());
        let (spam, virus) = (verdicts.spam.as_str(), verdicts.virus.as_str());
        let receipt = HEXLOWER.encode(&Sha256::digest(id.as_bytes()));
        [
            format!("Return-Path: <{sender}>"),
            format!("Received: from {helo} ({helo} [127.0.0.1])"),
            format!(" by inbound-smtp.{region}.amazonaws.com with SMTP id {id}"),
            format!(" for {recipient};"),
            format!(" {date} (UTC)"),
            format!("X-SES-Spam-Verdict: {spam}"),
            format!("X-SES-Virus-Verdict: {virus}"),
            format!("Received-SPF: {spf} {client}"),
            "Authentication-Results: amazonses.com;".to_owned(),
            format!(" spf={spf} {client}"),
            format!(" dkim={dkim} header.i=@{author};"),
            format!(" dmarc={dmarc} header.from={author};"),
            format!("X-SES-RECEIPT: {receipt}"),
            String::new(),
        ]
        .join("\r\n")
    }

    /// Returns the domain of the `From` header; `None` if it has none.
    fn author_domain(&self) -> Option<String> {
        let message = MessageParser::default().parse_headers(&self.bytes)?;
        let (_, domain) = message.from()?.first()?.address()?.rsplit_once('@')?;
        let sound = domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
        sound.then(|| domain.to_ascii_lowercase())
    }
}

fn spf_comment(verdict: Verdict, sender: &str) -> String {
    let domain = sender.rsplit_once('@').map_or("unknown", |(_, domain)| domain);
    match verdict {
        Verdict::Pass => format!("spfCheck: domain of {domain} designates 127.0.0.1 as permitted sender"),
        Verdict::Fail => format!("spfCheck: domain of {domain} does not designate 127.0.0.1 as permitted sender"),
        _ => format!("spfCheck: no policy of {domain} was checked"),
    }
}

/// Returns an id in the form of SES's: 25 bytes in base 32, unique.
fn message_id(at: Timestamp, bytes: &[u8]) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mut hash = Sha256::new();
    hash.update(at.as_nanosecond().to_le_bytes());
    hash.update(std::process::id().to_le_bytes());
    hash.update(COUNTER.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    hash.update(bytes);
    let digest = hash.finalize();
    let mut id = String::with_capacity(40);
    for five in digest.iter().take(25).collect::<Vec<_>>().chunks(5) {
        let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(**byte));
        for shift in (0..8).rev() {
            let digit = u32::try_from(bits >> (shift * 5) & 31).unwrap_or(0);
            id.extend(char::from_digit(digit, 32));
        }
    }
    id
}

/// Returns the mail with SMTP's line ends: a client that sends a file with bare line feeds writes CRLF.
pub fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    let mut before = 0;
    for &byte in bytes {
        if byte == b'\n' && before != b'\r' {
            lines.push(b'\r');
        }
        lines.push(byte);
        before = byte;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(bytes: &[u8]) -> Arrival {
        let envelope = Envelope {
            helo: "mx.carrier.example".to_owned(),
            sender: "bounce@carrier.example".to_owned(),
            recipients: vec!["noc@example.com".to_owned()],
        };
        Arrival {
            id: "0123456789abcdefghijklmnopqrstuv01234567".to_owned(),
            envelope,
            received_at: "2027-01-05T10:15:30.123Z".parse().unwrap(),
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn ids_look_like_those_of_ses_and_differ() {
        let at = Timestamp::now();
        let (one, two) = (message_id(at, b"mail"), message_id(at, b"mail"));
        assert_eq!(one.len(), 40);
        assert!(one.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v')), "{one}");
        assert_ne!(one, two);
    }

    #[test]
    fn the_headers_of_ses_come_first_and_the_mail_is_untouched() {
        let mail = b"From: NOC <noc@Carrier.example>\r\nSubject: x\r\n\r\nb\xe9ton\r\n";
        let verdicts = Verdicts::with(&["dmarc=FAIL".parse().unwrap()]);
        let stored = arrival(mail).stored("eu-west-1", verdicts);
        assert!(stored.ends_with(mail));
        let headers = String::from_utf8(stored[..stored.len() - mail.len()].to_vec()).unwrap();
        let (headers, receipt) = headers.split_once("X-SES-RECEIPT: ").unwrap();
        assert_eq!(receipt.len(), 64 + 2);
        insta::assert_snapshot!(headers.replace('\r', ""), @r"
        Return-Path: <bounce@carrier.example>
        Received: from mx.carrier.example (mx.carrier.example [127.0.0.1])
         by inbound-smtp.eu-west-1.amazonaws.com with SMTP id 0123456789abcdefghijklmnopqrstuv01234567
         for noc@example.com;
         Tue, 5 Jan 2027 10:15:30 +0000 (UTC)
        X-SES-Spam-Verdict: PASS
        X-SES-Virus-Verdict: PASS
        Received-SPF: pass (spfCheck: domain of carrier.example designates 127.0.0.1 as permitted sender) client-ip=127.0.0.1; envelope-from=bounce@carrier.example; helo=mx.carrier.example;
        Authentication-Results: amazonses.com;
         spf=pass (spfCheck: domain of carrier.example designates 127.0.0.1 as permitted sender) client-ip=127.0.0.1; envelope-from=bounce@carrier.example; helo=mx.carrier.example;
         dkim=pass header.i=@carrier.example;
         dmarc=fail header.from=carrier.example;
        ");
    }

    #[test]
    fn a_from_header_cannot_write_further_headers() {
        let domain = arrival(b"From: <a@[192.0.2.1]; dkim=pass>\r\n\r\n").author_domain();
        assert_eq!(domain, None);
        assert_eq!(arrival(b"").author_domain(), None);
    }

    #[test]
    fn bare_line_feeds_become_crlf_and_nothing_else_changes() {
        assert_eq!(with_crlf(b"a\nb\r\nc\r\rd\n\n"), b"a\r\nb\r\nc\r\rd\r\n\r\n");
    }
}
