//! `provision logs`: prints the functions' logs, in the order of time.

use std::process::ExitCode;

use super::until_interrupted;
use crate::ops::account;
use crate::{
    cli::{Common, Logs},
    ops::{
        self,
        log::{Reader, Source},
    },
    render::{self, Printer},
};
use declaration::Declaration;
use engine::Class;
use kinds::{Kind, Session};
use problem::Problem;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Logs) -> anyhow::Result<ExitCode> {
    until_interrupted(async {
        let account::Opened { declaration, names, session, .. } =
            account::open(&common.file, common.stage.as_deref()).await?;
        let functions = functions(&declaration, typed.function.as_deref())?;
        let source =
            |function: &String| Source { function: function.clone(), group: names.name(Kind::LogGroup, function) };
        let mut reader = Reader::new(functions.iter().map(source).collect(), typed.since);
        let width = functions.iter().map(|function| function.chars().count()).max().unwrap_or(0);
        let found = reader.look(&session).await.map_err(unreadable)?;
        if !found.missing.is_empty() && found.missing.len() == functions.len() {
            return Err(nothing_there(&found.missing).into());
        }
        if !typed.follow {
            render::logs::all(printer, &found.events, width)?;
            return Ok(ExitCode::SUCCESS);
        }
        render::logs::some(printer, &found.events, width)?;
        follow(printer, &session, &mut reader, width).await
    })
}

/// Returns the named function, else all of them.
fn functions(declaration: &Declaration, named: Option<&str>) -> Result<Vec<String>, Problem> {
    match named {
        Some(entry) => ops::function(declaration, entry).map(|_| vec![entry.to_owned()]),
        None if declaration.functions.is_empty() => {
            Err(Problem::new("Failed to find a log: the declaration has no functions"))
        }
        None => Ok(declaration.functions.keys().cloned().collect()),
    }
}

/// Prints new lines as long as somebody reads them. If AWS is unavailable, that is reported, and the
/// command keeps waiting.
async fn follow(printer: &Printer, session: &Session, reader: &mut Reader, width: usize) -> anyhow::Result<ExitCode> {
    let mut is_away = false;
    while !printer.is_closed() {
        tokio::time::sleep(session.aws.pacing.poll).await;
        match reader.look(session).await {
            Ok(found) => {
                is_away = false;
                render::logs::some(printer, &found.events, width)?;
            }
            Err(failure) if matches!(failure.class, Class::Throttled | Class::Unreachable) => {
                if !is_away {
                    printer.problem(&unreadable(failure).with_hint("retrying; Ctrl-C stops"));
                }
                is_away = true;
            }
            Err(failure) => return Err(unreadable(failure).into()),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn unreadable(failure: engine::Failure) -> Problem {
    Problem::new("Failed to read the log").with_source(failure)
}

fn nothing_there(functions: &[String]) -> Problem {
    let quoted: Vec<String> = functions.iter().map(|function| format!("`{function}`")).collect();
    Problem::new(format!("Failed to find a log group of {}", quoted.join(", ")))
        .with_hint("`provision up` creates it; `provision status` shows what exists")
}
