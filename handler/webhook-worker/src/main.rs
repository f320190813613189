//! The Lambda function that stores the outputs of jobs: a batch of a queue in, objects out.

// Recursion limit of the compiler, for nested futures.
#![recursion_limit = "256"]

use std::{convert::Infallible, io, process::ExitCode};

use contract::queue_event::QueueEvent;
use runtime::{Invocation, Postponing, S3, answer, log::Log, start};
use webhook_worker::{configuration::Configuration, worker::Worker};

fn main() -> ExitCode {
    start(Configuration::read, serve)
}

async fn serve(configuration: Configuration) -> ExitCode {
    let Configuration { context, place, source, transform, aws, reach } = configuration;
    let log = Log::new(&context, io::stdout());
    let (store, postponing) = (S3::for_large_objects(&aws), Postponing::new(&aws));
    let worker = Worker { place, source: source.open(&aws, reach), transform, store, postponing, log };
    answer("NotStored", async |invocation: Invocation<QueueEvent>| {
        Ok::<_, Infallible>(worker.handle(&invocation.request_id, &invocation.event, invocation.deadline).await)
    })
    .await
}
