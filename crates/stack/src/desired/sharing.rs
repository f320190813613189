//! Statements and permissions that the stack's receipt rules share: AWS limits the size of a policy, and a set may have 200 rules.
//!
//! A pattern stands for all rules of a stack: their names begin with the stack and its stage, and a dot ends that beginning. Without a
//! stage the beginning is that of the same stack's stages, too. So a small stack without a stage names its rules one by one, and a large
//! one leaves out what has a stage, where a policy can.

use std::collections::BTreeSet;

use super::Blueprint;
use aws::policy::Statement;
use kinds::Kind;

/// SES as a principal.
pub(super) const SES: &str = "ses.amazonaws.com";
/// Part of the id of what all rules of a stack share. No rule has an underscore.
pub(super) const ALL_RULES: &str = "_rules";
/// Most rules that a stack without a stage names one by one.
const FEW_RULES: usize = 20;
/// Most bytes of the places in a bucket that one statement names; with more, their folders are named.
const MOST_PLACES: usize = 14_000;

/// Rules that one statement is for.
pub(super) struct Group<'given> {
    /// Part of the statement's id: the name of the one rule, or [`ALL_RULES`].
    pub(super) part: &'given str,
    /// Rules by entry, each once.
    pub(super) rules: BTreeSet<&'given str>,
    /// ARN of the one rule, or patterns of all rules of the stack.
    pub(super) sources: Vec<String>,
}

impl<'given> Blueprint<'given> {
    /// Returns `true` if all rules of the stack share their statements.
    fn shares(&self) -> bool {
        self.names().stack().stage.is_some() || self.declaration.receipt_rules.len() > FEW_RULES
    }

    /// Divides rules into those that share a statement.
    pub(super) fn groups(&self, rules: impl IntoIterator<Item = &'given str>) -> Vec<Group<'given>> {
        let rules: BTreeSet<&str> = rules.into_iter().collect();
        if !self.shares() {
            let alone = |rule| Group { part: rule, rules: BTreeSet::from([rule]), sources: vec![self.rule_arn(rule)] };
            return rules.into_iter().map(alone).collect();
        }
        let group = Group { part: ALL_RULES, rules, sources: self.patterns() };
        if group.rules.is_empty() { Vec::new() } else { vec![group] }
    }

    /// Returns the group that a rule belongs to.
    pub(super) fn group_of(&self, rule: &'given str) -> Option<Group<'given>> {
        self.groups([rule]).pop()
    }

    /// Returns the patterns of the ARNs of the stack's rules: one, and another if some names are cut.
    fn patterns(&self) -> Vec<String> {
        let names = self.names();
        let set = self.given.rule_set.name(names);
        let beginnings: BTreeSet<String> = self
            .declaration
            .receipt_rules
            .iter()
            .filter_map(|rule| Some(names.name(Kind::ReceiptRule, &rule.name).rsplit_once('.')?.0.to_owned()))
            .collect();
        beginnings.iter().map(|beginning| names.rule_arn_of(&set, &format!("{beginning}.*"))).collect()
    }

    /// Returns a statement for SES alone, on behalf of a group of rules in this account.
    pub(super) fn for_rules(&self, statement: Statement, group: &Group<'_>) -> Statement {
        let (names, statement) = (self.names(), statement.for_service(SES));
        if group.part != ALL_RULES {
            return statement.with_source(names.account(), group.sources.iter().cloned());
        }
        let account = [names.account().to_owned()];
        let statement = statement.when("StringEquals", "aws:SourceAccount", account);
        let statement = statement.when("ArnLike", "aws:SourceArn", group.sources.iter().cloned());
        if names.stack().stage.is_some() {
            return statement;
        }
        // In whichever set, so that two statements differ in their sources alone.
        let of_stages = names.rule_arn_of("*", &format!("{}.*.*", names.stack().dotted()));
        statement.when("ArnNotLike", "aws:SourceArn", [of_stages])
    }
}

/// Returns the places below these prefixes of a bucket, as a statement names them: what is below another one is left out, and of too
/// many the folders are named.
pub(super) fn places<'prefix>(arn: &str, prefixes: impl IntoIterator<Item = &'prefix str>) -> BTreeSet<String> {
    let mut folders: BTreeSet<&str> = prefixes.into_iter().collect();
    loop {
        let all = folders.clone();
        folders.retain(|one| !all.iter().any(|other| other != one && one.starts_with(other)));
        let places: BTreeSet<String> = folders.iter().map(|folder| format!("{arn}/{folder}*")).collect();
        // Two quotes and a comma are about each.
        if places.iter().map(|place| place.len() + 3).sum::<usize>() <= MOST_PLACES {
            return places;
        }
        let depth = |folder: &str| folder.matches('/').count();
        let deepest = folders.iter().map(|folder| depth(folder)).max().unwrap_or_default();
        folders = folders.iter().map(|folder| if depth(folder) == deepest { above(folder) } else { folder }).collect();
    }
}

/// Returns the folder that a folder is in: `a/` for `a/b/`; empty for `a/`.
fn above(folder: &str) -> &str {
    let name = folder.strip_suffix('/').unwrap_or(folder);
    name.rfind('/').and_then(|end| folder.get(..=end)).unwrap_or_default()
}
