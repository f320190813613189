//! The circuits of a notice, as far as NetBox knows them.

use std::collections::BTreeMap;

use super::ids::CircuitId;
use notice::model::Impact;
use schedule::Content;

/// The provider's circuits in NetBox, by CID.
pub type Circuits = BTreeMap<String, CircuitId>;

/// Returns the impacts on those circuits of a notice that NetBox knows.
pub(super) fn known_impacts(content: &Content, circuits: &Circuits) -> BTreeMap<CircuitId, Impact> {
    content.circuits.iter().filter_map(|(cid, impact)| Some((*circuits.get(cid)?, *impact))).collect()
}

/// Returns the circuits of a notice that NetBox does not know.
pub(super) fn unknown<'content>(content: &'content Content, circuits: &Circuits) -> Vec<(&'content str, Impact)> {
    let unknown = content.circuits.iter().filter(|(cid, _)| !circuits.contains_key(*cid));
    unknown.map(|(cid, impact)| (cid.as_str(), *impact)).collect()
}
