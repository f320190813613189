//! Composes the sinks that the function is configured with: this module alone knows all of them.

use std::sync::Arc;

use contract::probe::Check;
use notice::outcome::Notice;
use runtime::{Deadline, S3, log::Log};

use crate::{
    configuration::{Configuration, SinkKind},
    pipeline::{
        arrived_mail::ArrivedMail,
        held::{Held, Purpose},
        sink::{Delivered, Handover, Several, Sink, SinkError},
    },
    sinks::{calendar::CalendarFile, lines::Lines, netbox::delivery::NetBox, webhook::Webhook},
};

/// One of the available sinks.
#[derive(Debug)]
pub enum OneSink {
    /// Writes to the log.
    Lines(Lines),
    /// Delivers notices to a NetBox.
    NetBox(Box<NetBox>),
    /// Posts to a web server.
    Webhook(Box<Webhook>),
    /// Writes a calendar into a bucket.
    Calendar(Box<CalendarFile<S3>>),
}

/// Creates the configured sinks. `store` is where they write objects.
pub fn sinks(configuration: &Configuration, store: &S3, log: &Arc<Log>) -> Several<OneSink> {
    let aws = &configuration.aws;
    let one = |kind: &SinkKind| match kind.clone() {
        SinkKind::Lines => OneSink::Lines(Lines::new(Arc::clone(log))),
        SinkKind::NetBox(settings) => OneSink::NetBox(Box::new(NetBox::open(settings, aws, store))),
        SinkKind::Webhook(settings) => OneSink::Webhook(Box::new(settings.open(aws))),
        SinkKind::Calendar(settings) => OneSink::Calendar(Box::new(settings.open(store))),
    };
    Several(configuration.sinks.iter().map(one).collect())
}

impl Sink for OneSink {
    fn until(&self, deadline: Deadline) {
        match self {
            Self::Lines(sink) => sink.until(deadline),
            Self::NetBox(sink) => sink.until(deadline),
            Self::Webhook(sink) => sink.until(deadline),
            Self::Calendar(sink) => sink.until(deadline),
        }
    }

    async fn check(&self) -> Vec<Check> {
        match self {
            Self::Lines(sink) => sink.check().await,
            Self::NetBox(sink) => sink.check().await,
            Self::Webhook(sink) => sink.check().await,
            Self::Calendar(sink) => sink.check().await,
        }
    }

    fn can_hold(&self, arrived: &ArrivedMail, purpose: Purpose) -> Held {
        match self {
            Self::Lines(sink) => sink.can_hold(arrived, purpose),
            Self::NetBox(sink) => sink.can_hold(arrived, purpose),
            Self::Webhook(sink) => sink.can_hold(arrived, purpose),
            Self::Calendar(sink) => sink.can_hold(arrived, purpose),
        }
    }

    async fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> Result<Delivered, SinkError> {
        match self {
            Self::Lines(sink) => sink.deliver(arrived, notice).await,
            Self::NetBox(sink) => sink.deliver(arrived, notice).await,
            Self::Webhook(sink) => sink.deliver(arrived, notice).await,
            Self::Calendar(sink) => sink.deliver(arrived, notice).await,
        }
    }

    async fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<Held, SinkError> {
        match self {
            Self::Lines(sink) => sink.hand_over(arrived, handover).await,
            Self::NetBox(sink) => sink.hand_over(arrived, handover).await,
            Self::Webhook(sink) => sink.hand_over(arrived, handover).await,
            Self::Calendar(sink) => sink.hand_over(arrived, handover).await,
        }
    }

    async fn settle(&self, arrived: &ArrivedMail) -> Result<(), SinkError> {
        match self {
            Self::Lines(sink) => sink.settle(arrived).await,
            Self::NetBox(sink) => sink.settle(arrived).await,
            Self::Webhook(sink) => sink.settle(arrived).await,
            Self::Calendar(sink) => sink.settle(arrived).await,
        }
    }
}
