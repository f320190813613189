//! Many posts, a platform that misbehaves, and workers that are killed: each output is stored once, whole, and is not fetched again once
//! it is stored.

use std::{
    collections::{BTreeMap, VecDeque},
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    bucket::{Bucket, hex},
    platform::{Job, Odd, Platform},
    runtime_api::{Ended, Instance},
    trial::{environment, event, job},
};

/// Workers, and posts at a time.
const AT_A_TIME: usize = 8;
/// Time that an invocation has.
const TIME: Duration = Duration::from_secs(5);
/// Maximum deliveries of a message: more than any needs here, and a limit for one that never ends.
const RECEIVES: usize = 40;

/// A queue: bodies with the number of their deliveries.
#[derive(Default)]
struct Queue {
    waiting: Mutex<VecDeque<(String, usize)>>,
    /// Messages that are waiting or being handled.
    open: AtomicUsize,
    redelivered: AtomicUsize,
    posts: AtomicUsize,
}

impl Queue {
    fn post(&self, body: String) {
        self.posts.fetch_add(1, Ordering::SeqCst);
        self.open.fetch_add(1, Ordering::SeqCst);
        self.waiting.lock().unwrap().push_back((body, 0));
    }

    fn receive(&self, most: usize) -> Vec<(String, usize)> {
        let mut waiting = self.waiting.lock().unwrap();
        let count = most.min(waiting.len());
        waiting.drain(..count).collect()
    }

    fn deliver_again(&self, (body, receives): (String, usize)) {
        assert!(receives < RECEIVES, "{body} is never done");
        self.redelivered.fetch_add(1, Ordering::SeqCst);
        self.waiting.lock().unwrap().push_back((body, receives + 1));
    }
}

/// The surroundings of the workers.
struct Chaos {
    queue: Queue,
    platform: Platform,
    bucket: Bucket,
    /// Ids of the processes that handle a batch.
    busy: Mutex<Vec<u32>>,
    killed: AtomicUsize,
    kills: usize,
    lines: Mutex<Vec<Value>>,
    is_over: AtomicUsize,
}

/// Returns a number that follows from a text and a seed, below `limit`.
fn number(text: &str, seed: usize, limit: usize) -> usize {
    let digest = hex(format!("{text} {seed}").as_bytes());
    usize::from_str_radix(&digest[..12], 16).unwrap() % limit
}

/// Returns the output of a job: small, and now and then in parts.
fn output(index: usize, id: &str) -> Vec<u8> {
    let size = if index % 250 == 17 { 8 * 1024 * 1024 + number(id, 1, 3_000_000) } else { number(id, 1, 20_000) };
    let seed = number(id, 2, 251);
    (0..size).map(|at| u8::try_from((at + seed) % 256).unwrap()).collect()
}

/// Returns an odd answer to a tenth of the requests.
fn misbehave(id: &str, turn: usize, is_output: bool) -> Option<Odd> {
    if number(id, turn + 100, 10) > 0 {
        return None;
    }
    Some(match number(id, turn + 200, if is_output { 7 } else { 5 }) {
        0 => Odd::Status(429, "Retry-After: 0\r\n".to_owned()),
        1 => Odd::Status(500, String::new()),
        2 => Odd::Status(503, "Retry-After: 0\r\n".to_owned()),
        3 => Odd::Status(502, String::new()),
        4 => Odd::Silence,
        5 => Odd::Cut,
        _ => Odd::CutInPieces,
    })
}

#[test]
fn every_output_is_stored_once_whatever_happens() {
    let is_whole = env::var("PROVISION_EFFORT").is_ok_and(|effort| effort == "whole");
    let (posts, kills) = if is_whole { (10_000, 20) } else { (600, 6) };
    let began = Instant::now();
    let (platform, bucket) = (Platform::start(), Bucket::start());
    let count = posts * 10 / 13;
    let jobs: Vec<(String, String)> = (0..count)
        .map(|index| {
            let id = format!("{index:08x}-51a1-4948-a827-ce4c31ec53ed");
            let output = output(index, &id);
            let digest = hex(&output);
            platform.add(&id, Job::complete(&output));
            (id, digest)
        })
        .collect();
    let (odd, turns) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let counted = Arc::clone(&odd);
    platform.choose(move |id, is_output| {
        let odd = misbehave(id, turns.fetch_add(1, Ordering::SeqCst), is_output);
        counted.fetch_add(usize::from(odd.is_some()), Ordering::SeqCst);
        odd
    });
    let chaos = Arc::new(Chaos {
        queue: Queue::default(),
        platform,
        bucket,
        busy: Mutex::default(),
        killed: AtomicUsize::new(0),
        kills,
        lines: Mutex::default(),
        is_over: AtomicUsize::new(0),
    });
    run(&chaos, &jobs);
    report(&chaos, &jobs, odd.load(Ordering::SeqCst), began);
}

