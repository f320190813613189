//! Operations on stacks. They return values and print nothing, so that they can be called as a library.

pub(crate) mod account;
pub(crate) mod adopt;
pub(crate) mod backfill;
pub(crate) mod compare;
pub(crate) mod converge;
pub(crate) mod invocation;
pub(crate) mod local_names;
pub(crate) mod log;
pub(crate) mod netbox;
pub(crate) mod outputs;
pub(crate) mod probe;
pub(crate) mod reading;
pub(crate) mod replay;
pub(crate) mod saved;
pub(crate) mod schemas;
pub(crate) mod secrets;
pub(crate) mod send;
pub(crate) mod sent;
pub(crate) mod status;
pub(crate) mod topics;
pub(crate) mod track;
pub(crate) mod up;

use declaration::{Declaration, Function, choose};
use problem::Problem;

/// Finds a declared function by its entry name.
pub(crate) fn function<'declared>(
    declaration: &'declared Declaration,
    entry: &str,
) -> Result<&'declared Function, Problem> {
    declaration.functions.get(entry).ok_or_else(|| {
        let known: Vec<&str> = declaration.functions.keys().map(String::as_str).collect();
        Problem::new(format!("Failed to find the function `{entry}`: the declaration has no function of that name"))
            .with_hint(choose(entry, "its functions are", &known))
    })
}

/// Finds a declared function that Lambda runs, by its entry name. Of one that servers run, `verb` cannot be done.
pub(crate) fn function_of_lambda<'declared>(
    declaration: &'declared Declaration,
    entry: &str,
    verb: &str,
) -> Result<&'declared Function, Problem> {
    let found = function(declaration, entry)?;
    match (declaration.runners(entry).next(), &found.consumes) {
        (Some((server, _)), Some(consumes)) => {
            let message =
                format!("Failed to {verb} the function `{entry}`: server `{server}` runs it, which takes from a queue");
            let hint = format!(
                "send a message to queue `{}`, and see `provision logs {entry}`; on the server, `systemctl stop provision-worker` stops it",
                consumes.queue
            );
            Err(Problem::new(message).with_hint(hint))
        }
        _ => Ok(found),
    }
}
