//! Facts that a stack must remember and that no service tells: tags on a log group of its own, into which nobody writes.
//!
//! Every stack with receipt rules has this group, whatever else it has: it is declared with the rules, created before what is noted
//! on it, and deleted after that. Facts on a function's role would be lost with the function, and on a bucket there may be none. A
//! fact is no setting of the group: `own_tags` leaves them out.

use crate::{Session, logs::log_group};
use aws::OrFail;
use engine::{Failure, STACK_TAG, Tags};

/// Entry that the group is created for. No entry of a declaration has a dot.
pub const ENTRY: &str = log_group::NOTES;

/// Returns the name of the stack's group.
fn name(session: &Session) -> String {
    log_group::IDENTITY.name_of(&session.stack, &session.aws.realm.account, ENTRY)
}

/// Writes a fact. It is an error if the group does not exist.
pub(crate) async fn keep(session: &Session, key: &str, value: &str) -> Result<(), Failure> {
    let call = session.aws.write.logs.tag_resource().resource_arn(log_group::arn(session, &name(session)));
    call.tags(key, value).send().await.or_fail("logs.TagResource").map(drop)
}

/// Removes a fact; does nothing if the group is not there.
pub(crate) async fn remove(session: &Session, key: &str) -> Result<(), Failure> {
    let call = session.aws.write.logs.untag_resource().resource_arn(log_group::arn(session, &name(session)));
    call.tag_keys(key).send().await.or_absent("logs.UntagResource").map(drop)
}

/// Returns all tags of the stack's group, facts and others; none if a group of that name is not this stack's.
pub(crate) async fn all(session: &Session) -> Result<Tags, Failure> {
    let tags = log_group::all_tags(session, &name(session)).await?.unwrap_or_default();
    Ok(if tags.get(STACK_TAG) == Some(&session.stack.id()) { tags } else { Tags::new() })
}
