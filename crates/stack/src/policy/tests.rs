//! Tests of the least policies.

mod roles;

use std::path::Path;

use super::*;
use crate::purpose::Reading;
use replaced::Replaced as _;

#[test]
fn adopting_needs_to_tag_that_one_resource_and_to_read_the_rest() {
    use engine::Kind as _;
    for kind in Kind::ALL.iter().filter(|kind| kind.has_tags()) {
        let policy = policy_of(QUEUE, Purpose::Adopt(*kind, "old"));
        let adopted = &policy.statements()["Adopted"];
        let expected = if *kind == Kind::Api { 2 } else { 1 };
        assert_eq!(adopted.actions.len(), expected, "{kind:?}");
        assert!(!adopted.resources.is_empty(), "{kind:?}");
    }
    let policy = policy_of(QUEUE, Purpose::Adopt(Kind::Queue, "old"));
    let adopted = &policy.statements()["Adopted"];
    assert_eq!(adopted.actions, BTreeSet::from(["sqs:TagQueue".to_owned()]));
    assert_eq!(adopted.resources, BTreeSet::from(["arn:aws:sqs:eu-west-1:123456789012:old".to_owned()]));
    let writes = policy.statements().values().flat_map(|statement| &statement.actions);
    let writes: Vec<_> = writes.filter(|action| action.contains(":Create") || action.contains(":Delete")).collect();
    assert_eq!(writes, Vec::<&String>::new());
}

fn policy_of(source: &str, purpose: Purpose<'_>) -> Policy {
    let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
    let declaration = &checked.declarations[0];
    policy(declaration, &Names::new(declaration, "123456789012"), purpose)
}

const QUEUE: &str = "stack: circuits\nregion: eu-west-1\nqueues: {failed: {}}\n";

#[test]
fn only_the_permissions_of_the_purpose_are_allowed() {
    let actions = |purpose| {
        let policy = policy_of(QUEUE, purpose);
        policy.statements()["Queues"].actions.iter().cloned().collect::<Vec<_>>().join(" ")
    };
    let read = "sqs:GetQueue* sqs:ListQueueTags";
    assert_eq!(actions(Purpose::Diff), read);
    assert_eq!(actions(Purpose::Down), format!("sqs:DeleteQueue {read}"));
    let all = format!("sqs:CreateQueue sqs:DeleteQueue {read} sqs:SetQueueAttributes sqs:TagQueue sqs:UntagQueue");
    assert_eq!(actions(Purpose::Up), all);
}

#[test]
fn undeclared_kinds_can_be_deleted_and_not_created() {
    let policy = policy_of(QUEUE, Purpose::Up);
    let removed = &policy.statements()["Removed"];
    let topics: Vec<&String> = removed.actions.iter().filter(|action| action.starts_with("sns:")).collect();
    let expected = ["sns:DeleteTopic", "sns:GetTopicAttributes", "sns:List*", "sns:UntagResource"];
    assert_eq!(topics, expected);
    let owner = &removed.conditions["StringEquals"]["aws:resourcetag/provision:stack"];
    assert_eq!(*owner, BTreeSet::from(["circuits.eu-west-1".to_owned()]));
    assert!(!policy.statements().contains_key("Topics"));
    assert!(!policy.statements().contains_key("PassedRoles"));
}

