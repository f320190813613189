//! What has to be done next so that NetBox says what a notice says. Pure: what was read goes in, calls come out.
//!
//! The rules, in the order in which they are applied:
//! 1. Events made in a race: the one with the lowest id stays, with the newest of their contents.
//! 2. A newer notice changes events: equal windows are paired first, the others in order; what the notice has more is made, what it
//!    no longer has is cancelled, unless it is off or over already. An older notice changes nothing.
//! 3. Impacts are brought in line with the note of their event, whoever wrote it.
//! 4. A final status that had to wait for impacts is set.
//!
//! Each is such that doing a part of it and then starting over leads to the same end.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{
    case::{Case, Member, View, noted, number},
    event, fields,
    ids::{CircuitId, EventId},
    merge::{Merge, merge},
    note::{self, Note},
    records::{Action, EventChange, ImpactChange, NewImpact},
    stored::{StoredEvent, StoredImpact},
    version::{Order, Version},
    wanted::{Content, Wanted},
};
use notice::model::Window;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This; then look again.
    Do(Vec<Action>),
    /// Somebody else has to do something first, namely this; then look again.
    Wait(String),
    /// Nothing.
    Settled(Settled),
}

/// A notice whose maintenance is in NetBox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The events that it speaks of: its notification belongs to them.
    pub events: Vec<StoredEvent>,
    /// All events of the maintenance, if the notice is not the newest: its notification may be with any of them since it was.
    pub elsewhere: Vec<EventId>,
    /// Events that were made for it.
    pub made: BTreeSet<EventId>,
    /// What a person has to look at.
    pub concerns: Vec<String>,
}

/// NetBox holds what delivery cannot tell apart.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("NetBox has {count} events named `{name}` of this provider, none of which we have made: which one is meant?")]
pub struct Ambiguous {
    name: String,
    count: usize,
}

/// What has to be done next.
pub fn next(case: &Case<'_>, view: &View) -> Result<Next, Ambiguous> {
    match merge(case, view) {
        Merge::Nothing => {}
        Merge::Do(actions) => return Ok(Next::Do(actions)),
        Merge::Wait(reason) => return Ok(Next::Wait(reason)),
    }
    let members = members(case.wanted, view)?;
    let order = Order::of_all(members.iter().map(|member| member.order(case.wanted)));
    let fate = Fate::of(case.wanted, &members);
    if matches!(order, Order::Newer | Order::Same) {
        let changes = changes(case, &fate, &members, view);
        if !changes.is_empty() {
            return Ok(Next::Do(changes));
        }
    }
    if order == Order::Older {
        let strays = strays(case, &members, view);
        if !strays.is_empty() {
            return Ok(Next::Do(strays));
        }
    }
    let noted = || members.iter().filter_map(|member| Some((member.event, member.event.note.as_ref()?)));
    for (event, note) in noted() {
        let writes = impacts(event, note, view);
        if !writes.is_empty() {
            return Ok(Next::Do(writes));
        }
    }
    let ends: Vec<_> = noted().filter_map(|(event, note)| finish(event, note)).collect();
    if !ends.is_empty() {
        return Ok(Next::Do(ends));
    }
    Ok(Next::Settled(settled(case, order, &fate, &members)))
}

/// The events that stand for the maintenance. One that a person has made is taken over where we have none.
fn members<'view>(wanted: &Wanted, view: &'view View) -> Result<Vec<Member<'view>>, Ambiguous> {
    let mut members = noted(wanted, view);
    let mut foreign: BTreeMap<usize, Vec<&StoredEvent>> = BTreeMap::new();
    for event in view.events.iter().filter(|event| event.note.is_none()) {
        if let Some(number) = number(&wanted.id, &event.name) {
            foreign.entry(number).or_default().push(event);
        }
    }
    for (number, events) in foreign {
        if members.iter().any(|member| member.number == number) {
            continue;
        }
        match &events[..] {
            [event] => members.push(Member { number, event }),
            [first, ..] => return Err(Ambiguous { name: first.name.clone(), count: events.len() }),
            [] => {}
        }
    }
    members.sort_by_key(|member| (member.number, member.event.id));
    Ok(members)
}

/// Which event stands for what.
struct Fate<'case> {
    /// Windows of the notice, and the event of each, if there is one.
    pairs: Vec<(Window, &'case Content, Option<Member<'case>>)>,
    /// Events that the notice speaks of without a window.
    rest: Vec<(&'case Content, Member<'case>)>,
    /// Events that it no longer speaks of.
    left: Vec<Member<'case>>,
}

