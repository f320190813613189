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

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

    use runtime::store::Object;

    use super::*;
    use contract::receipt_event::Received;

    /// Objects by key, and their number as their tag.
    type Objects = BTreeMap<String, (Vec<u8>, usize)>;

    #[derive(Debug, Clone, Default)]
    struct Bucket(Rc<RefCell<Objects>>);

    impl ObjectStore for Bucket {
        async fn fetch(&self, _: &str, key: &str) -> Result<Option<Object>, StoreError> {
            Ok(self.0.borrow().get(key).map(|(bytes, tag)| Object { bytes: bytes.clone(), tag: tag.to_string() }))
        }

        async fn put(
            &self,
            _: &str,
            key: &str,
            bytes: Vec<u8>,
            _: &str,
            expected: Expected,
        ) -> Result<bool, StoreError> {
            let mut objects = self.0.borrow_mut();
            let tag = objects.get(key).map(|(_, tag)| *tag);
            let is_expected = match expected {
                Expected::Anything => true,
                Expected::Nothing => tag.is_none(),
                Expected::Tag(expected) => tag.is_some_and(|tag| tag.to_string() == expected),
            };
            if is_expected {
                objects.insert(key.to_owned(), (bytes, tag.unwrap_or_default() + 1));
            }
            Ok(is_expected)
        }

        async fn pause(&self, _: Duration) {}
    }

    #[tokio::test]
    async fn an_entry_is_closed_once_and_what_is_no_entry_stays() {
        let store = Bucket::default();
        let place = Place { bucket: "b".to_owned(), prefix: "unmatched/".to_owned() };
        let unmatched = Unmatched { store: store.clone(), place };
        let arrived =
            |id: &str| ArrivedMail::unopened(id, "b".to_owned(), format!("inbound/{id}"), &Received::default());
        let text = |key: &str| String::from_utf8(store.0.borrow()[key].0.clone()).unwrap();
        unmatched.close(&arrived("none")).await.unwrap();
        assert!(store.0.borrow().is_empty(), "nothing is made of nothing");
        store.0.borrow_mut().insert("inbound/one".to_owned(), (b"Subject: x\r\n\r\n".to_vec(), 1));
        let kept = unmatched.keep(&arrived("one"), &Handover { reason: "odd", suggestion: &[] }).await;
        assert!(kept.is_ok());
        assert!(text("unmatched/one.json").contains(r#""kind": "for_person""#));
        unmatched.close(&arrived("one")).await.unwrap();
        let settled = text("unmatched/one.json");
        assert!(settled.contains(r#""kind": "settled""#) && settled.contains("settled_at") && settled.contains("odd"));
        unmatched.close(&arrived("one")).await.unwrap();
        assert_eq!(text("unmatched/one.json"), settled);
        for other in ["{}", "not JSON", r#"{"kind":"notice"}"#] {
            store.0.borrow_mut().insert("unmatched/two.json".to_owned(), (other.into(), 1));
            unmatched.close(&arrived("two")).await.unwrap();
            assert_eq!(text("unmatched/two.json"), other);
        }
    }

    #[test]
    fn a_mail_is_late_once_it_may_have_been_handled_before() {
        let mut mail = ArrivedMail::default();
        assert!(mail.is_late(), "nobody knows");
        for (seconds, is_late) in [(0, false), (10, false), (3600, true)] {
            mail.received_at = Some(Timestamp::now() - jiff::SignedDuration::from_secs(seconds));
            assert_eq!(mail.is_late(), is_late, "{seconds}");
        }
    }
}