/// Each command about sent mails needs these rights and no others.
#[test]
fn the_commands_about_sent_mails_have_their_own_rights() {
    const CLUSTER: &str = "arn:aws:kafka:eu-west-1:123456789012:cluster/company/0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d-7";
    let source = format!(
        "stack: shop
region: eu-west-1
configuration_sets: {{mails: {{}}}}
tables:
  mails: {{partition_key: ses_pk, sort_key: ses_sk}}
  other: {{partition_key: id}}
buckets: {{bodies: {{}}}}
clusters:
  events: {{existing: {CLUSTER}, topics: {{messages: {{}}}}}}
  empty: {{existing: {}}}
",
        CLUSTER.replaced("company", "other")
    );
    let of = |purpose| {
        let policy = policy_of(&source, purpose);
        let statements = policy.statements().iter().map(|(id, statement)| {
            let all = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
            format!("{id}: {} on {}", all(&statement.actions), all(&statement.resources))
        });
        statements.collect::<Vec<_>>()
    };
    let ours = "123456789012";
    assert_eq!(
        of(Purpose::Send),
        [
            "Everything: iam:ListRoles tag:GetResources on *".to_owned(),
            format!("KeepBodies: s3:PutObject on arn:aws:s3:::shop-bodies-{ours}-eu-west-1/sent/*"),
            format!(
                "KeepRecords: dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem on arn:aws:dynamodb:eu-west-1:{ours}:table/shop-mails"
            ),
            format!(
                "SendMails: ses:SendEmail ses:SendRawEmail on arn:aws:ses:eu-west-1:{ours}:configuration-set/shop-mails arn:aws:ses:eu-west-1:{ours}:identity/*"
            ),
        ]
    );
    let topic = format!("{}/messages", CLUSTER.replaced(":cluster/", ":topic/"));
    let [connect, read] = [
        format!("ConnectClusters: kafka-cluster:Connect on {CLUSTER}"),
        format!("ReadTopics: kafka-cluster:DescribeTopic kafka-cluster:ReadData on {topic}"),
    ];
    assert_eq!(of(Purpose::Tail(Reading::Brokers)), [connect.clone(), read.clone()]);
    let opening = "Everything: iam:ListRoles tag:GetResources on *".to_owned();
    let find =
        format!("FindRecords: dynamodb:Query dynamodb:Scan on arn:aws:dynamodb:eu-west-1:{ours}:table/shop-mails");
    assert_eq!(of(Purpose::Timeline(Reading::Brokers)), [connect, opening.clone(), find.clone(), read]);
    // Whoever reads through a function needs no right at the brokers.
    let ask = format!("AskFunction: lambda:InvokeFunction on arn:aws:lambda:eu-west-1:{ours}:function:shop-access");
    assert_eq!(of(Purpose::Tail(Reading::Function("access"))), [ask.clone(), opening.clone()]);
    assert_eq!(of(Purpose::Timeline(Reading::Function("access"))), [ask, opening, find]);
    // No other command has any of them.
    for purpose in [Purpose::Up, Purpose::Diff, Purpose::Replay, Purpose::Invoke, Purpose::Status] {
        let has = of(purpose).iter().any(|one| one.contains("SendRawEmail") || one.contains("kafka-cluster:ReadData"));
        assert!(!has, "{purpose:?}");
    }
}

/// Whoever tracks mails finds the databases of functions that track, and reads their passwords and no other secret.
#[test]
fn tracking_reads_the_databases_of_functions_that_track_alone() {
    let database = "{subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}";
    let source = format!(
        "stack: shop
region: eu-west-1
databases: {{mails: {database}, others: {database}}}
functions:
  own: {{crate: tracking, databases: [mails], vpc: {database}}}
  elsewhere: {{crate: tracking, secrets: {{DATABASE_URL: company/mails}}}}
  other: {{crate: echo, databases: [others], secrets: {{TOKEN: company/token}}, vpc: {database}}}
  shop: {{crate: shop, secrets: {{DATABASE_URL: company/shop}}}}
"
    );
    for purpose in [Purpose::Track, Purpose::Send] {
        let policy = policy_of(&source, purpose);
        let of = |id: &str| {
            let resources = policy.statements().get(id).map(|statement| &statement.resources);
            resources.into_iter().flatten().cloned().collect::<Vec<_>>()
        };
        let ours = "eu-west-1:123456789012";
        assert_eq!(of("FindDatabases"), [format!("arn:aws:rds:{ours}:db:shop-mails")]);
        assert_eq!(of("ReadAddresses"), [format!("arn:aws:secretsmanager:{ours}:secret:company/mails-??????")]);
        assert_eq!(of("ReadPasswords"), [format!("arn:aws:secretsmanager:{ours}:secret:rds!db-*")]);
        let conditions = &policy.statements()["ReadPasswords"].conditions["StringEquals"];
        let named: Vec<_> = conditions.values().flatten().collect();
        assert_eq!(named, [&format!("arn:aws:rds:{ours}:db:shop-mails")]);
        let everything = &policy.statements()["Everything"].actions;
        assert_eq!(everything.contains("ses:ListSuppressedDestinations"), purpose == Purpose::Track);
    }
}

/// Returns whether a pattern of an ARN covers one, as IAM reads it.
fn covers(pattern: &str, arn: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == arn,
        Some((before, after)) => arn
            .strip_prefix(before)
            .is_some_and(|rest| (0..=rest.len()).filter_map(|at| rest.get(at..)).any(|rest| covers(after, rest))),
    }
}

