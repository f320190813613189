//! Tests `moved`: a renamed entry's resource gets another tag, and keeps its name.

use super::tags::ENTRY;
use crate::{
    harness::replaced,
    stack::{EVERYTHING, Trial},
};

/// A renamed entry: what is replaced in the declaration of everything, what is moved, and the resources that keep their names.
struct Case {
    moved: &'static str,
    renamed: &'static [(&'static str, &'static str)],
    /// Kind, entry of now, and name in AWS.
    keep: &'static [(&'static str, &'static str, &'static str)],
    /// Calls besides tagging: what has the entry's name in it.
    besides: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        moved: "bucket/mail: bucket/archive",
        renamed: &[
            ("  mail: {exp", "  archive: {exp"),
            ("reads: [mail]", "reads: [archive]"),
            ("{store: mail,", "{store: archive,"),
        ],
        keep: &[("bucket", "archive", "circuits-mail-123456789012-eu-west-1")],
        besides: &[],
    },
    Case {
        moved: "queue/events: queue/inbox",
        renamed: &[("  events: {red", "  inbox: {red"), ("{queue: events,", "{queue: inbox,")],
        keep: &[("queue", "inbox", "circuits-events")],
        besides: &[],
    },
    Case {
        moved: "queue/failed: queue/dead",
        renamed: &[
            ("  failed: {ret", "  dead: {ret"),
            ("{queue: failed}", "{queue: dead}"),
            ("on_failure: failed", "on_failure: dead"),
        ],
        keep: &[("queue", "dead", "circuits-failed"), ("alarm", "dead-messages", "circuits-failed-messages")],
        besides: &[],
    },
    Case {
        moved: "topic/news: topic/told",
        renamed: &[("  news: {sub", "  told: {sub"), ("topic: news", "topic: told")],
        keep: &[("topic", "told", "circuits-news")],
        besides: &[],
    },
    Case {
        moved: "secret/token: secret/netbox",
        renamed: &[("  token: {value", "  netbox: {value"), ("{TOKEN: token}", "{TOKEN: netbox}")],
        keep: &[("secret", "netbox", "circuits-token")],
        besides: &[],
    },
    Case {
        moved: "function/reader: function/notices",
        renamed: &[
            ("  reader:\n", "  notices:\n"),
            ("{function: reader}", "{function: notices}"),
            ("{invoke: reader}", "{invoke: notices}"),
        ],
        keep: &[
            ("function", "notices", "circuits-reader"),
            ("role", "notices", "circuits-reader-eu-west-1"),
            ("log group", "notices", "/aws/lambda/circuits-reader"),
            ("alarm", "notices-errors", "circuits-reader-errors"),
        ],
        // Its context tells the code the name of the function's entry.
        besides: &["lambda.UpdateFunctionConfiguration"],
    },
];

#[test]
fn a_renamed_entry_changes_the_tag_alone() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    for case in CASES {
        let renamed = replaced(EVERYTHING, case.renamed);
        trial.folder.write("infra.yaml", format!("{renamed}moved: {{{}}}\n", case.moved));
        let run = trial.expect(1, &["diff"]);
        let (from, to) = case.moved.split_once(": ").unwrap();
        let name = case.keep[0].2;
        let told = format!("{to}  moved from {from}, keeps its name {name}");
        assert!(run.stdout().contains(&told), "{told}\n{run}");
        trial.proxy.reset();
        let run = trial.up();
        assert!(run.stdout().contains("0 to create") && run.stdout().contains("0 to delete"), "{run}");
        let calls = trial.proxy.mutating();
        let others: Vec<String> =
            calls.iter().map(|call| call.operation.to_string()).filter(|call| !call.contains("Tag")).collect();
        assert_eq!(others, case.besides, "{}", case.moved);
        for (kind, entry, name) in case.keep {
            let tagged = super::tags::CASES.iter().find(|tagged| tagged.kind == *kind).unwrap();
            let tags = (tagged.read)(&trial.account, name).unwrap();
            assert_eq!(tags[ENTRY], *entry, "{kind} {name}");
        }
        // The line has nothing left to do, is told to be removed, and removing it changes nothing.
        let run = trial.up();
        assert!(run.stderr().contains(&format!("remove the line `{}`", case.moved)), "{run}");
        trial.is_converged();
        trial.folder.write("infra.yaml", &renamed);
        trial.is_converged();
        // Back again, by the same way.
        trial.folder.write("infra.yaml", format!("{EVERYTHING}moved: {{{to}: {from}}}\n"));
        trial.up();
        trial.folder.write("infra.yaml", EVERYTHING);
        trial.is_converged();
    }
}

#[test]
fn what_was_moved_goes_with_the_stack() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    trial.up();
    let replacements: Vec<_> = CASES.iter().flat_map(|case| case.renamed.iter().copied()).collect();
    let moved: Vec<&str> = CASES.iter().map(|case| case.moved).collect();
    trial
        .folder
        .write("infra.yaml", format!("{}moved: {{{}}}\n", replaced(EVERYTHING, &replacements), moved.join(", ")));
    let run = trial.up();
    assert!(run.stdout().contains("0 to create") && run.stdout().contains("0 to delete"), "{run}");
    trial.folder.write("infra.yaml", replaced(EVERYTHING, &replacements));
    trial.is_converged();
    trial.expect(0, &["down", "--confirm", "circuits", "--delete-data"]);
    let left: Vec<_> = trial.account.inventory().into_iter().filter(|name| name.contains("circuits")).collect();
    assert!(left.iter().all(|name| name.contains("token")), "only the secret can still be restored: {left:?}");
}

#[test]
fn both_in_aws_is_an_error_and_none_a_remark() {
    let Some(trial) = Trial::new(EVERYTHING) else { return };
    // Nothing is there yet: the line does nothing, and says so.
    trial.folder.write("infra.yaml", format!("{EVERYTHING}moved: {{bucket/inbox: bucket/mail}}\n"));
    let run = trial.up();
    assert!(run.stderr().contains("nothing in AWS has the tags of `bucket/inbox`"), "{run}");
    // Both are there.
    let both = replaced(EVERYTHING, &[("  mail: {exp", "  inbox: {}\n  mail: {exp")]);
    trial.folder.write("infra.yaml", &both);
    trial.up();
    trial.folder.write("infra.yaml", format!("{EVERYTHING}moved: {{bucket/inbox: bucket/mail}}\n"));
    trial.proxy.reset();
    for arguments in [&["diff"][..], &["up", "--yes"]] {
        let run = trial.expect(2, arguments);
        for word in [
            "bucket inbox",
            "bucket mail",
            "circuits-inbox-123456789012-eu-west-1",
            "circuits-mail-123456789012-eu-west-1",
        ] {
            assert!(run.stderr().contains(word), "{word}\n{run}");
        }
    }
    assert!(trial.proxy.mutating().is_empty(), "{}", trial.proxy.record());
}
