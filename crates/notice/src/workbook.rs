//! Reads attached XLSX workbooks: their sheets become the [`Table`]s that pages have too.
//!
//! A workbook is a zip archive: a few kilobytes of it may unpack to gigabytes, or fill a cell in the last row and column that a sheet can
//! have. So every part is unpacked once and counted before it is read, and cells are read one by one. The budget is that of the mail, and
//! a workbook that is refused has used its share as well. A cell costs one unit, and so does each empty one before it in its row. An id
//! that is stored as a number keeps the zeros that its format shows before it.

use std::io::{self, Cursor, Read, Write};

use calamine::{DataRef, Reader, SheetType, Style, Xlsx};
use memchr::memmem;
use zip::ZipArchive;

use super::{
    failure::{Failure, FailureKind},
    found::{Found, Place},
    page::Table,
};

/// Size limit of all workbooks of a mail together, unpacked, in bytes.
pub const MAX_UNPACKED_PER_MAIL: u64 = 16 * 1024 * 1024;

/// Endings of the parts that may be read, in lower case.
const READABLE_SUFFIXES: [&str; 2] = [".xml", ".rels"];
/// Maximum number of files in a workbook's archive.
const MAX_FILES: usize = 1_000;
/// Length limit of a tag or a text, in bytes: a cell holds 32,767 letters at most.
const MAX_RUN: usize = 128 * 1024;
/// Maximum number of sheets in a workbook.
const MAX_SHEETS: usize = 20;
/// Maximum number of cells of all workbooks of a mail together, with the empty ones before a filled one in its row.
const MAX_CELLS_PER_MAIL: usize = 100_000;
/// Maximum number of columns in a sheet.
const MAX_COLUMNS: usize = 1_000;
/// Size limit of the texts of all cells of a mail's workbooks together, in bytes: many cells may repeat one shared text.
const MAX_TEXT_PER_MAIL: usize = 8 * 1024 * 1024;

/// Maximum number of tags in a part, opening and closing ones, by the end of its path; the first match counts. Each element becomes a
/// value in memory, however short it is: an element of a sheet is read and forgotten, a style is copied into each cell format.
const MAX_TAGS: [(&str, usize); 7] = [
    (".rels", 4_000),
    ("styles.xml", 20_000),
    ("workbook.xml", 20_000),
    ("theme1.xml", 20_000),
    ("sharedstrings.xml", 500_000),
    (".xml", 1_000_000),
    ("", 0),
];
/// Maximum number of cell formats, each of which gets a copy of everything that it refers to.
const MAX_FORMATS: usize = 4_000;
/// Size limit of the part with the formats, in bytes, so that no copy is long.
const MAX_STYLES: usize = 1024 * 1024;
/// Length limit of a tag in that part, in bytes.
const MAX_STYLE_TAG: usize = 2_048;

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

/// Returns a copy of the archive in which only measured parts are readable, and the size of its largest part. Sizes and counts that
/// the archive declares are not trusted: every part that is named as XML is unpacked once and counted; every other one is made
/// unreadable.
fn checked(bytes: &[u8], room: &mut Room) -> Result<(Vec<u8>, u64), Failure> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| malformed())?;
    if archive.len() > MAX_FILES {
        return Err(Failure::too_large(format!("a workbook of at most {MAX_FILES} files")));
    }
    let (mut checked, mut largest) = (bytes.to_vec(), 0);
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(|_| malformed())?;
        let name = file.name().map_err(|_| malformed())?.to_lowercase();
        let header = file.central_header_start();
        drop(file);
        if READABLE_SUFFIXES.iter().all(|end| !name.ends_with(end)) {
            make_unreadable(&mut checked, header)?;
            continue;
        }
        let file = archive.by_index(index).map_err(|_| malformed())?;
        let mut part = Part::new(&name);
        let copied = io::copy(&mut file.take(room.unpacked + 1), &mut part);
        // Damaged parts have been unpacked as far as they go.
        let unpacked = part.length as u64;
        room.take_unpacked(unpacked)?;
        copied.map_err(|_| malformed())?;
        part.check_limits()?;
        largest = largest.max(unpacked);
    }
    Ok((checked, largest))
}

