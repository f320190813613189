//! Which domains have signed a mail, from the headers that SES puts before the mail as it arrived. The event has only
//! a verdict, which a signature of any domain passes.
//!
//! SES begins the object with `Return-Path`, `Received: from … by inbound-smtp.REGION.amazonaws.com with SMTP id ID …`,
//! its verdicts, `Received-SPF` and `Authentication-Results: amazonses.com; spf=…; dkim=pass header.i=@DOMAIN; dmarc=…`
//! (RFC 8601). All that follows was written by the sender, who may write such headers too. SES's are told by their place,
//! and by the message id in `Received`, which no sender knows beforehand. What the sender says in the SMTP dialogue stands in SES's
//! headers as well, several times: if there is talk of DKIM in another one, somebody tries to be taken for SES.

use mail::{Domain, Layer};

/// How SES signs its `Authentication-Results`.
const AUTHORITY: &str = "amazonses.com";

/// The domains whose signatures SES has found good; `None` if its headers are not there or not to be believed.
pub(super) fn signers(layer: &Layer, ses_message_id: &str) -> Option<Vec<Domain>> {
    let is = |name: &'static str| move |(own, _): &(String, String)| own.eq_ignore_ascii_case(name);
    let received = layer.headers.iter().position(is("Received"))?;
    let results = layer.headers.iter().position(is("Authentication-Results"))?;
    let before = layer.headers.get(..results)?;
    let (_, trace) = layer.headers.get(received)?;
    let is_of_ses = received < results
        && before.iter().filter(|header| is("Received")(header)).count() == 1
        && is_of_this_mail(trace, ses_message_id)
        && !before.iter().any(|(_, value)| value.to_ascii_lowercase().contains("dkim="));
    let (_, value) = layer.headers.get(results)?;
    is_of_ses.then(|| passed(value)).flatten()
}

/// Whether a `Received` is the one that SES wrote for the mail with that id.
fn is_of_this_mail(trace: &str, ses_message_id: &str) -> bool {
    let mut words = trace.split_whitespace().map(|word| word.trim_end_matches(';'));
    !ses_message_id.is_empty() && words.by_ref().any(|word| word == "id") && words.next() == Some(ses_message_id)
}

/// The domains in `dkim=pass header.i=@DOMAIN` or `header.d=DOMAIN`.
fn passed(value: &str) -> Option<Vec<Domain>> {
    if value.contains('"') {
        return None;
    }
    let value = without_comments(value)?;
    let mut results = value.split(';').map(str::trim);
    if results.next().and_then(|authority| authority.split_whitespace().next()) != Some(AUTHORITY) {
        return None;
    }
    Some(results.filter_map(signer).collect())
}

/// The domain of one result, if it is a signature that passed.
fn signer(result: &str) -> Option<Domain> {
    let mut words = result.split_whitespace();
    if !words.next()?.eq_ignore_ascii_case("dkim=pass") {
        return None;
    }
    let (property, value) = words.find_map(|word| {
        let (property, value) = word.split_once('=')?;
        matches!(property, "header.i" | "header.d").then_some((property, value))
    })?;
    let domain = if property == "header.i" { value.split_once('@')?.1 } else { value };
    (!domain.contains('@')).then(|| Domain::new(domain)).flatten()
}

/// The value without its comments in round brackets; `None` if they do not close.
pub fn without_comments(value: &str) -> Option<String> {
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            other if depth == 0 => kept.push(other),
            _ => {}
        }
    }
    (depth == 0).then_some(kept)
}
