//! The Lambda function that takes carriers' maintenance mails: an event of SES in, notices out.

// Recursion limit of the compiler, for nested futures.
#![recursion_limit = "256"]

use std::{process::ExitCode, sync::Arc};

use contract::receipt_event::ReceiptEvent;
use maintenance::{
    composition::sinks,
    configuration::Configuration,
    pipeline::{Pipeline, sink::Sink},
};
use runtime::{Invocation, S3, answer_with_checks, log::Log, start};

fn main() -> ExitCode {
    start(Configuration::read, serve)
}

async fn serve(configuration: Configuration) -> ExitCode {
    let log = Arc::new(Log::new(&configuration.context, std::io::stdout()));
    let store = S3::new(&configuration.aws);
    let sink = sinks(&configuration, &store, &log);
    let Configuration { context, policy, deletion, .. } = configuration;
    let pipeline = Pipeline { places: context.mail, policy, deletion, parse: carriers::parse, store, sink, log };
    let handle = async |invocation: Invocation<ReceiptEvent>| {
        pipeline.store.until(invocation.deadline);
        pipeline.sink.until(invocation.deadline);
        pipeline.handle(&invocation.request_id, &invocation.event).await
    };
    let check = async |deadline| {
        pipeline.sink.until(deadline);
        pipeline.sink.check().await
    };
    answer_with_checks("Unfinished", handle, check).await
}
