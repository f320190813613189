//! FLAG, the name that Global Cloud Xchange took: the subject is a record of the same kind, whose last part says where the
//! maintenance stands. The page has a table of windows, with columns for a backup that is no maintenance, and one of services.

use super::globalcloudxchange::{self, circuits, windows_under};
use notice::{
    draft::Draft,
    failure::Failure,
    found::Found,
    lines::Lines,
    model::Status,
    pattern::{Pattern, SALUTATION},
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider FLAG Telecom.
pub static PROVIDER: Provider = Provider {
    slug: "flag",
    name: "FLAG",
    domains: &["flagtel.com"],
    organizer: "",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const START: &str = "Start Date (GMT)";
const END: &str = "End Date (GMT)";

static NAME: Pattern = Pattern::new(r"\bFLAG\b");
static RECORD: Pattern = Pattern::new(r"^(?:.*\|)?\s*([A-Z]{2,5}\d{8,})\s*\|(.+)$");

/// Returns a record in the subject, in a mail that names FLAG and not its old name.
fn says(source: &Source<'_>) -> Option<Found<String>> {
    let subject = source.subject();
    let body = source.body().ok()?.joined();
    let is_ours = NAME.is_match(&body) && !body.contains("Global Cloud Xchange");
    (is_ours && globalcloudxchange::ID.is_match(&subject.value)).then_some(subject)
}

/// Its address is not published: whoever wrote the mail is the organizer.
fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let page = source.page();
    let is_own = page.as_ref().is_ok_and(|page| !page.tables_with(&[START, END]).is_empty());
    let Some(record) = RECORD.captures(&subject.value).filter(|_| is_own) else {
        return Ok(globalcloudxchange::read(source)?.sent_by_author(source));
    };
    let page = page?;
    source.expect_whole(&["any additional information", "Key Terms"])?;
    let part = |group| subject.with(record.get(group).map_or("", |part| part.as_str()).trim().to_owned());
    let status = status(&part(2), page.lines())?;
    let mut draft = Draft::new(source).sent_by_author(source).id(part(1)).circuits(circuits(page, status.value)?);
    if let Some(customer) = page.lines().matching(&SALUTATION) {
        draft = draft.account(customer);
    }
    draft = summary(page.lines()).into_iter().fold(draft, Draft::summary);
    let windows = windows_under(page, START, END)?;
    draft.status(status).in_windows(windows).map(Reading::Notice)
}

/// Returns the status of each part of the record, and of the sentence below the salutation.
fn status(record: &Found<String>, lines: &Lines) -> Result<Found<Status>, Failure> {
    let mut statuses = Vec::new();
    for part in record.value.split('|').map(str::trim).filter(|part| !part.is_empty()) {
        let part = record.with(part.to_owned());
        let status = words::status(&part)?;
        statuses.push(status.ok_or_else(|| Failure::malformed("parts such as `Planned Work | Scheduled`", &part))?);
    }
    statuses.extend(words::status_told_in(lines.opening(&["Window", "Service ID"]))?);
    words::strongest(statuses)?.ok_or_else(|| Failure::malformed("parts such as `Planned Work | Scheduled`", record))
}

/// Returns the line below the salutation.
fn summary(lines: &Lines) -> Option<Found<String>> {
    let mut below = lines.iter().skip_while(|(_, line)| !SALUTATION.is_match(line)).skip(1);
    below.find(|(_, line)| !line.is_empty()).map(|(place, line)| Found::text(line, place))
}
