//! The ids of many messages.

use std::{
    env,
    time::{Duration, Instant},
};

use events::{Reading, read};
use serde_json::json;

/// Milliseconds of a day.
const DAY: u64 = 24 * 60 * 60 * 1000;

#[test]
fn dedup_ids_of_a_day_are_distinct() {
    let is_whole = env::var("PROVISION_EFFORT").is_ok_and(|effort| effort == "whole");
    let count: u64 = if is_whole { 10_000_000 } else { 40_000 };
    // As many in a millisecond as 10 million over a day have.
    let day = DAY * count / 10_000_000;
    let began = Instant::now();
    let start = 1_799_107_200_000;
    let (mut dedup_ids, mut store_ids) = (Vec::new(), Vec::new());
    for number in 0..count {
        let at = jiff::Timestamp::from_millisecond(i64::try_from(start + number * day / count).unwrap()).unwrap();
        let recipient = format!("person-{}@example.org", number % 1000);
        let event = json!({
            "eventType": "Open", "open": {"timestamp": at.to_string()},
            "mail": {"messageId": format!("m-{number}"), "timestamp": at.to_string(), "destination": [recipient]},
        });
        let Ok(Reading::Event(event)) = read(&event.to_string()) else { panic!("{event}") };
        // SNS's ids are UUIDs.
        let notification = format!("{number:08x}-7d0f-5a67-a1a2-5a2f0c1d2e3f");
        for one in event.messages(&notification, None) {
            dedup_ids.push(u128::from_str_radix(&one.dedup_id, 16).unwrap());
            store_ids.push(one.message.store_id.parse::<u64>().unwrap());
        }
    }
    assert!(store_ids.iter().map(|id| id >> 22).is_sorted(), "an id begins with its time");
    let collisions = equal(&mut store_ids);
    println!(
        "{count} ids over {:.1} hours in {:.1} s: {collisions} collisions of store_id",
        Duration::from_millis(day).as_secs_f64() / 3600.0,
        began.elapsed().as_secs_f64()
    );
    assert_eq!(equal(&mut dedup_ids), 0);
    // 10 million evenly over a day are 580,000 pairs in a millisecond, of which one in 4 million has equal hashes: 0.14 are expected.
    assert!(collisions <= 5, "{collisions}");
}

fn equal<T: Ord>(ids: &mut [T]) -> u64 {
    ids.sort_unstable();
    ids.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
}
