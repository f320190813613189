//! The log: one JSON document a line on standard output, nothing before it. CloudWatch makes metrics of the lines that
//! carry `_aws` (its Embedded Metric Format), so that counting needs no call and is lost only with the log itself.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    context::Context,
    report::{MailOutcome, MailReport, Report},
};

/// The namespace of our metrics.
pub const NAMESPACE: &str = "provision";

/// CloudWatch cuts a longer line, which then is no JSON document and no metric. Bytes.
const LONGEST_LINE: usize = 250_000;

/// The metrics of a mail, with their units. Each of a mail's outcomes is counted, with 0 too: an alarm then has data.
pub const METRICS: &[(&str, &str)] = &[
    ("Delivered", "Count"),
    ("Ignored", "Count"),
    ("ForPerson", "Count"),
    ("Retry", "Count"),
    ("Panics", "Count"),
    ("Maintenances", "Count"),
    ("Duration", "Milliseconds"),
];

/// A log.
pub struct Log {
    writer: Mutex<Box<dyn Write + Send>>,
    stack: String,
    function: String,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Log")
            .field("stack", &self.stack)
            .field("function", &self.function)
            .finish_non_exhaustive()
    }
}

impl Log {
    /// A log of that function, whose metrics have the dimensions `stack` (with the stage: `STACK-STAGE`) and `function`.
    pub fn new(context: &Context, writer: impl Write + Send + 'static) -> Self {
        let stack = match &context.stage {
            Some(stage) => format!("{}-{stage}", context.stack),
            None => context.stack.clone(),
        };
        Self { writer: Mutex::new(Box::new(writer)), stack, function: context.function.clone() }
    }

    /// Writes a line.
    pub fn line(&self, report: &Report) -> io::Result<()> {
        self.write(report)
    }

    /// Writes what became of a mail, with its metrics. What would make the line too long is left out, and said.
    pub fn mail(&self, report: &MailReport, panicked: bool) -> io::Result<()> {
        let line = Line { report: &Report::Mail(Box::new(report.clone())), metrics: self.metrics(report, panicked) };
        if serde_json::to_string(&line)?.len() <= LONGEST_LINE {
            return self.write(&line);
        }
        let remark =
            format!("{} maintenances are too long for the log", report.maintenances.len() + report.suggestion.len());
        let reason = report.reason.iter().map(|reason| reason.chars().take(1000).collect()).chain([remark]);
        let short = MailReport {
            reason: Some(reason.collect::<Vec<String>>().join("; ")),
            maintenances: Vec::new(),
            suggestion: Vec::new(),
            ..report.clone()
        };
        self.write(&Line { report: &Report::Mail(Box::new(short)), metrics: line.metrics })
    }

    fn write(&self, line: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(&line)?;
        writer.flush()
    }

    fn metrics(&self, report: &MailReport, panicked: bool) -> Value {
        let names: Vec<_> = METRICS.iter().map(|(name, unit)| json!({"Name": name, "Unit": unit})).collect();
        let is = |outcome| u8::from(report.outcome == outcome);
        json!({
            "_aws": {
                "Timestamp": Timestamp::now().as_millisecond(),
                "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["stack", "function"]], "Metrics": names}],
            },
            "stack": self.stack,
            "function": self.function,
            "Delivered": is(MailOutcome::Delivered),
            "Ignored": is(MailOutcome::Ignored),
            "ForPerson": is(MailOutcome::ForPerson),
            "Retry": is(MailOutcome::Retry),
            "Panics": u8::from(panicked),
            "Maintenances": report.maintenances.len(),
            "Duration": report.duration_ms,
        })
    }
}

/// A report and its metrics in one document.
#[derive(Serialize)]
struct Line<'line> {
    #[serde(flatten)]
    report: &'line Report,
    #[serde(flatten)]
    metrics: Value,
}
