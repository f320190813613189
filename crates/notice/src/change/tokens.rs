//! Sentences and their words: lower case and without accents, so that one spelling stands for all.

use std::ops::Range;

/// The separation of a word from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// A blank, a hyphen within a word, or an apostrophe.
    Blank,
    /// A bracket or a quotation mark.
    Bracket,
    /// A comma between the words.
    Comma,
    /// A dash, a colon, a bar: another part of the sentence begins.
    Break,
}

/// A word of a sentence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'text> {
    pub(super) word: &'text str,
    pub(super) before: Gap,
}

/// A sentence, or what stands alone on a line.
#[derive(Debug)]
pub(super) struct Sentence<'text> {
    pub(super) text: &'text str,
    pub(super) tokens: Vec<Token<'text>>,
}

/// Number of words of the longest sentence that is judged as a whole: more than anybody writes, and few enough to judge each by all others.
const LONGEST: usize = 400;
/// Number of words that a part of a longer sentence has in common with the next one: what stands at the edge of one is within the other.
const SHARED: usize = 100;

impl<'text> Sentence<'text> {
    /// Returns the parts in which the sentence is judged: most have one.
    pub(super) fn parts(&self) -> impl Iterator<Item = Sentence<'text>> {
        let whole = self.tokens.as_slice();
        let last = whole.len().saturating_sub(if whole.len() > LONGEST { SHARED } else { LONGEST }).max(1);
        let part = |start: usize| whole.get(start..whole.len().min(start + LONGEST)).unwrap_or_default().to_vec();
        (0..last).step_by(LONGEST - SHARED).map(move |start| Self { text: self.text, tokens: part(start) })
    }
}

/// Beginnings of the German months, before which an ordinal number has a full stop: `3. Mai`.
const MONTHS: &[&str] = &["jan", "jän", "feb", "mär", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez"];

/// Returns the text of each sentence. A full stop ends one only before a blank, and not in a date such as `3. Mai`; a blank line or
/// a bullet does as well.
pub(crate) fn split(paragraph: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut from = 0;
    while let Some(behind) = paragraph.get(from..)
        && let Some(ordinary) = behind.bytes().position(may_end)
    {
        let at = from + ordinary;
        let mut characters = behind.get(ordinary..).unwrap_or_default().chars();
        let Some(character) = characters.next() else { break };
        let next = characters.next();
        from = at + character.len_utf8();
        let ends = match character {
            '.' | '…' => next.is_none_or(|next| next.is_whitespace() || matches!(next, '"' | '\'' | ')' | '*' | '”')),
            '!' | '?' | ';' | '\n' | '•' | '·' | '¡' | '¿' | '。' => true,
            _ => false,
        };
        let is_in_date = || character == '.' && is_day_of_month(paragraph.get(start..at), paragraph.get(at + 1..));
        if ends && !is_in_date() {
            let end = at + character.len_utf8();
            parts.extend(paragraph.get(start..end));
            start = end;
        }
    }
    parts.extend(paragraph.get(start..));
    parts
}

/// Returns `false` for a byte of ASCII that never ends a sentence.
fn may_end(byte: u8) -> bool {
    matches!(byte, b'.' | b'!' | b'?' | b';' | b'\n') || !byte.is_ascii()
}

/// Returns whether a full stop stands between the number of a day and its month.
fn is_day_of_month(before: Option<&str>, after: Option<&str>) -> bool {
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default().trim_start());
    let digits = before.chars().rev().take_while(char::is_ascii_digit).count();
    let rest = before.get(..before.len() - digits).unwrap_or_default();
    let is_day = matches!(digits, 1 | 2) && !rest.ends_with(['.', ':', ',']);
    let word: String = after.chars().take_while(|character| character.is_alphabetic()).collect();
    let word = word.to_lowercase();
    is_day && MONTHS.iter().any(|month| word.starts_with(month))
}

/// The words of a sentence, in a room that the next sentence uses again.
pub(super) struct Words {
    /// The letters of all words, in lower case.
    letters: String,
    words: Vec<(Range<usize>, Gap)>,
}

