//! A change that is told is heard: in every notice of every provider, wherever a sentence of change stands, the reading says
//! the change or goes to a person; a sentence that any notice may hold changes nothing.

mod phrases;
mod places;
mod sentences;

use std::{collections::BTreeSet, sync::LazyLock};

use notice::change;
use serde_json::Value;

use crate::{effort::Effort, support};
use phrases::{TOLD, Told};
use places::{PLACES, Place};
use sentences::{DOUBTED, FURTHER, HARMLESS, NEGATED};

#[test]
fn every_sentence_is_heard_by_itself() {
    let mut wrong = Vec::new();
    for (told, sentence) in TOLD {
        let statements = change::statements(sentence);
        let is_heard = statements.iter().any(|statement| !statement.is_negated);
        wrong.extend((!is_heard).then(|| format!("{told:?} not heard: {sentence} {statements:?}")));
    }
    for sentence in FURTHER.iter() {
        let is_heard = change::statements(sentence).iter().any(|statement| !statement.is_negated);
        wrong.extend((!is_heard).then(|| format!("not heard: {sentence}")));
    }
    for sentence in NEGATED.iter() {
        let statements = change::statements(sentence);
        let is_told = statements.iter().any(|statement| !statement.is_negated);
        wrong.extend(is_told.then(|| format!("negated: {sentence} {statements:?}")));
    }
    let doubted = DOUBTED.iter().filter(|sentence| !change::statements(sentence).is_empty()).count();
    assert!(doubted * ONE_IN <= HARMLESS.len() + DOUBTED.len(), "{doubted} harmless sentences are for a person");
    let harmful = HARMLESS.iter().filter(|sentence| !change::statements(sentence).is_empty());
    wrong.extend(harmful.map(|sentence| format!("harmless: {sentence} {:?}", change::statements(sentence))));
    println!(
        "{} sentences of change, {} negated, {} harmless and {doubted} of them for a person; {} wrong",
        TOLD.len() + FURTHER.len(),
        NEGATED.len(),
        HARMLESS.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A notice of today's mails, as it is read.
struct Sample {
    name: String,
    bytes: Vec<u8>,
    statuses: Vec<String>,
    reading: Value,
}

/// Every notice that we wrote.
static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let sample = |mail: support::Named| {
        let reading = support::parse(&mail.bytes);
        Sample { name: mail.name, bytes: mail.bytes, statuses: statuses(&reading), reading }
    };
    let samples = support::own_mails().into_iter().map(sample);
    samples.filter(|sample| sample.reading["outcome"] == "maintenance").collect()
});

fn statuses(reading: &Value) -> Vec<String> {
    let maintenances = reading["maintenances"].as_array().into_iter().flatten();
    maintenances.map(|one| one["status"].as_str().unwrap().to_owned()).collect()
}

/// Returns the sentences for a notice: every N-th, other ones than its neighbour's; all of them with `PROVISION_EFFORT=whole`.
fn share<T>(sentences: &[T], sample: usize) -> impl Iterator<Item = (usize, &T)> {
    let step = Effort::asked().of(23, 13, 1);
    sentences.iter().enumerate().filter(move |(at, _)| (at + sample).is_multiple_of(step))
}

/// Returns whether a notice with these statuses says what was told.
fn says(told: Told, statuses: &[String]) -> bool {
    let said: &[&str] = match told {
        Told::Off => &["CANCELLED"],
        Told::Moved => &["RE-SCHEDULED", "CANCELLED"],
        Told::Longer => &["IN-PROCESS", "RE-SCHEDULED"],
        Told::Over => &["COMPLETED", "IN-PROCESS", "RE-SCHEDULED", "CANCELLED"],
        Told::Undone => &["CANCELLED", "RE-SCHEDULED", "IN-PROCESS"],
        Told::Begun => &["IN-PROCESS", "COMPLETED", "CANCELLED"],
    };
    statuses.iter().any(|status| said.contains(&status.as_str()))
}

