//! Other people's rules, rule sets and filters that keep mail from the stack's rules.

use aws_sdk_ses::types::{ReceiptFilter, ReceiptFilterPolicy, ReceiptRule};
use ipnet::Ipv4Net;

use super::Finding;
use crate::desired::RuleSet;
use declaration::{Declaration, FilterPolicy, Recipient};
use engine::Stack;
use kinds::ses::{self, Snapshot, filter::range};

/// Resources of others that are in the way of the stack's mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// Findings that tell of mail that does not reach the stack's rules.
    pub cut_off: Vec<Finding>,
    /// Findings to look at once: mail reaches the stack's rules all the same.
    pub beside: Vec<Finding>,
    /// The finding that names the set and the rules that `take_over` will switch off; `None` if it switches nothing off.
    pub taken_over: Option<Finding>,
}

impl Others {
    /// Returns all findings, the worst first.
    pub fn all(self) -> impl Iterator<Item = Finding> {
        self.cut_off.into_iter().chain(self.taken_over).chain(self.beside)
    }
}

/// Returns what others have in the way of a declaration's mail.
pub fn others(stack: &Stack, declaration: &Declaration, rule_set: &RuleSet, snapshot: &Snapshot) -> Others {
    let mut found = Others::default();
    if declaration.receipt_rules.is_empty() {
        return found;
    }
    blocked(stack, declaration, snapshot, &mut found);
    let own = ses::own_set(stack);
    if let Some(active) = snapshot.active.as_ref().filter(|active| **active != own) {
        found.taken_over = declaration.take_over.then(|| taken_over(stack, active, &own, snapshot));
        found.cut_off.extend(has_rules_of(stack, snapshot, &own).then(|| left(declaration, active, &own)));
    }
    let set = match rule_set {
        RuleSet::Own => &own,
        RuleSet::Joined(name) => name,
    };
    among(stack, declaration, snapshot, set, &mut found);
    found
}

/// Returns the finding that the stack's own rule set was active, and is not any more.
fn left(declaration: &Declaration, active: &str, own: &str) -> Finding {
    let todo = if declaration.take_over {
        format!("run `provision up`, which makes `{own}` active again")
    } else {
        format!(
            "run `provision up`, which puts the rules into `{active}`, or say `take_over: true` to make `{own}` active again"
        )
    };
    let what =
        format!("rule set `{active}` is active, and no longer the stack's own `{own}`: its rules there get no mail");
    Finding::warns(what, todo)
}

/// Adds what rules of others take from the stack's rules that come behind them in a set, or will come.
fn among(stack: &Stack, declaration: &Declaration, snapshot: &Snapshot, set: &str, found: &mut Others) {
    let rules = snapshot.sets.get(set).map_or(&[][..], Vec::as_slice);
    let is_own = |rule: &ReceiptRule| ses::is_own_rule(stack, &rule.name);
    let declared = |rule: &ReceiptRule| {
        let entry = ses::rule::IDENTITY.entry_of(stack, &rule.name)?;
        declaration.receipt_rules.iter().find(|declared| declared.name == entry)
    };
    // Where none of ours is yet, they come behind all.
    let is_new = !rules.iter().any(is_own);
    for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.enabled && !is_own(rule)) {
        let behind: Vec<_> = if is_new {
            declaration.receipt_rules.iter().collect()
        } else {
            rules[index..].iter().filter_map(declared).collect()
        };
        let behind = behind.into_iter().filter(|rule| rule.enabled);
        let recipients: Vec<&[Recipient]> = behind.map(|rule| rule.recipients.as_slice()).collect();
        match in_the_way(rule, &recipients, set) {
            Some((finding, true)) => found.cut_off.push(finding),
            Some((finding, false)) => found.beside.push(finding),
            None => {}
        }
    }
}

/// Most addresses that filters of others may block without being suspected of keeping out who sends to the stack: a `/16` has one more.
const FEW_ADDRESSES: u64 = 65_535;

