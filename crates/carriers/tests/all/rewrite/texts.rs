//! The texts of a mail in another encoding, charset or wrapping, or with something above or below.

use std::fmt::Write as _;

use encoding_rs::{ISO_2022_JP, WINDOWS_1252};
use mail_parser::{MessageParser, MimeHeaders, PartType};

use super::message::fields;

/// The transfer encoding of a body.
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

    pub(super) fn encode(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Base64 => base64(text).into_bytes(),
            Self::QuotedPrintable => quoted_printable(text).into_bytes(),
            Self::EightBit => text.to_vec(),
        }
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    let mut encoded = Vec::new();
    mail_builder::encoders::base64::base64_encode_mime(bytes, &mut encoded, false).unwrap();
    format!("{}\r\n", String::from_utf8(encoded).unwrap().trim_end())
}

fn quoted_printable(text: &[u8]) -> String {
    let mut encoded = String::new();
    let mut width = 0;
    for byte in text {
        if *byte == b'\n' {
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
        if *byte == b' ' || byte.is_ascii_alphanumeric() {
            encoded.push(char::from(*byte));
            width += 1;
        } else {
            write!(encoded, "={byte:02X}").unwrap();
            width += 3;
        }
    }
    encoded
}

/// A charset, or none that is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    Latin1,
    Windows1252,
    /// Windows-1252 that nothing declares.
    Undeclared,
    /// Little endian, with a mark at the start.
    Utf16,
    Iso2022Jp,
}

impl Charset {
    fn parameter(self) -> &'static str {
        match self {
            Self::Utf8 => "; charset=utf-8",
            Self::Latin1 => "; charset=iso-8859-1",
            Self::Windows1252 => "; charset=\"windows-1252\"",
            Self::Undeclared => "",
            Self::Utf16 => "; charset=utf-16",
            Self::Iso2022Jp => "; charset=ISO-2022-JP",
        }
    }

    pub(crate) fn has(self, sign: char) -> bool {
        sign.is_ascii() || self.encode(&sign.to_string()).is_some()
    }

    /// `None` where the charset lacks a character of the text.
    fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Utf16 => {
                Some(std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect())
            }
            Self::Latin1 | Self::Windows1252 | Self::Undeclared | Self::Iso2022Jp => {
                let encoding = if self == Self::Iso2022Jp { ISO_2022_JP } else { WINDOWS_1252 };
                let (bytes, _, is_lossy) = encoding.encode(text);
                let is_control = |byte: &u8| (0x80..0xA0).contains(byte);
                let lacks = is_lossy || (self == Self::Latin1 && bytes.iter().any(is_control));
                (!lacks).then(|| bytes.into_owned())
            }
        }
    }
}

/// Returns the mail with every text of its own in that encoding, and in UTF-8.
pub(crate) fn encoded(mail: &[u8], encoding: Encoding) -> Vec<u8> {
    written(mail, encoding, Charset::Utf8, |text, _| text.to_owned()).unwrap()
}

/// Returns the mail with every text of its own (not in attached messages, nor in attachments but calendars) changed, and
/// written in that encoding and charset; `None` where the charset lacks a character. `change` is given a text, line ends
/// as LF, and its subtype.
pub(crate) fn written(
    mail: &[u8],
    encoding: Encoding,
    charset: Charset,
    change: impl Fn(&str, &str) -> String,
) -> Option<Vec<u8>> {
    rewritten(mail, |text, kind| {
        let text = charset.encode(&change(text, kind))?;
        let headers = format!(
            "Content-Type: text/{kind}{}\r\nContent-Transfer-Encoding: {}\r\n\r\n",
            charset.parameter(),
            encoding.name()
        );
        Some([headers.into_bytes(), encoding.encode(&text)].concat())
    })
}

/// Returns the mail with each of its texts, and the headers of its content, as `write` makes them of text and subtype.
fn rewritten(mail: &[u8], write: impl Fn(&str, &str) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
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
        let others: String = fields(&headers)
            .into_iter()
            .filter(|field| {
                let name = field.to_ascii_lowercase();
                !name.starts_with("content-type:") && !name.starts_with("content-transfer-encoding:")
            })
            .collect();
        let content = write(&text.replace("\r\n", "\n"), kind)?;
        changes.push((from..to, [others.into_bytes(), content].concat()));
    }
    let mut rewritten = mail.to_vec();
    changes.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, bytes) in changes {
        rewritten.splice(range, bytes);
    }
    Some(rewritten)
}

/// Longest line of a flowed text.
const FLOWED: usize = 66;

