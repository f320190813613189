//! Lists of words that tell soon that a word is none of them.

/// A list of words, of word beginnings or of phrases.
pub(super) trait Words {
    /// Returns the entries of the list.
    fn words(&self) -> &[&str];

    /// Returns `false` only if no entry begins like this word.
    fn may_begin(&self, _word: &str) -> bool {
        true
    }

    /// Returns whether a word is one of the entries.
    fn holds(&self, word: &str) -> bool {
        // The first letters tell nearly all words apart, without a call that compares the rest.
        let is_same =
            |entry: &&str| entry.len() == word.len() && entry.bytes().next() == word.bytes().next() && *entry == word;
        self.may_begin(word) && self.words().iter().any(is_same)
    }
}

impl Words for [&str] {
    fn words(&self) -> &[&str] {
        self
    }
}

impl<const COUNT: usize> Words for [&str; COUNT] {
    fn words(&self) -> &[&str] {
        self
    }
}

/// A constant list with the first three letters of its entries: most words of a text begin like none of them.
#[derive(PartialEq, Eq)]
pub(super) struct List {
    words: &'static [&'static str],
    /// A bit for some beginnings of three letters.
    beginnings: [u64; Self::PARTS],
}

impl List {
    /// Letters, and one mark for all others and for none.
    const LETTERS: u32 = 27;
    const PARTS: usize = 16;

    /// Returns a list of words in lower case.
    #[expect(clippy::indexing_slicing, reason = "constants: the compiler would not build one that is out of bounds")]
    pub(super) const fn of(words: &'static [&'static str]) -> Self {
        let mut beginnings = [0; Self::PARTS];
        let mut rest = words;
        while let [word, behind @ ..] = rest {
            let beginning = Self::beginning(word.as_bytes());
            beginnings[beginning / 64] |= 1 << (beginning % 64);
            // The plural of one or two letters has another letter among the first three.
            let plural = match word.as_bytes() {
                [letter] => Self::beginning(&[*letter, b's']),
                [first, second] => Self::beginning(&[*first, *second, b's']),
                _ => beginning,
            };
            beginnings[plural / 64] |= 1 << (plural % 64);
            rest = behind;
        }
        Self { words, beginnings }
    }

    /// Returns the number of the letters with which a word, or the first one of a phrase, begins.
    const fn beginning(word: &[u8]) -> usize {
        let (first, second, third) = match word {
            [first, b' ', ..] | [first] => (*first, 0, 0),
            [first, second, third, ..] => (*first, *second, *third),
            [first, second] => (*first, *second, 0),
            [] => (0, 0, 0),
        };
        let letters =
            (Self::letter(first) * Self::LETTERS + Self::letter(second)) * Self::LETTERS + Self::letter(third);
        (letters.wrapping_mul(0x9e37_79b9) >> 22) as usize % (64 * Self::PARTS)
    }

    const fn letter(byte: u8) -> u32 {
        if byte.is_ascii_lowercase() { (byte - b'a') as u32 + 1 } else { 0 }
    }

    /// Returns the entries, which are constants.
    pub(super) const fn entries(&self) -> &'static [&'static str] {
        self.words
    }
}

impl Words for List {
    fn words(&self) -> &[&str] {
        self.words
    }

    fn may_begin(&self, word: &str) -> bool {
        let beginning = Self::beginning(word.as_bytes());
        self.beginnings.get(beginning / 64).is_some_and(|part| part >> (beginning % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{grammar, plans};

    #[test]
    fn a_list_holds_its_words_and_no_others() {
        const LIST: &List = &List::of(&["not", "a", "à", "no longer", "no"]);
        for word in ["not", "a", "à", "no longer"] {
            assert!(LIST.holds(word), "{word}");
        }
        for word in ["nothing", "b", "", "0", "as", "Not"] {
            assert!(!LIST.holds(word), "{word}");
        }
        for beginning in ["as", "no", "nos", "nothing"] {
            assert!(LIST.may_begin(beginning), "a plural, the first word of a phrase, a longer word: {beginning}");
        }
        assert!(!LIST.may_begin("maintenance"));
    }

    #[test]
    fn each_entry_is_found_in_its_list() {
        for list in [grammar::AHEAD, grammar::CONDITIONS, grammar::WORK, plans::PAST_VERBS, plans::UNDENIED] {
            assert!(list.words().iter().all(|word| list.holds(word)));
        }
    }
}
