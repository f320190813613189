//! Tests many notices of few maintenances, at once, in any order, before a NetBox that fails often: nothing is lost, nothing is there
//! twice, and every maintenance is as its newest notice says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{
    pipeline::Pipeline,
    proxy::Proxy,
    say,
    server::{Content, Event, NetBox},
};
use crate::effort::Effort;

/// Number of notices per maintenance.
const NOTICES: usize = 10;
/// Number of concurrent pipelines.
const PIPELINES: usize = 8;
/// Faults per thousand calls.
const FAULTY: u64 = 100;
/// Domain of the sender: unknown to us, but trusted by the pipeline.
const DOMAIN: &str = "carrier.example";
const CIRCUITS: usize = 6;

/// Statuses of a maintenance, in order: updated, called off, on again, begun, over.
const COURSE: [&str; NOTICES] = [
    "TENTATIVE",
    "CONFIRMED",
    "RE-SCHEDULED",
    "CONFIRMED",
    "CANCELLED",
    "TENTATIVE",
    "CONFIRMED",
    "IN-PROCESS",
    "COMPLETED",
    "CONFIRMED",
];

/// Returns the number of maintenances, each with all its notices.
fn maintenances() -> usize {
    Effort::asked().of(4, 4, 20)
}

struct Notice {
    maintenance: usize,
    number: usize,
    status: &'static str,
    windows: Vec<(i64, i64)>,
    impacts: BTreeMap<String, String>,
}

impl Notice {
    /// Returns a notice that differs from the previous one in everything that may differ.
    fn new(maintenance: usize, number: usize) -> Self {
        // The last notices of the maintenances have different statuses.
        let status = COURSE[(number + maintenance) % NOTICES];
        let windows = (0..=(maintenance + number) % 3).map(|window| {
            let day = 20_000 + maintenance * 40 + window * 2 + number % 2;
            let start = i64::try_from(day * 86_400).unwrap();
            (start, start + 3_600 * i64::try_from(1 + number % 4).unwrap())
        });
        let impact = |circuit: usize| {
            ["NO-IMPACT", "REDUCED-REDUNDANCY", "DEGRADED", "OUTAGE"][(maintenance + number + circuit) % 4].to_owned()
        };
        let circuits = (0..CIRCUITS).filter(|circuit| !(maintenance + number + circuit).is_multiple_of(3));
        let impacts = circuits.map(|circuit| (cid(circuit), impact(circuit))).collect();
        Self { maintenance, number, status, windows: windows.collect(), impacts }
    }

    fn id(&self) -> String {
        format!("CHG-{:04}", self.maintenance)
    }

    fn subject(&self) -> String {
        format!("Maintenance {} notice {}", self.id(), self.number)
    }

    /// Returns a mail with a MAINTNOTE calendar, an entry for each window.
    fn mail(&self) -> String {
        let written = Timestamp::from_second(1_700_000_000 + i64::try_from(self.number * 3_600).unwrap()).unwrap();
        let basic = |seconds: i64| Timestamp::from_second(seconds).unwrap().strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//carrier.example//notices//EN\r\n".to_owned();
        for (index, (start, end)) in self.windows.iter().enumerate() {
            let id = self.id();
            let _ = write!(
                calendar,
                "BEGIN:VEVENT\r\nUID:{id}-{index}@{DOMAIN}\r\nDTSTAMP:{}\r\nDTSTART:{}\r\nDTEND:{}\r\nSUMMARY:{}\r\n\
                 SEQUENCE:{}\r\nORGANIZER:mailto:noc@{DOMAIN}\r\nX-MAINTNOTE-PROVIDER:{DOMAIN}\r\nX-MAINTNOTE-ACCOUNT:1001\r\n\
                 X-MAINTNOTE-MAINTENANCE-ID:{id}\r\nX-MAINTNOTE-STATUS:{}\r\nX-MAINTNOTE-IMPACT:OUTAGE\r\n",
                basic(written.as_second()),
                basic(*start),
                basic(*end),
                self.subject(),
                self.number,
                self.status,
            );
            for (cid, impact) in &self.impacts {
                let _ = write!(calendar, "X-MAINTNOTE-OBJECT-ID;X-MAINTNOTE-OBJECT-IMPACT={impact}:{cid}\r\n");
            }
            calendar.push_str("END:VEVENT\r\n");
        }
        calendar.push_str("END:VCALENDAR\r\n");
        format!(
            "From: NOC <noc@{DOMAIN}>\r\nTo: maintenance@example.com\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}.{}@{DOMAIN}>\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/calendar; charset=utf-8; method=PUBLISH\r\n\r\n{calendar}",
            self.subject(),
            written.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            self.id(),
            self.number,
        )
    }
}

