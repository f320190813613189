//! The sinks that a function is configured with. Nothing is read or connected before the first mail needs it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    configuration::{Configuration, NetBoxSettings, SinkKind, WEBHOOK_CA, WebhookSettings},
    pipeline::{
        letter::Letter,
        sink::{Case, Delivered, Several, Sink, SinkError},
        unmatched::Unmatched,
    },
    sinks::{
        calendar::CalendarFile,
        lines::Lines,
        netbox::{client::Client, delivery::NetBox},
        webhook::Webhook,
    },
};
use notice::outcome::Notice;
use runtime::{
    Deadline, S3, SecretSource,
    environment::{Aws, SecretPlace},
    http::OwnCa,
    http_client,
    log::Log,
    secrets_manager,
};

/// One of the sinks.
#[derive(Debug)]
pub enum OneSink {
    /// The log.
    Lines(Lines),
    /// NetBox.
    NetBox(Box<NetBox>),
    /// A server of one's own.
    Webhook(Box<Webhook>),
    /// A calendar in a bucket.
    Calendar(Box<CalendarFile<S3>>),
}

/// The sinks of that configuration. `store` is where they write objects.
pub fn sinks(configuration: &Configuration, store: &S3, log: &Arc<Log>) -> Several<OneSink> {
    let aws = &configuration.aws;
    let one = |kind: &SinkKind| match kind.clone() {
        SinkKind::Lines => OneSink::Lines(Lines::new(Arc::clone(log))),
        SinkKind::NetBox(settings) => OneSink::NetBox(Box::new(netbox(settings, aws, store))),
        SinkKind::Webhook(settings) => OneSink::Webhook(Box::new(webhook(settings, aws))),
        SinkKind::Calendar(settings) => OneSink::Calendar(Box::new(CalendarFile {
            store: store.clone(),
            place: settings.place,
            name: settings.name,
            unmatched: settings.unmatched.map(|place| Unmatched { store: store.clone(), place }),
            now: Timestamp::now,
        })),
    };
    Several(configuration.sinks.iter().map(one).collect())
}

fn netbox(settings: NetBoxSettings, aws: &Aws, store: &S3) -> NetBox {
    let client = Client::new(&settings.url, settings.ca, secret(settings.token, aws)).with_plugin(settings.plugin);
    let unmatched = settings.unmatched.map(|place| Unmatched { store: store.clone(), place });
    NetBox::new(client, settings.providers).with_unmatched(unmatched)
}

fn webhook(settings: WebhookSettings, aws: &Aws) -> Webhook {
    let ca = settings.ca.map(|pem| OwnCa { variable: WEBHOOK_CA, pem });
    Webhook::new(&settings.url, ca, secret(settings.secret, aws))
}

fn secret(place: SecretPlace, aws: &Aws) -> SecretSource {
    match place {
        SecretPlace::Given(secret) => SecretSource::Given(secret),
        SecretPlace::SecretsManager(name) => {
            let client = secrets_manager(aws, http_client(aws.secrets_endpoint.as_deref()));
            SecretSource::SecretsManager { client, name }
        }
    }
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

    async fn deliver(&self, letter: &Letter, notice: &Notice) -> Result<Delivered, SinkError> {
        match self {
            Self::Lines(sink) => sink.deliver(letter, notice).await,
            Self::NetBox(sink) => sink.deliver(letter, notice).await,
            Self::Webhook(sink) => sink.deliver(letter, notice).await,
            Self::Calendar(sink) => sink.deliver(letter, notice).await,
        }
    }

    async fn hand_over(&self, letter: &Letter, case: &Case<'_>) -> Result<(), SinkError> {
        match self {
            Self::Lines(sink) => sink.hand_over(letter, case).await,
            Self::NetBox(sink) => sink.hand_over(letter, case).await,
            Self::Webhook(sink) => sink.hand_over(letter, case).await,
            Self::Calendar(sink) => sink.hand_over(letter, case).await,
        }
    }
}
