//! The content of a bucket. It is data: a bucket with data is not deleted, unless somebody asks for it.

use aws_sdk_s3::{
    operation::list_object_versions::ListObjectVersionsOutput,
    types::{Delete, ObjectIdentifier},
};

use super::{Session, about, unbuilt};
use aws::{OrFail, failure_within};
use engine::{Class, Failure};

/// Name of the object with which SES tests below each rule's prefix whether it may write: not a mail.
const SETUP: &str = "AMAZON_SES_SETUP_NOTIFICATION";
/// Maximum number of objects that one call lists or deletes.
const PAGE: i32 = 1_000;
const LIST: &str = "s3.ListObjectVersions";
const DELETE: &str = "s3.DeleteObjects";

/// Returns one page of all versions; `None` if the bucket does not exist.
async fn page(
    session: &Session,
    name: &str,
    after: Option<&ListObjectVersionsOutput>,
    size: i32,
) -> Result<Option<ListObjectVersionsOutput>, Failure> {
    let call = about!(session.aws.read, session, name, list_object_versions)
        .max_keys(size)
        .set_key_marker(after.and_then(|page| page.next_key_marker.clone()))
        .set_version_id_marker(after.and_then(|page| page.next_version_id_marker.clone()));
    call.send().await.or_absent(LIST)
}

/// Returns whether a page has anything but SES's test objects. A delete marker is not data.
fn has_data(page: &ListObjectVersionsOutput) -> bool {
    page.versions().iter().any(|version| version.key().is_some_and(|key| !key.ends_with(SETUP)))
}

/// Returns every version and marker on a page.
fn everything(page: &ListObjectVersionsOutput) -> Result<Vec<ObjectIdentifier>, Failure> {
    let versions = page.versions().iter().map(|one| (one.key(), one.version_id()));
    let markers = page.delete_markers().iter().map(|one| (one.key(), one.version_id()));
    let named = versions.chain(markers).map(|(key, version)| {
        ObjectIdentifier::builder().set_key(key.map(str::to_owned)).set_version_id(version.map(str::to_owned)).build()
    });
    named.collect::<Result<_, _>>().map_err(unbuilt(LIST))
}

/// Returns whether a bucket has anything but SES's test objects.
pub(super) async fn holds_data(session: &Session, name: &str) -> Result<bool, Failure> {
    // One page suffices: a thousand objects without data are a bucket in use all the same.
    let page = page(session, name, None, PAGE).await?;
    Ok(page.is_some_and(|page| has_data(&page) || page.is_truncated == Some(true)))
}

/// Prepares a bucket without data for its deletion; returns whether the bucket exists.
pub(super) async fn clear(session: &Session, name: &str) -> Result<bool, Failure> {
    // Everything is read before anything is deleted: without its marker, a deleted mail would be visible
    // again.
    let mut rest = Vec::new();
    let mut last = None;
    loop {
        let Some(page) = page(session, name, last.as_ref(), PAGE).await? else { return Ok(false) };
        if has_data(&page) {
            let message = format!("the bucket `{name}` is not empty");
            return Err(Failure::found("s3.DeleteBucket", Class::Invalid, message));
        }
        rest.push(everything(&page)?);
        if page.is_truncated != Some(true) {
            break;
        }
        last = Some(page);
    }
    for objects in rest {
        delete(session, name, objects).await?;
    }
    Ok(true)
}

/// Deletes every object and every version in a bucket.
pub(crate) async fn empty(session: &Session, name: &str) -> Result<(), Failure> {
    // From the start each time: what was listed is deleted, or an error said so.
    while let Some(page) = page(session, name, None, PAGE).await? {
        let objects = everything(&page)?;
        if objects.is_empty() {
            break;
        }
        delete(session, name, objects).await?;
    }
    Ok(())
}

async fn delete(session: &Session, name: &str, objects: Vec<ObjectIdentifier>) -> Result<(), Failure> {
    if objects.is_empty() {
        return Ok(());
    }
    let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(unbuilt(DELETE))?;
    let answer = about!(session.aws.write, session, name, delete_objects).delete(delete).send().await;
    // The call succeeds even if objects stay.
    match answer.or_fail(DELETE)?.errors().first() {
        Some(error) => {
            let [key, code, message] = [error.key(), error.code(), error.message()].map(Option::unwrap_or_default);
            Err(failure_within(DELETE, code, format!("{message} (`{key}`)")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{DeleteMarkerEntry, ObjectVersion};

    use super::*;

    fn page(keys: &[&str], markers: &[&str]) -> ListObjectVersionsOutput {
        let versions = keys.iter().map(|key| ObjectVersion::builder().key(*key).version_id("null").build());
        let markers = markers.iter().map(|key| DeleteMarkerEntry::builder().key(*key).version_id("a").build());
        ListObjectVersionsOutput::builder()
            .set_versions(Some(versions.collect()))
            .set_delete_markers(Some(markers.collect()))
            .build()
    }

    #[test]
    fn only_what_somebody_put_there_is_data() {
        assert!(!has_data(&page(&[], &[])));
        assert!(!has_data(&page(&[SETUP, "mail/AMAZON_SES_SETUP_NOTIFICATION"], &["mail/deleted"])));
        assert!(has_data(&page(&[SETUP, "mail/a1b2"], &[])));
    }

    #[test]
    fn markers_go_with_the_versions() {
        assert_eq!(everything(&page(&["a", "b"], &["c"])).unwrap().len(), 3);
    }
}
