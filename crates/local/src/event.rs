//! The receipt event, as SES builds it for a Lambda action.
//!
//! Source of the shape: "Contents of notifications for Amazon SES email receiving" in the SES developer guide.

use jiff::Timestamp;
use mail_parser::{Address, MessageParser};
use serde::Serialize;

use super::{
    arrival::Arrival,
    verdicts::{Verdict, Verdicts},
};
use declaration::Invocation;

/// Size at which SES cuts the headers in the event: 10 KB.
const LARGEST_HEADERS: usize = 10 * 1024;

/// A receipt event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    records: [Record; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_source: &'static str,
    event_version: &'static str,
    ses: Ses,
}

#[derive(Debug, Serialize)]
struct Ses {
    mail: Mail,
    receipt: Receipt,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    timestamp: String,
    source: String,
    message_id: String,
    destination: Vec<String>,
    headers_truncated: bool,
    headers: Vec<Header>,
    common_headers: CommonHeaders,
}

#[derive(Debug, Serialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct CommonHeaders {
    return_path: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    from: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reply_to: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cc: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bcc: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    timestamp: String,
    processing_time_millis: i64,
    recipients: Vec<String>,
    spam_verdict: Status,
    virus_verdict: Status,
    spf_verdict: Status,
    dkim_verdict: Status,
    dmarc_verdict: Status,
    action: LambdaAction,
}

