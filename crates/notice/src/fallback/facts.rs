//! Collects what a mail states under labels: the lines "Label: value" of its body, and its tables, whose labels are beside
//! values or above columns.

use super::{
    circuit_id::is_id,
    labels::{self, Kind, Label},
};
use crate::{
    failure::Failure,
    found::{Found, Place},
    lines::label_and_value,
    model::Impact,
    page::{Page, Table},
    source::Source,
    whole, words,
};

/// A value under a label.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    pub(super) label: Label,
    pub(super) value: Found<String>,
    /// The lines of the value.
    pub(super) lines: Vec<Found<String>>,
    /// Impact in the same row, for a circuit; `None` if the row has none.
    pub(super) impact: Option<Impact>,
}

/// The reason for suggesting nothing: a table, or a list, that may not be whole.
pub(super) struct Doubtful;

impl From<Failure> for Doubtful {
    fn from(_: Failure) -> Self {
        Self
    }
}

/// The most facts of a mail: more are no notice, and would take long to compare.
const MOST_FACTS: usize = 1_000;

/// Returns all that the body states.
pub(super) fn facts(source: &Source<'_>) -> Result<Vec<Fact>, Doubtful> {
    let page = source.view(&[])?;
    let mut facts = Vec::new();
    for table in page.tables() {
        let before = facts.len();
        of_table(page, table, &mut facts)?;
        if facts.len() > before && table.is_doubted() {
            return Err(Doubtful);
        }
    }
    let is_text = page.lines().iter().next().is_none_or(|(place, _)| matches!(place, Place::Text { .. }));
    if !is_text {
        of_lines(page, &mut facts)?;
    }
    ends(page, &facts)?;
    Ok(facts)
}

/// Returns the labelled lines of a page, but for the cells of its tables, which were read with their rows.
fn of_lines(page: &Page, facts: &mut Vec<Fact>) -> Result<(), Doubtful> {
    let rows = page.tables().iter().flat_map(|table| &table.rows).filter(|row| row.len() > 1);
    let cells: std::collections::BTreeSet<&str> =
        rows.flatten().filter(|cell| page.lines_of(cell).len() == 1).map(|cell| cell.value.as_str()).collect();
    let lines = page.lines().iter().map(|(_, line)| if cells.contains(line) { "" } else { line });
    let text = Page::of_text(&lines.collect::<Vec<_>>().join("\n"))?;
    let mut own = Vec::new();
    for table in text.tables() {
        of_table(&text, table, &mut own)?;
        if !own.is_empty() && table.is_doubted() {
            return Err(Doubtful);
        }
    }
    let in_page = |found: &mut Found<String>| {
        if let Place::Text { line } = found.place {
            found.place = Place::Page { line };
        }
    };
    for mut fact in own {
        in_page(&mut fact.value);
        fact.lines.iter_mut().for_each(in_page);
        let is_known = |known: &Fact| known.label.words == fact.label.words && known.value.value == fact.value.value;
        if !facts.iter().any(is_known) {
            facts.push(fact);
        }
    }
    Ok(())
}

fn of_table(page: &Page, table: &Table, facts: &mut Vec<Fact>) -> Result<(), Doubtful> {
    let mut headed: Option<Columns> = None;
    for (index, row) in table.rows.iter().enumerate() {
        if facts.len() > MOST_FACTS {
            return Err(Doubtful);
        }
        let filled = row.iter().filter(|cell| !cell.value.is_empty()).count();
        let below = table.rows.get(index + 1).map_or(&[][..], Vec::as_slice);
        if let Some(columns) = (!table.is_of_labels).then(|| Columns::of(row, below)).flatten() {
            headed = Some(columns);
        } else if filled > 0 {
            // A note spans the columns.
            let is_note = |columns: &Columns| filled == 1 && row.len() < columns.width;
            match &headed {
                Some(columns) if !is_note(columns) => columns.read(row, facts)?,
                Some(_) => {}
                None => beside(page, row, facts),
            }
        }
    }
    Ok(())
}

/// Collects the labels of a row with the values beside them.
fn beside(page: &Page, row: &[Found<String>], facts: &mut Vec<Fact>) {
    let filled: Vec<_> = row.iter().filter(|cell| !cell.value.is_empty()).collect();
    let mut cells = filled.iter().peekable();
    while let Some(cell) = cells.next() {
        let Some(label) = labels::label(&cell.value) else { continue };
        let Some(value) = cells.next_if(|value| !is_label(&value.value)) else { continue };
        facts.push(Fact { label, value: Found::clone(value), lines: page.lines_of(value), impact: None });
    }
}