#[test]
fn nothing_of_a_stack_whose_name_begins_alike_is_named() {
    let of = |stack: &str, stage: Option<&str>| {
        let stages = stage.map(|stage| format!("stages: {{{stage}: {{}}}}\n")).unwrap_or_default();
        let source = format!(
            "stack: {stack}\nregion: eu-west-1\nbuckets: {{a: {{}}}}\nqueues: {{a: {{}}}}\ntopics: {{a: {{}}}}\nsecrets: {{a: {{value_from: stdin}}}}\nfunctions: {{a: {{crate: maintenance, bin: reader}}}}\n{stages}"
        );
        let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), stage).unwrap();
        checked.declarations.into_iter().next().unwrap()
    };
    let (ours, theirs) = (of("mail", Some("prod")), of("mail", Some("prod-b")));
    let names = |declaration: &Declaration| Names::new(declaration, "123456789012");
    let policy = policy(&ours, &names(&ours), Purpose::Up);
    let patterns: Vec<&String> = policy
        .statements()
        .values()
        .flat_map(|statement| &statement.resources)
        .filter(|pattern| *pattern != "*" && !pattern.ends_with(":*"))
        .collect();
    for kind in [Kind::Bucket, Kind::Queue, Kind::Topic, Kind::Secret, Kind::Function, Kind::Role, Kind::LogGroup] {
        let covered = |arn: String| patterns.iter().any(|pattern| covers(pattern, &arn));
        assert!(covered(names(&ours).arn(kind, "a")), "{kind:?}");
        assert!(!covered(names(&theirs).arn(kind, "a")), "{kind:?}");
    }
}

#[test]
fn every_resource_is_named_but_where_there_is_none() {
    let policy = policy_of(QUEUE, Purpose::Up);
    for (id, statement) in policy.statements() {
        let is_everything = statement.resources.contains("*");
        assert_eq!(is_everything, id == "Everything" || id == "Removed", "{id}");
    }
    let everything = &policy.statements()["Everything"];
    // A write that IAM could limit to a resource must not be allowed on all. The exceptions are SES's receipt rules and filters,
    // feedback of identities and subscriptions, which have no ARN of their own there, and network interfaces, whose names AWS chooses.
    let writes = everything.actions.iter().filter(|action| {
        let name = action.split_once(':').map_or("", |(_, name)| name);
        !["Get", "List", "Describe"].iter().any(|verb| name.starts_with(verb))
    });
    let expected = [
        "ec2:DeleteNetworkInterface",
        "logs:DeleteLogDelivery",
        "ses:DeleteReceiptFilter",
        "ses:DeleteReceiptRule",
        "ses:DeleteReceiptRuleSet",
        "ses:SetActiveReceiptRuleSet",
        "ses:SetIdentityHeadersInNotificationsEnabled",
        "ses:SetIdentityNotificationTopic",
        "sns:Unsubscribe",
    ];
    assert_eq!(writes.collect::<Vec<_>>(), expected);
}

/// AWS chooses the ids of what is in networks: without conditions on tags, these rights would be rights to what others have.
#[test]
fn what_has_ids_of_aws_is_made_and_changed_with_the_stacks_tag_alone() {
    let source = "stack: circuits\nregion: eu-west-1\nnetworks: {main: {nat: true}, shared: {existing: vpc-0a1b2c3d}}\n\
                  security_groups: {web: {network: shared}, app: {network: main}}\n\
                  servers: {host: {network: main, security_groups: [app], volume: {size: 20, mount: /srv/items}}}\n";
    for purpose in [Purpose::Up, Purpose::Down] {
        let policy = policy_of(source, purpose);
        let mut made = BTreeSet::new();
        for (id, statement) in policy.statements() {
            let is_write = |action: &&String| action.starts_with("ec2:") && !action.starts_with("ec2:Describe");
            let writes: Vec<&String> = statement.actions.iter().filter(is_write).collect();
            // What is told of interfaces has no tag, nor have images and what else a server is made with; and the existing network is named.
            let is_named = statement.resources.iter().all(|arn| arn.ends_with(":vpc/vpc-0a1b2c3d"));
            let is_launch = id.starts_with("Launch");
            if writes.is_empty() || is_named || is_launch || writes == ["ec2:DeleteNetworkInterface"] {
                continue;
            }
            let conditions: Vec<&String> = statement.conditions["StringEquals"].keys().collect();
            let [condition] = conditions[..] else { panic!("{id}: {conditions:?}") };
            if condition == "aws:requesttag/provision:stack" {
                made.extend(writes.into_iter().cloned());
            } else {
                assert!(
                    ["aws:resourcetag/provision:stack", "ec2:createaction"].contains(&condition.as_str()),
                    "{id}: {condition}"
                );
            }
        }
        let known: BTreeSet<String> =
            super::resources::BY_ID.iter().map(|(_, creating)| (*creating).to_owned()).collect();
        assert_eq!(made, if purpose == Purpose::Up { known } else { BTreeSet::new() }, "{purpose:?}");
    }
}

