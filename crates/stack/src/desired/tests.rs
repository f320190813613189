//! Tests of what a declaration implies: permissions, order, and the place of its rules.

mod alarms;

use std::path::Path;

use replaced::Replaced as _;
use serde_json::{Value, json};

use engine::Makers;

use super::*;

const DECLARATION: &str = "\
stack: circuits
region: eu-west-1
tags: {team: network}
buckets: {mail: {expire: 30d, tags: {team: noc}}, archive: {existing: example-archive}}
functions:
  reader:
    crate: maintenance
    bin: reader
    timeout: 10s
    secrets: {TOKEN: netbox/token}
    reads: [{bucket: mail, prefix: inbound/}]
    writes: [{bucket: mail, prefix: unmatched/}]
    on_failure: failed
  counter: {crate: maintenance, bin: counter, vpc: {subnets: [subnet-0a1b2c3d, subnet-0a1b2c3e], security_groups: [sg-0a1b2c3d]}}
queues: {failed: {retention: 2d}}
topics: {news: {}}
receipt_rules:
  - {name: reader, recipients: [NOC@example.com], actions: [{store: mail, prefix: inbound/, topic: news}, {invoke: reader}]}
  - {name: rest, actions: [{store: mail, prefix: rest/}]}
";

fn declared(source: &str) -> Declaration {
    let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
    checked.declarations.into_iter().next().unwrap()
}

fn all(source: &str, rule_set: &RuleSet) -> Vec<Resource> {
    let declaration = declared(source);
    let names = Names::new(&declaration, "123456789012");
    let code = BTreeMap::from([("reader".to_owned(), "abc=".to_owned())]);
    resources(
        &declaration,
        Inputs { names: &names, code: &code, artifacts: false, rule_set, existing: &Existing::default() },
    )
}

#[test]
fn the_role_of_an_adopted_function_in_a_network_remembers_its_name() {
    let declaration = declared(DECLARATION);
    let names = Names::new(&declaration, "123456789012");
    let tags = |names: &Names, entry: &str| {
        let (code, existing) = (BTreeMap::new(), Existing::default());
        let inputs = Inputs { names, code: &code, artifacts: false, rule_set: &RuleSet::Own, existing: &existing };
        tree(&resources(&declaration, inputs), Kind::Role, entry)["tags"]["provision:function"].clone()
    };
    let adopted = ["counter", "reader"].into_iter().fold(names.clone(), |names, entry| {
        names.with_found(&Id::new(Kind::Function, entry), &format!("made-by-hand-{entry}"))
    });
    assert_eq!(tags(&adopted, "counter"), json!("made-by-hand-counter"));
    // Without a network there are no interfaces, and a name that follows from the entry need not be remembered.
    assert_eq!((tags(&adopted, "reader"), tags(&names, "counter")), (Value::Null, Value::Null));
}

#[test]
fn code_that_is_too_large_for_a_call_has_a_bucket_of_its_own() {
    let declaration = declared(DECLARATION);
    let names = Names::new(&declaration, "123456789012");
    let given = Inputs {
        names: &names,
        code: &BTreeMap::new(),
        artifacts: true,
        rule_set: &RuleSet::Own,
        existing: &Existing::default(),
    };
    let resources = resources(&declaration, given);
    let id = Id::new(Kind::Bucket, "provision.artifacts");
    let bucket = resources.iter().find(|one| one.id == id).unwrap();
    assert_eq!(bucket.address, Address::of("circuits-123456789012-eu-west-1-artifacts"));
    let tree = bucket.settings.tree();
    assert_eq!(tree["tags"]["provision:stack"], "circuits.eu-west-1");
    assert_eq!(tree["policy"].as_object().unwrap().keys().collect::<Vec<_>>(), ["RefuseWithoutTls"]);
    assert!(resources.iter().filter(|one| one.id.kind == Kind::Function).all(|one| one.after.contains(&id)));
}

/// A resource of any other name was made by somebody else, and goes only by consent.
#[test]
fn every_item_that_a_declaration_gives_has_a_name_of_the_stacks_own() {
    let full = include_str!("../../../../tests/all/validate/full.yaml");
    let mut items = 0;
    for source in [DECLARATION, full] {
        for resource in all(source, &RuleSet::Own) {
            let tree = resource.settings.tree();
            for field in resource.id.kind.fields() {
                let path = format!("/{}", field.path.trim_end_matches(".*").replace('.', "/"));
                let given = tree.pointer(&path).cloned().unwrap_or_default();
                assert_eq!(field.makers.others(&given, &Value::Null), [""; 0], "{} {}", resource.id, field.path);
                items += usize::from(field.makers != Makers::Stack && !given.is_null());
            }
        }
    }
    assert!(items > 20, "{items}");
}

