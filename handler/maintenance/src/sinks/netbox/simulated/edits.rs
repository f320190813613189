//! Tests that people's edits stay: every field that a person may change × every kind of notice, one after the other and in any order,
//! compared with a model that knows three values of each field.

use notice::model::Moment;
use proptest::{prelude::*, sample};

use super::*;

/// The fields of an event that both people and notices change.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fields {
    status: EventStatus,
    start: i64,
    end: i64,
    summary: &'static str,
    zone: &'static str,
    impacts: BTreeMap<CircuitId, Impact>,
}

/// A person's change of an event.
#[derive(Debug, Clone)]
enum Edit {
    Status(EventStatus),
    Start(i64),
    End(i64),
    Summary(&'static str),
    Zone(&'static str),
    Impact(u64, Option<Impact>),
    Acknowledge,
    Comment(&'static str),
    Name(&'static str),
}

#[derive(Debug, Clone)]
enum Step {
    Edit(Edit),
    /// A person deletes the event.
    Delete,
    /// A newer notice; it may say what the last one said.
    Notice(Fields),
    /// The last mail once more.
    Again,
}

/// A NetBox with one event, and what must stand there.
struct Trial {
    base: RefCell<Base>,
    dice: Dice,
    hour: i64,
    last: Option<Announcement>,
    /// What the notices have said last.
    said: Fields,
    /// What must stand in NetBox.
    stands: Fields,
    is_acknowledged: bool,
    is_deleted: bool,
    name: &'static str,
    comments: Vec<&'static str>,
}

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(hour * 3600).unwrap()
}

fn first() -> Fields {
    let impacts = [(CircuitId::new(1), Impact::Outage)].into();
    Fields { status: EventStatus::Confirmed, start: 1000, end: 2000, summary: "splicing", zone: "UTC", impacts }
}

impl Fields {
    fn says_more_than(&self, said: &Self) -> bool {
        let is_impact = !self.impacts.is_empty() && self.impacts != said.impacts;
        // The time zone alone is no news: the window is the same.
        is_impact || Self { impacts: said.impacts.clone(), zone: said.zone, ..self.clone() } != *said
    }

    fn announcement(&self, hour: i64) -> Announcement {
        let cids: BTreeMap<_, _> = circuits().into_iter().map(|(cid, id)| (id, cid)).collect();
        let circuits = self.impacts.iter().map(|(id, impact)| (cids[id].clone(), *impact)).collect();
        let content = Content { status: Some(self.status), circuits, summary: self.summary.to_owned() };
        let zone = jiff::tz::TimeZone::get(self.zone).unwrap();
        let [start, end] = [self.start, self.end].map(|hour| Moment::in_zone(at(hour), &zone));
        let window = Window::new(start, end).unwrap();
        let version = Version {
            uid: None,
            sequence: None,
            announced_at: Some(at(hour)),
            received_at: None,
            digest: String::new(),
        };
        let windows = vec![ScheduledWindow { window, content }];
        let mut announcement = Announcement { id: "CHG-1".to_owned(), version, windows, rest: None };
        announcement.version.digest = announcement.digest();
        announcement
    }
}

/// Merges one field; counts the conflicts.
fn expected<Value: PartialEq + Clone>(said: &mut Value, stands: &mut Value, says: &Value, conflicts: &mut usize) {
    if said != says {
        *conflicts += usize::from(stands != said && stands != says);
        says.clone_into(stands);
    }
    says.clone_into(said);
}

impl Trial {
    fn start() -> Self {
        let (base, dice) = (RefCell::new(Base::default()), Dice(Cell::new(7)));
        let mut trial = Self {
            base,
            dice,
            hour: 0,
            last: None,
            said: first(),
            stands: first(),
            is_acknowledged: false,
            is_deleted: false,
            name: "CHG-1",
            comments: Vec::new(),
        };
        trial.deliver(&first().announcement(0));
        trial.check();
        trial
    }

    /// Delivers a notice an hour later than the last step; returns the number of writes and of conflicts.
    fn deliver(&mut self, announcement: &Announcement) -> (u32, usize) {
        self.hour += 1;
        self.base.borrow_mut().now = at(self.hour);
        self.last = Some(announcement.clone());
        let records = Simulated::new(&self.base, &self.dice, 0);
        let until = at(self.hour).checked_add(jiff::SignedDuration::from_mins(1)).unwrap();
        let mail = format!("{:?} {}", announcement.version.announced_at, announcement.version.digest);
        let claim = Claim { by: self.hour.to_string(), until };
        let claimant = Claimant { mail, claim, source: String::new() };
        let settled = run(deliver_mail(&records, &claimant, announcement, &circuits())).unwrap();
        (records.writes.get(), settled.conflicts.len())
    }

    fn event(&self) -> StoredEvent {
        let base = self.base.borrow();
        let [event] = base.events.values().collect::<Vec<_>>()[..] else { panic!("not one event: {:?}", told(&base)) };
        event.clone()
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Edit(_) | Step::Delete if self.is_deleted => {}
            Step::Edit(edit) => self.edit(edit),
            Step::Delete => {
                let event = self.event().id;
                self.base.borrow_mut().delete(event);
                self.is_deleted = true;
            }
            Step::Again => {
                let last = self.last.clone().unwrap();
                assert_eq!(self.deliver(&last), (0, 0), "the same mail again changes something");
            }
            Step::Notice(says) if self.is_deleted => {
                if says.says_more_than(&self.said) && !says.status.is_final() {
                    (self.said, self.stands, self.name) = (says.clone(), says.clone(), "CHG-1");
                    (self.is_deleted, self.is_acknowledged) = (false, false);
                    self.comments.clear();
                }
                let hour = self.hour + 1;
                assert_eq!(self.deliver(&says.announcement(hour)).1, 0);
                assert!(self.is_deleted || self.event().comments.contains("was deleted by hand"));
            }
            Step::Notice(says) => {
                let (before, mut conflicts) = (self.stands.clone(), 0);
                let (said, stands) = (&mut self.said, &mut self.stands);
                expected(&mut said.status, &mut stands.status, &says.status, &mut conflicts);
                expected(&mut said.start, &mut stands.start, &says.start, &mut conflicts);
                expected(&mut said.end, &mut stands.end, &says.end, &mut conflicts);
                expected(&mut said.zone, &mut stands.zone, &says.zone, &mut conflicts);
                expected(&mut said.summary, &mut stands.summary, &says.summary, &mut conflicts);
                for id in [1, 2, 3].map(CircuitId::new).into_iter().filter(|_| !says.impacts.is_empty()) {
                    let of = |fields: &Fields| fields.impacts.get(&id).copied();
                    let (mut one, mut other) = (of(said), of(stands));
                    expected(&mut one, &mut other, &of(says), &mut conflicts);
                    for (impact, fields) in [(one, &mut *said), (other, &mut *stands)] {
                        fields.impacts.remove(&id);
                        fields.impacts.extend(impact.map(|impact| (id, impact)));
                    }
                }
                let of = |fields: &Fields| (fields.status, fields.start, fields.end);
                self.is_acknowledged &= of(&before) == of(&self.stands);
                let hour = self.hour + 1;
                let (_, told) = self.deliver(&says.announcement(hour));
                assert_eq!(told, conflicts);
                assert!(conflicts <= self.event().comments.matches("> **Conflict**: ").count());
            }
        }
        self.check();
    }

    fn edit(&mut self, edit: &Edit) {
        let mut event = self.event();
        match edit {
            Edit::Status(status) => (event.status, self.stands.status) = (*status, *status),
            Edit::Start(hour) => (event.start, self.stands.start) = (at(*hour), *hour),
            Edit::End(hour) => (event.end, self.stands.end) = (at(*hour), *hour),
            Edit::Summary(text) => (event.summary, self.stands.summary) = ((*text).to_owned(), text),
            Edit::Zone(zone) => (event.zone, self.stands.zone) = (Some((*zone).to_owned()), zone),
            Edit::Name(name) => (event.name, self.name) = ((*name).to_owned(), name),
            Edit::Acknowledge => (event.acknowledged, self.is_acknowledged) = (true, true),
            Edit::Comment(text) => {
                event.comments = format!("{text}\n\n{}", event.comments);
                self.comments.push(text);
            }
            // The plugin refuses it once the event is over.
            Edit::Impact(..) if event.status.is_final() => return,
            Edit::Impact(circuit, impact) => {
                let circuit = CircuitId::new(*circuit);
                let mut base = self.base.borrow_mut();
                base.impacts.retain(|_, stored| stored.circuit != circuit);
                self.stands.impacts.remove(&circuit);
                if let Some(impact) = *impact {
                    let id = ImpactId::new(base.number());
                    base.impacts.insert(id, StoredImpact { id, event: event.id, circuit, impact: Some(impact) });
                    self.stands.impacts.insert(circuit, impact);
                }
                return;
            }
        }
        self.base.borrow_mut().store(event);
    }

    #[track_caller]
    fn check(&self) {
        if self.is_deleted {
            assert_eq!(told(&self.base.borrow()), Vec::<String>::new());
            return;
        }
        let event = self.event();
        let impacts =
            self.base.borrow().impacts.values().map(|impact| (impact.circuit, impact.impact.unwrap())).collect();
        let (start, end) = (event.start.as_second() / 3600, event.end.as_second() / 3600);
        let zone = event.zone.as_deref().unwrap();
        let stands = (event.status, start, end, event.summary.as_str(), zone, impacts);
        let Fields { status, start, end, summary, zone, impacts } = self.stands.clone();
        assert_eq!(stands, (status, start, end, summary, zone, impacts), "{}", event.comments);
        assert_eq!((event.acknowledged, event.name.as_str()), (self.is_acknowledged, self.name));
        let lost = self.comments.iter().find(|text| !event.comments.contains(**text));
        assert_eq!(lost, None, "{}", event.comments);
    }
}

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
