//! Tests attachments that declare more than they hold, or hold more than they seem to: each in the function itself, with a memory limit.
//! A workbook that is too large makes its mail one for a person, and never ends the function.

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    limits::{MEGABYTE, handle, handle_with},
    support,
};

const SENDER: &str = "g31654@att.com";

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The parts of a workbook; an empty part is left out.
struct Parts {
    sheets: String,
    targets: String,
    styles: String,
    strings: String,
    sheet: String,
    /// Further parts, by their paths.
    more: Vec<(String, String)>,
}

fn sound() -> Parts {
    Parts {
        sheets: r#"<sheet name="One" sheetId="1" r:id="b"/>"#.to_owned(),
        targets: format!(r#"<Relationship Id="b" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>"#),
        styles: String::new(),
        strings: String::new(),
        sheet: r#"<row r="1"><c r="A1" t="inlineStr"><is><t>Circuit</t></is></c></row>"#.to_owned(),
        more: Vec::new(),
    }
}

fn archive(parts: &Parts) -> Vec<u8> {
    let relations = |inner: &str| format!(r#"<Relationships xmlns="{RELATIONS}">{inner}</Relationships>"#);
    let document = format!(r#"<Relationship Id="a" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>"#);
    let mut files = vec![
        ("[Content_Types].xml".to_owned(), "<Types/>".to_owned()),
        ("_rels/.rels".to_owned(), relations(&document)),
        (
            "xl/workbook.xml".to_owned(),
            format!(r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{}</sheets></workbook>"#, parts.sheets),
        ),
        ("xl/_rels/workbook.xml.rels".to_owned(), relations(&parts.targets)),
        (
            "xl/worksheets/sheet1.xml".to_owned(),
            format!(r#"<worksheet xmlns="{MAIN}"><sheetData>{}</sheetData></worksheet>"#, parts.sheet),
        ),
    ];
    files.extend(
        (!parts.styles.is_empty()).then(|| {
            ("xl/styles.xml".to_owned(), format!(r#"<styleSheet xmlns="{MAIN}">{}</styleSheet>"#, parts.styles))
        }),
    );
    files.extend((!parts.strings.is_empty()).then(|| ("xl/sharedStrings.xml".to_owned(), parts.strings.clone())));
    files.extend(parts.more.iter().cloned());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn repeated(count: usize, make: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        let _ = text.write_str(&make(index));
        text
    })
}

fn with(change: &dyn Fn(&mut Parts)) -> Vec<u8> {
    let mut parts = sound();
    change(&mut parts);
    archive(&parts)
}

fn styles(fonts: &str, formats: usize, code: usize) -> String {
    format!(
        r#"<numFmts><numFmt numFmtId="164" formatCode="{}"/></numFmts><fonts>{fonts}</fonts><fills><fill/></fills><borders><border/></borders><cellXfs>{}</cellXfs>"#,
        "0".repeat(code),
        r#"<xf numFmtId="164" fontId="0"/>"#.repeat(formats)
    )
}

fn strings(count: &str, inner: &str) -> String {
    format!(r#"<sst xmlns="{MAIN}" uniqueCount={count}>{inner}</sst>"#)
}

/// Returns attacks by texts and formats: the name of each, and its workbook.
fn of_texts() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a number of texts", with(&|parts| parts.strings = strings("\"10000000000\"", "<si><t>a</t></si>"))),
        (
            "a number behind blanks",
            with(&|parts| parts.strings = strings(&format!("{}\"9000000000\"", " ".repeat(400)), "")),
        ),
        ("formats of cells", with(&|parts| parts.styles = styles("<font/>", 400_000, 30))),
        ("formats with a long code", with(&|parts| parts.styles = styles("<font/>", 3_000, 200_000))),
        ("fonts", with(&|parts| parts.styles = styles(&"<font/>".repeat(900_000), 1, 1))),
        (
            "a long name of a font",
            with(&|parts| {
                parts.styles = styles(&format!(r#"<font><name val="{}"/></font>"#, "n".repeat(300_000)), 3_900, 1);
            }),
        ),
        (
            "as many formats as may be",
            with(&|parts| {
                let font = format!(r#"<font><name val="{}"/></font>"#, "n".repeat(1_900));
                parts.styles = styles(&font, 3_900, 250);
            }),
        ),
        ("as many texts as may be", with(&|parts| parts.strings = strings("\"1\"", &"<si><t/></si>".repeat(120_000)))),
        ("as many empty texts as may be", with(&|parts| parts.strings = strings("\"1\"", &"<si/>".repeat(490_000)))),
    ]
}

/// Returns attacks by sheets, cells and files: the name of each, and its workbook.
fn of_sheets() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (
            "as much text as may be",
            with(&|parts| {
                let text = format!("<si><t>{}</t></si>", "a".repeat(100_000));
                parts.strings = strings("\"1\"", &text.repeat(150));
                parts.sheet =
                    repeated(79, |row| format!("<row r=\"{0}\"><c r=\"A{0}\" t=\"s\"><v>{row}</v></c></row>", row + 1));
            }),
        ),
        (
            "as many cells as may be",
            with(&|parts| {
                parts.sheet = repeated(990, |row| {
                    format!("<row>{}</row>", "<c t=\"str\"><v>a</v></c>".repeat(if row == 0 { 1 } else { 100 }))
                });
            }),
        ),
        ("texts without a letter", with(&|parts| parts.strings = strings("\"1\"", &"<si/>".repeat(990_000)))),
        (
            "one text",
            with(&|parts| parts.strings = strings("\"1\"", &format!("<si><t>{}</t></si>", "a".repeat(15_000_000)))),
        ),
        ("empty cells", with(&|parts| parts.sheet = format!("<row r=\"1\">{}</row>", "<c/>".repeat(990_000)))),
        (
            "the same sheet many times",
            with(&|parts| {
                parts.sheets = repeated(20, |index| format!(r#"<sheet name="S{index}" sheetId="{index}" r:id="b"/>"#));
                parts.sheet = format!("<row r=\"1\">{}</row>", "<c/>".repeat(900_000));
            }),
        ),
        (
            "sheets",
            with(&|parts| {
                parts.sheets =
                    repeated(15_000, |index| format!(r#"<sheet name="S{index}" sheetId="{index}" r:id="b"/>"#));
            }),
        ),
        (
            "targets",
            with(&|parts| {
                parts.targets = repeated(60_000, |index| {
                    format!(r#"<Relationship Id="b{index}" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>"#)
                });
            }),
        ),
        ("elements in elements", with(&|parts| parts.sheet = "<a>".repeat(900_000))),
        ("an attribute", with(&|parts| parts.sheet = format!("<row r=\"{}\"/>", "1".repeat(15_000_000)))),
        (
            "cells that repeat a text",
            with(&|parts| {
                parts.strings = strings("\"1\"", &format!("<si><t>{}</t></si>", "a".repeat(100_000)));
                parts.sheet =
                    repeated(50_000, |row| format!("<row r=\"{0}\"><c r=\"A{0}\" t=\"s\"><v>0</v></c></row>", row + 1));
            }),
        ),
        (
            "files",
            with(&|parts| {
                parts.more = (0..900).map(|index| (format!("x{index}.xml"), "<a/>".repeat(20_000))).collect();
            }),
        ),
        (
            "a sheet by another name",
            with(&|parts| {
                parts.targets = format!(r#"<Relationship Id="b" Type="{OFFICE}/worksheet" Target="sheet.bin"/>"#);
                parts.more = vec![(
                    "xl/sheet.bin".to_owned(),
                    format!("<worksheet><sheetData><row>{}", "<c/>".repeat(4_000_000)),
                )];
            }),
        ),
    ]
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (index, three) in bytes.chunks(3).enumerate() {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let value = DIGITS[bits >> (18 - 6 * digit) & 63];
            text.push(if digit > three.len() { '=' } else { char::from(value) });
        }
        text.push_str(if index % 19 == 18 { "\r\n" } else { "" });
    }
    text
}

/// Returns AT&T's notice with another workbook.
fn mail(workbook: &[u8]) -> Vec<u8> {
    let path = support::repository().join("tests/mails/att/planned.eml");
    let whole = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
    let (before, rest) = whole.split_once("Content-Transfer-Encoding: base64\n\n").unwrap();
    let (_, after) = rest.split_once("\n--").unwrap();
    format!("{before}Content-Transfer-Encoding: base64\n\n{}\n--{after}", base64(workbook)).into_bytes()
}

#[test]
fn no_workbook_takes_more_than_a_mail_may() {
    for (what, workbook) in of_texts().into_iter().chain(of_sheets()) {
        let mail = mail(&workbook);
        assert!(mail.len() as u64 <= MEGABYTE, "{what}: {} bytes", mail.len());
        let taken = handle(&mail, SENDER).unwrap_or_else(|failure| panic!("{what}: {failure}"));
        println!("{what}: {taken}");
        assert_eq!(taken.excess(), None, "{what}");
    }
}

/// Attachments of a mail that fails a verdict are not even unpacked: the suggestion has what its text says.
#[test]
fn attachments_of_a_mail_that_proves_nothing_stay_shut() {
    let path = support::repository().join("tests/mails/att/planned.eml");
    let mail = std::fs::read(path).unwrap();
    for (dmarc, is_open) in [("PASS", true), ("FAIL", false)] {
        let taken = handle_with(&mail, SENDER, dmarc).unwrap();
        let circuits: usize = taken.lines.iter().map(|line| line.matches("circuit_id").count()).sum();
        assert_eq!(circuits > 0, is_open, "{dmarc}: {taken}");
    }
}
