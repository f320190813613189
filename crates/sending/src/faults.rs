//! Every fault at every call, singly and in pairs, and then a second run: no place of records says that a mail was sent which was not, and
//! nothing is sent twice. With one place of records, and with two.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    future::{Future as _, pending, poll_fn},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use contract::sending::MailId;
use engine::{Class, Failure};
use proptest::prelude::*;

use crate::{
    record::{Earlier, Record, Sent},
    records::{Both, Records},
    request::{Request, tests::request},
    send::{Begun, NotSent, Patience, Sending, Services, send, settle},
};

/// The kinds of faults of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The service refuses; nothing was changed.
    Refuses,
    /// The service throttles; nothing was changed.
    Throttles,
    /// The service fails; nothing was changed.
    Fails,
    /// The service fails, after it has done its work.
    FailsAfter,
    /// The connection ends before the service has seen the call.
    CutBefore,
    /// The connection ends after the service has done its work.
    CutAfter,
    /// The process is killed before the call.
    KilledBefore,
    /// The process is killed after the service has done its work.
    KilledAfter,
}

const FAULTS: [Fault; 8] = [
    Fault::Refuses,
    Fault::Throttles,
    Fault::Fails,
    Fault::FailsAfter,
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::KilledBefore,
    Fault::KilledAfter,
];

/// Faults by the number of a call, from 0.
#[derive(Debug, Default)]
struct Faults {
    by_call: RefCell<BTreeMap<usize, Fault>>,
    calls: Cell<usize>,
    killed: Cell<bool>,
}

impl Faults {
    /// Does the work of a call, or not, as its fault says.
    async fn call<T>(&self, name: &str, work: impl FnOnce() -> T) -> Result<T, Failure> {
        let number = self.calls.replace(self.calls.get() + 1);
        let fault = self.by_call.borrow().get(&number).copied();
        let failed = |class, status, message: &str| Err(Failure { status, ..Failure::found(name, class, message) });
        match fault {
            None => Ok(work()),
            Some(Fault::Refuses) => failed(Class::Invalid, Some(400), "no"),
            Some(Fault::Throttles) => failed(Class::Throttled, Some(429), "slowly"),
            Some(Fault::Fails) => failed(Class::Unreachable, Some(500), "sorry"),
            Some(Fault::FailsAfter) => {
                work();
                failed(Class::Unreachable, Some(500), "sorry")
            }
            Some(Fault::CutBefore) => failed(Class::Unreachable, None, "cut"),
            Some(Fault::CutAfter) => {
                work();
                failed(Class::Unreachable, None, "cut")
            }
            Some(fault @ (Fault::KilledBefore | Fault::KilledAfter)) => {
                if fault == Fault::KilledAfter {
                    work();
                }
                self.killed.set(true);
                pending().await
            }
        }
    }
}

/// A place of records in memory.
#[derive(Debug, Default)]
struct Memory {
    faults: Rc<Faults>,
    requests: RefCell<BTreeMap<String, Earlier>>,
    pending: RefCell<BTreeMap<MailId, Record>>,
    /// Items that say `sent`, by message id.
    sent: RefCell<BTreeMap<String, Record>>,
}

/// The number of places of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Places {
    One,
    Two,
}

const PLACES: [Places; 2] = [Places::One, Places::Two];

/// An account in memory.
#[derive(Debug)]
struct World {
    faults: Rc<Faults>,
    places: Places,
    /// Places of records; of one place the second is not used.
    memories: [Memory; 2],
    bodies: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Mails that SES has accepted, with the tag of each.
    accepted: RefCell<Vec<(String, MailId)>>,
}

impl World {
    fn new(places: Places, faults: BTreeMap<usize, Fault>) -> Self {
        let faults = Rc::new(Faults { by_call: faults.into(), ..Faults::default() });
        let memories = [(); 2].map(|()| Memory { faults: faults.clone(), ..Memory::default() });
        Self { faults, places, memories, bodies: RefCell::default(), accepted: RefCell::default() }
    }

