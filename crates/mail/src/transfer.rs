//! Content transfer encodings, with the tolerance that real mails need.

use std::borrow::Cow;

use base64_simd::STANDARD;
use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode_char};

/// The transfer encodings of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    /// 7bit, 8bit, binary, and unknown encodings: the bytes are taken unchanged.
    Plain,
    Base64,
    QuotedPrintable,
}

/// A decoded body of a part.
pub(super) struct Decoded<'mail> {
    pub(super) bytes: Cow<'mail, [u8]>,
    /// `true` if the encoding stops where no encoder stops: in the middle of a group of base64.
    pub(super) is_cut: bool,
}

impl Transfer {
    /// Returns the encoding of that name.
    pub(super) fn named(name: &str) -> Self {
        let name = name.trim();
        if name.eq_ignore_ascii_case("base64") {
            Self::Base64
        } else if name.eq_ignore_ascii_case("quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::Plain
        }
    }

    /// Decodes a body. If it is not encoded in spite of its label, it is returned unchanged.
    pub(super) fn decode(self, body: &[u8]) -> Decoded<'_> {
        match self {
            Self::Plain => plain(body),
            Self::Base64 => base64(body),
            Self::QuotedPrintable => quoted_printable(body),
        }
    }
}

fn plain(body: &[u8]) -> Decoded<'_> {
    Decoded { bytes: Cow::Borrowed(body), is_cut: false }
}

/// Decodes base64 up to the last line that is base64: lists append their footer as plain text.
fn base64(body: &[u8]) -> Decoded<'_> {
    if let Some(bytes) = sound_base64(body).filter(|bytes| !bytes.is_empty()) {
        return Decoded { bytes: Cow::Owned(bytes), is_cut: false };
    }
    let (encoded, digits) = base64_lines(body);
    if digits == 0 {
        return plain(body);
    }
    let is_padded = encoded.trim_ascii_end().ends_with(b"=");
    match base64_decode(encoded) {
        Some(bytes) => Decoded { bytes: Cow::Owned(bytes), is_cut: !is_padded && digits % 4 != 0 },
        None => plain(body),
    }
}

/// Decodes base64 as encoders write it, in lines of whole groups; `None` where anything else stands among them.
fn sound_base64(body: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(body.len() / 4 * 3);
    let mut is_padded = false;
    for line in body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty()) {
        if is_padded {
            return None;
        }
        STANDARD.decode_append(line, &mut decoded).ok()?;
        is_padded = line.ends_with(b"=");
    }
    Some(decoded)
}

/// Returns the lines up to the first that is not base64, and how many digits they have.
fn base64_lines(body: &[u8]) -> (&[u8], u64) {
    let (mut end, mut digits) = (0, 0);
    for at in memchr::memchr_iter(b'\n', body).map(|at| at + 1).chain([body.len()]) {
        let line = body.get(end..at).unwrap_or_default();
        let kinds: u64 = line.iter().filter_map(|byte| KINDS.get(usize::from(*byte))).sum();
        if kinds >= STRAY {
            break;
        }
        (end, digits) = (at, digits + kinds);
    }
    (body.get(..end).unwrap_or(body), digits)
}

/// The kind of bytes that base64 does not have: more than a line has digits, so that one sum tells both.
const STRAY: u64 = 1 << 32;

/// The kinds of bytes in base64: a digit is 1, padding and white space are 0.
const KINDS: [u64; 256] = {
    let mut kinds = [STRAY; 256];
    let mut byte = 0_u8;
    loop {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => kinds[byte as usize] = 1,
            b'=' | b'\r' | b'\n' | b' ' | b'\t' => kinds[byte as usize] = 0,
            _ => {}
        }
        if byte == u8::MAX {
            break kinds;
        }
        byte += 1;
    }
};

/// Decodes quoted-printable. `mail-parser`'s own decoder drops the text after a stray `=`; this one keeps
/// it.
fn quoted_printable(body: &[u8]) -> Decoded<'_> {
    match unescaped(body) {
        Some(bytes) => Decoded { bytes: Cow::Owned(bytes), is_cut: false },
        None => plain(body),
    }
}

/// Resolves escapes and soft line breaks; `None` if most `=` are neither: that body was never encoded.
fn unescaped(body: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(body.len());
    let (mut escapes, mut strays) = (0_usize, 0_usize);
    let mut rest = body;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (before, from) = rest.split_at_checked(at)?;
        decoded.extend_from_slice(before);
        let after = from.get(1..)?;
        if let Some(below) = soft_break(after) {
            escapes += 1;
            rest = below;
        } else if let [high, low, below @ ..] = after
            && let Some(value) = quoted_printable_decode_char(*high, *low)
        {
            escapes += 1;
            decoded.push(value);
            rest = below;
        } else {
            strays += 1;
            decoded.push(b'=');
            rest = after;
        }
    }
    decoded.extend_from_slice(rest);
    (escapes >= strays).then_some(decoded)
}

/// Returns the bytes after a soft line break: relays leave a few blanks before the end of the line.
fn soft_break(after: &[u8]) -> Option<&[u8]> {
    let padding = after.iter().take(8).take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
    after.get(padding..)?.strip_prefix(b"\n")
}

#[cfg(test)]
mod tests {
    use super::Transfer;

    #[track_caller]
    fn check(encoding: &str, body: &str, expected: &str, is_cut: bool) {
        let decoded = Transfer::named(encoding).decode(body.as_bytes());
        assert_eq!(String::from_utf8_lossy(&decoded.bytes), expected, "{body:?}");
        assert_eq!(decoded.is_cut, is_cut, "{body:?}");
    }

    #[test]
    fn base64_is_decoded() {
        check("base64", "V2FydHVuZw==\r\n", "Wartung", false);
        check(" BASE64 ", "V2Fy\r\ndHVu\r\nZw==\r\n", "Wartung", false);
        check("base64", "V2FydHVuZw==\n____\nMailing list: maint\n", "Wartung", false);
        check("base64", "V2FydHVuZw===\n", "Wartung", false);
        check("base64", "V2Fy\r\n\r\ndHVu \nZw==\n\n", "Wartung", false);
        check("base64", "V2FydHVuZw==\nV2Fy\n", "WartungWar", true);
        check("base64", "V2FydHVuZ", "Wartun", true);
        check("base64", "V2FydHVuZw\n", "Wartung", true);
        check("base64", "<html>never was encoded</html>", "<html>never was encoded</html>", false);
        check("base64", "", "", false);
    }

    #[test]
    fn quoted_printable_is_decoded() {
        check("quoted-printable", "caf=C3=A9 a=\r\nb =3D\r\n", "café ab =\r\n", false);
        check("quoted-printable", "caf=c3=a9", "café", false);
        check("quoted-printable", "a =3D b = c", "a = b = c", false);
        check("quoted-printable", "soft= \t\nbreak= ", "softbreak= ", false);
        check("quoted-printable", "<td width=\"6\" class=\"x\">", "<td width=\"6\" class=\"x\">", false);
        check("quoted-printable", "cut in an=20escape =C", "cut in an escape =C", false);
        check("quoted-printable", "ends in a soft break=\r\n", "ends in a soft break", false);
    }

    #[test]
    fn unencoded_text_stays_unchanged() {
        check("8bit", "a =3D b", "a =3D b", false);
        check("x-unknown", "V2Fy", "V2Fy", false);
    }
}
