//! `provision tail`: shows what becomes of sent mails, as it comes into Kafka.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use super::until_interrupted;
use crate::{
    cli::{Common, Tail},
    ops::sent,
    render::{self, Printer},
};
use declaration::Declaration;
use events::Kind;
use jiff::{SignedDuration, Timestamp};
use kafka::{NotRead, Reader, Security, Selection, Start};
use problem::Problem;
use sending::{Sending, Sent};

/// Time that is waited for more, before it is looked whether somebody still reads.
const WAIT: Duration = Duration::from_millis(500);

/// Time for which a mail is watched.
const WATCHED: Duration = Duration::from_mins(2);

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
        while !(printer.is_closed() || typed.once && reader.is_at_end().await) {
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

/// Shows what becomes of one mail until an event comes after which nothing more does: `last`, else the fate of any recipient. Returns
/// `false` if none comes in time.
pub(super) async fn watch(
    printer: &Printer,
    (bootstrap, topic): (&str, &str),
    security: &Security,
    (end, last): (&Sending, Option<Kind>),
) -> anyhow::Result<bool> {
    let (Sending::Sent { sent, .. } | Sending::AlreadySent { sent, .. }) = end;
    let Sent { message_id, at } = sent;
    let selection = Selection { mails: [message_id.clone()].into(), ..Selection::default() };
    let is_last = |kind: &Kind| match &last {
        Some(last) => kind == last,
        None => matches!(kind, Kind::Delivery | Kind::Bounce | Kind::Reject | Kind::RenderingFailure),
    };
    // The clocks of brokers may differ from this one.
    let start = at.saturating_sub(SignedDuration::from_mins(1)).unwrap_or(Timestamp::UNIX_EPOCH);
    let reader = Reader::open(bootstrap, topic, security, Start::Since(start)).await.map_err(unread)?;
    let (began, mut is_ended) = (Instant::now(), false);
    while !is_ended && began.elapsed() < WATCHED {
        for entry in reader.next(WAIT).await.map_err(unread)? {
            let Ok(message) = &entry.message else { continue };
            if selection.has(message) {
                render::sent::message(printer, &entry)?;
                is_ended |= is_last(&Kind::of(&message.notify_type));
            }
        }
    }
    reader.close().await;
    if !is_ended {
        render::sent::nothing_final(printer, WATCHED);
    }
    Ok(is_ended)
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
