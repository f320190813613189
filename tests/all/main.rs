//! Runs the command line as a user does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod dev;
