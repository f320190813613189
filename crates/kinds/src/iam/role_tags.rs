//! What a stack must remember and cannot mark where it is: notes, kept as tags on the stack's roles.
//!
//! Every role carries each note, since any of them may be removed from the declaration. Notes are no settings of a role:
//! `own_tags` leaves them out.

use aws_sdk_iam::types::Tag;
use futures::future::try_join_all;

use crate::{Session, iam::role};
use aws::OrFail;
use engine::Tags;
use engine::{Class, Failure};

/// Writes a note on every role; says whether there is one.
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

/// Takes a note from every role.
pub(crate) async fn remove(session: &Session, key: &str) -> Result<(), Failure> {
    let roles = role::names(session).await?;
    let untagged = roles.iter().map(|role| {
        let call = session.aws.write.iam.untag_role().role_name(role).tag_keys(key);
        async move { call.send().await.or_absent("iam.UntagRole").map(drop) }
    });
    try_join_all(untagged).await.map(drop)
}

/// The notes on all roles, by key, and whatever other tags they have.
pub(crate) async fn all(session: &Session) -> Result<Tags, Failure> {
    let roles = role::tagged(session).await?;
    Ok(roles.into_iter().flat_map(|(_, tags)| tags).collect())
}