/// Returns `true` if a cell is a label and not a value: ids such as `CR-1017` begin as labels do.
fn is_label(cell: &str) -> bool {
    !cell.contains(|mark: char| mark.is_ascii_digit()) && labels::label(cell).is_some()
}

/// Headings of which one is a circuit's.
struct Columns {
    width: usize,
    labels: Vec<(usize, Label)>,
    circuit: usize,
}

impl Columns {
    /// Returns the row's headings, if one says "circuit" and the cell below, not the one beside, is the id of one.
    fn of(row: &[Found<String>], below: &[Found<String>]) -> Option<Self> {
        let labels: Vec<_> =
            row.iter().enumerate().filter_map(|(index, cell)| Some((index, labels::label(&cell.value)?))).collect();
        let mut circuits = labels.iter().filter(|(_, label)| label.kind == Kind::Circuits);
        let (Some((circuit, _)), None) = (circuits.next(), circuits.next()) else { return None };
        let has_id = |row: &[Found<String>], column: usize| row.get(column).is_some_and(|cell| is_id(&cell.value));
        let is_headed = row.len() == below.len() && has_id(below, *circuit) && !has_id(row, circuit + 1);
        is_headed.then(|| Self { width: row.len(), circuit: *circuit, labels: labels.clone() })
    }

    fn read(&self, row: &[Found<String>], facts: &mut Vec<Fact>) -> Result<(), Doubtful> {
        if row.len() != self.width {
            return Err(Doubtful);
        }
        let mut impact = None;
        for (column, label) in &self.labels {
            let Some(cell) = row.get(*column).filter(|cell| !cell.value.is_empty()) else {
                if matches!(label.kind, Kind::Summary | Kind::Account) {
                    continue;
                }
                return Err(Doubtful);
            };
            match label.kind {
                Kind::Impact => impact = Some(words::impact_or_hit(cell)?.value),
                Kind::Circuits => {}
                // Rows repeat what holds for all of them.
                _ if facts
                    .iter()
                    .rev()
                    .take(2 * self.labels.len())
                    .any(|fact| fact.label.words == label.words && fact.value.value == cell.value) => {}
                _ => facts.push(Fact {
                    label: label.clone(),
                    value: cell.clone(),
                    lines: vec![cell.clone()],
                    impact: None,
                }),
            }
        }
        let cell = row.get(self.circuit).filter(|cell| is_id(&cell.value)).ok_or(Doubtful)?;
        let label = self.labels.iter().find(|(column, _)| *column == self.circuit).map(|(_, label)| label.clone());
        let label = label.ok_or(Doubtful)?;
        facts.push(Fact { label, value: cell.clone(), lines: vec![cell.clone()], impact });
        Ok(())
    }
}

/// Checks that lists of circuits end where something else begins: another id below a blank line may belong to a list as
/// well. A notice's ids are above its closing words: an id below them is that of a mail, or of a desk.
fn ends(page: &Page, facts: &[Fact]) -> Result<(), Doubtful> {
    let closing = page.lines().iter().position(|(_, line)| whole::says_goodbye(line)).map_or(usize::MAX, |at| at + 1);
    let is_below = |place: &Place| matches!(place, Place::Text { line } | Place::Page { line } if *line > closing);
    if facts.iter().any(|fact| fact.label.kind == Kind::Id && is_below(&fact.value.place)) {
        return Err(Doubtful);
    }
    for fact in facts.iter().filter(|fact| fact.label.kind == Kind::Circuits) {
        let Some(Place::Text { line } | Place::Page { line }) = fact.lines.last().map(|last| last.place.clone()) else {
            continue;
        };
        let is_row = || {
            page.tables().iter().any(|table| {
                let mut rows = table.rows.iter().filter(|_| !table.is_of_labels).flatten();
                rows.any(|cell| cell.place == fact.value.place)
            })
        };
        let mut below =
            page.lines().iter().skip(line).map(|(_, line)| line.trim_start_matches(['>', ' ', '*', '-', '•']));
        let next = below.find(|line| !line.is_empty()).unwrap_or_default();
        let is_label = label_and_value(next).is_some_and(|(label, _)| label.contains(char::is_lowercase));
        let goes_on = !is_label && next.split([',', ';']).map(str::trim).all(is_id);
        if goes_on && !is_row() {
            return Err(Doubtful);
        }
    }
    Ok(())
}
