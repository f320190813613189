//! Attached tables: text whose columns are separated by tabs, semicolons or commas. They become the [`Table`] that pages
//! have too, so that a provider finds its columns by their headings in both.

use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{
    failure::{Failure, FailureKind},
    found::{Found, Place},
    page::Table,
};

/// The most cells of a sheet: some twenty times what the largest notices have.
const MOST_CELLS: usize = 100_000;

/// Reads separated text. The charset is that of the byte order mark, else UTF-16 where every other byte is zero, else
/// UTF-8, else Windows-1252; the separator is the one that the first line has most of.
pub fn separated(bytes: &[u8]) -> Result<Table, Failure> {
    let text = decode(bytes);
    let first_line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let separator = [b'\t', b';', b',']
        .into_iter()
        .rev()
        .max_by_key(|separator| first_line.bytes().filter(|byte| byte == separator).count());
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator.unwrap_or(b','))
        .from_reader(text.as_bytes());
    let (mut table, mut record, mut cells) = (Table::default(), StringRecord::new(), 0);
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(table),
            Err(_) => return Err(malformed("a sheet of separated text")),
        }
        cells += record.len();
        if cells > MOST_CELLS {
            return Err(Failure::too_large(format!("a sheet of at most {MOST_CELLS} cells")));
        }
        let place = |column| Place::Sheet { row: table.rows.len() + 1, column: column + 1 };
        let row = record.iter().enumerate().map(|(column, cell)| Found::text(cell, place(column))).collect();
        table.rows.push(row);
    }
}

fn malformed(expected: &str) -> Failure {
    Failure { kind: FailureKind::Malformed, expected: expected.to_owned(), place: None, quote: None }
}

fn decode(bytes: &[u8]) -> String {
    let zeros = |offset: usize| bytes.iter().skip(offset).step_by(2).take(64).all(|byte| *byte == 0);
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if bytes.len() > 3 && zeros(1) => UTF_16LE,
        None if bytes.len() > 3 && zeros(0) => UTF_16BE,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => WINDOWS_1252,
    };
    encoding.decode(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "Account\tCircuit ID\tCity\r\n17\tEX-1\tMünster\r\n18\t\"EX-2\"\tPorto\t\r\n";

    fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
        let table = separated(bytes).unwrap();
        table.rows.into_iter().map(|row| row.into_iter().map(|cell| cell.value).collect()).collect()
    }

    fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_charset_gives_the_same_rows() {
        let expected =
            vec![vec!["Account", "Circuit ID", "City"], vec!["17", "EX-1", "Münster"], vec!["18", "EX-2", "Porto", ""]];
        let marked = format!("\u{feff}{TEXT}");
        let latin: Vec<u8> = TEXT.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect();
        assert_eq!(rows(TEXT.as_bytes()), expected);
        assert_eq!(rows(marked.as_bytes()), expected);
        assert_eq!(rows(&latin), expected);
        for text in [TEXT, &marked] {
            assert_eq!(rows(&utf_16(text, u16::to_le_bytes)), expected);
            assert_eq!(rows(&utf_16(text, u16::to_be_bytes)), expected);
        }
    }

    #[test]
    fn the_separator_is_found() {
        let table = separated("Circuit ID;Notes\nEX-1;\"one, two; three\"\n".as_bytes()).unwrap();
        let headed = table.headed(&["circuit id", "notes"]);
        let cell = headed[0].rows[0].expect("Notes").unwrap();
        assert_eq!(cell.value, "one, two; three");
        assert_eq!(cell.place, Place::Sheet { row: 2, column: 2 });
        assert_eq!(rows(b"one,two\n"), [["one", "two"]]);
        assert_eq!(rows(b""), Vec::<Vec<String>>::new());
    }

    #[test]
    fn a_sheet_of_nothing_but_cells_is_too_large() {
        let failure = separated(",".repeat(1_000_000).as_bytes()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooLarge);
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = separated(&bytes);
        }
    }
}