/// Bytes of a text for each of its words, about.
const BYTES_OF_WORD: usize = 6;

impl Words {
    /// Returns room for the words of sentences of a text.
    pub(super) fn of(text: &str) -> Self {
        let words = Vec::with_capacity(text.len() / BYTES_OF_WORD + 1);
        Self { letters: String::with_capacity(text.len()), words }
    }

    /// Reads the words of a sentence, in place of those of the one before.
    pub(super) fn read(&mut self, text: &str) {
        self.letters.clear();
        self.words.clear();
        let mut folding = Folding { start: 0, gap: Gap::Break, letters: &mut self.letters, words: &mut self.words };
        folding.read(text);
        self.letters.make_ascii_lowercase();
    }

    /// Returns the words alone.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.words.iter().filter_map(|(word, _)| self.letters.get(word.clone()))
    }

    /// Returns the sentence of these words, which was read from that text.
    pub(super) fn sentence<'text>(&'text self, text: &'text str) -> Sentence<'text> {
        let token = |(word, before): &(Range<usize>, Gap)| {
            Some(Token { word: self.letters.get(word.clone())?, before: *before })
        };
        let mut tokens = Vec::with_capacity(self.words.len());
        tokens.extend(self.words.iter().filter_map(token));
        name_month(&mut tokens);
        Sentence { text, tokens }
    }
}

/// The words of a sentence in the making.
struct Folding<'words> {
    /// The letters of all words, those of ASCII in any case.
    letters: &'words mut String,
    /// The place in `letters` at which the present word begins.
    start: usize,
    gap: Gap,
    words: &'words mut Vec<(Range<usize>, Gap)>,
}

impl Folding<'_> {
    fn read(&mut self, text: &str) {
        let mut rest = text;
        let mut previous = ' ';
        while let Some(first) = rest.bytes().next() {
            if first.is_ascii_alphanumeric() {
                let (letters, behind) = split_letters(rest);
                self.letters.push_str(letters);
                (rest, previous) = (behind, char::from(letters.bytes().next_back().unwrap_or(first)));
                continue;
            }
            if first == b' ' {
                self.end_word();
                (rest, previous) = (rest.get(1..).unwrap_or_default(), ' ');
                continue;
            }
            let Some(character) = rest.chars().next() else { break };
            rest = behind_first(rest);
            if character.is_alphanumeric() {
                fold(character, self.letters);
            } else {
                let next = rest.chars().next().unwrap_or(' ');
                // `re-scheduled` is one word.
                let goes_on = character == '-' && self.word().eq_ignore_ascii_case("re") && next.is_alphabetic();
                if !goes_on && self.is_negation(character, next) {
                    rest = behind_first(rest);
                }
                if !goes_on {
                    self.gap = self.gap.max(kind(character, previous, next));
                }
            }
            previous = character;
        }
        self.end_word();
    }

    fn word(&self) -> &str {
        self.letters.get(self.start..).unwrap_or_default()
    }

    /// Ends the word before a mark, and returns whether "n't" ends it, which is a word of its own.
    fn is_negation(&mut self, mark: char, next: char) -> bool {
        let is_negation = matches!(mark, '\'' | '’') && next == 't' && self.word().ends_with(['n', 'N']);
        if is_negation {
            self.letters.pop();
        }
        self.end_word();
        if is_negation {
            self.letters.push_str("not");
            self.end_word();
        }
        is_negation
    }

    fn end_word(&mut self) {
        const CANNOT: &str = "cannot";
        let (start, end) = (self.start, self.letters.len());
        if start == end {
            return;
        }
        let before = std::mem::replace(&mut self.gap, Gap::Blank);
        if end - start == CANNOT.len() && self.word().eq_ignore_ascii_case(CANNOT) {
            let middle = start + "can".len();
            self.words.extend([(start..middle, before), (middle..end, Gap::Blank)]);
        } else {
            self.words.push((start..end, before));
        }
        self.start = end;
    }
}

