//! The simple model: what the rows must be when all events have been applied, whatever the order and however often. It shares no code with
//! what it judges but the words of SES.

use std::collections::{BTreeMap, BTreeSet};

use delivery::{Change, changes};
use events::{Reading, read};
use serde_json::{Value, json};

/// Types of events from the weakest to the strongest; those that say nothing of the delivery are left out.
const RANKS: [(&str, &str); 10] = [
    ("Send", "sent"),
    ("DeliveryDelay", "delayed"),
    ("Delivery", "delivered"),
    ("Transient", "soft_bounced"),
    ("Open", "opened"),
    ("Click", "clicked"),
    ("Bounce", "bounced"),
    ("Rendering Failure", "failed"),
    ("Reject", "rejected"),
    ("Complaint", "complained"),
];

/// An event of a test.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sample {
    pub(crate) kind: &'static str,
    pub(crate) mail: String,
    pub(crate) recipient: String,
    /// Seconds after the beginning.
    pub(crate) second: u32,
}

impl Sample {
    /// Returns the event as SES publishes it.
    pub(crate) fn text(&self) -> String {
        self.document().to_string()
    }

    fn document(&self) -> Value {
        let at = at(self.second);
        let recipient = json!([{"emailAddress": self.recipient}]);
        let (kind, key, detail) = match self.kind {
            "Transient" => (
                "Bounce",
                "bounce",
                json!({"bounceType": "Transient", "bouncedRecipients": recipient, "timestamp": at}),
            ),
            "Bounce" => (
                "Bounce",
                "bounce",
                json!({"bounceType": "Permanent", "bouncedRecipients": recipient, "timestamp": at}),
            ),
            "Complaint" => ("Complaint", "complaint", json!({"complainedRecipients": recipient, "timestamp": at})),
            "DeliveryDelay" => {
                ("DeliveryDelay", "deliveryDelay", json!({"delayedRecipients": recipient, "timestamp": at}))
            }
            "Delivery" => ("Delivery", "delivery", json!({"recipients": [self.recipient], "timestamp": at})),
            "Open" => ("Open", "open", json!({"timestamp": at})),
            "Click" => ("Click", "click", json!({"timestamp": at})),
            "Subscription" => ("Subscription", "subscription", json!({"timestamp": at})),
            other => (other, "none", json!({})),
        };
        // What has no time of its own has that of the mail.
        json!({
            "eventType": kind, key: detail,
            "mail": {"messageId": self.mail, "timestamp": at, "source": "orders@shop.example", "destination": [self.recipient]},
        })
    }

    /// Returns the changes as the worker makes them.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let text = self.text();
        let Ok(Reading::Event(event)) = read(&text) else { panic!("{text}") };
        changes(&text, &event).unwrap()
    }

    fn rank(&self) -> Option<usize> {
        RANKS.iter().position(|(kind, _)| *kind == self.kind)
    }
}

/// Returns the time of that second.
pub(crate) fn at(second: u32) -> String {
    format!("2027-01-05T{:02}:{:02}:{:02}.000Z", second / 3600 % 24, second / 60 % 60, second % 60)
}

/// The last state of a mail: its status, the time of it, and the number of events in the log.
pub(crate) type End = (String, String, usize);

/// Returns the end of each mail and recipient.
pub(crate) fn ends(samples: &[Sample]) -> BTreeMap<(String, String), End> {
    let mut all: BTreeMap<(String, String), BTreeSet<&Sample>> = BTreeMap::new();
    for sample in samples {
        all.entry((sample.mail.clone(), sample.recipient.clone())).or_default().insert(sample);
    }
    let end = |samples: BTreeSet<&Sample>| {
        let greatest = samples.iter().filter_map(|sample| sample.rank()).max();
        let first = samples.iter().filter(|sample| sample.rank() == greatest).map(|sample| sample.second).min();
        let status = greatest.map_or("pending", |rank| RANKS[rank].1).to_owned();
        (status, at(first.unwrap()), samples.len())
    };
    all.into_iter().map(|(key, samples)| (key, end(samples))).collect()
}

/// Returns random events of some mails: each mail has one to three recipients, and each recipient one to eight events.
pub(crate) fn samples(count: usize, seed: u64) -> Vec<Sample> {
    let mut random = fastrand::Rng::with_seed(seed);
    let kinds: Vec<&'static str> = RANKS.iter().map(|(kind, _)| *kind).chain(["Subscription"]).collect();
    let mut all = Vec::with_capacity(count);
    let mut mail = 0;
    while all.len() < count {
        mail += 1;
        for recipient in 0..random.u32(1..=3) {
            for _ in 0..random.u32(1..=8) {
                let kind = *random.choice(&kinds).unwrap();
                let recipient = format!("r{recipient}@example.org");
                all.push(Sample { kind, mail: format!("mail-{mail}"), recipient, second: random.u32(0..40_000) });
            }
        }
    }
    all.truncate(count);
    all
}
