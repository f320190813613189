//! Rights that a change gives: everything that the statements of desired settings allow, and those of the live ones do not.
//!
//! A right counts as new unless some live statement is seen to cover it, action by action, resource by resource, principal by
//! principal; a live statement that denies and goes gives one, too. Statements are found in the settings of every kind by their form.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Settings;
use aws::policy::{Effect, Statement};
use engine::Widening;

/// Operators of conditions of which each value allows by itself.
const EITHER: &[&str] = &["ArnEquals", "ArnLike", "StringEquals", "StringLike"];
/// Maximum number of parts that a statement is taken apart into; a larger one is compared as a whole.
const PARTS: usize = 20_000;

/// Returns the rights that desired settings give and live ones do not.
pub(crate) fn widenings(live: Option<&Settings>, desired: &Settings) -> Vec<Widening> {
    let (before, now) = (live.map(statements).unwrap_or_default(), statements(desired));
    let allows = |statement: &&Statement| statement.effect == Effect::Allow;
    let allowed: Vec<&Statement> = before.iter().map(|(_, statement)| statement).filter(allows).collect();
    let gained =
        now.iter().filter(|(_, statement)| statement.effect == Effect::Allow).filter_map(|(path, statement)| {
            let right = may(&beyond(statement, &allowed)?);
            Some(Widening { path: path.clone(), right })
        });
    let denied: Vec<&Statement> =
        now.iter().map(|(_, statement)| statement).filter(|one| one.effect == Effect::Deny).collect();
    let freed =
        before.iter().filter(|(_, statement)| statement.effect == Effect::Deny).filter_map(|(path, statement)| {
            let right = format!("no longer refused: {}", may(&beyond(statement, &denied)?));
            Some(Widening { path: path.clone(), right })
        });
    gained.chain(freed).chain(limits(live, desired)).collect()
}

/// Returns the rights that a role gets by other means than statements: managed policies, and another limit.
fn limits(live: Option<&Settings>, desired: &Settings) -> Vec<Widening> {
    let Settings::Role(desired) = desired else { return Vec::new() };
    let live = match live {
        Some(Settings::Role(live)) => Some(live),
        _ => None,
    };
    let has = |arn: &&String| live.is_some_and(|live| live.attached.contains(*arn));
    let attached = desired.attached.iter().filter(|arn| !has(arn));
    let attached =
        attached.map(|arn| Widening { path: "attached".to_owned(), right: format!("may what {arn} allows") });
    let boundary = live.and_then(|live| live.permissions_boundary.as_ref());
    let boundary = boundary.filter(|boundary| desired.permissions_boundary.as_ref() != Some(boundary));
    let unlimited = boundary.map(|boundary| Widening {
        path: "permissions_boundary".to_owned(),
        right: format!("no longer limited by {boundary}"),
    });
    attached.chain(unlimited).collect()
}

/// Returns the statements in settings, with their paths.
fn statements(settings: &Settings) -> Vec<(String, Statement)> {
    if let Settings::Permission(permission) = settings {
        let mut statement = Statement::allow(&[&permission.action], []);
        statement.principals.insert(match permission.principal.as_str() {
            "*" => "*".to_owned(),
            principal if principal.contains(':') => principal.to_owned(),
            service => format!("Service:{service}"),
        });
        for (operator, key, value) in [
            ("StringEquals", "aws:SourceAccount", &permission.source_account),
            ("ArnLike", "aws:SourceArn", &permission.source_arn),
        ] {
            if let Some(value) = value {
                statement = statement.when(operator, key, [value.clone()]);
            }
        }
        statement.other.extend(permission.other.iter().map(|other| ("other".to_owned(), other.clone())));
        return vec![(String::new(), statement)];
    }
    let mut found = Vec::new();
    collect(String::new(), &settings.tree(), &mut found);
    found
}

/// Collects the statements below a path. Settings are only as deep as their structs are nested.
fn collect(path: String, tree: &Value, found: &mut Vec<(String, Statement)>) {
    let Some(object) = tree.as_object() else { return };
    if object.get("effect").is_some_and(Value::is_string)
        && let Ok(statement) = serde_json::from_value::<Statement>(tree.clone())
    {
        found.push((path, statement));
        return;
    }
    for (key, value) in object {
        collect(if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, value, found);
    }
}

/// Returns the part of a statement that none of some others covers; `None` if they cover all of it.
fn beyond(statement: &Statement, others: &[&Statement]) -> Option<Statement> {
    let mut parts = parts(statement);
    parts.retain(|part| !others.iter().any(|other| covers(other, part)));
    let mut rest = parts.pop()?;
    for part in parts {
        rest.principals.extend(part.principals);
        rest.actions.extend(part.actions);
        rest.resources.extend(part.resources);
        for (operator, keys) in part.conditions {
            let of_operator = rest.conditions.entry(operator).or_default();
            for (key, values) in keys {
                of_operator.entry(key).or_default().extend(values);
            }
        }
    }
    Some(rest)
}

