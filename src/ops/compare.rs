//! Compares the declaration with the account: the one way to a plan, for `up`, `diff`, `down` and `status`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::account::Opened;
use declaration::{Declaration, SecretSource};
use engine::{Address, Disorder, Kind as _, Live, Owner, Tags, keep_undeclared, survey};
use kinds::{Id, Item, Kind, Plan, Read, Resource, Session, Settings, Survey, ses};
use package::{Artifact, Upload};
use stack::{
    Existing, Names,
    costs::{self, Costs, LiveSettings},
    desired::{self, Inputs, RuleSet},
};

/// The code of the functions.
#[derive(Debug, Clone)]
pub enum Code {
    /// The code was built.
    Built {
        /// `CodeSha256` of each function, by entry name.
        code_sha256: BTreeMap<String, String>,
        /// `true` if some zip is too large for a call and needs a bucket.
        artifacts: bool,
    },
    /// The code was not built, and is not compared.
    NotBuilt,
}

impl Code {
    /// Returns the code that was built.
    pub fn built(artifacts: &BTreeMap<String, Artifact>) -> Self {
        let code_sha256 = artifacts.iter().map(|(entry, artifact)| (entry.clone(), artifact.code_sha256.clone()));
        let is_large = |artifact: &Artifact| artifact.upload == Upload::Bucket;
        Self::Built { code_sha256: code_sha256.collect(), artifacts: artifacts.values().any(is_large) }
    }
}

/// The declared resources, the live ones, and the plan between them.
#[derive(Debug)]
pub struct Compared {
    /// Declared resources; empty if everything is to be deleted.
    pub resources: Vec<Resource>,
    /// Names of the declared resources, as the tags of the live ones are; `None` if nothing is declared.
    pub names: Option<Names>,
    /// Live resources, as they were read.
    pub survey: Survey,
    /// Plan that makes the live resources the declared ones.
    pub plan: Plan,
    /// The rule set that has, or will have, the receipt rules.
    pub rule_set: RuleSet,
    /// SES's rule sets; `None` if they could not be read.
    pub snapshot: Option<Arc<ses::Snapshot>>,
    /// Buckets and secrets that are declared as others', as they were read.
    pub existing: Existing,
}

impl Compared {
    /// Returns what the stack costs while nobody uses it, before the plan and after it.
    pub async fn costs(&self, session: &Session) -> Costs {
        let mut undeclared = LiveSettings::new();
        let unread = |item: &&Item| !item.is_declared && costs::depends_on_settings(item.id.kind);
        for item in self.plan.items().iter().filter(unread) {
            if let Ok(Some(live)) = item.id.kind.read(session, &item.address).await {
                undeclared.insert((item.id.kind, item.address.clone()), live.settings);
            }
        }
        costs::of(&self.plan, &self.survey, &self.resources, &undeclared)
    }

    /// Returns the names of the declared resources.
    pub fn names<'this>(&'this self, opened: &'this Opened) -> &'this Names {
        self.names.as_ref().unwrap_or(&opened.names)
    }
}

/// Compares the whole declaration with the account.
///
/// Only the place of the rules depends on which rule set is active: so SES is queried while everything else is read, and the
/// rules are read afterwards.
pub async fn compare(opened: &Opened, code: &Code) -> Result<Compared, Disorder> {
    compare_supposing(opened, code, None).await
}

/// Tags that a resource does not have, to see what `up` would do if it had them.
#[derive(Debug)]
pub struct AsIf<'given> {
    /// Id of the declared resource.
    pub id: &'given Id,
    /// Name of the live one in AWS.
    pub name: &'given str,
    /// Tags that it does not have.
    pub tags: &'given Tags,
}

impl AsIf<'_> {
    /// Gives a survey the tags.
    fn tag(&self, survey: &mut Survey) {
        let place = (self.id.kind, Address::of(self.name));
        if let Some(Read::Present(live)) = survey.read.get_mut(&place) {
            live.owner = Owner::Ours;
            if let Some(tags) = live.settings.tags_mut() {
                tags.extend(self.tags.clone());
            }
        }
    }
}

/// Compares as if a resource had the tags of an entry.
pub async fn compare_as_if(opened: &Opened, code: &Code, as_if: &AsIf<'_>) -> Result<Compared, Disorder> {
    compare_supposing(opened, code, Some(as_if)).await
}

