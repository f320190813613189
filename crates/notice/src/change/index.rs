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
}

/// A word of a phrase.
#[derive(Clone, Copy)]
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
    by_first: Vec<Vec<Phrase>>,
    by_longest: Vec<Vec<&'static str>>,
}

/// Further words beside which a sentence may deny the maintenance: in Turkish the verb's ending does, of whatever verb.
const NEGATIONS: [&str; 4] = ["no", "cannot", "calisma*", "bakim*"];

const LETTERS: usize = 26;

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let empty = || (0..LETTERS * LETTERS).map(|_| Vec::new());
    let (mut by_first, mut by_longest): (Vec<Vec<Phrase>>, Vec<Vec<&str>>) =
        (empty().collect(), (0..LETTERS * LETTERS).map(|_| Vec::new()).collect());
    let mut add = |word: &'static str| {
        if let Some(words) = slot(word).and_then(|slot| by_longest.get_mut(slot))
            && !words.contains(&word)
        {
            words.push(word);
        }
    };
    // Beside these a sentence may tell without a word of change. An index of what happens would find it in every mail.
    for words in [&NEGATIONS[..], plans::DENIALS, plans::PAST_VERBS, plans::NOW] {
        words.iter().copied().for_each(&mut add);
    }
    for entry in ENTRIES {
        for phrase in entry.phrases {
            let parts: Vec<_> = phrase.split(' ').collect();
            if entry.form != Form::Happens {
                parts.iter().max_by_key(|word| word.len()).into_iter().for_each(|word| add(word));
            }
            let first = parts.first().and_then(|word| slot(word));
            if let Some(phrases) = first.and_then(|slot| by_first.get_mut(slot)) {
                phrases.push(Phrase { entry, words: parts.into_iter().map(Word::of).collect() });
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
pub(super) fn hits(tokens: &[Token]) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let phrases = slot(&token.word).and_then(|slot| INDEX.by_first.get(slot)).map_or(&[][..], Vec::as_slice);
        let phrases = phrases.iter().filter(|phrase| phrase.words.first().is_some_and(|first| first.is(&token.word)));
        let found = phrases.filter_map(|phrase| Some((end_of(tokens, at, &phrase.words)?, phrase.entry)));
        // What happens is told of only where it is negated; what has happened stands above it.
        let longest = found.max_by_key(|(end, entry)| (*end, entry.form != Form::Happens));
        if let Some((end, entry)) = longest
            && hits.last().is_none_or(|last| last.end < end)
        {
            hits.push(Hit { at, end, entry });
        }
    }
    hits
}

/// Returns where the phrase that begins at a word ends.
fn end_of(tokens: &[Token], at: usize, words: &[Word]) -> Option<usize> {
    let mut next = at;
    let mut gap = 0;
    for word in words {
        if matches!(word, Word::Gap) {
            gap = LONGEST_GAP;
            continue;
        }
        let found = (next..=next + gap).find(|index| tokens.get(*index).is_some_and(|token| word.is(&token.word)))?;
        if tokens.get(at + 1..=found).is_some_and(|between| between.iter().any(|token| token.before == Gap::Break)) {
            return None;
        }
        next = found + 1;
        gap = 0;
    }
    Some(next)
}
