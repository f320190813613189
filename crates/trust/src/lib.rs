//! Whether a mail may change anything by itself. Recognising is not trusting: anybody can write what a carrier writes.
//!
//! A mail is trusted if somebody with standing sent it, and that is proved. Standing has the provider itself, a sender
//! in `TRUSTED_SENDERS` for its own MAINTNOTE calendars, and one in `FORWARDERS` for whatever it passes on. Proof is
//! DMARC, which is about the domain of `From`, or a DKIM signature in line with it. What is not trusted goes to a person.
//!
//! A signature is in line if it is of the domain that gives the sender standing, or of one below it. That is
//! stricter than DMARC's relaxed alignment, and needs no list of public suffixes.

mod authentication;

use thiserror::Error;

pub use authentication::without_comments;

use contract::receipt_event::{Verdict, Verdicts};
use mail::{Domain, Mail, Mailbox};
use notice::outcome::{Recognised, Recognition};

/// Whom a person has decided to trust, beyond the providers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Carriers that we do not know and whose MAINTNOTE calendars are taken.
    pub trusted_senders: Vec<Listed>,
    /// Who may pass mails of others on.
    pub forwarders: Vec<Listed>,
    /// What a failed DMARC check means.
    pub dmarc_failure: DmarcFailure,
}

/// What a failed DMARC check means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DmarcFailure {
    /// The mail goes to a person, whatever else speaks for it.
    #[default]
    Decides,
    /// It proves nothing, as if the domain had no policy. DKIM in line is still asked for.
    ProvesNothing,
}

/// An entry of a list of senders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// One address, lower case.
    Address(String, Domain),
    /// A domain and all below it.
    Domain(Domain),
}

impl Listed {
    /// Reads `noc@carrier.example` or `carrier.example`; `None` for anything else.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let named = |domain: &str| {
            let plain = domain.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
            (plain && domain.contains('.')).then(|| Domain::new(domain)).flatten()
        };
        let Some((local, domain)) = text.split_once('@') else { return named(&text).map(Self::Domain) };
        let domain = named(domain)?;
        (!local.is_empty() && !local.contains(char::is_whitespace)).then(|| Self::Address(text.clone(), domain))
    }

    /// The domain that gives a sender standing by this entry; `None` if it is not about that sender.
    fn standing(&self, sender: &Mailbox, domain: &Domain) -> Option<Domain> {
        match self {
            Self::Address(address, own) => sender.address.eq_ignore_ascii_case(address).then(|| own.clone()),
            Self::Domain(parent) => domain.is_within(parent.as_str()).then(|| parent.clone()),
        }
    }
}

/// Why a mail is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// What gives the sender a say.
    pub standing: Standing,
    /// The domain that has it.
    pub domain: Domain,
    /// What shows that the mail is of that domain.
    pub proof: Proof,
}

/// What gives a sender a say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is the provider.
    Provider,
    /// It is listed in `TRUSTED_SENDERS`.
    TrustedSender,
    /// It is listed in `FORWARDERS`.
    Forwarder,
}

/// What shows that a mail is of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// DMARC passed.
    Dmarc,
    /// That domain's DKIM signature passed, and is in line with the sender.
    Dkim(Domain),
}

impl std::fmt::Display for Trust {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let standing = match self.standing {
            Standing::Provider => "the provider's domain",
            Standing::TrustedSender => "in TRUSTED_SENDERS",
            Standing::Forwarder => "in FORWARDERS",
        };
        write!(formatter, "{} is {standing}, ", self.domain)?;
        match &self.proof {
            Proof::Dmarc => formatter.write_str("DMARC passed"),
            Proof::Dkim(domain) => write!(formatter, "DKIM of {domain} passed"),
        }
    }
}

