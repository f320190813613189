//! Keeps mails for a person in S3, for installations without another queue that a person works through. Each is two objects below the
//! place's prefix: the mail as it came, and a [`Document`] with the reason. Keeping a mail again changes nothing.

use super::{
    arrived_mail::ArrivedMail,
    document::Document,
    sink::{Handover, SinkError},
};
use contract::context::Place;
use runtime::store::{Expected, ObjectStore, StoreError};

/// A store of mails for a person.
#[derive(Debug, Clone)]
pub struct Unmatched<Store> {
    /// Object store.
    pub store: Store,
    /// Place of the mails.
    pub place: Place,
}

impl<Store: ObjectStore> Unmatched<Store> {
    /// Stores a mail and its document.
    pub async fn keep(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<(), SinkError> {
        let Place { bucket, prefix } = &self.place;
        let key = format!("{prefix}{}", arrived.ses_message_id);
        let transient = |error: &dyn std::fmt::Display| SinkError::Transient(format!("s3://{bucket}/{key}: {error}"));
        let document = serde_json::to_string_pretty(&Document::for_person(arrived, handover))
            .map_err(|error| SinkError::Refused(error.to_string()))?;
        let document = contract::text::clean_json(&document).into_bytes();
        match self.store.fetch(&arrived.bucket, &arrived.key).await {
            Ok(Some(mail)) => {
                let kept = self.store.put(bucket, &key, mail.bytes, "message/rfc822", Expected::Anything).await;
                kept.map_err(|error| transient(&error))?;
            }
            // The mail's key is not one of SES's; the document tells its bucket and key.
            Err(StoreError::TooLarge(_)) => {}
            Ok(None) => return Err(transient(&format!("s3://{}/{} is not there", arrived.bucket, arrived.key))),
            Err(error) => return Err(transient(&error)),
        }
        let beside = format!("{key}.json");
        let put = self.store.put(bucket, &beside, document, "application/json", Expected::Anything).await;
        put.map(|_| ()).map_err(|error| transient(&error))
    }
}
