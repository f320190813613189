//! The effort of tests whose complete run takes long: one environment variable sets it for all of them.

use std::{env, fmt};

/// The part of all cases that a test tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effort {
    /// A few cases: on a developer's machine, unless asked otherwise.
    Brief,
    /// As many cases as CI has time for.
    Ci,
    /// All cases, however long that takes.
    Whole,
}

/// Environment variable that sets the effort.
const VARIABLE: &str = "PROVISION_EFFORT";

impl Effort {
    /// Returns the effort that `PROVISION_EFFORT` asks for.
    pub(crate) fn asked() -> Self {
        match env::var(VARIABLE).as_deref() {
            Err(_) | Ok("brief") => Self::Brief,
            Ok("ci") => Self::Ci,
            Ok("whole") => Self::Whole,
            Ok(other) => panic!("{VARIABLE} is `{other}`, supported are brief, ci and whole"),
        }
    }

    /// Returns the value for this effort.
    pub(crate) fn of<T>(self, brief: T, ci: T, whole: T) -> T {
        match self {
            Self::Brief => brief,
            Self::Ci => ci,
            Self::Whole => whole,
        }
    }

    /// Returns every `step`th case if a sample suffices, else all.
    pub(crate) fn some_of<T>(self, cases: Vec<T>, step: usize) -> Vec<T> {
        cases.into_iter().step_by(self.of(step, 1, 1)).collect()
    }

    /// Reports that a test is skipped at less effort than `least`, and returns whether it is.
    #[expect(clippy::print_stdout, reason = "a test that is not run says so")]
    pub(crate) fn leaves_out_below(self, least: Self, why: &str) -> bool {
        if self < least {
            println!("not run: {why}; {VARIABLE}={} asks for it", least.word());
        }
        self < least
    }

    /// Reports that a test is skipped at [`Effort::Brief`], and returns whether it is.
    pub(crate) fn leaves_out(self, why: &str) -> bool {
        self.leaves_out_below(Self::Ci, why)
    }

    fn word(self) -> &'static str {
        self.of("brief", "ci", "whole")
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{VARIABLE}={}", self.word())?;
        if *self == Self::Whole { Ok(()) } else { formatter.write_str(" (`whole` tries all)") }
    }
}