#[test]
fn a_protection_is_a_tag_of_the_entrys_own_resource() {
    let protected = DECLARATION
        .replaced("{expire: 30d, ", "{expire: 30d, protect: true, ")
        .replaced("{retention: 2d}", "{retention: 2d, protect: false}")
        .replaced("    timeout: 10s\n", "    timeout: 10s\n    protect: true\n");
    let resources = all(&protected, &RuleSet::Own);
    let tagged = resources.iter().filter_map(|resource| {
        let tag = resource.settings.tree()["tags"]["provision:protect"].as_str()?.to_owned();
        Some(format!("{} {tag}", resource.id))
    });
    assert_eq!(tagged.collect::<Vec<_>>(), ["bucket mail true", "role reader true", "function reader true"]);
    let switched = all(&DECLARATION.replaced("{expire: 30d, ", "{expire: 30d, protect: false, "), &RuleSet::Own);
    assert_eq!(tree(&switched, Kind::Bucket, "mail")["tags"]["provision:protect"], "false");
}

#[test]
fn a_bucket_that_exists_is_let_be_but_for_our_statement() {
    let resources = all(
        &DECLARATION.replaced("{store: mail, prefix: rest/}", "{store: archive, prefix: rest/}"),
        &RuleSet::Joined("company".to_owned()),
    );
    assert!(!resources.iter().any(|one| one.id == Id::new(Kind::Bucket, "archive")));
    let statement = Id::new(Kind::BucketStatement, "archive.rest");
    let found = resources.iter().find(|one| one.id == statement).unwrap();
    assert_eq!(found.address, Address::within("example-archive", "circuits.eu-west-1.archive.rest"));
    assert_eq!(found.settings.tree()["resources"], json!(["arn:aws:s3:::example-archive/rest/*"]));
    let rule = resources.iter().find(|one| one.id == Id::new(Kind::ReceiptRule, "rest")).unwrap();
    assert!(rule.after.contains(&statement));
}

fn tree(resources: &[Resource], kind: Kind, entry: &str) -> Value {
    resources.iter().find(|one| one.id == Id::new(kind, entry)).map(|one| one.settings.tree()).unwrap()
}

#[test]
fn subnets_have_the_ways_out_of_their_tier() {
    for (network, way_of_private) in [("{}", Value::Null), ("{nat: true}", json!("(id of nat gateway circuits-main)"))]
    {
        let source = format!("stack: circuits\nregion: eu-west-1\nnetworks: {{main: {network}}}\n");
        let resources = all(&source, &RuleSet::Own);
        let routes = |tier: &str| tree(&resources, Kind::RouteTable, &format!("main-{tier}"))["routes"].clone();
        assert_eq!(routes("public"), json!({"0.0.0.0/0": "(id of internet gateway circuits-main)"}), "{network}");
        assert_eq!(routes("private")["0.0.0.0/0"], way_of_private, "{network}");
    }
}

#[test]
fn a_function_may_use_what_it_refers_to_and_nothing_else() {
    let resources = all(DECLARATION, &RuleSet::Own);
    let rights = |entry: &str| tree(&resources, Kind::Role, entry)["policies"]["provision"].clone();
    let bucket = "arn:aws:s3:::circuits-mail-123456789012-eu-west-1";
    let allow = |action: &str, resource: &str| json!({"effect": "Allow", "actions": [action], "resources": [resource]});
    let log = |name: &str| {
        let arn = format!("arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/circuits-{name}:*");
        json!({"effect": "Allow", "actions": ["logs:CreateLogStream", "logs:PutLogEvents"], "resources": [arn]})
    };
    assert_eq!(
        rights("reader"),
        json!({
            "WriteLog": log("reader"),
            "GetObjects": allow("s3:GetObject", &format!("{bucket}/inbound/*")),
            "PutObjects": {
                "effect": "Allow",
                "actions": ["s3:AbortMultipartUpload", "s3:PutObject"],
                "resources": [format!("{bucket}/unmatched/*")],
            },
            "SendMessages": allow("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:circuits-failed"),
            "ReadSecrets": allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:netbox/token-??????"),
        })
    );
    let names: Vec<String> = rights("counter").as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["UseNetwork", "WriteLog"]);
}