/// Returns the mail with its text/plain parts as `format=flowed` (RFC 3676): long lines broken behind a blank.
pub(crate) fn flowed(mail: &[u8]) -> Vec<u8> {
    let flowed = rewritten(mail, |text, kind| {
        let (parameter, text) = match kind {
            "plain" => ("; format=flowed", text.lines().map(flowed_line).collect()),
            _ => ("", text.to_owned()),
        };
        let headers =
            format!("Content-Type: text/{kind}; charset=utf-8{parameter}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
        Some([headers.as_bytes(), text.as_bytes()].concat())
    });
    flowed.unwrap()
}

fn flowed_line(line: &str) -> String {
    let line = line.trim_end_matches(' ');
    let (quotation, words) = line.split_at(line.len() - line.trim_start_matches('>').len());
    let words = if quotation.is_empty() { words } else { words.strip_prefix(' ').unwrap_or(words) };
    let mut chunks = vec![String::new()];
    for word in words.split_inclusive(' ') {
        let chunk = chunks.last_mut().unwrap();
        if !chunk.is_empty() && chunk.len() + word.len() > FLOWED {
            chunks.push(word.to_owned());
        } else {
            chunk.push_str(word);
        }
    }
    let begins_otherwise = |chunk: &str| [" ", ">", "From "].iter().any(|start| chunk.starts_with(start));
    let stuffing = |chunk: &str| if !quotation.is_empty() || begins_otherwise(chunk) { " " } else { "" };
    chunks.iter().map(|chunk| format!("{quotation}{}{chunk}\n", stuffing(chunk))).collect::<Vec<_>>().concat()
}

/// Returns the mail with its pages broken at many of their blanks, as relays do it to long lines.
pub(crate) fn rewrapped(mail: &[u8]) -> Vec<u8> {
    let change = |text: &str, kind: &str| if kind == "html" { rewrapped_page(text) } else { text.to_owned() };
    written(mail, Encoding::QuotedPrintable, Charset::Utf8, change).unwrap()
}

fn rewrapped_page(page: &str) -> String {
    let mut written = String::new();
    let mut rest = page;
    let mut blanks = 0;
    while !rest.is_empty() {
        // What stands in these is not for reading, or keeps its white space.
        let kept = [("<!--", "-->"), ("<style", "</style"), ("<script", "</script"), ("<pre", "</pre"), ("<", ">")];
        let start = rest.find('<').unwrap_or(rest.len());
        let mut end = 0;
        for word in rest[..start].split_inclusive(' ') {
            end += word.len();
            // Of several blanks side by side a break would swallow some.
            let is_single = word.len() > 1 && word.ends_with(' ') && !rest[end..].starts_with(' ');
            blanks += usize::from(is_single);
            let is_broken = is_single && blanks % 3 == 0;
            written.push_str(if is_broken { &word[..word.len() - 1] } else { word });
            written.push_str(if is_broken { "\n   " } else { "" });
        }
        rest = &rest[start..];
        let Some((_, close)) = kept.iter().find(|(open, _)| rest.starts_with(open)) else { break };
        let end = rest.find(close).map_or(rest.len(), |at| at + close.len());
        written.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    written
}

/// Returns the mail with something above each of its texts: `text` or `page`, as it stands in such a text.
pub(crate) fn headed(mail: &[u8], text: &str, page: &str) -> Vec<u8> {
    let change = |body: &str, kind: &str| match kind {
        "plain" => format!("{text}{body}"),
        "html" => {
            let lower = body.to_ascii_lowercase();
            let start = lower.find("<body").and_then(|at| body[at..].find('>').map(|end| at + end + 1));
            let (above, below) = body.split_at(start.unwrap_or(0));
            format!("{above}{page}{}\n", below.trim_end_matches('\n'))
        }
        _ => body.to_owned(),
    };
    written(mail, Encoding::QuotedPrintable, Charset::Utf8, change).unwrap()
}

/// Returns the mail with something below each of its texts.
pub(crate) fn footed(mail: &[u8], text: &str, page: &str) -> Vec<u8> {
    let change = |body: &str, kind: &str| match kind {
        "plain" => format!("{}\n{text}", body.trim_end_matches('\n')),
        "html" => {
            let end = body.to_ascii_lowercase().rfind("</body").unwrap_or(body.len());
            let (above, below) = body.split_at(end);
            format!("{above}{page}{below}")
        }
        _ => body.to_owned(),
    };
    written(mail, Encoding::QuotedPrintable, Charset::Utf8, change).unwrap()
}
