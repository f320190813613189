//! Common parts of databases and caches: RDS and `ElastiCache` have the same calls for tags, do not see at once what was created a moment ago, and
//! take many minutes for a change.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{own_tags, surplus_tags};
use aws::{
    Detail,
    query::{Call, Client, Element},
};
use engine::{Class, Failure, Tags};

/// Separator between the name of a database or cache and the time of its last snapshot.
pub const LAST_SNAPSHOT: &str = "-final-";

/// Returns `true` if a declared version of an engine, such as `8.2`, covers a live one, such as `8.2.0`.
pub(crate) fn covers_version(declared: &str, live: &str) -> bool {
    live == declared || live.strip_prefix(declared).is_some_and(|rest| rest.starts_with('.'))
}

/// Returns the name of a last snapshot. It contains the time in seconds, since an earlier snapshot of the same resource may exist.
pub(crate) fn last_snapshot(name: &str, now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{name}{LAST_SNAPSHOT}{seconds}")
}

/// Changes of this run to the resources of one kind. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Changing {
    names: Arc<Mutex<Names>>,
}

/// Names of resources, by what this run does with them.
#[derive(Debug, Default)]
struct Names {
    /// Resources that AWS is changing.
    changed: BTreeSet<String>,
    /// Resources that AWS is deleting or has deleted.
    deleted: BTreeSet<String>,
    /// Resources of which a person was told that no last snapshot can be taken.
    without_snapshot: BTreeSet<String>,
}

impl Changing {
    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that AWS has begun to change a resource.
    pub(crate) fn begin(&self, name: &str) {
        self.names().changed.insert(name.to_owned());
    }

    /// Returns `true` while AWS is still making this run's change of a resource. `is_settled` is `true` if the resource shows no pending change.
    pub(crate) fn goes_on(&self, name: &str, is_settled: bool) -> bool {
        let mut names = self.names();
        if is_settled {
            names.changed.remove(name);
        }
        names.changed.contains(name)
    }

    /// Records that AWS has begun to delete a resource.
    pub(crate) fn end(&self, name: &str) {
        self.names().deleted.insert(name.to_owned());
    }

    /// Returns `true` if this run deletes a resource. Once it is gone it has no tags, so that IAM denies to describe it to a caller whose right
    /// is bound to them.
    pub(crate) fn ends(&self, name: &str) -> bool {
        self.names().deleted.contains(name)
    }

    /// Records what the person who is asked for consent to a deletion was told: that a last snapshot will be taken, or that none can be.
    pub(crate) fn tell(&self, name: &str, has_snapshot: bool) {
        let mut names = self.names();
        if has_snapshot {
            names.without_snapshot.remove(name);
        } else {
            names.without_snapshot.insert(name.to_owned());
        }
    }

    /// Ensures that a resource may be deleted without a last snapshot: the person who gave consent was told so.
    ///
    /// # Errors
    ///
    /// If the person was told that a last snapshot will be taken. The error is not retried.
    pub(crate) fn ensure_agreed(&self, operation: &str, name: &str, status: &str) -> Result<(), Failure> {
        if self.names().without_snapshot.contains(name) {
            return Ok(());
        }
        let words = format!(
            "`{name}` has become {status} since the plan was made, so that no last snapshot can be taken, and stays; run it again"
        );
        Err(Failure::found(operation, Class::Other, words))
    }
}

/// Returns the failure of a call that names a resource created a moment ago, as one that is retried: AWS does not see the resource everywhere at
/// once.
pub(crate) fn not_yet(failure: Failure) -> Failure {
    let is_early = failure.class == Class::NotFound || Detail::SubnetNotSeen.is_told_by(&failure);
    Failure { class: if is_early { Class::NotYet } else { failure.class }, ..failure }
}

/// Returns the tags in a list of `Key` and `Value`.
pub(crate) fn tags_in(list: &[Element]) -> Tags {
    own_tags(list.iter().map(|tag| (tag.text("Key"), tag.text("Value"))))
}

/// Adds tags to a call that creates a resource.
pub(crate) fn with_tags(call: Call, tags: &Tags) -> Call {
    let numbered = tags.iter().zip(1..);
    numbered.fold(call, |call, ((key, value), number)| {
        call.with(&format!("Tags.Tag.{number}.Key"), key).with(&format!("Tags.Tag.{number}.Value"), value)
    })
}

/// Reads the tags of a resource; `None` if there is no such resource.
pub(crate) async fn tags_of(read: &Client, arn: &str) -> Result<Option<Tags>, Failure> {
    let answer = read.find(&Call::new("ListTagsForResource").with("ResourceName", arn)).await?;
    Ok(answer.map(|answer| tags_in(answer.list("ListTagsForResourceResult/TagList"))))
}

/// Writes the tags of a resource that differ.
pub(crate) async fn write_tags(write: &Client, arn: &str, desired: &Tags, live: &Tags) -> Result<(), Failure> {
    let surplus = surplus_tags(desired, live);
    if !surplus.is_empty() {
        let call = Call::new("RemoveTagsFromResource").with("ResourceName", arn).list("TagKeys.member", surplus);
        write.call(&call).await?;
    }
    if desired.iter().any(|(key, value)| live.get(key) != Some(value)) {
        let call = with_tags(Call::new("AddTagsToResource").with("ResourceName", arn), desired);
        write.call(&call).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_version_covers_its_own_later_parts() {
        for (declared, live, is_covered) in
            [("8.2", "8.2.0", true), ("8.2", "8.2", true), ("8.2", "8.20", false), ("8.2.0", "8.2", false)]
        {
            assert_eq!(covers_version(declared, live), is_covered, "{declared} {live}");
        }
    }

    #[test]
    fn a_last_snapshot_has_a_name_of_its_own() {
        let second = UNIX_EPOCH + Duration::from_secs(1_764_403_201);
        assert_eq!(last_snapshot("seen", second), "seen-final-1764403201");
    }

    #[test]
    fn nothing_goes_without_a_snapshot_unless_that_was_said_last() {
        let databases = Changing::default();
        let agreed = |name: &str| databases.ensure_agreed("rds.DeleteDBInstance", name, "incompatible-network").is_ok();
        assert!(!agreed("mails"));
        databases.tell("mails", false);
        assert!(agreed("mails") && !agreed("other"));
        databases.tell("mails", true);
        assert!(!agreed("mails"));
    }

    #[test]
    fn what_this_run_deletes_is_known_by_every_clone() {
        let all = Changing::default();
        all.clone().end("store");
        assert!(all.ends("store") && !all.ends("other"));
        all.clone().begin("store");
        assert!(all.goes_on("store", false) && !all.goes_on("store", true) && !all.goes_on("store", false));
    }

    #[test]
    fn what_was_made_just_now_is_tried_again() {
        let of = |class: Class, code: Option<&str>| {
            not_yet(Failure { code: code.map(str::to_owned), ..Failure::found("rds.CreateDBInstance", class, "no") })
                .class
        };
        assert_eq!(of(Class::NotFound, Some("DBSubnetGroupNotFoundFault")), Class::NotYet);
        assert_eq!(of(Class::Invalid, Some("InvalidSubnet")), Class::NotYet);
        assert_eq!(of(Class::Invalid, Some("InvalidParameterCombination")), Class::Invalid);
    }
}
