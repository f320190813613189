//! A notice with one value many thousand times, or one value as long as the mail, is read in time that grows with its length alone, by
//! every carrier's reader; and no text of such a length is an id.

use std::{collections::BTreeSet, fs};

use mail::Mail;
use notice::{json::OutcomeRecord, outcome::Outcome};
use serde_json::Value;

use crate::{effort::Effort, support};

/// Size of the shorter of two mails that are compared, in bytes; the other is [`FACTOR`] times as long.
const SHORT: usize = 128 * 1024;
const FACTOR: usize = 4;
/// Factor by which the longer mail may take longer: twice what is linear. What grows with the square takes four times as much.
const MOST: u64 = 2 * FACTOR as u64;
/// Time that no mail of half a megabyte needs to explain, in milliseconds of the processor: it is not optimised here.
const NEGLIGIBLE_MS: u64 = 150;
/// The same of a mail whose lines quoted-printable joins to one of half a megabyte.
const NEGLIGIBLE_OF_LINES_MS: u64 = 1_000;
/// Maximum length of an id, in bytes.
const LONGEST_ID: usize = 500;

/// Separators between two values of a list.
const BETWEEN: &[&str] = &[" / ", ", ", " ", "\n", "; ", "<br>", " & ", "|", "\n\n", "</td><td>", "\t", ": "];

