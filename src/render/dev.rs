//! Shows `provision dev`: the running stack, the events of each mail, request and message, and the summary. Every line about one begins
//! with its number, so that those which overlap can be told apart and searched for.

use std::{path::Path, time::Duration};

use comfy_table::{ContentArrangement, Table, presets};
use contract::{
    count::{counted, counted_as},
    maintenance::Announced,
    report::{ItemReport, Report},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Printer, VERSION,
    look::{Look, clean},
    maintenances,
};
use declaration::{Action, Consumes, Declaration, Invocation, ReceiptRule, Recipient, Tls};
use local::{Activity, Arrival, Endpoint, Item, Next, Stack, Summary, Usage, Wait};

/// The state folder of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State<'run> {
    /// Path of the folder.
    pub(crate) folder: &'run Path,
    /// `true` if it stays after the run.
    pub(crate) is_kept: bool,
}

/// Prints the running stack: addresses, functions, folders.
pub(crate) fn banner(printer: &Printer, declaration: &Declaration, stack: &Stack, state: State<'_>, once: bool) {
    let mut lines = vec![format!("{} in {}, on this machine", declaration.stack, declaration.region)];
    for (entry, function) in &declaration.functions {
        lines.push(format!(
            "  function {entry}: {}, {} MB, {}, {}",
            function.code,
            function.memory,
            span(function.timeout),
            counted_as(function.retries.into(), "retry", "retries")
        ));
    }
    lines.extend(declaration.receipt_rules.iter().map(|rule| format!("  rule {}: {}", rule.name, describe(rule))));
    lines.extend(stack.apis.iter().flat_map(|endpoint| describe_api(declaration, endpoint)));
    lines.extend(
        declaration
            .functions
            .iter()
            .filter_map(|(entry, function)| Some(describe_queue(declaration, entry, function.consumes.as_ref()?))),
    );
    let heard = stack.topics.iter().map(|topic| format!("  topic {}: hears of sent mails", topic.entry));
    lines.extend(heard);
    lines.extend(stack.kafka.iter().map(|kafka| format!("  Kafka {kafka}")));
    lines.extend(stack.stores.iter().map(|store| format!("  {}: {} at {}", store.what, store.product, store.address)));
    let smtp = stack.smtp.iter().map(|smtp| format!("SMTP 127.0.0.1:{}", smtp.address.port()));
    let listeners: Vec<_> = smtp.chain([format!("S3 http://{}", stack.s3)]).collect();
    lines.push(format!("  {}", listeners.join(", ")));
    let removed = if state.is_kept { "" } else { ", removed at the end (`--state FOLDER` keeps them)" };
    lines.push(format!("  objects and queues: {}{removed}", path(state.folder)));
    if !once {
        let certificate = stack.smtp.iter().map(|smtp| &smtp.certificate);
        lines.extend(certificate.map(|certificate| format!("  certificate of SMTP's STARTTLS: {}", path(certificate))));
        let awaited = match (&stack.smtp, &stack.apis[..]) {
            (Some(_), []) => "mail",
            (Some(_), _) => "mail and requests",
            (None, _) => "requests",
        };
        lines.push(format!("Waiting for {awaited}; Ctrl-C ends it"));
    }
    for line in &lines {
        printer.line(line);
    }
}

/// Describes an API: a line for its address, and one for each route.
fn describe_api(declaration: &Declaration, endpoint: &Endpoint) -> Vec<String> {
    let mut lines = vec![format!("  api {}: {}", endpoint.entry, endpoint.url)];
    let routes = declaration.apis.get(&endpoint.entry).into_iter().flat_map(|api| &api.routes);
    lines.extend(routes.map(|route| {
        let rate = counted(usize::try_from(route.rate).unwrap_or(usize::MAX), "request");
        let first = route.sources.first().map(|network| format!(", as if from {network}")).unwrap_or_default();
        format!("    {} → invoke {}, {rate} a second{first}", route.route, route.invoke)
    }));
    lines
}

/// Describes a queue that a function consumes.
fn describe_queue(declaration: &Declaration, function: &str, consumes: &Consumes) -> String {
    let queue = &consumes.queue;
    let redrive = declaration.queues.get(queue).and_then(|queue| queue.redrive.as_ref());
    let dead = redrive.map(|redrive| format!(", to {} after {} receipts", redrive.queue, redrive.after));
    let batch = counted(consumes.batch.into(), "message");
    format!("  queue {queue}: invoke {function} with up to {batch}{}", dead.unwrap_or_default())
}

