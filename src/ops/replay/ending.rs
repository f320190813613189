//! The end of an invocation whose process could not say why it failed, as its log tells it: Lambda's own lines name the request id, and
//! between them stands what the process wrote last.

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;

use super::record::Invocation;
use crate::ops::log::{Search, search};
use engine::Failure;
use kinds::Session;

/// Number of a process's last lines that are told.
const MOST_SAID: usize = 3;
/// Length limit of each, in characters.
const LONGEST_SAID: usize = 300;

/// Returns what the log has of an invocation's end, in words.
pub(super) async fn find(session: &Session, group: &str, invocation: &Invocation) -> String {
    match last_attempt(session, group, invocation).await {
        Ok(Some((stream, lines))) => {
            let lines: Vec<&str> = lines.iter().filter_map(FilteredLogEvent::message).map(str::trim_end).collect();
            format!("{}log stream `{stream}`, request {}", described(&lines), invocation.request_id)
        }
        Ok(None) => format!("`{group}` has no line of request {}", invocation.request_id),
        Err(failure) => format!("its log could not be read: {failure}"),
    }
}

/// Returns the log stream and the lines of the last attempt; `None` if the log has none.
async fn last_attempt(
    session: &Session,
    group: &str,
    invocation: &Invocation,
) -> Result<Option<(String, Vec<FilteredLogEvent>)>, Failure> {
    let Invocation { request_id, since, until } = invocation;
    let searched =
        Search { since: *since, until: Some(*until), pattern: Some(format!("\"{request_id}\"")), stream: None };
    let named = search(session, group, searched).await?.unwrap_or_default();
    let is_start = |event: &FilteredLogEvent| names(event, "START", request_id);
    let Some(first) = named.iter().rev().find(|event| is_start(event)) else { return Ok(None) };
    let (Some(stream), Some(since)) = (first.log_stream_name(), first.timestamp()) else { return Ok(None) };
    let of_stream = named.iter().filter(|event| event.log_stream_name() == Some(stream));
    let until = of_stream.filter_map(FilteredLogEvent::timestamp).max();
    // Not every line of the attempt names the request.
    let searched = Search { since, until, pattern: None, stream: Some(stream.to_owned()) };
    let lines = search(session, group, searched).await?.unwrap_or_default();
    let from = lines.iter().rposition(is_start).unwrap_or(0);
    let mut attempt: Vec<_> = lines.into_iter().skip(from).collect();
    let end = attempt.iter().position(|event| names(event, "REPORT", request_id));
    attempt.truncate(end.map_or(attempt.len(), |end| end + 1));
    Ok(Some((stream.to_owned(), attempt)))
}

/// Returns whether an event is Lambda's line of that kind about a request: `START RequestId: ID …`.
fn names(event: &FilteredLogEvent, kind: &str, request_id: &str) -> bool {
    let after = event.message().and_then(|line| line.strip_prefix(kind)?.strip_prefix(" RequestId: "));
    after.and_then(|after| after.split([' ', '\t', '\n']).next()) == Some(request_id)
}

/// Returns how the process ended, what it said last and how much memory it took, each with `; ` behind it, as far as the lines of an
/// attempt have it.
fn described(lines: &[&str]) -> String {
    let after = |words: &str| lines.iter().find_map(|line| line.split_once(words)).map(|(_, after)| after.trim());
    let exited = after("Error: Runtime exited with error: ");
    let timed_out = lines.iter().find_map(|line| line.find("Task timed out after ").and_then(|at| line.get(at..)));
    let mut told: Vec<String> = exited.or(timed_out).map(|how| format!("it ended with `{how}`")).into_iter().collect();
    let said: Vec<&str> = lines.iter().copied().filter(|line| is_own(line)).collect();
    for line in said.iter().skip(said.len().saturating_sub(MOST_SAID)) {
        let cut: String = line.chars().take(LONGEST_SAID).collect();
        told.push(format!("it said `{cut}`"));
    }
    let report = lines.iter().find(|line| line.starts_with("REPORT RequestId: "));
    let megabytes = |label: &str| {
        let (_, rest) = report?.split_once(label)?;
        rest.split(" MB").next()?.trim().parse::<u32>().ok()
    };
    if let (Some(used), Some(size)) = (megabytes("Max Memory Used: "), megabytes("Memory Size: ")) {
        told.push(format!("it used {used} of {size} MB"));
    }
    // An empty one at the end, so that what follows is separated too.
    if !told.is_empty() {
        told.push(String::new());
    }
    told.join("; ")
}

/// Returns whether a process wrote a line, not Lambda, and not as the report of a mail.
fn is_own(line: &str) -> bool {
    const OF_LAMBDA: [&str; 7] =
        ["START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "RequestId: ", "INIT_", "XRAY ", "Runtime."];
    let is_of_lambda = OF_LAMBDA.iter().any(|start| line.starts_with(start)) || line.contains("Task timed out after ");
    !line.trim().is_empty() && !is_of_lambda && !line.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::described;

    const REPORT: &str = "REPORT RequestId: 5d1e-2b7f\tDuration: 41.07 ms\tBilled Duration: 42 ms\tMemory Size: 256 MB\tMax Memory Used: 61 MB\tStatus: error\tError Type: Runtime.ExitError";

    #[test]
    fn the_lines_of_an_attempt_tell_how_it_ended() {
        let aborted = [
            "START RequestId: 5d1e-2b7f Version: $LATEST",
            r#"{"report":"item","request_id":"5d1e-2b7f"}"#,
            "memory allocation of 10000000000 bytes failed",
            "RequestId: 5d1e-2b7f Error: Runtime exited with error: signal: aborted",
            "Runtime.ExitError",
            "END RequestId: 5d1e-2b7f",
            REPORT,
        ];
        assert_eq!(
            described(&aborted),
            "it ended with `signal: aborted`; it said `memory allocation of 10000000000 bytes failed`; it used 61 of 256 MB; "
        );
        let late = [
            "START RequestId: 5d1e-2b7f Version: $LATEST",
            "2027-01-05T10:15:30.123Z 5d1e-2b7f Task timed out after 30.03 seconds",
        ];
        assert_eq!(described(&late), "it ended with `Task timed out after 30.03 seconds`; ");
        assert_eq!(described(&[]), "");
        let many = ["a", "b", "c", "d", ""];
        assert_eq!(described(&many), "it said `b`; it said `c`; it said `d`; ");
    }
}
