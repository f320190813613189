//! One mail in a process of the function's own, with a memory limit: what it took, and how it ended.

use std::process::Command;

use contract::report::{ItemReport, Report};
use serde_json::json;

use crate::{
    cloud::{Cloud, Running},
    trusted,
};

/// A mebibyte, in bytes.
pub(crate) const MEGABYTE: u64 = 1024 * 1024;
/// Memory limit for any mail of a megabyte, in bytes.
const MOST_MEMORY: u64 = 100 * MEGABYTE;
/// Address space of the child, in bytes: an allocation above this ends it.
const ADDRESS_SPACE: u64 = 1500 * MEGABYTE;
/// Limit on the processor's time for any mail of a megabyte, start included, in milliseconds.
const LONGEST_MS: u64 = 1_000;
/// Environment variable with the path of the function as Lambda runs it. Without it the tests take the one that was built with
/// them, which is optimised a little where mails are read, and not elsewhere.
const OPTIMISED: &str = "PROVISION_FUNCTION";
/// Factor by which that one may be slower.
const SLOWER: u64 = 4;

/// The resources that one mail took.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Size of the mail, in bytes.
    size: usize,
    /// Peak resident memory, in bytes.
    peak: u64,
    /// Time of the processor, in milliseconds.
    processor_ms: u64,
    /// Report of the mail.
    pub(crate) report: ItemReport,
    /// Lines of the log.
    pub(crate) lines: Vec<String>,
}

impl Taken {
    /// Returns what is beyond the limits; `None` if nothing is.
    pub(crate) fn excess(&self) -> Option<String> {
        let longest = if std::env::var_os(OPTIMISED).is_some() { LONGEST_MS } else { LONGEST_MS * SLOWER };
        (self.peak >= MOST_MEMORY || self.processor_ms >= longest).then(|| self.to_string())
    }
}

impl std::fmt::Display for Taken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { size, peak, processor_ms, report, .. } = self;
        let (size, peak) = (size / 1024, peak / MEGABYTE);
        write!(formatter, "{size} KB: {peak} MB, {processor_ms} ms, {} {:?}", report.outcome, report.reason)
    }
}

/// Returns the function, with a limit on its memory.
fn limited(cloud: &Cloud) -> Command {
    let program = std::env::var(OPTIMISED).unwrap_or_else(|_| env!("CARGO_BIN_EXE_maintenance").to_owned());
    let mut command = cloud.function("/bin/sh");
    command.args(["-c", &format!("ulimit -v {} && exec \"$0\"", ADDRESS_SPACE / 1024), &program]);
    command
}

fn event(id: &str, from: &str, dmarc: &str) -> String {
    let status = |word: &str| json!({"status": word});
    let passed = status("PASS");
    json!({"Records": [{"eventSource": "aws:ses", "ses": {
        "mail": {"timestamp": "2026-03-02T08:00:01.250Z", "messageId": id, "source": "bounce@carrier.example",
            "commonHeaders": {"from": [from]}},
        "receipt": {"spamVerdict": passed, "virusVerdict": passed, "spfVerdict": passed, "dkimVerdict": passed,
            "dmarcVerdict": status(dmarc)}}}]})
    .to_string()
}

/// Has a process of its own handle a mail whose author passed every check, but for DMARC as told.
pub(crate) fn handle_with(mail: &[u8], from: &str, dmarc: &str) -> Result<Taken, String> {
    let object = trusted::stored("id", mail);
    let cloud = Cloud::start();
    cloud.answer("mail/inbound/id", 200, &object);
    let mut function = Running::start(limited(&cloud));
    let Some(said) = cloud.invoke_once("request", &event("id", from, dmarc), &mut function) else {
        let (status, (_, log)) = function.end();
        return Err(format!("the process ended: {status}\n{log}"));
    };
    let (peak, processor_ms) = (function.peak_memory(), function.processor_ms());
    let (lines, log) = function.stop();
    if !said.path.ends_with("/response") {
        return Err(format!("{said:?}\n{log}"));
    }
    let mut reports = lines.iter().filter_map(|line| match serde_json::from_str(line).ok()? {
        Report::Item(report) => Some(*report),
        Report::Start(_) | Report::Output(_) => None,
    });
    let report = reports.next_back().ok_or_else(|| format!("no report\n{log}"))?;
    Ok(Taken { size: mail.len(), peak, processor_ms, report, lines })
}

/// The same, of a mail that passed DMARC too.
pub(crate) fn handle(mail: &[u8], from: &str) -> Result<Taken, String> {
    handle_with(mail, from, "PASS")
}
