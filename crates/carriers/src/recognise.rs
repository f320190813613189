//! Recognises a mail's provider by the exact domain or sub-domain of a sender, or by the mail's words; never by a
//! substring of a header.
//!
//! A mail may come through somebody else's hands, so its wording and the senders of forwarded messages count too, unless
//! whoever passed it on looks like the provider without being it: then nobody is recognised, and a person decides.

use mail::{Domain, Mail, Mailbox, Wrapping};
use notice::{
    found, maintnote,
    outcome::{Recognised, Recognition},
    provider::Provider,
    source::Source,
};

use crate::providers::{ALL, genericprovider};

/// The reason why a mail has no provider.
pub(super) struct Refusal {
    /// The reason, in words for a person.
    pub(super) reason: String,
    /// The provider that might have written it.
    pub(super) suspect: Option<&'static Provider>,
}

/// Returns the provider whose mail this is, or the reason why it is nobody's.
pub(super) fn recognise(source: &Source<'_>) -> Result<Recognised, Refusal> {
    let mail = source.mail();
    let domain_of = |sender: &Option<Mailbox>| sender.as_ref().and_then(Mailbox::domain);
    if let Some(domain) = domain_of(&mail.outer().sender)
        && let Some(provider) = by_domain(&domain, source)
    {
        return Ok(Recognised { provider, by: Recognition::Sender(domain) });
    }
    for layer in mail.layers().iter().skip(1).rev() {
        if let Some(domain) = domain_of(&layer.sender)
            && let Some(provider) = by_domain(&domain, source)
        {
            return unless_imitated(mail, Recognised { provider, by: Recognition::ForwardedSender(domain) });
        }
    }
    let mut said = ALL.iter().filter_map(|provider| Some((*provider, (provider.says)(&source.read_as(provider))?)));
    match (said.next(), said.next()) {
        (Some((provider, found)), None) => {
            unless_imitated(mail, Recognised { provider, by: Recognition::Content(found) })
        }
        (Some((one, _)), Some((other, _))) => Err(Refusal {
            reason: format!("both {} and {} could have written it", one.name, other.name),
            suspect: None,
        }),
        (None, _) if maintnote::is_announced(source) => by_calendar(mail),
        (None, _) => {
            Err(Refusal { reason: "no known provider's sender, calendar or wording".to_owned(), suspect: None })
        }
    }
}

