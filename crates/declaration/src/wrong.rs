//! The reason why a text is not a value of some form, as its parser tells it to whoever reads the declaration.

/// The reason for refusing a scalar.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    /// Expectation, if it is narrower than the type: "at most `15m`".
    pub(super) expected: Option<String>,
    /// Advice on how to mend it; `None` if the expectation says it.
    pub(super) hint: Option<String>,
}

impl Wrong {
    /// Returns the refusal of a value that must be something narrower.
    pub(super) fn expected(what: impl Into<String>) -> Self {
        Self { expected: Some(what.into()), hint: None }
    }

    /// Adds the hint: what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
