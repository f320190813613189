//! Builds the calls that make, change and cancel one event.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    case::{Member, PlanInput, View, lifecycle},
    circuits,
    claim::{self, Claims},
    edits::{Says, conflict, due, merge_fields, merge_impacts, with_conflicts, zone_of},
    fields::{self, summary_digest},
    ids::CircuitId,
    note::{self, Evidence, LastValues, Note, Pending},
    records::{Action, EventChange, NewEvent},
    spelling::spelled,
    stored::StoredEvent,
};
use notice::model::{Impact, Window};
use schedule::{Content, EventStatus, Lifecycle, ScheduledWindow};

/// Status of an event until its impacts are written, if its own status will not allow that.
const INTERIM: EventStatus = EventStatus::Unknown;

/// Returns a new event for a window that NetBox does not have. `after`: the event that a person has deleted.
pub(super) fn make(
    input: &PlanInput<'_>,
    number: usize,
    scheduled: &ScheduledWindow,
    after: Option<&StoredEvent>,
    now: Timestamp,
) -> NewEvent {
    let ScheduledWindow { window, content } = scheduled;
    let (name, summary) = (fields::name(&input.announcement.id, number), summary(input, content));
    let note = first_note(input, number, scheduled, &summary, now);
    let mut remarks = remarks(input, &name, content);
    remarks.extend(
        after.map(|event| format!("Event {} was deleted by hand; a later notice says something else.", event.id)),
    );
    NewEvent {
        provider: input.provider.id,
        comments: note.write("", &remarks),
        summary,
        status: if note.then.is_some() { INTERIM } else { note.said.status },
        start: window.start(),
        end: window.end(),
        zone: zone_of(window),
        name,
    }
}

/// Returns the note of a new event.
fn first_note(
    input: &PlanInput<'_>,
    number: usize,
    ScheduledWindow { window, content }: &ScheduledWindow,
    summary: &str,
    now: Timestamp,
) -> Note {
    let impacts = circuits::known_impacts(content, input.circuits);
    let status = Lifecycle::announced(content.status).status;
    let claims = input.claimant.join(&Claims::new(), now);
    let pending = Pending {
        circuits: impacts.keys().copied().collect(),
        until: until(input, &claims),
        evidence: Evidence::Mail(input.claimant.mail.clone()),
    };
    Note {
        id: input.announcement.id.clone(),
        number,
        last: number.max(input.announcement.windows.len()),
        version: input.announcement.version.clone(),
        said: LastValues {
            status,
            start: window.start(),
            end: window.end(),
            summary: summary_digest(summary),
            zone: zone_of(window),
        },
        pending: if impacts.is_empty() { Pending::default() } else { pending },
        then: (status.is_final() && !impacts.is_empty()).then_some(status),
        impacts,
        left: false,
        yields: false,
        claims,
    }
}

/// Returns whether a notice says anything of an event that the notices before it did not.
pub(super) fn is_news(input: &PlanInput<'_>, note: &Note, window: Option<Window>, content: &Content) -> bool {
    let is_moved = window.is_some_and(|window| note.window() != Some(window));
    let is_summary = !content.summary.is_empty() && summary_digest(&summary(input, content)) != note.said.summary;
    let is_impact = !content.circuits.is_empty() && circuits::known_impacts(content, input.circuits) != note.impacts;
    is_moved || note.lifecycle().named(content.status).status != note.said.status || is_summary || is_impact
}

/// Returns the call that makes an event say what a notice says. Without a window of the notice, the event keeps the one it has.
pub(super) fn change(
    input: &PlanInput<'_>,
    member: Member<'_>,
    window: Option<Window>,
    content: &Content,
    view: &View,
) -> Action {
    let mut remarks = remarks(input, &member.event.name, content);
    if content.circuits.is_empty() && content.summary.is_empty() {
        remarks = note::remarks(&member.event.comments);
    }
    let claims = input.claimant.join(&claims(member.event.note.as_ref()), view.now);
    revise(input, member, window, content, Revision { left: false, claims, remarks, reason: "a notice" }, view)
}

