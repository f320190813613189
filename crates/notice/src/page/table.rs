//! Tables as notices use them: rows under headings, and labels with their value beside them.

use std::{collections::BTreeMap, rc::Rc};

use super::render::{RawCell, RawTable};
use crate::{
    failure::Failure,
    found::{Found, Place},
};

/// A table of the page.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The rows as they are written: a cell of this list may span several columns or rows. A cell's text is in one
    /// line, and has that of tables within it; [`super::Page::lines_of`] gives its lines.
    pub rows: Vec<Vec<Found<String>>>,
    /// The lines of the cells that have several, by row and cell, from 0.
    lines: BTreeMap<(usize, usize), Vec<String>>,
    /// The cells whose white space was folded as they are written, by row and cell, from 0.
    written: BTreeMap<(usize, usize), String>,
    /// The columns and rows of the cells that span several, by row and cell, from 0.
    spans: BTreeMap<(usize, usize), (usize, usize)>,
    /// Place in a text at which the table may have lost its form; `None` for a page.
    pub(super) doubted: Option<Place>,
    /// `true` for a text whose rows are labels and their values, wherever they are, and none of them headings.
    pub is_of_labels: bool,
}

impl Table {
    /// Returns the table of that number, whose cells are made of these lines of the page.
    pub(super) fn new(number: usize, raw: RawTable, lines: &[String], written: &BTreeMap<usize, String>) -> Self {
        let mut table = Self::default();
        for (row, cells) in raw.rows.into_iter().enumerate() {
            let mut values = Vec::with_capacity(cells.len());
            for (column, RawCell { lines: range, columns, rows }) in cells.into_iter().enumerate() {
                let place = Place::Table { table: number, row: row + 1, column: column + 1 };
                // A blank line at the end of the page is left out, and may be the cell's last.
                let own = lines.get(range.start..range.end.min(lines.len())).unwrap_or_default();
                let mut filled = range.zip(own).filter(|(_, line)| !line.is_empty());
                match (filled.next(), filled.next()) {
                    (Some((at, line)), None) => {
                        if let Some(written) = written.get(&at) {
                            table.written.insert((row, column), written.clone());
                        }
                        values.push(Found::text(line, place));
                    }
                    (None, _) => values.push(Found::text("", place)),
                    (Some(_), Some(_)) => {
                        let own: Vec<String> = own.iter().filter(|line| !line.is_empty()).cloned().collect();
                        values.push(Found::text(&own.join(" "), place));
                        table.lines.insert((row, column), own);
                    }
                }
                if columns > 1 || rows > 1 {
                    table.spans.insert((row, column), (columns, rows));
                }
            }
            table.rows.push(values);
        }
        table
    }

    /// Returns an empty table of labels and values.
    pub(super) fn of_labels() -> Self {
        Self { is_of_labels: true, ..Self::default() }
    }

    /// Returns `true` if the table may have lost its form when a page became text.
    pub fn is_doubted(&self) -> bool {
        self.doubted.is_some()
    }

    /// Notes where the form of the table may be lost; the first such place counts.
    pub(super) fn doubt(&mut self, place: Place) {
        self.doubted.get_or_insert(place);
    }

