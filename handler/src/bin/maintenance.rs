//! The Lambda function that takes carriers' maintenance mails: an event of SES in, notices out.

// How deep futures may be nested, for the compiler.
#![recursion_limit = "256"]

use std::{process::ExitCode, sync::Arc};

use handler::{
    event::ReceiptEvent,
    lambda::{S3, answer, sinks, start},
    maintenance,
    pipeline::{Pipeline, configuration::Configuration, log::Log, sink::Sink},
};
use lambda_runtime::LambdaEvent;

fn main() -> ExitCode {
    start(|variable| Configuration::read(variable), serve)
}

async fn serve(configuration: Configuration) -> ExitCode {
    let log = Arc::new(Log::new(&configuration.context, std::io::stdout()));
    let store = S3::new(&configuration.aws);
    let sink = sinks(&configuration, &store, &log);
    let Configuration { context, policy, deletion, .. } = configuration;
    let pipeline = Pipeline { places: context.mail, policy, deletion, parse: maintenance::parse, store, sink, log };
    answer("Unfinished", async |event: LambdaEvent<ReceiptEvent>| {
        pipeline.sink.until(event.context.deadline());
        pipeline.handle(&event.context.request_id, &event.payload).await
    })
    .await
}