/// Returns the call that cancels an event whose window the notice leaves out.
pub(super) fn leave_out(input: &PlanInput<'_>, member: Member<'_>, view: &View) -> Action {
    let Lifecycle { status, is_left_out } = Lifecycle::left_out();
    let content = Content { status: Some(status), circuits: BTreeMap::new(), summary: String::new() };
    let mut remarks = note::remarks(&member.event.comments);
    let remark = "A later notice of this maintenance no longer has this window.";
    if !remarks.iter().any(|line| line == remark) {
        remarks.push(remark.to_owned());
    }
    let reason = "a later notice no longer has this window";
    // The mail is not stored with this event.
    let claims = claim::live(&claims(member.event.note.as_ref()), view.now);
    revise(input, member, None, &content, Revision { left: is_left_out, claims, remarks, reason }, view)
}

/// The parts of a changed note that do not follow from the notice.
struct Revision {
    left: bool,
    claims: Claims,
    remarks: Vec<String>,
    reason: &'static str,
}

/// Merges what a notice says into an event: see [`super::edits`].
fn revise(
    input: &PlanInput<'_>,
    Member { number, event, .. }: Member<'_>,
    window: Option<Window>,
    content: &Content,
    Revision { left, claims, remarks, reason }: Revision,
    view: &View,
) -> Action {
    let old = event.note.as_ref();
    let status = old.map_or(content.status, |note| Some(note.lifecycle().named(content.status).status));
    let summary = (!content.summary.is_empty()).then(|| summary(input, content));
    let merged = merge_fields(event, Says { status, window, summary });
    let impacts = match old {
        Some(note) if content.circuits.is_empty() => note.impacts.clone(),
        _ => circuits::known_impacts(content, input.circuits),
    };
    let on_circuits = merge_impacts(event, &impacts, view, until(input, &claims));
    let mut conflicts = merged.conflicts(event);
    let on_circuit =
        |(circuit, stood): &(CircuitId, _)| conflict_on(input, *circuit, *stood, impacts.get(circuit).copied());
    conflicts.extend(on_circuits.conflicts.iter().map(on_circuit));
    let fields = Fields {
        target: merged.status.value,
        start: merged.start.value,
        end: merged.end.value,
        zone: merged.zone.value.clone(),
        summary: merged.new_summary.clone(),
        remarks: with_conflicts(remarks, &note::remarks(&event.comments), &conflicts),
        conflicts,
        reason,
    };
    let note = Note {
        id: input.announcement.id.clone(),
        number,
        last: old.map_or(number, |note| note.last.max(number)).max(input.announcement.windows.len()),
        version: input.announcement.version.clone(),
        said: merged.last_values(),
        impacts,
        pending: on_circuits.pending,
        then: None,
        left,
        yields: false,
        claims,
    };
    write(event, note, fields, view)
}

/// Returns the line about an impact that a person has written, and a notice contradicts.
fn conflict_on(input: &PlanInput<'_>, circuit: CircuitId, stood: Option<Impact>, says: Option<Impact>) -> String {
    let word = |impact: Option<Impact>| impact.map_or_else(|| "none".to_owned(), |impact| impact.to_string());
    conflict(&format!("Impact on {}", circuit_name(input, circuit)), &word(stood), &word(says))
}

/// Returns the call that gives an event the newer content of another one, made at the same time.
pub(super) fn take_over(event: &StoredEvent, old: &Note, newer: &StoredEvent, note: &Note, view: &View) -> Action {
    let claims = claim::live(&old.claims, view.now);
    let circuits = [&old.impacts, &note.impacts].into_iter().flat_map(BTreeMap::keys);
    let circuits = circuits.chain(&old.pending.circuits).chain(&note.pending.circuits).copied().collect();
    let until = old.pending.until.max(note.pending.until);
    let pending = Pending { circuits, until, evidence: Evidence::Missing };
    let note = Note { pending, then: None, yields: false, claims, ..note.clone() };
    let fields = Fields {
        target: lifecycle(newer).status,
        start: newer.start,
        end: newer.end,
        zone: newer.zone.clone(),
        summary: (newer.summary != event.summary).then(|| newer.summary.clone()),
        remarks: note::remarks(&newer.comments),
        conflicts: Vec::new(),
        reason: "two events were made at the same time",
    };
    write(event, note, fields, view)
}

