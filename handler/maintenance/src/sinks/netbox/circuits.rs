//! Matches the circuits of a notice with those of its provider in NetBox.
//!
//! A wrong circuit is worse than none. The exact id wins; an id that NetBox does not have is looked for among all circuits of the provider,
//! by its [`spelling`](super::spelling), by aliases and by the ids of cross-connects, and counts only where exactly one circuit fits.
//! No two ids of a notice are taken for one circuit, unless NetBox itself has them as an alias or a cross-connect of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    fields,
    ids::CircuitId,
    spelling::{Prefixes, Spelling, spelled},
};
use notice::model::Impact;
use schedule::Content;

/// Maximum number of circuits that are named beside an id that none of them fits alone.
const MOST_CANDIDATES: usize = 5;
/// Length limit of what two ids have in common if they are named as alike, in letters and digits.
const SHORTEST_COMMON: usize = 4;

/// A circuit of the provider, with everything that people may call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCircuit {
    /// Id of the object in NetBox.
    pub id: CircuitId,
    /// Id that the provider gave the circuit.
    pub cid: String,
    /// Other names of it, from the custom field for them.
    pub aliases: Vec<String>,
    /// Ids of the cross-connects at its ends.
    pub cross_connects: Vec<String>,
}

/// The circuits of a notice, as NetBox has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Circuits {
    /// The circuit of each id of the notice that NetBox knows.
    known: BTreeMap<String, CircuitId>,
    /// Circuits that an id of the notice was taken for, though NetBox spells them in another way, by the id of the notice.
    spelled: BTreeMap<String, String>,
    /// Circuits that an unknown id may mean, by that id, as NetBox spells them.
    candidates: BTreeMap<String, Vec<String>>,
    /// Reason for which unknown ids were not looked for among all circuits; `None` if they were.
    not_searched: Option<String>,
}

impl FromIterator<(String, CircuitId)> for Circuits {
    fn from_iter<Known: IntoIterator<Item = (String, CircuitId)>>(known: Known) -> Self {
        Self { known: known.into_iter().collect(), ..Self::default() }
    }
}

impl IntoIterator for Circuits {
    type Item = (String, CircuitId);
    type IntoIter = std::collections::btree_map::IntoIter<String, CircuitId>;

    fn into_iter(self) -> Self::IntoIter {
        self.known.into_iter()
    }
}

/// How a circuit fits an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// NetBox names the circuit so, as an alias or a cross-connect.
    Named,
    /// The id is spelled in another way.
    Spelled,
}

impl Circuits {
    /// Returns the circuit of an id; `None` if NetBox does not know it.
    pub fn get(&self, cid: &str) -> Option<CircuitId> {
        self.known.get(cid).copied()
    }

