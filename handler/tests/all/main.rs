//! What the parser makes of mails: those of the corpus, and those that we wrote.
//!
//! `PROVIDER=zayo cargo test -p handler --no-default-features --test all` looks at one provider alone.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and says what it ran")]

#[cfg(feature = "lambda")]
mod cloud;
mod corpus;
mod faults;
mod field;
mod flattened;
#[cfg(feature = "lambda")]
mod function;
mod fuzz;
mod mail;
mod mail_hostile;
mod mails;
mod metamorphic;
#[cfg(feature = "lambda")]
mod notices;
mod placeholders;
mod readme;
mod registry;
mod rewrite;
mod suggestion;
mod support;
#[cfg(feature = "lambda")]
mod tls;
mod truncation;
