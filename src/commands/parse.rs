//! `provision parse`: shows what mails say. Needs no account, no network and no declaration, unless a declared function is to
//! read them.

use std::{process::ExitCode, thread};

use mail::Mail;
use notice::{json::OutcomeRecord, outcome::Outcome};
use serde::Serialize;
use serde_json::Value;

use super::until_interrupted;
use crate::{
    cli::{Common, Parse},
    ops::reading,
    render::{self, Printer},
};
use declaration::Declaration;
use local::{
    Activity,
    mail_files::{self, MailFile},
};
use problem::Problem;

/// Maximum number of mails in a batch, which is parsed in parallel.
const BATCH_MAILS: usize = 64;
/// Maximum size of a batch, in bytes, so that a large mbox file is never in memory as a whole.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Parse) -> anyhow::Result<ExitCode> {
    match &typed.function {
        Some(entry) => by_function(printer, common, typed, entry),
        None => by_parsers(printer, typed),
    }
}

/// Lets a declared function read the mails.
fn by_function(printer: &Printer, common: &Common, typed: &Parse, entry: &str) -> anyhow::Result<ExitCode> {
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    let alone = reading::alone(&declaration, entry)?;
    until_interrupted(async {
        let told = |activity: &Activity| {
            if let Activity::Logged { function, line } = activity {
                render::dev::logged(printer, function, line);
            }
        };
        let summary = reading::read((&common.file, &alone, entry), &typed.paths, told).await?;
        for mail in &summary.mails {
            printer.data(&if printer.is_json() {
                render::reading::json(mail)
            } else {
                format!("{}\n", render::reading::text(mail, printer.look()))
            });
        }
        for reason in &summary.unreadable {
            printer.problem(&Problem::new(reason.clone()));
        }
        Ok(ExitCode::from(match summary.unreadable.as_slice() {
            [] if summary.is_well() => 0,
            [] => 1,
            _ => 2,
        }))
    })
}

/// Reads the mails with the built-in parsers.
fn by_parsers(printer: &Printer, typed: &Parse) -> anyhow::Result<ExitCode> {
    let mut mails = mail_files::read(&typed.paths);
    let (mut failed, mut unread) = (false, false);
    loop {
        let batch = next_batch(&mut mails);
        if batch.is_empty() || printer.is_closed() {
            break;
        }
        for said in side_by_side(&batch, |item| item.as_ref().map(|file| say(printer, typed, file))) {
            match said {
                Ok(said) => {
                    failed |= said.failed;
                    printer.data(&said.text?);
                }
                Err(problem) => {
                    unread = true;
                    printer.problem(problem);
                }
            }
        }
    }
    Ok(ExitCode::from(match (unread, failed) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    }))
}

type Item = Result<MailFile, Problem>;

fn next_batch(mails: &mut impl Iterator<Item = Item>) -> Vec<Item> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while batch.len() < BATCH_MAILS && bytes < BATCH_BYTES {
        let Some(item) = mails.next() else { break };
        bytes += item.as_ref().map_or(0, |file| file.bytes.len());
        batch.push(item);
    }
    batch
}

/// Applies `work` to every item in parallel, on all cores; the results are in the order of the
/// items.
fn side_by_side<'item, I: Sync, A: Send>(items: &'item [I], work: impl Fn(&'item I) -> A + Sync) -> Vec<A> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(cores).max(1);
    if items.len() == 1 || cores == 1 {
        return items.iter().map(work).collect();
    }
    let work = &work;
    thread::scope(|scope| {
        let workers: Vec<_> =
            items.chunks(share).map(|items| scope.spawn(move || items.iter().map(work).collect::<Vec<_>>())).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// The result of one mail.
struct Said {
    text: serde_json::Result<String>,
    failed: bool,
}

fn say(printer: &Printer, typed: &Parse, file: &MailFile) -> Said {
    let mail = Mail::decode(&file.bytes);
    let outcome = carriers::parse(&mail);
    let text = if printer.is_json() {
        let explanation = typed.explain.then(|| render::explanation_json(&mail, &outcome));
        serde_json::to_string(&Line { file: &file.name, outcome: OutcomeRecord::from(&outcome), explanation })
    } else {
        let text = render::outcome(&file.name, &mail, &outcome, typed.explain, printer.look());
        Ok(format!("{text}\n"))
    };
    Said { text, failed: matches!(outcome, Outcome::Failed { .. }) }
}

/// One line of `parse --json`.
#[derive(Debug, Serialize)]
struct Line<'line> {
    file: &'line str,
    #[serde(flatten)]
    outcome: OutcomeRecord<'line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Value>,
}
