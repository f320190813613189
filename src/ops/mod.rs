//! Operations on stacks. They return values, ask nothing and print nothing, so that they can be called as a library. Its public part is what
//! `up` does:
//!
//! ```text
//! use std::{collections::BTreeMap, path::Path};
//!
//! use engine::{Event, Observer};
//! use kinds::Kind;
//! use package::{Request, artifact, folder};
//! use provision::ops::{
//!     account::open_checked,
//!     compare::compare,
//!     converge::{apply, look_again},
//!     up::{Prepared, ensure_startable, prepare},
//! };
//! use tokio::sync::watch;
//!
//! struct Silent;
//!
//! impl Observer<Kind> for Silent {
//!     fn event(&self, _: Event<'_, Kind>) {}
//! }
//!
//! /// Makes the account match a declaration; returns `true` if it was seen to. With `AWS_ENDPOINT_URL` that is an emulator's account.
//! async fn up(file: &Path) -> anyhow::Result<bool> {
//!     let opened = open_checked(file, None).await?;
//!     let mut built = BTreeMap::new();
//!     for (entry, function) in &opened.declaration.functions {
//!         let request = Request { folder: folder(file), code: &function.code };
//!         built.insert(entry.clone(), artifact(&request, function.architecture.into(), &|_| ()).await?);
//!     }
//!     let prepared = Box::pin(prepare(opened, &built, file, (&[], false))).await?;
//!     ensure_startable(&prepared, "")?;
//!     let Prepared { opened, code, compared, .. } = &prepared;
//!     // `compared.plan` is a value: show it, or ask whether to go on.
//!
//!     let (_stop, stopped) = watch::channel(false);
//!     let results = apply(&opened.session, compared, &Silent, &stopped).await;
//!     let now = look_again(&opened.session, &results, async || compare(opened, code).await).await?;
//!     Ok(now.is_some_and(|now| now.plan.is_converged()))
//! }
//! ```
//!
//! `tests/all/library.rs` compiles it. Losses are agreed to by `opened.session.consent`, before `prepare`.

pub mod account;
pub(crate) mod adopt;
pub(crate) mod backfill;
pub mod compare;
pub mod converge;
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
pub mod up;

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