/// Returns a path that is safe for a terminal.
fn path(path: &Path) -> String {
    clean(&path.display().to_string())
}

/// Prints that the run ends once everything is finished that was accepted.
pub(crate) fn finishing(printer: &Printer, open: usize) {
    if open > 0 {
        printer.line("Finishing what was accepted; Ctrl-C once more ends it at once");
    }
}

fn describe(rule: &ReceiptRule) -> String {
    let recipients: Vec<String> = rule
        .recipients
        .iter()
        .map(|recipient| match recipient {
            Recipient::Address(address) => address.clone(),
            Recipient::Domain(domain) => format!("@{domain}"),
            Recipient::SubDomains(parent) => format!("@*.{parent}"),
        })
        .collect();
    let recipients = if recipients.is_empty() { "every recipient".to_owned() } else { recipients.join(", ") };
    let actions: Vec<String> = rule.actions.iter().map(describe_action).collect();
    let tls = match rule.tls {
        Tls::Require => "TLS required by SES, not here",
        Tls::Optional => "TLS optional",
    };
    let scan = if rule.scan { "scanned" } else { "not scanned" };
    let off = if rule.enabled { "" } else { "off; " };
    format!("{off}{recipients}; {tls}; {scan} → {}", actions.join(", "))
}

fn describe_action(action: &Action) -> String {
    match action {
        Action::Store { bucket, prefix, .. } => format!("store in {bucket}/{prefix}"),
        Action::Invoke { function, invocation: Invocation::Event, .. } => format!("invoke {function}"),
        Action::Invoke { function, invocation: Invocation::RequestResponse, .. } => {
            format!("invoke {function} and wait")
        }
        Action::Publish { topic, .. } => format!("publish to {topic}"),
        Action::Bounce(bounce) => format!("bounce with {}", bounce.smtp_code),
        Action::AddHeader { name, .. } => format!("add the header {name}"),
        Action::Stop => "stop".to_owned(),
    }
}

/// Prints an event as it happens. With `--json` only the functions' logs are shown.
pub(crate) fn activity(printer: &Printer, state: State<'_>, number: Option<usize>, activity: &Activity) {
    if let Activity::Logged { function, line } = activity {
        logged(printer, function, line);
        return;
    }
    if printer.is_json() {
        return;
    }
    let label = number.map_or_else(String::new, |number| format!("#{number} "));
    // The label stands before every line of a table.
    for line in lines(activity, state, &printer.look().narrower(label.len())) {
        printer.data(&format!("{label}{line}"));
    }
}

/// Prints a line of a function's log.
pub(crate) fn logged(printer: &Printer, function: &str, line: &str) {
    printer.line(&format!("{function} | {}", clean(line)));
}

fn lines(activity: &Activity, state: State<'_>, look: &Look) -> Vec<String> {
    match activity {
        Activity::Refused { recipient } => vec![format!("refused    {}: no receipt rule takes it", clean(recipient))],
        Activity::Unreadable { reason } => vec![format!("unreadable {}", clean(reason))],
        Activity::NotTaken { origin, reason } => vec![format!("not taken  {}: {}", clean(origin), clean(reason))],
        Activity::Arrived { origin, sender, subject, .. } => {
            let sender = if sender.is_empty() { "nobody" } else { sender };
            vec![format!("arrived    {}: \"{}\" from {}", clean(origin), clean(subject), clean(sender))]
        }
        Activity::Stored { rule, bucket, key, .. } => vec![format!("stored     rule {rule} → bucket {bucket}, {key}")],
        Activity::Handed { by, function, .. } => vec![format!("handed     {by} → function {function}")],
        Activity::Notified { origin, .. } => vec![format!("published  {}", clean(origin))],
        Activity::Requested { origin, route, .. } => vec![format!("posted     {}: {route}", clean(origin))],
        Activity::TurnedAway { origin, request, status } => {
            vec![format!("turned away {}: {}: {status}", clean(origin), clean(request))]
        }
        Activity::NotPosted { origin, route, reason } => {
            vec![format!("not posted {}: {}: {}", clean(origin), clean(route), clean(reason))]
        }
        Activity::Answered { status, refusal, .. } => {
            let refusal = if refusal.is_empty() { String::new() } else { format!(" {}", clean(refusal)) };
            vec![format!("answered   {status}{refusal}")]
        }
        Activity::Queued { queue, message, .. } => vec![format!("queued     queue {queue}, message {message}")],
        Activity::Published { rule, topic, .. } => {
            vec![format!("published  rule {rule} → topic {topic}; nobody is subscribed here")]
        }
        Activity::Bounced { rule, answer, .. } => vec![format!("bounced    rule {rule}: {}", clean(answer))],
        Activity::Reported { report, .. } => match &**report {
            Report::Item(report) => item(report, look),
            // The report of the item shows the outcome already, and there is one build here.
            Report::Start(_) | Report::Output(_) => Vec::new(),
        },
        Activity::Succeeded { function, usage, .. } => {
            vec![format!("done       function {function}: {}", took(*usage))]
        }
        Activity::Failed { function, failure, next, .. } => {
            vec![format!("failed     function {function}: {}; {}", clean(&failure.to_string()), follows(next, state))]
        }
        Activity::Logged { .. } => Vec::new(),
    }
}

