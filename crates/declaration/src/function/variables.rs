//! `environment` and `secrets` of a function: the environment variables that it gets.

use std::collections::BTreeMap;

use trust::{Fault, Grants, Purpose};

use super::SecretReference;
use crate::{
    diagnostic::Diagnostic,
    reader::{Fields, Reader, Wrong, closest},
    scalars,
    shape::Kind,
    tree::Value,
};

/// Plain values by environment variable.
type Environment = BTreeMap<String, String>;
/// Secrets by environment variable.
type Secrets = BTreeMap<String, SecretReference>;

/// Reads `environment` and `secrets`, and reports a variable that is in both.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> (Environment, Secrets) {
    let environment = read_variables(reader, fields, "environment", "a text", |_, text| Ok(text.to_owned()));
    let secrets = read_variables(reader, fields, "secrets", scalars::SECRET.what, |reader, text| {
        if reader.is_declared(Kind::Secret, text) {
            return Ok(SecretReference::Declared(text.to_owned()));
        }
        let declared: Vec<_> = reader.declared(Kind::Secret).iter().map(String::as_str).collect();
        match closest(text, &declared) {
            // A name in Secrets Manager may differ from an entry by a letter, but a misspelt entry is more likely.
            Some(entry) if !text.contains('/') => Err(Wrong::expected(
                "an entry of `secrets`, or a name in Secrets Manager",
            )
            .hint(format!("did you mean `{entry}`? If not, declare it: `secrets: {{NAME: {{existing: {text}}}}}`"))),
            _ => scalars::secret(text).map(SecretReference::Existing),
        }
    });
    for (key, _) in reader.chosen(fields, "secrets").into_iter().filter(|(key, _)| environment.contains_key(&key.name))
    {
        let message = format!("`{}` is both in `environment` and in `secrets`", key.name);
        reader.diagnose(&key.span, message, "remove one of them");
    }
    check_sender_lists(reader, fields);
    (environment, secrets)
}

/// Reports mistakes in lists of trusted senders. They are found here because a function does not stop at them: it ignores a faulty entry.
///
/// Domains are checked against the whole public suffix list. The function itself knows only a part of that list, to stay small.
fn check_sender_lists(reader: &mut Reader, fields: &Fields<'_>) {
    for (key, node) in reader.chosen(fields, "environment") {
        let Some(purpose) = Purpose::of_variable(&key.name) else { continue };
        let Value::Text(text) = &node.value else { continue };
        let grants = Grants::read(purpose, text);
        for faulty in grants.faulty() {
            let message = format!("`{}` has `{}`, which {}", key.name, faulty.entry, faulty.fault.what());
            reader.diagnose(&node.span, message, faulty.fault.remedy());
        }
        for domain in grants.domains().filter(|domain| is_public_suffix(domain.as_str())) {
            let fault = Fault::registry(domain);
            let message = format!("`{}` has `{domain}`, which {}", key.name, fault.what());
            reader.diagnose(&node.span, message, fault.remedy());
        }
    }
}

/// Returns `true` if a domain is a public suffix, such as `co.uk`: anybody can register a name below it.
fn is_public_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == domain.as_bytes())
}

/// Reads the variables below a key, each value with `value`. `what` names the expected values in messages.
fn read_variables<T>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    key: &str,
    what: &str,
    value: impl Fn(&Reader, &str) -> Result<T, Wrong>,
) -> BTreeMap<String, T> {
    let mut variables = BTreeMap::new();
    for (variable, node) in reader.chosen(fields, key) {
        if let Err(wrong) = scalars::variable(&variable.name) {
            let expected = wrong.expected.unwrap_or_default();
            let message = format!("a variable must have {expected}, not `{}`", variable.name.escape_debug());
            reader.report(Diagnostic::new(variable.span.clone(), message));
        }
        let Some(text) = reader.scalar(node, &variable.name, what, |text| Ok(text.to_owned())) else { continue };
        let read = value(reader, &text);
        if let Some(value) = reader.scalar(node, &variable.name, what, |_| read) {
            variables.insert(variable.name.clone(), value);
        }
    }
    variables
}
