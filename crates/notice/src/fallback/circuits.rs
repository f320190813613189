//! The circuits of a notice in labelled text, and what happens to them. A list in which anything but ids stands is not read.

use super::{circuit_id::is_id, facts::Fact, labels::Kind};
use crate::{
    found::Found,
    model::{Circuit, Impact},
    words,
};

/// Returns the ids of a list: by comma, semicolon or line. `None` where anything else stands in it.
fn ids(lines: &[Found<String>]) -> Option<Vec<Found<String>>> {
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
