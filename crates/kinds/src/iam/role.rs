//! IAM roles, with their policies.
//!
//! A role stands in the stack's own path, so that all of a stack's are found by one call. No path is the beginning of another stack's,
//! and names have the region at their end: they are unique in the account, whatever the path. One of its policies that somebody
//! added gives rights that nobody declared, and goes; one that only denies protects, and stays, as an undeclared permissions
//! boundary does.

mod policies;
#[cfg(test)]
mod tests;

use self::policies::{attached, denying, document, documents, inline, write_policies};
use crate::identity::{Identity, Naming};
use aws::ArnForm;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use aws_sdk_iam::types::{Role as LiveRole, Tag};
use serde::Serialize;

use crate::{
    Input, Kind, Manage, Session,
    lambda::interfaces,
    number::{natural, wire},
    own_tags,
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags,
};
use aws::{Clients, OrFail, policy::Policy};
use engine::{Address, Field, Holds, Live, Owned, Owner, Protection, Stack, Tags, immutable, plain};
use engine::{Class, Failure};

/// The kind of IAM's roles.
#[derive(Debug)]
pub struct Role;

/// The settings of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Path of the stack: `/provision/STACK.STAGE.REGION/`.
    pub path: String,
    /// Trust policy (`AssumeRolePolicyDocument`): who may assume the role.
    pub trust: Policy,
    /// Inline policies by name. Only the stack's own, beside others that only deny.
    pub policies: BTreeMap<String, Policy>,
    /// The ARNs of managed policies that it has. Ours alone, but for those that only deny.
    pub attached: BTreeSet<String>,
    /// Names of policies of both sorts that only deny, or cannot be read and may do so. Nobody compares them.
    #[serde(skip)]
    pub denying: Input<BTreeSet<String>>,
    /// Time of its creation (`CreateDate`): Lambda may assume it some seconds later. Nobody compares it.
    #[serde(skip)]
    pub created: Input<Option<SystemTime>>,
    /// Description of the role, for people.
    pub description: String,
    /// Maximum duration of a session, in seconds (`MaxSessionDuration`).
    pub max_session: u32,
    /// The ARN of the policy that limits all others; `None` leaves the one that is there.
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
            denying: Input::default(),
            created: Input::default(),
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
            denying: Input::default(),
            created: Input(SystemTime::try_from(role.create_date).ok()),
            description: role.description.unwrap_or_default(),
            max_session: role.max_session_duration.map_or(MAX_SESSION, natural),
            permissions_boundary: role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn),
            tags,
        })
    }
}

/// Returns the path of a stack's roles.
pub fn path(stack: &Stack) -> String {
    format!("/provision/{}/", stack.id())
}

/// Returns the names of all roles in a stack's path.
pub async fn in_path(clients: &Clients, stack: &Stack) -> Result<Vec<String>, Failure> {
    let mut pages = clients.iam.list_roles().path_prefix(path(stack)).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        names.extend(page.or_fail("iam.ListRoles")?.roles.into_iter().map(|role| role.role_name));
    }
    Ok(names)
}

/// Returns the roles in the stack's path with all their tags, which the list leaves out.
async fn tagged(session: &Session) -> Result<Vec<(String, Tags)>, Failure> {
    let roles = in_path(&session.aws.read, &session.stack).await?.into_iter().map(|name| async move {
        let tags = tags_of(session, &name).await?;
        Ok((name, tags))
    });
    futures::future::try_join_all(roles).await
}

