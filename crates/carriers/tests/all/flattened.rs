//! A notice that became plain text on its way (a client that sends text alone, a ticket system) says what its page says, or is
//! refused: never anything else, and it is not passed over.

use mail::Mail;
use notice::page::{Element, Node, Page, text_of};
use serde_json::Value;

use crate::support;

/// The separation of a row's cells in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Cells with bars between them: `a | b`.
    Bars,
    /// `| a | b |`, with rules.
    Framed,
    /// Cells with tabs between them.
    Tabs,
    /// `a: b` where a row has two cells; else bars.
    Labels,
    /// A cell a line, a blank line between rows.
    Cells,
}

const STYLES: [Style; 5] = [Style::Bars, Style::Framed, Style::Tabs, Style::Labels, Style::Cells];

/// The carriers whose pages are read from a text too, and the status of their mails in tests.
const READ_AS_TEXT: [&str; 7] = ["equinix", "lumen", "sparkle", "turkcell", "verizon", "windstream", "zayo"];

/// Writes an element as text, table rows in that style.
fn write(element: Element<'_>, style: Style, text: &mut String) {
    let break_line = |text: &mut String| {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
    };
    for child in element.content() {
        if let Node::Text(words) = child {
            let folded = words.split_whitespace().collect::<Vec<_>>().join(" ");
            let is_apart = words.starts_with(char::is_whitespace) && !text.ends_with(['\n', ' ']);
            text.push_str(if is_apart && !text.is_empty() { " " } else { "" });
            text.push_str(&folded);
            text.push_str(if words.ends_with(char::is_whitespace) && !folded.is_empty() { " " } else { "" });
        }
        let Node::Element(child) = child else { continue };
        match child.name() {
            "head" | "style" | "script" | "title" | "s" | "strike" | "del" => {}
            "br" => text.push('\n'),
            "tr" => {
                break_line(text);
                row(child, style, text);
                break_line(text);
            }
            "p" | "div" | "table" | "h1" | "h2" | "h3" | "li" | "ul" | "center" | "hr" => {
                break_line(text);
                text.push('\n');
                write(child, style, text);
                break_line(text);
                text.push('\n');
            }
            _ => write(child, style, text),
        }
    }
}

fn row(row: Element<'_>, style: Style, text: &mut String) {
    let cells: Vec<_> = row.children().filter(|cell| matches!(cell.name(), "td" | "th")).collect();
    let holds_table = |cell: &Element<'_>| cell.descendants().any(|element| element.name() == "table");
    let is_label = |cell: &Element<'_>| cells.len() == 2 && !holds_table(cell);
    if cells.iter().any(holds_table) {
        for cell in &cells {
            let label = if is_label(cell) { text_of(*cell) } else { String::new() };
            if label.is_empty() {
                text.push('\n');
                write(*cell, style, text);
                text.push('\n');
            } else {
                text.push_str(label.trim_end_matches(':'));
                text.push_str(": ");
            }
        }
        return;
    }
    let values: Vec<_> = cells.iter().map(|cell| text_of(*cell)).collect();
    if values.iter().all(String::is_empty) {
        return;
    }
    let line = match (style, values.as_slice()) {
        (_, [one]) => one.clone(),
        (Style::Labels, [label, value]) => format!("{}: {value}", label.trim_end_matches([':', ' '])),
        (Style::Bars | Style::Labels, values) => values.join(" | "),
        (Style::Framed, values) => format!("| {} |\n|---|---|", values.join(" | ")),
        (Style::Tabs, values) => values.join("\t"),
        (Style::Cells, values) => values.join("\n") + "\n\n",
    };
    text.push_str(&line);
}

