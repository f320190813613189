//! `receipt_rules`: which mails are received, and which actions follow, in order.

mod action;

use std::{collections::BTreeMap, fmt};

use super::{
    Function, checks,
    diagnostic::Diagnostic,
    reader::{Fields, Reader},
    scalars,
    shape::{Field, Holds, Shape, Word, words},
    tree::{Node, Value},
};
pub use action::{Action, Bounce, Encoding, Invocation};

/// A rule of the receipt rule set: which mails, and what is done with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRule {
    /// Name within the stack.
    pub name: String,
    /// `true` if SES evaluates the rule.
    pub enabled: bool,
    /// Addresses, domains, or sub-domains (`.example.com`); empty takes every mail.
    pub recipients: Vec<Recipient>,
    /// Requirement of TLS for incoming mail.
    pub tls: Tls,
    /// `true` if SES scans for spam and viruses.
    pub scan: bool,
    /// Actions, in the order in which SES takes them.
    pub actions: Vec<Action>,
}

impl ReceiptRule {
    /// Returns the index of the last action that invokes a function; `None` if none does.
    pub fn invokes(&self, entry: &str) -> Option<usize> {
        self.actions.iter().rposition(|action| matches!(action, Action::Invoke { function, .. } if function == entry))
    }

    /// Returns the places where the rule stores a mail before the action of that index: bucket and prefix.
    pub fn stores(&self, before: usize) -> impl Iterator<Item = (&str, &str)> {
        self.actions.iter().take(before).filter_map(|action| match action {
            Action::Store { bucket, prefix, .. } => Some((bucket.as_str(), prefix.as_str())),
            _ => None,
        })
    }
}

/// The recipients that a rule takes mail for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// One address: `maintenance@example.com`. SES ignores the part after `+`.
    Address(String),
    /// Every address of a domain, not of those below it: `example.com`.
    Domain(String),
    /// Every address of every domain below it: `.example.com`; held here without the dot.
    SubDomains(String),
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text) | Self::Domain(text) => formatter.write_str(text),
            Self::SubDomains(parent) => write!(formatter, ".{parent}"),
        }
    }
}

/// The requirement of TLS for incoming mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// SES refuses mail that comes without TLS.
    Require,
    /// SES accepts mail with and without TLS.
    #[default]
    Optional,
}

impl Word for Tls {
    const WORDS: &'static [(&'static str, Self)] = &[("require", Self::Require), ("optional", Self::Optional)];
}

/// SES's quota of recipients in a rule.
const MOST_RECIPIENTS: usize = 100;
/// SES's quota of rules in a rule set.
const MOST_RULES: usize = 200;

pub(super) static SHAPE: Shape = Shape {
    name: "receipt_rule",
    keys: &[
        Field::new("name", Holds::Text(scalars::NAME), "Name of the rule within the stack.").required("maintenance"),
        Field::new("enabled", Holds::Switch, "Evaluate the rule.").or("true"),
        Field::new(
            "recipients",
            Holds::List(&Holds::Text(scalars::RECIPIENT)),
            "Recipients that the rule matches. Without it, the rule matches every mail.",
        ),
        Field::new("tls", Holds::Word(words::<Tls>), "Accept mail over TLS only, or without TLS too.").or("optional"),
        Field::new("scan", Holds::Switch, "Let SES scan for spam and viruses.").or("true"),
        Field::new("actions", Holds::List(&action::HOLDS), "Actions on a mail, in this order.")
            .required("[{store: mail}]"),
    ],
};

/// Reads all rules, in order.
pub(super) fn read(
    reader: &mut Reader,
    fields: &Fields<'_>,
    functions: &BTreeMap<String, Function>,
) -> Vec<ReceiptRule> {
    let items = reader.items(fields, "receipt_rules", "{name: …, actions: […]}");
    if let Some(item) = items.get(MOST_RULES) {
        let message = format!("SES takes at most {MOST_RULES} rules in a rule set");
        reader.report(Diagnostic::new(item.span.clone(), message));
    }
    let mut rules: Vec<ReceiptRule> = Vec::new();
    for item in items {
        let rule = receipt_rule(reader, item, &rules);
        checks::invocations(reader, item, &rule, functions);
        rules.push(rule);
    }
    rules
}

/// Reads a rule. `before` are the rules that SES evaluates before it.
fn receipt_rule(reader: &mut Reader, node: &Node, before: &[ReceiptRule]) -> ReceiptRule {
    let entries = match &node.value {
        Value::Map(entries) => entries.as_slice(),
        _ => &[],
    };
    let span = entries.first().map_or(&node.span, |(key, _)| &key.span);
    let subject = match entries.iter().find(|(key, _)| key.name == "name") {
        Some((_, Node { value: Value::Text(name), .. })) => format!("receipt rule `{}`", name.escape_debug()),
        _ => "a receipt rule".to_owned(),
    };
    let fields = &reader.fields(node, span, subject, &SHAPE);
    let name = reader.text(fields, "name", scalars::name).unwrap_or_default();
    if before.iter().any(|rule| !name.is_empty() && rule.name == name) {
        let message = format!("a second receipt rule is named `{name}`");
        reader.diagnose(&fields.span_of("name"), message, "names of rules must differ");
    }
    let rule = ReceiptRule {
        name,
        enabled: reader.switch(fields, "enabled").unwrap_or_default(),
        recipients: recipients(reader, fields),
        tls: reader.word(fields, "tls").unwrap_or_default(),
        scan: reader.switch(fields, "scan").unwrap_or_default(),
        actions: action::read(reader, fields),
    };
    let ends =
        |rule: &&ReceiptRule| rule.enabled && rule.recipients.is_empty() && rule.actions.last() == Some(&Action::Stop);
    if let Some(end) = before.iter().find(ends)
        && rule.enabled
    {
        let message = format!("no mail reaches {}: rule `{}` takes every mail and stops", fields.subject, end.name);
        reader.diagnose(span, message, format!("put it before `{}`", end.name));
    }
    rule
}

fn recipients(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Recipient> {
    let items = reader.items(fields, "recipients", "maintenance@example.com");
    if let Some(item) = items.get(MOST_RECIPIENTS) {
        let message = format!("SES takes at most {MOST_RECIPIENTS} recipients in a rule");
        reader.diagnose(&item.span, message, "spread them over several rules");
    }
    let mut recipients = Vec::new();
    for item in items {
        let form = scalars::RECIPIENT.what;
        if let Some(recipient) = reader.scalar(item, "recipients", form, scalars::recipient) {
            // SES compares recipients without regard to case.
            let is_same = |other: &Recipient| other.to_string().eq_ignore_ascii_case(&recipient.to_string());
            if recipients.iter().any(is_same) {
                reader.report(Diagnostic::new(item.span.clone(), "this recipient is there twice"));
            }
            recipients.push(recipient);
        }
    }
    recipients
}
