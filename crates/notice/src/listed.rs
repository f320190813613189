//! The ids of a list in one line: commas and semicolons between them, and a word before the last one.

/// Returns the ids that a line lists, without blanks around them. "A-1, A-2 and A-3" are three; a word joins two only where each
/// part has a number: "North and South 7" is a name.
pub fn ids(line: &str) -> impl Iterator<Item = &str> {
    line.split([',', ';']).flat_map(|part| {
        let part = JOINS.iter().fold(part.trim(), |part, join| part.strip_prefix(join.trim_start()).unwrap_or(part));
        let parts = JOINS.iter().map(|join| part.split(join).map(str::trim).collect::<Vec<_>>());
        let has_number = |id: &&str| id.bytes().any(|byte| byte.is_ascii_digit());
        let split = parts.into_iter().find(|parts| parts.len() > 1 && parts.iter().all(has_number));
        split.unwrap_or_else(|| vec![part]).into_iter().filter(|id| !id.is_empty())
    })
}

/// Words that join the last id of a list to the one before it.
const JOINS: [&str; 2] = [" and ", " & "];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_at_what_joins_its_ids() {
        for (line, expected) in [
            ("X001", &["X001"][..]),
            ("X001, X002; X003,", &["X001", "X002", "X003"]),
            ("X001, X002 and X003", &["X001", "X002", "X003"]),
            ("X001, X002, and X003", &["X001", "X002", "X003"]),
            ("X001 & X002", &["X001", "X002"]),
            ("SNG LON EPL 7001 and SNG LON EPL 7002", &["SNG LON EPL 7001", "SNG LON EPL 7002"]),
            ("North and South 7", &["North and South 7"]),
            ("Grand 1", &["Grand 1"]),
            ("", &[]),
        ] {
            assert_eq!(ids(line).collect::<Vec<_>>(), expected, "{line}");
        }
    }
}
