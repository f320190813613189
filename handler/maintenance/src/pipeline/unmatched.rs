//! Keeps mails for a person in S3, for installations without another queue that a person works through. Each is two objects below the
//! place's prefix: the mail as it came, and a [`Document`] with the reason. Keeping a mail again changes nothing.

use super::{
    arrived_mail::ArrivedMail,
    document::Document,
    held::Held,
    sink::{Handover, SinkError},
};
use contract::context::Place;
use jiff::Timestamp;
use runtime::store::{Expected, ObjectStore, StoreError};
use serde_json::Value;

/// A store of mails for a person.
#[derive(Debug, Clone)]
pub struct Unmatched<Store> {
    /// Store that contains the mails.
    pub store: Store,
    /// Place of the mails.
    pub place: Place,
}

impl<Store: ObjectStore> Unmatched<Store> {
    /// Stores a mail and its document, which points at this copy; returns what is held of the mail.
    pub async fn keep(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<Held, SinkError> {
        let Place { bucket, prefix } = &self.place;
        let key = format!("{prefix}{}", arrived.ses_message_id);
        let copy = format!("s3://{bucket}/{key}");
        let transient = |error: &dyn std::fmt::Display| SinkError::Transient(format!("{copy}: {error}"));
        let (held, object) = match self.store.fetch(&arrived.bucket, &arrived.key).await {
            Ok(Some(mail)) => {
                let held = Held::of_copy(arrived.source.as_ref(), &mail.bytes);
                let kept = self.store.put(bucket, &key, mail.bytes, "message/rfc822", Expected::Anything).await;
                kept.map_err(|error| transient(&error))?;
                (held, copy.clone())
            }
            // Too large to be copied.
            Err(StoreError::TooLarge(_)) => (Held::POINTER, arrived.address()),
            Ok(None) => return Err(transient(&format!("{} is not there", arrived.address()))),
            Err(error) => return Err(transient(&error)),
        };
        let document = Document::for_person(arrived, handover).pointing_at(object);
        let document =
            serde_json::to_string_pretty(&document).map_err(|error| SinkError::Refused(error.to_string()))?;
        let document = contract::text::clean_json(&document).into_bytes();
        let beside = format!("{key}.json");
        let put = self.store.put(bucket, &beside, document, "application/json", Expected::Anything).await;
        put.map_err(|error| transient(&error))?;
        Ok(held)
    }

    /// Closes the entry of a mail that was delivered after all, if it is there and may be read: its document becomes one of the kind
    /// `settled`. The function may have no right to delete it.
    pub async fn close(&self, arrived: &ArrivedMail) -> Result<(), SinkError> {
        let Place { bucket, prefix } = &self.place;
        let key = format!("{prefix}{}.json", arrived.ses_message_id);
        let transient = |error: &StoreError| SinkError::Transient(format!("s3://{bucket}/{key}: {error}"));
        let Some(stored) = self.store.fetch(bucket, &key).await.map_err(|error| transient(&error))? else {
            return Ok(());
        };
        let Ok(mut document) = serde_json::from_slice::<Value>(&stored.bytes) else { return Ok(()) };
        if document.get("kind").and_then(Value::as_str) != Some("for_person") {
            return Ok(());
        }
        if let Some(fields) = document.as_object_mut() {
            fields.insert("kind".to_owned(), "settled".into());
            fields.insert("settled_at".to_owned(), Timestamp::now().to_string().into());
        }
        let settled = format!("{document:#}").into_bytes();
        // Whoever has changed it meanwhile is at work on it.
        let put = self.store.put(bucket, &key, settled, "application/json", Expected::Tag(stored.tag)).await;
        put.map(|_| ()).map_err(|error| transient(&error))
    }
}
