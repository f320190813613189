//! Tests that `validate` refuses what a function would refuse at its start: a table over every variable of every function's schema,
//! and what its environment asks of the rest of the declaration.

use std::{collections::BTreeMap, env, fs, path::Path};

use serde_json::{Map, Value};

use crate::harness::{Folder, Run, replaced};

/// A declaration whose function has every variable of its schema.
const DECLARATION: &str = "\
stack: circuits
region: eu-west-1
buckets: {mail: {}}
functions:
  reader:
    CODE
    environment: ENVIRONMENT
    secrets: SECRETS
    reads: [mail]
    writes: [{bucket: mail, prefix: unmatched/}, {bucket: mail, prefix: calendar/}]
    deletes: [{bucket: mail, prefix: inbound/}]
    on_failure: failed
queues: {failed: {}}
receipt_rules:
  - {name: all, actions: [{store: mail, prefix: inbound/}, {invoke: reader}]}
";

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/// A sound value of each variable, by function. A variable that is not here fails the test.
const SOUND: [(&str, &[(&str, &str)]); 7] = [
    ("echo", &[("DISPOSITION", "STOP_RULE")]),
    (
        "maintenance",
        &[
            ("SINK", "lines, netbox, webhook, calendar"),
            ("NETBOX_URL", "https://netbox.example.com"),
            ("NETBOX_TOKEN", "netbox/token"),
            ("NETBOX_CA", CERTIFICATE),
            ("NETBOX_PROVIDERS", "telia=arelion"),
            ("NETBOX_CIRCUIT_ALIASES", "aliases"),
            ("NETBOX_PLUGIN", "notices"),
            ("WEBHOOK_URL", "https://hooks.example.com/in"),
            ("WEBHOOK_SECRET", "webhook/secret"),
            ("WEBHOOK_CA", CERTIFICATE),
            ("CALENDAR_NAME", "Maintenance"),
            ("TRUSTED_SENDERS", "fjord.example=fjord"),
            ("FORWARDERS", "noc@customer.example=zayo"),
            ("DMARC_FAIL", "unproven"),
            ("DELETE_PROCESSED_MAIL", "true"),
            ("DELETE_UNKNOWN_MAIL", "true"),
        ],
    ),
    (
        "webhook-receiver",
        &[
            ("ID", "header:X-Id"),
            ("EVENT", "/type"),
            ("MESSAGE", "/text"),
            ("EVENTS", "job_complete"),
            ("ID_FORM", "token"),
            ("STRICT", "true"),
            ("QUEUE", "jobs"),
            ("LARGEST_BODY", "10000"),
        ],
    ),
    (
        "webhook-worker",
        &[
            ("SOURCE", "url"),
            ("PLATFORM_TOKEN", "platform/token"),
            ("EXTENSION_DAYS", "7"),
            ("URL_TEMPLATE", "https://files.example.com/{id}"),
            ("HEADERS", "platform/headers"),
            ("HOSTS", "storage.example.com"),
            ("TRANSFORM", "none"),
        ],
    ),
    ("kafka-access", &[("KAFKA_CA", CERTIFICATE)]),
    ("mail-events", &[("JOIN_SECONDS", "30"), ("KAFKA_MECHANISM", "oauthbearer"), ("KAFKA_CA", CERTIFICATE)]),
    (
        "tracking",
        &[("DATABASE_URL", "tracking/database"), ("DATABASE_CA", CERTIFICATE), ("CACHE_URL", "tracking/cache")],
    ),
];

/// Variables that hold any text.
const OF_ANY_FORM: [&str; 3] = ["CALENDAR_NAME", "EVENTS", "QUEUE"];
/// Values of another form than most variables have.
const WRONG: [&str; 5] = ["netbxo", "http://netbox.example.com", "two words", "fjord.example", "-----BEGIN KEY-----"];

