//! `provision timeline`: shows everything that Kafka knows of a mail, or of the mails to a recipient.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use super::{tail::unread, until_interrupted};
use crate::{
    cli::{Common, Timeline},
    ops::sent,
    render::{self, Printer},
};
use declaration::Declaration;
use events::Message;
use kafka::{Reader, Selection, Start};

/// Exit code if nothing is known.
const NOTHING: u8 = 1;
/// Time that is waited for the next records.
const WAIT: Duration = Duration::from_secs(1);

/// What orders mails, and the messages of one: a time, and what tells those of one time apart.
type Order = (String, String);

pub(super) fn run(printer: &Printer, common: &Common, typed: &Timeline) -> anyhow::Result<ExitCode> {
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    let topic = sent::topic(&declaration, typed.topic.as_deref())?;
    let bootstrap = sent::bootstrap(typed.brokers.bootstrap.as_deref(), &topic)?;
    let selection = if typed.what.contains('@') {
        Selection { recipients: vec![typed.what.clone()], ..Selection::default() }
    } else {
        Selection { mails: [typed.what.clone()].into(), ..Selection::default() }
    };
    until_interrupted(async {
        let security = sent::security(bootstrap, &declaration.region).await?;
        let reader = Reader::open(bootstrap, topic.name, &security, Start::Since(typed.since)).await.map_err(unread)?;
        // By mail, in the order in which it happened, each message once: it may be there twice.
        let mut mails: BTreeMap<Order, BTreeMap<Order, Message>> = BTreeMap::new();
        while !reader.is_at_end().await {
            for entry in reader.next(WAIT).await.map_err(unread)? {
                let Ok(message) = entry.message else { continue };
                if !selection.has(&message) {
                    continue;
                }
                let mail = (message.send_at.clone().unwrap_or_default(), message.message_id.clone());
                let place = (message.store_id.clone(), entry.dedup_id.unwrap_or_default());
                mails.entry(mail).or_default().insert(place, message);
            }
        }
        reader.close().await;
        let mails: Vec<Vec<Message>> = mails.into_values().map(|mail| mail.into_values().collect()).collect();
        render::sent::timeline(printer, &typed.what, &mails)?;
        Ok(if mails.is_empty() { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
    })
}