fn cid(circuit: usize) -> String {
    format!("LINE-{circuit}")
}

#[test]
fn on_a_bad_day_nothing_is_lost_nothing_is_there_twice_and_the_newest_notice_stands() {
    let Some(netbox) = NetBox::find() else { return };
    netbox.empty();
    netbox.fill(&[(DOMAIN.to_owned(), (0..CIRCUITS).map(cid).collect::<BTreeSet<_>>())].into());
    let proxy = Proxy::start(&netbox.url, FAULTY);
    let started = Instant::now();
    let outcomes = deliver_all(&netbox, &proxy);
    let took = started.elapsed();
    let figures = Figures::of(&netbox.content());
    let calls = proxy.calls().len();
    say(&format!(
        "NetBox on a bad day, {}: {} mails in {} s, {outcomes:?}; {calls} calls, {} per mail, faults {:?}; {} lost, {} twice, {} wrong; \
         {} races settled",
        Effort::asked(),
        maintenances() * NOTICES,
        took.as_secs(),
        calls / (maintenances() * NOTICES),
        proxy.faults(),
        figures.lost.len(),
        figures.twice.len(),
        figures.wrong.len(),
        figures.races,
    ));
    let all = [figures.lost, figures.twice, figures.wrong].concat();
    assert!(all.is_empty(), "{}", all.join("\n"));
    // A few maintenances may never be delivered at the same time; `at_once` makes that happen.
    let least = Effort::asked().of(0, 0, 1);
    assert!(figures.races >= least, "no event was made at the same time as another");
}

/// Delivers every notice; those that end in the failure queue are delivered again, as `replay` would do. Returns the number of each
/// outcome.
fn deliver_all(netbox: &NetBox, proxy: &Proxy) -> BTreeMap<String, usize> {
    let pipelines: Vec<_> = (0..PIPELINES).map(|_| Pipeline::before(netbox, &proxy.url, DOMAIN)).collect();
    let mut shares: Vec<Vec<PathBuf>> = vec![Vec::new(); PIPELINES];
    for (place, notice) in in_any_order().into_iter().enumerate() {
        let pipeline = place % PIPELINES;
        let name = format!("{}-{}.eml", notice.maintenance, notice.number);
        shares[pipeline].push(pipelines[pipeline].mail(&name, notice.mail()));
    }
    let mut outcomes = BTreeMap::new();
    let mut round = 0;
    while shares.iter().any(|share| !share.is_empty()) {
        assert!(round < 5, "some mails fail again and again: {shares:?}");
        let start =
            |(pipeline, mails): (&Pipeline, &Vec<PathBuf>)| (!mails.is_empty()).then(|| pipeline.start(mails, "0.5"));
        let running: Vec<_> = pipelines.iter().zip(&shares).map(start).collect();
        if round == 0 {
            let enough = maintenances() * NOTICES;
            while proxy.calls().len() < enough {
                thread::sleep(Duration::from_millis(50));
            }
            netbox.restart();
        }
        for (share, delivery) in shares.iter_mut().zip(running) {
            share.clear();
            for mail in delivery.into_iter().flat_map(|delivery| delivery.end().mails) {
                let outcome = mail["outcome"].as_str().unwrap_or("none").to_owned();
                if !["delivered", "for_person"].contains(&outcome.as_str()) {
                    share.push(mail["origin"].as_str().unwrap().into());
                }
                *outcomes.entry(outcome).or_default() += 1;
            }
        }
        round += 1;
    }
    outcomes
}

