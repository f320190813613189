//! Facts that a stack must remember and cannot store where they belong: tags on the stack's roles.
//!
//! Every role carries each of them, since any role may be removed from the declaration. They are no settings of a role:
//! `own_tags` leaves them out.

use aws_sdk_iam::types::Tag;
use futures::future::try_join_all;

use crate::{Session, iam::role};
use aws::OrFail;
use engine::Tags;
use engine::{Class, Failure};

/// Writes a tag on every role; returns whether there is a role.
pub(crate) async fn keep(session: &Session, key: &str, value: &str) -> Result<bool, Failure> {
    const CALL: &str = "iam.TagRole";
    let roles = role::names(session).await?;
    let tag = Tag::builder().key(key).value(value).build();
    let tag = tag.map_err(|error| Failure::found(CALL, Class::Invalid, error.to_string()))?;
    try_join_all(roles.iter().map(|role| {
        let call = session.aws.write.iam.tag_role().role_name(role).tags(tag.clone());
        async move { call.send().await.or_fail(CALL).map(drop) }
    }))
    .await?;
    Ok(!roles.is_empty())
}

/// Removes a tag from every role.
pub(crate) async fn remove(session: &Session, key: &str) -> Result<(), Failure> {
    let roles = role::names(session).await?;
    let untagged = roles.iter().map(|role| {
        let call = session.aws.write.iam.untag_role().role_name(role).tag_keys(key);
        async move { call.send().await.or_absent("iam.UntagRole").map(drop) }
    });
    try_join_all(untagged).await.map(drop)
}

/// Returns the tags on all roles, by key, facts and others.
pub(crate) async fn all(session: &Session) -> Result<Tags, Failure> {
    let roles = role::tagged(session).await?;
    Ok(roles.into_iter().flat_map(|(_, tags)| tags).collect())
}
