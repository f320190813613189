//! `provision tail`: shows the events of sent mails as they come into Kafka.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use super::until_interrupted;
use crate::{
    cli::{Common, Tail},
    ops::{
        account::{self, Opened},
        sent::{self, Source, Topic, Wanted, Way},
    },
    render::{self, Printer},
};
use declaration::Declaration;
use events::Kind;
use jiff::{SignedDuration, Timestamp};
use kafka::{Selection, Start};
use problem::Problem;
use sending::{Sending, Sent};

/// Time for which a mail is watched.
const WATCHED: Duration = Duration::from_mins(2);

pub(super) fn run(printer: &Printer, common: &Common, typed: &Tail) -> anyhow::Result<ExitCode> {
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    let topic = sent::topic(&declaration, Some(&typed.topic))?;
    let way = Way::chosen(typed.brokers.named(), &declaration, &topic)?;
    let selection =
        Selection { recipients: typed.recipient.clone(), kinds: typed.kinds.clone(), ..Selection::default() };
    let start = typed.since.map_or(Start::Now, Start::Since);
    let wanted = Wanted { start, selection, waits: !typed.once };
    until_interrupted(async {
        let opened = opened(common, &way).await?;
        let mut source = Source::open((&way, opened.as_ref(), &declaration.region), &topic, wanted).await?;
        while !printer.is_closed() {
            let entries = if typed.once { source.next_before_end().await? } else { Some(source.next().await?) };
            let Some(entries) = entries else { break };
            for entry in entries {
                render::sent::message(printer, &entry)?;
            }
        }
        source.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Opens the stack if the way leads through a function of it.
async fn opened(common: &Common, way: &Way) -> anyhow::Result<Option<Opened>> {
    if !way.needs_account() {
        return Ok(None);
    }
    account::open(&common.file, common.stage.as_deref()).await.map(Some)
}

/// Shows what becomes of one mail until an event comes after which nothing more does: `last`, else the fate of any recipient. Returns
/// `false` if none comes in time.
pub(super) async fn watch(
    printer: &Printer,
    opened: &Opened,
    (topic, way): (&Topic<'_>, &Way),
    (end, last): (&Sending, Option<Kind>),
) -> Result<bool, Problem> {
    let (Sending::Sent { sent, .. } | Sending::AlreadySent { sent, .. }) = end;
    let Sent { message_id, at } = sent;
    let selection = Selection { mails: [message_id.clone()].into(), ..Selection::default() };
    let is_last = |kind: &Kind| match &last {
        Some(last) => kind == last,
        None => matches!(kind, Kind::Delivery | Kind::Bounce | Kind::Reject | Kind::RenderingFailure),
    };
    // The clocks of brokers may differ from this one.
    let start = at.saturating_sub(SignedDuration::from_mins(1)).unwrap_or(Timestamp::UNIX_EPOCH);
    let wanted = Wanted { start: Start::Since(start), selection, waits: true };
    let mut source = Source::open((way, Some(opened), &opened.declaration.region), topic, wanted).await?;
    let (began, mut is_ended) = (Instant::now(), false);
    while !is_ended && began.elapsed() < WATCHED {
        for entry in source.next().await? {
            // Records that are no messages are not about this mail.
            let Ok(message) = &entry.message else { continue };
            let shown = render::sent::message(printer, &entry);
            shown.map_err(|error| Problem::new("Failed to show a message").with_source(error))?;
            is_ended |= is_last(&Kind::of(&message.notify_type));
        }
    }
    source.close().await;
    if !is_ended {
        render::sent::nothing_final(printer, WATCHED);
    }
    Ok(is_ended)
}
