//! The cache: what it knows, what it forgets, and that nothing depends on it.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use delivery::{Cache, NotCacheAddress, RedisCache, Standing, Status};
use redis::AsyncCommands;

use crate::servers::Redis;

fn standing(recipient: &str, status: Status) -> Standing {
    Standing { message_id: "m-1".to_owned(), recipient: recipient.to_owned(), status, is_parked: false }
}

#[tokio::test]
async fn events_are_known_by_their_database_and_statuses_only_rise() {
    let Some(redis) = Redis::start() else { return };
    let cache = RedisCache::new(&redis.url(), "shop-prod", "db-1").unwrap();
    let (known, unknown) = ([1; 32], [2; 32]);
    assert_eq!(cache.seen(&[known, unknown]).await, [false, false]);
    for status in [Status::Delivered, Status::Bounced, Status::Sent, Status::Complained, Status::Opened] {
        cache.remember(&[known], &[standing("ada@example.org", status), standing("b@example.org", Status::Sent)]).await;
    }
    assert_eq!(cache.seen(&[known, unknown]).await, [true, false]);
    // A batch without an event is no reason to leave the cache out.
    cache.remember(&[], &[]).await;
    assert_eq!(cache.seen(&[known]).await, [true]);
    // Another database does not have it, whatever the cache has.
    assert_eq!(RedisCache::new(&redis.url(), "shop-prod", "db-2").unwrap().seen(&[known]).await, [false]);
    let mut connection = redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let statuses: Vec<(String, String)> = connection.hgetall("shop-prod:mail:m-1").await.unwrap();
    let mut words: Vec<_> = statuses.iter().map(|(recipient, word)| format!("{recipient} {word}")).collect();
    words.sort();
    assert_eq!(words, ["ada@example.org 100 complained", "b@example.org 10 sent"]);
    let lifetime: i64 = connection.ttl("shop-prod:mail:m-1").await.unwrap();
    assert!((1..=3600).contains(&lifetime), "{lifetime}");
}

#[tokio::test]
async fn a_cache_that_is_away_costs_little_and_says_that_nobody_knows() {
    let Some(mut redis) = Redis::start() else { return };
    let cache = RedisCache::new(&redis.url(), "shop-prod", "db-1").unwrap();
    cache.remember(&[[1; 32]], &[]).await;
    redis.kill();
    // In its place somebody who ends every connection, and counts them.
    let listener = TcpListener::bind(("127.0.0.1", redis.port())).unwrap();
    let asked = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for _ended in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let started = Instant::now();
    for _ in 0..1000 {
        assert_eq!(cache.seen(&[[1; 32]]).await, [false]);
        cache.remember(&[[1; 32]], &[standing("a", Status::Sent)]).await;
    }
    assert!(cache.reach().await.is_err());
    // Of 2,000 calls one in five seconds asks it, and each of these connects twice at most.
    let most = 2 * (1 + started.elapsed().as_secs() / 5);
    assert!(asked.load(Ordering::SeqCst) <= most, "{asked:?} connections, and not {most}");
}

#[test]
fn an_address_that_is_none_is_not_repeated() {
    assert_eq!(RedisCache::new("hunter2", "a", "b").unwrap_err(), NotCacheAddress);
    assert!(!NotCacheAddress.to_string().contains("hunter2"));
}
