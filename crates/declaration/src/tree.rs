//! YAML → a tree in which every key and value knows its place in the file.
//!
//! `infra.yaml` is read in two steps, tree and then types, because a reader that goes straight to types stops at the
//! first mistake. YAML's features beyond plain data (anchors, tags, merge keys) are refused: they hide what a
//! declaration says, and make small files explode.

use std::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_yaml::{
    Budget, Error, Location, Options, Spanned,
    budget::BudgetBreach,
    options::{DuplicateKeyPolicy, MergeKeyPolicy},
};

use super::diagnostic::Diagnostic;

/// Maximum depth, far beyond any declaration; bounds the recursion of the parser.
const DEEPEST: usize = 24;
/// Maximum number of keys and values, far beyond any declaration.
const MOST_NODES: usize = 50_000;

/// A value and its place in the file.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Place in the source, in bytes. Of a list or mapping, its beginning.
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

/// The value of a node.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// No value, or `null`.
    Null,
    /// A boolean: `true` or `false`.
    Bool(bool),
    /// A number as written: `1.10` stays `1.10`.
    Number(String),
    /// A text, quoted or not.
    Text(String),
    /// A list of nodes, in order.
    List(Vec<Node>),
    /// Keys and values in the order of the file, repeated keys included.
    Map(Vec<(Key, Node)>),
}

/// The key of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) span: Range<usize>,
    pub(super) name: String,
}

impl Value {
    /// Describes the value, in words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Bool(value) => format!("`{value}`"),
            Self::Number(text) => format!("the number `{text}`"),
            Self::Text(text) => format!("the text `{}`", text.escape_debug()),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// Parses one YAML document.
pub(super) fn parse(source: &str) -> Result<Node, Diagnostic> {
    let mut budget = Budget::default();
    budget.max_depth = DEEPEST;
    budget.max_nodes = MOST_NODES;
    budget.max_anchors = 0;
    budget.max_aliases = 0;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    options.merge_keys = MergeKeyPolicy::AsOrdinary;
    options.emit_comments = false;
    options.strict_booleans = true;
    options.with_snippet = false;
    options.reject_unsupported_tags = true;
    let Raw(mut node) = serde_yaml::from_str_with_options(source, options).map_err(|error| refuse(&error, source))?;
    spell_numbers(&mut node, source);
    Ok(node)
}

/// Restores numbers as they were written: the parser converts them.
fn spell_numbers(node: &mut Node, source: &str) {
    match &mut node.value {
        Value::Number(text) => {
            if let Some(written) = source.get(node.span.clone()).map(str::trim).filter(|written| !written.is_empty()) {
                written.clone_into(text);
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| spell_numbers(item, source)),
        Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| spell_numbers(value, source)),
        Value::Null | Value::Bool(_) | Value::Text(_) => {}
    }
}

/// Returns the parser's error as a diagnostic.
fn refuse(error: &Error, source: &str) -> Diagnostic {
    let span = error.location().map_or(source.len()..source.len(), |location| bytes_of(&location, source));
    match error {
        Error::Budget { breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. }, .. }
        | Error::UnknownAnchor { .. } => {
            Diagnostic::new(span, "anchors and aliases are not supported").with_hint("write the value out")
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            Diagnostic::new(span, format!("nested more than {DEEPEST} levels deep"))
        }
        Error::Budget { .. } => Diagnostic::new(span, format!("more than {MOST_NODES} keys and values")),
        Error::MultipleDocuments { .. } => Diagnostic::new(span, "a second document begins here")
            .with_hint("a declaration is one document: take the `---` away"),
        Error::UnsupportedTag { .. } => {
            Diagnostic::new(span, "tags are not supported").with_hint("write the value without `!…`")
        }
        other => {
            let line = source.get(..span.start).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
            let tab = line.contains('\t') || source.get(span.start..).is_some_and(|rest| rest.starts_with('\t'));
            let diagnostic = Diagnostic::new(span, format!("not valid YAML: {}", explain(other)));
            if tab { diagnostic.with_hint("indent with spaces: YAML allows no tabs there") } else { diagnostic }
        }
    }
}

/// Returns the parser's message without the place, which is shown with the source line.
fn explain(error: &Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let end = first.rfind(" at line ").unwrap_or(first.len());
    first.get(..end).unwrap_or(first).trim_end_matches(':').to_owned()
}

fn bytes_of(location: &Location, source: &str) -> Range<usize> {
    let span = location.span();
    let from_line = || {
        let line = usize::try_from(location.line()).unwrap_or(usize::MAX).saturating_sub(1);
        let column = usize::try_from(location.column()).unwrap_or(usize::MAX).saturating_sub(1);
        let before: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
        let rest = source.get(before..).unwrap_or_default();
        before + rest.char_indices().nth(column).map_or(rest.len(), |(offset, _)| offset)
    };
    let start = span.byte_offset().and_then(|offset| usize::try_from(offset).ok()).unwrap_or_else(from_line);
    let length = span.byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let start = start.min(source.len());
    start..start.saturating_add(length).min(source.len())
}

/// A [`Node`] whose numbers are not yet spelled as written.
struct Raw(Node);

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self(Node { span: bytes_of_known(&referenced), value }))
    }
}

/// Returns the place in bytes. The parser reads from a string, so it always knows it.
fn bytes_of_known(location: &Location) -> Range<usize> {
    let span = location.span();
    let start = span.byte_offset().and_then(|offset| usize::try_from(offset).ok()).unwrap_or_default();
    let length = span.byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    start..start.saturating_add(length)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Raw(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let Raw(value) = entries.next_value()?;
            map.push((Key { span: bytes_of_known(&key.referenced), name: key.value }, value));
        }
        Ok(Value::Map(map))
    }
}

/// Returns the node under a path of keys.
pub(super) fn at<'tree>(node: &'tree Node, path: &[&str]) -> Option<&'tree Node> {
    path.iter().try_fold(node, |node, name| match &node.value {
        Value::Map(entries) => entries.iter().find(|(key, _)| key.name == *name).map(|(_, value)| value),
        _ => None,
    })
}

/// Returns the last key of a path of keys; `None` if there is none.
pub(super) fn key_at<'tree>(root: &'tree Node, path: &[&str]) -> Option<&'tree Key> {
    let (name, above) = path.split_last()?;
    match &at(root, above)?.value {
        Value::Map(entries) => entries.iter().find(|(key, _)| key.name == *name).map(|(key, _)| key),
        _ => None,
    }
}

/// Returns the place of a key in an action of a receipt rule, both by their index; the beginning if there is none.
pub(super) fn action_span(root: &Node, rule: usize, action: usize, name: &str) -> Range<usize> {
    fn item(node: &Node, index: usize) -> Option<&Node> {
        if let Value::List(items) = &node.value { items.get(index) } else { None }
    }
    let rule = at(root, &["receipt_rules"]).and_then(|rules| item(rules, rule));
    let actions = rule.and_then(|rule| at(rule, &["actions"]));
    let value = actions.and_then(|actions| at(item(actions, action)?, &[name]));
    value.map_or(0..0, |node| node.span.clone())
}

/// Returns the place of the node under a path of keys; the beginning if there is none.
pub(super) fn span_of(root: &Node, path: &[&str]) -> Range<usize> {
    at(root, path).map_or(0..0, |node| node.span.clone())
}
