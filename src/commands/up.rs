//! `provision up`: the account becomes what the declaration says.
//!
//! Everything that can be found out is found out first: the declaration, the code, the account, the values of new secrets.
//! Then the plan is shown, and only then something changes.

use std::{collections::BTreeMap, path::Path, process::ExitCode, sync::Arc};

use super::{
    DECLINED, ERROR, block_on,
    build::artifacts,
    converge::{Consent, Converged, ask, converge},
    interrupts::{INTERRUPTED, Interrupts},
    secrets,
};
use crate::ops::{
    account::{self, Opened},
    compare::{Code, Compared, compare},
};
use crate::{
    cli::{Common, Up},
    ops::netbox,
    render::{
        Printer,
        apply::{Outputs, Report},
        plan::Heading,
    },
};
use engine::{Action, Failure, Live};
use kinds::{Item, Kind, Output, Plan, Read, Resource, Session, Settings, secretsmanager::secret};
use package::{Artifact, Upload};
use problem::Problem;
use stack::preconditions::{self, Dns, Finding, Weight};

pub(super) fn run(printer: &Printer, common: &Common, typed: &Up) -> anyhow::Result<ExitCode> {
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        let prepared = tokio::select! {
            prepared = prepare(printer, common, typed) => prepared?,
            () = interrupts.next() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        up(printer, common, typed, prepared, &mut interrupts).await
    })
}

/// All that is known before anything changes.
struct Prepared {
    opened: Opened,
    code: Code,
    compared: Compared,
    findings: Vec<Finding>,
}

async fn prepare(printer: &Printer, common: &Common, typed: &Up) -> anyhow::Result<Prepared> {
    let mut opened = account::open(common).await?;
    secrets::known(&opened.declaration, &typed.set_secret)?;
    let built = artifacts(printer, common, &opened.declaration).await?;
    opened.session.code = built.values().map(|one| (one.code_sha256.clone(), zip(&opened.session, one))).collect();
    opened.session.revision = package::revision(package::folder(&common.file)).await;
    let code = Code::built(&built);
    let compared = compare(&opened, &code).await;
    let dns = Dns::from_environment()?;
    let rules = (&compared.rule_set, compared.snapshot.as_deref());
    let (mut findings, netboxes) = tokio::join!(
        preconditions::check(&opened.session, &opened.declaration, rules, &dns),
        netbox::precondition::check(&opened.declaration),
    );
    findings.extend(netboxes);
    findings.sort();
    if !common.dry_run {
        let folder = common.file.parent().unwrap_or(Path::new(""));
        let needed = needed_values(&opened, &compared.plan, &typed.set_secret).await?;
        opened.session.secrets = secrets::values(&opened.declaration, folder, &needed)?;
    }
    Ok(Prepared { opened, code, compared, findings })
}

/// The way of a function's code to Lambda.
fn zip(session: &Session, artifact: &Artifact) -> kinds::Code {
    match artifact.upload {
        Upload::Direct => kinds::Code::Zip(Arc::clone(&artifact.zip)),
        Upload::Bucket => kinds::s3::artifacts::code(session, Arc::clone(&artifact.zip)),
    }
}

/// Fails if a resource under one of the stack's names belongs to somebody else: a person has to look at it first.
fn ensure_no_foreign_resources(plan: &Plan) -> Result<(), Problem> {
    let foreign = plan.items.iter().filter_map(|item| match &item.action {
        Action::Foreign { owner } => Some(format!("{} (`{}`): {owner}", item.id, item.address.name)),
        _ => None,
    });
    let foreign: Vec<_> = foreign.collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let message = format!("Failed to plan: what has the stack's names is not the stack's: {}", foreign.join("; "));
    Err(Problem::new(message).with_hint("delete or rename them, or give the stack another name"))
}

/// Fails if a finding would keep the stack from working at all.
fn ensure_no_blockers(findings: &[Finding]) -> Result<(), Problem> {
    let blocking = findings.iter().filter(|finding| finding.weight == Weight::Blocks).count();
    if blocking == 0 {
        return Ok(());
    }
    Err(Problem::new("Failed to start: fix the errors above first")
        .with_hint("`provision up --dry-run` shows them again without changing anything"))
}

/// Returns the subscriptions that still wait for confirmation, as of the last survey.
fn unconfirmed(compared: &Compared) -> Vec<Finding> {
    let is_pending = |resource: &&Resource| {
        let read = compared.survey.read.get(&(resource.id.kind, resource.address.clone()));
        matches!(read, Some(Read::Present(Live { settings: Settings::Subscription(live), .. })) if live.pending)
    };
    let pending = compared.resources.iter().filter(is_pending).map(|resource| {
        let who = &resource.address.name;
        let who = who.strip_prefix("email:").unwrap_or(who);
        let topic = resource.after.iter().find(|id| id.kind == Kind::Topic).map_or("", |id| &id.entry);
        let what = format!("`{who}` has not confirmed the subscription of topic `{topic}`");
        Finding::warns(what, "open the mail that AWS sent there, and confirm")
    });
    pending.collect()
}

