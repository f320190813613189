//! Mails with a MAINTNOTE calendar, from an unknown carrier that the pipeline trusts.

use std::fmt::Write as _;

use jiff::Timestamp;

/// Domain of their sender.
pub(crate) const DOMAIN: &str = "carrier.example";

/// The content of a mail.
pub(crate) struct Notice {
    pub(crate) id: String,
    /// Number of the notice: later ones say more.
    pub(crate) number: u32,
    /// Day of the window; with `None` every notice states another one.
    pub(crate) day: Option<u32>,
    pub(crate) status: &'static str,
    pub(crate) summary: String,
    pub(crate) cids: Vec<&'static str>,
    /// Impact on all of its circuits.
    pub(crate) impact: &'static str,
    /// Text beside the calendar.
    pub(crate) text: String,
}

impl Notice {
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            number: 1,
            day: None,
            status: "CONFIRMED",
            summary: "Works on a line".to_owned(),
            cids: vec!["LINE-1"],
            impact: "OUTAGE",
            text: "Details are in the calendar.".to_owned(),
        }
    }

    /// Returns the start of the window, in seconds since the epoch.
    pub(crate) fn start(&self) -> i64 {
        1_900_000_000 + i64::from(self.day.unwrap_or(self.number)) * 86_400
    }

    pub(crate) fn subject(&self) -> String {
        format!("Maintenance {} notice {}", self.id, self.number)
    }

    pub(crate) fn mail(&self) -> String {
        let written = Timestamp::from_second(1_700_000_000 + i64::from(self.number) * 3_600).unwrap();
        let basic = |seconds: i64| Timestamp::from_second(seconds).unwrap().strftime("%Y%m%dT%H%M%SZ").to_string();
        let (id, number, text) = (&self.id, self.number, &self.text);
        let mut mail = format!(
            "From: NOC <noc@{DOMAIN}>\r\nTo: maintenance@example.com\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{id}.{number}@{DOMAIN}>\r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"part\"\r\n\r\n--part\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--part\r\n\
             Content-Type: text/calendar; charset=utf-8; method=PUBLISH\r\n\r\n\
             BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//{DOMAIN}//notices//EN\r\nBEGIN:VEVENT\r\nUID:{id}@{DOMAIN}\r\n\
             DTSTAMP:{}\r\nDTSTART:{}\r\nDTEND:{}\r\nSUMMARY:{}\r\nSEQUENCE:{number}\r\nORGANIZER:mailto:noc@{DOMAIN}\r\n\
             X-MAINTNOTE-PROVIDER:{DOMAIN}\r\nX-MAINTNOTE-ACCOUNT:1001\r\nX-MAINTNOTE-MAINTENANCE-ID:{id}\r\n\
             X-MAINTNOTE-STATUS:{}\r\nX-MAINTNOTE-IMPACT:{}\r\n",
            self.subject(),
            written.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            basic(written.as_second()),
            basic(self.start()),
            basic(self.start() + 3_600),
            self.summary,
            self.status,
            self.impact,
        );
        for cid in &self.cids {
            let _ = write!(mail, "X-MAINTNOTE-OBJECT-ID:{cid}\r\n");
        }
        mail.push_str("END:VEVENT\r\nEND:VCALENDAR\r\n\r\n--part--\r\n");
        mail
    }
}
