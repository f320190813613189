//! Common parts of the commands about sent mails: the entries of the declaration that they use, and the way to Kafka.

mod mails;
mod way;

use std::collections::BTreeMap;

use declaration::{Cluster, Declaration, Table, choose};
use problem::Problem;

pub(crate) use mails::{Mail, Mails};
pub(crate) use way::{Named, Source, Wanted, Way, unanswered};

/// Hint where nothing of a kind is declared.
const UNDECLARED: &str = "`provision schema --markdown` shows how to declare one";

/// Finds the entry that is meant: the named one, else the only one. `what` is the kind in words, such as `table`.
pub(crate) fn entry<'declared, T>(
    entries: &'declared BTreeMap<String, T>,
    named: Option<&str>,
    (what, option): (&str, &str),
) -> Result<(&'declared str, &'declared T), Problem> {
    let known: Vec<&str> = entries.keys().map(String::as_str).collect();
    if let Some(name) = named {
        let found = entries.get_key_value(name).map(|(name, entry)| (name.as_str(), entry));
        return found.ok_or_else(|| {
            Problem::new(format!("Failed to find the {what} `{name}`: the declaration has none of that name"))
                .with_hint(if known.is_empty() { UNDECLARED.to_owned() } else { choose(name, "it has", &known) })
        });
    }
    match entries.iter().next() {
        Some((name, entry)) if known.len() == 1 => Ok((name, entry)),
        Some(_) => Err(Problem::new(format!("Failed to choose a {what}: the declaration has {}", known.len()))
            .with_hint(format!("name one with `{option}`: {}", known.join(", ")))),
        None => Err(Problem::new(format!("Failed to find a {what}: the declaration has none")).with_hint(UNDECLARED)),
    }
}

/// A topic of Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic<'declared> {
    /// Entry of its cluster.
    pub(crate) cluster: &'declared str,
    /// Its name in Kafka.
    pub(crate) name: &'declared str,
}

impl Topic<'_> {
    /// Returns the topic as it is declared, `CLUSTER/TOPIC`.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.cluster, self.name)
    }
}

/// Returns `true` if a table has the keys of sent mails.
pub(crate) fn keeps_mails(table: &Table) -> bool {
    table.partition_key == contract::sending::PARTITION_KEY
        && table.sort_key.as_deref() == Some(contract::sending::SORT_KEY)
}

/// Finds the table of sent mails: the named one, else the only one that can be one; `None` if there is none.
pub(crate) fn table<'declared>(
    declaration: &'declared Declaration,
    named: Option<&str>,
) -> Result<Option<&'declared str>, Problem> {
    let tables = declaration.tables.iter().filter(|(_, table)| keeps_mails(table));
    let tables: BTreeMap<String, &'declared str> = tables.map(|(name, _)| (name.clone(), name.as_str())).collect();
    if tables.is_empty() && named.is_none() {
        return Ok(None);
    }
    entry(&tables, named, ("table of sent mails", "--table")).map(|(_, table)| Some(*table))
}

/// Finds a declared topic of Kafka: the named one, as `CLUSTER/TOPIC`, else the only one.
pub(crate) fn topic<'declared>(
    declaration: &'declared Declaration,
    named: Option<&str>,
) -> Result<Topic<'declared>, Problem> {
    let of_cluster = |(cluster, declared): (&'declared String, &'declared Cluster)| {
        declared.topics.keys().map(move |name| (format!("{cluster}/{name}"), Topic { cluster, name }))
    };
    let topics: BTreeMap<String, Topic<'declared>> = declaration.clusters.iter().flat_map(of_cluster).collect();
    entry(&topics, named, ("topic of Kafka", "CLUSTER/TOPIC")).map(|(_, topic)| topic.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_entry_is_meant_where_none_is_named() {
        let entries = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), true)).collect::<BTreeMap<_, _>>();
        let found = |names: &[&str], named| {
            entry(&entries(names), named, ("table", "--table"))
                .map(|(name, _)| name.to_owned())
                .map_err(|error| error.to_string())
        };
        assert_eq!(found(&["mails"], None), Ok("mails".to_owned()));
        assert_eq!(found(&["mails", "other"], Some("other")), Ok("other".to_owned()));
        for (names, named) in [(&["mails", "other"][..], None), (&[], None), (&["mails"], Some("mail"))] {
            assert!(found(names, named).is_err(), "{names:?} {named:?}");
        }
    }
}
