//! `provision track`: shows what became of sent mails, for each recipient, from the database of delivery tracking; or SES's suppression
//! list.

use std::process::ExitCode;

use super::until_interrupted;
use crate::{
    cli::{Common, Track},
    ops::{
        account,
        track::{self, Address},
    },
    render::{self, Printer, track::Format},
};
use declaration::Declaration;
use delivery::Selection;
use jiff::{Timestamp, ToSpan as _};
use problem::Problem;

/// Exit code if nothing is known.
const NOTHING: u8 = 1;
/// Minutes after which a mail that nobody has recorded is parked, and not only early.
const EARLY: i64 = 5;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Track) -> anyhow::Result<ExitCode> {
    let format = match (printer.is_json(), typed.csv) {
        (true, _) => Format::Json,
        (false, true) => Format::Csv,
        (false, false) => Format::Text,
    };
    if typed.suppressed {
        return suppressed(printer, common, format);
    }
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    let selection = selection(typed)?;
    until_interrupted(async {
        let location = match track::address(&declaration, typed.function.as_deref())? {
            // Nothing is asked of AWS.
            Address::Given(url) => track::given(&url)?,
            address @ Address::OfFunction(..) => {
                let opened = account::open(&common.file, common.stage.as_deref()).await?;
                track::location(&opened, &address).await?
            }
        };
        // One more than is shown, to see whether there are more.
        let found = track::reader(&location).tracked(&selection, typed.limit.saturating_add(1)).await;
        let mut mails = found.map_err(|fault| track::unread(&location.to_string(), fault))?;
        let limit = usize::try_from(typed.limit).unwrap_or(usize::MAX);
        let has_more = mails.len() > limit;
        mails.truncate(limit);
        let opens = track::tells_of_opens(&declaration);
        render::track::mails(printer, format, &render::track::Found { mails: &mails, has_more, opens })?;
        Ok(if mails.is_empty() { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
    })
}

fn selection(typed: &Track) -> Result<Selection, Problem> {
    Ok(match (&typed.what, typed.since) {
        (Some(what), _) if what.contains('@') => Selection::Recipient(what.clone()),
        (Some(what), _) => Selection::Mail(what.clone()),
        (None, Some(since)) => Selection::Since(since),
        (None, None) => {
            let early = Timestamp::now().checked_sub(EARLY.minutes());
            Selection::ParkedBefore(early.map_err(|error| Problem::new("Failed to read the clock").with_source(error))?)
        }
    })
}

fn suppressed(printer: &Printer, common: &Common, format: Format) -> anyhow::Result<ExitCode> {
    until_interrupted(async {
        let opened = account::open(&common.file, common.stage.as_deref()).await?;
        let list = track::suppressed(&opened).await.map_err(|failure| {
            Problem::new("Failed to read the suppression list")
                .with_hint("`provision policy --for track` prints the rights that this needs")
                .with_source(failure)
        })?;
        render::track::suppressed(printer, format, &list)?;
        Ok(if list.is_empty() { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
    })
}
