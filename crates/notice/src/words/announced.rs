//! The proof that a notice announces planned work, where no word of its format says how the work stands.

use crate::{
    change,
    failure::Failure,
    found::{Found, Place},
    model::Status,
};

/// Nouns for planned work, folded, as word beginnings.
#[rustfmt::skip]
const WORK: &[&str] = &[
    "maintenance", "works", "work", "upgrade", "activit", "intervention", "migration", "outage", "change", "replacement", "event", "wartung", "arbeiten", "onderhoud",
    "werkzaamhed", "mantenimiento", "trabajo", "intervencion", "manutenc", "trabalho", "manutenzion", "lavori", "intervent", "travaux", "bakim", "calisma",
];

/// Words of a sentence that say that something is to come, folded.
#[rustfmt::skip]
const AHEAD: &[&str] = &[
    "announce", "announcing", "inform", "notify", "advised", "reminder", "will", "shall", "going", "scheduled", "planned", "planning", "plan", "plans", "upcoming", "must", "need", "intend", "wird", "werden", "geplant", "geplante", "geplanten", "zal", "zullen",
    "gepland", "geplande", "programado", "programados", "programada", "planificado", "planificada", "planejada", "planejado", "agendada", "programmato", "programmata", "programmati",
    "planifie", "planifies", "planifiee", "prevu", "prevus", "prevue", "planlanan", "planli", "yapilacaktir",
];

/// The most words of a title: longer ones are sentences.
const LONGEST_TITLE: usize = 16;

/// An announcement stands in one of the first lines.
const MOST_LINES: usize = 2_000;

/// Returns the status of a notice whose format has no word for a plan: confirmed by the first title that names maintenance work, or
/// else by the first sentence that says that work is to come, or else by the first field of such work. What else the notice says of the work, the gate has to explain.
/// A failure where nothing announces work: silence is no status.
pub fn announced<'body>(
    titles: impl IntoIterator<Item = Found<String>>,
    body: impl Iterator<Item = (Place, &'body str)>,
) -> Result<Found<Status>, Failure> {
    let mut titles = titles.into_iter();
    if let Some(title) = titles.find(|title| is_title_of_work(&title.value)) {
        return Ok(title.map(|_| Status::Confirmed));
    }
    let paragraphs = change::paragraphs(body.take(MOST_LINES));
    let sentences =
        || paragraphs.iter().flat_map(|(place, text)| change::split(text).into_iter().map(move |one| (place, one)));
    let announcement = sentences()
        .find(|(_, sentence)| is_announcement(sentence))
        .or_else(|| sentences().find(|(_, line)| is_label_of_work(line)));
    let expected = "a title or a sentence that announces work, such as `maintenance will be performed`";
    let (place, sentence) = announcement.ok_or_else(|| Failure::missing(expected))?;
    Ok(Found::text(sentence, place.clone()).map(|_| Status::Confirmed))
}

fn is_title_of_work(title: &str) -> bool {
    let folded = change::fold(title);
    folded.split(' ').count() <= LONGEST_TITLE && names_work(&folded) && change::statements(title).is_empty()
}

fn is_announcement(sentence: &str) -> bool {
    let folded = change::fold(sentence);
    let is_ahead = folded.split(' ').any(|word| AHEAD.contains(&word));
    is_ahead && names_work(&folded) && change::statements(sentence).is_empty()
}

/// Returns whether a line is a field of planned work: "Maintenance window: …".
fn is_label_of_work(line: &str) -> bool {
    line.split_once(':').is_some_and(|(label, _)| is_title_of_work(label)) && change::statements(line).is_empty()
}

fn names_work(folded: &str) -> bool {
    folded.split(' ').any(|word| WORK.iter().any(|work| word.starts_with(work)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(titles: &[&str], body: &[&str]) -> Option<String> {
        let titles = titles.iter().map(|title| Found::text(title, Place::Header("Subject")));
        let body = body.iter().map(|line| (Place::Text { line: 1 }, *line));
        announced(titles, body).ok().map(|found| found.quote)
    }

    #[test]
    fn a_title_or_a_sentence_announces_work() {
        let sentence = "Our technicians will replace a card during planned maintenance.";
        assert_eq!(proof(&["Network Maintenance EX-1"], &[sentence]).as_deref(), Some("Network Maintenance EX-1"));
        assert_eq!(proof(&["EX-1"], &["Dear customer,", sentence]).as_deref(), Some(sentence));
        let german = "Am 3. Mai werden Wartungsarbeiten durchgeführt.";
        assert_eq!(proof(&[], &[german]).as_deref(), Some(german));
    }

    #[test]
    fn a_field_of_work_announces_it_where_no_sentence_does() {
        assert_eq!(
            proof(&[], &["Dear customer,", "Maintenance window: 22:00"]).as_deref(),
            Some("Maintenance window: 22:00")
        );
        assert_eq!(proof(&[], &["Maintenance status: cancelled"]), None);
    }

    #[test]
    fn silence_and_changes_announce_nothing() {
        assert_eq!(proof(&[], &[]), None);
        assert_eq!(proof(&["EX-1", ""], &["Start: 22:00", "Circuit: EX/1"]), None);
        assert_eq!(proof(&["Maintenance has been called off"], &["The planned maintenance was cancelled."]), None);
    }
}
