//! Renders a plan: the action on each resource, in their order, and a last line that can be searched for.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use console::Style;
use serde_json::{Value, json};

use super::{
    VERSION,
    look::{Look, clean},
};
use crate::cli::{Common, Down};
use aws::Aws;
use contract::{address::shown as shown_address, secret::REDACTED};
use engine::{Action, Class, Counts, Difference, Failure, Loses, Loss, Protection, Reasons, Widening, differences};
use kinds::{Id, Item, Plan};
use problem::{Problem, shell_word};
use stack::preconditions::Others;

/// The heading of a plan: file or stack, account and region.
#[derive(Debug, Clone)]
pub(crate) struct Heading {
    /// File of the declaration, or the stack's name if there is none.
    pub(crate) source: String,
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Heading {
    /// Returns the heading of a declaration's plan.
    pub(crate) fn new(common: &Common, aws: &Aws) -> Self {
        let source = common.file.display().to_string();
        Self { source, account: aws.realm.account.clone(), region: aws.realm.region.clone() }
    }

    /// Returns the heading of a deletion: the file, or the stack's name if there is no declaration.
    pub(crate) fn of_stack(common: &Common, typed: &Down, aws: &Aws) -> Self {
        let heading = Self::new(common, aws);
        Self {
            source: typed.stack.as_ref().map_or(heading.source.clone(), |name| match &common.stage {
                Some(stage) => format!("stack {name}, stage {stage}"),
                None => format!("stack {name}"),
            }),
            ..heading
        }
    }
}

/// Returns the plan as a table of changes.
pub(crate) fn text(heading: &Heading, plan: &Plan, look: &Look) -> String {
    let mut text = format!("{} → account {}, {}\n\n", clean(&heading.source), heading.account, heading.region);
    let unreached = unreached(plan);
    let is_reached = |failure: &Failure| !unreached.contains_key(service(failure));
    let shown = plan.items().iter().filter(|item| match &item.action {
        Action::Unchanged => !item.protections.is_empty(),
        Action::Unreadable { failure } => is_reached(failure),
        _ => true,
    });
    let mut is_any = !unreached.is_empty();
    for item in shown {
        is_any = true;
        text.push_str(&entry(item, look));
    }
    for (service, (failure, unknown)) in &unreached {
        let mark = look.paint(Style::new().red().bold(), "!");
        let words = format!("{service} cannot be reached: {}", clean(&failure.message));
        let _ = writeln!(
            text,
            "  {mark} {words}\n      {} unknown",
            unknown.iter().cloned().collect::<Vec<_>>().join(", ")
        );
    }
    for unlisted in plan.unlisted.iter().filter(|unlisted| is_reached(&unlisted.failure)) {
        is_any = true;
        let mark = look.paint(Style::new().red().bold(), "!");
        let _ = writeln!(
            text,
            "  {mark} every {}   could not be listed: {}",
            unlisted.kind.name(),
            clean(&unlisted.failure.to_string())
        );
    }
    if is_any {
        text.push('\n');
    }
    if !look.whole && plan.counts().create > 0 {
        text.push_str("With `-v`, new resources are shown with their settings.\n");
    }
    text + &summary(plan.counts())
}

/// Returns the services that did not answer, with the first failure and what is unknown for it.
fn unreached(plan: &Plan) -> BTreeMap<&str, (&Failure, BTreeSet<String>)> {
    let items = plan.items().iter().filter_map(|item| match &item.action {
        Action::Unreadable { failure } => Some((failure, item.id.to_string())),
        _ => None,
    });
    let kinds = plan.unlisted.iter().map(|unlisted| (&unlisted.failure, format!("every {}", unlisted.kind.name())));
    let mut services: BTreeMap<&str, (&Failure, BTreeSet<String>)> = BTreeMap::new();
    for (failure, what) in items.chain(kinds).filter(|(failure, _)| failure.class == Class::Unreachable) {
        services.entry(service(failure)).or_insert((failure, BTreeSet::new())).1.insert(what);
    }
    services.retain(|_, (_, unknown)| unknown.len() > 1);
    services
}

/// Returns the service of a failed call.
fn service(failure: &Failure) -> &str {
    failure.call.split('.').next().unwrap_or_default()
}

/// Returns the plan as one JSON document.
pub(crate) fn json(heading: &Heading, plan: &Plan) -> Value {
    json!({
        "version": VERSION,
        "account": heading.account,
        "region": heading.region,
        "resources": plan.items().iter().map(document).collect::<Vec<_>>(),
        "unlisted": plan.unlisted,
        "counts": plan.counts(),
        "converged": plan.is_converged(),
        "allow_delete": needed(plan),
    })
}

/// Returns the same with what cuts the stack off from its mail, and whose mail the plan takes over.
pub(crate) fn json_with(heading: &Heading, plan: &Plan, others: &Others) -> Value {
    let mut document = json(heading, plan);
    if let Some(document) = document.as_object_mut() {
        document.insert("cut_off".to_owned(), json!(others.cut_off));
        document.insert("taken_over".to_owned(), json!(others.taken_over.as_slice()));
    }
    document
}

/// Returns the summary: `Plan: 1 to create, 0 to change, …`; zero counts at the end are left out.
pub(crate) fn summary(counts: Counts) -> String {
    let Counts { create, change, replace, delete, unchanged, kept, unreadable, foreign } = counts;
    let mut text = format!(
        "Plan: {create} to create, {change} to change, {replace} to replace, {delete} to delete; {unchanged} unchanged"
    );
    for (count, word) in [(kept, "kept"), (unreadable, "unreadable"), (foreign, "not ours")] {
        if count > 0 {
            let _ = write!(text, "; {count} {word}");
        }
    }
    text
}

pub(super) fn entry(item: &Item, look: &Look) -> String {
    let (mark, style, words) = match &item.action {
        Action::Unchanged => ("=", Style::new().cyan(), "   unchanged".to_owned()),
        Action::Create => ("+", Style::new().green(), String::new()),
        Action::Change { .. } => ("~", Style::new().yellow(), String::new()),
        Action::Replace { .. } => ("-/+", Style::new().red(), String::new()),
        Action::Delete => ("-", Style::new().red(), String::new()),
        Action::Keep { why } => ("=", Style::new().cyan(), format!("   stays: {why}")),
        Action::Unreadable { failure } => ("!", Style::new().red().bold(), format!("   could not be read: {failure}")),
        Action::Foreign { owner } => ("!", Style::new().red().bold(), format!("   is not touched: {owner}")),
    };
    let folded = folded(item, look);
    let mut text = format!("  {} {}{}{folded}\n", look.paint(style, mark), item.id, clean(&words));
    if let Some(from) = &item.moved_from {
        let (from, to) = (Id::new(item.id.kind, from).typed(), item.id.typed());
        let _ = writeln!(text, "      {to}  moved from {from}, keeps its name {}", clean(&item.address.name));
    }
    match &item.action {
        Action::Change { differences } => text.push_str(&fields(differences, None, item.unchanged_fields, look)),
        Action::Replace { differences, reasons } => {
            text.push_str(&fields(differences, Some(reasons), item.unchanged_fields, look));
        }
        _ => {}
    }
    text.push_str(&approval(item, look));
    for loss in losses(item) {
        let mark = look.paint(Style::new().red().bold(), "!");
        let needs = if item.agreed { "agreed".to_owned() } else { format!("needs `{}`", flag(item)) };
        let _ = writeln!(text, "      {mark} {loss}; {needs}");
    }
    for Protection { path, value, why } in &item.protections {
        let _ = writeln!(text, "      {}   {} stays, not declared: {why}", clean(path), clean(value));
    }
    text
}

/// Returns what an item takes away for good, in words.
pub(crate) fn losses(item: &Item) -> Vec<String> {
    item.losses.iter().map(in_words).collect()
}

fn in_words(loss: &Loss) -> String {
    let path = loss.path.as_deref().unwrap_or_default();
    let [from, to] = [&loss.from, &loss.to].map(|side| value(&shown(path, side)));
    match loss.loses {
        Loses::Data if loss.from.is_null() => "deletes the data that it may hold".to_owned(),
        Loses::Data => format!("deletes the data that it holds: {}", clean(loss.from.as_str().unwrap_or(&from))),
        Loses::Protected => "deletes what is protected".to_owned(),
        Loses::Protection => "switches its protection off".to_owned(),
        Loses::Life => format!("shortens the life of data: {} {from} → {to}", clean(path)),
        Loses::Others => format!("removes what others made: {} {from}", clean(path)),
    }
}

/// Returns the names of the resources whose losses nobody has agreed to.
fn needed(plan: &Plan) -> Vec<String> {
    plan.unconsented().iter().map(|item| item.id.typed()).collect()
}

/// Returns the flag that agrees to the losses of an item, as a shell takes it.
fn flag(item: &Item) -> String {
    format!("--allow-delete {}", shell_word(&item.id.typed()))
}

/// Returns the error of a plan with losses that nobody has agreed to.
pub(crate) fn unconsented(open: &[&Item]) -> Problem {
    let flags: Vec<String> = open.iter().map(|item| flag(item)).collect();
    let mut hint = format!("to agree, add {}", flags.join(" "));
    if open.iter().any(|item| item.losses.iter().any(|loss| loss.loses == Loses::Protected)) {
        hint.push_str("; to protect it no longer, declare `protect: false` and apply that first");
    }
    Problem::new("Failed to start: the plan would take away for good what nobody has named; nothing was done")
        .with_hint(hint)
}

/// Returns the same as one JSON document.
pub(crate) fn json_of_unconsented(heading: &Heading, plan: &Plan, open: &[&Item]) -> Value {
    let problem = unconsented(open);
    let names: Vec<String> = open.iter().map(|item| item.id.typed()).collect();
    let hints: Vec<&str> = problem.hint().into_iter().collect();
    json!({
        "version": VERSION,
        "error": {"message": problem.to_string(), "causes": [], "hints": hints},
        "allow_delete": names,
        "plan": json(heading, plan),
    })
}

/// Returns what somebody looks for who approves an action: the rights that it gives, why and for how long, and the settings of what is new.
fn approval(item: &Item, look: &Look) -> String {
    let mut text = String::new();
    for Widening { path, right } in &item.widenings {
        let path = if item.settings.is_some() || path.is_empty() { String::new() } else { format!("{path}: ") };
        text.push_str(&look.wrapped(6, &format!("widens rights: {}{}", clean(&path), clean(right))));
    }
    if let Some(parent) = &item.renewed_with {
        let _ = writeln!(text, "      created anew with {parent}, which is replaced");
    }
    if let Some(slow) = item.slow {
        let [usual, most] = [slow.seconds, slow.most()].map(|seconds| seconds.div_ceil(60));
        text.push_str(&look.wrapped(6, &format!("usually takes {usual} min, {most} at most: {}", slow.why)));
    }
    if let Some(seconds) = item.interrupts {
        let _ = writeln!(text, "      interrupts what flows through it for about {seconds} s");
    }
    text + &item.settings.as_ref().filter(|_| look.whole).map(settings).unwrap_or_default()
}

/// Returns the number of settings of a new resource, where they are not shown.
fn folded(item: &Item, look: &Look) -> String {
    let count = item.settings.as_ref().map_or(0, |tree| differences(&Value::Null, tree).len());
    let words = match count {
        0 => return String::new(),
        _ if look.whole => return String::new(),
        1 => "# 1 setting".to_owned(),
        _ => format!("# {count} settings"),
    };
    format!("   {}", look.paint(Style::new().dim(), &words))
}

/// Returns the settings of a new resource, one in a line.
fn settings(tree: &Value) -> String {
    let leaves = differences(&Value::Null, tree);
    let width = leaves.iter().map(|leaf| leaf.path.chars().count()).max().unwrap_or(0);
    let line = |leaf: &Difference| {
        let (path, value) = (clean(&leaf.path), value(&shown(&leaf.path, &leaf.declared)));
        format!("      {path:<width$}   {value}\n")
    };
    leaves.iter().map(line).collect()
}

fn fields(differences: &[Difference], reasons: Option<&Reasons>, unchanged: usize, look: &Look) -> String {
    let width = differences.iter().map(|difference| difference.path.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for difference in differences {
        let path = clean(&difference.path);
        let [live, declared] =
            [&difference.live, &difference.declared].map(|side| value(&shown(&difference.path, side)));
        let _ = write!(text, "      {path:<width$}   {live} → {declared}");
        if let Some(reason) = reasons.and_then(|reasons| reasons.iter().find(|reason| reason.path == difference.path)) {
            let _ = write!(text, "   forces replacement: {}", reason.why);
        }
        text.push('\n');
    }
    if unchanged > 0 {
        let _ = writeln!(text, "      {}", look.paint(Style::new().dim(), &format!("# {unchanged} unchanged")));
    }
    text
}

/// Returns an item as JSON, without what may be secret in it.
pub(super) fn document(item: &Item) -> Value {
    let mut document = json!(item);
    let differences = document.get_mut("differences").and_then(Value::as_array_mut);
    for difference in differences.into_iter().flatten() {
        let path = difference.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
        for side in ["live", "declared"] {
            if let Some(value) = difference.get_mut(side) {
                *value = shown(&path, value);
            }
        }
    }
    if let Some(settings) = document.get_mut("settings") {
        redact("", settings);
    }
    document
}

/// Redacts what may be secret below a path. Settings are only as deep as their structs are nested.
fn redact(path: &str, tree: &mut Value) {
    let Some(object) = tree.as_object_mut() else {
        *tree = shown(path, tree);
        return;
    };
    for (key, value) in object {
        redact(&if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, value);
    }
}

/// Returns a value as it may be shown: of a function's variables no tokens and passwords, should somebody have written one there, and of
/// an address scheme and host, since its path may be what a server knows a sender by.
fn shown(path: &str, value: &Value) -> Value {
    let (Some(variable), Some(text)) = (path.strip_prefix("environment."), value.as_str()) else {
        return value.clone();
    };
    let variable = variable.to_ascii_uppercase();
    if ["TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "PRIVATE", "_KEY"].iter().any(|word| variable.contains(word)) {
        return json!(REDACTED);
    }
    let address = shown_address(text);
    if text.contains("://") && address != text { json!(format!("{address}/…")) } else { value.clone() }
}

/// Renders a value as in JSON; a missing one is `none`.
fn value(value: &Value) -> String {
    if value.is_null() { "none".to_owned() } else { clean(&value.to_string()) }
}
