//! Limits of NetBox's fields, and the shortened text where a value is longer. Lengths are characters.

use schedule::name::{event_name, window_number};

/// [`line()`] is also what Django's text fields take and store unchanged.
pub use runtime::text::{cut, line};
pub use schedule::digest;

/// Longest name of an event, and longest CID of a circuit.
pub const LONGEST_NAME: usize = 100;
/// Longest summary of an event.
pub const LONGEST_SUMMARY: usize = 200;
/// Longest subject of a notification, since `netbox-circuitmaintenance` 0.8.
pub const LONGEST_SUBJECT: usize = 500;
/// Longest subject of a notification in older versions and in `netbox-notices`.
pub const SHORT_SUBJECT: usize = 100;
/// Longest address that NetBox takes.
const LONGEST_ADDRESS: usize = 254;
/// Largest notification, in bytes of JSON, as one of a list: NetBox does not read a request of more than 2,621,440.
pub const LARGEST_NOTIFICATION: usize = 2_500_000;
/// Longest id within a name: the rest is for ` #1000` or the mark of a duplicate.
const LONGEST_ID: usize = 80;

/// Returns the name of the event for the window with that number, counted from 1.
///
/// An id that is too long is cut, and a digest of the whole keeps it apart from others that begin alike.
pub fn name(id: &str, number: usize) -> String {
    event_name(&short(id), number)
}

/// Returns the number of the window that an event's name states, or `None` if the event belongs to another maintenance.
pub fn number(id: &str, name: &str) -> Option<usize> {
    window_number(&short(id), name)
}

fn short(id: &str) -> String {
    let line = line(id);
    if line.chars().count() <= LONGEST_ID {
        return line;
    }
    format!("{}… {}", line.chars().take(LONGEST_ID - 14).collect::<String>(), digest(id.as_bytes(), 6))
}

/// Returns the digest by which a note remembers a summary.
pub fn summary_digest(summary: &str) -> String {
    digest(summary.as_bytes(), 8)
}

/// Returns the name of an event that was made in a race and lost.
pub fn duplicate_name(name: &str, event: impl std::fmt::Display) -> String {
    let mark = format!(" (duplicate {event})");
    format!("{}{mark}", cut(name, LONGEST_NAME.saturating_sub(mark.chars().count())))
}

/// Returns a body that NetBox takes: without NUL, which `PostgreSQL` cannot store, and not longer in JSON than `room`, in bytes, so that
/// the request is read.
pub fn body(text: &str, remark: &str, room: usize) -> String {
    let clean = text.replace('\0', "");
    let mut size = remark.len();
    for (offset, letter) in clean.char_indices() {
        size += escaped(letter);
        if size > room {
            return format!("{}{remark}", clean.get(..offset).unwrap_or_default());
        }
    }
    clean
}

/// Returns a text that Markdown shows as it is: without links, pictures, headings, emphasis and HTML.
pub fn markdown(text: &str) -> String {
    let mut lines = text.lines().map(|line| {
        let mut shown = String::with_capacity(line.len());
        let mut is_start = true;
        let mut before = ' ';
        for letter in line.trim().chars().filter(|letter| !contract::text::is_unseen(*letter)) {
            let opens = match letter {
                '\\' | '`' | '*' | '[' | ']' | '!' | '~' => true,
                // Within a word it is an ordinary letter.
                '_' => !before.is_alphanumeric(),
                '#' | '-' | '+' | '>' | '=' | ':' | '|' => is_start,
                '.' | ')' => shown.chars().all(|digit| digit.is_ascii_digit()) && !is_start,
                _ => false,
            };
            match letter {
                '<' => shown.push_str("&lt;"),
                '&' => shown.push_str("&amp;"),
                '~' | '=' | ':' | '|' if opens => shown.extend(["&#", &u32::from(letter).to_string(), ";"]),
                _ if opens => shown.extend(['\\', letter]),
                _ => shown.push(letter),
            }
            is_start = false;
            before = letter;
        }
        shown
    });
    let first = lines.next().unwrap_or_default();
    lines.fold(first, |all, line| all + "\n" + &line)
}

