//! Renders the result of parsing a mail: the maintenances as a table; for a failure what was expected and what was
//! found; on request the source of each value.

use std::fmt::Write as _;

use console::Style;
use contract::{
    maintenance::Record,
    receipt_event::{Verdict, Verdicts},
};
use mail::Mail;
use notice::{
    failure::Failure,
    found::Place,
    lines::Lines,
    model::Maintenance,
    outcome::{Outcome, Recognised, Recognition},
    page::Page,
};
use serde_json::{Value, json};
use trust::{Evidence, Policy, Say};

use super::{
    look::{Look, clean},
    maintenances,
};

/// Number of lines in an excerpt of a mail.
const EXCERPT: usize = 7;

/// Returns the outcome of a mail as text, without a line feed at the end.
pub(crate) fn outcome(name: &str, mail: &Mail, outcome: &Outcome, explain: bool, look: &Look) -> String {
    let (word, style) = match outcome {
        Outcome::Notice(_) => ("maintenance", Style::new().green().bold()),
        Outcome::Ignored { .. } => ("ignored", Style::new().bold()),
        Outcome::Failed { .. } => ("failed", Style::new().red().bold()),
        Outcome::Unrecognised { .. } => ("unrecognised", Style::new().yellow().bold()),
    };
    let provider = recognised(outcome).map_or_else(String::new, |recognised| format!(" {}", recognised.provider.slug));
    let mut text = format!("{}: {}{provider}\n", clean(name), look.paint(style, word));
    match outcome {
        Outcome::Notice(notice) => text.push_str(&table(&notice.maintenances, look)),
        Outcome::Ignored { reason, .. } => {
            line(&mut text, "because", reason);
            sender_and_subject(&mut text, mail);
        }
        Outcome::Failed { failure, suggestion, .. } => {
            of_failure(&mut text, mail, failure);
            sender_and_subject(&mut text, mail);
            suggested(&mut text, suggestion, look);
        }
        Outcome::Unrecognised { reason, suggestion } => {
            line(&mut text, "because", reason);
            sender_and_subject(&mut text, mail);
            suggested(&mut text, suggestion, look);
        }
    }
    if explain {
        explanation(&mut text, mail, outcome);
    }
    text.truncate(text.trim_end().len());
    text
}

fn line(text: &mut String, label: &str, value: &str) {
    let _ = writeln!(text, "  {label:<9}{}", clean(value));
}

