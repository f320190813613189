//! Every fault at every call, singly and in pairs, and then a second run: the table never says that a mail was sent which was not, and
//! nothing is sent twice.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    future::{Future as _, pending, poll_fn},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use contract::sending::MailId;
use engine::{Class, Failure};
use proptest::prelude::*;

use crate::{
    record::{Earlier, Record, Sent},
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

/// An account in memory, with faults by the number of a call, from 0.
#[derive(Debug, Default)]
struct World {
    faults: RefCell<BTreeMap<usize, Fault>>,
    calls: Cell<usize>,
    killed: Cell<bool>,
    bodies: RefCell<BTreeMap<String, Vec<u8>>>,
    requests: RefCell<BTreeMap<String, Earlier>>,
    pending: RefCell<BTreeMap<MailId, Record>>,
    /// Items that say `sent`, by message id.
    sent: RefCell<BTreeMap<String, Record>>,
    /// Mails that SES has accepted, with the tag of each.
    accepted: RefCell<Vec<(String, MailId)>>,
}

impl World {
    /// Does the work of a call, or not, as its fault says.
    async fn call<T>(&self, name: &str, work: impl FnOnce() -> T) -> Result<T, Failure> {
        let number = self.calls.replace(self.calls.get() + 1);
        let fault = self.faults.borrow().get(&number).copied();
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

    /// Runs a request to its end, or until it is killed (`None`).
    fn run(&self, request: &Request) -> Option<Result<Sending, NotSent>> {
        let patience = Patience { attempts: 2, first_wait: Duration::ZERO };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let killed = poll_fn(|_| if self.killed.get() { Poll::Ready(()) } else { Poll::Pending });
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
        for (message_id, record) in &*self.sent.borrow() {
            assert_eq!(accepted.get(message_id), Some(&record.id), "an item says `sent` falsely");
            assert!(!self.pending.borrow().contains_key(&record.id), "a mail is both sent and pending");
            assert!(self.bodies.borrow().contains_key(&record.s3_key), "a sent mail has no body");
        }
        for earlier in self.requests.borrow().values() {
            let sent = earlier.sent.as_ref().map(|sent| sent.message_id.clone());
            assert!(
                sent.is_none_or(|id| self.sent.borrow().contains_key(&id)),
                "a request says `sent` without an item"
            );
        }
        let known: BTreeSet<MailId> = self.sent.borrow().values().map(|record| record.id.clone()).collect();
        for (_, id) in &*self.accepted.borrow() {
            let is_pending = self.pending.borrow().contains_key(id);
            assert!(known.contains(id) || is_pending, "a mail was accepted, and no item has its tag");
        }
        assert!(self.accepted.borrow().len() <= 1, "a request was sent twice");
    }
}

impl Services for World {
    async fn find(&self, _: &str, request: &str) -> Result<Option<Earlier>, Failure> {
        self.call("dynamodb.GetItem", || self.requests.borrow().get(request).cloned()).await
    }

    async fn store(&self, record: &Record, body: &[u8]) -> Result<(), Failure> {
        let put = || drop(self.bodies.borrow_mut().insert(record.s3_key.clone(), body.to_vec()));
        self.call("s3.PutObject", put).await
    }

    async fn begin(&self, record: &Record) -> Result<Begun, Failure> {
        let write = || {
            let mut requests = self.requests.borrow_mut();
            // As `DynamoDB` without its token would: the same transaction again meets its own item.
            if requests.contains_key(&record.request) {
                return Begun::Taken;
            }
            let (id, begun, s3_key) = (record.id.clone(), record.begun, record.s3_key.clone());
            requests.insert(record.request.clone(), Earlier { id, begun, s3_key, sent: None });
            self.pending.borrow_mut().insert(record.id.clone(), record.clone());
            Begun::Ours
        };
        self.call("dynamodb.TransactWriteItems", write).await
    }

    async fn deliver(&self, _: &Request, record: &Record, _: &[u8]) -> Result<String, Failure> {
        let accept = || {
            let message_id = format!("0107-{}", self.accepted.borrow().len());
            self.accepted.borrow_mut().push((message_id.clone(), record.id.clone()));
            message_id
        };
        self.call("sesv2.SendEmail", accept).await
    }

    async fn confirm(&self, record: &Record, sent: &Sent) -> Result<(), Failure> {
        let write = || {
            self.sent.borrow_mut().insert(sent.message_id.clone(), record.clone());
            self.pending.borrow_mut().remove(&record.id);
            let (id, begun, s3_key) = (record.id.clone(), record.begun, record.s3_key.clone());
            let earlier = Earlier { id, begun, s3_key, sent: Some(sent.clone()) };
            self.requests.borrow_mut().insert(record.request.clone(), earlier);
        };
        self.call("dynamodb.TransactWriteItems", write).await
    }

    async fn withdraw(&self, record: &Record) -> Result<(), Failure> {
        let remove = || {
            self.pending.borrow_mut().remove(&record.id);
            self.requests.borrow_mut().retain(|_, earlier| earlier.id != record.id);
        };
        self.call("dynamodb.TransactWriteItems", remove).await
    }
}

/// Runs a request with faults and then again without, and checks the end of both.
fn twice(faults: &BTreeMap<usize, Fault>) {
    let world = World { faults: RefCell::new(faults.clone()), ..World::default() };
    let first = world.run(&request());
    world.check();
    let accepted = world.accepted.borrow().len();
    world.faults.borrow_mut().clear();
    world.killed.set(false);
    let second = world.run(&request()).unwrap();
    world.check();
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
            assert!(world.pending.borrow().contains_key(&earlier.id), "{faults:?}");
            assert!(!matches!(first, Some(Ok(_))), "{faults:?}: a run that succeeded is known");
        }
        other => panic!("{faults:?}: {other:?}"),
    }
}

#[test]
fn every_fault_at_every_call_leaves_no_false_item_and_a_second_run_sends_nothing_twice() {
    // A run without faults makes five calls; with the retries and the removal of the record at most ten.
    for call in 0..10 {
        for fault in FAULTS {
            twice(&BTreeMap::from([(call, fault)]));
            for other in call + 1..10 {
                for second in FAULTS {
                    twice(&BTreeMap::from([(call, fault), (other, second)]));
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
        let world = World { faults: RefCell::new([(call, fault)].into()), ..World::default() };
        assert!(world.run(&request()).unwrap().is_err());
        world.faults.borrow_mut().clear();
        assert!(matches!(world.run(&request()), Some(Ok(Sending::Sent { .. }))), "{call} {fault:?}");
    }
}

#[test]
fn a_lost_answer_is_said_and_the_id_of_ses_can_be_recorded_later() {
    let world = World { faults: RefCell::new([(3, Fault::CutAfter)].into()), ..World::default() };
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
    fn any_faults_leave_no_false_item(faults in proptest::collection::btree_map(0..12_usize, 0..FAULTS.len(), 0..8)) {
        let faults = faults.into_iter().filter_map(|(call, fault)| Some((call, *FAULTS.get(fault)?))).collect();
        twice(&faults);
    }
}
