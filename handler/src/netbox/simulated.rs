//! Delivery against a NetBox that is made up: any interleaving of writers, any fault, and what must hold in the end.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    claim::{Claim, Claimant},
    converge::converge,
    fields,
    ids::{CircuitId, EventId, ImpactId, ProviderId},
    link::{Linked, Mailbox, Target, link},
    note::Note,
    plan::{Case, Settled},
    records::{Action, Fault, Pause, Performed, Records},
    stored::{EventStatus, StoredEvent, StoredImpact, StoredProvider},
    version::Version,
    wanted::{Circuits, Content, Wanted},
};
use crate::maintenance::model::{Impact, Window};

/// What the made-up NetBox holds. It refuses what the plugin refuses.
#[derive(Debug, Default, Clone, PartialEq)]
struct Base {
    events: BTreeMap<EventId, StoredEvent>,
    impacts: BTreeMap<ImpactId, StoredImpact>,
    mails: Vec<(EventId, String)>,
    last: u64,
}

impl Base {
    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn store(&mut self, mut event: StoredEvent) -> StoredEvent {
        event.etag = self.number().to_string();
        event.note = Note::read(&event.comments);
        self.events.insert(event.id, event.clone());
        event
    }

    fn writable(&self, event: EventId) -> Result<(), Fault> {
        match self.events.get(&event) {
            Some(event) if !event.status.is_final() => Ok(()),
            _ => Err(Fault::Rejected("You cannot alter a circuit impact once the maintenance has completed.".into())),
        }
    }

    fn perform(&mut self, action: &Action) -> Result<Performed, Fault> {
        match action {
            Action::Create(_) => Ok(Performed::Done),
            Action::MoveNotifications { from, to } => {
                for (event, _) in self.mails.iter_mut().filter(|(event, _)| event == from) {
                    *event = *to;
                }
                Ok(Performed::Done)
            }
            Action::Update { event, etag, change } => {
                let mut event = self.events.get(event).cloned().ok_or(Fault::Conflict("no such event".into()))?;
                if event.etag != *etag {
                    return Err(Fault::Conflict("Precondition failed.".into()));
                }
                let change = change.clone();
                event.name = change.name.unwrap_or(event.name);
                event.summary = change.summary.unwrap_or(event.summary);
                event.status = change.status.unwrap_or(event.status);
                event.start = change.start.unwrap_or(event.start);
                event.end = change.end.unwrap_or(event.end);
                event.acknowledged = change.acknowledged.unwrap_or(event.acknowledged);
                event.comments = change.comments.unwrap_or(event.comments);
                Ok(Performed::Event(Box::new(self.store(event))))
            }
            Action::AddImpacts(new) => {
                for impact in new {
                    self.writable(impact.event)?;
                    let there = |other: &StoredImpact| (other.event, other.circuit) == (impact.event, impact.circuit);
                    if self.impacts.values().any(there) {
                        return Err(Fault::Conflict("IntegrityError".into()));
                    }
                }
                let stored = new.iter().map(|new| StoredImpact {
                    id: ImpactId::new(self.number()),
                    event: new.event,
                    circuit: new.circuit,
                    impact: Some(new.impact),
                });
                let stored: Vec<_> = stored.collect();
                self.impacts.extend(stored.iter().map(|impact| (impact.id, *impact)));
                Ok(Performed::Impacts(stored))
            }
            Action::ChangeImpacts(changes) => {
                for change in changes {
                    let event = self.impacts.get(&change.id).ok_or(Fault::Rejected("no such impact".into()))?.event;
                    self.writable(event)?;
                }
                let mut stored = Vec::new();
                for change in changes {
                    let Some(impact) = self.impacts.get_mut(&change.id) else { continue };
                    impact.impact = Some(change.impact);
                    stored.push(*impact);
                }
                Ok(Performed::Impacts(stored))
            }
            Action::RemoveImpacts(removed) => {
                if removed.iter().any(|id| !self.impacts.contains_key(id)) {
                    return Err(Fault::Rejected("no such impact".into()));
                }
                self.impacts.retain(|id, _| !removed.contains(id));
                Ok(Performed::Done)
            }
        }
    }
}

