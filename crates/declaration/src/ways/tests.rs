//! Tests the ways to databases, caches and brokers: each break of a sound declaration is told, with what to write.

use std::path::Path;

use crate::{Declaration, DeclarationError, Diagnostics};

/// A declaration in which everybody has a way, to be made worse.
const SOUND: &str = "\
stack: tracking
region: eu-west-1
networks: {main: {}, other: {}}
security_groups:
  app: {network: main, egress: [{to: 10.20.0.0/16, port: 3306}, {to: seen, port: 6000-7000}, {to: 10.20.0.0/16, port: 9098}]}
  mails: {network: main, ingress: [{from: app, port: 3306}]}
  seen: {network: main, ingress: [{from: 10.20.0.0/16, port: 6379}]}
  kafka: {network: main, ingress: [{from: app, port: 9098}]}
  far: {network: other}
databases: {mails: {network: main, security_groups: [mails]}}
caches: {seen: {network: main, security_groups: [seen], auth: password}}
secrets: {password: {value_from: {environment: PASSWORD}}}
clusters: {events: {network: main, security_groups: [kafka], brokers: 2, topics: {mails: {replication: 2}}}}
functions:
  reader:
    crate: reader
    databases: [mails]
    caches: [seen]
    produces: [events/mails]
    vpc: {network: main, security_groups: [app]}
servers:
  host: {network: main, security_groups: [app], databases: [mails]}
";

/// Returns what is wrong with a declaration; `None` if nothing is.
fn wrong(source: &str) -> Option<Diagnostics> {
    match Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None) {
        Ok(_) => None,
        Err(DeclarationError::Invalid(wrong)) => Some(wrong),
        Err(other) => panic!("{other}"),
    }
}

/// Returns the messages of what is wrong with a declaration.
fn messages(source: &str) -> Vec<String> {
    wrong(source).iter().flat_map(Diagnostics::list).map(|one| one.message.clone()).collect()
}

/// Returns the errors of the declaration with one thing replaced, each with its line and its hint.
fn with(old: &str, new: &str) -> Vec<String> {
    assert!(SOUND.contains(old), "{old}");
    let source = SOUND.replace(old, new);
    let Some(list) = wrong(&source) else { return Vec::new() };
    let line = |start: usize| source[..=start].lines().count();
    let errors = list.list().iter().filter(|one| !one.is_warning);
    errors
        .map(|one| format!("{}: {} | {}", line(one.span.start), one.message, one.hint.as_deref().unwrap_or("")))
        .collect()
}

#[test]
fn a_store_is_reached_by_whoever_both_groups_let_through() {
    assert_eq!(with("stack", "stack"), [""; 0]);
    let told = with("{from: app, port: 3306}", "{from: seen, port: 3306}");
    let words =
        "and security group `mails` does not let it in | add `{from: app, port: 3306}` to the `ingress` of `mails`";
    assert_eq!(
        told,
        [
            format!("17: function `reader` uses database `mails`, {words}"),
            format!("22: server `host` uses database `mails`, {words}"),
        ]
    );
    for (old, new, store, hint) in [
        // Groups name each other in one direction alone: the range of the network is the way for the other one.
        (
            "{from: 10.20.0.0/16, port: 6379}",
            "{from: mails, port: 6379}",
            "cache `seen`",
            "`{from: 10.20.0.0/16, port: 6379}` to the `ingress` of `seen`",
        ),
        (
            "{from: app, port: 9098}",
            "{from: app, port: 9098, protocol: udp}",
            "cluster `events`",
            "`{from: app, port: 9098}` to the `ingress` of `kafka`",
        ),
        (
            "{to: seen, port: 6000-7000}",
            "{to: seen, port: 7000}",
            "cache `seen`",
            "`{to: seen, port: 6379}` to the `egress` of `app`",
        ),
        (
            "{to: 10.20.0.0/16, port: 9098}",
            "{to: 10.20.0.0/16, port: 9099}",
            "cluster `events`",
            "`{to: 10.20.0.0/16, port: 9098}` to the `egress` of `app`",
        ),
    ] {
        let told = with(old, new);
        assert!(told.iter().any(|one| one.contains(store) && one.contains(hint)), "{old}: {told:#?}");
    }
}

#[test]
fn what_is_not_known_is_nobodys_fault() {
    for (old, new) in [
        // Groups that exist may have any rules.
        ("security_groups: [mails]", "security_groups: [sg-0a1b2c3d]"),
        ("security_groups: [mails]", "security_groups: [far, mails, sg-0a1b2c3d]"),
        // A range may be the caller's.
        ("{from: app, port: 3306}", "{from: 10.20.0.0/16, port: 3300-3310}"),
        ("{to: 10.20.0.0/16, port: 3306}", "{to: 0.0.0.0/0, port: 3306}"),
        // Without rules everybody is let out.
        (", egress: [{to: 10.20.0.0/16, port: 3306}, {to: seen, port: 6000-7000}, {to: 10.20.0.0/16, port: 9098}]", ""),
    ] {
        let told = with(old, new);
        assert!(!told.iter().any(|one| one.contains(" uses ")), "{new}: {told:#?}");
    }
    // The caller's existing group is not one that the database's own group lets in.
    let told = with("security_groups: [app], databases", "security_groups: [sg-0a1b2c3d], databases");
    let [one] = &told[..] else { panic!("{told:#?}") };
    assert!(
        one.contains("server `host` uses database `mails`") && one.contains("{from: sg-0a1b2c3d, port: 3306}"),
        "{one}"
    );
}

