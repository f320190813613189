//! Builds the calls that make, change and cancel one event.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    case::{PlanInput, View, lifecycle},
    circuits,
    claim::{self, Claims},
    fields,
    ids::CircuitId,
    note::{self, Note},
    records::{Action, EventChange, NewEvent},
    stored::StoredEvent,
};
use notice::model::{Impact, Window};
use schedule::{Content, EventStatus, Lifecycle};

/// Status of an event until its impacts are written, if its own status will not allow that.
const INTERIM: EventStatus = EventStatus::Unknown;

/// Returns a new event for a window that NetBox does not have.
pub(super) fn make(input: &PlanInput<'_>, name: String, window: Window, content: &Content, now: Timestamp) -> NewEvent {
    let impacts = circuits::known_impacts(content, input.circuits);
    let target = Lifecycle::announced(content.status).status;
    let waits = target.is_final() && !impacts.is_empty();
    let note = Note {
        id: input.announcement.id.clone(),
        version: input.announcement.version.clone(),
        impacts,
        removed: [].into(),
        then: waits.then_some(target),
        left: false,
        yields: false,
        claims: input.claimant.join(&Claims::new(), now),
    };
    NewEvent {
        provider: input.provider.id,
        comments: note.write("", &remarks(input, &name, content)),
        summary: summary(input, content),
        status: if waits { INTERIM } else { target },
        start: window.start(),
        end: window.end(),
        name,
    }
}

/// Returns the call that makes an event say what a notice says. Without a window of the notice, the event keeps the one it has.
pub(super) fn change(
    input: &PlanInput<'_>,
    event: &StoredEvent,
    window: Option<Window>,
    content: &Content,
    view: &View,
) -> Action {
    let old = event.note.as_ref();
    let impacts = if content.circuits.is_empty() {
        old.map(|note| note.impacts.clone()).unwrap_or_default()
    } else {
        circuits::known_impacts(content, input.circuits)
    };
    let note = Note {
        id: input.announcement.id.clone(),
        version: input.announcement.version.clone(),
        removed: removed(old, &impacts),
        impacts,
        then: None,
        left: false,
        yields: false,
        claims: input.claimant.join(&claims(old), view.now),
    };
    let text = if content.summary.is_empty() { event.summary.clone() } else { summary(input, content) };
    let mut remarks = remarks(input, &event.name, content);
    if content.circuits.is_empty() && content.summary.is_empty() {
        remarks = note::remarks(&event.comments);
    }
    let target = lifecycle(event).named(content.status).status;
    write(event, note, &Fields { target, window, summary: text, remarks }, view)
}

/// Returns the call that cancels an event whose window the notice leaves out.
pub(super) fn leave_out(input: &PlanInput<'_>, event: &StoredEvent, view: &View) -> Action {
    let Lifecycle { status, is_left_out } = Lifecycle::left_out();
    let content = Content { status: Some(status), circuits: BTreeMap::new(), summary: String::new() };
    let mut action = change(input, event, None, &content, view);
    if let Action::Update { change: EventChange { comments: Some(comments), .. }, .. } = &mut action
        && let Some(note) = Note::read(comments)
    {
        // The mail is not stored with this event.
        let claims = claim::live(&claims(event.note.as_ref()), view.now);
        let note = Note { left: is_left_out, claims, ..note };
        let mut remarks = note::remarks(&event.comments);
        let remark = "A later notice of this maintenance no longer has this window.";
        if !remarks.iter().any(|line| line == remark) {
            remarks.push(remark.to_owned());
        }
        *comments = note.write(&event.comments, &remarks);
    }
    action
}

/// Returns the call that gives an event the newer content of another one, made at the same time.
pub(super) fn take_over(event: &StoredEvent, old: &Note, newer: &StoredEvent, note: &Note, view: &View) -> Action {
    let target = lifecycle(newer).status;
    let claims = claim::live(&old.claims, view.now);
    let note = Note { removed: removed(Some(old), &note.impacts), then: None, yields: false, claims, ..note.clone() };
    let remarks = note::remarks(&newer.comments);
    let fields = Fields { target, window: newer.window(), summary: newer.summary.clone(), remarks };
    write(event, note, &fields, view)
}

/// Returns the call that opens a final event whose impacts have to be written.
pub(super) fn reopen(event: &StoredEvent, note: &Note) -> Action {
    let note = Note { then: Some(note.then.unwrap_or(event.status)), ..note.clone() };
    let comments = note.write(&event.comments, &note::remarks(&event.comments));
    let change = EventChange { status: Some(INTERIM), comments: Some(comments), ..EventChange::default() };
    Action::Update { event: event.id, etag: event.etag.clone(), change }
}

/// The new content of an event.
struct Fields {
    target: EventStatus,
    window: Option<Window>,
    summary: String,
    remarks: Vec<String>,
}

fn write(event: &StoredEvent, mut note: Note, fields: &Fields, view: &View) -> Action {
    let waits = fields.target.is_final() && !in_line(event, &note, view);
    let status = match (waits, event.status) {
        (false, _) => fields.target,
        (true, now) if now.is_final() => INTERIM,
        (true, now) => now,
    };
    note.then = waits.then_some(fields.target);
    let (start, end) = fields.window.map_or((event.start, event.end), |window| (window.start(), window.end()));
    let same_impacts = event.note.as_ref().is_some_and(|old| old.impacts == note.impacts);
    let unchanged = fields.target == event.status && (start, end) == (event.start, event.end) && same_impacts;
    let comments = note.write(&event.comments, &fields.remarks);
    let change = EventChange {
        name: None,
        summary: (fields.summary != event.summary).then(|| fields.summary.clone()),
        status: (status != event.status).then_some(status),
        start: (start != event.start).then_some(start),
        end: (end != event.end).then_some(end),
        acknowledged: (event.acknowledged && !unchanged).then_some(false),
        comments: Some(comments),
    };
    Action::Update { event: event.id, etag: event.etag.clone(), change }
}

/// Returns whether the stored impacts are those of the note.
fn in_line(event: &StoredEvent, note: &Note, view: &View) -> bool {
    let stored: BTreeMap<CircuitId, Option<Impact>> = view
        .impacts
        .iter()
        .filter(|impact| impact.event == event.id)
        .map(|impact| (impact.circuit, impact.impact))
        .collect();
    note.impacts.iter().all(|(circuit, impact)| stored.get(circuit) == Some(&Some(*impact)))
        && !note.removed.iter().any(|circuit| stored.contains_key(circuit))
}

fn claims(note: Option<&Note>) -> Claims {
    note.map(|note| note.claims.clone()).unwrap_or_default()
}

fn removed(old: Option<&Note>, impacts: &BTreeMap<CircuitId, Impact>) -> std::collections::BTreeSet<CircuitId> {
    let before = old.map(|note| note.impacts.keys().chain(&note.removed).copied()).into_iter().flatten();
    before.filter(|circuit| !impacts.contains_key(circuit)).collect()
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
        remarks.push(format!("Not in NetBox: circuit `{}`, {impact}", fields::line(circuit).replace('`', "'")));
    }
    remarks
}
