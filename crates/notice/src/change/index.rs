//! Finds the phrases of the vocabulary in sentences, and tells quickly that a text has none.

use std::sync::LazyLock;

use super::{
    plans,
    tokens::{Gap, Token},
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
    first: Pattern,
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

/// A word with its first letters, which tell nearly all others from it.
struct Pattern {
    word: Word,
    letters: u32,
    /// The bits of the letters that count.
    mask: u32,
}

impl Pattern {
    fn of(pattern: &'static str) -> Self {
        let word = Word::of(pattern);
        let mask = match word {
            Word::Whole(_) => u32::MAX,
            Word::Stem(stem) => u32::MAX.checked_shl(8 * 4_u32.saturating_sub(count(stem))).unwrap_or_default(),
            Word::Gap => 0,
        };
        let letters = match word {
            Word::Whole(word) | Word::Stem(word) => first_letters(word),
            Word::Gap => 0,
        };
        Self { word, letters, mask }
    }

    /// Returns whether a word, with these first letters, is the pattern's.
    fn is(&self, word: &str, letters: u32) -> bool {
        letters & self.mask == self.letters && self.word.is(word)
    }
}

fn count(letters: &str) -> u32 {
    u32::try_from(letters.len()).unwrap_or(u32::MAX)
}

/// Returns the first four bytes of a word, zeros for those that it does not have.
fn first_letters(word: &str) -> u32 {
    match word.as_bytes() {
        [first, second, third, fourth, ..] => u32::from_be_bytes([*first, *second, *third, *fourth]),
        [first, second, third] => u32::from_be_bytes([*first, *second, *third, 0]),
        [first, second] => u32::from_be_bytes([*first, *second, 0, 0]),
        [first] => u32::from_be_bytes([*first, 0, 0, 0]),
        [] => 0,
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
    by_longest: Vec<Vec<Pattern>>,
}

/// Further words beside which a sentence may deny the maintenance: in Turkish the verb's ending does, of whatever verb.
const NEGATIONS: [&str; 3] = ["no", "calisma*", "bakim*"];

const LETTERS: usize = 26;

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut by_first: Vec<Vec<Group>> = (0..LETTERS * LETTERS).map(|_| Vec::new()).collect();
    let mut by_longest: Vec<Vec<Pattern>> = (0..LETTERS * LETTERS).map(|_| Vec::new()).collect();
    let mut number = 0;
    let mut add = |word: &'static str| {
        if let Some(words) = slot(word).and_then(|slot| by_longest.get_mut(slot))
            && !words.iter().any(|known| known.word == Word::of(word))
        {
            words.push(Pattern::of(word));
        }
    };
    // Beside these a sentence may tell without a word of change. An index of what happens would find it in every mail.
    for words in [
        &NEGATIONS[..],
        plans::DENIALS.entries(),
        plans::PAST_VERBS.entries(),
        plans::NOW.entries(),
        plans::SHIFTS.entries(),
    ] {
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
            if let (Some(groups), Some(first)) = (groups, parts.first()) {
                let phrase = Phrase { entry, words, number };
                match groups.iter_mut().find(|group| group.first.word == Word::of(first)) {
                    Some(group) => group.phrases.push(phrase),
                    None => groups.push(Group { first: Pattern::of(first), phrases: vec![phrase] }),
                }
            }
        }
    }
    Index { by_first, by_longest }
});

/// Returns where words that begin like this one stand in the index; `None` for what begins otherwise than with
/// letters.
fn slot(word: &str) -> Option<usize> {
    let mut letters = word.bytes().map(|letter| usize::from(letter.wrapping_sub(b'a'))).take(2);
    let first = letters.next()?;
    let second = letters.next().unwrap_or(first);
    (first < LETTERS && second < LETTERS).then_some(first * LETTERS + second)
}

/// Returns whether one of the words of a sentence is one with which a change could be told.
pub(super) fn may_tell<'words>(mut words: impl Iterator<Item = &'words str>) -> bool {
    let index = &*INDEX;
    words.any(|word| {
        let patterns = slot(word).and_then(|slot| index.by_longest.get(slot)).map_or(&[][..], Vec::as_slice);
        let letters = first_letters(word);
        patterns.iter().any(|pattern| pattern.is(word, letters))
    })
}

/// Returns the phrases that stand in a sentence, in order; of several at one place the longest.
pub(super) fn hits(tokens: &[Token<'_>]) -> Vec<Hit> {
    let index = &*INDEX;
    let mut hits: Vec<Hit> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let groups = slot(token.word).and_then(|slot| index.by_first.get(slot)).map_or(&[][..], Vec::as_slice);
        let letters = first_letters(token.word);
        let mut longest: Option<((usize, bool, usize), &Phrase)> = None;
        for group in groups.iter().filter(|group| group.first.is(token.word, letters)) {
            for phrase in &group.phrases {
                let Some(end) = end_of(tokens, at, &phrase.words) else { continue };
                // What happens is told of only where it is negated; what has happened stands above it.
                let rank = (end, phrase.entry.form != Form::Happens, phrase.number);
                if longest.is_none_or(|(known, _)| known < rank) {
                    longest = Some((rank, phrase));
                }
            }
        }
        if let Some(((end, ..), phrase)) = longest
            && hits.last().is_none_or(|last| last.end < end)
        {
            hits.push(Hit { at, end, entry: phrase.entry });
        }
    }
    hits
}

/// Returns where the phrase ends whose first word is at this place.
fn end_of(tokens: &[Token<'_>], at: usize, words: &[Word]) -> Option<usize> {
    let mut next = at + 1;
    let mut gap = 0;
    for word in words.iter().skip(1) {
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
