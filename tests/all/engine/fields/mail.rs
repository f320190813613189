//! Receipt rules, their order, the active set, and the filters before it.

use aws_sdk_ses::types::{ReceiptFilter, ReceiptFilterPolicy, ReceiptIpFilter, ReceiptRule, TlsPolicy};

use super::{Case, case};
use crate::stack::Trial;

pub(super) const CASES: &[Case] = &[
    case("receipt rule", "reader", "enabled", |trial| change(trial, |rule| rule.enabled = false)),
    case("receipt rule", "reader", "recipients", |trial| {
        change(trial, |rule| rule.recipients = Some(vec!["somebody@example.com".to_owned()]));
    }),
    case("receipt rule", "reader", "scan", |trial| change(trial, |rule| rule.scan_enabled = false)),
    case("receipt rule", "reader", "tls", |trial| change(trial, |rule| rule.tls_policy = Some(TlsPolicy::Optional))),
    case("receipt rule", "reader", "actions", |trial| {
        change(trial, |rule| {
            rule.actions.as_mut().unwrap().pop();
        });
    }),
    case("receipt rule", "reader", "actions", |trial| change(trial, |rule| rule.actions.as_mut().unwrap().swap(0, 1))),
    case("receipt rule", "rest", "actions", |trial| {
        let mut rule = rule(trial, "circuits.rest");
        rule.actions.as_mut().unwrap()[0].s3_action.as_mut().unwrap().object_key_prefix =
            Some("rest/mails/".to_owned());
        write(trial, rule);
    }),
    case("receipt rule order", "rules", "order", |trial| {
        let call = trial.account.ses.set_receipt_rule_position().rule_set_name(SET).rule_name("circuits.rest");
        trial.account.wait(call.send()).unwrap();
    }),
    case("receipt filter", "office", "policy", |trial| filter(trial, ReceiptFilterPolicy::Block, "192.0.2.0/24")),
    case("receipt filter", "office", "cidr", |trial| filter(trial, ReceiptFilterPolicy::Allow, "198.51.100.0/24")),
    case("active rule set", "circuits", "active", |trial| {
        trial.account.wait(trial.account.ses.set_active_receipt_rule_set().send()).unwrap();
    }),
];

/// Puts another filter in the place of one: SES cannot change it.
fn filter(trial: &Trial, policy: ReceiptFilterPolicy, cidr: &str) {
    const NAME: &str = "circuits_office";
    let (account, ses) = (&trial.account, &trial.account.ses);
    account.wait(ses.delete_receipt_filter().filter_name(NAME).send()).unwrap();
    let of = ReceiptIpFilter::builder().policy(policy).cidr(cidr).build().unwrap();
    let filter = ReceiptFilter::builder().name(NAME).ip_filter(of).build().unwrap();
    account.wait(ses.create_receipt_filter().filter(filter).send()).unwrap();
}

const SET: &str = "circuits";

fn rule(trial: &Trial, name: &str) -> ReceiptRule {
    let call = trial.account.ses.describe_receipt_rule().rule_set_name(SET).rule_name(name);
    trial.account.wait(call.send()).unwrap().rule.unwrap()
}

fn write(trial: &Trial, rule: ReceiptRule) {
    let call = trial.account.ses.update_receipt_rule().rule_set_name(SET).rule(rule);
    trial.account.wait(call.send()).unwrap();
}

fn change(trial: &Trial, change: impl FnOnce(&mut ReceiptRule)) {
    let mut rule = rule(trial, "circuits.reader");
    change(&mut rule);
    write(trial, rule);
}
