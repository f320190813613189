//! Tests `provision validate` on every section of a declaration: the values of each key, and contradictions.

use insta::assert_snapshot;

use super::{only_in, validated};

/// A sound declaration with every section and every key, to be made worse.
pub(crate) const FULL: &str = include_str!("full.yaml");

/// Returns the only diagnostic of the full declaration with one thing replaced.
fn only(old: &str, new: &str) -> String {
    only_in(FULL, old, new)
}

#[test]
fn every_key_has_its_place() {
    let run = validated(FULL);
    assert_snapshot!(run.stdout(), @"infra.yaml: valid; stack circuit-maintenance in eu-west-1: 2 buckets, 2 functions, 2 queues, 1 topic, 1 API, 3 secrets, 1 table, 2 clusters, 1 configuration set, 1 database, 2 networks, 2 security groups, 2 caches, 1 server, 2 identities, 2 receipt rules, 2 receipt filters");
    // No zips came with the binary that is tested: the declaration is valid all the same.
    let [warning] = run.diagnostics().try_into().unwrap();
    assert!(
        run.code() == Some(0) && warning.starts_with("infra.yaml:44:17: warning: Failed to find the function `echo`"),
        "{run}"
    );
}

#[test]
fn the_stack_as_a_whole() {
    let faults = [
        only("account: 123456789012", "account: 1234"),
        only("account: 123456789012", "account: [123456789012]"),
        only("take_over: true", "take_over: never"),
        only("  team: network", "  aws:team: network"),
        only("  team: network", "  provision:team: network"),
        only("  team: network", "  team: 'network & more'"),
        only("  team: network", "  'team!': network"),
        only("take_over: true", "take_ower: false"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    3:10: `account` must be the 12 digits of an AWS account, not the number `1234`
    3:10: `account` must be the 12 digits of an AWS account, not a list
    8:12: `take_over` must be `true` or `false`, not the text `never`
    7:3: a tag must have a key that is not reserved (`aws:…`, `provision:…`), not `aws:team`
    7:3: a tag must have a key that is not reserved (`aws:…`, `provision:…`), not `provision:team`
    7:9: `team` must be the value of a tag: letters, digits, spaces and `_.:/=+-@`, at most 256, not the text `network & more`
    7:3: a tag must have a key of letters, digits, spaces and `_.:/=+-@`, at most 128, not `team!`
    8:1: unknown key `take_ower` in the declaration | did you mean `take_over`?
    ");
}

#[test]
fn buckets() {
    let faults = [
        only("versioning: true", "versioning: false"),
        only("versioning: true", "versioning: yes"),
        only("expire_noncurrent: 30d", "expire_noncurrent: 12h"),
        only("{existing: example-archive}", "{existing: Example_Archive}"),
        only("{existing: example-archive}", "{existing: 'arn:aws:s3:::example-archive'}"),
        only("{existing: example-archive}", "{existing: example-archive, expire: 30d}"),
        only("{existing: example-archive}", "{existing: example-archive, tags: {team: network}}"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    13:5: `expire_noncurrent` needs `versioning: true`: without it nothing is kept | add `versioning: true`, or take this away
    12:17: `versioning` must be `true` or `false`, not the text `yes`
    13:24: `expire_noncurrent` must be a whole number of days, not the text `12h` | S3 expires objects by the day, such as `400d`
    17:23: `existing` must be the name of a bucket in AWS, not the text `Example_Archive`
    17:23: `existing` must be the name of a bucket in AWS, not the text `arn:aws:s3:::example-archive` | write the name alone: `example-archive`
    17:40: a bucket that exists stays as it is: `expire` cannot be declared for it | remove one of them
    17:40: a bucket that exists stays as it is: `tags` cannot be declared for it | remove one of them
    ");
}

#[test]
fn functions_and_how_they_run() {
    let faults = [
        only("architecture: arm64", "architecture: aarch64"),
        only("architecture: arm64", "architecture: armm64"),
        only("log_retention: 90d", "log_retention: 31d"),
        only("log_retention: 90d", "log_retention: never"),
        only("reserved_concurrency: 5", "reserved_concurrency: -1"),
        only("reserved_concurrency: 5", "reserved_concurrency: some"),
        only("retries: 1", "retries: 3"),
        only("maximum_event_age: 1h", "maximum_event_age: 7h"),
        only("maximum_event_age: 1h", "maximum_event_age: 30s"),
        only("description: Reads notices", "description: \"Reads\\nnotices\""),
        only("subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]", "subnets: [subnet-0a1b2c3d]"),
        only("subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]", "subnets: [subnet-0a1b2c3d, vpc-4e5f6a7b]"),
        only("subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]", "subnets: [subnet-0a1b2c3d, subnet-0a1b2c3d]"),
        only("security_groups: [sg-0a1b2c3d]", "security_groups: []"),
        only("      security_groups: [sg-0a1b2c3d]\n", ""),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    23:19: `architecture` must be `x86_64` or `arm64`, not the text `aarch64`
    23:19: `architecture` must be `x86_64` or `arm64`, not the text `armm64` | did you mean `arm64`?
    31:20: `log_retention` must be one of 1d, 3d, 5d, 7d, 14d, 30d, 60d, 90d, 120d, 150d, 180d, 365d, 400d, 545d, 731d, 1096d, 1827d, 2192d, 2557d, 2922d, 3288d, 3653d, not the text `31d`
    31:20: `log_retention` must be a duration such as `30s`, `15m`, `12h` or `14d`, not the text `never`
    32:27: `reserved_concurrency` must be a whole number from 0 to 1000, not the number `-1`
    32:27: `reserved_concurrency` must be a whole number from 0 to 1000, not the text `some`
    33:14: `retries` must be `0`, `1` or `2`, not the number `3`
    34:24: `maximum_event_age` must be between `1m` and `6h`, not the text `7h`
    34:24: `maximum_event_age` must be between `1m` and `6h`, not the text `30s`
    22:18: `description` must be one line of text of at most 256 characters, not the text `Reads\nnotices`
    29:16: a function needs two subnets: with one it stops when that zone does | add a subnet in another zone
    29:34: `subnets` must be the id of a subnet, such as `subnet-0a1b2c3d`, not the text `vpc-4e5f6a7b`
    29:34: `subnet-0a1b2c3d` is there twice in `subnets` | remove one of them
    30:24: `security_groups` is empty | name one at least: `security_groups: [sg-0a1b2c3d]`
    28:5: `vpc` lacks `security_groups` | add `security_groups: [sg-0a1b2c3d]`
    ");
    let run = validated(&FULL.replacen("MODE: quick", &format!("MODE: '{}'", "x".repeat(5000)), 1));
    let said = "infra.yaml:19:3: error: the environment of function `maintenance` would have 5";
    assert!(run.code() == Some(2) && run.diagnostics().iter().any(|line| line.starts_with(said)), "{run}");
}

#[test]
fn permissions_name_declared_entries() {
    let faults = [
        only(
            "reads: [{bucket: mail, prefix: inbound/, formerly: [old/]}]",
            "reads: [{bucket: mial, prefix: inbound/}]",
        ),
        only("reads: [{bucket: mail, prefix: inbound/, formerly: [old/]}]", "reads: [{bucket: mail, prefix: other/}]"),
        only("reads: [{bucket: mail, prefix: inbound/, formerly: [old/]}]", "reads: [{prefix: inbound/}]"),
        only(
            "writes: [{bucket: mail, prefix: unmatched/}, archive]",
            "writes: [mail, {bucket: mail, prefix: unmatched/}]",
        ),
        only("writes: [{bucket: mail, prefix: unmatched/}, archive]", "writes: [archive, archive]"),
        only("writes: [{bucket: mail, prefix: unmatched/}, archive]", "writes: {bucket: mail}"),
        only("deletes: [{bucket: mail, prefix: inbound/}]", "deletes: [{bucket: mail, prefix: inbound}]"),
        only("publishes: [events]", "publishes: [event]"),
        only("publishes: [events]", "publishes: [events, events]"),
        only("sends: [jobs]", "sends: [events]"),
        only("NETBOX_TOKEN: netbox-token", "NETBOX_TOKEN: netbox-tokn"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    36:22: bucket `mial` is not declared | did you mean `mail`?
    90:18: function `maintenance` reads `other/` of bucket `mail`, and no action before this one stores the mail there | put `{store: mail, prefix: other/}` before it
    36:13: an item of `reads` lacks `bucket` | add `bucket: mail`
    37:20: `mail/unmatched/` is part of an earlier entry of `writes`
    37:23: `archive` is there twice in `writes`
    37:13: `writes` must be a list, not a mapping | write `writes: [mail]`
    38:38: `prefix` must be empty or end with `/`, not the text `inbound` | write `inbound/`
    39:17: topic `event` is not declared | did you mean `events`?
    39:25: `events` is there twice in `publishes`
    40:13: queue `events` is not declared | declared queues: `jobs`, `dead`
    27:29: `NETBOX_TOKEN` must be an entry of `secrets`, or a name in Secrets Manager, not the text `netbox-tokn` | did you mean `netbox-token`? If not, declare it: `secrets: {NAME: {existing: netbox-tokn}}`
    ");
}

#[test]
fn queues_and_where_they_redrive_to() {
    let faults = [
        only("visibility_timeout: 1m", "visibility_timeout: 13h"),
        only("redrive: {queue: dead, after: 5}", "redrive: {queue: jobs, after: 5}"),
        only("redrive: {queue: dead, after: 5}", "redrive: {queue: dead, after: 0}"),
        only("redrive: {queue: dead, after: 5}", "redrive: dead"),
        only("redrive: {queue: dead, after: 5}", "redrive: {after: 5}"),
        only("redrive: {queue: dead, after: 5}", "redrive: {queue: dead, fifo: true}"),
        only("  dead: {protect: true}", "  dead: {retention: 4d, redrive: {queue: jobs}}"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    48:25: `visibility_timeout` must be between `0s` and `12h`, not the text `13h`
    49:22: queue `jobs` redrives to itself | name another queue
    49:35: `after` must be a whole number from 1 to 1000, not the number `0`
    49:14: `redrive` must be a mapping (`key: value`), not the text `dead`
    49:5: `redrive` lacks `queue` | add `queue: dead-letters`
    49:28: unknown key `fifo` in `redrive` | known keys: `queue`, `after`
    52:42: queues redrive in a circle: `dead` → `jobs` → `dead` | let one of them end it
    ");
}

#[test]
fn topics_and_who_is_told() {
    let faults = [
        only("- noc@example.com", "- noc"),
        only("- noc@example.com", "- noc@example.com\n      - NOC <noc@example.com>"),
        only("- noc@example.com", "- noc@example.com\n      - noc@example.com"),
        only("- noc@example.com", "- {mail: noc@example.com}"),
        only("{queue: jobs, raw: true}", "{queue: job, raw: true}"),
        only("{queue: jobs, raw: true}", "{queue: jobs, raw: maybe}"),
        only("{function: worker, redrive: dead}", "{function: worker, raw: true}"),
        only("- {function: worker, redrive: dead}", "- {function: worker}\n      - {function: maintenance}"),
        only("display_name: Circuit maintenance", "display_nmae: Circuit maintenance"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    57:9: `subscriptions` must be a mail address, `{queue: NAME}` or `{function: NAME}`, not the text `noc`
    58:9: `subscriptions` must be a mail address, `{queue: NAME}` or `{function: NAME}`, not the text `NOC <noc@example.com>` | write the address alone: `noc@example.com`
    58:9: this subscription is there twice
    57:10: unknown subscription `mail` | subscriptions: `queue`, `function`
    58:17: queue `job` is not declared | did you mean `jobs`?
    58:28: `raw` must be `true` or `false`, not the text `maybe`
    59:28: unknown key `raw` in a `function` subscription | known keys: `function`, `redrive`
    60:20: function `maintenance` publishes to topic `events`, which invokes it again | publish to another topic
    55:5: unknown key `display_nmae` in topic `events` | did you mean `display_name`?
    ");
}

#[test]
fn secrets_never_have_a_value() {
    let faults = [
        only(
            "value_from: {environment: NETBOX_TOKEN}\n    description: The token of NetBox\n    kms_key: arn:aws:kms:eu-west-1:123456789012:key/0000-token",
            "existing: netbox/token",
        ),
        only("    value_from: {environment: NETBOX_TOKEN}\n", ""),
        only("value_from: {environment: NETBOX_TOKEN}", "value_from: {environment: netbox-token}"),
        only(
            "value_from: {environment: NETBOX_TOKEN}",
            "value_from: {environment: NETBOX_TOKEN}\n    existing: netbox/token",
        ),
        only("{existing: example/tls}", "{existing: example/tls, tags: {team: network}}"),
        only("{existing: example/tls}", "{value_from: stdin}\n  second: {value_from: stdin}"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    66:5: a secret that exists stays as it is: `tags` cannot be declared for it | take it away
    64:3: secret `netbox-token` has neither `existing` nor `value_from` | add `value_from: {environment: NETBOX_TOKEN}`
    65:31: `environment` must be the name of an environment variable, not what stands there
    65:5: secret `netbox-token` cannot both exist and get a value | take `existing` or `value_from` away
    69:32: a secret that exists stays as it is: `tags` cannot be declared for it | take it away
    69:21: a second secret is read from standard input, which can be read once | read one of them from a file or an environment variable
    ");
}

#[test]
fn possible_secrets_are_not_shown() {
    let secret = "hunter2hunter2";
    let places = [
        ("value_from: {environment: NETBOX_TOKEN}", format!("value_from: {secret}")),
        ("value_from: {environment: NETBOX_TOKEN}", format!("value: {secret}")),
        ("value_from: {environment: NETBOX_TOKEN}", format!("value_from: {{text: {secret}}}")),
        ("value_from: {environment: NETBOX_TOKEN}", format!("value_from: {{environment: '{secret}!'}}")),
        ("{existing: example/tls}", secret.to_owned()),
        ("{existing: example/tls}", format!("[{secret}]")),
    ];
    let mut told = Vec::new();
    for (old, new) in places {
        let run = validated(&FULL.replacen(old, &new, 1));
        assert!(run.code() == Some(2) && !run.to_string().contains(secret), "{run}");
        told.extend(run.diagnostics());
    }
    assert_snapshot!(told.join("\n"), @r"
    infra.yaml:65:17: error: `value_from` must be `{file: PATH}`, `{environment: VARIABLE}` or `stdin`, not what stands there
    infra.yaml:64:3: error: secret `netbox-token` has neither `existing` nor `value_from`
    infra.yaml:65:5: error: unknown key `value` in secret `netbox-token`
    infra.yaml:65:18: error: unknown place of a value `text`
    infra.yaml:65:31: error: `environment` must be the name of an environment variable, not what stands there
    infra.yaml:69:8: error: secret `tls` must be a mapping (`key: value`), not what stands there
    infra.yaml:69:8: error: secret `tls` must be a mapping (`key: value`), not a list
    ");
    let run = validated(&FULL.replacen("{existing: example/tls}", secret, 1));
    assert_snapshot!(run.stderr(), @r"
    infra.yaml:69:8: error: secret `tls` must be a mapping (`key: value`), not what stands there
       |
    69 | …
       | ^

    error: Failed to read `infra.yaml`: 1 error
    ");
}

#[test]
fn alarms_and_who_is_told() {
    let faults = [
        only("notify: [noc@example.com, events]", "notify: [noc@example.com, event]"),
        only("notify: [noc@example.com, events]", "notify: [noc@example]"),
        only("notify: [noc@example.com, events]", "notify: [events, events]"),
        only("off: [throttles]", "off: [throttle]"),
        only("off: [throttles]", "off: [throttles, throttles]"),
        only("off: [throttles]", "off: [errors]"),
        only("silence: 5d", "silence: 8d"),
        only("silence: 5d", "silence: 90m"),
        only("{errors: 5, age: 25}", "{errors: 0}"),
        only("{errors: 5, age: 25}", "{age: 101}"),
        only("{errors: 5, age: 25}", "{error: 5}"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    72:29: topic `event` is not declared | did you mean `events`?
    72:12: `notify` must be a mail address such as `noc@example.com`, not the text `noc@example`
    72:20: this one is told already
    73:9: `off` must be `errors`, `throttles`, `duration`, `undelivered`, `messages`, `age`, `server_errors`, `backlog`, `bounces`, `complaints`, `lag`, `database_cpu`, `database_storage`, `database_connections`, `cache_cpu`, `cache_memory`, `cache_evictions`, `server_cpu` or `server_status`, not the text `throttle`
    73:20: `throttles` is off already
    73:9: `errors` is off, and has a threshold | remove one of them
    74:12: `silence` must be between `1h` and `7d`, not the text `8d`
    74:12: silence is measured in whole hours | write it as `36h` or `5d`
    75:24: `errors` must be a whole number from 1 to 1000000, not the number `0`
    75:21: `age` must be a whole number from 1 to 100, not the number `101`
    75:16: unknown key `error` in `thresholds` | did you mean `errors`?
    ");
}

#[test]
fn rules_and_their_actions() {
    let faults = [
        only("enabled: false", "enabled: 0"),
        only("{add_header: X-Pipeline, value: maintenance}", "{add_header: 'X Pipeline', value: maintenance}"),
        only("{add_header: X-Pipeline, value: maintenance}", "{add_header: X-Pipeline, value: \"a\\nb\"}"),
        only("{add_header: X-Pipeline, value: maintenance}", "{add_header: X-Pipeline}"),
        only("      - {publish: events, encoding: Base64}\n", "      - {add_header: X-Last, value: x}\n"),
        only("{publish: events, encoding: Base64}", "{publish: event, encoding: Base64}"),
        only("{publish: events, encoding: Base64}", "{publish: events, encoding: base32}"),
        only("smtp_code: 554", "smtp_code: 250"),
        only("status_code: 5.1.1", "status_code: 5.1"),
        only("sender: postmaster@example.com", "sender: postmaster"),
        only(", sender: postmaster@example.com", ""),
        only("{invoke: maintenance, topic: events}", "{invoke: maintenance, topic: event}"),
        only("{invoke: maintenance, topic: events}", "{invoke: maintenance, store: mail}"),
        only("    enabled: false\n    recipients: [gone.example.com]\n", ""),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    78:14: `enabled` must be `true` or `false`, not the number `0`
    88:22: `add_header` must be the name of a header: letters, digits and hyphens, at most 50, not the text `X Pipeline`
    88:41: `value` must be one line of ASCII, at most 2048, not the text `a\nb`
    88:10: a `add_header` action lacks `value` | add `value: maintenance`
    92:9: `add_header` cannot be the last action: only those after it see the header | put it before the action that needs it
    92:19: topic `event` is not declared | did you mean `events`?
    92:37: `encoding` must be `UTF-8` or `Base64`, not the text `base32` | did you mean `Base64`?
    81:57: `smtp_code` must be an SMTP code that refuses, such as `550`, not the number `250`
    81:75: `status_code` must be an enhanced SMTP status, such as `5.1.1`, not the number `5.1`
    81:90: `sender` must be a mail address such as `noc@example.com`, not the text `postmaster`
    81:10: a `bounce` action lacks `sender` | add `sender: postmaster@example.com`
    90:38: topic `event` is not declared | did you mean `events`?
    90:10: unknown key `invoke` in a `store` action | known keys: `store`, `prefix`, `topic`
    81:5: no mail reaches receipt rule `maintenance`: rule `gone` takes every mail and stops | put it before `gone`
    ");
}

#[test]
fn what_has_no_tags_of_its_own_cannot_be_protected() {
    for (old, new, subject) in [
        ("    tls: require\n", "    tls: require\n    protect: true\n", "receipt rule `maintenance`"),
        ("{queue: jobs, raw: true}", "{queue: jobs, protect: true}", "a `queue` subscription"),
        ("{queue: dead, after: 5}", "{queue: dead, protect: true}", "`redrive`"),
    ] {
        let told = only(old, new);
        assert!(told.contains(&format!("{subject} cannot have `protect`")), "{told}");
        assert!(told.contains("it has no tags of its own"), "{told}");
    }
    for existing in ["{existing: example-archive", "{existing: example/tls"] {
        let told = only(existing, &format!("{existing}, protect: true"));
        assert!(told.contains("stays as it is: `protect` cannot be declared for it"), "{told}");
    }
    let told = only("dead: {protect: true}", "dead: {protect: always}");
    assert!(told.contains("`protect` must be `true` or `false`"), "{told}");
}

#[test]
fn what_hears_of_sent_mails() {
    let faults = [
        only("types: [bounce, delivery_delay]", "types: [bounced]"),
        only("types: [bounce, delivery_delay]", "types: every"),
        only("types: [bounce, delivery_delay]", "types: []"),
        only("{topic: events, types: [open, click]}", "{topic: event, types: [open, click]}"),
        only("tls: require\n    suppression", "tls: always\n    suppression"),
        only("suppression: [complaint]", "suppression: [complaint, complaint]"),
        only("tracking_domain: links.example.com", "tracking_domain: links"),
        only("example.com: {feedback: {complaint", "Example.com: {feedback: {complaint"),
        only("noc@example.org: {feedback: {delivery: events}}", "noc@example.org: {}"),
        only("noc@example.org: {feedback: {delivery: events}}", "noc@example.org: {feedback: {bounce: events}}"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    121:36: `types` must be `send`, `rendering_failure`, `reject`, `delivery`, `bounce`, `complaint`, `delivery_delay`, `subscription`, `open` or `click`, not the text `bounced` | did you mean `bounce`?
    121:35: `types` must be `all`, or a list of types of events, not the text `every` | write `[bounce, complaint]`
    121:35: `types` is empty | name one at least, or write `all`
    122:21: topic `event` is not declared | did you mean `events`?
    124:10: `tls` must be `optional` or `require`, not the text `always`
    125:30: this is there twice in `suppression`
    126:22: `tracking_domain` must be a domain such as `links.example.com`, not the text `links`
    129:3: an identity must be a domain (`example.com`) or an address (`noc@example.com`), at most 100 characters, not `Example.com` | write it as `example.com`
    130:3: nothing is declared of the identity `noc@example.org` | write `feedback: {bounce: TOPIC, complaint: TOPIC}`, or remove it
    130:40: each bounce comes twice: identity `noc@example.org` tells of it, and destination `bad` of configuration set `mails` | remove it here, or from `types` there: identities tell of all mails, configuration sets of those that are sent with them
    ");
}

#[test]
fn networks_and_security_groups() {
    let faults = [
        only("range: 10.30.0.0/18", "range: 10.30.1.0/18"),
        only("range: 10.30.0.0/18", "range: 10.30.0.0/25"),
        only("range: 10.30.0.0/18", "range: 203.0.0.0/18"),
        only("zones: 3", "zones: 7"),
        only("{existing: vpc-0a1b2c3d, ", "{existing: vpc-0a1b2c3d, zones: 2, "),
        only("{existing: vpc-0a1b2c3d, ", "{existing: subnet-0a1b2c3d, "),
        only("endpoints: [s3]", "endpoints: [sqs]"),
        only("endpoints: [s3]", "private: [subnet-0000000d]"),
        only("app: {network: main", "app: {network: company"),
        only("from: web, port: 8000-8010", "from: wbe, port: 8000-8010"),
        only("from: web, port: 8000-8010", "from: web, port: 8010-8000"),
        only("from: 203.0.113.0/24, port: 443", "from: 203.0.113.7/24, port: 443"),
        only("{from: web, port: 7000, protocol: udp}", "{from: app, port: 7000}"),
        only("{from: web, port: 7000, protocol: udp}", "{from: 203.0.113.0/24, port: 443, protocol: tcp}"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    173:17: `range` must be a private range from /16 to /24, such as `10.20.0.0/16`, not the text `10.30.1.0/18` | write `10.30.0.0/18`
    173:17: `range` must be a private range from /16 to /24, such as `10.20.0.0/16`, not the text `10.30.0.0/25` | AWS takes nothing larger than /16, and below /24 sixteen subnets find no room
    173:17: `range` must be a private range from /16 to /24, such as `10.20.0.0/16`, not the text `203.0.0.0/18` | take one within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16: others are somebody's on the internet
    173:38: `zones` must be a whole number from 1 to 6, not the number `7`
    174:37: a network that exists stays as it is: `zones` cannot be declared for it | remove one of them
    174:23: `existing` must be the id of a network, such as `vpc-0a1b2c3d`, not the text `subnet-0a1b2c3d`
    173:64: `endpoints` must be `s3` or `dynamodb`, not the text `sqs` | what can be named: `s3`, `dynamodb`
    173:52: the stack makes the subnets of its own networks: `private` cannot be declared for it | remove one of them
    176:8: security group `app` names `web`, which is in another network | name a group of the same network, or a range
    176:41: `from` must be a declared security group, the id of one, or a range such as `203.0.113.0/24`, not the text `wbe` | did you mean `web`?
    176:52: `port` must be a port or a span of ports, such as `443` or `8000-8010`, not the text `8010-8000`
    179:22: `from` must be a declared security group, the id of one, or a range such as `203.0.113.0/24`, not the text `203.0.113.7/24` | write `203.0.113.0/24` for the whole range, or `203.0.113.7` for the address
    176:8: security groups `app` and `web` name each other | declare one direction: answers to what is allowed pass anyhow; or name a range in one of them
    179:50: this rule is there twice in `ingress` | remove one of them
    ");
}

/// Resources in a network name it, and groups of it.
#[test]
fn what_is_in_a_network_names_it() {
    let subnets = "vpc: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}";
    let database =
        "    subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]\n    security_groups: [sg-0a1b2c3d]\n    multi_az: true\n";
    let faults = [
        only(subnets, "vpc: {security_groups: [sg-0a1b2c3d]}"),
        only(subnets, "vpc: {network: man, security_groups: [sg-0a1b2c3d]}"),
        only(
            subnets,
            "vpc: {network: main, subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}",
        ),
        only(subnets, "vpc: {network: main, security_groups: [wbe]}"),
        only(subnets, "vpc: {network: company, security_groups: [web]}"),
        only(database, "    network: company\n    security_groups: [web]\n    multi_az: true\n"),
        only(database, "    security_groups: [sg-0a1b2c3d]\n    multi_az: true\n"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    44:155: `vpc` has neither `network` nor `subnets` | add `subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]`, or a declared network
    44:170: network `man` is not declared | did you mean `main`?
    44:161: `network` stands for its private subnets, and `subnets` names others | remove one of them
    44:194: `security_groups` must be a declared security group, or the id of one, not the text `wbe` | did you mean `web`?
    44:196: function `worker` is in network `company`, and security group `web` is in another one | name a group of `company`
    163:22: database `store` is in network `company`, and security group `web` is in another one | name a group of `company`
    155:3: database `store` has neither `network` nor `subnets` | add `subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]`, or a declared network
    ");
}

#[test]
fn servers_without_contradictions() {
    for (fault, words) in [
        (only("    zone: 2\n", "    zone: 4\n"), "network `main` has 3 public subnets"),
        (only("    type: t4g.small\n", "    type: t3.small\n"), "their processors differ"),
        (only("    type: t4g.small\n", "    type: small\n"), "`type` must be the type of a machine"),
        (only("al2023-ami-kernel-6.1-arm64", "al2023-ami kernel"), "`image` must be"),
        (only("    disk: 20\n", "    disk: 4\n"), "`disk` must be"),
        (only("mount: /srv/items", "mount: /etc"), "`/etc` is the system's"),
        (only("    address: new\n", "    address: eip-0a1b2c3d\n"), "name the id of its allocation"),
        (only("    address: new\n", "    address: both\n"), "`address` must be `none`, `new`"),
        (only("    key: ops\n", ""), "`login_alerts` has no effect"),
        (only("    login_alerts: events\n", "    login_alerts: evnts\n"), "did you mean `events`?"),
        (only("security_groups: [web]\n    type", "security_groups: [wbe]\n    type"), "did you mean `web`?"),
    ] {
        assert!(fault.contains(words), "{fault}");
    }
}

#[test]
fn tables_and_clusters() {
    let faults = [
        only("    partition_key: ses_pk\n", "    partition_key: 'ses pk'\n"),
        only("    sort_key: ses_sk\n", "    sort_key: ses_pk\n"),
        only("    brokers: 4\n", "    brokers: 3\n"),
        only("instance: express.m7g.large", "instance: m7g.large"),
        only("version: 3.8.x", "version: 3.5.1"),
        only("{messages: {partitions: 6, replication: 2}}", "{messages: {partitions: 6, replication: 5}}"),
        only("{messages: {partitions: 6, replication: 2}}", "{messages: {}, 'my topic': {}}"),
        only("cluster/company/0a1b2c3d-7', topics", "cluster/company', topics"),
        only("topics: {audit: {}}}", "topics: {audit: {}}, brokers: 3}"),
        only("queries: [mails]", "queries: [mail]"),
        only("produces: [events/messages, company/audit]", "produces: [events/message]"),
        only("produces: [events/messages, company/audit]", "produces: [messages]"),
        only("creates: [company/audit]", "creates: [events/messages]"),
        only("follows: [events/messages]", "follows: [events/message]"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    133:20: `partition_key` must be the name of an attribute: letters, digits, `.`, `_` and `-`, at most 255, not the text `ses pk`
    134:15: `ses_pk` is the partition key already | name another attribute
    145:14: 3 brokers cannot be spread evenly over 2 subnets | write `brokers: 2`, or a multiple of it
    146:15: `instance` must be the type of a broker, such as `kafka.m7g.large`, not the text `m7g.large`
    148:14: `version` must be 3.6 or later: AWS makes topics in those alone, not the text `3.5.1` | write `3.9.x`
    149:53: 4 brokers cannot have 5 copies of a partition | write `replication: 4`
    149:28: it must be the name of a topic in Kafka: letters, digits, `.`, `_` and `-`, at most 249, not `my topic` | write it as Kafka has it: `messages`
    153:23: `existing` must be the ARN of a cluster, `arn:PARTITION:kafka:REGION:ACCOUNT:cluster/NAME/ID`, not the text `arn:aws:kafka:eu-west-1:123456789012:cluster/company`
    153:111: a cluster that exists stays as it is: `brokers` cannot be declared for it | remove one of them
    44:249: table `mail` is not declared | did you mean `mails`?
    44:267: function `worker` writes to `events/message`, which is not declared | did you mean `events/messages`?
    44:268: `produces` must be a cluster and a topic, such as `events/messages`, not the text `messages`
    44:346: AWS makes `events/messages`: the cluster is the stack's own, and no function has to | remove it here
    44:372: function `worker` reads `events/message`, which is not declared | did you mean `events/messages`?
    ");
}

#[test]
fn databases() {
    for (fault, words) in [
        (only("engine: mysql", "engine: oracle"), "`engine` must be `mysql`"),
        (only("version: 8.4.9", "version: 8.0.11"), "write `8.4`"),
        (only("class: db.r8g.large", "class: db.t2.micro"), "write `db.t4g.micro`"),
        (only("storage: 100\n    name", "storage: 10\n    name"), "`storage` must be"),
        (only("user: keeper", "user: rdsadmin"), "write `admin`"),
        (only("backups: 14d", "backups: 40d"), "`backups` must be one of"),
        (only("backups: 14d", "backups: 0d"), "there is no backup"),
        (only("backup_window: 02:00-02:30", "backup_window: sun:23:15-mon:03:15"), "a day of the week"),
        (only("databases: [store]", "databases: [stores]"), "did you mean `store`?"),
    ] {
        assert!(fault.contains(words), "{fault}");
    }
}

#[test]
fn caches() {
    for (fault, words) in [
        (only("engine: redis", "engine: memcached"), "`engine` must be `valkey` or `redis`"),
        (only("version: '7.0'", "version: 5.0.0"), "`version` must be a version such as `8.2`"),
        (only("version: '7.0'", "version: '6.2'"), "write `7.1`"),
        (only("version: '7.0'", "version: '8.0'"), "the last of Redis that AWS has"),
        (only("node: cache.r7g.large", "node: cache.m3.medium"), "write `cache.t4g.micro`"),
        (only("replicas: 2", "replicas: 6"), "`replicas` must be"),
        (only("snapshots: 14d", "snapshots: 40d"), "`snapshots` must be one of"),
        (only("snapshots: 14d", "snapshots: 0d"), "there is no snapshot"),
        (only("snapshot_window: 02:00-03:00", "snapshot_window: sun:23:15-mon:03:15"), "a day of the week"),
        (only("snapshot_window: 02:00-03:00", "snapshot_window: 02:00-02:30"), "60 minutes or longer"),
        (only("restore: {snapshot: orders-2026-11}", "restore: {}"), "`restore` names no data"),
        (only("'arn:aws:s3:::company-seeds/orders.rdb'", "'arn:aws:s3:::some_name'"), "the ARN of a file of Redis"),
        (only("    auth: tls\n", ""), "auth"),
        (only("auth: tls", "auth: tsl"), "did you mean `tls`?"),
        (only("caches: [seen]", "caches: [sen]"), "did you mean `seen`?"),
    ] {
        assert!(fault.contains(words), "{words}: {fault}");
    }
}