    /// Returns the runs of rows under each row that has all of these headings. See [`super::Page::tables_with`].
    pub fn headed(&self, headings: &[&str]) -> Vec<Headed<'_>> {
        let has_all = |cells: &mut dyn Iterator<Item = &Found<String>>| {
            let mut missing = headings.to_vec();
            cells.for_each(|cell| missing.retain(|heading| !says(&cell.value, heading)));
            missing.is_empty()
        };
        let mut found: Vec<Headed<'_>> = Vec::new();
        if self.is_of_labels || !has_all(&mut self.rows.iter().flatten()) {
            return found;
        }
        for cells in self.grid() {
            if has_all(&mut cells.iter().flatten().copied()) {
                found.push(Headed { headings: cells.into(), rows: Vec::new() });
            } else if let Some(headed) = found.last_mut()
                && !is_between(&cells)
                && !is_sum(&cells)
            {
                headed.rows.push(Row { headings: Rc::clone(&headed.headings), cells });
            }
        }
        found
    }

    /// Returns the rows with every cell repeated in each column and row that it spans, as far as that stays in
    /// proportion.
    fn grid(&self) -> Vec<Vec<Option<&Found<String>>>> {
        let mut grid = Vec::with_capacity(self.rows.len());
        let mut spare = 10_000 + 4 * self.rows.iter().map(Vec::len).sum::<usize>();
        // Cells of earlier rows that reach down, by column: in how many rows more.
        let mut hanging: BTreeMap<usize, (usize, &Found<String>)> = BTreeMap::new();
        for (row, cells) in self.rows.iter().enumerate() {
            let mut line: Vec<Option<&Found<String>>> = Vec::new();
            let mut below = BTreeMap::new();
            let mut hang = |line: &mut Vec<_>, rows: usize, cell| {
                if rows > 1 && spare > 0 {
                    spare -= 1;
                    below.insert(line.len(), (rows - 1, cell));
                }
                line.push(Some(cell));
            };
            for (index, cell) in cells.iter().enumerate() {
                while let Some((rows, above)) = hanging.remove(&line.len()) {
                    hang(&mut line, rows, above);
                }
                let (columns, rows) = self.spans.get(&(row, index)).copied().unwrap_or((1, 1));
                for _ in 0..columns {
                    hang(&mut line, rows, cell);
                }
            }
            for (column, (rows, above)) in std::mem::take(&mut hanging) {
                if column >= line.len() {
                    line.resize(column, None);
                    hang(&mut line, rows, above);
                }
            }
            hanging = below;
            grid.push(line);
        }
        grid
    }

    /// Returns the text beside each cell that says `label`. See [`super::Page::values_of`].
    pub fn values_of(&self, label: &str) -> Vec<Found<String>> {
        let mut found = Vec::new();
        for row in &self.rows {
            for (index, cell) in row.iter().enumerate() {
                if !says(&cell.value, label) {
                    continue;
                }
                let beside = row.get(index + 1);
                let mut filled = row.iter().filter(|cell| !cell.value.is_empty());
                let value = match (filled.next(), filled.next(), filled.next()) {
                    (Some(first), Some(second), None) if first.place == cell.place => Some(second),
                    _ => beside.filter(|value| !value.value.is_empty()),
                };
                found.extend(value.cloned());
            }
        }
        found
    }
}

/// Rows under a row of headings.
#[derive(Debug, Clone)]
pub struct Headed<'page> {
    headings: Rc<[Option<&'page Found<String>>]>,
    /// The rows below, to the end of the table or the next such headings; blank ones too.
    pub rows: Vec<Row<'page>>,
}

impl<'page> Headed<'page> {
    /// Returns the headings by column; `None` where a column has none.
    pub fn headings(&self) -> &[Option<&'page Found<String>>] {
        &self.headings
    }

    /// Returns `true` if a column has this heading.
    pub fn has(&self, heading: &str) -> bool {
        column(&self.headings, heading).is_some()
    }
}

/// A row under headings.
#[derive(Debug, Clone)]
pub struct Row<'page> {
    headings: Rc<[Option<&'page Found<String>>]>,
    cells: Vec<Option<&'page Found<String>>>,
}

impl<'page> Row<'page> {
    /// Returns the cell under that heading, if it is there and not blank.
    pub fn get(&self, heading: &str) -> Option<&'page Found<String>> {
        let column = column(&self.headings, heading)?;
        self.cells.get(column).copied().flatten().filter(|cell| !cell.value.is_empty())
    }

    /// Returns the cell as [`Row::get`] does, or a failure that names the heading where the cell is missing or blank.
    pub fn expect(&self, heading: &str) -> Result<&'page Found<String>, Failure> {
        self.get(heading).ok_or_else(|| {
            let cells: Vec<_> = self.cells.iter().flatten().map(|cell| cell.quote.as_str()).collect();
            Failure::missing(format!("a cell under `{heading}`")).with_quote(&cells.join(" | "))
        })
    }

    /// Returns the cells by column.
    pub fn cells(&self) -> &[Option<&'page Found<String>>] {
        &self.cells
    }

    /// Returns `true` if no cell has any text.
    pub fn is_blank(&self) -> bool {
        self.cells.iter().flatten().all(|cell| cell.value.is_empty())
    }
}

