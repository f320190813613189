//! GTT, now EXA Infrastructure: an HTML page whose title says the id and where the maintenance stands, with a table of
//! times and one of services; newer mails have a MAINTNOTE calendar instead.
//!
//! "Update" and "Rescheduled" both mean that the times are to be read again. Old times are struck through, and a
//! cancelled maintenance may have no others. The impact is the longest interruption; its colour tells whether the service
//! is interrupted or loses its resiliency, which a legend under the table explains.

use std::collections::BTreeSet;

use notice::{
    dates,
    draft::{Draft, Times},
    failure::Failure,
    found::Found,
    maintnote,
    model::{Circuit, Impact, Status},
    page::{self, Attribute, Element, Page, Row},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider GTT (EXA).
pub static PROVIDER: Provider = Provider {
    slug: "gtt",
    name: "GTT (EXA)",
    domains: &["gtt.net", "exainfra.net"],
    organizer: "InfraCo.CM@exainfra.net",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

static TITLE: Pattern = Pattern::new(r"(?i)^(?:[a-z]+ )+Work Notification:\s*(\d+\s*[-–—]\s*[a-z].*)$");
static SIGNATURE: Pattern = Pattern::new(r"(?i)\b(?:GTT|EXA) Network Operations\b|\bInfraCo\.CM@");
static DURATION: Pattern = Pattern::new(
    r"(?i)^(?:(?:up to|max\.?|maximum|approx\.?|less than)\s+)?(\d+)\s*(?:ms|s|sec|m|min|h|hr|hour|day)[a-z]*\b",
);
static BACKGROUND: Pattern = Pattern::new(r"(?i)\bbackground(?:-color)?\s*:\s*(#[0-9a-f]{3,8}|[a-z]+)");

const ID: &str = "SLID/CCSD";
const IMPACT: &str = "Expected Impact to your Service";

fn says(source: &Source<'_>) -> Option<Found<String>> {
    maintnote::names(source, source.provider()).or_else(|| {
        let body = source.body().ok()?;
        body.matching(&SIGNATURE)?;
        body.matching(&TITLE)
    })
}

fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    if let Some(drafts) = maintnote::read(source)? {
        return Ok(Reading::Notice(drafts));
    }
    let Some(title) = source.body().ok().and_then(|body| body.matching(&TITLE)) else {
        return maintnote::read_or_other(source);
    };
    let (id, stage) = parts(&title)?;
    let status = status(&stage)?;
    let page = source.page()?;
    let mut draft = Draft::new(source).id(id);
    if let Some(account) = rows(page).find_map(|row| row.get("Customer PON").cloned()) {
        draft = draft.account(account);
    }
    let draft = draft.circuits(circuits(page)?);
    let windows = windows(page)?;
    if windows.is_empty() {
        return if status.value.is_final() {
            Ok(Reading::Notice(vec![draft.status(status)]))
        } else {
            Err(Failure::missing("a time beside `Start`, not struck through"))
        };
    }
    let draft = draft.status(status);
    Ok(Reading::Notice(draft.in_windows(windows)?))
}

/// Returns the id and the word behind it.
fn parts(title: &Found<String>) -> Result<(Found<String>, Found<String>), Failure> {
    let (id, stage) = title
        .value
        .split_once(['-', '–', '—'])
        .ok_or_else(|| Failure::malformed("a title such as `Planned Work Notification: 1234567 - New`", title))?;
    let part = |text: &str| title.with(text.trim().to_owned());
    Ok((part(id), part(stage)))
}

fn status(stage: &Found<String>) -> Result<Found<Status>, Failure> {
    let status = words::status(stage)?;
    let has_new_times =
        ["update", "extension", "extended"].iter().any(|word| stage.value.to_lowercase().contains(word));
    match status {
        None | Some(Found { value: Status::Confirmed, .. }) if has_new_times => Ok(stage.with(Status::ReScheduled)),
        Some(status) => Ok(status),
        None => Err(Failure::malformed("where the maintenance stands: New, Reminder, Update, Cancelled …", stage)),
    }
}

fn windows(page: &Page) -> Result<Vec<Times>, Failure> {
    let times = |label| -> Result<Vec<_>, Failure> {
        page.values_of(label).into_iter().map(|cell| dates::read_zoned(cell, &["%F %H:%M[:%S]"])).collect()
    };
    let (starts, ends) = (times("Start")?, times("End")?);
    if starts.len() != ends.len() {
        return Err(Failure::ambiguous(format!(
            "as many times beside `Start` ({}) as beside `End` ({})",
            starts.len(),
            ends.len()
        )));
    }
    Ok(starts.into_iter().zip(ends).collect())
}

fn rows(page: &Page) -> impl Iterator<Item = Row<'_>> {
    page.tables_with(&[ID]).into_iter().flat_map(|table| table.rows).filter(|row| !row.is_blank())
}