/// Somebody's key stays, and whoever uses what it encrypts needs the right to it.
#[test]
fn a_function_may_use_the_keys_that_somebody_gave_to_what_it_uses() {
    let source = DECLARATION
        .replaced(
            "    secrets: {TOKEN: netbox/token}\n",
            "    secrets: {TOKEN: token}\n    consumes: {queue: jobs}\n    publishes: [news]\n",
        )
        .replaced("queues: {", "secrets: {token: {value_from: stdin}}\nqueues: {jobs: {visibility_timeout: 1m}, ");
    let declaration = declared(&source);
    let names = Names::new(&declaration, "123456789012");
    let rights = |kind: Kind, given: &'static str| {
        let existing = Existing::with_own([(kind, given, "arn:aws:kms:eu-west-1:123456789012:key/theirs")]);
        let code = BTreeMap::new();
        let inputs =
            Inputs { names: &names, code: &code, artifacts: false, rule_set: &RuleSet::Own, existing: &existing };
        let policy = tree(&resources(&declaration, inputs), Kind::Role, "reader")["policies"]["provision"].clone();
        ["DecryptByKeys", "EncryptByKeys"]
            .map(|id| policy[id]["conditions"]["StringEquals"]["kms:viaservice"][0].clone())
    };
    for (kind, entry, service, is_written) in [
        (Kind::Bucket, "mail", "s3", true),
        (Kind::Queue, "failed", "sqs", true),
        (Kind::Queue, "jobs", "sqs", false),
        (Kind::Topic, "news", "sns", true),
        (Kind::Secret, "token", "secretsmanager", false),
        (Kind::Function, "reader", "lambda", false),
    ] {
        let service = json!(format!("{service}.eu-west-1.amazonaws.com"));
        let written = if is_written { service.clone() } else { Value::Null };
        assert_eq!(rights(kind, entry), [service, written], "{kind:?} {entry}");
    }
    assert_eq!(rights(Kind::Queue, "other"), [Value::Null, Value::Null]);
}

#[test]
fn ses_may_write_publish_and_invoke_for_one_rule_of_this_account_each() {
    let resources = all(DECLARATION, &RuleSet::Own);
    let source = |rule: &str| {
        json!({
            "StringEquals": {"aws:sourceaccount": ["123456789012"]},
            "ArnEquals": {"aws:sourcearn": [format!("arn:aws:ses:eu-west-1:123456789012:receipt-rule-set/circuits:receipt-rule/circuits.{rule}")]},
        })
    };
    let policy = &tree(&resources, Kind::Bucket, "mail")["policy"];
    assert_eq!(policy["StoreMailOfReader"]["conditions"], source("reader"));
    assert_eq!(policy["StoreMailOfRest"]["conditions"], source("rest"));
    assert_eq!(policy["StoreMailOfRest"]["principals"], json!(["Service:ses.amazonaws.com"]));
    assert_eq!(policy["RefuseWithoutTls"]["effect"], "Deny");
    assert_eq!(tree(&resources, Kind::Topic, "news")["policy"]["NewsOfReader"]["conditions"], source("reader"));
    let permission = tree(&resources, Kind::Permission, "reader.ses-reader");
    assert_eq!(permission["source_account"], "123456789012");
    assert_eq!(permission["source_arn"], source("reader")["ArnEquals"]["aws:sourcearn"][0]);
}

#[test]
fn everything_comes_after_what_it_needs() {
    let resources = all(DECLARATION, &RuleSet::Own);
    let place = |id: &Id| resources.iter().position(|one| one.id == *id);
    for resource in &resources {
        for before in &resource.after {
            assert!(place(before).is_some(), "{} needs {before}, which nobody makes", resource.id);
        }
    }
}

#[test]
fn rules_that_join_a_set_neither_make_nor_activate_one() {
    let resources = all(DECLARATION, &RuleSet::Joined("company".to_owned()));
    let kinds: Vec<Kind> = resources.iter().map(|one| one.id.kind).collect();
    assert!(!kinds.contains(&Kind::ReceiptRuleSet) && !kinds.contains(&Kind::Activation));
    let rule = resources.iter().find(|one| one.id == Id::new(Kind::ReceiptRule, "reader")).unwrap();
    assert_eq!(rule.address, Address::within("company", "circuits.reader"));
    let policy = &tree(&resources, Kind::Bucket, "mail")["policy"]["StoreMailOfReader"]["conditions"];
    assert!(policy["ArnEquals"]["aws:sourcearn"][0].as_str().unwrap().contains("receipt-rule-set/company:"));
}

