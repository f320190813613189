//! KPN: an attached workbook with headings in Dutch and English and a row for each circuit. A column says what the notice is: an
//! announcement or, in one word, a cancellation.
//!
//! No zone is stated. Work at Dutch addresses is most likely meant by Dutch clocks, which is a suggestion and no reading: every such
//! notice goes to a person. Other notices of the carrier are lists of labels and values.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::published::read_labels;
use notice::{
    bilingual, dates,
    draft::Draft,
    failure::Failure,
    found::Found,
    maintnote,
    model::{Circuit, Impact},
    page::Table,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    workbook,
};

/// Definition of the provider KPN.
pub static PROVIDER: Provider = Provider {
    slug: "kpn",
    name: "KPN",
    domains: &["kpn.com"],
    organizer: "",
    learned_from: LearnedFrom::RealMails,
    says: |source| maintnote::names(source, source.provider()),
    read,
};

/// Headings, each by its English name, or the only one.
const ID: &str = "Astrid/IDA";
const CIRCUIT: &str = "V/G/A number";
const LINE: &str = "Line ID";
const COMPANY: &str = "Company A-location";
const KIND: &str = "Aankondiging";
const DOWNTIME: &str = "Downtime";

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    if let Some(drafts) = maintnote::read(source)? {
        return Ok(Reading::Notice(drafts));
    }
    let is_workbook = |name: &str| name.to_lowercase().ends_with(".xlsx");
    let mut drafts: Vec<Draft> = Vec::new();
    let mut room = workbook::Room::default();
    for attachment in &source.mail().attachments {
        if attachment.name.as_deref().is_some_and(is_workbook) {
            for table in workbook::tables(&attachment.bytes, &mut room)? {
                drafts.extend(drafts_of(source, &table)?);
            }
        }
    }
    if drafts.is_empty() {
        return read_labels(source);
    }
    let zone = Failure::missing("the zone of the times in the workbook; suggested is that of the Netherlands");
    Ok(Reading::Doubted(zone, drafts))
}

/// Returns a draft for each maintenance and window of a sheet; none where it has other columns.
fn drafts_of(source: &Source<'_>, table: &Table) -> Result<Vec<Draft>, Failure> {
    let Some(at) = table.rows.iter().position(|row| column(row, ID).is_some() && column(row, CIRCUIT).is_some()) else {
        return Ok(Vec::new());
    };
    let Some((headings, rows)) = table.rows.get(at..).and_then(<[_]>::split_first) else { return Ok(Vec::new()) };
    let mut drafts: Vec<Draft> = Vec::new();
    let mut known = BTreeMap::new();
    for row in rows.iter().filter(|row| row.iter().any(|cell| !cell.value.is_empty())) {
        let cell = |name: &str| {
            let cell = column(headings, name).and_then(|at| row.get(at)).filter(|cell| !cell.value.is_empty());
            cell.ok_or_else(|| Failure::missing(format!("a cell under `{name}`")))
        };
        let time = |date: &str, time: &str| {
            let (date, time) = (cell(date)?, cell(time)?);
            let quote = format!("{} {}", date.value, time.value);
            let zone = TimeZone::get("Europe/Amsterdam").map_err(|_| Failure::missing("the zone of Amsterdam"))?;
            dates::read_in(
                Found { quote: quote.clone(), ..time.clone() }.map(|_| quote),
                &["%d-%m-%Y %H:%M[:%S]"],
                &zone,
            )
        };
        let kind = cell(KIND)?;
        let status =
            bilingual::status(kind)?.ok_or_else(|| Failure::malformed("a kind such as `Aankondiging`", kind))?;
        let downtime = cell(DOWNTIME)?.try_with("a number of minutes", |text| text.trim().parse::<u32>().ok())?;
        let impact = if downtime.value == 0 { Impact::NoImpact } else { Impact::Outage };
        let circuit = cell(CIRCUIT)?.try_with("the number of a circuit", |id| Circuit::new(id, impact))?;
        let id = cell(ID)?.clone();
        let (start, end) = (time("Start date", "Start time")?, time("End date", "End time")?);
        let key = vec![id.value.clone(), status.value.to_string(), start.value.to_string(), end.value.to_string()];
        let at = *known.entry(key).or_insert(drafts.len());
        if let Some(draft) = drafts.get_mut(at) {
            draft.add_circuit(circuit);
            continue;
        }
        let line = cell(LINE)?;
        let summary = line.clone().map(|line| format!("KPN maintenance {} ({line})", id.value));
        let mut draft =
            Draft::new(source).sent_by_author(source).id(id).status(status).circuits([circuit]).summary(summary);
        if let Ok(company) = cell(COMPANY) {
            draft = draft.account(company.clone());
        }
        drafts.push(draft.window(start, end));
    }
    Ok(drafts)
}

/// Returns the column whose heading has that name in one of its languages.
fn column(headings: &[Found<String>], name: &str) -> Option<usize> {
    headings.iter().position(|heading| bilingual::says(&heading.value, name))
}
