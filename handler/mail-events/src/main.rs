//! The Lambda function that writes the events of mails to Kafka: notifications of SNS in, messages out.

use std::{io, process::ExitCode};

use contract::{
    notification_event::NotificationEvent,
    sending::{PARTITION_KEY, SORT_KEY},
};
use mail_events::{configuration::Configuration, function::Function, kafka::KafkaTopic};
use runtime::{Deadline, Invocation, answer_with_checks, log::Log, start, table::Table};

fn main() -> ExitCode {
    start(Configuration::read, serve)
}

async fn serve(configuration: Configuration) -> ExitCode {
    let Configuration { context, table, topic, security, join, aws } = configuration;
    let function = Function {
        mails: Table::new(&aws, table, PARTITION_KEY, SORT_KEY),
        topic: KafkaTopic::new(topic, security, &aws),
        join,
        log: Log::new(&context, io::stdout()),
    };
    answer_with_checks(
        "NotWritten",
        async |invocation: Invocation<NotificationEvent>| {
            function.handle(&invocation.request_id, &invocation.event, invocation.deadline).await
        },
        async |deadline: Deadline| function.check(deadline).await,
    )
    .await
}
