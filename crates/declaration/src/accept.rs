//! Accepted children: parts that others add to the stack's resources, and that need not be shown any more.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    alarms::MAIL_TOPICS,
    reader::{Fields, Reader, Wrong},
    shape::{Field, Form, Holds, Kind},
    suggestion::choose,
    tree::Key,
};

/// A resource's children of one sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acceptable {
    /// Name of the field: `aliases`.
    pub name: &'static str,
    /// `false` if all of them open the resource or carry data out of it: such are never accepted.
    pub stays: bool,
}

const fn stays(name: &'static str) -> Acceptable {
    Acceptable { name, stays: true }
}

const fn severe(name: &'static str) -> Acceptable {
    Acceptable { name, stays: false }
}

/// The children of every kind of resource, by the kind as it is typed. A test compares them with what is read from AWS.
pub const ACCEPTABLE: &[(&str, &[Acceptable])] = &[
    (
        "bucket",
        &[
            severe("replication"),
            stays("notifications"),
            severe("inventories"),
            stays("analytics"),
            stays("logging"),
            stays("cors"),
            stays("website"),
            stays("requester_pays"),
            stays("acceleration"),
            stays("object_lock"),
            stays("tiering"),
            stays("metrics"),
        ],
    ),
    (
        "function",
        &[
            stays("urls"),
            stays("permissions"),
            severe("mappings"),
            severe("dead_letter"),
            stays("file_systems"),
            stays("aliases"),
            stays("versions"),
        ],
    ),
    ("queue", &[severe("consumers"), stays("redrive_allow")]),
    (
        "topic",
        &[
            stays("subscriptions"),
            stays("delivery_policy"),
            stays("delivery_logging"),
            stays("tracing"),
            stays("signature"),
        ],
    ),
    ("secret", &[severe("replicas"), stays("rotation")]),
    ("log-group", &[stays("subscription_filters"), stays("metric_filters"), stays("data_protection")]),
    ("api", &[severe("stages"), stays("authorizers")]),
    ("table", &[severe("resource_policy"), severe("streaming"), severe("replicas"), stays("indexes"), stays("stream")]),
    (
        "cluster",
        &[
            severe("policy"),
            severe("other_networks"),
            stays("broker_logs"),
            stays("configuration"),
            stays("open_monitoring"),
        ],
    ),
    (
        "database",
        &[
            stays("read_replicas"),
            severe("backup_copies"),
            severe("roles"),
            severe("activity_stream"),
            severe("directories"),
            stays("options"),
            stays("log_exports"),
        ],
    ),
    ("cache", &[severe("global_group"), stays("logs")]),
    ("network", &[stays("ranges")]),
    ("route-table", &[severe("propagation")]),
    ("server", &[stays("interfaces"), stays("disks")]),
    ("access-log", &[stays("subscription_filters"), stays("metric_filters"), stays("data_protection")]),
];

/// Form of the resource.
const RESOURCE: Form = Form {
    what: "a kind and an entry, such as `bucket/mail`",
    pattern: "^(bucket|function|queue|topic|secret|log-group|api|access-log|table|cluster|database|cache|network|route-table|server)/[a-z][a-z0-9.-]*$",
};

/// Form of the children.
const CHILD: Form =
    Form { what: "what others added, such as `cors`, or one of them, such as `aliases.live`", pattern: "" };

/// The key `accept` of a declaration.
pub(super) const ACCEPT: Field = Field::new(
    "accept",
    Holds::Chosen(RESOURCE, &Holds::List(&Holds::Text(CHILD))),
    "Parts that others added to the stack's resources and that are no longer shown, `bucket/mail: [cors]`. What opens a resource or carries data out of it cannot be accepted.",
);

/// Entries that no declaration has by name: of what alarms imply, and of the stack's own.
const IMPLIED: [(&str, &str); 4] = [
    ("topic", MAIL_TOPICS[0]),
    ("topic", MAIL_TOPICS[1]),
    ("log-group", "provision.notes"),
    ("bucket", "provision.artifacts"),
];

/// Returns the children of the resource that a key names, and the resource's name; what is wrong with it is reported.
fn resource(reader: &mut Reader, key: &Key) -> Option<&'static [Acceptable]> {
    let kinds: Vec<&str> = ACCEPTABLE.iter().map(|(kind, _)| *kind).collect();
    let Some((word, entry)) = key.name.split_once('/') else {
        let message = format!("what is accepted must be of {}, not `{}`", RESOURCE.what, key.name.escape_debug());
        reader.diagnose(&key.span, message, "write `bucket/ENTRY: [cors]`");
        return None;
    };
    let Some((word, children)) = ACCEPTABLE.iter().find(|(kind, _)| *kind == word) else {
        let message = format!("nothing can be accepted of a `{}`", word.escape_debug());
        reader.diagnose(&key.span, message, choose(word, "kinds whose parts can be accepted", &kinds));
        return None;
    };
    // A log group is its function's, an access log its API's.
    let section = match *word {
        "log-group" => "function",
        "access-log" => "api",
        other => other,
    };
    // A kind that a network implies: nothing of one is ever accepted, whatever its name.
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.word() == section) else { return Some(children) };
    let is_implied = IMPLIED.contains(&(word, entry));
    if !is_implied && !reader.is_declared(kind, entry) {
        let message = format!("{} `{}` is not declared", kind.word(), entry.escape_debug());
        let declared: Vec<&str> = reader.declared(kind).iter().map(String::as_str).collect();
        let hint = if declared.is_empty() {
            "remove this line".to_owned()
        } else {
            choose(entry, &format!("declared {}s", kind.word()), &declared)
        };
        reader.diagnose(&key.span, message, hint);
        return None;
    }
    Some(children)
}

