//! The Lambda function that logs what is known of every mail.

use std::{io, process::ExitCode};

use contract::receipt_event::ReceiptEvent;
use echo::{Echo, configuration::Configuration};
use runtime::{Invocation, S3, answer, log::Log, start};

fn main() -> ExitCode {
    start(Configuration::read, serve)
}

async fn serve(configuration: Configuration) -> ExitCode {
    let objects = S3::new(&configuration.aws);
    let log = Log::new(&configuration.context, io::stdout());
    let echo = Echo { places: configuration.context.mail, disposition: configuration.disposition, objects, log };
    answer("NotEchoed", async |invocation: Invocation<ReceiptEvent>| {
        echo.handle(&invocation.request_id, &invocation.event).await
    })
    .await
}
