//! Renders the tree as a person sees it: lines of text, and the cells of tables. One walk without recursion, so
//! that neither the depth of the nesting nor tables within tables cost more than they should.

use std::{collections::BTreeMap, ops::Range};

use super::tree::{Attribute, Element, Step, Steps};
use crate::white_space::fold;

/// The text that a walk over a part of the page yields.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    /// The text, a line per block, cell or line break; never two blank ones in a row.
    pub(super) lines: Vec<String>,
    /// The lines whose white space was folded as they are written, by their place in `lines`.
    pub(super) written: BTreeMap<usize, String>,
    /// The tables in document order.
    pub(super) tables: Vec<RawTable>,
    /// `true` if nested cells repeat more text than the limit allows.
    pub(super) is_too_large: bool,
}

/// A table as it is written: rows of cells.
#[derive(Debug, Default)]
pub(super) struct RawTable {
    pub(super) rows: Vec<Vec<RawCell>>,
}

/// A cell with its lines, those of tables within it included.
#[derive(Debug, Default)]
pub(super) struct RawCell {
    /// The lines of the page that are those of the cell: all but the blank ones.
    pub(super) lines: Range<usize>,
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// The most text that cells may hold in all. Text counts once for each cell around it.
const MOST_CELL_TEXT: usize = 8 * 1024 * 1024;

/// Renders what these steps pass.
pub(super) fn render(mut steps: Steps<'_>) -> Rendered {
    let mut walk = Walk::default();
    while let Some(step) = steps.next() {
        match step {
            Step::Text(text) => walk.push(text),
            Step::Enter(element) if is_hidden(&element) => steps.skip_content(element),
            Step::Enter(element) => walk.enter(&element),
            Step::Leave(element) => walk.leave(&element),
        }
    }
    walk.finish()
}

#[derive(Default)]
struct Walk {
    rendered: Rendered,
    text: Text,
    /// The tables around the present node, the outermost first: index, and the cell that is open.
    open_tables: Vec<(usize, Option<OpenCell>)>,
    cell_text: usize,
    verbatim: usize,
}

struct OpenCell {
    /// Index of its first line.
    start: usize,
    columns: usize,
    rows: usize,
}

impl Walk {
    fn enter(&mut self, element: &Element<'_>) {
        let name = element.name();
        if name == "pre" {
            self.verbatim += 1;
        }
        if name == "br" || is_block(name) {
            self.text.break_line();
        }
        match name {
            "table" => {
                self.open_tables.push((self.rendered.tables.len(), None));
                self.rendered.tables.push(RawTable::default());
            }
            "tr" => {
                self.close_cell();
                if let Some(table) = self.table() {
                    table.rows.push(Vec::new());
                }
            }
            "td" | "th" => {
                self.close_cell();
                let span = |name| element.attribute(name).and_then(|span| span.trim().parse().ok()).unwrap_or(1);
                let (columns, rows) = (span(Attribute::Columns).clamp(1, 64), span(Attribute::Rows).clamp(1, 1_000));
                let start = self.text.lines.len();
                if let Some((_, cell)) = self.open_tables.last_mut() {
                    *cell = Some(OpenCell { start, columns, rows });
                }
            }
            _ => {}
        }
    }

    fn leave(&mut self, element: &Element<'_>) {
        if is_block(element.name()) {
            self.text.break_line();
        }
        match element.name() {
            "td" | "th" => self.close_cell(),
            "table" => {
                self.close_cell();
                self.open_tables.pop();
            }
            "pre" => self.verbatim = self.verbatim.saturating_sub(1),
            _ => {}
        }
    }

    fn table(&mut self) -> Option<&mut RawTable> {
        let (index, _) = self.open_tables.last()?;
        self.rendered.tables.get_mut(*index)
    }

    /// Ends the open cell at the last line, which is broken.
    fn close_cell(&mut self) {
        let Some(OpenCell { start, columns, rows }) = self.open_tables.last_mut().and_then(|(_, cell)| cell.take())
        else {
            return;
        };
        let lines = start..self.text.lines.len();
        if !self.rendered.is_too_large {
            let own = self.text.lines.get(lines.clone()).unwrap_or_default();
            self.cell_text += own.iter().map(String::len).sum::<usize>();
            self.rendered.is_too_large = self.cell_text > MOST_CELL_TEXT;
        }
        let cell = RawCell { lines, columns, rows };
        if let Some(row) = self.table().and_then(|table| table.rows.last_mut()) {
            row.push(cell);
        }
    }

    fn push(&mut self, text: &str) {
        if self.verbatim > 0 {
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    self.text.break_line();
                }
                self.text.push(line);
            }
        } else {
            self.text.push(text);
        }
    }

    fn finish(mut self) -> Rendered {
        (self.rendered.lines, self.rendered.written) = self.text.finish();
        self.rendered
    }
}

/// Lines in the making.
#[derive(Debug, Default)]
struct Text {
    lines: Vec<String>,
    /// The lines whose white space was folded as they are written, by their place in `lines`.
    written: BTreeMap<usize, String>,
    current: String,
}

impl Text {
    fn push(&mut self, text: &str) {
        // What stands before the first word is of no line.
        self.current.push_str(if self.current.is_empty() { text.trim_start() } else { text });
    }

    fn break_line(&mut self) {
        if self.current.is_empty() && self.lines.last().is_none_or(String::is_empty) {
            return;
        }
        let line = fold(&self.current);
        let written = self.current.trim();
        if written != line {
            self.written.insert(self.lines.len(), written.to_owned());
        }
        self.current.clear();
        if !line.is_empty() || self.lines.last().is_some_and(|last| !last.is_empty()) {
            self.lines.push(line);
        }
    }

    fn finish(mut self) -> (Vec<String>, BTreeMap<usize, String>) {
        self.break_line();
        if self.lines.last().is_some_and(String::is_empty) {
            self.lines.pop();
        }
        (self.lines, self.written)
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "tr"
            | "td"
            | "th"
            | "li"
            | "ul"
            | "ol"
            | "dl"
            | "dt"
            | "dd"
            | "table"
            | "caption"
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
            | "article"
            | "header"
            | "footer"
            | "address"
            | "fieldset"
            | "form"
            | "option"
    )
}

fn is_hidden(element: &Element<'_>) -> bool {
    if matches!(
        element.name(),
        "s" | "strike"
            | "del"
            | "script"
            | "style"
            | "head"
            | "title"
            | "template"
            | "noscript"
            | "iframe"
            | "noembed"
            | "noframes"
            | "object"
    ) || element.attribute(Attribute::Hidden).is_some()
    {
        return true;
    }
    let Some(style) = element.attribute(Attribute::Style) else { return false };
    // Most properties begin otherwise: they need not be taken apart.
    let may_hide = |rule: &&str| rule.starts_with(['t', 'T', 'd', 'D', 'v', 'V']);
    let rules = style.split(';').map(str::trim_start).filter(may_hide);
    rules.filter_map(|rule| rule.split_once(':')).any(|(property, value)| {
        let is = |name: &str| property.trim_end().eq_ignore_ascii_case(name);
        let says = |word: &str| {
            value.split([' ', '!', '\t', '\r', '\n']).any(|candidate| candidate.eq_ignore_ascii_case(word))
        };
        ((is("text-decoration") || is("text-decoration-line")) && says("line-through"))
            || (is("display") && says("none"))
            || (is("visibility") && says("hidden"))
    })
}