/// Returns the length of a text in JSON, in bytes.
pub fn escaped_length(text: &str) -> usize {
    text.chars().map(escaped).sum()
}

/// Returns the length of a character in JSON, in bytes.
fn escaped(letter: char) -> usize {
    match letter {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        letter if u32::from(letter) < 0x20 => 6,
        letter => letter.len_utf8(),
    }
}

/// Returns the text if Django takes it for an address.
pub fn address(text: &str) -> Option<&str> {
    let (local, domain) = text.rsplit_once('@')?;
    let atom = |part: &str| {
        !part.is_empty()
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{}|~-".contains(letter))
    };
    let label = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    let lettered = top.len() >= 2 && !top.chars().all(|letter| letter.is_ascii_digit());
    let fits = text.len() <= LONGEST_ADDRESS && local.len() <= 64 && domain.contains('.');
    (fits && lettered && local.split('.').all(atom) && domain.split('.').all(label)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_maintenances_and_windows_apart_within_the_limit() {
        assert_eq!((name(" CHG\t1 ", 1), name("CHG 1", 2)), ("CHG 1".to_owned(), "CHG 1 #2".to_owned()));
        let long = "ü".repeat(300);
        let other = format!("{long}x");
        let (first, second) = (name(&long, 1000), name(&other, 1000));
        assert!(first.chars().count() <= LONGEST_NAME && first != second, "{first} {second}");
        let lost = duplicate_name(&first, u64::MAX);
        assert!(lost.chars().count() <= LONGEST_NAME && lost.ends_with(" (duplicate 18446744073709551615)"), "{lost}");
    }

    #[test]
    fn a_mails_text_is_never_markdown() {
        for (text, shown) in [
            ("Works on ring_4, span A-B (1.5 h)", "Works on ring_4, span A-B (1.5 h)"),
            ("[pay](https://evil.example)", "\\[pay\\](https://evil.example)"),
            ("![x](https://evil.example/p.png)", "\\!\\[x\\](https://evil.example/p.png)"),
            ("<https://evil.example> <b>", "&lt;https://evil.example> &lt;b>"),
            ("# Heading\n- item\n1. one\n===\n> quote", "\\# Heading\n\\- item\n1\\. one\n&#61;==\n\\> quote"),
            ("_a_ **b** `c` ~~d~~ \\", "\\_a_ \\*\\*b\\*\\* \\`c\\` &#126;&#126;d&#126;&#126; \\\\"),
            ("a\u{202e}b\u{200b}c", "abc"),
        ] {
            assert_eq!(markdown(text), shown);
        }
    }

    #[test]
    fn a_body_is_cut_where_its_json_would_be_too_large() {
        assert_eq!(body("a\0b", "cut", 100), "ab");
        for letter in ["a", "\n", "\"", "ü", "\u{1}"] {
            let cut = body(&letter.repeat(3_000_000), "[cut]", LARGEST_NOTIFICATION);
            assert!(cut.ends_with("[cut]"), "{letter:?}");
            let size = serde_json::to_string(&cut).unwrap().len();
            assert!((LARGEST_NOTIFICATION - 10..=LARGEST_NOTIFICATION + 10).contains(&size), "{letter:?} {size}");
        }
    }

    #[test]
    fn only_an_unambiguous_address_is_accepted() {
        for good in ["noc@carrier.example", "a.b+c@x-1.co.example", "o'neil@carrier.xn--p1ai"] {
            assert_eq!(address(good), Some(good));
        }
        let long = format!("{}@carrier.example", "a".repeat(65));
        for bad in [
            "",
            "noc",
            "noc@localhost",
            "a..b@c.example",
            "NOC <noc@c.example>",
            "ü@c.example",
            "a@-c.example",
            "a@c.1",
            &long,
        ] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
