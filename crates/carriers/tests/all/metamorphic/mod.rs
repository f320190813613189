//! Tests that the same notice in another wrapping is read the same, and that another notice differs only in what was changed.
//!
//! Every mail that we wrote is encoded, wrapped, forwarded and given footers as mail programs and lists do it, and is made one
//! about other days, zones, ids and circuits. No provider is left out silently: each variation changes a notice of each
//! provider, or says here why it cannot.

mod content;
mod forwarding;
mod moments;
mod wrapping;
mod zones;

use std::{collections::BTreeMap, sync::LazyLock};

use carriers::providers::ALL;
use mail::Mail;
use serde_json::Value;

use crate::{
    rewrite::{self, Encoding},
    support,
};

/// A mail whose reading is known.
struct Sample {
    /// Name of the mail: `PROVIDER/NAME`.
    name: String,
    slug: String,
    bytes: Vec<u8>,
    /// Its texts not encoded; `None` where something of it is no UTF-8.
    plain: Option<String>,
    reading: Value,
    decoded: Mail,
}

impl Sample {
    fn is_notice(&self) -> bool {
        self.reading["outcome"] == "maintenance"
    }

    fn maintenances(&self) -> &[Value] {
        self.reading["maintenances"].as_array().unwrap()
    }
}

/// Notices, and carriers' other mails.
static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let sample = |mail: support::Named| Sample {
        slug: mail.name.split('/').next().unwrap().to_owned(),
        plain: String::from_utf8(rewrite::encoded(&mail.bytes, Encoding::EightBit)).ok(),
        reading: support::parse(&mail.bytes),
        decoded: Mail::decode(&mail.bytes),
        name: mail.name,
        bytes: mail.bytes,
    };
    let samples = support::own_mails().into_iter().map(sample);
    samples.filter(|sample| sample.is_notice() || sample.reading["outcome"] == "ignored").collect()
});

/// A mail written otherwise.
struct Changed {
    /// Variant of the change, if a mail is changed in several ways.
    how: String,
    bytes: Vec<u8>,
    expected: Value,
    /// Not reading it, or no window of it, is right as well.
    may_be_refused: bool,
}

impl Changed {
    /// Returns a mail that says the same as before.
    fn same(sample: &Sample, bytes: Vec<u8>) -> Self {
        Self { how: String::new(), bytes, expected: sample.reading.clone(), may_be_refused: false }
    }
}

/// A way to write a notice otherwise.
struct Variation {
    name: &'static str,
    /// The providers none of whose notices can be changed so, and why.
    left_out: &'static [(&'static str, &'static str)],
    /// Keys of a maintenance that are not compared.
    ignored: &'static [&'static str],
    /// `true` if the changed text is part of ids that are hashes.
    changes_hashes: bool,
    /// Summaries keep the blanks of a page as they are written.
    changes_blanks: bool,
    /// A provider whose notices are all refused is no provider left out.
    refusals_count: bool,
}

impl Variation {
    /// Returns a change of notices of every provider, after which every key is compared.
    const fn of_all(name: &'static str) -> Self {
        Self { name, left_out: &[], ignored: &[], changes_hashes: false, changes_blanks: false, refusals_count: false }
    }

    /// Reads each mail as `change` makes it, and compares.
    fn check(&self, change: impl Fn(&Sample) -> Vec<Changed>) {
        let mut changed_of: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut ran, mut refused, mut wrong) = (0, 0, Vec::new());
        for sample in SAMPLES.iter() {
            for changed in change(sample) {
                ran += 1;
                let actual = support::parse(&changed.bytes);
                let is_refused = changed.may_be_refused && is_refusal(&actual, &changed.expected);
                let counts = sample.is_notice() && (self.refusals_count || !is_refused);
                *changed_of.entry(&sample.slug).or_default() += usize::from(counts);
                if is_refused {
                    refused += 1;
                    continue;
                }
                let what = format!("{}: {} {}", self.name, sample.name, changed.how);
                let (expected, actual) = (self.compared(changed.expected), self.compared(actual));
                wrong.extend(support::difference(&what, &expected, &actual));
            }
        }
        let providers = changed_of.values().filter(|count| **count > 0).count();
        let left_out: Vec<_> = self.left_out.iter().map(|(slug, why)| format!("{slug} ({why})")).collect();
        println!(
            "{}: {ran} mails of {providers} providers, {refused} refused, {} read otherwise; left out: {}",
            self.name,
            wrong.len(),
            if left_out.is_empty() { "none".to_owned() } else { left_out.join(", ") }
        );
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        self.check_that_nobody_is_missing(&changed_of);
    }

    fn compared(&self, mut reading: Value) -> Value {
        for maintenance in reading["maintenances"].as_array_mut().unwrap() {
            // An id that is a hash of circuits and times changes with them.
            if maintenance["maintenance_id"].as_str().is_some_and(is_hash) && self.changes_hashes {
                maintenance["maintenance_id"] = "hash".into();
            }
            if let Some(summary) = maintenance["summary"].as_str().filter(|_| self.changes_blanks) {
                maintenance["summary"] = summary.split_whitespace().collect::<Vec<_>>().join(" ").into();
            }
            for key in self.ignored {
                maintenance.as_object_mut().unwrap().remove(*key);
            }
        }
        reading
    }

    fn check_that_nobody_is_missing(&self, changed_of: &BTreeMap<&str, usize>) {
        let mut missing = Vec::new();
        for provider in ALL.iter().filter(|provider| support::is_asked_for(provider.slug)) {
            let is_changed = changed_of.get(provider.slug).is_some_and(|count| *count > 0);
            let is_left_out = self.left_out.iter().any(|(slug, _)| *slug == provider.slug);
            if is_changed == is_left_out {
                let what = if is_changed { "changed, and listed as left out" } else { "not changed" };
                missing.push(format!("{}: {} is {what}", self.name, provider.slug));
            }
        }
        assert!(missing.is_empty(), "{}", missing.join("\n"));
        for (slug, _) in self.left_out {
            assert!(ALL.iter().any(|provider| provider.slug == *slug), "{slug} is no provider");
        }
    }
}

/// Returns whether a mail was not read, or its window was not: what is cancelled or completed needs none.
fn is_refusal(actual: &Value, expected: &Value) -> bool {
    let has_window =
        |reading: &Value| reading["maintenances"].as_array().unwrap().iter().any(|one| one["start"].is_i64());
    match actual["outcome"].as_str() {
        Some("failed") => true,
        Some("maintenance") => has_window(expected) && !has_window(actual),
        _ => false,
    }
}

/// Returns whether an id is a hash, of a provider whose notices have none.
fn is_hash(id: &str) -> bool {
    id.len() == 64 && id.bytes().all(|digit| digit.is_ascii_hexdigit())
}