/// Checks the name of a child, or of a sort of them.
fn child(children: &[Acceptable], text: &str) -> Result<String, Wrong> {
    let name = text.split('.').next().unwrap_or(text);
    let known = |stays: bool| children.iter().filter(move |one| one.stays == stays).map(|one| one.name);
    if known(false).any(|severe| severe == name) {
        let words = "what does no harm: it opens the resource or carries data out of it, and is never accepted";
        return Err(
            Wrong::expected(words).hint("remove this line; `up --allow-delete KIND/ENTRY` removes what was added")
        );
    }
    if known(true).any(|stays| stays == name) {
        return Ok(text.to_owned());
    }
    let known: Vec<&str> = known(true).collect();
    Err(Wrong::default().hint(choose(name, "what can be accepted there", &known)))
}

/// Reads what is accepted, by resource.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> BTreeMap<String, BTreeSet<String>> {
    let mut accepted = BTreeMap::new();
    for (key, node) in reader.chosen(fields, ACCEPT.name) {
        let Some(children) = resource(reader, key) else { continue };
        let example = children.iter().find(|one| one.stays).map_or("NAME", |one| one.name);
        let mut names = BTreeSet::new();
        for item in reader.list(node, &key.name, example) {
            let Some(name) = reader.scalar(item, &key.name, CHILD.what, |text| child(children, text)) else { continue };
            if !names.insert(name.clone()) {
                let message = format!("`{name}` is there twice in `{}`", key.name);
                reader.diagnose(&item.span, message, "remove one of them");
            }
        }
        accepted.insert(key.name.clone(), names);
    }
    accepted
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::{Declaration, DeclarationError};

    const HEAD: &str = "stack: mail\nregion: eu-west-1\nbuckets: {mail: {}}\n\
                        functions: {reader: {crate: a, bin: a, memory: 128MB, timeout: 1s}}\n";

    fn parse(accept: &str) -> Result<Declaration, String> {
        let source = format!("{HEAD}accept: {accept}\n");
        match Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None) {
            Ok(checked) => Ok(checked.declarations.into_iter().next().unwrap()),
            Err(DeclarationError::Invalid(wrong)) => Err(wrong
                .list()
                .iter()
                .map(|one| format!("{} [{:?}]", one.message, one.hint))
                .collect::<Vec<_>>()
                .join("; ")),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_accepted_is_a_list_by_resource() {
        let read = parse(
            "{bucket/mail: [cors, logging], function/reader: [aliases.live], log-group/reader: [metric_filters]}",
        );
        let accepted = read.unwrap().accepted;
        let listed: Vec<String> = accepted.iter().map(|(of, names)| format!("{of} {names:?}")).collect();
        assert_eq!(
            listed,
            [
                r#"bucket/mail {"cors", "logging"}"#,
                r#"function/reader {"aliases.live"}"#,
                r#"log-group/reader {"metric_filters"}"#
            ]
        );
        assert!(parse("{topic/alarms: [subscriptions]}").is_ok());
    }

    #[test]
    fn what_cannot_be_accepted_is_told_with_what_can_be() {
        for (accept, words) in [
            ("{bucket/mail: [replication]}", "never accepted"),
            ("{function/reader: [mappings.0000]}", "never accepted"),
            ("{route-table/main-public: [propagation]}", "never accepted"),
            ("{database/store: [options]}", "database `store` is not declared"),
            ("{bucket/mail: [corse]}", "did you mean `cors`?"),
            ("{bucket/mial: [cors]}", "did you mean `mail`?"),
            ("{buckets/mail: [cors]}", "did you mean `bucket`?"),
            ("{log-group/mail: [metric_filters]}", "function `mail` is not declared"),
            ("{queue/failed: [redrive_allow]}", "queue `failed` is not declared"),
            ("{role/reader: [policies]}", "nothing can be accepted of a `role`"),
            ("{mail: [cors]}", "a kind and an entry"),
            ("{bucket/mail: cors}", "write `bucket/mail: [notifications]`"),
            ("{bucket/mail: [cors, cors]}", "is there twice"),
            ("{bucket/mail: [cors], bucket/mail: [cors]}", "is there twice"),
            ("[cors]", "must be a mapping"),
        ] {
            let refusal = parse(accept).unwrap_err();
            assert!(refusal.contains(words), "{accept}: {refusal}");
        }
    }
}
