//! Kinds of EC2: networks, and what is in them.
//!
//! AWS chooses the id of each when it is made, and names are not unique: the tags of the stack and of an entry tell which one it is.
//! Settings that name another one do it by a placeholder for its id, so that they are the same before and after it was made. EC2's calls
//! answer before others see what they made: a repeated create returns the resource of the first attempt (see `once`).

pub mod address;
pub mod endpoint;
pub mod internet_gateway;
pub mod nat_gateway;
pub mod network;
mod once;
mod placeholder;
mod resource_type;
pub mod route_table;
pub mod security_group;
pub mod subnet;
pub mod volume;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::{Mutex, OnceCell};

pub use self::placeholder::id_of;
pub(crate) use self::placeholder::{stands_for_id, with_id, with_ids, with_set, without_id, without_ids};
use self::resource_type::{
    ADDRESS, ENDPOINT, INTERNET_GATEWAY, NAT_GATEWAY, NETWORK, ROUTE_TABLE, ResourceType, SECURITY_GROUP, SUBNET,
    VOLUME,
};
pub(crate) use self::{once::make, resource_type::SERVER};
use crate::{Kind, Session, own_tags, surplus_tags};
use aws::query::{Call, Element};
use engine::{Address, Class, ENTRY_TAG, Failure, Owned, Owner, STACK_TAG, Slow, Tags};

/// Usual wait for addresses of a network to be given back after their user is deleted. The engine waits at most twice as long: 45 minutes, which
/// is what Lambda's guide says of functions.
const LEAVING: Slow = Slow { seconds: 1350, why: "what was in it gives its addresses back" };

/// Cache of the stack's resources in EC2, with those that this run has created. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    seen: Arc<Mutex<Seen>>,
    /// Kinds of EC2 that the declaration implies.
    declared: Arc<RwLock<BTreeSet<Kind>>>,
    /// New entry of each renamed one, by kind and old entry: live resources have the old one in their tags until `up` rewrites these.
    moved: Arc<RwLock<BTreeMap<(Kind, String), String>>>,
}

/// Resources of one kind with the stack's tag; empty until they are read.
type Members = Arc<OnceCell<Arc<Vec<Element>>>>;

#[derive(Debug)]
struct Seen {
    /// Resources with the stack's tag, by kind. Each kind is read by itself, so that none waits for another.
    members: BTreeMap<Kind, Members>,
    /// Ids of what this run has created, by kind and name: EC2 may not tell of them for a while.
    created: BTreeMap<(Kind, String), String>,
    /// Time since which a resource may have been made by this run, by kind and name: the answer was lost.
    unanswered: BTreeMap<(Kind, String), Instant>,
    /// Start of this run.
    began: Instant,
    /// Start of this run since 1970, and the number of its deletions: parts of client tokens. EC2 answers a repeated token with the resource
    /// that it created before, even if that is deleted.
    token_parts: (Duration, u32),
}

impl Default for Seen {
    fn default() -> Self {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            members: BTreeMap::new(),
            created: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            began: Instant::now(),
            token_parts: (start, 0),
        }
    }
}

impl Networks {
    /// Records the kinds that the declaration implies. For any other kind `without_id` calls EC2 only if AWS's index of tags lists one of the
    /// stack's.
    pub fn declare(&self, kinds: impl IntoIterator<Item = Kind>) {
        self.declared.write().unwrap_or_else(PoisonError::into_inner).extend(kinds);
    }

    /// Records the new entry of each renamed one, by kind and old entry.
    pub fn note_moved(&self, moved: BTreeMap<(Kind, String), String>) {
        *self.moved.write().unwrap_or_else(PoisonError::into_inner) = moved;
    }

    /// Returns the new entry of a renamed one, and any other entry as it is.
    fn current_entry(&self, kind: Kind, entry: &str) -> String {
        let moved = self.moved.read().unwrap_or_else(PoisonError::into_inner);
        moved.get(&(kind, entry.to_owned())).map_or(entry, String::as_str).to_owned()
    }

    fn is_declared(&self, kind: Kind) -> bool {
        self.declared.read().unwrap_or_else(PoisonError::into_inner).contains(&kind)
    }

    /// Clears the cache before another pass.
    pub async fn forget(&self) {
        self.seen.lock().await.members.clear();
    }

    /// Clears the cache of a kind, after each write of it.
    async fn forget_kind(&self, kind: Kind) {
        self.seen.lock().await.members.remove(&kind);
    }

    /// Returns the id of what this run has created under a name.
    async fn created_id(&self, kind: Kind, name: &str) -> Option<String> {
        self.seen.lock().await.created.get(&(kind, name.to_owned())).cloned()
    }
}

