//! Compares the ids of circuits as people write them: in another case, with other blanks, hyphens or slashes, with the carrier's name in
//! front. Numbers and words stay apart: `1/2` is not `12`, and `AB-CD` is not `ABCD`.

use contract::text::is_unseen;

/// Length limit of what follows a carrier's name, in letters and digits: anything shorter is something else too often.
const SHORTEST_REST: usize = 4;
/// Length limit of the id of a cross-connect, in letters and digits.
const SHORTEST_CROSS_CONNECT: usize = 3;

/// Separators of words and numbers besides blanks: with the hyphens, dashes and slashes of other keyboards.
const SEPARATORS: [char; 21] = [
    '/', '\\', '-', '_', '.', ',', ':', ';', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}',
    '\u{2212}', '\u{fe58}', '\u{fe63}', '\u{ff0d}', '\u{2044}', '\u{2215}', '\u{ff0f}',
];

/// An id without its spelling: its words and numbers, in order. Signs that are no separators are words of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spelling(Vec<String>);

/// The kinds of characters; a word or number ends where the kind changes.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Letter,
    Digit,
    Sign,
    Separator,
    Nothing,
}

impl Kind {
    fn of(letter: char) -> Self {
        match letter {
            _ if letter.is_whitespace() || letter.is_control() => Self::Separator,
            _ if is_unseen(letter) => Self::Nothing,
            _ if SEPARATORS.contains(&letter) => Self::Separator,
            _ if letter.is_alphabetic() => Self::Letter,
            _ if letter.is_numeric() => Self::Digit,
            _ => Self::Sign,
        }
    }
}

impl Spelling {
    /// Splits an id into words and numbers.
    pub(super) fn of(id: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut last = Kind::Separator;
        for letter in id.chars() {
            let kind = Kind::of(letter);
            match kind {
                Kind::Nothing => continue,
                Kind::Separator => {}
                _ => {
                    if kind != last || kind == Kind::Sign {
                        words.push(String::new());
                    }
                    if let Some(word) = words.last_mut() {
                        word.extend(letter.to_lowercase());
                    }
                }
            }
            last = kind;
        }
        Self(words)
    }

    /// Returns whether there is nothing in it that tells it from others.
    pub(super) fn is_empty(&self) -> bool {
        !self.0.iter().any(|word| word.chars().any(char::is_alphanumeric))
    }

    /// Returns whether it is long enough for the id of a cross-connect.
    pub(super) fn is_of_cross_connect(&self) -> bool {
        self.length() >= SHORTEST_CROSS_CONNECT
    }

    /// Returns its letters and digits alone, in which ids that are alike are looked for.
    pub(super) fn squeezed(&self) -> String {
        self.0.iter().flat_map(|word| word.chars()).filter(|letter| letter.is_alphanumeric()).collect()
    }

    fn length(&self) -> usize {
        self.0.iter().flat_map(|word| word.chars()).filter(|letter| letter.is_alphanumeric()).count()
    }

    fn has_digit(&self) -> bool {
        self.0.iter().any(|word| word.starts_with(char::is_numeric))
    }
}

/// The names of a carrier that may stand in front of an id: each of its names, and the first words of it.
#[derive(Debug, Clone)]
pub(super) struct Prefixes(Vec<Vec<String>>);

