//! Walks the MIME tree of a mail with a work list: no recursion, each byte read once per level.
//!
//! `mail-parser` is not asked to do this: its time grows with the square of the number of parts whose boundary never comes,
//! its trees are dropped recursively, and it does not tell whether a boundary was closed.

use std::{borrow::Cow, ops::Range, rc::Rc};

use memchr::memmem;

use super::{
    Defect,
    flowed::Flow,
    headers::{Headers, Structured},
    transfer::Transfer,
};

/// Maximum nesting of multiparts and messages. Real mails stay under 8.
const DEEPEST: usize = 20;
/// Maximum number of parts of a mail, multiparts included.
const MOST_PARTS: usize = 1000;
/// Size up to which a message that is itself encoded is always decoded, in bytes.
const SMALL: usize = 4 * 1024 * 1024;

/// A visitor of a mail's parts, in the mail's order.
pub(super) trait Visitor {
    /// Visits the beginning of a message, inside the message of that number. Returns the new message's number.
    fn message(&mut self, headers: &Headers<'_>, inside: Option<usize>) -> usize;
    /// Visits a part that holds no other.
    fn leaf(&mut self, leaf: Leaf<'_>);
    /// Visits the beginning of a part of that type, `type/subtype` in lower case.
    fn part(&mut self, content_type: &str);
    /// Visits bytes that are not read, and that tell this mail from others all the same.
    fn unread(&mut self, bytes: &[u8]);
    /// Records a defect of the mail.
    fn defect(&mut self, defect: Defect);
}

/// A part that holds no other part.
pub(super) struct Leaf<'part> {
    /// Number of the message that it belongs to.
    pub(super) message: usize,
    /// Content type, `type/subtype` in lower case; empty if none is given.
    pub(super) content_type: String,
    /// Declared charset; `None` if the part declares none.
    pub(super) charset: Option<String>,
    /// Kind of flowed text: lines continue where they end with a blank; `None` if they do not.
    pub(super) flow: Option<Flow>,
    /// File name; `None` if the part has none.
    pub(super) name: Option<String>,
    /// Disposition (`Content-Disposition`): inline or attachment.
    pub(super) disposition: Disposition,
    /// Transfer encoding of the body.
    pub(super) transfer: Transfer,
    /// Body of the part, still encoded.
    pub(super) body: &'part [u8],
    /// `true` if the part is the whole message.
    pub(super) is_root: bool,
    /// `true` if the mail ends before a boundary closes the part, which may be complete all the same.
    pub(super) is_open: bool,
    /// `true` if only the end of the mail ends the part.
    pub(super) ends_mail: bool,
}

impl Leaf<'_> {
    /// Returns `true` if the body ends as encoders end it: with its line, or with the soft break that stands for no line end.
    pub(super) fn ends_line(&self) -> bool {
        self.body.is_empty() || self.body.ends_with(b"\n") || self.body.ends_with(b"=")
    }
}

/// The disposition of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    Inline,
    Attachment,
    /// The part states no disposition.
    Open,
}

/// A part of the mail's bytes, or of an encoded message that was decoded.
#[derive(Clone)]
struct Slice<'mail> {
    buffer: Buffer<'mail>,
    range: Range<usize>,
}

#[derive(Clone)]
enum Buffer<'mail> {
    Mail(&'mail [u8]),
    Decoded(Rc<Vec<u8>>),
}

impl Slice<'_> {
    fn bytes(&self) -> &[u8] {
        let whole = match &self.buffer {
            Buffer::Mail(bytes) => bytes,
            Buffer::Decoded(bytes) => bytes.as_slice(),
        };
        whole.get(self.range.clone()).unwrap_or_default()
    }

    /// Returns the part of this slice at a range counted from its start.
    fn part(&self, range: &Range<usize>) -> Self {
        let start = self.range.start;
        Self { buffer: self.buffer.clone(), range: start + range.start..start + range.end }
    }
}

/// An entity that is still to be visited.
struct Entity<'mail> {
    slice: Slice<'mail>,
    depth: usize,
    kind: Kind,
    is_open: bool,
    ends_mail: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    /// A whole message, inside the one of that number.
    Message { inside: Option<usize> },
    /// A part of a multipart of that message; parts of a digest are messages unless they say otherwise.
    Part { message: usize, is_digest: bool },
}

