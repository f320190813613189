//! Keeps people's edits: merges what the notices said last, what stands in NetBox and what this notice says.
//!
//! A field that a notice does not change stays as it stands, whoever has set it. One that it changes gets its value; if a person has set
//! another one meanwhile, that is a conflict, which the event's comments tell.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    case::{View, lifecycle},
    fields,
    ids::CircuitId,
    note::{Evidence, LastValues, Note, Pending},
    stored::{StoredEvent, StoredImpact},
};
use notice::model::{Impact, Window};
use schedule::EventStatus;

/// Beginning of a remark on a conflict. No mail can write it, since the asterisks of mails are escaped.
const CONFLICT: &str = "**Conflict**: ";
/// Maximum number of conflicts that the comments tell: the latest ones.
const MOST_CONFLICTS: usize = 10;

/// The result of merging one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Merged<Value> {
    /// Value that the field gets.
    pub(super) value: Value,
    /// Value that the notices have stated last.
    pub(super) said: Value,
    /// `true` if a person had set a value that the notice changes to another one.
    pub(super) is_conflict: bool,
}

/// Merges a field. `before`: what the notices said last, `None` if no notice has named the event; `says`: what this one says, `None` if
/// nothing.
pub(super) fn merge<Value: PartialEq + Clone>(
    before: Option<&Value>,
    stands: &Value,
    says: Option<Value>,
) -> Merged<Value> {
    let Some(says) = says else {
        let said = before.unwrap_or(stands).clone();
        return Merged { value: stands.clone(), said, is_conflict: false };
    };
    let is_changed = before != Some(&says);
    let is_by_a_person = before != Some(stands) && *stands != says;
    let value = if is_changed || !is_by_a_person { says.clone() } else { stands.clone() };
    Merged { value, said: says, is_conflict: is_changed && is_by_a_person }
}

/// The content of a notice about one event.
pub(super) struct Says {
    /// Status; `None` if it states none.
    pub(super) status: Option<EventStatus>,
    /// Window; `None` if it states none.
    pub(super) window: Option<Window>,
    /// Summary; `None` if it states none.
    pub(super) summary: Option<String>,
}

/// The fields of an event after a notice, without its impacts.
pub(super) struct MergedFields {
    pub(super) status: Merged<EventStatus>,
    pub(super) start: Merged<Timestamp>,
    pub(super) end: Merged<Timestamp>,
    pub(super) zone: Merged<Option<String>>,
    /// Digest of the summary.
    summary: Merged<String>,
    /// Summary that is to be written; `None` if it stays.
    pub(super) new_summary: Option<String>,
}

/// Merges the fields of an event.
pub(super) fn merge_fields(event: &StoredEvent, says: Says) -> MergedFields {
    let before = event.note.as_ref().map(|note| &note.said);
    let status = merge(before.map(|said| &said.status), &lifecycle(event).status, says.status);
    let mut start = merge(before.map(|said| &said.start), &event.start, says.window.map(|window| window.start()));
    let mut end = merge(before.map(|said| &said.end), &event.end, says.window.map(|window| window.end()));
    if end.value <= start.value {
        // The notice moves one end beyond the other, which a person has set: there is no window that has both.
        for (bound, stands) in [(&mut start, event.start), (&mut end, event.end)] {
            bound.is_conflict |= stands != bound.said && bound.value == stands;
            bound.value = bound.said;
        }
    }
    let stands = fields::summary_digest(&event.summary);
    let summary = merge(before.map(|said| &said.summary), &stands, says.summary.as_deref().map(fields::summary_digest));
    // A plugin without that field, or a person who has cleared it, wants none.
    let zone = says.window.as_ref().and_then(zone_of).filter(|_| event.zone.is_some());
    let zone = merge(before.map(|said| &said.zone), &event.zone, zone.map(Some));
    let new_summary = says.summary.filter(|_| summary.value != stands);
    MergedFields { status, start, end, zone, summary, new_summary }
}

