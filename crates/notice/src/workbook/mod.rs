//! Reads attached XLSX workbooks: their sheets become the [`Table`]s that pages have too.
//!
//! A workbook is a zip archive: a few kilobytes of it may unpack to gigabytes, or fill a cell in the last row and column that a sheet can
//! have. So every part is unpacked once and counted before it is read, and cells are read one by one. The budget is that of the mail, and
//! a workbook that is refused has used its share as well. A cell costs one unit, and so does each empty one before it in its row. An id
//! that is stored as a number keeps the zeros that its format shows before it.

mod archive;

use std::io::Cursor;

use calamine::{DataRef, Reader, SheetType, Style, Xlsx};

use archive::checked;

use super::{
    failure::{Failure, FailureKind},
    found::{Found, Place},
    page::Table,
};

/// Size limit of all workbooks of a mail together, unpacked, in bytes.
pub const MAX_UNPACKED_PER_MAIL: u64 = 16 * 1024 * 1024;

/// Maximum number of sheets in a workbook.
const MAX_SHEETS: usize = 20;
/// Maximum number of cells of all workbooks of a mail together, with the empty ones before a filled one in its row.
const MAX_CELLS_PER_MAIL: usize = 100_000;
/// Maximum number of columns in a sheet.
const MAX_COLUMNS: usize = 1_000;
/// Size limit of the texts of all cells of a mail's workbooks together, in bytes: many cells may repeat one shared text.
const MAX_TEXT_PER_MAIL: usize = 8 * 1024 * 1024;

/// Returns the sheets of a workbook, in order, without their empty rows. What it uses is taken from `room`, the budget that is left for
/// the workbooks of the mail.
pub fn tables(bytes: &[u8], room: &mut Room) -> Result<Vec<Table>, Failure> {
    let (checked, largest) = checked(bytes, room)?;
    let mut workbook = Xlsx::new(Cursor::new(checked.as_slice())).map_err(|_| malformed())?;
    let sheets = workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let names: Vec<_> = sheets.map(|sheet| sheet.name.clone()).collect();
    // Several sheets may refer to one part, which is read for each of them.
    let is_repeated_too_often =
        names.len() > 1 && largest.saturating_mul(names.len() as u64) > 2 * MAX_UNPACKED_PER_MAIL;
    if names.len() > MAX_SHEETS {
        return Err(Failure::too_large(format!("a workbook of at most {MAX_SHEETS} sheets")));
    }
    if is_repeated_too_often {
        let limit = 2 * MAX_UNPACKED_PER_MAIL;
        return Err(Failure::too_large(format!(
            "sheets of at most {limit} bytes, were each as large as the largest part"
        )));
    }
    names.iter().map(|name| table(&mut workbook, name, room)).collect()
}

/// The budget that is left for the workbooks of one mail.
#[derive(Debug, Clone)]
pub struct Room {
    /// Unpacked bytes that are left.
    unpacked: u64,
    /// Number of cells that are left.
    cells: usize,
    /// Bytes of texts of cells that are left.
    text: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { unpacked: MAX_UNPACKED_PER_MAIL, cells: MAX_CELLS_PER_MAIL, text: MAX_TEXT_PER_MAIL }
    }
}

impl Room {
    /// Takes cells and their text; a failure, which leaves nothing, if less is left.
    fn take_cells(&mut self, cells: usize, text: usize) -> Result<(), Failure> {
        let is_enough = (self.cells >= cells, self.text >= text);
        self.cells = self.cells.saturating_sub(cells);
        self.text = self.text.saturating_sub(text);
        match is_enough {
            (false, _) => Err(Failure::too_large(format!("workbooks of at most {MAX_CELLS_PER_MAIL} cells in a mail"))),
            (_, false) => {
                Err(Failure::too_large(format!("workbooks of at most {MAX_TEXT_PER_MAIL} bytes of text in a mail")))
            }
            (true, true) => Ok(()),
        }
    }

