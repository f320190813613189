//! Replaces parts of texts in tests. A test that changes one thing of a text would go on without a change, and so try nothing, once the text
//! reads otherwise: here that is a failure.

/// A text of which a part can be replaced.
pub trait Replaced {
    /// Returns the text with a part replaced wherever it stands.
    ///
    /// ```
    /// use replaced::Replaced as _;
    ///
    /// assert_eq!("queues: {jobs: {}}".replaced("jobs", "orders"), "queues: {orders: {}}");
    /// ```
    ///
    /// # Panics
    ///
    /// If the part is not in the text.
    #[track_caller]
    fn replaced(&self, part: &str, by: &str) -> String;
}

impl Replaced for str {
    fn replaced(&self, part: &str, by: &str) -> String {
        assert!(self.contains(part), "there is no `{part}` to be replaced in\n{self}");
        self.replace(part, by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "there is no `topics` to be replaced in\nqueues: {}")]
    fn nothing_to_replace_is_a_failure() {
        "queues: {}".replaced("topics", "queues");
    }
}
