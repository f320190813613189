//! Tests of what is read of SES's events, and of the messages that are made of them.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod hostile;
mod ids;
mod messages;
