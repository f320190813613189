//! What is in a bucket. It is data: a bucket that holds any is not deleted, unless somebody says so.

use aws_sdk_s3::{
    operation::list_object_versions::ListObjectVersionsOutput,
    types::{Delete, ObjectIdentifier},
};

use super::{Session, about, unbuilt};
use aws::OrFail;
use engine::{Class, Failure};

/// What SES puts below each rule's prefix to try whether it may: no mail.
const SETUP: &str = "AMAZON_SES_SETUP_NOTIFICATION";
/// As many as one call lists and deletes.
const PAGE: i32 = 1_000;
const LIST: &str = "s3.ListObjectVersions";
const DELETE: &str = "s3.DeleteObjects";

/// One page of all versions; `None` if there is no such bucket.
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

/// Whether a page holds anything but what SES put there itself. A delete marker holds nothing.
fn has_data(page: &ListObjectVersionsOutput) -> bool {
    page.versions().iter().any(|version| version.key().is_some_and(|key| !key.ends_with(SETUP)))
}

/// All that is on a page.
fn everything(page: &ListObjectVersionsOutput) -> Result<Vec<ObjectIdentifier>, Failure> {
    let versions = page.versions().iter().map(|one| (one.key(), one.version_id()));
    let markers = page.delete_markers().iter().map(|one| (one.key(), one.version_id()));
    let named = versions.chain(markers).map(|(key, version)| {
        ObjectIdentifier::builder().set_key(key.map(str::to_owned)).set_version_id(version.map(str::to_owned)).build()
    });
    named.collect::<Result<_, _>>().map_err(unbuilt(LIST))
}

/// Whether a bucket holds anything but what SES put there itself.
pub(super) async fn holds_data(session: &Session, name: &str) -> Result<bool, Failure> {
    // A page is enough: a thousand things that are no data are a bucket in use all the same.
    let page = page(session, name, None, PAGE).await?;
    Ok(page.is_some_and(|page| has_data(&page) || page.is_truncated == Some(true)))
}

/// Makes a bucket without data ready to be deleted; says whether there is such a bucket.
pub(super) async fn clear(session: &Session, name: &str) -> Result<bool, Failure> {
    // All is looked at before anything is deleted: without its marker, a deleted mail would be there again.
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
    // From the start each time: what was there is gone, or an error said so.
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
            let class = if code == "AccessDenied" { Class::Denied } else { Class::Other };
            Err(Failure::found(DELETE, class, format!("{code}: {message} (`{key}`)")))
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
