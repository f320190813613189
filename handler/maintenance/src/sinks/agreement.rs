//! Tests that every sink which keeps events shows the same ones: NetBox (its simulated server) and the calendar get the same notices, in
//! the same order of delivery, and are compared after each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::{option, prelude::*, sample};

use super::{
    calendar::event::{Event, Feed, Source},
    netbox::simulated::{self, Shown, Simulation},
};
use notice::model::{Impact, Window};
use schedule::{Announcement, Content, EventStatus, ScheduledWindow, Version, name::event_name};

const ID: &str = "CHG-1";

fn in_calendar(feed: &Feed) -> Vec<Shown> {
    let known = simulated::circuits();
    let shown = |event: &Event| {
        let shown = &event.shown;
        let mut circuits = shown.circuits.clone();
        circuits.retain(|cid, _| known.get(cid).is_some());
        (event_name(&event.id, event.number), Window::new(shown.start, shown.end), shown.status, circuits)
    };
    let mut all: Vec<_> = feed.events.iter().map(shown).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

fn deliver_to_both(deliveries: &[&Announcement]) -> Result<Vec<Shown>, TestCaseError> {
    let netbox = Simulation::default();
    let mut feed = Feed::default();
    let source =
        Source { provider: "carrier".to_owned(), provider_name: "Carrier".to_owned(), stamp: Timestamp::UNIX_EPOCH };
    for (place, announcement) in deliveries.iter().enumerate() {
        netbox.deliver(announcement);
        feed.apply(&source, announcement);
        let (netbox, calendar) = (netbox.shown(), in_calendar(&feed));
        prop_assert_eq!(
            netbox,
            calendar,
            "NetBox (left) and calendar (right) after delivery {} of {:?}",
            place,
            announcement
        );
    }
    Ok(in_calendar(&feed))
}

fn time(hours: i64) -> Timestamp {
    Timestamp::from_second(hours * 3600).unwrap()
}

fn window(day: u8) -> Window {
    let start = i64::from(day) * 24;
    Window::new(time(start + 1), time(start + 5)).unwrap()
}

fn content(status: Option<EventStatus>, circuits: &[&str]) -> Content {
    let circuits = circuits.iter().map(|cid| ((*cid).to_owned(), Impact::Outage)).collect();
    Content { status, circuits, summary: String::new() }
}

/// Returns a notice that was written at that hour.
fn notice(hour: i64, windows: &[(u8, EventStatus)]) -> Announcement {
    let windows = windows
        .iter()
        .map(|(day, status)| ScheduledWindow { window: window(*day), content: content(Some(*status), &["A"]) })
        .collect();
    with_version(windows, None, (None, None, Some(hour), Some(hour)))
}

fn with_version(
    windows: Vec<ScheduledWindow>,
    rest: Option<Content>,
    (uid, sequence, announced, received): (Option<u8>, Option<u32>, Option<i64>, Option<i64>),
) -> Announcement {
    let version = Version {
        uid: uid.map(|uid| uid.to_string()),
        sequence: sequence.filter(|_| uid.is_some()),
        announced_at: announced.map(time),
        received_at: received.map(time),
        digest: String::new(),
    };
    let mut announcement = Announcement { id: ID.to_owned(), version, windows, rest };
    announcement.version.digest = announcement.digest();
    announcement
}

#[test]
fn a_completed_window_that_a_later_notice_leaves_out_stays_completed() {
    // The second day is not over when the later notice is written.
    let first = notice(1, &[(1, EventStatus::Completed), (2, EventStatus::Completed)]);
    let later = notice(2, &[(1, EventStatus::Completed)]);
    let shown = deliver_to_both(&[&first, &later]).unwrap();
    let statuses: Vec<_> = shown.iter().map(|(name, _, status, _)| (name.as_str(), *status)).collect();
    assert_eq!(statuses, [("CHG-1", EventStatus::Completed), ("CHG-1 #2", EventStatus::Completed)]);
}

fn circuits() -> impl Strategy<Value = BTreeMap<String, Impact>> {
    // NetBox does not know `X`.
    let cid = sample::select(vec!["A", "B", "C", "X"]).prop_map(str::to_owned);
    let impact = sample::select(vec![Impact::NoImpact, Impact::ReducedRedundancy, Impact::Degraded, Impact::Outage]);
    prop::collection::btree_map(cid, impact, 0..4)
}

fn contents(statuses: Vec<Option<EventStatus>>) -> impl Strategy<Value = Content> {
    (sample::select(statuses), circuits(), sample::select(vec!["", "splicing"])).prop_map(
        |(status, mut circuits, summary)| {
            // Only a notice that something is off or over may name no circuit.
            if circuits.is_empty() && !status.is_some_and(EventStatus::is_final) {
                circuits.insert("A".to_owned(), Impact::Outage);
            }
            Content { status, circuits, summary: summary.to_owned() }
        },
    )
}

fn notices() -> impl Strategy<Value = Announcement> {
    let every = vec![
        None,
        Some(EventStatus::Tentative),
        Some(EventStatus::Confirmed),
        Some(EventStatus::Cancelled),
        Some(EventStatus::InProcess),
        Some(EventStatus::Completed),
        Some(EventStatus::ReScheduled),
    ];
    let finals = vec![Some(EventStatus::Cancelled), Some(EventStatus::Completed)];
    let windows = prop::collection::vec((0_u8..6, contents(every)), 0..4).prop_map(|all| {
        let mut windows: Vec<ScheduledWindow> = Vec::new();
        for (day, content) in all {
            let window = window(day);
            if !windows.iter().any(|other| other.window == window) {
                windows.push(ScheduledWindow { window, content });
            }
        }
        windows
    });
    let rest = prop_oneof![4 => Just(None), 1 => contents(finals.clone()).prop_map(Some)];
    let version =
        (option::of(0_u8..2), option::of(0_u32..3), option::weighted(0.8, 0_i64..96), option::weighted(0.9, 0_i64..8));
    (windows, rest, contents(finals), version).prop_map(|(windows, rest, otherwise, version)| {
        let rest = if windows.is_empty() { rest.or(Some(otherwise)) } else { rest };
        with_version(windows, rest, version)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_notices_gives_the_same_events(
        (all, order) in prop::collection::vec(notices(), 1..7).prop_flat_map(|all| {
            let order = prop::collection::vec(0..all.len(), 1..12);
            (Just(all), order)
        })
    ) {
        let deliveries: Vec<_> = order.iter().map(|place| &all[*place]).collect();
        deliver_to_both(&deliveries)?;
    }
}