/// Adds what filters of others refuse before any rule sees it, but for addresses that the stack itself allows some of: who does knows.
fn blocked(stack: &Stack, declaration: &Declaration, snapshot: &Snapshot, found: &mut Others) {
    let Ok(filters) = &snapshot.filters else { return };
    let allowed = declaration.receipt_filters.iter().filter(|filter| filter.policy == FilterPolicy::Allow);
    let allowed: Vec<Ipv4Net> = allowed.map(|filter| filter.cidr).collect();
    let of_others = filters.iter().filter(|filter| !ses::is_own_filter(stack, &filter.name));
    let blocking: Vec<(&str, Ipv4Net)> = of_others
        .filter_map(blocked_by)
        .filter(|(_, net)| !allowed.iter().any(|allowed| allowed.contains(net) || net.contains(allowed)))
        .collect();
    let Some((one, _)) = blocking.first() else { return };
    let ranges: Vec<String> = blocking.iter().map(|(name, net)| format!("`{name}` ({net})")).collect();
    let what = match ranges.as_slice() {
        [one] => format!("somebody's IP filter {one} refuses mail before any rule of the stack sees it"),
        several => {
            format!("somebody's IP filters {} refuse mail before any rule of the stack sees it", several.join(", "))
        }
    };
    let todo = format!(
        "ask the owner of `{one}` about it, or let in who sends to the stack: `receipt_filters: [{{name: carriers, policy: allow, cidr: 192.0.2.0/24}}]`"
    );
    let count: u64 = blocking.iter().map(|(_, net)| 1_u64 << (32 - net.prefix_len())).sum();
    let finding = Finding::warns(what, todo);
    if count > FEW_ADDRESSES { found.cut_off.push(finding) } else { found.beside.push(finding) }
}

/// Returns the name of a filter and the addresses that it blocks; `None` if it blocks none that can be read.
fn blocked_by(filter: &ReceiptFilter) -> Option<(&str, Ipv4Net)> {
    let of = filter.ip_filter.as_ref().filter(|of| of.policy == ReceiptFilterPolicy::Block)?;
    Some((&filter.name, range(&of.cidr).parse().ok()?))
}

fn has_rules_of(stack: &Stack, snapshot: &Snapshot, set: &str) -> bool {
    snapshot.names(set).iter().any(|name| ses::is_own_rule(stack, name))
}

/// Returns the finding that names the set and the rules that `take_over` switches off.
fn taken_over(stack: &Stack, active: &str, own: &str, snapshot: &Snapshot) -> Finding {
    let names = snapshot.names(active).into_iter().filter(|name| !ses::is_own_rule(stack, name));
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let rules = match names.as_slice() {
        [] => "which has no rules of others".to_owned(),
        [one] => format!("whose rule {one} then gets no mail"),
        several => format!("whose rules {} then get no mail", several.join(", ")),
    };
    let what = format!("`take_over` makes rule set `{own}` active instead of `{active}`, {rules}");
    Finding::warns(what, format!("leave `take_over` out to join `{active}`, if that is not meant"))
}

/// Returns a finding if a rule of somebody else may stop the mail of ours behind it, or act on it as well; `true` if ours lose mail
/// that they name, or all of it.
fn in_the_way(rule: &ReceiptRule, ours: &[&[Recipient]], set: &str) -> Option<(Finding, bool)> {
    let taken: Vec<String> =
        rule.recipients.iter().flatten().map(|recipient| recipient.trim().to_lowercase()).collect();
    let names =
        |ours: &[Recipient]| ours.iter().any(|ours| taken.iter().any(|theirs| overlap(theirs, &ours.to_string())));
    let takes_all = taken.is_empty();
    let takes_ours = takes_all || ours.iter().any(|ours| ours.is_empty() || names(ours));
    let stops = rule.actions.iter().flatten().any(|action| action.stop_action.is_some());
    if ours.is_empty() || !takes_ours {
        return None;
    }
    let what = match (stops, takes_all) {
        (true, true) => "takes every mail and stops: none reaches those behind it",
        (true, false) => "stops: what it takes does not reach those behind it",
        (false, true) => "takes every mail, the stack's too",
        (false, false) => return None,
    };
    let what =
        format!("somebody's rule `{}` comes before rules of the stack in rule set `{set}` and {what}", rule.name);
    let finding = Finding::warns(what, "ask its owner to put it behind them, if that is not meant");
    // Who takes the mail of all others leaves to these what they name.
    Some((finding, stops && (takes_all || ours.iter().any(|ours| names(ours)))))
}

/// Returns whether two recipients in SES's form take mail of one address.
fn overlap(one: &str, other: &str) -> bool {
    let other = other.to_lowercase();
    let contains = |wide: &str, narrow: &str| {
        let domain = narrow.rsplit('@').next().unwrap_or(narrow);
        match wide.strip_prefix('.') {
            Some(_) => domain.ends_with(wide),
            None => wide == narrow || (!wide.contains('@') && wide == domain),
        }
    };
    contains(one, &other) || contains(&other, one)
}