/// Makes a file of the archive unreadable, by an unknown compression method in its header.
fn make_unreadable(archive: &mut [u8], header: u64) -> Result<(), Failure> {
    const SIGNATURE: &[u8] = b"PK\x01\x02";
    const METHOD: std::ops::Range<usize> = 10..12;
    let header = usize::try_from(header).ok().and_then(|start| archive.get_mut(start..)).ok_or_else(malformed)?;
    if !header.starts_with(SIGNATURE) {
        return Err(malformed());
    }
    header.get_mut(METHOD).ok_or_else(malformed)?.fill(0xff);
    Ok(())
}

/// The counts of a part, taken while it is written.
#[derive(Debug)]
struct Part {
    /// Maximum number of its tags.
    max_tags: usize,
    /// `true` if it is the part with the formats.
    is_styles: bool,
    /// Its bytes so far.
    length: usize,
    /// Its tags so far, opening and closing ones.
    tags: usize,
    /// Its cell formats so far.
    formats: usize,
    /// Bytes since the last angle bracket.
    run: usize,
    /// Maximum of `run` so far.
    longest: usize,
    /// Last bytes of the previous piece, so that a word that spans two pieces is found.
    tail: Vec<u8>,
    /// Largest number that a `uniqueCount` declares: the reader would allocate that many texts.
    declared: usize,
}

impl Part {
    fn new(name: &str) -> Self {
        let most = MAX_TAGS.iter().find(|(end, _)| name.ends_with(end)).map_or(0, |(_, most)| *most);
        Self {
            max_tags: most,
            is_styles: name.ends_with("styles.xml"),
            length: 0,
            tags: 0,
            formats: 0,
            run: 0,
            longest: 0,
            tail: Vec::new(),
            declared: 0,
        }
    }

    /// Returns a failure if the part exceeds a limit, or declares more texts than it has tags.
    fn check_limits(&self) -> Result<(), Failure> {
        let too_large = |what: &str| Err(Failure::too_large(format!("a workbook with {what}")));
        if self.tags > self.max_tags {
            return too_large(&format!("at most {} tags in a part", self.max_tags));
        }
        let (longest, largest) = if self.is_styles { (MAX_STYLE_TAG, MAX_STYLES) } else { (MAX_RUN, usize::MAX) };
        if self.longest.max(self.run) > longest {
            return too_large(&format!("texts of at most {longest} bytes"));
        }
        if self.is_styles && (self.formats > MAX_FORMATS || self.length > largest) {
            return too_large(&format!("at most {MAX_FORMATS} formats of cells"));
        }
        if self.declared > self.tags {
            return Err(malformed());
        }
        Ok(())
    }

