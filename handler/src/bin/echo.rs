//! The Lambda function that tells of every mail what is known of it.

use std::process::ExitCode;

use handler::{
    echo::{Echo, configuration::Configuration},
    event::ReceiptEvent,
    lambda::{S3, failed_start, prepare_log},
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
    let aws = &configuration.aws;
    let objects = S3::new(aws);
    let echo = Echo { places: configuration.context.mail, disposition: configuration.disposition, objects };
    let handle = service_fn(async |event: LambdaEvent<ReceiptEvent>| {
        echo.handle(&event.context.request_id, &event.payload, &mut std::io::stdout())
            .await
            .map_err(|error| Diagnostic { error_type: "NotEchoed".to_owned(), error_message: error.to_string() })
    });
    match Runtime::new(handle).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Runtime API cannot be reached");
            ExitCode::FAILURE
        }
    }
}
