//! `expire` of a bucket: how old which objects may get.
//!
//! S3 deletes by the beginnings of keys and can leave none out, so an age for a whole bucket would take what functions write there,
//! too: the calendar, and mails that wait for a person. Such an age is for the mails that rules store. What a function writes expires only
//! where it is named.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Action, Declaration,
    diagnostic::Diagnostic,
    measures,
    reader::{Fields, Reader},
    scalars,
    shape::{Field, Holds},
    tree::{Node, Value, at, span_of},
};

/// The ages at which a bucket's objects are deleted, in whole days.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expiry {
    /// Objects are kept for ever.
    #[default]
    Never,
    /// The age of the mails that rules store in the bucket; of all objects if no rule stores any.
    Mails(Duration),
    /// Ages by prefix, the empty one for all objects. Where prefixes overlap, the shorter age counts.
    Below(BTreeMap<String, Duration>),
}

pub(super) const EXPIRE: Field = Field::new(
    "expire",
    Holds::AnyOf(&[Holds::Days, Holds::Chosen(scalars::PREFIX, &Holds::Days)]),
    "Age at which mails are deleted that rules store here; in a bucket without such a rule, all objects. What functions write, such as \
     `calendar/` and `unmatched/`, is kept. Or the age for each prefix: `{inbound/: 30d, unmatched/: 400d}`, with `\"\"` for all \
     objects. Without it they are kept.",
);

pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Expiry {
    let Some(node) = fields.get("expire") else { return Expiry::Never };
    if !matches!(node.value, Value::Map(_)) {
        let what = "a number of days such as `400d`, or prefixes with a number of days each";
        return reader.scalar(node, "expire", what, measures::days).map_or(Expiry::Never, Expiry::Mails);
    }
    let mut ages = BTreeMap::new();
    for (key, value) in reader.chosen(fields, "expire") {
        let name = Node { value: Value::Text(key.name.clone()), span: key.span.clone() };
        let prefix = reader.scalar(&name, "expire", scalars::PREFIX.what, scalars::prefix);
        let age = reader.scalar(value, &format!("expire: {{{}}}", key.name), measures::DURATION, measures::days);
        ages.extend(prefix.zip(age));
    }
    Expiry::Below(ages)
}

impl Declaration {
    /// Returns the ages at which a bucket's objects are deleted, by prefix; the empty prefix is for all objects.
    pub fn expiry(&self, bucket: &str) -> BTreeMap<String, Duration> {
        match self.buckets.get(bucket).map(|bucket| &bucket.expire) {
            None | Some(Expiry::Never) => BTreeMap::new(),
            Some(Expiry::Below(ages)) => ages.clone(),
            Some(Expiry::Mails(age)) => self.mails_of(bucket).into_iter().map(|prefix| (prefix, *age)).collect(),
        }
    }

    /// Returns the prefixes of the mails in a bucket, those of earlier times too; the empty one if no rule stores any.
    fn mails_of(&self, bucket: &str) -> Vec<String> {
        let stored = self.receipt_rules.iter().flat_map(|rule| &rule.actions).filter_map(|action| match action {
            Action::Store { bucket: place, prefix, .. } if place == bucket => Some(prefix),
            _ => None,
        });
        let mut prefixes: Vec<&String> = stored.collect();
        if prefixes.is_empty() {
            return vec![String::new()];
        }
        let reads = self.functions.values().flat_map(|function| &function.reads);
        prefixes.extend(reads.filter(|place| place.bucket == bucket).flat_map(|place| &place.formerly));
        let is_below = |prefix: &String| prefixes.iter().any(|above| *above != prefix && prefix.starts_with(*above));
        prefixes.iter().filter(|prefix| !is_below(prefix)).map(|prefix| (*prefix).clone()).collect()
    }
}

