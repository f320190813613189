//! Tags: of the stack, and of its entries.

use std::collections::BTreeMap;

use super::{
    diagnostic::Diagnostic,
    reader::{Fields, Reader},
    scalars,
    shape::{Field, Holds},
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
        if let Some(value) = reader.scalar(node, &key.name, scalars::TAG_VALUE.what, scalars::tag_value) {
            tags.insert(key.name.clone(), value);
        }
    }
    tags
}
