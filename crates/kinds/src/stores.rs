//! Common parts of databases and caches: RDS and `ElastiCache` take tags in one form, see what was made just now later, and change
//! for many minutes.

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

/// Returns the name of a last snapshot: another one each second, since one of the same name may be there.
pub(crate) fn last_snapshot(name: &str, now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{name}{LAST_SNAPSHOT}{seconds}")
}

/// Changes of this run to the resources of one kind, by their names. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Changing {
    noted: Arc<Mutex<Noted>>,
}

#[derive(Debug, Default)]
struct Noted {
    changed: BTreeSet<String>,
    deleted: BTreeSet<String>,
    without_snapshot: BTreeSet<String>,
}

impl Changing {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that AWS has begun to change one.
    pub(crate) fn begin(&self, name: &str) {
        self.noted().changed.insert(name.to_owned());
    }

    /// Returns `true` as long as one that this run changes is not as it was told to be.
    pub(crate) fn goes_on(&self, name: &str, is_settled: bool) -> bool {
        let mut noted = self.noted();
        if is_settled {
            noted.changed.remove(name);
        }
        noted.changed.contains(name)
    }

    /// Notes that AWS has begun to delete one.
    pub(crate) fn end(&self, name: &str) {
        self.noted().deleted.insert(name.to_owned());
    }

    /// Returns `true` if this run deletes one. Of one that is gone IAM knows no tags, so that it then refuses to tell of it whoever may by
    /// the tags alone.
    pub(crate) fn ends(&self, name: &str) -> bool {
        self.noted().deleted.contains(name)
    }

    /// Notes that whoever is asked to let one go is told that no last snapshot of it can be taken, or that one will be.
    pub(crate) fn tell(&self, name: &str, has_snapshot: bool) {
        let mut noted = self.noted();
        if has_snapshot {
            noted.without_snapshot.remove(name);
        } else {
            noted.without_snapshot.insert(name.to_owned());
        }
    }

    /// Fails for one that is to be deleted without a last snapshot, unless that was said to whoever agreed.
    ///
    /// # Errors
    ///
    /// Of a class that is not tried again.
    pub(crate) fn ensure_agreed(&self, operation: &str, name: &str, status: &str) -> Result<(), Failure> {
        if self.noted().without_snapshot.contains(name) {
            return Ok(());
        }
        let words = format!(
            "`{name}` has become {status} since the plan was made, so that no last snapshot can be taken, and stays; run it again"
        );
        Err(Failure::found(operation, Class::Other, words))
    }
}

/// Returns a failure of a call that names what was made just now: AWS does not see it everywhere at once.
pub(crate) fn not_yet(failure: Failure) -> Failure {
    let is_early = failure.class == Class::NotFound || Detail::SubnetNotSeen.is_told_by(&failure);
    Failure { class: if is_early { Class::NotYet } else { failure.class }, ..failure }
}

/// Returns the tags in a list of `Key` and `Value`.
pub(crate) fn tags_in(list: &[Element]) -> Tags {
    own_tags(list.iter().map(|tag| (tag.text("Key"), tag.text("Value"))))
}

/// Returns a call with tags, as those that make something take them.
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
