//! Adopts a resource that was made by hand, or has lost its tags: what is checked before, and the one change, its tags.

use std::collections::BTreeMap;

use super::{
    account::Opened,
    compare::{AsIf, Code, compare_as_if},
};
use aws::Arn;
use declaration::{Declaration, choose};
use engine::{Address, ENTRY_TAG, Failure, Kind as _, Live, STACK_TAG, Stack, Tags};
use kinds::{Id, Item, Kind, Naming, Read, Session, Settings, Survey, iam::role, tagged};
use problem::{Problem, shell_word};
use stack::{
    Existing, Names,
    desired::{self, Inputs, RuleSet},
    is_implied,
};

/// A resource that can be adopted.
#[derive(Debug)]
pub(crate) struct Adoption {
    /// The declared resource that it becomes.
    pub(crate) id: Id,
    pub(crate) address: Address,
    /// Tags that are written: whose it is, and for which entry. None if it has them.
    pub(crate) tags: Tags,
    /// The item of the plan that `up` will have for it.
    pub(crate) item: Item,
    live: Settings,
}

/// Returns the command that adopts a resource, as a shell takes it. `options` choose the declaration.
pub(crate) fn command(id: &Id, name: &str, options: &str) -> String {
    format!("provision adopt {} {}{options}", shell_word(&id.typed()), shell_word(name))
}

/// Returns `true` if a resource with one of the stack's names has no stack's tag, and can be given one.
pub(crate) fn is_unmarked(survey: &Survey, item: &Item) -> bool {
    match survey.read.get(&(item.id.kind, item.address.clone())) {
        Some(Read::Present(live)) if item.id.kind.has_tags() => !tags_of(&live.settings).contains_key(STACK_TAG),
        _ => false,
    }
}

/// Checks that a resource may become that of an entry, and returns what `up` will change then.
pub(crate) async fn prepare(opened: &Opened, typed: &str, given: &str) -> anyhow::Result<Adoption> {
    let (id, name) = resolve(&opened.declaration, &opened.names, (typed, given))?;
    let refuse = |why: String| Problem::new(format!("Failed to adopt `{name}` as {id}: {why}"));
    let derived = derived(opened, &id);
    if is_implied(&id.entry) && name != derived {
        return Err(refuse(format!("the stack finds it by its name, `{derived}`")).into());
    }
    let address = Address::of(&name);
    let live = match id.kind.read(&opened.session, &address).await {
        Ok(Some(Live { settings, .. })) => settings,
        Ok(None) => {
            let realm = opened.names.realm();
            let why = format!("there is no such {} in account {}, {}", id.kind.name(), realm.account, realm.region);
            return Err(refuse(why).into());
        }
        Err(failure) => return Err(unreadable(&refuse, failure).into()),
    };
    let tags = ours(opened.names.stack(), &id);
    let missing = owned_by(&live, &tags, &id).map_err(|(why, hint)| refuse(why).with_hint(hint))?;
    ensure_found_later(&live, opened.names.stack(), (&name, &derived)).map_err(|why| {
        refuse(why).with_hint("let `up` make a role of its own: a role holds no data, and functions are switched to it")
    })?;
    let as_if = AsIf { id: &id, name: &name, tags: &tags };
    let compared = compare_as_if(opened, &Code::NotBuilt, &as_if).await?;
    if let Some(unlisted) = compared.plan.unlisted.iter().find(|unlisted| unlisted.kind == id.kind) {
        let why = format!("what the stack has of its kind could not be listed: {}", unlisted.failure);
        return Err(refuse(why).into());
    }
    let found = opened.names.as_surveyed(&compared.survey)?;
    let other = found.name(id.kind, &id.entry);
    if found.is_found(&id) && other != name {
        let hint =
            format!("take the tags `{STACK_TAG}` and `{ENTRY_TAG}` from the one that is not to be it, or delete it");
        return Err(refuse(format!("`{other}` is already {id}")).with_hint(hint).into());
    }
    let item = compared.plan.items().iter().find(|item| item.id == id && item.address == address);
    let item = item.cloned().ok_or_else(|| refuse("the plan does not have it".to_owned()))?;
    Ok(Adoption { id, address, tags: missing, item, live })
}

/// Returns the declared resource and the name that were typed.
pub(crate) fn resolve(
    declaration: &Declaration,
    names: &Names,
    (typed, given): (&str, &str),
) -> Result<(Id, String), Problem> {
    let id = declared(declaration, names, typed)?;
    let name = name_of(&id, given, names)?;
    Ok((id, name))
}

