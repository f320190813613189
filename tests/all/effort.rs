//! How much is tried where trying everything takes long: one factor in the environment for all such tests.

use std::{env, fmt};

/// The part of all cases that a test tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// A few of them: on a developer's machine, unless asked otherwise.
    Brief,
    /// As many as CI has time for.
    Ci,
    /// All of them, for as long as it takes.
    Whole,
}

/// The environment variable with the factor.
const VARIABLE: &str = "PROVISION_EFFORT";

impl Effort {
    /// Returns what `PROVISION_EFFORT` asks for.
    pub(crate) fn asked() -> Self {
        match env::var(VARIABLE).as_deref() {
            Err(_) | Ok("brief") => Self::Brief,
            Ok("ci") => Self::Ci,
            Ok("whole") => Self::Whole,
            Ok(other) => panic!("{VARIABLE} is `{other}`, supported are brief, ci and whole"),
        }
    }

    /// Returns what belongs to this effort.
    pub(crate) fn of<T>(self, brief: T, ci: T, whole: T) -> T {
        match self {
            Self::Brief => brief,
            Self::Ci => ci,
            Self::Whole => whole,
        }
    }

    /// Returns every `step`th case where a few are enough, else all.
    pub(crate) fn some_of<T>(self, cases: Vec<T>, step: usize) -> Vec<T> {
        cases.into_iter().step_by(self.of(step, 1, 1)).collect()
    }

    /// Says that a test is left out at this effort, and returns whether it is: `true` for [`Effort::Brief`].
    #[expect(clippy::print_stdout, reason = "a test that is not run says so")]
    pub(crate) fn leaves_out(self, why: &str) -> bool {
        if self == Self::Brief {
            println!("not run: {why}; {VARIABLE}=ci asks for it");
        }
        self == Self::Brief
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.of("brief", "ci", "whole");
        write!(formatter, "{VARIABLE}={word}")?;
        if *self == Self::Whole { Ok(()) } else { formatter.write_str(" (`whole` tries all)") }
    }
}
