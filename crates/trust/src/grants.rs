//! Lists of senders that a person has decided to trust, each for one provider: `DOMAIN=PROVIDER` or `ADDRESS=PROVIDER`, with `*`
//! for every provider.
//!
//! An entry without a provider grants nothing, and stops no function: a mail that it may have been meant for goes to a person, with the
//! entry and the line to write instead.

use thiserror::Error;

use super::domains;
use carriers::providers::{self, genericprovider};
use mail::Domain;

/// A sender that an entry lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// One address, in lower case, and its domain.
    Address(String, Domain),
    /// A domain and its subdomains.
    Domain(Domain),
}

impl Listed {
    /// Reads `noc@carrier.example` or `carrier.example`; `None` for anything else.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let named = |domain: &str| domain.contains('.').then(|| Domain::strict(domain)).flatten();
        let Some((local, domain)) = text.split_once('@') else { return named(&text).map(Self::Domain) };
        let domain = named(domain)?;
        let is_sound = local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(mail::is_atext));
        is_sound.then(|| Self::Address(text.clone(), domain))
    }

    /// Returns the domain within which a mail of this author must be signed; `None` if the entry is not about the author. The domain of
    /// an entry that lists one address proves that mail alone: it trusts no other address there.
    fn signing_domain(&self, address: &str, domain: &Domain) -> Option<Domain> {
        match self {
            Self::Address(own, signing) => own.eq_ignore_ascii_case(address).then(|| signing.clone()),
            Self::Domain(parent) => domain.is_within(parent.as_str()).then(|| parent.clone()),
        }
    }
}

/// The providers that a sender may speak for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The sender may speak for every provider.
    All,
    /// The provider with that slug or name.
    Provider(String),
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    who: Listed,
    scope: Scope,
}

/// The purpose of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `TRUSTED_SENDERS`: carriers with MAINTNOTE calendars, which need not be known to us.
    Carriers,
    /// `FORWARDERS`: senders that pass on what known carriers have written.
    Forwarders,
}

impl Purpose {
    /// Returns the environment variable that holds the list.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Carriers => "TRUSTED_SENDERS",
            Self::Forwarders => "FORWARDERS",
        }
    }

    /// Returns the purpose of the list in an environment variable; `None` for any other variable.
    pub fn of_variable(name: &str) -> Option<Self> {
        [Self::Carriers, Self::Forwarders].into_iter().find(|purpose| purpose.variable() == name)
    }
}

/// An entry that grants nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faulty {
    /// The entry as written in the list.
    pub entry: String,
    /// The sender that it may be about; `None` if that cannot be read.
    who: Option<Listed>,
    /// The mistake in the entry.
    pub fault: Fault,
}

/// The mistake in an entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}: {remedy}")]
pub struct Fault {
    /// The mistake in words that continue "an entry, which …".
    what: String,
    /// The line to write instead.
    remedy: String,
}

impl Fault {
    fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }

    /// Returns the fault of a domain at which anybody can have an address.
    pub fn public(domain: &Domain) -> Self {
        if domains::is_registry(domain) {
            return Self::registry(domain);
        }
        let remedy = format!("write the addresses that you mean, such as `noc@{domain}=PROVIDER`");
        Self::new("names a domain at which anybody can have an address", remedy)
    }

    /// Returns the fault of a domain below which a registry gives out names: nobody has an address at it.
    pub fn registry(domain: &Domain) -> Self {
        let remedy = format!("write the sender's own domain, such as `carrier.{domain}=PROVIDER`");
        Self::new("names a domain at which anybody can have an address", remedy)
    }

    /// Returns the text that continues "an entry, which …".
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Returns the line to write instead.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

/// The entries of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    entries: Vec<Grant>,
    faulty: Vec<Faulty>,
}