    /// Ends all faults; nobody is killed any more.
    fn mend(&self) {
        self.faults.by_call.borrow_mut().clear();
        self.faults.killed.set(false);
    }

    fn used(&self) -> &[Memory] {
        &self.memories[..if self.places == Places::One { 1 } else { 2 }]
    }

    fn both(&self) -> Both<&Memory, &Memory> {
        let [first, second] = &self.memories;
        Both(first, second)
    }

    /// Runs a request to its end, or until it is killed (`None`).
    fn run(&self, request: &Request) -> Option<Result<Sending, NotSent>> {
        let patience = Patience { attempts: 2, first_wait: Duration::ZERO };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let killed = poll_fn(|_| if self.faults.killed.get() { Poll::Ready(()) } else { Poll::Pending });
            tokio::select! {
                biased;
                result = send(self, request, "sent/", patience) => Some(result),
                () = killed => None,
            }
        })
    }

    /// Checks what must hold at every moment.
    fn check(&self) {
        let accepted: BTreeMap<String, MailId> = self.accepted.borrow().iter().cloned().collect();
        for memory in self.used() {
            self.check_memory(memory, &accepted);
        }
        assert!(self.accepted.borrow().len() <= 1, "a request was sent twice");
    }

    fn check_memory(&self, memory: &Memory, accepted: &BTreeMap<String, MailId>) {
        for (message_id, record) in &*memory.sent.borrow() {
            assert_eq!(accepted.get(message_id), Some(&record.id), "an item says `sent` falsely");
            assert!(!memory.pending.borrow().contains_key(&record.id), "a mail is both sent and pending");
            assert!(self.bodies.borrow().contains_key(&record.s3_key), "a sent mail has no body");
        }
        for earlier in memory.requests.borrow().values() {
            let sent = earlier.sent.as_ref().map(|sent| sent.message_id.clone());
            assert!(
                sent.is_none_or(|id| memory.sent.borrow().contains_key(&id)),
                "a request says `sent` without an item"
            );
        }
        let known: BTreeSet<MailId> = memory.sent.borrow().values().map(|record| record.id.clone()).collect();
        for id in accepted.values() {
            let is_pending = memory.pending.borrow().contains_key(id);
            assert!(known.contains(id) || is_pending, "a mail was accepted, and no item has its tag");
        }
    }
}

impl Records for &Memory {
    async fn find(&self, _: &str, request: &str) -> Result<Option<Earlier>, Failure> {
        self.faults.call("records.find", || self.requests.borrow().get(request).cloned()).await
    }

    async fn begin(&self, record: &Record) -> Result<Begun, Failure> {
        let write = || {
            let mut requests = self.requests.borrow_mut();
            // As `DynamoDB` without its token would: the same transaction again meets its own item.
            if requests.contains_key(&record.request) {
                return Begun::Taken;
            }
            let (id, begun, s3_key) = (record.id.clone(), record.begun, record.s3_key.clone());
            requests.insert(record.request.clone(), Earlier { id, begun, s3_key, sent: None, is_whole: true });
            self.pending.borrow_mut().insert(record.id.clone(), record.clone());
            Begun::Ours
        };
        self.faults.call("records.write", write).await
    }

    async fn confirm(&self, record: &Record, sent: &Sent) -> Result<(), Failure> {
        let write = || {
            self.sent.borrow_mut().insert(sent.message_id.clone(), record.clone());
            self.pending.borrow_mut().remove(&record.id);
            let (id, begun, s3_key) = (record.id.clone(), record.begun, record.s3_key.clone());
            let earlier = Earlier { id, begun, s3_key, sent: Some(sent.clone()), is_whole: true };
            self.requests.borrow_mut().insert(record.request.clone(), earlier);
        };
        self.faults.call("records.write", write).await
    }

