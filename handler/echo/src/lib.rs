//! The smallest function that works: it tells of every mail what SES said and what lies in the bucket, and nothing else.
//!
//! It shows what a function is told of its stack (where mails lie, under whose name it runs), and proves a deployment:
//! if the mail is not there or may not be read, the invocation fails.

pub mod configuration;

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

use configuration::Disposition;
use contract::{
    context::MailPlace,
    receipt_event::{ReceiptEvent, Received, SETUP_OBJECT},
};
use runtime::store::{ObjectInfo, ObjectInfos};

/// The function.
#[derive(Debug)]
pub struct Echo<Objects> {
    /// Where mails may be, in the order in which they are looked for; empty for rules that store nothing.
    pub places: Vec<MailPlace>,
    /// What SES is told if it waits for an answer.
    pub disposition: Disposition,
    /// What tells of objects.
    pub objects: Objects,
}

/// Why an invocation has failed.
#[derive(Debug, Error)]
pub enum NotEchoed {
    /// The event is about no mail.
    #[error("the event is no SES receipt event: it has no records")]
    NoRecords,
    /// SES did not say which mail it is.
    #[error("a record has no message id")]
    NoMessageId,
    /// No place has the mail, or none may be looked at.
    #[error("mail {message_id} is not there: {}", .tried.join("; "))]
    NotThere {
        /// SES's message id.
        message_id: String,
        /// Where it was looked for, and what was found.
        tried: Vec<String>,
    },
    /// The log takes no more.
    #[error("the log could not be written: {0}")]
    Log(#[from] io::Error),
}

/// A line of the log: what is known of one mail.
#[derive(Debug, Serialize)]
struct Line<'event> {
    report: &'static str,
    request_id: &'event str,
    source: Option<&'event str>,
    ses_message_id: &'event str,
    subject: Option<&'event str>,
    /// Absent where the rules store nothing.
    #[serde(flatten)]
    stored: Option<Stored<'event>>,
}

/// Where a mail lies, and what is known of it.
#[derive(Debug, Serialize)]
struct Stored<'event> {
    bucket: &'event str,
    key: String,
    #[serde(flatten)]
    object: ObjectInfo,
}

impl<Objects: ObjectInfos> Echo<Objects> {
    /// Tells of every mail of an event, one after the other, and answers what SES waits for if it does.
    pub async fn handle(
        &self,
        request_id: &str,
        event: &ReceiptEvent,
        log: &mut impl Write,
    ) -> Result<Value, NotEchoed> {
        let request = json!({"report": "request", "request_id": request_id, "records": event.records.len()});
        write(log, &request)?;
        if event.records.is_empty() {
            return Err(NotEchoed::NoRecords);
        }
        let mut failed = None;
        for record in &event.records {
            // The others are told of, before the invocation fails.
            match self.one(request_id, &record.ses, log).await {
                Ok(()) => {}
                Err(error @ NotEchoed::Log(_)) => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(json!({"disposition": self.disposition.as_str()})),
        }
    }

    async fn one(&self, request_id: &str, received: &Received, log: &mut impl Write) -> Result<(), NotEchoed> {
        let ses_message_id = received.mail.message_id.as_deref().ok_or(NotEchoed::NoMessageId)?;
        if ses_message_id == SETUP_OBJECT {
            return Ok(());
        }
        let stored = if self.places.is_empty() { None } else { Some(self.find(ses_message_id).await?) };
        let line = Line {
            report: "echo",
            request_id,
            source: received.mail.source.as_deref(),
            ses_message_id,
            subject: received.mail.common_headers.subject.as_deref(),
            stored,
        };
        Ok(write(log, &line)?)
    }

    /// The first place that has the mail. SES does not say which rule it was, so a refusal is no end: who may not list a
    /// bucket is refused an object that is not there.
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

/// One line, at once: Lambda may freeze the process after the answer.
fn write(log: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    log.write_all(&bytes)?;
    log.flush()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use runtime::store::StoreError;

    use super::*;

    /// Objects by `bucket/key`; what is not there is refused where S3 would.
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
        }
    }

    fn event(ids: &[&str]) -> ReceiptEvent {
        let record = |id: &&str| json!({"ses": {"mail": {"messageId": id, "source": "noc@carrier.example"}}});
        serde_json::from_value(json!({"Records": ids.iter().map(record).collect::<Vec<_>>()})).unwrap()
    }

    /// The answer or the error, and the lines after the first.
    fn run(echo: &Echo<Bucket>, ids: &[&str]) -> (Result<Value, String>, Vec<Value>) {
        let mut log = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(echo.handle("r-1", &event(ids), &mut log)).map_err(|error| error.to_string());
        let lines: Vec<Value> =
            String::from_utf8(log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0], json!({"report": "request", "request_id": "r-1", "records": ids.len()}));
        (answer, lines[1..].to_vec())
    }

    #[test]
    fn it_tells_of_the_event_and_of_the_object() {
        let (answer, lines) = run(&echo(&["special/"], &[("mail/special/m1", 17)], true), &["m1"]);
        assert_eq!(answer, Ok(json!({"disposition": "STOP_RULE"})));
        let expected = json!({
            "report": "echo", "request_id": "r-1", "source": "noc@carrier.example", "ses_message_id": "m1",
            "subject": null, "bucket": "mail", "key": "special/m1", "size": 17, "etag": null, "last_modified": null,
            "metadata": {},
        });
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn a_mail_is_looked_for_in_every_place_and_a_refusal_is_no_end() {
        for refuses in [false, true] {
            let (answer, lines) = run(&echo(&["special/", ""], &[("mail/m1", 3)], refuses), &["m1"]);
            assert!(answer.is_ok(), "{answer:?}");
            assert_eq!(lines[0]["key"], "m1");
        }
    }

    #[test]
    fn a_mail_that_is_not_there_fails_the_invocation_after_the_others() {
        let (answer, lines) = run(&echo(&["a/", "b/"], &[("mail/a/m2", 3)], false), &["m1", "m2"]);
        let error = answer.unwrap_err();
        assert_eq!(error, "mail m1 is not there: s3://mail/a/m1 does not exist; s3://mail/b/m1 does not exist");
        assert_eq!(lines.len(), 1);
        let (answer, _) = run(&echo(&["a/"], &[], true), &["m1"]);
        assert_eq!(answer.unwrap_err(), "mail m1 is not there: s3://mail/a/m1: HeadObject 403");
    }

    #[test]
    fn rules_that_store_nothing_have_headers_only() {
        let (answer, lines) = run(&echo(&[], &[], true), &["m1"]);
        assert!(answer.is_ok());
        assert_eq!((&lines[0]["ses_message_id"], lines[0].get("bucket")), (&json!("m1"), None));
    }

    #[test]
    fn what_is_no_mail_is_passed_over_and_what_is_no_event_is_an_error() {
        assert_eq!(run(&echo(&["a/"], &[], true), &[SETUP_OBJECT]).1, Vec::<Value>::new());
        assert_eq!(run(&echo(&[], &[], true), &[]).0.unwrap_err(), NotEchoed::NoRecords.to_string());
    }
}
