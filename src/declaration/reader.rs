//! From the tree to typed values. Every question that can go wrong notes a [`Diagnostic`] and answers with `None` or
//! a default, so that one reading finds everything. A declaration is handed out only if nothing was noted.

use std::{collections::BTreeSet, ops::Range};

use super::{
    diagnostic::Diagnostic,
    tree::{Key, Node, Value},
};

/// Collects what is wrong while the tree is read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    noted: Vec<Diagnostic>,
}

/// The entries of a mapping whose keys are known: read each by name.
#[derive(Debug)]
pub(super) struct Fields<'tree> {
    /// What the mapping describes, such as "function `maintenance`".
    pub(super) subject: String,
    /// Where a missing key is shown: the key that leads here.
    pub(super) span: Range<usize>,
    entries: Vec<&'tree (Key, Node)>,
    /// It is no mapping at all, and that was noted: what it lacks need not be.
    is_broken: bool,
}

impl<'tree> Fields<'tree> {
    /// The value of a key, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<&'tree Node> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }
}

impl Reader {
    /// Notes something wrong.
    pub(super) fn note(&mut self, diagnostic: Diagnostic) {
        self.noted.push(diagnostic);
    }

    /// What is wrong.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        self.noted
    }

    /// A mapping with known keys; everything else in it is noted.
    pub(super) fn fields<'tree>(
        &mut self,
        node: &'tree Node,
        span: &Range<usize>,
        subject: impl Into<String>,
        known: &[&str],
    ) -> Fields<'tree> {
        let subject = subject.into();
        let mut entries: Vec<&(Key, Node)> = Vec::new();
        for entry in self.entries(node, &subject) {
            let (key, _) = entry;
            if known.contains(&key.name.as_str()) {
                entries.push(entry);
            } else {
                let message = format!("unknown key `{}` in {subject}", key.name.escape_debug());
                self.note(Diagnostic::new(key.span.clone(), message).with_hint(choose(&key.name, "known keys", known)));
            }
        }
        let is_broken = !matches!(node.value, Value::Map(_) | Value::Null);
        Fields { subject, span: span.clone(), entries, is_broken }
    }

    /// The entries of a mapping, whatever their keys; a repeated key is noted and left out.
    pub(super) fn entries<'tree>(&mut self, node: &'tree Node, subject: &str) -> Vec<&'tree (Key, Node)> {
        let map = match &node.value {
            Value::Map(map) => map.as_slice(),
            Value::Null => &[],
            other => {
                self.note(wrong_type(node, subject, "a mapping (`key: value`)", other));
                &[]
            }
        };
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        for entry in map {
            if seen.insert(entry.0.name.as_str()) {
                entries.push(entry);
            } else {
                let message = format!("key `{}` is there twice in {subject}", entry.0.name.escape_debug());
                self.note(Diagnostic::new(entry.0.span.clone(), message).with_hint("take one of both away"));
            }
        }
        entries
    }

    /// A key that must be there.
    pub(super) fn required<'tree>(&mut self, fields: &Fields<'tree>, name: &str, example: &str) -> Option<&'tree Node> {
        let node = fields.get(name);
        if node.is_none() && !fields.is_broken {
            let message = format!("{} lacks `{name}`", fields.subject);
            self.note(Diagnostic::new(fields.span.clone(), message).with_hint(format!("add `{name}: {example}`")));
        }
        node
    }

    /// A scalar that `read` understands: it gets the text as written, and says what it expected.
    pub(super) fn scalar<T>(
        &mut self,
        node: &Node,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let text = match &node.value {
            Value::Text(text) | Value::Number(text) => text.clone(),
            Value::Bool(value) => value.to_string(),
            other => {
                self.note(wrong_type(node, &format!("`{name}`"), expected, other));
                return None;
            }
        };
        match read(&text) {
            Ok(value) => Some(value),
            Err(Wrong { expected: closer, hint }) => {
                let expected = closer.as_deref().unwrap_or(expected);
                let message = format!("`{name}` must be {expected}, not {}", node.value.describe());
                let diagnostic = Diagnostic::new(node.span.clone(), message);
                self.note(match hint {
                    Some(hint) => diagnostic.with_hint(hint),
                    None => diagnostic,
                });
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, node: &Node, name: &str) -> Option<bool> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        self.note(wrong_type(node, &format!("`{name}`"), "`true` or `false`", &node.value));
        None
    }

    /// The items of a list.
    pub(super) fn list<'tree>(&mut self, node: &'tree Node, name: &str, example: &str) -> &'tree [Node] {
        match &node.value {
            Value::List(items) => items,
            other => {
                let diagnostic = wrong_type(node, &format!("`{name}`"), "a list", other);
                self.note(diagnostic.with_hint(format!("write `{name}: [{example}]`")));
                &[]
            }
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, node: &Node, name: &str, words: &[(&str, T)]) -> Option<T> {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let expected = one_of(&known);
        self.scalar(node, name, &expected, |text| {
            let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
            found.ok_or_else(|| Wrong { expected: None, hint: closest(text, &known).map(did_you_mean) })
        })
    }
}

/// Why a scalar was refused.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    /// What was expected, where that is more than the kind of value: "at most `15m`".
    pub(super) expected: Option<String>,
    /// What would mend it.
    pub(super) hint: Option<String>,
}

impl Wrong {
    /// Refused because it must be something narrower.
    pub(super) fn expected(what: impl Into<String>) -> Self {
        Self { expected: Some(what.into()), hint: None }
    }

    /// The same with what would mend it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

fn wrong_type(node: &Node, subject: &str, expected: &str, found: &Value) -> Diagnostic {
    Diagnostic::new(node.span.clone(), format!("{subject} must be {expected}, not {}", found.describe()))
}

/// "did you mean …" if something is close, else everything that there is.
pub(crate) fn choose(word: &str, what: &str, known: &[&str]) -> String {
    closest(word, known).map_or_else(
        || {
            let list: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("{what}: {}", list.join(", "))
        },
        did_you_mean,
    )
}

fn did_you_mean(word: &str) -> String {
    format!("did you mean `{word}`?")
}

/// "`a`, `b` or `c`".
pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => quoted.concat(),
    }
}

/// The known word that somebody may have meant.
fn closest<'known>(word: &str, known: &[&'known str]) -> Option<&'known str> {
    let word: String = word.chars().take(64).collect::<String>().to_lowercase().replace('_', "-");
    let distance = |name: &str| strsim::damerau_levenshtein(&word, &name.to_lowercase().replace('_', "-"));
    let (distance, name) = known.iter().map(|name| (distance(name), *name)).min()?;
    (distance <= (name.chars().count() / 3).max(1)).then_some(name)
}