    /// Returns those of these ids that NetBox does not have exactly so.
    pub(super) fn missing<'cid>(&self, cids: &BTreeSet<&'cid str>) -> BTreeSet<&'cid str> {
        cids.iter().filter(|cid| !self.known.contains_key(**cid)).copied().collect()
    }

    /// Adds the matches of unknown ids among all circuits of the provider.
    #[must_use]
    pub(super) fn with_tolerance(
        mut self,
        missing: &BTreeSet<&str>,
        all: &[NamedCircuit],
        prefixes: &Prefixes,
    ) -> Self {
        let read: Vec<_> = all.iter().map(Read::of).collect();
        let mut found: BTreeMap<&str, Vec<(&Read<'_>, Fit)>> = BTreeMap::new();
        for cid in missing {
            let spelling = Spelling::of(cid);
            let fits = read.iter().filter_map(|circuit| Some((circuit, circuit.fit(&spelling, prefixes)?)));
            found.insert(cid, fits.collect());
        }
        let named = found
            .values()
            .filter_map(|fits| if let [(circuit, Fit::Named)] = fits[..] { Some(circuit.of.id) } else { None });
        let taken: BTreeSet<CircuitId> = self.known.values().copied().chain(named).collect();
        // Whatever else fits them: two ids that may mean one circuit are told apart by nothing.
        let guesses = |id: CircuitId| {
            let means = |fits: &&Vec<(&Read<'_>, Fit)>| fits.iter().any(|(circuit, _)| circuit.of.id == id);
            found.values().filter(means).count()
        };
        let mut matched = BTreeMap::new();
        for (cid, fits) in &found {
            match fits[..] {
                [(circuit, Fit::Named)] => {
                    matched.insert((*cid).to_owned(), circuit.of);
                }
                [(circuit, Fit::Spelled)] if !taken.contains(&circuit.of.id) && guesses(circuit.of.id) == 1 => {
                    matched.insert((*cid).to_owned(), circuit.of);
                }
                _ => {
                    let mut alike: Vec<&str> = fits.iter().map(|(circuit, _)| circuit.of.cid.as_str()).collect();
                    if alike.is_empty() {
                        let squeezed = Spelling::of(cid).squeezed();
                        alike = read
                            .iter()
                            .filter(|circuit| circuit.resembles(&squeezed))
                            .map(|circuit| circuit.of.cid.as_str())
                            .collect();
                    }
                    alike.sort_unstable();
                    self.candidates.insert((*cid).to_owned(), alike.into_iter().map(str::to_owned).collect());
                }
            }
        }
        for (cid, circuit) in matched {
            self.spelled.insert(cid.clone(), circuit.cid.clone());
            self.known.insert(cid, circuit.id);
        }
        self
    }

    /// Records why unknown ids were not looked for among all circuits.
    #[must_use]
    pub(super) fn not_searched(self, reason: String) -> Self {
        Self { not_searched: Some(reason), ..self }
    }

    /// Returns the remark on ids that were taken for circuits that NetBox spells in another way; `None` if none were.
    pub(super) fn taken_for(&self) -> Option<String> {
        let pairs =
            self.spelled.iter().map(|(cid, theirs)| format!("`{}` is NetBox's `{}`", spelled(cid), spelled(theirs)));
        let pairs: Vec<_> = pairs.collect();
        (!pairs.is_empty()).then(|| pairs.join(", "))
    }

    /// Returns the remark on ids that NetBox does not have, with what they may mean and what to do.
    pub(super) fn unknown_of(&self, provider: &str, cids: &BTreeSet<&str>) -> Option<String> {
        let name = |cid: &str| format!("`{}`", fields::cut(&spelled(cid), fields::LONGEST_NAME));
        let names = cids.iter().map(|cid| {
            let alike = self.candidates.get(*cid).map(Vec::as_slice).unwrap_or_default();
            let shown: Vec<_> = alike.iter().take(MOST_CANDIDATES).map(|theirs| name(theirs)).collect();
            let more = alike.len().saturating_sub(MOST_CANDIDATES);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let alike = (!shown.is_empty()).then(|| format!(" (alike there: {}{more})", shown.join(", ")));
            name(cid) + &alike.unwrap_or_default()
        });
        let names: Vec<_> = names.collect();
        let why = self.not_searched.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
        (!names.is_empty()).then(|| {
            format!(
                "NetBox has no circuits of {provider} with these CIDs: {}{why}; once they are there, `provision replay` \
                 delivers the mail again",
                names.join(", ")
            )
        })
    }
}

/// A circuit whose names are read for comparison.
struct Read<'circuit> {
    of: &'circuit NamedCircuit,
    cid: Spelling,
    aliases: Vec<Spelling>,
    cross_connects: Vec<Spelling>,
}

impl<'circuit> Read<'circuit> {
    fn of(of: &'circuit NamedCircuit) -> Self {
        let read = |names: &[String]| names.iter().map(|name| Spelling::of(name)).collect::<Vec<_>>();
        let mut cross_connects = read(&of.cross_connects);
        cross_connects.retain(Spelling::is_of_cross_connect);
        Self { of, cid: Spelling::of(&of.cid), aliases: read(&of.aliases), cross_connects }
    }

    fn fit(&self, id: &Spelling, prefixes: &Prefixes) -> Option<Fit> {
        if id.is_empty() {
            return None;
        }
        if self.aliases.contains(id) || self.cross_connects.contains(id) {
            return Some(Fit::Named);
        }
        let names = std::iter::once(&self.cid).chain(&self.aliases);
        names.into_iter().any(|name| prefixes.are_alike(name, id)).then_some(Fit::Spelled)
    }

    /// Returns whether a person should look at the circuit if nothing fits an id, of which this is left without signs.
    fn resembles(&self, squeezed: &str) -> bool {
        let is_part = |part: &str, whole: &str| part.chars().count() >= SHORTEST_COMMON && whole.contains(part);
        let names = std::iter::once(&self.cid).chain(&self.aliases).chain(&self.cross_connects).map(Spelling::squeezed);
        names
            .into_iter()
            .any(|name| !name.is_empty() && (name == squeezed || is_part(&name, squeezed) || is_part(squeezed, &name)))
    }
}

/// Returns the impacts on those circuits of a notice that NetBox knows. Of two ids of one circuit the worse impact counts.
pub(super) fn known_impacts(content: &Content, circuits: &Circuits) -> BTreeMap<CircuitId, Impact> {
    let mut impacts = BTreeMap::new();
    for (cid, impact) in &content.circuits {
        if let Some(circuit) = circuits.get(cid) {
            let worst = impacts.entry(circuit).or_insert(*impact);
            *worst = (*worst).max(*impact);
        }
    }
    impacts
}

/// Returns the circuits of a notice that NetBox does not know.
pub(super) fn unknown<'content>(content: &'content Content, circuits: &Circuits) -> Vec<(&'content str, Impact)> {
    let unknown = content.circuits.iter().filter(|(cid, _)| circuits.get(cid).is_none());
    unknown.map(|(cid, impact)| (cid.as_str(), *impact)).collect()
}

#[cfg(test)]
mod tests;
