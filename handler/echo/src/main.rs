//! The Lambda function that tells of every mail what is known of it.

use std::process::ExitCode;

use contract::receipt_event::ReceiptEvent;
use echo::{Echo, configuration::Configuration};
use lambda_runtime::LambdaEvent;
use runtime::{S3, answer, start};

fn main() -> ExitCode {
    start(Configuration::read, serve)
}

async fn serve(configuration: Configuration) -> ExitCode {
    let objects = S3::new(&configuration.aws);
    let echo = Echo { places: configuration.context.mail, disposition: configuration.disposition, objects };
    answer("NotEchoed", async |event: LambdaEvent<ReceiptEvent>| {
        echo.handle(&event.context.request_id, &event.payload, &mut std::io::stdout()).await
    })
    .await
}