#[test]
fn which_set_is_active_decides_where_rules_stand() {
    let mut declaration = declared(DECLARATION);
    let names = Names::new(&declaration, "123456789012");
    let active = |name: Option<&str>| Snapshot { active: name.map(str::to_owned), ..Snapshot::default() };
    let mut chosen = |name: Option<&str>, take_over: bool| {
        declaration.take_over = take_over;
        RuleSet::choose(&declaration, &names, &active(name))
    };
    assert_eq!(chosen(None, false), RuleSet::Own);
    assert_eq!(chosen(Some("circuits"), false), RuleSet::Own);
    assert_eq!(chosen(Some("company"), false), RuleSet::Joined("company".to_owned()));
    assert_eq!(chosen(Some("company"), true), RuleSet::Own);
}

#[test]
fn everything_is_watched_in_the_unit_of_its_metric() {
    let resources = all(DECLARATION, &RuleSet::Own);
    let threshold = |entry: &str| tree(&resources, Kind::Alarm, entry)["threshold"].clone();
    assert_eq!(threshold("reader-duration"), json!(9000.0), "90 percent of 10 s, in milliseconds");
    assert_eq!(threshold("failed-age"), json!(86_400.0), "half of two days, in seconds");
    assert_eq!(threshold("counter-errors"), json!(1.0));
    let entries = resources.iter().filter(|one| one.id.kind == Kind::Alarm).map(|one| one.id.entry.as_str());
    assert!(!entries.into_iter().any(|entry| entry == "counter-undelivered"), "it has no failure queue");
}

#[test]
fn whoever_takes_mails_is_watched_for_silence_where_it_is_asked_for() {
    let silences = |source: &str| -> Vec<String> {
        let resources = all(source, &RuleSet::Own);
        let alarms = resources.iter().filter(|one| one.id.kind == Kind::Alarm).map(|one| one.id.entry.clone());
        alarms.filter(|entry| entry.ends_with("-silence")).collect()
    };
    assert_eq!(silences(DECLARATION), [""; 0]);
    let silence = format!("{DECLARATION}alarms: {{silence: 5d}}\n");
    assert_eq!(silences(&silence), ["reader-silence"], "no mail reaches the counter");
    let alarm = tree(&all(&silence, &RuleSet::Own), Kind::Alarm, "reader-silence");
    let hours = ["period", "evaluation_periods", "threshold", "comparison", "missing_data"].map(|name| &alarm[name]);
    let expected = [json!(3600), json!(120), json!(1.0), json!("LessThanThreshold"), json!("breaching")];
    assert_eq!(hours, expected.each_ref());
    let by_topic = silence.replaced("{news: {}}", "{news: {subscriptions: [{function: counter}]}}");
    assert_eq!(silences(&by_topic), ["counter-silence", "reader-silence"]);
}

#[test]
fn tags_of_an_entry_stand_over_those_of_the_stack_and_ours_over_both() {
    let resources = all(DECLARATION, &RuleSet::Own);
    let expected = json!({"team": "noc", "provision:stack": "circuits.eu-west-1", "provision:id": "mail"});
    assert_eq!(tree(&resources, Kind::Bucket, "mail")["tags"], expected);
    assert_eq!(tree(&resources, Kind::Queue, "failed")["tags"]["team"], "network");
}

#[test]
fn ids_of_statements_have_letters_and_digits_and_differ() {
    assert_eq!(statement_id(&["StoreMailOf", "my-rule-2"]), "StoreMailOfMyRule2");
    let twice = with_ids([("A2".to_owned(), 1), ("A2".to_owned(), 2)]);
    assert_eq!(twice, [("A2".to_owned(), 1), ("A2x2".to_owned(), 2)]);
}

