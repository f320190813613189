//! `provision policy`: prints the IAM policy, or policies, that running `provision` needs.

use std::process::ExitCode;

use super::until_interrupted;
use crate::ops::{account, adopt};
use crate::{
    cli::{self, Common, Policy},
    render::Printer,
};
use declaration::{Declaration, choose};
use problem::Problem;
use stack::{
    Names, Purpose, Reading,
    policy::{LIMIT, parts, policy},
};

pub(super) fn run(printer: &Printer, common: &Common, typed: &Policy) -> anyhow::Result<ExitCode> {
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    // Whoever is to get the policy may have no credentials yet.
    if let Some(account) = declaration.account.as_ref().filter(|_| !typed.found) {
        print(printer, &of(&declaration, &Names::new(&declaration, account), typed)?);
        return Ok(ExitCode::SUCCESS);
    }
    until_interrupted(async {
        let opened = account::open(&common.file, common.stage.as_deref()).await?;
        if typed.found {
            account::ensure_listed(&opened.session)?;
        }
        print(printer, &of(&opened.declaration, &opened.names, typed)?);
        Ok(ExitCode::SUCCESS)
    })
}

/// Prints a policy in as many parts as IAM takes it in.
fn print(printer: &Printer, policy: &aws::policy::Policy) {
    let parts = parts(policy, LIMIT);
    if parts.len() > 1 {
        let (size, count) = (policy.to_json().len(), parts.len());
        printer.line(&format!(
            "The rights have {size} characters, and IAM takes {LIMIT} in one policy: attach all {count} policies"
        ));
    }
    printer.policies(&parts);
}

/// Returns the way by which messages are read.
fn reading<'typed>(declaration: &Declaration, typed: &'typed Policy) -> Result<Reading<'typed>, Problem> {
    let Some(entry) = &typed.via else { return Ok(Reading::Brokers) };
    let known: Vec<&str> = declaration.functions.keys().map(String::as_str).collect();
    if !known.contains(&entry.as_str()) {
        let message = format!("Failed to find the function `{entry}`: the declaration has no function of that name");
        return Err(Problem::new(message).with_hint(choose(entry, "its functions are", &known)));
    }
    Ok(Reading::Function(entry))
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
        cli::Purpose::Send => Purpose::Send,
        cli::Purpose::Tail => Purpose::Tail(reading(declaration, typed)?),
        cli::Purpose::Timeline => Purpose::Timeline(reading(declaration, typed)?),
        cli::Purpose::Track => Purpose::Track,
        cli::Purpose::Pause | cli::Purpose::Resume => Purpose::Pause,
        cli::Purpose::Policy => Purpose::Policy,
        cli::Purpose::Adopt => {
            let given = (typed.resource.as_deref().unwrap_or_default(), typed.id.as_deref().unwrap_or_default());
            let (id, name) = adopt::resolve(declaration, names, given)?;
            return Ok(policy(declaration, &names.with_found(&id, &name), Purpose::Adopt(id.kind, &name)));
        }
    };
    Ok(policy(declaration, names, purpose))
}
