//! The Lambda function through which Kafka is reached inside a VPC: questions about topics in, answers out.

use std::{io, process::ExitCode};

use kafka::asked::Event;
use kafka_access::{configuration::Configuration, function::Function};
use runtime::{Deadline, Invocation, answer_with_checks, log::Log, start};

fn main() -> ExitCode {
    start(Configuration::read, serve)
}

async fn serve(configuration: Configuration) -> ExitCode {
    let log = Log::new(&configuration.context, io::stdout());
    let function = Function { configuration, log };
    answer_with_checks(
        "NotAnswered",
        async |Invocation { request_id, event, deadline }: Invocation<Event>| {
            function.handle(&request_id, &event.provision, deadline).await
        },
        async |deadline: Deadline| function.check(deadline).await,
    )
    .await
}
