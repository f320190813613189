//! Checks for rules without recipients, which take mail for every verified domain: that there is one, and that its MX records point here.

use std::collections::BTreeMap;

use aws_sdk_ses::types::IdentityType;
use futures::future::join_all;

use super::{
    Finding,
    dns::{Dns, Exchanges, NoAnswer},
    receiving::{host, is_best, verified},
};
use aws::OrFail;
use declaration::Declaration;
use engine::Failure;
use kinds::Session;

/// Most domains whose MX records are looked up: an account may have ten thousand.
const MOST_DOMAINS: usize = 100;
/// Most domains that a finding names.
const MOST_NAMED: usize = 5;

/// Returns the name of the first enabled rule without recipients.
pub(super) fn rule(declaration: &Declaration) -> Option<&str> {
    let mut rules = declaration.receipt_rules.iter().filter(|rule| rule.enabled);
    rules.find(|rule| rule.recipients.is_empty()).map(|rule| rule.name.as_str())
}

/// Checks every verified domain, if a rule takes mail for all of them. Those that other rules name are checked by their names.
pub(super) async fn every_domain(
    session: &Session,
    dns: &Dns,
    declaration: &Declaration,
    named: &BTreeMap<String, bool>,
) -> Vec<Finding> {
    let Some(rule) = rule(declaration) else { return Vec::new() };
    let region = &session.aws.realm.region;
    match domains(session).await {
        Ok(domains) if domains.is_empty() => vec![Finding::warns(
            format!(
                "rule `{rule}` takes mail for every verified domain, and SES has none in {region}: it gets no mail"
            ),
            format!(
                "verify one: `aws sesv2 create-email-identity --email-identity DOMAIN --region {region}` tells the DKIM records to publish"
            ),
        )],
        Ok(domains) => {
            let others: Vec<&String> = domains.iter().filter(|domain| !named.contains_key(*domain)).collect();
            let looked = others.iter().take(MOST_DOMAINS);
            let looked = join_all(looked.map(|domain| async { (domain.as_str(), dns.exchanges(domain).await) })).await;
            astray(rule, region, &looked, others.len()).into_iter().collect()
        }
        Err(failure) => {
            let what = format!("which domains rule `{rule}` takes mail for is not known: {failure}");
            vec![Finding::warns(
                what,
                "look into the SES console under `Verified identities`, or allow `ses:ListIdentities`",
            )]
        }
    }
}

/// Reads the verified domains of the account in the region.
async fn domains(session: &Session) -> Result<Vec<String>, Failure> {
    let call = session.aws.read.ses.list_identities().identity_type(IdentityType::Domain);
    let mut pages = call.into_paginator().send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        listed.extend(page.or_fail("ses.ListIdentities")?.identities);
    }
    Ok(verified(session, &listed).await?.into_iter().collect())
}

/// Returns the finding about the domains whose mail does not come here, of those that were looked up.
fn astray(rule: &str, region: &str, looked: &[(&str, Result<Exchanges, NoAnswer>)], count: usize) -> Option<Finding> {
    let host = host(region);
    let of = |wanted: &dyn Fn(&Result<Exchanges, NoAnswer>) -> bool| -> Vec<&str> {
        looked.iter().filter(|(_, found)| wanted(found)).map(|(domain, _)| *domain).collect()
    };
    let elsewhere = of(&|found| found.as_ref().is_ok_and(|exchanges| !is_best(exchanges, &host)));
    let unknown = of(&Result::is_err);
    let mut facts = Vec::new();
    if !elsewhere.is_empty() {
        facts.push(format!("of {} the MX records do not point to SES in {region}", listed(&elsewhere)));
    }
    if !unknown.is_empty() {
        facts.push(format!("of {} the MX records were not looked up, or nobody answered", listed(&unknown)));
    }
    if count > looked.len() {
        facts.push(format!("of {} more the MX records were not looked up", count - looked.len()));
    }
    (!facts.is_empty()).then(|| {
        let what = format!("rule `{rule}` takes mail for every verified domain, and {}", facts.join("; "));
        let todo = format!(
            "publish `DOMAIN. MX 10 {host}.` for each whose mail is meant, or name the `recipients` of the rule"
        );
        Finding::warns(what, todo)
    })
}

/// Returns names as a sentence has them: `a`, `b` and 3 others.
fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(MOST_NAMED) {
        0 => shown.join(", "),
        1 => format!("{} and 1 other", shown.join(", ")),
        more => format!("{} and {more} others", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_rule_without_recipients_counts_if_it_is_enabled() {
        let of = |rules: &str| {
            let source = format!("stack: mail\nregion: eu-west-1\nbuckets: {{mail: {{}}}}\nreceipt_rules: [{rules}]\n");
            let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
            rule(&checked.declarations[0]).map(str::to_owned)
        };
        let one = "{name: one, recipients: [a@example.com], actions: [{store: mail}]}";
        assert_eq!(of(one), None);
        assert_eq!(of(&format!("{one}, {{name: rest, actions: [{{store: mail}}]}}")).as_deref(), Some("rest"));
        assert_eq!(of("{name: rest, enabled: false, actions: [{store: mail}]}"), None);
    }

    #[test]
    fn domains_whose_mail_goes_elsewhere_are_told_in_one_finding() {
        let here = "inbound-smtp.eu-west-1.amazonaws.com";
        let found = |host: &str| Ok(vec![(10, host.to_owned())]);
        let told = |looked: &[(&str, Result<Exchanges, NoAnswer>)], count| {
            astray("rest", "eu-west-1", looked, count).map(|finding| finding.what)
        };
        assert_eq!(told(&[("a.example", found(here))], 1), None);
        let both = [("a.example", found(here)), ("b.example", found("mx.example.net")), ("c.example", Ok(Vec::new()))];
        assert_eq!(
            told(&both, 3).as_deref(),
            Some(
                "rule `rest` takes mail for every verified domain, and of `b.example`, `c.example` the MX records do not point to SES in eu-west-1"
            )
        );
        let late = told(&[("a.example", Err(NoAnswer::Late))], 1).unwrap();
        assert!(late.contains("of `a.example` the MX records were not looked up"), "{late}");
        let more = told(&[("a.example", found(here))], 7).unwrap();
        assert!(more.ends_with("and of 6 more the MX records were not looked up"), "{more}");
        assert_eq!(listed(&["a", "b", "c", "d", "e", "f", "g"]), "`a`, `b`, `c`, `d`, `e` and 2 others");
    }
}
