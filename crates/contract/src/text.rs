//! Cleans text of unknown origin before it reaches a screen.
//!
//! Invisible characters can move a cursor, set a title, hide the text beside them, or reverse it: all of Unicode's controls
//! (Cc), formats (Cf), and separators of lines and paragraphs (Zl, Zp).

use std::fmt::Write as _;

/// Format characters and separators, first and last of each range.
const UNSEEN: [(u32, u32); 20] = [
    (0xad, 0xad),
    (0x600, 0x605),
    (0x61c, 0x61c),
    (0x6dd, 0x6dd),
    (0x70f, 0x70f),
    (0x890, 0x891),
    (0x8e2, 0x8e2),
    (0x180e, 0x180e),
    (0x200b, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0xfeff, 0xfeff),
    (0xfff9, 0xfffb),
    (0x110bd, 0x110bd),
    (0x110cd, 0x110cd),
    (0x13430, 0x1343f),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0001, 0xe0001),
    (0xe0020, 0xe007f),
];

/// Replacement for a character that may not be shown.
pub const REPLACEMENT: char = '\u{fffd}';

/// Returns whether a character is invisible and changes how others look.
pub fn is_unseen(character: char) -> bool {
    let code = u32::from(character);
    character.is_control() || (code > 0x7f && UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&code)))
}

/// Returns a text of one or several lines without invisible characters: each becomes [`REPLACEMENT`], except line feeds and
/// tabs.
pub fn clean(text: &str) -> String {
    let shown =
        |character| if is_unseen(character) && !matches!(character, '\n' | '\t') { REPLACEMENT } else { character };
    text.replace("\r\n", "\n").chars().map(shown).collect()
}

/// Returns a JSON document with the same content without invisible characters in its strings, literal or escaped. Line feeds and
/// tabs stay.
pub fn clean_json(json: &str) -> String {
    let mut clean = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(next) = rest.chars().next() {
        let escape = rest.strip_prefix('\\').and_then(|escape| escape.chars().next());
        let taken = match escape {
            Some('b' | 'f') => {
                clean.push(REPLACEMENT);
                2
            }
            Some('u') => {
                let code = rest.get(2..6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                match code.and_then(char::from_u32).filter(|code| is_unseen(*code) && !matches!(code, '\n' | '\t')) {
                    Some(_) => clean.push(REPLACEMENT),
                    None => clean.push_str(rest.get(..6).unwrap_or(rest)),
                }
                6
            }
            Some(escaped) => {
                clean.push('\\');
                clean.push(escaped);
                1 + escaped.len_utf8()
            }
            None => {
                let is_shown = !is_unseen(next) || (next.is_ascii() && next != '\u{7f}');
                clean.push(if is_shown { next } else { REPLACEMENT });
                next.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    clean
}

/// Returns a JSON document with exactly the same content and with invisible characters escaped: a program reads what was
/// written, and a terminal shows it unchanged.
pub fn escape_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        // Controls below a blank are escaped already; DEL is not.
        if !is_unseen(character) || (character.is_ascii() && character != '\u{7f}') {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a `String` cannot fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNSEEN_TEXT: &str =
        "a\u{1b}[2J\u{9b}b\u{202e}c\u{200b}d\u{2028}e\u{2029}f\u{ad}g\u{feff}h\u{e0041}i\0j\u{7f}k\u{2066}\u{e0001}";

    #[test]
    fn no_unseen_character_stays() {
        assert_eq!(clean("a\tb\r\nc ü \u{a0}"), "a\tb\nc ü \u{a0}");
        let shown = clean(UNSEEN_TEXT);
        assert!(!shown.chars().any(is_unseen), "{shown:?}");
        assert_eq!(shown.chars().count(), UNSEEN_TEXT.chars().count());
    }

    #[test]
    fn json_says_the_same_and_shows_nothing_else() {
        for text in [UNSEEN_TEXT, "\\u001b \\\\u202e \"quoted\" \\", "plain\nlines\tü", "\u{8}\u{c}"] {
            let json = serde_json::to_string(text).unwrap();
            let escaped = escape_json(&json);
            assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
            assert!(!escaped.chars().any(is_unseen), "{escaped:?}");
            let read: String = serde_json::from_str(&clean_json(&json)).unwrap();
            assert_eq!(read, clean(text), "{json}");
        }
    }

    #[test]
    fn a_document_without_such_characters_stays_as_it_is() {
        let json = serde_json::to_string_pretty(&serde_json::json!({"a\\b": ["ü\n", 1, null, "\u{1f600}"]})).unwrap();
        assert_eq!((clean_json(&json), escape_json(&json)), (json.clone(), json));
    }
}