/// A small generator of numbers: the same for the same seed.
struct Dice(Cell<u64>);

impl Dice {
    fn below(&self, most: u64) -> u64 {
        let mut state = self.0.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.set(state);
        (state >> 11) % most
    }
}

struct Simulated<'base> {
    base: &'base RefCell<Base>,
    dice: &'base Dice,
    /// Calls of 100 that fail.
    faults: u64,
    calls: Cell<u32>,
    writes: Cell<u32>,
}

impl<'base> Simulated<'base> {
    fn new(base: &'base RefCell<Base>, dice: &'base Dice, faults: u64) -> Self {
        Self { base, dice, faults, calls: Cell::new(0), writes: Cell::new(0) }
    }

    /// The way to NetBox or back: others may come first, and the call may be lost.
    async fn way(&self) -> Result<(), Fault> {
        let mut waited = false;
        std::future::poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending })
            .await;
        if self.dice.below(100) < self.faults { Err(Fault::Transient("cut off".into())) } else { Ok(()) }
    }
}

impl Records for Simulated<'_> {
    async fn events(&self, _: ProviderId, names: &[String]) -> Result<Vec<StoredEvent>, Fault> {
        self.calls.set(self.calls.get() + 1);
        self.way().await?;
        let found: Vec<_> =
            self.base.borrow().events.values().filter(|event| names.contains(&event.name)).cloned().collect();
        self.way().await?;
        Ok(found)
    }

    async fn impacts(&self, events: &[EventId]) -> Result<Vec<StoredImpact>, Fault> {
        self.calls.set(self.calls.get() + 1);
        self.way().await?;
        let found =
            self.base.borrow().impacts.values().filter(|impact| events.contains(&impact.event)).copied().collect();
        self.way().await?;
        Ok(found)
    }

    async fn mails(&self, event: EventId) -> Result<BTreeSet<String>, Fault> {
        self.way().await?;
        let base = self.base.borrow();
        Ok(base.mails.iter().filter(|(other, _)| *other == event).map(|(_, mail)| mail.clone()).collect())
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn perform(&self, action: &Action) -> Result<Performed, Fault> {
        self.calls.set(self.calls.get() + 1);
        self.writes.set(self.writes.get() + 1);
        self.way().await?;
        let performed = if let Action::Create(new) = action {
            // An id is given out before the event is there for others: a later one may be there first.
            let id = EventId::new(self.base.borrow_mut().number());
            let wait = self.way().await;
            let event = self.base.borrow_mut().store(StoredEvent {
                id,
                name: new.name.clone(),
                summary: new.summary.clone(),
                status: new.status,
                start: new.start,
                end: new.end,
                acknowledged: false,
                comments: new.comments.clone(),
                note: None,
                etag: String::new(),
            });
            wait?;
            Performed::Event(Box::new(event))
        } else {
            self.base.borrow_mut().perform(action)?
        };
        self.way().await?;
        Ok(performed)
    }

    async fn pause(&self, _: Pause) {
        for _ in 0..self.dice.below(4) {
            let _ = self.way().await;
        }
    }
}

/// A mail on its way to the made-up NetBox.
struct Post<'post, 'base> {
    records: &'post Simulated<'base>,
    mail: &'post str,
}

impl Mailbox for Post<'_, '_> {
    async fn holds(&self, event: EventId) -> Result<bool, Fault> {
        Ok(self.records.mails(event).await?.contains(self.mail))
    }

    async fn store(&self, events: &[EventId]) -> Result<(), Fault> {
        self.records.writes.set(self.records.writes.get() + 1);
        self.records.way().await?;
        self.records.base.borrow_mut().mails.extend(events.iter().map(|event| (*event, self.mail.to_owned())));
        self.records.way().await
    }

