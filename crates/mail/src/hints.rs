//! Words of which one has to be in a body for it to be looked at closely: most bodies have none, and are passed over once.

use aho_corasick::packed::Searcher;
use memchr::memmem;

/// The words, looked for all at a time.
pub(super) struct Hints {
    words: &'static [&'static str],
    /// `None` on a machine that cannot look for all at a time.
    searcher: Option<Searcher>,
}

impl Hints {
    pub(super) fn new(words: &'static [&'static str]) -> Self {
        Self { words, searcher: Searcher::new(words) }
    }

    /// Returns whether a body has one of the words.
    pub(super) fn are_in(&self, body: &str) -> bool {
        match &self.searcher {
            Some(searcher) => searcher.find(body).is_some(),
            None => self.words.iter().any(|word| memmem::find(body.as_bytes(), word.as_bytes()).is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Hints;

    #[test]
    fn a_body_has_one_of_the_words_wherever_it_stands() {
        let hints = Hints::new(&["\n>", "De ", "wrote", "写道"]);
        let filler = "Dear customer, we do maintenance. ".repeat(9);
        for word in ["\n>", "De ", "wrote", "写道"] {
            for body in [
                word.to_owned(),
                format!("{filler}{word}"),
                format!("{word}{filler}"),
                format!("{filler}{word}{filler}"),
            ] {
                assert!(hints.are_in(&body), "{body}");
            }
        }
        for body in ["", "w", "De", &filler, "WROTE", "写"] {
            assert!(!hints.are_in(body), "{body}");
        }
        assert!(!Hints::new(&[]).are_in("a"), "no words");
    }
}
