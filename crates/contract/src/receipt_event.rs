//! The event with which SES invokes a function: headers and verdicts of a mail, not the mail itself.
//!
//! Our own types, since the published ones refuse a mail without `From`. Nothing here is required: an unknown field is
//! ignored, and a field of another type counts as missing. Whoever cannot do without a field checks it where it is
//! used.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Object that SES writes into a bucket when a receipt rule is created. It is not a mail.
pub const SETUP_OBJECT: &str = "AMAZON_SES_SETUP_NOTIFICATION";

/// An invocation by a receipt rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ReceiptEvent {
    /// Records, one per mail. A record of another shape counts as empty, so that the others are still handled.
    #[serde(default, rename = "Records", deserialize_with = "each_lenient")]
    pub records: Vec<Record>,
}

/// One mail of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Record {
    /// Source of the event: `aws:ses`.
    #[serde(default, rename = "eventSource", deserialize_with = "lenient")]
    pub event_source: Option<String>,
    /// The mail as SES describes it.
    #[serde(default, deserialize_with = "lenient")]
    pub ses: Received,
}

/// A mail, as SES describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Received {
    /// Envelope and headers.
    #[serde(default, deserialize_with = "lenient")]
    pub mail: MailNote,
    /// Recipients and verdicts.
    #[serde(default, deserialize_with = "lenient")]
    pub receipt: Receipt,
}

/// Envelope and headers of a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct MailNote {
    /// SES message id: the last part of the object's key.
    #[serde(default, rename = "messageId", deserialize_with = "lenient")]
    pub message_id: Option<String>,
    /// Sender of the envelope.
    #[serde(default, deserialize_with = "lenient")]
    pub source: Option<String>,
    /// Time at which SES received the mail.
    #[serde(default, deserialize_with = "lenient")]
    pub timestamp: Option<Timestamp>,
    /// Headers that SES has read. Cut at 10 KB, so they are for the log alone.
    #[serde(default, rename = "commonHeaders", deserialize_with = "lenient")]
    pub common_headers: CommonHeaders,
}

/// The headers that SES has read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct CommonHeaders {
    /// Authors (`From`), display names included.
    #[serde(default, deserialize_with = "lenient")]
    pub from: Vec<String>,
    /// Decoded subject.
    #[serde(default, deserialize_with = "lenient")]
    pub subject: Option<String>,
    /// The sender's `Message-ID`, in angle brackets.
    #[serde(default, rename = "messageId", deserialize_with = "lenient")]
    pub message_id: Option<String>,
}

/// The receipt of a mail: recipients and verdicts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Receipt {
    #[serde(default, rename = "spamVerdict", deserialize_with = "lenient")]
    spam: Status,
    #[serde(default, rename = "virusVerdict", deserialize_with = "lenient")]
    virus: Status,
    #[serde(default, rename = "spfVerdict", deserialize_with = "lenient")]
    spf: Status,
    #[serde(default, rename = "dkimVerdict", deserialize_with = "lenient")]
    dkim: Status,
    #[serde(default, rename = "dmarcVerdict", deserialize_with = "lenient")]
    dmarc: Status,
}

/// A verdict as SES writes it, inside an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
struct Status {
    #[serde(default, deserialize_with = "lenient")]
    status: Verdict,
}

impl Receipt {
    /// Returns the verdicts on the mail.
    pub fn verdicts(&self) -> Verdicts {
        Verdicts {
            spam: self.spam.status,
            virus: self.virus.status,
            spf: self.spf.status,
            dkim: self.dkim.status,
            dmarc: self.dmarc.status,
        }
    }
}

/// The verdicts of SES on a mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicts {
    /// Verdict on spam.
    #[serde(default)]
    pub spam: Verdict,
    /// Verdict on viruses.
    #[serde(default)]
    pub virus: Verdict,
    /// Verdict of SPF: may this address send for the envelope's sender?
    #[serde(default)]
    pub spf: Verdict,
    /// Verdict of DKIM: is the mail signed? The event does not name the domain.
    #[serde(default)]
    pub dkim: Verdict,
    /// Verdict of DMARC: does the domain of `From` stand for the mail?
    #[serde(default)]
    pub dmarc: Verdict,
}

