//! Tests of the pairing on single notices, and of its laws on any notices.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::EventStatus::{self, Cancelled, Completed, Confirmed};

fn window(day: u8) -> Window {
    let time = |hours: i64| Timestamp::from_second(i64::from(day) * 86_400 + hours * 3600).unwrap();
    Window::new(time(1), time(5)).unwrap()
}

fn content(status: Option<EventStatus>) -> Content {
    Content { status, circuits: BTreeMap::new(), summary: String::new() }
}

/// Returns a notice that was written at that second, with these windows and that status for the rest.
fn notice(second: i64, windows: &[(u8, EventStatus)], rest: Option<EventStatus>) -> Announcement {
    let scheduled =
        |(day, status): &(u8, EventStatus)| ScheduledWindow { window: window(*day), content: content(Some(*status)) };
    let version = Version {
        uid: None,
        sequence: None,
        announced_at: Some(Timestamp::from_second(second).unwrap()),
        received_at: None,
        digest: String::new(),
    };
    let rest = rest.map(|status| content(Some(status)));
    let windows = windows.iter().map(scheduled).collect();
    let mut notice = Announcement { id: "CHG-1".to_owned(), version, windows, rest };
    notice.version.digest = notice.digest();
    notice
}

/// The simplest sink: a list of events in memory.
#[derive(Debug, Default, Clone, PartialEq)]
struct Sink(Vec<(usize, Window, Lifecycle, Version)>);

impl Sink {
    fn stored(&self) -> Vec<StoredWindow<'_>> {
        self.0
            .iter()
            .map(|(number, window, lifecycle, version)| StoredWindow {
                number: *number,
                window: Some(*window),
                lifecycle: *lifecycle,
                version: Some(version),
            })
            .collect()
    }

    /// Writes a notice, at most `most` of its events, and returns the indices of the events that it leaves
    /// out.
    fn write(&mut self, notice: &Announcement, most: usize) -> Vec<usize> {
        let pairing = WindowPairing::new(notice, &self.stored());
        if !pairing.order.changes() {
            return Vec::new();
        }
        let version = &notice.version;
        let mut left = most;
        let mut is_due = |stored: &Stored| {
            stored.is_due && {
                let is_left = left > 0;
                left = left.saturating_sub(1);
                is_left
            }
        };
        for PairedWindow { scheduled: ScheduledWindow { window, content }, event } in &pairing.windows {
            match event {
                PairedEvent::New(number) => {
                    if is_due(&Stored { place: 0, is_due: true }) {
                        self.0.push((*number, *window, Lifecycle::announced(content.status), version.clone()));
                    }
                }
                PairedEvent::Stored(stored) if is_due(stored) => {
                    let event = &mut self.0[stored.place];
                    *event = (event.0, *window, event.2.named(content.status), version.clone());
                }
                PairedEvent::Stored(_) => {}
            }
        }
        for stored in pairing.spoken_of.iter().filter(|stored| is_due(stored)) {
            let event = &mut self.0[stored.place];
            (event.2, event.3) = (event.2.named(pairing.rest.unwrap().status), version.clone());
        }
        for stored in pairing.left_out.iter().filter(|stored| is_due(stored)) {
            let event = &mut self.0[stored.place];
            (event.2, event.3) = (Lifecycle::left_out(), version.clone());
        }
        pairing.left_out.iter().map(|stored| stored.place).collect()
    }

    /// Returns the day and the status of each event.
    fn shown(&self) -> Vec<(u8, EventStatus)> {
        let day = |window: &Window| u8::try_from(window.start().as_second() / 86_400).unwrap();
        self.0.iter().map(|(_, window, lifecycle, _)| (day(window), lifecycle.status)).collect()
    }
}

fn after(notices: &[Announcement]) -> Sink {
    let mut sink = Sink::default();
    for notice in notices {
        sink.write(notice, usize::MAX);
    }
    sink
}

#[test]
fn equal_windows_are_paired_first_then_the_rest_in_order() {
    let first = notice(1, &[(1, Confirmed), (2, Confirmed), (3, Confirmed)], None);
    let second = notice(2, &[(5, Confirmed), (2, Confirmed)], None);
    assert_eq!(after(&[first.clone(), second.clone()]).shown(), [(5, Confirmed), (2, Confirmed), (3, Cancelled)]);
    let third = notice(3, &[(2, Confirmed), (6, Confirmed), (7, Confirmed), (8, Confirmed)], None);
    let expected = [(6, Confirmed), (2, Confirmed), (7, Confirmed), (8, Confirmed)];
    assert_eq!(after(&[first, second, third]).shown(), expected, "what was left out is used again");
}

