//! Tests what single notices, one after the other, make of what is stored.

use super::*;

/// Delivers one after the other; returns what is stored, and what a person has to look at, after each.
fn one_by_one(notices: &[Announcement]) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let deliver = |announcement| {
        let concerns = deliver(&Simulated::new(&base, &dice, 0), announcement).concerns;
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
        5,
        "look-up, deletions, event, impacts, look back; the circuits and the mail come to that, which is stored without a look"
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
fn a_completed_event_stays_completed_even_before_its_end() {
    let day = 86_400;
    let completed = || content(EventStatus::Completed, OUT);
    let first = || wanted(1, &[(1, completed()), (2, completed())]);
    for (named, written_at) in [(2, 2 * day), (1, 2 * day), (2, 2)] {
        let (told, concerns) = one_by_one(&[first(), wanted(written_at, &[(named, completed())])]);
        assert_eq!(told[1], ["CHG-1 Completed 1 1=OUTAGE", "CHG-1 #2 Completed 2 1=OUTAGE"], "{named} {written_at}");
        assert_eq!(concerns[1], Vec::<String>::new());
    }
    let (told, _) = one_by_one(&[first(), wanted(2, &[(5, content(EventStatus::Confirmed, OUT))])]);
    let expected = ["CHG-1 Completed 1 1=OUTAGE", "CHG-1 #2 Completed 2 1=OUTAGE", "CHG-1 #3 Confirmed 5 1=OUTAGE"];
    assert_eq!(told[1], expected, "it is not moved either");
}

#[test]
fn an_event_that_a_person_reopened_stays_open_at_the_same_notice() {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let records = Simulated::new(&base, &dice, 0);
    let confirmed = || content(EventStatus::Confirmed, OUT);
    let later = wanted(2, &[(1, confirmed())]);
    for notice in [&wanted(1, &[(1, confirmed()), (2, confirmed())]), &later] {
        deliver(&records, notice);
    }
    let mut event = base.borrow().events.values().last().unwrap().clone();
    assert_eq!(event.status, EventStatus::Cancelled);
    event.status = EventStatus::Confirmed;
    base.borrow_mut().store(event);
    deliver(&records, &later);
    assert_eq!(told(&base.borrow())[1], "CHG-1 #2 Confirmed 2 1=OUTAGE");
    let concerns = deliver(&records, &wanted(3, &[(1, confirmed())])).concerns;
    assert_eq!(told(&base.borrow())[1], "CHG-1 #2 Confirmed 2 1=OUTAGE", "a newer notice changes only what it changes");
    assert!(concerns[0].ends_with("somebody has changed its status since"), "{concerns:?}");
}

#[test]
fn circuits_come_go_and_stay_unknown() {
    let with = |circuits: &[(&str, Impact)]| content(EventStatus::Confirmed, circuits);
    let (told, concerns) = one_by_one(&[
        wanted(1, &[(1, with(&[("A", Impact::Outage), ("B", Impact::Outage), ("X", Impact::Outage)]))]),
        wanted(2, &[(1, with(&[("B", Impact::NoImpact), ("C", Impact::Degraded)]))]),
    ]);
    assert_eq!(told[0], ["CHG-1 Confirmed 1 1=OUTAGE,2=OUTAGE"]);
    assert!(concerns[0][0].starts_with("NetBox has no circuits of Carrier with these CIDs: `X`; "), "{concerns:?}");
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
    let known = circuits().into_iter().chain([("X".to_owned(), CircuitId::new(9))]).collect();
    let settled = run(deliver_mail(&records, &claimant(&notice, 1000), &notice, &known)).unwrap();
    assert_eq!(settled.concerns, Vec::<String>::new());
    assert_eq!(told(&base.borrow()), ["CHG-1 Completed 1 1=OUTAGE,9=DEGRADED"]);
    assert!(base.borrow().events.values().all(|event| !event.comments.contains("Not in NetBox")));
}

#[test]
fn a_notice_without_a_window_ends_open_events() {
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
    assert_eq!((now.comments.as_str(), now.status), ("Ask Kim.", EventStatus::Tentative), "it has that mail already");
    let notice = wanted(2, &[(1, content(EventStatus::Confirmed, OUT))]);
    let settled = deliver(&records, &notice);
    let now = base.borrow().events.values().next().unwrap().clone();
    assert!(now.comments.starts_with("Ask Kim.\n") && now.note.is_some() && !now.acknowledged, "{now:?}");
    assert_eq!((now.status, settled.conflicts.len()), (EventStatus::Confirmed, 1), "{:?}", settled.conflicts);
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
    let other = Announcement { id: "CHG-1 #2".to_owned(), ..wanted(1, &[(9, confirmed())]) };
    deliver(&records, &other);
    deliver(&records, &wanted(1, &[(1, confirmed()), (2, confirmed())]));
    deliver(&records, &wanted(2, &[(1, confirmed())]));
    let expected = ["CHG-1 #2 Confirmed 9 1=OUTAGE", "CHG-1 Confirmed 1 1=OUTAGE", "CHG-1 #2 Cancelled 2 1=OUTAGE"];
    assert_eq!(told(&base.borrow()), expected);
}

#[test]
fn a_tie_finishes_an_earlier_notice_and_writes_nothing_of_its_own() {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let records = Simulated::new(&base, &dice, 0);
    deliver(&records, &wanted(1, &[(1, content(EventStatus::Confirmed, OUT))]));
    base.borrow_mut().impacts.clear();
    let concerns = deliver(&records, &wanted(1, &[(2, content(EventStatus::Confirmed, OUT))])).concerns;
    assert_eq!(told(&base.borrow()), ["CHG-1 Confirmed 1 1=OUTAGE"]);
    assert!(concerns[0].ends_with("nothing of this one was written to NetBox"), "{concerns:?}");
}

#[test]
fn a_window_that_was_left_out_and_opened_by_a_person_is_not_called_cancelled() {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let records = Simulated::new(&base, &dice, 0);
    let confirmed = || content(EventStatus::Confirmed, OUT);
    deliver(&records, &wanted(1, &[(1, confirmed()), (2, confirmed())]));
    let shorter = wanted(2, &[(1, confirmed())]);
    assert_eq!(
        deliver(&records, &shorter).concerns,
        ["the notice no longer has the window of `CHG-1 #2`: it is cancelled"]
    );
    let mut event = base.borrow().events.values().find(|event| event.name == "CHG-1 #2").unwrap().clone();
    event.status = EventStatus::Confirmed;
    base.borrow_mut().store(event);
    let concerns = deliver(&records, &shorter).concerns;
    assert!(concerns[0].ends_with("somebody has changed its status since"), "{concerns:?}");
}

#[test]
fn an_older_notice_takes_over_no_event_and_is_not_ambiguous() {
    let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
    let records = Simulated::new(&base, &dice, 0);
    let confirmed = || content(EventStatus::Confirmed, OUT);
    deliver(&records, &wanted(2, &[(1, confirmed())]));
    let mut foreign = base.borrow().events.values().next().unwrap().clone();
    (foreign.name, foreign.comments) = ("CHG-1 #2".to_owned(), String::new());
    for id in [1000, 1001] {
        base.borrow_mut().store(StoredEvent { id: EventId::new(id), ..foreign.clone() });
    }
    let before = told(&base.borrow());
    deliver(&records, &wanted(1, &[(1, confirmed())]));
    assert_eq!(told(&base.borrow()), before);
    let newer = wanted(3, &[(1, confirmed())]);
    let fault = run(deliver_mail(&records, &claimant(&newer, 1000), &newer, &circuits())).unwrap_err();
    assert!(matches!(&fault, Fault::Refused(reason) if reason.contains("2 events named `CHG-1 #2`")), "{fault}");
}
