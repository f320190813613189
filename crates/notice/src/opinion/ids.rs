//! Do the ids that were read stand in the mail as ids of a maintenance, and not as those of a circuit, an account or an order?

use memchr::memmem;

use super::{
    Answer,
    said::{LONGEST_LABEL, Said},
};
use crate::{failure::Failure, model::Maintenance};

/// An id that is a digest stands in no mail.
const DIGEST: usize = 64;
/// More ids than a notice has are not looked for.
const MOST: usize = 100;
/// Occurrences of an id under labels of other things after which no other label is looked for.
const MOST_OCCURRENCES: usize = 100;

pub(super) fn judge(said: &Said<'_>, maintenances: &[Maintenance]) -> Answer {
    let mut ids: Vec<&str> = maintenances.iter().map(Maintenance::id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > MOST {
        return Answer::Silent;
    }
    for id in &ids {
        if id.len() == DIGEST && id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Answer::Silent;
        }
        if let Some(failure) = other(said, id, maintenances) {
            return Answer::Objects(failure);
        }
    }
    Answer::Agrees(ids.len())
}

/// Returns the failure of an id that belongs to something else; `None` if nothing speaks against it.
fn other(said: &Said<'_>, id: &str, maintenances: &[Maintenance]) -> Option<Failure> {
    let is_circuit = |one: &Maintenance| one.account() == id || one.circuits().iter().any(|circuit| circuit.id() == id);
    if maintenances.iter().any(is_circuit) {
        return Some(Failure::ambiguous(format!("an id of a maintenance: {id} is one of its circuits or the account")));
    }
    let finder = memmem::Finder::new(id.as_bytes());
    let mut of_others = Vec::new();
    let occurrences = said.lines.iter().enumerate().flat_map(|(line, text)| {
        let whole = finder.find_iter(text.as_bytes()).filter(|at| is_whole(text, *at, id.len()));
        whole.map(move |at| (line, *text, at))
    });
    for (line, text, at) in occurrences.take(MOST_OCCURRENCES) {
        let is_of_another = || names(&said.label(line, label_start(text, at), at)) == Some(false);
        if line < said.subjects || !is_of_another() {
            return None;
        }
        of_others.push(line);
    }
    let named = of_others.pop().unwrap_or_default();
    let expected = format!("one id: {id} is read, and the mail, read in another way, names no maintenance so");
    let quote = said.lines.get(named).copied().unwrap_or_default();
    Some(Failure { place: Some(said.place(named)), ..Failure::ambiguous(expected).with_quote(quote) })
}

/// Returns `true` if no letter or digit goes on at either side of an id.
fn is_whole(text: &str, at: usize, length: usize) -> bool {
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    let after = text.get(at + length..).and_then(|after| after.chars().next());
    let is_part = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    !is_part(before) && !is_part(after)
}

/// Returns where a label begins: behind the last mark that ends a sentence or a cell.
fn label_start(text: &str, at: usize) -> usize {
    let farthest = text.ceil_char_boundary(at.saturating_sub(LONGEST_LABEL));
    let before = text.get(farthest..at).unwrap_or_default();
    before
        .trim_end_matches([' ', ':', '|', '#', '-', '(', '[', ','])
        .rfind(['|', ',', ';', '\t'])
        .map_or(farthest, |mark| farthest + mark + 1)
}

/// Words of labels of a maintenance's id, as beginnings; stems of other languages too.
const MAINTENANCES: &[&str] = &[
    "maint",
    "ticket",
    "change",
    "reference",
    "ref",
    "work",
    "event",
    "notification",
    "notice",
    "case",
    "cr",
    "crq",
    "chg",
    "planned",
    "pw",
    "pew",
    "window",
    "outage",
    "activity",
    "wmt",
    "mw",
    "wartung",
    "onderhoud",
    "werkzaamh",
    "manten",
    "manuten",
    "trabajo",
    "trabalho",
    "bakim",
    "bakım",
    "çalışma",
    "lavor",
    "travaux",
    "interven",
    "incident",
    "pcr",
    "tt",
    "rfc",
    "job",
    "project",
    "alert",
];
/// Words of labels of other things' ids.
const OTHERS: &[&str] = &[
    "circuit", "service", "customer", "account", "order", "phone", "tel", "fax", "port", "site", "cable", "cid",
    "address", "vlan", "asn", "company", "contract", "invoice", "evc", "link", "product",
];
/// Words that make a label that of another maintenance.
const EARLIER: &[&str] = &["previous", "related", "parent", "original", "old"];

/// Returns `true` if a label, lower case, is one of a maintenance, `false` if it is one of something else, `None` if it is neither.
fn names(label: &str) -> Option<bool> {
    let mut named = None;
    for word in label.split(|mark: char| !mark.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let is_one = |words: &[&str]| {
            words.iter().any(|known| if known.len() > 3 { word.starts_with(known) } else { word == *known })
        };
        if is_one(EARLIER) {
            return Some(false);
        }
        if is_one(MAINTENANCES) {
            named = Some(true);
        } else if is_one(OTHERS) {
            named = named.or(Some(false));
        }
    }
    named
}
