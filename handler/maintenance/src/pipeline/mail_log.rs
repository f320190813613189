//! The line of the log for one mail, and its metrics.

use std::io;

use contract::report::{MailOutcome, MailReport, Report};
use runtime::log::{Log, Metric, Unit};

/// Writes what became of a mail, with its metrics. What would make the line too long is left out, and said.
pub(super) fn write(log: &Log, report: &MailReport, panicked: bool) -> io::Result<()> {
    log.measured(&Report::Mail(Box::new(report.clone())), &metrics(report, panicked), || {
        Report::Mail(Box::new(shortened(report)))
    })
}

fn shortened(report: &MailReport) -> MailReport {
    let remark =
        format!("{} maintenances are too long for the log", report.maintenances.len() + report.suggestion.len());
    let reason = report.reason.iter().map(|reason| reason.chars().take(1000).collect()).chain([remark]);
    MailReport {
        reason: Some(reason.collect::<Vec<String>>().join("; ")),
        maintenances: Vec::new(),
        suggestion: Vec::new(),
        ..report.clone()
    }
}

/// The metrics of a mail. Each outcome is counted, with 0 too: an alarm then has data.
fn metrics(report: &MailReport, panicked: bool) -> [Metric; 7] {
    let is = |outcome| f64::from(u8::from(report.outcome == outcome));
    let count = |name, value| Metric { name, unit: Unit::Count, value };
    let maintenances = u32::try_from(report.maintenances.len()).unwrap_or(u32::MAX);
    [
        count("Delivered", is(MailOutcome::Delivered)),
        count("Ignored", is(MailOutcome::Ignored)),
        count("ForPerson", is(MailOutcome::ForPerson)),
        count("Retry", is(MailOutcome::Retry)),
        count("Panics", f64::from(u8::from(panicked))),
        count("Maintenances", f64::from(maintenances)),
        Metric { name: "Duration", unit: Unit::Milliseconds, value: report.duration_ms },
    ]
}
