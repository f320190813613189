//! A stack's outputs: the names and addresses that people and scripts need, of what is in the account.

use serde::Serialize;

use super::{account::Opened, compare::Compared};
use declaration::{Action as RuleAction, Declaration, ReceiptRule, Recipient};
use engine::{Action, Address, Live};
use kinds::{Id, Kind, Output, Read, Settings};

/// A stack's outputs for people and scripts: kind, entry, value.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    /// Outputs of what is in the account, in the order of their kinds.
    pub(crate) present: Vec<StackOutput>,
    /// Declared resources that are not in the account, as `KIND/ENTRY`.
    pub(crate) missing: Vec<String>,
    /// Addresses to give to the carriers, as SES takes mail for them.
    pub(crate) addresses: Vec<String>,
}

/// An output of `up`: a name or an address.
#[derive(Debug, Serialize)]
pub(crate) struct StackOutput {
    pub(crate) kind: &'static str,
    pub(crate) entry: String,
    pub(crate) value: String,
}

/// Returns the outputs of a compared stack.
pub(crate) fn outputs(opened: &Opened, compared: &Compared) -> Outputs {
    let Opened { declaration, .. } = opened;
    let names = compared.names(opened);
    let mut outputs = Outputs::default();
    let mut add = |kind, entry: &str, value| {
        outputs.present.push(StackOutput { kind, entry: entry.to_owned(), value });
    };
    for kind in Kind::ALL {
        let identity = kind.identity();
        if matches!(identity.output, Output::Nothing) {
            continue;
        }
        for entry in identity.section.into_iter().flat_map(|section| declaration.entries(section)) {
            let id = Id::new(*kind, entry);
            if !is_ours(compared, &id) {
                continue;
            }
            match identity.output {
                Output::Nothing => {}
                Output::Name => add(identity.name, entry, names.name(*kind, entry)),
                Output::Arn => add(identity.name, entry, names.arn(*kind, entry)),
            }
            if *kind == Kind::Function && is_ours(compared, &Id::new(Kind::Role, entry)) {
                add("role", entry, names.arn(Kind::Role, entry));
            }
            if let Some(sha256) = code(compared, &id, &names.name(*kind, entry)) {
                add("code", entry, sha256);
            }
        }
    }
    for (entry, api) in &declaration.apis {
        for route in &api.routes {
            if let Some(url) = url(compared, &names.name(Kind::Api, entry)) {
                // As it is declared: what stands for a token in the path is known to its sender alone.
                add("url", entry, format!("{url}{}", route.route.path()));
            }
        }
    }
    let has_rule = |rule: &str| is_ours(compared, &Id::new(Kind::ReceiptRule, rule));
    if declaration.receipt_rules.iter().any(|rule| has_rule(&rule.name)) {
        add("receipt rule set", "", compared.rule_set.name(names));
    }
    let addresses = addresses(declaration, has_rule);
    for (rule, address) in &addresses {
        add("address", rule, address.clone());
    }
    let addresses = addresses.into_iter().map(|(_, address)| address).collect();
    let declared = compared.plan.items().iter().filter(|item| item.is_declared);
    let missing = declared.filter(|item| item.action == Action::Create).map(|item| item.id.typed()).collect();
    Outputs { missing, addresses, ..outputs }
}

/// Returns `true` if a declared resource is in the account, can be read there, and is the stack's.
fn is_ours(compared: &Compared, id: &Id) -> bool {
    let is_other =
        |action: &Action| matches!(action, Action::Create | Action::Unreadable { .. } | Action::Foreign { .. });
    !compared.plan.items().iter().any(|item| item.is_declared && item.id == *id && is_other(&item.action))
}

/// Returns the URL of a live API; `None` if it has none.
fn url(compared: &Compared, name: &str) -> Option<String> {
    match compared.survey.read.get(&(Kind::Api, Address::of(name)))? {
        Read::Present(Live { settings: Settings::Api(live), .. }) => live.seen.url.clone(),
        _ => None,
    }
}

/// Returns the hash of the code that a function runs.
fn code(compared: &Compared, id: &Id, name: &str) -> Option<String> {
    match compared.survey.read.get(&(id.kind, Address::of(name)))? {
        Read::Present(Live { settings: Settings::Function(live), .. }) => Some(live.code_sha256.clone()),
        _ => None,
    }
}

/// Returns the recipients that the stack takes mail for, with the entry of the rule: `*@example.com` is every address of a domain, and `*`
/// every address of every domain.
fn addresses(declaration: &Declaration, is_there: impl Fn(&str) -> bool) -> Vec<(&str, String)> {
    let takes = |rule: &&ReceiptRule| {
        let refuses = rule.actions.iter().any(|action| matches!(action, RuleAction::Bounce(_)));
        rule.enabled && !refuses && is_there(&rule.name)
    };
    let of_rule = |rule: &'_ ReceiptRule| -> Vec<String> {
        let recipients = rule.recipients.iter().map(|recipient| match recipient {
            Recipient::Address(address) => address.clone(),
            Recipient::Domain(domain) => format!("*@{domain}"),
            Recipient::SubDomains(parent) => format!("*@*.{parent}"),
        });
        if rule.recipients.is_empty() { vec!["*".to_owned()] } else { recipients.collect() }
    };
    let rules = declaration.receipt_rules.iter().filter(takes);
    rules.flat_map(|rule| of_rule(rule).into_iter().map(|address| (rule.name.as_str(), address))).collect()
}
