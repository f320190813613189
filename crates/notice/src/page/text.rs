//! The copy of a page that is plain text, seen as the page was: its lines, its labels with their values, and its tables.
//!
//! Mail programs that turn HTML into text keep a table's cells apart by `|` or by tabs, or put "Label: value" on a line, or the
//! value below the label. So the readers of HTML formats read their notices' copies too. Many programs put each cell on
//! a line of its own: then a blank cell is lost and nobody knows which column the next one is of. Such a table, and one
//! whose rows are broken, is in doubt, and [`Page::expect_form`](super::Page::expect_form) says so.

use std::collections::BTreeMap;

use super::table::Table;
use crate::{
    failure::Failure,
    found::{Found, Place},
    lines::{Lines, label_and_value},
    white_space::fold,
};

/// The most cells of a text: as many as the largest notice has, many times over.
const MOST_CELLS: usize = 50_000;

/// The content of a line.
enum Line<'text> {
    Blank,
    /// A rule drawn with marks.
    Rule,
    Row(char, Vec<&'text str>),
    Label(&'text str, &'text str),
    Plain,
}

/// The tables of a text and the lines of its labels' values, by the line of the value, from 1.
pub(super) struct Parts {
    pub(super) tables: Vec<Table>,
    pub(super) lines_of: BTreeMap<usize, Vec<Found<String>>>,
    /// The cells whose white space was folded as they are written, by line and value.
    pub(super) written: BTreeMap<(usize, String), String>,
}

/// Takes a text apart; a failure where it has more cells than any notice.
pub(super) fn tables(text: &str, lines: &Lines) -> Result<Parts, Failure> {
    let kinds: Vec<Line<'_>> = text.lines().map(kind).collect();
    let cells: usize = kinds.iter().map(|kind| if let Line::Row(_, cells) = kind { cells.len() } else { 2 }).sum();
    if cells > MOST_CELLS && kinds.len() * 2 < cells || kinds.len() > MOST_CELLS {
        return Err(Failure::too_large(format!("a text of at most {MOST_CELLS} cells and lines")));
    }
    let mut tables = rows(&kinds, lines);
    doubt_what_goes_on(&mut tables);
    let (labels, lines_of) = labels(&kinds, lines);
    if !labels.rows.is_empty() {
        tables.push(labels);
    }
    let written = kinds.iter().enumerate().flat_map(|(index, kind)| {
        let cells = if let Line::Row(_, cells) = kind { cells.as_slice() } else { &[] };
        let cells = cells.iter().map(|cell| (fold(cell), cell.trim())).filter(|(folded, cell)| folded != cell);
        cells.map(move |(folded, cell)| ((index + 1, folded), cell.to_owned()))
    });
    Ok(Parts { tables, lines_of, written: written.collect() })
}

fn kind(line: &str) -> Line<'_> {
    let line = line.trim_start_matches(['>', ' ']).trim_end_matches([' ', '\r']);
    if fold(line).is_empty() {
        return Line::Blank;
    }
    if line.chars().all(|mark| matches!(mark, '-' | '=' | '+' | '|' | '_' | ':' | '*' | ' ' | '\t')) {
        return Line::Rule;
    }
    if line.contains('|') {
        let inner = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|'));
        return row('|', inner.unwrap_or(line));
    }
    if line.trim_start().contains('\t') {
        return row('\t', line);
    }
    label_and_value(line).map_or(Line::Plain, |(label, value)| Line::Label(label, value))
}

/// Returns a row of cells. If it has two, and the first ends in a colon, they are a label and its value.
fn row(mark: char, line: &str) -> Line<'_> {
    let cells: Vec<_> = line.split(mark).collect();
    let mut filled = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
    match (filled.next(), filled.next(), filled.next()) {
        (Some(label), value, None) if label.trim_end_matches('*').ends_with(':') => {
            let label = label.trim_matches(['*', ':', ' ']);
            Line::Label(label, value.unwrap_or_default())
        }
        _ => Line::Row(mark, cells),
    }
}

