//! The function `maintenance` with a sink of one's own: each trusted notice becomes a JSON file in a bucket.

#![recursion_limit = "256"]

use std::{io, process::ExitCode, sync::Arc};

use contract::{
    context::{self, Place},
    maintenance::Record,
    receipt_event::ReceiptEvent,
};
use maintenance::{
    configuration::Configuration,
    pipeline::{
        Pipeline,
        arrived_mail::ArrivedMail,
        held::{Held, Purpose},
        sink::{Delivered, Handover, Sink, SinkError},
    },
};
use notice::{model::Maintenance, outcome::Notice};
use runtime::{
    Deadline, Invocation, S3, answer,
    environment::{ConfigurationError, Reader},
    log::Log,
    start,
    store::{Expected, ObjectStore},
};
use serde_json::json;

/// Files below a place of one's own: `maintenances/MAIL.json` and `for-person/MAIL.json`.
struct Files {
    store: S3,
    place: Place,
}

impl Files {
    /// Writes a file under the identity of its mail. A repeated delivery writes the same file again, and another notice of the same
    /// maintenance has a file of its own: so neither repetition nor order does harm.
    async fn write(
        &self,
        folder: &str,
        arrived: &ArrivedMail,
        reason: Option<&str>,
        all: &[Maintenance],
    ) -> Result<(), SinkError> {
        let key = format!("{}{folder}/{}.json", self.place.prefix, arrived.fingerprint());
        let maintenances: Vec<_> = all.iter().map(Record::from).collect();
        let document = json!({"mail": arrived.identity(), "reason": reason, "maintenances": maintenances});
        let bytes = document.to_string().into_bytes();
        let written = self.store.put(&self.place.bucket, &key, bytes, "application/json", Expected::Anything).await;
        // What may succeed later is an error: Lambda delivers the mail again.
        written.map(drop).map_err(|error| SinkError::Transient(format!("{key} could not be written: {error}")))
    }
}

impl Sink for Files {
    fn until(&self, deadline: Deadline) {
        self.store.until(deadline);
    }

    /// A file has what was read of a mail, and not the mail: the stored mail is never deleted for it.
    fn can_hold(&self, _: &ArrivedMail, _: Purpose) -> Held {
        Held::NOTHING
    }

    async fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> Result<Delivered, SinkError> {
        self.write("maintenances", arrived, None, &notice.maintenances).await?;
        Ok(Delivered::completely())
    }

    async fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<Held, SinkError> {
        self.write("for-person", arrived, Some(handover.reason), handover.suggestion).await?;
        Ok(Held::NOTHING)
    }
}

/// Reads the variables of `maintenance`, and the first place that the declaration lets the function write to.
fn configuration(variable: &dyn Fn(&str) -> Option<String>) -> Result<(Configuration, Place), ConfigurationError> {
    let configuration = Configuration::read(variable)?;
    let mut reader = Reader::new(variable);
    let place = configuration.context.writes.first().cloned();
    if place.is_none() {
        reader.problem(context::VARIABLE, "names no place to write to: the function has no `writes`");
    }
    reader.finish(place.map(|place| (configuration, place)))
}

async fn serve((configuration, place): (Configuration, Place)) -> ExitCode {
    let log = Arc::new(Log::new(&configuration.context, io::stdout()));
    let sink = Files { store: S3::new(&configuration.aws), place };
    let store = S3::new(&configuration.aws);
    let Configuration { context, policy, deletion, .. } = configuration;
    let pipeline = Pipeline { places: context.mail, policy, deletion, parse: carriers::parse, store, sink, log };
    answer("Unfinished", async |invocation: Invocation<ReceiptEvent>| {
        pipeline.store.until(invocation.deadline);
        pipeline.sink.until(invocation.deadline);
        pipeline.handle(&invocation.request_id, &invocation.event).await
    })
    .await
}

fn main() -> ExitCode {
    start(configuration, serve)
}
