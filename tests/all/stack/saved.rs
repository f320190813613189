//! Tests saved plans: `up FILE` applies the plan of `diff --out FILE` and nothing else, whatever happened since.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use super::{EVERYTHING, Trial, VALUE, actions, is_valid};
use crate::{
    emulator::fault::Fault,
    harness::{Run, replaced},
};

const PLAN: &str = "plan.json";
/// A stack that has nothing to build.
const SMALL: &str = "\
stack: circuits
region: eu-west-1
buckets: {mail: {expire: 90d}}
queues: {failed: {retention: 14d}}
topics: {news: {}}
";

/// Saves the plan of now.
#[track_caller]
fn save(trial: &Trial, further: &[&str]) -> Value {
    fs::remove_file(trial.folder.path(PLAN)).ok();
    let run = trial.run(&[&["diff", "--out", PLAN, "--json"], further].concat());
    assert!(matches!(run.code(), Some(0 | 1)), "{run}");
    let saved = read(trial);
    is_valid(&saved["plan"]);
    is_valid(&run.json()[0]);
    saved
}

fn read(trial: &Trial) -> Value {
    serde_json::from_str(&fs::read_to_string(trial.folder.path(PLAN)).unwrap()).unwrap()
}

fn write(trial: &Trial, text: &str) {
    fs::write(trial.folder.path(PLAN), text).unwrap();
}

/// Checks that the saved plan is refused, with these words, and that nothing was done.
#[track_caller]
fn is_refused(trial: &Trial, words: &str) -> Run {
    let before = trial.proxy.mutating().len();
    let run = trial.expect(2, &["up", PLAN]);
    assert!(run.stderr().contains(words), "`{words}` is missing\n{run}");
    assert_eq!(trial.proxy.mutating().len(), before, "{}", trial.proxy.record());
    run
}

