//! The lines that a function writes to its log, one JSON document each: what became of a mail, and, with the sink
//! `lines`, what was delivered. `provision dev` and `provision logs` read them back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{maintenance::Record, receipt_event::Verdicts};

/// A line of the log. The key `report` tells which; a line without it is somebody else's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// What became of a mail: one line per mail and attempt.
    Mail(Box<MailReport>),
    /// A maintenance that the sink `lines` took.
    Maintenance(Box<DeliveredMaintenance>),
    /// A mail that the sink `lines` took for a person to look at.
    ForPerson(Box<HandedOver>),
}

/// What became of a mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MailReport {
    /// Lambda's id of the invocation; a retry has the same one.
    pub request_id: String,
    /// SES's id of the mail; empty if the event named none.
    pub ses_message_id: String,
    /// The bucket that it was found in, or that it was looked for in last.
    pub bucket: Option<String>,
    /// Its key in that bucket.
    pub key: Option<String>,
    /// Its `Message-ID`, without angle brackets.
    pub message_id: Option<String>,
    /// The address of its outer `From`.
    pub sender: Option<String>,
    /// Its outer subject.
    pub subject: Option<String>,
    /// When SES received it.
    pub received_at: Option<Timestamp>,
    /// The slug of the provider whose mail it is or claims to be.
    pub provider: Option<String>,
    /// How the provider was recognised, in words.
    pub recognised_by: Option<String>,
    /// What became of it.
    pub outcome: MailOutcome,
    /// Why it was not delivered.
    pub reason: Option<String>,
    /// What SES thinks of it.
    pub verdicts: Verdicts,
    /// What was delivered.
    pub maintenances: Vec<Record<'static>>,
    /// What could be read of a mail that is for a person, unverified.
    pub suggestion: Vec<Record<'static>>,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
}

/// What became of a mail: exactly one of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailOutcome {
    /// Every maintenance is where it belongs.
    Delivered,
    /// A known sender's mail that is no notice.
    Ignored,
    /// Somebody has to look at it.
    ForPerson,
    /// Something was not there in time: Lambda tries again.
    Retry,
}

/// A maintenance that was delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveredMaintenance {
    /// The 12 keys.
    #[serde(flatten)]
    pub maintenance: Record<'static>,
    /// Our slug of the provider, where the key `provider` has the name that the notice gives.
    pub provider_slug: String,
    /// When the provider wrote the notice: what orders the notices of one maintenance.
    pub announced_at: Option<Timestamp>,
    /// The identity of the mail: the same for the same mail, however often it arrives.
    pub mail: String,
}

/// A mail that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HandedOver {
    /// The identity of the mail.
    pub mail: String,
    /// The bucket that it is in.
    pub bucket: String,
    /// Its key in that bucket.
    pub key: String,
    /// Why somebody has to.
    pub reason: String,
    /// What could be read of it, unverified.
    pub suggestion: Vec<Record<'static>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maintenance::{Circuit, Impact, Status};

    fn record() -> Record<'static> {
        Record {
            provider: "Carrier Networks".into(),
            account: "Example Networks".into(),
            maintenance_id: "CHG-1".into(),
            status: Status::ReScheduled,
            circuits: vec![Circuit::new("C-1", Impact::ReducedRedundancy).unwrap()].into(),
            start: Some(1_772_438_400),
            end: None,
            stamp: 1_772_400_000,
            organizer: "noc@carrier.example".into(),
            uid: "0".into(),
            sequence: 1,
            summary: "Fibre works".into(),
        }
    }

    #[test]
    fn a_line_of_each_kind_reads_back_as_it_was() {
        let mail = MailReport {
            request_id: "r-1".to_owned(),
            ses_message_id: "m-1".to_owned(),
            bucket: Some("mail".to_owned()),
            key: Some("inbound/m-1".to_owned()),
            message_id: None,
            sender: Some("noc@carrier.example".to_owned()),
            subject: Some("Works".to_owned()),
            received_at: Some(Timestamp::UNIX_EPOCH),
            provider: Some("carrier".to_owned()),
            recognised_by: Some("sender carrier.example".to_owned()),
            outcome: MailOutcome::ForPerson,
            reason: Some("not found: a start time".to_owned()),
            verdicts: Verdicts::default(),
            maintenances: Vec::new(),
            suggestion: vec![record()],
            duration_ms: 1.25,
        };
        let delivered = DeliveredMaintenance {
            maintenance: record(),
            provider_slug: "carrier".to_owned(),
            announced_at: None,
            mail: "1@carrier.example".to_owned(),
        };
        let handed_over = HandedOver {
            mail: "1@carrier.example".to_owned(),
            bucket: "mail".to_owned(),
            key: "inbound/m-1".to_owned(),
            reason: "not found: a start time".to_owned(),
            suggestion: Vec::new(),
        };
        let lines = [
            ("mail", Report::Mail(Box::new(mail))),
            ("maintenance", Report::Maintenance(Box::new(delivered))),
            ("for_person", Report::ForPerson(Box::new(handed_over))),
        ];
        for (kind, line) in lines {
            let json = serde_json::to_string(&line).unwrap();
            assert!(json.starts_with(&format!(r#"{{"report":"{kind}""#)), "{json}");
            assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), line);
        }
    }

    #[test]
    fn metrics_beside_a_report_and_other_lines_are_told_apart() {
        let json = r#"{"report":"for_person","mail":"1","bucket":"b","key":"k","reason":"r","suggestion":[],"_aws":{"Timestamp":1},"Delivered":0}"#;
        assert!(matches!(serde_json::from_str(json), Ok(Report::ForPerson(_))));
        assert!(serde_json::from_str::<Report>(r#"{"level":"WARN","message":"slow"}"#).is_err());
    }

    #[test]
    fn a_circuit_without_an_id_is_refused() {
        let json = serde_json::to_string(&record()).unwrap().replace("C-1", "  ");
        assert!(serde_json::from_str::<Record<'_>>(&json).is_err());
    }
}
