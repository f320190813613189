//! Tests of the limits of workbooks and of what they show.

use std::io::Write;

use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    archive::{MAX_FORMATS, MAX_RUN, MAX_STYLE_TAG, Part},
    *,
};

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
    for declared in
        ["\"10000000000\"".to_owned(), "= '99999'".to_owned(), format!("{spaces}=\"99\""), format!("=\"{zeros}99999\"")]
    {
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
