//! Invokes a function, synchronously or not, and reads Lambda's answer.

use std::time::{Duration, Instant};

use aws_sdk_lambda::{
    config::timeout::TimeoutConfig,
    operation::invoke::InvokeOutput,
    primitives::Blob,
    types::{InvocationType, LogType},
};
use aws_smithy_types::base64;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use aws::OrFail;
use engine::Failure;
use kinds::Session;

const CALL: &str = "lambda.Invoke";
/// Time for the start of a function, added to its timeout while waiting for its answer.
const START: Duration = Duration::from_secs(30);

/// The reasons why a question to a function has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAnswered {
    /// Lambda did not invoke it.
    #[error(transparent)]
    NotInvoked(Failure),
    /// It failed, with these words.
    #[error("{0}")]
    Failed(String),
    /// Its answer is not one to this question.
    #[error("its answer cannot be read: {0}")]
    NotRead(serde_json::Error),
}

/// Asks a function, by its name in AWS and with its timeout, and reads its answer.
pub(crate) async fn ask<Answer: DeserializeOwned>(
    session: &Session,
    (name, timeout): (&str, Duration),
    question: &impl Serialize,
) -> Result<Answer, NotAnswered> {
    let event = serde_json::to_string(question).map_err(NotAnswered::NotRead)?;
    let answer = wait(session, name, event, timeout).await.map_err(NotAnswered::NotInvoked)?;
    if answer.error.is_some() {
        let words = ["errorMessage", "errorType"].iter().find_map(|key| answer.payload.get(key)?.as_str());
        return Err(NotAnswered::Failed(words.unwrap_or("it gave no reason").to_owned()));
    }
    serde_json::from_value(answer.payload).map_err(NotAnswered::NotRead)
}

/// The result of an invocation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Answer {
    /// The function's answer: JSON, or a text if it is not valid JSON.
    pub(crate) payload: Value,
    /// Lambda's word for the kind of error, `Unhandled`; `None` for a normal answer.
    pub(crate) error: Option<String>,
    /// Last 4 KB of its log, by line.
    pub(crate) log: Vec<String>,
    /// Durations and memory of the invocation.
    pub(crate) timings: Timings,
}

/// Durations and memory of an invocation. Lambda's figures are `None` if the end of the log does not contain them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Timings {
    /// From the request to the answer, measured here, in milliseconds.
    pub(crate) total_ms: f64,
    /// Duration in the function, in milliseconds.
    pub(crate) duration_ms: Option<f64>,
    /// Billed duration, in milliseconds.
    pub(crate) billed_ms: Option<f64>,
    /// Duration of the process's start, in milliseconds; `None` if there was none.
    pub(crate) start_ms: Option<f64>,
    /// Memory of the function, in MB.
    pub(crate) memory_mb: Option<f64>,
    /// Highest memory use, in MB.
    pub(crate) used_mb: Option<f64>,
}

/// Invokes a function and waits for its answer. It is never retried: nobody knows what a lost invocation did.
pub(crate) async fn wait(session: &Session, name: &str, event: String, limit: Duration) -> Result<Answer, Failure> {
    let timeouts = TimeoutConfig::builder().read_timeout(limit + START).build();
    let config = aws_sdk_lambda::config::Builder::new().timeout_config(timeouts);
    let call = session.aws.write.lambda.invoke().function_name(name).payload(Blob::new(event));
    let call = call.invocation_type(InvocationType::RequestResponse).log_type(LogType::Tail);
    let started = Instant::now();
    let answer = call.customize().config_override(config).send().await.or_fail(CALL)?;
    Ok(Answer::of(answer, started.elapsed()))
}

/// Asks Lambda whether it would invoke a function with that event, without invoking it.
pub(crate) async fn try_out(session: &Session, name: &str, event: String) -> Result<(), Failure> {
    let call = session.aws.read.lambda.invoke().function_name(name).payload(Blob::new(event));
    call.invocation_type(InvocationType::DryRun).send().await.or_fail(CALL).map(drop)
}

/// Invokes a function asynchronously, as SES does: Lambda queues the event and retries it.
pub(crate) async fn hand_over(session: &Session, name: &str, event: String) -> Result<Option<String>, Failure> {
    use aws_sdk_lambda::operation::RequestId as _;
    let call = session.aws.write.lambda.invoke().function_name(name).payload(Blob::new(event));
    let answer = call.invocation_type(InvocationType::Event).send().await.or_fail(CALL)?;
    Ok(answer.request_id().map(str::to_owned))
}

impl Answer {
    fn of(answer: InvokeOutput, total: Duration) -> Self {
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let payload = serde_json::from_slice(&payload)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&payload).into_owned()));
        let log = answer.log_result.and_then(|text| base64::decode(text).ok());
        let log = String::from_utf8_lossy(&log.unwrap_or_default()).into_owned();
        let timings = Timings { total_ms: total.as_secs_f64() * 1000.0, ..Timings::reported(&log) };
        let log = log.lines().map(|line| line.trim_end().to_owned()).collect();
        Self { payload, error: answer.function_error, log, timings }
    }
}

impl Timings {
    /// Reads Lambda's line `REPORT RequestId: … Duration: 3.21 ms Billed Duration: 4 ms Memory Size: 128 MB …`, separated by
    /// tabs.
    fn reported(log: &str) -> Self {
        let report = log.lines().rev().find(|line| line.starts_with("REPORT RequestId:")).unwrap_or_default();
        let number = |name: &str| {
            let value = report.split('\t').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix(':'))?;
            value.split_whitespace().next()?.parse().ok()
        };
        Self {
            total_ms: 0.0,
            duration_ms: number("Duration"),
            billed_ms: number("Billed Duration"),
            start_ms: number("Init Duration"),
            memory_mb: number("Memory Size"),
            used_mb: number("Max Memory Used"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(payload: &[u8], log: &str) -> Answer {
        let log = base64::encode(log);
        let answer = InvokeOutput::builder().payload(Blob::new(payload)).log_result(log).build();
        Answer::of(answer, Duration::from_millis(12))
    }

    #[test]
    fn lambdas_report_is_read() {
        let log = "START RequestId: 1 Version: $LATEST\nhandled\nEND RequestId: 1\nREPORT RequestId: 1\tDuration: 3.21 ms\t\
                   Billed Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 9.87 ms\t\n";
        let answer = answer(br#"{"disposition":"CONTINUE"}"#, log);
        let expected = Timings {
            total_ms: 12.0,
            duration_ms: Some(3.21),
            billed_ms: Some(4.0),
            start_ms: Some(9.87),
            memory_mb: Some(128.0),
            used_mb: Some(30.0),
        };
        assert_eq!(answer.timings, expected);
        assert_eq!((answer.log.len(), &answer.payload["disposition"]), (4, &Value::from("CONTINUE")));
    }

    #[test]
    fn an_answer_that_is_not_json_is_a_text_and_missing_figures_are_none() {
        let answer = answer(b"no json", "… cut log\n");
        assert_eq!(answer.payload, Value::from("no json"));
        assert_eq!(answer.timings, Timings { total_ms: 12.0, ..Timings::default() });
    }
}
