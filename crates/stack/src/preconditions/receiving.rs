//! Checks that mail for the declared recipients reaches SES in this region: the domains are verified, their MX records point
//! here, and the region receives mail.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ses::types::VerificationStatus;
use futures::future::join_all;

use super::{
    Finding,
    dns::{Dns, Exchanges, NoAnswer},
};
use aws::OrFail;
use declaration::{Action, Declaration, Recipient};
use engine::Failure;
use kinds::Session;

/// Returns the domains that rules take mail for, and whether the domain itself is meant, or only those below it.
pub(super) fn domains(declaration: &Declaration) -> BTreeMap<String, bool> {
    let mut domains = BTreeMap::new();
    let rules = declaration.receipt_rules.iter().filter(|rule| rule.enabled);
    for recipient in rules.flat_map(|rule| &rule.recipients) {
        let (domain, itself) = match recipient {
            Recipient::Address(address) => (address.rsplit('@').next().unwrap_or(address), true),
            Recipient::Domain(domain) => (domain.as_str(), true),
            Recipient::SubDomains(parent) => (parent.as_str(), false),
        };
        *domains.entry(domain.to_lowercase()).or_default() |= itself;
    }
    domains
}

/// Returns a domain and its parents, except the top-level domain: verifying one of them verifies the domain.
fn candidates(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| domain.split_once('.').map(|(_, above)| above))
        .filter(|domain| domain.contains('.'))
}

/// Returns the host that takes SES's mail in a region.
pub(super) fn host(region: &str) -> String {
    format!("inbound-smtp.{region}.amazonaws.com")
}

/// Returns the senders of bounces, each once: SES sends only for verified identities.
pub(super) fn senders(declaration: &Declaration) -> BTreeSet<String> {
    let rules = declaration.receipt_rules.iter().filter(|rule| rule.enabled);
    let actions = rules.flat_map(|rule| &rule.actions);
    let senders = actions.filter_map(|action| match action {
        // SES knows an address as it was written, and a domain in any case.
        Action::Bounce(bounce) => Some(match bounce.sender.rsplit_once('@') {
            Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
            None => bounce.sender.to_lowercase(),
        }),
        _ => None,
    });
    senders.collect()
}

/// Returns the identities of which one must be verified for an address: itself, its domain, and those above it.
fn candidates_of_sender(address: &str) -> impl Iterator<Item = &str> {
    let domain = address.rsplit('@').next().unwrap_or(address);
    std::iter::once(address).chain(candidates(domain))
}

/// Returns a finding for each domain that is not a verified identity, since SES takes no mail for it, and for each such sender.
pub(super) async fn identities(
    session: &Session,
    domains: &BTreeMap<String, bool>,
    senders: &BTreeSet<String>,
) -> Vec<Finding> {
    let of_domains = domains.keys().flat_map(|domain| candidates(domain));
    let asked: BTreeSet<&str> = of_domains.chain(senders.iter().flat_map(|one| candidates_of_sender(one))).collect();
    let asked: Vec<String> = asked.into_iter().map(str::to_owned).collect();
    let verified = match verified(session, &asked).await {
        Ok(verified) => verified,
        Err(failure) => {
            let what = format!("whether domains and senders are verified is not known: {failure}");
            return vec![Finding::warns(what, "look into the SES console under `Verified identities`")];
        }
    };
    let is_verified = |name: &str| verified.contains(name);
    let region = &session.aws.realm.region;
    let missing = domains.keys().filter(|domain| !candidates(domain).any(is_verified));
    let missing = missing.map(|domain| unverified(domain, region));
    let silent = senders.iter().filter(|sender| !candidates_of_sender(sender).any(is_verified));
    missing.chain(silent.map(|sender| cannot_send(sender, region))).collect()
}

/// Identities that one call may ask for.
const AT_ONCE: usize = 100;

/// Returns those of some identities that are verified.
pub(super) async fn verified(session: &Session, asked: &[String]) -> Result<BTreeSet<String>, Failure> {
    let mut verified = BTreeSet::new();
    for names in asked.chunks(AT_ONCE) {
        let call = session.aws.read.ses.get_identity_verification_attributes().set_identities(Some(names.to_vec()));
        let found = call.send().await.or_fail("ses.GetIdentityVerificationAttributes")?.verification_attributes;
        let is_verified = |status: &VerificationStatus| *status == VerificationStatus::Success;
        verified
            .extend(found.into_iter().filter(|(_, one)| is_verified(&one.verification_status)).map(|(name, _)| name));
    }
    Ok(verified)
}

fn cannot_send(sender: &str, region: &str) -> Finding {
    let what = format!(
        "`{sender}` is not a verified identity of SES in {region}, nor is its domain: no bounce is sent from it"
    );
    let todo = format!(
        "verify its domain, or the address: `aws sesv2 create-email-identity --email-identity {sender} --region {region}`"
    );
    Finding::warns(what, todo)
}

fn unverified(domain: &str, region: &str) -> Finding {
    let what = format!("domain `{domain}` is not a verified identity of SES in {region}: no mail for it is received");
    let todo = format!(
        "verify it: `aws sesv2 create-email-identity --email-identity {domain} --region {region}` tells the DKIM records to publish"
    );
    Finding::warns(what, todo)
}

