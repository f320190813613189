//! Mails with other attachments.

use std::io::{Cursor, Read as _, Write as _};

use mail_parser::{MessageParser, MimeHeaders};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::texts::base64;

/// Returns the mail with its attachments as `change` makes them of name and bytes; `None` where it
/// changes none.
pub(crate) fn changed(mail: &[u8], change: impl Fn(&str, &[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let parsed = MessageParser::default().parse(mail).unwrap();
    let mut changes = Vec::new();
    for part in &parsed.parts {
        let Some(name) = part.attachment_name() else { continue };
        let (from, body, to) = (part.offset_header as usize, part.offset_body as usize, part.offset_end as usize);
        let decoded = decoded(&mail[from..body], &mail[body..to]);
        let Some(bytes) = decoded.and_then(|decoded| change(name, &decoded)) else { continue };
        changes.push((body..to, base64(&bytes)));
    }
    let mut rewritten = mail.to_vec();
    for (range, bytes) in changes.iter().rev() {
        rewritten.splice(range.clone(), bytes.bytes());
    }
    (!changes.is_empty()).then_some(rewritten)
}

/// Returns the bytes of a part that is base64, as written: `mail-parser` decodes the charset of a text
/// as well.
fn decoded(headers: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let is_base64 = String::from_utf8_lossy(headers).to_ascii_lowercase().contains("base64");
    is_base64.then(|| mail_parser::decoders::base64::base64_decode(body))?
}

/// Returns a text of UTF-16 with a mark at its start, changed.
pub(crate) fn utf16(bytes: &[u8], change: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).ok()?;
    Some(change(&text)?.encode_utf16().flat_map(u16::to_le_bytes).collect())
}

/// Returns a workbook with its sheets changed, in which every cell is its text.
pub(crate) fn workbook(bytes: &[u8], change: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).ok()?;
        let mut content = String::new();
        file.read_to_string(&mut content).ok()?;
        let name = file.name().ok()?.into_owned();
        files.push((name, content));
    }
    let shared = files.iter().find(|(name, _)| name.ends_with("sharedStrings.xml")).map(|(_, content)| content.clone());
    let shared: Vec<String> =
        shared.iter().flat_map(|content| content.split("<t>").skip(1)).map(|text| before(text, "</t>")).collect();
    let mut is_changed = false;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let content = if name.contains("worksheets/") {
            let sheet = numbered(&with_cells_as_text(&content, &shared));
            let changed = change(&sheet);
            is_changed |= changed.is_some();
            changed.map_or(sheet, |changed| numbered(&changed))
        } else {
            content
        };
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    is_changed.then(|| writer.finish().unwrap().into_inner())
}

fn before(text: &str, end: &str) -> String {
    text.split(end).next().unwrap_or_default().to_owned()
}

/// `<c r="A2" t="s"><v>3</v></c>` with the text itself.
fn with_cells_as_text(sheet: &str, shared: &[String]) -> String {
    let mut written = String::new();
    for (index, cell) in sheet.split("<c ").enumerate() {
        if index > 0 {
            written.push_str("<c ");
        }
        let number = cell.split("<v>").nth(1).and_then(|value| before(value, "</v>").parse::<usize>().ok());
        match number.and_then(|number| shared.get(number)).filter(|_| cell.contains("t=\"s\"")) {
            Some(text) => {
                let value = format!("<v>{}</v>", number.unwrap());
                written.push_str(
                    &cell.replace("t=\"s\"", "t=\"inlineStr\"").replace(&value, &format!("<is><t>{text}</t></is>")),
                );
            }
            None => written.push_str(cell),
        }
    }
    written
}

/// Returns the sheet with its rows numbered as they stand.
fn numbered(sheet: &str) -> String {
    let mut rows = sheet.split("<row ");
    let mut written = rows.next().unwrap_or_default().to_owned();
    for (index, row) in rows.enumerate() {
        let number = index + 1;
        let old: String = row.split('"').nth(1).unwrap_or_default().to_owned();
        let row = row.replacen(&format!("r=\"{old}\""), &format!("r=\"{number}\""), 1);
        let mut cells = row.split("<c r=\"");
        written.push_str("<row ");
        written.push_str(cells.next().unwrap_or_default());
        for cell in cells {
            let (name, rest) = cell.split_once('"').unwrap();
            let column = name.trim_end_matches(|digit: char| digit.is_ascii_digit());
            for piece in ["<c r=\"", column, &number.to_string(), "\"", rest] {
                written.push_str(piece);
            }
        }
    }
    written
}
