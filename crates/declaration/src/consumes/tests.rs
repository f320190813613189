//! Tests the reading of `consumes`: the defaults, and settings that would lose or repeat messages.

use std::path::Path;

use replaced::Replaced as _;

use crate::{Declaration, DeclarationError};

/// A sound declaration, to be made worse.
const SOUND: &str = "\
stack: egress
region: eu-west-1
queues:
  jobs: {visibility_timeout: 18m, redrive: {queue: dead, after: 5}}
  dead: {}
  failed: {}
functions:
  worker: {crate: worker, timeout: 3m, consumes: {queue: jobs}}
  other: {crate: other, on_failure: failed}
";

/// Returns the diagnostics of the declaration with one thing replaced, each with its line and its hint.
fn with(old: &str, new: &str) -> Vec<String> {
    assert!(SOUND.contains(old), "{old}");
    let source = SOUND.replaced(old, new);
    let list = match Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None) {
        Ok(checked) => checked.warnings,
        Err(DeclarationError::Invalid(wrong)) => Some(wrong),
        Err(other) => panic!("{other}"),
    };
    let line = |start: usize| source[..=start].lines().count();
    let told = list.iter().flat_map(crate::Diagnostics::list).map(|one| {
        let word = if one.is_warning { "warning" } else { "error" };
        format!("{} {word}: {} | {}", line(one.span.start), one.message, one.hint.as_deref().unwrap_or(""))
    });
    told.collect()
}

#[test]
fn a_function_consumes_a_queue_with_defaults() {
    assert_eq!(with("stack", "stack"), [""; 0]);
    let checked = Declaration::parse(Path::new("infra.yaml"), SOUND.as_bytes(), None).unwrap();
    let declaration = &checked.declarations[0];
    let consumes = declaration.functions["worker"].consumes.as_ref().unwrap();
    assert_eq!((consumes.batch, consumes.concurrency, consumes.window.as_secs()), (10, None, 0));
    assert_eq!((declaration.consumer("jobs"), declaration.consumer("dead")), (Some("worker"), None));
}

#[test]
fn what_would_lose_or_repeat_messages_is_told_with_what_to_write() {
    for (old, new, words) in [
        (
            "18m",
            "1079s",
            "4 error: queue `jobs` shows a message again after `1079s`: for function `worker` it must hide it for `18m`, 6 times its timeout | write `visibility_timeout: 18m` in queue `jobs`",
        ),
        ("visibility_timeout: 18m, ", "", "8 error: queue `jobs` shows a message again after `30s`"),
        ("{queue: jobs}", "{queue: jobs, window: 1m}", "write `visibility_timeout: 19m` in queue `jobs`"),
        ("timeout: 3m", "timeout: 15m", "write `visibility_timeout: 90m` in queue `jobs`"),
        ("{queue: jobs}", "{queue: jobs, batch: 11}", "8 error: a batch of 11 messages needs time"),
        ("{queue: jobs}", "{queue: jobs, batch: 0}", "`batch` must be a whole number from 1 to 10000"),
        ("{queue: jobs}", "{queue: jobs, concurrency: 1}", "`concurrency` must be a whole number from 2 to 1000"),
        ("{queue: jobs}", "{queue: jobs, concurrency: 1001}", "`concurrency` must be a whole number from 2 to 1000"),
        ("{queue: jobs}", "{queue: jobs, window: 6m}", "`window` must be between `0s` and `5m`"),
        ("{queue: jobs}", "{batch: 1}", "lacks `queue`"),
        ("{queue: jobs}", "{queue: jbos}", "did you mean `jobs`?"),
        (
            ", redrive: {queue: dead, after: 5}",
            "",
            "4 warning: a message that function `worker` fails on to the end is lost: queue `jobs` has no `redrive` | write `redrive: {queue: dead, after: 5}` in queue `jobs`",
        ),
        (
            "{crate: other, on_failure: failed}",
            "{crate: other, timeout: 1s, consumes: {queue: jobs}}",
            "8 error: functions `other` and `worker` both consume queue `jobs`",
        ),
        (
            "on_failure: failed",
            "on_failure: jobs",
            "8 error: queue `jobs` keeps the events that function `other` failed on",
        ),
        (
            "consumes:",
            "sends: [jobs], consumes:",
            "8 warning: function `worker` sends to queue `jobs`, which invokes it again",
        ),
        (
            "consumes:",
            "on_failure: failed, consumes:",
            "8 warning: `on_failure` has no effect: its queue waits for function `worker`",
        ),
    ] {
        let told = with(old, new);
        assert!(matches!(told.as_slice(), [one] if one.contains(words)), "{new}: {told:#?}");
    }
    let enough = with("{queue: jobs}", "{queue: jobs, batch: 11, window: 1s, concurrency: 2}");
    assert!(matches!(enough.as_slice(), [one] if one.contains("`1081s`")), "{enough:?}");
}
