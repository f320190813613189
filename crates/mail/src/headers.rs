//! The header section of a message or part: fields found by lines, values decoded on demand.
//!
//! Encoded words are decoded here and not by `mail-parser`, whose time for words that never end grows with the square
//! of the value, and which decodes each word alone: senders cut words in the middle of a character. Values for its
//! parsers of addresses and content types are cut to a length at which that does no harm.

use std::borrow::Cow;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use mail_parser::{Address, ContentType, HeaderValue, parsers::MessageStream};

use super::{Mailbox, charset, words};

/// Size limit of a header section, in bytes. Real ones, with every relay's seals, stay under a tenth of it.
const LARGEST_SECTION: usize = 256 * 1024;
/// Maximum number of fields of a section.
const MOST_FIELDS: usize = 1000;
/// Length limit of a value that is given to the parsers of addresses and content types, in bytes.
const LONGEST_STRUCTURED: usize = 2048;

/// The headers of an entity.
#[derive(Debug, Default)]
pub(super) struct Headers<'mail> {
    fields: Vec<(&'mail str, &'mail [u8])>,
    /// Length of the section, in bytes, if it exceeds the limit.
    pub(super) too_large: Option<usize>,
    /// `true` if the message ends with its last field: no blank line shows that the section is complete.
    pub(super) is_open: bool,
}

impl<'mail> Headers<'mail> {
    /// Splits a message or part into its header section and its body. If it does not begin with a field, it is all
    /// body.
    pub(super) fn split(entity: &'mail [u8]) -> (Self, &'mail [u8]) {
        let mut headers = Self::default();
        let mut at = envelope(entity);
        // The name of the current field, and where its value begins.
        let mut field: Option<(&'mail str, usize)> = None;
        loop {
            let line = line_at(entity, at);
            let folded = line.starts_with(b" ") || line.starts_with(b"\t");
            if folded && !is_blank(line) && field.is_some() {
                at += line.len();
                continue;
            }
            if let Some((name, start)) = field.take() {
                headers.push(name, entity.get(start..at).unwrap_or_default());
            }
            let Some(name) = field_name(line) else {
                at += if is_blank(line) { line.len() } else { 0 };
                headers.is_open = line.is_empty() && !headers.fields.is_empty();
                break;
            };
            let value = memchr::memchr(b':', line).map_or(line.len(), |colon| colon + 1);
            field = Some((name, at + value));
            at += line.len();
        }
        if at > LARGEST_SECTION || headers.fields.len() >= MOST_FIELDS {
            headers.too_large = Some(at);
        }
        headers.cut();
        (headers, entity.get(at..).unwrap_or_default())
    }

    fn push(&mut self, name: &'mail str, value: &'mail [u8]) {
        if self.fields.len() < MOST_FIELDS {
            self.fields.push((name, value));
        }
    }

    fn cut(&mut self) {
        let mut left = LARGEST_SECTION;
        for (_, value) in &mut self.fields {
            *value = value.get(..left).unwrap_or(value);
            left -= value.len();
        }
    }

    /// Returns every field with its value unfolded and decoded.
    pub(super) fn decoded(&self) -> Vec<(String, String)> {
        self.fields.iter().map(|(name, value)| ((*name).to_owned(), words::decode(&unfold(value)))).collect()
    }

    fn values<'own>(&'own self, name: &'own str) -> impl Iterator<Item = &'mail [u8]> + 'own {
        self.fields.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// Returns the first value of that name, unfolded and decoded.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.values(name).next().map(|value| words::decode(&unfold(value)))
    }

    /// Returns the author (`From`). Several authors of one domain count as one sender; with several domains, nobody
    /// can tell who wrote it.
    pub(super) fn sender(&self) -> Option<Mailbox> {
        let authors: Vec<_> = self.values("From").take(8).flat_map(|value| mailboxes(&unfold(value))).collect();
        let first = authors.first()?;
        authors.iter().all(|author| author.domain() == first.domain()).then(|| first.clone())
    }

    /// Returns the `Date`; `None` if it is missing or cannot be read without guessing.
    pub(super) fn date(&self) -> Option<Timestamp> {
        self.text("Date").as_deref().and_then(date)
    }