#[test]
fn a_function_may_make_the_topics_that_it_creates_and_read_those_that_it_follows() {
    let arn = "arn:aws:kafka:eu-west-1:123456789012:cluster/company/0a1b2c3d-7";
    let source = format!(
        "\
stack: mails
region: eu-west-1
clusters: {{events: {{existing: '{arn}', topics: {{lines: {{}}, messages: {{}}}}}}}}
functions:
  access: {{crate: a, creates: [events/lines], follows: [events/messages], vpc: {{subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}}}}
"
    );
    let resources = all(&source, &RuleSet::Own);
    let rights = tree(&resources, Kind::Role, "access")["policies"]["provision"].clone();
    let topic = |name: &str| format!("{}/{name}", arn.replaced(":cluster/", ":topic/"));
    let actions = |names: &[&str]| names.iter().map(|name| format!("kafka-cluster:{name}")).collect::<Vec<_>>();
    let allow = |names: &[&str], on: String| json!({"effect": "Allow", "actions": actions(names), "resources": [on]});
    assert_eq!(rights["ReachClusters"], allow(&["Connect"], arn.to_owned()));
    let making = allow(&["AlterTopic", "CreateTopic", "DescribeTopic"], topic("lines"));
    assert_eq!(rights["CreateTopics"], making);
    assert_eq!(rights["ReadTopics"], allow(&["DescribeTopic", "ReadData"], topic("messages")));
    let ids: Vec<&String> = rights.as_object().unwrap().keys().collect();
    assert_eq!(ids, ["CreateTopics", "ReachClusters", "ReadTopics", "UseNetwork", "WriteLog"]);
    // It is told where its topics are, each under its key.
    let context = tree(&resources, Kind::Function, "access")["environment"]["PROVISION_CONTEXT"].clone();
    let context: Value = serde_json::from_str(context.as_str().unwrap()).unwrap();
    assert_eq!(context["creates"]["events/lines"]["topic"], "lines");
    assert_eq!(context["follows"]["events/messages"]["topic"], "messages");
    assert_eq!(context.get("produces"), None);
}

/// A server's role may what its declaration names, and what Session Manager needs; nothing of it is anybody else's.
#[test]
fn a_server_has_the_rights_that_are_declared_and_those_of_sessions() {
    let source = "\
stack: circuits
region: eu-west-1
queues: {jobs: {}, other: {}}
topics: {logins: {}, other: {}}
networks: {main: {}}
security_groups: {web: {network: main}}
servers:
  host: {network: main, security_groups: [web], address: new, key: ops, login_alerts: logins, receives: [jobs], volume: {}}
  plain: {network: main, security_groups: [web], zone: 2}
";
    let resources = all(source, &RuleSet::Own);
    let statements = |entry: &str| {
        let policies = tree(&resources, Kind::Role, entry)["policies"]["provision"].clone();
        let statements = policies.as_object().unwrap().iter();
        statements.map(|(id, one)| (id.clone(), one["resources"].clone())).collect::<BTreeMap<_, _>>()
    };
    let arn = |service: &str, name: &str| json!([format!("arn:aws:{service}:eu-west-1:123456789012:circuits-{name}")]);
    let expected = [
        ("OpenSessions", json!(["*"])),
        ("PublishMessages", arn("sns", "logins")),
        ("ReceiveMessages", arn("sqs", "jobs")),
    ];
    let expected: BTreeMap<String, Value> = expected.into_iter().map(|(id, arns)| (id.to_owned(), arns)).collect();
    assert_eq!(statements("host-server"), expected);
    assert_eq!(statements("plain-server").into_keys().collect::<Vec<_>>(), ["OpenSessions"]);
    let trust = &tree(&resources, Kind::Role, "host-server")["trust"];
    assert!(trust.to_string().contains("ec2.amazonaws.com") && !trust.to_string().contains("lambda"), "{trust}");
    let server = tree(&resources, Kind::Server, "host");
    assert_eq!(server["subnet"], "(id of subnet circuits-main-public-1)");
    assert_eq!(server["volume"], "(id of volume circuits-host)");
    assert_eq!(server["address"], "(id of address circuits-host-address)");
    assert_eq!(tree(&resources, Kind::Server, "plain")["subnet"], "(id of subnet circuits-main-private-2)");
    let of = |kind, entry: &str| Id::new(kind, entry);
    let host = resources.iter().find(|one| one.id == of(Kind::Server, "host")).unwrap();
    for before in [
        of(Kind::InstanceProfile, "host-server"),
        of(Kind::Volume, "host"),
        of(Kind::Address, "host-address"),
        of(Kind::Subnet, "main-public-1"),
        of(Kind::SecurityGroup, "web"),
        of(Kind::RouteTable, "main-public"),
        of(Kind::Endpoint, "main-s3"),
    ] {
        assert!(host.after.contains(&before), "{before}");
    }
    let plain = resources.iter().find(|one| one.id == of(Kind::Server, "plain")).unwrap();
    assert!(plain.after.contains(&of(Kind::RouteTable, "main-private")), "{:?}", plain.after);
}
