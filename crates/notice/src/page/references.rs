//! References to characters, `&nbsp;` and `&#160;`, by the rules of the HTML standard.

use html5ever::{
    data::{C1_REPLACEMENTS, NAMED_ENTITIES},
    tendril::StrTendril,
};
use memchr::memchr;

/// The length of the longest name that stands for a character without a semicolon behind it.
const LONGEST_UNENDED: usize = 6;

/// Returns the value of an attribute without references.
pub(super) fn value(written: &str) -> StrTendril {
    let mut rest = written;
    let mut value = StrTendril::new();
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        value.push_slice(rest.get(..at).unwrap_or_default());
        let behind = rest.get(at + 1..).unwrap_or_default();
        let length = read(behind, true, &mut value);
        rest = behind.get(length..).unwrap_or_default();
    }
    value.push_slice(rest);
    value
}

/// Adds to a text the characters that an ampersand and what follows it stand for. Returns the length of what belongs to it.
pub(super) fn read(behind: &str, is_attribute: bool, text: &mut StrTendril) -> usize {
    let read = match behind.strip_prefix('#') {
        Some(number) => numbered(number).map(|(character, length)| (character, None, length + 1)),
        None => named(behind, is_attribute),
    };
    let Some((first, second, length)) = read else {
        text.push_char('&');
        return 0;
    };
    text.push_char(first);
    if let Some(second) = second {
        text.push_char(second);
    }
    length
}

/// Returns the character of a number, and the length of what is written; `None` without a digit.
fn numbered(number: &str) -> Option<(char, usize)> {
    let (digits, radix, mark) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16, 1),
        None => (number, 10, 0),
    };
    let length = digits.bytes().position(|digit| !char::from(digit).is_digit(radix)).unwrap_or(digits.len());
    let (written, behind) = digits.split_at_checked(length).filter(|(written, _)| !written.is_empty())?;
    let code =
        written.chars().try_fold(0_u32, |code, digit| code.checked_mul(radix)?.checked_add(digit.to_digit(radix)?));
    let code = code.filter(|code| *code != 0).and_then(|code| {
        // The standard reads what Windows writes.
        let replaced =
            code.checked_sub(0x80).and_then(|at| C1_REPLACEMENTS.get(usize::try_from(at).ok()?)).copied().flatten();
        replaced.or_else(|| char::from_u32(code))
    });
    Some((code.unwrap_or(char::REPLACEMENT_CHARACTER), mark + length + usize::from(behind.starts_with(';'))))
}

/// Returns the characters of a name, and the length of what is written; `None` if it is none.
fn named(behind: &str, is_attribute: bool) -> Option<(char, Option<char>, usize)> {
    let length = behind.bytes().position(|letter| !letter.is_ascii_alphanumeric()).unwrap_or(behind.len());
    let next = behind.as_bytes().get(length);
    let of = |length: usize| {
        let (first, second) = *NAMED_ENTITIES.get(behind.get(..length)?)?;
        Some((char::from_u32(first).filter(|_| first != 0)?, char::from_u32(second).filter(|_| second != 0), length))
    };
    if next == Some(&b';')
        && let Some(whole) = of(length + 1)
    {
        return Some(whole);
    }
    if is_attribute {
        // In an address, what goes on is the name of a parameter.
        return of(length).filter(|_| next != Some(&b'='));
    }
    (1..=length.min(LONGEST_UNENDED)).rev().find_map(of)
}
