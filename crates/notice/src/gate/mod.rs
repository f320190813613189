//! The gate behind all readers: a reading stands only if nothing in the notice's own words speaks against it.
//!
//! Providers read a status where their format has it. A sentence may still tell otherwise: above the table, in a heading, in
//! the description of a calendar entry, in any language. Each change that is told so must be one that the status says; what is
//! not explained is ambiguous, and a person decides.

pub mod other;
mod partial;
mod several;

use super::{
    change::{Change, Statement},
    draft::ROW_STATUS,
    failure::Failure,
    model::{Maintenance, Status},
    opinion,
    passages::{Entry, Told},
    source::Source,
};

/// Fails where the notice tells of a change that the status of none of its maintenances says, or of one of some circuits alone, names
/// another notice in the same way, or states other values to one who reads it in another way.
pub fn check(source: &Source<'_>, maintenances: &[Maintenance]) -> Result<(), Failure> {
    several::check(source, maintenances)?;
    let statuses: Vec<Status> = maintenances.iter().map(Maintenance::status).collect();
    let rows: Vec<&str> = maintenances
        .iter()
        .flat_map(Maintenance::evidence)
        .filter(|evidence| evidence.field == ROW_STATUS)
        .map(|evidence| evidence.quote.as_str())
        .collect();
    for told in source.told() {
        match told.entry {
            Entry::None if rows.contains(&told.text.as_str()) => {}
            Entry::Of(Some(status)) => expect_explained(told, &[status])?,
            Entry::None | Entry::Of(None) => expect_explained(told, &statuses)?,
        }
    }
    partial::check(source, maintenances)?;
    opinion::of(source, maintenances).map(drop)
}

fn expect_explained(told: &Told, statuses: &[Status]) -> Result<(), Failure> {
    let unexplained = |statement: &&Statement| {
        let said = |status: &&Status| statement.change.status() == Some(**status);
        if statement.is_negated {
            statuses.iter().find(said).is_some()
        } else {
            let is_explained = |status: &Status| {
                // An entry of a log is history: what began before it was moved has begun.
                let is_history = *status == Status::ReScheduled && statement.change == Change::Started;
                statement.change.is_explained_by(*status) || is_history && is_log_entry(&told.text)
            };
            !statuses.iter().any(is_explained)
        }
    };
    let Some(statement) = told.statements.iter().find(unexplained) else { return Ok(()) };
    let said: Vec<_> = statuses.first().into_iter().map(|status| status.word()).collect();
    let not = if statement.is_negated { "not " } else { "" };
    let expected = format!(
        "one status: {} is read, and the notice tells that it is {not}{}",
        said.concat(),
        statement.change.words()
    );
    Err(Failure { place: Some(told.place.clone()), ..Failure::ambiguous(expected).with_quote(&statement.sentence) })
}

/// Returns whether a line begins with a date: `2031-03-04 05:00:30 GMT - Work has begun.`
fn is_log_entry(text: &str) -> bool {
    text.bytes().take(4).all(|digit| digit.is_ascii_digit()) && text.as_bytes().get(4) == Some(&b'-')
}
