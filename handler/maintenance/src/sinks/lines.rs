//! The sink `lines`: one JSON line in the log for every maintenance, and one for every mail that is for a person.

use std::sync::Arc;

use contract::{
    maintenance::Record,
    report::{DeliveredMaintenance, HandedOver, Report},
};
use notice::outcome::Notice;
use runtime::log::Log;

use crate::pipeline::{
    letter::Letter,
    sink::{Case, Delivered, Sink, SinkError},
};

/// The sink `lines`: one JSON line in the log for every maintenance, and one for every mail that is for a person.
#[derive(Debug)]
pub struct Lines {
    log: Arc<Log>,
}

impl Lines {
    /// A sink that writes to that log.
    pub fn new(log: Arc<Log>) -> Self {
        Self { log }
    }

    fn write(&self, report: &Report) -> Result<(), SinkError> {
        self.log.line(report).map_err(|error| SinkError::Transient(format!("the line could not be written: {error}")))
    }
}

impl Sink for Lines {
    async fn deliver(&self, letter: &Letter, notice: &Notice) -> Result<Delivered, SinkError> {
        let mail = letter.identity();
        for maintenance in &notice.maintenances {
            self.write(&Report::Maintenance(Box::new(DeliveredMaintenance {
                maintenance: Record::from(maintenance).into_owned(),
                provider_slug: maintenance.provider().to_owned(),
                announced_at: notice.announced_at,
                mail: mail.clone(),
            })))?;
        }
        Ok(Delivered::Whole)
    }

    async fn hand_over(&self, letter: &Letter, case: &Case<'_>) -> Result<(), SinkError> {
        self.write(&Report::ForPerson(Box::new(HandedOver {
            mail: letter.identity(),
            bucket: letter.bucket.clone(),
            key: letter.key.clone(),
            reason: case.reason.to_owned(),
            suggestion: case.suggestion.iter().map(|read| Record::from(read).into_owned()).collect(),
        })))
    }
}
