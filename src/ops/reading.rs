//! Mails read by a declared function instead of the built-in parsers: the function runs as `dev` runs it, alone.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use super::{function, local_names::local_names};
use declaration::{Action, Declaration, Invocation, ReceiptRule};
use local::{Activity, NotStarted, Observer, Options, Stack, Summary, Tally, deliver};
use package::{Profile, Request};
use problem::Problem;

/// Environment variable and value that keep our own function from delivering anything: others do not know it.
const NO_DELIVERY: (&str, &str) = ("SINK", "lines");

/// Returns what a function makes of the mails of these paths. `told` is called with each line that the function logs by itself.
///
/// `entry` is the function's name in `alone`, which [`alone`] has reduced to it; `file` is the declaration's path.
pub(crate) async fn read(
    (file, alone, entry): (&Path, &Declaration, &str),
    paths: &[std::path::PathBuf],
    told: impl Fn(&Activity),
) -> anyhow::Result<Summary> {
    let function = function(alone, entry)?;
    let folder = tempfile::Builder::new().prefix("provision-parse-").permissions(only_ours()).tempdir()?;
    let request = Request { folder: package::folder(file), code: &function.code };
    let executable = package::executable(&request, Profile::Development, &folder.path().join("functions")).await?;
    let options = Options {
        folder: folder.path().join("state"),
        smtp_port: 0,
        http_port: 0,
        verdicts: Vec::new(),
        variables: BTreeMap::from([(NO_DELIVERY.0.to_owned(), NO_DELIVERY.1.into())]),
        retry_delay: Duration::ZERO,
        items: Vec::new(),
    };
    let (observer, mut activities) = Observer::new();
    let executables = BTreeMap::from([(entry.to_owned(), executable)]);
    let stack = Stack::start((alone, local_names(alone)), &executables, &options, observer);
    let stack: Stack = stack.await.map_err(|error: NotStarted| error)?;
    let mut tally = Tally::default();
    let mut count = |activity: &Activity| {
        told(activity);
        let _number = tally.record(activity);
    };
    let mut deliveries = tokio::spawn(deliver(Arc::clone(&stack.receiver), paths.to_vec(), Vec::new()));
    loop {
        tokio::select! {
            biased;
            Some(activity) = activities.recv() => count(&activity),
            _ = &mut deliveries => break,
        }
    }
    stack.end().await;
    while let Ok(activity) = activities.try_recv() {
        count(&activity);
    }
    Ok(tally.summary(false))
}

fn only_ours() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o700)
}

/// Reduces a declaration to one function and to one receipt rule, which takes every mail, stores it where the first rule that
/// invokes the function stores it, and invokes the function once.
pub(crate) fn alone(declaration: &Declaration, entry: &str) -> Result<Declaration, Problem> {
    let mut reduced = declaration.clone();
    let mut function = function(declaration, entry)?.clone();
    function.retries = 0;
    function.consumes = None;
    reduced.apis.clear();
    reduced.functions = BTreeMap::from([(entry.to_owned(), function)]);
    let rules = declaration.receipt_rules.iter();
    let invoked =
        rules.clone().find_map(|rule| Some((rule, rule.actions.iter().position(|action| invokes(action, entry))?)));
    let (rule, position) = invoked.ok_or_else(|| {
        Problem::new(format!("Failed to find a receipt rule that invokes function `{entry}`")).with_hint(
            "add a rule with `{invoke: …}` after `{store: …}`: the function reads the mail where the rule stores it",
        )
    })?;
    let before = rule.actions.iter().take(position);
    let kept = before.filter(|action| matches!(action, Action::Store { .. } | Action::AddHeader { .. }));
    let invoke = Action::Invoke { function: entry.to_owned(), invocation: Invocation::Event, topic: None };
    let actions = kept.cloned().chain([invoke]).collect();
    reduced.receipt_rules = vec![ReceiptRule { recipients: Vec::new(), enabled: true, actions, ..rule.clone() }];
    Ok(reduced)
}

fn invokes(action: &Action, entry: &str) -> bool {
    matches!(action, Action::Invoke { function, .. } if function == entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &str = "\
stack: s
region: eu-west-1
buckets: {mail: {}}
functions: {reader: {use: echo, reads: [mail]}, other: {use: echo}, idle: {use: echo}}
receipt_rules:
  - {name: none, recipients: [a@example.com], actions: [{invoke: other}, stop]}
  - {name: some, enabled: false, recipients: [b@example.com], actions: [{store: mail, prefix: in/}, {invoke: other}, {invoke: reader, invocation: RequestResponse}, stop]}
";

    #[test]
    fn only_the_function_and_what_it_reads_is_left() {
        let checked = Declaration::parse(Path::new("infra.yaml"), DECLARED.as_bytes(), None).unwrap();
        let declaration = &checked.declarations[0];
        let reduced = alone(declaration, "reader").unwrap();
        assert_eq!(reduced.functions.keys().collect::<Vec<_>>(), ["reader"]);
        let [rule] = &reduced.receipt_rules[..] else { panic!("{reduced:?}") };
        assert!(rule.enabled && rule.recipients.is_empty());
        let [Action::Store { prefix, .. }, Action::Invoke { function, invocation: Invocation::Event, .. }] =
            &rule.actions[..]
        else {
            panic!("{rule:?}")
        };
        assert_eq!((prefix.as_str(), function.as_str()), ("in/", "reader"));
        assert!(
            alone(declaration, "idle").unwrap_err().to_string().contains("a receipt rule that invokes function `idle`")
        );
        assert_eq!(alone(declaration, "raeder").unwrap_err().hint(), Some("did you mean `reader`?"));
    }
}
