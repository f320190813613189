//! The configuration of the function, read from the environment once, at the start. Every fault is reported at once.

mod sinks;

use contract::context::{self, Context};
use runtime::environment::{Aws, ConfigurationError, Reader};
use trust::{DmarcFailure, Grants, Policy, Purpose};

pub use sinks::*;

use crate::pipeline::Deletion;

/// Variable: consequence of a failed DMARC check. `person` (default): the mail goes to a person. `unproven`: the check proves nothing, and
/// an aligned DKIM signature is still required.
pub const DMARC_FAIL: &str = "DMARC_FAIL";

/// Variable: `true` deletes a mail from its bucket once it is delivered and a sink holds all of it; `false` is the default.
pub const DELETE_PROCESSED_MAIL: &str = "DELETE_PROCESSED_MAIL";
/// Variable: `true` deletes a mail of an unknown provider once a person can find all of it elsewhere; `false` is the default.
pub const DELETE_UNKNOWN_MAIL: &str = "DELETE_UNKNOWN_MAIL";

/// The configuration of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Context of the function in its stack.
    pub context: Context,
    /// Sinks that notices are delivered to; never empty.
    pub sinks: Vec<SinkKind>,
    /// Mails that are deleted after their handling.
    pub deletion: Deletion,
    /// Senders that are trusted.
    pub policy: Policy,
    /// Region, credentials and endpoints of AWS.
    pub aws: Aws,
}

impl Configuration {
    /// Reads the configuration; `variable` looks one up. An empty variable counts as missing.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        let mut reader = Reader::new(variable);
        let context = context(&mut reader);
        let sinks = sinks(&mut reader, context.as_ref());
        let trusted_senders = grants(&mut reader, Purpose::Carriers);
        let forwarders = grants(&mut reader, Purpose::Forwarders);
        let dmarc_failure = reader.word(DMARC_FAIL, DMARC_FAILURES);
        let deletion =
            Deletion { processed: reader.switch(DELETE_PROCESSED_MAIL), unknown: reader.switch(DELETE_UNKNOWN_MAIL) };
        let aws = reader.aws();
        let all = context.zip(sinks).zip(dmarc_failure).zip(aws);
        reader.finish(all.map(|(((context, sinks), dmarc_failure), aws)| {
            let policy = Policy { trusted_senders, forwarders, dmarc_failure };
            Self { context, sinks, deletion, policy, aws }
        }))
    }
}

const DMARC_FAILURES: &[(&str, DmarcFailure)] =
    &[("person", DmarcFailure::Decides), ("unproven", DmarcFailure::ProvesNothing)];

fn context(reader: &mut Reader<'_>) -> Option<Context> {
    let context = reader.context()?;
    if context.mail.is_empty() {
        let fault = "names no place of mails: no receipt rule stores mail before it invokes this function";
        reader.problem(context::VARIABLE, fault);
        return None;
    }
    Some(context)
}

/// Reads a list of grants. A faulty entry does not stop the function: mails that it may be meant for go to a person, with the fault.
fn grants(reader: &mut Reader<'_>, purpose: Purpose) -> Grants {
    Grants::read(purpose, &reader.optional(purpose.variable()).unwrap_or_default())
}

#[cfg(test)]
mod schema_tests;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sinks::SINK;

    const CONTEXT: &str = r#"{"stack":"s","function":"f","mail":[{"bucket":"b","prefix":"inbound/"}]}"#;

    pub(super) fn environment(changes: &[(&'static str, &'static str)]) -> BTreeMap<&'static str, &'static str> {
        let mut environment = BTreeMap::from([
            (context::VARIABLE, CONTEXT),
            (SINK, "lines"),
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
            ("AWS_LAMBDA_FUNCTION_NAME", "s-f"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hidden"),
        ]);
        environment.extend(changes.iter().copied());
        environment
    }

    pub(super) fn read(
        environment: &BTreeMap<&'static str, &'static str>,
    ) -> Result<Configuration, ConfigurationError> {
        Configuration::read(&|name| environment.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn a_whole_environment_is_read() {
        let configuration = read(&environment(&[
            ("TRUSTED_SENDERS", "small-carrier.example=small, NOC@tiny.example=* ,"),
            ("FORWARDERS", " "),
            (DMARC_FAIL, "unproven"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:2"),
        ]))
        .unwrap();
        assert_eq!(configuration.context.mail[0].bucket, "b");
        assert_eq!(
            configuration.policy,
            Policy {
                trusted_senders: Grants::read(Purpose::Carriers, "small-carrier.example=small,noc@tiny.example=*"),
                forwarders: Grants::default(),
                dmarc_failure: DmarcFailure::ProvesNothing,
            }
        );
        assert_eq!(configuration.aws.s3_endpoint.as_deref(), Some("http://127.0.0.1:2"));
        assert!(!format!("{configuration:?}").contains("hidden"));
    }

    #[test]
    fn by_default_nobody_is_listed_and_a_failed_dmarc_check_decides() {
        let configuration = read(&environment(&[])).unwrap();
        assert_eq!((configuration.policy, configuration.aws.s3_endpoint), (Policy::default(), None));
    }

    #[test]
    fn a_list_with_a_fault_ends_no_function() {
        let faulty = environment(&[("TRUSTED_SENDERS", "a.example,b.example=b"), ("FORWARDERS", "desk")]);
        let policy = read(&faulty).unwrap().policy;
        let entries = |grants: &Grants| grants.faulty().iter().map(|faulty| faulty.entry.clone()).collect::<Vec<_>>();
        assert_eq!(
            (entries(&policy.trusted_senders), entries(&policy.forwarders)),
            (vec!["a.example".to_owned()], vec!["desk".to_owned()])
        );
    }

    #[test]
    fn all_that_is_missing_is_named_at_once() {
        let error = read(&BTreeMap::new()).unwrap_err();
        let names: Vec<_> = error.problems.iter().map(|problem| problem.variable).collect();
        let expected = [
            "PROVISION_CONTEXT",
            "SINK",
            "AWS_LAMBDA_RUNTIME_API",
            "AWS_LAMBDA_FUNCTION_NAME",
            "AWS_LAMBDA_FUNCTION_VERSION",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
        ];
        assert_eq!(names, expected);
        assert!(error.to_string().contains("`PROVISION_CONTEXT` is missing; `SINK` is missing"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_reported_with_the_expected_one() {
        let table = [
            (context::VARIABLE, "{", "cannot be read"),
            (context::VARIABLE, r#"{"stack":"s","function":"f"}"#, "names no place of mails"),
            (SINK, "nautobot", "is `nautobot`, supported are `lines`"),
            (SINK, "  ", "is missing"),
            (SINK, "lines, lines", "names `lines` twice"),
            (DELETE_UNKNOWN_MAIL, "yes", "supported are `true` and `false`"),
            (DMARC_FAIL, "ignore", "supported are `person` and `unproven`"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much", "is not a number"),
        ];
        for (variable, value, fault) in table {
            let error = read(&environment(&[(variable, value)])).unwrap_err();
            let [problem] = &error.problems[..] else { panic!("{error}") };
            assert_eq!(problem.variable, variable);
            assert!(problem.fault.contains(fault), "{variable}={value}: {error}");
        }
    }
}
