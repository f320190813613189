//! All orders: events shuffled and doubled, by several workers that are killed, with a database and a cache that go away, connections that
//! are cut and transactions that deadlock. In the end the rows are the model's.

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

use delivery::{Cache, Database, Location, RedisCache, Store};
use mysql_async::{Conn, Row, prelude::Queryable};
use tokio::{runtime, time::timeout};

use crate::{
    model::{End, Sample, ends, samples},
    servers::{MySql, Redis},
};

/// A queue as SQS is one: what was taken and not deleted comes again.
#[derive(Clone)]
struct Queue(Arc<Mutex<VecDeque<Sample>>>);

impl Queue {
    fn take(&self, most: usize) -> Vec<Sample> {
        let mut queue = self.0.lock().unwrap();
        let count = most.min(queue.len());
        queue.drain(..count).collect()
    }

    fn give_back(&self, samples: Vec<Sample>) {
        self.0.lock().unwrap().extend(samples);
    }
}

/// Number of events: as asked for by `PROVISION_EFFORT`.
fn count() -> usize {
    match env::var("PROVISION_EFFORT").as_deref() {
        Ok("whole") => 100_000,
        Ok("ci") => 5_000,
        _ => 1_000,
    }
}

/// Works until the queue stays empty; each "life" of the worker may be cut short at any moment by dropping what it does.
fn work(queue: &Queue, url: &str, cache_url: &str, is_killed: bool, seed: u64, lives: &AtomicUsize) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut random = fastrand::Rng::with_seed(seed);
    runtime.block_on(async {
        let mut away = 0;
        loop {
            let database = Database::new(Location::read(url, None).unwrap());
            let id = match database.id().await {
                Ok(id) => id,
                Err(fault) => {
                    away += 1;
                    assert!(away < 1000, "{fault}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let cache = RedisCache::new(cache_url, "shop-prod", &id).unwrap();
            // A killed worker has taken messages and not deleted them, whatever it had committed.
            let held = Arc::new(Mutex::new(Vec::new()));
            let life = live(queue, &database, &cache, &held);
            let ended = if is_killed && lives.load(Ordering::Relaxed) > 0 {
                timeout(Duration::from_millis(random.u64(5..150)), life).await.is_ok()
            } else {
                life.await;
                true
            };
            queue.give_back(std::mem::take(&mut held.lock().unwrap()));
            if ended && queue.0.lock().unwrap().is_empty() {
                return;
            }
            if !ended {
                let _ = lives.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            }
        }
    });
}

async fn live(queue: &Queue, database: &Database, cache: &RedisCache, held: &Mutex<Vec<Sample>>) {
    loop {
        let batch = queue.take(10);
        if batch.is_empty() {
            return;
        }
        held.lock().unwrap().clone_from(&batch);
        let changes: Vec<_> = batch.iter().flat_map(Sample::changes).collect();
        let ids: Vec<_> = changes.iter().map(|change| change.event_id).collect();
        let seen = cache.seen(&ids).await;
        let new: Vec<_> = changes.into_iter().zip(seen).filter(|(_, seen)| !seen).map(|(change, _)| change).collect();
        if let Ok(standings) = database.apply(&new).await {
            cache.remember(&ids, &standings).await;
            held.lock().unwrap().clear();
        } else {
            queue.give_back(std::mem::take(&mut held.lock().unwrap()));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Returns what the rows are: each mail with its status, the time of it, and its number of events.
async fn rows(connection: &mut Conn) -> BTreeMap<(String, String), End> {
    let found: Vec<(String, String, String, String, usize)> = connection
        .query(
            "SELECT message_id, recipient, status, DATE_FORMAT(status_at, '%Y-%m-%dT%H:%i:%s.000Z'),
             (SELECT COUNT(*) FROM mail_event WHERE mail_event.message_id = mail.message_id AND mail_event.recipient = mail.recipient)
             FROM mail",
        )
        .await
        .unwrap();
    found.into_iter().map(|(mail, recipient, status, at, count)| ((mail, recipient), (status, at, count))).collect()
}

/// Compares the rows with the model, and says how many differ.
fn compare(rows: &BTreeMap<(String, String), End>, expected: &BTreeMap<(String, String), End>) {
    let wrong: Vec<_> = expected.iter().filter(|(key, end)| rows.get(*key) != Some(*end)).take(5).collect();
    assert!(wrong.is_empty(), "{} rows, {} expected; wrong: {wrong:#?}", rows.len(), expected.len());
    assert_eq!(rows.len(), expected.len());
}

#[test]
fn events_in_any_order_and_doubled_end_as_the_model_says_whatever_fails() {
    let (Some(mut maria), Some(mut redis)) = (MySql::start(), Redis::start()) else { return };
    let count = count();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let all = samples(count, seed);
    let mut queued: Vec<Sample> = all.iter().chain(&all).cloned().collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut queued);
    let queue = Queue(Arc::new(Mutex::new(queued.into())));
    let (url, cache_url) = (maria.url(), redis.url());
    let (started, restarts) = (Instant::now(), if count > 10_000 { 10 } else { 2 });
    let lives = AtomicUsize::new(50);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let (queue, url, cache_url, lives) = (&queue, &url, &cache_url, &lives);
                scope.spawn(move || work(queue, url, cache_url, worker < 3, seed ^ worker, lives))
            })
            .collect();
        for round in 0..restarts {
            let before = queue.0.lock().unwrap().len();
            while queue.0.lock().unwrap().len() + count / restarts / 2 > before
                && workers.iter().any(|worker| !worker.is_finished())
            {
                thread::sleep(Duration::from_millis(10));
            }
            cut(&maria);
            redis.restart(Duration::from_millis(50));
            if round % 2 == 1 {
                maria.restart(Duration::from_millis(200));
            }
        }
    });
    let took = started.elapsed();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = maria.connection().await;
        let found = rows(&mut connection).await;
        compare(&found, &ends(&all));
        connection.disconnect().await.unwrap();
    });
    let killed = 50 - lives.load(Ordering::Relaxed);
    println!(
        "{count} events, doubled, {killed} workers killed, {restarts} restarts of Redis, {} of the database: {:.1} s, 0 lost, 0 doubled",
        restarts / 2,
        took.as_secs_f64()
    );
}

