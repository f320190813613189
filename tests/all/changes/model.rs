//! Declarations, generated: everything that mail flows through, in whatever combination.

use std::fmt::Write as _;

use proptest::{collection::vec, option, prelude::*, sample::select};

/// A declaration, as far as it differs from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Model {
    /// Existing bucket that the entry `mail` is; `None` if it is the stack's own.
    pub(super) existing: Option<&'static str>,
    pub(super) prefix: &'static str,
    pub(super) functions: Vec<&'static str>,
    /// Entry of the topic that functions are subscribed to; `None` for none.
    pub(super) topic: Option<&'static str>,
    /// Entry of the queue for failed events; `None` for none.
    pub(super) failed: Option<&'static str>,
    pub(super) rules: Vec<Rule>,
    pub(super) take_over: bool,
}

/// A receipt rule of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    /// Recipients; empty for all.
    pub(super) to: Vec<&'static str>,
    pub(super) stores: bool,
    /// The function that it invokes, by its place among the functions; too high for none.
    pub(super) invokes: usize,
    pub(super) publishes: bool,
    pub(super) enabled: bool,
}

fn rule() -> impl Strategy<Value = Rule> {
    let to = select(vec![vec![], vec!["x@example.com"], vec!["y@example.com"], vec!["x@example.com", "y@example.com"]]);
    let enabled = prop::bool::weighted(0.9);
    (select(vec!["a", "b", "c"]), to, prop::bool::weighted(0.8), 0..3usize, any::<bool>(), enabled).prop_map(
        |(name, to, stores, invokes, publishes, enabled)| Rule { name, to, stores, invokes, publishes, enabled },
    )
}

/// Returns a strategy for declarations of any mix.
pub(super) fn model() -> impl Strategy<Value = Model> {
    let existing = select(vec![None, Some("company-archive"), Some("company-vault")]);
    let functions = select(vec![vec![], vec!["f"], vec!["g"], vec!["f", "g"]]);
    let topic = option::of(select(vec!["news", "events"]));
    let failed = option::of(select(vec!["failed", "dead"]));
    let prefix = select(vec!["", "in/", "inbound/"]);
    (existing, prefix, functions, topic, failed, vec(rule(), 0..4), any::<bool>()).prop_map(
        |(existing, prefix, functions, topic, failed, mut rules, take_over)| {
            rules.sort_by_key(|rule| rule.name);
            rules.dedup_by_key(|rule| rule.name);
            Model { existing, prefix, functions, topic, failed, rules, take_over }
        },
    )
}

impl Rule {
    /// Returns the actions that the declaration gives the rule.
    fn actions(&self, model: &Model) -> Vec<String> {
        let mut actions = Vec::new();
        if self.stores {
            actions.push(format!("{{store: mail, prefix: '{}'}}", model.prefix));
        }
        if let (true, Some(topic)) = (self.publishes, model.topic) {
            actions.push(format!("{{publish: {topic}}}"));
        }
        actions.extend(self.function(model).map(|function| format!("{{invoke: {function}}}")));
        if actions.is_empty() {
            actions.push("{add_header: {name: X-Seen, value: 'yes'}}".to_owned());
        }
        actions
    }

    pub(super) fn function(&self, model: &Model) -> Option<&'static str> {
        model.functions.get(self.invokes).copied()
    }

    /// Returns `true` if a function gets the mail.
    pub(super) fn is_handled(&self, model: &Model) -> bool {
        let by_topic = self.publishes && model.topic.is_some() && !model.functions.is_empty();
        by_topic || self.function(model).is_some()
    }
}

impl Model {
    /// Returns the declaration's text.
    pub(super) fn text(&self) -> String {
        let mut text = "stack: circuits\nregion: eu-west-1\n".to_owned();
        let existing = self.existing.map(|name| format!("existing: {name}")).unwrap_or_default();
        let _ = writeln!(text, "buckets: {{mail: {{{existing}}}}}");
        if let Some(failed) = self.failed {
            let _ = writeln!(text, "queues: {{{failed}: {{}}}}");
        }
        if !self.functions.is_empty() {
            text.push_str("functions:\n");
        }
        for function in &self.functions {
            let failed = self.failed.map(|failed| format!(", on_failure: {failed}")).unwrap_or_default();
            let _ = writeln!(
                text,
                "  {function}: {{crate: maintenance, bin: reader, reads: [{{bucket: mail, prefix: '{}'}}]{failed}}}",
                self.prefix
            );
        }
        if let Some(topic) = self.topic {
            let told: Vec<String> = self.functions.iter().map(|function| format!("{{function: {function}}}")).collect();
            let _ = writeln!(text, "topics: {{{topic}: {{subscriptions: [{}]}}}}", told.join(", "));
        }
        if self.take_over {
            text.push_str("take_over: true\n");
        }
        if !self.rules.is_empty() {
            text.push_str("receipt_rules:\n");
        }
        for rule in &self.rules {
            let to = if rule.to.is_empty() { String::new() } else { format!("recipients: [{}], ", rule.to.join(", ")) };
            let actions = rule.actions(self).join(", ");
            let _ = writeln!(text, "  - {{name: {}, enabled: {}, {to}actions: [{actions}]}}", rule.name, rule.enabled);
        }
        text
    }
}
