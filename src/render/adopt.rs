//! Renders an adoption: the tags that are written, and what `up` changes afterwards.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    VERSION,
    look::{Look, clean},
    plan::{self, Heading},
};
use crate::ops::adopt::Adoption;
use engine::Action;
use kinds::Kind;

/// Returns what is about to be done, and what `up` will do then.
pub(crate) fn text(heading: &Heading, adoption: &Adoption, look: &Look) -> String {
    let Heading { source, account, region } = heading;
    let (id, name) = (adoption.id.typed(), clean(&adoption.address.name));
    let mut text = format!("{} → account {account}, {region}\n\n", clean(source));
    if adoption.tags.is_empty() {
        let _ = writeln!(text, "  {name} is {id} already: nothing is written");
    } else {
        let _ = writeln!(text, "  {name} becomes {id}, keeps its name, and gets tags:");
        for (key, value) in &adoption.tags {
            let _ = writeln!(text, "      {key} = {}", clean(value));
        }
    }
    match adoption.item.action {
        Action::Unchanged => text.push_str("\nThe next `up` changes nothing of it."),
        _ => {
            let _ =
                write!(text, "\nThe next `up` makes it as it is declared:\n\n{}", plan::entry(&adoption.item, look));
        }
    }
    if adoption.id.kind == Kind::Function {
        text.push_str("\nThe code was not compared; `up` sends what is built.");
    }
    text.trim_end().to_owned()
}

/// Returns the result for people.
pub(crate) fn summary(adoption: &Adoption) -> String {
    format!("Adopted {} as {}; `provision up` finds it by its tags", clean(&adoption.address.name), adoption.id.typed())
}

/// Returns the adoption as one JSON document.
pub(crate) fn json(heading: &Heading, adoption: &Adoption, is_written: bool) -> Value {
    json!({
        "version": VERSION,
        "account": heading.account,
        "region": heading.region,
        "adopted": adoption.id.typed(),
        "name": adoption.address.name,
        "tags": adoption.tags,
        "written": is_written,
        "next": plan::document(&adoption.item),
    })
}
