//! `provision dev`: builds the functions, starts the stack, delivers mails and posts requests, shows what happens, and ends
//! everything.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    block_on, check,
    interrupts::{INTERRUPTED, Interrupts},
};
use crate::{
    cli::{Common, Dev, Sink},
    ops::{local_names::local_names, netbox, probe::Asked, schemas},
    render::{self, Printer, dev::State},
};
use contract::secret::Secret;
use declaration::Declaration;
use local::{
    Activity, HTTP, NotServed, NotStarted, Observer, Options, SMTP, Scratch, Stack, Tally, deliver, notify, post,
};
use package::{NotBuilt, Profile, Request};
use problem::Problem;

/// Default port: the one that mail-testing tools use by convention.
const SMTP_PORT: u16 = 1025;
/// Default port of the first API.
const HTTP_PORT: u16 = 8080;

/// Exit code if a function does not reach something.
const UNREACHED: u8 = 1;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Dev) -> anyhow::Result<ExitCode> {
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        let scratch = Scratch::new().context("Failed to make a temporary folder")?;
        let unpacked = scratch.join("functions");
        // Cargo is ended with what waits for it.
        let prepared = tokio::select! {
            prepared = prepare(common, typed, &unpacked) => prepared?,
            () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        session(printer, typed, &prepared, (scratch, interrupts)).await
    })
}

/// The prepared parts of a run.
struct Prepared {
    declaration: Declaration,
    options: Options,
    executables: BTreeMap<String, PathBuf>,
}

/// Reads the declaration, checked as `validate` does it, and builds the functions.
async fn prepare(common: &Common, typed: &Dev, unpacked: &Path) -> anyhow::Result<Prepared> {
    let source = Declaration::source(&common.file)?;
    let declaration = schemas::read(&common.file, &source, common.stage.as_deref()).await?;
    let options = options(typed, &declaration)?;
    let executables = build(common, typed, &declaration, unpacked).await?;
    Ok(Prepared { declaration, options, executables })
}

async fn session(
    printer: &Printer,
    typed: &Dev,
    prepared: &Prepared,
    (scratch, mut interrupts): (Scratch, Interrupts),
) -> anyhow::Result<ExitCode> {
    let Prepared { declaration, options, executables } = prepared;
    let folder = typed.state.clone().unwrap_or_else(|| scratch.join("state"));
    let (observer, mut activities) = Observer::new();
    let stack = Stack::start(
        (declaration, local_names(declaration)),
        executables,
        &Options { folder: folder.clone(), ..options.clone() },
        observer.clone(),
    )
    .await;
    let mut stack = stack.map_err(with_hint)?;
    let state = State { folder: &folder, is_kept: typed.state.is_some() };
    let mut shown = Shown { printer, state, tally: Tally::default() };
    if typed.check {
        let asked = ask(&stack, &mut activities, &mut shown, &mut interrupts).await;
        stack.end().await;
        scratch.close().context(NOT_REMOVED)?;
        let Some(asked) = asked else { return Ok(ExitCode::from(INTERRUPTED)) };
        render::probe::answers(printer, &asked)?;
        return Ok(if asked.values().all(Asked::is_well) { ExitCode::SUCCESS } else { ExitCode::from(UNREACHED) });
    }
    render::dev::banner(printer, declaration, &stack, state, typed.once);
    let interrupted = watch((typed, &observer), &stack, &mut activities, &mut shown, &mut interrupts).await;
    if interrupted {
        render::dev::finishing(printer, stack.unfinished());
    }
    // With `--once` the messages that functions have queued are still on their way.
    let interrupted = interrupted | finish(&mut stack, &mut activities, &mut shown, &mut interrupts).await;
    stack.end().await;
    while let Ok(activity) = activities.try_recv() {
        shown.show(&activity);
    }
    let exit_code = summed_up(shown, interrupted)?;
    scratch.close().context(NOT_REMOVED)?;
    Ok(exit_code)
}

const NOT_REMOVED: &str = "Failed to remove the temporary folder";

