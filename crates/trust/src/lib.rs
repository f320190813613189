//! Whether a mail may change anything by itself. Recognising is not trusting: anybody can write what a carrier writes.
//!
//! A mail is trusted if somebody with standing wrote it as a notice, and that is proved. Standing has the provider itself, a sender
//! in `TRUSTED_SENDERS` for MAINTNOTE calendars of the provider that its entry names, and one in `FORWARDERS` for what it passes on of the
//! provider that its entry names. Proof is what SES testifies ([`Evidence`]): DMARC, which is about the domain of `From`, or a DKIM
//! signature in line with it. What is not trusted goes to a person, and so does what nobody wrote: a bounce, an automatic answer.
//!
//! A signature is in line if it is of the domain that gives the sender standing, or of one below it. That is
//! stricter than DMARC's relaxed alignment, and needs no list of public suffixes.

mod automatic;
mod domains;
mod evidence;
mod grants;
mod lexer;
mod results;
mod section;
mod trace;

use thiserror::Error;

pub use domains::is_public;
pub use evidence::{Author, Evidence, NoEvidence};
pub use grants::{Fault, Faulty, Grants, Listed, Purpose, Scope};
pub use results::{Checked, Results};
pub use trace::{NotOfSes, Trace};

use contract::receipt_event::{Verdict, Verdicts};
use mail::{Domain, Mail};
use notice::{
    outcome::{Recognised, Recognition},
    providers,
};

/// Whom a person has decided to trust, beyond the providers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Carriers that we need not know and whose MAINTNOTE calendars are taken.
    pub trusted_senders: Grants,
    /// Who may pass mails of others on.
    pub forwarders: Grants,
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

/// What a mail is to be trusted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Say<'notice> {
    /// To change maintenances. These are the providers that its calendars name.
    Change(&'notice [&'notice str]),
    /// To be passed over, since it is no notice.
    Nothing,
}

/// Why a mail is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// What gives the sender a say.
    pub standing: Standing,
    /// The domain that has it.
    pub domain: Domain,
    /// For whom it may speak.
    pub scope: Scope,
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
    /// SES does not testify where it comes from.
    #[error("nothing proves where it comes from: {0}")]
    NoEvidence(#[from] NoEvidence),
    /// Nobody has written it as a notice.
    #[error("it may hold what others have written: {0}")]
    NotWritten(&'static str),
    /// Its sender may not speak for the provider that its calendar names.
    #[error("its calendar speaks for {0}, for which its sender does not")]
    OtherProvider(String),
    /// The sender has no standing.
    #[error("{sender} does not send notices of {provider}, nor is it listed in {list} for it{}", told(.meant.as_deref()))]
    NoStanding {
        /// The address in `From`.
        sender: String,
        /// An entry without effect that may have been meant, with what is wrong.
        meant: Option<String>,
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

fn told(faulty: Option<&str>) -> String {
    faulty.map(|faulty| format!(", which has {faulty}")).unwrap_or_default()
}

/// Judges whether a mail may have that say as a mail of the provider whose it seems to be.
pub fn judge(
    policy: &Policy,
    verdicts: &Verdicts,
    evidence: &Result<Evidence, NoEvidence>,
    mail: &Mail,
    recognised: &Recognised,
    say: Say<'_>,
) -> Result<Trust, Doubt> {
    of_verdicts(policy, verdicts)?;
    let evidence = evidence.as_ref().map_err(|fault| Doubt::NoEvidence(*fault))?;
    let author = evidence.author();
    let is_read_alike =
        mail.outer().sender.as_ref().is_some_and(|sender| sender.address.eq_ignore_ascii_case(&author.address));
    if !is_read_alike {
        return Err(Doubt::NoEvidence(NoEvidence::NoAuthor));
    }
    let (standing, domain, scope) = standing(policy, author, recognised, say)?;
    let quoted = match standing {
        Standing::Provider => automatic::quotes(mail, recognised.provider.domains),
        Standing::TrustedSender => automatic::quotes(mail, &[domain.as_str()]),
        Standing::Forwarder => automatic::answers(mail),
    };
    if let Some(sign) = automatic::sign(mail, evidence).or(quoted) {
        return Err(Doubt::NotWritten(sign));
    }
    let unproven = |remark| {
        let sender = author.domain.clone();
        Doubt::Unproven { sender, dmarc: verdicts.dmarc, dkim: verdicts.dkim, remark }
    };
    let proof = match (verdicts.dmarc, verdicts.dkim) {
        (Verdict::Pass, _) if evidence.passes_dmarc() => Proof::Dmarc,
        (Verdict::Pass, _) => return Err(unproven(Some(", which SES's own headers contradict"))),
        (_, Verdict::Pass) => {
            let signer = evidence.signers().find(|signer| signer.is_within(domain.as_str()));
            Proof::Dkim(signer.cloned().ok_or_else(|| unproven(Some(", of another domain")))?)
        }
        _ => return Err(unproven(None)),
    };
    Ok(Trust { standing, domain, scope, proof })
}

fn standing(
    policy: &Policy,
    author: &Author,
    recognised: &Recognised,
    say: Say<'_>,
) -> Result<(Standing, Domain, Scope), Doubt> {
    let provider = recognised.provider;
    let Author { address, domain } = author;
    let own = provider.domains.iter().find(|parent| domain.is_within(parent));
    if let Some(parent) = own.filter(|parent| say == Say::Nothing || domains::is_desk(parent, address, domain))
        && let Some(parent) = Domain::strict(parent)
    {
        return Ok((Standing::Provider, parent, Scope::Provider(provider.slug.to_owned())));
    }
    let is_calendar = recognised.by == Recognition::Calendar;
    if let (true, Say::Change(announced)) = (is_calendar, say)
        && let Some((domain, scope)) = vouched(policy, author, announced)?
    {
        return Ok((Standing::TrustedSender, domain, scope));
    }
    if let Some((domain, scope)) = policy.forwarders.standing(address, domain, |slug| slug == provider.slug) {
        return Ok((Standing::Forwarder, domain, scope));
    }
    let (name, list) =
        if is_calendar { ("TRUSTED_SENDERS", &policy.trusted_senders) } else { ("FORWARDERS", &policy.forwarders) };
    let meant = list.meant(address, domain).map(|faulty| format!("`{}`, which {}", faulty.entry, faulty.fault));
    Err(Doubt::NoStanding { sender: address.clone(), meant, provider: provider.name, list: name })
}

/// For whom a sender in `TRUSTED_SENDERS` speaks with calendars that name these providers. What it says of a provider that we know, and
/// that its entry does not name, is no slip of the pen.
fn vouched(policy: &Policy, author: &Author, announced: &[&str]) -> Result<Option<(Domain, Scope)>, Doubt> {
    let list = &policy.trusted_senders;
    let is_announced =
        |name: &str| !announced.is_empty() && announced.iter().all(|own| own.trim().eq_ignore_ascii_case(name));
    let exact = list.standing(&author.address, &author.domain, is_announced);
    let Some((domain, scope)) = exact.or_else(|| list.only(&author.address, &author.domain)) else {
        return Ok(None);
    };
    let Scope::Provider(name) = &scope else { return Ok(Some((domain, scope))) };
    let others = announced.iter().filter_map(|announced| providers::named(announced));
    let foreign = others
        .into_iter()
        .find(|other| !other.slug.eq_ignore_ascii_case(name) && !other.name.eq_ignore_ascii_case(name));
    match foreign {
        Some(other) => Err(Doubt::OtherProvider(other.name.to_owned())),
        None => Ok(Some((domain, scope))),
    }
}

#[cfg(test)]
mod tests;
