//! Attached XLSX workbooks: their sheets as the [`Table`]s that pages have too.
//!
//! A workbook is a zip archive, and a few kilobytes of it may unpack to gigabytes or name the last cell of an endless
//! sheet. So everything is unpacked once and counted before it is read, and cells are read one by one: only those that are
//! filled count. An id that is stored as a number keeps the zeros that its format shows before it.

use std::io::{self, Cursor, Read, Write};

use calamine::{DataRef, Reader, SheetType, Style, Xlsx};
use zip::ZipArchive;

use super::{
    failure::{Failure, FailureKind},
    found::{Found, Place},
    page::Table,
};

/// Workbooks that are larger unpacked are not parsed. Bytes.
pub const LARGEST_WORKBOOK: u64 = 16 * 1024 * 1024;

const MOST_FILES: usize = 1_000;
/// Each element of the XML becomes a value in memory, however short it is.
const MOST_ELEMENTS: usize = 1_000_000;
const MOST_SHEETS: usize = 20;
const MOST_CELLS: usize = 100_000;
const MOST_COLUMNS: usize = 1_000;
/// Cells may all repeat one shared text.
const MOST_TEXT: usize = 8 * 1024 * 1024;

/// The sheets of a workbook, in its order, without their empty rows.
pub fn tables(bytes: &[u8]) -> Result<Vec<Table>, Failure> {
    check_size(bytes)?;
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|_| malformed())?;
    let sheets = workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let names: Vec<_> = sheets.map(|sheet| sheet.name.clone()).collect();
    if names.len() > MOST_SHEETS {
        return Err(Failure::too_large(format!("a workbook of at most {MOST_SHEETS} sheets")));
    }
    let mut room = Room { cells: MOST_CELLS, text: MOST_TEXT };
    names.iter().map(|name| table(&mut workbook, name, &mut room)).collect()
}

/// What may still be read.
struct Room {
    cells: usize,
    text: usize,
}

impl Room {
    fn take(&mut self, cells: usize, text: usize) -> Result<(), Failure> {
        let left = self.cells.checked_sub(cells).zip(self.text.checked_sub(text));
        (self.cells, self.text) =
            left.ok_or_else(|| Failure::too_large(format!("a workbook of at most {MOST_CELLS} cells")))?;
        Ok(())
    }
}

fn table(workbook: &mut Xlsx<Cursor<&[u8]>>, name: &str, room: &mut Room) -> Result<Table, Failure> {
    let mut reader = workbook.worksheet_cells_reader(name).map_err(|_| malformed())?;
    let mut table = Table::default();
    let mut present = None;
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(|_| malformed())? {
        let text = text_of(cell.get_value(), reader.styles().get(style));
        if text.is_empty() {
            continue;
        }
        let (row, column) = cell.get_position();
        let (row, column) = (row as usize, column as usize);
        if column >= MOST_COLUMNS {
            return Err(Failure::too_large(format!("a sheet of at most {MOST_COLUMNS} columns")));
        }
        if present != Some(row) {
            present = Some(row);
            table.rows.push(Vec::new());
        }
        let Some(cells) = table.rows.last_mut() else { continue };
        room.take(column.saturating_sub(cells.len()) + 1, text.len())?;
        let place = |column| Place::Sheet { row: row.saturating_add(1), column: column + 1 };
        while cells.len() < column {
            cells.push(Found::text("", place(cells.len())));
        }
        // A cell that comes twice or out of order makes the sheet unreadable, not its last word right.
        if cells.len() > column {
            return Err(malformed());
        }
        cells.push(Found::text(&text, place(column)));
    }
    Ok(table)
}

fn text_of(value: &DataRef<'_>, style: Option<&Style>) -> String {
    let number = match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => return text.clone(),
        DataRef::SharedString(text) => return (*text).to_owned(),
        DataRef::Bool(value) => return value.to_string(),
        DataRef::DateTime(time) => return time.as_f64().to_string(),
        DataRef::Error(_) | DataRef::Empty => return String::new(),
    };
    let format = style.and_then(|style| style.number_format.as_ref()).map_or("", |format| format.format_code.as_str());
    let is_padded = format.len() <= 64 && format.bytes().all(|digit| digit == b'0');
    if is_padded && number.bytes().all(|digit| digit.is_ascii_digit()) {
        return format!("{number:0>width$}", width = format.len());
    }
    number
}