impl MergedFields {
    /// Describes the conflicts with what stands in an event.
    pub(super) fn conflicts(&self, event: &StoredEvent) -> Vec<String> {
        let mut conflicts = Vec::new();
        if self.status.is_conflict {
            conflicts.push(conflict("Status", lifecycle(event).status.word(), self.status.value.word()));
        }
        for (field, bound, stands) in [("Start", &self.start, event.start), ("End", &self.end, event.end)] {
            if bound.is_conflict {
                conflicts.push(conflict(field, &stands.to_string(), &bound.value.to_string()));
            }
        }
        if let Some(new) = self.new_summary.as_deref().filter(|_| self.summary.is_conflict) {
            conflicts.push(conflict("Summary", &event.summary, new));
        }
        if let (true, Some(stood), Some(says)) = (self.zone.is_conflict, &event.zone, &self.zone.value) {
            conflicts.push(conflict("Time zone", stood, says));
        }
        conflicts
    }

    /// Returns what the notices have said of each field, this one included.
    pub(super) fn last_values(self) -> LastValues {
        let Self { status, start, end, zone, summary, .. } = self;
        LastValues { status: status.said, start: start.said, end: end.said, summary: summary.said, zone: zone.said }
    }
}

/// Returns the name of the time zone in which a notice states a window; `None` if the zone has no name.
pub(super) fn zone_of(window: &Window) -> Option<String> {
    window.stated().0.zone_name()
}

/// Describes a conflict between a person's value and that of a notice, in Markdown.
pub(super) fn conflict(field: &str, stood: &str, says: &str) -> String {
    let (stood, says) = (fields::markdown(&fields::line(stood)), fields::markdown(&fields::line(says)));
    format!("{field} was set to {stood} by hand, and a notice has changed it to {says}.")
}

/// Adds the conflicts to the remarks of an event, below those that its comments tell already.
pub(super) fn with_conflicts(mut remarks: Vec<String>, before: &[String], new: &[String]) -> Vec<String> {
    remarks.retain(|remark| !remark.starts_with(CONFLICT));
    let before = before.iter().filter(|remark| remark.starts_with(CONFLICT)).cloned();
    let all: Vec<_> = before.chain(new.iter().map(|conflict| format!("{CONFLICT}{conflict}"))).collect();
    remarks.extend_from_slice(all.get(all.len().saturating_sub(MOST_CONFLICTS)..).unwrap_or_default());
    remarks
}

/// The impacts of an event after a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MergedImpacts {
    /// Impacts that have yet to be written.
    pub(super) pending: Pending,
    /// Circuits on which a person had set an impact that the notice changes, with that impact.
    pub(super) conflicts: Vec<(CircuitId, Option<Impact>)>,
}

/// Merges the impacts of an event. `until`: see [`Pending::until`].
pub(super) fn merge_impacts(
    event: &StoredEvent,
    says: &BTreeMap<CircuitId, Impact>,
    view: &View,
    until: Timestamp,
) -> MergedImpacts {
    let none = BTreeMap::new();
    let old = event.note.as_ref();
    let before = old.map_or(&none, |note| &note.impacts);
    let open = old.filter(|note| is_open(event, note, view)).map(|note| &note.pending);
    let circuits: BTreeSet<_> = before.keys().chain(says.keys()).copied().collect();
    let changed: BTreeSet<_> =
        circuits.into_iter().filter(|circuit| before.get(circuit) != says.get(circuit)).collect();
    let is_by_a_person = |circuit: &CircuitId| {
        let is_open = open.is_some_and(|open| open.circuits.contains(circuit));
        !is_open && differs(event, *circuit, before, view) && differs(event, *circuit, says, view)
    };
    let conflicts = changed.iter().filter(|circuit| is_by_a_person(circuit));
    let conflicts = conflicts.map(|circuit| (*circuit, stored(event, *circuit, view).and_then(|found| found.impact)));
    let conflicts = conflicts.collect();
    let pending = match open {
        Some(open) if changed.is_empty() => open.clone(),
        Some(open) => Pending {
            circuits: open.circuits.union(&changed).copied().collect(),
            until: until.max(open.until),
            evidence: Evidence::Missing,
        },
        None if changed.is_empty() => Pending::default(),
        None => Pending { circuits: changed, until, evidence: Evidence::Missing },
    };
    MergedImpacts { pending, conflicts }
}

