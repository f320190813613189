//! Logs the id of every mail that the stack receives.

use std::{io, process::ExitCode};

use contract::receipt_event::ReceiptEvent;
use runtime::{Invocation, answer, environment::Reader, log::Log, start};

fn main() -> ExitCode {
    start(
        |variable| {
            let mut reader = Reader::new(variable);
            let context = reader.context();
            reader.finish(context)
        },
        async |context| {
            let log = Log::new(&context, io::stdout());
            answer("NotNotified", async |invocation: Invocation<ReceiptEvent>| {
                for record in &invocation.event.records {
                    log.line(&serde_json::json!({"mail": record.ses.mail.message_id}))?;
                }
                Ok::<_, io::Error>("done")
            })
            .await
        },
    )
}