async fn compare_supposing(opened: &Opened, code: &Code, as_if: Option<&AsIf<'_>>) -> Result<Compared, Disorder> {
    let names_of = |names: Names| match as_if {
        Some(as_if) => names.with_found(as_if.id, as_if.name),
        None => names,
    };
    let Opened { declaration, names, session, .. } = opened;
    let none = BTreeMap::new();
    let (code_sha256, mut artifacts) = match code {
        Code::Built { code_sha256, artifacts } => (code_sha256, *artifacts),
        Code::NotBuilt => (&none, false),
    };
    let resources = |names: &Names, rule_set: &RuleSet, artifacts: bool, existing: &Existing| {
        desired::resources(declaration, Inputs { names, code: code_sha256, artifacts, rule_set, existing })
    };
    session.receipt.forget().await;
    // Almost always these are the names that the tags of the live resources give, too.
    let likely = resources(&names_of(names.clone()), &RuleSet::Own, artifacts, &Existing::default());
    let places = likely.into_iter().map(|resource| (resource.id.kind, resource.address));
    let places: BTreeSet<(Kind, Address)> = places.chain(session.tagged.roles()).collect();
    let suspected: Vec<_> = suspected(session).filter(|place| !places.contains(place)).collect();
    let (snapshot, mut survey, existing) =
        tokio::join!(ses::snapshot(session), survey(session, places, suspected), Existing::read(session, declaration));
    // Without an answer the rules are unreadable too, and are reported as such.
    let snapshot = snapshot.ok();
    ensure_others_own(declaration, &survey)?;
    let names = names_of(names.as_surveyed(&survey)?);
    let rule_set = snapshot.as_ref().map_or(RuleSet::Own, |snapshot| RuleSet::choose(declaration, &names, snapshot));
    if matches!(code, Code::NotBuilt) {
        let is_meant = as_if.is_some_and(|as_if| as_if.name == names.artifacts());
        artifacts = is_meant || survey.owns(Kind::Bucket, &Address::of(names.artifacts()));
    }
    let existing = existing.with_keys(session, &names, declaration, &survey).await;
    let mut resources = resources(&names, &rule_set, artifacts, &existing);
    survey.complete(session, &resources).await;
    doubt_roles(declaration, &resources, &existing, &mut survey);
    if let Some(as_if) = as_if {
        as_if.tag(&mut survey);
    }
    if matches!(code, Code::NotBuilt) {
        take_live_code(&mut resources, &survey);
    }
    keep_undeclared(&mut resources, &survey, &declaration.accepted);
    let plan = Plan::with_consent(&resources, &survey, &session.consent)?;
    Ok(Compared { names: Some(names), resources, survey, plan, rule_set, snapshot, existing })
}

/// Returns what has the stack's tag: those that nobody declares are looked into while everything else is read.
fn suspected(session: &Session) -> impl Iterator<Item = (Kind, Address)> {
    session.tagged.entries().map(|(kind, _, name)| (kind, Address::of(name)))
}

/// Compares the live resources of a stack with an empty declaration: the plan of `down`.
pub async fn nothing_declared(session: &Session) -> Result<Compared, Disorder> {
    session.receipt.forget().await;
    let (snapshot, mut survey) = tokio::join!(ses::snapshot(session), survey(session, [], suspected(session)));
    // Of two with one entry's tags, one may be somebody's copy.
    survey.names_by_entry()?;
    survey.complete(session, &[]).await;
    let plan = Plan::with_consent(&[], &survey, &session.consent)?;
    Ok(Compared {
        names: None,
        resources: Vec::new(),
        survey,
        plan,
        rule_set: RuleSet::Own,
        snapshot: snapshot.ok(),
        existing: Existing::default(),
    })
}

/// Fails if something that is declared as `existing` is the stack's: it would be deleted while the stack uses it.
fn ensure_others_own(declaration: &Declaration, survey: &Survey) -> Result<(), Disorder> {
    let buckets = declaration.buckets.values().filter_map(|bucket| bucket.existing.as_ref());
    let secrets = declaration.secrets.values().filter_map(|secret| match &secret.source {
        SecretSource::Existing(name) => Some(name),
        SecretSource::Created(_) => None,
    });
    let existing = buckets.map(|name| (Kind::Bucket, name)).chain(secrets.map(|name| (Kind::Secret, name)));
    for (kind, name) in existing {
        let mut owned = survey.owned.get(&kind).into_iter().flatten();
        if let Some(own) = owned.find(|owned| owned.address.name == *name) {
            return Err(Disorder::Own { id: Id::new(kind, &own.entry).typed(), name: name.clone() });
        }
    }
    Ok(())
}

/// Marks the roles as unread whose rights follow from something that could not be read: nothing is taken from them on that account.
fn doubt_roles(declaration: &Declaration, resources: &[Resource], existing: &Existing, survey: &mut Survey) {
    for resource in resources.iter().filter(|resource| resource.id.kind == Kind::Role) {
        if let Some(failure) = existing.failure(declaration, &resource.id.entry) {
            survey.read.insert((Kind::Role, resource.address.clone()), Read::Unreadable(failure.clone()));
        }
    }
    // A function is told the brokers that it writes to, wherever it runs.
    for resource in resources {
        let function = match resource.id.kind {
            Kind::Function => Some(&resource.id.entry),
            Kind::Server => declaration.servers.get(&resource.id.entry).and_then(|server| server.runs.as_ref()),
            _ => None,
        };
        if let Some(failure) = function.and_then(|function| existing.cluster_failure(declaration, function)) {
            survey.read.insert((resource.id.kind, resource.address.clone()), Read::Unreadable(failure.clone()));
        }
    }
}

/// Takes the live code for the declared one.
fn take_live_code(resources: &mut [Resource], survey: &Survey) {
    for resource in resources {
        let Some(Read::Present(Live { settings: live, .. })) =
            survey.read.get(&(resource.id.kind, resource.address.clone()))
        else {
            continue;
        };
        match (&mut resource.settings, live) {
            (Settings::Function(declared), Settings::Function(live)) => {
                declared.code_sha256.clone_from(&live.code_sha256);
            }
            (Settings::Server(declared), Settings::Server(live)) => declared.take_live_code(live),
            _ => {}
        }
    }
}
