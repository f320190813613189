//! Tests `moved`: a renamed entry's resource gets another tag, and keeps its name.

use std::collections::BTreeSet;

use super::tags::ENTRY;
use crate::{
    effort::Effort,
    harness::replaced,
    stack::{EVERYTHING, Trial, actions},
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

/// A stack with the kinds of entries that the stack of everything does not have.
const REST: &str = "\
stack: rest
region: eu-west-1
networks: {main: {nat: true, endpoints: [s3]}}
security_groups: {web: {network: main}, data: {network: main, egress: []}}
servers: {host: {network: main, security_groups: [web], volume: {}}}
databases: {mails: {network: main, security_groups: [data]}}
caches: {seen: {network: main, security_groups: [data], auth: token}}
secrets: {token: {value_from: {environment: TRY_TOKEN}}}
tables: {items: {partition_key: id}}
topics: {heard: {}}
configuration_sets: {sent: {events: {all: {topic: heard, types: [send]}}}}
clusters: {log: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d], brokers: 2}}
functions:
  receiver: {use: standin, timeout: 5s, secrets: {WEBHOOK_SECRET: token}}
apis:
  hooks:
    routes: [{route: POST /do, invoke: receiver, authentication: {scheme: bearer, secret: WEBHOOK_SECRET}}]
alarms: {notify: [noc@example.com]}
";

/// Renamed entries of that stack: what is moved, and what is replaced in its declaration.
const RENAMED: &[(&str, &[(&str, &str)])] = &[
    ("network/main: network/core", &[("{main: {nat", "{core: {nat"), ("network: main", "network: core")]),
    ("security-group/web: security-group/front", &[("{web: {", "{front: {"), ("[web]", "[front]")]),
    ("security-group/data: security-group/stores", &[(" data: {", " stores: {"), ("[data]", "[stores]")]),
    ("server/host: server/machine", &[("{host: {", "{machine: {")]),
    ("database/mails: database/letters", &[("{mails: {", "{letters: {")]),
    ("cache/seen: cache/known", &[("{seen: {", "{known: {")]),
    ("table/items: table/rows", &[("{items: {", "{rows: {")]),
    ("configuration-set/sent: configuration-set/mailed", &[("{sent: {", "{mailed: {")]),
    ("cluster/log: cluster/events", &[("{log: {", "{events: {")]),
    ("api/hooks: api/doors", &[("  hooks:", "  doors:")]),
];

/// Calls of a run that moves all of them, besides those that tag.
const BESIDES: &[&str] = &[
    // What has the entry's name in it: descriptions, and the name of an API.
    "apigateway.UpdateApi",
    // The alarms on an API name it by what stands for its id, in which its entry is.
    "cloudwatch.PutMetricAlarm",
    "elasticache.ModifyCacheSubnetGroup",
    "elasticache.ModifyReplicationGroup",
    "lambda.AddPermission",
    "lambda.RemovePermission",
    "rds.ModifyDBSubnetGroup",
];

#[test]
fn every_kind_of_entry_is_moved_here() {
    let sections = declaration::sections();
    let kinds = kinds::Kind::ALL.iter().map(|kind| kind.identity());
    let taken: BTreeSet<String> = kinds
        .filter(|identity| identity.section.is_some_and(|section| sections.contains(&section)))
        .map(|identity| identity.name.replace(' ', "-"))
        .collect();
    let cases = CASES.iter().map(|case| case.moved).chain(RENAMED.iter().map(|(moved, _)| *moved));
    let moved: BTreeSet<String> = cases.map(|moved| moved.split('/').next().unwrap().to_owned()).collect();
    assert_eq!(moved, taken);
}

/// Nothing is made or deleted for another name of an entry: it is planned for some alone, and done for all at once.
#[test]
fn nothing_is_made_anew_for_a_renamed_entry_of_any_kind() {
    let Some(trial) = Trial::new(REST) else { return };
    trial.up();
    // What EC2 gives an id has no name but its tags: that none of it is made anew, the calls show.
    let named =
        || -> Vec<String> { trial.account.inventory().into_iter().filter(|line| line.contains("rest-")).collect() };
    let made = named();
    for (moved, renamed) in RENAMED.iter().step_by(Effort::asked().of(5, 3, 1)) {
        trial.folder.write("infra.yaml", format!("{}moved: {{{moved}}}\n", replaced(REST, renamed)));
        let planned = actions(&trial.diff());
        let entry = moved.split('/').next_back().unwrap();
        // The permission of a route has the name of its API's entry: one of the new name is there before that of the old one goes.
        let stays = |action: &&String| action.starts_with("change ") || action.contains(" permission ");
        let others: Vec<_> = planned.iter().filter(|action| !stays(action)).collect();
        assert!(others.is_empty(), "{moved}: {others:?}");
        assert!(planned.iter().any(|action| action.ends_with(&format!(" {entry}"))), "{moved}: {planned:?}");
    }
    let all: Vec<_> = RENAMED.iter().flat_map(|(_, renamed)| renamed.iter().copied()).collect();
    let moved: Vec<&str> = RENAMED.iter().map(|(moved, _)| *moved).collect();
    let renamed = replaced(REST, &all);
    trial.folder.write("infra.yaml", format!("{renamed}moved: {{{}}}\n", moved.join(", ")));
    trial.proxy.reset();
    trial.up();
    let calls = trial.proxy.mutating().into_iter().map(|call| call.operation.to_string());
    let others: BTreeSet<String> = calls.filter(|call| !call.contains("Tag")).collect();
    assert_eq!(others, BESIDES.iter().map(|call| (*call).to_owned()).collect());
    assert_eq!(named(), made);
    trial.folder.write("infra.yaml", &renamed);
    trial.is_converged();
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
