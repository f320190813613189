//! Many events, doubled and shuffled, with faults at the brokers, at the table and at the topic of SNS, and a function that is killed: none
//! is lost, a mail's are in one partition, and they can be put in order and told apart.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    env,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use events::{Reading, read};
use function_trial::Answer;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    broker::{Broker, Kept},
    front::Fault,
    table::Table,
    trial::{SENDER, event, function, notifications},
};

/// Functions at a time.
const AT_A_TIME: usize = 8;
/// Events of a mail.
const OF_A_MAIL: [&str; 5] = ["Send", "DeliveryDelay", "Delivery", "Open", "Click"];
/// Maximum deliveries of a notification.
const DELIVERIES: usize = 30;

/// Returns a number below `limit` that follows from a text.
fn number(text: &str, limit: u64) -> u64 {
    let digest = Sha256::digest(text);
    u64::from_be_bytes(digest[..8].try_into().unwrap()) % limit
}

/// A notification that waits: its id, its message, and how often it was delivered.
type Waiting = (String, String, usize);

struct Chaos {
    broker: Broker,
    table: Table,
    waiting: Mutex<VecDeque<Waiting>>,
    open: AtomicUsize,
    invocations: AtomicUsize,
    failed: AtomicUsize,
    again: AtomicUsize,
    killed: AtomicUsize,
    kills: usize,
}

