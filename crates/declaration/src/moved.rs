//! Renamed entries: what was made for the entry of before stays, under its name in AWS.

use std::{collections::BTreeMap, ops::Range};

use super::{
    Bucket, Cluster, Network, Secret, SecretSource,
    reader::{Fields, Reader, Wrong},
    scalars,
    shape::{Field, Holds, Kind},
    suggestion::{choose, one_of},
};

/// An entry that had another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Section of both entries: `buckets`.
    pub section: &'static str,
    /// Name of the entry as it was.
    pub from: String,
    /// Name of the entry as it is declared.
    pub to: String,
}

/// The key `moved` of a declaration.
pub(super) const MOVED: Field = Field::new(
    "moved",
    Holds::Chosen(scalars::RESOURCE, &Holds::Text(scalars::RESOURCE)),
    "Renamed entries, `bucket/OLD: bucket/NEW`: what was made for the old name stays, with its name in AWS. After one `up` the line may go.",
);

/// Kinds that cannot be moved: their names, why, and what happens instead.
const OTHERS: &[(&[&str], &str, &str)] = &[
    (
        &["receipt rule", "rule"],
        "SES keeps no tags on receipt rules, so that the name alone tells which entry one is for",
        "rename it without `moved`: the rule of the new name is there before that of the old one is deleted, and no mail falls between them",
    ),
    (
        &["receipt rule set", "receipt rule order", "active rule set"],
        "SES keeps no tags on rule sets, and there is one for the stack",
        "leave it out",
    ),
    (
        &["permission"],
        "Lambda keeps no tags on permissions: each is named by what may invoke the function",
        "leave it out: a permission of the new name is there before that of the old one is deleted",
    ),
    (
        &["subscription"],
        "SNS keeps no tags on subscriptions: each is named by who is told",
        "leave it out: it stays as long as the topic and who is told do",
    ),
    (
        &["bucket statement"],
        "a statement in a policy has no tags: it is named by the rule that stores there",
        "leave it out: a statement of the new name is there before that of the old one is deleted",
    ),
    (
        &["event invoke"],
        "it is a part of its function, and has no tags",
        "move the function: `function/OLD: function/NEW`",
    ),
    (
        &["role", "log group"],
        "it is made for a function, and moves with it",
        "move the function: `function/OLD: function/NEW`",
    ),
    (
        &["kafka topic"],
        "Kafka keeps no tags on topics: each is named by what is declared",
        "leave it out: a topic of the new name is made, and that of the old one stays",
    ),
    (
        &["identity feedback"],
        "it is a part of an identity, which is not the stack's",
        "leave it out: it is named by the identity",
    ),
    (
        &["database subnets", "database parameters"],
        "they are made for a database, and move with it",
        "move the database: `database/OLD: database/NEW`",
    ),
    (&["cache subnets"], "they are made for a cache, and move with it", "move the cache: `cache/OLD: cache/NEW`"),
    (
        &["subnet", "internet gateway", "nat gateway", "route table", "endpoint"],
        "it is made for a network, and moves with it",
        "move the network: `network/OLD: network/NEW`",
    ),
    (
        &["volume", "address", "instance profile"],
        "it is made for a server, and moves with it",
        "move the server: `server/OLD: server/NEW`",
    ),
    (&["access log"], "it is made for an API, and moves with it", "move the API: `api/OLD: api/NEW`"),
    (
        &["event source mapping", "mapping"],
        "it is named by its function and its queue",
        "move the function or the queue: `function/OLD: function/NEW` or `queue/OLD: queue/NEW`",
    ),
    (
        &["alarm"],
        "it is made for the entry that it watches, and moves with it",
        "move that one, such as `function/OLD: function/NEW` or `database/OLD: database/NEW`",
    ),
];

/// Parses the name of a resource, `bucket/mail`.
fn resource(text: &str) -> Result<(Kind, String), Wrong> {
    let known: Vec<String> = Kind::ALL.into_iter().map(Kind::typed).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let expected = || Wrong::expected(scalars::RESOURCE.what);
    let (word, entry) = text.split_once('/').ok_or_else(expected)?;
    let spaced = word.replace(['_', '-'], " ");
    if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.typed() == word) {
        return scalars::name(entry).map(|entry| (kind, entry));
    }
    let other =
        OTHERS.iter().find(|(words, ..)| words.iter().any(|one| [*one, &format!("{one}s")].contains(&&*spaced)));
    if let Some((_, why, instead)) = other {
        return Err(Wrong::expected(format!("a {}: {why}", one_of(&known))).hint(*instead));
    }
    let plural = Kind::ALL.into_iter().find(|kind| kind.section() == word);
    let hint = plural
        .map_or_else(|| choose(word, "what can be moved", &known), |kind| format!("write `{}/{entry}`", kind.typed()));
    Err(expected().hint(hint))
}