    /// Counts formats, and finds declared counts, in a piece and the end of the previous one.
    fn count_words(&mut self, bytes: &[u8]) {
        const COUNT: &[u8] = b"uniqueCount";
        const FORMAT: &[u8] = b"xf";
        const WINDOW: usize = 256;
        let from = self.tail.len();
        self.tail.extend_from_slice(bytes);
        let text = std::mem::take(&mut self.tail);
        if self.is_styles {
            // `<xf …>` or `<x:xf …>`, but neither `</xf>` nor `<dxf>` nor `xfId=`. It counts in the piece of the byte after it.
            let is_tag = |at: &usize| {
                let before = at.checked_sub(1).and_then(|before| text.get(before));
                let after = text.get(at + FORMAT.len());
                matches!(before, Some(b'<' | b':')) && matches!(after, Some(b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>'))
            };
            let tags = memmem::find_iter(&text, FORMAT).filter(|at| at + FORMAT.len() >= from && is_tag(at));
            self.formats += tags.count();
        }
        for at in memmem::find_iter(&text, COUNT) {
            let window = text.get(at + COUNT.len()..).unwrap_or_default();
            let window = window.get(..WINDOW - COUNT.len()).unwrap_or(window);
            let number = window.iter().skip_while(|byte| !byte.is_ascii_digit());
            let digits = number.clone().take_while(|byte| byte.is_ascii_digit());
            // A number that fills the window goes on after it. A window that the end of the piece cuts is whole in the next piece.
            let is_endless = window.len() == WINDOW - COUNT.len() && number.count() == digits.clone().count();
            let add = |so_far: usize, digit: &u8| so_far.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
            let declared = if is_endless { usize::MAX } else { digits.fold(0, add) };
            self.declared = self.declared.max(declared);
        }
        let kept = text.len().saturating_sub(WINDOW);
        self.tail = text.get(kept..).unwrap_or_default().to_vec();
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length = self.length.saturating_add(bytes.len());
        self.tags += memchr::memchr_iter(b'<', bytes).count();
        let mut start = 0;
        for at in memchr::memchr2_iter(b'<', b'>', bytes) {
            self.longest = self.longest.max(self.run + at - start);
            (self.run, start) = (0, at);
        }
        self.run += bytes.len() - start;
        self.count_words(bytes);
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

    /// Returns a workbook with one sheet of these rows.
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
        let tables = tables(&workbook(ROWS), &mut Room::default()).unwrap();
        let rows: Vec<Vec<_>> =
            tables[0].rows.iter().map(|row| row.iter().map(|cell| cell.value.as_str()).collect()).collect();
        assert_eq!(rows, [vec!["Customer", "", "Circuit"], vec!["", "", "0004711"], vec!["4711", "", "0042"]]);
        assert_eq!(tables[0].rows[1][2].place, Place::Sheet { row: 4, column: 3 });
    }

    #[test]
    fn an_archive_that_unpacks_to_too_much_is_refused() {
        let large = " ".repeat(usize::try_from(MAX_UNPACKED_PER_MAIL).unwrap());
        assert_eq!(tables(&workbook(&large), &mut Room::default()).unwrap_err().kind, FailureKind::TooLarge);
        let elements = "<a/>".repeat(1_000_001);
        assert_eq!(tables(&workbook(&elements), &mut Room::default()).unwrap_err().kind, FailureKind::TooLarge);
        let wide = r#"<row r="1"><c r="XFD1"><v>1</v></c></row>"#;
        assert_eq!(tables(&workbook(wide), &mut Room::default()).unwrap_err().kind, FailureKind::TooLarge);
        let far = r#"<row r="1048576"><c r="A1048576"><v>1</v></c></row>"#;
        assert_eq!(tables(&workbook(far), &mut Room::default()).unwrap()[0].rows.len(), 1);
    }

    #[test]
    fn a_file_that_is_not_a_workbook_is_malformed() {
        for bytes in [b"".as_slice(), b"PK", b"Customer,Circuit\n"] {
            assert_eq!(tables(bytes, &mut Room::default()).unwrap_err().kind, FailureKind::Malformed);
        }
        let again = r#"<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>"#;
        assert_eq!(tables(&workbook(again), &mut Room::default()).unwrap_err().kind, FailureKind::Malformed);
    }

    /// Returns an archive of these parts, of which a workbook has the first two at least.
    fn archive(parts: &[(&str, String)]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn a_declared_size_allocates_nothing() {
        let judged = |name: &str, text: &str| {
            let mut part = Part::new(name);
            // In pieces, so that words are cut.
            for piece in text.as_bytes().chunks(7) {
                part.write_all(piece).unwrap();
            }
            part.check_limits().map_err(|failure| failure.kind)
        };
        let shared = "xl/sharedstrings.xml";
        assert_eq!(judged(shared, "<sst uniqueCount=\"2\"><si><t>a</t></si><si><t>b</t></si></sst>"), Ok(()));
        let spaces = " ".repeat(400);
        let zeros = "0".repeat(400);
        for declared in [
            "\"10000000000\"".to_owned(),
            "= '99999'".to_owned(),
            format!("{spaces}=\"99\""),
            format!("=\"{zeros}99999\""),
        ] {
            let text = format!("<sst uniqueCount{declared}><si><t>a</t></si></sst>");
            assert_eq!(judged(shared, &text), Err(FailureKind::Malformed), "{declared}");
        }
        for (format, expected) in [
            ("<xf/>", Err(FailureKind::TooLarge)),
            ("<x:xf numFmtId=\"0\"/>", Err(FailureKind::TooLarge)),
            ("<xf\nnumFmtId=\"0\">", Err(FailureKind::TooLarge)),
            ("</xf>", Ok(())),
            ("<dxf/>", Ok(())),
            ("<b xfId=\"0\"/>", Ok(())),
        ] {
            assert_eq!(judged("xl/styles.xml", &format.repeat(MAX_FORMATS + 1)), expected, "{format}");
            assert_eq!(judged("xl/styles.xml", &format.repeat(MAX_FORMATS)), Ok(()), "{format}");
        }
        let long = format!("<numFmt formatCode=\"{}\"/>", "0".repeat(MAX_STYLE_TAG));
        assert_eq!(judged("xl/styles.xml", &long), Err(FailureKind::TooLarge));
        assert_eq!(judged("xl/other.xml", &"a".repeat(MAX_RUN + 1)), Err(FailureKind::TooLarge));
        assert_eq!(judged("xl/worksheets/_rels/a.rels", &"<a/>".repeat(4_001)), Err(FailureKind::TooLarge));
    }

    #[test]
    fn a_part_that_is_not_measured_cannot_be_read() {
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let relations = "http://schemas.openxmlformats.org/package/2006/relationships";
        let parts = |target: &'static str| {
            let document = format!(r#"<Relationship Id="a" Type="{office}/officeDocument" Target="{target}"/>"#);
            [
                ("_rels/.rels", format!(r#"<Relationships xmlns="{relations}">{document}</Relationships>"#)),
                (target, r"<workbook><sheets/></workbook>".to_owned()),
                ("xl/_rels/workbook.xml.rels", format!(r#"<Relationships xmlns="{relations}"></Relationships>"#)),
                ("xl/_rels/workbook.bin.rels", format!(r#"<Relationships xmlns="{relations}"></Relationships>"#)),
            ]
        };
        assert!(tables(&archive(&parts("xl/workbook.xml")), &mut Room::default()).is_ok());
        assert!(tables(&archive(&parts("xl/workbook.bin")), &mut Room::default()).is_err());
    }

    #[test]
    fn a_cell_that_is_there_twice_makes_a_sheet_malformed() {
        let row = |number: usize, cell: &str| format!(r#"<row r="{number}"><c r="{cell}"><v>7</v></c></row>"#);
        for (rows, is_sound) in [
            ([row(1, "A1"), row(2, "A2"), row(3, "B3")], true),
            ([row(1, "A1"), row(1, "A1"), row(2, "A2")], false),
            ([row(1, "A1"), row(2, "A2"), row(1, "A1")], false),
            ([row(1, "A1"), row(2, "A2"), row(1, "B1")], false),
        ] {
            assert_eq!(tables(&workbook(&rows.concat()), &mut Room::default()).is_ok(), is_sound, "{rows:?}");
        }
    }

    #[test]
    fn a_workbook_that_is_refused_uses_the_budget_of_its_mail() {
        let mut room = Room { unpacked: 600, ..Room::default() };
        let bytes = workbook(r#"<row r="1"><c r="A1"><v>7</v></c></row>"#);
        assert_eq!(tables(&bytes, &mut room).unwrap_err().kind, FailureKind::TooLarge);
        assert_eq!(room.unpacked, 0);
        let mut room = Room { cells: 1, ..Room::default() };
        let bytes = workbook(r#"<row r="1"><c r="C1"><v>7</v></c></row>"#);
        let failure = tables(&bytes, &mut room).unwrap_err();
        assert!(failure.expected.contains("cells") && room.cells == 0, "{failure}");
        let mut room = Room { text: 0, ..Room::default() };
        let failure = tables(&bytes, &mut room).unwrap_err();
        assert!(failure.expected.contains("bytes of text"), "{failure}");
    }

    #[test]
    fn the_error_of_a_cell_is_its_text() {
        let bytes = workbook(r#"<row r="1"><c r="A1" t="e"><v>#REF!</v></c></row>"#);
        let tables = tables(&bytes, &mut Room::default()).unwrap();
        assert_eq!(tables[0].rows[0][0].value, "#REF!");
    }

    proptest! {
        #[test]
        fn any_damage_ends_in_an_answer(at in any::<prop::sample::Index>(), byte in any::<u8>(), rows in "[<>/rc0-9A-Zv\" =]{0,40}") {
            let mut bytes = workbook(&rows);
            let _ = tables(&bytes, &mut Room::default());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = tables(&bytes, &mut Room::default());
        }
    }
}
