//! Addresses of servers that functions and the command line send to: over TLS, or on this machine.

use std::fmt;

use crate::secret::Secret;

/// The hosts of this machine, which a request reaches without a network.
const LOCAL: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Permission for an address to have a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// It may: the address of a webhook.
    Allowed,
    /// It may not: paths are added to the address.
    Refused,
}

/// An address such as `https://netbox.example.com`. Path and query may be what a server knows a sender by, so that logs and errors show
/// scheme and host only.
///
/// ```
/// use contract::address::{Address, Query};
///
/// let address = Address::read("https://hooks.example.com:8443/in/s3cr3t?key=1", Query::Allowed).unwrap();
/// assert_eq!(address.to_string(), "https://hooks.example.com:8443");
/// assert!(Address::read("http://netbox.example.com", Query::Refused).is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(String);

/// A text that is not the address of a server to which secrets may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAddress {
    /// The text as far as it may be shown.
    shown: String,
    fault: &'static str,
}

impl Address {
    /// Reads an address: `https://…`, or `http://…` on this machine, since over an open network anybody could read what is sent.
    pub fn read(text: &str, query: Query) -> Result<Self, NotAddress> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_local = LOCAL.iter().any(|host| authority.strip_prefix(host).is_some_and(is_port));
        let fault = match scheme {
            "http" if !is_local => "it is not encrypted, which only an address of this machine may be",
            "http" | "https" if authority.is_empty() => "it names no server",
            "http" | "https" if authority.contains('@') => "it contains a user or a password",
            "http" | "https" if text.contains(['#', '@']) || !text.chars().all(|letter| letter.is_ascii_graphic()) => {
                "it has characters that an address cannot have"
            }
            "http" | "https" if query == Query::Refused && text.contains('?') => "it has a query",
            "http" | "https" => return Ok(Self(text.to_owned())),
            _ => "it begins with neither `https://` nor `http://`",
        };
        Err(NotAddress { shown: shown(text), fault })
    }

    /// Returns the whole address, for whoever sends to it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns scheme and host, and all that follows: a path, a query.
    pub fn split(&self) -> (&str, Secret) {
        let (base, path) = self.0.split_at(base_of(&self.0));
        (base, path.into())
    }
}

/// Returns a text as a log may show it: of an address scheme and host, without user, path and query; of anything else nothing.
pub fn shown(text: &str) -> String {
    let base = text.get(..base_of(text)).unwrap_or_default();
    match base.split_once("://") {
        Some((scheme, authority))
            if !scheme.is_empty()
                && !authority.is_empty()
                && scheme.chars().all(|letter| letter.is_ascii_alphanumeric()) =>
        {
            format!("{scheme}://{}", authority.rsplit('@').next().unwrap_or_default())
        }
        _ => "[not an address]".to_owned(),
    }
}

/// Returns where the path of an address begins, in bytes.
fn base_of(text: &str) -> usize {
    let authority = text.find("://").map_or(0, |scheme| scheme + 3);
    let rest = text.get(authority..).unwrap_or_default();
    rest.find(['/', '?', '#']).map_or(text.len(), |path| authority + path)
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':').map_or(text.is_empty(), |port| port.chars().all(|digit| digit.is_ascii_digit()))
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&shown(&self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({})", shown(&self.0))
    }
}

impl fmt::Display for NotAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`: {}", self.shown, self.fault)
    }
}

impl std::error::Error for NotAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_over_tls_or_stay_on_this_machine() {
        for taken in [
            "https://netbox.example",
            "https://netbox.example:8000/a/",
            "http://127.0.0.1:8000",
            "http://localhost",
            "http://[::1]:80/a",
        ] {
            assert_eq!(Address::read(taken, Query::Refused).unwrap().expose(), taken);
        }
        for refused in [
            "",
            "netbox.example",
            "http://netbox.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "http://127.0.0.1@evil.example",
            "http://localhost:80@evil.example",
            "https://",
            "https:///path",
            "https://me:pass@netbox.example",
            "https://netbox.example/#a",
            "https://netbox.example/ a",
            "ftp://netbox.example",
            "HTTP://netbox.example",
            "https://netbox.example/?a=1",
            "http://localhost:evil.example",
        ] {
            assert!(Address::read(refused, Query::Refused).is_err(), "{refused}");
        }
        assert!(Address::read("https://a.example?key=1", Query::Allowed).is_ok());
    }

    #[test]
    fn neither_a_path_nor_a_password_is_ever_shown() {
        for text in [
            "https://a.example/canary",
            "https://a.example?canary",
            "http://me:canary@a.example/x",
            "canary",
            "https://a.example/#canary",
            "https:canary",
            "://canary",
        ] {
            let said = match Address::read(text, Query::Allowed) {
                Ok(address) => format!("{address} {address:?} {:?}", address.split()),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!said.contains("canary") && !shown(text).contains("canary"), "{text}: {said}");
        }
    }
}