/// Reads the renamed entries. Both names are of one kind; the old one is no longer declared, and the new one is.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Vec<(Range<usize>, Move)> {
    let mut moved: Vec<(Range<usize>, Move)> = Vec::new();
    for (key, node) in reader.chosen(fields, MOVED.name) {
        let from = match resource(&key.name) {
            Ok(from) => Some(from),
            Err(Wrong { expected, hint }) => {
                let expected = expected.unwrap_or_else(|| scalars::RESOURCE.what.to_owned());
                let message = format!("what is moved must be {expected}, not `{}`", key.name.escape_debug());
                reader.diagnose(
                    &key.span,
                    message,
                    hint.unwrap_or_else(|| "write `bucket/OLD: bucket/NEW`".to_owned()),
                );
                None
            }
        };
        let to = reader.scalar(node, &key.name, scalars::RESOURCE.what, resource);
        let (Some((kind, from)), Some((new, to))) = (from, to) else { continue };
        let (word, typed) = (kind.word(), kind.typed());
        if new != kind {
            let message = format!("{} cannot become {}", kind.one(), new.one());
            reader.diagnose(&node.span, message, format!("write `{typed}/{from}: {typed}/NEW`"));
        } else if reader.is_declared(kind, &from) {
            let message = format!("{word} `{from}` is still declared, so that it has not moved");
            reader.diagnose(&key.span, message, format!("remove `{from}` from `{}`, or this line", kind.section()));
        } else if !reader.is_declared(kind, &to) {
            let message = format!("{word} `{to}` is not declared, so that nothing can move there");
            let declared: Vec<&str> = reader.declared(kind).iter().map(String::as_str).collect();
            let hint = if declared.is_empty() {
                format!("declare `{to}` under `{}`", kind.section())
            } else {
                choose(&to, &format!("declared {word}s"), &declared)
            };
            reader.diagnose(&node.span, message, hint);
        } else if let Some((_, other)) = moved.iter().find(|(_, one)| one.section == kind.section() && one.to == to) {
            let message = format!("{word}s `{}` and `{from}` cannot both become `{to}`", other.from);
            reader.diagnose(&node.span, message, "keep one of the two lines");
        } else {
            moved.push((node.span.clone(), Move { section: kind.section(), from, to }));
        }
    }
    moved
}

/// Returns the renamed entries without those whose resource is not the stack's, which are reported.
pub(super) fn of_the_stack(
    reader: &mut Reader,
    moved: Vec<(Range<usize>, Move)>,
    buckets: &BTreeMap<String, Bucket>,
    secrets: &BTreeMap<String, Secret>,
    clusters: &BTreeMap<String, Cluster>,
    networks: &BTreeMap<String, Network>,
) -> Vec<Move> {
    let exists = |one: &Move| match one.section {
        "buckets" => buckets.get(&one.to).is_some_and(|bucket| bucket.existing.is_some()),
        "secrets" => secrets.get(&one.to).is_some_and(|secret| matches!(secret.source, SecretSource::Existing(_))),
        "clusters" => clusters.get(&one.to).is_some_and(|cluster| cluster.existing().is_some()),
        "networks" => networks.get(&one.to).is_some_and(|network| network.existing().is_some()),
        _ => false,
    };
    let (strange, ours): (Vec<_>, Vec<_>) = moved.into_iter().partition(|(_, one)| exists(one));
    for (span, Move { to, .. }) in strange {
        let message =
            format!("`{to}` is declared as `existing`: it is not the stack's, and has no tag that could be changed");
        reader.diagnose(&span, message, "remove this line: its name in AWS is what is declared");
    }
    ours.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_every_kind_that_can_be_moved() {
        let kinds = Kind::ALL.map(Kind::typed).join("|");
        assert_eq!(scalars::RESOURCE.pattern, format!("^({kinds})/[a-z][a-z0-9-]*$"));
    }
}
