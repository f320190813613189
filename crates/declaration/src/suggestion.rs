//! Suggests a known word in place of an unknown one.

/// Returns "did you mean …" if a known word is close, else the list of known words.
pub fn choose(word: &str, what: &str, known: &[&str]) -> String {
    closest(word, known).map_or_else(
        || {
            let list: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("{what}: {}", list.join(", "))
        },
        did_you_mean,
    )
}

/// Returns the hint that suggests one word.
pub(super) fn did_you_mean(word: &str) -> String {
    format!("did you mean `{word}`?")
}

/// Returns words as alternatives: "`a`, `b` or `c`".
pub(super) fn one_of<T: AsRef<str>>(words: &[T]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => quoted.concat(),
    }
}

/// Returns the known word that is closest to a mistyped one; `None` if none is close.
pub(super) fn closest<'known>(word: &str, known: &[&'known str]) -> Option<&'known str> {
    let word: String = word.chars().take(64).collect::<String>().to_lowercase().replace('_', "-");
    let distance = |name: &str| strsim::damerau_levenshtein(&word, &name.to_lowercase().replace('_', "-"));
    let (distance, name) = known.iter().map(|name| (distance(name), *name)).min()?;
    (distance <= (name.chars().count() / 3).max(1)).then_some(name)
}
