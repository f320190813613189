//! Tests that nothing is lost unasked: `--yes` agrees to no loss, the flags that `up` prints do, and nobody else's consent counts.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::{Value, json};

use crate::{
    emulator::{account::Account, fault::Fault},
    harness::{Run, replaced},
    stack::{EVERYTHING, Trial, actions},
};

/// A stack that holds data, and nothing that has to be built.
const DATA: &str = "\
stack: circuits
region: eu-west-1
buckets:
  mail: {expire: 90d, versioning: true}
queues:
  failed: {retention: 14d}
secrets:
  token: {value_from: {environment: TRY_TOKEN}}
topics:
  news: {}
";

const BUCKET: &str = "circuits-mail-123456789012-eu-west-1";

/// Returns the names in the flags that a run printed.
fn flags(run: &Run) -> Vec<String> {
    let text = run.stderr();
    let hint = text.lines().find(|line| line.starts_with("hint: to agree, add ")).unwrap_or_default();
    let words: Vec<&str> = hint.split([' ', ';']).collect();
    let named = words.windows(2).filter(|pair| pair[0] == "--allow-delete").map(|pair| pair[1].to_owned());
    named.collect()
}

/// Checks that `--yes` does nothing, and that the flags are printed which agree: to people and to programs, and before, in a dry run.
#[track_caller]
fn refuses(trial: &Trial, names: &[&str]) -> Run {
    trial.proxy.reset();
    let run = trial.expect(2, &["up", "--yes"]);
    assert_eq!(flags(&run), names, "{run}");
    let documents = trial.expect(2, &["up", "--yes", "--json"]).json();
    let [document] = &documents[..] else { panic!("{documents:?}") };
    assert_eq!(document["allow_delete"], json!(names), "{document}");
    assert_eq!(document["plan"]["allow_delete"], json!(names), "{document}");
    let dry = trial.expect(2, &["up", "--dry-run"]);
    assert_eq!(flags(&dry), names, "{dry}");
    let diff = trial.expect(1, &["diff"]);
    for name in names {
        for run in [&dry, &diff] {
            assert!(run.stdout().contains(&format!("needs `--allow-delete {name}`")), "{run}");
        }
    }
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    run
}

/// Lets `up` do what these names agree to.
#[track_caller]
fn agrees(trial: &Trial, names: &[&str]) {
    let flags = names.iter().flat_map(|name| ["--allow-delete", name]);
    let arguments: Vec<&str> = ["up", "--yes"].into_iter().chain(flags).collect();
    trial.expect(0, &arguments);
    trial.is_converged();
}

/// Checks a change of the declaration that loses something: it is refused, and then agreed to.
#[track_caller]
fn loses(trial: &Trial, to: &str, names: &[&str], words: &[&str]) {
    trial.folder.write("infra.yaml", to);
    let run = refuses(trial, names);
    for words in words {
        assert!(run.stderr().contains(words), "`{words}` is missing\n{run}");
    }
    // Consent to all but one is none.
    for left_out in names {
        let others = names.iter().filter(|name| *name != left_out).flat_map(|name| ["--allow-delete", name]);
        let arguments: Vec<&str> = ["up", "--yes"].into_iter().chain(others).collect();
        trial.expect(2, &arguments);
        assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
    }
    agrees(trial, names);
}

#[test]
fn a_shorter_life_of_data_is_named() {
    let Some(trial) = Trial::new(DATA) else { return };
    trial.up();
    let mut declared = DATA.to_owned();
    for (from, to, name, words) in [
        ("{expire: 90d,", "{expire: 30d,", "bucket/mail", "shortens the life of data: lifecycle.expire_days.* 90 → 30"),
        ("versioning: true", "versioning: false", "bucket/mail", "shortens the life of data: versioning true → false"),
        ("retention: 14d", "retention: 4d", "queue/failed", "shortens the life of data: retention 1209600 → 345600"),
    ] {
        declared = replaced(&declared, &[(from, to)]);
        loses(&trial, &declared, &[name], &[words]);
    }
    // A longer one is nothing to agree to.
    declared = replaced(&declared, &[("expire: 30d, ", "")]);
    declared = replaced(&declared, &[("retention: 4d", "retention: 5d")]);
    trial.folder.write("infra.yaml", &declared);
    trial.up();
    declared = replaced(&declared, &[("{versioning: false}", "{expire: 400d}"), ("retention: 5d", "retention: 1d")]);
    let words = &["lifecycle.expire_days.* none → 400", "retention 432000 → 86400"];
    loses(&trial, &declared, &["bucket/mail", "queue/failed"], words);
}

