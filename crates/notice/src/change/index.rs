//! Finds the phrases of the vocabulary in sentences, and tells quickly that a text has none.

use std::sync::LazyLock;

use super::{
    plans,
    tokens::{self, Gap, Token},
    vocabulary::{ENTRIES, Entry, Form, LONGEST_GAP},
};

/// A phrase of the vocabulary, taken apart.
struct Phrase {
    entry: &'static Entry,
    words: Vec<Word>,
    /// Its place in the vocabulary.
    number: usize,
}

/// The phrases that have their first word in common.
struct Group {
    first: Word,
    phrases: Vec<Phrase>,
}

/// A word of a phrase.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Whole(&'static str),
    /// The beginning of a word.
    Stem(&'static str),
    /// Room for other words.
    Gap,
}

impl Word {
    fn of(pattern: &'static str) -> Self {
        match pattern.strip_suffix('*') {
            _ if pattern == "_" => Self::Gap,
            Some(stem) => Self::Stem(stem),
            None => Self::Whole(pattern),
        }
    }

    fn is(self, word: &str) -> bool {
        match self {
            Self::Whole(whole) => word == whole,
            Self::Stem(stem) => word.starts_with(stem),
            Self::Gap => false,
        }
    }
}

/// A phrase that stands in a sentence: the words `at..end`.
#[derive(Clone, Copy)]
pub(super) struct Hit {
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) entry: &'static Entry,
}

/// The phrases by the first two letters of their first word, and of the word that shows them in a text best.
struct Index {
    by_first: Vec<Vec<Group>>,
    by_longest: Vec<Vec<&'static str>>,
}

/// Further words beside which a sentence may deny the maintenance: in Turkish the verb's ending does, of whatever verb.
const NEGATIONS: [&str; 4] = ["no", "cannot", "calisma*", "bakim*"];

const LETTERS: usize = 26;

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut by_first: Vec<Vec<Group>> = (0..LETTERS * LETTERS).map(|_| Vec::new()).collect();
    let mut by_longest: Vec<Vec<&str>> = vec![Vec::new(); LETTERS * LETTERS];
    let mut number = 0;
    let mut add = |word: &'static str| {
        if let Some(words) = slot(word).and_then(|slot| by_longest.get_mut(slot))
            && !words.contains(&word)
        {
            words.push(word);
        }
    };
    // Beside these a sentence may tell without a word of change. An index of what happens would find it in every mail.
    for words in [&NEGATIONS[..], plans::DENIALS.entries(), plans::PAST_VERBS.entries(), plans::NOW.entries()] {
        words.iter().copied().for_each(&mut add);
    }
    for entry in ENTRIES {
        for phrase in entry.phrases {
            let parts: Vec<_> = phrase.split(' ').collect();
            if entry.form != Form::Happens {
                parts.iter().max_by_key(|word| word.len()).into_iter().for_each(|word| add(word));
            }
            let groups = parts.first().and_then(|word| by_first.get_mut(slot(word)?));
            let words: Vec<Word> = parts.iter().map(|word| Word::of(word)).collect();
            number += 1;
            if let (Some(groups), Some(first)) = (groups, words.first().copied()) {
                let phrase = Phrase { entry, words, number };
                match groups.iter_mut().find(|group| group.first == first) {
                    Some(group) => group.phrases.push(phrase),
                    None => groups.push(Group { first, phrases: vec![phrase] }),
                }
            }
        }
    }
    Index { by_first, by_longest }
});

/// Returns where words that begin like this one stand in the index; `None` for what begins otherwise than with
/// letters.
fn slot(word: &str) -> Option<usize> {
    let mut letters = word.bytes().map(|letter| usize::from(letter.to_ascii_lowercase().wrapping_sub(b'a'))).take(2);
    let first = letters.next()?;
    let second = letters.next().unwrap_or(first);
    (first < LETTERS && second < LETTERS).then_some(first * LETTERS + second)
}

/// Returns whether the text has a word with which a change could be told.
pub(super) fn may_tell(text: &str) -> bool {
    let index = &*INDEX;
    tokens::any_word(text, |word| {
        let words = slot(word).and_then(|slot| index.by_longest.get(slot));
        words.is_some_and(|words| words.iter().any(|pattern| may_be(word, pattern)))
    })
}

/// Returns whether a word, in any case, is one of the pattern.
fn may_be(word: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(stem) => word.get(..stem.len()).is_some_and(|start| start.eq_ignore_ascii_case(stem)),
        None => word.eq_ignore_ascii_case(pattern),
    }
}

/// Returns the phrases that stand in a sentence, in order; of several at one place the longest.
pub(super) fn hits(tokens: &[Token<'_>]) -> Vec<Hit> {
    let index = &*INDEX;
    let mut hits: Vec<Hit> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let groups = slot(token.word).and_then(|slot| index.by_first.get(slot)).map_or(&[][..], Vec::as_slice);
        let phrases = groups.iter().filter(|group| group.first.is(token.word)).flat_map(|group| &group.phrases);
        let found = phrases.filter_map(|phrase| Some((end_of(tokens, at, &phrase.words)?, phrase)));
        // What happens is told of only where it is negated; what has happened stands above it.
        let longest = found.max_by_key(|(end, phrase)| (*end, phrase.entry.form != Form::Happens, phrase.number));
        if let Some((end, phrase)) = longest
            && hits.last().is_none_or(|last| last.end < end)
        {
            hits.push(Hit { at, end, entry: phrase.entry });
        }
    }
    hits
}

/// Returns where the phrase that begins at a word ends.
fn end_of(tokens: &[Token<'_>], at: usize, words: &[Word]) -> Option<usize> {
    let mut next = at;
    let mut gap = 0;
    for word in words {
        if matches!(word, Word::Gap) {
            gap = LONGEST_GAP;
            continue;
        }
        let found = (next..=next + gap).find(|index| tokens.get(*index).is_some_and(|token| word.is(token.word)))?;
        if tokens.get(at + 1..=found).is_some_and(|between| between.iter().any(|token| token.before == Gap::Break)) {
            return None;
        }
        next = found + 1;
        gap = 0;
    }
    Some(next)
}
