//! The hosts that requests may go to. An address of any other form than the plain one is refused: what two programs read differently
//! is how one is fooled about the other's host.

use std::fmt;

use hyper::Uri;

use crate::Reach;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Name or address, in lower case, of IPv6 without brackets.
    name: String,
    port: u16,
}

/// The hosts that a request and its redirects may go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(Vec<Host>);

/// A text that does not name a public host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHost(String);

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name.contains(':'), self.port) {
            (true, port) => write!(formatter, "[{}]:{port}", self.name),
            (false, 443) => formatter.write_str(&self.name),
            (false, port) => write!(formatter, "{}:{port}", self.name),
        }
    }
}

impl fmt::Display for NotHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is not a host such as `files.example.com`", self.0)
    }
}

impl std::error::Error for NotHost {}

impl Host {
    /// Reads `files.example.com` or `files.example.com:8443`: a name, and no address in any of its forms; under `provision dev` also
    /// `localhost` and `127.0.0.1`.
    pub fn read(text: &str, reach: Reach) -> Result<Self, NotHost> {
        let not = || NotHost(text.to_owned());
        let (name, port) = text.split_once(':').unwrap_or((text, "443"));
        let is_port = !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
        let port: u16 = if is_port { port.parse().map_err(|_| not())? } else { return Err(not()) };
        let name = name.to_ascii_lowercase();
        if port != 0 && (is_name(&name) || reach == Reach::PublicAndLoopback && is_of_this_machine(&name)) {
            Ok(Self { name, port })
        } else {
            Err(not())
        }
    }

    /// Returns the host of an address.
    pub(super) fn of(uri: &Uri) -> Self {
        let name = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        Self { name, port: uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 }) }
    }
}

/// Returns whether a text is the name of a public host: labels with dots between, and a last one that is not a number.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels: Vec<&str> = text.split('.').collect();
    let has_name_last = labels.last().is_some_and(|last| last.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    let is_local = labels.last().is_some_and(|last| ["localhost", "local", "internal"].contains(last));
    labels.len() > 1 && text.len() <= 253 && labels.iter().all(|label| is_label(label)) && has_name_last && !is_local
}

fn is_of_this_machine(name: &str) -> bool {
    matches!(name, "localhost" | "127.0.0.1" | "::1")
}

impl Hosts {
    /// Returns the hosts that requests to an address may go to: its own, and those of redirects.
    pub fn new(address: &str, redirects: &[Host], reach: Reach) -> Result<Self, String> {
        let own = Host::of(&plain(address, reach)?);
        Ok(Self([&[own][..], redirects].concat()))
    }

    /// Returns the address if a request may go there, or why it may not.
    pub(super) fn check(&self, address: &str, reach: Reach) -> Result<Uri, String> {
        let uri = plain(address, reach)?;
        let host = Host::of(&uri);
        if self.0.contains(&host) { Ok(uri) } else { Err(format!("`{host}` is not a declared host")) }
    }
}

/// Reads an address of the plain form `https://HOST[:PORT]/PATH[?QUERY]`; under `provision dev` also `http://` on this machine.
fn plain(address: &str, reach: Reach) -> Result<Uri, String> {
    let address = address.split('#').next().unwrap_or_default();
    if !address.bytes().all(|letter| letter.is_ascii_graphic()) || address.contains('\\') {
        return Err("the address has characters that an address cannot have".to_owned());
    }
    let uri: Uri = address.parse().map_err(|_| "the address cannot be read".to_owned())?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains(['@', '%']) {
        return Err("the address contains a user or a password".to_owned());
    }
    let host = Host::of(&uri);
    let is_local = reach == Reach::PublicAndLoopback && is_of_this_machine(&host.name);
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_local => {}
        _ => return Err("the address does not begin with `https://`".to_owned()),
    }
    if host.port == 0 || authority.ends_with(':') || !(is_name(&host.name) || is_local) {
        return Err(format!("`{authority}` is not the name of a public host"));
    }
    Ok(uri)
}

/// Returns whether two addresses are of the same server, so that a secret of the one is none before the other.
pub(super) fn is_same_server(one: &Uri, other: &Uri) -> bool {
    one.scheme() == other.scheme() && Host::of(one) == Host::of(other)
}

