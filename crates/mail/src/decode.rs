//! The parts of a mail → [`Mail`]: which are bodies, calendars, attachments, and which message is the innermost.

use std::borrow::Cow;

use super::{
    Attachment, Cover, Defect, Ending, Kinds, LARGEST_TEXT, Layer, Mail, Wrapping, charset,
    complete::Tags,
    flowed, forward,
    headers::Headers,
    identity::{Fingerprint, PartKind},
    list,
    parts::{self, Disposition, Leaf, Visitor},
};

/// Size limit of encoded text, in bytes: above it the text is too large in any encoding, and is not decoded.
const LARGEST_ENCODED_TEXT: usize = 4 * LARGEST_TEXT;
/// Size limit of all texts of a mail together, in bytes; text beyond it is dropped.
const MOST_TEXT: usize = 4 * LARGEST_TEXT;
/// Limit of the lines of all texts of a mail together: each line costs its readers some hundred bytes and a microsecond, however
/// short it is. The longest notice of a carrier that was seen has 3,000.
const MOST_LINES: usize = 100_000;

pub(super) fn decode(bytes: &[u8]) -> Mail {
    let mut collected = Collector::default();
    parts::walk(bytes, &mut collected);
    collected.mail()
}

/// Content types of reports by mail servers and programs.
const REPORTS: [&str; 9] = [
    "multipart/report",
    "message/delivery-status",
    "message/disposition-notification",
    "message/feedback-report",
    "message/global-delivery-status",
    "message/global-disposition-notification",
    "message/global-headers",
    "message/tracking-status",
    "text/rfc822-headers",
];

/// The parts that the walk has found so far.
#[derive(Default)]
struct Collector {
    messages: Vec<Message>,
    calendars: Vec<String>,
    attachments: Vec<Attachment>,
    defects: Vec<Defect>,
    text: usize,
    lines: usize,
    ending: Ending,
    kinds: Kinds,
    fingerprint: Fingerprint,
}

/// A message and its bodies.
#[derive(Default)]
struct Message {
    inside: Option<usize>,
    layer: Layer,
    texts: Vec<String>,
    pages: Vec<String>,
}

impl Visitor for Collector {
    fn message(&mut self, headers: &Headers<'_>, inside: Option<usize>) -> usize {
        if headers.is_open && inside.is_none() {
            self.ending = Ending::Open;
        }
        let wrapping = if inside.is_none() { Wrapping::Outermost } else { Wrapping::Attached };
        let layer = Layer {
            wrapping,
            sender: headers.sender(),
            subject: headers.text("Subject").unwrap_or_default(),
            date: headers.date(),
            message_id: headers.message_id(),
            headers: headers.decoded(),
        };
        self.fingerprint.message(&layer, inside.is_some());
        self.messages.push(Message { inside, layer, ..Message::default() });
        self.messages.len() - 1
    }

    fn leaf(&mut self, leaf: Leaf<'_>) {
        match role(&leaf) {
            Role::Body { is_page } => self.body(&leaf, is_page),
            Role::Calendar => self.calendar(&leaf),
            Role::Attachment => self.attachment(leaf),
        }
    }

    fn part(&mut self, content_type: &str) {
        self.kinds.has_report |= REPORTS.contains(&content_type);
        self.kinds.has_message |= content_type.starts_with("message/") || content_type == "text/rfc822-headers";
    }

    fn unread(&mut self, bytes: &[u8]) {
        self.fingerprint.part(PartKind::Unread, None, bytes);
    }

    fn defect(&mut self, defect: Defect) {
        if !self.defects.contains(&defect) {
            self.defects.push(defect);
        }
    }
}

/// The purpose of a part.
enum Role {
    Body { is_page: bool },
    Calendar,
    Attachment,
}

