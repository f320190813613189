//! Puts off the next delivery of a message to a time that somebody asks for, in place of the one that follows from the queue's settings.

use std::time::Duration;

use contract::{partition::Partition, queue_event::QueueRecord};
use hyper::body::Bytes;
use serde_json::json;

use crate::{
    Deadline,
    environment::Aws,
    signed::{Call, Service},
};

/// Longest time that a message may be invisible, with some left for what has passed of it: SQS counts 12 hours from its delivery.
const LONGEST: Duration = Duration::from_mins(11 * 60 + 30);

/// Postpones deliveries of messages, by their visibility in the queue.
#[derive(Debug)]
pub struct Postponing(Service);

impl Postponing {
    /// Returns what puts off deliveries. It makes no call by itself.
    pub fn new(aws: &Aws) -> Self {
        Self(Service::new("sqs", aws, aws.sqs_endpoint.as_deref()))
    }

    /// Sets the invocation's deadline: no call begins shortly before it or later.
    pub fn until(&self, deadline: Deadline) {
        self.0.until(deadline);
    }

    /// Lets a message that has failed be delivered again after that time, at most half a day. If that fails, the queue delivers it again
    /// after its visibility timeout.
    pub async fn postpone(&self, record: &QueueRecord, wait: Duration) -> Result<(), String> {
        let url = url(&record.queue_arn).ok_or_else(|| format!("`{}` is not the ARN of a queue", record.queue_arn))?;
        let seconds = wait.min(LONGEST).as_secs().max(1);
        let headers =
            [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.ChangeMessageVisibility")];
        let body = json!({"QueueUrl": url, "ReceiptHandle": record.receipt_handle, "VisibilityTimeout": seconds});
        let call =
            Call { method: "POST", path: "/", headers: &headers, body: Bytes::from(body.to_string()), digest: None };
        let answer = self.0.send(call).await.map_err(|error| error.to_string())?;
        let is_done = answer.status == 200;
        if is_done { Ok(()) } else { Err(format!("SQS answers {}: {}", answer.status, answer.quote())) }
    }
}

/// Returns the URL of a queue; `None` if the text is not the ARN of one.
fn url(arn: &str) -> Option<String> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", _, "sqs", region, account, name] = parts[..] else { return None };
    Some(format!("https://{}/{account}/{name}", Partition::endpoint("sqs", region)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_queue_follows_from_its_arn() {
        for (arn, expected) in [
            (
                "arn:aws:sqs:eu-west-1:123456789012:egress-jobs",
                "https://sqs.eu-west-1.amazonaws.com/123456789012/egress-jobs",
            ),
            (
                "arn:aws-cn:sqs:cn-north-1:123456789012:a.fifo",
                "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/a.fifo",
            ),
        ] {
            assert_eq!(url(arn).as_deref(), Some(expected));
        }
        for arn in ["", "arn:aws:sns:eu-west-1:123456789012:a", "arn:aws:sqs:eu-west-1:123456789012", "a:b:sqs:c:d:e"] {
            assert_eq!(url(arn), None, "{arn}");
        }
    }
}