    async fn withdraw(&self, record: &Record) -> Result<(), Failure> {
        let remove = || {
            self.pending.borrow_mut().remove(&record.id);
            self.requests.borrow_mut().retain(|_, earlier| earlier.id != record.id);
        };
        self.faults.call("records.remove", remove).await
    }
}

impl Services for World {
    async fn find(&self, sender: &str, request: &str) -> Result<Option<Earlier>, Failure> {
        match self.places {
            Places::One => (&self.memories[0]).find(sender, request).await,
            Places::Two => self.both().find(sender, request).await,
        }
    }

    async fn store(&self, record: &Record, body: &[u8]) -> Result<(), Failure> {
        let put = || drop(self.bodies.borrow_mut().insert(record.s3_key.clone(), body.to_vec()));
        self.faults.call("s3.PutObject", put).await
    }

    async fn begin(&self, record: &Record) -> Result<Begun, Failure> {
        match self.places {
            Places::One => (&self.memories[0]).begin(record).await,
            Places::Two => self.both().begin(record).await,
        }
    }

    async fn deliver(&self, _: &Request, record: &Record, _: &[u8]) -> Result<String, Failure> {
        let accept = || {
            let message_id = format!("0107-{}", self.accepted.borrow().len());
            self.accepted.borrow_mut().push((message_id.clone(), record.id.clone()));
            message_id
        };
        self.faults.call("sesv2.SendEmail", accept).await
    }

    async fn confirm(&self, record: &Record, sent: &Sent) -> Result<(), Failure> {
        match self.places {
            Places::One => (&self.memories[0]).confirm(record, sent).await,
            Places::Two => self.both().confirm(record, sent).await,
        }
    }

    async fn withdraw(&self, record: &Record) -> Result<(), Failure> {
        match self.places {
            Places::One => (&self.memories[0]).withdraw(record).await,
            Places::Two => self.both().withdraw(record).await,
        }
    }
}

/// Runs a request with faults and then again without, and checks the end of both.
fn twice(places: Places, faults: &BTreeMap<usize, Fault>) {
    let world = World::new(places, faults.clone());
    let first = world.run(&request());
    world.check();
    let accepted = world.accepted.borrow().len();
    world.mend();
    let second = world.run(&request()).unwrap();
    world.check();
    if let Ok(Sending::AlreadySent { id, .. }) = &second {
        // What one place of records did not learn from the first run it has learned from the second.
        for memory in world.used() {
            assert!(memory.sent.borrow().values().any(|record| record.id == *id), "{faults:?}");
            assert!(!memory.pending.borrow().contains_key(id), "{faults:?}");
        }
    }
    match (&first, &second) {
        (Some(Ok(Sending::Sent { record, sent })), Ok(Sending::AlreadySent { id, sent: again })) => {
            assert_eq!((&record.id, sent), (id, again), "{faults:?}");
        }
        // Nothing was sent by the first run, and the second knows it.
        (_, Ok(Sending::Sent { .. })) => assert_eq!(accepted, 0, "{faults:?}"),
        // Killed after everything was written.
        (None, Ok(Sending::AlreadySent { .. })) => assert_eq!(accepted, 1, "{faults:?}"),
        // The table was told, and its answer lost.
        (Some(Err(NotSent::NotRecorded { sent, .. })), Ok(Sending::AlreadySent { sent: again, .. })) => {
            assert_eq!(sent.message_id, again.message_id, "{faults:?}");
        }
        (first, Err(NotSent::Undecided(earlier))) => {
            let is_pending = |memory: &Memory| memory.pending.borrow().contains_key(&earlier.id);
            assert!(world.used().iter().any(is_pending), "{faults:?}");
            assert!(!matches!(first, Some(Ok(_))), "{faults:?}: a run that succeeded is known");
        }
        other => panic!("{faults:?}: {other:?}"),
    }
}

