//! The sink `lines`: one JSON line in the log for every maintenance, and one for every mail that is for a person.

use std::sync::Arc;

use contract::{
    maintenance::Record,
    report::{Output, Report},
};
use jiff::Timestamp;
use notice::outcome::Notice;
use runtime::log::Log;
use serde::Serialize;
use serde_json::Value;

use crate::pipeline::{
    arrived_mail::ArrivedMail,
    held::{Held, Purpose, Retention},
    sink::{Delivered, Handover, Sink, SinkError},
};

/// A maintenance that was delivered.
#[derive(Debug, Serialize)]
struct DeliveredMaintenance<'notice> {
    /// Maintenance, with the 12 keys.
    #[serde(flatten)]
    maintenance: Record<'notice>,
    /// Our slug of the provider, where the key `provider` has the name that the notice gives.
    provider_slug: &'notice str,
    /// Time at which the provider wrote the notice: it orders the notices of one maintenance.
    announced_at: Option<Timestamp>,
    /// Identity of the mail: the same however often it arrives.
    mail: &'notice str,
}

/// A mail that was handed to a person.
#[derive(Debug, Serialize)]
struct HandedOver<'mail> {
    /// Identity of the mail.
    mail: &'mail str,
    /// Bucket that contains it; `None` if it is deleted.
    bucket: Option<&'mail str>,
    /// Key of the object; `None` if it is deleted.
    key: Option<&'mail str>,
    /// Why a person has to look at it.
    reason: &'mail str,
    /// Maintenances that could be read, unverified.
    suggestion: Vec<Record<'mail>>,
}

/// The log as a sink.
#[derive(Debug)]
pub struct Lines {
    log: Arc<Log>,
}

impl Lines {
    /// Creates a sink that writes to that log.
    pub fn new(log: Arc<Log>) -> Self {
        Self { log }
    }

    fn write(&self, kind: &str, facts: &[(&str, &str)], document: &impl Serialize) -> Result<(), SinkError> {
        let refused = |error: serde_json::Error| SinkError::Refused(error.to_string());
        let Value::Object(document) = serde_json::to_value(document).map_err(refused)? else {
            return Err(SinkError::Refused("a line that is not an object".to_owned()));
        };
        let facts = facts.iter().map(|(label, text)| ((*label).to_owned(), (*text).to_owned())).collect();
        let output = Output { kind: kind.to_owned(), facts, document };
        let written = self.log.line(&Report::Output(Box::new(output)));
        written.map_err(|error| SinkError::Transient(format!("the line could not be written: {error}")))
    }
}

impl Sink for Lines {
    /// The log has no room for a mail.
    fn can_hold(&self, _: &ArrivedMail, _: Purpose) -> Held {
        Held::NOTHING
    }

    async fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> Result<Delivered, SinkError> {
        let mail = arrived.identity();
        for maintenance in &notice.maintenances {
            let (slug, status) = (maintenance.provider(), maintenance.status().word());
            let facts = [("provider", slug), ("id", maintenance.id()), ("status", status), ("mail", mail.as_str())];
            let document = DeliveredMaintenance {
                maintenance: Record::from(maintenance),
                provider_slug: slug,
                announced_at: notice.announced_at,
                mail: &mail,
            };
            self.write("maintenance", &facts, &document)?;
        }
        Ok(Delivered::completely())
    }

    async fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<Held, SinkError> {
        let mail = arrived.identity();
        let stays = arrived.retention == Retention::Stays;
        let document = HandedOver {
            mail: &mail,
            bucket: stays.then_some(&arrived.bucket),
            key: stays.then_some(&arrived.key),
            reason: handover.reason,
            suggestion: handover.suggestion.iter().map(Record::from).collect(),
        };
        let place = if stays { &arrived.key } else { &arrived.ses_message_id };
        self.write("for_person", &[("mail", place), ("because", handover.reason)], &document)?;
        Ok(if stays { Held::POINTER } else { Held::NOTHING })
    }
}
