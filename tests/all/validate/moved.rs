//! Tests what `validate` says of `moved`.

use insta::assert_snapshot;

use super::{only_in, validate};
use crate::harness::replaced;

const DECLARATION: &str = "\
stack: circuits
region: eu-west-1
buckets: {mail: {}, archive: {existing: example-archive}}
queues: {failed: {}, dead: {}}
secrets: {tls: {existing: example/tls}}
moved:
  bucket/inbox: bucket/mail
";

#[test]
fn wrong_lines_are_refused_with_what_to_write() {
    let with = |from: &str, to: &str| only_in(DECLARATION, "bucket/inbox: bucket/mail", &format!("{from}: {to}"));
    let faults = [
        with("inbox", "bucket/mail"),
        with("buckets/inbox", "bucket/mail"),
        with("bucket/inbox", "bucket/In Box"),
        with("bucket/inbox", "bucket/nobody"),
        with("topic/news", "topic/told"),
        with("queue/failed", "queue/dead"),
        with("bucket/inbox", "queue/dead"),
        with("bucket/inbox", "bucket/archive"),
        with("secret/key", "secret/tls"),
        with("bucket/inbox: bucket/mail\n  bucket/letters", "bucket/mail"),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    7:3: what is moved must be a kind and an entry, such as `bucket/mail`, not `inbox` | write `bucket/OLD: bucket/NEW`
    7:3: what is moved must be a kind and an entry, such as `bucket/mail`, not `buckets/inbox` | write `bucket/inbox`
    7:17: `bucket/inbox` must be a name of lower case letters, digits and single hyphens, at most 32, not the text `bucket/In Box` | for example `in-box`
    7:17: bucket `nobody` is not declared, so that nothing can move there | declared buckets: `mail`, `archive`
    7:15: topic `told` is not declared, so that nothing can move there | declare `told` under `topics`
    7:3: queue `failed` is still declared, so that it has not moved | remove `failed` from `queues`, or this line
    7:17: a bucket cannot become a queue | write `bucket/inbox: bucket/NEW`
    7:17: `archive` is declared as `existing`: it is not the stack's, and has no tag that could be changed | remove this line: its name in AWS is what is declared
    7:15: `tls` is declared as `existing`: it is not the stack's, and has no tag that could be changed | remove this line: its name in AWS is what is declared
    8:19: buckets `inbox` and `letters` cannot both become `mail` | keep one of the two lines
    ");
}

#[test]
fn kinds_without_tags_are_refused_with_the_reason_and_what_happens_instead() {
    for (from, why, instead) in [
        ("receipt_rule/a", "SES keeps no tags on receipt rules", "rename it without `moved`"),
        ("receipt-rule/a", "SES keeps no tags on receipt rules", "no mail falls between them"),
        ("receipt_rules/a", "SES keeps no tags on receipt rules", "rename it without `moved`"),
        ("permission/a", "Lambda keeps no tags on permissions", "is there before that of the old one is deleted"),
        ("subscription/a", "SNS keeps no tags on subscriptions", "leave it out"),
        ("event-invoke/a", "it is a part of its function", "move the function"),
        ("bucket-statement/a", "a statement in a policy has no tags", "leave it out"),
        ("role/a", "it is made for a function", "move the function"),
        ("log-group/a", "it is made for a function", "move the function"),
        ("alarm/a", "it is made for the entry that it watches", "move that one"),
    ] {
        for line in [format!("{from}: bucket/mail"), format!("bucket/inbox: {from}")] {
            let run = validate(replaced(DECLARATION, &[("bucket/inbox: bucket/mail", &line)]));
            assert_eq!(run.code(), Some(2), "{run}");
            assert!(run.stderr().contains(why) && run.stderr().contains(instead), "{line}: {why}, {instead}\n{run}");
        }
    }
}
