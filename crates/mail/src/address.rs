//! Mailboxes and domains as types, so that a display name is never taken for either.

use std::fmt;

/// A mailbox of a header: an address and the name shown with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name; proves nothing, since anybody may write anything here. `None` if there is none.
    pub name: Option<String>,
    /// The bare address, `local@domain`, as written.
    pub address: String,
}

impl Mailbox {
    /// Returns the domain of the address; `None` if it has none.
    pub fn domain(&self) -> Option<Domain> {
        let (_, domain) = self.address.rsplit_once('@')?;
        Domain::new(domain)
    }
}

/// A domain name: lower case, without a dot at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(String);

impl Domain {
    /// Parses a domain name as people write it; `None` if it is not one.
    pub fn new(text: &str) -> Option<Self> {
        let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
        // Look-alikes in other scripts stay visible as such: their letters count as letters.
        let is_sound = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
        let sound = name.split('.').all(|label| !label.is_empty() && label.chars().all(is_sound));
        sound.then_some(Self(name))
    }

    /// Parses a name of ASCII letters, digits, hyphens and dots, exactly as written; `None` for anything else.
    pub fn strict(text: &str) -> Option<Self> {
        let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let sound = text.len() <= 253 && text.split('.').all(|label| !label.is_empty() && label.bytes().all(is_sound));
        sound.then(|| Self(text.to_ascii_lowercase()))
    }

    /// Returns `true` for `parent` itself and for a name below it: `team.telstra.com` is within `telstra.com`,
    /// `evil-telstra.com` and `telstra.com.evil.example` are not.
    pub fn is_within(&self, parent: &str) -> bool {
        self.0.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// Returns the domain's name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Returns whether a byte may stand in an atom (RFC 5322, 3.2.3).
pub fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// Returns the address, in lower case, and the domain of a raw `From` that holds exactly one plain mailbox: `local@domain`, or `name
/// <local@domain>`.
///
/// Programs read routes, groups, lists, quoted local parts and brackets inside each other in several ways, so that each of these is `None`.
pub fn author_of(value: &[u8]) -> Option<(String, Domain)> {
    let mut words = Vec::new();
    let mut rest = value;
    while let Some((first, behind)) = rest.split_first() {
        rest = match first {
            b' ' | b'\t' | b'\r' | b'\n' => behind,
            b'(' => enclosed(rest, b'(', b')')?.1,
            b'"' => {
                words.push(Word::Quoted);
                enclosed(rest, b'"', b'"')?.1
            }
            b'<' => {
                let end = memchr::memchr(b'>', behind)?;
                words.push(Word::Bracketed(behind.get(..end)?));
                behind.get(end + 1..)?
            }
            _ => {
                let end = rest.iter().position(|byte| b" \t\r\n(\"<".contains(byte)).unwrap_or(rest.len());
                let (word, behind) = rest.split_at(end);
                words.push(Word::Plain(word));
                behind
            }
        };
    }
    let is_name = |word: &Word<'_>| match word {
        // Dots there are obsolete but common; bytes beyond ASCII are names that nobody has encoded.
        Word::Plain(word) => word.iter().all(|byte| is_atext(*byte) || *byte == b'.' || !byte.is_ascii()),
        Word::Quoted => true,
        Word::Bracketed(_) => false,
    };
    match words.as_slice() {
        [Word::Plain(address)] => plain_address(address),
        [name @ .., Word::Bracketed(address)] if name.iter().all(is_name) => plain_address(address),
        _ => None,
    }
}

enum Word<'value> {
    Plain(&'value [u8]),
    Quoted,
    Bracketed(&'value [u8]),
}

/// Splits off a comment or a quoted string at the beginning; `None` if it does not close.
fn enclosed(text: &[u8], open: u8, close: u8) -> Option<(&[u8], &[u8])> {
    let mut depth = 0_usize;
    let mut is_escaped = false;
    for (at, byte) in text.iter().copied().enumerate() {
        match byte {
            0 => return None,
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            _ if byte == open && (open != close || depth == 0) => depth += 1,
            _ if byte == close => {
                depth -= 1;
                if depth == 0 {
                    return text.split_at_checked(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Parses a dot-atom, `@`, and a domain of letters, digits, hyphens and dots.
fn plain_address(address: &[u8]) -> Option<(String, Domain)> {
    let address = str::from_utf8(address).ok()?;
    let (local, domain) = address.split_once('@')?;
    let is_dot_atom = local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext));
    let domain = is_dot_atom.then(|| Domain::strict(domain)).flatten()?;
    Some((address.to_ascii_lowercase(), domain))
}
