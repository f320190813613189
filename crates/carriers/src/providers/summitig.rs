//! Summit IG: a table of labels and values, sent as a page, as a text that is the source of a page, and with an invitation that has
//! the window in UTC.
//!
//! The labels of the times name their zone. `EST` in summer is read only where a time in UTC stands beside it. All times must agree,
//! those of the invitation too.

use super::published::read_labels;
use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::Found,
    listed, maintnote,
    model::{Circuit, Moment, Status},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Summit IG.
pub static PROVIDER: Provider = Provider {
    slug: "summitig",
    name: "Summit IG",
    domains: &["summitig.net", "summitig.com"],
    organizer: "",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

static HEADING: Pattern = Pattern::new(r"(?i)^(event (?:update|notification|cancell?ation|completion).*)$");
static TIME_LABEL: Pattern = Pattern::new(r"(?i)^(start|end) time \(([^)]+)\):?$");
static NAME: Pattern = Pattern::new(r"(?i)\bsummit ?ig\b");

const FORMATS: &[&str] = &["%m/%d/%Y %I:%M[:%S] %p", "%m/%d/%Y %H:%M[:%S]", "%Y-%m-%d %H:%M[:%S]"];

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let is_ours = NAME.is_match(&source.subject().value) && field(source, "Event").is_some();
    let heading = source.body().ok()?.matching(&HEADING).filter(|_| is_ours);
    heading.or_else(|| maintnote::names(source, source.provider()))
}

/// Returns the text beside the label in a cell, or after it on a line.
fn field(source: &Source<'_>, label: &str) -> Option<Found<String>> {
    let cell = source.page().ok().and_then(|page| page.value_of(label));
    cell.or_else(|| source.body().ok()?.labelled(&format!("{label}:")))
}

fn expect(source: &Source<'_>, label: &str) -> Result<Found<String>, Failure> {
    field(source, label).ok_or_else(|| Failure::missing(format!("a value of `{label}`")))
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let Some(event) = field(source, "Event") else { return read_labels(source) };
    let kind = expect(source, "Type")?;
    if !kind.value.to_lowercase().contains("maintenance") {
        return Err(Failure::malformed("an event of the type `Maintenance`", &kind));
    }
    let status = status(source)?;
    let mut draft = Draft::new(source).sent_by_author(source).id(event).circuits(circuits(source)?);
    if let Some(company) = field(source, "Company") {
        draft = draft.account(company);
    }
    if let Some(description) = field(source, "Description") {
        draft = draft.summary(description);
    }
    let window = window(source)?;
    let is_final = status.value.is_final();
    let draft = draft.status(status);
    match window {
        Some((start, end)) => Ok(Reading::Notice(vec![draft.window(start, end)])),
        None if is_final => Ok(Reading::Notice(vec![draft])),
        None => Err(Failure::missing("a value of `Start Time (UTC)`")),
    }
}

/// Returns the status of the field, the subject and the heading.
fn status(source: &Source<'_>) -> Result<Found<Status>, Failure> {
    let field = expect(source, "Status")?;
    let stated = words::status(&field)?;
    let stated = stated.ok_or_else(|| Failure::malformed("a status such as `Scheduled`", &field))?;
    let heading = source.body()?.matching(&HEADING).map(|heading| words::status(&heading)).transpose()?.flatten();
    let statuses = words::status(&source.subject())?.into_iter().chain(heading).chain([stated]);
    words::strongest(statuses)?.ok_or_else(|| Failure::malformed("a status such as `Scheduled`", &field))
}

/// Returns the window by its labels and by the invitation.
fn window(source: &Source<'_>) -> Result<Option<Times>, Failure> {
    let invited = maintnote::windows(source)?;
    let invited = match invited.as_slice() {
        [] => None,
        [window] => Some(window),
        _ => return Err(Failure::ambiguous("one window in the invitation")),
    };
    let (start, end) = (
        time(source, "start", invited.map(|(start, _)| start.value))?,
        time(source, "end", invited.map(|(_, end)| end.value))?,
    );
    match (start, end) {
        (Some(start), Some(end)) => Ok(Some((start, end))),
        (None, None) => Ok(None),
        _ => Err(Failure::missing("both a start and an end")),
    }
}

