//! A change of some circuits: "EX-1 (cancelled)" in a list that has EX-2 too. A maintenance has one status for all of its circuits, so a
//! change that is told of some of them alone is none of the maintenance.

use crate::{
    change,
    draft::ROW_STATUS,
    failure::Failure,
    found::Place,
    model::{Circuit, Maintenance, Status},
    passages::Told,
    source::Source,
};

/// Circuits from which on nobody looks for those that a passage names: the product of circuits and passages would be large.
const MOST_CIRCUITS: usize = 1_000;
/// Passages that tell of one change, of which the circuits are looked for.
const MOST_PASSAGES: usize = 100;

/// Fails where the status of a maintenance is told of some of its circuits alone, or where an id of a circuit has such words in it.
pub(super) fn check(source: &Source<'_>, maintenances: &[Maintenance]) -> Result<(), Failure> {
    let circuits = || maintenances.iter().flat_map(Maintenance::circuits).map(Circuit::id);
    // An id without a blank is one word.
    if let Some(id) = circuits().find(|id| id.contains(' ') && !change::statements(id).is_empty()) {
        return Err(Failure::ambiguous("an id of a circuit, without words of change in it").with_quote(id));
    }
    let mut all: Vec<&str> = circuits().take(MOST_CIRCUITS + 1).collect();
    all.sort_unstable();
    all.dedup();
    if all.len() < 2 || all.len() > MOST_CIRCUITS {
        return Ok(());
    }
    // Where a reader notes the statuses of rows, it has compared them.
    let has_rows = |one: &&Maintenance| one.evidence().iter().any(|evidence| evidence.field == ROW_STATUS);
    maintenances.iter().filter(|one| !has_rows(one)).try_for_each(|one| expect_told_of_all(source, one, &all))
}

/// Fails where each passage that tells of the status of a maintenance names circuits, and one of the maintenance's is not among them.
fn expect_told_of_all(source: &Source<'_>, maintenance: &Maintenance, all: &[&str]) -> Result<(), Failure> {
    let mut named = Vec::new();
    let mut last = None;
    for told in source.told().iter().filter(|told| tells(told, maintenance.status())).take(MOST_PASSAGES) {
        let before = named.len();
        named_in(source, &told.text, all, &mut named);
        // A title names the maintenance, and perhaps the first of its circuits.
        if named.len() == before || told.place == Place::Header("Subject") {
            return Ok(());
        }
        last = Some(told);
    }
    let left_out = maintenance.circuits().iter().map(Circuit::id).find(|id| !named.contains(id));
    let Some((told, id)) = last.zip(left_out) else { return Ok(()) };
    let expected = format!("a change of all circuits: {} is told of others than `{id}`", maintenance.status().word());
    Err(Failure { place: Some(told.place.clone()), ..Failure::ambiguous(expected).with_quote(&told.text) })
}

fn tells(told: &Told, status: Status) -> bool {
    told.statements.iter().any(|statement| !statement.is_negated && statement.change.status() == Some(status))
}

/// Adds the circuits that a passage names. One that is the cell of a row names those of the row, if it stands nowhere else.
fn named_in<'ids>(source: &Source<'_>, text: &str, all: &[&'ids str], named: &mut Vec<&'ids str>) {
    let before = named.len();
    named.extend(all.iter().filter(|id| text.contains(**id)));
    let Ok(page) = source.page() else { return };
    if named.len() > before {
        return;
    }
    let mut elsewhere = page.lines().iter().filter(|(_, line)| *line == text).count();
    let rows = page.tables().iter().flat_map(|table| &table.rows);
    for row in rows.filter(|row| row.iter().any(|cell| cell.value == text)) {
        let of_row = all.iter().filter(|id| row.iter().any(|cell| cell.value == **id));
        let before = named.len();
        named.extend(of_row);
        elsewhere = elsewhere.saturating_sub(usize::from(named.len() > before));
    }
    if elsewhere > 0 {
        named.truncate(before);
    }
}