impl Prefixes {
    /// Returns the prefixes of a carrier with these names and slugs.
    pub(super) fn of<'name>(names: impl IntoIterator<Item = &'name str>) -> Self {
        let is_prefix = |words: &&[String]| {
            let first = words.first().is_some_and(|word| word.starts_with(char::is_alphabetic));
            first && words.iter().flat_map(|word| word.chars()).filter(|letter| letter.is_alphabetic()).count() > 1
        };
        let mut prefixes = Vec::new();
        for name in names {
            let Spelling(words) = Spelling::of(name);
            let starts = (1..=words.len()).filter_map(|length| words.get(..length));
            prefixes.extend(starts.filter(is_prefix).map(<[String]>::to_vec));
        }
        prefixes.sort_by_key(|prefix: &Vec<String>| (std::cmp::Reverse(prefix.len()), prefix.clone()));
        prefixes.dedup();
        Self(prefixes)
    }

    /// Returns an id without the carrier's name in front of it; `None` if there is none, or too little behind it.
    fn strip(&self, id: &Spelling) -> Option<Spelling> {
        let rest = self.0.iter().find_map(|prefix| id.0.strip_prefix(prefix.as_slice()))?;
        let rest = Spelling(rest.to_vec());
        (rest.has_digit() && rest.length() >= SHORTEST_REST).then_some(rest)
    }

    /// Returns what an id is known by: its spelling, also without the carrier's name in front of it. Two ids that have one of these in common
    /// are the same but for how they are written. None if nothing in it tells it from others.
    pub(super) fn keys(&self, id: &str) -> Vec<Spelling> {
        let spelling = Spelling::of(id);
        if spelling.is_empty() {
            return Vec::new();
        }
        let bare = self.strip(&spelling);
        std::iter::once(spelling).chain(bare).collect()
    }
}

/// Returns an id as it is spelled, byte for byte, in one line: what is not seen, or looks like something else, by its number.
pub(super) fn spelled(id: &str) -> String {
    let mut shown = String::new();
    let length = id.chars().count();
    for (place, letter) in id.chars().enumerate() {
        let is_at_end = place == 0 || place + 1 == length;
        let is_plain = letter.is_ascii_graphic() || (letter == ' ' && !is_at_end);
        let is_latin = matches!(letter, '\u{c0}'..='\u{24f}') && letter.is_alphabetic();
        if is_plain || is_latin { shown.push(letter) } else { shown.extend(letter.escape_unicode()) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(one: &str, other: &str) -> bool {
        let prefixes = Prefixes::of(["zayo-europe", "Zayo Group", "A", "365 Networks"]);
        let keys = prefixes.keys(one);
        prefixes.keys(other).iter().any(|key| keys.contains(key))
    }

    #[test]
    fn ids_are_alike_but_for_case_separators_and_the_carriers_name() {
        for (one, other) in [
            ("OGYX/123456//ZYO", "ogyx/123456/zyo"),
            ("OGYX/123456//ZYO", "OGYX 123456 ZYO"),
            ("OGYX/123456//ZYO", " OGYX\u{a0}/ 123456 / ZYO "),
            ("IC-123456", "IC123456"),
            ("IC-123456", "ic\u{2011}123456"),
            ("IC  123456", "IC 123456"),
            ("IC\u{200b}-123456", "IC-123456"),
            ("ZAYO-123456", "123456"),
            ("Zayo Group IC/123456", "ic-123456"),
            ("zayo-europe/123456", "Zayo 123456"),
            ("\u{c4}-1", "\u{e4} 1"),
        ] {
            assert!(alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn other_numbers_and_words_are_other_circuits() {
        for (one, other) in [
            ("1/2", "12"),
            ("A-1/2", "A-12"),
            ("AB-CD", "ABCD"),
            ("007", "7"),
            ("IC-123456", "123456"),
            ("OTHER-123456", "123456"),
            ("ZAYO-1", "1"),
            ("ZAYO-LINE", "LINE"),
            ("A-123456", "123456"),
            ("365-123456", "123456"),
            ("IC-123456 (old)", "IC-123456"),
            ("IC-123456", "IC-123456-1"),
            ("IC+1", "IC1"),
            ("--", "//"),
            ("", ""),
            ("\u{410}-1", "A-1"),
            ("\u{ff11}", "1"),
        ] {
            assert!(!alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_spelling_is_shown_byte_for_byte() {
        for (id, shown) in [
            ("OGYX/123456//ZYO", "OGYX/123456//ZYO"),
            ("IC  1", "IC  1"),
            (" IC 1", "\\u{20}IC 1"),
            ("IC\u{a0}1\n", "IC\\u{a0}1\\u{a}"),
            ("\u{410}-1", "\\u{410}-1"),
            ("Z\u{fc}rich", "Z\u{fc}rich"),
            ("e\u{301}", "e\\u{301}"),
        ] {
            assert_eq!(spelled(id), shown);
        }
    }
}
