//! Tells how a delivery ended: the events that the mail belongs to, and what people have to know of it.

use std::collections::BTreeSet;

use super::{
    case::{Member, PlanInput},
    circuits,
    comparison::Comparison,
    ids::EventId,
    stored::{HANDS_OFF, StoredEvent},
};
use schedule::{EventStatus, Order};

/// Result of a delivery whose maintenance is in NetBox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Events that the notice is about: its notification belongs to them.
    pub events: Vec<StoredEvent>,
    /// All events of the maintenance if the notice is not the newest, else empty: its notification may be with any of them, for a newer
    /// notice may have moved it.
    pub elsewhere: Vec<EventId>,
    /// All events of the maintenance that have our note.
    pub managed: Vec<StoredEvent>,
    /// Events that were created for the notice. A plan leaves it empty; [`super::converge`] fills it.
    pub made: BTreeSet<EventId>,
    /// Conflicts between what the notice changed and what people had set. A plan leaves it empty, too.
    pub conflicts: Vec<String>,
    /// Remarks that a person has to look at.
    pub concerns: Vec<String>,
    /// Remarks on what the notice did not change, for whoever reads the log.
    pub remarks: Vec<String>,
}

/// Returns the result of a maintenance that is settled. A notice that names no event is about the first one.
pub(super) fn settled(input: &PlanInput<'_>, comparison: &Comparison<'_>) -> Settled {
    let members = &comparison.members;
    let mut about = comparison.concerned();
    about.retain(|member| !member.is_deleted);
    let members: Vec<_> = members.iter().filter(|member| !member.is_deleted).copied().collect();
    if about.is_empty() {
        about.extend(members.first());
    }
    // Others wait for the mail wherever it is claimed, even if a newer notice has changed the event since.
    let is_claimed =
        |member: &Member<'_>| member.event.note.as_ref().is_some_and(|note| input.claimant.holds(&note.claims));
    let is_new = |member: &Member<'_>| !about.iter().any(|other| other.event.id == member.event.id);
    let claimed: Vec<_> = members.iter().filter(|member| is_claimed(member) && is_new(member)).copied().collect();
    about.extend(claimed);
    let is_old = !comparison.pairing.order.changes();
    Settled {
        elsewhere: members.iter().filter(|_| is_old).map(|member| member.event.id).collect(),
        events: about.iter().map(|member| member.event.clone()).collect(),
        managed: members
            .iter()
            .filter(|member| member.event.note.is_some())
            .map(|member| member.event.clone())
            .collect(),
        made: BTreeSet::new(),
        conflicts: Vec::new(),
        concerns: concerns(input, comparison),
        remarks: remarks(input, comparison),
    }
}

/// Returns what the notice did not change.
fn remarks(input: &PlanInput<'_>, comparison: &Comparison<'_>) -> Vec<String> {
    let id = &input.announcement.id;
    let is_older = comparison.pairing.order == Order::Older;
    let older = is_older.then(|| format!("`{id}` is older than what NetBox has of it: nothing changed"));
    let taken_for = if is_older { None } else { input.circuits.taken_for() };
    let deleted = comparison.concerned().into_iter().filter(|member| member.is_deleted);
    let deleted = deleted.map(|member| {
        format!(
            "event {} of `{id}` was deleted in NetBox by hand, and is not made again by this notice",
            member.event.id
        )
    });
    older.into_iter().chain(taken_for).chain(deleted).collect()
}

/// Returns what a person has to look at.
fn concerns(input: &PlanInput<'_>, comparison: &Comparison<'_>) -> Vec<String> {
    let (id, provider) = (&input.announcement.id, &input.provider.name);
    let mut concerns = Vec::new();
    if comparison.members.is_empty() {
        concerns.push(format!(
            "the notice says that `{id}` of {provider} is cancelled or completed, states no window, and NetBox has no such event"
        ));
    }
    match comparison.pairing.order {
        Order::Tie => concerns.push(format!(
            "another notice of `{id}` says something else, and nothing tells which came first (revision and date are the same, or contradict each other); nothing of this one was written to NetBox"
        )),
        Order::Newer | Order::Same => {
            concerns.extend(unknown_circuits(input));
            let left_out = comparison.pairing.left_out.iter().filter_map(|stored| comparison.member(*stored));
            concerns.extend(left_out.filter(Member::is_changeable).map(|member| left_out_concern(member)));
            concerns.extend(comparison.kept(input).into_iter().map(|member| {
                let (id, name) = (member.event.id, &member.event.name);
                format!("event {id} `{name}` has the mark `{HANDS_OFF}`: nothing of this notice was written there")
            }));
        }
        Order::Older => {}
    }
    concerns
}

/// Returns the remark on an event whose window the notice left out.
fn left_out_concern(member: Member<'_>) -> String {
    let state = match member.event.status {
        EventStatus::Cancelled => "it is cancelled",
        _ => "it was cancelled, and somebody has changed its status since",
    };
    format!("the notice no longer has the window of `{}`: {state}", member.event.name)
}

/// Returns the remark on circuits that NetBox does not have; `None` if it has all of them.
fn unknown_circuits(input: &PlanInput<'_>) -> Option<String> {
    let contents = input.announcement.contents();
    let unknown = contents.flat_map(|content| circuits::unknown(content, input.circuits)).map(|(circuit, _)| circuit);
    input.circuits.unknown_of(&input.provider.name, &unknown.collect())
}
