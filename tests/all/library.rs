//! The example in the head of `src/ops/mod.rs`, compiled here: as a doc test it would link the whole command line once more.

use std::{collections::BTreeMap, path::Path};

use engine::{Event, Observer};
use kinds::Kind;
use package::{Request, artifact, folder};
use provision::ops::{
    account::open_checked,
    compare::compare,
    converge::{apply, look_again},
    up::{Prepared, ensure_startable, prepare},
};
use tokio::sync::watch;

struct Silent;

impl Observer<Kind> for Silent {
    fn event(&self, _: Event<'_, Kind>) {}
}

/// Makes the account match a declaration; returns `true` if it was seen to. With `AWS_ENDPOINT_URL` that is an emulator's account.
async fn up(file: &Path) -> anyhow::Result<bool> {
    let opened = open_checked(file, None).await?;
    let mut built = BTreeMap::new();
    for (entry, function) in &opened.declaration.functions {
        let request = Request { folder: folder(file), code: &function.code };
        built.insert(entry.clone(), artifact(&request, function.architecture.into(), &|_| ()).await?);
    }
    let prepared = Box::pin(prepare(opened, &built, file, (&[], false))).await?;
    ensure_startable(&prepared, "")?;
    let Prepared { opened, code, compared, .. } = &prepared;
    // `compared.plan` is a value: show it, or ask whether to go on.

    let (_stop, stopped) = watch::channel(false);
    let results = apply(&opened.session, compared, &Silent, &stopped).await;
    let now = look_again(&opened.session, &results, async || compare(opened, code).await).await?;
    Ok(now.is_some_and(|now| now.plan.is_converged()))
}

#[test]
fn the_example_of_the_library_is_this_one() {
    let here = include_str!("library.rs").split_once("\n\n").unwrap().1.split_once("\n#[test]").unwrap().0;
    let lines = here.lines().map(|line| format!("//! {line}").trim_end().to_owned() + "\n");
    let head = include_str!("../../src/ops/mod.rs");
    assert!(head.contains(&format!("//! ```text\n{}//! ```\n", lines.collect::<String>())), "copy it:\n{here}");
    // It is compiled, and not run: it needs an account.
    let _ = up;
}
