//! `provision dev`: builds the functions, starts the stack, delivers mails, shows what happens, and ends
//! everything.

use std::{
    collections::BTreeMap,
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    check,
    interrupts::{INTERRUPTED, Interrupts},
};
use crate::{
    cli::{Common, Dev, Sink},
    ops::{local_names::local_names, netbox},
    render::{self, Printer},
};
use contract::secret::Secret;
use declaration::Declaration;
use local::{Activity, NotStarted, Observer, Options, Stack, Tally, deliver};
use package::{NotBuilt, Profile, Request};
use problem::Problem;

/// Default port: the one that mail-testing tools use by convention.
const SMTP_PORT: u16 = 1025;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Dev) -> anyhow::Result<ExitCode> {
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(session(printer, common, typed, &declaration));
    // A read of standard input may never return.
    runtime.shutdown_background();
    result
}

async fn session(
    printer: &Printer,
    common: &Common,
    typed: &Dev,
    declaration: &Declaration,
) -> anyhow::Result<ExitCode> {
    let options = options(typed)?;
    let mut interrupts = Interrupts::new()?;
    let unpacked =
        tempfile::Builder::new().prefix("provision-functions-").permissions(Permissions::from_mode(0o700)).tempdir()?;
    let executables = tokio::select! {
        built = build(common, typed, declaration, unpacked.path()) => built?,
        () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let temporary = match &typed.state {
        Some(_) => None,
        None => Some(
            tempfile::Builder::new().prefix("provision-dev-").permissions(Permissions::from_mode(0o700)).tempdir()?,
        ),
    };
    let folder = typed.state.clone().or_else(|| temporary.as_ref().map(|folder| folder.path().to_owned()));
    let folder = folder.unwrap_or_default();
    let (observer, mut activities) = Observer::new();
    let stack = Stack::start(
        (declaration, local_names(declaration)),
        &executables,
        &Options { folder: folder.clone(), ..options },
        observer,
    )
    .await;
    let stack = stack.map_err(with_hint)?;
    let place = if temporary.is_some() {
        format!("{}, removed at the end (`--state FOLDER` keeps them)", folder.display())
    } else {
        folder.display().to_string()
    };
    render::dev::banner(printer, declaration, &stack, &place, typed.once);
    let mut tally = Tally::default();
    let interrupted = watch(printer, typed, &stack, &mut activities, &mut tally, &mut interrupts).await;
    stack.end().await;
    while let Ok(activity) = activities.try_recv() {
        show(printer, &mut tally, &activity);
    }
    let summary = tally.summary(interrupted);
    render::dev::summary(printer, &summary)?;
    if let Some(temporary) = temporary {
        temporary.close().with_context(|| format!("Failed to remove `{}`", folder.display()))?;
    }
    Ok(ExitCode::from(match &summary {
        _ if interrupted => INTERRUPTED,
        summary if !summary.unreadable.is_empty() => 2,
        summary if !summary.is_well() => 1,
        _ => 0,
    }))
}

/// Converts the arguments into options; the folder is added later.
fn options(typed: &Dev) -> Result<Options, Problem> {
    Ok(Options {
        folder: PathBuf::new(),
        smtp_port: typed.smtp_port.unwrap_or(if typed.once { 0 } else { SMTP_PORT }),
        verdicts: typed.verdict.clone(),
        variables: variables(typed)?,
        retry_delay: typed.retry_delay,
    })
}

/// Converts the arguments about the sink into the function's environment variables.
fn variables(typed: &Dev) -> Result<BTreeMap<String, Secret>, Problem> {
    let sink = typed.netbox.as_ref().map_or(typed.sink, |_| Some(Sink::Netbox));
    let mut variables = BTreeMap::from_iter(sink.map(|sink| ("SINK", Sink::as_str(sink).into())));
    if let Some(url) = &typed.netbox {
        variables.extend([(netbox::URL, check::address(url)?.expose().into()), (netbox::TOKEN, check::token()?)]);
        variables.extend(check::variable(netbox::CA).map(|ca| (netbox::CA, ca.into())));
    }
    Ok(variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Adds a hint to an error of starting: a port in use can be chosen otherwise.
fn with_hint(error: NotStarted) -> anyhow::Error {
    match error {
        NotStarted::Port { what: what @ "SMTP", port, error } => {
            Problem::new(format!("Failed to listen on 127.0.0.1:{port} for {what}"))
                .with_source(error)
                .with_hint("`--smtp-port 0` takes any free port")
                .into()
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

/// Shows what happens until the deliveries have ended (with `--once`) or until an interrupt; returns
/// which.
async fn watch(
    printer: &Printer,
    typed: &Dev,
    stack: &Stack,
    activities: &mut UnboundedReceiver<Activity>,
    tally: &mut Tally,
    interrupts: &mut Interrupts,
) -> bool {
    let mut deliveries = tokio::spawn(deliver(Arc::clone(&stack.receiver), typed.deliver.clone(), typed.to.clone()));
    let mut delivered = false;
    let interrupted = loop {
        tokio::select! {
            biased;
            () = interrupts.next() => break true,
            Some(activity) = activities.recv() => show(printer, tally, &activity),
            _ = &mut deliveries, if !delivered => {
                delivered = true;
                if typed.once {
                    break false;
                }
            }
        }
    };
    deliveries.abort();
    interrupted
}

fn show(printer: &Printer, tally: &mut Tally, activity: &Activity) {
    let number = tally.record(activity);
    render::dev::activity(printer, number, activity);
}