fn schema(function: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("handler").join(function).join("configuration.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn properties(function: &str) -> Map<String, Value> {
    schema(function)["properties"].as_object().unwrap().clone()
}

/// Returns the declaration of a function with these variables, each on a line of its own.
fn declaration(code: &str, environment: &[(String, String)], secrets: &[(String, String)]) -> String {
    let lines = |variables: &[(String, String)]| {
        let lines: Vec<_> =
            variables.iter().map(|(name, value)| format!("      {name}: {}", Value::from(&**value))).collect();
        format!("{{\n{}\n    }}", lines.join(",\n"))
    };
    replaced(DECLARATION, &[("CODE", code), ("ENVIRONMENT", &lines(environment)), ("SECRETS", &lines(secrets))])
}

/// Returns the sound variables of a function, changed: plain ones, and secrets.
type Variables = (Vec<(String, String)>, Vec<(String, String)>);

fn variables(function: &str, change: impl Fn(&str, &str) -> (String, String)) -> Variables {
    let (_, sound) = SOUND.iter().find(|(name, _)| *name == function).unwrap();
    let properties = properties(function);
    let (secrets, plain): (Vec<_>, Vec<_>) = sound.iter().partition(|(name, _)| properties[*name]["secret"] == true);
    let changed = |list: Vec<&(&str, &str)>| list.into_iter().map(|(name, value)| change(name, value)).collect();
    (changed(plain), changed(secrets))
}

/// Validates a declaration in this workspace and with Cargo, so that the crates that it names are found with their schemas.
fn validate(declaration: &str) -> Run {
    let folder = Folder::below(Path::new(env!("CARGO_TARGET_TMPDIR")));
    folder.write("infra.yaml", declaration);
    let arguments = &["validate"];
    folder.finish(arguments, folder.command(arguments).envs(env::vars_os()).output().unwrap())
}

/// Returns the place of a text in a file, as diagnostics give it.
fn place(file: &str, text: &str) -> String {
    let at = file.find(text).unwrap_or_else(|| panic!("no `{text}` in\n{file}"));
    let before = &file[..at];
    format!("infra.yaml:{}:{}", before.matches('\n').count() + 1, at - before.rfind('\n').unwrap())
}

/// Returns the lines of each diagnostic, by place and first words.
fn told(run: &Run) -> BTreeMap<String, String> {
    let errors = run.stderr();
    let each = errors.split("infra.yaml:").skip(1).map(|text| format!("infra.yaml:{text}"));
    each.filter_map(|text| Some((text.split_once(": ")?.0.to_owned(), text))).collect()
}

fn without_second_letter(name: &str) -> String {
    // A name has two letters at least.
    if name.len() == 2 {
        return format!("{name}X");
    }
    name.char_indices().filter(|(index, _)| *index != 1).map(|(_, letter)| letter).collect()
}

#[test]
fn the_table_has_every_variable_of_every_function() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("handler");
    let mut functions: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    functions.sort();
    let mut tried = SOUND.map(|(function, _)| function);
    tried.sort_unstable();
    assert_eq!(functions, tried);
    for (function, sound) in SOUND {
        let mut names: Vec<&str> = sound.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(properties(function).keys().map(String::as_str).collect::<Vec<_>>(), names, "{function}");
        let (environment, secrets) = variables(function, |name, value| (name.to_owned(), value.to_owned()));
        for code in [format!("crate: {function}"), format!("use: {function}")] {
            let run = validate(&declaration(&code, &environment, &secrets));
            assert!(run.code() == Some(0) && !run.stderr().contains("error:"), "{run}");
        }
    }
}

#[test]
fn a_variable_with_one_letter_wrong_is_told_with_the_one_that_was_meant() {
    let mut count = 0;
    for (function, sound) in SOUND {
        let (environment, secrets) = variables(function, |name, value| (without_second_letter(name), value.to_owned()));
        // In the workspace, and as a function of this version.
        for code in [format!("crate: {function}"), format!("use: {function}")] {
            let file = declaration(&code, &environment, &secrets);
            let run = validate(&file);
            assert_eq!(run.code(), Some(2), "{run}");
            let told = told(&run);
            for (name, _) in sound {
                let wrong = without_second_letter(name);
                let said = told.get(&place(&file, &format!("{wrong}:"))).unwrap_or_else(|| panic!("{wrong}: {run}"));
                assert!(said.contains(&format!("error: function `reader` reads no variable `{wrong}`")), "{said}");
                assert!(said.contains(&format!("did you mean `{name}`?")), "{said}");
                count += 1;
            }
        }
        // Where only the name of the crate is known, another one may read them.
        let file = declaration(&format!("crate: {function}"), &environment, &secrets);
        let run = super::validate(&file);
        assert!(run.code() == Some(0) && run.diagnostics().len() == sound.len(), "{run}");
        assert!(
            run.diagnostics().iter().all(|one| one.contains("warning: function `reader` reads no variable")),
            "{run}"
        );
    }
    let all: usize = SOUND.iter().map(|(_, sound)| sound.len()).sum();
    assert_eq!(count, 2 * all);
}