    async fn hand_over(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// A delivery of the mail that a notice came in.
fn claimant(wanted: &Wanted, by: usize) -> Claimant {
    let claim = Claim { by: by.to_string(), until: Timestamp::MAX };
    Claimant { mail: wanted.version.digest.clone(), claim }
}

/// All that delivery does.
async fn deliver_mail(
    records: &Simulated<'_>,
    claimant: &Claimant,
    wanted: &Wanted,
    circuits: &Circuits,
) -> Result<Settled, Fault> {
    let provider = provider();
    loop {
        let settled = converge(records, &Case { wanted, provider: &provider, circuits, claimant }).await?;
        let target = |event: &StoredEvent| Target {
            provider: provider.id,
            event: event.clone(),
            is_new: settled.made.contains(&event.id),
            elsewhere: settled.elsewhere.clone(),
        };
        let post = Post { records, mail: &claimant.mail };
        let targets = settled.events.iter().map(target).collect();
        if link(records, &post, claimant, targets).await? == Linked::Whole {
            return Ok(settled);
        }
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

fn provider() -> StoredProvider {
    StoredProvider { id: ProviderId::new(1), name: "Carrier".to_owned(), slug: "carrier".to_owned() }
}

fn circuits() -> Circuits {
    [("A", 1), ("B", 2), ("C", 3)].map(|(cid, id)| (cid.to_owned(), CircuitId::new(id))).into()
}

fn window(day: u8) -> Window {
    let time = |hours: i64| Timestamp::from_second(i64::from(day) * 86_400 + hours * 3600).unwrap();
    Window::new(time(1), time(5)).unwrap()
}

fn content(status: EventStatus, circuits: &[(&str, Impact)]) -> Content {
    let circuits = circuits.iter().map(|(cid, impact)| ((*cid).to_owned(), *impact)).collect();
    Content { status: Some(status), circuits, summary: format!("{status:?}") }
}

fn wanted(time: i64, windows: &[(u8, Content)]) -> Wanted {
    let windows: Vec<_> = windows.iter().map(|(day, content)| (window(*day), content.clone())).collect();
    let version = Version {
        uid: None,
        sequence: None,
        announced_at: Some(Timestamp::from_second(time).unwrap()),
        received_at: None,
        digest: fields::digest(format!("{time} {windows:?}").as_bytes(), 8),
    };
    Wanted { id: "CHG-1".to_owned(), version, windows, rest: None }
}

fn deliver(records: &Simulated<'_>, wanted: &Wanted) -> Settled {
    run(deliver_mail(records, &claimant(wanted, 1000), wanted, &circuits())).unwrap()
}

/// What is told of events: `name status days circuits`.
fn told(base: &Base) -> Vec<String> {
    let told = base.events.values().map(|event| {
        let impacts = base.impacts.values().filter(|impact| impact.event == event.id);
        let mut impacts: Vec<_> =
            impacts.map(|impact| format!("{}={}", impact.circuit, impact.impact.unwrap())).collect();
        impacts.sort();
        format!("{} {:?} {} {}", event.name, event.status, event.start.as_second() / 86_400, impacts.join(","))
    });
    told.collect()
}

/// Everything must be as the newest notice has it.
fn is_right(base: &Base, newest: &Wanted) -> Result<(), String> {
    let members: Vec<_> = base.events.values().filter(|event| event.note.is_some()).collect();
    let mut names: Vec<_> = members.iter().map(|event| &event.name).collect();
    names.sort();
    names.dedup();
    if names.len() != members.len() {
        return Err(format!("two events of one name: {:?}", told(base)));
    }
    for (window, content) in &newest.windows {
        let shown: Vec<_> = members.iter().filter(|event| event.window() == Some(*window)).collect();
        // A race can leave a second event for the window: it is cancelled, and says so.
        let live = shown
            .iter()
            .filter(|event| event.note.as_ref().is_some_and(|note| note.version == newest.version && !note.left));
        let [event] = live.collect::<Vec<_>>()[..] else {
            return Err(format!("not one event for {window:?}: {:?}", told(base)));
        };
        let impacts: BTreeMap<_, _> = base
            .impacts
            .values()
            .filter(|impact| impact.event == event.id)
            .map(|impact| (impact.circuit, impact.impact.unwrap()))
            .collect();
        if Some(event.status) != content.status
            || impacts != content.known(&circuits())
            || event.summary != content.summary
        {
            return Err(format!("{event:?} {impacts:?} is not {content:?}"));
        }
    }
    let shows =
        |event: &StoredEvent| event.note.as_ref().is_some_and(|note| note.version == newest.version && !note.left);
    let is_over =
        |event: &StoredEvent| event.status == EventStatus::Completed && Some(event.end) <= newest.version.announced_at;
    let is_done = |event: &StoredEvent| event.status == EventStatus::Cancelled || is_over(event);
    match base.events.values().find(|event| !shows(event) && !is_done(event)) {
        Some(event) => Err(format!("left over and neither off nor over: {event:?}")),
        None => Ok(()),
    }
}

/// Every mail must be with an event that stands for something, and with none twice.
fn mails_are_right(base: &Base, notices: &[Wanted]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (event, mail) in &base.mails {
        if !seen.insert((event, mail)) {
            return Err(format!("mail {mail} is twice with event {event}"));
        }
        if base.events[event].note.is_none() {
            return Err(format!("mail {mail} is with event {event}, which has made way: {:?}", told(base)));
        }
    }
    let newest = notices.last().map(|newest| &newest.version);
    for event in base.events.values() {
        let shows = event.note.as_ref().is_some_and(|note| Some(&note.version) == newest && !note.left);
        if let Some(newest) = newest.filter(|newest| shows && !seen.contains(&(&event.id, &newest.digest))) {
            return Err(format!("mail {} is not with event {}", newest.digest, event.id));
        }
    }
    let lost = notices.iter().find(|notice| !base.mails.iter().any(|(_, mail)| *mail == notice.version.digest));
    lost.map_or(Ok(()), |notice| Err(format!("mail {} is lost", notice.version.digest)))
}

const STATUSES: [EventStatus; 4] =
    [EventStatus::Confirmed, EventStatus::ReScheduled, EventStatus::Cancelled, EventStatus::Completed];

/// A notice of up to three windows: its days, statuses and circuits follow from the numbers.
fn notice(time: i64, choices: &[(u8, u8, u8)]) -> Wanted {
    let mut windows: BTreeMap<u8, Content> = BTreeMap::new();
    for (day, status, mask) in choices {
        let circuits: Vec<_> = [("A", Impact::Outage), ("B", Impact::Degraded), ("C", Impact::NoImpact)]
            .into_iter()
            .enumerate()
            .filter(|(bit, _)| (mask % 7 + 1) & (1 << bit) != 0)
            .map(|(_, circuit)| if mask > &6 { (circuit.0, Impact::ReducedRedundancy) } else { circuit })
            .collect();
        windows.insert(*day, content(STATUSES[usize::from(*status) % STATUSES.len()], &circuits));
    }
    wanted(time, &windows.into_iter().collect::<Vec<_>>())
}

/// The claims at each event, as `event mail by`.
fn claims(base: &Base) -> Vec<String> {
    let claims = |event: &StoredEvent| event.note.clone().map(|note| note.claims).unwrap_or_default();
    let told = |event: &StoredEvent| {
        claims(event).into_iter().map(|(mail, claim)| format!("{} {mail} {}", event.id, claim.by)).collect::<Vec<_>>()
    };
    base.events.values().flat_map(told).collect()
}

/// No race takes that long.
const MOST_STEPS: usize = 50_000;

/// Delivers the mails of all notices at once, each by that many, and by each as often as it takes, steps in random order.
fn race(base: &RefCell<Base>, dice: &Dice, faults: u64, notices: &[Wanted], copies: usize) {
    let circuits = circuits();
    let one = async |wanted, by| {
        let claimant = claimant(wanted, by);
        loop {
            let records = Simulated::new(base, dice, faults);
            match deliver_mail(&records, &claimant, wanted, &circuits).await {
                Ok(_) => return,
                Err(Fault::Unavailable(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    };
    let mut workers: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    for (number, wanted) in notices.iter().enumerate() {
        for copy in 0..copies {
            workers.push(Box::pin(one(wanted, number * copies + copy)));
        }
    }
    let mut steps = 0;
    while !workers.is_empty() {
        steps += 1;
        assert!(
            steps < MOST_STEPS,
            "it does not come to rest: {:?} {:?} {:?}",
            told(&base.borrow()),
            base.borrow().mails,
            claims(&base.borrow())
        );
        let chosen = usize::try_from(dice.below(workers.len() as u64)).unwrap();
        if workers[chosen].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            drop(workers.swap_remove(chosen));
        }
    }
}

fn notices() -> impl Strategy<Value = Vec<Wanted>> {
    let windows = prop::collection::vec((0_u8..4, 0_u8..4, 0_u8..14), 1..4);
    prop::collection::vec(windows, 1..9).prop_map(|all| {
        // Half a day after each other: the later ones are written when the first windows are over.
        all.iter().enumerate().map(|(time, choices)| notice(i64::try_from(time).unwrap() * 43_200, choices)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_any_order_and_interleaving_the_newest_notice_stands_in_the_end(
        all in notices(), seed in 1_u64.., faults in prop_oneof![Just(0_u64), Just(10)], copies in 1_usize..4,
    ) {
        let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(seed)));
        race(&base, &dice, faults, &all, copies);
        let newest = all.last().unwrap();
        let verdict = is_right(&base.borrow(), newest).and_then(|()| mails_are_right(&base.borrow(), &all));
        prop_assert!(verdict.is_ok(), "{verdict:?}");
        let before = base.borrow().clone();
        for wanted in &all {
            let records = Simulated::new(&base, &dice, 0);
            deliver(&records, wanted);
            prop_assert_eq!(records.writes.get(), 0, "a second delivery changes something");
        }
        prop_assert_eq!(&*base.borrow(), &before);
    }
}

/// Delivers one after the other, and tells what is stored after each.
fn one_by_one(notices: &[Wanted]) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let deliver = |wanted| {
        let concerns = deliver(&Simulated::new(&base, &dice, 0), wanted).concerns;
        (told(&base.borrow()), concerns)
    };
    notices.iter().map(deliver).unzip()
}

const OUT: &[(&str, Impact)] = &[("A", Impact::Outage)];

#[test]
fn the_first_notice_makes_an_event_with_few_calls() {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let records = Simulated::new(&base, &dice, 0);
    deliver(&records, &wanted(1, &[(1, content(EventStatus::Confirmed, OUT))]));
    assert_eq!(told(&base.borrow()), ["CHG-1 Confirmed 1 1=OUTAGE"]);
    assert_eq!(
        records.calls.get(),
        4,
        "look-up, event, impacts, look back; the circuits and the mail come to that, which is stored without a look"
    );
}

#[test]
fn a_first_notice_that_is_final_has_its_impacts_too() {
    for status in [EventStatus::Completed, EventStatus::Cancelled] {
        let (told, _) = one_by_one(&[wanted(1, &[(1, content(status, OUT))])]);
        assert_eq!(told[0], [format!("CHG-1 {status:?} 1 1=OUTAGE")]);
    }
}

#[test]
fn windows_are_paired_equal_ones_first_and_left_ones_are_cancelled() {
    let confirmed = || content(EventStatus::Confirmed, OUT);
    let (told, concerns) = one_by_one(&[
        wanted(1, &[(1, confirmed()), (2, confirmed()), (3, confirmed())]),
        wanted(2, &[(5, confirmed()), (2, confirmed())]),
        wanted(3, &[(2, confirmed()), (6, confirmed()), (7, confirmed()), (8, confirmed())]),
        wanted(1, &[(1, confirmed())]),
    ]);
    assert_eq!(
        told[1],
        ["CHG-1 Confirmed 5 1=OUTAGE", "CHG-1 #2 Confirmed 2 1=OUTAGE", "CHG-1 #3 Cancelled 3 1=OUTAGE"]
    );
    assert_eq!(concerns[1], ["the notice no longer has the window of `CHG-1 #3`: it is cancelled"]);
    assert_eq!(told[2].len(), 4);
    assert_eq!(told[2][0], "CHG-1 Confirmed 6 1=OUTAGE");
    assert_eq!(told[2][2], "CHG-1 #3 Confirmed 7 1=OUTAGE", "what was cancelled is opened again");
    assert_eq!((&told[3], &concerns[3]), (&told[2], &Vec::new()), "an older notice changes nothing");
}

#[test]
fn what_is_left_is_cancelled_unless_it_was_completed_and_over() {
    let day = 86_400;
    let completed = || content(EventStatus::Completed, OUT);
    let first = || wanted(1, &[(1, completed()), (2, completed())]);
    let (left, concerns) = one_by_one(&[first(), wanted(2 * day, &[(2, completed())])]);
    assert_eq!(left[1], ["CHG-1 Completed 1 1=OUTAGE", "CHG-1 #2 Completed 2 1=OUTAGE"], "day 1 was over on day 2");
    assert_eq!(concerns[1], Vec::<String>::new());
    let (left, concerns) = one_by_one(&[first(), wanted(2 * day, &[(1, completed())])]);
    assert_eq!(left[1], ["CHG-1 Completed 1 1=OUTAGE", "CHG-1 #2 Cancelled 2 1=OUTAGE"], "day 2 was not");
    assert_eq!(concerns[1], ["the notice no longer has the window of `CHG-1 #2`: it is cancelled"]);
}

#[test]
fn circuits_come_go_and_stay_unknown() {
    let with = |circuits: &[(&str, Impact)]| content(EventStatus::Confirmed, circuits);
    let (told, concerns) = one_by_one(&[
        wanted(1, &[(1, with(&[("A", Impact::Outage), ("B", Impact::Outage), ("X", Impact::Outage)]))]),
        wanted(2, &[(1, with(&[("B", Impact::NoImpact), ("C", Impact::Degraded)]))]),
    ]);
    assert_eq!(told[0], ["CHG-1 Confirmed 1 1=OUTAGE,2=OUTAGE"]);
    assert_eq!(concerns[0], ["NetBox has no circuits of Carrier with these CIDs: `X`"]);
    assert_eq!(told[1], ["CHG-1 Confirmed 1 2=NO-IMPACT,3=DEGRADED"]);
}

#[test]
fn a_circuit_that_was_entered_meanwhile_is_added_by_the_same_notice() {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let notice = wanted(1, &[(1, content(EventStatus::Completed, &[("A", Impact::Outage), ("X", Impact::Degraded)]))]);
    let records = Simulated::new(&base, &dice, 0);
    deliver(&records, &notice);
    assert!(
        base.borrow().events.values().all(|event| event.comments.contains("> Not in NetBox: circuit `X`, DEGRADED"))
    );
    let mut known = circuits();
    known.insert("X".to_owned(), CircuitId::new(9));
    let settled = run(deliver_mail(&records, &claimant(&notice, 1000), &notice, &known)).unwrap();
    assert_eq!(settled.concerns, Vec::<String>::new());
    assert_eq!(told(&base.borrow()), ["CHG-1 Completed 1 1=OUTAGE,9=DEGRADED"]);
    assert!(base.borrow().events.values().all(|event| !event.comments.contains("Not in NetBox")));
}

#[test]
fn a_notice_without_a_window_ends_what_is_open() {
    let confirmed = || content(EventStatus::Confirmed, OUT);
    let mut off = wanted(3, &[]);
    off.rest =
        Some(Content { status: Some(EventStatus::Cancelled), circuits: BTreeMap::new(), summary: String::new() });
    let (told, concerns) = one_by_one(&[off.clone(), wanted(1, &[(1, confirmed()), (2, confirmed())]), off]);
    assert_eq!(told[0], Vec::<String>::new());
    assert!(concerns[0][0].contains("NetBox has no such event"), "{concerns:?}");
    assert_eq!(told[2], ["CHG-1 Cancelled 1 1=OUTAGE", "CHG-1 #2 Cancelled 2 1=OUTAGE"]);
    assert_eq!(concerns[2], Vec::<String>::new());
}

#[test]
fn no_change_keeps_the_status_and_is_unknown_at_first() {
    let unchanged = || Content { status: None, ..content(EventStatus::Confirmed, OUT) };
    let (told, _) = one_by_one(&[
        wanted(1, &[(1, unchanged())]),
        wanted(2, &[(1, content(EventStatus::Confirmed, OUT))]),
        wanted(3, &[(2, unchanged())]),
    ]);
    assert_eq!(told.concat(), ["CHG-1 Unknown 1 1=OUTAGE", "CHG-1 Confirmed 1 1=OUTAGE", "CHG-1 Confirmed 2 1=OUTAGE"]);
}

#[test]
fn a_tie_changes_nothing_and_is_a_concern() {
    let (told, concerns) = one_by_one(&[
        wanted(1, &[(1, content(EventStatus::Confirmed, OUT))]),
        wanted(1, &[(2, content(EventStatus::Confirmed, OUT))]),
    ]);
    assert_eq!(told[0], told[1]);
    assert!(concerns[1][0].contains("nothing tells which came first"), "{concerns:?}");
}

#[test]
fn an_event_that_a_person_has_made_is_taken_over_unless_there_are_two() {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let records = Simulated::new(&base, &dice, 0);
    let notice = wanted(1, &[(1, content(EventStatus::Confirmed, OUT))]);
    deliver(&records, &notice);
    let mut event = base.borrow().events.values().next().unwrap().clone();
    event.comments = "Ask Kim.".to_owned();
    event.acknowledged = true;
    event.status = EventStatus::Tentative;
    base.borrow_mut().store(event.clone());
    deliver(&records, &notice);
    let now = base.borrow().events.values().next().unwrap().clone();
    assert!(now.comments.starts_with("Ask Kim.\n") && now.note.is_some() && !now.acknowledged, "{now:?}");
    event.id = EventId::new(1000);
    base.borrow_mut().store(event.clone());
    deliver(&records, &notice);
    base.borrow_mut().store(StoredEvent { id: now.id, ..event });
    let fault = run(deliver_mail(&records, &claimant(&notice, 1000), &notice, &circuits())).unwrap_err();
    assert!(matches!(&fault, Fault::Refused(reason) if reason.contains("2 events named `CHG-1`")), "{fault}");
}

#[test]
fn another_maintenance_whose_id_looks_like_a_further_window_is_left_alone() {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let records = Simulated::new(&base, &dice, 0);
    let confirmed = || content(EventStatus::Confirmed, OUT);
    let other = Wanted { id: "CHG-1 #2".to_owned(), ..wanted(1, &[(9, confirmed())]) };
    deliver(&records, &other);
    deliver(&records, &wanted(1, &[(1, confirmed()), (2, confirmed())]));
    deliver(&records, &wanted(2, &[(1, confirmed())]));
    let expected = ["CHG-1 #2 Confirmed 9 1=OUTAGE", "CHG-1 Confirmed 1 1=OUTAGE", "CHG-1 #2 Cancelled 2 1=OUTAGE"];
    assert_eq!(told(&base.borrow()), expected);
}
