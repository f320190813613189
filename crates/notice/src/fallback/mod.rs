//! Suggests what a mail that nobody reads seems to announce, for a person to confirm: the fallback for senders that we do not know, and
//! for notices of a known carrier that lack the parts of its format.
//!
//! A mail that states under the labels of [`labels`] one id, one window with its zone, and circuits is a suggestion; anything that
//! is missing, stated twice or not understood makes it none. A suggestion is never a maintenance: the labels are anybody's.

mod circuit_id;
mod circuits;
mod facts;
mod labels;
mod times;

use facts::Fact;
use labels::Kind;

use super::{
    draft::Draft,
    found::{Found, Place},
    model::{Maintenance, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading, says_nothing},
    source::Source,
    whole, words,
};

/// Whoever sent a mail that nobody recognises.
pub static UNKNOWN: Provider = Provider {
    slug: "unknown",
    name: "unknown carrier",
    domains: &[],
    organizer: "",
    learned_from: LearnedFrom::PublicKnowledge,
    says: says_nothing,
    read: |_| Ok(Reading::Other("a carrier that nobody knows".to_owned())),
};

/// Carriers whose times mean something else than they say: nobody but their own reader may read them.
const MEAN_OTHERWISE: [&str; 1] = ["turkcell"];

static MAINTENANCE: Pattern = Pattern::new(
    r"(?i)\bmaintenances?\b|\b(?:planned|scheduled|emergency|urgent) (?:network |engineering |service )?(?:works?|outages?|changes?|activity|activities|upgrades?)\b",
);
static FAULT: Pattern = Pattern::new(r"(?i)\b(?:incident|fault|trouble|disturbance|rfo|unplanned|invoice|alarm)\b");
/// Words of a change, whether or not they tell of one: beside them nothing is a plan by default.
static CHANGE: Pattern =
    Pattern::new(r"(?i)\b(?:amend|revis|moved|postpon|cancel|re-?sched|delayed|extended|complet|abort|withdraw)");
static NUMBER: Pattern = Pattern::new(r"^#?([A-Za-z0-9][A-Za-z0-9._/-]*\d{2}[A-Za-z0-9._/-]*)$");
static DATE: Pattern = Pattern::new(r"^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}$");

/// Returns what the mail states whole and exactly once; at most one maintenance.
pub fn suggest(source: &Source<'_>) -> Vec<Maintenance> {
    let is_read = source.mail().defects.is_empty() && !MEAN_OTHERWISE.contains(&source.provider().slug);
    let suggested: Vec<_> = is_read.then(|| read(source)).flatten().into_iter().collect();
    if whole::check(source, &suggested).is_ok() { suggested } else { Vec::new() }
}

/// Words of the label of an id that is a maintenance's alone; a fault, an order and a case have tickets and numbers as well.
const OF_MAINTENANCE: &[&str] =
    &["maintenance", "planned", "scheduled", "work", "works", "change", "crq", "chg", "cr", "pew", "rfc"];

/// Returns the line under a label that only a notice has: the id of a maintenance, or a window, which a fault has as well.
pub(crate) fn stated(source: &Source<'_>, is_fault: bool) -> Option<(Place, String)> {
    let facts = facts::facts(source).ok()?;
    let is_id = |fact: &&Fact| {
        fact.label.kind == Kind::Id
            && !fact.label.is_weak
            && fact.label.words.split(' ').any(|word| OF_MAINTENANCE.contains(&word))
            && NUMBER.is_match(&fact.value.value)
    };
    let id = facts.iter().find(is_id).map(|fact| (fact.value.place.clone(), fact.value.quote.clone()));
    let window = || times::window(&facts).ok()?.filter(|_| !is_fault).map(|(start, _)| (start.place, start.quote));
    id.or_else(window)
}

fn read(source: &Source<'_>) -> Option<Maintenance> {
    let subject = Found::text(source.mail().inner().bare_subject(), Place::Header("Subject"));
    let body = source.body().ok()?;
    let is_notice = MAINTENANCE.is_match(&subject.value) || body.matching(&MAINTENANCE).is_some();
    if !is_notice || FAULT.is_match(&subject.value) {
        return None;
    }
    let facts = facts::facts(source).ok()?;
    let (start, end) = times::window(&facts).ok()??;
    let mut draft = Draft::new(source)
        .id(id(&facts)?)
        .window(start, end)
        .status(status(source, &subject, &facts)?)
        .circuits(circuits::circuits(&facts)?);
    if source.provider().organizer.is_empty() {
        draft = draft.sent_by_author(source);
    }
    draft = only(&facts, Kind::Account).into_iter().fold(draft, Draft::account);
    draft = only(&facts, Kind::Summary).into_iter().fold(draft, Draft::summary);
    draft.build().ok()
}

/// Returns the one id; `None` where there are two, or where what stands under such a label is none.
fn id(facts: &[Fact]) -> Option<Found<String>> {
    let mut found: Option<Found<String>> = None;
    for fact in facts.iter().filter(|fact| fact.label.kind == Kind::Id) {
        let number = NUMBER.captures(&fact.value.value).and_then(|captures| captures.get(1));
        let id = match number {
            Some(id) if !DATE.is_match(id.as_str()) => id.as_str().to_owned(),
            _ if fact.label.is_weak => continue,
            _ => return None,
        };
        match &found {
            None => found = Some(fact.value.with(id)),
            Some(known) if known.value == id => {}
            Some(_) => return None,
        }
    }
    found
}

/// Returns the status of field, subject and sentences; a plan if none of them says a word. `None` if they contradict each other,
/// or if the field has an unknown word.
fn status(source: &Source<'_>, subject: &Found<String>, facts: &[Fact]) -> Option<Found<Status>> {
    let mut statuses = Vec::new();
    for fact in facts.iter().filter(|fact| fact.label.kind == Kind::Status) {
        statuses.push(words::status(&fact.value).ok()??);
    }
    statuses.extend(words::status(subject).ok()?);
    let stated = words::strongest(statuses).ok()?;
    let body = source.body().ok()?;
    let told = words::status_told_in(body.iter()).ok()?;
    let is_change = |status: &Found<Status>| !matches!(status.value, Status::Confirmed | Status::Tentative);
    match (stated, told.filter(is_change)) {
        (Some(stated), Some(told)) if stated.value != told.value && is_change(&stated) => None,
        (_, Some(told)) => Some(told),
        (Some(stated), None) => Some(stated),
        (None, None) if body.matching(&CHANGE).is_some() => None,
        (None, None) => words::announced([subject.clone()], body.iter()).ok(),
    }
}

/// Returns the value under labels of that kind, if it is one alone.
fn only(facts: &[Fact], kind: Kind) -> Option<Found<String>> {
    let mut values = facts.iter().filter(|fact| fact.label.kind == kind).map(|fact| &fact.value);
    let first = values.next()?;
    values.all(|value| value.value == first.value).then(|| first.clone())
}