#[test]
fn a_value_of_another_form_is_told_where_it_stands_and_not_repeated() {
    for (function, sound) in SOUND {
        let properties = properties(function);
        let wrong = |name: &str| {
            let refuses = |value: &&&str| {
                jsonschema::validator_for(&properties[name]).is_ok_and(|form| !form.is_valid(&Value::from(**value)))
            };
            WRONG.iter().find(refuses).copied()
        };
        let without_form = sound.iter().map(|(name, _)| *name).filter(|name| wrong(name).is_none());
        let is_list = |name: &&str| ["TRUSTED_SENDERS", "FORWARDERS"].contains(name);
        let without_form: Vec<&str> = without_form.filter(|name| !is_list(name)).collect();
        assert!(without_form.iter().all(|name| OF_ANY_FORM.contains(name)), "{without_form:?}");
        let changed = |name: &str, value: &str| {
            let list = is_list(&name).then_some("fjord.example");
            (name.to_owned(), wrong(name).or(list).unwrap_or(value).to_owned())
        };
        let (environment, secrets) = variables(function, changed);
        let is_secret = |name: &str| secrets.iter().any(|(secret, _)| secret == name);
        let all: Vec<_> = environment.iter().chain(&secrets).cloned().collect();
        for (name, value) in all.iter().filter(|(name, _)| !OF_ANY_FORM.contains(&name.as_str())) {
            // Each alone: lists of senders are checked before any schema is read.
            let (plain, hidden) = variables(function, |other, sound| {
                (other.to_owned(), if other == name { value.clone() } else { sound.to_owned() })
            });
            let literal =
                plain.iter().cloned().chain([(name.clone(), value.clone())].into_iter().filter(|_| is_secret(name)));
            let hidden: Vec<_> = hidden.into_iter().filter(|(hidden, _)| hidden != name).collect();
            let file = declaration(&format!("use: {function}"), &literal.collect::<Vec<_>>(), &hidden);
            let run = super::validate(&file);
            let said = told(&run);
            let expected = format!("{name}: {}", Value::from(value.as_str()));
            let mut at = place(&file, &expected);
            let column = at.rfind(':').unwrap();
            at = format!("{}:{}", &at[..column], at[column + 1..].parse::<usize>().unwrap() + name.len() + 2);
            let said = said.get(&at).unwrap_or_else(|| panic!("{name}={value} at {at}: {run}"));
            assert!(
                said.contains("error: ") && said.contains(&format!("`{name}`")) && said.contains("= hint: "),
                "{said}"
            );
            assert_eq!(run.code(), Some(2), "{run}");
            assert!(is_list(&name.as_str()) || !run.stderr().contains(value), "{run}");
        }
    }
}

/// Returns the errors and warnings of a change to a sound declaration for `maintenance`, each with its hint.
fn changed(changes: &[(&str, &str)]) -> Vec<String> {
    const PLAIN: &str = "\
stack: circuits
region: eu-west-1
buckets: {mail: {}}
functions:
  reader:
    use: maintenance
    environment: {SINK: lines}
    reads: [mail]
    on_failure: failed
queues: {failed: {}}
receipt_rules:
  - {name: all, actions: [{store: mail, prefix: inbound/}, {invoke: reader}]}
";
    let run = super::validate(replaced(PLAIN, changes));
    let errors = run.stderr();
    let each = errors.split("infra.yaml:").skip(1).filter(|text| !text.contains("Failed to find the function"));
    let lines = each.filter_map(|text| {
        let hint = text.lines().find_map(|line| Some(line.split_once("= hint: ")?.1)).unwrap_or_default();
        Some(format!("{} | {hint}", text.lines().next()?))
    });
    lines.filter(|line| !line.starts_with("Failed to read")).collect()
}

#[test]
fn a_flag_that_deletes_mails_needs_the_right_to() {
    let flag = ("{SINK: lines}", "{SINK: lines, DELETE_PROCESSED_MAIL: true}");
    assert_eq!(
        changed(&[flag]),
        [
            "7:55: error: `DELETE_PROCESSED_MAIL` lets function `reader` delete mails, and it has no right to | write `deletes: [{bucket: mail, prefix: inbound/}]`"
        ]
    );
    let other = ("reads: [mail]", "reads: [mail]\n    deletes: [{bucket: mail, prefix: other/}]");
    let [both] = changed(&[flag, other]).try_into().unwrap();
    assert!(
        both.ends_with("write `deletes: [{bucket: mail, prefix: other/}, {bucket: mail, prefix: inbound/}]`"),
        "{both}"
    );
    for right in ["deletes: [mail]", "deletes: [{bucket: mail, prefix: inbound/}]"] {
        assert_eq!(changed(&[flag, ("reads: [mail]", &format!("reads: [mail]\n    {right}"))]), [""; 0]);
    }
    assert_eq!(changed(&[("{SINK: lines}", "{SINK: lines, DELETE_UNKNOWN_MAIL: false}")]), [""; 0]);
}

