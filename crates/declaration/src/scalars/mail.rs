//! Addresses, domains and headers of mails, and the codes that refuse one.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::{Recipient, shape::Form, wrong::Wrong};

use super::{form, line, tag_value};

/// Form of the recipients that a rule takes mail for.
pub(crate) const RECIPIENT: Form = form(
    "an address (`maintenance@example.com`), a domain (`example.com`) or its sub-domains (`.example.com`)",
    "^([^@ ]+@|\\.)?[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$",
);
/// Form of the addresses of servers that mail comes from.
pub(crate) const CIDR: Form =
    form("an IPv4 address, or a range of them such as `192.0.2.0/24`", "^[0-9]{1,3}(\\.[0-9]{1,3}){3}(/[0-9]{1,2})?$");
/// Form of a mail address.
pub(crate) const ADDRESS: Form =
    form("a mail address such as `noc@example.com`", "^[^@ ]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$");
/// Form of a domain.
pub(crate) const DOMAIN: Form = form("a domain such as `links.example.com`", "^[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$");
/// Form of an identity of SES that mails are sent from.
pub(crate) const SENDER: Form = form(
    "a domain (`example.com`) or an address (`noc@example.com`), at most 100 characters",
    "^([^@ ]+@)?[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$",
);
/// Form of an SMTP code that refuses a mail.
pub(crate) const SMTP_CODE: Form = form("an SMTP code that refuses, such as `550`", "^[45][0-9]{2}$");
/// Form of an enhanced SMTP status code.
pub(crate) const STATUS_CODE: Form =
    form("an enhanced SMTP status, such as `5.1.1`", "^[45]\\.[0-9]{1,3}\\.[0-9]{1,3}$");
/// Form of a header's name.
pub(crate) const HEADER: Form =
    form("the name of a header: letters, digits and hyphens, at most 50", "^[A-Za-z0-9-]{1,50}$");
/// Form of a header's value.
pub(crate) const HEADER_VALUE: Form = form("one line of ASCII, at most 2048", "^[ -~]{1,2048}$");
/// Form of the sender's name of a topic's mails.
pub(crate) const DISPLAY_NAME: Form = form("one line of text, at most 100", "");

/// Parses a recipient: an address, a domain, or every domain below one.
pub(crate) fn recipient(text: &str) -> Result<Recipient, Wrong> {
    if let Some((local, domain)) = text.rsplit_once('@') {
        if local == "*" && is_domain(domain) {
            return Err(Wrong::default().hint(format!("for every address of the domain write `{domain}`")));
        }
        let local_is_sound = !local.is_empty()
            && local.len() <= 64
            && local.chars().all(|c| c.is_ascii_graphic() && !"<>@,;:\"()[]\\".contains(c));
        return if local_is_sound && is_domain(domain) {
            Ok(Recipient::Address(format!("{local}@{}", domain.to_ascii_lowercase())))
        } else {
            Err(bare(text))
        };
    }
    if let Some(domain) = text.strip_prefix("*.").filter(|domain| is_domain(domain)) {
        return Err(Wrong::default().hint(format!("for every sub-domain write `.{domain}`")));
    }
    match text.strip_prefix('.') {
        Some(domain) if is_domain(domain) => Ok(Recipient::SubDomains(domain.to_ascii_lowercase())),
        None if is_domain(text) => Ok(Recipient::Domain(text.to_ascii_lowercase())),
        _ => Err(bare(text)),
    }
}

/// Parses a mail address without a display name.
pub(crate) fn address(text: &str) -> Result<String, Wrong> {
    match recipient(text)? {
        Recipient::Address(address) => Ok(address),
        Recipient::Domain(_) | Recipient::SubDomains(_) => Err(Wrong::default()),
    }
}

/// Reads a domain of at least two labels, such as `example.com`.
pub(crate) fn domain(text: &str) -> Result<String, Wrong> {
    let is_label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let sound = text.len() <= 253 && text.contains('.') && text.split('.').all(is_label);
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Reads an identity of SES: its name is part of a tag's key, so that it is not as long as SES takes it.
pub(crate) fn sender(text: &str) -> Result<String, Wrong> {
    let sound = text.len() <= 100
        && match text.split_once('@') {
            Some((_, behind)) => address(text).is_ok() && domain(behind).is_ok() && tag_value(text).is_ok(),
            None => domain(text).is_ok(),
        };
    if !sound {
        return Err(Wrong::default());
    }
    let lower = text.to_ascii_lowercase();
    if text == lower { Ok(lower) } else { Err(Wrong::default().hint(format!("write it as `{lower}`"))) }
}

/// Parses an address, or a range that begins where its length says.
pub(crate) fn cidr(text: &str) -> Result<Ipv4Net, Wrong> {
    let net = text.parse::<Ipv4Net>().or_else(|_| text.parse::<Ipv4Addr>().map(Ipv4Net::from));
    let is_v6 = || text.parse::<Ipv6Net>().is_ok() || text.parse::<Ipv6Addr>().is_ok();
    let net =
        net.map_err(|_| if is_v6() { Wrong::default().hint("SES filters IPv4 alone") } else { Wrong::default() })?;
    if net.addr() == net.network() {
        return Ok(net);
    }
    let wrong = Wrong::expected(format!("the beginning of a range: `{text}` is an address within one"));
    Err(wrong.hint(format!("write `{}` for the whole range, or `{}` for the address", net.trunc(), net.addr())))
}

/// Parses an SMTP code that refuses a mail, for now or for good.
pub(crate) fn smtp_code(text: &str) -> Result<String, Wrong> {
    let sound = text.len() == 3 && text.starts_with(['4', '5']) && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses an enhanced SMTP status code that refuses (RFC 3463).
pub(crate) fn status_code(text: &str) -> Result<String, Wrong> {
    let parts: Vec<_> = text.split('.').collect();
    let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let sound = matches!(parts.as_slice(), ["4" | "5", subject, detail] if is_number(subject) && is_number(detail));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses the name of a header, within SES's bounds.
pub(crate) fn header(text: &str) -> Result<String, Wrong> {
    let sound = (1..=50).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses the value of a header, within SES's bounds.
pub(crate) fn header_value(text: &str) -> Result<String, Wrong> {
    let sound = (1..=2048).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses the sender's name of a topic's mails, within the bounds of SNS.
pub(crate) fn display_name(text: &str) -> Result<String, Wrong> {
    if text.chars().count() <= 100 { line(text) } else { Err(Wrong::default()) }
}

fn bare(text: &str) -> Wrong {
    let inner = text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
    match inner {
        Some(address) => Wrong::default().hint(format!("write the address alone: `{address}`")),
        None if !text.is_ascii() => Wrong::default().hint("write names beyond ASCII in their `xn--` form"),
        None => Wrong::default(),
    }
}

fn is_domain(text: &str) -> bool {
    let labels: Vec<_> = text.split('.').collect();
    text.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}
