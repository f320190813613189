//! Tests `provision validate`: every mistake in a declaration, with its place and a hint.

mod files;
mod filters;
mod moved;
mod schema;
mod secrets;
mod sections;
mod sinks;
mod stages;
mod variables;

use std::path::Path;

use insta::assert_snapshot;

use crate::harness::{Folder, Run, replaced};

/// A sound declaration, to be made worse.
const SOUND: &str = "\
stack: circuit-maintenance
region: eu-west-1
buckets:
  mail: {expire: 400d}
functions:
  maintenance:
    crate: maintenance
    bin: maintenance
    memory: 256MB
    timeout: 30s
    environment: {NETBOX_URL: https://netbox.example, RELEASE: 1.10}
    secrets: {NETBOX_TOKEN: netbox/token}
    reads: [mail]
    on_failure: failed
queues:
  failed: {retention: 14d}
receipt_rules:
  - name: maintenance
    recipients: [maintenance@example.com]
    tls: require
    scan: true
    actions: [{store: mail, prefix: inbound/}, {invoke: maintenance}]
";

fn validate(declaration: impl AsRef<[u8]>) -> Run {
    Folder::with_declaration(declaration).run(&["validate"])
}

/// Validates a declaration, and checks that the JSON Schema agrees.
fn validated(declaration: &str) -> Run {
    let run = validate(declaration);
    schema::agrees(declaration, &run);
    run
}

/// Returns the sound declaration with one thing replaced.
fn with(old: &str, new: &str) -> Run {
    assert!(SOUND.contains(old), "`{old}` is not in the sound declaration");
    validated(&SOUND.replacen(old, new, 1))
}

/// Returns the only diagnostic, with its hint.
fn only(old: &str, new: &str) -> String {
    only_in(SOUND, old, new)
}

/// Returns the only diagnostic of another declaration.
fn only_in(sound: &str, old: &str, new: &str) -> String {
    assert!(sound.contains(old), "`{old}` is not in the sound declaration");
    let run = validated(&sound.replacen(old, new, 1));
    assert_eq!((run.code(), run.diagnostics().len()), (Some(2), 1), "{old} → {new}\n{run}");
    let hint = run.stderr().lines().find_map(|line| Some(line.split_once("= hint: ")?.1.to_owned()));
    let message = run.diagnostics().concat().replace("infra.yaml:", "").replace("error: ", "");
    hint.map_or_else(|| message.clone(), |hint| format!("{message} | {hint}"))
}

#[test]
fn a_sound_declaration_is_told_in_one_line() {
    assert_snapshot!(validate(SOUND).shown(), @r"
    exit code: 0
    ----- stdout -----
    infra.yaml: valid; stack circuit-maintenance in eu-west-1: 1 bucket, 1 function, 1 queue, 1 receipt rule
    ----- stderr -----
    ");
    assert_snapshot!(Folder::with_declaration(SOUND).run(&["validate", "--json"]).shown(), @r#"
    exit code: 0
    ----- stdout -----
    {"version":1,"file":"infra.yaml","valid":true,"diagnostics":[]}
    ----- stderr -----
    "#);
}

#[test]
fn the_declarations_of_the_repository_are_sound() {
    for file in ["infra.yaml", "examples/echo.yaml", "tests/standin/infra.yaml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let run = validated(&std::fs::read_to_string(path).unwrap());
        assert_eq!(run.code(), Some(0), "{file}: {run}");
    }
}

#[test]
fn an_unknown_key_names_the_one_that_was_meant() {
    assert_snapshot!(with("memory: 256MB", "memmory: 256MB").shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:9:5: error: unknown key `memmory` in function `maintenance`
      |
    9 |     memmory: 256MB
      |     ^^^^^^^
      |
      = hint: did you mean `memory`?

    error: Failed to read `infra.yaml`: 1 error
    ");
}

#[test]
fn a_wrong_type_is_reported_with_the_expected_one() {
    assert_snapshot!(with("reads: [mail]", "reads: mail").shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:13:12: error: `reads` must be a list, not the text `mail`
       |
    13 |     reads: mail
       |            ^^^^
       |
       = hint: write `reads: [mail]`

    error: Failed to read `infra.yaml`: 1 error
    ");
}

#[test]
fn a_dangling_reference_lists_the_declared_entries() {
    assert_snapshot!(with("on_failure: failed", "on_failure: somewhere").shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:14:17: error: queue `somewhere` is not declared
       |
    14 |     on_failure: somewhere
       |                 ^^^^^^^^^
       |
       = hint: declared queues: `failed`

    error: Failed to read `infra.yaml`: 1 error
    ");
}

#[test]
fn two_errors_are_reported_at_once() {
    let declaration = replaced(SOUND, &[("timeout: 30s", "timeout: 16m"), ("scan: true", "scan: perhaps")]);
    assert_snapshot!(validate(declaration).shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:10:14: error: `timeout` must be between `1s` and `15m`, not the text `16m`
       |
    10 |     timeout: 16m
       |              ^^^

    infra.yaml:21:11: error: `scan` must be `true` or `false`, not the text `perhaps`
       |
    21 |     scan: perhaps
       |           ^^^^^^^

    error: Failed to read `infra.yaml`: 2 errors
    ");
}

#[test]
fn diagnostics_are_data_with_json() {
    let changes = [("memory: 256MB", "memory: 64MB"), ("{invoke: maintenance}", "{invoke: mantenance}")];
    let declaration = replaced(SOUND, &changes);
    assert_snapshot!(Folder::with_declaration(declaration).run(&["validate", "--json"]).shown(), @r#"
    exit code: 2
    ----- stdout -----
    {"version":1,"file":"infra.yaml","valid":false,"diagnostics":[{"file":"infra.yaml","line":9,"column":13,"end_line":9,"end_column":17,"severity":"error","message":"`memory` must be between `128MB` and `10240MB`, not the text `64MB`","hint":null,"source":"    memory: 64MB"},{"file":"infra.yaml","line":22,"column":57,"end_line":22,"end_column":67,"severity":"error","message":"function `mantenance` is not declared","hint":"did you mean `maintenance`?","source":"    actions: [{store: mail, prefix: inbound/}, {invoke: mantenance}]"}]}
    ----- stderr -----
    error: Failed to read `infra.yaml`: 2 errors
    "#);
}

#[test]
fn a_missing_key_is_reported_at_its_mapping() {
    assert_snapshot!(only("stack: circuit-maintenance\n", ""), @"1:1: the declaration lacks `stack` | add `stack: circuit-maintenance`");
    assert_snapshot!(only("    crate: maintenance\n", ""), @"6:3: function `maintenance` has neither `use` nor `crate` | add `use: maintenance` for a function that came with `provision`, or `crate: PACKAGE` for one of your own");
    assert_snapshot!(only("    actions: [{store: mail, prefix: inbound/}, {invoke: maintenance}]\n", ""), @"18:5: receipt rule `maintenance` lacks `actions` | add `actions: [{store: mail}]`");
}

#[test]
fn a_function_s_code_has_one_origin() {
    assert_snapshot!(only("    bin: maintenance\n", "    use: maintenance\n"), @"8:5: function `maintenance` has both `use` and `crate` | remove one of them");
    assert_snapshot!(only("    crate: maintenance\n", "    use: maintenance\n"), @"8:5: function `maintenance` has `bin`, which names a binary of a `crate`, and no `crate` | remove `bin`");
    assert_snapshot!(only("    crate: maintenance\n    bin: maintenance\n", "    use: ../maintenance\n"), @"7:10: `use` must be the name of a function that came with `provision`, not the text `../maintenance`");
    assert_eq!(with("    bin: maintenance\n", "").code(), Some(0));
}

#[test]
fn sizes_and_durations_have_units_and_bounds() {
    let faults = [
        only("256MB", "256"),
        only("256MB", "lots"),
        only("256MB", "64MB"),
        only("256MB", "11GB"),
        only("30s", "30"),
        only("30s", "16m"),
        only("30s", "30 seconds"),
        only("30s", "99999999999999999999s"),
        only("14d", "15d"),
        only("14d", "59s"),
        only("400d", "36h"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    9:13: `memory` must be a size such as `256MB`, not the number `256` | say the unit: `256MB`
    9:13: `memory` must be a size such as `256MB`, not the text `lots`
    9:13: `memory` must be between `128MB` and `10240MB`, not the text `64MB`
    9:13: `memory` must be between `128MB` and `10240MB`, not the text `11GB`
    10:14: `timeout` must be a duration such as `30s`, `15m`, `12h` or `14d`, not the number `30` | say the unit, such as `30s` or `30d`
    10:14: `timeout` must be between `1s` and `15m`, not the text `16m`
    10:14: `timeout` must be a duration such as `30s`, `15m`, `12h` or `14d`, not the text `30 seconds` | write it as `30s`
    10:14: `timeout` must be a duration such as `30s`, `15m`, `12h` or `14d`, not the text `99999999999999999999s`
    16:23: `retention` must be between `1m` and `14d`, not the text `15d`
    16:23: `retention` must be between `1m` and `14d`, not the text `59s`
    4:18: `expire` must be a whole number of days, not the text `36h` | S3 expires objects by the day, such as `400d`
    ");
}

#[test]
fn names_use_only_characters_that_every_service_takes() {
    let faults = [
        only("circuit-maintenance", "Circuit_Maintenance"),
        only("eu-west-1", "Ireland"),
        only("- name: maintenance", "- name: -maintenance"),
        only("NETBOX_URL", "AWS_REGION"),
        only("NETBOX_URL", "NETBOX-URL"),
        only("netbox/token", "the token"),
        only("crate: maintenance", "crate: ../handler"),
        only("prefix: inbound/", "prefix: inbound"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    1:8: `stack` must be a name of lower case letters, digits and single hyphens, at most 32, not the text `Circuit_Maintenance` | for example `circuit-maintenance`
    2:9: `region` must be an AWS region such as `eu-west-1`, not the text `Ireland`
    18:11: `name` must be a name of lower case letters, digits and single hyphens, at most 32, not the text `-maintenance` | for example `maintenance`
    11:19: a variable must have a name that is not reserved (`AWS_…`, `LAMBDA_…`, `PROVISION_…`), not `AWS_REGION`
    11:19: a variable must have a name of letters, digits and `_` that begins with a letter, not `NETBOX-URL`
    12:29: `NETBOX_TOKEN` must be the name of a secret in Secrets Manager, not the text `the token`
    7:12: `crate` must be the name of a Cargo package, not the text `../handler`
    22:37: `prefix` must be empty or end with `/`, not the text `inbound` | write `inbound/`
    ");
}

#[test]
fn recipients_have_three_forms() {
    let run = with("[maintenance@example.com]", "[a@example.com, example.com, .example.com, '', 'x y@example.com']");
    assert_eq!(run.diagnostics().len(), 2, "{run}");
    let faults = [
        only("[maintenance@example.com]", "['*@example.com']"),
        only("[maintenance@example.com]", "['*.example.com']"),
        only("[maintenance@example.com]", "['NOC <noc@example.com>']"),
        only("[maintenance@example.com]", "[noc@exämple.com]"),
        only("[maintenance@example.com]", "[a@example.com, a@EXAMPLE.com]"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    19:18: `recipients` must be an address (`maintenance@example.com`), a domain (`example.com`) or its sub-domains (`.example.com`), not the text `*@example.com` | for every address of the domain write `example.com`
    19:18: `recipients` must be an address (`maintenance@example.com`), a domain (`example.com`) or its sub-domains (`.example.com`), not the text `*.example.com` | for every sub-domain write `.example.com`
    19:18: `recipients` must be an address (`maintenance@example.com`), a domain (`example.com`) or its sub-domains (`.example.com`), not the text `NOC <noc@example.com>` | write the address alone: `noc@example.com`
    19:18: `recipients` must be an address (`maintenance@example.com`), a domain (`example.com`) or its sub-domains (`.example.com`), not the text `noc@exämple.com` | write names beyond ASCII in their `xn--` form
    19:33: this recipient is there twice
    ");
}

#[test]
fn contradictions_between_sections_are_found() {
    let faults = [
        only("{store: mail, prefix: inbound/}, {invoke: maintenance}", "{invoke: maintenance}, {store: mail}"),
        only("{invoke: maintenance}", "stop, {invoke: maintenance}"),
        only("{invoke: maintenance}", "{invoke: maintenance}, stop, stop"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    22:24: function `maintenance` reads bucket `mail`, and no action before this one stores the mail there | put `{store: mail}` before it
    22:48: `stop` must be the last action: nothing after it is done
    22:71: `stop` must be the last action: nothing after it is done
    ");
    let waits = "{invoke: maintenance, invocation: RequestResponse}";
    let changes = [("30s", "31s"), ("{invoke: maintenance}", waits), ("    on_failure: failed\n", "")];
    let declaration = replaced(SOUND, &changes);
    assert_snapshot!(validate(declaration).diagnostics().concat(), @"infra.yaml:21:57: error: SES waits at most `30s` for an answer, and function `maintenance` has a timeout of `31s`");
}

#[test]
fn rules_differ_in_their_names() {
    let rule = "  - {name: maintenance, actions: [{store: mail}]}\n";
    assert_snapshot!(validate(format!("{SOUND}{rule}")).diagnostics().concat(), @"infra.yaml:23:12: error: a second receipt rule is named `maintenance`");
}

#[test]
fn actions_are_known() {
    let faults = [
        only("{invoke: maintenance}", "{invok: maintenance}"),
        only("{invoke: maintenance}", "halt"),
        only("{invoke: maintenance}", "{invoke: maintenance, invocation: Sync}"),
        only("[{store: mail, prefix: inbound/}, {invoke: maintenance}]", "[]"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    22:49: unknown action `invok` | did you mean `invoke`?
    22:48: `actions` must be `stop`, or a mapping with `store`, `invoke`, `publish`, `bounce` or `add_header`, not the text `halt`
    22:82: `invocation` must be `Event` or `RequestResponse`, not the text `Sync`
    22:14: receipt rule `maintenance` has no action | add one, such as `{store: mail}`
    ");
}

#[test]
fn a_variable_is_set_once() {
    assert_snapshot!(only("NETBOX_TOKEN: netbox/token", "NETBOX_URL: netbox/url"), @"12:15: `NETBOX_URL` is both in `environment` and in `secrets` | remove one of them");
}

#[test]
fn trusted_senders_need_a_provider_to_speak_for() {
    let said = |list: &str| {
        let declared = SOUND.replacen("RELEASE: 1.10", &format!("RELEASE: 1.10, {list}"), 1);
        let run = validate(&declared);
        (run.code(), run.stderr())
    };
    for list in ["TRUSTED_SENDERS: fjord.example=fjord", "FORWARDERS: 'noc@gmail.com=zayo, customer.co.uk=*'"] {
        assert_eq!(said(list).0, Some(0), "{list}: {}", said(list).1);
    }
    let table = [
        (
            "TRUSTED_SENDERS: fjord.example",
            "write `fjord.example=PROVIDER` with the provider's slug, or `fjord.example=*`",
        ),
        ("FORWARDERS: customer.example=zaio", "names `zaio`, which is not a provider's slug"),
        ("FORWARDERS: gmail.com=*", "at which anybody can have an address"),
        ("FORWARDERS: 'a.example=*, co.uk=zayo'", "`co.uk=zayo`"),
        ("TRUSTED_SENDERS: 'k12.ca.us=school'", "at which anybody can have an address"),
        ("FORWARDERS: desk", "begins with neither an address nor a domain"),
    ];
    for (list, words) in table {
        let (code, errors) = said(list);
        assert_eq!(code, Some(2), "{list}");
        assert!(errors.contains(words), "{list}: {errors}");
    }
}
