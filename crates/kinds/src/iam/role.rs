//! IAM roles, with their policies.
//!
//! A role is in the stack's own path, so that one call finds all roles of a stack. Its policies are managed completely:
//! one that somebody added would grant permissions that nobody declared.

use crate::identity::Identity;
use aws::ArnForm;
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{Role as LiveRole, Tag};
use serde::Serialize;

use crate::{
    Kind, Manage, Session,
    number::{natural, wire},
    own_tags,
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags,
};
use aws::{OrFail, policy::Policy};
use engine::{Address, Field, Live, Owned, Owner, Stack, Tags, immutable, plain};
use engine::{Class, Failure};

/// IAM roles.
#[derive(Debug)]
pub struct Role;

/// The settings of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Path: `/provision/STACK/`.
    pub path: String,
    /// Trust policy (`AssumeRolePolicyDocument`): who may assume the role.
    pub trust: Policy,
    /// Inline policies, by name; managed completely.
    pub policies: BTreeMap<String, Policy>,
    /// ARNs of the attached managed policies; managed completely.
    pub attached: BTreeSet<String>,
    /// Description of the resource, for people.
    pub description: String,
    /// Maximum duration of a session, in seconds (`MaxSessionDuration`).
    pub max_session: u32,
    /// ARN of the permissions boundary; `None` for none.
    pub permissions_boundary: Option<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// Default of AWS for the duration of a session, in seconds.
const MAX_SESSION: u32 = 3_600;

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            trust: Policy::default(),
            policies: BTreeMap::new(),
            attached: BTreeSet::new(),
            description: String::new(),
            max_session: MAX_SESSION,
            permissions_boundary: None,
            tags: Tags::new(),
        }
    }
}

impl Settings {
    /// Returns the settings of an answer, without the policies, which are read one by one.
    fn of(role: LiveRole) -> Result<Self, Failure> {
        let tags = own_tags(role.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
        Ok(Self {
            path: role.path,
            trust: document("iam.GetRole", role.assume_role_policy_document.as_deref().unwrap_or("{}"))?,
            policies: BTreeMap::new(),
            attached: BTreeSet::new(),
            description: role.description.unwrap_or_default(),
            max_session: role.max_session_duration.map_or(MAX_SESSION, natural),
            permissions_boundary: role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn),
            tags,
        })
    }
}

/// Returns the path of a stack's roles.
pub fn path(stack: &Stack) -> String {
    format!("/provision/{}/", stack.id)
}

/// Returns the names of the stack's roles.
pub(super) async fn names(session: &Session) -> Result<Vec<String>, Failure> {
    let mut pages = session.aws.read.iam.list_roles().path_prefix(path(&session.stack)).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        names.extend(page.or_fail("iam.ListRoles")?.roles.into_iter().map(|role| role.role_name));
    }
    Ok(names)
}

/// Returns the stack's roles with all their tags, which the list leaves out.
pub(super) async fn tagged(session: &Session) -> Result<Vec<(String, Tags)>, Failure> {
    let roles = names(session).await?.into_iter().map(|name| async move {
        let answer = session.aws.read.iam.list_role_tags().role_name(&name).send().await;
        let tags = answer.or_absent("iam.ListRoleTags")?.map(|answer| answer.tags).unwrap_or_default();
        Ok((name, tags.into_iter().map(|tag| (tag.key, tag.value)).collect()))
    });
    futures::future::try_join_all(roles).await
}

fn document(call: &str, text: &str) -> Result<Policy, Failure> {
    Policy::from_json(text).map_err(|error| Failure::found(call, Class::Other, error.to_string()))
}

/// Returns the owner. A role in our path is ours whatever its tags say, unless they name another stack.
fn owner(settings: &Settings, stack: &Stack) -> Owner {
    let holds = !settings.policies.is_empty() || !settings.attached.is_empty();
    match Owner::of(&settings.tags, stack, holds) {
        Owner::Other(_) if settings.path == path(stack) && !settings.tags.contains_key(engine::STACK_TAG) => {
            Owner::Ours
        }
        owner => owner,
    }
}

/// Returns the names of inline policies; `None` if there is no such role.
async fn inline(session: &Session, name: &str) -> Result<Option<Vec<String>>, Failure> {
    let mut pages = session.aws.read.iam.list_role_policies().role_name(name).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = page.or_absent("iam.ListRolePolicies")? else { return Ok(None) };
        names.extend(page.policy_names);
    }
    Ok(Some(names))
}