#[test]
fn a_shorter_life_below_a_prefix_is_named_and_the_same_life_is_not() {
    let mails = "receipt_rules: [{name: one, recipients: [noc@example.com], actions: [{store: mail, prefix: in/}]}]\n";
    let ages = |ages: &str| replaced(DATA, &[("{expire: 90d, versioning: true}", ages)]);
    let Some(trial) = Trial::new(&ages("{expire: 90d}")) else { return };
    trial.up();
    // All objects until now; from now on the mails alone, which live as long as before.
    trial.folder.write("infra.yaml", ages("{expire: 90d}") + mails);
    trial.up();
    trial.is_converged();
    let named = ages("{expire: {in/: 90d, unmatched/: 400d}}") + mails;
    loses(
        &trial,
        &named,
        &["bucket/mail"],
        &["shortens the life of data: lifecycle.expire_days.unmatched/ none → 400"],
    );
    trial.folder.write("infra.yaml", ages("{expire: {in/: 120d}}") + mails);
    trial.up();
    let all = ages("{expire: {\"\": 400d, in/: 30d}}") + mails;
    let words = ["lifecycle.expire_days.* none → 400", "lifecycle.expire_days.in/ 120 → 30"];
    loses(&trial, &all, &["bucket/mail"], &words);
    trial.is_converged();
    // What covered a prefix before counts for it: 400 days until now.
    let narrower = ages("{expire: {in/: 30d, else/: 100d, later/: 500d}}") + mails;
    let run = {
        trial.folder.write("infra.yaml", &narrower);
        refuses(&trial, &["bucket/mail"])
    };
    assert!(run.stderr().contains("lifecycle.expire_days.else/ 400 → 100"), "{run}");
    assert!(!run.stderr().contains("lifecycle.expire_days.later/"), "{run}");
}

#[test]
fn what_is_to_last_goes_only_by_name() {
    let Some(trial) = Trial::new(DATA) else { return };
    trial.up();
    let without = replaced(DATA, &[("buckets:\n  mail: {expire: 90d, versioning: true}\n", "")]);
    loses(&trial, &without, &["bucket/mail"], &["bucket/mail   deletes what is protected"]);
    let rest = "stack: circuits\nregion: eu-west-1\nqueues:\n  failed: {retention: 14d}\n";
    loses(&trial, rest, &["secret/token"], &[]);
    // A queue without messages holds nothing, and its topic neither.
    trial.folder.write("infra.yaml", "stack: circuits\nregion: eu-west-1\n");
    trial.up();
    trial.is_converged();
}

fn put(account: &Account, key: &str) {
    account.wait(account.s3.put_object().bucket(BUCKET).key(key).body(b"mail".to_vec().into()).send()).unwrap();
}

#[test]
fn what_holds_data_stays_until_it_is_named() {
    let Some(trial) = Trial::new(DATA) else { return };
    trial.up();
    put(&trial.account, "inbound/one");
    put(&trial.account, "inbound/one");
    trial.folder.write("infra.yaml", "stack: circuits\nregion: eu-west-1\ntopics:\n  news: {}\n");
    let run = refuses(&trial, &["secret/token"]);
    assert!(run.stdout().contains("= bucket mail   stays: objects"), "{run}");
    agrees(&trial, &["secret/token"]);
    assert_eq!(actions(&trial.diff()), ["keep bucket mail"]);
    trial.up();
    let plan = trial.run(&["up", "--dry-run", "--allow-delete", "bucket/mail"]);
    assert!(plan.stdout().contains("deletes the data that it holds: objects"), "{plan}");
    agrees(&trial, &["bucket/mail"]);
    assert_eq!(actions(&trial.diff()), [""; 0]);
    assert!(trial.account.wait(trial.account.s3.head_bucket().bucket(BUCKET).send()).is_err());
}