#[test]
fn no_event_is_lost_and_each_can_be_told_apart_and_put_in_order() {
    // Percent of 20,000 mails.
    let percent = match env::var("PROVISION_EFFORT").as_deref() {
        Ok("whole") => 100,
        Ok("ci") => 2,
        _ => 1,
    };
    let (mails, kills) = (200 * percent, if percent == 100 { 50 } else { 4 });
    let began = Instant::now();
    let (broker, table) = (Broker::start(3, 12), Table::start());
    table.forget();
    broker.front.choose(|turn| match number(&format!("broker {turn}"), 60) {
        0 => Fault::Lost,
        1 | 2 => Fault::AnswerLost,
        3 => Fault::Code(6),
        4 => Fault::Code(7),
        5 => Fault::Code(19),
        _ => Fault::None,
    });
    table.choose(|turn| match number(&format!("table {turn}"), 40) {
        0 => Some(Answer::new(400, r#"{"__type":"x#ThrottlingException"}"#)),
        1 => Some(Answer::new(500, r#"{"__type":"x#InternalServerError"}"#)),
        2 => Some(Answer::Close),
        3 => Some(Answer::new(503, "")),
        _ => None,
    });
    let (waiting, expected) = published(&table, mails);
    let open = AtomicUsize::new(waiting.len());
    let (notifications, zero) = (waiting.len(), || AtomicUsize::new(0));
    let waiting = Mutex::new(VecDeque::from(waiting));
    let chaos = Chaos {
        broker,
        table,
        waiting,
        open,
        invocations: zero(),
        failed: zero(),
        again: zero(),
        killed: zero(),
        kills,
    };
    thread::scope(|scope| {
        for worker in 0..AT_A_TIME {
            let chaos = &chaos;
            scope.spawn(move || work(chaos, worker));
        }
    });
    let kept = chaos.broker.kept();
    let seconds = began.elapsed().as_secs_f64();
    let doubles = checked(&kept, &expected);
    println!(
        "{} events of {mails} mails in {notifications} notifications, {AT_A_TIME} functions at a time, in {seconds:.1} s: {} invocations, \
         {} failed, {} delivered again after success, {} kills, {} faults of brokers; {} messages, 0 lost, {doubles} doubles",
        expected.len(),
        chaos.invocations.load(Ordering::SeqCst),
        chaos.failed.load(Ordering::SeqCst),
        chaos.again.load(Ordering::SeqCst),
        chaos.killed.load(Ordering::SeqCst),
        chaos.broker.front.faults.load(Ordering::SeqCst),
        kept.len(),
    );
    assert_eq!(chaos.killed.load(Ordering::SeqCst), kills);
}

/// Returns notifications of all events, each twice, in no order, and the id and template that each of them must have.
fn published(table: &Table, mails: usize) -> (Vec<Waiting>, BTreeMap<String, Option<String>>) {
    let (mut waiting, mut expected) = (Vec::new(), BTreeMap::new());
    let first: Timestamp = "2027-01-05T11:00:00Z".parse().unwrap();
    for mail in 0..mails {
        let id = format!("{mail:016x}-1b9e7a55-000000");
        // The table knows nine of ten.
        let template = (mail % 10 > 0).then(|| format!("template-{}", mail % 7));
        if let Some(template) = &template {
            table.put(SENDER, &format!("{id}#2027-01-05 11:00"), Some(template));
        }
        let sent_at = first + Duration::from_millis(mail as u64);
        for (place, kind) in OF_A_MAIL.iter().enumerate() {
            let at = if place == 0 { sent_at } else { sent_at + Duration::from_millis(place as u64 * 137) };
            let notification = format!("{id}-{kind}");
            let recipient = format!("person-{mail}@example.org");
            let text = event(kind, &id, &recipient, &sent_at.to_string(), &at.to_string());
            let Ok(Reading::Event(read)) = read(&text) else { panic!("{text}") };
            for addressed in read.messages(&notification, template.as_deref()) {
                expected.insert(addressed.dedup_id, template.clone());
            }
            waiting.extend((0..2).map(|_| (notification.clone(), text.clone(), 0)));
        }
    }
    let mut keyed: Vec<(u64, Waiting)> = waiting
        .into_iter()
        .enumerate()
        .map(|(index, one)| (number(&format!("{index} {}", one.0), u64::MAX), one))
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    (keyed.into_iter().map(|(_, one)| one).collect(), expected)
}

/// Invokes a function until no notification waits. It is killed now and then, in the midst of an invocation, and another one follows.
fn work(chaos: &Chaos, worker: usize) {
    let (mut lambda, mut running) = function(&chaos.broker, &chaos.table, &[]);
    for turn in 0.. {
        if chaos.open.load(Ordering::SeqCst) == 0 {
            break;
        }
        let Some((id, text, deliveries)) = chaos.waiting.lock().unwrap().pop_front() else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        assert!(deliveries < DELIVERIES, "{id} is never written");
        let event = notifications(&[(&id, &text)]).to_string();
        let request = format!("r-{worker}-{turn}");
        chaos.invocations.fetch_add(1, Ordering::SeqCst);
        let is_killed = turn > 3 && number(&request, 5) == 0 && {
            let more = |killed| (killed < chaos.kills).then_some(killed + 1);
            chaos.killed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
        };
        let is_done = if is_killed {
            lambda.prepare(&request, &event);
            thread::sleep(Duration::from_micros(number(&format!("pause {request}"), 15_000)));
            let (_, errors) = std::mem::replace(&mut running, {
                let (next, running) = function(&chaos.broker, &chaos.table, &[]);
                lambda = next;
                running
            })
            .stop();
            assert!(!errors.contains("panicked"), "{errors}");
            false
        } else {
            let said = lambda.invoke(&request, &event);
            chaos.failed.fetch_add(usize::from(said.error_type.is_some()), Ordering::SeqCst);
            said.error_type.is_none()
        };
        // A tenth of what was written is delivered again: SNS promises at least once.
        let is_again = is_done && deliveries == 0 && number(&format!("sns {request}"), 10) == 0;
        chaos.again.fetch_add(usize::from(is_again), Ordering::SeqCst);
        if is_done && !is_again {
            chaos.open.fetch_sub(1, Ordering::SeqCst);
        } else {
            chaos.waiting.lock().unwrap().push_back((id, text, deliveries + 1));
        }
    }
    let (_, errors) = running.stop();
    assert!(!errors.contains("panicked"), "{errors}");
}

/// Asserts what consumers are promised; returns the number of doubles.
fn checked(kept: &[Kept], expected: &BTreeMap<String, Option<String>>) -> usize {
    let mut of_mail: BTreeMap<&str, Vec<&Kept>> = BTreeMap::new();
    let mut of_id: BTreeMap<&str, &Kept> = BTreeMap::new();
    for one in kept {
        of_mail.entry(&one.key).or_default().push(one);
        let same = of_id.entry(&one.dedup_id).or_insert(one);
        assert_eq!((&same.value, same.partition), (&one.value, one.partition), "doubles are equal");
    }
    let lost: Vec<_> = expected.keys().filter(|id| !of_id.contains_key(id.as_str())).collect();
    assert!(lost.is_empty() && of_id.len() == expected.len(), "{} lost", lost.len());
    for (id, one) in &of_id {
        assert_eq!(one.value["template_id"].as_str(), expected[*id].as_deref());
    }
    for (mail, mut all) in of_mail {
        let partitions: BTreeSet<i32> = all.iter().map(|one| one.partition).collect();
        assert_eq!(partitions.len(), 1, "{mail}");
        all.sort_by_key(|one| one.value["store_id"].as_str().unwrap().to_owned());
        let mut kinds: Vec<&str> = all.iter().map(|one| one.value["notify_type"].as_str().unwrap()).collect();
        kinds.dedup();
        assert_eq!(kinds, OF_A_MAIL, "{mail}");
    }
    kept.len() - of_id.len()
}
