//! `provision pause` and `provision resume`: stops a function from taking messages of its queue, and lets it take them again.

use std::process::ExitCode;

use jiff::Timestamp;

use super::until_interrupted;
use crate::{
    cli::{Common, Pause},
    ops::{self, account},
    render::{self, Printer},
};
use declaration::Declaration;
use engine::Address;
use kinds::{Kind, lambda::mapping};
use problem::Problem;
use stack::Names;

/// The setting of the mapping between a function and its queue: `pause` sets `Off`, `resume` sets `On`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    /// Messages wait in the queue.
    Off,
    /// Messages invoke the function.
    On,
}

impl Switch {
    fn verb(self) -> &'static str {
        if self == Self::Off { "pause" } else { "resume" }
    }
}

pub(super) fn run(printer: &Printer, common: &Common, typed: &Pause, switch: Switch) -> anyhow::Result<ExitCode> {
    until_interrupted(async {
        let account::Opened { declaration, names, session, .. } =
            account::open(&common.file, common.stage.as_deref()).await?;
        let (queue, address) = consumed(&declaration, &names, &typed.function, switch)?;
        let since = (switch == Switch::Off).then(|| Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let shown = render::pause::Switched { function: &typed.function, queue: &queue, paused: since.as_deref() };
        if !common.dry_run {
            let switched = mapping::switch(&session, &address, since.as_deref()).await;
            let failed = || format!("Failed to {} the function `{}`", switch.verb(), typed.function);
            let is_there = switched.map_err(|failure| Problem::new(failed()).with_source(failure))?;
            if !is_there {
                let problem = Problem::new(format!("{}: nothing takes messages of its queue for it", failed()));
                return Err(problem.with_hint("`provision up` creates the mapping").into());
            }
        }
        render::pause::outcome(printer, &shown, common.dry_run);
        Ok(ExitCode::SUCCESS)
    })
}

/// Returns the queue that a function consumes, by its entry, and the address of the mapping between the two.
fn consumed(
    declaration: &Declaration,
    names: &Names,
    entry: &str,
    switch: Switch,
) -> Result<(String, Address), Problem> {
    let function = ops::function_of_lambda(declaration, entry, switch.verb())?;
    let Some(consumes) = &function.consumes else {
        let words = format!("Failed to find a queue that the function `{entry}` consumes");
        return Err(Problem::new(words).with_hint("only a function with `consumes` can be paused"));
    };
    let address = Address::within(names.name(Kind::Function, entry), names.name(Kind::Queue, &consumes.queue));
    Ok((consumes.queue.clone(), address))
}
