//! Splits a line into words, numbers and punctuation.

/// A run of letters, a run of digits, or one punctuation character. Blanks are left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'text> {
    pub(super) text: &'text str,
    /// Byte of the line at which it begins.
    pub(super) start: usize,
    /// `true` if a blank precedes it.
    pub(super) follows_blank: bool,
}

impl Token<'_> {
    /// Returns the byte of the line at which it ends.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Returns its number if it has at most 8 digits.
    pub(super) fn number(&self) -> Option<i32> {
        let is_number = self.text.len() <= 8 && self.text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { self.text.parse().ok() } else { None }
    }

    /// Returns its number if it has one or two digits.
    pub(super) fn short_number(&self) -> Option<i32> {
        self.number().filter(|_| self.text.len() <= 2)
    }

    /// Returns whether it is this punctuation character.
    pub(super) fn is_punctuation(&self, character: char) -> bool {
        self.text.starts_with(character) && self.text.len() == character.len_utf8()
    }

    /// Returns whether it consists of letters.
    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(char::is_alphabetic)
    }

    /// Returns whether it is one of these words, in upper or lower case.
    pub(super) fn is_any_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| word.eq_ignore_ascii_case(self.text))
    }
}

/// Splits a line into its tokens, which replace those of the line before.
pub(super) fn split<'text>(text: &'text str, tokens: &mut Vec<Token<'text>>) {
    tokens.clear();
    let mut characters = text.char_indices().peekable();
    let mut follows_blank = false;
    while let Some((start, first)) = characters.next() {
        if first.is_whitespace() {
            follows_blank = true;
            continue;
        }
        let mut end = start + first.len_utf8();
        let is_same_run = |next: char| {
            first.is_ascii_digit() && next.is_ascii_digit() || first.is_alphabetic() && next.is_alphabetic()
        };
        while let Some((at, next)) = characters.next_if(|(_, next)| is_same_run(*next)) {
            end = at + next.len_utf8();
        }
        tokens.extend(text.get(start..end).map(|text| Token { text, start, follows_blank }));
        follows_blank = false;
    }
}
