//! Tests of what is read of SES's events, and of the messages that are made of them.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and says what it measured")]

mod hostile;
mod ids;
mod messages;
