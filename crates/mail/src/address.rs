//! Who wrote a mail: mailboxes and domains as types, so that a display name is never taken for either.

use std::fmt;

/// A mailbox of a header: an address and the name shown with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name. It proves nothing: anybody may write anything here.
    pub name: Option<String>,
    /// The bare address, `local@domain`, as written.
    pub address: String,
}

impl Mailbox {
    /// The domain of the address, or `None` where it has none.
    pub fn domain(&self) -> Option<Domain> {
        let (_, domain) = self.address.rsplit_once('@')?;
        Domain::new(domain)
    }
}

/// A domain name: lower case, without a dot at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(String);

impl Domain {
    /// Takes a domain name as people write it.
    pub fn new(text: &str) -> Option<Self> {
        let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
        let sound =
            !name.is_empty() && name.split('.').all(|label| !label.is_empty()) && !name.contains(char::is_whitespace);
        sound.then_some(Self(name))
    }

    /// Whether this is `parent` itself or a name below it: `team.telstra.com` is within `telstra.com`,
    /// `evil-telstra.com` and `telstra.com.evil.example` are not.
    pub fn is_within(&self, parent: &str) -> bool {
        self.0.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
