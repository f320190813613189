//! Cirion, which took over Lumen's network in Latin America: one mail says everything in Spanish, Portuguese and English, each with
//! a dated status, a table of the window in GMT and one of circuits. All three must agree; what differs for no reason but the
//! language is read in English. The circuit is the alternative id, where it has one: the other column lists the parts of a path.
//!
//! Older notices are in Lumen's format, under another name.

use super::lumen;
use contract::identifier::is_placeholder;
use notice::{
    bilingual, dates,
    draft::{Draft, Times},
    failure::Failure,
    found::Found,
    lines::Lines,
    model::{Circuit, Status},
    page::{Page, Row},
    pattern::Pattern,
    provider::{LearnedFrom, Provider, Reading},
    source::Source,
    words,
};

/// Definition of the provider Cirion Technologies.
pub static PROVIDER: Provider = Provider {
    slug: "cirion",
    name: "Cirion",
    domains: &["ciriontechnologies.com"],
    organizer: "",
    learned_from: LearnedFrom::RealMails,
    says,
    read,
};

static NUMBER: Pattern = Pattern::new(r"^(CHG\d{5,})$");
static NUMBER_IN_SUBJECT: Pattern = Pattern::new(r"#\s*(CHG\d{5,})\b");
static UPDATE: Pattern = Pattern::new(
    r"(?i)^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) (?:GMT|UTC) ?[-–:] ?((?:this maintenance|este mantenimiento|esta manutenção)\b.+)$",
);
static SAID: Pattern = Pattern::new(r"(?i)^\S+ \S+ (?:is|es|é|has been|ha sido|foi)\s+(.+?)\.?$");

/// The headings of the tables: start and end, customer, circuit, alternative id, impact.
struct Language {
    times: [&'static str; 2],
    customer: &'static str,
    circuit: &'static [&'static str],
    alternative: &'static [&'static str],
    impact: &'static str,
}

/// English first: its words are read where the languages say the same.
const LANGUAGES: [Language; 3] = [
    Language {
        times: ["Start", "End"],
        customer: "Customer Name",
        circuit: &["Circuit ID"],
        alternative: &["Alt Circuit ID"],
        impact: "Impact Type",
    },
    Language {
        times: ["Início", "Fim"],
        customer: "Nome do Cliente",
        circuit: &["ID do Circuito", "Identificação do circuito"],
        alternative: &["ID do Circuito Alternativo", "ID de circuito alternativo"],
        impact: "Tipo de Impacto",
    },
    Language {
        times: ["Inicio", "Fin"],
        customer: "Nombre del Cliente",
        circuit: &["Identificación del circuito", "ID de circuito"],
        alternative: &["ID de circuito alternativo"],
        impact: "Tipo de Impacto",
    },
];

/// Returns a number of either format, in a mail that names Cirion, and not Lumen's portal.
fn says(source: &Source<'_>) -> Option<Found<String>> {
    let lines = source.body().ok()?;
    let heading = lines.matching(&lumen::HEADING).or_else(|| lines.matching(&NUMBER))?;
    let names = |name: &str| lines.iter().any(|(_, line)| line.contains(name));
    (names("Cirion") && !names("Lumen")).then_some(heading)
}

/// Its address is not published: whoever wrote the mail is the organizer.
fn read(source: &Source<'_>) -> Result<Reading, Failure> {
    let subject = source.subject();
    let numbers = source.body()?.all_matching(&NUMBER);
    let Some(id) = numbers.first().cloned() else {
        return Ok(lumen::read(source)?.sent_by_author(source));
    };
    let in_subject =
        NUMBER_IN_SUBJECT.captures(&subject.value).and_then(|captures| captures.get(1)).map(|id| id.as_str());
    if let Some(other) = numbers.iter().find(|other| in_subject.unwrap_or(&id.value) != other.value) {
        return Err(Failure::ambiguous("one number").with_quote(&format!("{} … {}", id.value, other.value)));
    }
    let page = source.page()?;
    let (windows, rows, language) = tables(page)?;
    let status = status(&subject, page.lines())?;
    let mut draft = Draft::new(source).sent_by_author(source).id(id);
    if let Some(customer) = rows.first().and_then(|row| row.get(language.customer)) {
        draft = draft.account(customer.clone());
    }
    for row in &rows {
        draft = draft.circuits(circuits(row, language)?);
    }
    let draft = draft.status(status);
    if windows.is_empty() { Ok(Reading::Notice(vec![draft])) } else { draft.in_windows(windows).map(Reading::Notice) }
}

