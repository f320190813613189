//! The memory that an output takes.

use std::{env, time::Duration};

use crate::{
    platform::{Job, Output},
    trial::{ID, Trial, job},
};

/// Limit of resident memory, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Streams 256 MB of zeros, 5 GB with `PROVISION_EFFORT=whole`.
#[test]
fn memory_does_not_grow_with_the_output() {
    let is_whole = env::var("PROVISION_EFFORT").is_ok_and(|effort| effort == "whole");
    let size: u64 = if is_whole { 5_000_000_000 } else { 256 * 1024 * 1024 };
    let mut trial = Trial::start(&[]);
    trial.platform.add(ID, Job { output: Output::Zeros(size), ..Job::complete(b"") });
    let began = std::time::Instant::now();
    assert!(trial.hand_over(&[job(ID)], Duration::from_mins(15)).is_empty());
    let (peak, seconds) = (trial.instance.peak_memory(), began.elapsed().as_secs_f64());
    println!("{size} bytes: peak {} KiB, {seconds:.1} s", peak / 1024);
    let object = trial.bucket.object(&format!("labels/{ID}.json")).unwrap();
    assert_eq!(object.size, size);
    assert!(peak <= LIMIT, "{peak} bytes of memory");
}
