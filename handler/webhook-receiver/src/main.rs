//! The Lambda function that takes webhooks: a request of API Gateway in, a job in a queue out.

use std::{io, process::ExitCode};

use contract::api_event::ApiEvent;
use runtime::{Invocation, answer, log::Log, queue::Queue, start};
use webhook_receiver::{Receiver, configuration::Configuration, keys::Keys};

fn main() -> ExitCode {
    start(Configuration::read, serve)
}

async fn serve(configuration: Configuration) -> ExitCode {
    let Configuration { context, routes, intake, queue, secrets, aws } = configuration;
    let receiver = Receiver {
        routes,
        intake,
        queue: Queue::new(&aws, queue),
        keys: Keys::new(secrets, &aws),
        log: Log::new(&context, io::stdout()),
    };
    answer("NotReceived", async |invocation: Invocation<ApiEvent>| {
        receiver.handle(&invocation.request_id, invocation.deadline, &invocation.event).await
    })
    .await
}
