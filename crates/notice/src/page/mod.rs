//! An HTML body: its document, its text in lines as a person sees it, and its tables.
//!
//! Text that is struck through is the old value and is left out everywhere; so is what is not displayed.
//! Parsing and rendering are bounded, whatever the markup: see [`bounded`] and [`render`].

mod bounded;
mod metered;
#[cfg(test)]
mod reference;
mod references;
mod render;
mod standard;
mod structure;
mod table;
mod text;
mod tokens;
mod tree;

use std::collections::BTreeMap;

use super::{
    failure::Failure,
    found::{Found, Place},
    lines::Lines,
};
pub use structure::structure;
pub use table::{Headed, Row, Table};
pub use tree::{Attribute, Element, Node, Tree};

/// A parsed HTML body.
pub struct Page {
    document: Tree,
    lines: Lines,
    tables: Vec<Table>,
    /// The lines of the values of a text that is seen as a page.
    lines_of: BTreeMap<usize, Vec<Found<String>>>,
    /// Its cells as they are written, by line and value.
    written: BTreeMap<(usize, String), String>,
}

impl Page {
    /// Parses a body. Total, but for one that would grow without bound.
    pub fn parse(html: &str) -> Result<Self, Failure> {
        let document = bounded::parse(html)?;
        let rendered = render::render(document.steps());
        if rendered.is_too_large {
            return Err(Failure::too_large("tables whose cells do not repeat each other's text"));
        }
        let (lines, written) = (rendered.lines, rendered.written);
        let table = |(index, raw)| Table::new(index + 1, raw, &lines, &written);
        let tables = rendered.tables.into_iter().enumerate().map(table).collect();
        let lines = Lines::of_page(lines).with_written(written);
        Ok(Self { document, lines, tables, lines_of: BTreeMap::new(), written: BTreeMap::new() })
    }

    /// Returns the copy of a page that is plain text, seen as a page: without a document, its tables as far as it keeps them.
    /// See [`Page::expect_form`].
    pub fn of_text(text: &str) -> Result<Self, Failure> {
        let lines = Lines::of_text(text);
        let text::Parts { tables, lines_of, written } = text::tables(text, &lines)?;
        Ok(Self { document: Tree::new(), lines, tables, lines_of, written })
    }

    /// Returns a failure where a table with these headings lost its form when the page became text: its rows are broken, or
    /// each of its cells stands on a line.
    pub fn expect_form(&self, headings: &[&str]) -> Result<(), Failure> {
        let with: Vec<_> = self.tables.iter().filter(|table| !table.headed(headings).is_empty()).collect();
        let is_there = !with.is_empty();
        self.expect_undoubted(with.into_iter())?;
        let line_with = |heading: &&str| {
            let is_heading = |line: &str| table::says(line.trim_start_matches(['>', ' ', '*', '-']), heading);
            self.lines.iter().find(|(place, line)| matches!(place, Place::Text { .. }) && is_heading(line))
        };
        let Some((place, line)) = headings.first().and_then(line_with) else { return Ok(()) };
        if is_there || !headings.iter().all(|heading| line_with(heading).is_some()) || self.value_of(line).is_some() {
            return Ok(());
        }
        let expected = "rows and columns, in a text that has no page beside it: each cell stands on a line of its own";
        Err(Failure { place: Some(place), ..Failure::ambiguous(expected).with_quote(line) })
    }

    /// Returns a failure where any table of a text may have lost its form.
    pub fn expect_whole_rows(&self) -> Result<(), Failure> {
        self.expect_undoubted(self.tables.iter())
    }

    fn expect_undoubted<'page>(&self, mut tables: impl Iterator<Item = &'page Table>) -> Result<(), Failure> {
        let Some(doubt) = tables.find_map(|table| table.doubted.clone()) else { return Ok(()) };
        let line = self.lines.iter().find(|(place, _)| *place == doubt).map_or("", |(_, line)| line);
        let expected = "whole rows of a table, in a text that has no page beside it";
        Err(Failure { place: Some(doubt), ..Failure::ambiguous(expected).with_quote(line) })
    }

    /// Returns the document. Its texts may be struck through or hidden: [`text_of`] leaves that out.
    pub fn document(&self) -> &Tree {
        &self.document
    }

    /// Returns the text as a person sees it: a line per block, table cell or line break, never two blank ones in a row.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Returns the text alone.
    pub fn into_lines(self) -> Lines {
        self.lines
    }

    /// Returns the tables in document order; a nested one comes after the one around it.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Returns the first table with a row that begins with these headings, in this order and without case, and the rows under
    /// it.
    pub fn table_under(&self, headings: &[&str]) -> Option<&[Vec<Found<String>>]> {
        self.tables.iter().find_map(|table| {
            let row = table.rows.iter().position(|row| {
                row.len() >= headings.len()
                    && row.iter().zip(headings).all(|(cell, heading)| cell.value.eq_ignore_ascii_case(heading))
            })?;
            table.rows.get(row + 1..)
        })
    }

    /// Returns every run of rows that stands under a row with all of these headings, in any order and among others, in document
    /// order. Cells that span columns or rows count for each of them. See [`Headed`].
    pub fn tables_with(&self, headings: &[&str]) -> Vec<Headed<'_>> {
        self.tables.iter().flat_map(|table| table.headed(headings)).collect()
    }

    /// Returns the text of the cell beside the first cell that says `label`; see [`Page::values_of`].
    pub fn value_of(&self, label: &str) -> Option<Found<String>> {
        self.values_of(label).into_iter().next()
    }

    /// Returns the value as [`Page::value_of`] does, or a failure that names the label where there is no such cell.
    pub fn expect_value_of(&self, label: &str) -> Result<Found<String>, Failure> {
        self.value_of(label).ok_or_else(|| Failure::missing(format!("a cell beside `{label}`")))
    }

    /// Returns the text of the cell beside each cell that says `label`, in any case, with or without a colon at its end.
    /// Blank cells between are passed over only where the row has nothing but this label and its value. A blank value
    /// is none.
    pub fn values_of(&self, label: &str) -> Vec<Found<String>> {
        self.tables.iter().flat_map(|table| table.values_of(label)).collect()
    }

    /// Returns a value of this page as it is written: with the white space of the source, where it was folded. Some circuit ids
    /// have several blanks in a row, and a summary may have lines.
    pub fn as_written(&self, value: &Found<String>) -> String {
        if let Place::Text { line } = value.place
            && let Some(written) = self.written.get(&(line, value.value.clone()))
        {
            written.clone()
        } else if let Place::Table { .. } = value.place {
            table::as_written(&self.tables, value)
        } else {
            self.lines.as_written(value)
        }
    }

    /// Returns the lines of a cell of this page (`<br>`, `<p>`, lists within it), without blank ones.
    pub fn lines_of(&self, cell: &Found<String>) -> Vec<Found<String>> {
        if let Place::Text { line } = cell.place
            && let Some(lines) = self.lines_of.get(&line)
        {
            return lines.clone();
        }
        table::lines_of(&self.tables, cell)
    }
}

