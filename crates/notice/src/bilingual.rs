//! Labels and words that stand in several languages at once: `DESCRIPTION // DESCRIPCION:`, `Starttijd | Start time`.

use super::{
    failure::Failure,
    found::Found,
    lines::Lines,
    model::{Impact, Status},
    words,
};

/// Returns whether a heading or a label says `label` in one of its languages, without case and whatever stands in brackets.
pub fn says(heading: &str, label: &str) -> bool {
    let heading = heading.split_once('(').map_or(heading, |(before, _)| before);
    let plain = |text: &str| text.trim_matches(|mark: char| !mark.is_alphanumeric()).to_lowercase();
    heading.split("//").flat_map(|part| part.split('|')).any(|part| plain(part) == plain(label))
}

/// Returns what stands behind the label at the start of a line, or else on the next line that is not blank; a failure where two such
/// lines say different things.
pub fn field(lines: &Lines, label: &str) -> Result<Option<Found<String>>, Failure> {
    let mut found: Option<Found<String>> = None;
    for value in lines.all_labelled_by(|heading| says(heading, label)) {
        match &found {
            Some(other) if other.value != value.value => {
                let quote = format!("{} … {}", other.quote, value.quote);
                return Err(Failure::ambiguous(format!("one value of `{label}`")).with_quote(&quote));
            }
            _ => found = Some(value),
        }
    }
    Ok(found)
}

/// Returns the field as [`field`] does, or a failure where the label is missing.
pub fn expect(lines: &Lines, label: &str) -> Result<Found<String>, Failure> {
    field(lines, label)?.ok_or_else(|| Failure::missing(format!("a line `{label}:`")))
}

/// Words for the status in Spanish, Portuguese and Dutch, each as it begins.
const STATUSES: &[(Status, &[&str])] = &[
    (Status::Cancelled, &["cancelad", "anulad", "annuler", "geannuleerd", "vervallen"]),
    (Status::Completed, &["completad", "finalizad", "conclu", "terminad", "afgerond", "voltooid", "gereed"]),
    (
        Status::ReScheduled,
        &[
            "reprogramad",
            "reagendad",
            "postergad",
            "pospuest",
            "adiad",
            "verplaatst",
            "uitgesteld",
            "gewijzigd",
            "wijziging",
        ],
    ),
    (Status::InProcess, &["iniciad", "en curso", "em andamento", "en ejecuci", "em execu", "gestart", "begonnen"]),
    (
        Status::Confirmed,
        &["programad", "planificad", "planejad", "agendad", "confirmad", "gepland", "aankondiging", "herinnering"],
    ),
];

/// Returns the status that a field says in any of its languages; a failure where they contradict each other. `None` for words that
/// nobody knows.
pub fn status(field: &Found<String>) -> Result<Option<Found<Status>>, Failure> {
    let mut statuses: Vec<_> = words::status(field)?.into_iter().collect();
    let lower = field.value.to_lowercase();
    let begins = |stem: &str| {
        lower
            .match_indices(stem)
            .any(|(at, _)| !lower.get(..at).is_some_and(|before| before.ends_with(char::is_alphanumeric)))
    };
    for (status, stems) in STATUSES {
        if stems.iter().any(|stem| begins(stem)) {
            statuses.push(field.with(*status));
        }
    }
    words::strongest(statuses)
}

/// Returns the impact that a field says, in English, Spanish or Portuguese.
pub fn impact(field: &Found<String>) -> Result<Found<Impact>, Failure> {
    let lower = field.value.to_lowercase();
    let is_none = ["sin impacto", "sem impacto", "sin afectaci", "sem afeta"].iter().any(|words| lower.contains(words));
    let is_outage = ["indisponibil", "interrupci", "interrup\u{e7}", "corte", "caída", "queda"]
        .iter()
        .any(|words| lower.contains(words));
    let is_reduced = ["protection loss", "pérdida de protecci", "perda de prote", "riesgo", "risco"];
    match (is_none, is_outage, is_reduced.iter().any(|words| lower.contains(words))) {
        (true, false, false) => Ok(field.with(Impact::NoImpact)),
        (false, true, false) => Ok(field.with(Impact::Outage)),
        (false, false, true) => Ok(field.with(Impact::ReducedRedundancy)),
        (false, false, false) => words::impact_or_hit(field),
        _ => Err(Failure {
            place: Some(field.place.clone()),
            ..Failure::ambiguous("one impact").with_quote(&field.quote)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::Place;

    fn found(text: &str) -> Found<String> {
        Found::text(text, Place::Text { line: 1 })
    }

    #[test]
    fn a_label_stands_in_each_of_its_languages() {
        for heading in ["SCHEDULE // VENTANA(S) DE TRABAJO (UTC):", "Schedule", "Planning | schedule"] {
            assert!(says(heading, "Schedule"), "{heading}");
        }
        for heading in ["Schedule of works", "", "//", "(Schedule)"] {
            assert!(!says(heading, "Schedule"), "{heading}");
        }
        let lines = Lines::of_text("ID // NUMERO: EX-1\nTYPE // TIPO:\nnew\nID: EX-1\nPLACE: a\nPLACE // LUGAR: b\n");
        let read = |label| field(&lines, label).map(|value| value.map(|value| value.value)).ok();
        assert_eq!(read("id"), Some(Some("EX-1".to_owned())));
        assert_eq!(read("type"), Some(Some("new".to_owned())));
        assert_eq!((read("none"), read("place")), (Some(None), None));
    }

    #[test]
    fn words_of_several_languages() {
        for (text, expected) in [
            ("Cancelled // Cancelado", Some(Status::Cancelled)),
            ("Cancelado", Some(Status::Cancelled)),
            ("Trabajo Reprogramado", Some(Status::ReScheduled)),
            ("Mantenimiento Programado | Manutenção Programada | Scheduled", Some(Status::Confirmed)),
            ("Concluída", Some(Status::Completed)),
            ("Aankondiging", Some(Status::Confirmed)),
            ("Annulering", Some(Status::Cancelled)),
            ("Purple", None),
        ] {
            assert_eq!(status(&found(text)).unwrap().map(|found| found.value), expected, "{text}");
        }
        assert!(status(&found("Cancelado / Completed")).is_err());
        for (text, expected) in [
            ("OUTAGE UP TO 120 MINUTES", Some(Impact::Outage)),
            ("Protection loss up to 10 hours", Some(Impact::ReducedRedundancy)),
            ("Indisponibilidad", Some(Impact::Outage)),
            ("Sem impacto", Some(Impact::NoImpact)),
            ("Riesgo de corte", None),
            ("Purple", None),
        ] {
            assert_eq!(impact(&found(text)).ok().map(|found| found.value), expected, "{text}");
        }
    }
}