#[test]
fn a_protection_outlives_its_entry_and_is_switched_off_by_name() {
    let Some(trial) = Trial::new(DATA) else { return };
    trial.up();
    let protected = replaced(DATA, &[("{retention: 14d}", "{retention: 14d, protect: true}")]);
    trial.folder.write("infra.yaml", &protected);
    trial.up();
    trial.is_converged();
    let without = replaced(DATA, &[("queues:\n  failed: {retention: 14d}\n", "")]);
    trial.folder.write("infra.yaml", &without);
    let run = refuses(&trial, &["queue/failed"]);
    assert!(run.stderr().contains("declare `protect: false` and apply that first"), "{run}");
    let off = replaced(DATA, &[("{retention: 14d}", "{retention: 14d, protect: false}")]);
    loses(&trial, &off, &["queue/failed"], &["queue/failed   switches its protection off"]);
    trial.folder.write("infra.yaml", &without);
    trial.up();
    trial.is_converged();
    // What is not protected any longer, and empty, goes without a word.
    let bucket = replaced(&without, &[("versioning: true", "versioning: true, protect: false")]);
    loses(&trial, &bucket, &["bucket/mail"], &["bucket/mail   switches its protection off"]);
    trial.folder.write(
        "infra.yaml",
        "stack: circuits\nregion: eu-west-1\nsecrets:\n  token: {value_from: {environment: TRY_TOKEN}}\n",
    );
    trial.up();
}

/// A resource that its kind protects goes with the stack; one that is protected by name does not.
#[test]
fn a_protection_by_name_is_more_than_that_of_the_kind() {
    let protected = replaced(DATA, &[("versioning: true", "versioning: true, protect: true")]);
    let Some(trial) = Trial::new(&protected) else { return };
    trial.up();
    loses(&trial, DATA, &["bucket/mail"], &["bucket/mail   switches its protection off"]);
}

/// A rename takes minutes where somebody is asked: what comes meanwhile has not been agreed to.
#[test]
fn what_comes_between_plan_and_deletion_stays() {
    let Some(trial) = Trial::new(DATA) else { return };
    trial.up();
    let queue = trial.account.wait(trial.account.sqs.get_queue_url().queue_name("circuits-failed").send()).unwrap();
    let (account, url) = (Account::at(&trial.emulator.url), queue.queue_url.unwrap());
    let looks = AtomicUsize::new(0);
    // The survey looks twice, at what it may find and at what it has found; whoever deletes without another look deletes the message.
    let _looked = trial.proxy.on(Fault::Fails, move |call| {
        if call.operation.name == "GetQueueAttributes" && looks.fetch_add(1, Ordering::SeqCst) == 2 {
            let send = || account.wait(account.sqs.send_message().queue_url(&url).message_body("event").send()).is_ok();
            assert!(thread::scope(|scope| scope.spawn(send).join()).unwrap());
        }
        false
    });
    trial.folder.write("infra.yaml", replaced(DATA, &[("queues:\n  failed: {retention: 14d}\n", "")]));
    let run = trial.expect(2, &["up", "--yes"]);
    assert!(run.stderr().contains("it holds data that came after the plan was made, and stays: 1 message"), "{run}");
    trial.proxy.reset();
    trial.up();
    assert_eq!(actions(&trial.diff()), ["keep queue failed"]);
}

#[test]
fn what_is_ours_is_not_declared_as_anothers() {
    let own = replaced(DATA, &[("versioning: true", "versioning: true, protect: false")]);
    let Some(trial) = Trial::new(&own) else { return };
    trial.up();
    trial.proxy.reset();
    for (kind, from, to) in [
        ("bucket/mail", "mail: {expire: 90d, versioning: true}".to_owned(), format!("mail: {{existing: {BUCKET}}}")),
        ("bucket/mail", "mail: {expire: 90d, versioning: true}".to_owned(), format!("old: {{existing: {BUCKET}}}")),
        ("secret/token", "{value_from: {environment: TRY_TOKEN}}".to_owned(), "{existing: circuits-token}".to_owned()),
    ] {
        trial.folder.write("infra.yaml", replaced(DATA, &[(&from, &to)]));
        for arguments in [&["up", "--yes", "--allow-delete", kind][..], &["diff"]] {
            let run = trial.expect(2, arguments);
            assert!(run.stderr().contains(&format!("is this stack's own {kind}")), "{run}");
        }
    }
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
}