impl<'case> Fate<'case> {
    fn of(wanted: &'case Wanted, members: &[Member<'case>]) -> Self {
        let mut free = members.to_vec();
        let mut pairs: Vec<_> =
            wanted.windows.iter().map(|(window, content)| (*window, content, None::<Member<'case>>)).collect();
        for (window, _, pair) in &mut pairs {
            let equal = |member: &Member<'_>| member.event.window() == Some(*window);
            // A race can leave two events with this window: the one that was chosen stays the one.
            let place = free.iter().position(|member| equal(member) && member.shows(wanted));
            *pair = place.or_else(|| free.iter().position(equal)).map(|place| free.remove(place));
        }
        for (_, _, pair) in pairs.iter_mut().filter(|(_, _, pair)| pair.is_none()) {
            *pair = (!free.is_empty()).then(|| free.remove(0));
        }
        let (rest, left) = match &wanted.rest {
            None => (Vec::new(), free),
            Some(content) => {
                let written_at = wanted.version.written_at();
                let open = |member: &Member<'_>| !member.is_done(written_at) || member.shows(wanted);
                let all = !free.iter().any(open);
                let (spoken_of, others): (Vec<_>, Vec<_>) = free.into_iter().partition(|member| all || open(member));
                // What was off or over before is not spoken of, and nothing is left to do with it.
                drop(others);
                (spoken_of.into_iter().map(|member| (content, member)).collect(), Vec::new())
            }
        };
        Self { pairs, rest, left }
    }
}

/// Makes the events say what the notice says.
fn changes(case: &Case<'_>, fate: &Fate<'_>, members: &[Member<'_>], view: &View) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut last = members.iter().map(|member| member.number).max().unwrap_or(0);
    for (window, content, pair) in &fate.pairs {
        match pair {
            Some(member) if is_due(case, member, content) || is_astray(case.wanted, member, *window) => {
                actions.push(event::change(case, member.event, Some(*window), content, view));
            }
            Some(_) => {}
            None => {
                last += 1;
                actions.push(Action::Create(event::make(
                    case,
                    fields::name(&case.wanted.id, last),
                    *window,
                    content,
                    view.now,
                )));
            }
        }
    }
    for (content, member) in &fate.rest {
        if is_due(case, member, content) {
            actions.push(event::change(case, member.event, None, content, view));
        }
    }
    for member in &fate.left {
        // What a person has made and no notice has named is theirs.
        let is_ours = member.event.note.is_some() && matches!(member.order(case.wanted), Order::Newer | Order::Same);
        if is_ours && (!member.is_done(case.wanted.version.written_at()) || member.shows(case.wanted)) {
            actions.push(event::drop_out(case, member.event, view));
        }
    }
    actions
}

/// Events that this notice has made while a newer one was being written, whose writer did not see them. Had it seen them, they
/// would show the newer notice, or be cancelled.
fn strays(case: &Case<'_>, members: &[Member<'_>], view: &View) -> Vec<Action> {
    let versions = members.iter().filter_map(|member| Some(&member.event.note.as_ref()?.version));
    let newest = versions.reduce(|newest, other| if other.order(newest) == Order::Newer { other } else { newest });
    let written_at = newest.and_then(Version::written_at);
    let open = members.iter().filter(|member| member.shows(case.wanted) && !member.is_done(written_at));
    open.map(|member| event::drop_out(case, member.event, view)).collect()
}

/// Whether an event has to be written: for a newer notice, or since circuits that were unknown have been entered meanwhile.
fn is_due(case: &Case<'_>, member: &Member<'_>, content: &Content) -> bool {
    match (member.order(case.wanted), &member.event.note) {
        (Order::Newer, _) => true,
        (Order::Same, Some(note)) => {
            content.known(case.circuits).keys().any(|circuit| !note.impacts.contains_key(circuit))
        }
        _ => false,
    }
}

/// Whether an event stands for another window of this very notice, which has an event of its own: two deliveries of it have
/// paired windows in two ways. Any other window is a person's doing.
fn is_astray(wanted: &Wanted, member: &Member<'_>, window: Window) -> bool {
    let shown = member.event.window();
    member.shows(wanted) && shown != Some(window) && wanted.windows.iter().any(|(other, _)| shown == Some(*other))
}

/// Brings the impacts of an event in line with its note.
fn impacts(event: &StoredEvent, note: &Note, view: &View) -> Vec<Action> {
    let mut stored: BTreeMap<CircuitId, Vec<&StoredImpact>> = BTreeMap::new();
    for impact in view.impacts.iter().filter(|impact| impact.event == event.id) {
        stored.entry(impact.circuit).or_default().push(impact);
    }
    let of = |circuit: &CircuitId| stored.get(circuit).into_iter().flatten();
    let first = |circuit: &CircuitId| of(circuit).min_by_key(|impact| impact.id);
    let mut added = Vec::new();
    let mut changed = Vec::new();
    for (circuit, impact) in &note.impacts {
        match first(circuit) {
            None => added.push(NewImpact { event: event.id, circuit: *circuit, impact: *impact }),
            Some(found) if found.impact != Some(*impact) => {
                changed.push(ImpactChange { id: found.id, impact: *impact });
            }
            Some(_) => {}
        }
    }
    // Until 0.7 the plugin took a second one in a race: the first stays.
    let twins =
        note.impacts.keys().flat_map(|circuit| of(circuit).filter(|impact| Some(impact) != first(circuit).as_ref()));
    let removed: Vec<_> = note.removed.iter().flat_map(of).chain(twins).map(|impact| impact.id).collect();
    let writes: Vec<_> = [
        (!added.is_empty()).then_some(Action::AddImpacts(added)),
        (!changed.is_empty()).then_some(Action::ChangeImpacts(changed)),
        (!removed.is_empty()).then_some(Action::RemoveImpacts(removed)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if event.status.is_final() && !writes.is_empty() { vec![event::reopen(event, note)] } else { writes }
}

/// Sets the final status that had to wait.
fn finish(event: &StoredEvent, note: &Note) -> Option<Action> {
    let status = note.then?;
    let done = Note { then: None, ..note.clone() };
    let comments = done.write(&event.comments, &note::remarks(&event.comments));
    let change = EventChange { status: Some(status), comments: Some(comments), ..EventChange::default() };
    Some(Action::Update { event: event.id, etag: event.etag.clone(), change })
}

fn settled(case: &Case<'_>, order: Order, fate: &Fate<'_>, members: &[Member<'_>]) -> Settled {
    let wanted = case.wanted;
    let paired = fate.pairs.iter().filter_map(|(_, _, pair)| *pair);
    let mut spoken_of: Vec<_> = paired.chain(fate.rest.iter().map(|(_, member)| *member)).collect();
    if spoken_of.is_empty() {
        spoken_of.extend(members.first());
    }
    // Others wait for the mail wherever it is claimed, even if a newer notice has changed the event since.
    let ours = |member: &Member<'_>| member.event.note.as_ref().is_some_and(|note| case.claimant.holds(&note.claims));
    let is_new = |member: &Member<'_>| !spoken_of.iter().any(|other| other.event.id == member.event.id);
    let claimed: Vec<_> = members.iter().filter(|member| ours(member) && is_new(member)).copied().collect();
    spoken_of.extend(claimed);
    let mut concerns = Vec::new();
    if members.is_empty() {
        concerns.push(format!(
            "the notice says that `{}` of {} is off or over, states no window, and NetBox has no such event",
            wanted.id, case.provider.name
        ));
    }
    match order {
        Order::Tie => concerns.push(format!(
            "another notice of `{}` says something else, and nothing tells which came first; NetBox was left as it is",
            wanted.id
        )),
        Order::Newer | Order::Same => {
            let contents = fate.pairs.iter().map(|(_, content, _)| *content).chain(&wanted.rest);
            concerns.extend(unknown(case, contents));
            let dropped = fate.left.iter().filter(|member| member.is_left_by(wanted)).map(|member| &member.event.name);
            concerns.extend(
                dropped.map(|name| format!("the notice no longer has the window of `{name}`: it is cancelled")),
            );
        }
        Order::Older => {}
    }
    let is_old = matches!(order, Order::Older | Order::Tie);
    Settled {
        elsewhere: members.iter().filter(|_| is_old).map(|member| member.event.id).collect(),
        events: spoken_of.iter().map(|member| member.event.clone()).collect(),
        made: BTreeSet::new(),
        concerns,
    }
}

fn unknown<'content>(case: &Case<'_>, contents: impl Iterator<Item = &'content Content>) -> Option<String> {
    let mut names: Vec<_> =
        contents.flat_map(|content| content.unknown(case.circuits)).map(|(circuit, _)| circuit).collect();
    names.sort_unstable();
    names.dedup();
    let names: Vec<_> =
        names.into_iter().map(|name| format!("`{}`", fields::cut(name, fields::LONGEST_NAME))).collect();
    let of = &case.provider.name;
    (!names.is_empty()).then(|| format!("NetBox has no circuits of {of} with these CIDs: {}", names.join(", ")))
}
