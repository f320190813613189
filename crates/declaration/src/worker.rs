//! Functions that servers run: the same crate as in Lambda, as a worker that takes from the function's queue by itself.

use super::{
    Action, Declaration, Function, Server, Subscription,
    function::Architecture,
    reader::Reader,
    shape::Word,
    tree::{Node, action_span, key_at, span_of},
};

impl Declaration {
    /// Returns the servers that run a function, with their entries; none if Lambda runs it.
    pub fn runners<'this>(&'this self, function: &'this str) -> impl Iterator<Item = (&'this String, &'this Server)> {
        self.servers.iter().filter(move |(_, server)| server.runs.as_deref() == Some(function))
    }

    /// Returns `true` if servers run a function, and not Lambda.
    pub fn is_worker(&self, function: &str) -> bool {
        self.runners(function).next().is_some()
    }

    /// Returns the functions that Lambda runs, with their entries.
    pub fn lambda_functions(&self) -> impl Iterator<Item = (&String, &Function)> {
        self.functions.iter().filter(|(entry, _)| !self.is_worker(entry))
    }

    /// Returns `true` if some server runs a function.
    pub fn has_workers(&self) -> bool {
        self.servers.values().any(|server| server.runs.is_some())
    }
}

/// Keys of a function that are Lambda's, with what stands in their place on a server.
const OF_LAMBDA: &[(&str, &str)] = &[
    ("memory", "the server has its own"),
    ("timeout", "a worker has no invocations"),
    ("vpc", "the server has its own network and security groups"),
    ("reserved_concurrency", "a worker has no invocations"),
    ("retries", "a message comes again as its queue says"),
    ("maximum_event_age", "a message comes again as its queue says"),
    ("on_failure", "a message goes where its queue's `redrive` says"),
    ("creates", "nobody can invoke it on a server"),
    ("follows", "nobody can invoke it on a server"),
    ("permissions_boundary", "the role is the server's, and has that of the stack"),
    ("protect", "there is no function in Lambda to protect"),
];
/// Keys of `consumes` that are Lambda's.
const OF_MAPPING: &[&str] = &["batch", "concurrency", "window"];

/// Checks that servers run functions that can run there, and that nobody counts on Lambda for these.
pub(super) fn check(reader: &mut Reader, root: &Node, declaration: &Declaration) {
    for (entry, function) in &declaration.functions {
        let Some((server, _)) = declaration.runners(entry).next() else { continue };
        architectures(reader, root, declaration, (entry, function));
        queue(reader, root, (entry, function, server));
        settings(reader, root, (entry, server));
        invocations(reader, root, declaration, (entry, server));
    }
}

fn architectures(reader: &mut Reader, root: &Node, declaration: &Declaration, (entry, function): (&str, &Function)) {
    let words = Architecture::WORDS.iter().find(|(_, value)| *value == function.architecture);
    let built_for = words.map_or("", |(word, _)| *word);
    for (server, declared) in declaration.runners(entry).filter(|(_, server)| server.architecture() != built_for) {
        // A type that was not understood is told where it stands.
        if declared.machine.is_empty() {
            continue;
        }
        let of_server = declared.architecture();
        let message = format!(
            "function `{entry}` is built for `{built_for}`, and the `{}` of server `{server}` is `{of_server}`",
            declared.machine
        );
        let hint = format!("write `architecture: {of_server}` in the function, or give the server another `type`");
        reader.diagnose(&span_of(root, &["servers", server, "runs"]), message, hint);
    }
}

fn queue(reader: &mut Reader, root: &Node, (entry, function, server): (&str, &Function, &str)) {
    if function.consumes.is_some() || key_at(root, &["functions", entry, "consumes"]).is_some() {
        return;
    }
    let message = format!("function `{entry}` consumes no queue, so that it has nothing to do on server `{server}`");
    let hint = "add `consumes: {queue: QUEUE}` to the function, or remove `runs`: Lambda runs it then";
    reader.diagnose(&span_of(root, &["servers", server, "runs"]), message, hint);
}

