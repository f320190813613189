//! Decodes bytes into text, once: by byte order mark, by the declared charset, else as UTF-8 if valid, else as
//! Windows-1252.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Decodes text with the charset that its part declares. A declaration that the bytes contradict is ignored.
pub(super) fn decode(bytes: Cow<'_, [u8]>, declared: Option<&str>) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        return encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default()).0.into_owned();
    }
    let encoding = declared.and_then(|label| named(label, &bytes));
    match encoding {
        Some(encoding) if encoding == UTF_8 => utf8(bytes),
        Some(encoding) => encoding.decode_without_bom_handling(&bytes).0.into_owned(),
        None => match bytes {
            Cow::Owned(bytes) => String::from_utf8(bytes).unwrap_or_else(|error| windows_1252(error.as_bytes())),
            Cow::Borrowed(bytes) => undeclared(bytes).into_owned(),
        },
    }
}

/// Decodes text without a declared charset.
pub(super) fn undeclared(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| Cow::Owned(windows_1252(bytes)), Cow::Borrowed)
}

/// Returns the encoding of that name; `None` if the name is unknown, ASCII, or contradicted by the bytes.
fn named(label: &str, bytes: &[u8]) -> Option<&'static Encoding> {
    let label = label.trim().trim_matches(['"', '\'']);
    if label.eq_ignore_ascii_case("us-ascii") || label.eq_ignore_ascii_case("ascii") {
        return None;
    }
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
    if encoding != UTF_16LE && encoding != UTF_16BE {
        return Some(encoding);
    }
    // A relay that re-encodes a part to 8 bits often keeps its label.
    let (mut even, mut odd) = (0, 0);
    for pair in bytes.chunks(2).take(512) {
        even += usize::from(pair.first() == Some(&0));
        odd += usize::from(pair.get(1) == Some(&0));
    }
    if even == 0 && odd == 0 && str::from_utf8(bytes).is_ok() {
        return Some(UTF_8);
    }
    // "utf-16" alone leaves the byte order open; Latin letters have their zero in the first byte of big endian.
    let open = label.eq_ignore_ascii_case("utf-16");
    Some(if open && even > odd { UTF_16BE } else { encoding })
}

/// Decodes text that claims to be UTF-8: with replacement characters if some of it is valid, as Windows-1252 if none
/// is.
fn utf8(bytes: Cow<'_, [u8]>) -> String {
    let error = match bytes {
        Cow::Owned(bytes) => String::from_utf8(bytes),
        Cow::Borrowed(bytes) => String::from_utf8(bytes.to_vec()),
    };
    error.unwrap_or_else(|error| {
        let lossy = String::from_utf8_lossy(error.as_bytes());
        let some = lossy.chars().any(|character| !character.is_ascii() && character != char::REPLACEMENT_CHARACTER);
        if some { lossy.into_owned() } else { windows_1252(error.as_bytes()) }
    })
}

fn windows_1252(bytes: &[u8]) -> String {
    WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::decode;

    #[test]
    fn text_is_decoded_by_what_it_is() {
        let cases: [(&[u8], Option<&str>, &str); 15] = [
            (b"caf\xc3\xa9", None, "café"),
            (b"caf\xe9", None, "café"),
            (b"10 \x80", None, "10 €"),
            (b"caf\xe9", Some("iso-8859-1"), "café"),
            (b"caf\xe9", Some("us-ascii"), "café"),
            (b"caf\xc3\xa9", Some("us-ascii"), "café"),
            (b"caf\xc3\xa9", Some("no-such-thing"), "café"),
            (b"caf\xe9", Some("utf-8"), "café"),
            (b"caf\xc3\xa9 \xff", Some("utf-8"), "café \u{fffd}"),
            (b"\xef\xbb\xbfa", Some("iso-8859-1"), "a"),
            (b"\xff\xfea\0b\0", Some("UTF-16LE"), "ab"),
            (b"\xff\xfea\0b\0", None, "ab"),
            (b"\0a\0b", Some("utf-16"), "ab"),
            (b"a\0b\0", Some("utf-16le"), "ab"),
            (b"already text", Some("utf-16le"), "already text"),
        ];
        for (bytes, declared, expected) in cases {
            assert_eq!(decode(Cow::Borrowed(bytes), declared), expected, "{bytes:?} {declared:?}");
            assert_eq!(decode(Cow::Owned(bytes.to_vec()), declared), expected, "{bytes:?} {declared:?}");
        }
    }
}
