//! The Lambda function that takes carriers' maintenance mails: an event of SES in, notices out.

// How deep futures may be nested, for the compiler.
#![recursion_limit = "256"]

use std::{process::ExitCode, sync::Arc};

use handler::{
    event::ReceiptEvent,
    lambda::{S3, failed_start, prepare_log, sinks},
    maintenance,
    pipeline::{Pipeline, configuration::Configuration, log::Log, sink::Sink},
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
    serve(configuration, log).await
}

async fn serve(configuration: Configuration, log: Arc<Log>) -> ExitCode {
    let store = S3::new(&configuration.aws);
    let sink = sinks(&configuration, &store, &log);
    let Configuration { context, policy, deletion, .. } = configuration;
    let pipeline = Pipeline { places: context.mail, policy, deletion, parse: maintenance::parse, store, sink, log };
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
