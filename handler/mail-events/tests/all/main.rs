//! Tests of the function as Lambda runs it: its binary, between a Runtime API, a table and brokers of the tests' own. The brokers stand
//! behind a listener like MSK's: TLS, the role's signature verified, and faults where a test asks for them.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod broker;
mod chaos;
mod comparison;
mod durability;
mod formats;
mod front;
mod identity;
mod joining;
mod measure;
mod sasl;
mod table;
mod trial;
mod wire;