/// Returns the ARNs of managed policies; `None` if there is no such role.
async fn attached(session: &Session, name: &str) -> Result<Option<BTreeSet<String>>, Failure> {
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

fn tags(call: &str, tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(|error| Failure::found(call, Class::Invalid, error.to_string()))
}

/// Brings the policies from the live to the desired state: first additions, then removals.
async fn write_policies(session: &Session, name: &str, desired: &Settings, live: &Settings) -> Result<(), Failure> {
    let iam = &session.aws.write.iam;
    for (policy, document) in desired.policies.iter().filter(|(policy, to)| live.policies.get(*policy) != Some(to)) {
        let call = iam.put_role_policy().role_name(name).policy_name(policy).policy_document(document.to_json());
        call.send().await.or_fail("iam.PutRolePolicy")?;
    }
    for arn in desired.attached.difference(&live.attached) {
        let call = iam.attach_role_policy().role_name(name).policy_arn(arn);
        call.send().await.or_fail("iam.AttachRolePolicy")?;
    }
    for policy in live.policies.keys().filter(|policy| !desired.policies.contains_key(*policy)) {
        let call = iam.delete_role_policy().role_name(name).policy_name(policy);
        call.send().await.or_absent("iam.DeleteRolePolicy")?;
    }
    for arn in live.attached.difference(&desired.attached) {
        let call = iam.detach_role_policy().role_name(name).policy_arn(arn);
        call.send().await.or_absent("iam.DetachRolePolicy")?;
    }
    Ok(())
}

async fn write_boundary(session: &Session, name: &str, desired: Option<&str>) -> Result<(), Failure> {
    let iam = &session.aws.write.iam;
    if let Some(arn) = desired {
        let call = iam.put_role_permissions_boundary().role_name(name).permissions_boundary(arn);
        return call.send().await.or_fail("iam.PutRolePermissionsBoundary").map(drop);
    }
    let call = iam.delete_role_permissions_boundary().role_name(name);
    call.send().await.or_absent("iam.DeleteRolePermissionsBoundary").map(drop)
}

async fn write_tags(session: &Session, name: &str, desired: &Tags, live: &Tags) -> Result<(), Failure> {
    const CALL: &str = "iam.TagRole";
    let iam = &session.aws.write.iam;
    let surplus = surplus_tags(desired, live);
    if !surplus.is_empty() {
        let call = iam.untag_role().role_name(name).set_tag_keys(Some(surplus));
        call.send().await.or_fail("iam.UntagRole")?;
    }
    if desired.iter().any(|(key, value)| live.get(key) != Some(value)) {
        let call = iam.tag_role().role_name(name).set_tags(Some(tags(CALL, desired)?));
        call.send().await.or_fail(CALL)?;
    }
    Ok(())
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("iam::{account}:role/provision/{stack}/{name}")),
    ..Identity::implied("role", "Roles", 64)
};

