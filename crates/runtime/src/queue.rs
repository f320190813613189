//! Sends messages to a queue of SQS.

use std::time::{Duration, SystemTime};

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::{
    Deadline,
    environment::Aws,
    http::Answer,
    meaning::{Meaning, code_in, meaning},
    signed::{Call, MARGIN, Service},
};

/// Rounds of attempts: a server that is silent in the first may answer on another connection.
const ROUNDS: u32 = 2;
/// Duration of a round.
const ROUND: Duration = Duration::from_millis(1800);

/// A queue. Sending takes 4 seconds at most, since somebody waits for it.
#[derive(Debug)]
pub struct Queue {
    service: Service,
    url: String,
}

impl Queue {
    /// Returns the queue at that URL. The certificates are read now: during its start a function has the most computing power.
    pub fn new(aws: &Aws, url: String) -> Self {
        let service = Service::new("sqs", aws, aws.sqs_endpoint.as_deref());
        service.prepare();
        Self { service, url }
    }

    /// Sends a message, and returns its id. After an error nobody knows whether the queue has the message: sent again, it may be there
    /// twice.
    pub async fn send(&self, message: &str, deadline: Deadline) -> Result<String, String> {
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.SendMessage")];
        let body = Bytes::from(json!({"QueueUrl": self.url, "MessageBody": message}).to_string());
        let mut round = 1;
        loop {
            self.service.until(deadline.min(Deadline::at(SystemTime::now() + ROUND + MARGIN)));
            let call = Call { method: "POST", path: "/", headers: &headers, body: body.clone(), digest: None };
            match self.service.send(call).await {
                Ok(answer) if !answer.is_trouble() => return read(&answer),
                Err(error) if round == ROUNDS => return Err(error.to_string()),
                Ok(answer) if round == ROUNDS => return read(&answer),
                Ok(_) | Err(_) => round += 1,
            }
        }
    }
}

/// Returns the id of the message that the queue took; an answer without it proves nothing.
fn read(answer: &Answer) -> Result<String, String> {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let field = |name: &str| document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match field("MessageId") {
        Some(id) if answer.status == 200 => Ok(id.to_owned()),
        _ => {
            let advice = match code_in(&document).and_then(|code| meaning("sqs", code)) {
                Some(Meaning::Denied) => ": the function's `sends` must name the queue",
                Some(Meaning::NotFound) => ": `provision up` creates the declared ones",
                _ => "",
            };
            Err(format!("SQS answers {}: {}{advice}", answer.status, answer.quote()))
        }
    }
}