/// Returns all notices, shuffled, the same way every time; those of one maintenance first.
fn in_any_order() -> Vec<Notice> {
    let all =
        (0..maintenances()).flat_map(|maintenance| (1..=NOTICES).map(move |number| Notice::new(maintenance, number)));
    let mut all: Vec<_> = all.collect();
    let mut state = 42_usize;
    for place in (1..all.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.swap(place, (state >> 33) % (place + 1));
    }
    // Each pipeline begins with a notice of the same maintenance, so that some of them create its event at once.
    all.sort_by_key(|notice| usize::from(notice.maintenance > 0));
    all
}

#[derive(Default)]
struct Figures {
    lost: Vec<String>,
    twice: Vec<String>,
    wrong: Vec<String>,
    /// Number of events that were created concurrently with another and merged into it.
    races: usize,
}

impl Figures {
    fn of(content: &Content) -> Self {
        let mut figures = Self::default();
        let events = content.events();
        figures.races = events.iter().filter(|event| event.name.contains("(duplicate ")).count();
        for maintenance in 0..maintenances() {
            figures.maintenance(&Notice::new(maintenance, NOTICES), &events);
            for number in 1..=NOTICES {
                figures.notification(&Notice::new(maintenance, number), content);
            }
        }
        figures
    }

    /// Checks that the newest notice's windows are as it says. Every other window of the maintenance is cancelled, unless an earlier
    /// notice completed it.
    fn maintenance(&mut self, newest: &Notice, events: &[Event]) {
        let id = newest.id();
        let ours: Vec<_> =
            events.iter().filter(|event| event.name == id || event.name.starts_with(&format!("{id} #"))).collect();
        let mut names = BTreeSet::new();
        self.twice.extend(ours.iter().filter(|event| !names.insert(&event.name)).map(|event| event.name.clone()));
        let mut left: Vec<_> = ours;
        for (start, end) in &newest.windows {
            let is_it = |event: &&Event| (event.start, event.end) == (*start, *end) && event.status == newest.status;
            match left.iter().position(is_it) {
                None => self.lost.push(format!("{id}: no event {start} to {end} {}: {left:?}", newest.status)),
                Some(place) => {
                    let event = left.remove(place);
                    if event.impacts != newest.impacts || event.summary != newest.subject() {
                        self.wrong.push(format!("{id}: {event:?} should have {:?}", newest.impacts));
                    }
                }
            }
        }
        let completed: Vec<_> = (1..NOTICES)
            .map(|number| Notice::new(newest.maintenance, number))
            .filter(|notice| notice.status == "COMPLETED")
            .flat_map(|notice| notice.windows)
            .collect();
        let was_completed =
            |event: &Event| event.status == "COMPLETED" && completed.contains(&(event.start, event.end));
        let wrong = left.iter().filter(|event| event.status != "CANCELLED" && !was_completed(event));
        self.wrong.extend(wrong.map(|event| format!("{id}: the window of an older notice stands: {event:?}")));
    }

    /// Checks that every mail is there, once for each event.
    fn notification(&mut self, notice: &Notice, content: &Content) {
        let subject = notice.subject();
        let mut events = BTreeSet::new();
        let mut found = false;
        for mail in content.notifications.iter().filter(|mail| mail["subject"] == subject.as_str()) {
            found = true;
            if !events.insert(mail["circuitmaintenance"]["id"].to_string()) {
                self.twice.push(format!("{subject} for {}", mail["circuitmaintenance"]));
            }
        }
        if !found {
            self.lost.push(format!("{subject}: no notification"));
        }
    }
}
