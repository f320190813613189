//! Tests of the function as Lambda runs it: its binary, between a Runtime API and a broker of the tests' own. Where a test asks for it, the
//! broker stands behind a listener like MSK's: TLS, and the role's signature verified.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[expect(dead_code, reason = "faults are for functions that write")]
#[path = "../../../mail-events/tests/all/front.rs"]
mod front;
mod questions;
#[path = "../../../mail-events/tests/all/sasl.rs"]
mod sasl;
mod trial;
#[path = "../../../mail-events/tests/all/wire.rs"]
mod wire;