#[derive(Debug, Serialize)]
struct Status {
    status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LambdaAction {
    r#type: &'static str,
    function_arn: String,
    invocation_type: &'static str,
}

/// Builds the event for a mail that a rule hands to a function. `stored` is the mail with the headers of SES,
/// `recipients` are those whom the rule takes.
pub fn build(
    arrival: &Arrival,
    stored: &[u8],
    recipients: Vec<String>,
    verdicts: Verdicts,
    function_arn: String,
    invocation: Invocation,
) -> Event {
    let timestamp = format!("{:.3}", arrival.received_at);
    let (headers, headers_truncated) = headers(stored);
    let status = |verdict: Verdict| Status { status: verdict.as_str() };
    let mail = Mail {
        timestamp: timestamp.clone(),
        source: arrival.envelope.sender.clone(),
        message_id: arrival.id.clone(),
        destination: arrival.envelope.recipients.clone(),
        headers_truncated,
        headers,
        common_headers: common_headers(arrival),
    };
    let receipt = Receipt {
        timestamp,
        processing_time_millis: Timestamp::now().as_millisecond() - arrival.received_at.as_millisecond(),
        recipients,
        spam_verdict: status(verdicts.spam),
        virus_verdict: status(verdicts.virus),
        spf_verdict: status(verdicts.spf),
        dkim_verdict: status(verdicts.dkim),
        dmarc_verdict: status(verdicts.dmarc),
        action: LambdaAction {
            r#type: "Lambda",
            function_arn,
            invocation_type: match invocation {
                Invocation::Event => "Event",
                Invocation::RequestResponse => "RequestResponse",
            },
        },
    };
    Event { records: [Record { event_source: "aws:ses", event_version: "1.0", ses: Ses { mail, receipt } }] }
}

/// Returns the headers, unfolded, and whether they were cut.
fn headers(stored: &[u8]) -> (Vec<Header>, bool) {
    let mut headers: Vec<Header> = Vec::new();
    let mut size = 0;
    for line in stored.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        size += line.len();
        if size > LARGEST_HEADERS {
            return (headers, true);
        }
        let line = String::from_utf8_lossy(line);
        if line.starts_with([' ', '\t']) {
            if let Some(last) = headers.last_mut() {
                last.value.push(' ');
                last.value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push(Header { name: name.trim_end().to_owned(), value: value.trim().to_owned() });
        }
    }
    (headers, false)
}

fn common_headers(arrival: &Arrival) -> CommonHeaders {
    let return_path = arrival.envelope.sender.clone();
    let Some(message) = MessageParser::default().parse_headers(&arrival.bytes) else {
        return CommonHeaders { return_path, ..CommonHeaders::default() };
    };
    CommonHeaders {
        return_path,
        from: mailboxes(message.from()),
        reply_to: mailboxes(message.reply_to()),
        date: message.header_raw("Date").map(|date| date.trim().to_owned()),
        to: mailboxes(message.to()),
        cc: mailboxes(message.cc()),
        bcc: mailboxes(message.bcc()),
        message_id: message.message_id().map(|id| format!("<{id}>")),
        subject: message.subject().map(str::to_owned),
    }
}

/// Returns mailboxes as `Name <address>`, or the address alone.
fn mailboxes(addresses: Option<&Address<'_>>) -> Vec<String> {
    let written = |mailbox: &mail_parser::Addr<'_>| match (mailbox.name(), mailbox.address()) {
        (Some(name), Some(address)) => Some(format!("{name} <{address}>")),
        (None, Some(address)) => Some(address.to_owned()),
        (name, None) => name.map(str::to_owned),
    };
    addresses.map(|addresses| addresses.iter().filter_map(written).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrival::Envelope;

    fn event(mail: &[u8]) -> serde_json::Value {
        let arrival = Arrival {
            id: "0123456789abcdefghijklmnopqrstuv01234567".to_owned(),
            envelope: Envelope {
                helo: "mx.carrier.example".to_owned(),
                sender: "bounce@carrier.example".to_owned(),
                recipients: vec!["noc@example.com".to_owned(), "other@example.net".to_owned()],
            },
            received_at: "2027-01-05T10:15:30.123456Z".parse().unwrap(),
            bytes: mail.to_vec(),
        };
        let verdicts = Verdicts::with(&["dmarc=GRAY".parse().unwrap()]).under(false);
        let stored = arrival.stored("eu-west-1", verdicts);
        let built = build(
            &arrival,
            &stored,
            vec!["noc@example.com".to_owned()],
            verdicts,
            "arn:aws:lambda:eu-west-1:123456789012:function:stack-reader".to_owned(),
            Invocation::Event,
        );
        serde_json::to_value(built).unwrap()
    }

    #[test]
    fn the_event_says_what_ses_says() {
        let event = event(
            b"From: =?utf-8?q?Carri=C3=A9r?= <noc@carrier.example>\r\nTo: noc@example.com,\r\n Two <two@example.com>\r\n\
              Cc: three@example.com\r\nReply-To: desk@carrier.example\r\nDate: Tue, 5 Jan 2027 10:15:28 +0000\r\n\
              Message-ID: <m1@carrier.example>\r\nSubject: Planned\r\n work\r\n\r\nbody: none\r\n",
        );
        let ses = &event["Records"][0]["ses"];
        assert_eq!(event["Records"][0]["eventSource"], "aws:ses");
        assert_eq!(
            ses["mail"]["commonHeaders"],
            serde_json::json!({
                "returnPath": "bounce@carrier.example",
                "from": ["Carriér <noc@carrier.example>"],
                "replyTo": ["desk@carrier.example"],
                "date": "Tue, 5 Jan 2027 10:15:28 +0000",
                "to": ["noc@example.com", "Two <two@example.com>"],
                "cc": ["three@example.com"],
                "messageId": "<m1@carrier.example>",
                "subject": "Planned work",
            })
        );
        assert_eq!(ses["mail"]["timestamp"], "2027-01-05T10:15:30.123Z");
        assert_eq!(ses["mail"]["destination"], serde_json::json!(["noc@example.com", "other@example.net"]));
        assert_eq!(ses["mail"]["headersTruncated"], false);
        let headers = ses["mail"]["headers"].as_array().unwrap();
        let names: Vec<&str> = headers.iter().filter_map(|header| header["name"].as_str()).collect();
        assert_eq!(
            names,
            [
                "Return-Path",
                "Received",
                "X-SES-Spam-Verdict",
                "X-SES-Virus-Verdict",
                "Received-SPF",
                "Authentication-Results",
                "X-SES-RECEIPT",
                "From",
                "To",
                "Cc",
                "Reply-To",
                "Date",
                "Message-ID",
                "Subject"
            ]
        );
        assert_eq!(headers[8]["value"], "noc@example.com, Two <two@example.com>");
        let receipt = &ses["receipt"];
        assert_eq!(receipt["recipients"], serde_json::json!(["noc@example.com"]));
        assert_eq!(receipt["spamVerdict"]["status"], "DISABLED");
        assert_eq!(receipt["dkimVerdict"]["status"], "PASS");
        assert_eq!(receipt["dmarcVerdict"]["status"], "GRAY");
        assert_eq!(
            receipt["action"],
            serde_json::json!({
                "type": "Lambda",
                "functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:stack-reader",
                "invocationType": "Event",
            })
        );
    }

    #[test]
    fn headers_are_cut_at_ten_kilobytes() {
        let mut mail = "X-Long: 0123456789\r\n".repeat(1000).into_bytes();
        mail.extend_from_slice(b"From: noc@carrier.example\r\n\r\n");
        let event = event(&mail);
        let mail = &event["Records"][0]["ses"]["mail"];
        assert_eq!(mail["headersTruncated"], true);
        assert!(mail["headers"].to_string().len() < 40 * 1024);
        assert_eq!(mail["commonHeaders"]["from"], serde_json::json!(["noc@carrier.example"]));
    }

    #[test]
    fn any_bytes_make_an_event() {
        for mail in [&b""[..], b"\n", b" folded", b"no colon\r\n\r\n", b"\xff\xfe: \x00\r\n", b"From:\r\n\r\n"] {
            let event = event(mail);
            assert_eq!(event["Records"][0]["ses"]["mail"]["messageId"].as_str().unwrap().len(), 40);
        }
    }
}
