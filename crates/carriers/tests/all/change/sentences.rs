//! Sentences that a notice may hold, from text files with one a line.

use std::sync::LazyLock;

/// Sentences of one file.
pub(crate) type Sentences = LazyLock<Vec<&'static str>>;

/// Sentences that tell of a change, or that leave the maintenance unclear; each goes to a person or gives a status.
pub(crate) static FURTHER: Sentences = LazyLock::new(|| include_str!("further.txt").lines().collect());
/// Sentences that deny a change.
pub(crate) static NEGATED: Sentences = LazyLock::new(|| include_str!("negated.txt").lines().collect());
/// Sentences that any notice may hold, and that change nothing.
pub(crate) static HARMLESS: Sentences = LazyLock::new(|| include_str!("harmless.txt").lines().collect());
/// Sentences that any notice may hold, and that send it to a person all the same: they are harmless by their meaning, not by their
/// words.
pub(crate) static DOUBTED: Sentences = LazyLock::new(|| include_str!("doubted.txt").lines().collect());