/// Returns the time behind each label of that bound, one for each zone: they must agree, with each other and with the invitation.
fn time(source: &Source<'_>, bound: &str, invited: Option<Moment>) -> Result<Option<Found<Moment>>, Failure> {
    let mut said: Vec<(Found<String>, String)> = Vec::new();
    let zone_of = |label: &str| {
        let captures = TIME_LABEL.captures(label)?;
        captures
            .get(1)?
            .as_str()
            .eq_ignore_ascii_case(bound)
            .then(|| captures.get(2).map(|zone| zone.as_str().to_owned()))?
    };
    if let Ok(page) = source.page() {
        for row in page.tables().iter().flat_map(|table| &table.rows) {
            for (label, value) in row.iter().zip(row.iter().skip(1)).filter(|(_, value)| !value.value.is_empty()) {
                said.extend(zone_of(&label.value).map(|zone| (value.clone(), zone)));
            }
        }
    }
    if said.is_empty() {
        for (place, line) in source.body()?.iter() {
            let Some((label, value)) = line.split_once("):") else { continue };
            said.extend(zone_of(&format!("{label})")).map(|zone| (Found::text(value, place), zone)));
        }
    }
    let mut times = Vec::new();
    let mut doubted = None;
    for (value, zone) in said {
        let expected = "a time such as `1/31/2031 12:00 AM`, with its zone in the label";
        let local = value.try_with(expected, |text| dates::civil(text, FORMATS))?;
        match dates::moment_at(local.value, &zone) {
            Some(moment) => times.push(value.map(|_| moment)),
            None => doubted = Some(Failure::malformed(format!("a time that `{zone}` has at that season"), &value)),
        }
    }
    if let Some(other) = times.first().filter(|time| {
        times.iter().any(|one| one.value != time.value) || invited.is_some_and(|invited| invited != time.value)
    }) {
        let failure = Failure::ambiguous("the same time in every zone and in the invitation").with_quote(&other.quote);
        return Err(Failure { place: Some(other.place.clone()), ..failure });
    }
    match (times.into_iter().next(), doubted, invited) {
        (Some(time), ..) => Ok(Some(time)),
        (None, Some(doubt), _) => Err(doubt),
        (None, None, _) => Ok(None),
    }
}

fn circuits(source: &Source<'_>) -> Result<Vec<Found<Circuit>>, Failure> {
    let Some(list) = field(source, "Circuits") else { return Ok(Vec::new()) };
    let impact = words::impact(&expect(source, "Impact")?)?.value;
    let lines = source.page().map_or_else(|_| vec![list.clone()], |page| page.lines_of(&list));
    let ids = lines.iter().flat_map(|line| listed::ids(&line.value).map(|id| line.with(id.to_owned())));
    let ids = ids.filter(|id| !id.value.is_empty());
    ids.map(|id| id.try_map("the id of a circuit", |id| Circuit::new(id, impact))).collect()
}

#[cfg(test)]
mod tests {
    use mail::Mail;

    use crate::parse;
    use notice::outcome::Outcome;

    fn notice(times: &str, calendar: &str) -> Option<String> {
        let rows = "<tr><td>Event<td>EX-EV-17<tr><td>Company<td>Example<tr><td>Type<td>Maintenance<tr><td>Impact<td>Outage\
            <tr><td>Circuits<td>EXS-000017 Example<tr><td>Status<td>Scheduled";
        let page = format!("<html><h1>Event Update</h1><table>{rows}{times}</table></html>");
        let mail = format!(
            "From: outages@summitig.net\nDate: Mon, 3 Mar 2031 09:00:00 +0000\nSubject: SummitIG Maintenance Notification\n\
             Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n{page}\n{calendar}--b--\n"
        );
        match parse(&Mail::decode(mail.as_bytes())) {
            Outcome::Notice(notice) => {
                let (start, end) = notice.maintenances[0].window()?.stated();
                Some(format!("{start} {end}"))
            }
            Outcome::Failed { .. } => None,
            other => panic!("{other:?}"),
        }
    }

    fn times(month: u8, zone: &str, hours: [&str; 2]) -> String {
        format!(
            "<tr><td>Start Time ({zone})<td>{month}/21/2031 {}<tr><td>End Time ({zone})<td>{month}/21/2031 {}",
            hours[0], hours[1]
        )
    }

    #[test]
    fn a_zone_that_is_not_in_season_is_for_a_person() {
        assert_eq!(
            notice(&times(4, "UTC", ["4:00 AM", "10:00 AM"]), "").as_deref(),
            Some("2031-04-21T04:00:00Z 2031-04-21T10:00:00Z")
        );
        let winter = times(2, "EST", ["12:00 AM", "6:00 AM"]);
        let expected = Some("2031-02-21T00:00:00-05:00 2031-02-21T06:00:00-05:00");
        assert_eq!(notice(&winter, "").as_deref(), expected);
        let summer = times(7, "EST", ["12:00 AM", "6:00 AM"]);
        assert_eq!(notice(&summer, ""), None);
        let both = summer + &times(7, "UTC", ["4:00 AM", "10:00 AM"]);
        assert_eq!(notice(&both, "").as_deref(), Some("2031-07-21T04:00:00Z 2031-07-21T10:00:00Z"));
        let invitation = |hour: &str| {
            format!(
                "--b\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20310221T{hour}0000Z\n\
             DTEND:20310221T110000Z\nEND:VEVENT\nEND:VCALENDAR\n"
            )
        };
        assert_eq!(notice(&winter, &invitation("05")).as_deref(), expected);
        assert_eq!(notice(&winter, &invitation("04")), None);
    }
}