/// Returns the purpose of a leaf. A named part is an attachment, unless the sender wants it shown inline; a mail of
/// one text part is its body.
fn role(leaf: &Leaf<'_>) -> Role {
    let name = leaf.name.as_deref().unwrap_or_default().to_ascii_lowercase();
    let is_calendar_file = [".ics", ".ical", ".ifb"].iter().any(|end| name.ends_with(end));
    let is_shown = leaf.is_root
        || match leaf.disposition {
            Disposition::Attachment => false,
            Disposition::Inline => true,
            Disposition::Open => name.is_empty(),
        };
    match leaf.content_type.as_str() {
        "text/calendar" | "application/ics" => Role::Calendar,
        _ if is_calendar_file => Role::Calendar,
        "text/html" | "application/xhtml+xml" if is_shown => Role::Body { is_page: true },
        // An unreadable type means plain text (RFC 2045, 5.2).
        "text/plain" | "text" | "" if is_shown => Role::Body { is_page: false },
        _ => Role::Attachment,
    }
}

impl Collector {
    fn body(&mut self, leaf: &Leaf<'_>, is_page: bool) {
        let Some(text) = self.text(leaf) else { return };
        if is_calendar(&text) {
            return self.push_calendar(text);
        }
        let is_page = is_page || is_html(&text);
        let tags = (is_page && (leaf.is_open || leaf.is_root || leaf.ends_mail)).then(|| Tags::of(&text));
        let is_cut = leaf.is_open && !tags.as_ref().is_some_and(Tags::is_whole_page);
        if is_cut || (leaf.is_root && tags.as_ref().is_some_and(Tags::stops_in_table)) {
            self.defect(Defect::CutShort);
        }
        if leaf.ends_mail {
            let ending = tags.map_or(Ending::Open, |tags| tags.ending(&text));
            self.ending = if ending != Ending::Closed && !leaf.ends_line() { Ending::Torn } else { ending };
        }
        let text = match leaf.flow.filter(|_| !is_page) {
            Some(flow) => flowed::unwrapped(&text, flow),
            None => text,
        };
        if let Some(message) = self.messages.get_mut(leaf.message) {
            if is_page { &mut message.pages } else { &mut message.texts }.push(text);
        }
    }

    fn calendar(&mut self, leaf: &Leaf<'_>) {
        if leaf.is_open {
            self.defect(Defect::CutShort);
        }
        if let Some(text) = self.text(leaf) {
            self.push_calendar(text);
        }
    }

    /// Adds a calendar. Calendars often come as a part and once more as an attachment: each is kept once.
    fn push_calendar(&mut self, text: String) {
        if !self.calendars.iter().any(|known| known.trim() == text.trim()) {
            self.calendars.push(text);
        }
    }

    fn attachment(&mut self, leaf: Leaf<'_>) {
        let decoded = leaf.transfer.decode(leaf.body);
        if decoded.is_cut || (leaf.is_open && !leaf.content_type.starts_with("image/")) {
            self.defect(Defect::CutShort);
        }
        let start = decoded.bytes.trim_ascii_start();
        if start.get(..CALENDAR.len()).is_some_and(|start| start.eq_ignore_ascii_case(CALENDAR)) {
            return self.calendar(&leaf);
        }
        self.fingerprint.part(PartKind::Attachment, leaf.name.as_deref(), &decoded.bytes);
        self.attachments.push(Attachment {
            name: leaf.name,
            content_type: leaf.content_type,
            bytes: decoded.bytes.into_owned(),
        });
    }

