//! The non-interactive part of `provision up`: everything that is read before a change, and the outputs afterwards.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use super::{
    account::{self, Opened},
    adopt,
    compare::{Code, Compared, compare},
    netbox, secrets,
};
use contract::context::{Context, MailPlace, VARIABLE};
use declaration::Function;
use engine::{Action, Address, Failure, Live};
use kinds::{
    Item, Kind, Plan, Read, Resource, Session, Settings, elasticache::replication_group, secretsmanager::secret,
};
use package::{Artifact, Upload};
use problem::Problem;
use stack::{
    Names,
    preconditions::{self, Dns, Finding, Seen, Weight},
};

/// Everything that is known before a change.
pub struct Prepared {
    /// The stack, with the code of its functions and the values of its new secrets.
    pub opened: Opened,
    /// The code that was built.
    pub code: Code,
    /// Plan, with the resources that it compares.
    pub compared: Compared,
    /// Unfulfilled preconditions; blocking ones come first.
    pub findings: Vec<Finding>,
    /// In a dry run: the reason why the value of a secret could not be read; `None` if there is none.
    pub unread_value: Option<Problem>,
}

/// Reads everything that can be read before a change. Values of new secrets, and of those to be set by name, are read from beside
/// `file`; a dry run drops them, and does not read standard input.
pub async fn prepare(
    mut opened: Opened,
    built: &BTreeMap<String, Artifact>,
    file: &Path,
    (set_secret, dry_run): (&[String], bool),
) -> anyhow::Result<Prepared> {
    opened.session.code = built.values().map(|one| (one.code_sha256.clone(), zip(&opened.session, one))).collect();
    opened.session.builds = built.values().map(|one| (one.code_sha256.clone(), one.build.clone())).collect();
    opened.session.revision = package::revision(package::folder(file)).await;
    let code = Code::built(built);
    let compared = compare(&opened, &code).await?;
    let dns = Dns::from_environment()?;
    let seen =
        Seen { rule_set: &compared.rule_set, snapshot: compared.snapshot.as_deref(), existing: &compared.existing };
    let (mut findings, netboxes) = tokio::join!(
        preconditions::check(&opened.session, (file, &opened.declaration, compared.names(&opened)), seen, &dns),
        netbox::precondition::check(&opened.declaration),
    );
    findings.extend(netboxes);
    findings.extend(left_behind(&opened, &compared));
    findings.sort();
    let folder = file.parent().unwrap_or(Path::new(""));
    let needed = needed_values(&opened, &compared.plan, set_secret).await?;
    let unread_value = if dry_run {
        secrets::ensure_readable(&opened.declaration, folder, needed).err()
    } else {
        opened.session.secrets = secrets::values(&opened.declaration, folder, &needed)?;
        None
    };
    Ok(Prepared { opened, code, compared, findings, unread_value })
}

/// Returns the zip as Lambda gets it: with the call, or through the bucket.
fn zip(session: &Session, artifact: &Artifact) -> kinds::Code {
    match artifact.upload {
        Upload::Direct => kinds::Code::Zip(Arc::clone(&artifact.zip)),
        Upload::Bucket => kinds::s3::artifacts::code(session, Arc::clone(&artifact.zip)),
    }
}

/// Fails if `up` must not start, whatever anybody agrees to. `options` are those that chose the declaration.
pub fn ensure_startable(prepared: &Prepared, options: &str) -> Result<(), Problem> {
    ensure_no_foreign_resources(&prepared.compared, options)?;
    account::ensure_listed(&prepared.opened.session)?;
    ensure_no_blockers(&prepared.findings)
}