/// How a value is made longer.
#[derive(Debug, Clone, Copy)]
enum Longer {
    /// The same value again and again.
    Repeated(&'static str),
    /// Values of the same form, all different.
    Counted(&'static str),
    /// One value, with further digits.
    Lengthened,
}

impl Longer {
    fn of(self, value: &str, size: usize) -> String {
        match self {
            Self::Repeated(between) => format!("{value}{between}").repeat(size / (value.len() + between.len())),
            Self::Counted(between) => {
                let digits = value.bytes().filter(u8::is_ascii_digit).count().clamp(1, 9);
                let one = |number: usize| {
                    let number = format!("{number:0digits$}");
                    let mut digits = number.bytes().rev().map(char::from);
                    let letter =
                        |letter: char| if letter.is_ascii_digit() { digits.next().unwrap_or('0') } else { letter };
                    value.chars().map(letter).collect::<String>() + between
                };
                (0..size / (value.len() + between.len())).map(one).collect()
            }
            Self::Lengthened => value.to_owned() + &"7".repeat(size),
        }
    }
}

/// Returns the values of a reading that identify something.
fn values(reading: &Value) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_one = |maintenance: &Value| {
        let circuit = maintenance["circuits"].as_array().and_then(|circuits| circuits.first());
        let circuit = circuit.map(|circuit| text(&circuit["circuit_id"]));
        let summary = text(&maintenance["summary"]).split_whitespace().next().map(str::to_owned);
        let own = ["maintenance_id", "account"].map(|field| text(&maintenance[field]));
        own.into_iter().chain(circuit).chain(summary).collect::<Vec<_>>()
    };
    let maintenances = reading["maintenances"].as_array().into_iter().flatten();
    maintenances.take(1).flat_map(of_one).filter(|value| value.len() > 3).collect()
}

/// Time that this thread had on a processor, in milliseconds.
fn processor_ms() -> u64 {
    let taken = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    taken.split(' ').next().unwrap().parse::<u64>().unwrap() / 1_000_000
}

fn read(bytes: &[u8]) -> (Outcome, u64) {
    let before = processor_ms();
    let outcome = carriers::parse(&Mail::decode(bytes));
    (outcome, processor_ms() - before)
}

/// Returns what is wrong with a value that is made longer.
fn tried(head: &str, body: &str, value: &str, longer: Longer, negligible_ms: u64) -> Option<String> {
    let mail = |size: usize| format!("{head}{}", body.replacen(value, &longer.of(value, size), 1)).into_bytes();
    let (short, long) = (mail(SHORT), mail(FACTOR * SHORT));
    let (outcome, mut most) = read(&long);
    if let Some(id) = ids(&outcome).into_iter().find(|id| id.len() > LONGEST_ID) {
        return Some(format!("an id of {} bytes is believed", id.len()));
    }
    if most <= negligible_ms {
        return None;
    }
    let mut least = read(&short).1.max(1);
    if most > MOST * least {
        // Whatever else runs on the machine costs caches: the better of two counts.
        most = most.min(read(&long).1);
        least = least.max(read(&short).1);
    }
    let reason = || match &outcome {
        Outcome::Failed { failure, .. } => failure.to_string(),
        _ => String::new(),
    };
    (most > MOST * least).then(|| format!("{least} ms, {FACTOR} times as long {most} ms; {}", reason()))
}

fn ids(outcome: &Outcome) -> Vec<String> {
    let reading = serde_json::to_value(OutcomeRecord::from(outcome)).unwrap();
    let lists = ["maintenances", "suggestion"].map(|key| reading[key].as_array().cloned().unwrap_or_default());
    let of_one = |maintenance: &Value| {
        let circuits = maintenance["circuits"].as_array().into_iter().flatten();
        let circuits = circuits.map(|circuit| circuit["circuit_id"].clone()).collect::<Vec<_>>();
        [maintenance["maintenance_id"].clone(), maintenance["account"].clone()].into_iter().chain(circuits)
    };
    let ids = lists.iter().flatten().flat_map(of_one);
    ids.filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// Returns the ways in which the case of this number makes a value longer: all of them at whole effort.
fn ways(number: usize) -> Vec<Longer> {
    let lists = |between: &'static str| [Longer::Repeated(between), Longer::Counted(between)];
    let all: Vec<_> = BETWEEN.iter().flat_map(|between| lists(between)).chain([Longer::Lengthened]).collect();
    let count = Effort::asked().of(1, 1, all.len());
    // Neighbours in the list differ little.
    (0..count).map(|way| all[(number * 7 + way * 11) % all.len()]).collect()
}

#[test]
fn a_value_that_is_repeated_or_lengthened_takes_time_in_proportion() {
    let (mut ran, mut wrong, mut number) = (0, Vec::new(), 0);
    let step = Effort::asked().of(16, 12, 1);
    for mail in support::own_mails() {
        let Some((head, body)) = str::from_utf8(&mail.bytes).ok().and_then(|text| {
            let end = text.find("\n\n").map(|at| at + 2).or_else(|| text.find("\r\n\r\n").map(|at| at + 4))?;
            text.split_at_checked(end)
        }) else {
            continue;
        };
        let values = values(&support::parse(&mail.bytes));
        for value in values.iter().filter(|value| body.contains(value.as_str())) {
            number += 1;
            if number % step != 0 {
                continue;
            }
            for longer in ways(number / step) {
                ran += 1;
                let excess = tried(head, body, value, longer, NEGLIGIBLE_MS);
                wrong.extend(excess.map(|excess| format!("{}: `{value}` {longer:?}: {excess}", mail.name)));
            }
        }
    }
    println!("{ran} mails made longer, {} of them read in more time than their length explains", wrong.len());
    assert!(ran > 20 || std::env::var("PROVIDER").is_ok(), "{ran}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Size of what a notice that is made longer may be read as, in bytes as JSON. A short line that states a window becomes a maintenance five
/// times as long; what grows with the square becomes hundreds of times as long.
const MOST_READ: usize = 16 * SHORT;

/// Returns the size of a reading.
fn read_size(outcome: &Outcome) -> usize {
    serde_json::to_string(&OutcomeRecord::from(outcome)).unwrap().len()
}

#[test]
fn a_paragraph_that_is_repeated_is_read_in_proportion() {
    let (mut ran, mut wrong) = (0, Vec::new());
    let step = Effort::asked().of(8, 6, 1);
    for (number, mail) in support::own_mails().into_iter().enumerate() {
        let Some(text) = str::from_utf8(&mail.bytes).ok().filter(|_| number % step == 0) else { continue };
        let text = text.replace("\r\n", "\n");
        let Some((head, body)) = text.split_once("\n\n") else { continue };
        // Only what states something is worth a copy.
        for paragraph in body.split("\n\n").filter(|one| one.bytes().any(|byte| byte.is_ascii_digit())).take(8) {
            let again = format!("{paragraph}\n").repeat(SHORT / (paragraph.len() + 1));
            let longer = format!("{head}\n\n{}", body.replacen(paragraph, &again, 1));
            let size = read_size(&carriers::parse(&Mail::decode(longer.as_bytes())));
            ran += 1;
            if size > MOST_READ {
                let first = paragraph.lines().next().unwrap_or_default();
                wrong.push(format!("{}: `{first}` again and again: {size} bytes of {}", mail.name, longer.len()));
            }
        }
    }
    println!("{ran} paragraphs repeated, {} of them read as far more than the mail", wrong.len());
    assert!(ran > 20 || std::env::var("PROVIDER").is_ok(), "{ran}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A line again and again, as a mail client wraps a sentence that never ends.
#[test]
fn a_line_that_is_repeated_takes_time_in_proportion() {
    let (mut ran, mut wrong) = (0, Vec::new());
    let step = Effort::asked().of(32, 24, 1);
    let mails = support::own_mails().into_iter().filter_map(|mail| {
        let text = str::from_utf8(&mail.bytes).ok()?.replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n")?;
        Some((mail.name, format!("{head}\n\n"), body.to_owned()))
    });
    let lines = mails.flat_map(|(name, head, body)| {
        // What is shorter is no line that a client has wrapped.
        let lines: BTreeSet<_> = body.lines().filter(|line| line.len() > 60).map(str::to_owned).collect();
        lines.into_iter().map(move |line| (name.clone(), head.clone(), body.clone(), line)).collect::<Vec<_>>()
    });
    for (name, head, body, line) in lines.step_by(step) {
        ran += 1;
        let excess = tried(&head, &body, &line, Longer::Repeated("\n"), NEGLIGIBLE_OF_LINES_MS);
        wrong.extend(excess.map(|excess| format!("{name}: `{line}`: {excess}")));
    }
    println!("{ran} lines repeated, {} of them read in more time than their length explains", wrong.len());
    assert!(ran > 20 || std::env::var("PROVIDER").is_ok(), "{ran}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