    /// Returns the decoded text of a part, with LF line ends; `None`, and a defect, if it is too large or has too many lines.
    fn text(&mut self, leaf: &Leaf<'_>) -> Option<String> {
        if leaf.body.len() > LARGEST_ENCODED_TEXT {
            self.fingerprint.part(PartKind::Unread, leaf.name.as_deref(), leaf.body);
            self.defect(Defect::TooLarge(leaf.body.len()));
            return None;
        }
        let decoded = leaf.transfer.decode(leaf.body);
        if decoded.is_cut {
            self.defect(Defect::CutShort);
        }
        let size = decoded.bytes.len();
        if size > LARGEST_TEXT || self.text + size > MOST_TEXT {
            self.fingerprint.part(PartKind::Unread, leaf.name.as_deref(), &decoded.bytes);
            self.defect(Defect::TooLarge(size));
            return None;
        }
        let lines = memchr::memchr_iter(b'\n', &decoded.bytes).count();
        if self.lines + lines > MOST_LINES {
            self.fingerprint.part(PartKind::Unread, leaf.name.as_deref(), &decoded.bytes);
            self.defect(Defect::TooManyLines(MOST_LINES));
            return None;
        }
        self.text += size;
        self.lines += lines;
        let declared = leaf.charset.clone().or_else(|| charset_of_page(&decoded.bytes));
        let text = charset::decode(decoded.bytes, declared.as_deref());
        let text = if text.contains('\r') { text.replace("\r\n", "\n") } else { text };
        self.fingerprint.part(PartKind::Text, None, text.trim_end().as_bytes());
        Some(text)
    }

    /// Follows the messages inwards. If two messages are side by side, nobody can tell which one the mail is about.
    fn mail(mut self) -> Mail {
        let mut layers = Vec::new();
        let mut cover = Cover::default();
        let mut current = 0;
        while let Some(message) = self.messages.get_mut(current) {
            let layer = std::mem::take(&mut message.layer);
            let before_list = list::rewritten(&layer);
            layers.push(layer);
            layers.extend(before_list);
            let mut below = (current + 1..self.messages.len())
                .filter(|next| self.messages.get(*next).is_some_and(|next| next.inside == Some(current)));
            let Some(next) = below.next() else { break };
            let others = below.count();
            if others > 0 {
                self.defect(Defect::SeveralMessages(others + 1));
            }
            if let Some(message) = self.messages.get_mut(current) {
                cover.texts.append(&mut message.texts);
                cover.pages.append(&mut message.pages);
            }
            current = next;
        }
        let message = self.messages.get_mut(current).map(std::mem::take).unwrap_or_default();
        if layers.is_empty() {
            layers.push(Layer::default());
        }
        let subject = layers.last().map(|layer| layer.subject.as_str()).unwrap_or_default();
        let forwards = forward::find(subject, message.texts.first(), message.pages.first());
        layers.extend(forwards);
        let parts_digest = self.fingerprint.digest();
        Mail {
            layers,
            texts: message.texts,
            pages: message.pages,
            cover,
            calendars: self.calendars,
            attachments: self.attachments,
            defects: self.defects,
            ending: self.ending,
            kinds: self.kinds,
            parts_digest,
        }
    }
}

/// First bytes of every calendar.
const CALENDAR: &[u8] = b"BEGIN:VCALENDAR";

fn is_calendar(text: &str) -> bool {
    text.trim_start().as_bytes().get(..CALENDAR.len()).is_some_and(|start| start.eq_ignore_ascii_case(CALENDAR))
}

/// Returns `true` if a text without a type, or with the wrong one, is plainly HTML.
fn is_html(text: &str) -> bool {
    const STARTS: [&str; 9] = ["!doctype html", "html", "head", "body", "table", "div", "p", "meta", "style"];
    let Some(tag) = text.trim_start().strip_prefix('<') else { return false };
    let starts = |start: &str| {
        let head = tag.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
        head && tag.get(start.len()..).is_some_and(|rest| rest.starts_with(['>', ' ', '\n', '\t', '/']))
    };
    STARTS.into_iter().any(starts) && text.contains("</")
}

/// Returns the charset that an HTML document names in its first bytes, for a part that names none.
fn charset_of_page(bytes: &[u8]) -> Option<String> {
    if str::from_utf8(bytes).is_ok() {
        return None;
    }
    let head: Cow<'_, str> = String::from_utf8_lossy(bytes.get(..1024).unwrap_or(bytes));
    let (_, rest) = head.split_once("charset=")?;
    let name = rest.trim_start_matches(['"', '\'']);
    let end = name.find(|next: char| !(next.is_ascii_alphanumeric() || "-_".contains(next))).unwrap_or(name.len());
    name.get(..end).map(str::to_owned)
}
