//! Measures the function: time from the start of its process to the first acknowledged message, events a second once it is warm, memory
//! and connections. Figures of the program for Lambda: `MAIL_EVENTS_FUNCTION` names it.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use crate::trial::{Trial, event, notifications};

/// Time of an event that is of no importance.
const OLD: &str = "2027-01-05T11:00:00Z";
/// Invocations of the warm function.
const WARM: u32 = 300;

fn open(number: u32) -> serde_json::Value {
    let mail = format!("mail-{number}");
    notifications(&[(&format!("n-{number}"), &event("Open", &mail, "ada@example.org", OLD, OLD))])
}

#[test]
fn it_starts_at_once_and_keeps_its_connections() {
    let mut cold: Vec<Duration> = (0..5)
        .map(|_| {
            let (broker, table) = (crate::broker::Broker::start(1, 3), crate::table::Table::start());
            let began = Instant::now();
            let trial = Trial::between(broker, table, &[]);
            assert_eq!(trial.written(&open(0)), 1);
            began.elapsed()
        })
        .collect();
    cold.sort_unstable();
    let trial = Trial::between(crate::broker::Broker::start(3, 6), crate::table::Table::start(), &[]);
    trial.table.forget();
    trial.written(&open(0));
    let began = Instant::now();
    for number in 1..=WARM {
        assert_eq!(trial.written(&open(number)), 1);
    }
    let warm = began.elapsed();
    let connections = trial.broker.front.connections.load(Ordering::SeqCst);
    println!(
        "first acknowledgement {:.0} ms after the start (median of {}); {:.0} events a second when warm, one an invocation; \
         {connections} connections to 3 brokers; {:.1} MB of memory at most",
        cold[cold.len() / 2].as_secs_f64() * 1e3,
        cold.len(),
        f64::from(WARM) / warm.as_secs_f64(),
        f64::from(u32::try_from(trial.peak_memory() / 1024).unwrap()) / 1024.0,
    );
    assert!(connections <= 4, "one for each broker, and one to find them");
    assert_eq!(trial.broker.kept().len(), usize::try_from(WARM).unwrap() + 1);
}