/// Returns the circuits whose impacts have to be written.
pub(super) fn due(event: &StoredEvent, note: &Note, view: &View) -> BTreeSet<CircuitId> {
    if !is_open(event, note, view) {
        return BTreeSet::new();
    }
    let circuits = note.pending.circuits.iter().copied();
    circuits.filter(|circuit| differs(event, *circuit, &note.impacts, view)).collect()
}

/// Returns whether only the mails of the event can tell if a person has changed its impacts.
pub(super) fn needs_mails(event: &StoredEvent, note: &Note, view: &View) -> bool {
    matches!(note.pending.evidence, Evidence::Mail(_))
        && note.pending.until <= view.now
        && !due(event, note, view).is_empty()
}

/// Returns whether the impacts may still have to be written.
fn is_open(event: &StoredEvent, note: &Note, view: &View) -> bool {
    let Pending { until, evidence, .. } = &note.pending;
    *until > view.now
        || match evidence {
            Evidence::Missing => true,
            Evidence::Mail(mail) => !view.mails.get(&event.id).is_some_and(|mails| mails.contains(mail)),
            Evidence::Seen => false,
        }
}

/// Returns whether the stored impact on a circuit is another one than these have.
fn differs(event: &StoredEvent, circuit: CircuitId, impacts: &BTreeMap<CircuitId, Impact>, view: &View) -> bool {
    match (stored(event, circuit, view), impacts.get(&circuit)) {
        (None, None) => false,
        (Some(found), Some(impact)) => found.impact != Some(*impact),
        _ => true,
    }
}

/// Returns the stored impact of an event on a circuit: the first one, if there are several.
pub(super) fn stored<'view>(event: &StoredEvent, circuit: CircuitId, view: &'view View) -> Option<&'view StoredImpact> {
    all_on(event, circuit, view).first().copied()
}

/// Returns the stored impacts of an event on a circuit, the first one first.
pub(super) fn all_on<'view>(event: &StoredEvent, circuit: CircuitId, view: &'view View) -> Vec<&'view StoredImpact> {
    let of_both = view.impacts.iter().filter(|impact| (impact.event, impact.circuit) == (event.id, circuit));
    let mut all: Vec<_> = of_both.collect();
    all.sort_by_key(|impact| impact.id);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_changes_only_if_the_notice_changes_it() {
        // Before, stands, says; what it gets, and whether that is a conflict.
        let table = [
            (Some('a'), 'a', Some('a'), 'a', false),
            (Some('a'), 'a', Some('b'), 'b', false),
            (Some('a'), 'p', Some('a'), 'p', false),
            (Some('a'), 'b', Some('b'), 'b', false),
            (Some('a'), 'p', Some('b'), 'b', true),
            (Some('a'), 'p', None, 'p', false),
            (None, 'p', Some('p'), 'p', false),
            (None, 'p', Some('b'), 'b', true),
            (None, 'p', None, 'p', false),
        ];
        for (before, stands, says, value, is_conflict) in table {
            let said = says.or(before).unwrap_or(stands);
            let expected = Merged { value, said, is_conflict };
            assert_eq!(merge(before.as_ref(), &stands, says), expected, "{before:?} {stands} {says:?}");
        }
    }

    #[test]
    fn conflicts_stay_told_and_no_mail_can_tell_one() {
        let said = conflict("Status", "CONFIRMED", "CANCELLED");
        let first = with_conflicts(vec!["a".to_owned()], &[], std::slice::from_ref(&said));
        let told = format!("{CONFLICT}{said}");
        assert_eq!(first, ["a".to_owned(), told.clone()]);
        assert_eq!(with_conflicts(vec!["b".to_owned()], &first, &[]), ["b".to_owned(), told.clone()]);
        assert_eq!(with_conflicts(first.clone(), &first, &[]), first, "once");
        let many = vec![told.clone(); 30];
        assert_eq!(with_conflicts(Vec::new(), &many, &[]).len(), MOST_CONFLICTS);
        assert!(!fields::markdown(&told).starts_with(CONFLICT));
    }
}
