//! `provision status`: shows the current state of the stack.

use std::{collections::BTreeMap, process::ExitCode};

use super::{
    ERROR,
    check::{self, variable},
    until_interrupted,
};
use crate::ops::{
    account::{self, Opened},
    compare::{Code, compare},
};
use crate::{
    cli::Common,
    ops::{
        netbox::{self, Declared, Findings, TOKEN},
        status::{Status, look, receiving, resources, workers},
    },
    render::{self, Printer, plan::Heading},
};
use contract::secret::Secret;
use problem::Problem;

/// Exit code of a stack whose mail somebody else's rules or rule set keep from it.
const CUT_OFF: u8 = 1;

pub(super) fn run(printer: &Printer, common: &Common) -> anyhow::Result<ExitCode> {
    until_interrupted(async {
        let opened = account::open(&common.file, common.stage.as_deref()).await?;
        // Every NetBox is checked on a thread of its own.
        let addresses = netbox::declared(&opened.declaration);
        let netboxes = tokio::task::spawn_blocking(move || netboxes(addresses));
        let status = status(&opened).await?;
        let status = Status { netboxes: netboxes.await??, ..status };
        render::status::status(printer, &Heading::new(common, &opened.session.aws), &status)?;
        Ok(match status {
            _ if !status.is_known() => ExitCode::from(ERROR),
            _ if status.is_cut_off() => ExitCode::from(CUT_OFF),
            _ => ExitCode::SUCCESS,
        })
    })
}

/// Reads the state of everything in AWS. Code is not compared, since nothing is built.
async fn status(opened: &Opened) -> anyhow::Result<Status> {
    let Opened { declaration, names, session, .. } = opened;
    let mut status = Status::default();
    let (compared, ()) = tokio::join!(compare(opened, &Code::NotBuilt), look(session, declaration, names, &mut status));
    let compared = compared?;
    status.resources = resources(&compared.plan, &compared.survey);
    status.workers = workers(&compared.plan, &compared.survey);
    status.receiving =
        compared.snapshot.as_deref().map(|snapshot| receiving(session, declaration, &compared.rule_set, snapshot));
    let unlisted = compared.plan.unlisted.into_iter().map(|unlisted| unlisted.failure);
    status.unreadable.extend(unlisted);
    Ok(status)
}

/// Checks every NetBox that functions write to; `None` if there is no token for it.
fn netboxes(addresses: BTreeMap<String, Declared>) -> Result<BTreeMap<String, Option<Findings>>, Problem> {
    let token = variable(TOKEN);
    let looked = addresses.into_iter().map(|(url, declared)| {
        let Some(token) = token.clone().map(Secret::from) else { return Ok((url, None)) };
        let client = check::client(&url, &declared, &token)?;
        Ok((url, Some(netbox::examine(&client, declared.keeps_unmatched))))
    });
    looked.collect()
}