fn circuits(page: &Page) -> Result<Vec<Found<Circuit>>, Failure> {
    let resilient = rows_in_colour_of_resiliency(page);
    let circuit = |row: Row<'_>| {
        let id = row.expect(ID)?;
        let impact = match row.get(IMPACT).map(impact).transpose()? {
            Some(Impact::Outage) | None if resilient.contains(&text_of_row(&row)) => Impact::ReducedRedundancy,
            Some(impact) => impact,
            None => Impact::Outage,
        };
        id.try_with("a service", |id| Circuit::new(id, impact))
    };
    rows(page).map(circuit).collect()
}

fn impact(cell: &Found<String>) -> Result<Impact, Failure> {
    let Some(duration) = DURATION.captures(&cell.value).and_then(|captures| captures.get(1)) else {
        return Ok(words::impact(cell)?.value);
    };
    let is_zero = duration.as_str().bytes().all(|digit| digit == b'0');
    Ok(if is_zero { Impact::NoImpact } else { Impact::Outage })
}

fn text_of_row(row: &Row<'_>) -> String {
    row.cells().iter().flatten().map(|cell| cell.value.as_str()).collect::<Vec<_>>().join("|")
}

/// Returns the texts of the rows that have a cell in the colour which the legend gives to a loss of resiliency.
fn rows_in_colour_of_resiliency(page: &Page) -> BTreeSet<String> {
    let elements = || page.document().elements();
    let is_cell = |element: &Element<'_>| matches!(element.name(), "td" | "th");
    let is_legend = |cell: &Element<'_>| page::text_of(*cell).eq_ignore_ascii_case("Resiliency Loss");
    let coloured = || elements().filter(is_cell).filter(|cell| colour(*cell).is_some());
    let Some(legend) = coloured().find(is_legend).and_then(colour) else { return BTreeSet::new() };
    let rows = elements().filter(|element| element.name() == "tr");
    let is_in_colour =
        |row: &Element<'_>| row.children().any(|cell| is_cell(&cell) && colour(cell).as_ref() == Some(&legend));
    let text = |row: Element<'_>| row.children().map(page::text_of).collect::<Vec<_>>().join("|");
    rows.filter(is_in_colour).map(text).collect()
}

fn colour(cell: Element<'_>) -> Option<String> {
    let in_style = || BACKGROUND.captures(cell.attribute(Attribute::Style)?)?.get(1).map(|colour| colour.as_str());
    cell.attribute(Attribute::Background).or_else(in_style).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    #[test]
    fn stages() {
        for (stage, expected) in [
            ("New", Some(Status::Confirmed)),
            ("Reminder", Some(Status::Confirmed)),
            ("Update", Some(Status::ReScheduled)),
            ("Extended", Some(Status::ReScheduled)),
            ("Rescheduled", Some(Status::ReScheduled)),
            ("Postponed", Some(Status::ReScheduled)),
            ("Started", Some(Status::InProcess)),
            ("Completed", Some(Status::Completed)),
            ("Complete", Some(Status::Completed)),
            ("Cancelled", Some(Status::Cancelled)),
            ("Cancellation", Some(Status::Cancelled)),
            ("Surprise", None),
        ] {
            let stage = Found::text(stage, Place::Page { line: 1 });
            assert_eq!(status(&stage).ok().map(|status| status.value), expected, "{}", stage.value);
        }
    }

    #[test]
    fn impacts_by_duration_and_colour() {
        let legend =
            "<table><tr><td bgcolor=#fcc>Service interruption<td>x<tr><td bgcolor=#FFE599>Resiliency Loss</table>";
        let of = |attributes: &str, text: &str| {
            let services = format!(
                "<table><tr><th>{ID}<th>{IMPACT}<tr><td>111-222<td {attributes}>{text}<tr><td>333-444<td>5 min</table>"
            );
            let page = Page::parse(&format!("{services}{legend}")).unwrap();
            circuits(&page).ok().and_then(|circuits| circuits.first().map(|circuit| circuit.value.impact()))
        };
        assert_eq!(of("bgcolor='#FFCCCC'", "300 Mins"), Some(Impact::Outage));
        assert_eq!(of("", "90 min"), Some(Impact::Outage));
        assert_eq!(of("bgcolor='#ffe599'", "90 min"), Some(Impact::ReducedRedundancy));
        assert_eq!(of("style='background-color: #ffe599; color: red'", "90 min"), Some(Impact::ReducedRedundancy));
        assert_eq!(of("", "0 min"), Some(Impact::NoImpact));
        assert_eq!(of("", "No impact"), Some(Impact::NoImpact));
        assert_eq!(of("", "Loss of resiliency"), Some(Impact::ReducedRedundancy));
        assert_eq!(of("", ""), Some(Impact::Outage));
        assert_eq!(of("", "Surprise"), None);
    }
}