/// Returns the call that opens a final event whose impacts have to be written.
pub(super) fn reopen(event: &StoredEvent, note: &Note) -> Action {
    let note = Note { then: Some(note.then.unwrap_or(event.status)), ..note.clone() };
    let comments = note.write(&event.comments, &note::remarks(&event.comments));
    let change = EventChange { status: Some(INTERIM), comments: Some(comments), ..EventChange::default() };
    Action::update(event, change, "impacts are yet to be written")
}

/// The new content of an event.
struct Fields {
    target: EventStatus,
    start: Timestamp,
    end: Timestamp,
    zone: Option<String>,
    /// New summary; `None` if it stays.
    summary: Option<String>,
    remarks: Vec<String>,
    conflicts: Vec<String>,
    reason: &'static str,
}

fn write(event: &StoredEvent, mut note: Note, fields: Fields, view: &View) -> Action {
    let Fields { target, start, end, zone, summary, remarks, conflicts, reason } = fields;
    let waits = target.is_final() && !due(event, &note, view).is_empty();
    let status = match (waits, event.status) {
        (false, _) => target,
        (true, now) if now.is_final() => INTERIM,
        (true, now) => now,
    };
    note.then = waits.then_some(target);
    let has_moved = target != lifecycle(event).status || (start, end) != (event.start, event.end);
    let comments = note.write(&event.comments, &remarks);
    let change = EventChange {
        name: None,
        summary,
        status: (status != event.status).then_some(status),
        start: (start != event.start).then_some(start),
        end: (end != event.end).then_some(end),
        zone: zone.filter(|zone| event.zone.as_ref() != Some(zone)),
        acknowledged: (event.acknowledged && has_moved).then_some(false),
        comments: Some(comments),
    };
    Action::Update { event: event.id, etag: event.etag.clone(), change, conflicts, reason }
}

/// Returns the time until which deliveries that have read an earlier note may still write.
fn until(input: &PlanInput<'_>, claims: &Claims) -> Timestamp {
    claims.values().map(|claim| claim.until).fold(input.claimant.claim.until, Timestamp::max)
}

/// Returns the CID of a circuit; its number in NetBox if the notice does not name it.
fn circuit_name(input: &PlanInput<'_>, circuit: CircuitId) -> String {
    let named = input.announcement.circuits().find(|cid| input.circuits.get(cid) == Some(circuit));
    named.map_or_else(|| format!("circuit {circuit} of NetBox"), str::to_owned)
}

fn claims(note: Option<&Note>) -> Claims {
    note.map(|note| note.claims.clone()).unwrap_or_default()
}

fn summary(input: &PlanInput<'_>, content: &Content) -> String {
    let line = fields::line(&content.summary);
    let text = if line.is_empty() {
        format!("{}: {}", fields::line(&input.announcement.id), input.provider.name)
    } else {
        line
    };
    fields::cut(&text, fields::LONGEST_SUMMARY)
}

/// Returns lines for people: facts that no field of the event has room for.
fn remarks(input: &PlanInput<'_>, name: &str, content: &Content) -> Vec<String> {
    let mut remarks = Vec::new();
    if !name.starts_with(&fields::line(&input.announcement.id)) {
        remarks.push(format!("Maintenance id: {}", fields::markdown(&fields::line(&input.announcement.id))));
    }
    if fields::line(&content.summary).chars().count() > fields::LONGEST_SUMMARY {
        remarks.push(fields::markdown(&content.summary));
    }
    for (circuit, impact) in circuits::unknown(content, input.circuits) {
        remarks.push(format!("Not in NetBox: circuit `{}`, {impact}", spelled(circuit).replace('`', "'")));
    }
    remarks
}
