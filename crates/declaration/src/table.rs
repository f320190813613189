//! `tables`: items by their keys, in `DynamoDB`. They grow and are paid by use; they are always encrypted.

use std::collections::BTreeMap;

use super::{
    protection::{KMS_KEY, PROTECT_DATA, protect},
    reader::Reader,
    scalars,
    shape::{Field, Holds, Shape},
    tags::{TAGS, tags},
    tree::{Key, Node},
};

/// A table of `DynamoDB` with keys that are texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Attribute by which items are spread: a text.
    pub partition_key: String,
    /// Attribute by which the items of one partition key are sorted, a text; `None` if each is alone.
    pub sort_key: Option<String>,
    /// Attribute with the time after which an item is deleted; `None` deletes none.
    pub time_to_live: Option<String>,
    /// `true` if it can be brought back to every second of the last 35 days.
    pub point_in_time_recovery: bool,
    /// `true` if AWS refuses to delete it.
    pub deletion_protection: bool,
    /// ARN of the KMS key that encrypts it; `None` is that of the stack.
    pub kms_key: Option<String>,
    /// `true` to delete or replace it only by name, `false` to protect it no longer; `None` leaves that to the kind.
    pub protect: Option<bool>,
    /// Tags of the table; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

pub(super) static SHAPE: Shape = Shape {
    name: "table",
    keys: &[
        Field::new(
            "partition_key",
            Holds::Text(scalars::ATTRIBUTE),
            "Attribute by which items are spread: a text. Another one is another table.",
        )
        .required("id"),
        Field::new(
            "sort_key",
            Holds::Text(scalars::ATTRIBUTE),
            "Attribute by which the items of one partition key are sorted: a text.",
        ),
        Field::new(
            "time_to_live",
            Holds::Text(scalars::ATTRIBUTE),
            "Attribute with the time, in seconds since 1970, after which an item is deleted. Without it none is.",
        ),
        Field::new(
            "point_in_time_recovery",
            Holds::Switch,
            "Keep what is needed to bring the table back to every second of the last 35 days.",
        )
        .or("true"),
        Field::new("deletion_protection", Holds::Switch, "Let AWS refuse every attempt to delete it.").or("true"),
        KMS_KEY,
        PROTECT_DATA,
        TAGS,
    ],
};

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Table {
    let fields = &reader.fields(node, &key.span, format!("table `{}`", key.name), &SHAPE);
    let table = Table {
        partition_key: reader.text(fields, "partition_key", scalars::attribute).unwrap_or_default(),
        sort_key: reader.text(fields, "sort_key", scalars::attribute),
        time_to_live: reader.text(fields, "time_to_live", scalars::attribute),
        point_in_time_recovery: reader.switch(fields, "point_in_time_recovery").unwrap_or(true),
        deletion_protection: reader.switch(fields, "deletion_protection").unwrap_or(true),
        kms_key: reader.text(fields, "kms_key", scalars::kms_key),
        protect: protect(reader, fields),
        tags: tags(reader, fields),
    };
    for name in ["sort_key", "time_to_live"] {
        let other = if name == "sort_key" { &table.sort_key } else { &table.time_to_live };
        if other.as_ref() == Some(&table.partition_key) && !table.partition_key.is_empty() {
            let message = format!("`{}` is the partition key already", table.partition_key);
            reader.diagnose(&fields.span_of(name), message, "name another attribute");
        }
    }
    table
}
