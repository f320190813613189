//! Tests stacks whose names are alike, are in several regions, or are as long as they may be: none takes what is another's.

use super::{EVERYTHING, Trial, code_folder, command};
use crate::{
    emulator::fault::Fault,
    harness::{Folder, Run, replaced},
};

/// The longest name of a stack, a stage or an entry, with a letter that tells it from others.
fn long(letter: char) -> String {
    letter.to_string().repeat(32)
}

fn staged(stack: &str, stage: &str) -> String {
    let declared = replaced(EVERYTHING, &[("stack: circuits", &format!("stack: {stack}"))]);
    format!("{declared}stages: {{{stage}: {{}}}}\n")
}

fn run(trial: &Trial, folder: &Folder, arguments: &[&str]) -> Run {
    let output = command(folder, &trial.proxy.url, arguments).output().unwrap();
    folder.finish(arguments, output)
}

#[test]
fn a_stage_and_a_stack_that_come_to_one_name_do_not_take_each_others_things() {
    let Some(trial) = Trial::new(&staged("circuits", "prod")) else { return };
    trial.expect(0, &["up", "--yes", "--stage", "prod"]);
    let before = trial.account.inventory();
    let other = code_folder(&replaced(EVERYTHING, &[("stack: circuits", "stack: circuits-prod")]));
    trial.proxy.reset();
    let refused = run(&trial, &other, &["up", "--yes"]);
    assert_eq!(refused.code(), Some(2), "{refused}");
    assert!(refused.stderr().contains("it belongs to stack `circuits`, stage `prod`, region eu-west-1"), "{refused}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    let down = run(&trial, &other, &["down", "--confirm", "circuits-prod", "--delete-data"]);
    assert_eq!(down.code(), Some(0), "{down}");
    assert_eq!(trial.account.inventory(), before);
    trial.expect(0, &["diff", "--stage", "prod"]);
    trial.expect(0, &["down", "--confirm", "circuits-prod", "--delete-data", "--stage", "prod"]);
    assert_eq!(trial.account.inventory(), Vec::<String>::new());
}

#[test]
fn the_declaration_refuses_two_hyphens_in_a_row_wherever_they_stand() {
    let declared = "\
stack: mail--archive
region: eu-west-1
queues: {to--do: {}}
receipt_rules: [{name: all--mail, actions: [stop]}]
stages: {prod--eu: {}}
";
    let run = Folder::with_declaration(declared).run(&["validate"]);
    assert_eq!(run.code(), Some(2), "{run}");
    for (place, mended) in [("1:8", "mail-archive"), ("3:10", "to-do"), ("4:24", "all-mail")] {
        assert!(run.stderr().contains(&format!("infra.yaml:{place}: error: ")), "{place}\n{run}");
        assert!(run.stderr().contains(&format!("for example `{mended}`")), "{mended}\n{run}");
    }
    assert!(run.stderr().contains("infra.yaml:5:10: error: the name of a stage must be"), "{run}");
}

#[test]
fn one_stack_in_two_regions_is_two() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let other = code_folder(&replaced(EVERYTHING, &[("region: eu-west-1", "region: us-east-1")]));
    trial.up();
    let up = run(&trial, &other, &["up", "--yes"]);
    assert_eq!(up.code(), Some(0), "{up}");
    trial.is_converged();
    let roles = || {
        let roles = trial.account.inventory().into_iter().filter(|line| line.starts_with("role "));
        roles.collect::<Vec<_>>()
    };
    let arn = |region: &str| {
        format!("role arn:aws:iam::123456789012:role/provision/circuits.{region}/circuits-reader-{region}")
    };
    assert_eq!(roles(), [arn("eu-west-1"), arn("us-east-1")]);
    let down = run(&trial, &other, &["down", "--confirm", "circuits", "--delete-data"]);
    assert_eq!(down.code(), Some(0), "{down}");
    assert_eq!(roles(), [arn("eu-west-1")]);
    trial.is_converged();
}

#[test]
fn names_as_long_as_they_may_be_go_up_stay_silent_and_go_down() {
    let (stack, stage) = (long('s'), long('t'));
    let entry = |letter: char| format!("{}{letter}", "e".repeat(31));
    let (reader, mail, failed, news, token) = (entry('r'), entry('m'), entry('f'), entry('n'), entry('t'));
    let declared = format!(
        "\
stack: {stack}
region: eu-west-1
buckets: {{{mail}: {{}}}}
functions:
  {reader}: {{use: standin, memory: 128MB, secrets: {{TOKEN: {token}}}, reads: [{mail}], on_failure: {failed}}}
queues: {{{failed}: {{}}}}
topics: {{{news}: {{subscriptions: [{{queue: {failed}}}, {{function: {reader}}}]}}}}
secrets: {{{token}: {{value_from: {{environment: TRY_TOKEN}}}}}}
receipt_rules:
  - {{name: {reader}, recipients: [noc@example.com], actions: [{{store: {mail}, topic: {news}}}, {{invoke: {reader}}}]}}
  - {{name: {mail}, recipients: [noc@example.org], actions: [{{store: {mail}}}]}}
stages: {{{stage}: {{}}}}
"
    );
    let Some(trial) = Trial::new(&declared) else { return };
    let staged = |arguments: &[&str]| {
        [arguments, &["--stage", &stage]].concat().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let expect = |arguments: &[&str]| {
        let arguments = staged(arguments);
        trial.expect(0, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    expect(&["up", "--yes"]);
    trial.proxy.reset();
    let diff = expect(&["diff", "--json"]);
    assert!(super::actions(&diff.json()[0]).is_empty(), "{diff}");
    expect(&["up", "--yes"]);
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    // Without its declaration, by tags, cut names and all.
    expect(&[
        "down",
        "--stack",
        &stack,
        "--region",
        "eu-west-1",
        "--confirm",
        &format!("{stack}-{stage}"),
        "--delete-data",
    ]);
    assert_eq!(trial.account.inventory(), Vec::<String>::new());
}

#[test]
fn a_name_of_a_bucket_that_another_account_has_is_told_before_any_change() {
    let Some(trial) = Trial::new("stack: circuits\nregion: eu-west-1\nbuckets: {mail: {}}\n") else { return };
    // S3 says no more than this of another account's bucket.
    let _denied = trial.proxy.on(Fault::Denies, |call| call.target.contains("circuits-mail-"));
    let up = trial.expect(2, &["up", "--yes"]);
    let told: Vec<_> = up.stdout().split_whitespace().map(str::to_owned).collect();
    let told = told.join(" ");
    assert!(told.contains("the name belongs to another account: rename the entry or the stage"), "{up}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
}
