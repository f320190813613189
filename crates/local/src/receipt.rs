//! SES's receipt rules: which rules take a mail, for which recipients, and which actions follow in which order.
//!
//! Pure, so that `provision dev` and the tests of the rules that we create ask the same code what SES would do.
//! Source: "Email receiving concepts" and "Receipt rule actions" of the SES developer guide.

use declaration::{Action, ReceiptRule, Recipient};

/// A rule that takes a mail, and the recipients that it takes it for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'rules> {
    /// The rule that takes the mail.
    pub rule: &'rules ReceiptRule,
    /// Recipients, in the envelope's order.
    pub recipients: Vec<String>,
}

/// The continuation of the evaluation after an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Continues with the rule's next action.
    NextAction,
    /// Continues with the next rule.
    NextRule,
    /// Ends the evaluation.
    End,
}

/// The disposition that a synchronously invoked function answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Disposition {
    /// Continues; also the meaning of an unknown disposition.
    #[default]
    Continue,
    /// Skips the remaining actions of this rule.
    StopRule,
    /// Skips all remaining actions of all rules.
    StopRuleSet,
}

impl Disposition {
    /// Reads a function's answer, `{"disposition": "STOP_RULE"}`.
    pub fn of(answer: &serde_json::Value) -> Self {
        match answer.get("disposition").and_then(serde_json::Value::as_str) {
            Some("STOP_RULE") => Self::StopRule,
            Some("STOP_RULE_SET") => Self::StopRuleSet,
            _ => Self::Continue,
        }
    }

    /// Returns the continuation that the disposition asks for.
    pub fn flow(self) -> Flow {
        match self {
            Self::Continue => Flow::NextAction,
            Self::StopRule => Flow::NextRule,
            Self::StopRuleSet => Flow::End,
        }
    }
}

/// Returns the rules that take a mail for at least one of its recipients, in order, without regard to Stop
/// actions.
pub fn matches<'rules>(rules: &'rules [ReceiptRule], recipients: &[String]) -> impl Iterator<Item = Match<'rules>> {
    rules.iter().filter_map(move |rule| {
        let taken: Vec<String> = recipients.iter().filter(|recipient| takes(rule, recipient)).cloned().collect();
        (!taken.is_empty()).then_some(Match { rule, recipients: taken })
    })
}

/// Returns whether any rule takes mail for a recipient: SES refuses all others while the client is still
/// connected.
pub fn any_takes(rules: &[ReceiptRule], recipient: &str) -> bool {
    rules.iter().any(|rule| takes(rule, recipient))
}

/// Returns whether a rule takes mail for a recipient. A rule without recipients takes every mail.
fn takes(rule: &ReceiptRule, recipient: &str) -> bool {
    if !rule.enabled {
        return false;
    }
    let Some((local, domain)) = recipient.rsplit_once('@') else { return false };
    rule.recipients.is_empty() || rule.recipients.iter().any(|condition| meets(condition, local, domain))
}

fn meets(condition: &Recipient, local: &str, domain: &str) -> bool {
    match condition {
        Recipient::Address(address) => address.rsplit_once('@').is_some_and(|(wanted, at)| {
            let unlabelled = local.split_once('+').map_or(local, |(before, _)| before);
            at.eq_ignore_ascii_case(domain) && (wanted == local || wanted == unlabelled)
        }),
        Recipient::Domain(wanted) => wanted.eq_ignore_ascii_case(domain),
        Recipient::SubDomains(parent) => {
            let (domain, parent) = (domain.to_ascii_lowercase(), parent.to_ascii_lowercase());
            domain.strip_suffix(&parent).and_then(|rest| rest.strip_suffix('.')).is_some_and(|label| !label.is_empty())
        }
    }
}

