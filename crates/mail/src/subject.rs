//! Subjects without the prefixes of relays, lists and people.

/// Prefixes of a forward, in the languages of common mail programs.
const FORWARDS: [&str; 12] = ["fwd", "fw", "wg", "tr", "rv", "enc", "vl", "doorst", "vb", "转发", "轉寄", "転送"];
/// Prefixes of a reply.
const REPLIES: [&str; 9] = ["re", "aw", "sv", "antw", "res", "odp", "回复", "答复", "返信"];

/// A prefix of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Forward,
    Reply,
    /// A list's tag or a warning about the sender.
    Mark,
}

/// Returns the subject without any `Fwd:`, `Re:`, `[list-name]`, `[ EXTERNAL ]` or `***External***` before it. A tag is a
/// list's if it is one lower-case word, such as `[maint-notices]`; `[Emergency]` is the provider's.
pub(super) fn bare(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some((_, after)) = next(rest) {
        rest = after;
    }
    rest
}

/// Returns `Some(true)` if the outermost prefix is of a forward, `Some(false)` if it is of a reply, `None` without one.
pub(super) fn is_forward(subject: &str) -> Option<bool> {
    let mut rest = subject.trim();
    while let Some((prefix, after)) = next(rest) {
        match prefix {
            Prefix::Forward => return Some(true),
            Prefix::Reply => return Some(false),
            Prefix::Mark => rest = after,
        }
    }
    None
}

fn next(text: &str) -> Option<(Prefix, &str)> {
    let (prefix, rest) = word(text).or_else(|| tag(text)).or_else(|| stars(text))?;
    let rest = rest.trim_start();
    // A subject that consists of a prefix only is kept.
    (!rest.is_empty()).then_some((prefix, rest))
}

/// Parses a prefix such as `Fwd:`, `RE :`, `Re[2]:`, `External:`.
fn word(text: &str) -> Option<(Prefix, &str)> {
    let (word, rest) = text.split_once([':', '：'])?;
    let word = word.trim_end().to_lowercase();
    let word = word.split(['[', '(']).next().unwrap_or_default().trim();
    if FORWARDS.contains(&word) {
        Some((Prefix::Forward, rest))
    } else if REPLIES.contains(&word) {
        Some((Prefix::Reply, rest))
    } else {
        (word == "external" || word == "ext").then_some((Prefix::Mark, rest))
    }
}

/// Parses a tag such as `[maint-notices]`, `[ EXTERNAL ]`, `(External)`.
fn tag(text: &str) -> Option<(Prefix, &str)> {
    let (inside, rest) = match text.strip_prefix('[') {
        Some(open) => open.split_once(']')?,
        None => text.strip_prefix('(')?.split_once(')')?,
    };
    let inside = inside.trim();
    let is_list = inside.starts_with(|first: char| first.is_ascii_lowercase())
        && inside.chars().all(|next| next.is_ascii_lowercase() || next.is_ascii_digit() || "-_.".contains(next));
    (is_list || is_warning(inside)).then_some((Prefix::Mark, rest))
}

/// Parses a mark in stars, such as `***External***`.
fn stars(text: &str) -> Option<(Prefix, &str)> {
    let open = text.trim_start_matches('*');
    let (inside, rest) = open.split_once('*').filter(|_| open.len() < text.len())?;
    is_warning(inside.trim()).then(|| (Prefix::Mark, rest.trim_start_matches('*')))
}

fn is_warning(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text == "ext" || text.split([' ', '-', '_', ':']).next() == Some("external")
}

#[cfg(test)]
mod tests {
    use super::{bare, is_forward};

    #[test]
    fn prefixes_are_passed_over() {
        for (subject, expected) in [
            ("Fwd: [maint-notices] Planned work 17", "Planned work 17"),
            ("FW: RE: Planned work", "Planned work"),
            ("[ EXTERNAL ] Planned work", "Planned work"),
            ("[External] WG: Planned work", "Planned work"),
            ("***External*** Planned work", "Planned work"),
            ("[EXTERNAL EMAIL] - Planned work", "- Planned work"),
            ("Re[2]: Planned work", "Planned work"),
            ("EXTERNAL: 转发：Planned work", "Planned work"),
            ("[Emergency] work", "[Emergency] work"),
            ("***ACME Inc***Planned work", "***ACME Inc***Planned work"),
            ("Reminder: work", "Reminder: work"),
            ("Re: [## 12 ##] work", "[## 12 ##] work"),
            ("  Planned work ", "Planned work"),
            ("Fwd:", "Fwd:"),
            ("***", "***"),
            ("[", "["),
            ("", ""),
        ] {
            assert_eq!(bare(subject), expected, "{subject}");
        }
    }

    #[test]
    fn the_first_prefix_tells_what_was_done_last() {
        for (subject, expected) in [
            ("Fwd: Re: work", Some(true)),
            ("[ops] FW: work", Some(true)),
            ("Re: Fwd: work", Some(false)),
            ("work", None),
            ("", None),
        ] {
            assert_eq!(is_forward(subject), expected, "{subject}");
        }
    }
}