/// Reports what would be deleted although nobody named it, and ages that a shorter one makes void.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    // A rule or a place that was not understood is missing: what follows from it would be wrong.
    if !reader.is_clean() {
        return;
    }
    for (entry, bucket) in &declaration.buckets {
        let (ages, path) = (declaration.expiry(entry), ["buckets", entry, "expire"]);
        let above =
            |prefix: &str| ages.iter().find(|(above, _)| *above != prefix && prefix.starts_with(above.as_str()));
        if let Expiry::Below(named) = &bucket.expire {
            for (prefix, age) in named {
                let shorter = ages.iter().find(|(above, other)| prefix.starts_with(above.as_str()) && *other < age);
                if let Some((above, shorter)) = shorter {
                    let (age, shorter) = (measures::spell(*age), measures::spell(*shorter));
                    let message = format!(
                        "objects below `{prefix}` are deleted after `{shorter}`, not `{age}`: they are below `{}`, too",
                        if above.is_empty() { "\"\"" } else { above }
                    );
                    let span = at(root, &path).map_or(0..0, |node| key_span(node, prefix));
                    reader.diagnose(&span, message, "of two ages S3 takes the shorter: name no prefix above this one");
                }
            }
        }
        for (function, written) in written(declaration, entry) {
            let is_named = matches!(&bucket.expire, Expiry::Below(named) if named.contains_key(written));
            let taken = ages.get_key_value(written).or_else(|| above(written)).filter(|_| !is_named);
            if let Some((_, age)) = taken {
                let message = format!(
                    "`expire` of bucket `{entry}` would also delete what function `{function}` writes below `{written}`"
                );
                let hint = hint(&ages, written, &measures::spell(*age));
                reader.report(Diagnostic::new(span_of(root, &path), message).with_hint(hint));
            }
        }
    }
}

/// Returns the prefixes below which functions write in a bucket. Who may write anywhere has no place of its own.
fn written<'all>(declaration: &'all Declaration, bucket: &str) -> Vec<(&'all String, &'all String)> {
    let places = declaration.functions.iter().flat_map(|(entry, function)| {
        function.writes.iter().filter(|place| place.bucket == *bucket).map(move |place| (entry, &place.prefix))
    });
    places.filter(|(_, prefix)| !prefix.is_empty()).collect()
}

/// Returns what to write instead: the prefixes that are not above the written one, or all with it.
fn hint(ages: &BTreeMap<String, Duration>, written: &str, age: &str) -> String {
    let named = |prefix: &str, age: &str| format!("{}: {age}", if prefix.is_empty() { "\"\"" } else { prefix });
    let all = ages.iter().map(|(prefix, age)| named(prefix, &measures::spell(*age)));
    let all: Vec<_> = all.chain((!ages.contains_key(written)).then(|| named(written, age))).collect();
    let advice = format!("if it is to go, name it: `expire: {{{}}}`", all.join(", "));
    if ages.contains_key("") {
        return format!("{advice}; otherwise store mails with a prefix, such as `inbound/`, and name that one");
    }
    advice
}

