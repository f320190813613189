//! Tests of the function as Lambda runs it: its binary, between a Runtime API, a platform and a bucket of the tests' own.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and says what it measured")]

mod address;
mod backfill;
mod bucket;
mod chaos;
mod failures;
mod memory;
mod platform;
mod runtime_api;
mod server;
mod storing;
mod trial;
