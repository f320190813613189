//! The function as Lambda runs it, between servers that this process stands in for.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and says what it ran")]

mod causes;
mod cloud;
mod function;
mod hostile;
mod limits;
mod notices;
mod probe;
#[path = "../../../../crates/carriers/tests/all/support.rs"]
#[expect(dead_code, reason = "the tests of the parser use more of it")]
mod support;
mod tls;
mod trusted;
mod workbooks;
