//! Whose mail is it? By exact domain or sub-domain of a sender, or by what the mail says; never by a substring of a header.

use super::{
    outcome::{Recognised, Recognition},
    provider::Provider,
    providers::ALL,
    source::Source,
};
use crate::mail::{Domain, Mail};

/// The provider whose mail this is, or the reason why it is nobody's.
pub(super) fn recognise(mail: &Mail) -> Result<Recognised, String> {
    if let Some(domain) = mail.outer().sender.as_ref().and_then(crate::mail::Mailbox::domain)
        && let Some(provider) = by_domain(&domain, mail)
    {
        return Ok(Recognised { provider, by: Recognition::Sender(domain) });
    }
    for layer in mail.layers().iter().skip(1).rev() {
        if let Some(domain) = layer.sender.as_ref().and_then(crate::mail::Mailbox::domain)
            && let Some(provider) = by_domain(&domain, mail)
        {
            return Ok(Recognised { provider, by: Recognition::ForwardedSender(domain) });
        }
    }
    let mut said = ALL.iter().filter_map(|provider| Some((*provider, (provider.says)(&Source::new(mail, provider))?)));
    match (said.next(), said.next()) {
        (Some((provider, found)), None) => Ok(Recognised { provider, by: Recognition::Content(found) }),
        (Some((one, _)), Some((other, _))) => {
            Err(format!("both {} and {} could have written it", one.name, other.name))
        }
        (None, _) => Err("no known provider's sender, calendar or wording".to_owned()),
    }
}

fn by_domain(domain: &Domain, mail: &Mail) -> Option<&'static Provider> {
    let mut senders =
        ALL.iter().copied().filter(|provider| provider.domains.iter().any(|parent| domain.is_within(parent)));
    let first = senders.next()?;
    let rest: Vec<_> = senders.collect();
    if rest.is_empty() {
        return Some(first);
    }
    std::iter::once(first).chain(rest).find(|provider| (provider.says)(&Source::new(mail, provider)).is_some())
}
