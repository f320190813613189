//! The smallest useful function: it logs what SES said of every mail and what the bucket holds, and nothing else.
//!
//! It shows what a function learns of its stack (the places of mails, its own name), and proves a deployment: if the
//! mail does not exist or may not be read, the invocation fails.

pub mod configuration;

use std::{io, time::Instant};

use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

use configuration::Disposition;
use contract::{
    context::MailPlace,
    receipt_event::{ReceiptEvent, Received, SETUP_OBJECT},
    report::{Class, ItemReport},
};
use runtime::{
    log::{Log, Metric, Unit},
    store::{ObjectInfo, ObjectInfos},
};

/// A function that logs what is known of every mail.
#[derive(Debug)]
pub struct Echo<Objects> {
    /// Places of mails, in the order in which they are searched; empty if the rules store nothing.
    pub places: Vec<MailPlace>,
    /// The answer to SES if it waits for one.
    pub disposition: Disposition,
    /// Objects in these places.
    pub objects: Objects,
    /// Log of the function.
    pub log: Log,
}

/// The reasons why an invocation failed.
#[derive(Debug, Error)]
pub enum NotEchoed {
    /// The event contains no mail.
    #[error("the event is no SES receipt event: it has no records")]
    NoRecords,
    /// SES did not state the mail's id.
    #[error("a record has no message id")]
    NoMessageId,
    /// No place has the mail, or none may be read.
    #[error("mail {message_id} is not there: {}", .tried.join("; "))]
    NotThere {
        /// SES message id.
        message_id: String,
        /// Places that were searched, with what was found.
        tried: Vec<String>,
    },
    /// The log could not be written.
    #[error("the log could not be written: {0}")]
    Log(#[from] io::Error),
}

/// The details of one mail, for the log.
#[derive(Debug, Serialize)]
struct Details<'event> {
    source: Option<&'event str>,
    subject: Option<&'event str>,
    /// Object in the bucket; `None` if the rules store nothing.
    #[serde(flatten)]
    stored: Option<Stored<'event>>,
}

/// The place of a stored mail, with the object's description.
#[derive(Debug, Serialize)]
struct Stored<'event> {
    bucket: &'event str,
    key: String,
    #[serde(flatten)]
    object: ObjectInfo,
}

impl<Objects: ObjectInfos> Echo<Objects> {
    /// Logs the details of every mail of an event, one after the other, and returns the answer to SES.
    pub async fn handle(&self, request_id: &str, event: &ReceiptEvent) -> Result<Value, NotEchoed> {
        if event.records.is_empty() {
            return Err(NotEchoed::NoRecords);
        }
        let mut failed = None;
        for record in &event.records {
            if record.ses.mail.message_id.as_deref() == Some(SETUP_OBJECT) {
                continue;
            }
            // The other mails are logged before the invocation fails.
            failed = failed.or(self.one(request_id, &record.ses).await?);
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(json!({"disposition": self.disposition.as_str()})),
        }
    }

    /// Logs the details of a mail; returns the reason if it could not be found.
    async fn one(&self, request_id: &str, received: &Received) -> Result<Option<NotEchoed>, NotEchoed> {
        let started = Instant::now();
        let found = match &received.mail.message_id {
            None => Err(NotEchoed::NoMessageId),
            Some(_) if self.places.is_empty() => Ok(None),
            Some(id) => self.find(id).await.map(Some),
        };
        let (stored, error) = found.map_or_else(|error| (None, Some(error)), |stored| (stored, None));
        let (class, outcome) = if error.is_none() { (Class::Done, "echoed") } else { (Class::Retry, "retry") };
        let subject = received.mail.common_headers.subject.as_deref();
        let place = stored.as_ref().map(|stored| format!("s3://{}/{}", stored.bucket, stored.key));
        let facts = [("subject", subject), ("object", place.as_deref())];
        let details = Details { source: received.mail.source.as_deref(), subject, stored };
        let Value::Object(details) = serde_json::to_value(details).map_err(io::Error::from)? else {
            return Err(NotEchoed::Log(io::Error::other("the details are not an object")));
        };
        let duration_ms = started.elapsed().as_secs_f64() * 1e3;
        let report = ItemReport {
            request_id: request_id.to_owned(),
            item: received.mail.message_id.clone().unwrap_or_default(),
            class,
            outcome: outcome.to_owned(),
            reason: error.as_ref().map(ToString::to_string),
            facts: facts.iter().filter_map(|(label, text)| Some(((*label).to_owned(), (*text)?.to_owned()))).collect(),
            duration_ms,
            details,
        };
        let count = |name, is| Metric { name, unit: Unit::Count, value: f64::from(u8::from(is)) };
        let metrics = [
            count("Echoed", class == Class::Done),
            count("Retry", class == Class::Retry),
            Metric { name: "Duration", unit: Unit::Milliseconds, value: duration_ms },
        ];
        self.log.item(report, &metrics)?;
        Ok(error)
    }

