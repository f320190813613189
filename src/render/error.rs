//! Renders errors: `error: Failed to …`, the causes, and the hints on lines of their own.

use std::{error::Error, fmt::Write as _, iter};

use console::Style;

use serde_json::json;

use super::{
    VERSION,
    look::{Look, clean},
};
use declaration::{DeclarationError, Diagnostics};
use package::NotBuilt;
use problem::Problem;
use stack::preconditions::{Finding, Weight};

/// Returns the diagnostics of a declaration, if they are the error.
pub(super) fn diagnostics(error: &anyhow::Error) -> Option<&Diagnostics> {
    error.chain().find_map(|cause| match cause.downcast_ref::<DeclarationError>() {
        Some(DeclarationError::Invalid(diagnostics)) => Some(diagnostics),
        _ => None,
    })
}

/// Renders an error with its causes and hints, in several lines.
pub(super) fn text(error: &(dyn Error + 'static), look: &Look) -> String {
    let mut text = format!("{} {}", look.paint(Style::new().red().bold(), "error:"), clean(&error.to_string()));
    for cause in causes(error) {
        let _ = write!(text, "\n  because: {}", clean(&cause));
    }
    for hint in hints(error) {
        let _ = write!(text, "\n{} {}", look.paint(Style::new().cyan().bold(), "hint:"), clean(&hint));
    }
    text
}

/// Renders an unfulfilled precondition, and what to do about it.
pub(super) fn finding(finding: &Finding, look: &Look) -> String {
    let head = match finding.weight {
        Weight::Blocks => look.paint(Style::new().red().bold(), "error:"),
        Weight::Warns => look.paint(Style::new().yellow().bold(), "warning:"),
    };
    let hint = look.paint(Style::new().cyan().bold(), "hint:");
    format!("{head} {}\n{hint} {}", clean(&finding.what), clean(&finding.todo))
}

/// Returns the error as one JSON document.
pub(super) fn json(error: &(dyn Error + 'static)) -> String {
    let error = json!({"message": error.to_string(), "causes": causes(error), "hints": hints(error)});
    json!({"version": VERSION, "error": error}).to_string()
}

fn chain<'error>(error: &'error (dyn Error + 'static)) -> impl Iterator<Item = &'error (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'error (dyn Error + 'static)| (*error).source())
}

/// Returns the causes that say something new: a transparent error is its own cause, and many errors
/// repeat theirs.
fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    for cause in chain(error).skip(1).map(ToString::to_string) {
        if !said.contains(&cause) {
            said.clone_from(&cause);
            causes.push(cause);
        }
    }
    causes
}

fn hints(error: &(dyn Error + 'static)) -> Vec<String> {
    chain(error).filter_map(hint).collect()
}

fn hint(cause: &(dyn Error + 'static)) -> Option<String> {
    let of_problem = cause.downcast_ref::<Problem>().and_then(Problem::hint);
    let of_declaration = cause.downcast_ref::<DeclarationError>().and_then(DeclarationError::hint);
    let of_build = cause.downcast_ref::<NotBuilt>().and_then(NotBuilt::hint);
    of_problem.map(str::to_owned).or(of_declaration).or(of_build)
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
                        hint: pass the declaration with `-f FILE`, or create one with `provision init`";
        assert_eq!(text(error.as_ref(), &Look::plain()), expected);
    }
}