/// Returns a finding for each domain whose MX records do not point to SES in this region.
pub(super) async fn records(dns: &Dns, region: &str, domains: &BTreeMap<String, bool>) -> Vec<Finding> {
    let named = domains.iter().filter(|(_, itself)| **itself);
    let looked = join_all(named.map(|(domain, _)| async move { (domain, dns.exchanges(domain).await) })).await;
    looked.into_iter().filter_map(|(domain, found)| record(domain, region, &found)).collect()
}

fn record(domain: &str, region: &str, found: &Result<Exchanges, NoAnswer>) -> Option<Finding> {
    let host = host(region);
    let wanted = format!("{domain}. MX 10 {host}.");
    let what = match found {
        Ok(exchanges) if is_best(exchanges, &host) => return None,
        Ok(exchanges) => match exchanges.first() {
            None => format!("domain `{domain}` has no MX record: nobody can send mail to it"),
            Some((_, name)) => format!("mail for domain `{domain}` goes to `{name}`, not to SES in {region}"),
        },
        Err(NoAnswer::Off) => format!("the MX record of domain `{domain}` was not looked up"),
        Err(reason) => format!("the MX record of domain `{domain}` could not be looked up: {reason}"),
    };
    let todo = if found.is_ok() { format!("publish `{wanted}`") } else { format!("it should be `{wanted}`") };
    Some(Finding::warns(what, todo))
}

/// Returns `true` if mail goes to a host first.
pub(super) fn is_best(exchanges: &Exchanges, host: &str) -> bool {
    exchanges.first().is_some_and(|(_, name)| name == host)
}

/// Regions that receive mail (AWS's announcement of September 2023). There are more by now: others are looked up.
const RECEIVING: &[&str] = &[
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];

/// Returns a finding if the region does not receive mail, or may not. Where it is not known, the region's own host is looked up.
pub(super) async fn region(dns: &Dns, region: &str, declaration: &Declaration) -> Vec<Finding> {
    if declaration.receipt_rules.is_empty() || RECEIVING.contains(&region) {
        return Vec::new();
    }
    receives(region, &dns.exists(&host(region)).await).into_iter().collect()
}

fn receives(region: &str, found: &Result<bool, NoAnswer>) -> Option<Finding> {
    let host = host(region);
    match found {
        Ok(true) => None,
        Ok(false) => Some(Finding::blocks(
            format!("SES does not receive mail in {region}: there is no `{host}`"),
            "choose a region that does, such as `eu-west-1` or `us-east-1`",
        )),
        Err(reason) => Some(Finding::warns(
            format!("whether SES receives mail in {region} is not known: `{host}` could not be looked up: {reason}"),
            "look into AWS's list of SES's endpoints, or name a resolver that answers: `PROVISION_RESOLVER=192.0.2.53:53`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifying_a_domain_verifies_its_subdomains() {
        assert_eq!(
            candidates("a.b.example.com").collect::<Vec<_>>(),
            ["a.b.example.com", "b.example.com", "example.com"]
        );
    }

    #[test]
    fn what_cannot_be_looked_up_is_doubted_and_stops_nothing() {
        use super::super::Weight;
        let weight = |found| receives("xx-north-1", &found).map(|finding| finding.weight);
        assert_eq!(weight(Ok(true)), None);
        assert_eq!(weight(Ok(false)), Some(Weight::Blocks));
        for reason in [NoAnswer::Off, NoAnswer::Late] {
            assert_eq!(weight(Err(reason)), Some(Weight::Warns));
        }
    }

    #[test]
    fn a_sender_is_verified_by_itself_or_by_a_domain_above_it() {
        let all: Vec<&str> = candidates_of_sender("noc@a.example.com").collect();
        assert_eq!(all, ["noc@a.example.com", "a.example.com", "example.com"]);
    }

    #[test]
    fn only_the_regions_own_host_is_right_and_it_must_come_first() {
        let found = |list: &[(u16, &str)]| Ok(list.iter().map(|(order, name)| (*order, (*name).to_owned())).collect());
        let ours = "inbound-smtp.eu-west-1.amazonaws.com";
        let told = |list: &[(u16, &str)]| record("example.com", "eu-west-1", &found(list)).map(|finding| finding.what);
        assert_eq!(told(&[(10, ours)]), None);
        assert_eq!(told(&[(10, ours), (20, "mx.example.net")]), None);
        assert!(told(&[(5, "mx.example.net"), (10, ours)]).is_some_and(|what| what.contains("`mx.example.net`")));
        assert!(told(&[(10, "inbound-smtp.us-east-1.amazonaws.com")]).is_some());
        assert!(told(&[]).is_some_and(|what| what.contains("no MX record")));
        let finding = record("example.com", "eu-west-1", &Err(NoAnswer::Late)).unwrap();
        assert_eq!(finding.todo, "it should be `example.com. MX 10 inbound-smtp.eu-west-1.amazonaws.com.`");
    }
}
