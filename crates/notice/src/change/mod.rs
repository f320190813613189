//! Sentences that tell of a change: "… has been cancelled", "wurde verschoben", "tamamlandı".
//!
//! The burden of proof is on the sentence. A word of change tells of the change, unless the words around it show that it does
//! not: a condition ("if … is cancelled"), what is possible ("may be postponed"), what is still to come ("once it is completed"),
//! a negation, another event ("the previous maintenance was cancelled"). The vocabulary and the words around are data; the rules
//! are a few for all languages, so that a sentence that nobody has seen yet is heard as well.

mod clause;
mod condition;
mod denial;
mod event;
#[rustfmt::skip]
mod grammar;
mod index;
mod judge;
mod list;
mod mention;
mod paragraphs;
mod past;
mod phrases;
#[rustfmt::skip]
mod plans;
mod shift;
mod this;
mod tokens;
mod vocabulary;

pub(crate) use paragraphs::paragraphs;
pub(crate) use tokens::split;

use super::model::Status;

/// A change that a sentence may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The maintenance will not take place.
    Cancelled,
    /// The maintenance takes place at another time, or at an unknown one.
    Postponed,
    /// The maintenance takes longer than announced.
    Extended,
    /// The maintenance was carried out.
    Completed,
    /// The maintenance is over, carried out or not.
    Ended,
    /// The maintenance was not finished in its window.
    Unfinished,
    /// The maintenance has begun.
    Started,
    /// The maintenance is not as it was announced; whether it is off or moved, a person has to see.
    Unclear,
}

impl Change {
    /// Returns whether a notice with that status says this change, so that nothing is left to explain.
    pub fn is_explained_by(self, status: Status) -> bool {
        use Status::{Cancelled, Completed, InProcess, ReScheduled};
        match self {
            Self::Cancelled => status == Cancelled,
            Self::Postponed => matches!(status, ReScheduled | Cancelled),
            Self::Extended => matches!(status, InProcess | ReScheduled),
            Self::Completed => status == Completed,
            Self::Ended => matches!(status, Completed | Cancelled | InProcess | ReScheduled),
            Self::Unfinished => matches!(status, Cancelled | ReScheduled | InProcess),
            Self::Started => matches!(status, InProcess | Completed | Cancelled),
            Self::Unclear => matches!(status, Cancelled | ReScheduled),
        }
    }

    /// Returns the status of a notice that tells this change and says nothing else; `None` where it could be several.
    pub fn status(self) -> Option<Status> {
        match self {
            Self::Cancelled => Some(Status::Cancelled),
            Self::Postponed => Some(Status::ReScheduled),
            Self::Completed | Self::Ended => Some(Status::Completed),
            Self::Started => Some(Status::InProcess),
            Self::Extended | Self::Unfinished | Self::Unclear => None,
        }
    }

    /// Returns the change in words, for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Postponed => "moved to another time",
            Self::Extended => "extended",
            Self::Completed => "completed",
            Self::Ended => "ended",
            Self::Unfinished => "not completed",
            Self::Started => "begun",
            Self::Unclear => "not as it was announced",
        }
    }
}

/// A sentence with a word of change that nothing around it makes harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Change that the sentence tells.
    pub change: Change,
    /// `true` if the sentence says that it has not happened: "has not been cancelled".
    pub is_negated: bool,
    /// `true` if the sentence says that it tells of the maintenance of its notice, "this work", or is a title.
    pub is_of_this: bool,
    /// Sentence that tells the change.
    pub sentence: String,
}

/// Returns the words of a text, lower case and without accents, with a blank between them.
pub fn fold(text: &str) -> String {
    let (mut folded, mut words) = (String::with_capacity(text.len()), tokens::Words::of(text));
    for sentence in tokens::split(text) {
        words.read(sentence);
        for token in words.sentence(sentence).tokens {
            if !folded.is_empty() {
                folded.push(' ');
            }
            folded.push_str(token.word);
        }
    }
    folded
}

/// Returns the changes that a paragraph tells, in its order.
pub fn statements(paragraph: &str) -> Vec<Statement> {
    let mut words = tokens::Words::of(paragraph);
    let mut told = Vec::new();
    for sentence in tokens::split(paragraph) {
        words.read(sentence);
        if index::may_tell(words.iter()) {
            told.append(&mut statements_of(&words.sentence(sentence)));
        }
    }
    told
}

/// Returns the changes that a sentence tells. Each word of change is judged by all words of its sentence, so that one without an end is
/// judged part by part: a word that looks like a change at the edge of a part, and is none, makes a person look.
fn statements_of(sentence: &tokens::Sentence<'_>) -> Vec<Statement> {
    let mut told: Vec<Statement> = Vec::new();
    for part in sentence.parts() {
        for statement in judge::statements(&part) {
            let is_same =
                |known: &Statement| (known.change, known.is_negated) == (statement.change, statement.is_negated);
            if !told.iter().any(is_same) {
                told.push(statement);
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_heard_wherever_it_stands_in_a_sentence_without_an_end() {
        for before in (0..2_400).step_by(7) {
            let words = |count: usize| "the circuit in the ring ".repeat(count / 5);
            let text = format!("{}the maintenance has been called off for {}", words(before), words(2_000));
            let told = statements(&text);
            assert!(told.iter().any(|told| told.change == Change::Cancelled && !told.is_negated), "{before}: {told:?}");
        }
    }
}
