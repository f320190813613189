//! `stages: {prod: {…}}`: the overrides of each stage, laid over the base before anything is read.
//!
//! A mapping is merged into a mapping key by key; any other value, a list too, replaces the base's; null removes it. Every
//! node keeps its place in the file, so that a mistake is shown where it was written.

use std::ops::Range;

use super::{
    diagnostic::Diagnostic,
    reader::choose,
    scalars,
    tree::{Key, Node, Value},
};

/// The stages of a declaration, taken out of it.
#[derive(Debug)]
pub(super) struct Stages {
    entries: Vec<(Key, Node)>,
    /// Diagnostics that hold whichever stage is chosen.
    diagnostics: Vec<Diagnostic>,
}

impl Stages {
    /// Takes the stages out of a declaration.
    pub(super) fn take(root: &mut Node) -> Self {
        let Value::Map(sections) = &mut root.value else {
            return Self { entries: Vec::new(), diagnostics: Vec::new() };
        };
        let Some(index) = sections.iter().position(|(key, _)| key.name == "stages") else {
            return Self { entries: Vec::new(), diagnostics: Vec::new() };
        };
        let (key, node) = sections.remove(index);
        let mut diagnostics = Vec::new();
        let entries = match node.value {
            Value::Map(entries) if !entries.is_empty() => entries,
            Value::Map(_) | Value::Null => {
                diagnostics.push(
                    Diagnostic::new(key.span, "`stages` has no stage")
                        .with_hint("add one, such as `prod: {}`, or take `stages` away"),
                );
                Vec::new()
            }
            other => {
                let message = format!("`stages` must be a mapping (`key: value`), not {}", other.describe());
                diagnostics.push(Diagnostic::new(node.span, message));
                Vec::new()
            }
        };
        for (index, (key, node)) in entries.iter().enumerate() {
            diagnostics.extend(unsound(key, node));
            if entries.iter().take(index).any(|(other, _)| other.name == key.name) {
                let message = format!("stage `{}` is there twice", key.name.escape_debug());
                diagnostics.push(Diagnostic::new(key.span.clone(), message).with_hint("remove one of them"));
            }
        }
        Self { entries, diagnostics }
    }

    /// Returns the diagnostics that hold whichever stage is chosen.
    pub(super) fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Returns the names of the stages, in the order of the file.
    pub(super) fn names(&self) -> Vec<String> {
        self.entries.iter().map(|(key, _)| key.name.clone()).collect()
    }

    /// Returns the place of a stage's name.
    pub(super) fn span(&self, stage: &str) -> Range<usize> {
        self.entries.iter().find(|(key, _)| key.name == stage).map_or(0..0, |(key, _)| key.span.clone())
    }

    /// Returns the declaration in a stage, with diagnostics for keys that the stage removes although they do not exist;
    /// `None` for an unknown stage.
    pub(super) fn laid_over(&self, base: &Node, stage: &str) -> Option<(Node, Vec<Diagnostic>)> {
        let (_, overlay) = self.entries.iter().find(|(key, _)| key.name == stage)?;
        let (mut merged, mut diagnostics) = (base.clone(), Vec::new());
        lay_over(&mut merged, overlay, &mut diagnostics);
        Some((merged, diagnostics))
    }
}

/// Checks a stage's name, and that it overrides nothing that it must not.
fn unsound(key: &Key, node: &Node) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if let Err(wrong) = scalars::name(&key.name) {
        let expected = wrong.expected.unwrap_or_default();
        let message = format!("the name of a stage must be {expected}, not `{}`", key.name.escape_debug());
        diagnostics.push(Diagnostic::new(key.span.clone(), message));
    }
    match &node.value {
        Value::Map(sections) => {
            for (section, _) in
                sections.iter().filter(|(section, _)| matches!(section.name.as_str(), "stack" | "stages"))
            {
                let message = format!("a stage cannot have `{}` of its own", section.name);
                diagnostics.push(
                    Diagnostic::new(section.span.clone(), message)
                        .with_hint("names in AWS have the stage's name after the stack's"),
                );
            }
        }
        Value::Null => {}
        other => {
            let message = format!("stage `{}` must be a mapping (`key: value`), not {}", key.name, other.describe());
            diagnostics.push(Diagnostic::new(node.span.clone(), message));
        }
    }
    diagnostics
}

/// Merges one mapping into another. The recursion is bounded, since the file's depth is.
fn lay_over(base: &mut Node, overlay: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let Value::Map(changes) = &overlay.value else { return };
    if matches!(base.value, Value::Null) {
        base.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut base.value else {
        *base = overlay.clone();
        return;
    };
    for (key, change) in changes {
        let index = entries.iter().position(|(known, _)| known.name == key.name);
        match (index, &change.value) {
            (Some(index), Value::Null) => {
                entries.remove(index);
            }
            (None, Value::Null) => {
                let known: Vec<_> = entries.iter().map(|(known, _)| known.name.as_str()).collect();
                let message = format!("`{}` is not there, so that the stage cannot remove it", key.name.escape_debug());
                let diagnostic = Diagnostic::new(key.span.clone(), message);
                diagnostics.push(if known.is_empty() {
                    diagnostic
                } else {
                    diagnostic.with_hint(choose(&key.name, "there is", &known))
                });
            }
            (Some(index), _) => {
                let Some((known, node)) = entries.get_mut(index) else { continue };
                if let (Value::Map(_) | Value::Null, Value::Map(_)) = (&node.value, &change.value) {
                    lay_over(node, change, diagnostics);
                } else {
                    known.span = key.span.clone();
                    *node = change.clone();
                }
            }
            (None, _) => entries.push((key.clone(), without_nulls(change, diagnostics))),
        }
    }
}

/// Returns an entry that only the stage has; a null in it is reported, since there is nothing to remove.
fn without_nulls(change: &Node, diagnostics: &mut Vec<Diagnostic>) -> Node {
    let Value::Map(entries) = &change.value else { return change.clone() };
    let mut node = Node { span: change.span.clone(), value: Value::Map(Vec::new()) };
    lay_over(&mut node, change, diagnostics);
    match (&node.value, entries.is_empty()) {
        (_, true) => change.clone(),
        _ => node,
    }
}
