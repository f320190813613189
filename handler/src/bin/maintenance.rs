//! The Lambda function that takes carriers' maintenance mails: an event of SES in, notices out.

use std::{process::ExitCode, sync::Arc};

use handler::{
    event::ReceiptEvent,
    lambda::{S3, SecretSource, failed_start, http_client, prepare_log, secrets_manager},
    maintenance,
    netbox::{client::Client, delivery::NetBox},
    pipeline::{
        Pipeline,
        configuration::{Aws, Configuration, NetBoxSettings, SinkKind, TokenPlace},
        log::Log,
        sink::{Lines, Sink},
    },
};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};

fn main() -> ExitCode {
    prepare_log();
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run()),
        Err(error) => {
            tracing::error!(%error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> ExitCode {
    let configuration = match Configuration::read(|name| std::env::var(name).ok()) {
        Ok(configuration) => configuration,
        Err(error) => return failed_start(&error.to_string()).await,
    };
    let log = Arc::new(Log::new(&configuration.context, std::io::stdout()));
    match configuration.sink.clone() {
        SinkKind::Lines => serve(configuration, Lines::new(Arc::clone(&log)), log).await,
        SinkKind::NetBox(settings) => {
            let sink = netbox(settings, &configuration.aws);
            serve(configuration, sink, log).await
        }
    }
}

/// Nothing is read or connected before the first mail needs it.
fn netbox(settings: NetBoxSettings, aws: &Aws) -> NetBox {
    let token = match settings.token {
        TokenPlace::Given(token) => SecretSource::Given(token),
        TokenPlace::SecretsManager(name) => {
            let client = secrets_manager(aws, http_client(aws.secrets_endpoint.as_deref()));
            SecretSource::SecretsManager { client, name }
        }
    };
    NetBox::new(Client::new(&settings.url, settings.ca, token), settings.providers)
}

async fn serve(configuration: Configuration, sink: impl Sink, log: Arc<Log>) -> ExitCode {
    let aws = &configuration.aws;
    let store = S3::new(aws, http_client(aws.s3_endpoint.as_deref()));
    let (places, policy) = (configuration.context.mail, configuration.policy);
    let pipeline = Pipeline { places, policy, parse: maintenance::parse, store, sink, log };
    let handle = service_fn(async |event: LambdaEvent<ReceiptEvent>| {
        pipeline.sink.until(event.context.deadline());
        pipeline
            .handle(&event.context.request_id, &event.payload)
            .await
            .map_err(|error| Diagnostic { error_type: "Unfinished".to_owned(), error_message: error.to_string() })
    });
    match Runtime::new(handle).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Runtime API cannot be reached");
            ExitCode::FAILURE
        }
    }
}