    /// Returns the `Message-ID` without its angle brackets.
    pub(super) fn message_id(&self) -> Option<String> {
        let text = self.text("Message-ID")?;
        let id = text.trim().trim_start_matches('<').split('>').next().unwrap_or_default().trim();
        (!id.is_empty()).then(|| id.to_owned())
    }

    /// Returns a field of the form `value; name=value`.
    pub(super) fn structured(&self, name: &str) -> Option<Structured> {
        let mut value = unfold(self.values(name).next()?).into_owned();
        cut_to(&mut value, LONGEST_STRUCTURED);
        value.push('\n');
        match MessageStream::new(value.as_bytes()).parse_content_type() {
            HeaderValue::ContentType(parsed) => Some(Structured::from(&parsed)),
            _ => None,
        }
    }
}

/// A value with parameters: `type/subtype; name=value`, or a disposition.
#[derive(Debug, Clone, Default)]
pub(super) struct Structured {
    /// Text before the first semicolon, in lower case.
    pub(super) value: String,
    attributes: Vec<(String, String)>,
}

impl Structured {
    /// Returns a parameter, RFC 2231 and RFC 2047 decoded.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }
}

impl From<&ContentType<'_>> for Structured {
    fn from(parsed: &ContentType<'_>) -> Self {
        let mut value = parsed.c_type.to_ascii_lowercase();
        if let Some(subtype) = &parsed.c_subtype {
            value.push('/');
            value.push_str(&subtype.to_ascii_lowercase());
        }
        let attributes = parsed.attributes.iter().flatten();
        Self { value, attributes: attributes.map(|found| (found.name.to_string(), found.value.to_string())).collect() }
    }
}

/// Returns the mailboxes of an address field, those of groups included.
pub(super) fn mailboxes(value: &str) -> Vec<Mailbox> {
    let mut value = value.to_owned();
    cut_to(&mut value, LONGEST_STRUCTURED);
    value.push('\n');
    let HeaderValue::Address(parsed) = MessageStream::new(value.as_bytes()).parse_address() else {
        return Vec::new();
    };
    let single = |address: &mail_parser::Addr<'_>| {
        Some(Mailbox {
            name: address.name.as_deref().map(str::to_owned),
            address: address.address.as_deref()?.to_owned(),
        })
    };
    match &parsed {
        Address::List(list) => list.iter().filter_map(single).collect(),
        Address::Group(groups) => groups.iter().flat_map(|group| &group.addresses).filter_map(single).collect(),
    }
}

/// Parses a date as in RFC 5322, obsolete zones included; `None` if it has no zone, or one that only people know.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    const PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    /// Zones of RFC 5322, 4.3. The parser takes any other word for UTC.
    const ZONES: [&str; 12] = ["UT", "UTC", "GMT", "Z", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT"];
    let text = text.split('(').next().unwrap_or_default().trim();
    let zone = text.rsplit([' ', '\t']).next().unwrap_or_default();
    let is_word = zone.starts_with(|first: char| first.is_ascii_alphabetic());
    if is_word && !ZONES.iter().any(|known| known.eq_ignore_ascii_case(zone)) {
        return None;
    }
    PARSER.parse_timestamp(text).ok().or_else(|| text.parse().ok())
}

/// Cuts a text at a character boundary.
fn cut_to(text: &mut String, length: usize) {
    text.truncate(text.floor_char_boundary(length));
}

/// Returns a value on one line. Bytes that are not UTF-8 are Windows-1252, as in bodies.
fn unfold(value: &[u8]) -> Cow<'_, str> {
    let text = charset::undeclared(value);
    if !text.contains(['\n', '\r']) {
        return match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
    }
    let lines = text.split('\n').map(str::trim).filter(|line| !line.is_empty());
    Cow::Owned(lines.fold(String::new(), |mut unfolded, line| {
        if !unfolded.is_empty() {
            unfolded.push(' ');
        }
        unfolded.push_str(line);
        unfolded
    }))
}

/// Returns the offset of the message: after the `From ` line of a mailbox file, if there is one.
fn envelope(entity: &[u8]) -> usize {
    let line = line_at(entity, 0);
    if line.starts_with(b"From ") || line.starts_with(b">From ") { line.len() } else { 0 }
}

