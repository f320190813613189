//! Copies of a mail in the sinks. The burden of proof is on the sink: an object is deleted only on the evidence that all of the mail, byte
//! for byte, is where a person finds it, and that nothing points at the object.

use sha2::{Digest, Sha256};

/// The largest mail that sinks are given as it came, in bytes.
pub const LARGEST_COPY: usize = 3 * 1024 * 1024;

/// A mail as it came: what a copy of it has to equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    digest: [u8; 32],
    /// The bytes; `None` if they are more than [`LARGEST_COPY`].
    bytes: Option<Vec<u8>>,
}

impl Source {
    /// Returns the source of a mail.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self { digest: Sha256::digest(&bytes).into(), bytes: (bytes.len() <= LARGEST_COPY).then_some(bytes) }
    }

    /// Returns the bytes, unless they are too many for a copy.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }
}

/// The retention of a mail's object once the sinks have answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Retention {
    /// The object stays: sinks may point at it.
    #[default]
    Stays,
    /// The object is deleted if the sinks hold all of the mail: nothing may point at it.
    MayGo,
}

/// The purpose for which sinks get a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// They deliver a notice.
    Delivery,
    /// They hand the mail to a person.
    HandOver,
}

/// A sink's copy of a mail after its answer. A part of a mail alone, such as its text, counts as nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct Held {
    is_whole: bool,
    points_at_object: bool,
}

impl Held {
    /// The sink holds no copy, and does not point at the object either.
    pub const NOTHING: Self = Self { is_whole: false, points_at_object: false };
    /// The sink holds no copy: it points at the object, which has to stay.
    pub const POINTER: Self = Self { is_whole: false, points_at_object: true };

    /// Returns what a sink holds that has stored these bytes: all of the mail, or nothing of it.
    pub fn of_copy(source: Option<&Source>, copy: &[u8]) -> Self {
        let is_whole = source.is_some_and(|source| source.digest == <[u8; 32]>::from(Sha256::digest(copy)));
        Self { is_whole, ..Self::NOTHING }
    }

    /// Returns what a sink would hold once it has stored a copy of the mail that it was given.
    pub const fn expected(has_copy: bool) -> Self {
        Self { is_whole: has_copy, points_at_object: false }
    }

    /// Returns what is held by the one and the other.
    pub const fn and(self, other: Self) -> Self {
        Self {
            is_whole: self.is_whole || other.is_whole,
            points_at_object: self.points_at_object || other.points_at_object,
        }
    }

    /// Returns whether the object may be deleted.
    pub const fn frees_object(self) -> bool {
        self.is_whole && !self.points_at_object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_copy_of_every_byte_frees_the_object() {
        let source = Source::of(b"mail".to_vec());
        let whole = Held::of_copy(Some(&source), b"mail");
        assert!(whole.frees_object() && whole.and(Held::NOTHING).frees_object());
        for short in [Held::of_copy(Some(&source), b"mai"), Held::of_copy(None, b"mail"), Held::NOTHING, Held::POINTER]
        {
            assert!(!short.frees_object(), "{short:?}");
        }
        assert!(!whole.and(Held::POINTER).frees_object(), "something points at it");
    }
}
