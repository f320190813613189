//! Prints a function's reading of a mail, for `provision parse --function`.

use local::{Item, Outcome};
use serde_json::{Map, Value, json};

use super::{
    dev::{in_words, table_of},
    look::{Look, clean},
};

/// Returns what became of a mail as text, without a line feed at its end.
pub(crate) fn text(mail: &Item, look: &Look) -> String {
    let facts = mail.facts.iter().map(|(label, text)| format!(", {label} {text}"));
    let mut lines =
        vec![format!("{}: {}{}", clean(&mail.origin), in_words(word(mail)), clean(&facts.collect::<String>()))];
    lines.extend(mail.reason.iter().map(|reason| format!("  because: {}", clean(reason))));
    lines.extend(table_of(&mail.details, look));
    lines.join("\n")
}

/// Returns the same as a line of JSON: the function's own values, beside what every function reports.
pub(crate) fn json(mail: &Item) -> String {
    let mut line: Map<String, Value> = mail.details.clone();
    let common = json!({"file": mail.origin, "outcome": word(mail), "reason": mail.reason, "facts": mail.facts});
    if let Value::Object(common) = common {
        line.extend(common);
    }
    Value::Object(line).to_string()
}

fn word(mail: &Item) -> &str {
    mail.outcome.as_ref().map_or("unfinished", Outcome::word)
}
