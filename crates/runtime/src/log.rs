//! The log: one JSON document per line on standard output, nothing before it. CloudWatch extracts metrics from the lines that
//! carry `_aws` (its Embedded Metric Format), so that counting needs no call and is lost only with the log itself.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use contract::{
    context::Context,
    report::{ItemReport, Report},
    text,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::known::redact;

/// The namespace of our metrics.
pub const NAMESPACE: &str = "provision";

/// Length limit of a line, in bytes. CloudWatch cuts a longer one, which then is neither a JSON document nor a metric.
const LONGEST_LINE: usize = 250_000;

/// One measured value of a log line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Name of the metric, and its key in the line.
    pub name: &'static str,
    /// Unit of the value.
    pub unit: Unit,
    /// Value that was measured, in its unit.
    pub value: f64,
}

/// The unit of a metric, in `CloudWatch`'s words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A duration in milliseconds.
    Milliseconds,
    /// A size in bytes.
    Bytes,
}

/// The log of a function.
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
    /// Creates the log of that function, whose metrics have the dimensions `stack` (with the stage: `STACK-STAGE`) and `function`.
    pub fn new(context: &Context, writer: impl Write + Send + 'static) -> Self {
        let stack = match &context.stage {
            Some(stage) => format!("{}-{stage}", context.stack),
            None => context.stack.clone(),
        };
        Self { writer: Mutex::new(Box::new(writer)), stack, function: context.function.clone() }
    }

    /// Writes a JSON document as one line.
    pub fn line(&self, line: &impl Serialize) -> io::Result<()> {
        self.write(&serde_json::to_vec(line)?)
    }

    /// Writes the outcome of an item, with the function's own metrics. A line that CloudWatch would cut is shortened, and says so.
    ///
    /// ```
    /// use contract::{context::Context, report::{Class, ItemReport}};
    /// use runtime::log::{Log, Metric, Unit};
    ///
    /// let context = Context { stack: "shop".to_owned(), function: "orders".to_owned(), ..Context::default() };
    /// let log = Log::new(&context, std::io::stdout());
    /// let report = ItemReport {
    ///     class: Class::Done,
    ///     outcome: "stored".to_owned(),
    ///     item: "order 7".to_owned(),
    ///     ..ItemReport::default()
    /// };
    /// log.item(report, &[Metric { name: "stored_bytes", unit: Unit::Bytes, value: 512.0 }]).unwrap();
    /// ```
    pub fn item(&self, report: ItemReport, metrics: &[Metric]) -> io::Result<()> {
        let metrics = self.embedded(metrics);
        let line = |report: ItemReport| {
            serde_json::to_vec(&Line { report: &Report::Item(Box::new(report)), metrics: &metrics })
        };
        let short = report.shortened();
        let whole = line(report)?;
        self.write(&if whole.len() <= LONGEST_LINE { whole } else { line(short)? })
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever reads the log reads it on a screen.
        writer.write_all(redact(&text::clean_json(&String::from_utf8_lossy(line))).as_bytes())?;
        writer.write_all(b"\n")?;
        writer.flush()
    }

    fn embedded(&self, metrics: &[Metric]) -> Map<String, Value> {
        let names: Vec<_> = metrics.iter().map(|metric| json!({"Name": metric.name, "Unit": metric.unit})).collect();
        let mut keys = Map::new();
        keys.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": Timestamp::now().as_millisecond(),
                "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["stack", "function"]], "Metrics": names}],
            }),
        );
        keys.insert("stack".to_owned(), json!(self.stack));
        keys.insert("function".to_owned(), json!(self.function));
        keys.extend(metrics.iter().map(|metric| (metric.name.to_owned(), number(metric.value))));
        keys
    }
}

/// Returns a number as JSON, a whole one without a fraction.
fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "compared below")]
    let whole = value as i64;
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "a fraction is what is looked for")]
    let is_whole = whole as f64 == value;
    if is_whole { json!(whole) } else { json!(value) }
}

/// A report and its metrics in one document.
#[derive(Serialize)]
struct Line<'line> {
    #[serde(flatten)]
    report: &'line Report,
    #[serde(flatten)]
    metrics: &'line Map<String, Value>,
}