/// Returns the address that a redirect leads to, not checked yet.
pub(super) fn resolve(base: &Uri, location: &str) -> Result<String, String> {
    let location = location.trim();
    let scheme = base.scheme_str().unwrap_or("https");
    let authority = base.authority().map_or("", |authority| authority.as_str());
    let first = location.find([':', '/', '?', '#']).and_then(|at| location.get(at..));
    Ok(match location.get(..1) {
        None => return Err("it states no address".to_owned()),
        _ if first.is_some_and(|rest| rest.starts_with(':')) => location.to_owned(),
        _ if location.starts_with("//") => format!("{scheme}:{location}"),
        Some("/") => format!("{scheme}://{authority}{location}"),
        Some("?") => format!("{scheme}://{authority}{}{location}", base.path()),
        _ => {
            let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{scheme}://{authority}{folder}/{location}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_public_name() {
        for (text, shown) in [
            ("files.example.com", "files.example.com"),
            ("Files.Example.COM:443", "files.example.com"),
            ("a_b.example:8443", "a_b.example:8443"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(Host::read(text, Reach::Public).unwrap().to_string(), shown);
        }
        for refused in [
            "",
            ".",
            "localhost",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]",
            "a",
            "a.",
            "a..b",
            ".example.com",
            "example.com.",
            "-a.example",
            "a-.example",
            "me@a.example",
            "a.example:",
            "a.example:0",
            "a.example:65536",
            "a.example:+1",
            "a.example/b",
            "a.example?b",
            "*.example",
            "ä.example",
            "a%2eexample.com",
            "metadata.google.internal",
            "printer.local",
            "a.localhost",
            "1.2.3.4:443",
            "a.0x1",
        ] {
            assert!(Host::read(refused, Reach::Public).is_err(), "{refused}");
        }
        assert!(Host::read("127.0.0.1:8080", Reach::PublicAndLoopback).is_ok());
        assert!(Host::read("127.1:8080", Reach::PublicAndLoopback).is_err());
    }

    #[test]
    fn an_address_leads_to_a_declared_host_or_nowhere() {
        let redirects = [Host::read("storage.example", Reach::Public).unwrap()];
        let hosts = Hosts::new("https://api.example.com/v1", &redirects, Reach::Public).unwrap();
        for taken in [
            "https://api.example.com/v1/jobs/1/output",
            "https://API.example.com:443/",
            "https://storage.example/a?Signature=b%2Fc#d",
        ] {
            assert!(hosts.check(taken, Reach::Public).is_ok(), "{taken}");
        }
        for refused in [
            "http://api.example.com/",
            "https://api.example.com:8443/",
            "https://evil.example/",
            "https://api.example.com.evil.example/",
            "https://evilapi.example.com/",
            "https://api.example.com@evil.example/",
            "https://evil.example\\@api.example.com/",
            "https://api.example.com%2eevil.example/",
            "https://me:pass@api.example.com/",
            "https://@api.example.com/",
            "https://api.example.com./",
            "https://api.example.com:/",
            "https:///api.example.com/",
            "https:api.example.com",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fe80::1%25eth0]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://localhost/",
            "http://localhost/",
            "http://127.0.0.1:9001/",
            "https://metadata.google.internal/",
            "file:///etc/passwd",
            "ftp://api.example.com/",
            "gopher://api.example.com/",
            "javascript:alert(1)",
            "//api.example.com/",
            "/v1",
            "",
            "https://",
            "https://api.example.com\t/",
            "https://äpi.example.com/",
            "https://api。example.com/",
            "https://api.example.com /",
            "https://api.example.com\r\nHost: evil.example/",
        ] {
            assert!(hosts.check(refused, Reach::Public).is_err(), "{refused}");
        }
        for address in ["http://127.0.0.1:1/", "https://localhost/", "https://10.0.0.1/", "http://api.example.com/"] {
            assert!(Hosts::new(address, &[], Reach::Public).is_err(), "{address}");
        }
        assert!(Hosts::new("http://127.0.0.1:1/", &[], Reach::PublicAndLoopback).is_ok());
        for address in ["http://10.0.0.1/", "http://api.example.com/", "https://169.254.169.254/", "http://127.1/"] {
            assert!(Hosts::new(address, &[], Reach::PublicAndLoopback).is_err(), "{address}");
        }
    }

    #[test]
    fn a_redirect_is_read_as_the_server_meant_it() {
        let base: Uri = "https://a.example/v1/jobs/1/output?x=1".parse().unwrap();
        for (location, address) in [
            ("https://b.example/c", "https://b.example/c"),
            ("//b.example/c", "https://b.example/c"),
            ("/c?d", "https://a.example/c?d"),
            ("?y=2", "https://a.example/v1/jobs/1/output?y=2"),
            ("other", "https://a.example/v1/jobs/1/other"),
            ("file:///etc/passwd", "file:///etc/passwd"),
            ("a/b:c", "https://a.example/v1/jobs/1/a/b:c"),
        ] {
            assert_eq!(resolve(&base, location).as_deref(), Ok(address));
        }
        assert!(resolve(&base, " ").is_err());
    }
}