/// Visits every part of a mail, nested messages too.
pub(super) fn walk(mail: &[u8], visitor: &mut impl Visitor) {
    // With the mail and its attachments, decoded messages must stay within three times the mail's size.
    let mut room = (mail.len() / 4 * 3).max(SMALL);
    let mut parts = 0;
    let whole = Slice { buffer: Buffer::Mail(mail), range: 0..mail.len() };
    let kind = Kind::Message { inside: None };
    let mut left = vec![Entity { slice: whole, depth: 0, kind, is_open: false, ends_mail: true }];
    while let Some(entity) = left.pop() {
        parts += 1;
        if parts > MOST_PARTS {
            visitor.defect(Defect::TooMany(MOST_PARTS));
            visitor.unread(entity.slice.bytes());
            left.iter().rev().for_each(|entity| visitor.unread(entity.slice.bytes()));
            return;
        }
        if entity.depth > DEEPEST {
            visitor.defect(Defect::TooDeep);
            visitor.unread(entity.slice.bytes());
            continue;
        }
        let below = look(&entity, &mut room, visitor);
        left.extend(below.into_iter().rev());
    }
}

/// Visits one entity: reports it, or returns the entities in it.
fn look<'mail>(entity: &Entity<'mail>, room: &mut usize, visitor: &mut impl Visitor) -> Vec<Entity<'mail>> {
    let bytes = entity.slice.bytes();
    let (headers, body) = Headers::split(bytes);
    if let Some(length) = headers.too_large {
        visitor.defect(Defect::TooLarge(length));
        visitor.unread(bytes.get(..bytes.len() - body.len()).unwrap_or_default());
    }
    let (message, is_root, is_digest) = match entity.kind {
        Kind::Message { inside } => (visitor.message(&headers, inside), true, false),
        Kind::Part { message, is_digest } => (message, false, is_digest),
    };
    let content_type = headers.structured("Content-Type").unwrap_or_default();
    visitor.part(&content_type.value);
    let start = bytes.len() - body.len();
    let parts = parts(entity, (message, &content_type), &(start..bytes.len()), visitor);
    if !parts.is_empty() {
        return parts;
    }
    let leaf = Leaf {
        message,
        is_root,
        is_open: entity.is_open,
        ends_mail: entity.ends_mail,
        ..leaf(&headers, &content_type, body)
    };
    if is_message(&leaf, is_digest) {
        return inner(entity, &leaf, &(start..bytes.len()), room, visitor).into_iter().collect();
    }
    visitor.leaf(leaf);
    Vec::new()
}

/// Returns the parts of a multipart, whose body is at this range of its entity; none if it is no multipart, or has no delimiter.
fn parts<'mail>(
    entity: &Entity<'mail>,
    (message, content_type): (usize, &Structured),
    body: &Range<usize>,
    visitor: &mut impl Visitor,
) -> Vec<Entity<'mail>> {
    let boundary = content_type.attribute("boundary").filter(|boundary| !boundary.trim_end().is_empty());
    let Some(boundary) = boundary.filter(|_| content_type.value.starts_with("multipart/")) else { return Vec::new() };
    let parts = split(entity.slice.part(body).bytes(), boundary.trim_end().as_bytes());
    // In these the last part is read: only pictures, or another form of the same, can be lost after it.
    let may_be_whole = matches!(content_type.value.as_str(), "multipart/related" | "multipart/alternative");
    if !parts.is_closed && (!may_be_whole || parts.ranges.is_empty()) {
        visitor.defect(Defect::CutShort);
    }
    let kind = Kind::Part { message, is_digest: content_type.value == "multipart/digest" };
    let count = parts.ranges.len();
    let of_part = |(index, range): (usize, &Range<usize>)| Entity {
        slice: entity.slice.part(&(body.start + range.start..body.start + range.end)),
        depth: entity.depth + 1,
        kind,
        is_open: !parts.is_closed && index + 1 == count,
        ends_mail: entity.ends_mail && !parts.is_closed && index + 1 == count,
    };
    parts.ranges.iter().enumerate().map(of_part).collect()
}

/// Returns the message that a leaf is, whose body is at this range of its entity; `None` if it is too large when decoded.
fn inner<'mail>(
    entity: &Entity<'mail>,
    leaf: &Leaf<'_>,
    body: &Range<usize>,
    room: &mut usize,
    visitor: &mut impl Visitor,
) -> Option<Entity<'mail>> {
    let slice = match leaf.transfer.decode(leaf.body).bytes {
        Cow::Borrowed(_) => entity.slice.part(body),
        Cow::Owned(decoded) if decoded.len() <= *room => {
            *room -= decoded.len();
            Slice { range: 0..decoded.len(), buffer: Buffer::Decoded(Rc::new(decoded)) }
        }
        Cow::Owned(decoded) => {
            visitor.defect(Defect::TooLarge(decoded.len()));
            visitor.unread(&decoded);
            return None;
        }
    };
    let Entity { depth, is_open, ends_mail, .. } = *entity;
    Some(Entity { slice, depth: depth + 1, kind: Kind::Message { inside: Some(leaf.message) }, is_open, ends_mail })
}