/// Keeps the month of May apart from what may be.
fn name_month(tokens: &mut [Token<'_>]) {
    let is_number = |token: Option<&Token<'_>>| {
        token.is_some_and(|token| token.word.starts_with(|first: char| first.is_ascii_digit()))
    };
    for at in 0..tokens.len() {
        let is_dated =
            is_number(tokens.get(at + 1)) || at.checked_sub(1).is_some_and(|before| is_number(tokens.get(before)));
        if let Some(token) = tokens.get_mut(at).filter(|token| token.word == "may" && is_dated) {
            token.word = "may month";
        }
    }
}

/// Returns the separation that a mark makes. A hyphen between letters makes none.
fn kind(mark: char, previous: char, next: char) -> Gap {
    match mark {
        ',' | '、' => Gap::Comma,
        '(' | ')' | '[' | ']' | '"' | '“' | '”' | '»' | '«' | '*' | '_' | '.' => Gap::Bracket,
        ':' if previous.is_ascii_digit() && next.is_ascii_digit() => Gap::Blank,
        '/' if previous.is_alphanumeric() && next.is_alphanumeric() => Gap::Comma,
        '-' if previous.is_alphanumeric() && next.is_alphanumeric() => Gap::Blank,
        '-' | '–' | '—' | ':' | '|' | '/' | '>' | '<' | '=' | '#' | ';' | '!' | '?' | '\t' => Gap::Break,
        _ => Gap::Blank,
    }
}

/// Returns the letters and digits of ASCII with which a text begins, and what stands behind them.
fn split_letters(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_alphanumeric).count())
}

/// Returns what stands behind the first character.
fn behind_first(text: &str) -> &str {
    let mut characters = text.chars();
    characters.next();
    characters.as_str()
}

/// Adds a letter in lower case and without its accent.
fn fold(letter: char, word: &mut String) {
    if letter.is_ascii() {
        word.push(letter.to_ascii_lowercase());
        return;
    }
    for letter in letter.to_lowercase() {
        match letter {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' => word.push('a'),
            'ç' | 'ć' | 'č' => word.push('c'),
            'è' | 'é' | 'ê' | 'ë' | 'ē' => word.push('e'),
            'ì' | 'í' | 'î' | 'ï' | 'ı' => word.push('i'),
            'ñ' => word.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => word.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => word.push('u'),
            'ş' | 'š' => word.push('s'),
            'ğ' => word.push('g'),
            'ß' => word.push_str("ss"),
            // What is left of a dotted capital I, and of letters whose accent stands apart.
            '\u{300}'..='\u{36f}' => {}
            other => word.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Words::of(text);
        let words = |part| {
            words.read(part);
            words.sentence(part).tokens.iter().map(|token| token.word.to_owned()).collect()
        };
        split(text).into_iter().flat_map::<Vec<_>, _>(words).collect()
    }

    #[test]
    fn words_are_folded_and_negations_stand_apart() {
        assert_eq!(words("It won't be RE-SCHEDULED"), ["it", "wo", "not", "be", "rescheduled"]);
        assert_eq!(words("It cannot; it isn’t"), ["it", "can", "not", "it", "is", "not"]);
        assert_eq!(words("Größe İptal değil, annulée"), ["grosse", "iptal", "degil", "annulee"]);
    }

    #[test]
    fn sentences_end_where_they_end() {
        let is_filled = |part: &&str| {
            let mut words = Words::of(part);
            words.read(part);
            words.iter().next().is_some()
        };
        let texts =
            |text| split(text).into_iter().filter(is_filled).map(|part| part.trim().to_owned()).collect::<Vec<_>>();
        assert_eq!(texts("At 10.30 it is over. Thanks! Bye"), ["At 10.30 it is over.", "Thanks!", "Bye"]);
        assert!(texts(" ... ").is_empty());
        assert_eq!(
            texts("Die Arbeiten am 3. Mai fallen aus. Am 4. beginnen sie."),
            ["Die Arbeiten am 3. Mai fallen aus.", "Am 4.", "beginnen sie."]
        );
    }
}
