//! Tokens of the header fields that SES writes: white space and comments (RFC 5322, 3.2.2) separate words, `;` ends a clause.
//!
//! Nothing is decoded. A quoted string is legal there, but SES writes none: its content is the sender's, so a value with one
//! proves nothing. The same holds for every byte that is not printable ASCII.

/// A word, or the end of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'value> {
    Word(&'value str),
    Semicolon,
}

/// Splits a raw value into tokens; `None` for a value that SES does not write.
pub(super) fn tokens(value: &[u8]) -> Option<Vec<Token<'_>>> {
    let text = str::from_utf8(value).ok()?;
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        rest = match next {
            ' ' | '\t' | '\r' | '\n' => rest.get(1..)?,
            '(' => behind_comment(rest)?,
            ';' => {
                tokens.push(Token::Semicolon);
                rest.get(1..)?
            }
            _ => {
                let end = rest.find([' ', '\t', '\r', '\n', '(', ';']).unwrap_or(rest.len());
                let (word, behind) = rest.split_at(end);
                let is_plain = word.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b')' | b'\\'));
                tokens.push(is_plain.then_some(Token::Word(word))?);
                behind
            }
        };
    }
    Some(tokens)
}

/// Splits a raw value into its clauses; a trailing semicolon begins no further one. `None` for a value that SES does not
/// write.
pub(super) fn clauses(value: &[u8]) -> Option<Vec<Vec<&str>>> {
    let mut clauses = vec![Vec::new()];
    for token in tokens(value)? {
        match token {
            Token::Semicolon => clauses.push(Vec::new()),
            Token::Word(word) => clauses.last_mut()?.push(word),
        }
    }
    if clauses.last().is_some_and(Vec::is_empty) {
        clauses.pop();
    }
    Some(clauses)
}

/// Returns the text after the comment at its beginning; `None` if the comment does not close.
fn behind_comment(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        let is_text = byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        if !is_text {
            return None;
        }
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'(' => depth += 1,
            b')' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(at + 1..);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_white_space_and_never_joins_its_sides() {
        let split = |text: &'static str| clauses(text.as_bytes());
        assert_eq!(split("a b;c"), Some(vec![vec!["a", "b"], vec!["c"]]));
        assert_eq!(split("dk()im=pass;"), Some(vec![vec!["dk", "im=pass"]]));
        assert_eq!(split("a(x (y) \\) z)b\r\n\tc"), Some(vec![vec!["a", "b", "c"]]));
        assert_eq!(split("(only)"), Some(vec![]));
        assert_eq!(split("a;;b"), Some(vec![vec!["a"], vec![], vec!["b"]]));
    }

    #[test]
    fn what_ses_does_not_write_says_nothing() {
        for odd in ["a (open", "a) b", "a \"b\"", "a\\b", "caf\u{e9}", "a (\u{e9})", "a\0", "(()", "a\x0bb"] {
            assert_eq!(tokens(odd.as_bytes()), None, "{odd:?}");
        }
        assert_eq!(tokens(b"\xff"), None);
    }
}