/// Returns the windows and the rows of circuits, in the first language that has them. Other languages must have the same windows and
/// as many circuits.
fn tables(page: &Page) -> Result<(Vec<Times>, Vec<Row<'_>>, &'static Language), Failure> {
    let mut first: Option<(Vec<Times>, Vec<Row<'_>>, &'static Language)> = None;
    for language in &LANGUAGES {
        let tables = page.tables_with(&language.times);
        let windows: Vec<Times> = tables
            .iter()
            .flat_map(|table| &table.rows)
            .filter(|row| !row.is_blank())
            .map(|row| Ok((time(row.expect(language.times[0])?)?, time(row.expect(language.times[1])?)?)))
            .collect::<Result<_, Failure>>()?;
        let rows: Vec<_> =
            page.tables_with(&[language.customer, language.impact]).into_iter().flat_map(|table| table.rows).collect();
        let rows: Vec<_> = rows.into_iter().filter(|row| !row.is_blank()).collect();
        if windows.is_empty() && rows.is_empty() {
            continue;
        }
        let instants =
            |windows: &[Times]| windows.iter().map(|(start, end)| (start.value, end.value)).collect::<Vec<_>>();
        match &first {
            // Headings whose letters were lost on the way hide a table, and contradict nothing.
            Some((known, circuits, _))
                if !windows.is_empty() && instants(known) != instants(&windows)
                    || !rows.is_empty() && circuits.len() != rows.len() =>
            {
                return Err(Failure::ambiguous("the same windows and circuits in every language"));
            }
            Some(_) => {}
            None => first = Some((windows, rows, language)),
        }
    }
    first.ok_or_else(|| Failure::missing("tables of the window and of the circuits"))
}

fn time(cell: &Found<String>) -> Result<Found<notice::model::Moment>, Failure> {
    dates::read_zoned(cell.clone(), &["%Y-%m-%d %H:%M[:%S]"])
}

/// Returns the status of the newest dated lines, one in each language, and of the subject.
fn status(subject: &Found<String>, lines: &Lines) -> Result<Found<Status>, Failure> {
    let mut updates: Vec<(String, Found<String>)> = Vec::new();
    for (place, line) in lines.iter() {
        if let Some(captures) = UPDATE.captures(line) {
            let part = |group| captures.get(group).map_or(String::new(), |part| part.as_str().to_owned());
            updates.push((part(1), Found { value: part(2), ..Found::text(line, place) }));
        }
    }
    let newest = updates.iter().map(|(time, _)| time.clone()).max();
    let mut statuses: Vec<_> = bilingual::status(subject)?.into_iter().collect();
    for (_, update) in updates.into_iter().filter(|(time, _)| Some(time) == newest.as_ref()) {
        let said =
            SAID.captures(&update.value).and_then(|captures| captures.get(1)).map(|said| said.as_str().to_owned());
        let said = said.map(|said| update.with(said));
        let status = said.as_ref().map(bilingual::status).transpose()?.flatten();
        statuses.push(status.ok_or_else(|| Failure::malformed("`This maintenance is Scheduled`", &update))?);
    }
    words::strongest(statuses)?.ok_or_else(|| Failure::malformed("a status such as `Scheduled`", subject))
}

/// Returns the circuits of a row: the alternative id, else each id that the other column lists.
fn circuits(row: &Row<'_>, language: &Language) -> Result<Vec<Found<Circuit>>, Failure> {
    let impact = bilingual::impact(row.expect(language.impact)?)?.value;
    let cell = |headings: &[&str]| headings.iter().find_map(|heading| row.get(heading));
    if let Some(id) = cell(language.alternative).filter(|cell| !is_placeholder(&cell.value)) {
        return Ok(vec![id.try_with("a circuit", |id| Circuit::new(id, impact))?]);
    }
    let list = cell(language.circuit).ok_or_else(|| Failure::missing("the id of a circuit"))?;
    let ids = list.value.split('&').map(str::trim).filter(|id| !id.is_empty());
    ids.map(|id| list.try_with("the id of a circuit", |_| Circuit::new(id, impact))).collect()
}
