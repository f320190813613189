//! The Lambda function that takes carriers' maintenance mails: an event of SES in, notices out.

// How deep futures may be nested, for the compiler.
#![recursion_limit = "256"]

use std::{process::ExitCode, sync::Arc};

use contract::receipt_event::ReceiptEvent;
use lambda_runtime::LambdaEvent;
use maintenance::{
    composition::sinks,
    configuration::Configuration,
    pipeline::{Pipeline, sink::Sink},
};
use runtime::{S3, answer, log::Log, start};

fn main() -> ExitCode {
    start(Configuration::read, serve)
}

async fn serve(configuration: Configuration) -> ExitCode {
    let log = Arc::new(Log::new(&configuration.context, std::io::stdout()));
    let store = S3::new(&configuration.aws);
    let sink = sinks(&configuration, &store, &log);
    let Configuration { context, policy, deletion, .. } = configuration;
    let pipeline = Pipeline { places: context.mail, policy, deletion, parse: notice::parse, store, sink, log };
    answer("Unfinished", async |event: LambdaEvent<ReceiptEvent>| {
        pipeline.sink.until(event.context.deadline());
        pipeline.handle(&event.context.request_id, &event.payload).await
    })
    .await
}
