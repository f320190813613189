//! The declaration as a whole: its sections in the order in which one needs the other, and what all of them share.

use std::collections::BTreeMap;

use super::{
    Declaration, Function, alarms, bucket, checks,
    diagnostic::Diagnostic,
    function, queue,
    reader::{Fields, Reader},
    rule, scalars, secret,
    shape::{Field, Holds, Kind, Shape},
    tags::tags,
    topic,
    tree::{Key, Node, Value},
};

pub(super) static ROOT: Shape = Shape {
    name: "declaration",
    keys: &[
        Field::new("stack", Holds::Text(scalars::NAME), "The stack's name; every name in AWS begins with it.")
            .required("circuit-maintenance"),
        Field::new("region", Holds::Text(scalars::REGION), "The AWS region.").required("eu-west-1"),
        Field::new("account", Holds::Text(scalars::ACCOUNT), "The one account in which the stack may stand."),
        Field::new(
            "tags",
            Holds::Chosen(scalars::TAG, &Holds::Text(scalars::TAG_VALUE)),
            "Tags of everything that takes tags.",
        ),
        Field::new(
            "take_over",
            Holds::Switch,
            "Whether our receipt rule set is made the active one although another is. Without it our rules join that one.",
        )
        .or("false"),
        Field::new("buckets", Holds::Entries(&bucket::SHAPE), "Buckets by name: always private, encrypted, TLS only."),
        Field::new("functions", Holds::Entries(&function::SHAPE), "Functions by name."),
        Field::new("queues", Holds::Entries(&queue::SHAPE), "Queues by name: always encrypted."),
        Field::new("topics", Holds::Entries(&topic::SHAPE), "Topics by name."),
        Field::new("secrets", Holds::Entries(&secret::SHAPE), "Secrets by name; never their values."),
        Field::new("receipt_rules", Holds::List(&Holds::Mapping(&rule::SHAPE)), "Rules in the order of their evaluation."),
        Field::new(
            "alarms",
            Holds::Mapping(&alarms::SHAPE),
            "Who is told when something goes wrong. Every function and failure queue is watched without being asked for.",
        ),
        Field::new("stages", Holds::Stages, "What each stage has otherwise: laid over everything else, key by key."),
    ],
};

/// A whole declaration; worth nothing if anything was noted.
pub(super) fn declaration(root: &Node) -> (Declaration, Vec<Diagnostic>) {
    let mut reader = Reader::new(Kind::ALL.into_iter().map(|kind| (kind, names(root, kind.section()))).collect());
    let reader = &mut reader;
    let fields = &reader.fields(root, &(0..0), "the declaration", &ROOT);
    let functions: BTreeMap<String, Function> = section(reader, fields, Kind::Function, function::read);
    let declaration = Declaration {
        stack: reader.text(fields, "stack", scalars::name).unwrap_or_default(),
        stage: None,
        region: reader.text(fields, "region", scalars::region).unwrap_or_default(),
        account: reader.text(fields, "account", scalars::account),
        tags: tags(reader, fields),
        take_over: reader.switch(fields, "take_over").unwrap_or_default(),
        buckets: section(reader, fields, Kind::Bucket, bucket::read),
        queues: section(reader, fields, Kind::Queue, queue::read),
        topics: section(reader, fields, Kind::Topic, topic::read),
        secrets: secrets(reader, fields),
        alarms: alarms::read(reader, fields),
        receipt_rules: rule::read(reader, fields, &functions),
        functions,
    };
    checks::whole(reader, root, &declaration);
    (declaration, std::mem::take(reader).finish())
}

fn secrets(reader: &mut Reader, fields: &Fields<'_>) -> BTreeMap<String, super::Secret> {
    reader.conceal(true);
    let secrets = section(reader, fields, Kind::Secret, secret::read);
    reader.conceal(false);
    secrets
}

/// The names of a section's entries.
fn names(root: &Node, section: &str) -> Vec<String> {
    let Value::Map(entries) = &root.value else { return Vec::new() };
    match entries.iter().find(|(key, _)| key.name == section).map(|(_, node)| &node.value) {
        Some(Value::Map(entries)) => entries.iter().map(|(key, _)| key.name.clone()).collect(),
        _ => Vec::new(),
    }
}

/// A section of named entries.
fn section<T>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    kind: Kind,
    read: impl Fn(&mut Reader, &Key, &Node) -> T,
) -> BTreeMap<String, T> {
    let mut section = BTreeMap::new();
    for (key, node) in reader.chosen(fields, kind.section()) {
        if let Err(wrong) = scalars::name(&key.name) {
            let expected = wrong.expected.unwrap_or_default();
            let message =
                format!("the name of a {} must be {expected}, not `{}`", kind.word(), key.name.escape_debug());
            let diagnostic = Diagnostic::new(key.span.clone(), message);
            reader.note(match wrong.hint {
                Some(hint) => diagnostic.with_hint(hint),
                None => diagnostic,
            });
        }
        section.insert(key.name.clone(), read(reader, key, node));
    }
    section
}
