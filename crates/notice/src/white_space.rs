//! White space in the texts of a mail. Mailers add it and break lines as they like, so texts are compared and quoted folded.

/// Folds white space (no-break spaces too) and trims. What has no width (soft hyphens, joiners, marks of direction) is
/// left out: mailers put it into words and ids, and nobody sees it.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return fold_ascii(text);
    }
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let start = folded.len();
        if start > 0 {
            folded.push(' ');
        }
        let before = folded.len();
        if word.is_ascii() {
            folded.push_str(word);
        } else {
            folded.extend(word.chars().filter(|character| !has_no_width(*character)));
        }
        if folded.len() == before {
            folded.truncate(start);
        }
    }
    folded
}

fn fold_ascii(text: &str) -> String {
    let text = text.trim_ascii();
    // Most lines have single blanks already.
    let mut follows_space = false;
    let is_folded = text.bytes().all(|byte| {
        let is_alone = byte > b' ' || byte == b' ' && !follows_space || !is_space(byte);
        follows_space = byte <= b' ' && is_space(byte);
        is_alone
    });
    if is_folded {
        return text.trim().to_owned();
    }
    let mut folded = String::with_capacity(text.len());
    for word in text.split(|letter: char| letter.is_ascii() && is_space(letter as u8)).filter(|word| !word.is_empty()) {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

/// Returns whether a byte is white space as Unicode knows it: a vertical tab is.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

const fn has_no_width(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}
