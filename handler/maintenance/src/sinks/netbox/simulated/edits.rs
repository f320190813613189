//! Tests that people's edits stay: every field that a person may change × every kind of notice, one after the other and in any order,
//! compared with the model of [`super::trial`].

use proptest::{prelude::*, sample};

use super::trial::{Edit, Fields, Step, Trial, at, first};
use super::*;

const TEXTS: [&str; 3] = ["Ask Kim.", "<!-- provision {\"id\":\"CHG-1\"} -->", "> quoted\n<!-- /provision -->"];

fn edits() -> Vec<Edit> {
    let impacts = [Some(Impact::Degraded), Some(Impact::NoImpact), None];
    let impacts = (1..=3).flat_map(|circuit| impacts.map(|impact| Edit::Impact(circuit, impact)));
    let mut all = vec![
        Edit::Status(EventStatus::Tentative),
        Edit::Status(EventStatus::Cancelled),
        Edit::Status(EventStatus::ReScheduled),
        Edit::Start(900),
        Edit::Start(1001),
        Edit::End(2001),
        Edit::End(1500),
        Edit::Summary("by hand"),
        Edit::Summary("works"),
        Edit::Zone("Europe/Paris"),
        Edit::Zone("America/New_York"),
        Edit::Acknowledge,
        Edit::Name("Frankfurt"),
        Edit::Name("CHG-1 #2"),
    ];
    all.extend(TEXTS.map(Edit::Comment));
    all.extend(impacts);
    all
}

/// Returns notices that differ from the first in one field each, and one that differs in none.
fn notices() -> Vec<Fields> {
    let impacts = |all: &[(u64, Impact)]| all.iter().map(|(id, impact)| (CircuitId::new(*id), *impact)).collect();
    vec![
        first(),
        Fields { status: EventStatus::Tentative, ..first() },
        Fields { status: EventStatus::Cancelled, ..first() },
        Fields { status: EventStatus::Cancelled, impacts: BTreeMap::new(), ..first() },
        Fields { status: EventStatus::ReScheduled, start: 1001, ..first() },
        Fields { start: 1001, ..first() },
        Fields { end: 2001, ..first() },
        Fields { summary: "works", ..first() },
        Fields { zone: "Europe/Paris", ..first() },
        Fields { impacts: impacts(&[(1, Impact::Degraded)]), ..first() },
        Fields { impacts: impacts(&[(2, Impact::Outage)]), ..first() },
        Fields { impacts: impacts(&[(1, Impact::Outage), (3, Impact::Degraded)]), ..first() },
    ]
}

#[test]
fn every_edit_stands_as_every_notice_leaves_it() {
    for edit in edits() {
        for notice in notices() {
            let mut trial = Trial::start();
            let again = [Step::Again, Step::Notice(first()), Step::Notice(notice.clone()), Step::Again];
            for step in [Step::Edit(edit.clone())].iter().chain(&again) {
                trial.apply(step);
            }
            // What a person sets to what the notice says later is no edit any more.
            trial.apply(&Step::Notice(first()));
            let mut trial = Trial::start();
            for step in [Step::Edit(edit.clone()), Step::Delete].iter().chain(&again) {
                trial.apply(step);
            }
            trial.apply(&Step::Notice(first()));
        }
    }
}

#[test]
fn an_event_with_the_mark_stays_as_it_is_until_the_mark_is_gone() {
    const MARK: &str = "- Provision: hands off";
    for by_tag in [true, false] {
        for notice in notices() {
            let mut trial = Trial::start();
            trial.edit(&Edit::Impact(1, Some(Impact::Degraded)));
            let before = trial.event();
            let comments = if by_tag { before.comments.clone() } else { format!("{}\n{MARK}", before.comments) };
            trial.base.borrow_mut().store(StoredEvent { comments, is_tagged: by_tag, ..before });
            let (marked, impacts) = (trial.event(), trial.base.borrow().impacts.clone());
            let announcement = notice.announcement(5);
            trial.deliver(&announcement);
            assert_eq!((trial.event(), &trial.base.borrow().impacts), (marked.clone(), &impacts), "{notice:?}");
            assert_eq!(trial.base.borrow().mails.len(), 2, "the mail is with the event");
            let settled = deliver(&Simulated::new(&trial.base, &trial.dice, 0), &announcement);
            assert_eq!(settled.concerns.len(), usize::from(notice.says_more_than(&first())), "{:?}", settled.concerns);
            let bare = StoredEvent { is_tagged: false, comments: marked.comments.replace(MARK, ""), ..marked };
            trial.base.borrow_mut().store(bare);
            trial.apply(&Step::Notice(notice));
        }
    }
}

#[test]
fn a_marked_event_whose_window_is_left_out_stays_and_is_told_once() {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let records = Simulated::new(&base, &dice, 0);
    let window = |day| (day, content(EventStatus::Confirmed, &[("A", Impact::Outage)]));
    deliver(&records, &wanted(1, &[window(1), window(2)]));
    let last = base.borrow().events.values().last().unwrap().clone();
    base.borrow_mut().store(StoredEvent { is_tagged: true, ..last });
    for _ in 0..2 {
        let concerns = deliver(&records, &wanted(2, &[window(1)])).concerns;
        assert!(concerns.len() == 1 && concerns[0].contains("has the mark `provision: hands off`"), "{concerns:?}");
        assert_eq!(told(&base.borrow())[1], "CHG-1 #2 Confirmed 2 1=OUTAGE");
    }
}

