//! Shapes texts for other systems: one line, of limited length. Lengths are in characters.

use contract::text::is_unseen;

/// Returns one line without unseen characters and without white space around it.
pub fn line(text: &str) -> String {
    let text: String =
        text.chars().filter(|letter| !is_unseen(*letter) || letter.is_control() || letter.is_whitespace()).collect();
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Returns text of at most that length; an ellipsis shows that it was cut.
pub fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_by_characters_and_says_so() {
        assert_eq!(cut("four", 4), "four");
        assert_eq!(cut("ab üü", 4), "ab…");
        assert_eq!(line("a\0b \r\n c\u{85}"), "a b c");
        assert_eq!(line("X\u{200b}-1\u{202e}\u{2028}b"), "X-1 b");
    }
}
