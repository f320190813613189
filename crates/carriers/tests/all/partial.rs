//! A change of one circuit of several is none of the maintenance: "EX-1 (cancelled)" in the list of a notice of EX-1 and EX-2.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support;

/// Words behind a circuit in a list.
const MARKS: [&str; 6] = [
    " (cancelled)",
    " - cancelled",
    ": postponed",
    " (completed)",
    " (geannuleerd)",
    " - removed from this maintenance",
];
/// Words in a cell of the circuit's row.
const CELLS: [&str; 4] = ["Cancelled", "Postponed", "Completed", "Cancelado"];

/// Returns the circuits of a reading, without repetitions.
fn circuits(reading: &Value) -> BTreeSet<&str> {
    let maintenances = reading["maintenances"].as_array().unwrap().iter();
    let circuits = maintenances.flat_map(|maintenance| maintenance["circuits"].as_array().unwrap());
    circuits.map(|circuit| circuit["circuit_id"].as_str().unwrap()).collect()
}

/// Returns the byte behind the first mention of a circuit in a body that is no part of a longer word or of a tag. A title, also one of a forwarded
/// notice, tells of the whole maintenance.
fn behind(text: &str, circuit: &str) -> Option<usize> {
    let body = text.find("\n\n")?;
    let is_whole = |at: &usize| {
        let (before, after) = (&text[..*at], &text[at + circuit.len()..]);
        let is_tag = before.rfind('<') > before.rfind('>');
        let is_edge = |next: Option<char>| next.is_none_or(|next| next.is_whitespace() || matches!(next, '<' | '>'));
        let is_title = before.rsplit('\n').next().is_some_and(|line| line.contains("Subject:"));
        !is_tag && !is_title && is_edge(before.chars().next_back()) && is_edge(after.chars().next())
    };
    let found = text[body..].match_indices(circuit).map(|(at, _)| body + at).find(is_whole);
    found.map(|at| at + circuit.len())
}

/// Returns the mail with a mark behind a circuit, and with a cell behind that of the circuit if that has no other circuit; each with its name.
fn marked(text: &str, circuit: &str, others: &BTreeSet<&str>) -> Vec<(&'static str, String)> {
    let Some(at) = behind(text, circuit) else { return Vec::new() };
    let with = |at: usize, what: &str| format!("{}{what}{}", &text[..at], &text[at..]);
    let mut marked: Vec<_> = MARKS.iter().map(|mark| (*mark, with(at, mark))).collect();
    let row = text[text[..at].rfind("<tr").unwrap_or_default()..at].replace("=\n", "");
    let is_alone = others.iter().all(|other| *other == circuit || !row.contains(other));
    if let Some(close) = text[at..].find("</td>").filter(|close| is_alone && *close < 40) {
        marked.extend(CELLS.iter().map(|what| (*what, with(at + close, &format!("</td><td>{what}")))));
    }
    marked
}

#[test]
fn a_change_of_one_circuit_is_none_of_the_maintenance() {
    let (mut ran, mut wrong) = (0, Vec::new());
    for mail in support::own_mails() {
        let Ok(text) = str::from_utf8(&mail.bytes) else { continue };
        let reading = support::parse(&mail.bytes);
        let maintenances = reading["maintenances"].as_array().unwrap();
        let is_planned =
            |maintenance: &Value| matches!(maintenance["status"].as_str(), Some("CONFIRMED" | "TENTATIVE"));
        let circuits = circuits(&reading);
        if circuits.len() < 2 || !maintenances.iter().all(is_planned) {
            continue;
        }
        for circuit in &circuits {
            for (mark, changed) in marked(text, circuit, &circuits) {
                ran += 1;
                let changed = support::parse(changed.as_bytes());
                if changed["outcome"] != "failed" {
                    wrong.push(format!("{}: `{circuit}`, `{mark}`: {changed}", mail.name));
                }
            }
        }
    }
    println!("changes of one circuit: {ran} notices, {} of them read", wrong.len());
    assert!(ran > 400 || std::env::var("PROVIDER").is_ok());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