/// One verdict, in SES's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// The mail passed the check.
    Pass,
    /// The mail failed the check.
    Fail,
    /// Uncertain, or the domain publishes no policy.
    Gray,
    /// SES could not make the check.
    ProcessingFailed,
    /// The receipt rule does not ask for the scan.
    Disabled,
    /// The event states no verdict, or an unknown word.
    #[default]
    #[serde(other)]
    Unknown,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Gray => "GRAY",
            Self::ProcessingFailed => "PROCESSING_FAILED",
            Self::Disabled => "DISABLED",
            Self::Unknown => "UNKNOWN",
        })
    }
}

/// Reads a field of any type; one of another type than expected counts as missing.
fn lenient<'event, D: Deserializer<'event>, T: Default + DeserializeOwned>(from: D) -> Result<T, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// Reads a list whose members are read one by one, so that a malformed one does not affect the others.
fn each_lenient<'event, D: Deserializer<'event>, T: Default + DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    let values: Vec<Value> = lenient(from)?;
    Ok(values.into_iter().map(|value| serde_json::from_value(value).unwrap_or_default()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> ReceiptEvent {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_whole_record_is_read() {
        let event = read(
            r#"{"Records": [{"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {
                "mail": {"timestamp": "2026-03-02T08:00:01.250Z", "messageId": "abc", "source": "bounce@carrier.example",
                    "commonHeaders": {"from": ["NOC <noc@carrier.example>"], "subject": "Works", "messageId": "<1@carrier.example>"}},
                "receipt": {"spamVerdict": {"status": "PASS"}, "virusVerdict": {"status": "DISABLED"}, "spfVerdict": {"status": "GRAY"},
                    "dkimVerdict": {"status": "PROCESSING_FAILED"}, "dmarcVerdict": {"status": "FAIL"}, "dmarcPolicy": "reject"}}}]}"#,
        );
        let record = &event.records[0];
        assert_eq!(record.event_source.as_deref(), Some("aws:ses"));
        assert_eq!(record.ses.mail.message_id.as_deref(), Some("abc"));
        assert_eq!(record.ses.mail.timestamp.unwrap().as_millisecond(), 1_772_438_401_250);
        assert_eq!(record.ses.mail.common_headers.from, ["NOC <noc@carrier.example>"]);
        assert_eq!(
            record.ses.receipt.verdicts(),
            Verdicts {
                spam: Verdict::Pass,
                virus: Verdict::Disabled,
                spf: Verdict::Gray,
                dkim: Verdict::ProcessingFailed,
                dmarc: Verdict::Fail
            }
        );
    }

    #[test]
    fn what_is_missing_or_of_another_type_is_not_there() {
        let event = read(
            r#"{"Records": [
                {"ses": {"mail": {"messageId": "one", "timestamp": "yesterday", "commonHeaders": {"from": "noc@carrier.example"}},
                    "receipt": {"spamVerdict": "PASS", "virusVerdict": {"status": 1}, "dkimVerdict": {"status": "SPLENDID"}}}},
                "no record at all",
                {"ses": {"mail": {"messageId": 17}, "receipt": null}},
                {"ses": {"mail": {"messageId": "last"}}}]}"#,
        );
        let ids: Vec<_> = event.records.iter().map(|record| record.ses.mail.message_id.as_deref()).collect();
        assert_eq!(ids, [Some("one"), None, None, Some("last")]);
        let first = &event.records[0].ses;
        assert_eq!((first.mail.timestamp, &first.mail.common_headers.from), (None, &Vec::new()));
        assert_eq!(first.receipt.verdicts(), Verdicts::default());
        assert_eq!(Verdicts::default().virus, Verdict::Unknown);
    }

    #[test]
    fn another_event_has_no_records() {
        for other in [r"{}", r#"{"Records": null}"#, r#"{"Records": {"a": 1}}"#, r#"{"source": "aws.events"}"#] {
            assert_eq!(read(other).records, [], "{other}");
        }
    }
}