impl Grants {
    /// Reads a list of entries, separated by commas.
    ///
    /// ```
    /// use trust::{Grants, Purpose};
    ///
    /// let list = Grants::read(Purpose::Carriers, "carrier.example=carrier, noc@tiny.example=*, gmail.com=small");
    /// assert_eq!(list.domains().map(ToString::to_string).collect::<Vec<_>>(), ["carrier.example"]);
    /// let [faulty] = list.faulty() else { panic!("{list:?}") };
    /// assert_eq!(faulty.fault.what(), "names a domain at which anybody can have an address");
    /// ```
    pub fn read(purpose: Purpose, list: &str) -> Self {
        let mut grants = Self::default();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match grant(purpose, entry) {
                Ok(grant) => grants.entries.push(grant),
                Err(fault) => {
                    let who = Listed::new(entry.split('=').next().unwrap_or_default());
                    grants.faulty.push(Faulty { entry: entry.to_owned(), who, fault });
                }
            }
        }
        grants
    }

    /// Returns the domains that are listed as a whole.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        self.entries.iter().filter_map(|grant| match &grant.who {
            Listed::Domain(domain) => Some(domain),
            Listed::Address(..) => None,
        })
    }

    /// Returns the entries that grant nothing, with their faults.
    pub fn faulty(&self) -> &[Faulty] {
        &self.faulty
    }

    /// Returns the domain within which an author's mails for a provider must be signed, and the scope of the entry; `None` if no entry
    /// trusts the author for it. `is_meant` tells whether a slug is the provider's.
    pub(super) fn standing(
        &self,
        address: &str,
        domain: &Domain,
        is_meant: impl Fn(&str) -> bool,
    ) -> Option<(Domain, Scope)> {
        self.entries.iter().find_map(|grant| {
            let signing = grant.who.signing_domain(address, domain)?;
            let is_meant = match &grant.scope {
                Scope::All => true,
                Scope::Provider(slug) => is_meant(slug),
            };
            is_meant.then(|| (signing, grant.scope.clone()))
        })
    }

    /// Returns the one entry about an author, which may be there twice; `None` if there is none, or if several differ.
    pub(super) fn single(&self, address: &str, domain: &Domain) -> Option<(Domain, Scope)> {
        let mut found = self.entries.iter().filter(|grant| grant.who.signing_domain(address, domain).is_some());
        let first = found.next()?;
        if found.any(|other| other != first) {
            return None;
        }
        Some((first.who.signing_domain(address, domain)?, first.scope.clone()))
    }

    /// Returns the faulty entry that may have been meant for an author: one about the author, or else one whose sender cannot be read.
    pub(super) fn possibly_meant(&self, address: &str, domain: &Domain) -> Option<&Faulty> {
        let about = |who: &Listed| who.signing_domain(address, domain).is_some();
        let is_about = |faulty: &&Faulty| faulty.who.as_ref().is_some_and(about);
        self.faulty.iter().find(is_about).or_else(|| self.faulty.iter().find(|faulty| faulty.who.is_none()))
    }
}

