//! A mail as somebody passes it on.

use std::fmt::Write as _;

use mail::Mail;

use super::{Encoding, Message, texts::base64};

/// Returns the headers of a desk that passes a mail on: on the same day, since what the provider dates stays as it is.
fn desk(message: &Message) -> String {
    format!(
        "From: Robin Doe <robin@desk.example>\r\nTo: maintenance@networks.example\r\nDate: {}\r\nMIME-Version: 1.0\r\n\
         Message-ID: <passed-on@desk.example>\r\n",
        message.field("date:")
    )
}

/// Passed on as an attachment.
pub(crate) fn attached(mail: &[u8]) -> Vec<u8> {
    // Inside itself a boundary would end the wrong part.
    let boundary = format!("=_desk{}", mail.len());
    let head = format!(
        "{}Subject: FW: notice\r\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n\
         Content-Type: text/plain\r\n\r\nplease enter this\r\n--{boundary}\r\nContent-Type: message/rfc822\r\n\r\n",
        desk(&Message::of(mail))
    );
    [head.as_bytes(), mail, format!("\r\n--{boundary}--\r\n").as_bytes()].concat()
}

/// The mail program that forwards a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Gmail,
    Outlook,
    /// Outlook in German, without bold names.
    OutlookGerman,
    Apple,
}

impl Style {
    fn marker(self) -> &'static str {
        match self {
            Self::Gmail => "---------- Forwarded message ---------",
            Self::Outlook => "",
            Self::OutlookGerman => "________________________________",
            Self::Apple => "Begin forwarded message:",
        }
    }

    /// Returns the labels of sender, date, recipients and subject.
    fn names(self) -> [&'static str; 4] {
        match self {
            Self::Gmail | Self::Apple => ["From", "Date", "To", "Subject"],
            Self::Outlook => ["From", "Sent", "To", "Subject"],
            Self::OutlookGerman => ["Von", "Gesendet", "An", "Betreff"],
        }
    }

    fn date(self) -> &'static str {
        if self == Self::OutlookGerman { "Montag, 3. März 2031 09:00" } else { "Monday, 3 March 2031 at 09:00" }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Gmail | Self::Apple => "Fwd:",
            Self::Outlook => "FW:",
            Self::OutlookGerman => "WG:",
        }
    }
}

/// Passed on with its headers quoted above what it says, and with what is attached to it; `None` for a mail that has no
/// date or sender to quote.
pub(crate) fn inline(mail: &[u8], style: Style) -> Option<Vec<u8>> {
    let (message, decoded) = (Message::of(mail), Mail::decode(mail));
    let sender = decoded.outer().sender.as_ref()?;
    if message.field("date:").is_empty() || !message.subject.is_ascii() {
        return None;
    }
    let values = [
        format!("Notices <{}>", sender.address),
        style.date().to_owned(),
        "maintenance@networks.example".to_owned(),
        message.subject.clone(),
    ];
    let quoted: Vec<_> = style.names().into_iter().zip(values).collect();
    let (kind, body) = if let Some(page) = decoded.pages.first() {
        ("html", page_passed_on(page, style, &quoted))
    } else {
        ("plain", text_passed_on(decoded.texts.first().map_or("", String::as_str), style, &quoted))
    };
    let head = format!("{}Subject: {} {}\r\n", desk(&message), style.prefix(), message.subject);
    let body = format!(
        "Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        String::from_utf8(Encoding::Base64.encode(body.as_bytes())).unwrap()
    );
    let files = files(&decoded);
    if files.is_empty() {
        return Some([head, body].concat().into_bytes());
    }
    let boundary = format!("=_passed{}", mail.len());
    let parts = files.iter().map(|file| format!("--{boundary}\r\n{file}\r\n")).collect::<Vec<_>>().concat();
    let whole = format!(
        "{head}Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{body}\r\n{parts}--{boundary}--\r\n"
    );
    Some(whole.into_bytes())
}

fn page_passed_on(page: &str, style: Style, quoted: &[(&str, String)]) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let headers = quoted.iter().map(|(name, value)| format!("<b>{name}:</b> {}<br>", escape(value)));
    let headers = headers.collect::<Vec<_>>().concat();
    format!("<html><body><div>{}<br>{headers}</div><br><div>{page}</div></body></html>\n", style.marker())
}

fn text_passed_on(text: &str, style: Style, quoted: &[(&str, String)]) -> String {
    let mark = if style == Style::Apple { "> " } else { "" };
    let headers: Vec<_> = quoted.iter().map(|(name, value)| format!("{mark}{name}: {value}")).collect();
    let text: Vec<_> = text.lines().map(|line| format!("{mark}{line}")).collect();
    format!("\n{}\n{}\n{mark}\n{}\n\nRobin\n", style.marker(), headers.join("\n"), text.join("\n"))
}

/// Returns the calendars and attachments of a mail as parts.
fn files(mail: &Mail) -> Vec<String> {
    let calendars = mail.calendars.iter().map(|text| ("text/calendar; charset=utf-8", "notice.ics", text.as_bytes()));
    let attachments = mail.attachments.iter().map(|attachment| {
        let name = attachment.name.as_deref().unwrap_or("file");
        (attachment.content_type.as_str(), name, attachment.bytes.as_slice())
    });
    let part = |(kind, name, bytes): (&str, &str, &[u8])| {
        let mut part = format!("Content-Type: {kind}; name=\"{name}\"\r\n");
        write!(part, "Content-Disposition: attachment; filename=\"{name}\"\r\n").unwrap();
        format!("{part}Content-Transfer-Encoding: base64\r\n\r\n{}", base64(bytes))
    };
    calendars.chain(attachments).map(part).collect()
}