/// Returns the visible text of an element in one line.
pub fn text_of(element: Element<'_>) -> String {
    lines_in(element).join(" ")
}

/// Returns the visible text of an element in lines, without blank ones.
pub fn lines_in(element: Element<'_>) -> Vec<String> {
    let mut lines = render::render(element.steps()).lines;
    lines.retain(|line| !line.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(html: &str) -> String {
        Page::parse(html).unwrap().lines().joined()
    }

    #[test]
    fn text_stands_in_lines_as_a_person_sees_it() {
        assert_eq!(
            lines(
                "<title>no</title><p>Start:&nbsp; <b>one\n two</b></p><div>End:<br>three<!-- no --></div><script>no()</script>"
            ),
            "Start: one two\n\nEnd:\nthree"
        );
        assert_eq!(lines("<pre>one\n  two</pre>"), "one\ntwo");
    }

    #[test]
    fn struck_through_and_hidden_text_is_left_out() {
        for old in [
            "<s>old</s>",
            "<strike>old</strike>",
            "<del><b>old</b></del>",
            "<span style='color:red; text-decoration : underline LINE-THROUGH !important'>old <b>old</b></span>",
            "<span style=\"text-decoration-line:line-through\">old</span>",
            "<div style='display:none'>old</div>",
            "<span hidden>old</span>",
        ] {
            assert_eq!(lines(&format!("<p>now {old}</p>")), "now", "{old}");
            let page = Page::parse(&format!("<table><tr><td>Start<td>{old} new</table>")).unwrap();
            assert_eq!(page.value_of("Start").unwrap().value, "new", "{old}");
        }
        assert_eq!(lines("<p style='text-decoration: none'>kept</p>"), "kept");
    }

    #[test]
    fn rows_and_cells_that_are_not_closed_and_nested_tables_keep_their_place() {
        let page = Page::parse("<table><tr><td>a<table><tr><td>b<td>c</table><td>d<tr><td>e</table>").unwrap();
        let rows = |index: usize| {
            let rows = page.tables()[index].rows.iter();
            rows.map(|row| row.iter().map(|cell| cell.value.as_str()).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        assert_eq!(rows(0), [vec!["a b c", "d"], vec!["e"]]);
        assert_eq!(rows(1), [vec!["b", "c"]]);
    }

    #[test]
    fn text_that_tables_within_tables_repeat_is_bounded() {
        let (open, close) = ("<table><tr><td>".repeat(100), "</table>".repeat(100));
        let text = "text ".repeat(200_000);
        assert!(Page::parse(&format!("{open}{text}{close}")).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_page_or_a_failure(html in ".{0,400}") {
            let _ = Page::parse(&html);
        }

        #[test]
        fn any_tags_are_a_page_or_a_failure(
            tags in proptest::collection::vec(
                proptest::sample::select(vec![
                    "<table>", "</table>", "<tr>", "</tr>", "<td>", "<th colspan=3>", "<td rowspan=2>", "</td>", "<b>", "</b>",
                    "<a>", "</a>", "<p>", "</p>", "<svg>", "</svg>", "<template>", "</template>", "<select>", "<option>", "<br>",
                    "text", "<s>", "</s>", "<frameset>", "<body a>", "<html b>", "<math>", "<mi>", "<script>", "</script>", "<!--",
                    "-->", "<![CDATA[", "]]>", "<form>", "<button>", "</button>", "<nobr>", "<title>", "</title>", "<caption>",
                    "<col>", "<tbody>", "</tbody>", "<input type=hidden>", "<li>", "<dd>", "<h1>", "<pre>", "<textarea>",
                ]),
                0..60,
            )
        ) {
            if let Ok(page) = Page::parse(&tags.concat()) {
                let _ = page.tables_with(&["text"]);
                let _ = page.values_of("text");
            }
        }
    }
}
