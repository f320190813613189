//! Judges whether a mail may change anything without a person. Recognising a notice is not trusting it: anybody can write what a carrier
//! writes.
//!
//! A mail is trusted if somebody with standing wrote it as a notice, and that is proved. Standing have: the provider itself; a sender in
//! `TRUSTED_SENDERS`, for MAINTNOTE calendars of the provider that its entry names; and a sender in `FORWARDERS`, for mails of the
//! provider that its entry names. Proof is what SES testifies ([`Evidence`]): DMARC passed for the domain of `From`, or an aligned DKIM
//! signature passed. A mail that is not trusted goes to a person, and so does a bounce or an automatic reply.
//!
//! A signature is aligned if its domain is the one that gives the sender standing, or a subdomain of it. That is stricter than DMARC's
//! relaxed alignment, and needs no list of public suffixes.

mod automatic;
mod domains;
mod evidence;
mod grants;
mod lexer;
mod mail_servers;
mod results;
mod section;
mod trace;

use thiserror::Error;

pub use domains::is_public;
pub use evidence::{Author, Evidence, NoEvidence};
pub use grants::{Fault, Faulty, Grants, Listed, Purpose, Scope};
pub use results::{Checked, Results};
pub use trace::{NotOfSes, Trace};

use carriers::providers;
use contract::receipt_event::{Verdict, Verdicts};
use mail::{Domain, Mail};
use notice::outcome::{Recognised, Recognition};

/// The senders that a person has decided to trust, beyond the providers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Carriers that need not be known to us, and whose MAINTNOTE calendars are accepted.
    pub trusted_senders: Grants,
    /// Senders that may pass on mails of others.
    pub forwarders: Grants,
    /// Consequence of a failed DMARC check.
    pub dmarc_failure: DmarcFailure,
}

/// The consequences of a failed DMARC check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DmarcFailure {
    /// The mail goes to a person, whatever else speaks for it.
    #[default]
    Decides,
    /// The check counts as if the domain had no policy: an aligned DKIM signature is still required.
    ProvesNothing,
}

/// The effect that a mail would have if it is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Say<'notice> {
    /// It changes maintenances. The texts are the providers that its calendars name.
    Change(&'notice [&'notice str]),
    /// It is passed over, since it is no notice.
    Nothing,
}

/// The reasons why a mail is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Standing by which the sender may speak.
    pub standing: Standing,
    /// The domain that has the standing.
    pub domain: Domain,
    /// The providers that the sender may speak for.
    pub scope: Scope,
    /// Proof that the mail is of that domain.
    pub proof: Proof,
}

/// The ways to have standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The sender is the provider.
    Provider,
    /// The sender is listed in `TRUSTED_SENDERS`.
    TrustedSender,
    /// The sender is listed in `FORWARDERS`.
    Forwarder,
}

/// The ways to prove that a mail is of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// DMARC passed for the author.
    Dmarc,
    /// The DKIM signature of this domain passed and is aligned with the sender.
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

