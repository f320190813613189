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
/// Length limit of what two ids have in common if they are named as alike, in bytes of letters and digits.
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
        let index = Index::of(all, prefixes);
        let found: BTreeMap<&str, Vec<(&NamedCircuit, Fit)>> =
            missing.iter().map(|cid| (*cid, index.fitting(cid, prefixes))).collect();
        let named = found.values().filter_map(|fits| match fits[..] {
            [(circuit, Fit::Named)] => Some(circuit.id),
            _ => None,
        });
        let taken: BTreeSet<CircuitId> = self.known.values().copied().chain(named).collect();
        // Whatever else fits them: two ids that may mean one circuit are told apart by nothing.
        let mut meant: BTreeMap<CircuitId, usize> = BTreeMap::new();
        for (circuit, _) in found.values().flatten() {
            *meant.entry(circuit.id).or_default() += 1;
        }
        let is_guessed_alone =
            |circuit: &NamedCircuit| !taken.contains(&circuit.id) && meant.get(&circuit.id) == Some(&1);
        for (cid, fits) in found {
            match fits[..] {
                [(circuit, fit)] if fit == Fit::Named || is_guessed_alone(circuit) => {
                    self.spelled.insert(cid.to_owned(), circuit.cid.clone());
                    self.known.insert(cid.to_owned(), circuit.id);
                }
                _ => {
                    let fitting: Vec<_> = fits.iter().map(|(circuit, _)| *circuit).collect();
                    let alike = if fitting.is_empty() { index.resembling(cid) } else { fitting };
                    let mut alike: Vec<_> = alike.into_iter().map(|circuit| circuit.cid.clone()).collect();
                    alike.sort_unstable();
                    self.candidates.insert(cid.to_owned(), alike);
                }
            }
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

/// The circuits of a provider by what they are known by, so that a notice with many circuits is compared with many quickly.
struct Index<'circuit> {
    all: &'circuit [NamedCircuit],
    /// Places of the circuits by the spelling of an alias or a cross-connect.
    named: BTreeMap<Spelling, BTreeSet<usize>>,
    /// Places of the circuits by the keys of their ids and aliases.
    spelled: BTreeMap<Spelling, BTreeSet<usize>>,
    /// Letters and digits of every name, with the place of its circuit.
    squeezed: Vec<(String, usize)>,
}

impl<'circuit> Index<'circuit> {
    fn of(all: &'circuit [NamedCircuit], prefixes: &Prefixes) -> Self {
        let mut index = Self { all, named: BTreeMap::new(), spelled: BTreeMap::new(), squeezed: Vec::new() };
        for (place, circuit) in all.iter().enumerate() {
            for name in std::iter::once(&circuit.cid).chain(&circuit.aliases) {
                for key in prefixes.keys(name) {
                    index.spelled.entry(key).or_default().insert(place);
                }
            }
            let aliases = circuit.aliases.iter().map(|name| Spelling::of(name)).filter(|name| !name.is_empty());
            let cross_connects = circuit.cross_connects.iter().map(|name| Spelling::of(name));
            for name in aliases.chain(cross_connects.filter(Spelling::is_of_cross_connect)) {
                index.squeezed.push((name.squeezed(), place));
                index.named.entry(name).or_default().insert(place);
            }
            index.squeezed.push((Spelling::of(&circuit.cid).squeezed(), place));
        }
        index
    }

    /// Returns the circuits that fit an id, each once.
    fn fitting(&self, cid: &str, prefixes: &Prefixes) -> Vec<(&'circuit NamedCircuit, Fit)> {
        let mut fits: BTreeMap<usize, Fit> = BTreeMap::new();
        let keys = prefixes.keys(cid);
        for place in keys.iter().filter_map(|key| self.spelled.get(key)).flatten() {
            fits.insert(*place, Fit::Spelled);
        }
        for place in keys.first().and_then(|spelling| self.named.get(spelling)).into_iter().flatten() {
            fits.insert(*place, Fit::Named);
        }
        fits.into_iter().filter_map(|(place, fit)| Some((self.all.get(place)?, fit))).collect()
    }

    /// Returns the circuits that a person should look at if nothing fits an id.
    fn resembling(&self, cid: &str) -> Vec<&'circuit NamedCircuit> {
        let squeezed = Spelling::of(cid).squeezed();
        let is_part = |part: &str, whole: &str| part.len() >= SHORTEST_COMMON && whole.contains(part);
        let resembles =
            |name: &str| !name.is_empty() && (name == squeezed || is_part(name, &squeezed) || is_part(&squeezed, name));
        let places = self.squeezed.iter().filter(|(name, _)| resembles(name)).map(|(_, place)| *place);
        places.collect::<BTreeSet<_>>().into_iter().filter_map(|place| self.all.get(place)).collect()
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
