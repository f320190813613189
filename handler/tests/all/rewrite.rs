//! The same mail written otherwise: encoded, wrapped, folded and forwarded as mail programs do it.

use std::fmt::Write as _;

use handler::mail::Mail;
use mail_parser::{MessageParser, MimeHeaders, PartType};

/// How a body is put into a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Base64,
    QuotedPrintable,
    EightBit,
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::QuotedPrintable => "quoted-printable",
            Self::EightBit => "8bit",
        }
    }

    fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Base64 => {
                let mut encoded = Vec::new();
                mail_builder::encoders::base64::base64_encode_mime(text.as_bytes(), &mut encoded, false).unwrap();
                encoded.trim_ascii_end().iter().copied().chain(*b"\r\n").collect()
            }
            Self::QuotedPrintable => quoted_printable(text).into_bytes(),
            Self::EightBit => text.as_bytes().to_vec(),
        }
    }
}

fn quoted_printable(text: &str) -> String {
    let mut encoded = String::new();
    let mut width = 0;
    for byte in text.bytes() {
        if byte == b'\n' {
            // A blank at the end of a line would be lost.
            if encoded.ends_with(' ') {
                encoded.truncate(encoded.len() - 1);
                encoded.push_str("=20");
            }
            encoded.push('\n');
            width = 0;
            continue;
        }
        if width > 70 {
            encoded.push_str("=\n");
            width = 0;
        }
        if byte == b' ' || byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
            width += 1;
        } else {
            write!(encoded, "={byte:02X}").unwrap();
            width += 3;
        }
    }
    encoded
}

/// The mail with every text of its own in that encoding, and in UTF-8.
pub(crate) fn encoded(mail: &[u8], encoding: Encoding) -> Vec<u8> {
    let parsed = MessageParser::default().parse(mail).unwrap();
    let mut changes = Vec::new();
    for part in &parsed.parts {
        let (PartType::Text(text) | PartType::Html(text)) = &part.body else { continue };
        let subtype = part.content_type().and_then(|content| content.subtype());
        if part.attachment_name().is_some() && subtype != Some("calendar") {
            continue;
        }
        let (from, body, to) = (part.offset_header as usize, part.offset_body as usize, part.offset_end as usize);
        let headers = String::from_utf8_lossy(&mail[from..body]).into_owned();
        let kind = if matches!(part.body, PartType::Html(_)) { "html" } else { "plain" };
        // A calendar, or another kind of text, keeps its name.
        let kind = subtype.unwrap_or(kind);
        let mut written: String = fields(&headers)
            .into_iter()
            .filter(|field| {
                let name = field.to_ascii_lowercase();
                !name.starts_with("content-type:") && !name.starts_with("content-transfer-encoding:")
            })
            .collect();
        write!(written, "Content-Type: text/{kind}; charset=utf-8\r\n").unwrap();
        write!(written, "Content-Transfer-Encoding: {}\r\n\r\n", encoding.name()).unwrap();
        let text = text.replace("\r\n", "\n");
        changes.push((from..to, [written.into_bytes(), encoding.encode(&text)].concat()));
    }
    let mut rewritten = mail.to_vec();
    changes.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, bytes) in changes {
        rewritten.splice(range, bytes);
    }
    rewritten
}

/// The fields of a header section, each with its folded lines and their ends.
fn fields(headers: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in headers.split_inclusive('\n').filter(|line| !line.trim_end_matches(['\r', '\n']).is_empty()) {
        match fields.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            Some(field) => field.push_str(line),
            None => fields.push(line.to_owned()),
        }
    }
    fields
}

/// A mail taken apart into its fields and its body.
pub(crate) struct Message {
    fields: Vec<String>,
    body: Vec<u8>,
    subject: String,
}

impl Message {
    pub(crate) fn of(mail: &[u8]) -> Self {
        let blanks = [&b"\n\n"[..], b"\n\r\n"];
        let end = blanks.iter().filter_map(|blank| {
            mail.windows(blank.len()).position(|window| window == *blank).map(|at| (at + 1, at + blank.len()))
        });
        let (headers, body) = end.min().unwrap_or((mail.len(), mail.len()));
        let fields = fields(&String::from_utf8_lossy(&mail[..headers]));
        Self { fields, body: mail[body..].to_vec(), subject: Mail::decode(mail).outer().subject.clone() }
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        [self.fields.concat().as_bytes(), b"\r\n", &self.body].concat()
    }

    fn with_subject_as(mut self, written: &str) -> Self {
        self.fields.retain(|field| !field.to_ascii_lowercase().starts_with("subject:"));
        self.fields.push(format!("Subject: {written}\r\n"));
        self
    }

    /// The subject broken at every other blank.
    pub(crate) fn with_subject_folded(self) -> Self {
        if !self.subject.is_ascii() {
            return self;
        }
        let mut written = String::new();
        for (index, word) in self.subject.split(' ').enumerate() {
            let blank = if index % 2 == 1 && !word.is_empty() { "\r\n " } else { " " };
            written.push_str(if index == 0 { "" } else { blank });
            written.push_str(word);
        }
        self.with_subject_as(&written)
    }

