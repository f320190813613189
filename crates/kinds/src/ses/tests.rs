//! Tests rules, their places and their order, on answers in SES's form.

use aws_sdk_ses::types::{
    AddHeaderAction, BounceAction, ConnectAction, InvocationType, LambdaAction, ReceiptAction, ReceiptRule, S3Action,
    SnsAction, SnsActionEncoding, StopAction, StopScope, TlsPolicy, WorkmailAction, builders::ReceiptRuleBuilder,
};

use super::{
    action::{Action, Encoding, Invocation},
    foreign,
    order::{self, moves},
    rule::{self, Settings, Tls, place, recipient},
};
use engine::Stack;

fn stack() -> Stack {
    Stack { name: "mail".to_owned(), stage: None, region: "eu-west-1".to_owned() }
}

fn list(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn bare() -> ReceiptRuleBuilder {
    ReceiptRule::builder().name("mail.notices").enabled(false).scan_enabled(false).tls_policy(TlsPolicy::Optional)
}

fn every_action() -> Vec<ReceiptAction> {
    let action = ReceiptAction::builder;
    let topic = "arn:aws:sns:eu-west-1:123456789012:t";
    let function = "arn:aws:lambda:eu-west-1:123456789012:function:f";
    let lambda = LambdaAction::builder().function_arn(function).invocation_type(InvocationType::RequestResponse);
    let bounce = BounceAction::builder().sender("a@b.example").smtp_reply_code("550").status_code("5.1.1");
    vec![
        action().add_header_action(AddHeaderAction::builder().header_name("X-A").header_value("b").build().unwrap()),
        action().s3_action(S3Action::builder().bucket_name("b").object_key_prefix("in/").build().unwrap()),
        action().lambda_action(lambda.build().unwrap()),
        action().sns_action(SnsAction::builder().topic_arn(topic).encoding(SnsActionEncoding::Base64).build().unwrap()),
        action().bounce_action(bounce.message("no").topic_arn(topic).build().unwrap()),
        action().stop_action(StopAction::builder().scope(StopScope::RuleSet).build().unwrap()),
        action().workmail_action(WorkmailAction::builder().organization_arn("o").build().unwrap()),
        action().connect_action(ConnectAction::builder().instance_arn("i").iam_role_arn("r").build().unwrap()),
    ]
    .into_iter()
    .map(aws_sdk_ses::types::builders::ReceiptActionBuilder::build)
    .collect()
}

#[test]
fn defaults_of_ses_are_the_defaults() {
    for rule in
        [bare(), bare().set_tls_policy(None), bare().set_actions(Some(Vec::new())).set_recipients(Some(Vec::new()))]
    {
        assert_eq!(Settings::from_aws(&rule.build().unwrap()), Settings::default());
    }
}

#[test]
fn case_and_order_of_recipients_mean_nothing() {
    let read = |one: &str, other: &str| Settings::from_aws(&bare().recipients(one).recipients(other).build().unwrap());
    assert_eq!(read("Noc@Example.com", ".example.org"), read(".example.org", "noc@example.com"));
    assert_eq!(recipient(" NOC@Example.com "), "noc@example.com");
}

#[test]
fn one_real_change_is_seen() {
    let stop = ReceiptAction::builder().stop_action(StopAction::builder().scope(StopScope::RuleSet).build().unwrap());
    for rule in [
        bare().enabled(true),
        bare().scan_enabled(true),
        bare().tls_policy(TlsPolicy::Require),
        bare().recipients("a@example.com"),
        bare().actions(stop.build()),
        bare().actions(ReceiptAction::builder().build()),
    ] {
        assert_ne!(Settings::from_aws(&rule.build().unwrap()), Settings::default());
    }
}

#[test]
fn every_action_is_written_as_it_was_read() {
    let rule = bare().set_recipients(Some(Vec::new())).set_actions(Some(every_action())).build().unwrap();
    assert_eq!(Settings::from_aws(&rule).to_aws("mail.notices").unwrap(), rule);
    let unknown = bare().actions(ReceiptAction::builder().build()).build().unwrap();
    assert!(Settings::from_aws(&unknown).to_aws("mail.notices").is_err());
}

#[test]
fn actions_are_a_sequence() {
    let read = |actions: Vec<ReceiptAction>| Settings::from_aws(&bare().set_actions(Some(actions)).build().unwrap());
    let mut turned = every_action();
    turned.swap(0, 1);
    assert_ne!(read(turned), read(every_action()));
}

#[test]
fn actions_that_carry_mails_out_are_what_others_made() {
    use engine::{Kind as _, difference};

    let live = Settings::from_aws(&bare().set_actions(Some(every_action())).build().unwrap());
    assert_eq!(live.actions.len(), 8);
    let is_declared = |action: &&Action| !matches!(action, Action::WorkMail { .. } | Action::Connect { .. });
    let desired = Settings { actions: live.actions.iter().filter(is_declared).cloned().collect(), ..live.clone() };
    let [from, to] = [&live, &desired].map(|settings| crate::Kind::tree(&settings.clone().into()));
    let differences = difference::differences(&from, &to);
    assert_eq!(differences.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["actions"]);
    let field = difference::field(crate::Kind::ReceiptRule, "actions").unwrap();
    assert_eq!(field.makers.others(&from["actions"], &to["actions"]), ["work_mail", "connect"]);
    // What somebody may want is the declared rule alone.
    let written = desired.to_aws("mail.notices").unwrap().actions.unwrap();
    assert!(written.iter().all(|action| action.workmail_action.is_none() && action.connect_action.is_none()));
}

#[test]
fn a_default_of_an_action_is_the_same_as_none() {
    let lambda = LambdaAction::builder().function_arn("f").topic_arn("").build().unwrap();
    let sns = SnsAction::builder().topic_arn("t").build().unwrap();
    assert_eq!(
        Action::from_aws(&ReceiptAction::builder().lambda_action(lambda).build()),
        Action::Lambda { function: "f".to_owned(), invocation: Invocation::Event, topic: None }
    );
    assert_eq!(
        Action::from_aws(&ReceiptAction::builder().sns_action(sns).build()),
        Action::Sns { topic: "t".to_owned(), encoding: Encoding::Utf8 }
    );
    assert_eq!(rule::Settings::default().tls, Tls::Optional);
}

#[test]
fn a_new_rule_stands_where_it_is_declared() {
    for (there, predecessors, after) in [
        ("", "", None),
        ("x y", "", Some("y")),
        ("x mail.b y", "", Some("x")),
        ("mail.b y", "", None),
        ("x mail.a mail.c y", "mail.a mail.b", Some("mail.a")),
        ("x mail.c", "mail.a", Some("x")),
    ] {
        assert_eq!(place(&stack(), &list(there), &list(predecessors)).as_deref(), after, "{there}");
    }
}

/// Returns a set after some moves, applied as SES does.
fn moved(there: &str, declared: &str) -> (usize, String) {
    let (mut names, steps) = (list(there), moves(&stack(), &list(there), &list(declared)));
    for step in &steps {
        names.retain(|name| *name != step.rule);
        let at = step.after.as_ref().map_or(0, |after| names.iter().position(|name| name == after).unwrap() + 1);
        names.insert(at, step.rule.clone());
    }
    (steps.len(), names.join(" "))
}

#[test]
fn rules_come_into_order_and_those_of_others_stay() {
    let declared = "mail.a mail.b mail.c";
    for (there, steps, then) in [
        ("x mail.a mail.b mail.c y", 0, "x mail.a mail.b mail.c y"),
        ("x mail.b mail.a mail.c y", 1, "x mail.a mail.b mail.c y"),
        ("x mail.c mail.b mail.a y", 2, "x mail.a mail.b mail.c y"),
        ("mail.c mail.a", 1, "mail.a mail.c"),
        ("mail.a x mail.b mail.c", 0, "mail.a x mail.b mail.c"),
        ("x y", 0, "x y"),
        ("", 0, ""),
    ] {
        assert_eq!(moved(there, declared), (steps, then.to_owned()), "{there}");
    }
}

#[test]
fn a_rule_that_is_missing_or_too_many_is_no_wrong_order() {
    let order = |text: &str| order::Settings { order: list(text) };
    assert_eq!(order("mail.a mail.b mail.c"), order("mail.a mail.c"));
    assert_eq!(order("mail.a mail.b"), order("mail.a mail.old mail.b"));
    assert_eq!(order(""), order("mail.a"));
    assert_ne!(order("mail.a mail.b"), order("mail.b mail.old mail.a"));
}

#[test]
fn rules_of_others_are_told_by_their_names() {
    assert_eq!(foreign(&stack(), &list("mail.a mail.b")), None);
    assert_eq!(
        foreign(&stack(), &list("mail.a mail-archive.b c")),
        Some("rules of others: `mail-archive.b`, `c`".to_owned())
    );
}