#[test]
fn every_kind_that_ec2_makes_is_made_with_the_stacks_tag_alone() {
    for kind in Kind::ALL {
        let writes = kind.rights().iter().filter(|right| right.access == Access::Write);
        let own = writes.filter(|right| right.target == Target::Own(*kind)).flat_map(|right| right.actions);
        let is_making = |action: &&&str| {
            let begins = |verb: &str| action.starts_with(&format!("ec2:{verb}"));
            (begins("Create") || begins("Allocate") || begins("Run"))
                && !["ec2:CreateTags", "ec2:CreateRoute"].contains(action)
        };
        let making: Vec<&str> = own.filter(is_making).copied().collect();
        let known: Vec<&str> = super::resources::creating_action(*kind).into_iter().collect();
        assert_eq!(making, known, "{kind:?}: a row of BY_ID lacks, or is not needed");
    }
}

#[test]
fn mappings_are_deleted_of_the_stacks_functions_alone() {
    let functions = "functions: {reader: {crate: maintenance, bin: reader}}";
    for (functions, purpose, is_there) in
        [(functions, Purpose::Up, true), (functions, Purpose::Diff, false), ("tags: {}", Purpose::Up, false)]
    {
        let policy = policy_of(&format!("stack: circuits\nregion: eu-west-1\n{functions}\n"), purpose);
        let is_mapping = |action: &String| action == "lambda:DeleteEventSourceMapping";
        let named = policy.statements().iter().filter(|(id, _)| *id != "Removed").map(|(_, one)| one);
        let statements: Vec<_> = named.filter(|one| one.actions.iter().any(is_mapping)).collect();
        assert_eq!(statements.len(), usize::from(is_there), "{functions} {purpose:?}");
        for statement in statements {
            let reader = "arn:aws:lambda:eu-west-1:123456789012:function:circuits-reader";
            let expected = BTreeSet::from([reader.to_owned(), format!("{reader}:*")]);
            assert_eq!(statement.conditions["ArnLike"]["lambda:functionarn"], expected);
        }
    }
}

#[test]
fn a_network_and_a_bucket_that_exists_need_more() {
    let source = "\
stack: circuits
region: eu-west-1
buckets: {archive: {existing: example-archive}}
functions:
  reader:
    crate: maintenance
    bin: reader
    reserved_concurrency: 1
    vpc: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}
receipt_rules: [{name: all, actions: [{store: archive}]}]
";
    let policy = policy_of(source, Purpose::Up);
    let statements = policy.statements();
    for action in [
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcEndpoints",
        "ses:GetIdentityVerificationAttributes",
        "lambda:GetAccountSettings",
    ] {
        assert!(statements["Everything"].actions.contains(action), "{action}");
    }
    let of_ec2 = |source: &str, purpose| {
        let policy = policy_of(source, purpose);
        let actions = policy.statements().values().flat_map(|statement| &statement.actions);
        // What kinds of EC2 need is needed whatever functions are in.
        let of_kinds: BTreeSet<&str> =
            Kind::ALL.iter().flat_map(|kind| kind.rights()).flat_map(|right| right.actions).copied().collect();
        let is_told = |action: &&String| action.starts_with("ec2:") && !of_kinds.contains(action.as_str());
        actions.filter(is_told).cloned().collect::<Vec<_>>()
    };
    assert_eq!(of_ec2(source, Purpose::Down), INTERFACE_ACTIONS);
    assert_eq!(of_ec2(source, Purpose::Diff).len(), 0);
    assert_eq!(statements["ExistingBuckets"].resources, BTreeSet::from(["arn:aws:s3:::example-archive".to_owned()]));
    assert!(!policy_of(QUEUE, Purpose::Up).statements().contains_key("ExistingBuckets"));
}

