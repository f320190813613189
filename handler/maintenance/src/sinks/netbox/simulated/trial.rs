//! A model of an event that people and notices change in turn: it knows three values of each field, and compares what NetBox has with
//! what must stand there.

use notice::model::Moment;

use super::*;

/// The fields of an event that both people and notices change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) status: EventStatus,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) summary: &'static str,
    pub(super) zone: &'static str,
    pub(super) impacts: BTreeMap<CircuitId, Impact>,
}

/// A person's change of an event.
#[derive(Debug, Clone)]
pub(super) enum Edit {
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
pub(super) enum Step {
    Edit(Edit),
    /// A person deletes the event.
    Delete,
    /// A newer notice; it may say what the last one said.
    Notice(Fields),
    /// The last mail once more.
    Again,
}

/// A NetBox with one event, and what must stand there.
pub(super) struct Trial {
    pub(super) base: RefCell<Base>,
    pub(super) dice: Dice,
    hour: i64,
    pub(super) last: Option<Announcement>,
    /// Last values in the notices.
    said: Fields,
    /// Values that must stand in NetBox.
    stands: Fields,
    is_acknowledged: bool,
    is_deleted: bool,
    name: &'static str,
    comments: Vec<&'static str>,
}

pub(super) fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(hour * 3600).unwrap()
}

pub(super) fn first() -> Fields {
    let impacts = [(CircuitId::new(1), Impact::Outage)].into();
    Fields { status: EventStatus::Confirmed, start: 1000, end: 2000, summary: "splicing", zone: "UTC", impacts }
}

impl Fields {
    pub(super) fn says_more_than(&self, said: &Self) -> bool {
        let is_impact = !self.impacts.is_empty() && self.impacts != said.impacts;
        // The time zone alone is no news: the window is the same.
        is_impact || Self { impacts: said.impacts.clone(), zone: said.zone, ..self.clone() } != *said
    }

    pub(super) fn announcement(&self, hour: i64) -> Announcement {
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
    pub(super) fn start() -> Self {
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
    pub(super) fn deliver(&mut self, announcement: &Announcement) -> (u32, usize) {
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

    pub(super) fn event(&self) -> StoredEvent {
        let base = self.base.borrow();
        let [event] = base.events.values().collect::<Vec<_>>()[..] else { panic!("not one event: {:?}", told(&base)) };
        event.clone()
    }

    pub(super) fn apply(&mut self, step: &Step) {
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
            Step::Notice(says) if self.is_deleted => self.notice_after_deletion(says),
            Step::Notice(says) => self.notice(says),
        }
        self.check();
    }

    /// A notice makes a deleted event anew only if it says more than the ones before it.
    fn notice_after_deletion(&mut self, says: &Fields) {
        if says.says_more_than(&self.said) && !says.status.is_final() {
            (self.said, self.stands, self.name) = (says.clone(), says.clone(), "CHG-1");
            (self.is_deleted, self.is_acknowledged) = (false, false);
            self.comments.clear();
        }
        let hour = self.hour + 1;
        assert_eq!(self.deliver(&says.announcement(hour)).1, 0);
        assert!(self.is_deleted || self.event().comments.contains("was deleted by hand"));
    }

    /// A notice changes what it says anew, and leaves the rest as people have written it.
    fn notice(&mut self, says: &Fields) {
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

    pub(super) fn edit(&mut self, edit: &Edit) {
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
