//! `provision tail`: shows what becomes of sent mails, as it comes into Kafka.

use std::{process::ExitCode, time::Duration};

use super::until_interrupted;
use crate::{
    cli::{Common, Tail},
    ops::sent,
    render::{self, Printer},
};
use declaration::Declaration;
use kafka::{NotRead, Reader, Selection, Start};
use problem::Problem;

/// Time that is waited for more, before it is looked whether somebody still reads.
const WAIT: Duration = Duration::from_millis(500);

pub(super) fn run(printer: &Printer, common: &Common, typed: &Tail) -> anyhow::Result<ExitCode> {
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    let topic = sent::topic(&declaration, Some(&typed.topic))?;
    let bootstrap = sent::bootstrap(typed.brokers.bootstrap.as_deref(), &topic)?;
    let selection =
        Selection { recipients: typed.recipient.clone(), kinds: typed.kinds.clone(), ..Selection::default() };
    let start = typed.since.map_or(Start::Now, Start::Since);
    until_interrupted(async {
        let security = sent::security(bootstrap, &declaration.region).await?;
        let reader = Reader::open(bootstrap, topic.name, &security, start).await.map_err(unread)?;
        while !printer.is_closed() && !(typed.once && reader.is_at_end().await) {
            for entry in reader.next(WAIT).await.map_err(unread)? {
                if entry.message.as_ref().is_ok_and(|message| !selection.has(message)) {
                    continue;
                }
                render::sent::message(printer, &entry)?;
            }
        }
        reader.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Returns why a topic was not read.
pub(super) fn unread(reason: NotRead) -> Problem {
    let problem = Problem::new("Failed to read the topic");
    match &reason {
        NotRead::NotConnected(_) => {
            problem.with_hint("`--bootstrap` needs the brokers' IAM addresses, port 9098, and a way to them")
        }
        NotRead::NoTopic(_) => problem.with_hint("`provision up` creates the declared topics"),
        NotRead::Denied(..) => problem
            .with_hint("allow `kafka-cluster:Connect`, `kafka-cluster:DescribeTopic` and `kafka-cluster:ReadData`"),
        NotRead::Fault(..) => problem,
    }
    .with_source(reason)
}
