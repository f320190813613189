//! Addresses of senders and recipients, as people write them.

use std::{fmt, str::FromStr};

/// An address, and the name that is shown with it.
///
/// ```
/// let shop: sending::Mailbox = "Shop <Orders@shop.example>".parse()?;
/// assert_eq!((shop.name.as_deref(), shop.address.as_str()), (Some("Shop"), "Orders@shop.example"));
/// assert_eq!(shop.to_string(), "Shop <Orders@shop.example>");
/// # Ok::<(), sending::NotMailbox>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name; `None` if there is none.
    pub name: Option<String>,
    /// The bare address, `local@domain`, as written.
    pub address: String,
}

/// A text that is not an address to which SES sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an address: {fault}", text.escape_debug())]
pub struct NotMailbox {
    text: String,
    fault: &'static str,
}

impl FromStr for Mailbox {
    type Err = NotMailbox;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |fault| NotMailbox { text: text.to_owned(), fault };
        // A line break would begin another header.
        if text.chars().any(char::is_control) {
            return Err(wrong("it has a control character"));
        }
        let trimmed = text.trim();
        let (name, address) = match trimmed.strip_suffix('>').and_then(|inner| inner.rsplit_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"').trim(), address.trim()),
            None => ("", trimmed),
        };
        let (local, domain) = address.rsplit_once('@').ok_or_else(|| wrong("it has no `@`"))?;
        if !address.is_ascii() {
            return Err(wrong("SES takes ASCII only: write the domain in Punycode"));
        }
        let is_sound = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_sound(local) || local.contains(['@', ',', '<', '>', ';', ':', '(', ')', '"', '\\']) {
            return Err(wrong("what is before the `@` is not the name of a mailbox"));
        }
        let is_label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        if !domain.contains('.') || !domain.split('.').all(is_label) {
            return Err(wrong("what is behind the `@` is not a domain"));
        }
        Ok(Self { name: (!name.is_empty()).then(|| name.to_owned()), address: address.to_owned() })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(formatter, "{name} <{}>", self.address),
            None => formatter.write_str(&self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_name() {
        for (text, name, address) in [
            ("ada@example.org", None, "ada@example.org"),
            (" Ada <ada@example.org> ", Some("Ada"), "ada@example.org"),
            ("\"Lovelace, Ada\" <ada+1@example.org>", Some("Lovelace, Ada"), "ada+1@example.org"),
            ("<ada@example.org>", None, "ada@example.org"),
            ("Zoë <zoe@example.org>", Some("Zoë"), "zoe@example.org"),
            ("a < b <ada@example.org>", Some("a < b"), "ada@example.org"),
        ] {
            let read: Mailbox = text.parse().unwrap();
            assert_eq!((read.name.as_deref(), read.address.as_str()), (name, address), "{text}");
        }
    }

    #[test]
    fn what_ses_would_refuse_or_take_for_several_is_refused() {
        for text in [
            "",
            "ada",
            "ada@",
            "@example.org",
            "ada@localhost",
            "ada@example..org",
            "ada@exämple.org",
            "ada@example.org, eve@example.org",
            "ada lovelace@example.org",
            "Ada <ada@example.org>\r\nBcc: eve@example.org",
            "Ada <>",
            "a@b@example.org",
        ] {
            assert!(text.parse::<Mailbox>().is_err(), "{text:?}");
        }
    }
}