fn leaf<'part>(headers: &Headers<'_>, content_type: &Structured, body: &'part [u8]) -> Leaf<'part> {
    let disposition = headers.structured("Content-Disposition").unwrap_or_default();
    let name = disposition.attribute("filename").or_else(|| content_type.attribute("name"));
    let transfer = headers.text("Content-Transfer-Encoding");
    Leaf {
        message: 0,
        content_type: content_type.value.clone(),
        charset: content_type.attribute("charset").map(str::to_owned),
        flow: Flow::of(content_type.attribute("format"), content_type.attribute("delsp")),
        name: name.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned),
        disposition: match disposition.value.as_str() {
            "inline" => Disposition::Inline,
            "attachment" => Disposition::Attachment,
            _ => Disposition::Open,
        },
        transfer: transfer.map_or(Transfer::Plain, |name| Transfer::named(&name)),
        body,
        is_root: false,
        is_open: false,
        ends_mail: false,
    }
}

/// Returns `true` if a leaf is a whole message: by its type, by that of its digest, or as a saved mail.
fn is_message(leaf: &Leaf<'_>, is_digest: bool) -> bool {
    let is_saved = || leaf.name.as_deref().is_some_and(|name| name.to_ascii_lowercase().ends_with(".eml"));
    match leaf.content_type.as_str() {
        "message/rfc822" | "message/global" => true,
        "application/octet-stream" => is_saved(),
        "" => is_digest,
        _ => false,
    }
}

/// The parts of a multipart's body.
struct Parts {
    ranges: Vec<Range<usize>>,
    is_closed: bool,
}

/// Splits at the delimiter lines. A part that the end of the body cuts off is a part as well.
fn split(body: &[u8], boundary: &[u8]) -> Parts {
    let mut delimiter = b"--".to_vec();
    delimiter.extend_from_slice(boundary);
    let mut parts = Parts { ranges: Vec::new(), is_closed: false };
    let mut open: Option<usize> = None;
    for found in memmem::find_iter(body, &delimiter) {
        let before = body.get(..found).unwrap_or_default();
        if !(before.is_empty() || before.ends_with(b"\n")) {
            continue;
        }
        let after = body.get(found + delimiter.len()..).unwrap_or_default();
        let line = after.get(..memchr::memchr(b'\n', after).unwrap_or(after.len())).unwrap_or(after);
        let closes = line.starts_with(b"--");
        // `--a` does not delimit `a` in `--ab`; after the closing delimiter anything may follow.
        if !closes && !line.trim_ascii().is_empty() {
            continue;
        }
        if let Some(start) = open.take() {
            let end = before.strip_suffix(b"\n").unwrap_or(before);
            let end = end.strip_suffix(b"\r").unwrap_or(end);
            parts.ranges.push(start..end.len().max(start));
        }
        if closes {
            parts.is_closed = true;
            return parts;
        }
        open = Some((found + delimiter.len() + line.len() + 1).min(body.len()));
        if parts.ranges.len() > MOST_PARTS {
            return parts;
        }
    }
    parts.ranges.extend(open.map(|start| start..body.len()));
    parts
}

#[cfg(test)]
mod tests {
    use super::split;

    #[track_caller]
    fn check(body: &str, expected: &[&str], is_closed: bool) {
        let parts = split(body.as_bytes(), b"b");
        let found: Vec<_> = parts.ranges.iter().map(|range| &body[range.clone()]).collect();
        assert_eq!(found, expected, "{body:?}");
        assert_eq!(parts.is_closed, is_closed, "{body:?}");
    }

    #[test]
    fn a_body_is_split_at_its_delimiters() {
        check("preamble\n--b\none\n--b\ntwo\n--b--\nepilogue\n--b\nno\n", &["one", "two"], true);
        check("--b\r\none\r\n--b  \r\n\r\n--b--", &["one", ""], true);
        check("--b\n--b--", &[""], true);
        check("--b\none\n--bb\nstill\n --b\n--b", &["one\n--bb\nstill\n --b", ""], false);
        check("--b\ncut of", &["cut of"], false);
        check("no delimiter", &[], false);
        check("", &[], false);
    }
}