#[test]
fn a_function_that_reads_mails_needs_them_stored_and_the_right_to_read_them() {
    let blind = ("    reads: [mail]\n", "");
    assert_eq!(
        changed(&[blind]),
        [
            "7:18: error: function `reader` may not read the mail that rule `all` stores for it | write `reads: [{bucket: mail, prefix: inbound/}]`"
        ]
    );
    assert_eq!(
        changed(&[blind, ("{store: mail, prefix: inbound/}, ", "")]),
        [
            "11:36: error: function `reader` reads the mail that it is invoked for, and rule `all` stores it nowhere | put `{store: BUCKET}` before it, and write `reads: [BUCKET]` in the function"
        ]
    );
    // One that only sees the event needs no mail.
    assert_eq!(changed(&[blind, ("use: maintenance", "use: echo"), ("{SINK: lines}", "{}")]), [""; 0]);
}

#[test]
fn the_secret_of_a_route_is_a_variable_of_the_function_that_it_invokes() {
    const ROUTED: &str = "\
stack: egress
region: eu-west-1
functions:
  reader: {use: webhook-receiver, sends: [jobs], secrets: {HOOK: hook}}
  other: {use: webhook-receiver, sends: [jobs], secrets: {HOOK: hook}}
queues: {jobs: {}}
apis:
  in:
    routes:
      - {route: POST /a, invoke: reader, authentication: {scheme: bearer, secret: HOOK}}
      - {route: POST /b, invoke: other, authentication: {scheme: bearer, secret: HOOK}}
";
    let errors = |changes: &[(&str, &str)]| {
        let run = super::validate(replaced(ROUTED, changes));
        run.stderr().lines().filter(|line| line.contains(": error: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(errors(&[]), [""; 0]);
    let more = (
        "reader: {use: webhook-receiver, sends: [jobs], secrets: {HOOK: hook}}",
        "reader: {use: webhook-receiver, sends: [jobs], secrets: {HOOK: hook, MORE: hook}}",
    );
    assert_eq!(errors(&[more]), ["infra.yaml:4:72: error: function `reader` reads no variable `MORE`"]);
    let unrouted = ("      - {route: POST /a, invoke: reader, authentication: {scheme: bearer, secret: HOOK}}\n", "");
    assert_eq!(errors(&[unrouted]), ["infra.yaml:4:60: error: function `reader` reads no variable `HOOK`"]);
}

#[test]
fn events_that_would_be_lost_in_silence_are_told() {
    let none = ("    on_failure: failed\n", "");
    assert_eq!(
        changed(&[none]),
        [
            "5:3: warning: an event that function `reader` fails on to the end is lost: it has no `on_failure` | write `on_failure: failed`"
        ]
    );
    let waits = ("{invoke: reader}", "{invoke: reader, invocation: RequestResponse}");
    assert_eq!(changed(&[none, waits]), [""; 0], "whoever waits is told");
    let [retries, queue] = changed(&[waits, ("    on_failure", "    retries: 2\n    on_failure")]).try_into().unwrap();
    for (told, key) in [(retries, "9:5: warning: `retries`"), (queue, "10:5: warning: `on_failure`")] {
        assert!(told.starts_with(&format!("{key} has no effect: SES waits for function `reader`")), "{told}");
        assert!(told.ends_with("remove it, or invoke the function as an `Event`: `{invoke: reader}`"), "{told}");
    }
    let both = ("queues: {failed: {}}", "queues: {failed: {}}\ntopics: {news: {subscriptions: [{function: reader}]}}");
    assert_eq!(changed(&[waits, both]), [""; 0], "a topic does not wait");
}

#[test]
fn a_crate_and_a_binary_that_do_not_exist_are_told_at_their_keys() {
    let file = |code: &str| {
        declaration(code, &[("SINK".to_owned(), "lines".to_owned())], &[]).replace("    secrets: {\n\n    }\n", "")
    };
    for (code, key, message, hint) in [
        ("crate: maintenence", "maintenence", "Failed to find package `maintenence`", "did you mean `maintenance`?"),
        (
            "crate: maintenance\n    bin: maintenanc",
            "maintenanc\n",
            "Failed to find binary `maintenanc`",
            "did you mean `maintenance`?",
        ),
    ] {
        let file = file(code);
        let run = validate(&file);
        let told = told(&run);
        let said = told.get(&place(&file, key)).unwrap_or_else(|| panic!("{run}"));
        assert!(run.code() == Some(2) && said.contains(message) && said.contains(hint), "{run}");
    }
}
