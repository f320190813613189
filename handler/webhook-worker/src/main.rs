//! The Lambda function that stores the outputs of jobs: a batch of a queue in, objects out. It also answers the questions of
//! `provision backfill`.

// Recursion limit of the compiler, for nested futures.
#![recursion_limit = "256"]

use std::{io, process::ExitCode};

use runtime::{Invocation, Postponing, S3, answer, log::Log, start};
use webhook_worker::{
    configuration::Configuration,
    worker::{Answer, Event, Worker},
};

fn main() -> ExitCode {
    start(Configuration::read, serve)
}

async fn serve(configuration: Configuration) -> ExitCode {
    let Configuration { context, place, source, transform, aws, reach } = configuration;
    let log = Log::new(&context, io::stdout());
    let (store, postponing) = (S3::for_large_objects(&aws), Postponing::new(&aws));
    let worker = Worker { place, source: source.open(&aws, reach), transform, store, postponing, log };
    answer("NotStored", async |Invocation { request_id, event, deadline }: Invocation<Event>| match event {
        Event::Batch(batch) => Ok(Answer::Batch(worker.handle(&request_id, &batch, deadline).await)),
        Event::Question(question) => worker.answer(&question, deadline).await,
    })
    .await
}
