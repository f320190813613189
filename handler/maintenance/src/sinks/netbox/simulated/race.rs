//! Tests what must hold in the end, in any interleaving of writers and with any faults.

use proptest::prelude::*;

use super::*;

/// Checks that everything is as the newest notice has it.
fn is_right(base: &Base, newest: &Announcement) -> Result<(), String> {
    let members: Vec<_> = base.events.values().filter(|event| event.note.is_some()).collect();
    let mut names: Vec<_> = members.iter().map(|event| &event.name).collect();
    names.sort();
    names.dedup();
    if names.len() != members.len() {
        return Err(format!("two events of one name: {:?}", told(base)));
    }
    for ScheduledWindow { window, content } in &newest.windows {
        let shown: Vec<_> = members.iter().filter(|event| event.window() == Some(*window)).collect();
        // A race can leave a second event for the window: it is cancelled, and its comment says so.
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
        let count = base.impacts.values().filter(|impact| impact.event == event.id).count();
        if count != impacts.len() {
            return Err(format!("two impacts of one circuit: {:?}", told(base)));
        }
        if Some(event.status) != content.status
            || impacts != known_impacts(content, &circuits())
            || event.summary != content.summary
        {
            return Err(format!("{event:?} {impacts:?} is not {content:?}"));
        }
    }
    let shows =
        |event: &StoredEvent| event.note.as_ref().is_some_and(|note| note.version == newest.version && !note.left);
    match base.events.values().find(|event| !shows(event) && !event.status.is_final()) {
        Some(event) => Err(format!("left over and neither off nor over: {event:?}")),
        None => Ok(()),
    }
}

/// Checks that every mail is with an event that stands for a window, and with none twice.
fn mails_are_right(base: &Base, notices: &[Announcement]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (event, mail) in &base.mails {
        if !seen.insert((event, mail)) {
            return Err(format!("mail {mail} is twice with event {event}"));
        }
        if base.events[event].note.is_none() {
            return Err(format!("mail {mail} is with event {event}, which was merged into another: {:?}", told(base)));
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

/// Returns a notice of up to three windows: its days, statuses and circuits follow from the numbers.
fn notice(time: i64, choices: &[(u8, u8, u8)]) -> Announcement {
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

/// Returns the claims at each event, as `event mail by`.
fn claims(base: &Base) -> Vec<String> {
    let claims = |event: &StoredEvent| event.note.clone().map(|note| note.claims).unwrap_or_default();
    let told = |event: &StoredEvent| {
        claims(event).into_iter().map(|(mail, claim)| format!("{} {mail} {}", event.id, claim.by)).collect::<Vec<_>>()
    };
    base.events.values().flat_map(told).collect()
}

/// Maximum steps of a race.
const MOST_STEPS: usize = 50_000;

/// Delivers the mails of all notices at once, each by that many, and by each as often as it takes, steps in random order.
fn race(base: &RefCell<Base>, dice: &Dice, faults: u64, notices: &[Announcement], copies: usize) {
    let circuits = circuits();
    let one = async |announcement, by| {
        let claimant = claimant(announcement, by);
        loop {
            let records = Simulated::new(base, dice, faults);
            match deliver_mail(&records, &claimant, announcement, &circuits).await {
                Ok(_) => return,
                Err(Fault::Unavailable(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    };
    let mut workers: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    for (number, announcement) in notices.iter().enumerate() {
        for copy in 0..copies {
            workers.push(Box::pin(one(announcement, number * copies + copy)));
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

fn notices() -> impl Strategy<Value = Vec<Announcement>> {
    let windows = prop::collection::vec((0_u8..4, 0_u8..4, 0_u8..14), 1..4);
    prop::collection::vec(windows, 1..9).prop_map(|all| {
        // Half a day apart: the later ones are written when the first windows are over.
        all.iter().enumerate().map(|(time, choices)| notice(i64::try_from(time).unwrap() * 43_200, choices)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_any_order_and_interleaving_the_newest_notice_stands_in_the_end(
        all in notices(), seed in 1_u64.., faults in prop_oneof![Just(0_u64), Just(10)], copies in 1_usize..4,
        takes_twins in any::<bool>(),
    ) {
        let (base, dice) = (RefCell::new(Base { takes_twins, ..Base::default() }), Dice(Cell::new(seed)));
        race(&base, &dice, faults, &all, copies);
        let newest = all.last().unwrap();
        let verdict = is_right(&base.borrow(), newest).and_then(|()| mails_are_right(&base.borrow(), &all));
        prop_assert!(verdict.is_ok(), "{verdict:?}");
        let before = base.borrow().clone();
        for announcement in &all {
            let records = Simulated::new(&base, &dice, 0);
            deliver(&records, announcement);
            prop_assert_eq!(records.writes.get(), 0, "a second delivery changes something");
        }
        prop_assert_eq!(&*base.borrow(), &before);
    }
}
