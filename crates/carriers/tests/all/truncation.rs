//! Mails that were cut short, at any length: no panic, and nothing that the whole mail does not say. A mail server that
//! was stopped, a full disk or a size limit cut mails where they like.
//!
//! A few lengths of each mail are tried; `CUTS=400 cargo test --release -p carriers --test all
//! truncation` tries that many, and the last 200.

use serde_json::Value;

use crate::support;

/// Lengths that are tried of each mail, spread evenly, where nobody says how many.
const FEW: usize = 12;

/// Returns how many lengths of each mail to try.
fn cuts() -> usize {
    std::env::var("CUTS").ok().and_then(|count| count.parse().ok()).unwrap_or(FEW)
}

/// Returns the lengths at which a mail of this length is cut: spread evenly, other ones for each mail, and the end more
/// densely.
fn lengths(mail: &[u8]) -> Vec<usize> {
    let count = cuts();
    let step = (mail.len() / count).max(1);
    let first = mail.len() % step;
    let near_end = (1..=200).step_by((400 / count).max(1)).filter_map(|before| mail.len().checked_sub(before));
    let mut lengths: Vec<_> = (first..mail.len()).step_by(step).chain(near_end).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// Returns the parts of a maintenance that must be right: id, window, status and circuits.
fn essence(maintenance: &Value) -> Vec<&Value> {
    ["maintenance_id", "status", "start", "end", "circuits"].iter().map(|key| &maintenance[key]).collect()
}

fn essences(reading: &Value) -> Vec<Vec<&Value>> {
    reading["maintenances"].as_array().unwrap().iter().map(essence).collect()
}

/// Returns the faults in the readings of one mail that was cut at each of its [`lengths`].
fn differences(what: &str, mail: &[u8]) -> Vec<String> {
    let whole = support::parse(mail);
    let mut wrong = Vec::new();
    for length in lengths(mail) {
        let cut = support::parse(&mail[..length]);
        if cut["outcome"] == "maintenance" && essences(&cut) != essences(&whole) {
            let end = String::from_utf8_lossy(&mail[length.saturating_sub(50)..length]).into_owned();
            wrong.push(format!("{what} cut at {length} of {}, behind {end:?}: {}", mail.len(), cut["maintenances"]));
        }
    }
    wrong
}

#[test]
fn own_mails_cut_anywhere_say_nothing_else() {
    check(&support::own_mails());
}

#[test]
fn mails_of_the_corpus_cut_anywhere_say_nothing_else() {
    check(&support::corpus_mails());
}

fn check(mails: &[support::Named]) {
    let wrong: Vec<_> = mails.iter().flat_map(|mail| differences(&mail.name, &mail.bytes)).collect();
    println!("{} mails cut, {} wrong readings", mails.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