/// Returns the tables whose cells a mark keeps apart. Blank lines and rules between rows are nothing; another line, or another
/// number of cells, directly below a row may be the rest of it.
fn rows(kinds: &[Line<'_>], lines: &Lines) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut open: Option<(char, usize)> = None;
    let mut is_beside = false;
    for (index, kind) in kinds.iter().enumerate() {
        match kind {
            Line::Row(mark, cells) => {
                let shape = (*mark, cells.len());
                if open != Some(shape) {
                    let is_doubted = open.is_some() && is_beside;
                    if is_doubted && let Some(table) = tables.last_mut() {
                        table.doubt(lines.place(index));
                    }
                    tables.push(Table::default());
                    open = Some(shape);
                }
                let row = cells.iter().map(|cell| Found::text(&fold(cell), lines.place(index))).collect();
                if let Some(table) = tables.last_mut() {
                    table.rows.push(row);
                }
                is_beside = true;
            }
            Line::Blank => is_beside = false,
            Line::Rule => {}
            Line::Label(..) => open = None,
            Line::Plain => {
                if let Some(table) = tables.last_mut().filter(|_| open.is_some() && is_beside) {
                    table.doubt(lines.place(index));
                }
                open = None;
            }
        }
    }
    tables
}

/// Doubts a table of several columns after which, below other words, rows of as many cells follow that have no headings of
/// their own: they may be its.
fn doubt_what_goes_on(tables: &mut [Table]) {
    let mut headings: BTreeMap<usize, (usize, Vec<String>)> = BTreeMap::new();
    for index in 0..tables.len() {
        let Some(first) = tables.get(index).and_then(|table| table.rows.first()) else { continue };
        let words: Vec<_> = first.iter().map(|cell| cell.value.clone()).collect();
        let place = first.first().map(|cell| cell.place.clone());
        let columns = words.len();
        let before = headings.insert(columns, (index, words.clone())).filter(|_| columns > 2);
        if let Some((before, known)) = before.filter(|(_, known)| *known != words) {
            if let (Some(table), Some(place)) = (tables.get_mut(before), place) {
                table.doubt(place);
            }
            headings.insert(columns, (index, known));
        }
    }
}

/// Returns the labels with their values, as one table, and the lines of each value. A value goes on to the next blank line.
fn labels(kinds: &[Line<'_>], lines: &Lines) -> (Table, BTreeMap<usize, Vec<Found<String>>>) {
    let (mut table, mut lines_of) = (Table::of_labels(), BTreeMap::new());
    let folded: Vec<_> = lines.iter().collect();
    for (index, kind) in kinds.iter().enumerate() {
        let Line::Label(label, value) = kind else { continue };
        let mut values: Vec<Found<String>> = Vec::new();
        if !value.is_empty() {
            values.push(Found::text(&fold(value), lines.place(index)));
        }
        for (below, kind) in kinds.iter().enumerate().skip(index + 1) {
            match kind {
                Line::Plain => {
                    let line = folded.get(below).map_or("", |(_, line)| line);
                    values.push(Found::text(line.trim_start_matches(['>', ' ', '*', '-', '•']), lines.place(below)));
                }
                Line::Blank if values.is_empty() => {}
                _ => break,
            }
        }
        let first = values.first().map_or_else(|| lines.place(index), |value| value.place.clone());
        let joined: Vec<_> = values.iter().map(|value| value.value.as_str()).collect();
        let cell = Found::text(&joined.join(" "), first);
        if let Place::Text { line } = cell.place {
            lines_of.insert(line, values);
        }
        table.rows.push(vec![Found::text(&fold(label), lines.place(index)), cell]);
    }
    (table, lines_of)
}

#[cfg(test)]
mod tests {
    use super::super::Page;

    fn page(text: &str) -> Page {
        Page::of_text(text).unwrap()
    }

    fn column(page: &Page, heading: &str) -> Option<Vec<String>> {
        page.expect_form(&[heading]).ok()?;
        let tables = page.tables_with(&[heading]);
        let rows = tables.iter().flat_map(|table| &table.rows);
        Some(rows.filter_map(|row| row.get(heading)).map(|cell| cell.value.clone()).collect())
    }

    #[test]
    fn labels_have_values_beside_or_below() {
        let page = page(
            "- EX:LIS:17\n> Start Time: 22:00 UTC\nReason:a card\n  is replaced\n\n*End:*\n\n  23:00\n\nCall: \nImpact: none\nhttps://x.example/a\n",
        );
        let value = |label| page.value_of(label).map(|value| value.value);
        assert_eq!(value("start time").as_deref(), Some("22:00 UTC"));
        assert_eq!(value("Reason").as_deref(), Some("a card is replaced"));
        assert_eq!(value("End").as_deref(), Some("23:00"));
        assert_eq!(value("Call"), None);
        assert_eq!(value("https"), None);
        assert_eq!(value("EX"), None);
        let lines: Vec<_> = page.lines_of(&page.value_of("Reason").unwrap()).into_iter().map(|l| l.value).collect();
        assert_eq!(lines, ["a card", "is replaced"]);
    }

    #[test]
    fn rows_stand_under_their_headings_whatever_keeps_cells_apart() {
        for text in [
            "Circuits:\n| Circuit | Impact |\n|---|---|\n| EX/1 | down |\n| EX/2 | |\n\nRegards",
            "Circuit | Impact\nEX/1 | down\n\nEX/2 |\n\nRegards",
            "Circuit\tImpact\nEX/1\tdown\nEX/2\t\n\nRegards\n",
            "> +------+------+\n> | Circuit | Impact |\n> +------+------+\n> | EX/1 | down |\n> | EX/2 | |\n>\n",
        ] {
            let expected = vec!["EX/1".to_owned(), "EX/2".to_owned()];
            assert_eq!(column(&page(text), "Circuit"), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_table_that_lost_its_form_is_refused() {
        for text in [
            "Circuit\nImpact\n\nEX/1\ndown\n",
            "Circuit | Impact\nEX/1 | down, up to\nan hour\nEX/2 | down\n",
            "Circuit | Place | Impact\nEX/1 | Lisbon,\nPT | down\n",
            "Circuit | Place | Impact\nEX/1 | Lisbon | down\n\nand\n\nEX/2 | Porto | down\n",
            "Circuit\tPlace\tImpact\nEX/1\tLisbon\n",
        ] {
            assert_eq!(column(&page(text), "Circuit"), None, "{text}");
        }
        let again =
            "Circuit | Place | Impact\nEX/1 | Lisbon | down\n\nand\n\nCircuit | Place | Impact\nEX/2 | Porto | down\n";
        assert_eq!(column(&page(again), "Circuit").map(|circuits| circuits.len()), Some(2));
        assert_eq!(column(&page("nothing"), "Circuit"), Some(Vec::new()));
    }

    #[test]
    fn a_cell_keeps_its_white_space() {
        let page = page("Circuit | Impact\n /EX/1/   /EXN /  | down\n");
        let tables = page.tables_with(&["Circuit"]);
        let circuit = tables[0].rows[0].get("Circuit").unwrap();
        assert_eq!((circuit.value.as_str(), page.as_written(circuit).as_str()), ("/EX/1/ /EXN /", "/EX/1/   /EXN /"));
    }

    #[test]
    fn more_cells_than_a_notice_has_are_too_many() {
        assert!(Page::of_text(&"|".repeat(200_000)).is_ok(), "a rule");
        assert!(Page::of_text(&"a|".repeat(200_000)).is_err());
        assert!(Page::of_text(&"a:\n".repeat(200_000)).is_err());
    }
}