fn settings(reader: &mut Reader, root: &Node, (entry, server): (&str, &str)) {
    let in_function = OF_LAMBDA.iter().map(|(name, why)| (vec!["functions", entry, *name], *why));
    let in_mapping = OF_MAPPING.iter().map(|name| {
        (vec!["functions", entry, "consumes", *name], "how many messages it takes at once is the worker's own choice")
    });
    for (path, why) in in_function.chain(in_mapping) {
        let (Some(key), Some(name)) = (key_at(root, &path), path.last()) else { continue };
        let message = format!("`{name}` is for Lambda, and server `{server}` runs function `{entry}`: {why}");
        reader.diagnose(&key.span, message, "remove it");
    }
}

/// Reports whoever would invoke the function: on a server it takes from its queue, and hears nobody else.
fn invocations(reader: &mut Reader, root: &Node, declaration: &Declaration, (entry, server): (&str, &str)) {
    let mut found = Vec::new();
    for (index, rule) in declaration.receipt_rules.iter().enumerate() {
        let is_it = |action: &Action| matches!(action, Action::Invoke { function, .. } if function == entry);
        let places = rule.actions.iter().enumerate().filter(|(_, action)| is_it(action));
        found
            .extend(places.map(|(place, _)| {
                (action_span(root, index, place, "invoke"), format!("receipt rule `{}`", rule.name))
            }));
    }
    for (name, topic) in &declaration.topics {
        let is_it = |told: &Subscription| matches!(told, Subscription::Function { function, .. } if function == entry);
        if topic.subscriptions.iter().any(is_it) {
            found.push((span_of(root, &["topics", name, "subscriptions"]), format!("topic `{name}`")));
        }
    }
    for (name, api) in &declaration.apis {
        if api.routes.iter().any(|route| route.invoke == entry) {
            found.push((span_of(root, &["apis", name, "routes"]), format!("API `{name}`")));
        }
    }
    for (span, who) in found {
        let message =
            format!("{who} invokes function `{entry}`, and server `{server}` runs it: it takes from its queue alone");
        let hint = "let that send to the queue that the function `consumes`, or remove `runs` from the server";
        reader.diagnose(&span, message, hint);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Configuration, DeclarationError};

    const SOUND: &str = "\
stack: circuits
region: eu-west-1
networks: {main: {}}
security_groups: {web: {network: main, ingress: [{from: web, port: 3306}]}}
queues: {events: {visibility_timeout: 6m, redrive: {queue: dead}}, dead: {}}
databases: {mails: {network: main, security_groups: [web]}}
functions:
  tracking: {use: tracking, consumes: {queue: events}, databases: [mails], environment: {LEVEL: info}, log_retention: 7d}
servers:
  one: {network: main, security_groups: [web], address: new, runs: tracking}
  two: {network: main, security_groups: [web], address: new, runs: tracking}
";

    fn read(source: &str, schema: &str) -> Result<Declaration, String> {
        let configuration = Configuration::read(schema.as_bytes()).unwrap();
        let look_up = |_: &crate::Code| Ok(Some(configuration.clone()));
        match Declaration::parse_with(Path::new("infra.yaml"), source.as_bytes(), None, (&look_up, &|_| Vec::new())) {
            Ok(checked) => Ok(checked.declarations.into_iter().next().unwrap()),
            Err(DeclarationError::Invalid(diagnostics)) => {
                let told = diagnostics.list().iter().filter(|one| !one.is_warning);
                let lines = told.map(|one| format!("{} | {}", one.message, one.hint.as_deref().unwrap_or("?")));
                Err(lines.collect::<Vec<_>>().join("\n"))
            }
            Err(other) => panic!("{other}"),
        }
    }

    const WORKER: &str = r#"{"worker": true, "additionalProperties": true}"#;

    #[test]
    fn a_function_that_servers_run_is_not_in_lambda() {
        let declaration = read(SOUND, WORKER).unwrap();
        assert!(declaration.is_worker("tracking") && declaration.has_workers());
        assert_eq!(declaration.lambda_functions().count(), 0);
        let runners: Vec<&str> = declaration.runners("tracking").map(|(server, _)| server.as_str()).collect();
        assert_eq!(runners, ["one", "two"]);
    }

    #[test]
    fn what_lambda_alone_has_or_does_is_refused_with_what_to_do() {
        let function = |keys: &str| SOUND.replace("use: tracking,", &format!("use: tracking, {keys},"));
        let stack = |section: &str| format!("{SOUND}{section}\n");
        let mut cases = vec![
            (SOUND.replace("runs: tracking", "runs: trackin"), "function `trackin` is not declared"),
            (
                SOUND.replace("consumes: {queue: events}, ", ""),
                "`tracking` consumes no queue, so that it has nothing to do on server `one`",
            ),
            (function("architecture: arm64"), "is built for `arm64`, and the `t3.micro` of server `two` is `x86_64`"),
            (
                SOUND.replace("two: {", "two: {type: t4g.nano, "),
                "is built for `x86_64`, and the `t4g.nano` of server `two` is `arm64`",
            ),
            (SOUND.replace("{queue: events}", "{queue: events, batch: 5}"), "`batch` is for Lambda"),
            (SOUND.replace("{queue: events}", "{queue: events, concurrency: 5}"), "`concurrency` is for Lambda"),
            (SOUND.replace("{queue: events}", "{queue: events, window: 1s}"), "`window` is for Lambda"),
            (
                stack("topics: {news: {subscriptions: [{function: tracking}]}}"),
                "topic `news` invokes function `tracking`, and server `one` runs it",
            ),
            (
                stack("receipt_rules: [{name: all, actions: [{invoke: tracking}]}]"),
                "receipt rule `all` invokes function `tracking`",
            ),
            (
                stack(
                    "secrets: {key: {}}\napis: {hooks: {routes: [{route: POST /a, invoke: tracking, authentication: {scheme: path, secret: KEY}}]}}",
                ),
                "API `hooks` invokes function `tracking`",
            ),
        ];
        let keys = [
            "memory: 256MB",
            "timeout: 5s",
            "vpc: {network: main, security_groups: [web]}",
            "reserved_concurrency: 1",
            "retries: 1",
            "maximum_event_age: 1h",
            "on_failure: dead",
            "creates: []",
            "follows: []",
            "permissions_boundary: 'arn:aws:iam::123456789012:policy/boundary'",
            "protect: true",
        ];
        assert_eq!(keys.len(), OF_LAMBDA.len());
        let expected: Vec<String> = OF_LAMBDA
            .iter()
            .map(|(name, why)| {
                format!("`{name}` is for Lambda, and server `one` runs function `tracking`: {why} | remove it")
            })
            .collect();
        cases.extend(keys.iter().zip(&expected).map(|(key, expected)| (function(key), expected.as_str())));
        for (source, expected) in cases {
            assert_ne!(source, SOUND, "{expected}");
            let told = read(&source, WORKER).unwrap_err();
            assert!(told.contains(expected) && !told.contains("| ?"), "{expected}: {told}");
        }
    }

    #[test]
    fn a_crate_for_lambda_alone_is_refused_for_each_server() {
        for schema in ["{}", r#"{"worker": false, "additionalProperties": true}"#] {
            let told = read(SOUND, &schema.replace("{}", r#"{"additionalProperties": true}"#)).unwrap_err();
            for server in ["one", "two"] {
                let expected = format!(
                    "server `{server}` cannot run function `tracking`: `tracking, shipped with provision` is for Lambda alone | remove `runs`"
                );
                assert!(told.contains(&expected), "{told}");
            }
        }
    }
}