fn key_span(node: &Node, name: &str) -> std::ops::Range<usize> {
    let Value::Map(entries) = &node.value else { return node.span.clone() };
    entries.iter().find(|(key, _)| key.name == name).map_or(node.span.clone(), |(key, _)| key.span.clone())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::DeclarationError;

    const BASE: &str = "\
stack: circuits
region: eu-west-1
buckets: {mail: {expire: AGES}}
functions: {reader: {crate: reader, reads: [READS], writes: [WRITES]}}
receipt_rules: [RULES]
";

    const STORES: &str = "{name: one, actions: [{store: mail, prefix: inbound/}]}";

    /// Returns the ages in days, or the messages and hints.
    fn ages(ages: &str, reads: &str, writes: &str, rules: &str) -> Result<Vec<(String, u64)>, Vec<String>> {
        let source =
            BASE.replace("AGES", ages).replace("READS", reads).replace("WRITES", writes).replace("RULES", rules);
        match Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None) {
            Ok(checked) => {
                let days = |age: Duration| age.as_secs() / 86_400;
                Ok(checked.declarations[0]
                    .expiry("mail")
                    .into_iter()
                    .map(|(prefix, age)| (prefix, days(age)))
                    .collect())
            }
            Err(DeclarationError::Invalid(found)) => Err(found
                .list()
                .iter()
                .map(|one| format!("{}; {}", one.message, one.hint.clone().unwrap_or_default()))
                .collect()),
            Err(other) => panic!("{other}"),
        }
    }

    fn days(ages: &[(&str, u64)]) -> Vec<(String, u64)> {
        ages.iter().map(|(prefix, days)| ((*prefix).to_owned(), *days)).collect()
    }

    const WRITES: &str = "{bucket: mail, prefix: unmatched/}, {bucket: mail, prefix: calendar/}";

    #[test]
    fn one_age_is_for_the_mails_that_rules_store_and_for_nothing_that_functions_write() {
        assert_eq!(ages("30d", "mail", WRITES, STORES), Ok(days(&[("inbound/", 30)])));
        assert_eq!(ages("30d", "mail", "mail", STORES), Ok(days(&[("inbound/", 30)])), "who may write anywhere");
        let two = "{name: one, actions: [{store: mail, prefix: a/}]}, {name: two, actions: [{store: mail, prefix: a/b/}, {store: mail, prefix: c/}]}";
        assert_eq!(ages("30d", "mail", WRITES, two), Ok(days(&[("a/", 30), ("c/", 30)])));
        let formerly = "{bucket: mail, prefix: inbound/, formerly: [mails/]}";
        assert_eq!(ages("30d", formerly, WRITES, STORES), Ok(days(&[("inbound/", 30), ("mails/", 30)])));
        assert_eq!(ages("30d", "mail", "", ""), Ok(days(&[("", 30)])), "no rule stores any");
        assert_eq!(ages("{}", "mail", WRITES, STORES), Ok(days(&[])));
    }

    #[test]
    fn ages_by_prefix_are_as_declared() {
        let named = "{inbound/: 30d, unmatched/: 400d}";
        assert_eq!(ages(named, "mail", WRITES, STORES), Ok(days(&[("inbound/", 30), ("unmatched/", 400)])));
        let all = "{\"\": 400d, inbound/: 30d, unmatched/: 400d, calendar/: 90d}";
        let expected = [("", 400), ("calendar/", 90), ("inbound/", 30), ("unmatched/", 400)];
        assert_eq!(ages(all, "mail", WRITES, STORES), Ok(days(&expected)));
    }

    #[test]
    fn what_functions_write_does_not_expire_unnamed() {
        let refused = |age: &str, writes: &str, rules: &str| ages(age, "mail", writes, rules).unwrap_err();
        let calendar = "{bucket: mail, prefix: calendar/}";
        let everywhere = "{name: one, actions: [{store: mail}]}";
        for (age, rules) in [("30d", everywhere), ("30d", ""), ("{\"\": 30d}", STORES)] {
            let found = refused(age, calendar, rules);
            let message = "`expire` of bucket `mail` would also delete what function `reader` writes below `calendar/`; if it is to \
                           go, name it: `expire: {\"\": 30d, calendar/: 30d}`; otherwise store mails with a prefix";
            assert!(found.len() == 1 && found[0].starts_with(message), "{age} {rules}: {found:?}");
        }
        let same = refused("30d", "{bucket: mail, prefix: inbound/}", STORES);
        assert!(same[0].ends_with("if it is to go, name it: `expire: {inbound/: 30d}`"), "{same:?}");
        assert_eq!(refused("30d", WRITES, everywhere).len(), 2);
    }

    #[test]
    fn an_age_that_a_shorter_one_makes_void_is_refused() {
        let found = ages("{\"\": 30d, unmatched/: 400d, inbound/: 7d}", "mail", "", STORES).unwrap_err();
        let message = "objects below `unmatched/` are deleted after `30d`, not `400d`: they are below `\"\"`, too";
        assert!(found.len() == 1 && found[0].starts_with(message), "{found:?}");
    }

    #[test]
    fn a_wrong_age_or_prefix_is_told_where_it_stands() {
        for (wrong, part) in [
            ("{/inbound/: 30d}", "without a `/` at its beginning"),
            ("{inbound: 30d}", "write `inbound/`"),
            ("{inbound/: 36h}", "`expire: {inbound/}`"),
            ("{inbound/: {}}", "`expire: {inbound/}`"),
            ("[30d]", "`expire` must be a number of days"),
            ("soon", "`expire` must be a number of days"),
        ] {
            let found = ages(wrong, "mail", WRITES, STORES).unwrap_err();
            assert!(found.len() == 1 && found[0].contains(part), "{wrong}: {found:?}");
        }
    }
}
