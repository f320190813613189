//! Telxius: labels in English and Spanish, one or several windows in UTC, and a table of circuits whose column `CRT` has their ids.
//!
//! A line that is marked `(Backup Window)` is used only if the work fails in the others, and is announced again then: it is no
//! maintenance. Older notices are lists of labels and values.

use super::published::read_labels;
use notice::{
    bilingual, dates,
    draft::{Draft, Times},
    failure::Failure,
    found::Found,
    lines::Lines,
    maintnote,
    model::{Circuit, Moment, Status},
    page::Page,
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Telxius.
pub static PROVIDER: Provider = Provider {
    slug: "telxius",
    name: "Telxius",
    domains: &["telxius.com"],
    organizer: "",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

const NUMBER: &str = "Notification Number";
const TYPE: &str = "Notification Type";
const SCHEDULE: &str = "Schedule";
const CIRCUITS: &str = "Affected Circuits";
const COLUMN: &str = "CRT";

static ID: Pattern = Pattern::new(r"^SW[A-Z]?\d{5,}$");
static CUSTOMER: Pattern = Pattern::new(r"(?i)\bnotification ?: ?\S+ ?[-–] ?(.+)$");
static RANGE: Pattern = Pattern::new(
    r"(?i)^(\d{1,2}[-/ ][a-z]{3,9}[-/ ]\d{4},? \d{1,2}:\d{2}(?::\d{2})?)(?: ?\(?(?:UTC|GMT)\)?)? ?(?:-|–|to|//) ?(\d{1,2}[-/ ][a-z]{3,9}[-/ ]\d{4},? \d{1,2}:\d{2}(?::\d{2})?)(?: ?\(?(?:UTC|GMT)\)?)?(.*)$",
);
static BOUND: Pattern = Pattern::new(
    r"(?i)^(start|end) ?time ?: ?(\d{1,2}[-/ ][a-z]{3,9}[-/ ]\d{4},? \d{1,2}:\d{2}(?::\d{2})?)(?: ?\(?(?:UTC|GMT)\)?)?(.*)$",
);
static UNIVERSAL: Pattern = Pattern::new(r"\b(?:UTC|GMT)\b");
static BACKUP: Pattern = Pattern::new(r"(?i)^\W*\(?\W*(?:backup|contingency|reserve|respaldo)\b[^\d]*$");

const FORMATS: &[&str] = &["%d-%b-%Y %H:%M[:%S]", "%d/%b/%Y %H:%M[:%S]", "%d %b %Y %H:%M[:%S]"];

fn says(source: &Source<'_>) -> Option<Found<String>> {
    let lines = source.body().ok()?;
    let names_itself = lines.iter().any(|(_, line)| line.contains("Telxius"));
    let number = || bilingual::field(lines, NUMBER).ok()?.filter(|number| ID.is_match(&number.value));
    names_itself.then(number).flatten().or_else(|| maintnote::names(source, source.provider()))
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let lines = source.body()?;
    let Some(number) = bilingual::field(lines, NUMBER)? else { return read_labels(source) };
    let id = number.try_map("a number such as `SWX0012345`", |id| ID.is_match(id).then(|| id.clone()))?;
    let subject = source.subject();
    let status = status(&subject, lines)?;
    let mut draft = Draft::new(source).sent_by_author(source).id(id).circuits(circuits(source, lines)?);
    if let Some(customer) = CUSTOMER.captures(&subject.value).and_then(|captures| captures.get(1)) {
        draft = draft.account(subject.with(customer.as_str().to_owned()));
    }
    if let Some(description) = bilingual::field(lines, "Description")? {
        draft = draft.summary(description);
    }
    let windows = windows(lines)?;
    let is_final = status.value.is_final();
    let draft = draft.status(status);
    match windows.as_slice() {
        [] if is_final => Ok(Reading::Notice(vec![draft])),
        [] => Err(Failure::missing("a window under `Schedule` that is not a backup")),
        _ => draft.in_windows(windows).map(Reading::Notice),
    }
}

/// Returns the status of the subject and the type; `NORMAL` states none.
fn status(subject: &Found<String>, lines: &Lines) -> Result<Found<Status>, Failure> {
    let kind = bilingual::expect(lines, TYPE)?;
    let of_kind = match bilingual::status(&kind)? {
        None if kind.value.to_lowercase().starts_with("normal") => None,
        None => return Err(Failure::malformed("a type such as `NORMAL`", &kind)),
        status => status,
    };
    let statuses = bilingual::status(subject)?.into_iter().chain(of_kind);
    let status = words::strongest(statuses)?;
    status.ok_or_else(|| Failure::malformed("a subject such as `SCHEDULED Maintenance Notification`", subject))
}

const WINDOW: &str = "a window in UTC such as `22-Apr-2031 05:00 - 22-Apr-2031 08:00`";

/// A line of times below `Schedule`.
enum Schedule {
    /// A window with start and end.
    Window(Times),
    /// Its start, or its end.
    Bound { is_start: bool, is_backup: bool, time: Found<Moment> },
    /// A window in reserve, which may not be needed.
    Backup,
}

/// Returns the windows below `Schedule` that are not backups.
fn windows(lines: &Lines) -> Result<Vec<Times>, Failure> {
    let label = |line: &str| line.split_once(':').map(|(label, _)| label.trim_matches(['*', ' ']).to_owned());
    let says = |line: &str, name| label(line).is_some_and(|label| bilingual::says(&label, name));
    let mut below = lines.iter().skip_while(|(_, line)| !says(line, SCHEDULE));
    let Some((_, heading)) = below.next() else { return Ok(Vec::new()) };
    let is_universal = UNIVERSAL.is_match(heading);
    let (mut windows, mut open) = (Vec::new(), None);
    for (place, line) in below.take_while(|(_, line)| !says(line, CIRCUITS)) {
        let line = line.trim_start_matches(['*', '-', '•', '>', ' ']);
        if !line.contains(|digit: char| digit.is_ascii_digit()) {
            continue;
        }
        let found = Found::text(line, place);
        if !is_universal && !UNIVERSAL.is_match(line) {
            return Err(Failure::malformed(WINDOW, &found));
        }
        match (schedule(&found)?, open.take()) {
            (Schedule::Window(times), None) => windows.push(times),
            (Schedule::Backup, None) => {}
            (Schedule::Bound { is_start: true, is_backup, time }, None) => open = Some((time, is_backup)),
            (Schedule::Bound { is_start: false, is_backup, time }, Some((start, also))) if is_backup == also => {
                windows.extend((!is_backup).then_some((start, time)));
            }
            _ => return Err(Failure::malformed("a start and an end by turns", &found)),
        }
    }
    if open.is_some() { Err(Failure::missing("an end time")) } else { Ok(windows) }
}

fn schedule(found: &Found<String>) -> Result<Schedule, Failure> {
    let time = |text: &str| {
        let read = |_: &String| dates::universal(&format!("{} UTC", text.replace(',', "")), FORMATS);
        found.try_with(WINDOW, read)
    };
    let is_backup = |rest: &str| match rest.trim() {
        "" => Ok(false),
        rest if BACKUP.is_match(rest) => Ok(true),
        _ => Err(Failure::malformed(WINDOW, found)),
    };
    let part = |captures: &regex::Captures<'_>, group| {
        captures.get(group).map_or(String::new(), |part| part.as_str().to_owned())
    };
    if let Some(captures) = RANGE.captures(&found.value) {
        if is_backup(&part(&captures, 3))? {
            return Ok(Schedule::Backup);
        }
        return Ok(Schedule::Window((time(&part(&captures, 1))?, time(&part(&captures, 2))?)));
    }
    let captures = BOUND.captures(&found.value).ok_or_else(|| Failure::malformed(WINDOW, found))?;
    Ok(Schedule::Bound {
        is_start: part(&captures, 1).eq_ignore_ascii_case("start"),
        is_backup: is_backup(&part(&captures, 3))?,
        time: time(&part(&captures, 2))?,
    })
}

fn circuits(source: &Source<'_>, lines: &Lines) -> Result<Vec<Found<Circuit>>, Failure> {
    let page: &Page = source.view(&[&["CRM Name", COLUMN]])?;
    let tables = page.tables_with(&[COLUMN]);
    let rows: Vec<_> = tables.iter().flat_map(|table| &table.rows).filter(|row| !row.is_blank()).collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let impact = bilingual::impact(&bilingual::expect(lines, "Service Impact")?)?.value;
    rows.into_iter()
        .map(|row| row.expect(COLUMN)?.try_with("the id of a circuit", |id| Circuit::new(id, impact)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(schedule: &str) -> Result<Vec<String>, Failure> {
        let windows = windows(&Lines::of_text(&format!("{schedule}\nAFFECTED CIRCUITS // CIRCUITOS AFECTADOS:\n1\n")))?;
        Ok(windows.iter().map(|(start, end)| format!("{} {}", start.value, end.value)).collect())
    }

    #[test]
    fn a_backup_is_no_window() {
        let window = "2031-04-22T05:00:00Z 2031-04-22T08:00:00Z";
        for schedule in [
            "SCHEDULE // VENTANA(S) DE TRABAJO (UTC):\n* 22-Apr-2031 05:00 - 22-Apr-2031 08:00\n* 23-Apr-2031 05:00 - 23-Apr-2031 08:00 (Backup Window)",
            "SCHEDULE:\nStart Time: 22/April/2031 05:00 UTC\nEndTime: 22/April/2031 08:00 UTC\nStart Time: 23/April/2031 05:00 UTC (Backup Window)\nEndTime: 23/April/2031 08:00 UTC (Backup Window)",
        ] {
            assert_eq!(read(schedule).unwrap(), [window], "{schedule}");
        }
        assert_eq!(
            read("SCHEDULE (UTC):\n22-Apr-2031 05:00 - 22-Apr-2031 08:00 (Backup Window)").unwrap(),
            Vec::<String>::new()
        );
        for schedule in [
            "SCHEDULE:\n22-Apr-2031 05:00 - 22-Apr-2031 08:00",
            "SCHEDULE (UTC):\n22-Apr-2031 05:00",
            "SCHEDULE (UTC):\n22-Apr-2031 05:00 - 22-Apr-2031 08:00 (moved to 24-Apr-2031)",
            "SCHEDULE (UTC):\nStart Time: 22/April/2031 05:00",
            "SCHEDULE (UTC):\n22/04/2031 05:00 - 22/04/2031 08:00",
        ] {
            assert!(read(schedule).is_err(), "{schedule}");
        }
    }
}
