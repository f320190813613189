//! Fetches the output of each job that a webhook announced, and stores it in S3: once, whole or not at all, whatever fails.
//!
//! A queue hands over the jobs. What can be tried again stays in the queue; what can never be had is recorded for a person, beside the
//! outputs.

pub mod configuration;
pub mod name;
pub mod report;
pub mod source;
pub mod storage;
pub mod transform;
pub mod worker;