    /// Takes unpacked bytes; a failure, which leaves nothing, if fewer are left.
    fn take_unpacked(&mut self, bytes: u64) -> Result<(), Failure> {
        let is_enough = self.unpacked >= bytes;
        self.unpacked = self.unpacked.saturating_sub(bytes);
        let failure =
            || Failure::too_large(format!("workbooks of at most {MAX_UNPACKED_PER_MAIL} bytes unpacked in a mail"));
        is_enough.then_some(()).ok_or_else(failure)
    }
}

fn table(workbook: &mut Xlsx<Cursor<&[u8]>>, name: &str, room: &mut Room) -> Result<Table, Failure> {
    let mut reader = workbook.worksheet_cells_reader(name).map_err(|_| malformed())?;
    let mut table = Table::default();
    let mut present = None;
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(|_| malformed())? {
        if is_rounded(cell.get_value()) {
            let (row, column) = cell.get_position();
            let place = Place::Sheet { row: (row as usize).saturating_add(1), column: column as usize + 1 };
            let expected = "a number of at most 15 digits: a sheet keeps no more of them";
            return Err(Failure { place: Some(place), ..Failure::ambiguous(expected) });
        }
        let text = text_of(cell.get_value(), reader.styles().get(style));
        if text.is_empty() {
            continue;
        }
        let (row, column) = cell.get_position();
        let (row, column) = (row as usize, column as usize);
        if column >= MAX_COLUMNS {
            return Err(Failure::too_large(format!("a sheet of at most {MAX_COLUMNS} columns")));
        }
        if present != Some(row) {
            // Two cells in one place make the sheet malformed: which of their values is right is unknown. So rows and columns must ascend.
            if present.is_some_and(|present| row < present) {
                return Err(malformed());
            }
            present = Some(row);
            table.rows.push(Vec::new());
        }
        let Some(cells) = table.rows.last_mut() else { continue };
        room.take_cells(column.saturating_sub(cells.len()) + 1, text.len())?;
        let place = |column| Place::Sheet { row: row.saturating_add(1), column: column + 1 };
        while cells.len() < column {
            cells.push(Found::text("", place(cells.len())));
        }
        if cells.len() > column {
            return Err(malformed());
        }
        cells.push(Found::text(&text, place(column)));
    }
    Ok(table)
}

/// The first whole number of which a sheet does not keep every digit.
const FIRST_ROUNDED: f64 = 1e15;

/// Returns whether a number has lost digits: an id that was typed as a number is another one then.
fn is_rounded(value: &DataRef<'_>) -> bool {
    match value {
        DataRef::Int(number) => number.unsigned_abs() >= 1_000_000_000_000_000,
        DataRef::Float(number) => number.abs() >= FIRST_ROUNDED,
        _ => false,
    }
}

fn text_of(value: &DataRef<'_>, style: Option<&Style>) -> String {
    let number = match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => return text.clone(),
        DataRef::SharedString(text) => return (*text).to_owned(),
        DataRef::Bool(value) => return value.to_string(),
        // The number of a day is the value that is stored; how it is shown depends on the reader's country.
        DataRef::DateTime(time) => return time.as_f64().to_string(),
        // `#REF!`: an empty text would look like an empty cell.
        DataRef::Error(error) => return error.to_string(),
        DataRef::Empty => return String::new(),
    };
    let format = style.and_then(|style| style.number_format.as_ref()).map_or("", |format| format.format_code.as_str());
    let is_padded = format.len() <= 64 && format.bytes().all(|digit| digit == b'0');
    if is_padded && number.bytes().all(|digit| digit.is_ascii_digit()) {
        return format!("{number:0>width$}", width = format.len());
    }
    number
}

fn malformed() -> Failure {
    Failure {
        kind: FailureKind::Malformed,
        expected: "an XLSX workbook as attachment".to_owned(),
        place: None,
        quote: None,
    }
}

#[cfg(test)]
mod tests;
