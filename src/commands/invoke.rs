//! `provision invoke`: sends one event to one function, and prints its answer.

use kinds::Kind;
use std::{fs, io, path::Path, process::ExitCode};

use serde_json::Value;

use super::until_interrupted;
use crate::ops::account;
use crate::{
    cli::{Common, Invoke},
    ops::{self, invocation},
    render::{self, Printer},
};
use engine::{Class, Failure};
use problem::Problem;

/// Exit code if the function failed.
const FAILED: u8 = 1;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Invoke) -> anyhow::Result<ExitCode> {
    let event = event(&typed.event)?;
    until_interrupted(async {
        let account::Opened { declaration, names, session, .. } =
            account::open(&common.file, common.stage.as_deref()).await?;
        let function = ops::function_of_lambda(&declaration, &typed.function, "invoke")?;
        let name = names.name(Kind::Function, &typed.function);
        if common.dry_run {
            let tried = invocation::try_out(&session, &name, event).await;
            tried.map_err(|failure| not_invoked(&typed.function, failure))?;
            render::invoke::tried(printer, &typed.function);
            return Ok(ExitCode::SUCCESS);
        }
        if typed.r#async {
            let taken = invocation::hand_over(&session, &name, event).await;
            let request_id = taken.map_err(|failure| not_invoked(&typed.function, failure))?;
            render::invoke::taken(printer, &typed.function, request_id.as_deref());
            return Ok(ExitCode::SUCCESS);
        }
        let answer = invocation::wait(&session, &name, event, function.timeout).await;
        let answer = answer.map_err(|failure| not_invoked(&typed.function, failure))?;
        render::invoke::answered(printer, &typed.function, &answer)?;
        Ok(if answer.error.is_some() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
    })
}

/// Reads the event from a file or standard input. Invalid JSON is refused here, since Lambda would
/// say less.
fn event(path: &Path) -> Result<String, Problem> {
    let (name, text) = if path == Path::new("-") {
        ("standard input".to_owned(), io::read_to_string(io::stdin()))
    } else {
        (format!("`{}`", path.display()), fs::read_to_string(path))
    };
    let text =
        text.map_err(|error| Problem::new(format!("Failed to read the event from {name}")).with_source(error))?;
    let read: Result<Value, _> = serde_json::from_str(&text);
    read.map_err(|error| {
        Problem::new(format!("Failed to read the event from {name}: it is not valid JSON")).with_source(error)
    })?;
    Ok(text)
}

/// Returns why a function was not invoked.
pub(super) fn not_invoked(function: &str, failure: Failure) -> Problem {
    let problem = Problem::new(format!("Failed to invoke the function `{function}`"));
    match failure.class {
        Class::NotFound => problem.with_hint("`provision up` creates it"),
        Class::Unreachable => problem.with_hint("the function may have run: see `provision logs`"),
        _ => problem,
    }
    .with_source(failure)
}
