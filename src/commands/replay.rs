//! `provision replay`: processes mails again. The plan is shown first, and only then Lambda is called.

use std::process::ExitCode;

use super::{
    block_on,
    converge::{Question, ask},
    interrupts::{INTERRUPTED, Interrupts},
};
use crate::ops::account::{self, Opened};
use crate::{
    cli::{Common, Replay},
    ops::{
        self,
        replay::{
            Outcome, Prepared,
            held::Received,
            queue::{self, Queues, Use},
            replay, routes, stored,
        },
    },
    render::{self, Printer, replay::Report},
};
use aws::Turnstile;
use problem::Problem;

/// Exit code if something was not replayed.
const NOT_ALL: u8 = 1;

const HINT: &str = "pass `--yes`, or `--dry-run` to see the plan only";

pub(super) fn run(printer: &Printer, common: &Common, typed: &Replay) -> anyhow::Result<ExitCode> {
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        if !common.dry_run && !common.yes && !printer.can_ask() {
            return Err(Problem::new("Failed to ask: there is no terminal").with_hint(HINT).into());
        }
        let opened = tokio::select! {
            opened = account::open(&common.file, common.stage.as_deref()) => opened?,
            () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        if let Some(function) = &typed.function {
            ops::function(&opened.declaration, function)?;
        }
        let report = Report::new(common.dry_run);
        let turnstile = Turnstile::new(typed.rate.interval);
        let mut run = Run {
            printer,
            common,
            typed,
            opened: &opened,
            interrupts,
            report,
            turnstile,
            queues: None,
            held: Vec::new(),
        };
        let ended = run.rounds().await;
        run.give_back().await;
        let code = ended?;
        render::replay::report(printer, &run.report)?;
        Ok(code.unwrap_or_else(|| ExitCode::from(if run.report.is_well() { 0 } else { NOT_ALL })))
    })
}

/// A run, with what it has found and done until now.
struct Run<'run> {
    printer: &'run Printer,
    common: &'run Common,
    typed: &'run Replay,
    opened: &'run Opened,
    interrupts: Interrupts,
    report: Report,
    turnstile: Turnstile,
    /// Queues of failed events; `None` until they are found.
    queues: Option<Queues>,
    /// Messages that were received and are still in their queue.
    held: Vec<Received>,
}

impl<'run> Run<'run> {
    /// Prepares and replays, one round after the other until nothing is left. Returns an exit code if it ended before.
    async fn rounds(&mut self) -> anyhow::Result<Option<ExitCode>> {
        let mut is_first = true;
        loop {
            let mut prepared = Prepared::default();
            let found = self.prepare(&mut prepared).await;
            let further = self.queues.as_ref().map_or(0, Queues::left);
            let first = self.report.add(&prepared, further);
            let ended = match found {
                Ok(()) => self.round(&prepared, first, is_first).await,
                Err(problem) => Err(problem.into()),
            };
            let taken = self.report.taken(first);
            self.held.extend(prepared.received(&taken).into_iter().cloned());
            if let End::All(code) = ended? {
                return Ok(code);
            }
            is_first = false;
        }
    }

    /// Prepares a round. After Ctrl-C what is being received is waited for, since it must be returned to its queue.
    async fn prepare(&mut self, prepared: &mut Prepared<'run>) -> Result<(), Problem> {
        let Self { common, typed, opened, interrupts, queues, report, .. } = self;
        let preparing = find(opened, common, typed, queues, prepared);
        tokio::pin!(preparing);
        loop {
            tokio::select! {
                found = &mut preparing => return found,
                () = interrupts.next() => report.interrupted = true,
            }
            if report.interrupted && !typed.failed {
                return Ok(());
            }
        }
    }

    /// Replays what a round has found: the first one after it was shown and agreed to.
    async fn round(&mut self, prepared: &Prepared<'_>, first: usize, is_first: bool) -> anyhow::Result<End> {
        if self.report.interrupted {
            return Ok(End::All(Some(ExitCode::from(INTERRUPTED))));
        }
        if is_first {
            render::replay::plan(self.printer, &self.report, self.common.verbose);
        } else {
            render::replay::progress(self.printer, &self.report, prepared);
        }
        if self.common.dry_run || prepared.items.is_empty() && !self.report.has_further() {
            return Ok(End::All(None));
        }
        if is_first && !self.common.yes {
            let question = Question {
                text: "Replay? Type `yes` to confirm:",
                word: "yes",
                hint: HINT,
                declined: "nothing was replayed",
            };
            if let Some(declined) = ask(self.printer, &mut self.interrupts, &question).await? {
                return Ok(End::All(Some(declined)));
            }
        }
        for (position, (item, work)) in prepared.items.iter().enumerate() {
            tokio::select! {
                biased;
                () = self.interrupts.next() => {
                    self.report.interrupted = true;
                    return Ok(End::All(Some(ExitCode::from(INTERRUPTED))));
                }
                () = self.turnstile.pass() => {}
            }
            let outcome = replay(&self.opened.session, &self.opened.names, &item.function, work).await;
            let is_lasting = matches!(&outcome, Outcome::Failed { is_lasting: true, .. });
            render::replay::item(self.printer, item, &outcome);
            self.report.record(first + position, outcome);
            if is_lasting {
                return Ok(End::All(None));
            }
        }
        Ok(if self.report.has_further() { End::Round } else { End::All(None) })
    }

    /// Makes messages visible to others again. If that fails, they become visible by themselves.
    async fn give_back(&self) {
        let messages: Vec<&Received> = self.held.iter().collect();
        if let Err(failure) = queue::give_back(&self.opened.session, &messages).await {
            let problem = Problem::new("Failed to show the messages to others again; they come back by themselves");
            self.printer.problem(&problem.with_source(failure));
        }
    }
}

/// The end of a round, and if another one follows.
enum End {
    /// There may be more.
    Round,
    /// Nothing more is replayed; with an exit code if it ended before everything was.
    All(Option<ExitCode>),
}

/// Finds the events of a round, and those that cannot be replayed.
async fn find<'opened>(
    opened: &'opened Opened,
    common: &Common,
    typed: &Replay,
    queues: &mut Option<Queues>,
    prepared: &mut Prepared<'opened>,
) -> Result<(), Problem> {
    let Opened { declaration, names, session, .. } = opened;
    let only = typed.function.as_deref();
    let unread = |failure| Problem::new("Failed to find the events to replay").with_source(failure);
    if typed.failed {
        let purpose = if common.dry_run { Use::Look } else { Use::Replay(typed.rate.interval) };
        let queues = match queues {
            Some(queues) => queues,
            none => none.insert(Queues::find(session, declaration, names, only, prepared).await.map_err(unread)?),
        };
        return queues.receive(session, names, purpose, prepared).await.map_err(unread);
    }
    let routes = routes(declaration, names, only);
    let (mails, refused) = match &typed.prefix {
        Some(prefix) => (stored::listed(session, &routes, prefix).await.map_err(unread)?, Vec::new()),
        None => stored::named(&routes, &typed.keys),
    };
    *prepared = stored::look(session, names, mails).await;
    prepared.refused.extend(refused);
    Ok(())
}