/// Returns all tags of a role; none if there is no such role.
async fn tags_of(session: &Session, name: &str) -> Result<Tags, Failure> {
    let answer = session.aws.read.iam.list_role_tags().role_name(name).send().await.or_absent("iam.ListRoleTags")?;
    let tags = answer.map(|answer| answer.tags).unwrap_or_default();
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

fn tags(call: &str, tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(|error| Failure::found(call, Class::Invalid, error.to_string()))
}

/// Writes the declared boundary. There is no call that removes one: where none is declared, the one that is there stays.
async fn write_boundary(session: &Session, name: &str, desired: &str) -> Result<(), Failure> {
    let call = session.aws.write.iam.put_role_permissions_boundary().role_name(name).permissions_boundary(desired);
    call.send().await.or_fail("iam.PutRolePermissionsBoundary").map(drop)
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
    naming: Naming::Regional,
    ..Identity::implied("role", "Roles", 64)
};

/// Name of a role's one policy.
pub const POLICY: &str = "provision";
/// Id of the statement that lets Lambda assume a role.
pub const TRUST: &str = "Lambda";
/// Id of the statement that lets servers assume a role.
pub const TRUST_OF_SERVERS: &str = "Servers";

impl Manage for Role {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        immutable("path", "IAM cannot move a role to another path"),
        plain("trust.*").shared(&[TRUST, TRUST_OF_SERVERS]),
        plain("policies.*").shared(&[POLICY]),
        // We attach none.
        plain("attached").shared(&[]),
        plain("description"),
        plain("max_session"),
        plain("permissions_boundary"),
        plain("tags.*"),
    ];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(
            Target::Own(Kind::Role),
            // All that is told of a role: each of these actions by its name would not fit into a managed policy.
            &["iam:GetRole*", "iam:ListAttachedRolePolicies", "iam:ListRole*"],
        ),
        reads(Target::Everything, &["iam:ListRoles"]),
        reads(
            Target::WithoutPath(Kind::Role),
            &["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"],
        ),
        // Managed policies of others are looked into, wherever they are: one that only denies stays.
        reads(Target::Everything, &["iam:GetPolicy*"]),
        writes(
            Target::Own(Kind::Role),
            &[
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
        ),
        // What gives rights is allowed below the declared boundary alone. Nothing removes a boundary, and no managed policy
        // is ever attached.
        writes(Target::Bounded(Kind::Role), &["iam:CreateRole", "iam:PutRolePolicy"]),
        writes(Target::Boundary(Kind::Role), &["iam:PutRolePermissionsBoundary"]),
        deletes(Target::Own(Kind::Role), &["iam:DeleteRole"]),
        deletes(Target::Bounded(Kind::Role), &["iam:DeleteRolePolicy", "iam:DetachRolePolicy"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{policy, tags, text, texts};
        Settings {
            path: text(),
            trust: policy(),
            policies: BTreeMap::from([(text(), policy())]),
            attached: texts(),
            denying: Input(texts()),
            created: Input(None),
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
        let (policies, denying) = tokio::try_join!(documents(session, name, inline), denying(session, &attached))?;
        let settings = Settings { policies, attached, denying, ..Settings::of(role)? };
        let holds = !settings.policies.is_empty() || !settings.attached.is_empty();
        let owner = Owner::of(&settings.tags, &session.stack, holds);
        Ok(Some(Live { settings, owner }))
    }

    /// Keeps the earlier rights of our own policies. One that somebody added is none of them.
    fn interim(desired: &Settings, live: &Settings) -> Settings {
        let policies = desired.policies.iter().map(|(name, policy)| {
            let earlier = live.policies.get(name);
            (name.clone(), earlier.map_or_else(|| policy.clone(), |earlier| policy.widened(earlier)))
        });
        Settings { policies: policies.collect(), ..desired.clone() }
    }

    fn created_at(live: &Settings) -> Option<SystemTime> {
        *live.created
    }

    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        let mut kept = Vec::new();
        if desired.permissions_boundary.is_none()
            && let Some(boundary) = &live.permissions_boundary
        {
            kept.push(Protection::new("permissions_boundary", boundary, "a permissions boundary limits the role"));
            desired.permissions_boundary = Some(boundary.clone());
        }
        let added = live.policies.iter().filter(|(name, _)| !desired.policies.contains_key(*name));
        let added: Vec<_> = added.filter(|(_, policy)| policy.only_denies()).collect();
        for (name, policy) in added {
            kept.push(Protection::new(format!("policies.{name}"), name, "the policy only denies"));
            desired.policies.insert(name.clone(), policy.clone());
        }
        for arn in live.attached.intersection(&live.denying) {
            if desired.attached.insert(arn.clone()) {
                kept.push(Protection::new("attached", arn, "the policy only denies, or could not be read"));
            }
        }
        let denials = desired.trust.keep_denials(&live.trust);
        kept.extend(denials.into_iter().map(|id| Protection::new(format!("trust.{id}"), id, crate::DENIES)));
        kept
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
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
        // Before any right is given: the limit, and who may use it.
        if let Some(boundary) = desired.permissions_boundary.as_deref()
            && desired.permissions_boundary != live.permissions_boundary
        {
            write_boundary(session, name, boundary).await?;
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
        if interfaces::are_deleted_by(live.policies.values()) && !interfaces::are_deleted_by(desired.policies.values())
        {
            interfaces::ensure_gone(session, &desired.tags).await?;
        }
        write_policies(session, name, desired, live).await?;
        write_tags(session, name, &desired.tags, &live.tags).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let name = &address.name;
        let (inline, attached) = tokio::try_join!(inline(session, name), attached(session, name))?;
        let (inline, attached) = (inline.unwrap_or_default(), attached.unwrap_or_default());
        let (policies, denying) = tokio::try_join!(documents(session, name, inline), denying(session, &attached))?;
        if interfaces::are_deleted_by(policies.values()) {
            interfaces::ensure_gone(session, &tags_of(session, name).await?).await?;
        }
        // IAM deletes only a role without policies.
        let live = Settings { policies, attached, denying, ..Settings::default() };
        write_policies(session, name, &Settings::default(), &live).await?;
        session.aws.write.iam.delete_role().role_name(name).send().await.or_absent("iam.DeleteRole").map(drop)
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let is_given = |name: &str| IDENTITY.is_given_by(&session.stack, name);
        let roles = tagged(session).await?.into_iter();
        let owned = roles.filter_map(|(name, tags)| session.stack.owned(&name, &tags, is_given(&name)));
        Ok(owned.collect())
    }
}