fn table(maintenances: &[Maintenance], look: &Look) -> String {
    let records: Vec<_> = maintenances.iter().map(Record::from).collect();
    indented(&maintenances::maintenances(&records, &look.narrower(2)))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

fn suggested(text: &mut String, maintenances: &[Maintenance], look: &Look) {
    if !maintenances.is_empty() {
        line(text, "suggests", "unverified, for a person to confirm:");
        text.push_str(&indented(&table(maintenances, &look.narrower(2))));
    }
}

fn sender_and_subject(text: &mut String, mail: &Mail) {
    let sender = mail.outer().sender.as_ref().map_or("nobody", |sender| sender.address.as_str());
    line(text, "from", sender);
    line(text, "subject", &mail.outer().subject);
}

fn of_failure(text: &mut String, mail: &Mail, failure: &Failure) {
    line(text, "expected", &failure.expected);
    line(text, "but", failure.kind.words());
    if let Some(place) = &failure.place {
        line(text, "at", &place.to_string());
    }
    if let Some(quote) = failure.quote.as_deref().filter(|quote| !quote.is_empty()) {
        line(text, "there", &format!("`{quote}`"));
    }
    for (number, words, is_it) in excerpt(mail, failure.place.as_ref()) {
        let mark = if is_it { '>' } else { ' ' };
        let _ = writeln!(text, "  {mark} {number:>4} | {}", clean(&words));
    }
}

/// Returns the lines around the place; for a missing value, the first lines of the body.
fn excerpt(mail: &Mail, place: Option<&Place>) -> Vec<(usize, String, bool)> {
    let of_page = || mail.pages.first().and_then(|html| Page::parse(html).ok()).map(|page| page.lines().clone());
    let of_text = || mail.texts.first().map(|text| Lines::of_text(text));
    let (lines, at) = match place {
        Some(Place::Text { line }) => (of_text(), Some(*line)),
        Some(Place::Page { line }) => (of_page(), Some(*line)),
        // The quotation is all that there is to see.
        Some(_) => return Vec::new(),
        None => (of_page().or_else(of_text), None),
    };
    let Some(lines) = lines else { return Vec::new() };
    let numbered = (1..).zip(lines.iter().map(|(_, line)| line.to_owned())).filter(|(_, line)| !line.is_empty());
    let first = at.map_or(0, |at| at.saturating_sub(EXCERPT / 2));
    numbered
        .skip_while(|(number, _)| *number < first)
        .take(EXCERPT)
        .map(|(number, line)| (number, line, Some(number) == at))
        .collect()
}

fn recognised(outcome: &Outcome) -> Option<&Recognised> {
    match outcome {
        Outcome::Notice(notice) => Some(&notice.recognised),
        Outcome::Ignored { recognised, .. } | Outcome::Failed { recognised, .. } => Some(recognised),
        Outcome::Unrecognised { .. } => None,
    }
}

/// Returns the way in which the provider was recognised, in words.
fn recognition(recognised: &Recognised) -> String {
    match &recognised.by {
        Recognition::Sender(domain) => format!("the sender's domain `{domain}`"),
        Recognition::ForwardedSender(domain) => format!("the domain `{domain}` of a message inside the mail"),
        Recognition::Content(found) => format!("its words ({}): `{}`", found.place, found.quote),
        Recognition::Calendar => "its MAINTNOTE calendar".to_owned(),
    }
}

/// Returns, in words, if the function would act on the mail. SES's verdicts are unknown here, so PASS is assumed.
fn trust(mail: &Mail, outcome: &Outcome, recognised: &Recognised) -> String {
    let [spam, virus, spf, dkim, dmarc] = [Verdict::Pass; 5];
    let verdicts = Verdicts { spam, virus, spf, dkim, dmarc };
    let announced: Vec<&str> = read(outcome).iter().filter_map(Maintenance::announced_provider).collect();
    let say = if matches!(outcome, Outcome::Notice(_)) { Say::Change(&announced) } else { Say::Nothing };
    match trust::judge(&Policy::default(), &verdicts, &Evidence::supposed(mail), mail, recognised, say) {
        Ok(trust) => format!("where SES's verdicts are PASS: {trust}"),
        Err(doubt) => format!("not, it goes to a person: {doubt}"),
    }
}

fn explanation(text: &mut String, mail: &Mail, outcome: &Outcome) {
    if let Some(recognised) = recognised(outcome) {
        text.push('\n');
        line(text, "known by", &recognition(recognised));
        line(text, "trusted", &trust(mail, outcome, recognised));
    }
    for maintenance in read(outcome) {
        let _ = writeln!(text, "\n  {} was read from", clean(maintenance.id()));
        for evidence in maintenance.evidence() {
            let place = evidence.place.to_string();
            let quote = if evidence.quote.is_empty() { String::new() } else { format!("`{}`", evidence.quote) };
            let words = format!("    {:<15} {:<34} {}", evidence.field, clean(&place), clean(&quote));
            let _ = writeln!(text, "{}", words.trim_end());
        }
        if let Some((start, end)) = maintenance.window().map(|window| window.stated()) {
            let _ = writeln!(text, "    {:<15} {start} to {end}", "as stated");
        }
    }
}

fn read(outcome: &Outcome) -> &[Maintenance] {
    match outcome {
        Outcome::Notice(notice) => &notice.maintenances,
        Outcome::Failed { suggestion, .. } | Outcome::Unrecognised { suggestion, .. } => suggestion,
        Outcome::Ignored { .. } => &[],
    }
}

/// Returns the same explanation as JSON.
pub(crate) fn explanation_json(mail: &Mail, outcome: &Outcome) -> Value {
    let recognised = recognised(outcome);
    let maintenances: Vec<Value> = read(outcome)
        .iter()
        .map(|maintenance| {
            let evidence = maintenance.evidence().iter().map(|evidence| {
                json!({"field": evidence.field, "place": evidence.place.to_string(), "quote": evidence.quote})
            });
            evidence.collect()
        })
        .collect();
    let stated: Vec<Value> = read(outcome)
        .iter()
        .map(|maintenance| {
            let stated = maintenance.window().map(|window| window.stated());
            stated.map_or(Value::Null, |(start, end)| json!({"start": start.to_string(), "end": end.to_string()}))
        })
        .collect();
    json!({
        "recognised_by": recognised.map(recognition),
        "trusted": recognised.map(|recognised| trust(mail, outcome, recognised)),
        "evidence": maintenances,
        "stated": stated,
    })
}
