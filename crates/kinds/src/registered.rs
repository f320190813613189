//! No field of any kind can be forgotten: each path of the settings is registered, and each registered one is there.
//!
//! The settings here have something in every field and leave none to a default, so that one more field of a struct, or one
//! more kind, is an error of the compiler.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::{
    Kind, Settings,
    cloudwatch::alarm,
    iam::role,
    lambda::{event_invoke, function, permission},
    logs::log_group,
    s3::bucket::{self, Encryption, Lifecycle, Ownership, PublicAccess},
    secretsmanager::secret,
    ses::{Input, action::Action, activation, order, rule, rule_set},
    sns::{subscription, topic},
    sqs::queue,
};
use aws::policy::{Policy, Statement};
use engine::Tags;
use engine::difference::paths;

fn text() -> String {
    "text".to_owned()
}

fn texts() -> BTreeSet<String> {
    BTreeSet::from([text()])
}

fn map() -> BTreeMap<String, String> {
    BTreeMap::from([("key".to_owned(), text())])
}

fn tags() -> Tags {
    map()
}

fn statement() -> Statement {
    Statement {
        other: map(),
        ..Statement::allow(&["s3:PutObject"], [text()]).for_service("ses.amazonaws.com").when(
            "StringEquals",
            "aws:SourceAccount",
            [text()],
        )
    }
}

fn policy() -> Policy {
    Policy::new([("id".to_owned(), statement())])
}

/// Settings of a kind with something in every field.
fn full(kind: Kind) -> Settings {
    match kind {
        Kind::Bucket => bucket(),
        Kind::BucketStatement => statement().into(),
        Kind::Queue => queue(),
        Kind::Role => role(),
        Kind::LogGroup => {
            log_group::Settings { retention: Some(1), class: text(), kms_key: Some(text()), tags: tags() }.into()
        }
        Kind::Function => function(),
        Kind::EventInvoke => {
            event_invoke::Settings { retries: 1, maximum_age: 60, on_failure: Some(text()), on_success: Some(text()) }
                .into()
        }
        Kind::Permission => permission::Settings {
            principal: text(),
            action: text(),
            source_account: Some(text()),
            source_arn: Some(text()),
            other: Some(text()),
        }
        .into(),
        Kind::Topic => {
            topic::Settings { display_name: text(), policy: policy(), kms_key: Some(text()), tags: tags() }.into()
        }
        Kind::Subscription => {
            let filter = subscription::Filter { scope: text(), policy: json!({"kind": ["notice"]}) };
            let (raw_delivery, redrive) = (true, Some(text()));
            subscription::Settings { raw_delivery, filter: Some(filter), redrive, pending: false }.into()
        }
        Kind::Secret => secret::Settings { description: text(), kms_key: Some(text()), tags: tags() }.into(),
        Kind::ReceiptRuleSet => rule_set::Settings {}.into(),
        Kind::ReceiptRule => rule::Settings {
            enabled: true,
            recipients: texts(),
            scan: true,
            tls: rule::Tls::Require,
            actions: vec![Action::Stop { topic: None }],
            after: Input::default(),
            kept: Input::default(),
        }
        .into(),
        Kind::ReceiptOrder => order::Settings { order: vec![text()] }.into(),
        Kind::Activation => activation::Settings { active: true, take_over: Input::default() }.into(),
        Kind::Alarm => alarm(),
    }
}

fn bucket() -> Settings {
    let encryption = Encryption { algorithm: text(), kms_key: Some(text()), bucket_key: true };
    bucket::Settings {
        public_access: PublicAccess { block_acls: true, ignore_acls: true, block_policy: true, restrict_buckets: true },
        ownership: Ownership(text()),
        encryption,
        versioning: true,
        lifecycle: Lifecycle {
            expire_days: Some(1),
            noncurrent_days: Some(1),
            abort_incomplete_days: Some(1),
            others: map(),
        },
        policy: policy(),
        tags: tags(),
    }
    .into()
}

fn queue() -> Settings {
    queue::Settings {
        retention: 60,
        visibility_timeout: 1,
        delay: 1,
        receive_wait: 1,
        maximum_message_size: 1_024,
        managed_encryption: true,
        kms_key: Some(text()),
        redrive: Some(queue::Redrive { queue: text(), after: 3 }),
        policy: policy(),
        tags: tags(),
    }
    .into()
}

fn role() -> Settings {
    role::Settings {
        path: text(),
        trust: policy(),
        policies: BTreeMap::from([(text(), policy())]),
        attached: texts(),
        description: text(),
        max_session: 3_600,
        permissions_boundary: Some(text()),
        tags: tags(),
    }
    .into()
}

fn function() -> Settings {
    function::Settings {
        role: text(),
        handler: text(),
        runtime: text(),
        architecture: text(),
        description: text(),
        memory: 128,
        timeout: 3,
        ephemeral_storage: 512,
        environment: map(),
        code_sha256: text(),
        layers: vec![text()],
        vpc: function::Vpc { subnets: texts(), security_groups: texts() },
        tracing: text(),
        logging: function::Logging { format: text(), log_group: text() },
        reserved_concurrency: Some(1),
        package: text(),
        failure: Some(text()),
        tags: tags(),
    }
    .into()
}

fn alarm() -> Settings {
    alarm::Settings {
        description: text(),
        namespace: text(),
        metric: text(),
        dimensions: map(),
        statistic: text(),
        unit: Some(text()),
        period: 60,
        evaluation_periods: 2,
        datapoints: Some(1),
        threshold: 1.0,
        comparison: text(),
        missing_data: text(),
        low_samples: Some(text()),
        enabled: true,
        alarm_actions: texts(),
        ok_actions: texts(),
        insufficient_data_actions: texts(),
        tags: tags(),
    }
    .into()
}

#[test]
fn the_registered_fields_of_every_kind_are_those_of_its_settings() {
    for kind in Kind::ALL {
        let settings = full(*kind);
        assert_eq!(settings.kind(), *kind);
        let (paths, fields) = (paths(&settings.tree()), kind.fields());
        let unregistered: Vec<_> = paths.iter().filter(|path| !fields.iter().any(|one| one.covers(path))).collect();
        assert_eq!(unregistered, [""; 0], "of a {}", kind.name());
        let missing: Vec<_> = fields.iter().filter(|field| !paths.iter().any(|path| field.covers(path))).collect();
        assert!(missing.is_empty(), "of a {}: {missing:?}", kind.name());
    }
}
