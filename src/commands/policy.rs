//! `provision policy`: prints the IAM policy that running `provision` needs.

use std::process::ExitCode;

use super::until_interrupted;
use crate::ops::{account, adopt};
use crate::{
    cli::{self, Common, Policy},
    render::Printer,
};
use declaration::Declaration;
use problem::Problem;
use stack::{Names, Purpose, policy::policy};

pub(super) fn run(printer: &Printer, common: &Common, typed: &Policy) -> anyhow::Result<ExitCode> {
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    // Whoever is to get the policy may have no credentials yet.
    if let Some(account) = declaration.account.as_ref().filter(|_| !typed.found) {
        printer.policy(&of(&declaration, &Names::new(&declaration, account), typed)?);
        return Ok(ExitCode::SUCCESS);
    }
    until_interrupted(async {
        let opened = account::open(&common.file, common.stage.as_deref()).await?;
        if typed.found {
            account::ensure_listed(&opened.session)?;
        }
        printer.policy(&of(&opened.declaration, &opened.names, typed)?);
        Ok(ExitCode::SUCCESS)
    })
}

fn of(declaration: &Declaration, names: &Names, typed: &Policy) -> Result<aws::policy::Policy, Problem> {
    let purpose = match typed.purpose {
        cli::Purpose::Up => Purpose::Up,
        cli::Purpose::Diff => Purpose::Diff,
        cli::Purpose::Down => Purpose::Down,
        cli::Purpose::Outputs => Purpose::Outputs,
        cli::Purpose::Status => Purpose::Status,
        cli::Purpose::Logs => Purpose::Logs,
        cli::Purpose::Invoke | cli::Purpose::Check => Purpose::Invoke,
        cli::Purpose::Replay => Purpose::Replay,
        cli::Purpose::Backfill => Purpose::Backfill,
        cli::Purpose::Adopt => {
            let given = (typed.resource.as_deref().unwrap_or_default(), typed.id.as_deref().unwrap_or_default());
            let (id, name) = adopt::meant(declaration, names, given)?;
            return Ok(policy(declaration, &names.with(&id, &name), Purpose::Adopt(id.kind, &name)));
        }
    };
    Ok(policy(declaration, names, purpose))
}
