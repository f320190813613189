//! Tests that no field of any kind is forgotten: each path of the settings is registered, and each registered path exists.
//!
//! The settings here have a value in every field and leave none to a default, so that one more field of a struct, or one
//! more kind, is an error of the compiler.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Kind, Settings};
use aws::policy::{Policy, Statement};
use engine::difference::paths;
use engine::{Holds, Kind as _, Life, Tags};

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

/// Words in a field's name that suggest that its value ends the life of data, or keeps it.
const OF_LIFE: &[&str] = &[
    "age",
    "backup",
    "days",
    "delete",
    "expir",
    "keep",
    "life",
    "noncurrent",
    "protect",
    "point_in_time",
    "recover",
    "retain",
    "retention",
    "ttl",
    "version",
];

#[test]
fn a_field_whose_name_suggests_the_life_of_data_says_how_it_relates_to_it() {
    let suggests = |path: &str| {
        let words = |path: &str| path.split(['.', '_']).map(str::to_owned).collect::<Vec<_>>();
        OF_LIFE.iter().any(|of| words(path).iter().any(|word| word.starts_with(of)) || path.contains("point_in_time"))
    };
    let fields = Kind::ALL.iter().flat_map(|kind| kind.fields().iter().map(|field| (kind.name(), field)));
    let silent: Vec<_> = fields
        .clone()
        .filter(|(_, field)| field.life.is_none() && suggests(field.path))
        .map(|(kind, field)| (kind, field.path))
        .collect();
    assert_eq!(silent, [("", ""); 0], "say `with_life`");
    assert!(fields.filter(|(_, field)| field.life.is_some_and(|life| life != Life::Unrelated)).count() >= 6);
}

/// A kind that can be asked for what it holds says what becomes of that: `HOLDS` has no default.
#[test]
fn what_holds_data_to_last_is_protected_and_can_carry_the_tag() {
    for kind in Kind::ALL {
        let is_tagged = kind.fields().iter().any(|field| field.path == "tags.*");
        let holds = kind.holds("entry");
        assert!(holds == Holds::Nothing || is_tagged, "a {} would forget that it is protected", kind.name());
        assert_eq!(kind.holds("provision.artifacts"), Holds::Nothing);
    }
    for kind in [Kind::Bucket, Kind::Secret] {
        assert_eq!(kind.holds("entry"), Holds::Lasting);
    }
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