/// Returns everything of a kind that has the stack's tag, as it was read last; the first caller of a pass reads it.
async fn members(session: &Session, resource_type: ResourceType) -> Result<Arc<Vec<Element>>, Failure> {
    // Each kind has a cell of its own, so that kinds are read at the same time. Forgetting removes the cell, so that a read in flight fills one
    // that nobody looks at.
    let members = Arc::clone(session.networks.seen.lock().await.members.entry(resource_type.kind).or_default());
    let read = async {
        let call = resource_type.described(&format!("tag:{STACK_TAG}"), &session.stack.id());
        session.aws.read.ec2.pages(call, resource_type.list).await.map(|list| Arc::new(resource_type.members(list)))
    };
    members.get_or_try_init(|| read).await.cloned()
}

/// Returns everything of a kind that has the stack's tag, as it is now.
async fn members_now(session: &Session, resource_type: ResourceType) -> Result<Arc<Vec<Element>>, Failure> {
    session.networks.forget_kind(resource_type.kind).await;
    members(session, resource_type).await
}

/// Returns the tags of a member, without AWS's own.
pub(crate) fn tags_of(member: &Element) -> Tags {
    own_tags(member.list("tagSet").iter().map(|tag| (tag.text("key"), tag.text("value"))))
}

/// Returns the name that is derived from the entry in a member's tags, or from its new entry; `None` if the member is not the stack's.
fn name_of(session: &Session, kind: Kind, member: &Element) -> Option<String> {
    let tags = tags_of(member);
    let entry = tags.get(ENTRY_TAG).filter(|_| tags.get(STACK_TAG) == Some(&session.stack.id()))?;
    let entry = session.networks.current_entry(kind, entry);
    Some(kind.identity().name_of(&session.stack, &session.aws.realm.account, &entry))
}

/// Finds a resource among the stack's by its id, or by the name that is derived from the entry in its tags. Two with the tags of one entry are an
/// error.
pub(crate) fn find_among(
    session: &Session,
    resource_type: ResourceType,
    members: &[Element],
    name: &str,
) -> Result<Option<Element>, Failure> {
    if let Some(member) = members.iter().find(|member| member.text(resource_type.id) == name) {
        return Ok(Some(member.clone()));
    }
    let mut named =
        members.iter().filter(|member| name_of(session, resource_type.kind, member).as_deref() == Some(name));
    match (named.next(), named.next()) {
        (Some(one), Some(other)) => {
            let words = format!(
                "`{}` and `{}` have the tags of one entry; take `{STACK_TAG}` and `{ENTRY_TAG}` from the one that is not it",
                one.text(resource_type.id),
                other.text(resource_type.id)
            );
            Err(Failure::found(&resource_type.call(), Class::Other, words))
        }
        (found, _) => Ok(found.cloned()),
    }
}

/// Finds a resource by its id, be it the stack's or not, or by the name that is derived from the entry in its tags.
async fn find(session: &Session, resource_type: ResourceType, name: &str) -> Result<Option<Element>, Failure> {
    // One that this run has replaced is the new one, whose id nobody knew before.
    let made = session.networks.created_id(resource_type.kind, name).await;
    let name = made.as_deref().unwrap_or(name);
    let found = find_among(session, resource_type, &members(session, resource_type).await?, name)?;
    if found.is_some() || !name.starts_with(resource_type.prefix) {
        return Ok(found);
    }
    // It is somebody's, or has lost its tags.
    let call = resource_type.described(resource_type.filter, name);
    let found = resource_type.members(session.aws.read.ec2.pages(call, resource_type.list).await?);
    Ok(found.into_iter().find(|member| member.text(resource_type.id) == name))
}

/// Finds a resource as [`find`] does, without the cache.
pub(crate) async fn find_now(
    session: &Session,
    resource_type: ResourceType,
    name: &str,
) -> Result<Option<Element>, Failure> {
    session.networks.forget_kind(resource_type.kind).await;
    find(session, resource_type, name).await
}

/// Reads a resource with its owner. The call that creates one tags it, so that one without tags is somebody's.
pub(crate) async fn read(
    session: &Session,
    resource_type: ResourceType,
    address: &Address,
) -> Result<Option<(Element, Owner)>, Failure> {
    let found = find(session, resource_type, &address.name).await?;
    Ok(found.map(|member| {
        let owner = Owner::of(&tags_of(&member), &session.stack, true);
        (member, owner)
    }))
}

/// Returns the id of a resource that is there; `None` if it is not.
async fn id(session: &Session, resource_type: ResourceType, address: &Address) -> Result<Option<String>, Failure> {
    Ok(find_now(session, resource_type, &address.name).await?.map(|member| member.text(resource_type.id).to_owned()))
}

/// Returns the id of a resource that is to be changed.
async fn id_there(session: &Session, resource_type: ResourceType, address: &Address) -> Result<String, Failure> {
    id(session, resource_type, address).await?.ok_or_else(|| resource_type.gone(&address.name))
}

/// Turns `NotFound` into `NotYet`, which is retried: EC2 does not know everywhere at once what was created just now.
fn not_yet(failure: Failure) -> Failure {
    let class = if failure.class == Class::NotFound { Class::NotYet } else { failure.class };
    Failure { class, ..failure }
}