#[test]
fn every_fault_at_every_call_leaves_no_false_item_and_a_second_run_sends_nothing_twice() {
    // A run without faults makes five calls, eight with two places; with the retries and the removal of the record at most twice as many.
    for (places, calls) in [(Places::One, 10), (Places::Two, 16)] {
        for call in 0..calls {
            for fault in FAULTS {
                twice(places, &BTreeMap::from([(call, fault)]));
                for other in call + 1..calls {
                    for second in FAULTS {
                        twice(places, &BTreeMap::from([(call, fault), (other, second)]));
                    }
                }
            }
        }
    }
}

#[test]
fn a_refusal_or_a_fault_before_ses_is_no_reason_not_to_send_the_second_time() {
    for (call, fault) in
        [(0, Fault::Refuses), (1, Fault::Refuses), (2, Fault::Refuses), (3, Fault::Refuses), (3, Fault::Throttles)]
    {
        let world = World::new(Places::One, [(call, fault)].into());
        assert!(world.run(&request()).unwrap().is_err());
        world.mend();
        assert!(matches!(world.run(&request()), Some(Ok(Sending::Sent { .. }))), "{call} {fault:?}");
    }
}

#[test]
fn a_lost_answer_is_said_and_the_id_of_ses_can_be_recorded_later() {
    let world = World::new(Places::One, [(3, Fault::CutAfter)].into());
    assert!(matches!(world.run(&request()), Some(Err(NotSent::Unknown { .. }))));
    assert!(matches!(world.run(&request()), Some(Err(NotSent::Undecided(_)))));
    let patience = Patience { attempts: 1, first_wait: Duration::ZERO };
    let (same, other) = (request(), Request { key: "2".to_owned(), ..request() });
    let mut settling = pin!(settle(&world, &same, "0107-0", patience));
    let settled = settling.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(settled, Poll::Ready(Ok(Sending::Sent { .. }))), "{settled:?}");
    world.check();
    assert!(matches!(world.run(&request()), Some(Ok(Sending::AlreadySent { .. }))));
    let mut nothing = pin!(settle(&world, &other, "0107-0", patience));
    let nothing = nothing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(nothing, Poll::Ready(Err(NotSent::NothingPending)));
}

proptest! {
    #[test]
    fn any_faults_leave_no_false_item(faults in proptest::collection::btree_map(0..18_usize, 0..FAULTS.len(), 0..8)) {
        let faults = faults.into_iter().filter_map(|(call, fault)| Some((call, *FAULTS.get(fault)?))).collect();
        for places in PLACES {
            twice(places, &faults);
        }
    }
}

/// Another run of the same request was quicker, in the first place of records or in the second alone.
#[test]
fn a_record_is_begun_in_both_places_or_in_none() {
    let theirs = Record::new(&request(), MailId::of([9; 16]), "sent/", "2027-01-05T10:00:00Z".parse().unwrap());
    let ours = Record::new(&request(), MailId::of([7; 16]), "sent/", "2027-01-05T10:00:01Z".parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (place, expected) in [(None, Begun::Ours), (Some(0), Begun::Taken), (Some(1), Begun::Taken)] {
        let world = World::new(Places::Two, BTreeMap::new());
        runtime.block_on(async {
            if let Some(memory) = place.and_then(|place: usize| world.memories.get(place)) {
                assert_eq!(memory.begin(&theirs).await, Ok(Begun::Ours));
            }
            assert_eq!(world.begin(&ours).await, Ok(expected), "{place:?}");
            // The same once more, whose first answer was lost.
            assert_eq!(world.begin(&ours).await, Ok(expected), "{place:?}");
        });
        let has_ours = world.memories.iter().filter(|memory| memory.pending.borrow().contains_key(&ours.id)).count();
        assert_eq!(has_ours, if expected == Begun::Ours { 2 } else { 0 }, "{place:?}");
    }
}