    /// Returns the first place that has the mail. SES does not state the rule, so a refusal does not end the search: to
    /// a caller that may not list a bucket, S3 refuses an object that does not exist.
    async fn find(&self, message_id: &str) -> Result<Stored<'_>, NotEchoed> {
        let mut tried = Vec::new();
        for MailPlace { bucket, prefix, .. } in &self.places {
            let key = format!("{prefix}{message_id}");
            match self.objects.head(bucket, &key).await {
                Ok(Some(object)) => return Ok(Stored { bucket, key, object }),
                Ok(None) => tried.push(format!("s3://{bucket}/{key} does not exist")),
                Err(error) => tried.push(format!("s3://{bucket}/{key}: {error}")),
            }
        }
        Err(NotEchoed::NotThere { message_id: message_id.to_owned(), tried })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::{Arc, Mutex},
    };

    use contract::context::Context;
    use runtime::store::StoreError;

    use super::*;

    /// Objects by `bucket/key`; a missing object is refused where S3 would refuse it.
    struct Bucket {
        objects: BTreeMap<&'static str, u64>,
        refuses: bool,
    }

    impl ObjectInfos for Bucket {
        async fn head(&self, bucket: &str, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
            match self.objects.get(format!("{bucket}/{key}").as_str()) {
                Some(size) => Ok(Some(ObjectInfo { size: *size, ..ObjectInfo::default() })),
                None if self.refuses => Err(StoreError::Unavailable("HeadObject 403".to_owned())),
                None => Ok(None),
            }
        }
    }

    fn echo(prefixes: &[&str], objects: &[(&'static str, u64)], refuses: bool) -> Echo<Bucket> {
        let place = |prefix: &&str| MailPlace {
            bucket: "mail".to_owned(),
            prefix: (*prefix).to_owned(),
            added_headers: Vec::new(),
        };
        Echo {
            places: prefixes.iter().map(place).collect(),
            disposition: Disposition::StopRule,
            objects: Bucket { objects: objects.iter().copied().collect(), refuses },
            log: Log::new(&Context::default(), io::sink()),
        }
    }

    /// A writer whose content others can read.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn event(ids: &[&str]) -> ReceiptEvent {
        let record = |id: &&str| json!({"ses": {"mail": {"messageId": id, "source": "noc@carrier.example"}}});
        serde_json::from_value(json!({"Records": ids.iter().map(record).collect::<Vec<_>>()})).unwrap()
    }

    /// Runs the function; returns the answer or the error, and the details of the lines.
    fn run(mut echo: Echo<Bucket>, ids: &[&str]) -> (Result<Value, String>, Vec<Value>) {
        let written = Written::default();
        echo.log = Log::new(&Context { function: "echo".to_owned(), ..Context::default() }, written.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(echo.handle("r-1", &event(ids))).map_err(|error| error.to_string());
        let bytes = written.0.lock().unwrap();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| serde_json::from_slice(line).unwrap());
        (answer, lines.collect())
    }

    #[test]
    fn it_tells_of_the_event_and_of_the_object() {
        let (answer, lines) = run(echo(&["special/"], &[("mail/special/m1", 17)], true), &["m1"]);
        assert_eq!(answer, Ok(json!({"disposition": "STOP_RULE"})));
        let expected = json!({
            "source": "noc@carrier.example", "subject": null, "bucket": "mail", "key": "special/m1", "size": 17, "etag": null,
            "last_modified": null, "metadata": {},
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!((&line["details"], &line["item"], &line["class"]), (&expected, &json!("m1"), &json!("done")));
        assert_eq!((&line["Echoed"], &line["function"]), (&json!(1), &json!("echo")));
        assert_eq!(line["facts"], json!([["object", "s3://mail/special/m1"]]));
    }

    #[test]
    fn a_mail_is_looked_for_in_every_place_and_a_refusal_is_no_end() {
        for refuses in [false, true] {
            let (answer, lines) = run(echo(&["special/", ""], &[("mail/m1", 3)], refuses), &["m1"]);
            assert!(answer.is_ok(), "{answer:?}");
            assert_eq!(lines[0]["details"]["key"], "m1");
        }
    }

    #[test]
    fn a_mail_that_is_not_there_fails_the_invocation_after_the_others() {
        let (answer, lines) = run(echo(&["a/", "b/"], &[("mail/a/m2", 3)], false), &["m1", "m2"]);
        let error = answer.unwrap_err();
        assert_eq!(error, "mail m1 is not there: s3://mail/a/m1 does not exist; s3://mail/b/m1 does not exist");
        let classes: Vec<_> = lines.iter().map(|line| line["class"].as_str().unwrap()).collect();
        assert_eq!(classes, ["retry", "done"], "the other one is logged too");
        let (answer, _) = run(echo(&["a/"], &[], true), &["m1"]);
        assert_eq!(answer.unwrap_err(), "mail m1 is not there: s3://mail/a/m1: HeadObject 403");
    }

    #[test]
    fn rules_that_store_nothing_have_headers_only() {
        let (answer, lines) = run(echo(&[], &[], true), &["m1"]);
        assert!(answer.is_ok());
        assert_eq!((&lines[0]["item"], lines[0]["details"].get("bucket")), (&json!("m1"), None));
    }

    #[test]
    fn what_is_no_mail_is_passed_over_and_what_is_no_event_is_an_error() {
        assert_eq!(run(echo(&["a/"], &[], true), &[SETUP_OBJECT]).1, Vec::<Value>::new());
        assert_eq!(run(echo(&[], &[], true), &[]).0.unwrap_err(), NotEchoed::NoRecords.to_string());
    }
}
