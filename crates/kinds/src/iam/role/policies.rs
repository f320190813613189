//! Policies of a role: its own inline ones, and managed ones that somebody attached.

use std::collections::{BTreeMap, BTreeSet};

use super::Settings;
use crate::{Input, Session};
use aws::{OrFail, policy::Policy};
use engine::{Class, Failure};

pub(super) fn document(call: &str, text: &str) -> Result<Policy, Failure> {
    Policy::from_json(text).map_err(|error| Failure::found(call, Class::Other, error.to_string()))
}

/// Returns a managed policy that only denies, by its default version. One that the caller may not read may protect, so it counts
/// as one that does; where AWS does not answer now, nothing is known, neither that it protects nor that it allows.
async fn only_denies(session: &Session, arn: String) -> Result<Option<String>, Failure> {
    let iam = &session.aws.read.iam;
    let read = async {
        let policy = iam.get_policy().policy_arn(&arn).send().await.or_fail("iam.GetPolicy")?.policy;
        let version = policy.and_then(|policy| policy.default_version_id).unwrap_or_default();
        let call = iam.get_policy_version().policy_arn(&arn).version_id(version);
        let version = call.send().await.or_fail("iam.GetPolicyVersion")?.policy_version;
        document("iam.GetPolicyVersion", &version.and_then(|version| version.document).unwrap_or_default())
    };
    match read.await {
        Ok(policy) => Ok(policy.only_denies().then_some(arn)),
        Err(failure) if matches!(failure.class, Class::Denied | Class::NotFound | Class::Other) => Ok(Some(arn)),
        Err(failure) => Err(failure),
    }
}

/// Returns the names of inline policies; `None` if there is no such role.
pub(super) async fn inline(session: &Session, name: &str) -> Result<Option<Vec<String>>, Failure> {
    let mut pages = session.aws.read.iam.list_role_policies().role_name(name).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = page.or_absent("iam.ListRolePolicies")? else { return Ok(None) };
        names.extend(page.policy_names);
    }
    Ok(Some(names))
}

/// Returns the ARNs of managed policies; `None` if there is no such role.
pub(super) async fn attached(session: &Session, name: &str) -> Result<Option<BTreeSet<String>>, Failure> {
    let mut pages = session.aws.read.iam.list_attached_role_policies().role_name(name).into_paginator().send();
    let mut arns = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let Some(page) = page.or_absent("iam.ListAttachedRolePolicies")? else { return Ok(None) };
        arns.extend(page.attached_policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn));
    }
    Ok(Some(arns))
}

/// Returns an inline policy; `None` if it was deleted since it was listed.
async fn policy(session: &Session, role: &str, name: String) -> Result<Option<(String, Policy)>, Failure> {
    const CALL: &str = "iam.GetRolePolicy";
    let call = session.aws.read.iam.get_role_policy().role_name(role).policy_name(&name);
    let Some(answer) = call.send().await.or_absent(CALL)? else { return Ok(None) };
    Ok(Some((name, document(CALL, &answer.policy_document)?)))
}

/// Brings the policies from what they are to what is desired: first what is given, then what is taken, and of that last what
/// denies, so that nothing is allowed for a moment that was not.
pub(super) async fn write_policies(
    session: &Session,
    name: &str,
    desired: &Settings,
    live: &Settings,
) -> Result<(), Failure> {
    let iam = &session.aws.write.iam;
    for (policy, document) in desired.policies.iter().filter(|(policy, to)| live.policies.get(*policy) != Some(to)) {
        let call = iam.put_role_policy().role_name(name).policy_name(policy).policy_document(document.to_json());
        call.send().await.or_fail("iam.PutRolePolicy")?;
    }
    for arn in desired.attached.difference(&live.attached) {
        let call = iam.attach_role_policy().role_name(name).policy_arn(arn);
        call.send().await.or_fail("iam.AttachRolePolicy")?;
    }
    for is_denying in [false, true] {
        let surplus = live.policies.iter().filter(|(policy, _)| !desired.policies.contains_key(*policy));
        for (policy, _) in surplus.filter(|(_, document)| document.only_denies() == is_denying) {
            let call = iam.delete_role_policy().role_name(name).policy_name(policy);
            call.send().await.or_absent("iam.DeleteRolePolicy")?;
        }
        let surplus = live.attached.difference(&desired.attached);
        for arn in surplus.filter(|arn| live.denying.contains(*arn) == is_denying) {
            let call = iam.detach_role_policy().role_name(name).policy_arn(arn);
            call.send().await.or_absent("iam.DetachRolePolicy")?;
        }
    }
    Ok(())
}

/// Returns the inline policies of a role with their documents.
pub(super) async fn documents(
    session: &Session,
    role: &str,
    names: Vec<String>,
) -> Result<BTreeMap<String, Policy>, Failure> {
    let policies = futures::future::try_join_all(names.into_iter().map(|one| policy(session, role, one))).await?;
    Ok(policies.into_iter().flatten().collect())
}

/// Returns those of some managed policies that only deny, or cannot be read.
pub(super) async fn denying(
    session: &Session,
    attached: &BTreeSet<String>,
) -> Result<Input<BTreeSet<String>>, Failure> {
    let denying = attached.iter().cloned().map(|arn| only_denies(session, arn));
    Ok(Input(futures::future::try_join_all(denying).await?.into_iter().flatten().collect()))
}