fn item(report: &ItemReport, look: &Look) -> Vec<String> {
    let fact = report.facts.first().map(|(label, text)| format!(" {label} {text}")).unwrap_or_default();
    let reason = report.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let mut lines = vec![clean(&format!("{:<10}{fact}{reason}", in_words(&report.outcome)))];
    lines.extend(table_of(&report.details, look));
    lines
}

/// Returns the table of the maintenances of a function's details; no lines if they have none.
pub(super) fn table_of(details: &Map<String, Value>, look: &Look) -> Vec<String> {
    let (announced, look) = (announced(details), &look.narrower(2));
    let mut lines = Vec::new();
    lines.extend(maintenances(&announced.maintenances, look).lines().map(|line| format!("  {line}")));
    if !announced.suggestion.is_empty() {
        lines.push("  unverified:".to_owned());
        lines.extend(maintenances(&announced.suggestion, look).lines().map(|line| format!("  {line}")));
    }
    lines
}

/// Returns the maintenances of a function's details; none if they have no such keys.
fn announced(details: &Map<String, Value>) -> Announced {
    serde_json::from_value(Value::Object(details.clone())).unwrap_or_default()
}

/// Returns a word for programs as people read it.
pub(super) fn in_words(word: &str) -> String {
    clean(&word.replace('_', " "))
}

fn took(usage: Usage) -> String {
    let mut parts = vec![span(usage.duration)];
    parts.extend(usage.start.map(|start| format!("start {}", span(start))));
    parts.extend(usage.memory.map(|bytes| format!("{} MB", bytes.div_ceil(1024 * 1024))));
    parts.join(", ")
}

/// Returns a duration as people read it: `0.4 ms`, `50 ms`, `1.5 s`, `2 min 5 s`.
fn span(duration: Duration) -> String {
    let number = |value: f64| {
        let digits = usize::from(value < 10.0);
        let text = format!("{value:.digits$}");
        text.strip_suffix(".0").unwrap_or(&text).to_owned()
    };
    let milliseconds = duration.as_secs_f64() * 1000.0;
    if milliseconds < 999.5 {
        return format!("{} ms", number(milliseconds));
    }
    if milliseconds < 59_500.0 {
        return format!("{} s", number(milliseconds / 1000.0));
    }
    let seconds = duration.as_secs() + u64::from(duration.subsec_millis() >= 500);
    let parts = [(seconds / 3600, "h"), (seconds % 3600 / 60, "min"), (seconds % 60, "s")];
    let words = parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number} {unit}"));
    words.collect::<Vec<_>>().join(" ")
}

fn follows(next: &Next, state: State<'_>) -> String {
    match next {
        Next::Retry { after, in_aws: Wait { service, duration }, attempt, attempts } => {
            format!("attempt {attempt} of {attempts} in {} ({service} waits {})", span(*after), span(*duration))
        }
        Next::FailureQueue { queue, file } if state.is_kept => format!("the event is in queue {queue}: {}", path(file)),
        Next::FailureQueue { queue, .. } => {
            format!("the event is in queue {queue} until the end of this run (`--state FOLDER` keeps it)")
        }
        Next::Left { queue, reason } => format!("the message stays in queue {queue}: {}", clean(reason)),
        Next::InternalError => "the sender is answered 500".to_owned(),
        Next::Lost { reason } => format!("the event is lost: {}", clean(reason)),
        Next::NotRetried => "SES goes on without its answer".to_owned(),
    }
}

/// The summary as JSON, with the version of its format.
#[derive(Serialize)]
struct Document<'summary> {
    version: u32,
    #[serde(flatten)]
    summary: &'summary Summary,
}

