//! Tests stages: a stage's overrides are laid over the base, and mistakes are shown where they were
//! written.

use insta::assert_snapshot;

use super::validated;
use crate::harness::{Folder, Run, replaced};

const STAGED: &str = "\
stack: circuits
region: eu-west-1
buckets:
  mail: {expire: 400d}
functions:
  maintenance:
    crate: maintenance
    on_failure: failed
    environment: {SINK: lines, MODE: quick}
queues: {failed: {}}
receipt_rules:
  - name: maintenance
    recipients: [noc@example.com]
    actions: [{store: mail}, {invoke: maintenance}]
stages:
  dev:
    functions:
      maintenance:
        memory: 512MB
        environment: {MODE: null, LEVEL: debug}
    receipt_rules:
      - name: maintenance
        recipients: [noc@dev.example.com]
        actions: [{store: mail}, {invoke: maintenance}]
  prod: {account: 123456789012}
";

/// Returns the staged declaration with one thing replaced.
fn with(old: &str, new: &str) -> Run {
    assert!(STAGED.contains(old), "`{old}` is not in the declaration");
    validated(&STAGED.replacen(old, new, 1))
}

#[test]
fn every_stage_is_checked_unless_one_is_named() {
    assert_snapshot!(validated(STAGED).shown(), @r"
    exit code: 0
    ----- stdout -----
    infra.yaml: valid; stack circuits, stage dev, in eu-west-1: 1 bucket, 1 function, 1 queue, 1 receipt rule
    infra.yaml: valid; stack circuits, stage prod, in eu-west-1: 1 bucket, 1 function, 1 queue, 1 receipt rule
    ----- stderr -----
    ");
    let folder = Folder::with_declaration(STAGED);
    assert_snapshot!(folder.run(&["validate", "--stage", "prod"]).shown(), @r"
    exit code: 0
    ----- stdout -----
    infra.yaml: valid; stack circuits, stage prod, in eu-west-1: 1 bucket, 1 function, 1 queue, 1 receipt rule
    ----- stderr -----
    ");
    assert_snapshot!(folder.run(&["validate", "--stage", "test"]).shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to find stage `test` in `infra.yaml`: it has `dev`, `prod`
    ");
    assert_snapshot!(folder.run(&["dev", "--once", "--deliver", "infra.yaml"]).shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to choose a stage of `infra.yaml`: it has `dev`, `prod`
    hint: name one, such as `--stage dev`
    ");
    let folder = Folder::with_declaration("stack: circuits\nregion: eu-west-1\n");
    assert_snapshot!(folder.run(&["validate", "--stage", "prod"]).shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to find stage `prod` in `infra.yaml`: it has no stages
    hint: leave `--stage` out
    ");
}

#[test]
fn mistakes_are_shown_where_they_were_written() {
    assert_snapshot!(with("memory: 512MB", "memory: 64MB").shown(), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:19:17: error: `memory` must be between `128MB` and `10240MB`, not the text `64MB` (stage `dev`)
       |
    19 |         memory: 64MB
       |                 ^^^^

    error: Failed to read `infra.yaml`: 1 error
    ");
    let told = [
        with("MODE: quick", "MODE: [quick]"),
        with("memory: 512MB", "memmory: 512MB"),
        with("MODE: null", "MOOD: null"),
        with("memory: 512MB", "crate: null"),
        with("memory: 512MB", "on_failure: null"),
        with("prod: {account: 123456789012}", "prod: {region: Ireland}"),
        with("prod: {account: 123456789012}", "prod: {stack: other}"),
        with("prod: {account: 123456789012}", "Prod: {}"),
        with("prod: {account: 123456789012}", "dev: {}"),
        with("prod: {account: 123456789012}", "prod: [region]"),
        with("  mail: {expire: 400d}", "  mail: {expire: 36h}"),
    ];
    let told: Vec<_> = told.iter().map(|run| run.diagnostics().join("\n")).collect();
    assert_snapshot!(told.join("\n"), @r"
    infra.yaml:9:38: error: `MODE` must be a text, not a list (stage `prod`)
    infra.yaml:19:9: error: unknown key `memmory` in function `maintenance` (stage `dev`)
    infra.yaml:20:23: error: `MOOD` is not there, so that the stage cannot remove it (stage `dev`)
    infra.yaml:6:3: error: function `maintenance` has neither `use` nor `crate` (stage `dev`)
    infra.yaml:6:3: warning: an event that function `maintenance` fails on to the end is lost: it has no `on_failure` (stage `dev`)
    infra.yaml:25:18: error: `region` must be an AWS region such as `eu-west-1`, not the text `Ireland` (stage `prod`)
    infra.yaml:25:10: error: a stage cannot have `stack` of its own
    infra.yaml:25:3: error: the name of a stage must be a name of lower case letters, digits and single hyphens, at most 32, not `Prod`
    infra.yaml:25:3: error: stage `dev` is there twice
    infra.yaml:25:9: error: stage `prod` must be a mapping (`key: value`), not a list
    infra.yaml:4:18: error: `expire` must be a whole number of days, not the text `36h`
    ");
}

#[test]
fn no_stage_is_not_any_stage() {
    let none = STAGED.split("stages:\n").next().unwrap();
    assert_snapshot!(validated(&format!("{none}stages: {{}}\n")).diagnostics().concat(), @"infra.yaml:15:1: error: `stages` has no stage");
    assert_snapshot!(validated(&format!("{none}stages: [dev, prod]\n")).diagnostics().concat(), @"infra.yaml:15:9: error: `stages` must be a mapping (`key: value`), not a list");
}

#[test]
fn two_stages_that_take_the_same_mail_are_a_warning() {
    let run = with("noc@dev.example.com", "noc@example.com");
    assert_snapshot!(run.shown(), @r"
    exit code: 0
    ----- stdout -----
    infra.yaml: valid; stack circuits, stage dev, in eu-west-1: 1 bucket, 1 function, 1 queue, 1 receipt rule
    infra.yaml: valid; stack circuits, stage prod, in eu-west-1: 1 bucket, 1 function, 1 queue, 1 receipt rule
    ----- stderr -----
    infra.yaml:25:3: warning: stages `dev` and `prod` take the same mail: `noc@example.com`
       |
    25 |   prod: {account: 123456789012}
       |   ^^^^
       |
       = hint: give each stage recipients of its own
    ");
    let json = Folder::with_declaration(replaced(STAGED, &[("noc@dev.example.com", "noc@example.com")]));
    assert_snapshot!(json.run(&["validate", "--json"]).shown(), @r#"
    exit code: 0
    ----- stdout -----
    {"version":1,"file":"infra.yaml","valid":true,"diagnostics":[{"file":"infra.yaml","line":25,"column":3,"end_line":25,"end_column":7,"severity":"warning","message":"stages `dev` and `prod` take the same mail: `noc@example.com`","hint":"give each stage recipients of its own","source":"  prod: {account: 123456789012}"}]}
    ----- stderr -----
    infra.yaml:25:3: warning: stages `dev` and `prod` take the same mail: `noc@example.com`
       |
    25 |   prod: {account: 123456789012}
       |   ^^^^
       |
       = hint: give each stage recipients of its own
    "#);
    for elsewhere in
        ["{region: eu-central-1}", "{receipt_rules: [{name: a, recipients: [x@example.com], actions: [stop]}]}"]
    {
        let changes = [("noc@dev.example.com", "noc@example.com"), ("{account: 123456789012}", elsewhere)];
        let run = validated(&replaced(STAGED, &changes));
        assert_eq!((run.code(), run.stderr().as_str()), (Some(0), ""), "{run}");
    }
}

#[test]
fn a_queue_that_forgets_sooner_than_its_source_is_a_warning() {
    let queues = "stack: a\nregion: eu-west-1\nqueues:\n  jobs: {retention: 4d, redrive: {queue: dead}}\n  dead: {retention: 3d}\n";
    assert_snapshot!(validated(queues).shown(), @r"
    exit code: 0
    ----- stdout -----
    infra.yaml: valid; stack a in eu-west-1: 2 queues
    ----- stderr -----
    infra.yaml:4:42: warning: queue `dead` keeps messages for `3d`, counted from when they came into queue `jobs`, which keeps them for `4d`
      |
    4 |   jobs: {retention: 4d, redrive: {queue: dead}}
      |                                          ^^^^
      |
      = hint: keep them longer there than here
    ");
}