/// Fails if a resource with one of the stack's names belongs to somebody else: a person has to look at it first.
fn ensure_no_foreign_resources(compared: &Compared, options: &str) -> Result<(), Problem> {
    let foreign = compared.plan.items().iter().filter_map(|item| match &item.action {
        Action::Foreign { owner } => Some((item, owner)),
        _ => None,
    });
    let foreign: Vec<_> = foreign.collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let words: Vec<_> =
        foreign.iter().map(|(item, owner)| format!("{} (`{}`): {owner}", item.id, item.address.name)).collect();
    let problem =
        Problem::new(format!("Failed to plan: what has the stack's names is not the stack's: {}", words.join("; ")));
    let adoptable = foreign.iter().filter(|(item, _)| adopt::is_unmarked(&compared.survey, item));
    let commands: Vec<_> =
        adoptable.map(|(item, _)| format!("`{}`", adopt::command(&item.id, &item.address.name, options))).collect();
    let rest = "delete or rename what is not, or give the stack or its stage another name";
    Err(problem.with_hint(match commands.as_slice() {
        [] => "delete or rename them, or give the stack or its stage another name".to_owned(),
        commands => format!("take over what is the stack's with {}; {rest}", commands.join(", ")),
    }))
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

/// Returns the places where mails were stored so far, and whose function no longer finds them: it could not replay them.
fn left_behind(opened: &Opened, compared: &Compared) -> Vec<Finding> {
    let Opened { declaration, .. } = opened;
    let names = compared.names(opened);
    let of_function = |(entry, function): (&String, &Function)| {
        let place = (Kind::Function, Address::of(names.name(Kind::Function, entry)));
        let Some(Read::Present(Live { settings: Settings::Function(live), .. })) = compared.survey.read.get(&place)
        else {
            return Vec::new();
        };
        let context = live.environment.get(VARIABLE).and_then(|text| serde_json::from_str::<Context>(text).ok());
        let now = names.function_context(declaration, entry).mail;
        let is_told = |old: &MailPlace| now.iter().any(|new| (&new.bucket, &new.prefix) == (&old.bucket, &old.prefix));
        let left = context.unwrap_or_default().mail.into_iter().filter(|old| !is_told(old));
        left.filter_map(|old| keep_readable(names, entry, function, &old)).collect()
    };
    declaration.functions.iter().flat_map(of_function).collect()
}

/// Returns the line that keeps mails readable under an earlier prefix; `None` if the function reads nothing of their bucket.
fn keep_readable(names: &Names, entry: &str, function: &Function, old: &MailPlace) -> Option<Finding> {
    let read = function.reads.iter().find(|read| names.name(Kind::Bucket, &read.bucket) == old.bucket)?;
    let formerly: Vec<&str> = [&old.prefix].into_iter().chain(&read.formerly).map(String::as_str).collect();
    let line = format!("{{bucket: {}, prefix: {}, formerly: [{}]}}", read.bucket, read.prefix, formerly.join(", "));
    let what = format!("function `{entry}` no longer finds the mails that were stored under `{}`", old.prefix);
    Some(Finding::warns(what, format!("to read and replay them, write `reads: [{line}]`")))
}

/// Returns the subscriptions that still wait for confirmation, as of the last survey.
pub fn unconfirmed(compared: &Compared) -> Vec<Finding> {
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

/// Returns the secrets whose values must be read: new ones, and those to be set by name.
async fn needed_values(opened: &Opened, plan: &Plan, set: &[String]) -> Result<Vec<String>, Failure> {
    let mut needed = set.to_vec();
    let is_new = |item: &&Item| item.id.kind == Kind::Secret && item.action == Action::Create;
    for item in plan.items().iter().filter(is_new) {
        if !needed.contains(&item.id.entry) && secret::needs_value(&opened.session, &item.address.name).await? {
            needed.push(item.id.entry.clone());
        }
    }
    Ok(needed)
}

/// Writes the values of the secrets that were named. Caches get theirs first: they take the one of before, too, so that nobody is refused
/// who reads one of both.
pub async fn set_values(opened: &Opened, compared: &Compared, set: &[String]) -> Result<(), Failure> {
    let names = compared.names(opened);
    // One that was made a moment ago has it.
    let was_there = |name: &str| {
        let place = (Kind::Cache, Address::of(name.to_owned()));
        matches!(compared.survey.read.get(&place), Some(Read::Present(_)))
    };
    for entry in set {
        if let Some(value) = opened.session.secrets.get(entry) {
            let secret = names.name(Kind::Secret, entry);
            for (cache, _) in opened.declaration.caches.iter().filter(|(_, cache)| cache.auth == *entry) {
                let name = names.name(Kind::Cache, cache);
                if was_there(&name) {
                    replication_group::change_password(&opened.session, &name, &secret, value).await?;
                }
            }
            secret::write_value(&opened.session, &secret, value).await?;
        }
    }
    Ok(())
}