impl Adoption {
    /// Writes the tags and nothing else, and waits until AWS shows them.
    pub(crate) async fn write(&self, session: &Session) -> anyhow::Result<()> {
        let mut desired = self.live.clone();
        if let Some(tags) = desired.tags_mut() {
            tags.extend(self.tags.clone());
        }
        Kind::update(&desired, session, &self.address, &self.live).await?;
        let end = tokio::time::Instant::now() + session.aws.pacing.deadline;
        while !self.is_seen(session).await? {
            if tokio::time::Instant::now() > end {
                let message = format!(
                    "Failed to see `{}` by its tags: they are written, and AWS does not show them",
                    self.address.name
                );
                let hint = "wait until `provision diff` shows it, before the next `up`";
                return Err(Problem::new(message).with_hint(hint).into());
            }
            tokio::time::sleep(session.aws.pacing.poll).await;
        }
        Ok(())
    }

    /// Returns `true` if the next command finds the resource by its tags.
    async fn is_seen(&self, session: &Session) -> Result<bool, Failure> {
        let read = self.id.kind.read(session, &self.address).await?;
        let has_them = read.is_some_and(|live| {
            let tags = tags_of(&live.settings);
            self.tags.iter().all(|(key, value)| tags.get(key) == Some(value))
        });
        let identity = self.id.kind.identity();
        if !has_them || self.id.kind == Kind::Role || identity.is_given_by(&session.stack, &self.address.name) {
            return Ok(has_them);
        }
        let listed = tagged::index(&session.aws.read, &session.stack).await?;
        let named = |arn: &String| identity.name_in(&session.aws.realm, &session.stack, arn);
        Ok(listed.iter().any(|(arn, _)| named(arn).as_ref() == Some(&self.address.name)))
    }
}

/// Returns the tags of a resource.
fn tags_of(settings: &Settings) -> Tags {
    settings.clone().tags_mut().cloned().unwrap_or_default()
}

