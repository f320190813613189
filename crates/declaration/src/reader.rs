//! Reads the tree into typed values. Every read that can fail adds a [`Diagnostic`] and returns `None` or a default,
//! so that one pass finds every mistake. A declaration is handed out only if there is no diagnostic.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

use super::{
    diagnostic::Diagnostic,
    measures,
    network_part::NetworkPart,
    protect_key::{PROTECT, UNPROTECTED},
    shape::{Field, Form, Holds, Kind, Shape, Word, words},
    tree::{Key, Node, Value},
};
pub(super) use super::{
    suggestion::{choose, closest, did_you_mean, one_of},
    wrong::Wrong,
};

/// Collects the diagnostics while the tree is read, and knows the names of all entries.
#[derive(Debug, Default)]
pub(super) struct Reader {
    diagnostics: Vec<Diagnostic>,
    /// `true` while values may hold a secret by mistake: messages then never repeat them.
    conceals: bool,
    declared: BTreeMap<Kind, Vec<String>>,
    /// Private subnets of the declared networks, by entry.
    pub(super) private_subnets: BTreeMap<String, Vec<NetworkPart>>,
}

/// The entries of a mapping whose keys are known: read each by name.
#[derive(Debug)]
pub(super) struct Fields<'tree> {
    /// The subject of the mapping in messages, such as "function `maintenance`".
    pub(super) subject: String,
    /// Place at which a missing key is reported: the key that leads here.
    pub(super) span: Range<usize>,
    shape: &'static Shape,
    entries: Vec<&'tree (Key, Node)>,
}

impl<'tree> Fields<'tree> {
    /// Returns the name of its shape.
    pub(super) fn name(&self) -> &'static str {
        self.shape.name
    }

    /// Returns the value of a key; `None` if it is missing.
    pub(super) fn get(&self, name: &str) -> Option<&'tree Node> {
        self.entry(name).map(|(_, value)| value)
    }

    /// Returns a key and its value; `None` if it is missing.
    pub(super) fn entry(&self, name: &str) -> Option<&'tree (Key, Node)> {
        self.entries.iter().find(|(key, _)| key.name == name).copied()
    }

    /// Returns the place of a key's value, or of the mapping if the key is missing.
    pub(super) fn span_of(&self, name: &str) -> Range<usize> {
        self.get(name).map_or(self.span.clone(), |node| node.span.clone())
    }

    /// Returns the table's field of a key.
    fn field(&self, name: &str) -> Option<&'static Field> {
        self.shape.keys.iter().find(|field| field.name == name)
    }
}

impl Reader {
    /// Returns a reader that knows the names of all entries.
    pub(super) fn new(declared: BTreeMap<Kind, Vec<String>>) -> Self {
        Self { declared, ..Self::default() }
    }

    /// Adds a diagnostic, concealed if values are.
    pub(super) fn report(&mut self, mut diagnostic: Diagnostic) {
        diagnostic.is_concealed |= self.conceals;
        self.diagnostics.push(diagnostic);
    }

    /// Starts or stops concealing: while it is on, messages do not repeat values.
    pub(super) fn conceal(&mut self, conceals: bool) {
        self.conceals = conceals;
    }

    /// Describes a value, in words.
    fn describe(&self, value: &Value) -> String {
        match value {
            Value::Text(_) | Value::Number(_) if self.conceals => "what stands there".to_owned(),
            other => other.describe(),
        }
    }

    /// Returns the diagnostic of a value that has another type than expected.
    fn wrong_type(&self, node: &Node, subject: &str, expected: &str) -> Diagnostic {
        let message = format!("{subject} must be {expected}, not {}", self.describe(&node.value));
        Diagnostic::new(node.span.clone(), message)
    }

    /// Adds a diagnostic with a hint.
    pub(super) fn diagnose(&mut self, span: &Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.report(Diagnostic::new(span.clone(), message).with_hint(hint));
    }