/// Shows the summary of a run; returns the exit code.
fn summed_up(Shown { printer, state, tally }: Shown<'_>, interrupted: bool) -> anyhow::Result<ExitCode> {
    let summary = tally.summary(interrupted);
    let summary = if state.is_kept { summary } else { summary.without_files() };
    render::dev::summary(printer, &summary)?;
    Ok(ExitCode::from(match &summary {
        _ if interrupted => INTERRUPTED,
        summary if !summary.unreadable.is_empty() => 2,
        summary if !summary.is_well() => 1,
        _ => 0,
    }))
}

/// Converts the arguments into options; the folder is added later.
fn options(typed: &Dev, declaration: &Declaration) -> Result<Options, Problem> {
    Ok(Options {
        folder: PathBuf::new(),
        smtp_port: typed.smtp_port.unwrap_or(if typed.once { 0 } else { SMTP_PORT }),
        http_port: typed.http_port.unwrap_or(if typed.once { 0 } else { HTTP_PORT }),
        verdicts: typed.verdict.clone(),
        variables: variables(typed, declaration)?,
        retry_delay: typed.retry_delay,
        items: typed.item.clone(),
    })
}

/// Converts the arguments about the sinks into the function's environment variables. What is not declared for a sink is taken from the
/// environment.
fn variables(typed: &Dev, declaration: &Declaration) -> Result<BTreeMap<String, Secret>, Problem> {
    let sinks = if typed.netbox.is_some() { &[Sink::Netbox][..] } else { &typed.sink };
    let names: Vec<_> = sinks.iter().map(|sink| sink.as_str()).collect();
    let mut variables = BTreeMap::from_iter((!names.is_empty()).then(|| ("SINK", names.join(",").into())));
    let is_declared = |name: &str| {
        let mut functions = declaration.functions.values();
        functions.any(|function| function.environment.contains_key(name) || function.secrets.contains_key(name))
    };
    let undeclared = sinks.iter().flat_map(|sink| sink.variables()).filter(|name| !is_declared(name));
    variables.extend(undeclared.filter_map(|name| Some((*name, check::variable(name)?.into()))));
    if let Some(url) = &typed.netbox {
        variables.extend([(netbox::URL, check::address(url)?.expose().into()), (netbox::TOKEN, check::token()?)]);
        variables.extend(check::variable(netbox::CA).map(|ca| (netbox::CA, ca.into())));
    }
    Ok(variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Adds a hint to an error of starting: a port or a folder in use can be chosen otherwise.
fn with_hint(error: NotStarted) -> anyhow::Error {
    match error {
        NotStarted::Port { what: what @ (SMTP | HTTP), port, error } => {
            let option = if what == SMTP { "--smtp-port" } else { "--http-port" };
            Problem::new(format!("Failed to listen on 127.0.0.1:{port} for {what}"))
                .with_source(error)
                .with_hint(format!("`{option} 0` takes any free port"))
                .into()
        }
        NotStarted::Store { what, reason } => {
            let hint = match &reason {
                NotServed::Missing { package, .. } => Some(format!("on Debian, `apt-get install {package}` has it")),
                _ => None,
            };
            let problem = Problem::new(format!("Failed to start the {what} on this machine")).with_source(reason);
            hint.into_iter().fold(problem, Problem::with_hint).into()
        }
        error @ NotStarted::Held { .. } => {
            Problem::new(error.to_string()).with_hint("end that one, or name another folder with `--state`").into()
        }
        error => error.into(),
    }
}

/// Builds every function, one after the other, since Cargo uses all cores by itself; or unpacks it into a folder.
async fn build(
    common: &Common,
    typed: &Dev,
    declaration: &Declaration,
    unpacked: &Path,
) -> Result<BTreeMap<String, PathBuf>, NotBuilt> {
    let folder = package::folder(&common.file);
    let profile = if typed.release { Profile::Lambda } else { Profile::Development };
    let mut executables = BTreeMap::new();
    for (entry, function) in &declaration.functions {
        let request = Request { folder, code: &function.code };
        executables.insert(entry.clone(), package::executable(&request, profile, &unpacked.join(entry)).await?);
    }
    Ok(executables)
}

/// Asks every function what it reaches, and shows what happens meanwhile; `None` if it was interrupted.
async fn ask(
    stack: &Stack,
    activities: &mut UnboundedReceiver<Activity>,
    shown: &mut Shown<'_>,
    interrupts: &mut Interrupts,
) -> Option<BTreeMap<String, Asked>> {
    let mut asked = std::pin::pin!(stack.probe());
    loop {
        tokio::select! {
            biased;
            () = interrupts.next() => return None,
            Some(activity) = activities.recv() => shown.show(&activity),
            answers = &mut asked => {
                return Some(answers.into_iter().map(|(entry, answer)| (entry, Asked::of(answer))).collect());
            }
        }
    }
}

/// Shows what happens until the deliveries and posts have ended (with `--once`) or until an interrupt; returns `true` for the latter.
async fn watch(
    (typed, observer): (&Dev, &Observer),
    stack: &Stack,
    activities: &mut UnboundedReceiver<Activity>,
    shown: &mut Shown<'_>,
    interrupts: &mut Interrupts,
) -> bool {
    let deliveries = deliver(Arc::clone(&stack.receiver), typed.deliver.clone(), typed.to.clone());
    let (observer, apis, posts) = (observer.clone(), stack.apis.clone(), typed.post.clone());
    let (topics, events) = (stack.topics.clone(), typed.event.clone());
    let mut given = tokio::spawn(async move {
        deliveries.await;
        post(&apis, &observer, &posts).await;
        notify(&topics, &observer, &events).await;
    });
    let mut is_given = false;
    let interrupted = loop {
        tokio::select! {
            biased;
            () = interrupts.next() => break true,
            Some(activity) = activities.recv() => shown.show(&activity),
            _ = &mut given, if !is_given => {
                is_given = true;
                if typed.once {
                    break false;
                }
            }
        }
    };
    // It ends by itself with what it is delivering: what was accepted is finished.
    stack.close();
    interrupted
}

/// Takes nothing more, and lets the functions finish what was accepted, or until an interrupt; returns `true` for the latter.
async fn finish(
    stack: &mut Stack,
    activities: &mut UnboundedReceiver<Activity>,
    shown: &mut Shown<'_>,
    interrupts: &mut Interrupts,
) -> bool {
    let mut finished = std::pin::pin!(stack.finish());
    loop {
        tokio::select! {
            biased;
            () = interrupts.next() => return true,
            Some(activity) = activities.recv() => shown.show(&activity),
            () = &mut finished => return false,
        }
    }
}

/// The output so far.
struct Shown<'run> {
    printer: &'run Printer,
    state: State<'run>,
    tally: Tally,
}

impl Shown<'_> {
    fn show(&mut self, activity: &Activity) {
        let number = self.tally.record(activity);
        render::dev::activity(self.printer, self.state, number, activity);
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_variable_of_a_sink_is_known() {
        let schema = include_str!("../../handler/maintenance/configuration.json");
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let names = schema["properties"].as_object().unwrap().keys();
        let beginnings = Sink::value_variants().iter().map(|sink| format!("{}_", sink.as_str().to_uppercase()));
        let beginnings: Vec<_> = beginnings.collect();
        let mut described: Vec<_> =
            names.filter(|name| beginnings.iter().any(|beginning| name.starts_with(beginning))).collect();
        let mut known: Vec<_> = Sink::value_variants().iter().flat_map(|sink| sink.variables()).collect();
        described.sort();
        known.sort();
        assert_eq!(described, known);
        let pattern = schema["properties"]["SINK"]["pattern"].as_str().unwrap();
        let all: Vec<_> = Sink::value_variants().iter().map(|sink| sink.as_str()).collect();
        assert!(pattern.contains(&format!("({})", all.join("|"))), "{pattern}: {all:?}");
    }
}