/// Returns the continuation after an action, given the disposition of the function if SES waited for it.
pub fn after(action: &Action, disposition: Disposition) -> Flow {
    match action {
        Action::Stop => Flow::End,
        Action::Store { .. }
        | Action::Invoke { .. }
        | Action::Publish { .. }
        | Action::Bounce(_)
        | Action::AddHeader { .. } => disposition.flow(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use declaration::{Invocation, Tls};

    fn rule(name: &str, recipients: &[&str], actions: Vec<Action>) -> ReceiptRule {
        let recipients = recipients
            .iter()
            .map(|text| match (text.strip_prefix('.'), text.contains('@')) {
                (Some(parent), _) => Recipient::SubDomains(parent.to_owned()),
                (None, true) => Recipient::Address((*text).to_owned()),
                (None, false) => Recipient::Domain((*text).to_owned()),
            })
            .collect();
        ReceiptRule { name: name.to_owned(), recipients, enabled: true, tls: Tls::Optional, scan: true, actions }
    }

    fn invoke(function: &str) -> Action {
        Action::Invoke { function: function.to_owned(), invocation: Invocation::RequestResponse, topic: None }
    }

    /// Evaluates rules as SES does; `says` is the disposition of every function that SES waits for.
    fn done(rules: &[ReceiptRule], recipients: &[&str], says: Disposition) -> Vec<String> {
        let recipients: Vec<String> = recipients.iter().map(|text| (*text).to_owned()).collect();
        let mut done = Vec::new();
        'rules: for matched in matches(rules, &recipients) {
            for action in &matched.rule.actions {
                done.push(format!(
                    "{}: {} for {}",
                    matched.rule.name,
                    match action {
                        Action::Store { bucket, .. } => bucket.as_str(),
                        Action::Invoke { function, .. } => function.as_str(),
                        Action::Publish { topic, .. } => topic.as_str(),
                        Action::Bounce(bounce) => bounce.sender.as_str(),
                        Action::AddHeader { name, .. } => name.as_str(),
                        Action::Stop => "stop",
                    },
                    matched.recipients.join(" ")
                ));
                let disposition = if matches!(action, Action::Invoke { .. }) { says } else { Disposition::Continue };
                match after(action, disposition) {
                    Flow::NextAction => {}
                    Flow::NextRule => continue 'rules,
                    Flow::End => break 'rules,
                }
            }
        }
        done
    }

    #[test]
    fn the_four_forms_of_recipients() {
        let table: &[(&[&str], &str, bool)] = &[
            (&["noc@example.com"], "noc@example.com", true),
            (&["noc@example.com"], "noc@EXAMPLE.Com", true),
            (&["noc@example.com"], "noc+zayo@example.com", true),
            (&["noc+zayo@example.com"], "noc+zayo@example.com", true),
            (&["noc+zayo@example.com"], "noc+colt@example.com", false),
            (&["noc@example.com"], "nocs@example.com", false),
            (&["noc@example.com"], "noc@mail.example.com", false),
            (&["noc@example.com"], "noc@example.com.evil.example", false),
            (&["example.com"], "anyone@example.com", true),
            (&["example.com"], "anyone@Example.COM", true),
            (&["example.com"], "anyone@mail.example.com", false),
            (&["example.com"], "anyone@evil-example.com", false),
            (&[".example.com"], "anyone@mail.example.com", true),
            (&[".example.com"], "anyone@a.b.EXAMPLE.com", true),
            (&[".example.com"], "anyone@example.com", false),
            (&[".example.com"], "anyone@evil-example.com", false),
            (&[".example.com"], "anyone@.example.com", false),
            (&["other.example", "example.com"], "anyone@example.com", true),
            (&[], "anyone@anywhere.example", true),
            (&[], "nobody", false),
            (&["example.com"], "\"a@b\"@example.com", true),
        ];
        for (conditions, recipient, expected) in table {
            let rules = [rule("one", conditions, vec![Action::Stop])];
            assert_eq!(any_takes(&rules, recipient), *expected, "{conditions:?} {recipient}");
        }
        assert!(!any_takes(&[], "anyone@example.com"), "no rules take nothing");
    }

    #[test]
    fn rules_run_in_order_each_for_the_recipients_it_takes() {
        let rules = [
            rule("noc", &["noc@example.com"], vec![invoke("first")]),
            rule("other", &["other.example"], vec![invoke("second")]),
            rule("all", &[], vec![invoke("third")]),
        ];
        assert_eq!(
            done(&rules, &["noc@example.com", "a@other.example", "noc+x@example.com"], Disposition::Continue),
            [
                "noc: first for noc@example.com noc+x@example.com",
                "other: second for a@other.example",
                "all: third for noc@example.com a@other.example noc+x@example.com"
            ]
        );
    }

    #[test]
    fn stop_ends_everything_after_it() {
        let rules = [
            rule("one", &["a@example.com"], vec![invoke("first"), Action::Stop, invoke("never")]),
            rule("two", &[], vec![invoke("never")]),
        ];
        assert_eq!(
            done(&rules, &["a@example.com"], Disposition::Continue),
            ["one: first for a@example.com", "one: stop for a@example.com"]
        );
        assert_eq!(done(&rules, &["b@example.com"], Disposition::Continue), ["two: never for b@example.com"]);
    }

    #[test]
    fn a_disposition_ends_the_rule_or_all_rules() {
        let rules = [
            rule("one", &[], vec![invoke("first"), Action::Stop]),
            rule("two", &[], vec![invoke("second"), invoke("third")]),
        ];
        assert_eq!(
            done(&rules, &["a@example.com"], Disposition::StopRule),
            ["one: first for a@example.com", "two: second for a@example.com"],
            "the Stop action of the first rule is not reached"
        );
        assert_eq!(done(&rules, &["a@example.com"], Disposition::StopRuleSet), ["one: first for a@example.com"]);
        for (answer, expected) in [
            (serde_json::json!({"disposition": "STOP_RULE"}), Disposition::StopRule),
            (serde_json::json!({"disposition": "STOP_RULE_SET"}), Disposition::StopRuleSet),
            (serde_json::json!({"disposition": "CONTINUE"}), Disposition::Continue),
            (serde_json::json!({"disposition": 7}), Disposition::Continue),
            (serde_json::json!(null), Disposition::Continue),
        ] {
            assert_eq!(Disposition::of(&answer), expected, "{answer}");
        }
    }
}
