//! Every mail of the corpus: those of the providers that we know exactly, and never a maintenance for any other.
//!
//! `case.json` beside a mail says what may differ: keys that are not compared (`any`, `debatable`), further readings that are
//! right (`also`), and whether a person is right as well (`also_none`).

use std::fs;

use mail::Mail;
use notice::{
    found::Place,
    model::{Maintenance, Status},
    outcome::Outcome,
};
use serde::Deserialize;
use serde_json::Value;

use crate::support;

#[derive(Deserialize)]
struct Case {
    /// Expected result: `maintenances` or `error`.
    expects: String,
    /// Keys that are not compared, but have to be filled.
    #[serde(default)]
    any: Vec<String>,
    /// Keys with two honest readings; also those of circuits.
    #[serde(default)]
    debatable: Vec<String>,
    /// Whole other readings that are right.
    #[serde(default)]
    also: Vec<Value>,
    /// `true` if handing the mail to a person is right.
    #[serde(default)]
    also_none: bool,
}

/// Cases that are for a person here, and why: the notice itself speaks against the reading that the case has.
const FOR_A_PERSON: &[(&str, &str)] = &[(
    "colt/colt3",
    "nothing but a sentence tells the status: `this maintenance for your service … stands as cancelled`, the case has CONFIRMED",
)];

impl Case {
    /// Returns the maintenances without the keys that are not compared.
    fn compared(&self, mut maintenances: Value) -> Value {
        for maintenance in maintenances.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            for key in &self.any {
                let value = maintenance.remove(key);
                assert!(value.and_then(|value| value.as_str().map(|text| !text.is_empty())).unwrap_or_default());
            }
            for key in &self.debatable {
                maintenance.remove(key);
                let circuits = maintenance.get_mut("circuits").and_then(Value::as_array_mut).into_iter().flatten();
                circuits.filter_map(Value::as_object_mut).for_each(|circuit| drop(circuit.remove(key)));
            }
        }
        maintenances
    }

    /// Returns what is wrong with an outcome.
    fn difference(&self, what: &str, expected: Option<&Value>, actual: &Value) -> Option<String> {
        let is_handed_over = actual["outcome"] == "failed" || actual["outcome"] == "unrecognised";
        let read = self.compared(actual["maintenances"].clone());
        if is_handed_over && (self.also_none || self.expects == "error") {
            return None;
        }
        if actual["outcome"] == "maintenance" && self.also.iter().any(|also| self.compared(also.clone()) == read) {
            return None;
        }
        match expected {
            Some(expected) => support::difference(what, &self.compared(expected.clone()), &read),
            None => support::difference(what, &Value::from("failed"), &actual["outcome"]),
        }
    }
}

/// Each status was read somewhere in the mail: no format's rule states one. What a calendar says of its entries by its method, or
/// by leaving the status out, is a rule of the standard.
#[test]
fn no_status_is_a_rule() {
    let mut by_rule = Vec::new();
    for mail in support::corpus_mails().into_iter().chain(support::own_mails()) {
        let Outcome::Notice(notice) = carriers::parse(&Mail::decode(&mail.bytes)) else { continue };
        let statuses = notice.maintenances.iter().filter(|one| one.status() != Status::NoChange);
        let evidence = statuses.flat_map(Maintenance::evidence).filter(|evidence| evidence.field == "status");
        let rules = evidence.filter(|evidence| {
            matches!(evidence.place, Place::Rule(rule) if !rule.starts_with("a calendar entry that is taken back"))
        });
        by_rule.extend(rules.map(|evidence| format!("{}: {}", mail.name, evidence.place)));
    }
    assert!(by_rule.is_empty(), "{}", by_rule.join("\n"));
}

#[test]
fn every_case_is_exact() {
    let (mut exact, mut held, mut to_person, mut foreign, mut wrong) = (0, 0, 0, 0, Vec::new());
    let mails = support::corpus_mails();
    for mail in &mails {
        let provider = mail.name.split('/').next().unwrap();
        let known = carriers::providers::ALL.iter().any(|known| known.slug == provider);
        let case: Case = serde_json::from_slice(&fs::read(mail.path.with_file_name("case.json")).unwrap()).unwrap();
        for (ends, bytes) in support::with_both_line_ends(&mail.bytes) {
            let actual = support::parse(&bytes);
            let what = format!("{} {ends}: {}", mail.name, actual["reason"]);
            // Whoever sends a MAINTNOTE calendar is understood by it.
            if !known && actual["provider"] != "genericprovider" {
                foreign += 1;
                wrong.extend(
                    (actual["outcome"] == "maintenance").then(|| format!("{what}: nobody's mail became {actual}")),
                );
            } else if case.expects == "error" {
                held += 1;
                wrong.extend(case.difference(&what, None, &actual));
            } else if FOR_A_PERSON.iter().any(|(name, _)| *name == mail.name) {
                held += 1;
                wrong.extend(support::difference(&what, &Value::from("failed"), &actual["outcome"]));
            } else {
                exact += 1;
                to_person += usize::from(actual["outcome"] == "failed");
                let expected = fs::read(mail.path.with_file_name("expected.json")).unwrap();
                wrong.extend(case.difference(&what, Some(&serde_json::from_slice(&expected).unwrap()), &actual));
            }
        }
    }
    for (name, why) in FOR_A_PERSON {
        println!("corpus: {name} goes to a person: {why}");
    }
    println!(
        "corpus: {exact} cases to be exact ({to_person} of them to a person), {held} errors to be held, {foreign} of nobody; {} wrong",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(exact + held + foreign, 2 * mails.len(), "every case is run with both line ends");
}