    /// Returns `true` if nothing was reported so far.
    pub(super) fn is_clean(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Returns the collected diagnostics.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// Reads a mapping with known keys; unknown and missing keys are reported.
    pub(super) fn fields<'tree>(
        &mut self,
        node: &'tree Node,
        span: &Range<usize>,
        subject: impl Into<String>,
        shape: &'static Shape,
    ) -> Fields<'tree> {
        let subject = subject.into();
        let known: Vec<_> = shape.keys.iter().map(|field| field.name).collect();
        let mut entries: Vec<&(Key, Node)> = Vec::new();
        for entry in self.entries(node, &subject) {
            let (key, _) = entry;
            if known.contains(&key.name.as_str()) {
                entries.push(entry);
            } else if key.name == PROTECT.name {
                self.diagnose(&key.span, format!("{subject} cannot have `protect`"), UNPROTECTED);
            } else {
                let message = format!("unknown key `{}` in {subject}", key.name.escape_debug());
                self.diagnose(&key.span, message, choose(&key.name, "known keys", &known));
            }
        }
        let fields = Fields { subject, span: span.clone(), shape, entries };
        // A value that is not a mapping was reported: its missing keys need not be.
        if matches!(node.value, Value::Map(_) | Value::Null) {
            let lacking = shape.keys.iter().filter(|field| fields.get(field.name).is_none());
            for (name, example) in lacking.filter_map(|field| Some((field.name, field.required?))) {
                let message = format!("{} lacks `{name}`", fields.subject);
                self.diagnose(&fields.span, message, format!("add `{name}: {example}`"));
            }
        }
        fields
    }

    /// Reads a mapping of one of several shapes, which its first key tells.
    pub(super) fn variant<'tree>(
        &mut self,
        node: &'tree Node,
        what: &str,
        shapes: &[&'static Shape],
        words: &[&str],
    ) -> Option<Fields<'tree>> {
        let tag = |shape: &Shape| shape.keys.first().map_or("", |field| field.name);
        let Value::Map(entries) = &node.value else { return None };
        let found = shapes.iter().find_map(|shape| {
            let (key, _) = entries.iter().find(|(key, _)| key.name == tag(shape))?;
            Some((*shape, key))
        });
        if let Some((shape, key)) = found {
            return Some(self.fields(node, &key.span, format!("a `{}` {what}", key.name), shape));
        }
        let (name, span) = entries.first().map_or(("", &node.span), |(key, _)| (key.name.as_str(), &key.span));
        let known: Vec<_> = shapes.iter().map(|shape| tag(shape)).chain(words.iter().copied()).collect();
        let message = format!("unknown {what} `{}`", name.escape_debug());
        self.diagnose(span, message, choose(name, &format!("{what}s"), &known));
        None
    }

    /// Returns the entries of a mapping with free keys; a repeated key is reported and left out.
    pub(super) fn entries<'tree>(&mut self, node: &'tree Node, subject: &str) -> Vec<&'tree (Key, Node)> {
        let map = match &node.value {
            Value::Map(map) => map.as_slice(),
            Value::Null => &[],
            _ => {
                let diagnostic = self.wrong_type(node, subject, "a mapping (`key: value`)");
                self.report(diagnostic);
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
                self.report(Diagnostic::new(entry.0.span.clone(), message).with_hint("remove one of them"));
            }
        }
        entries
    }

    /// Reads a scalar with `read`, which gets the text as written and names the expectation if it refuses.
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
            _ => {
                let diagnostic = self.wrong_type(node, &format!("`{name}`"), expected);
                self.report(diagnostic);
                return None;
            }
        };
        match read(&text) {
            Ok(value) => Some(value),
            Err(Wrong { expected: closer, hint }) => {
                let expected = closer.as_deref().unwrap_or(expected);
                let message = format!("`{name}` must be {expected}, not {}", self.describe(&node.value));
                let diagnostic = Diagnostic::new(node.span.clone(), message);
                self.report(match hint {
                    Some(hint) => diagnostic.with_hint(hint),
                    None => diagnostic,
                });
                None
            }
        }
    }

    /// Returns the items of a list.
    pub(super) fn list<'tree>(&mut self, node: &'tree Node, name: &str, example: &str) -> &'tree [Node] {
        if let Value::List(items) = &node.value {
            return items;
        }
        let diagnostic = self.wrong_type(node, &format!("`{name}`"), "a list");
        self.report(diagnostic.with_hint(format!("write `{name}: [{example}]`")));
        &[]
    }

    /// Returns the items of the list of a key.
    pub(super) fn items<'tree>(&mut self, fields: &Fields<'tree>, name: &str, example: &str) -> &'tree [Node] {
        fields.get(name).map_or(&[], |node| self.list(node, name, example))
    }

    /// Reads ids, each once.
    pub(super) fn ids(&mut self, fields: &Fields<'_>, name: &str, prefix: &str, form: Form) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for item in self.items(fields, name, &format!("{prefix}-0a1b2c3d")) {
            let Some(id) = self.scalar(item, name, form.what, |text| super::scalars::id(text, prefix)) else {
                continue;
            };
            if ids.contains(&id) {
                self.diagnose(&item.span, format!("`{id}` is there twice in `{name}`"), "remove one of them");
            } else {
                ids.push(id);
            }
        }
        ids
    }

    /// Reads the text of a key, whose form `read` checks.
    pub(super) fn text<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let Holds::Text(Form { what, .. }) = fields.field(name)?.holds else { return None };
        self.value(fields, name, what, read)
    }

    /// Reads the duration of a key.
    pub(super) fn duration(&mut self, fields: &Fields<'_>, name: &str) -> Option<Duration> {
        match fields.field(name)?.holds {
            Holds::Duration(least, most) => {
                self.value(fields, name, measures::DURATION, |text| measures::duration(text, least, most))
            }
            Holds::Days => self.value(fields, name, measures::DURATION, measures::days),
            _ => None,
        }
    }

    /// Reads the number of days of a key, which must be one of several.
    pub(super) fn one_of_days(&mut self, fields: &Fields<'_>, name: &str) -> Option<u16> {
        let Holds::OneOfDays(allowed) = fields.field(name)?.holds else { return None };
        self.value(fields, name, measures::DURATION, |text| measures::one_of_days(text, allowed))
    }

    /// Reads the size of a key, in MiB.
    pub(super) fn size(&mut self, fields: &Fields<'_>, name: &str) -> Option<u32> {
        let Holds::Size(least, most) = fields.field(name)?.holds else { return None };
        self.value(fields, name, measures::SIZE, |text| measures::megabytes(text, least, most))
    }

    /// Reads the whole number of a key.
    pub(super) fn number<T: TryFrom<u32>>(&mut self, fields: &Fields<'_>, name: &str) -> Option<T> {
        let Holds::Number(least, most) = fields.field(name)?.holds else { return None };
        let expected = if most - least == 2 {
            one_of(&[least, least + 1, most].map(|number| number.to_string()))
        } else {
            format!("a whole number from {least} to {most}")
        };
        self.value(fields, name, &expected, |text| measures::number(text, least, most))
    }

    /// Reads the `true` or `false` of a key.
    pub(super) fn switch(&mut self, fields: &Fields<'_>, name: &str) -> Option<bool> {
        let field = fields.field(name)?;
        let Some(node) = fields.get(name) else { return field.default.map(|default| default == "true") };
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        let diagnostic = self.wrong_type(node, &format!("`{name}`"), "`true` or `false`");
        self.report(diagnostic);
        None
    }

    /// Reads the word of a key, which must be one of a few.
    pub(super) fn word<T: Word>(&mut self, fields: &Fields<'_>, name: &str) -> Option<T> {
        let known = words::<T>();
        self.value(fields, name, &one_of(&known), |text| {
            word(text).ok_or_else(|| Wrong { expected: None, hint: closest(text, &known).map(did_you_mean) })
        })
    }

    /// Returns the scalar of a key, else its default.
    fn value<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        match fields.get(name) {
            Some(node) => self.scalar(node, name, expected, read),
            None => fields.field(name)?.default.and_then(|default| read(default).ok()),
        }
    }

    /// Reads the mapping of a key, whose own keys are known.
    pub(super) fn mapping<'tree>(&mut self, fields: &Fields<'tree>, name: &str) -> Option<Fields<'tree>> {
        let Holds::Mapping(shape) = fields.field(name)?.holds else { return None };
        let (key, node) = fields.entry(name)?;
        let subject = format!("`{name}`");
        Some(self.fields(node, &key.span, subject, shape))
    }

    /// Returns the entries of a key, whose own keys are free.
    pub(super) fn chosen<'tree>(&mut self, fields: &Fields<'tree>, name: &str) -> Vec<&'tree (Key, Node)> {
        fields.get(name).map(|node| self.entries(node, &format!("`{name}`"))).unwrap_or_default()
    }

    /// Returns the entry that a key names; an unknown entry is reported.
    pub(super) fn reference(&mut self, fields: &Fields<'_>, name: &str) -> Option<String> {
        let Holds::Reference(kind) = fields.field(name)?.holds else { return None };
        fields.get(name).and_then(|node| self.refer(node, name, kind))
    }

    /// Returns the entries that the list of a key names, each once.
    pub(super) fn references(&mut self, fields: &Fields<'_>, name: &str) -> Vec<String> {
        let Some(Holds::List(Holds::Reference(kind))) = fields.field(name).map(|field| &field.holds) else {
            return Vec::new();
        };
        let example = self.declared(*kind).first().cloned().unwrap_or_else(|| "NAME".to_owned());
        let mut references = Vec::new();
        for item in self.items(fields, name, &example) {
            if let Some(reference) = self.refer(item, name, *kind) {
                if references.contains(&reference) {
                    let message = format!("`{reference}` is there twice in `{name}`");
                    self.report(Diagnostic::new(item.span.clone(), message));
                } else {
                    references.push(reference);
                }
            }
        }
        references
    }

    /// Returns the names of the declared entries of a kind.
    pub(super) fn declared(&self, kind: Kind) -> &[String] {
        self.declared.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Returns the private subnets of a declared network; `None` for one that is declared wrongly.
    pub(super) fn private_subnets(&self, network: &str) -> Option<Vec<NetworkPart>> {
        self.private_subnets.get(network).cloned()
    }

    /// Returns `true` if an entry of that kind is declared.
    pub(super) fn is_declared(&self, kind: Kind, name: &str) -> bool {
        self.declared(kind).iter().any(|declared| declared == name)
    }

    /// Returns the entry that a node names; an unknown entry is reported.
    pub(super) fn refer(&mut self, node: &Node, name: &str, kind: Kind) -> Option<String> {
        let word = kind.word();
        let text = self.scalar(node, name, &format!("the name of {}", kind.one()), |text| Ok(text.to_owned()))?;
        if self.is_declared(kind, &text) {
            return Some(text);
        }
        let declared: Vec<_> = self.declared(kind).iter().map(String::as_str).collect();
        let message = format!("{word} `{}` is not declared", text.escape_debug());
        let hint = if text.starts_with("arn:") {
            format!("name an entry of `{}`, not what it has become in AWS", kind.section())
        } else if declared.is_empty() {
            format!("no {word} is declared: add it under `{}`", kind.section())
        } else {
            choose(&text, &format!("declared {word}s"), &declared)
        };
        self.diagnose(&node.span, message, hint);
        None
    }
}

/// Parses one of a few words.
pub(super) fn word<T: Word>(text: &str) -> Option<T> {
    T::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
}
