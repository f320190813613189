//! An HTML body: its document for CSS selectors, its text in lines as a person sees it, and its tables.
//!
//! Text that is struck through is the old value and is left out everywhere.

use scraper::{ElementRef, Html, Node};

use super::{
    failure::Failure,
    found::{Found, Place},
    lines::{Lines, fold},
};

/// A parsed HTML body.
pub struct Page {
    document: Html,
    lines: Lines,
    tables: Vec<Table>,
}

/// A table of the page: rows of cells, without those of tables nested in it.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// In document order.
    pub rows: Vec<Vec<Found<String>>>,
}

impl Page {
    /// Parses a body. Total, but for one that would grow without bound.
    pub fn parse(html: &str) -> Result<Self, Failure> {
        let document = Html::parse_document(html);
        let mut lines = vec![String::new()];
        render(document.root_element(), &mut lines);
        let lines = Lines::of_page(lines.iter().map(|line| fold(line)).collect());
        let tables = tables(&document);
        Ok(Self { document, lines, tables })
    }

    /// The document, for CSS selectors.
    pub fn document(&self) -> &Html {
        &self.document
    }

    /// The text as a person sees it: a line per block, table cell or line break.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// The tables in document order; a nested one comes after the one around it.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The first table with a row that has these headings, in this order and without case, and the rows under it.
    pub fn table_under(&self, headings: &[&str]) -> Option<&[Vec<Found<String>>]> {
        self.tables.iter().find_map(|table| {
            let row = table.rows.iter().position(|row| {
                row.len() >= headings.len()
                    && row.iter().zip(headings).all(|(cell, heading)| cell.value.eq_ignore_ascii_case(heading))
            })?;
            Some(&table.rows[row + 1..])
        })
    }
}

/// The visible text of an element in one line.
pub fn text_of(element: ElementRef<'_>) -> String {
    let mut lines = vec![String::new()];
    render(element, &mut lines);
    fold(&lines.join(" "))
}

fn tables(document: &Html) -> Vec<Table> {
    let mut tables = Vec::new();
    for element in document.root_element().descendent_elements().filter(|element| element.value().name() == "table") {
        let mut table = Table::default();
        let own = |row: &ElementRef<'_>| {
            row.ancestors().filter_map(ElementRef::wrap).find(|ancestor| ancestor.value().name() == "table")
                == Some(element)
        };
        for row in element.descendent_elements().filter(|row| row.value().name() == "tr").filter(own) {
            let place = |column| Place::Table { table: tables.len() + 1, row: table.rows.len() + 1, column };
            let cells = row.child_elements().filter(|cell| matches!(cell.value().name(), "td" | "th"));
            let cells =
                cells.enumerate().map(|(column, cell)| Found::text(&text_of(cell), place(column + 1))).collect();
            table.rows.push(cells);
        }
        tables.push(table);
    }
    tables
}

fn render(element: ElementRef<'_>, lines: &mut Vec<String>) {
    for child in element.children() {
        match child.value() {
            Node::Text(text) => {
                if let Some(line) = lines.last_mut() {
                    line.push_str(text);
                }
            }
            Node::Element(_) => {
                let Some(child) = ElementRef::wrap(child) else { continue };
                let name = child.value().name();
                if is_hidden(child) {
                    continue;
                }
                let breaks = matches!(
                    name,
                    "br" | "p"
                        | "div"
                        | "tr"
                        | "td"
                        | "th"
                        | "li"
                        | "ul"
                        | "ol"
                        | "table"
                        | "h1"
                        | "h2"
                        | "h3"
                        | "h4"
                        | "h5"
                        | "h6"
                        | "hr"
                        | "pre"
                        | "blockquote"
                        | "center"
                        | "section"
                        | "title"
                );
                if breaks {
                    lines.push(String::new());
                }
                render(child, lines);
                if breaks && name != "br" {
                    lines.push(String::new());
                }
            }
            _ => {}
        }
    }
}

fn is_hidden(element: ElementRef<'_>) -> bool {
    let style = || element.attr("style").unwrap_or_default().to_ascii_lowercase();
    matches!(element.value().name(), "s" | "strike" | "del" | "script" | "style" | "head" | "template")
        || style().contains("line-through")
}