/// Each sentence meets each provider, and each place each sentence.
#[test]
fn a_change_told_anywhere_is_read_or_for_a_person() {
    let (mut ran, mut read, mut refused, mut wrong) = (0, 0, 0, Vec::new());
    let mut providers = BTreeSet::new();
    for (index, sample) in SAMPLES.iter().enumerate() {
        for (at, (told, sentence)) in share(TOLD, index) {
            let places = PLACES.iter().cycle().skip(index + at).take(PLACES.len());
            let mut mails = places.filter_map(|place| Some((place, places::with(&sample.bytes, sentence, *place)?)));
            let Some((place, mail)) = mails.next() else { continue };
            ran += 1;
            providers.insert(sample.name.split('/').next().unwrap());
            let reading = support::parse(&mail);
            match reading["outcome"].as_str() {
                Some("failed") => refused += 1,
                Some("maintenance") if says(*told, &statuses(&reading)) => read += 1,
                outcome => {
                    wrong.push(format!("{} {place:?} {sentence}: {outcome:?} {:?}", sample.name, statuses(&reading)));
                }
            }
        }
    }
    println!(
        "{}: {ran} notices of {} providers told of a change: {read} read it, {refused} for a person, {} did not hear",
        Effort::asked(),
        providers.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn denied_changes_change_no_status() {
    let (mut ran, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    for (index, sample) in SAMPLES.iter().enumerate() {
        for (at, sentence) in share(NEGATED.as_slice(), index) {
            let mut places = PLACES.iter().cycle().skip(index + at).take(PLACES.len());
            let Some(mail) = places.find_map(|place| places::with(&sample.bytes, sentence, *place)) else {
                continue;
            };
            ran += 1;
            let reading = support::parse(&mail);
            match reading["outcome"].as_str() {
                Some("failed") => refused.push(format!("{} {sentence}: {}", sample.name, reading["reason"])),
                Some("maintenance") if statuses(&reading) == sample.statuses => {}
                outcome => wrong.push(format!("{} {sentence}: {outcome:?} {:?}", sample.name, statuses(&reading))),
            }
        }
    }
    println!("{ran} negated sentences: {} for a person, {} wrong\n{}", refused.len(), wrong.len(), refused.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Maximum share of the notices with a harmless sentence that may go to a person: one in this many.
const ONE_IN: usize = 50;

#[test]
fn harmless_sentences_change_nothing() {
    let (mut ran, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    for (index, sample) in SAMPLES.iter().enumerate() {
        for (at, sentence) in share(HARMLESS.as_slice(), index) {
            // A subject, and what stands at the end of a text, may mean something by its place alone.
            let places = [Place::Top, Place::Middle, Place::End, Place::Description];
            let places = places.iter().cycle().skip(index + at).take(places.len());
            let mut mails = places.filter_map(|place| Some((place, places::with(&sample.bytes, sentence, *place)?)));
            let Some((place, mail)) = mails.next() else { continue };
            ran += 1;
            let reading = support::parse(&mail);
            match reading["outcome"].as_str() {
                Some("failed") => refused.push(format!("{} {place:?} {sentence}: {}", sample.name, reading["reason"])),
                Some("maintenance") if statuses(&reading) == sample.statuses => {}
                outcome => {
                    wrong.push(format!("{} {place:?} {sentence}: {outcome:?} {:?}", sample.name, statuses(&reading)));
                }
            }
        }
    }
    println!("{ran} harmless sentences: {} for a person, {} wrong\n{}", refused.len(), wrong.len(), refused.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused.len() * ONE_IN <= ran, "{} of {ran}: {}", refused.len(), refused.join("\n"));
}

/// A sentence that is harmless only by its meaning goes to a person, and is never believed.
#[test]
fn doubted_sentences_are_never_believed() {
    let (mut ran, mut wrong) = (0, Vec::new());
    for (index, sample) in SAMPLES.iter().enumerate() {
        for (at, sentence) in DOUBTED.iter().enumerate() {
            let places = [Place::Top, Place::Middle, Place::Description];
            let mut places = places.iter().cycle().skip(index + at).take(places.len());
            let Some(mail) = places.find_map(|place| places::with(&sample.bytes, sentence, *place)) else { continue };
            ran += 1;
            let reading = support::parse(&mail);
            if reading["outcome"] == "maintenance" && statuses(&reading) != sample.statuses {
                wrong.push(format!("{} {sentence}: {:?}", sample.name, statuses(&reading)));
            }
        }
    }
    println!("{ran} doubted sentences, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