/// Returns the line that begins there, with its end.
fn line_at(text: &[u8], start: usize) -> &[u8] {
    let rest = text.get(start..).unwrap_or_default();
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
    rest.get(..end).unwrap_or(rest)
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

fn field_name(line: &[u8]) -> Option<&str> {
    let name = line.get(..memchr::memchr(b':', line)?)?;
    let name = str::from_utf8(name).ok()?.trim_end_matches([' ', '\t']);
    let sound = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{Headers, date};

    fn decoded(entity: &str) -> (Vec<(String, String)>, String) {
        let (headers, body) = Headers::split(entity.as_bytes());
        (headers.decoded(), String::from_utf8_lossy(body).into_owned())
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_section_ends_at_the_blank_line() {
        let expected = (pairs(&[("Subject", "Planned work 17"), ("X-A", "")]), "body\n".to_owned());
        assert_eq!(decoded("Subject: Planned\n\twork\n  17\nX-A:\n\nbody\n"), expected);
        assert_eq!(decoded("From x@example.net Mon\nSubject : Planned work 17\nX-A:\n\nbody\n"), expected);
        let crlf = "Subject: Planned work\r\n 17\r\nX-A:\r\n\r\nbody\n";
        assert_eq!(decoded(crlf), expected);
    }

    #[test]
    fn what_is_no_field_is_body() {
        assert_eq!(decoded("Just a text\nA: b\n"), (Vec::new(), "Just a text\nA: b\n".to_owned()));
        assert_eq!(decoded("A: b\nno field\n\nbody"), (pairs(&[("A", "b")]), "no field\n\nbody".to_owned()));
        assert_eq!(decoded("\nbody"), (Vec::new(), "body".to_owned()));
        assert_eq!(decoded(" folded: but nothing before\n").0, Vec::new());
        assert_eq!(decoded(""), (Vec::new(), String::new()));
    }

    #[test]
    fn headers_in_eight_bits_are_read() {
        let (headers, _) = Headers::split(b"Subject: caf\xe9\n\n");
        assert_eq!(headers.text("subject").as_deref(), Some("caf\u{e9}"));
    }

    #[test]
    fn authors_of_several_domains_are_no_sender() {
        let sender = |text: &str| Headers::split(text.as_bytes()).0.sender().map(|sender| sender.address);
        assert_eq!(sender("From: A <a@carrier.example>, b@carrier.example\n\n").as_deref(), Some("a@carrier.example"));
        assert_eq!(sender("From: a@carrier.example\nFrom: x@other.example\n\n"), None);
        assert_eq!(sender("From: \"noc@carrier.example\" <x@other.example>\n\n").as_deref(), Some("x@other.example"));
        assert_eq!(sender("From:\n\n"), None);
        assert_eq!(sender("Subject: x\n\n"), None);
    }

    #[test]
    fn only_a_date_with_a_zone_is_a_date() {
        let seconds = |text| date(text).map(jiff::Timestamp::as_second);
        for readable in [
            "Tue, 2 Nov 2021 14:30:00 +0100",
            "2 Nov 2021 13:30:00 GMT",
            "Tue, 2 Nov 2021 09:30:00 EDT",
            "Tue, 02 Nov 2021 13:30:00 -0000",
            "Tue, 2 Nov 2021 13:30:00 +0000 (UTC)",
            // The day of the week is ignored.
            "Mon, 2 Nov 2021 13:30 UT",
            "2021-11-02T13:30:00Z",
        ] {
            assert_eq!(seconds(readable), Some(1_635_859_800), "{readable}");
        }
        for open in
            ["Tue, 2 Nov 2021 14:30:00", "Tue, 2 Nov 2021 at 14:30", "2 Nov 2021 14:30:00 CEST", "yesterday", ""]
        {
            assert_eq!(seconds(open), None, "{open}");
        }
    }

    #[test]
    fn a_section_without_end_is_cut() {
        let many = "A: b\n".repeat(10_000);
        let (headers, _) = Headers::split(many.as_bytes());
        assert_eq!((headers.fields.len(), headers.too_large), (1000, Some(50_000)));
        let long = format!("A: {}\n\n", "x".repeat(1_000_000));
        let (headers, _) = Headers::split(long.as_bytes());
        assert_eq!(headers.decoded().iter().map(|(_, value)| value.len()).max(), Some(256 * 1024 - 1));
        assert!(headers.too_large.is_some());
    }
}