#[test]
fn a_completed_window_is_neither_cancelled_nor_moved() {
    let first = notice(1, &[(1, Completed), (2, Confirmed)], None);
    let moved = notice(2, &[(7, Confirmed)], None);
    assert_eq!(after(&[first.clone(), moved]).shown(), [(1, Completed), (7, Confirmed)]);
    let both = notice(2, &[(7, Confirmed), (8, Confirmed)], None);
    assert_eq!(after(&[first.clone(), both]).shown(), [(1, Completed), (7, Confirmed), (8, Confirmed)]);
    let corrected = notice(2, &[(1, Confirmed)], None);
    assert_eq!(after(&[first, corrected]).shown(), [(1, Confirmed), (2, Cancelled)], "a notice that names it may");
}

#[test]
fn what_a_notice_says_without_a_window_holds_for_what_is_open() {
    let first = notice(1, &[(1, Completed), (2, Confirmed), (3, Confirmed)], None);
    let off = notice(2, &[], Some(Cancelled));
    assert_eq!(after(&[first.clone(), off]).shown(), [(1, Completed), (2, Cancelled), (3, Cancelled)]);
    let one = notice(2, &[(2, Confirmed)], Some(Cancelled));
    assert_eq!(after(&[first, one.clone()]).shown(), [(1, Completed), (2, Confirmed), (3, Cancelled)]);
    let done = notice(1, &[(1, Completed), (2, Completed)], None);
    assert_eq!(after(&[done.clone(), one]).shown(), [(1, Completed), (2, Confirmed)], "it names a window");
    let all = notice(2, &[], Some(Cancelled));
    assert_eq!(after(&[done, all]).shown(), [(1, Cancelled), (2, Cancelled)], "it can be about nothing else");
}

#[test]
fn a_window_that_is_left_out_is_told_again_at_the_same_notice_only() {
    let mut sink = after(&[notice(1, &[(1, Confirmed), (2, Confirmed)], None)]);
    let second = notice(2, &[(1, Confirmed)], None);
    for _ in 0..2 {
        assert_eq!(sink.write(&second, usize::MAX), [1]);
    }
    assert_eq!(sink.write(&notice(3, &[(1, Confirmed)], None), usize::MAX), Vec::<usize>::new());
}

const STATUSES: [EventStatus; 4] = [Confirmed, Cancelled, Completed, EventStatus::ReScheduled];

fn notices() -> impl Strategy<Value = Vec<Announcement>> {
    let windows = prop::collection::btree_map(0_u8..5, 0_usize..4, 1..4);
    prop::collection::vec((0_i64..6, windows), 1..7).prop_map(|all| {
        let notice = |(second, windows): &(i64, BTreeMap<u8, usize>)| {
            let windows: Vec<_> = windows.iter().map(|(day, status)| (*day, STATUSES[*status])).collect();
            notice(*second, &windows, None)
        };
        all.iter().map(notice).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_newest_notice_stands_and_no_completed_window_is_lost(all in notices()) {
        let mut sink = Sink::default();
        for notice in &all {
            let before = sink.clone();
            let changes = WindowPairing::new(notice, &sink.stored()).order.changes();
            sink.write(notice, usize::MAX);
            if !changes {
                prop_assert_eq!(&sink, &before);
                continue;
            }
            let shown = sink.shown();
            for scheduled in &notice.windows {
                let count = sink.0.iter().filter(|event| event.1 == scheduled.window).count();
                prop_assert_eq!(count, 1, "{:?}", shown);
            }
            for (day, status) in before.shown() {
                let is_named = notice.windows.iter().any(|scheduled| scheduled.window == window(day));
                prop_assert!(is_named || status != Completed || shown.contains(&(day, status)), "{:?}", shown);
            }
            let is_open = |(day, status): &&(u8, EventStatus)| {
                !status.is_final() && !notice.windows.iter().any(|scheduled| scheduled.window == window(*day))
            };
            prop_assert_eq!(shown.iter().find(is_open), None);
        }
    }

    #[test]
    fn half_a_write_and_another_attempt_lead_to_the_same_end(all in notices(), most in 0_usize..4) {
        let mut sink = Sink::default();
        for notice in &all {
            let mut whole = sink.clone();
            whole.write(notice, usize::MAX);
            sink.write(notice, most);
            sink.write(notice, usize::MAX);
            prop_assert_eq!(&sink, &whole);
            sink.write(notice, usize::MAX);
            prop_assert_eq!(&sink, &whole);
        }
    }
}
