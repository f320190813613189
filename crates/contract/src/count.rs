//! Counts with their nouns. Every text that counts something uses these functions, so that none of them says "1 mails".

/// Returns a count with its noun, whose plural ends in `s`.
///
/// ```
/// use contract::count::counted;
///
/// assert_eq!(counted(1, "mail"), "1 mail");
/// assert_eq!(counted(2, "mail"), "2 mails");
/// ```
pub fn counted(count: usize, noun: &str) -> String {
    counted_as(count, noun, &format!("{noun}s"))
}

/// Returns a count with its noun, whose plural is irregular: `1 retry`, `2 retries`.
pub fn counted_as(count: usize, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{count} {noun}")
}
