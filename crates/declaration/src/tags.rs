//! Tags: of the stack, and of its entries.

use std::collections::BTreeMap;

use super::{
    Declaration,
    diagnostic::Diagnostic,
    reader::{Fields, Reader},
    scalars,
    shape::{Field, Holds},
    tree::{Node, span_of},
};

/// Number of tags that a declaration may set: AWS takes 50, and the rest is ours.
const MOST_TAGS: usize = 40;

/// The key `tags` of every entry with tags.
pub(super) const TAGS: Field = Field::new(
    "tags",
    Holds::Chosen(scalars::TAG, &Holds::Text(scalars::TAG_VALUE)),
    "Tags in addition to those of the stack, which they override.",
);

/// Reads the tags of an entry, or of the stack.
pub(super) fn tags(reader: &mut Reader, fields: &Fields<'_>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    let entries = reader.chosen(fields, "tags");
    if let Some((key, _)) = entries.get(MOST_TAGS) {
        reader.report(Diagnostic::new(key.span.clone(), format!("AWS takes at most {MOST_TAGS} tags besides ours")));
    }
    for (key, node) in entries {
        if let Err(wrong) = scalars::tag(&key.name) {
            let expected = wrong.expected.unwrap_or_default();
            let message = format!("a tag must have {expected}, not `{}`", key.name.escape_debug());
            reader.report(Diagnostic::new(key.span.clone(), message));
        }
        if let Some(other) = tags.keys().find(|other: &&String| differs_by_case(other, &key.name)) {
            let message = format!("tag `{}` differs from `{other}` by its case alone, which AWS refuses", key.name);
            reader.report(Diagnostic::new(key.span.clone(), message));
        }
        if let Some(value) = reader.scalar(node, &key.name, scalars::TAG_VALUE.what, scalars::tag_value) {
            tags.insert(key.name.clone(), value);
        }
    }
    tags
}

/// Returns whether two keys are the same but for the case of their letters: IAM takes only one of such.
fn differs_by_case(one: &str, other: &str) -> bool {
    one != other && one.eq_ignore_ascii_case(other)
}

/// Reports tags of an entry that are too many together with those of the stack, or differ from one of them by case.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    let Declaration {
        tags: all,
        buckets,
        functions,
        queues,
        topics,
        apis,
        secrets,
        networks,
        security_groups,
        servers,
        ..
    } = declaration;
    let entries = (buckets.iter().map(|(entry, bucket)| ("buckets", entry, &bucket.tags)))
        .chain(functions.iter().map(|(entry, function)| ("functions", entry, &function.tags)))
        .chain(queues.iter().map(|(entry, queue)| ("queues", entry, &queue.tags)))
        .chain(topics.iter().map(|(entry, topic)| ("topics", entry, &topic.tags)))
        .chain(apis.iter().map(|(entry, api)| ("apis", entry, &api.tags)))
        .chain(secrets.iter().map(|(entry, secret)| ("secrets", entry, &secret.tags)))
        .chain(networks.iter().map(|(entry, network)| ("networks", entry, &network.tags)))
        .chain(security_groups.iter().map(|(entry, group)| ("security_groups", entry, &group.tags)))
        .chain(servers.iter().map(|(entry, server)| ("servers", entry, &server.tags)));
    for (section, entry, own) in entries {
        let added = own.keys().filter(|key| !all.contains_key(*key)).count();
        if all.len() <= MOST_TAGS && own.len() <= MOST_TAGS && all.len() + added > MOST_TAGS {
            let span = span_of(root, &[section, entry, "tags"]);
            let message = format!(
                "with those of the stack these are {} tags: AWS takes at most {MOST_TAGS} besides ours",
                all.len() + added
            );
            reader.report(Diagnostic::new(span, message));
        }
        for key in own.keys() {
            if let Some(other) = all.keys().find(|other| differs_by_case(other, key)) {
                let span = span_of(root, &[section, entry, "tags", key]);
                let message =
                    format!("tag `{key}` differs from the stack's `{other}` by its case alone, which AWS refuses");
                reader.report(Diagnostic::new(span, message));
            }
        }
    }
}
