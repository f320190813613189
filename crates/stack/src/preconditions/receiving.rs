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
use declaration::{Declaration, Recipient};
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
fn host(region: &str) -> String {
    format!("inbound-smtp.{region}.amazonaws.com")
}

/// Returns a finding for each domain that is not a verified identity: SES takes no mail for it.
pub(super) async fn identities(session: &Session, domains: &BTreeMap<String, bool>) -> Vec<Finding> {
    let asked: BTreeSet<&str> = domains.keys().flat_map(|domain| candidates(domain)).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let names = asked.iter().map(|name| (*name).to_owned()).collect();
    let call = session.aws.read.ses.get_identity_verification_attributes().set_identities(Some(names));
    let answer = match call.send().await.or_fail("ses.GetIdentityVerificationAttributes") {
        Ok(answer) => answer.verification_attributes,
        Err(failure) => {
            let what = format!("whether the recipients' domains are verified is not known: {failure}");
            return vec![Finding::warns(what, "look into the SES console under `Verified identities`")];
        }
    };
    let is_verified = |name: &str| {
        let status = answer.get(name).map(|attributes| &attributes.verification_status);
        status == Some(&VerificationStatus::Success)
    };
    let missing = domains.keys().filter(|domain| !candidates(domain).any(is_verified));
    let region = &session.aws.realm.region;
    missing.map(|domain| unverified(domain, region)).collect()
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
        Ok(exchanges) if exchanges.first().is_some_and(|(_, name)| *name == host) => return None,
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

/// Returns a finding if the region does not receive mail. The list of such regions changes, so the region's own host is looked
/// up.
pub(super) async fn region(dns: &Dns, region: &str, declaration: &Declaration) -> Vec<Finding> {
    if declaration.receipt_rules.is_empty() {
        return Vec::new();
    }
    match dns.exists(&host(region)).await {
        Ok(false) => vec![Finding::blocks(
            format!("SES does not receive mail in {region}: there is no `{}`", host(region)),
            "choose a region that does, such as `eu-west-1` or `us-east-1`",
        )],
        // Without an answer nothing is known; that the records were not looked up is reported already.
        Ok(true) | Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_verified_a_domain_has_verified_those_below() {
        assert_eq!(
            candidates("a.b.example.com").collect::<Vec<_>>(),
            ["a.b.example.com", "b.example.com", "example.com"]
        );
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
