//! A stack's outputs: the names and addresses that people and scripts need, of what is in the account.

use serde::Serialize;

use super::{account::Opened, compare::Compared};
use declaration::{Action as RuleAction, Declaration, ReceiptRule, Recipient};
use engine::{Action, Address, Live};
use kinds::{Id, Kind, Output, Read, Settings};
use stack::Names;

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

impl StackOutput {
    fn new(kind: &'static str, entry: &str, value: String) -> Self {
        Self { kind, entry: entry.to_owned(), value }
    }
}

/// Returns the outputs of a compared stack.
pub(crate) fn outputs(opened: &Opened, compared: &Compared) -> Outputs {
    let Opened { declaration, .. } = opened;
    let names = compared.names(opened);
    let mut present: Vec<StackOutput> = Vec::new();
    for kind in Kind::ALL.iter().filter(|kind| !matches!(kind.identity().output, Output::Nothing)) {
        let entries = kind.identity().section.into_iter().flat_map(|section| declaration.entries(section));
        // Lambda has nothing of a function that servers run.
        for entry in entries.filter(|entry| *kind != Kind::Function || !declaration.is_worker(entry)) {
            present.extend(of_entry(compared, names, *kind, entry));
        }
    }
    present.extend(urls(declaration, compared, names));
    let has_rule = |rule: &str| is_ours(compared, &Id::new(Kind::ReceiptRule, rule));
    if declaration.receipt_rules.iter().any(|rule| has_rule(&rule.name)) {
        present.push(StackOutput::new("receipt rule set", "", compared.rule_set.name(names)));
    }
    let addresses = addresses(declaration, has_rule);
    present.extend(addresses.iter().map(|(rule, address)| StackOutput::new("address", rule, address.clone())));
    let addresses = addresses.into_iter().map(|(_, address)| address).collect();
    let declared = compared.plan.items().iter().filter(|item| item.is_declared);
    let missing = declared.filter(|item| item.action == Action::Create).map(|item| item.id.typed()).collect();
    Outputs { present, missing, addresses }
}

/// Returns the outputs of an entry: its name or ARN, and of a function its role and the hash of its code.
fn of_entry(compared: &Compared, names: &Names, kind: Kind, entry: &str) -> Vec<StackOutput> {
    let id = Id::new(kind, entry);
    if !is_ours(compared, &id) {
        return Vec::new();
    }
    let identity = kind.identity();
    let itself = match identity.output {
        Output::Nothing => None,
        Output::Name => Some(names.name(kind, entry)),
        Output::Arn => Some(names.arn(kind, entry)),
    };
    let has_role = kind == Kind::Function && is_ours(compared, &Id::new(Kind::Role, entry));
    let role = has_role.then(|| names.arn(Kind::Role, entry));
    let code = code(compared, &id, &names.name(kind, entry));
    let found = [(identity.name, itself), ("role", role), ("code", code)];
    found.into_iter().filter_map(|(what, value)| Some(StackOutput::new(what, entry, value?))).collect()
}

/// Returns the URLs of the routes of every API.
fn urls(declaration: &Declaration, compared: &Compared, names: &Names) -> Vec<StackOutput> {
    let mut urls = Vec::new();
    for (entry, api) in &declaration.apis {
        let Some(url) = url(compared, &names.name(Kind::Api, entry)) else { continue };
        // As it is declared: what stands for a token in the path is known to its sender alone.
        urls.extend(api.routes.iter().map(|one| StackOutput::new("url", entry, format!("{url}{}", one.route.path()))));
    }
    urls
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
