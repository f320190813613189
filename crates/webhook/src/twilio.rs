//! Twilio signs the address and the fields of the form; of any other body it signs the hash, which stands in the address.

use std::{borrow::Cow, collections::BTreeSet};

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::{
    Refused, Request,
    code::{self, Message},
    form, is_form,
};

/// Parameter of the address with the hash of the body.
pub(crate) const BODY_HASH: &str = "bodySHA256";

/// Returns the texts of which Twilio may have signed one: it writes the port of an address, or leaves it out.
pub(crate) fn messages<'request>(request: &Request<'_>) -> Result<Vec<Message<'request>>, Refused> {
    let is_form = is_form(request.named("Content-Type", "Content-Type").ok());
    if !is_form {
        check_hash(request)?;
    }
    let fields = fields(if is_form { request.body } else { b"" });
    let message = |url: String| -> Message<'request> { vec![Cow::Owned(url.into_bytes()), Cow::Owned(fields.clone())] };
    let urls: BTreeSet<String> = [request.url.to_owned(), with_port(request.url), without_port(request.url)].into();
    Ok(urls.into_iter().map(message).collect())
}

/// Returns the fields of a form as they are signed: sorted, each once, names and values without anything between them.
pub(crate) fn fields(body: &[u8]) -> Vec<u8> {
    let sorted: BTreeSet<(String, String)> = form(body).collect();
    sorted.into_iter().flat_map(|(name, value)| [name.into_bytes(), value.into_bytes()].concat()).collect()
}

/// Checks that the body is the one whose hash is in the address, which is signed.
fn check_hash(request: &Request<'_>) -> Result<(), Refused> {
    let (_, query) = request.url.split_once('?').ok_or(Refused::Missing(BODY_HASH))?;
    let mut hashes = form(query.as_bytes()).filter(|(name, _)| name == BODY_HASH).map(|(_, hash)| hash);
    match (hashes.next(), hashes.next()) {
        (Some(hash), None) => {
            let stated = HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).map_err(|_| Refused::Malformed(BODY_HASH))?;
            let is_same = code::are_equal(&stated, &code::hash(request.body));
            if is_same { Ok(()) } else { Err(Refused::Mismatch) }
        }
        (Some(_), Some(_)) => Err(Refused::Malformed(BODY_HASH)),
        (None, _) => Err(Refused::Missing(BODY_HASH)),
    }
}

/// Splits an address before and behind its host with the port.
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let start = url.find("://")? + 3;
    let (before, rest) = url.split_at_checked(start)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, after) = rest.split_at_checked(end)?;
    Some((before, host, after))
}

/// Splits a host from its port; `None` if it has none.
fn port(host: &str) -> Option<(&str, &str)> {
    let (name, port) = host.rsplit_once(':')?;
    port.bytes().all(|letter| letter.is_ascii_digit()).then_some((name, port))
}

fn with_port(url: &str) -> String {
    let Some((before, host, after)) = split(url) else { return url.to_owned() };
    let own = if before.starts_with("https") { "443" } else { "80" };
    if port(host).is_some() { url.to_owned() } else { format!("{before}{host}:{own}{after}") }
}

fn without_port(url: &str) -> String {
    let Some((before, host, after)) = split(url) else { return url.to_owned() };
    port(host).map_or_else(|| url.to_owned(), |(name, _)| format!("{before}{name}{after}"))
}
