//! Marks above an older message that are no mail program's: those of ticket systems, of people, of Lotus Notes. Each counts only below
//! words of the answer's own, as a ticket system writes its mark at the head of a notice as well.

use super::{forward::unquoted, quoted::labelled};

/// Substrings of the marks that are looked for in every mail.
pub(super) const HINTS: [&str; 10] = [
    "bove this line",
    "BOVE THIS LINE",
    "revious update",
    "revious message",
    "revious notification",
    "revious mail",
    "pdate history",
    "pdate History",
    "PDATE HISTORY",
    "arlier update",
];

/// Lines alone above older messages, in lower case, without the rules around them.
const HEADINGS: [&str; 16] = [
    "previous update",
    "previous updates",
    "previous message",
    "previous messages",
    "previous mail",
    "previous notification",
    "previous notifications",
    "earlier update",
    "earlier updates",
    "update history",
    "you wrote",
    "sie schrieben",
    "u schreef",
    "vous avez écrit",
    "usted escribió",
    "você escreveu",
];

/// First words of a line that names an older message: "Our notification of 9 August:".
const WHOSE: [&str; 11] = ["our", "your", "my", "the", "unsere", "ihre", "onze", "uw", "nuestra", "nossa", "notre"];
/// Words for the older message in such a line.
const MESSAGES: [&str; 14] = [
    "notification",
    "notice",
    "mail",
    "email",
    "e-mail",
    "message",
    "update",
    "announcement",
    "nachricht",
    "melding",
    "bericht",
    "notificación",
    "notificação",
    "avis",
];

/// Consecutive marks that make a line a rule.
const SHORTEST_RULE: usize = 20;
/// Longest line that is a mark, in bytes.
const LONGEST: usize = 300;

/// Returns whether an older message begins at a line. In an answer that its subject names as one, a rule does it as well, a line
/// that names the older message, and headers without an author.
pub(super) fn begins(lines: &[&str], at: usize, is_reply: bool) -> bool {
    let Some((_, words)) = lines.get(at).map(|line| unquoted(line)) else { return false };
    if words.is_empty() || words.len() > LONGEST {
        return false;
    }
    is_heading(words)
        || ends_in_wrote(words)
        || is_reply && (is_rule(words) || names_message(words) || is_without_author(lines, at))
}

fn is_heading(words: &str) -> bool {
    let inside = words.trim_matches(|mark: char| !mark.is_alphanumeric()).to_lowercase();
    HEADINGS.contains(&inside.as_str()) || inside.contains("above this line") && inside.contains("repl")
}

/// Returns whether a line tells who wrote what follows without a colon behind it: "09/Aug/2031 09:00 Jo <jo@b.example> wrote".
fn ends_in_wrote(words: &str) -> bool {
    let has_digit = words.bytes().any(|byte| byte.is_ascii_digit());
    has_digit && words.contains('@') && words.ends_with(" wrote")
}

/// Returns whether a line is a rule. Where it is above a signature, the answer stands above it, whole.
fn is_rule(words: &str) -> bool {
    words.len() >= SHORTEST_RULE && words.bytes().all(|byte| matches!(byte, b'_' | b'-' | b'=' | b'*'))
}

fn names_message(words: &str) -> bool {
    let Some(said) = words.strip_suffix(':') else { return false };
    let said = said.to_lowercase();
    let mut own = said.split(' ').filter(|word| !word.is_empty());
    let is_whose = own.next().is_some_and(|word| WHOSE.contains(&word));
    is_whose && said.split(' ').any(|word| MESSAGES.contains(&word)) && said.bytes().any(|byte| byte.is_ascii_digit())
}

/// Returns whether the headers of Lotus Notes begin at a line, which name recipients and subject below the author.
fn is_without_author(lines: &[&str], at: usize) -> bool {
    let header = |line: &&str| labelled(unquoted(line).1).map(|(name, _)| name);
    if lines.get(at).and_then(header) != Some("To") {
        return false;
    }
    let next: Vec<_> = lines.iter().skip(at + 1).take(3).map_while(header).collect();
    next.contains(&"Subject")
}