/// Returns the two most telling facts.
fn about(facts: &[(String, String)]) -> String {
    facts.iter().take(2).map(|(label, text)| format!("{label} {text}")).collect::<Vec<_>>().join(", ")
}

/// Prints the summary: a table, or the one JSON document.
pub(crate) fn summary(printer: &Printer, summary: &Summary) -> anyhow::Result<()> {
    if printer.is_json() {
        printer.data(&serde_json::to_string(&Document { version: VERSION, summary })?);
        return Ok(());
    }
    mails_or_events(printer, "mail", &summary.mails);
    mails_or_events(printer, "event", &summary.notifications);
    requests(printer, &summary.requests.iter().chain(&summary.messages).collect::<Vec<_>>());
    let counts: Vec<String> =
        summary.counts.iter().map(|(outcome, count)| format!("{count} {}", in_words(outcome.word()))).collect();
    let kinds = [
        (&summary.mails, "mail"),
        (&summary.requests, "request"),
        (&summary.notifications, "event"),
        (&summary.messages, "message"),
    ];
    let kinds =
        kinds.into_iter().filter(|(items, _)| !items.is_empty()).map(|(items, kind)| counted(items.len(), kind));
    let kinds: Vec<String> = kinds.collect();
    if !kinds.is_empty() {
        printer.data(&format!("\n{}: {}", kinds.join(", "), counts.join(", ")));
    }
    Ok(())
}

/// Prints a table of mails, or of events of sent mails.
fn mails_or_events(printer: &Printer, kind: &str, mails: &[Item]) {
    let rows = mails.iter().map(|mail| {
        vec![
            format!("#{}", mail.number),
            clean(&mail.origin),
            outcome(mail),
            clean(&about(&mail.facts)),
            mail.attempts.to_string(),
            clean(mail.reason.as_deref().unwrap_or_default()),
        ]
    });
    table(printer, &[kind, "from", "outcome", "about", "attempts", "reason"], rows.collect());
}

/// Prints a table of requests, and of messages that came from no request.
fn requests(printer: &Printer, requests: &[&Item]) {
    let rows = requests.iter().map(|request| {
        let (route, status, item) = match &request.arrival {
            Arrival::Request { route, status, item, .. } => (route.clone(), *status, item.clone()),
            Arrival::Message { item, .. } => (String::new(), None, item.clone()),
            Arrival::Mail { .. } | Arrival::Notification { .. } => Default::default(),
        };
        vec![
            format!("#{}", request.number),
            clean(&request.origin),
            clean(&route),
            clean(&item.unwrap_or_default()),
            status.map(|status| status.to_string()).unwrap_or_default(),
            outcome(request),
            clean(&object(&request.facts)),
            request.attempts.to_string(),
            clean(request.reason.as_deref().unwrap_or_default()),
        ]
    });
    let header = ["request", "from", "route", "item", "answer", "outcome", "object", "attempts", "reason"];
    table(printer, &header, rows.collect());
}

fn outcome(item: &Item) -> String {
    item.outcome.as_ref().map(|outcome| in_words(outcome.word())).unwrap_or_default()
}

/// Returns the fact that names the object that a function has written; empty if there is none.
fn object(facts: &[(String, String)]) -> String {
    facts.iter().find(|(label, _)| label == "object").map(|(_, object)| object.clone()).unwrap_or_default()
}

/// Prints a table, unless it has no rows.
fn table(printer: &Printer, header: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(width) = printer.look().width {
        table.force_no_tty().set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    table.set_header(header).add_rows(rows);
    printer.data("");
    printer.data(&table.trim_fmt());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_the_unit_that_people_think_in() {
        let shown = |milliseconds: f64| span(Duration::from_secs_f64(milliseconds / 1000.0));
        for (milliseconds, expected) in [
            (0.0, "0 ms"),
            (0.04, "0 ms"),
            (0.44, "0.4 ms"),
            (9.96, "10 ms"),
            (50.0, "50 ms"),
            (999.4, "999 ms"),
            (999.6, "1 s"),
            (1500.0, "1.5 s"),
            (30_000.0, "30 s"),
            (59_499.0, "59 s"),
            (59_999.0, "1 min"),
            (125_000.0, "2 min 5 s"),
            (900_000.0, "15 min"),
            (3_600_000.0, "1 h"),
        ] {
            assert_eq!(shown(milliseconds), expected, "{milliseconds}");
        }
    }
}