/// The reasons why a mail is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Doubt {
    /// The mail carries a virus.
    #[error("SES found a virus in it")]
    Virus,
    /// The mail may carry a virus: the scanner gave no clear verdict.
    #[error("SES could not rule a virus out (verdict {0})")]
    PerhapsVirus(Verdict),
    /// The mail is spam.
    #[error("SES takes it for spam")]
    Spam,
    /// The domain of `From` disowns the mail.
    #[error("DMARC failed: the domain in From does not vouch for it")]
    DmarcFailed,
    /// SES does not testify where the mail comes from.
    #[error("nothing proves where it comes from: {0}")]
    NoEvidence(#[from] NoEvidence),
    /// Nobody wrote the mail as a notice: it is a bounce or an automatic reply. The text is the sign.
    #[error("it may hold what others have written: {0}")]
    NotWritten(&'static str),
    /// The sender may not speak for the provider that its calendar names.
    #[error("its calendar speaks for {0}, for which its sender does not")]
    OtherProvider(String),
    /// The sender has no standing.
    #[error("{sender} does not send notices of {provider}, nor is it listed in {list} for it{}", describe_faulty(.meant.as_deref()))]
    NoStanding {
        /// The address in `From`.
        sender: String,
        /// A faulty entry that may have been meant for the sender, with its fault; `None` if there is none.
        meant: Option<String>,
        /// The provider whose notice it would be.
        provider: &'static str,
        /// The setting in which the sender could be listed.
        list: &'static str,
    },
    /// Nothing proves that the mail is of the domain that it states.
    #[error("nothing proves that it comes from {sender}: DMARC {dmarc}, DKIM {dkim}{}", .remark.unwrap_or_default())]
    Unproven {
        /// The domain of `From`.
        sender: Domain,
        /// SES's verdict of DMARC.
        dmarc: Verdict,
        /// SES's verdict of DKIM.
        dkim: Verdict,
        /// Why the verdict that passed does not suffice; `None` if neither passed.
        remark: Option<&'static str>,
    },
}

/// Returns the doubt that SES's verdicts raise about any mail, whoever sent it.
///
/// `GRAY` and `PROCESSING_FAILED` of the spam filter raise none: the sender's identity counts, and is proved in another way. Those of the
/// virus scanner do, as does a word that we do not know; `DISABLED` is the receipt rule's own choice.
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

fn describe_faulty(faulty: Option<&str>) -> String {
    faulty.map(|faulty| format!(", which has {faulty}")).unwrap_or_default()
}

/// Judges whether a mail may have that effect as a mail of the provider that it seems to be from. Returns the first doubt: of SES's
/// verdicts, the evidence, the sender's standing, the mail's authorship, the proof.
///
/// ```
/// use contract::receipt_event::{Verdict, Verdicts};
/// use mail::{Domain, Mail};
/// use carriers::providers;
/// use notice::outcome::{Recognised, Recognition};
/// use trust::{Doubt, Evidence, Policy, Say, Standing, judge};
///
/// let mail = Mail::decode(b"From: noc@zayo.com\r\nSubject: Maintenance\r\n\r\nTonight.\r\n");
/// let provider = providers::named("zayo").unwrap();
/// let by = Recognition::Sender(Domain::strict("zayo.com").unwrap());
/// let passed = Verdict::Pass;
/// let verdicts = Verdicts { spam: passed, virus: passed, spf: passed, dkim: passed, dmarc: passed };
/// // Of a mail that arrived, `Evidence::read` reads what SES has written at the top of the stored object.
/// let evidence = Evidence::supposed(&mail);
/// let judge_with = |verdicts: &Verdicts| {
///     let recognised = Recognised { provider, by: by.clone() };
///     judge(&Policy::default(), verdicts, &evidence, &mail, &recognised, Say::Change(&[]))
/// };
///
/// assert_eq!(judge_with(&verdicts).unwrap().standing, Standing::Provider);
/// let unproven = Verdicts { dmarc: Verdict::Fail, ..verdicts };
/// assert_eq!(judge_with(&unproven).unwrap_err(), Doubt::DmarcFailed);
/// ```
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
    // The decoder must read the author that SES has checked: otherwise the mail was recognised by another sender.
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
    let meant =
        list.possibly_meant(address, domain).map(|faulty| format!("`{}`, which {}", faulty.entry, faulty.fault));
    Err(Doubt::NoStanding { sender: address.clone(), meant, provider: provider.name, list: name })
}

/// Returns the standing of a sender in `TRUSTED_SENDERS` whose calendars name these providers.
///
/// The entry with that very provider counts, else the sender's only entry: an unknown name may be another spelling of the entry's
/// provider. A calendar that names a known provider which the entry does not name is refused: that is not a spelling.
fn vouched(policy: &Policy, author: &Author, announced: &[&str]) -> Result<Option<(Domain, Scope)>, Doubt> {
    let list = &policy.trusted_senders;
    let is_announced =
        |name: &str| !announced.is_empty() && announced.iter().all(|own| own.trim().eq_ignore_ascii_case(name));
    let exact = list.standing(&author.address, &author.domain, is_announced);
    let Some((domain, scope)) = exact.or_else(|| list.single(&author.address, &author.domain)) else {
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