    /// The subject in encoded words.
    pub(crate) fn with_subject_encoded(self) -> Self {
        let characters: Vec<char> = self.subject.chars().collect();
        let words = characters.chunks(12).map(|chunk| {
            let mut encoded = Vec::new();
            let text: String = chunk.iter().collect();
            mail_builder::encoders::base64::base64_encode_mime(text.as_bytes(), &mut encoded, true).unwrap();
            format!("=?utf-8?B?{}?=", String::from_utf8(encoded).unwrap())
        });
        let written = words.collect::<Vec<_>>().join("\r\n ");
        self.with_subject_as(&written)
    }

    pub(crate) fn with_subject_prefix(self, prefix: &str) -> Self {
        let written = format!("{prefix}{}", self.subject);
        if written.is_ascii() { self.with_subject_as(&written) } else { self }
    }

    /// The mail as the first part of one, with another part below.
    pub(crate) fn with_part_below(self, part: &str) -> Vec<u8> {
        let is_content = |field: &&String| field.to_ascii_lowercase().starts_with("content-");
        let content: String = self.fields.iter().filter(is_content).map(String::as_str).collect();
        let others: String = self.fields.iter().filter(|field| !is_content(field)).map(String::as_str).collect();
        let head = format!(
            "{others}Content-Type: multipart/mixed; boundary=\"=_outermost\"\r\n\r\n--=_outermost\r\n{content}\r\n"
        );
        let foot = format!("\r\n--=_outermost\r\n{part}\r\n--=_outermost--\r\n");
        [head.as_bytes(), &self.body, foot.as_bytes()].concat()
    }

    fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|field| field.to_ascii_lowercase().starts_with(name));
        found.map_or("", |field| field[name.len()..].trim())
    }
}

/// The headers of a desk that passes a mail on: on the same day, since what the provider dates stays as it is.
fn desk(message: &Message) -> String {
    format!(
        "From: Robin Doe <robin@desk.example>\r\nTo: maintenance@networks.example\r\nDate: {}\r\nMIME-Version: 1.0\r\n\
         Message-ID: <passed-on@desk.example>\r\n",
        message.field("date:")
    )
}

/// Passed on as an attachment.
pub(crate) fn forwarded_attached(mail: &[u8]) -> Vec<u8> {
    let message = Message::of(mail);
    let head = format!(
        "{}Subject: FW: notice\r\nContent-Type: multipart/mixed; boundary=\"=_desk\"\r\n\r\n--=_desk\r\nContent-Type: text/plain\r\n\r\n\
         please enter this\r\n--=_desk\r\nContent-Type: message/rfc822\r\n\r\n",
        desk(&message)
    );
    [head.as_bytes(), mail, b"\r\n--=_desk--\r\n"].concat()
}

/// Whose mail program passes a mail on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Gmail,
    Outlook,
    Apple,
}

/// Passed on with its headers quoted above what it says; `None` for a mail that has calendars or attachments, which mail
/// programs leave away, or that has no date or sender to quote.
pub(crate) fn forwarded_inline(mail: &[u8], style: Style) -> Option<Vec<u8>> {
    let (message, decoded) = (Message::of(mail), Mail::decode(mail));
    if !decoded.calendars.is_empty() || !decoded.attachments.is_empty() || message.field("date:").is_empty() {
        return None;
    }
    let address = &decoded.outer().sender.as_ref()?.address;
    let quoted = [
        ("From", format!("Notices <{address}>")),
        (if style == Style::Outlook { "Sent" } else { "Date" }, "Monday, 3 March 2031 at 09:00".to_owned()),
        ("To", "maintenance@networks.example".to_owned()),
        ("Subject", message.subject.clone()),
    ];
    let marker = match style {
        Style::Gmail => "---------- Forwarded message ---------",
        Style::Outlook => "",
        Style::Apple => "Begin forwarded message:",
    };
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (kind, body) = if let Some(page) = decoded.pages.first() {
        let lines = quoted.iter().map(|(name, value)| format!("<b>{name}:</b> {}<br>", escape(value)));
        let headers: String = lines.collect();
        ("html", format!("<html><body><div>{marker}<br>{headers}</div><br><div>{page}</div></body></html>\n"))
    } else {
        let mark = if style == Style::Apple { "> " } else { "" };
        let headers: Vec<_> = quoted.iter().map(|(name, value)| format!("{mark}{name}: {value}")).collect();
        let text: Vec<_> = decoded.texts.first()?.lines().map(|line| format!("{mark}{line}")).collect();
        ("plain", format!("\n{marker}\n{}\n{mark}\n{}\n\nRobin\n", headers.join("\n"), text.join("\n")))
    };
    let head =
        format!("{}Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n", desk(&message));
    let head =
        if message.subject.is_ascii() { format!("{head}Subject: Fwd: {}\r\n", message.subject) } else { return None };
    Some([head.as_bytes(), b"\r\n", &Encoding::Base64.encode(&body)].concat())
}