#[test]
fn of_a_cluster_that_exists_no_group_is_known() {
    let own = "{network: main, security_groups: [kafka], brokers: 2, topics: {mails: {replication: 2}}}";
    let existing =
        "{existing: 'arn:aws:kafka:eu-west-1:123456789012:cluster/events/0a1b', topics: {mails: {replication: 2}}}";
    let source = SOUND.replace("{to: 10.20.0.0/16, port: 9098}", "{to: sg-0a1b2c3d, port: 9098}");
    assert!(source != SOUND && source.contains(own));
    let told = messages(&source.replace(own, existing));
    assert!(!told.iter().any(|one| one.contains(" uses ")), "{told:#?}");
}

#[test]
fn what_is_closed_at_both_sides_is_opened_by_rules_that_can_stand_together() {
    let source = SOUND.replace("{from: app, port: 3306}", "{from: seen, port: 3306}");
    let source = source.replace("{to: 10.20.0.0/16, port: 3306}, ", "");
    let wrong = wrong(&source).expect("both groups are closed");
    let hints: Vec<&str> = wrong.list().iter().filter_map(|one| one.hint.as_deref()).take(2).collect();
    assert_eq!(
        hints,
        [
            "add `{from: app, port: 3306}` to the `ingress` of `mails`",
            "add `{to: 10.20.0.0/16, port: 3306}` to the `egress` of `app`"
        ]
    );
}

#[test]
fn a_store_is_reached_from_its_own_network_alone() {
    let told = with("    vpc: {network: main, security_groups: [app]}\n", "");
    assert_eq!(told.len(), 3, "{told:#?}");
    for (one, store) in told.iter().zip(["database `mails`", "cache `seen`", "cluster `events`"]) {
        assert!(one.contains(&format!("function `reader` cannot reach {store} without a `vpc`")), "{one}");
    }
    let told = with("vpc: {network: main, security_groups: [app]}", "vpc: {network: other, security_groups: [far]}");
    for store in ["database `mails`", "cache `seen`", "cluster `events`"] {
        let words = format!("function `reader` is in network `other`, and {store}, which it uses, in `main`");
        assert!(told.iter().any(|one| one.contains(&words)), "{store}: {told:#?}");
    }
}

#[test]
fn a_server_needs_the_ways_of_the_function_that_it_runs() {
    let running = SOUND.replace("    vpc: {network: main, security_groups: [app]}\n", "    consumes: {queue: jobs}\n");
    let running =
        running.replace("security_groups: [app], databases: [mails]}", "security_groups: [app], runs: reader}");
    let sound =
        format!("{running}queues: {{jobs: {{visibility_timeout: 6m, redrive: {{queue: dead}}}}, dead: {{}}}}\n");
    let ways =
        |source: &str| messages(source).into_iter().filter(|one: &String| one.contains(" uses ")).collect::<Vec<_>>();
    assert_eq!(ways(&sound), [""; 0]);
    let closed = sound.replace("{from: 10.20.0.0/16, port: 6379}", "{from: mails, port: 6379}");
    assert_eq!(ways(&closed), ["server `host` uses cache `seen`, and security group `seen` does not let it in"]);
}

/// Two topics of one cluster, and the databases of a server and of the function that it runs, are one store each.
#[test]
fn each_store_without_a_way_is_reported_once_for_a_key_and_once_for_a_server() {
    let topics = ("topics: {mails: {replication: 2}}", "topics: {mails: {replication: 2}, lines: {replication: 2}}");
    let produces = ("produces: [events/mails]", "produces: [events/mails, events/lines]\n    follows: [events/lines]");
    let closed = ("{from: app, port: 9098}", "{from: seen, port: 9098}");
    let source = [topics, produces, closed].into_iter().fold(SOUND.to_owned(), |source, (old, new)| {
        assert!(source.contains(old), "{old}");
        source.replace(old, new)
    });
    let cluster = "function `reader` uses cluster `events`, and security group `kafka` does not let it in";
    assert_eq!(messages(&source), [cluster, cluster], "once under `produces`, and once under `follows`");

    let vpc = "    vpc: {network: main, security_groups: [app]}\n";
    let on_server = source.replace(vpc, "    consumes: {queue: jobs}\n").replace("\n    follows: [events/lines]", "");
    let on_server = on_server.replace("databases: [mails]}\n", "databases: [mails], runs: reader}\n");
    let on_server = on_server.replace("{from: app, port: 3306}", "{from: seen, port: 3306}");
    let on_server =
        format!("{on_server}queues: {{jobs: {{visibility_timeout: 6m, redrive: {{queue: dead}}}}, dead: {{}}}}\n");
    assert_eq!(
        messages(&on_server),
        [
            "server `host` uses database `mails`, and security group `mails` does not let it in",
            "server `host` uses cluster `events`, and security group `kafka` does not let it in",
        ]
    );
}