/// Posts each job, three of ten twice, and lets workers work until the queue is empty.
fn run(chaos: &Arc<Chaos>, jobs: &[(String, String)]) {
    thread::scope(|scope| {
        for sender in 0..AT_A_TIME {
            let chaos = Arc::clone(chaos);
            scope.spawn(move || {
                for (index, (id, _)) in jobs.iter().enumerate().filter(|(index, _)| index % AT_A_TIME == sender) {
                    chaos.queue.post(job(id));
                    if index % 10 < 3 {
                        chaos.queue.post(job(id));
                    }
                }
            });
        }
        let workers: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(|| work(chaos))).collect();
        scope.spawn(|| kill(chaos));
        for worker in workers {
            worker.join().unwrap();
        }
        chaos.is_over.store(1, Ordering::SeqCst);
    });
}

/// Works on batches until the queue is empty; a worker that was killed is followed by another, and its messages come again.
fn work(chaos: &Chaos) {
    let environment = environment(&chaos.platform, &chaos.bucket, &[]);
    let mut instance = Instance::start(&environment);
    let mut idle = 0;
    while idle < 50 {
        let batch = chaos.queue.receive(10);
        if batch.is_empty() {
            // Others may still fail and give theirs back.
            idle = if chaos.queue.open.load(Ordering::SeqCst) == 0 { idle + 25 } else { 0 };
            thread::sleep(Duration::from_millis(10));
            continue;
        }
        let bodies: Vec<String> = batch.iter().map(|(body, _)| body.clone()).collect();
        let id = instance.id();
        chaos.busy.lock().unwrap().push(id);
        let ended = instance.invoke(TIME, &event(&bodies));
        chaos.busy.lock().unwrap().retain(|busy| *busy != id);
        let failed: Vec<usize> = match &ended {
            Ended::Answer(answer) => answer["batchItemFailures"]
                .as_array()
                .unwrap()
                .iter()
                .map(|failure| failure["itemIdentifier"].as_str().unwrap()[2..].parse().unwrap())
                .collect(),
            Ended::Error(error) => panic!("{error}"),
            Ended::Died => (0..batch.len()).collect(),
        };
        if matches!(ended, Ended::Died) {
            let (lines, _) = std::mem::replace(&mut instance, Instance::start(&environment)).stop();
            chaos.lines.lock().unwrap().extend(lines);
        }
        for (index, message) in batch.into_iter().enumerate() {
            if failed.contains(&index) {
                chaos.queue.deliver_again(message);
            } else {
                chaos.queue.open.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }
    let (lines, errors) = instance.stop();
    assert!(!errors.contains("panicked"), "{errors}");
    chaos.lines.lock().unwrap().extend(lines);
}

/// Kills workers while they work: evenly over the first nine tenths of the jobs.
fn kill(chaos: &Chaos) {
    while chaos.is_over.load(Ordering::SeqCst) == 0 {
        let killed = chaos.killed.load(Ordering::SeqCst);
        let posts = chaos.queue.posts.load(Ordering::SeqCst);
        let done = posts - chaos.queue.open.load(Ordering::SeqCst);
        if killed < chaos.kills && done > posts * 9 * killed / chaos.kills / 10 {
            let busy = chaos.busy.lock().unwrap();
            if let Some(id) = busy.get(killed % busy.len().max(1)) {
                // By its id: it is a child of this very process, which has not waited for it yet.
                let status = std::process::Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap();
                chaos.killed.fetch_add(usize::from(status.success()), Ordering::SeqCst);
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn report(chaos: &Chaos, jobs: &[(String, String)], odd: usize, began: Instant) {
    let (mut outcomes, lines) = (BTreeMap::new(), chaos.lines.lock().unwrap());
    for line in lines.iter() {
        *outcomes.entry(line["outcome"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    let mut downloads: BTreeMap<String, usize> = BTreeMap::new();
    for seen in chaos.platform.seen() {
        if let Some(id) = seen.path.strip_prefix("/v1/jobs/").and_then(|rest| rest.strip_suffix("/output")) {
            *downloads.entry(id.to_owned()).or_default() += 1;
        }
    }
    // Each request for an output follows a look that found none: a stored one is not fetched again.
    let late =
        downloads.iter().filter(|(id, count)| **count > chaos.bucket.misses(&format!("labels/{id}.json"))).count();
    println!(
        "{} posts of {} jobs, {AT_A_TIME} at a time, in {:.1} s: {} deliveries again, {} kills, {odd} odd answers to {} requests, \
         {} requests for outputs, {late} of a stored one; (uploads left, begun) {:?}; outcomes {}",
        chaos.queue.posts.load(Ordering::SeqCst),
        jobs.len(),
        began.elapsed().as_secs_f64(),
        chaos.queue.redelivered.load(Ordering::SeqCst),
        chaos.killed.load(Ordering::SeqCst),
        chaos.platform.requests(),
        downloads.values().sum::<usize>(),
        chaos.bucket.uploads(),
        json!(outcomes),
    );
    assert_eq!(chaos.killed.load(Ordering::SeqCst), chaos.kills);
    assert_eq!(chaos.bucket.keys().len(), jobs.len());
    for (id, digest) in jobs {
        let object = chaos.bucket.object(&format!("labels/{id}.json")).unwrap_or_else(|| panic!("{id} is missing"));
        assert_eq!(object.digest(), *digest, "{id}");
    }
    assert!(chaos.bucket.uploads().0 <= chaos.kills, "only a killed worker leaves an upload");
    assert_eq!(late, 0, "a stored output was fetched again");
}