#[test]
fn down_keeps_what_is_protected_by_name() {
    let declared = replaced(
        DATA,
        &[("versioning: true", "versioning: true, protect: true"), ("news: {}", "news: {protect: true}")],
    );
    let Some(trial) = Trial::new(&declared) else { return };
    trial.up();
    put(&trial.account, "inbound/one");
    let run = trial.expect(0, &["down", "--confirm", "circuits"]);
    assert!(run.stdout().contains("= bucket mail   stays: objects"), "{run}");
    assert!(
        run.stdout().contains("= topic news   stays: it is protected; `--allow-delete topic/news` deletes it"),
        "{run}"
    );
    let run = trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
    assert!(run.stdout().contains("= bucket mail   stays: it is protected"), "{run}");
    let arguments = ["down", "--confirm", "circuits", "--allow-delete", "bucket/mail", "--allow-delete", "topic/news"];
    trial.expect(0, &arguments);
    let plan = trial.run(&["down", "--dry-run", "--json"]).json().remove(0);
    assert_eq!(plan["resources"].as_array().map(Vec::len), Some(0), "{plan}");
}

#[test]
fn what_others_made_goes_only_by_name() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let (account, role) = (&trial.account, "circuits-reader-eu-west-1");
    let call = account.iam.put_role_policy().role_name(role).policy_name("theirs");
    account.wait(call.policy_document(super::fields::ANYTHING).send()).unwrap();
    let url =
        account.wait(account.sqs.get_queue_url().queue_name("circuits-failed").send()).unwrap().queue_url.unwrap();
    let statement = json!({"Sid": "Theirs", "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    account.wait(account.sqs.set_queue_attributes().queue_url(url).attributes(Name::Policy, policy).send()).unwrap();
    let run = refuses(&trial, &["queue/failed", "role/reader"]);
    for words in ["role/reader   removes what others made: policies \"theirs\"", "policy \"Theirs\""] {
        assert!(run.stderr().contains(words), "`{words}` is missing\n{run}");
    }
    agrees(&trial, &["queue/failed", "role/reader"]);
}

#[test]
fn the_log_of_a_function_is_data() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let shorter =
        replaced(EVERYTHING, &[("    on_failure: failed\n", "    on_failure: failed\n    log_retention: 7d\n")]);
    loses(&trial, &shorter, &["log-group/reader"], &["shortens the life of data: retention 30 → 7"]);
}

#[test]
fn a_name_that_agrees_to_nothing_is_told() {
    let Some(trial) = Trial::new(DATA) else { return };
    for arguments in
        [&["up", "--yes"][..], &["up", "--dry-run"], &["down", "--dry-run"], &["down", "--confirm", "circuits"]]
    {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--allow-delete", "bucket/mial"]).collect();
        let run = trial.expect(0, &arguments);
        assert!(run.stderr().contains("`--allow-delete bucket/mial` changes nothing"), "{run}");
    }
    trial.proxy.reset();
    for (typed, hint) in [("buckt/mail", "bucket"), ("mail", "KIND/ENTRY"), ("bucket/", "KIND/ENTRY")] {
        let run = trial.expect(2, &["up", "--yes", "--allow-delete", typed]);
        assert!(run.stderr().contains(hint), "{run}");
    }
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
}

#[test]
fn the_registry_says_what_shortens_a_life() {
    let Some(trial) = Trial::new(DATA) else { return };
    let document: Value = serde_json::from_str(&trial.expect(0, &["schema", "--fields"]).stdout()).unwrap();
    let kinds = document["kinds"].as_array().unwrap().iter();
    let fields = kinds.flat_map(|kind| kind["fields"].as_array().unwrap().iter().map(move |field| (kind, field)));
    let lives = fields.filter(|(_, field)| field["life"].as_str().is_some_and(|life| life != "unrelated"));
    let lives: Vec<String> = lives.map(|(kind, field)| format!("{} {}", kind["kind"], field["path"])).collect();
    assert!(lives.contains(&"\"bucket\" \"versioning\"".to_owned()), "{lives:?}");
}
