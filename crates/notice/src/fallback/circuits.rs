//! The circuits of a notice in labelled text, and what happens to them. What does not look like an id is none, and a list in
//! which anything else stands is not read.

use super::{facts::Fact, labels::Kind};
use crate::{
    found::Found,
    model::{Circuit, Impact},
    pattern::Pattern,
    words,
};

static ID: Pattern = Pattern::new(r"^[A-Za-z0-9/][A-Za-z0-9 ./:_#()-]*$");
static TIME: Pattern = Pattern::new(r"\d:\d\d");
static DATE: Pattern =
    Pattern::new(r"(?i)\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[ -](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)");

/// The most words of an id.
const MOST_WORDS: usize = 5;
/// A number with fewer digits is a count.
const LEAST_DIGITS: usize = 4;

/// Returns `true` if a text is the id of a circuit, and neither a sentence, a count, nor a time.
pub(super) fn is_id(text: &str) -> bool {
    let is_word = |word: &str| word.chars().all(char::is_alphabetic) && word.chars().any(char::is_lowercase);
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 80
        && ID.is_match(text)
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && !(is_number && text.len() < LEAST_DIGITS)
        && text.split(' ').count() <= MOST_WORDS
        && !text.split([' ', '(', ')']).filter(|word| !word.is_empty()).any(is_word)
        && !TIME.is_match(text)
        && !DATE.is_match(text)
}

/// Returns the ids of a list: by comma, semicolon or line. `None` where anything else stands in it.
pub(super) fn ids(lines: &[Found<String>]) -> Option<Vec<Found<String>>> {
    let mut ids = Vec::new();
    for line in lines {
        for id in line
            .value
            .split([',', ';'])
            .map(|id| id.trim_matches([' ', '*', '•', '-', '.']))
            .filter(|id| !id.is_empty())
        {
            if !is_id(id) {
                return None;
            }
            ids.push(Found { value: id.to_owned(), ..line.clone() });
        }
    }
    (!ids.is_empty()).then_some(ids)
}

/// Returns the circuits of the facts; `None` where there are none, or where labels of several names state different ones.
pub(super) fn circuits(facts: &[Fact]) -> Option<Vec<Found<Circuit>>> {
    let common = common_impact(facts)?;
    let mut lists: Vec<(&str, Vec<Found<Circuit>>)> = Vec::new();
    for fact in facts.iter().filter(|fact| fact.label.kind == Kind::Circuits) {
        let Some(ids) = ids(&fact.lines) else {
            if fact.label.is_weak {
                continue;
            }
            return None;
        };
        let impact = match (fact.impact, &common) {
            (Some(own), _) => own,
            (None, Some(common)) => *common,
            (None, None) => Impact::Outage,
        };
        let circuits =
            ids.into_iter().filter_map(|id| Circuit::new(&id.value, impact).map(|circuit| id.map(|_| circuit)));
        let words = fact.label.words.as_str();
        match lists.iter_mut().find(|(known, _)| *known == words) {
            Some((_, list)) => list.extend(circuits),
            None => lists.push((words, circuits.collect())),
        }
    }
    let same = |one: &[Found<Circuit>], other: &[Found<Circuit>]| {
        one.iter().map(|circuit| circuit.value.id()).eq(other.iter().map(|circuit| circuit.value.id()))
    };
    let (_, first) = lists.first()?;
    lists.iter().all(|(_, list)| same(list, first)).then(|| first.clone())
}

/// Returns the impact that is stated for all circuits; `Some(None)` if none is, and `None` if it is not understood.
#[expect(clippy::option_option, reason = "nothing stated and nothing understood are two things")]
fn common_impact(facts: &[Fact]) -> Option<Option<Impact>> {
    let mut impact: Option<Impact> = None;
    for fact in facts {
        let stated = match fact.label.kind {
            Kind::Impact => words::impact_or_hit(&fact.value).ok()?.value,
            Kind::Affecting => match fact.value.value.to_lowercase().as_str() {
                "yes" => Impact::Outage,
                "no" => Impact::NoImpact,
                _ => return None,
            },
            _ => continue,
        };
        if impact.is_some_and(|known| known != stated) {
            return None;
        }
        impact = Some(stated);
    }
    Some(impact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_no_sentence_count_or_time() {
        for id in ["EX/1", "EXN-10G-0017", "OGYX/123456/ /ZYO", "4400127", "IP/EX 17 (A)", "EXN.LIS:17"] {
            assert!(is_id(id), "{id}");
        }
        for text in [
            "3",
            "all 17 circuits",
            "Lisbon - Porto 10G",
            "see below",
            "",
            "22:00 UTC",
            "2031-03-12",
            "12 Mar 2031",
            "none",
            "EXN",
            "a@b.example 17",
        ] {
            assert!(!is_id(text), "{text}");
        }
    }
}
