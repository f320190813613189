//! Lists of words, each of which is there once.

use std::collections::BTreeSet;

use super::{
    diagnostic::Diagnostic,
    reader::{Fields, Reader, word},
    shape::{Word, words},
    suggestion::{choose, one_of},
    wrong::Wrong,
};

/// Reads a list of words, each once.
/// Reads a list of words, each once.
pub(super) fn word_list<T: Word + Ord>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    name: &str,
    example: &str,
) -> BTreeSet<T> {
    let known = words::<T>();
    let expected = one_of(&known);
    let mut list = BTreeSet::new();
    for item in reader.items(fields, name, example) {
        let read = reader.scalar(item, name, &expected, |text| {
            word::<T>(text).ok_or_else(|| Wrong::default().hint(choose(text, "what can be named", &known)))
        });
        if read.is_some_and(|word| !list.insert(word)) {
            reader.report(Diagnostic::new(item.span.clone(), format!("this is there twice in `{name}`")));
        }
    }
    list
}
