//! Tests of every scheme: against codes that the senders' own libraries made, and of everything that must not pass.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod schemes;
mod table;
mod vectors;
