//! Mails for a person, kept in S3: for whoever has no other queue that a person works through. Two objects each, below the place's prefix:
//! the mail as it came, and beside it a [`Document`] with the reason. Keeping one again changes nothing.

use super::{
    document::Document,
    letter::Letter,
    sink::{Case, SinkError},
    store::{Expected, ObjectStore},
};
use crate::context::Place;

/// Keeps mails for a person.
#[derive(Debug, Clone)]
pub struct Unmatched<Store> {
    /// What holds them.
    pub store: Store,
    /// Where they are kept.
    pub place: Place,
}

impl<Store: ObjectStore> Unmatched<Store> {
    /// Keeps a mail.
    pub async fn keep(&self, letter: &Letter, case: &Case<'_>) -> Result<(), SinkError> {
        let Place { bucket, prefix } = &self.place;
        let key = format!("{prefix}{}", letter.ses_message_id);
        let transient = |error: &dyn std::fmt::Display| SinkError::Transient(format!("s3://{bucket}/{key}: {error}"));
        let document = serde_json::to_vec_pretty(&Document::for_person(letter, case))
            .map_err(|error| SinkError::Refused(error.to_string()))?;
        self.store.copy((&letter.bucket, &letter.key), (bucket, &key)).await.map_err(|error| transient(&error))?;
        let beside = format!("{key}.json");
        let put = self.store.put(bucket, &beside, document, "application/json", Expected::Anything).await;
        put.map(|_| ()).map_err(|error| transient(&error))
    }
}