/// Returns statements with one principal, action, resource and value each, which are together what a statement is.
fn parts(statement: &Statement) -> Vec<Statement> {
    let either = |operator: &String| EITHER.contains(&operator.as_str());
    let values =
        statement.conditions.iter().filter(|(operator, _)| either(operator)).flat_map(|(_, keys)| keys.values());
    let sizes = [&statement.principals, &statement.actions, &statement.resources].into_iter().chain(values);
    let size = sizes.map(|set| set.len().max(1)).try_fold(1_usize, usize::checked_mul);
    if size.is_none_or(|size| size > PARTS) {
        return vec![statement.clone()];
    }
    let mut parts = vec![statement.clone()];
    parts = split(parts, |part| &mut part.principals);
    parts = split(parts, |part| &mut part.actions);
    parts = split(parts, |part| &mut part.resources);
    for (operator, keys) in statement.conditions.iter().filter(|(operator, _)| either(operator)) {
        for key in keys.keys() {
            parts = split(parts, |part| {
                part.conditions.entry(operator.clone()).or_default().entry(key.clone()).or_default()
            });
        }
    }
    parts
}

/// Splits each statement into one for each member of a set; one whose set is empty stays.
fn split(parts: Vec<Statement>, set: impl Fn(&mut Statement) -> &mut BTreeSet<String>) -> Vec<Statement> {
    let of_part = |part: Statement| {
        let members = set(&mut part.clone()).clone();
        if members.is_empty() {
            return vec![part];
        }
        let one = |member| {
            let mut part = part.clone();
            *set(&mut part) = BTreeSet::from([member]);
            part
        };
        members.into_iter().map(one).collect()
    };
    parts.into_iter().flat_map(of_part).collect()
}

/// Returns `true` if a statement is seen to apply wherever another one with the same effect does.
fn covers(wide: &Statement, narrow: &Statement) -> bool {
    let within = |wide: &BTreeSet<String>, narrow: &BTreeSet<String>, ignores_case: bool| {
        let matched = |one: &String| wide.iter().any(|pattern| matches(pattern, one, ignores_case));
        wide.is_empty() == narrow.is_empty() && narrow.iter().all(matched)
    };
    wide.effect == narrow.effect
        && wide.other == narrow.other
        // Only `*` is a pattern among principals.
        && (wide.principals.contains("*") || (wide.principals.is_empty() == narrow.principals.is_empty() && narrow.principals.is_subset(&wide.principals)))
        && within(&wide.actions, &narrow.actions, true)
        && within(&wide.resources, &narrow.resources, false)
        && wide.conditions.iter().all(|(operator, keys)| {
            keys.iter().all(|(key, values)| {
                let stricter = narrow.conditions.get(operator).and_then(|keys| keys.get(key));
                let is_either = EITHER.contains(&operator.as_str());
                stricter.is_some_and(|stricter| stricter == values || (is_either && stricter.is_subset(values)))
            })
        })
}

/// Returns `true` if a pattern with `*` and `?` covers every text that another pattern does, as far as can be seen.
fn matches(pattern: &str, text: &str, ignores_case: bool) -> bool {
    if ignores_case {
        return matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase(), false);
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < text.len() {
        match (pattern.get(at), text.get(read)) {
            (Some('*'), _) => {
                star = Some((at, read));
                at += 1;
            }
            (Some('?'), Some(found)) if *found != '*' => (at, read) = (at + 1, read + 1),
            (Some(wanted), Some(found)) if wanted == found => (at, read) = (at + 1, read + 1),
            _ => match star {
                Some((before, taken)) => {
                    star = Some((before, taken + 1));
                    (at, read) = (before + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|one| *one == '*'))
}

/// Returns a right in words: `ses.amazonaws.com may s3:PutObject on arn:aws:s3:::… if aws:sourceaccount is 123456789012`.
fn may(statement: &Statement) -> String {
    let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
    let mut words = Vec::new();
    if !statement.principals.is_empty() {
        words.push(statement.principals.iter().map(|one| who(one)).collect::<Vec<_>>().join(", "));
    }
    let actions = if statement.actions.is_empty() { "act".to_owned() } else { list(&statement.actions) };
    words.push(format!("may {actions}"));
    if statement.resources.contains("*") {
        words.push("on everything (*)".to_owned());
    } else if !statement.resources.is_empty() {
        words.push(format!("on {}", list(&statement.resources)));
    }
    words.extend(statement.other.iter().map(|(key, value)| format!("with {key} {value}")));
    let conditions: Vec<String> =
        statement.conditions.iter().flat_map(|(operator, keys)| condition(operator, keys)).collect();
    if !conditions.is_empty() {
        words.push(format!("if {}", conditions.join(" and ")));
    }
    words.join(" ")
}

/// Returns a principal in words.
fn who(principal: &str) -> String {
    match principal.split_once(':') {
        None if principal == "*" => "everybody (*)".to_owned(),
        Some(("AWS", account)) if account.bytes().all(|byte| byte.is_ascii_digit()) => format!("account {account}"),
        Some(("Service" | "AWS", name)) => name.to_owned(),
        _ => principal.to_owned(),
    }
}

/// Returns the conditions of one operator in words.
fn condition(operator: &str, keys: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let is = if EITHER.contains(&operator) { "is".to_owned() } else { operator.to_owned() };
    let in_words = |(key, values): (&String, &BTreeSet<String>)| {
        format!("{key} {is} {}", values.iter().cloned().collect::<Vec<_>>().join(" or "))
    };
    keys.iter().map(in_words).collect()
}

#[cfg(test)]
mod tests;
