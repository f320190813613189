//! Is a notice whole? Where nothing closes the body of a mail, only what follows a value shows that the value, or the list
//! that it is part of, did not go on: a list of circuits that was cut at the end of a line reads like a shorter one.

use super::{failure::Failure, found::Place, lines::Lines, model::Maintenance, source::Source};
use mail::Ending;

/// Fields of which a part is not wrong.
const MAY_BE_SHORTER: [&str; 2] = ["summary", "organizer"];

/// Returns a failure where a value stands at the end of a body that nothing closes, or where such a body lacks values.
pub fn check(source: &Source<'_>, maintenances: &[Maintenance]) -> Result<(), Failure> {
    if source.mail().ending == Ending::Closed {
        return Ok(());
    }
    let Some((last, line)) = source.body().ok().and_then(last_line) else {
        return Err(Failure::cut_short("a body below the headers"));
    };
    let ending = source.mail().ending;
    if ending == Ending::Torn {
        return Err(Failure::cut_short("the end of a line").with_quote(line));
    }
    let lacks_values = maintenances.iter().any(|one| one.window().is_none() || one.circuits().is_empty());
    if ending == Ending::Open && lacks_values && !is_signed(source) {
        return Err(
            Failure::cut_short("a window and circuits, or closing words below: it may have gone on").with_quote(line)
        );
    }
    let may_have_gone_on = |one: &Maintenance| {
        let mut last = one.evidence().iter().filter(|evidence| evidence.place == last);
        last.any(|evidence| !MAY_BE_SHORTER.contains(&evidence.field) && one.last_field != Some(evidence.field))
    };
    if maintenances.iter().any(may_have_gone_on) {
        return Err(Failure {
            place: Some(last),
            ..Failure::cut_short("words below the last value: it may have gone on").with_quote(line)
        });
    }
    Ok(())
}

/// Closing phrases of letters, in lower case.
const CLOSING: [&str; 10] = [
    "regards",
    "best regards",
    "kind regards",
    "warm regards",
    "with regards",
    "sincerely",
    "thank you",
    "thanks",
    "yours",
    "best wishes",
];

/// Returns `true` if a line says goodbye.
pub(crate) fn says_goodbye(line: &str) -> bool {
    let line = line.trim_start_matches(['>', ' ']);
    CLOSING.iter().any(|words| line.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words)))
}

/// Returns `true` if a line of the body says goodbye.
fn is_signed(source: &Source<'_>) -> bool {
    source.body().is_ok_and(|body| body.iter().any(|(_, line)| says_goodbye(line)))
}

/// Returns the last line that is not blank but for the marks of a quotation.
fn last_line(lines: &Lines) -> Option<(Place, &str)> {
    lines.iter().filter(|(_, line)| !line.trim_matches(['>', ' ']).is_empty()).last()
}