fn grant(purpose: Purpose, entry: &str) -> Result<Grant, Fault> {
    let (who, scope) = entry.split_once('=').map_or((entry, ""), |(who, scope)| (who.trim(), scope.trim()));
    let example = match purpose {
        Purpose::Carriers => "carrier.example=carrier",
        Purpose::Forwarders => "customer.example=zayo",
    };
    let Some(listed) = Listed::new(who) else {
        return Err(Fault::new(
            "begins with neither an address nor a domain",
            format!("write a line such as `{example}`"),
        ));
    };
    if let Listed::Domain(domain) = &listed
        && domains::is_public(domain)
    {
        return Err(Fault::public(domain));
    }
    let scope = match scope {
        "" => {
            let remedy = format!("write `{who}=PROVIDER` with the provider's slug, or `{who}=*` for every provider");
            return Err(Fault::new("does not say for which provider", remedy));
        }
        "*" => Scope::All,
        slug => Scope::Provider(slug.to_owned()),
    };
    if let (Purpose::Forwarders, Scope::Provider(slug)) = (purpose, &scope)
        && (slug == genericprovider::PROVIDER.slug || providers::ALL.iter().all(|provider| provider.slug != slug))
    {
        let what = format!("names `{slug}`, which is not a provider's slug");
        return Err(Fault::new(what, format!("write one of our slugs, or `{who}=*` for every provider")));
    }
    Ok(Grant { who: listed, scope })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_addresses_or_domains() {
        for sound in ["carrier.example", " NOC@carrier.example ", "a-b.carrier.example"] {
            assert!(Listed::new(sound).is_some(), "{sound}");
        }
        let table = [
            "",
            "carrier",
            "@carrier.example",
            "noc@",
            "noc@example",
            "a b@carrier.example",
            "*.carrier.example",
            "<noc@carrier.example>",
            "a@b@carrier.example",
            "carrier_x.example",
        ];
        for unsound in table {
            assert!(Listed::new(unsound).is_none(), "{unsound}");
        }
    }

    #[test]
    fn an_entry_without_a_scope_grants_nothing_and_suggests_the_right_line() {
        let table = [
            (Purpose::Carriers, "carrier.example", "write `carrier.example=PROVIDER`"),
            (Purpose::Forwarders, "noc@customer.example", "write `noc@customer.example=PROVIDER`"),
            (Purpose::Forwarders, "customer.example =", "or `customer.example=*` for every provider"),
            (Purpose::Forwarders, "customer.example=zaio", "names `zaio`, which is not a provider's slug"),
            (
                Purpose::Forwarders,
                "customer.example=genericprovider",
                "names `genericprovider`, which is not a provider's slug",
            ),
            (Purpose::Forwarders, "gmail.com=*", "anybody can have an address"),
            (Purpose::Carriers, "co.uk=fjord", "anybody can have an address"),
            (Purpose::Forwarders, "desk", "begins with neither an address nor a domain"),
            (Purpose::Forwarders, "*=zayo", "begins with neither an address nor a domain"),
        ];
        for (purpose, entry, fault) in table {
            let grants = Grants::read(purpose, entry);
            let [faulty] = grants.faulty() else { panic!("{entry}: {grants:?}") };
            assert!(faulty.fault.to_string().contains(fault), "{entry}: {}", faulty.fault);
            assert!(grants.entries.is_empty());
        }
    }

    #[test]
    fn a_scope_is_one_provider_or_all() {
        let grants = Grants::read(Purpose::Forwarders, "customer.example=zayo, noc@gmail.com = colt ,desk.example=*");
        assert_eq!(grants.faulty(), []);
        let standing = |address: &str, slug: &str| {
            let domain = Domain::new(address.split_once('@').unwrap().1).unwrap();
            grants.standing(address, &domain, |own| own == slug).map(|(domain, _)| domain.as_str().to_owned())
        };
        assert_eq!(standing("a@lists.customer.example", "zayo").as_deref(), Some("customer.example"));
        assert_eq!(standing("a@customer.example", "colt"), None);
        assert_eq!(standing("noc@gmail.com", "colt").as_deref(), Some("gmail.com"));
        assert_eq!(standing("other@gmail.com", "colt"), None);
        assert_eq!(standing("a@desk.example", "lumen").as_deref(), Some("desk.example"));
        assert_eq!(standing("NOC@gmail.com", "colt").as_deref(), Some("gmail.com"), "case does not matter");
    }

    #[test]
    fn an_entry_that_is_there_twice_is_one() {
        let domain = Domain::new("carrier.example").unwrap();
        for (list, expected) in [
            ("carrier.example=fjord", true),
            ("carrier.example=fjord,carrier.example=fjord", true),
            ("carrier.example=fjord,carrier.example=*", false),
            ("carrier.example=fjord,noc@carrier.example=fjord", false),
            ("", false),
        ] {
            let grants = Grants::read(Purpose::Carriers, list);
            assert_eq!(grants.single("noc@carrier.example", &domain).is_some(), expected, "{list}");
        }
    }

    #[test]
    fn the_faulty_entry_about_the_author_comes_first() {
        let grants = Grants::read(Purpose::Forwarders, "desk,other.example,customer.example");
        let meant = |address: &str| {
            let domain = Domain::new(address.split_once('@').unwrap().1).unwrap();
            grants.possibly_meant(address, &domain).map(|faulty| faulty.entry.as_str())
        };
        assert_eq!(meant("a@customer.example"), Some("customer.example"));
        assert_eq!(meant("a@nobody.example"), Some("desk"));
    }

    #[test]
    fn the_line_to_write_instead_of_a_public_domain_is_no_address_of_a_registry() {
        for (domain, remedy) in [("co.uk", "`carrier.co.uk=PROVIDER`"), ("gmail.com", "`noc@gmail.com=PROVIDER`")] {
            let fault = Fault::public(&Domain::new(domain).unwrap());
            assert!(fault.remedy().contains(remedy), "{domain}: {fault}");
        }
    }
}