/// An entry that is declared no more may have been anything: the last function may have been in a VPC, and may have consumed a queue.
#[test]
fn what_is_no_longer_declared_can_be_deleted() {
    const EMPTY: &str = "stack: circuits\nregion: eu-west-1\n";
    for purpose in [Purpose::Up, Purpose::Down] {
        let policy = policy_of(EMPTY, purpose);
        let allowed: BTreeSet<&String> =
            policy.statements().values().flat_map(|statement| &statement.actions).collect();
        let deletes = Kind::ALL.iter().flat_map(|kind| kind.rights()).filter(|right| right.access == Access::Delete);
        let further = [LEAVE_VPC, DELETE_MAPPING].into_iter().chain(INTERFACE_ACTIONS.iter().copied());
        let needed = deletes.flat_map(|right| right.actions).copied().chain(further);
        // S3 does not look at the tags of buckets: a removed one needs the policy of before.
        let missing: Vec<&str> = needed.filter(|action| !allowed.contains(&(*action).to_owned())).collect();
        assert!(missing.iter().all(|action| action.starts_with("s3:")), "{purpose:?}: {missing:?}");
        let removed = &policy.statements()["Removed"];
        assert!([LEAVE_VPC, DELETE_MAPPING].iter().all(|action| removed.actions.contains(*action)), "{removed:?}");
    }
}

/// Of a log group that does not exist IAM knows no tags, so that the right has to name it.
#[test]
fn the_notes_of_a_stack_are_looked_for_whatever_is_declared() {
    for (purpose, is_there) in [(Purpose::Diff, true), (Purpose::Up, true), (Purpose::Logs, false)] {
        let policy = policy_of(QUEUE, purpose);
        let notes = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/circuits-provision.notes";
        let read = policy.statements().values().any(|statement| {
            statement.resources.contains(notes) && statement.actions.contains("logs:ListTagsForResource")
        });
        assert_eq!(read, is_there, "{purpose:?}");
        let made = policy.statements().values().any(|statement| statement.actions.contains("logs:CreateLogGroup"));
        assert!(!made, "{purpose:?}");
    }
}

#[test]
fn the_policy_of_a_whole_stack_is_two_at_most_that_iam_takes() {
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra.yaml")).unwrap();
    let policy = policy_of(&source, Purpose::Up);
    let sizes: Vec<usize> = parts(&policy, LIMIT).iter().map(|part| part.to_json().len()).collect();
    assert!(sizes.len() <= 2 && sizes.iter().all(|size| *size <= LIMIT), "{sizes:?} of {}", policy.to_json().len());
}

/// Of a cache or database that was adopted, the last snapshot has the adopted name.
#[test]
fn a_last_snapshot_may_have_the_name_of_an_adopted_resource() {
    let checked = Declaration::parse(Path::new("infra.yaml"), QUEUE.as_bytes(), None).unwrap();
    let declaration = &checked.declarations[0];
    let names = Names::new(declaration, "123456789012");
    for (kind, snapshot) in [(Kind::Cache, "elasticache"), (Kind::Database, "rds")] {
        // It may be declared no longer: its tags alone say that it is the stack's.
        let adopted = names.with_found(&kinds::Id::new(kind, "gone"), "company-store");
        let policy = policy(declaration, &adopted, Purpose::Down);
        let patterns = &policy.statements()[&Target::LastSnapshots(kind).id()].resources;
        for name in ["company-store-final-1764403201", "circuits-store-final-1764403201"] {
            let arn = format!("arn:aws:{snapshot}:eu-west-1:123456789012:snapshot:{name}");
            assert!(patterns.iter().any(|pattern| covers(pattern, &arn)), "{kind:?}: {arn} in {patterns:?}");
        }
    }
}

#[test]
fn whoever_compares_a_function_may_let_lambda_decrypt_its_environment() {
    let key = "arn:aws:kms:eu-west-1:123456789012:key/0a1b";
    let source = format!("stack: s\nregion: eu-west-1\nfunctions: {{reader: {{crate: reader, kms_key: {key}}}}}\n");
    for purpose in [Purpose::Up, Purpose::Diff, Purpose::Down, Purpose::Outputs, Purpose::Status] {
        let policy = policy_of(&source, purpose);
        let may = policy
            .statements()
            .values()
            .any(|statement| statement.actions.contains("kms:Decrypt") && statement.resources.contains(key));
        assert!(may, "{purpose:?}");
    }
}