#[test]
fn the_plan_that_was_approved_is_applied_and_once_alone() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let saved = save(&trial, &[]);
    assert!(trial.proxy.mutating().is_empty(), "{}", trial.proxy.record());
    let path = trial.folder.path(PLAN);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(VALUE), "a secret's value is in the file");
    for key in ["provision", "account", "region", "stack", "declaration", "salt"] {
        assert!(saved[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {saved:#}");
    }
    assert_eq!(saved["code"].as_object().unwrap().keys().collect::<Vec<_>>(), ["reader"]);
    // What is there stays: nobody's file is overwritten, and the code is not even built.
    let run = trial.expect(2, &["diff", "--out", PLAN]);
    assert!(run.stderr().contains("it exists"), "{run}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    trial.expect(0, &["up", PLAN, "--dry-run"]);
    // It is the approval: nothing is asked, and there is no terminal.
    let run = trial.expect(0, &["up", PLAN]);
    assert!(run.stdout().contains("Outputs"), "{run}");
    trial.is_converged();
    is_refused(&trial, "another action: create then, unchanged now");
    // A plan without a change is one, too.
    save(&trial, &[]);
    trial.expect(0, &["up", PLAN]);
    trial.expect(0, &["up", PLAN]);
}

#[test]
fn what_is_agreed_to_is_in_the_plan() {
    let Some(trial) = Trial::new(SMALL) else { return };
    trial.up();
    trial.folder.write("infra.yaml", replaced(SMALL, &[("90d", "30d"), ("14d", "4d")]));
    for flags in [&[][..], &["--allow-delete", "bucket/mail"]] {
        let run = trial.expect(2, &[&["diff", "--out", PLAN], flags].concat());
        assert!(run.stderr().contains("--allow-delete queue/failed"), "{run}");
        assert!(!trial.folder.path(PLAN).exists(), "what `up` would refuse is not written");
    }
    let saved = save(&trial, &["--allow-delete", "bucket/mail", "--allow-delete", "queue/failed"]);
    assert_eq!(saved["consent"], json!(["bucket/mail", "queue/failed"]));
    assert_eq!(actions(&saved["plan"]), ["change bucket mail", "change queue failed"]);
    for further in [["--allow-delete", "bucket/mail"], ["--set-secret", "token"]] {
        let run = trial.expect(2, &[&["up", PLAN][..], &further].concat());
        assert!(run.stderr().contains("cannot be used with"), "{run}");
    }
    trial.expect(0, &["up", PLAN]);
    trial.is_converged();
}

/// Whatever else is so by now: another plan is refused, and says what differs.
#[test]
fn another_account_declaration_or_code_is_another_plan() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let later = replaced(EVERYTHING, &[("memory: 128MB", "memory: 256MB")]);
    trial.folder.write("infra.yaml", &later);
    let account = &trial.account;
    save(&trial, &[]);

    // The declaration: what follows from it, and what does not.
    trial.folder.write("infra.yaml", replaced(EVERYTHING, &[("memory: 128MB", "memory: 512MB")]));
    is_refused(&trial, "function reader (circuits-reader) is or becomes something else");
    trial.folder.write("infra.yaml", format!("{later}# reviewed\n"));
    is_refused(&trial, "the declaration was changed");
    trial.folder.write("infra.yaml", &later);

    // The account: something that the plan leaves alone, and something that it changes.
    let url =
        account.wait(account.sqs.get_queue_url().queue_name("circuits-failed").send()).unwrap().queue_url.unwrap();
    let drift = |seconds: &str| {
        let name = aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout;
        account.wait(account.sqs.set_queue_attributes().queue_url(&url).attributes(name, seconds).send()).unwrap();
    };
    drift("77");
    is_refused(&trial, "queue failed (circuits-failed) has another action: unchanged then, change now");
    drift("30");
    let timeout = |seconds| {
        let call = account.lambda.update_function_configuration().function_name("circuits-reader").timeout(seconds);
        account.wait(call.send()).unwrap();
    };
    timeout(9);
    is_refused(&trial, "function reader (circuits-reader) is or becomes something else");
    timeout(2);

    // The code, and a part of the file that decides nothing by itself.
    let saved = read(&trial);
    let mut other = saved.clone();
    other["code"]["reader"] = json!("AAAA");
    write(&trial, &other.to_string());
    is_refused(&trial, "the code of function `reader` is another one");
    for (pointer, words) in [
        ("/account", "its account is"),
        ("/region", "its region is"),
        ("/stack", "its stack is"),
        ("/stage", "its stage is prod, and this is none"),
        ("/provision", "its version of `provision` is"),
        ("/declaration", "the declaration was changed"),
        ("/salt", "is or becomes something else"),
        ("/plan/counts/change", "the file was changed"),
        ("/plan/resources/0/entry", "the file was changed"),
    ] {
        let mut other = saved.clone();
        *other.pointer_mut(pointer).unwrap() = json!("prod");
        write(&trial, &other.to_string());
        is_refused(&trial, words);
    }
    let mut consenting = saved.clone();
    consenting["consent"] = json!(["bucket/mail"]);
    write(&trial, &consenting.to_string());
    trial.expect(0, &["up", PLAN, "--dry-run"]);
    write(&trial, &serde_json::to_string_pretty(&saved).unwrap());
    trial.expect(0, &["up", PLAN]);
}

#[test]
fn a_file_that_is_cut_changed_or_others_is_refused() {
    let Some(trial) = Trial::new(SMALL) else { return };
    save(&trial, &[]);
    let text = fs::read_to_string(trial.folder.path(PLAN)).unwrap();
    // Cut anywhere: 24 places, the last byte of JSON among them.
    let end = text.trim_end().len();
    for part in 0..24 {
        write(&trial, &text[..(end - 1) * part / 23]);
        is_refused(&trial, "Failed to read the plan");
    }
    write(&trial, &replaced(&text, &[("\"format\": 1", "\"format\": 2")]));
    is_refused(&trial, "Failed to read the plan");
    write(&trial, &replaced(&text, &[("\"format\": 1", "\"format\": 1, \"force\": true")]));
    is_refused(&trial, "unknown field `force`");
    write(&trial, &text);
    let mode = |mode| fs::set_permissions(trial.folder.path(PLAN), fs::Permissions::from_mode(mode)).unwrap();
    for open in [0o620, 0o602, 0o666] {
        mode(open);
        is_refused(&trial, "others may have changed it");
    }
    mode(0o644);
    let run = trial.expect(0, &["up", PLAN, "--dry-run"]);
    assert!(run.stderr().contains("warning: others may read the plan"), "{run}");
    mode(0o600);
    let run = trial.expect(0, &["up", PLAN, "--dry-run"]);
    assert!(!run.stderr().contains("others may read"), "{run}");
    fs::remove_file(trial.folder.path(PLAN)).unwrap();
    is_refused(&trial, "Failed to read the plan `plan.json`");
}

#[test]
fn after_a_kill_the_rest_is_another_plan() {
    let Some(trial) = Trial::new(SMALL) else { return };
    save(&trial, &[]);
    let has_created = AtomicBool::new(false);
    let told = trial.proxy.on(Fault::Silent, move |call| {
        // The first write goes through, the second one is never answered.
        call.operation.mutates() && has_created.swap(true, Ordering::SeqCst)
    });
    let mut child = trial.command(&["up", PLAN]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    told.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    trial.proxy.reset();
    let run = is_refused(&trial, "it is not the plan of now");
    assert!(run.stderr().contains("another action: create then"), "{run}");
    // The rest is approved anew.
    save(&trial, &[]);
    trial.expect(0, &["up", PLAN]);
    trial.is_converged();
}

#[test]
fn what_stays_may_hold_more_by_then() {
    let Some(trial) = Trial::new(SMALL) else { return };
    trial.up();
    let account = &trial.account;
    let url =
        account.wait(account.sqs.get_queue_url().queue_name("circuits-failed").send()).unwrap().queue_url.unwrap();
    let send = || account.wait(account.sqs.send_message().queue_url(&url).message_body("event").send()).unwrap();
    send();
    trial.folder.write(
        "infra.yaml",
        replaced(SMALL, &[("queues: {failed: {retention: 14d}}\n", ""), ("news: {}", "news: {}, more: {}")]),
    );
    let saved = save(&trial, &[]);
    assert_eq!(actions(&saved["plan"]), ["keep queue failed", "create topic more"]);
    send();
    trial.expect(0, &["up", PLAN]);
    // What goes must not: two messages were agreed to, and three are there.
    let saved = save(&trial, &["--allow-delete", "queue/failed"]);
    assert_eq!(actions(&saved["plan"]), ["delete queue failed"]);
    send();
    is_refused(&trial, "queue failed (circuits-failed) is or becomes something else");
}

#[test]
fn nothing_is_written_where_it_cannot_be() {
    let Some(trial) = Trial::new(SMALL) else { return };
    let run = trial.expect(2, &["diff", "--out", "missing/plan.json"]);
    assert!(run.stderr().contains("Failed to write the plan `missing/plan.json`"), "{run}");
    std::os::unix::fs::symlink("nowhere", trial.folder.path(PLAN)).unwrap();
    trial.expect(2, &["diff", "--out", PLAN]);
    assert!(!trial.folder.path("nowhere").exists());
    let run = trial.expect(2, &["diff", "--out", "other.json", "--no-build"]);
    assert!(run.stderr().contains("cannot be used with"), "{run}");
    let _denied = trial.proxy.on(Fault::Denies, |call| call.operation == "sqs.GetQueueUrl");
    let run = trial.expect(2, &["diff", "--out", "other.json"]);
    assert!(run.stderr().contains("Failed to save the plan"), "{run}");
    assert!(!Path::new(&trial.folder.path("other.json")).exists());
}
