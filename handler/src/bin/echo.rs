//! The Lambda function that tells of every mail what is known of it.

use std::process::ExitCode;

use handler::{
    echo::{Echo, configuration::Configuration},
    event::ReceiptEvent,
    lambda::{S3, answer, start},
};
use lambda_runtime::LambdaEvent;

fn main() -> ExitCode {
    start(|variable| Configuration::read(variable), serve)
}

async fn serve(configuration: Configuration) -> ExitCode {
    let objects = S3::new(&configuration.aws);
    let echo = Echo { places: configuration.context.mail, disposition: configuration.disposition, objects };
    answer("NotEchoed", async |event: LambdaEvent<ReceiptEvent>| {
        echo.handle(&event.context.request_id, &event.payload, &mut std::io::stdout()).await
    })
    .await
}