#[cfg(test)]
mod tests {
    use aws_sdk_ses::types::{ReceiptAction, StopAction, StopScope};

    use super::*;

    fn rule(name: &str, recipients: &[&str], stops: bool) -> ReceiptRule {
        let recipients = recipients.iter().map(|one| (*one).to_owned()).collect();
        let rule = ReceiptRule::builder().name(name).enabled(true).set_recipients(Some(recipients));
        let stop = StopAction::builder().scope(StopScope::RuleSet).build().unwrap();
        let stop = ReceiptAction::builder().stop_action(stop).build();
        rule.set_actions(Some(if stops { vec![stop] } else { Vec::new() })).build().unwrap()
    }

    fn own(name: &str) -> ReceiptRule {
        rule(&format!("mail.{name}"), &[], false)
    }

    /// Returns what is told of a set of others that the stack joins, and whose rules are these.
    fn told(rules: Vec<ReceiptRule>) -> Others {
        in_sets(Some("company"), &[("company", rules)], false)
    }

    fn in_sets(active: Option<&str>, sets: &[(&str, Vec<ReceiptRule>)], take_over: bool) -> Others {
        let source = format!(
            "stack: mail\nregion: eu-west-1\ntake_over: {take_over}\nbuckets: {{mail: {{}}}}\nreceipt_rules:\n  \
             - {{name: one, recipients: [noc@example.com, .sub.example.com], actions: [{{store: mail}}]}}\n  \
             - {{name: rest, actions: [{{store: mail}}]}}\n"
        );
        let checked = Declaration::parse(std::path::Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
        let mut snapshot = Snapshot { active: active.map(str::to_owned), ..Snapshot::default() };
        snapshot.sets = sets.iter().map(|(name, rules)| ((*name).to_owned(), rules.clone())).collect();
        let set = match active {
            Some(active) if active != "mail" && !take_over => RuleSet::Joined(active.to_owned()),
            _ => RuleSet::Own,
        };
        let stack = Stack { name: "mail".to_owned(), stage: None, region: "eu-west-1".to_owned() };
        others(&stack, &checked.declarations[0], &set, &snapshot)
    }

    fn counts(others: &Others) -> (usize, usize) {
        (others.cut_off.len(), others.beside.len())
    }

    #[test]
    fn a_rule_of_others_that_stops_mail_that_ours_name_cuts_it_off_wherever_it_comes_before_them() {
        let stops = |recipients: &[&str]| rule("stops", recipients, true);
        for (recipients, cuts) in [
            (&[][..], true),
            (&["NOC@Example.com"], true),
            (&["example.com"], true),
            (&[".example.com"], true),
            (&["a.sub.example.com"], true),
            (&["boss@a.sub.example.com"], true),
            (&["boss@example.com"], false),
            (&["sub.example.com"], false),
            (&[".example.net"], false),
        ] {
            let expected = if cuts { (1, 0) } else { (0, 1) };
            assert_eq!(counts(&told(vec![stops(recipients)])), expected, "before the first up: {recipients:?}");
            assert_eq!(counts(&told(vec![stops(recipients), own("one"), own("rest")])), expected, "{recipients:?}");
            // Between ours it takes from those behind it alone: of the last, which takes the rest.
            let between = told(vec![own("one"), stops(recipients), own("rest")]);
            assert_eq!(counts(&between), if recipients.is_empty() { (1, 0) } else { (0, 1) }, "{recipients:?}");
            assert_eq!(counts(&told(vec![own("one"), own("rest"), stops(recipients)])), (0, 0));
        }
        let mut off = stops(&[]);
        off.enabled = false;
        assert_eq!(counts(&told(vec![off, own("one")])), (0, 0));
        assert_eq!(counts(&told(vec![rule("all", &[], false), own("one")])), (0, 1), "ours get it, too");
        assert_eq!(counts(&told(vec![rule("theirs", &["noc@example.com"], false), own("one")])), (0, 0));
    }

    #[test]
    fn filters_of_others_that_block_many_addresses_cut_the_stack_off_unless_it_allows_some_of_them() {
        use aws_sdk_ses::types::ReceiptIpFilter;

        type Row<'row> = (&'row [(&'row str, &'row str, &'row str)], &'row str, (usize, usize));
        let filter = |name: &str, policy: &str, cidr: &str| {
            let of = ReceiptIpFilter::builder().policy(policy.into()).cidr(cidr).build().unwrap();
            ReceiptFilter::builder().name(name).ip_filter(of).build().unwrap()
        };
        let told = |filters: &[(&str, &str, &str)], allowed: &str| {
            let allowed = match allowed {
                "" => String::new(),
                cidr => format!("receipt_filters: [{{name: carriers, policy: allow, cidr: {cidr}}}]\n"),
            };
            let source = format!(
                "stack: mail\nregion: eu-west-1\nbuckets: {{mail: {{}}}}\nreceipt_rules: [{{name: one, actions: [{{store: mail}}]}}]\n{allowed}"
            );
            let checked = Declaration::parse(std::path::Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
            let filters = filters.iter().map(|(name, policy, cidr)| filter(name, policy, cidr)).collect();
            let snapshot = Snapshot { filters: Ok(filters), ..Snapshot::default() };
            let stack = Stack { name: "mail".to_owned(), stage: None, region: "eu-west-1".to_owned() };
            others(&stack, &checked.declarations[0], &RuleSet::Own, &snapshot)
        };
        let rows: &[Row<'_>] = &[
            (&[], "", (0, 0)),
            (&[("theirs", "Block", "0.0.0.0/0")], "", (1, 0)),
            (&[("theirs", "Block", "198.51.0.0/16")], "", (1, 0)),
            (&[("theirs", "Block", "198.51.7.9/16")], "", (1, 0)),
            (&[("theirs", "Block", "198.51.100.0/24")], "", (0, 1)),
            (&[("theirs", "Block", "198.51.100.7")], "", (0, 1)),
            // Halves of all addresses, one by one.
            (&[("a", "Block", "198.51.0.0/17"), ("b", "Block", "198.51.128.0/17")], "", (1, 0)),
            (&[("theirs", "Allow", "198.51.100.0/24")], "", (0, 0)),
            (&[("theirs", "Block", "0.0.0.0/0"), ("friends", "Allow", "198.51.100.0/24")], "", (1, 0)),
            (&[("theirs", "Block", "0.0.0.0/0")], "192.0.2.0/24", (0, 0)),
            (&[("theirs", "Block", "198.51.0.0/16")], "192.0.2.0/24", (1, 0)),
            (&[("theirs", "Block", "198.51.100.0/24")], "198.51.0.0/16", (0, 0)),
            // The stack's own, and that of another stack.
            (&[("mail_everybody", "Block", "0.0.0.0/0")], "", (0, 0)),
            (&[("mail_prod_everybody", "Block", "0.0.0.0/0")], "", (1, 0)),
            (&[("mail-prod_everybody", "Block", "0.0.0.0/0")], "", (1, 0)),
        ];
        for (filters, allowed, expected) in rows {
            assert_eq!(counts(&told(filters, allowed)), *expected, "{filters:?} {allowed}");
        }
    }

    #[test]
    fn another_active_set_is_told_and_whose_rules_a_take_over_switches_off() {
        let ours = ("mail", vec![own("one"), own("rest")]);
        let company = ("company", vec![rule("a", &["a@example.net"], false), rule("b", &["b@example.net"], false)]);
        let sets = [ours, company.clone()];
        assert_eq!(counts(&in_sets(Some("mail"), &sets, false)), (0, 0));
        let lost = in_sets(Some("company"), &sets, false);
        assert!(
            lost.cut_off[0].what.starts_with("rule set `company` is active, and no longer the stack's own `mail`"),
            "{lost:?}"
        );
        assert_eq!(counts(&in_sets(None, &sets, false)), (0, 0), "that is a difference of the stack's own");
        let again = in_sets(Some("company"), &sets, true);
        assert_eq!((counts(&again), again.taken_over.is_some()), ((1, 0), true), "it gets no mail until then");
        assert_eq!(again.cut_off[0].todo, "run `provision up`, which makes `mail` active again");
        assert_eq!(lost.taken_over, None);
        let taken = in_sets(Some("company"), &[company], true);
        let said =
            "`take_over` makes rule set `mail` active instead of `company`, whose rules `a`, `b` then get no mail";
        assert_eq!((taken.taken_over.as_ref().map(|one| one.what.as_str()), counts(&taken)), (Some(said), (0, 0)));
    }
}
