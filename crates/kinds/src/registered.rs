//! Tests that no field of any kind is forgotten: each path of the settings is registered, and each registered path exists.
//!
//! The settings here have a value in every field and leave none to a default, so that one more field of a struct, or one
//! more kind, is an error of the compiler.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Kind, Settings};
use aws::policy::{Policy, Statement};
use engine::difference::paths;
use engine::{Kind as _, Tags};

pub(crate) fn text() -> String {
    "text".to_owned()
}

pub(crate) fn texts() -> BTreeSet<String> {
    BTreeSet::from([text()])
}

pub(crate) fn map() -> BTreeMap<String, String> {
    BTreeMap::from([("key".to_owned(), text())])
}

pub(crate) fn tags() -> Tags {
    map()
}

pub(crate) fn statement() -> Statement {
    Statement {
        other: map(),
        ..Statement::allow(&["s3:PutObject"], [text()]).for_service("ses.amazonaws.com").when(
            "StringEquals",
            "aws:SourceAccount",
            [text()],
        )
    }
}

pub(crate) fn policy() -> Policy {
    Policy::new([("id".to_owned(), statement())])
}

#[test]
fn a_kind_gives_its_tags_if_it_has_any() {
    for kind in Kind::ALL {
        assert_eq!(Settings::full(*kind).tags_mut().is_some(), kind.has_tags(), "{}", kind.name());
    }
}

#[test]
fn the_registered_fields_of_every_kind_are_those_of_its_settings() {
    for kind in Kind::ALL {
        let settings = Settings::full(*kind);
        assert_eq!(settings.kind(), *kind);
        let (paths, fields) = (paths(&settings.tree()), kind.fields());
        let unregistered: Vec<_> = paths.iter().filter(|path| !fields.iter().any(|one| one.covers(path))).collect();
        assert_eq!(unregistered, [""; 0], "of a {}", kind.name());
        let missing: Vec<_> = fields.iter().filter(|field| !paths.iter().any(|path| field.covers(path))).collect();
        assert!(missing.is_empty(), "of a {}: {missing:?}", kind.name());
    }
}