/// Unpacks every file of the archive once, into nothing, and counts. What the archive says of its sizes is not believed.
fn check_size(bytes: &[u8]) -> Result<(), Failure> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| malformed())?;
    let too_large = || Failure::too_large(format!("a workbook of at most {LARGEST_WORKBOOK} bytes unpacked"));
    if archive.len() > MOST_FILES {
        return Err(too_large());
    }
    let mut unpacked = 0;
    let mut elements = Elements(0);
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|_| malformed())?;
        let limit = LARGEST_WORKBOOK - unpacked + 1;
        unpacked += io::copy(&mut file.take(limit), &mut elements).map_err(|_| malformed())?;
        if unpacked > LARGEST_WORKBOOK {
            return Err(too_large());
        }
        if elements.0 > MOST_ELEMENTS {
            return Err(Failure::too_large(format!("a workbook of at most {MOST_ELEMENTS} elements")));
        }
    }
    Ok(())
}

/// Counts the elements of what is written to it.
struct Elements(usize);

impl Write for Elements {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += memchr::memchr_iter(b'<', bytes).count();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
mod tests {
    use proptest::prelude::*;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    const NUMBER_FORMATS: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="0000000"/></numFmts><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>"#;

    /// A workbook with one sheet of these rows.
    fn workbook(sheet_data: &str) -> Vec<u8> {
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let relations = "http://schemas.openxmlformats.org/package/2006/relationships";
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let files = [
            (
                "[Content_Types].xml",
                r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#.to_owned(),
            ),
            (
                "_rels/.rels",
                format!(
                    r#"<Relationships xmlns="{relations}"><Relationship Id="a" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    r#"<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="One" sheetId="1" r:id="b"/></sheets></workbook>"#
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    r#"<Relationships xmlns="{relations}"><Relationship Id="b" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="c" Type="{office}/styles" Target="styles.xml"/></Relationships>"#
                ),
            ),
            ("xl/styles.xml", NUMBER_FORMATS.to_owned()),
            (
                "xl/worksheets/sheet1.xml",
                format!(r#"<worksheet xmlns="{main}"><sheetData>{sheet_data}</sheetData></worksheet>"#),
            ),
        ];
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            archive.start_file(name, SimpleFileOptions::default()).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    const ROWS: &str = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>Customer</t></is></c><c r="C1" t="inlineStr"><is><t>Circuit</t></is></c></row>
        <row r="4"><c r="C4" s="1"><v>4711</v></c></row><row r="5"><c r="A5"><v>4711</v></c><c r="C5" t="str"><v>0042</v></c></row>"#;

    #[test]
    fn cells_stand_where_they_are_and_keep_their_zeros() {
        let tables = tables(&workbook(ROWS)).unwrap();
        let rows: Vec<Vec<_>> =
            tables[0].rows.iter().map(|row| row.iter().map(|cell| cell.value.as_str()).collect()).collect();
        assert_eq!(rows, [vec!["Customer", "", "Circuit"], vec!["", "", "0004711"], vec!["4711", "", "0042"]]);
        assert_eq!(tables[0].rows[1][2].place, Place::Sheet { row: 4, column: 3 });
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let large = " ".repeat(usize::try_from(LARGEST_WORKBOOK).unwrap());
        assert_eq!(tables(&workbook(&large)).unwrap_err().kind, FailureKind::TooLarge);
        let elements = "<a/>".repeat(MOST_ELEMENTS + 1);
        assert_eq!(tables(&workbook(&elements)).unwrap_err().kind, FailureKind::TooLarge);
        let wide = r#"<row r="1"><c r="XFD1"><v>1</v></c></row>"#;
        assert_eq!(tables(&workbook(wide)).unwrap_err().kind, FailureKind::TooLarge);
        let far = r#"<row r="1048576"><c r="A1048576"><v>1</v></c></row>"#;
        assert_eq!(tables(&workbook(far)).unwrap()[0].rows.len(), 1);
    }

    #[test]
    fn what_is_no_workbook_is_malformed() {
        for bytes in [b"".as_slice(), b"PK", b"Customer,Circuit\n"] {
            assert_eq!(tables(bytes).unwrap_err().kind, FailureKind::Malformed);
        }
        let again = r#"<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>"#;
        assert_eq!(tables(&workbook(again)).unwrap_err().kind, FailureKind::Malformed);
    }

    proptest! {
        #[test]
        fn any_damage_ends_in_an_answer(at in any::<prop::sample::Index>(), byte in any::<u8>(), rows in "[<>/rc0-9A-Zv\" =]{0,40}") {
            let mut bytes = workbook(&rows);
            let _ = tables(&bytes);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = tables(&bytes);
        }
    }
}