/// Why a mail is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Doubt {
    /// It carries a virus.
    #[error("SES found a virus in it")]
    Virus,
    /// It may carry one: only a receipt rule that does not scan takes that into account.
    #[error("SES could not rule a virus out (verdict {0})")]
    PerhapsVirus(Verdict),
    /// It is unsolicited.
    #[error("SES takes it for spam")]
    Spam,
    /// The domain of `From` disowns it.
    #[error("DMARC failed: the domain in From does not stand for it")]
    DmarcFailed,
    /// There is no `From`, or none that names one domain.
    #[error("From names no sender, or senders of several domains")]
    NoSender,
    /// The sender has no standing.
    #[error("{sender} is no domain of {provider}, nor is it listed in {list}")]
    NoStanding {
        /// The domain of `From`.
        sender: Domain,
        /// Whose notice it would be.
        provider: &'static str,
        /// The setting that could change that.
        list: &'static str,
    },
    /// Nothing shows that the mail is of the domain that it says.
    #[error("nothing proves that it comes from {sender}: DMARC {dmarc}, DKIM {dkim}{}", .remark.unwrap_or_default())]
    Unproven {
        /// The domain of `From`.
        sender: Domain,
        /// SES's verdict.
        dmarc: Verdict,
        /// SES's verdict.
        dkim: Verdict,
        /// Why DKIM's verdict is not enough.
        remark: Option<&'static str>,
    },
}

/// What speaks against any mail with these verdicts, whoever sent it.
///
/// `GRAY` and `PROCESSING_FAILED` of the spam filter do not: it is the sender's identity that counts, and that is
/// proved in another way. Of the virus scanner they do, as does a word that we do not know; `DISABLED` is the receipt rule's own choice.
pub fn of_verdicts(policy: &Policy, verdicts: &Verdicts) -> Result<(), Doubt> {
    match verdicts.virus {
        Verdict::Pass | Verdict::Disabled => {}
        Verdict::Fail => return Err(Doubt::Virus),
        verdict => return Err(Doubt::PerhapsVirus(verdict)),
    }
    if verdicts.spam == Verdict::Fail {
        return Err(Doubt::Spam);
    }
    if verdicts.dmarc == Verdict::Fail && policy.dmarc_failure == DmarcFailure::Decides {
        return Err(Doubt::DmarcFailed);
    }
    Ok(())
}

/// Whether the mail with that SES message id may be acted upon as a notice of the provider whose it seems to be.
pub fn judge(
    policy: &Policy,
    verdicts: &Verdicts,
    ses_message_id: &str,
    mail: &Mail,
    recognised: &Recognised,
) -> Result<Trust, Doubt> {
    of_verdicts(policy, verdicts)?;
    let froms = mail.outer().headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("From")).count();
    let sender = mail.outer().sender.as_ref().filter(|_| froms == 1).ok_or(Doubt::NoSender)?;
    let own = sender.domain().ok_or(Doubt::NoSender)?;
    let (standing, domain) = standing(policy, sender, &own, recognised)?;
    let unproven = |remark| Doubt::Unproven { sender: own.clone(), dmarc: verdicts.dmarc, dkim: verdicts.dkim, remark };
    let proof = match (verdicts.dmarc, verdicts.dkim) {
        (Verdict::Pass, _) => Proof::Dmarc,
        (_, Verdict::Pass) => signature(mail, ses_message_id, &domain).map_err(|remark| unproven(Some(remark)))?,
        _ => return Err(unproven(None)),
    };
    Ok(Trust { standing, domain, proof })
}

fn standing(
    policy: &Policy,
    sender: &Mailbox,
    own: &Domain,
    recognised: &Recognised,
) -> Result<(Standing, Domain), Doubt> {
    let provider = recognised.provider;
    let mut domains = provider.domains.iter().filter(|parent| own.is_within(parent));
    if let Some(domain) = domains.next().and_then(|parent| Domain::new(parent)) {
        return Ok((Standing::Provider, domain));
    }
    let is_calendar = recognised.by == Recognition::Calendar;
    let listed = |list: &[Listed]| list.iter().find_map(|entry| entry.standing(sender, own));
    if let Some(domain) = is_calendar.then(|| listed(&policy.trusted_senders)).flatten() {
        return Ok((Standing::TrustedSender, domain));
    }
    if let Some(domain) = listed(&policy.forwarders) {
        return Ok((Standing::Forwarder, domain));
    }
    let list = if is_calendar { "TRUSTED_SENDERS" } else { "FORWARDERS" };
    Err(Doubt::NoStanding { sender: own.clone(), provider: provider.name, list })
}

/// A signature in line with that domain, or why there is none.
fn signature(mail: &Mail, ses_message_id: &str, domain: &Domain) -> Result<Proof, &'static str> {
    let signers = authentication::signers(mail.outer(), ses_message_id)
        .ok_or(", of a domain that SES's own headers do not tell")?;
    let in_line = signers.into_iter().find(|signer| signer.is_within(domain.as_str()));
    in_line.map(Proof::Dkim).ok_or(", of another domain")
}

#[cfg(test)]
mod tests;