/// Returns the headers of a mail, and its page as text; `None` for one that has no page.
fn flattened(mail: &[u8], style: Style) -> Option<(String, String)> {
    let decoded = Mail::decode(mail);
    if decoded.is_forwarded() || !decoded.attachments.is_empty() || !decoded.calendars.is_empty() {
        return None;
    }
    let page = Page::parse(decoded.pages.first()?).ok()?;
    let mut text = String::new();
    write(page.document().elements().next()?, style, &mut text);
    let header = |name| decoded.outer().header(name).map(|value| format!("{name}: {value}\r\n")).unwrap_or_default();
    let head: String = ["From", "Date", "Subject"].map(header).concat();
    Some((head, text))
}

/// Returns a mail of that text, which its end closes.
fn closed((head, text): &(String, String)) -> Vec<u8> {
    let kind = "Content-Type: text/plain; charset=utf-8\r\n\r\n";
    format!("{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{kind}{text}\r\n--b--\r\n").into_bytes()
}

/// Returns the parts of a reading that are compared: the text cannot keep the lines of a summary, and cells lose blanks.
fn essence(reading: &Value) -> Vec<Value> {
    let mut maintenances = reading["maintenances"].as_array().unwrap().clone();
    for maintenance in &mut maintenances {
        maintenance.as_object_mut().unwrap().remove("summary");
        for circuit in maintenance["circuits"].as_array_mut().unwrap() {
            let folded = circuit["circuit_id"].as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
            circuit["circuit_id"] = folded.into();
        }
    }
    maintenances
}

#[test]
fn a_text_reads_like_its_page_or_is_refused() {
    let mut wrong = Vec::new();
    for slug in READ_AS_TEXT.iter().filter(|slug| support::is_asked_for(slug)) {
        let mails = support::own_mails();
        let own = mails.iter().filter(|mail| mail.name.starts_with(&format!("{slug}/")));
        let read: Vec<_> = own.map(|mail| (mail, support::parse(&mail.bytes))).collect();
        for style in STYLES {
            let (mut same, mut refused) = (0, Vec::new());
            for (mail, reading) in read.iter().filter(|(_, reading)| reading["outcome"] == "maintenance") {
                let Some(text) = flattened(&mail.bytes, style) else { continue };
                let text = closed(&text);
                let actual = support::parse(&text);
                if actual["outcome"] == "failed" {
                    refused.push(format!("{}: {}", mail.name, actual["reason"]));
                } else if essence(&actual) == essence(reading) {
                    same += 1;
                } else {
                    wrong.push(format!("{} as {style:?}: {actual}\n{}", mail.name, String::from_utf8_lossy(&text)));
                }
            }
            println!("{slug} as {style:?}: {same} read, refused {refused:#?}");
            if same == 0 && style != Style::Cells {
                wrong.push(format!("{slug} as {style:?}: none is read: {refused:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the parts of a reading that must be right for a text that was cut.
fn sum(reading: &Value) -> Vec<Value> {
    let mut maintenances = essence(reading);
    for maintenance in &mut maintenances {
        let rest = ["account", "stamp", "organizer", "uid", "sequence"];
        for key in rest {
            maintenance.as_object_mut().unwrap().remove(key);
        }
    }
    maintenances
}

#[test]
fn a_text_that_is_cut_at_the_end_of_a_line_says_nothing_else() {
    let mut wrong = Vec::new();
    let mut cuts = 0;
    for mail in support::own_mails() {
        let slug = mail.name.split('/').next().unwrap();
        if !READ_AS_TEXT.contains(&slug) || support::parse(&mail.bytes)["outcome"] != "maintenance" {
            continue;
        }
        for style in [Style::Bars, Style::Labels] {
            let Some((head, text)) = flattened(&mail.bytes, style) else { continue };
            let whole = sum(&support::parse(&closed(&(head.clone(), text.clone()))));
            for (at, _) in text.match_indices('\n') {
                cuts += 1;
                let cut = format!("{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{}", &text[..=at]);
                let actual = support::parse(cut.as_bytes());
                if actual["outcome"] == "maintenance" && !whole.is_empty() && sum(&actual) != whole {
                    wrong.push(format!("{} as {style:?}: {actual}\n{}", mail.name, &text[..=at]));
                }
            }
        }
    }
    println!("{cuts} cuts, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