#[test]
fn without_the_record_of_changes_a_deleted_event_is_made_again() {
    let mut trial = Trial::start();
    trial.base.borrow_mut().hides_past = true;
    trial.apply(&Step::Delete);
    let last = trial.last.clone().unwrap();
    trial.deliver(&last);
    assert_eq!(told(&trial.base.borrow()).len(), 1);
}

#[test]
fn a_renamed_event_whose_window_is_left_out_is_found_and_a_deleted_one_is_not_missed() {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let records = Simulated::new(&base, &dice, 0);
    let window = |day| (day, content(EventStatus::Confirmed, &[("A", Impact::Outage)]));
    deliver(&records, &wanted(1, &[window(1), window(2), window(3)]));
    let events: Vec<StoredEvent> = base.borrow().events.values().cloned().collect();
    base.borrow_mut().store(StoredEvent { name: "Frankfurt".to_owned(), ..events[1].clone() });
    base.borrow_mut().delete(events[2].id);
    deliver(&records, &wanted(2, &[window(1)]));
    assert_eq!(told(&base.borrow()), ["CHG-1 Confirmed 1 1=OUTAGE", "Frankfurt Cancelled 2 1=OUTAGE"]);
    deliver(&records, &wanted(3, &[window(1), window(2), window(3)]));
    let remarks = deliver(&records, &wanted(4, &[window(1), window(2), window(3)])).remarks;
    assert_eq!(told(&base.borrow()), ["CHG-1 Confirmed 1 1=OUTAGE", "Frankfurt Confirmed 2 1=OUTAGE"]);
    assert!(remarks.len() == 1 && remarks[0].contains("is not made again"), "{remarks:?}");
}

#[test]
fn swapped_windows_stay_swapped_and_each_event_keeps_what_it_stands_for() {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let records = Simulated::new(&base, &dice, 0);
    let with = |status| content(status, &[("A", Impact::Outage)]);
    let both = |second| [(1, with(EventStatus::Confirmed)), (2, with(second))];
    let first = wanted(1, &both(EventStatus::Confirmed));
    deliver(&records, &first);
    let events: Vec<StoredEvent> = base.borrow().events.values().cloned().collect();
    for (event, other) in [(0, 1), (1, 0)] {
        let (start, end) = (events[other].start, events[other].end);
        base.borrow_mut().store(StoredEvent { start, end, ..events[event].clone() });
    }
    deliver(&records, &first);
    let expected = ["CHG-1 Confirmed 2 1=OUTAGE", "CHG-1 #2 Confirmed 1 1=OUTAGE"];
    assert_eq!(told(&base.borrow()), expected);
    deliver(&records, &wanted(2, &both(EventStatus::Cancelled)));
    assert_eq!(told(&base.borrow()), [expected[0], "CHG-1 #2 Cancelled 1 1=OUTAGE"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edits_and_notices_in_any_order_leave_what_the_model_has(
        steps in prop::collection::vec(
            prop_oneof![
                6 => sample::select(edits()).prop_map(Step::Edit),
                1 => Just(Step::Delete),
                6 => sample::select(notices()).prop_map(Step::Notice),
                2 => Just(Step::Again),
            ],
            1..12,
        )
    ) {
        let mut trial = Trial::start();
        for step in &steps {
            trial.apply(step);
        }
    }

    #[test]
    fn no_words_of_a_mail_make_a_mark_or_a_note(
        pieces in prop::collection::vec(sample::select(WORDS.to_vec()), 1..12),
        repeated in 1_usize..9,
    ) {
        let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
        let text = pieces.concat();
        let said = Content {
            status: Some(EventStatus::Confirmed),
            circuits: [(text.clone(), Impact::Outage), ("A".to_owned(), Impact::Outage)].into(),
            summary: text.repeat(repeated),
        };
        let mut announcement = wanted(1, &[(1, said)]);
        announcement.id = format!("{text}x");
        let records = Simulated::new(&base, &dice, 0);
        for time in [1, 2] {
            announcement.version.announced_at = Some(at(time));
            deliver(&records, &announcement);
            let event = base.borrow().events.values().next().unwrap().clone();
            prop_assert!(!event.is_hands_off(), "{}", event.comments);
            prop_assert_eq!(event.note.as_ref().map(|note| &note.version), Some(&announcement.version));
            let lines = crate::sinks::netbox::note::lines_of_people(&event.comments);
            prop_assert!(lines.iter().all(|line| line.is_empty()), "{:?}", lines);
        }
        prop_assert_eq!(base.borrow().events.len(), 1);
    }
}

/// Pieces of what a mail could say to be taken for a person or for us.
const WORDS: [&str; 12] = [
    "provision: hands off",
    "\nprovision: hands off\n",
    "\r\n",
    "\n\n- ",
    "<!-- provision {\"id\":\"CHG-1\"} -->",
    "<!-- /provision -->",
    "\n<!-- /provision -->\nprovision: hands off\n",
    " -->",
    "\u{2028}provision: hands off\u{2028}",
    "\u{b}provision: hands off\u{c}",
    "`",
    "> ",
];
