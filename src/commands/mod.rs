//! The commands, one file each.

use std::process::ExitCode;

use crate::{
    cli::{Arguments, Command},
    render::Printer,
};

mod adopt;
mod backfill;
mod build;
mod check;
mod completions;
mod consent;
mod converge;
mod dev;
mod diff;
mod down;
mod init;
mod interrupts;
mod invoke;
mod logs;
mod manual;
mod outputs;
mod parse;
mod pause;
mod policy;
mod replay;
mod schema;
mod send;
mod status;
mod tail;
mod timeline;
mod track;
mod up;
mod validate;

/// The exit code of an error.
const ERROR: u8 = 2;
/// Exit code of a run that a person declined.
const DECLINED: u8 = 1;

/// Runs a command. Exit codes: 0 done; 1 done, with something left to look at; 2 an error; 130 interrupted.
pub fn run(arguments: &Arguments) -> ExitCode {
    let redact = matches!(&arguments.command, Command::Status(typed) if typed.redact);
    let printer = Printer::new(&arguments.common).redacting(redact);
    printer.tell_calls();
    let result = match &arguments.command {
        Command::Parse(typed) => parse::run(&printer, &arguments.common, typed),
        Command::Validate => validate::run(&printer, &arguments.common),
        Command::Schema(typed) => schema::run(&printer, typed),
        Command::Completions(typed) => completions::run(&printer, typed),
        Command::Man(typed) => manual::run(&printer, typed),
        Command::Init(typed) => init::run(&printer, &arguments.common, typed),
        Command::Check(typed) => check::run(&printer, &arguments.common, typed),
        Command::Up(typed) => up::run(&printer, &arguments.common, typed),
        Command::Diff(typed) => diff::run(&printer, &arguments.common, typed),
        Command::Down(typed) => down::run(&printer, &arguments.common, typed),
        Command::Adopt(typed) => adopt::run(&printer, &arguments.common, typed),
        Command::Build(typed) => build::run(&printer, &arguments.common, typed),
        Command::Dev(typed) => dev::run(&printer, &arguments.common, typed),
        Command::Logs(typed) => logs::run(&printer, &arguments.common, typed),
        Command::Status(_) => status::run(&printer, &arguments.common),
        Command::Outputs => outputs::run(&printer, &arguments.common),
        Command::Pause(typed) => pause::run(&printer, &arguments.common, typed, pause::Switch::Off),
        Command::Resume(typed) => pause::run(&printer, &arguments.common, typed, pause::Switch::On),
        Command::Policy(typed) => policy::run(&printer, &arguments.common, typed),
        Command::Replay(typed) => replay::run(&printer, &arguments.common, typed),
        Command::Send(typed) => send::run(&printer, &arguments.common, typed),
        Command::Tail(typed) => tail::run(&printer, &arguments.common, typed),
        Command::Timeline(typed) => timeline::run(&printer, &arguments.common, typed),
        Command::Track(typed) => track::run(&printer, &arguments.common, typed),
        Command::Backfill(typed) => backfill::run(&printer, &arguments.common, typed),
        Command::Invoke(typed) => invoke::run(&printer, &arguments.common, typed),
    };
    let result = match printer.failure() {
        Some(error) => Err(anyhow::anyhow!("Failed to write to standard output: {error}")),
        None => result,
    };
    result.unwrap_or_else(|error| {
        printer.error(&error);
        ExitCode::from(ERROR)
    })
}

/// Runs a command's asynchronous work, on threads of its own.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(work);
    // Not dropped: that would wait for a read of the terminal, which only a key ends.
    runtime.shutdown_background();
    result
}

/// Runs a command that may be interrupted at any moment, since it leaves nothing half done.
fn until_interrupted(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    block_on(async {
        let mut interrupts = interrupts::Interrupts::new()?;
        tokio::select! {
            done = work => done,
            () = interrupts.next() => Ok(ExitCode::from(interrupts::INTERRUPTED)),
        }
    })
}