impl Manage for Role {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        immutable("path", "IAM cannot move a role to another path"),
        plain("trust.*"),
        plain("policies.*"),
        plain("attached"),
        plain("description"),
        plain("max_session"),
        plain("permissions_boundary"),
        plain("tags.*"),
    ];

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(
            Target::Own(Kind::Role),
            &[
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:ListRoleTags",
            ],
        ),
        reads(Target::Everything, &["iam:ListRoles"]),
        reads(
            Target::WithoutPath(Kind::Role),
            &["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"],
        ),
        // Our roles have no managed policy and no boundary: those of others are removed, and none is added.
        writes(
            Target::Own(Kind::Role),
            &[
                "iam:CreateRole",
                "iam:DeleteRolePermissionsBoundary",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:PutRolePolicy",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
        ),
        deletes(Target::Own(Kind::Role), &["iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{policy, tags, text, texts};
        Settings {
            path: text(),
            trust: policy(),
            policies: BTreeMap::from([(text(), policy())]),
            attached: texts(),
            description: text(),
            max_session: 3_600,
            permissions_boundary: Some(text()),
            tags: tags(),
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let name = &address.name;
        let role = async { session.aws.read.iam.get_role().role_name(name).send().await.or_absent("iam.GetRole") };
        let (role, inline, attached) = tokio::try_join!(role, inline(session, name), attached(session, name))?;
        // All are absent if the role was deleted while it was read.
        let (Some(role), Some(inline), Some(attached)) = (role.and_then(|answer| answer.role), inline, attached) else {
            return Ok(None);
        };
        let policies = futures::future::try_join_all(inline.into_iter().map(|one| policy(session, name, one))).await?;
        let settings = Settings { policies: policies.into_iter().flatten().collect(), attached, ..Settings::of(role)? };
        let owner = owner(&settings, &session.stack);
        Ok(Some(Live { settings, owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        const CALL: &str = "iam.CreateRole";
        let call = session.aws.write.iam.create_role().role_name(&address.name).path(&desired.path);
        let call = call.assume_role_policy_document(desired.trust.to_json()).description(&desired.description);
        let call = call.max_session_duration(wire(desired.max_session)).set_tags(Some(tags(CALL, &desired.tags)?));
        let call = call.set_permissions_boundary(desired.permissions_boundary.clone());
        call.send().await.or_fail(CALL)?;
        write_policies(session, &address.name, desired, &Settings::default()).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let (name, iam) = (&address.name, &session.aws.write.iam);
        // Before any permission is granted: the boundary, and the trust policy.
        if desired.permissions_boundary != live.permissions_boundary {
            write_boundary(session, name, desired.permissions_boundary.as_deref()).await?;
        }
        if desired.trust != live.trust {
            let call = iam.update_assume_role_policy().role_name(name).policy_document(desired.trust.to_json());
            call.send().await.or_fail("iam.UpdateAssumeRolePolicy")?;
        }
        // `UpdateRole` ignores an empty description, and keeps the old one.
        if desired.description != live.description {
            let call = iam.update_role_description().role_name(name).description(&desired.description);
            call.send().await.or_fail("iam.UpdateRoleDescription")?;
        }
        if desired.max_session != live.max_session {
            let call = iam.update_role().role_name(name).description(&desired.description);
            let call = call.max_session_duration(wire(desired.max_session));
            call.send().await.or_fail("iam.UpdateRole")?;
        }
        write_policies(session, name, desired, live).await?;
        write_tags(session, name, &desired.tags, &live.tags).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let name = &address.name;
        let (inline, attached) = tokio::try_join!(inline(session, name), attached(session, name))?;
        // IAM deletes a role without policies only.
        let policies = inline.unwrap_or_default().into_iter().map(|name| (name, Policy::default())).collect();
        let live = Settings { policies, attached: attached.unwrap_or_default(), ..Settings::default() };
        write_policies(session, name, &Settings::default(), &live).await?;
        session.aws.write.iam.delete_role().role_name(name).send().await.or_absent("iam.DeleteRole").map(drop)
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let owned = tagged(session).await?.into_iter().map(|(name, mut tags)| Owned {
            entry: tags.remove(engine::ENTRY_TAG).unwrap_or_else(|| name.clone()),
            address: Address::of(name),
        });
        Ok(owned.collect())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::{
        primitives::DateTime,
        types::{AttachedPermissionsBoundary, builders::RoleBuilder},
    };

    use super::*;
    use aws::policy::Statement;

    const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Sid%22%3A%22lambda%22%2C%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";

    fn recorded() -> RoleBuilder {
        // IAM's answer for a role that was created with a trust policy alone.
        LiveRole::builder()
            .path("/provision/mail/")
            .role_name("mail-maintenance")
            .role_id("AROAEXAMPLE")
            .arn("arn:aws:iam::123456789012:role/provision/mail/mail-maintenance")
            .create_date(DateTime::from_secs(1_730_000_000))
            .assume_role_policy_document(TRUST)
            .max_session_duration(3600)
    }

    fn desired() -> Settings {
        let statement = Statement::allow(&["sts:AssumeRole"], []).for_service("lambda.amazonaws.com");
        let trust = Policy::new([("lambda".to_owned(), statement)]);
        Settings { path: "/provision/mail/".to_owned(), trust, ..Settings::default() }
    }

    fn settings(role: RoleBuilder) -> Settings {
        Settings::of(role.build().unwrap()).unwrap()
    }

    #[test]
    fn defaults_of_aws_are_the_defaults() {
        let memory = Tag::builder().key(crate::PREVIOUS_RULE_SET_TAG).value("office").build().unwrap();
        let system = Tag::builder().key("aws:cloudformation:stack-id").value("a").build().unwrap();
        assert_eq!(settings(recorded().tags(memory).tags(system)), desired());
    }

    #[test]
    fn one_real_change_is_seen() {
        let boundary =
            AttachedPermissionsBoundary::builder().permissions_boundary_arn("arn:aws:iam::aws:policy/A").build();
        for changed in [
            recorded().description("by hand"),
            recorded().max_session_duration(7200),
            recorded().path("/"),
            recorded().permissions_boundary(boundary),
            recorded().assume_role_policy_document(TRUST.replace("lambda.", "ec2.")),
            recorded().tags(Tag::builder().key("a").value("b").build().unwrap()),
        ] {
            assert_ne!(settings(changed), desired());
        }
    }

    #[test]
    fn a_role_in_our_path_is_ours_even_without_its_tag() {
        let stack = Stack { id: "mail".to_owned() };
        let with = |path: &str, tags: &[(&str, &str)]| Settings {
            path: path.to_owned(),
            tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            ..desired()
        };
        assert_eq!(owner(&with("/provision/mail/", &[("a", "b")]), &stack), Owner::Ours);
        assert!(matches!(owner(&with("/", &[("a", "b")]), &stack), Owner::Other(_)));
        assert!(matches!(owner(&with("/provision/mail/", &[("provision:stack", "echo")]), &stack), Owner::Other(_)));
    }
}