/// Makes a call that changes something, and clears the cache of the kind that it changes.
pub(crate) async fn write(session: &Session, kind: Kind, call: Call) -> Result<(), Failure> {
    let result = session.aws.write.ec2.call(&call).await.map(drop).map_err(not_yet);
    session.networks.forget_kind(kind).await;
    result
}

/// Makes a call that takes something away, and clears the cache of that kind; it succeeds if that is gone.
async fn take_away(session: &Session, kind: Kind, call: Call) -> Result<(), Failure> {
    let result = match session.aws.write.ec2.call(&call).await {
        Err(failure) if failure.class == Class::NotFound => Ok(()),
        result => result.map(drop),
    };
    session.networks.forget_kind(kind).await;
    result
}

/// Deletes a resource, and forgets that this run has made it.
pub(crate) async fn delete(
    session: &Session,
    resource_type: ResourceType,
    address: &Address,
    call: Call,
) -> Result<(), Failure> {
    take_away(session, resource_type.kind, call).await?;
    record_deletion(session, resource_type, address).await;
    Ok(())
}

/// Removes a deleted resource from the cache, and changes the client tokens that follow.
async fn record_deletion(session: &Session, resource_type: ResourceType, address: &Address) {
    let mut seen = session.networks.seen.lock().await;
    seen.members.remove(&resource_type.kind);
    seen.created.remove(&(resource_type.kind, address.name.clone()));
    seen.token_parts.1 += 1;
}

/// Writes the tags of a resource that differ.
pub(crate) async fn write_tags(
    session: &Session,
    kind: Kind,
    id: &str,
    desired: &Tags,
    live: &Tags,
) -> Result<(), Failure> {
    let surplus = surplus_tags(desired, live);
    if !surplus.is_empty() {
        let keys = surplus.iter().zip(1..);
        let call = Call::new("DeleteTags").with("ResourceId.1", id);
        write(session, kind, keys.fold(call, |call, (key, number)| call.with(&format!("Tag.{number}.Key"), key)))
            .await?;
    }
    let changed = desired.iter().filter(|(key, value)| live.get(*key) != Some(value));
    let call = Call::new("CreateTags").with("ResourceId.1", id);
    let call = changed.zip(1..).fold(call, |call, ((key, value), number)| {
        call.with(&format!("Tag.{number}.Key"), key).with(&format!("Tag.{number}.Value"), value)
    });
    if call.parameters().count() < 2 {
        return Ok(());
    }
    write(session, kind, call).await
}

/// Lists this stack's resources of a kind. Most stacks have none: EC2 is asked only if AWS's index of tags lists one, or if this pass has read the
/// kind already, as it does for whatever is declared.
pub(crate) async fn list_owned(session: &Session, resource_type: ResourceType) -> Result<Vec<Owned>, Failure> {
    let is_read = session.networks.seen.lock().await.members.contains_key(&resource_type.kind);
    if !is_read && session.indexed(resource_type.kind)?.is_empty() {
        return Ok(Vec::new());
    }
    let members = members(session, resource_type).await?;
    let owned =
        members.iter().map(|one| session.owned(resource_type.kind, one.text(resource_type.id), Ok(Some(tags_of(one)))));
    Ok(owned.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Returns the failure for a setting that cannot be changed: everything in a network would have to go first.
fn unchangeable(resource_type: ResourceType, name: &str, what: &str) -> Failure {
    let words = format!(
        "AWS cannot change {what} of the {} `{name}`; declare another one, move what is in it, and remove this one",
        resource_type.kind.name()
    );
    Failure::found(&resource_type.call(), Class::Invalid, words)
}

#[cfg(test)]
mod tests {
    use super::{resource_type::RESOURCE_TYPES, *};

    #[test]
    fn every_kind_has_one_resource_type_and_ids_of_its_own() {
        for (one, resource_type) in RESOURCE_TYPES.iter().enumerate() {
            let others = RESOURCE_TYPES.iter().enumerate().filter(|(other, _)| *other != one).map(|(_, other)| other);
            for other in others {
                assert_ne!(resource_type.kind, other.kind);
                assert!(
                    !other.prefix.starts_with(resource_type.prefix)
                        && !other.kind.name().starts_with(resource_type.kind.name())
                );
            }
        }
    }

    #[test]
    fn what_aws_cannot_change_is_refused_with_what_to_do() {
        for resource_type in RESOURCE_TYPES {
            let failure = unchangeable(resource_type, "circuits-main", "the range");
            assert_eq!(failure.class, Class::Invalid);
            assert!(
                failure.message.contains(resource_type.kind.name()) && failure.message.contains("declare another one")
            );
        }
    }

    #[test]
    fn what_is_not_known_everywhere_yet_is_tried_again() {
        let failure = Failure::found("ec2.CreateSubnet", Class::NotFound, "no such network");
        assert_eq!(not_yet(failure).class, Class::NotYet);
        let failure = Failure::found("ec2.CreateSubnet", Class::Denied, "no");
        assert_eq!(not_yet(failure).class, Class::Denied);
    }
}