/// Returns whether one cell without a number spans all columns: a heading between the rows, and none of them.
fn is_between(cells: &[Option<&Found<String>>]) -> bool {
    let Some((Some(first), rest)) = cells.split_first() else { return false };
    // Cells of a text have the place of their line.
    let is_spanned = rest.iter().all(|cell| cell.is_some_and(|cell| std::ptr::eq(cell, *first)));
    !rest.is_empty() && is_spanned && !first.value.bytes().any(|byte| byte.is_ascii_digit())
}

/// First words of rows that count the others.
const SUMS: [&str; 8] = ["total", "totals", "subtotal", "sum", "summe", "gesamt", "count", "totaal"];

/// Returns whether a row counts or sums the rows above it: such a word, and nothing but numbers beside it.
fn is_sum(cells: &[Option<&Found<String>>]) -> bool {
    let mut filled = cells.iter().flatten().filter(|cell| !cell.value.is_empty());
    let Some(first) = filled.next() else { return false };
    let (word, number) = first.value.split_once([':', ' ']).unwrap_or((&first.value, ""));
    let is_number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'.' | b',' | b':'));
    let is_word = SUMS.iter().any(|sum| sum.eq_ignore_ascii_case(word.trim()));
    is_word && is_number(number) && filled.all(|cell| is_number(&cell.value))
}

fn column(headings: &[Option<&Found<String>>], heading: &str) -> Option<usize> {
    headings.iter().position(|cell| cell.is_some_and(|cell| says(&cell.value, heading)))
}

/// Returns the text of a cell as it is written.
pub(super) fn as_written(tables: &[Table], cell: &Found<String>) -> String {
    let Place::Table { table, row, column } = cell.place else { return cell.value.clone() };
    let written = tables
        .get(table.wrapping_sub(1))
        .and_then(|table| table.written.get(&(row.wrapping_sub(1), column.wrapping_sub(1))));
    written.unwrap_or(&cell.value).clone()
}

pub(super) fn lines_of(tables: &[Table], cell: &Found<String>) -> Vec<Found<String>> {
    let Place::Table { table, row, column } = cell.place else { return vec![cell.clone()] };
    let lines = tables
        .get(table.wrapping_sub(1))
        .and_then(|table| table.lines.get(&(row.wrapping_sub(1), column.wrapping_sub(1))));
    match lines {
        Some(lines) => lines.iter().map(|line| Found::text(line, cell.place.clone())).collect(),
        None if cell.value.is_empty() => Vec::new(),
        None => vec![cell.clone()],
    }
}

/// Returns `true` if a cell is this heading or label, in any case, with or without a colon at its end.
pub(super) fn says(cell: &str, label: &str) -> bool {
    // Every label is looked for in every cell: most begin otherwise.
    let first = |text: &str| text.bytes().next().filter(u8::is_ascii_alphabetic);
    if let (Some(one), Some(other)) = (first(cell), first(label))
        && !one.eq_ignore_ascii_case(&other)
    {
        return false;
    }
    let bare = |text| str::trim_end_matches(text, [':', ' ', '*']).chars().flat_map(char::to_lowercase);
    bare(cell).eq(bare(label))
}

#[cfg(test)]
mod tests {
    use super::super::Page;
    use super::*;

    fn values(row: &Row<'_>) -> Vec<String> {
        row.cells().iter().map(|cell| cell.map(|cell| cell.value.clone()).unwrap_or_default()).collect()
    }

