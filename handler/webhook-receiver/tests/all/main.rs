//! The function as a library, over a queue of the test's own, and its program between servers that the test stands in for.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod authentication;
mod bodies;
mod program;
mod samples;
#[path = "../../../../crates/webhook/tests/all/schemes.rs"]
#[expect(dead_code, reason = "the tests of the schemes use more of it")]
mod schemes;
mod trial;
