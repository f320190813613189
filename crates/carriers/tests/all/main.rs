//! Tests the parser on mails: those of the corpus, and those that we wrote.
//!
//! `PROVIDER=zayo cargo test -p carriers --test all` looks at one provider alone.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and says what it ran")]

mod answers;
mod change;
mod corpus;
#[path = "../../../../tests/all/effort.rs"]
#[expect(dead_code, reason = "not every suite leaves tests out")]
mod effort;
mod faults;
mod field;
mod flattened;
mod fuzz;
mod lengthened;
mod mail;
mod mail_hostile;
mod mails;
mod metamorphic;
mod opinion;
mod other_matters;
mod partial;
mod placeholders;
mod readme;
mod registry;
mod rewrite;
mod suggestion;
mod support;
mod titles;
mod truncation;
mod whole;