/// The secrets whose values have to be read: new ones, and those that are to be set.
async fn needed_values(opened: &Opened, plan: &Plan, set: &[String]) -> Result<Vec<String>, Failure> {
    let mut needed = set.to_vec();
    let is_new = |item: &&Item| item.id.kind == Kind::Secret && item.action == Action::Create;
    for item in plan.items.iter().filter(is_new) {
        if !needed.contains(&item.id.entry) && secret::needs_value(&opened.session, &item.address.name).await? {
            needed.push(item.id.entry.clone());
        }
    }
    Ok(needed)
}

async fn up(
    printer: &Printer,
    common: &Common,
    typed: &Up,
    prepared: Prepared,
    interrupts: &mut Interrupts,
) -> anyhow::Result<ExitCode> {
    let Prepared { opened, code, compared, findings } = prepared;
    let heading = Heading::new(common, &opened.session.aws);
    if common.dry_run || !printer.is_json() {
        printer.plan(&heading, &compared.plan);
    }
    printer.findings(&findings);
    if common.dry_run {
        let is_known = compared.plan.counts().unreadable == 0;
        return Ok(if is_known { ExitCode::SUCCESS } else { ExitCode::from(ERROR) });
    }
    ensure_no_foreign_resources(&compared.plan)?;
    ensure_no_blockers(&findings)?;
    let has_work = compared.plan.counts().steps() + typed.set_secret.len() > 0;
    let (converged, exit_code) = if has_work {
        if let Some(declined) = declined(printer, common, interrupts).await? {
            return Ok(declined);
        }
        let converged =
            converge(printer, &opened.session, &compared, interrupts, async || compare(&opened, &code).await).await;
        if converged.is_complete() {
            set_values(&opened, &typed.set_secret).await?;
        }
        let exit_code = converged.exit_code();
        (converged, exit_code)
    } else {
        let exit_code = if compared.plan.is_converged() { ExitCode::SUCCESS } else { ExitCode::from(ERROR) };
        (Converged { results: Vec::new(), now: None, interrupted: false }, exit_code)
    };
    let seen = converged.now.as_ref().unwrap_or(&compared);
    let mut todo: Vec<Finding> = findings;
    todo.extend(unconfirmed(seen));
    printer.report(&Report {
        heading: &heading,
        plan: &compared.plan,
        results: &converged.results,
        now: converged.now.as_ref().map(|now| &now.plan),
        is_complete: exit_code == ExitCode::SUCCESS,
        outputs: &outputs(&opened, &compared, &code),
        todo: &todo,
    });
    Ok(exit_code)
}

/// Asks for consent to the plan; returns the exit code of `up` if it is declined.
async fn declined(printer: &Printer, common: &Common, interrupts: &mut Interrupts) -> anyhow::Result<Option<ExitCode>> {
    if common.yes {
        return Ok(None);
    }
    let hint = "pass `--yes`, or `--dry-run` to see the plan only";
    match ask(printer, interrupts, "Apply this plan? Type `yes` to confirm:", "yes", hint).await? {
        Consent::Given => Ok(None),
        Consent::Declined => {
            printer.note("Declined: nothing was changed");
            Ok(Some(ExitCode::from(DECLINED)))
        }
        Consent::Interrupted => Ok(Some(ExitCode::from(INTERRUPTED))),
    }
}

/// Writes the values that were asked for by name.
async fn set_values(opened: &Opened, set: &[String]) -> Result<(), Failure> {
    for entry in set {
        if let Some(value) = opened.session.secrets.get(entry) {
            secret::write_value(&opened.session, &opened.names.name(Kind::Secret, entry), value).await?;
        }
    }
    Ok(())
}

/// Returns the names and addresses that a person or a script needs afterwards.
fn outputs(opened: &Opened, compared: &Compared, code: &Code) -> Outputs {
    let Opened { declaration, names, .. } = opened;
    let mut outputs = Outputs::default();
    let none = BTreeMap::new();
    let built = if let Code::Built { code_sha256, .. } = code { code_sha256 } else { &none };
    for kind in Kind::ALL {
        let identity = kind.identity();
        for entry in identity.section.into_iter().flat_map(|section| declaration.entries(section)) {
            match identity.output {
                Output::Nothing => {}
                Output::Name => outputs.add(identity.name, entry, names.name(*kind, entry)),
                Output::Arn => outputs.add(identity.name, entry, names.arn(*kind, entry)),
            }
            if let Some(sha256) = built.get(entry).filter(|_| *kind == Kind::Function) {
                outputs.add("build", entry, sha256.clone());
            }
        }
    }
    if !declaration.receipt_rules.is_empty() {
        outputs.add("receipt rule set", "", compared.rule_set.name(names).to_owned());
    }
    outputs
}
