//! Compares the declaration with the account: the one way to a plan, for `up`, `diff`, `down` and `status`.

use std::{collections::BTreeMap, sync::Arc};

use super::account::Opened;
use engine::{Address, Disorder, Live, keep_protections, survey};
use kinds::{Kind, Plan, Read, Resource, Session, Settings, Survey, ses};
use package::{Artifact, Upload};
use stack::desired::{self, Inputs, RuleSet};

/// The code of the functions.
#[derive(Debug, Clone)]
pub(crate) enum Code {
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
    pub(crate) fn built(artifacts: &BTreeMap<String, Artifact>) -> Self {
        let code_sha256 = artifacts.iter().map(|(entry, artifact)| (entry.clone(), artifact.code_sha256.clone()));
        let is_large = |artifact: &Artifact| artifact.upload == Upload::Bucket;
        Self::Built { code_sha256: code_sha256.collect(), artifacts: artifacts.values().any(is_large) }
    }
}

/// The declared resources, the live ones, and the plan between them.
#[derive(Debug)]
pub(crate) struct Compared {
    /// Declared resources; empty if everything is to be deleted.
    pub(crate) resources: Vec<Resource>,
    pub(crate) survey: Survey,
    pub(crate) plan: Plan,
    /// The rule set that has, or will have, the receipt rules.
    pub(crate) rule_set: RuleSet,
    /// SES's rule sets; `None` if they could not be read.
    pub(crate) snapshot: Option<Arc<ses::Snapshot>>,
}

/// Compares the whole declaration with the account.
///
/// Only the place of the rules depends on which rule set is active: so SES is queried while everything else is read, and the
/// rules are read afterwards.
pub(crate) async fn compare(opened: &Opened, code: &Code) -> Result<Compared, Disorder> {
    let Opened { declaration, names, session } = opened;
    let none = BTreeMap::new();
    let (code_sha256, mut artifacts) = match code {
        Code::Built { code_sha256, artifacts } => (code_sha256, *artifacts),
        Code::NotBuilt => (&none, false),
    };
    let resources = |rule_set: &RuleSet, artifacts: bool| {
        desired::resources(declaration, Inputs { names, code: code_sha256, artifacts, rule_set })
    };
    session.receipt.forget().await;
    let likely = resources(&RuleSet::Own, artifacts);
    let named = likely.into_iter().map(|resource| (resource.id.kind, resource.address));
    let (snapshot, mut survey) = tokio::join!(ses::snapshot(session), survey(session, named));
    // Without an answer the rules are unreadable too, and are reported as such.
    let snapshot = snapshot.ok();
    let rule_set = snapshot.as_ref().map_or(RuleSet::Own, |snapshot| RuleSet::choose(declaration, names, snapshot));
    if matches!(code, Code::NotBuilt) {
        artifacts = survey.owns(Kind::Bucket, &Address::of(names.artifacts()));
    }
    let mut resources = resources(&rule_set, artifacts);
    survey.complete(session, &resources).await;
    if matches!(code, Code::NotBuilt) {
        take_live_code(&mut resources, &survey);
    }
    keep_protections(&mut resources, &survey);
    let plan = Plan::with_consent(&resources, &survey, &session.consent)?;
    Ok(Compared { resources, survey, plan, rule_set, snapshot })
}

/// Compares the live resources of a stack with an empty declaration: the plan of `down`.
pub(crate) async fn nothing_declared(session: &Session) -> Result<Compared, Disorder> {
    session.receipt.forget().await;
    let (snapshot, mut survey) = tokio::join!(ses::snapshot(session), survey(session, []));
    survey.complete(session, &[]).await;
    let plan = Plan::with_consent(&[], &survey, &session.consent)?;
    Ok(Compared { resources: Vec::new(), survey, plan, rule_set: RuleSet::Own, snapshot: snapshot.ok() })
}

/// Takes the live code for the declared one.
fn take_live_code(resources: &mut [Resource], survey: &Survey) {
    for resource in resources.iter_mut().filter(|resource| resource.id.kind == Kind::Function) {
        let found = survey.read.get(&(Kind::Function, resource.address.clone()));
        if let Settings::Function(declared) = &mut resource.settings
            && let Some(Read::Present(Live { settings: Settings::Function(live), .. })) = found
        {
            declared.code_sha256.clone_from(&live.code_sha256);
        }
    }
}
