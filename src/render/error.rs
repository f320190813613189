//! `error: Failed to …`, its causes, and its hints on lines of their own.

use std::{error::Error, fmt::Write as _, iter};

use console::Style;

use super::look::{Look, clean};
use crate::{
    declaration::{DeclarationError, Diagnostics},
    problem::Problem,
};

/// What is wrong with a declaration, if that is the error.
pub(super) fn diagnostics(error: &anyhow::Error) -> Option<&Diagnostics> {
    error.chain().find_map(|cause| match cause.downcast_ref::<DeclarationError>() {
        Some(DeclarationError::Invalid(diagnostics)) => Some(diagnostics),
        _ => None,
    })
}

/// An error as text, several lines.
pub(super) fn text(error: &anyhow::Error, look: &Look) -> String {
    chain(error.as_ref(), look)
}

/// An error with its causes as text.
pub(super) fn chain(error: &(dyn Error + 'static), look: &Look) -> String {
    let causes: Vec<_> = iter::successors(Some(error), |error| (*error).source()).collect();
    let mut said = error.to_string();
    let mut text = format!("{} {}", look.paint(Style::new().red().bold(), "error:"), clean(&said));
    for cause in causes.iter().skip(1).map(ToString::to_string) {
        // A transparent error is its own cause, and many errors repeat theirs.
        if !said.contains(&cause) {
            let _ = write!(text, "\n  because: {}", clean(&cause));
            said = cause;
        }
    }
    for hint in causes.iter().filter_map(|cause| hint(*cause)) {
        let _ = write!(text, "\n{} {}", look.paint(Style::new().cyan().bold(), "hint:"), clean(&hint));
    }
    text
}

fn hint(cause: &(dyn Error + 'static)) -> Option<String> {
    let of_problem = cause.downcast_ref::<Problem>().and_then(Problem::hint);
    let of_declaration = cause.downcast_ref::<DeclarationError>().and_then(DeclarationError::hint);
    of_problem.or(of_declaration).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn causes_and_hints_have_lines_of_their_own() {
        let source = io::Error::new(io::ErrorKind::NotFound, "no such file");
        let error = anyhow::Error::from(DeclarationError::Unreadable { path: "infra.yaml".into(), source });
        let expected = "error: Failed to read the declaration `infra.yaml`\n  because: no such file\n\
                        hint: name the declaration with `-f FILE`";
        assert_eq!(text(&error, &Look::plain()), expected);
    }
}