/// Cuts every connection to the database, as a failover does.
fn cut(maria: &MySql) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = maria.connection().await;
        let own = u64::from(connection.id());
        let others: Vec<Row> = connection.query("SHOW PROCESSLIST").await.unwrap();
        let others = others.into_iter().filter_map(|row| row.get::<u64, _>("Id")).filter(|other| *other != own);
        for other in others {
            // It may have ended by itself.
            let _gone = connection.query_drop(format!("KILL CONNECTION {other}")).await;
        }
        connection.disconnect().await.unwrap();
    });
}

/// Prints events a second, without faults: one worker, batches of ten, the time of the worker's own core beside the clock's.
#[test]
fn events_a_second() {
    let (Some(maria), Some(redis)) = (MySql::start(), Redis::start()) else { return };
    let count = count();
    let queue = Queue(Arc::new(Mutex::new(samples(count, 1).into())));
    let lives = AtomicUsize::new(0);
    let (started, before) = (Instant::now(), processor_seconds());
    work(&queue, &maria.url(), &redis.url(), false, 1, &lives);
    let (took, used) = (started.elapsed().as_secs_f64(), processor_seconds() - before);
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let count = count as f64;
    println!(
        "{count} events: {:.0} a second by the clock, {:.0} a second of the worker's core",
        count / took,
        count / used
    );
    assert!(queue.0.lock().unwrap().is_empty());
}

/// Returns the seconds of a processor that this thread has taken.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// Two workers that touch the same rows in opposite order deadlock, and both end.
#[test]
fn workers_that_deadlock_both_end() {
    let Some(maria) = MySql::start() else { return };
    let all = samples(60, 7);
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let forward: Vec<_> = all.iter().flat_map(Sample::changes).collect();
        let backward: Vec<_> = forward.iter().rev().cloned().collect();
        maria.database().reach().await.unwrap();
        for _ in 0..20 {
            let (one, other) = (maria.database(), maria.database());
            let (one, other) = tokio::join!(one.apply(&forward), other.apply(&backward));
            one.unwrap();
            other.unwrap();
        }
        let mut connection = maria.connection().await;
        compare(&rows(&mut connection).await, &ends(&all));
    });
}
