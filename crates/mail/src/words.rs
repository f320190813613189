//! Decodes encoded words in header values (RFC 2047).

use std::borrow::Cow;

use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};
use memchr::memmem;

use super::charset;

/// Length limit of an encoded word. RFC 2047 allows 75; senders that put a whole subject into one word are common.
const LONGEST_WORD: usize = 1024;

/// One encoded word: its charset and bytes.
struct Word<'text> {
    charset: &'text str,
    bytes: Vec<u8>,
}

/// Decodes every encoded word; what is malformed stays as it is. White space between two words is no part of the text.
/// Neighbours of one charset are decoded together, because senders cut words in the middle of a character.
pub(super) fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut pending: Option<Word<'_>> = None;
    let mut rest = text;
    while let Some(start) = memmem::find(rest.as_bytes(), b"=?") {
        let (before, from) = rest.split_at(start);
        let Some((word, after)) = word(from) else {
            flush(&mut decoded, pending.take());
            decoded.push_str(before);
            decoded.push_str("=?");
            rest = from.get(2..).unwrap_or_default();
            continue;
        };
        let adjacent = pending.is_some() && before.trim().is_empty();
        match &mut pending {
            Some(previous) if adjacent && previous.charset.eq_ignore_ascii_case(word.charset) => {
                previous.bytes.extend_from_slice(&word.bytes);
            }
            _ => {
                flush(&mut decoded, pending.take());
                if !adjacent {
                    decoded.push_str(before);
                }
                pending = Some(word);
            }
        }
        rest = after;
    }
    flush(&mut decoded, pending);
    decoded.push_str(rest);
    decoded
}

fn flush(decoded: &mut String, word: Option<Word<'_>>) {
    if let Some(word) = word {
        let text = charset::decode(Cow::Owned(word.bytes), Some(word.charset));
        decoded.extend(text.chars().map(|character| if matches!(character, '\n' | '\r') { ' ' } else { character }));
    }
}

/// Parses the word at the start of the text; returns it and the rest.
fn word(text: &str) -> Option<(Word<'_>, &str)> {
    let window = text.get(..text.floor_char_boundary(LONGEST_WORD))?;
    let (charset, encoded) = window.strip_prefix("=?")?.split_once('?')?;
    let charset = charset.split('*').next()?;
    let sound = !charset.is_empty() && charset.bytes().all(|byte| byte.is_ascii_graphic());
    let (encoding, encoded) = encoded.split_once('?')?;
    let (encoded, _) = encoded.split_once("?=").filter(|_| sound)?;
    let bytes = match encoding {
        "q" | "Q" => quoted_printable_decode(encoded.replace('_', " ").as_bytes())?,
        "b" | "B" => base64_decode(encoded.as_bytes())?,
        _ => return None,
    };
    let length = "=?".len() + charset_length(text)? + "?b?".len() + encoded.len() + "?=".len();
    Some((Word { charset, bytes }, text.get(length..)?))
}

fn charset_length(text: &str) -> Option<usize> {
    text.strip_prefix("=?")?.split_once('?').map(|(charset, _)| charset.len())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn words_are_decoded() {
        for (encoded, expected) in [
            ("plain text", "plain text"),
            ("=?UTF-8?Q?Planned_work_=E2=80=93_new?=", "Planned work – new"),
            ("Re: =?utf-8?b?V2FydHVuZw==?= (A)", "Re: Wartung (A)"),
            ("=?utf-8?q?Plan?= =?utf-8?q?ned?=  =?iso-8859-1?q?_caf=E9?=", "Planned café"),
            // A character cut in two by a sender that counts bytes.
            ("=?utf-8?b?Y2Fmww==?= =?utf-8?b?qQ==?=", "café"),
            ("=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=", "café"),
            ("=?iso-2022-jp?B?GyRCJWElcyVGGyhC?=", "メンテ"),
            ("=?utf-8*en?Q?ok?=", "ok"),
            ("=?no-such-charset?Q?caf=E9?=", "café"),
            ("=?utf-8?Q?never ends", "=?utf-8?Q?never ends"),
            ("=?utf-8?X?what?=", "=?utf-8?X?what?="),
            ("1 =? 2", "1 =? 2"),
            ("", ""),
        ] {
            assert_eq!(decode(encoded), expected, "{encoded}");
        }
    }

    #[test]
    fn words_that_never_end_take_linear_time() {
        let text = "=?aa?q?x".repeat(32_000);
        assert_eq!(decode(&text), text);
    }
}
