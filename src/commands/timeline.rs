//! `provision timeline`: shows everything that the table and Kafka know of a mail, or of the mails to a recipient.

use std::process::ExitCode;

use super::until_interrupted;
use crate::{
    cli::{Common, Timeline},
    ops::{
        account::{self, Opened},
        sent::{self, Mail, Mails, Source, Wanted, Way},
    },
    render::{self, Printer},
};
use declaration::Declaration;
use engine::Failure;
use kafka::{Selection, Start};
use kinds::Kind;
use problem::Problem;
use sending::{Sought, recorded};

/// Exit code if nothing is known.
const NOTHING: u8 = 1;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Timeline) -> anyhow::Result<ExitCode> {
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    let topic = sent::topic(&declaration, typed.topic.as_deref())?;
    let way = Way::chosen(typed.brokers.named(), &declaration, &topic)?;
    let table = if typed.topic_only { None } else { sent::table(&declaration, typed.table.as_deref())? };
    let is_address = typed.what.contains('@');
    let sought = if is_address { Sought::Recipient(&typed.what) } else { Sought::Mail(&typed.what) };
    let selection = match sought {
        Sought::Recipient(address) => Selection { recipients: vec![address.to_owned()], ..Selection::default() },
        Sought::Mail(id) => Selection { mails: [id.to_owned()].into(), ..Selection::default() },
    };
    let wanted = Wanted { start: Start::Since(typed.since), selection, waits: false };
    until_interrupted(async {
        let opened = if way.needs_account() || table.is_some() {
            Some(account::open(&common.file, common.stage.as_deref()).await?)
        } else {
            None
        };
        let mut source = Source::open((&way, opened.as_ref(), &declaration.region), &topic, wanted).await?;
        let mut mails = Mails::default();
        while let Some(entries) = source.next_before_end().await? {
            for entry in entries {
                mails.add(entry);
            }
        }
        source.close().await;
        if let (Some(table), Some(opened)) = (table, &opened) {
            let sender = typed.sender.as_ref().map(|sender| sender.address.clone());
            for found in records(opened, table, sought, sender.or_else(|| mails.sender())).await? {
                mails.record(found, typed.since);
            }
        }
        let mails: Vec<Mail> = mails.sorted();
        render::sent::timeline(printer, &typed.what, &mails)?;
        Ok(if mails.is_empty() { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
    })
}

/// Reads the records of the table. Messages of a mail name its sender, so that his part of the table is enough.
async fn records(
    opened: &Opened,
    table: &str,
    sought: Sought<'_>,
    sender: Option<String>,
) -> Result<Vec<sending::Recorded>, Problem> {
    let name = opened.names.name(Kind::Table, table);
    let found = recorded(&opened.session.aws.read, &name, sought, sender.as_deref()).await;
    found.map_err(|failure: Failure| {
        Problem::new(format!("Failed to look for {sought} in the table `{table}`"))
            .with_hint("allow `dynamodb:Query` and `dynamodb:Scan`, as `provision policy` does, or pass `--topic-only`")
            .with_source(failure)
    })
}
