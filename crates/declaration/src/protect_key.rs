//! The key `protect`, and which entries can have it.

use super::shape::{Field, Holds};

/// The key of every entry that can carry a tag: the protection outlives the entry.
pub(super) const PROTECT: Field = Field::new(
    "protect",
    Holds::Switch,
    "Delete or replace it only if `--allow-delete` names it, and keep it on `down --delete-data`. It holds even after the entry was removed.",
);

/// The same key of what holds data to last.
pub(super) const PROTECT_DATA: Field = Field::new(
    "protect",
    Holds::Switch,
    "Delete or replace it only if `--allow-delete` names it; this is so without the key, too. `true` also keeps it on `down --delete-data`, `false` ends all that. It holds even after the entry was removed.",
);

/// Hint where something has the key that cannot be protected.
pub(super) const UNPROTECTED: &str = "take it away: it has no tags of its own, so that its protection would go with it. Buckets, functions, queues, topics, APIs, secrets, tables, clusters, databases, caches and servers can be protected";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sections::ROOT;

    #[test]
    fn the_hint_names_every_section_that_has_the_key() {
        let (_, named) = UNPROTECTED.split_once("with it. ").unwrap();
        let named = named.to_lowercase().replace(" and ", ", ").replace(" can be protected", "");
        let named: Vec<&str> = named.split(", ").collect();
        let has_key = |field: &&Field| matches!(field.holds, Holds::Entries(shape) if shape.keys.iter().any(|key| key.name == PROTECT.name));
        let mut sections: Vec<String> =
            ROOT.keys.iter().filter(has_key).map(|field| field.name.replace('_', " ")).collect();
        let mut named: Vec<String> = named.into_iter().map(str::to_owned).collect();
        sections.sort();
        named.sort();
        assert_eq!(named, sections);
    }
}
