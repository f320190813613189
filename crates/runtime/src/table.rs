//! Queries of a table of DynamoDB.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use hyper::body::Bytes;
use serde_json::{Value, json};
use thiserror::Error;

use crate::{
    Deadline,
    environment::Aws,
    http::Answer,
    meaning::{Meaning, code_in, meaning},
    signed::{Call, MARGIN, Service, pause},
};

/// Timeout of one answer: a query takes some milliseconds, and a connection that is gone tells nothing.
const PATIENCE: Duration = Duration::from_secs(2);
/// Duration of a round of attempts; another one begins as long as there is time.
const ROUND: Duration = Duration::from_secs(5);
/// Most items of an answer.
const MOST_ITEMS: u32 = 25;

/// A table whose keys are strings.
pub struct Table {
    service: Service,
    name: String,
    partition_key: &'static str,
    sort_key: &'static str,
}

/// Which sort keys a query is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey<'key> {
    /// The one with this value.
    Is(&'key str),
    /// All that begin with this value.
    BeginsWith(&'key str),
}

/// The reasons why a query has no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoItems {
    /// Another attempt may have one: too many requests, a fault of DynamoDB, a lost connection, no time left.
    #[error("{0}")]
    Trouble(String),
    /// No attempt will have one until somebody changes something.
    #[error("{0}")]
    Refused(String),
}

impl fmt::Debug for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Table").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Table {
    /// Returns the table of that name in AWS, with the names of its two keys. It makes no call by itself; the certificates are read now,
    /// since during its start a function has the most computing power.
    pub fn new(aws: &Aws, name: String, partition_key: &'static str, sort_key: &'static str) -> Self {
        let service = Service::new("dynamodb", aws, aws.dynamodb_endpoint.as_deref()).waiting(PATIENCE);
        service.prepare();
        Self { service, name, partition_key, sort_key }
    }

    /// Returns the attributes of these items that are strings, in the order of their sort keys; 25 items at most. The read is consistent:
    /// what was written before is found. What another attempt may overcome is tried again until the deadline.
    pub async fn query(
        &self,
        partition: &str,
        sort: SortKey<'_>,
        attribute: &str,
        deadline: Deadline,
    ) -> Result<Vec<Option<String>>, NoItems> {
        let body = Bytes::from(self.request(partition, sort, attribute).to_string());
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.Query")];
        let mut wait = Duration::from_millis(50);
        loop {
            // The end of a round keeps a call from beginning; the margin that the service keeps free is not the caller's.
            self.service.until(deadline.min(Deadline::at(SystemTime::now() + ROUND + MARGIN)));
            let call = Call { method: "POST", path: "/", headers: &headers, body: body.clone(), digest: None };
            let reason = match self.service.send(call).await {
                Ok(answer) => match read(&answer, attribute) {
                    Err(NoItems::Trouble(reason)) => reason,
                    ended => return ended,
                },
                Err(error) => error.to_string(),
            };
            if deadline.left() < wait * 2 + MARGIN {
                return Err(NoItems::Trouble(reason));
            }
            pause(wait).await;
            wait = (wait * 2).min(Duration::from_secs(2));
        }
    }

    fn request(&self, partition: &str, sort: SortKey<'_>, attribute: &str) -> Value {
        let (condition, value) = match sort {
            SortKey::Is(value) => ("#partition = :partition AND #sort = :sort", value),
            SortKey::BeginsWith(value) => ("#partition = :partition AND begins_with(#sort, :sort)", value),
        };
        json!({
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ProjectionExpression": "#attribute",
            "ExpressionAttributeNames": {"#partition": self.partition_key, "#sort": self.sort_key, "#attribute": attribute},
            "ExpressionAttributeValues": {":partition": {"S": partition}, ":sort": {"S": value}},
            "ConsistentRead": true,
            "ScanIndexForward": true,
            "Limit": MOST_ITEMS,
        })
    }
}

/// Returns what an answer says; one without a list of items proves nothing.
fn read(answer: &Answer, attribute: &str) -> Result<Vec<Option<String>>, NoItems> {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let (200, Some(items)) = (answer.status, document.get("Items").and_then(Value::as_array)) {
        let text = |item: &Value| item.get(attribute)?.get("S")?.as_str().map(str::to_owned);
        return Ok(items.iter().map(text).collect());
    }
    let code = code_in(&document);
    let meaning = code.and_then(|code| meaning("dynamodb", code));
    let advice = match meaning {
        Some(Meaning::Denied) => ": the function's `queries` must name the table",
        Some(Meaning::NotFound) => ": the table does not exist; `provision up` creates the declared ones",
        _ => "",
    };
    // The answer to a refused query may repeat its values, which are addresses of people.
    let said = code.map_or_else(|| "without a code".to_owned(), str::to_owned);
    let reason = format!("DynamoDB answers {} {said}{advice}", answer.status);
    let is_lasting =
        answer.status == 400 && matches!(meaning, Some(Meaning::Denied | Meaning::NotFound | Meaning::Invalid));
    Err(if is_lasting { NoItems::Refused(reason) } else { NoItems::Trouble(reason) })
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;

    use super::*;

    fn answered(status: u16, body: &str) -> Result<Vec<Option<String>>, NoItems> {
        let answer = Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec(), retry_after: None };
        read(&answer, "template_id")
    }

    #[test]
    fn an_answer_is_items_trouble_or_a_refusal() {
        let items = r#"{"Count":3,"Items":[{"template_id":{"S":"order"}},{},{"template_id":{"N":"1"}}]}"#;
        assert_eq!(answered(200, items), Ok(vec![Some("order".to_owned()), None, None]));
        assert_eq!(answered(200, r#"{"Items":[]}"#), Ok(Vec::new()));
        for (status, body) in [
            (200, ""),
            (200, "{}"),
            (200, "<html>"),
            (500, r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}"#),
            (503, ""),
            (400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}"#),
            (400, r#"{"__type":"com.amazon.coral.availability#ThrottlingException"}"#),
            (400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#RequestLimitExceeded"}"#),
            // The role's session was renewed, and the next invocation has another.
            (400, r#"{"__type":"com.amazon.coral.service#ExpiredTokenException"}"#),
        ] {
            assert!(matches!(answered(status, body), Err(NoItems::Trouble(_))), "{status} {body}");
        }
        for code in ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"] {
            let body = format!(r#"{{"__type":"x#{code}","message":"ada@example.org"}}"#);
            let Err(NoItems::Refused(reason)) = answered(400, &body) else { panic!("{body}") };
            assert!(reason.contains(code) && !reason.contains("ada"), "{reason}");
        }
    }
}
