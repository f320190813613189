//! Tests a whole life: from an empty account, everything is created, a mail reaches the function, nothing differs,
//! everything is deleted.

use std::path::Path;

use super::{EVERYTHING, Trial, actions};
use crate::{
    effort::Effort,
    emulator::{mail::deliver, pipeline::logged},
};

const MAIL: &[u8] = b"From: NOC <noc@carrier.example>\r\nTo: noc@example.com\r\nSubject: print STANDIN\r\n\r\nbody\r\n";

#[test]
fn everything_is_made_works_differs_in_nothing_and_goes() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let run = trial.expect(1, &["diff"]);
    let count = trial.diff()["resources"].as_array().unwrap().len();
    assert!(run.stdout().contains(&format!("{count} to create")), "{run}");
    assert_eq!(trial.proxy.mutating().len(), 0);
    trial.expect(0, &["up", "--dry-run"]);
    assert_eq!(trial.proxy.mutating().len(), 0, "a dry run changes nothing");
    trial.up();
    deliver(&trial.account, "noc@carrier.example", &["noc@example.com"], MAIL);
    logged(&trial.account, "circuits-reader", "STANDIN=ready");
    trial.is_converged();
    let run = trial.expect(0, &["down", "--confirm", "circuits"]);
    assert!(run.stdout().contains("= bucket mail   stays: objects"), "{run}");
    assert!(run.stdout().contains("= log group reader   stays: logs"), "{run}");
    let again = trial.expect(0, &["down", "--confirm", "circuits"]);
    assert!(again.stdout().contains("Nothing to do"), "{again}");
    // The resources that stayed are used again.
    trial.up();
    trial.is_converged();
    trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
    let plan = trial.run(&["down", "--dry-run", "--json"]).json().remove(0);
    assert_eq!(plan["resources"].as_array().map(Vec::len), Some(0), "{plan}");
    // A name under which there is nothing is told: it may be misspelt.
    for name in ["circuits", "nosuch"] {
        for option in [&["--dry-run"][..], &["--confirm", name]] {
            let run = trial.expect(2, &[&["down", "--stack", name], option].concat());
            assert!(
                run.stderr().contains(&format!("Failed to find stack `{name}`, region eu-west-1: nothing in account")),
                "{run}"
            );
        }
    }
}

#[test]
fn only_the_stacks_name_takes_it_away() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    trial.proxy.reset();
    for arguments in [&["down"][..], &["down", "--yes"], &["down", "--confirm", "other"]] {
        trial.expect(2, arguments);
    }
    let run = trial.expect(2, &["up", "--set-secret", "token"]);
    assert!(run.stderr().contains("`--yes`"), "{run}");
    assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
}

#[test]
fn undeclared_resources_are_deleted_unless_they_hold_data() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    deliver(&trial.account, "noc@carrier.example", &["noc@example.com"], MAIL);
    let less = "stack: circuits\nregion: eu-west-1\nqueues: {events: {}}\n";
    trial.folder.write("infra.yaml", less);
    let run = trial.expect(0, &["up", "--yes", "--allow-delete", "secret/token"]);
    assert!(run.stdout().contains("= bucket mail   stays: objects"), "{run}");
    let plan = trial.diff();
    let kept = actions(&plan);
    assert!(kept.iter().all(|action| action.starts_with("keep ")), "{kept:?}");
    assert_eq!(plan["converged"], true);
}

/// Tests the two stacks of this repository with the code that runs in production.
#[test]
fn the_real_stacks_read_a_mail() {
    if Effort::asked().leaves_out("building the functions for Lambda takes minutes") {
        return;
    }
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mail = std::fs::read(root.join("tests/mails/zayo/planned.eml")).unwrap();
    for (file, stack, function, recipient, words) in [
        ("infra.yaml", "circuit-maintenance", "maintenance", "maintenance@example.com", "\"outcome\":\"delivered\""),
        ("examples/echo.yaml", "echo", "echo", "special@example.com", "\"bucket\":\"echo-mail"),
    ] {
        let file = root.join(file).display().to_string();
        let arguments =
            |rest: &[&str]| [&["-f", file.as_str()], rest].concat().iter().map(ToString::to_string).collect::<Vec<_>>();
        let run = |code: i32, rest: &[&str]| {
            let arguments = arguments(rest);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            trial.expect(code, &arguments)
        };
        trial.emulator.reset();
        trial.proxy.reset();
        run(0, &["up", "--yes"]);
        run(0, &["diff"]);
        deliver(&trial.account, "mr@zayo.com", &[recipient], &mail);
        logged(&trial.account, &format!("{stack}-{function}"), words);
        trial.proxy.reset();
        run(0, &["up", "--yes"]);
        assert_eq!(trial.proxy.mutating().len(), 0, "{}", trial.proxy.record());
        run(0, &["down", "--confirm", stack, "--delete-data"]);
        let plan = run(0, &["down", "--dry-run", "--json"]).json().remove(0);
        assert_eq!(plan["resources"].as_array().map(Vec::len), Some(0), "{plan}");
    }
}