/// Returns the tags that say that a resource is an entry's.
fn ours(stack: &Stack, id: &Id) -> Tags {
    let tags = [(STACK_TAG, stack.id()), (ENTRY_TAG, id.entry.clone())];
    tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Returns the tags that are missing; the reason and a hint, if others say that the resource is something else already.
fn owned_by(live: &Settings, ours: &Tags, id: &Id) -> Result<Tags, (String, String)> {
    let tags = tags_of(live);
    match (tags.get(STACK_TAG), tags.get(ENTRY_TAG)) {
        (Some(owner), _) if ours.get(STACK_TAG) != Some(owner) => Err((
            Stack::parse(owner).map_or_else(
                || format!("its tag `{STACK_TAG}` names `{owner}`, which is not a stack"),
                |other| format!("it belongs to {other}"),
            ),
            format!("if it is not that one's, take its tag `{STACK_TAG}` away first"),
        )),
        (Some(_), Some(entry)) if *entry != id.entry => {
            let other = Id::new(id.kind, entry).typed();
            Err((
                format!("it is this stack's `{other}`"),
                format!("write `moved: {{{other}: {}}}` into the declaration", id.typed()),
            ))
        }
        _ => Ok(ours
            .iter()
            .filter(|(key, value)| tags.get(*key) != Some(value))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()),
    }
}

/// Fails with the reason if the resource would not be found by its tags. Roles are in no index: they are found by their path, which
/// nothing changes, or have the name that the stack gives.
fn ensure_found_later(live: &Settings, stack: &Stack, (name, derived): (&str, &str)) -> Result<(), String> {
    match live {
        Settings::Role(role) if role.path != role::path(stack) && name != derived => Err(format!(
            "its path is `{}`, and a stack's roles are found by theirs, `{}`, which IAM cannot change",
            role.path,
            role::path(stack)
        )),
        _ => Ok(()),
    }
}

/// Returns the name that `up` gives to a new resource of an entry.
fn derived(opened: &Opened, id: &Id) -> String {
    let plain = Names::new(&opened.declaration, opened.names.account());
    let resource = resources(&opened.declaration, &plain).into_iter().find(|resource| resource.id == *id);
    resource.map_or_else(|| plain.name(id.kind, &id.entry), |resource| resource.address.name)
}

fn resources(declaration: &Declaration, names: &Names) -> Vec<kinds::Resource> {
    let none = BTreeMap::new();
    desired::resources(
        declaration,
        Inputs { names, code: &none, artifacts: true, rule_set: &RuleSet::Own, existing: &Existing::default() },
    )
}

/// Returns the declared resource that was typed as `KIND/ENTRY`.
fn declared(declaration: &Declaration, names: &Names, typed: &str) -> Result<Id, Problem> {
    let refuse = |why: String| Problem::new(format!("Failed to adopt `{typed}`: {why}"));
    if !typed.contains('/') {
        return Err(refuse("expected a kind and an entry".to_owned()).with_hint("write them as `bucket/mail`"));
    }
    let Ok(id) = Id::parse(typed) else {
        let word = typed.split('/').next().unwrap_or_default();
        let with_tags = Kind::ALL.iter().filter(|kind| kind.has_tags());
        let kinds: Vec<String> = with_tags.map(|kind| kind.typed()).collect();
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        return Err(refuse(format!("`{word}` is not a kind of resource")).with_hint(choose(
            word,
            "kinds with tags are",
            &kinds,
        )));
    };
    let (kind, entry) = (id.kind, id.entry.as_str());
    if !kind.has_tags() {
        let (why, hint) = without_tags(kind);
        return Err(refuse(why).with_hint(hint));
    }
    let declared: Vec<Id> =
        resources(declaration, names).into_iter().map(|one| one.id).filter(|one| one.kind == kind).collect();
    if declared.contains(&id) {
        return Ok(id);
    }
    if declaration.buckets.get(entry).is_some_and(|bucket| kind == Kind::Bucket && bucket.existing.is_some()) {
        return Err(refuse("it is declared as `existing`, and so never the stack's".to_owned())
            .with_hint("declare it without `existing` first"));
    }
    let declared: Vec<String> = declared.iter().map(Id::typed).collect();
    let declared: Vec<&str> = declared.iter().map(String::as_str).collect();
    let refused = refuse(format!("the declaration has no {id}"));
    Err(if declared.is_empty() { refused } else { refused.with_hint(choose(typed, "it has", &declared)) })
}

/// Returns why a kind without tags is not adopted, and what to do instead.
fn without_tags(kind: Kind) -> (String, String) {
    let name = kind.name();
    match kind.identity().naming {
        Naming::Joined(_) | Naming::Alone => (
            format!("SES keeps no tags on a {name}, so that its name alone tells whose it is"),
            "`up` makes its own beside it; delete the other one then".to_owned(),
        ),
        _ => (
            format!("a {name} has no tags: it is a part of another resource, and goes with that one"),
            "adopt what it is a part of; `up` does the rest".to_owned(),
        ),
    }
}

/// Returns the name of what was given: a name, an ARN, or a queue's URL. One in another account or region is refused.
fn name_of(id: &Id, given: &str, names: &Names) -> Result<String, Problem> {
    let realm = names.realm();
    let refuse = |why: String| Problem::new(format!("Failed to adopt `{given}` as {id}: {why}"));
    let elsewhere = |account: &str, region: &str| {
        let is_elsewhere = |there: &str, here: &str| !there.is_empty() && there != here;
        (is_elsewhere(account, &realm.account) || is_elsewhere(region, &realm.region)).then(|| {
            let place = [account, region].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
            refuse(format!("it is in {place}, and the stack in {}, {}", realm.account, realm.region))
        })
    };
    if let Some((region, account)) = Arn::realm_of(given) {
        if let Some(problem) = elsewhere(account, region) {
            return Err(problem);
        }
        let of_role = || given.rsplit_once('/').filter(|(path, _)| id.kind == Kind::Role && path.contains(":role"));
        let name = id.kind.identity().name_in(realm, names.stack(), given);
        let name = name.or_else(|| of_role().map(|(_, name)| name.to_owned()));
        return name.ok_or_else(|| refuse(format!("it is not the ARN of a {}", id.kind.name())));
    }
    if let Some((_, rest)) = given.split_once("://").filter(|_| id.kind == Kind::Queue) {
        let mut parts = rest.rsplit('/');
        let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        return elsewhere(account, region_of_host(rest)).map_or_else(|| Ok(name.to_owned()), Err);
    }
    if given.is_empty() {
        return Err(refuse("it is not a name".to_owned()));
    }
    Ok(given.to_owned())
}

/// Returns the region in a host of SQS, `sqs.REGION.amazonaws.com` or `REGION.queue.amazonaws.com`; nothing if it has another form.
fn region_of_host(address: &str) -> &str {
    let host = address.split(['/', ':']).next().unwrap_or_default();
    match host.split('.').collect::<Vec<_>>().as_slice() {
        ["sqs" | "sqs-fips", region, "amazonaws", ..] | [region, "queue", "amazonaws", ..] => region,
        _ => "",
    }
}

fn unreadable(refuse: &impl Fn(String) -> Problem, failure: Failure) -> Problem {
    refuse("it could not be read; it may be in another account or region, or yours may not read it".to_owned())
        .with_source(failure)
}
