//! One event: what it is made with, and what of it is changed.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    case::{Case, View},
    claim::{self, Claims},
    fields,
    ids::CircuitId,
    note::{self, Note},
    records::{Action, EventChange, NewEvent},
    stored::{EventStatus, StoredEvent},
    wanted::Content,
};
use notice::model::{Impact, Window};

/// What an event is until its impacts are written, if its status will not allow that.
const INTERIM: EventStatus = EventStatus::Unknown;

/// An event for a window that NetBox does not have.
pub(super) fn make(case: &Case<'_>, name: String, window: Window, content: &Content, now: Timestamp) -> NewEvent {
    let impacts = content.known(case.circuits);
    let target = content.status.unwrap_or(EventStatus::Unknown);
    let waits = target.is_final() && !impacts.is_empty();
    let note = Note {
        id: case.wanted.id.clone(),
        version: case.wanted.version.clone(),
        impacts,
        removed: [].into(),
        then: waits.then_some(target),
        left: false,
        yields: false,
        claims: case.claimant.join(&Claims::new(), now),
    };
    NewEvent {
        provider: case.provider.id,
        comments: note.write("", &remarks(case, &name, content)),
        summary: summary(case, content),
        status: if waits { INTERIM } else { target },
        start: window.start(),
        end: window.end(),
        name,
    }
}

/// Makes an event say what a notice says. Without a window of its own, the event keeps the one it has.
pub(super) fn change(
    case: &Case<'_>,
    event: &StoredEvent,
    window: Option<Window>,
    content: &Content,
    view: &View,
) -> Action {
    let old = event.note.as_ref();
    let impacts = if content.circuits.is_empty() {
        old.map(|note| note.impacts.clone()).unwrap_or_default()
    } else {
        content.known(case.circuits)
    };
    let note = Note {
        id: case.wanted.id.clone(),
        version: case.wanted.version.clone(),
        removed: removed(old, &impacts),
        impacts,
        then: None,
        left: false,
        yields: false,
        claims: case.claimant.join(&claims(old), view.now),
    };
    let text = if content.summary.is_empty() { event.summary.clone() } else { summary(case, content) };
    let mut remarks = remarks(case, &event.name, content);
    if content.circuits.is_empty() && content.summary.is_empty() {
        remarks = note::remarks(&event.comments);
    }
    let target = content.status.or(old.and_then(|note| note.then)).unwrap_or(event.status);
    write(event, note, &Fields { target, window, summary: text, remarks }, view)
}

/// Cancels an event whose window the notice no longer has.
pub(super) fn drop_out(case: &Case<'_>, event: &StoredEvent, view: &View) -> Action {
    let content = Content { status: Some(EventStatus::Cancelled), circuits: BTreeMap::new(), summary: String::new() };
    let mut action = change(case, event, None, &content, view);
    if let Action::Update { change: EventChange { comments: Some(comments), .. }, .. } = &mut action
        && let Some(note) = Note::read(comments)
    {
        // The mail is not stored with this event.
        let claims = claim::live(&claims(event.note.as_ref()), view.now);
        let note = Note { left: true, claims, ..note };
        let mut remarks = note::remarks(&event.comments);
        let remark = "A later notice of this maintenance no longer has this window.";
        if !remarks.iter().any(|line| line == remark) {
            remarks.push(remark.to_owned());
        }
        *comments = note.write(&event.comments, &remarks);
    }
    action
}

/// Gives an event what another one, made at the same time, has newer.
pub(super) fn take_over(event: &StoredEvent, old: &Note, newer: &StoredEvent, note: &Note, view: &View) -> Action {
    let target = note.then.unwrap_or(newer.status);
    let claims = claim::live(&old.claims, view.now);
    let note = Note { removed: removed(Some(old), &note.impacts), then: None, yields: false, claims, ..note.clone() };
    let remarks = note::remarks(&newer.comments);
    let fields = Fields { target, window: newer.window(), summary: newer.summary.clone(), remarks };
    write(event, note, &fields, view)
}

/// Opens a final event whose impacts have to be written.
pub(super) fn reopen(event: &StoredEvent, note: &Note) -> Action {
    let note = Note { then: Some(note.then.unwrap_or(event.status)), ..note.clone() };
    let comments = note.write(&event.comments, &note::remarks(&event.comments));
    let change = EventChange { status: Some(INTERIM), comments: Some(comments), ..EventChange::default() };
    Action::Update { event: event.id, etag: event.etag.clone(), change }
}

/// What an event is to say.
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

/// Whether the impacts that are stored are those of the note.
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

fn summary(case: &Case<'_>, content: &Content) -> String {
    let line = fields::line(&content.summary);
    let text =
        if line.is_empty() { format!("{}: {}", fields::line(&case.wanted.id), case.provider.name) } else { line };
    fields::cut(&text, fields::LONGEST_SUMMARY)
}

/// What people have to know that no field has room for.
fn remarks(case: &Case<'_>, name: &str, content: &Content) -> Vec<String> {
    let mut remarks = Vec::new();
    if !name.starts_with(&fields::line(&case.wanted.id)) {
        remarks.push(format!("Maintenance id: {}", fields::line(&case.wanted.id)));
    }
    if fields::line(&content.summary).chars().count() > fields::LONGEST_SUMMARY {
        remarks.push(content.summary.clone());
    }
    for (circuit, impact) in content.unknown(case.circuits) {
        remarks.push(format!("Not in NetBox: circuit `{}`, {impact}", fields::line(circuit)));
    }
    remarks
}
