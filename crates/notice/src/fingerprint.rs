//! The id of a notice that has none: a hash of what it announces.
//!
//! It follows from the times, so a notice with other times is another maintenance to whoever goes by ids.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{found::Found, model::Circuit};

/// Returns SHA-256 in hexadecimal digits of the ids one after the other, then both times in seconds since the epoch, nothing in between.
pub fn of(circuits: &[Found<Circuit>], start: Timestamp, end: Timestamp) -> String {
    let mut digest = Sha256::new();
    for circuit in circuits {
        digest.update(circuit.value.id());
    }
    digest.update(format!("{}{}", start.as_second(), end.as_second()));
    let digits = digest.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