    #[test]
    fn headings_are_found_in_any_order_and_columns_follow_them() {
        let page = Page::parse(
            "<table><tr><th>Expected impact<th>Location<th>Circuit ID:<tr><td>Hard down<td>A<td>EX/1<tr><td><td>B<td>EX/2</table>",
        )
        .unwrap();
        let tables = page.tables_with(&["circuit id", "Expected Impact"]);
        assert_eq!(tables.len(), 1);
        assert_eq!(tables[0].rows[0].expect("Circuit ID").unwrap().value, "EX/1");
        assert_eq!(tables[0].rows[0].get("expected impact").unwrap().value, "Hard down");
        assert!(tables[0].has("location") && !tables[0].has("Legacy ID"));
        let failure = tables[0].rows[1].expect("Expected Impact").unwrap_err();
        assert_eq!(failure.to_string(), "not found: a cell under `Expected Impact`: `| B | EX/2`");
    }

    #[test]
    fn spans_keep_cells_under_their_headings() {
        let page = Page::parse(
            "<table><tr><th rowspan=2>Order<th colspan=2>Window<th rowspan=2>Impact<tr><th>From<th>To\
             <tr><td rowspan=2>1<td>a<td>b<td>x<tr><td>c<td>d<td>y</table>",
        )
        .unwrap();
        let tables = page.tables_with(&["Order", "From", "To", "Impact"]);
        let rows: Vec<_> = tables[0].rows.iter().map(values).collect();
        assert_eq!(rows, [["1", "a", "b", "x"], ["1", "c", "d", "y"]]);
    }

    #[test]
    fn headings_between_rows_and_sums_are_no_rows() {
        let head = "<table><tr><th>Circuit ID<th>Site<th>Ends";
        for (row, is_row) in [
            ("<td colspan=3>Second location", false),
            ("<td colspan=3>EX/2", true),
            ("<td>Total: 1<td><td>", false),
            ("<td>Total<td>1<td>1", false),
            ("<td>Summe:<td><td>2", false),
            ("<td>Sum 2<td><td>", false),
            ("<td>Total Access<td>B<td>1", true),
            ("<td>Total<td>B<td>1", true),
            ("<td>TOTAL-2<td>B<td>1", true),
            ("<td>EX/2<td><td>", true),
        ] {
            let page = Page::parse(&format!("{head}<tr><td>EX/1<td>A<td>2<tr>{row}</table>")).unwrap();
            let rows = page.tables_with(&["Circuit ID"])[0].rows.len();
            assert_eq!(rows, 1 + usize::from(is_row), "{row}");
        }
    }

    #[test]
    fn hostile_spans_stay_in_proportion() {
        let row = "<tr><td rowspan=1000 colspan=64>x";
        let page = Page::parse(&format!("<table>{}</table>", row.repeat(2_000))).unwrap();
        let cells: usize =
            page.tables_with(&["x"]).iter().flat_map(|headed| &headed.rows).map(|row| row.cells().len()).sum();
        assert!(cells < 2_000_000, "{cells}");
    }

    #[test]
    fn values_stand_beside_their_labels() {
        let page = Page::parse(
            "<table><tr><th>Start:</th><td>one</td></tr><tr><td>End<td width='10%'><td>two</tr>\
             <tr><td>Reason:<td><td>Place:<td>here</tr></table>",
        )
        .unwrap();
        assert_eq!(page.value_of("start").unwrap().value, "one");
        assert_eq!(page.value_of("End").unwrap().value, "two");
        assert_eq!(page.value_of("Reason"), None, "the value of another label is not this one's");
        assert_eq!(page.value_of("Place").unwrap().value, "here");
        assert!(page.expect_value_of("Circuit").is_err());
    }

    #[test]
    fn a_cell_keeps_its_lines() {
        let page =
            Page::parse("<table><tr><td>Services<td>EX 1<br>EX 2<p>EX 3</p><tr><td>Other<td>one</table>").unwrap();
        let cell = page.value_of("Services").unwrap();
        assert_eq!(cell.value, "EX 1 EX 2 EX 3");
        let lines = |cell| page.lines_of(cell).into_iter().map(|line| line.value).collect::<Vec<_>>();
        assert_eq!(lines(&cell), ["EX 1", "EX 2", "EX 3"]);
        assert_eq!(lines(&page.value_of("Other").unwrap()), ["one"]);
    }
}