/// Returns the provider of a domain; of several that share it, the one whose wording the mail has, else the one whose
/// own it is.
fn by_domain(domain: &Domain, source: &Source<'_>) -> Option<&'static Provider> {
    let owns = |provider: &&Provider| provider.domains.iter().any(|parent| domain.is_within(parent));
    let owners: Vec<_> = ALL.iter().copied().filter(owns).collect();
    match owners.as_slice() {
        [only] => Some(only),
        several => {
            let mut owners = several.iter().copied();
            let says = |provider: &&'static Provider| (provider.says)(&source.read_as(provider)).is_some();
            let is_first =
                |provider: &&'static Provider| provider.domains.first().is_some_and(|own| domain.is_within(own));
            owners.clone().find(says).or_else(|| owners.find(is_first))
        }
    }
}

fn by_calendar(mail: &Mail) -> Result<Recognised, Refusal> {
    let imitated = ALL.iter().find_map(|provider| imitation(mail, provider));
    match imitated {
        Some(reason) => Err(Refusal { reason, suspect: Some(&genericprovider::PROVIDER) }),
        None => Ok(Recognised { provider: &genericprovider::PROVIDER, by: Recognition::Calendar }),
    }
}

fn unless_imitated(mail: &Mail, recognised: Recognised) -> Result<Recognised, Refusal> {
    match imitation(mail, recognised.provider) {
        Some(reason) => Err(Refusal { reason, suspect: Some(recognised.provider) }),
        None => Ok(recognised),
    }
}

/// Returns how the sender of the mail that arrived imitates this provider; `None` if it does not.
fn imitation(mail: &Mail, provider: &Provider) -> Option<String> {
    let sender = mail.outer().sender.as_ref()?;
    let domain = sender.domain();
    if domain.as_ref().is_some_and(|domain| provider.domains.iter().any(|parent| domain.is_within(parent))) {
        return None;
    }
    if let Some(domain) = domain.filter(|domain| looks_like(domain, provider)) {
        return Some(format!("the sender's domain `{domain}` looks like {} and is not", provider.name));
    }
    // A list that rewrites senders shows the first one in the name, and keeps it in a header that became a layer.
    let is_list = mail.layers().iter().any(|layer| layer.wrapping == Wrapping::List);
    let name = sender.name.as_deref().filter(|_| !is_list)?;
    names_domain(name, provider).then(|| {
        format!("the sender `{}` shows an address of {} as its name", found::quote(&sender.address), provider.name)
    })
}

/// Hosts of lists and mail services whose name holds that of a provider.
const HONEST: &[&str] = &["googlegroups.com", "googlemail.com", "amazonses.com"];

/// Returns `true` if a foreign domain contains one of the provider's, or its first label: `evil-zayo.com`,
/// `zayo.com.evil.example`.
/// Labels of up to three letters count only as a part of their own, for others hold them by chance.
fn looks_like(domain: &Domain, provider: &Provider) -> bool {
    if HONEST.iter().any(|honest| domain.is_within(honest)) {
        return false;
    }
    let plain = plain(domain.as_str());
    provider.domains.iter().any(|own| {
        let label = own.split('.').next().unwrap_or(own);
        let is_part = plain.split(['.', '-']).any(|part| part == label);
        is_part || (label.len() > 3 && plain.contains(label))
    })
}

/// Returns a domain with the letters that others are drawn for: `zay0.com`, `lurnen.com`, and Cyrillic ones.
fn plain(domain: &str) -> String {
    let letters = domain.chars().map(|character| match character {
        '0' | 'о' => 'o',
        '1' | 'і' => 'l',
        '3' | 'е' => 'e',
        '5' | 'ѕ' => 's',
        'а' => 'a',
        'с' => 'c',
        'р' => 'p',
        'у' => 'y',
        'х' => 'x',
        other => other,
    });
    letters.collect::<String>().replace("rn", "m").replace("vv", "w")
}

/// Returns `true` if a display name contains a domain of the provider's, as a word or after an `@`.
fn names_domain(name: &str, provider: &Provider) -> bool {
    name.to_lowercase()
        .split(|character: char| !(character.is_alphanumeric() || matches!(character, '.' | '-')))
        .filter_map(Domain::new)
        .any(|word| provider.domains.iter().any(|parent| word.is_within(parent)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;
    use notice::outcome::Outcome;

    const CALENDAR: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20310401T220000Z\r\nDTEND:20310402T040000Z\r\n\
        DTSTAMP:20310301T101500Z\r\nX-MAINTNOTE-PROVIDER:PROVIDER\r\nX-MAINTNOTE-ACCOUNT:EX-1\r\n\
        X-MAINTNOTE-MAINTENANCE-ID:CHG-77\r\nX-MAINTNOTE-OBJECT-ID:EX/1\r\nX-MAINTNOTE-IMPACT:OUTAGE\r\n\
        X-MAINTNOTE-STATUS:CONFIRMED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn outcome(sender: &str, provider: &str) -> Outcome {
        let calendar = CALENDAR.replace(":PROVIDER", &format!(":{provider}"));
        let mail = format!("From: {sender}\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar\r\n\r\n{calendar}");
        parse(&Mail::decode(mail.as_bytes()))
    }

    fn slug(outcome: &Outcome) -> Option<&'static str> {
        match outcome {
            Outcome::Notice(notice) => Some(notice.recognised.provider.slug),
            Outcome::Ignored { recognised, .. } | Outcome::Failed { recognised, .. } => Some(recognised.provider.slug),
            Outcome::Unrecognised { .. } => None,
        }
    }

    #[test]
    fn a_sender_is_known_by_its_domain_in_any_case_and_below_it() {
        for sender in ["noc@arelion.com", "NOC <Noc@Mail.ARELION.COM>", "\"someone else\" <noc@arelion.com>"] {
            assert_eq!(slug(&outcome(sender, "arelion.com")), Some("arelion"), "{sender}");
        }
    }

    #[test]
    fn a_calendar_that_a_colleague_passes_on_is_its_carriers() {
        assert_eq!(slug(&outcome("noc@customer.example", "arelion.com")), Some("arelion"));
        assert_eq!(slug(&outcome("noc@customer.example", "euNetworks")), Some("eunetworks"));
        assert_eq!(slug(&outcome("noc@customer.example", "Carrier of Somewhere")), Some("genericprovider"));
    }

    #[test]
    fn a_look_alike_domain_is_unknown_and_its_content_a_suggestion() {
        for sender in [
            "noc@evil-arelion.com",
            "noc@arelion.com.evil.example",
            "noc@arelion.example",
            "noc@are1ion.com",
            "noc@myarelion.example",
            "\"noc@arelion.com\" <noc@evil.example>",
            "\"arelion.com\" <noc@evil.example>",
        ] {
            match outcome(sender, "arelion.com") {
                Outcome::Unrecognised { reason, suggestion } => {
                    assert!(reason.contains("Arelion"), "{reason}");
                    assert_eq!(suggestion.len(), 1, "{sender}");
                }
                other => panic!("{sender}: {other:?}"),
            }
            assert_eq!(slug(&outcome(sender, "Carrier of Somewhere")), None, "{sender}");
        }
    }

    #[test]
    fn a_name_alone_is_no_imitation_and_lists_are_honest() {
        for sender in ["Arelion NOC <noc@customer.example>", "noc@arelion-list.googlegroups.com"] {
            assert_eq!(slug(&outcome(sender, "arelion.com")), Some("arelion"), "{sender}");
        }
    }

    #[test]
    fn a_short_name_within_a_longer_one_is_chance() {
        let domain = |name| Domain::new(name).unwrap();
        let provider = &crate::providers::ntt::PROVIDER;
        assert!(!looks_like(&domain("anttila.example"), provider));
        assert!(looks_like(&domain("ntt-noc.example"), provider));
        assert!(looks_like(&domain("ntt.net.example"), provider));
    }
}
