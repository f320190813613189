//! What the function is told by its environment, read once at the start. All that is wrong with it is said at once.

mod sinks;

use std::fmt;

use thiserror::Error;

pub use sinks::*;

use crate::{
    context::{self, Context},
    trust::{DmarcFailure, Grants, Policy, Purpose},
};

/// Whose MAINTNOTE calendars are taken besides those of the providers, and for which provider: `DOMAIN=PROVIDER` and `ADDRESS=PROVIDER`,
/// separated by commas; `*` stands for every provider.
pub const TRUSTED_SENDERS: &str = "TRUSTED_SENDERS";
/// Who may pass mails on, and those of which provider: as [`TRUSTED_SENDERS`].
pub const FORWARDERS: &str = "FORWARDERS";
/// What a failed DMARC check means: `person` (the mail goes to a person; so it is without this) or `unproven`
/// (it proves nothing, and a DKIM signature in line with the sender is still asked for).
pub const DMARC_FAIL: &str = "DMARC_FAIL";

/// Whether a mail is deleted from its bucket once it is delivered or ignored: `true` or `false` (so it is without this).
pub const DELETE_PROCESSED_MAIL: &str = "DELETE_PROCESSED_MAIL";
/// The same for a mail of a provider that nobody knows, once it is where a person finds it.
pub const DELETE_UNKNOWN_MAIL: &str = "DELETE_UNKNOWN_MAIL";

/// What Lambda itself sets and the runtime cannot do without.
const OF_LAMBDA: &[&str] = &[
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];

/// What the function is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Its stack.
    pub context: Context,
    /// Where notices go; never empty.
    pub sinks: Vec<SinkKind>,
    /// Which mails are deleted.
    pub deletion: Deletion,
    /// Whom to trust.
    pub policy: Policy,
    /// How to call AWS.
    pub aws: Aws,
}

/// How to call AWS: what Lambda puts into every function's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aws {
    /// The region that the function is in.
    pub region: String,
    /// Whose the calls are.
    pub access_key_id: String,
    /// What they are signed with.
    pub secret_access_key: Secret,
    /// What goes with keys that expire, as those of Lambda do.
    pub session_token: Option<Secret>,
    /// An endpoint other than AWS's own for S3: `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`.
    pub s3_endpoint: Option<String>,
    /// The same for Secrets Manager.
    pub secrets_endpoint: Option<String>,
}

/// What no log may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Everything that is wrong with an environment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ConfigurationError {
    /// What is wrong, variable by variable; never empty.
    pub problems: Vec<Problem>,
}

/// What is wrong with a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its name.
    pub variable: &'static str,
    /// What is wrong.
    pub fault: String,
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the function's environment is not complete: ")?;
        for (index, problem) in self.problems.iter().enumerate() {
            let comma = if index == 0 { "" } else { "; " };
            write!(formatter, "{comma}`{}` {}", problem.variable, problem.fault)?;
        }
        Ok(())
    }
}

impl Configuration {
    /// Reads the configuration; `variable` looks one up. A variable that is empty is not there.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        let mut reader = Reader {
            variable: |name: &str| variable(name).filter(|value| !value.trim().is_empty()),
            problems: Vec::new(),
        };
        let context = reader.context();
        let sinks = reader.sinks(context.as_ref());
        let trusted_senders = reader.grants(TRUSTED_SENDERS, Purpose::Carriers);
        let forwarders = reader.grants(FORWARDERS, Purpose::Forwarders);
        let dmarc_failure = reader.dmarc_failure();
        let deletion =
            Deletion { processed: reader.switch(DELETE_PROCESSED_MAIL), unknown: reader.switch(DELETE_UNKNOWN_MAIL) };
        reader.lambda();
        let aws = reader.aws();
        match (context, sinks, dmarc_failure, aws) {
            (Some(context), Some(sinks), Some(dmarc_failure), Some(aws)) if reader.problems.is_empty() => {
                let policy = Policy { trusted_senders, forwarders, dmarc_failure };
                Ok(Self { context, sinks, deletion, policy, aws })
            }
            _ => Err(ConfigurationError { problems: reader.problems }),
        }
    }
}

/// Which mails are deleted from their bucket, once nothing is left to do for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deletion {
    /// What was delivered or ignored.
    pub processed: bool,
    /// What is nobody's that we know, and was put before a person.
    pub unknown: bool,
}

impl Aws {
    /// Reads how to call AWS, for a function that needs nothing else of the pipeline.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        let mut reader = Reader {
            variable: |name: &str| variable(name).filter(|value| !value.trim().is_empty()),
            problems: Vec::new(),
        };
        reader.lambda();
        match reader.aws() {
            Some(aws) if reader.problems.is_empty() => Ok(aws),
            _ => Err(ConfigurationError { problems: reader.problems }),
        }
    }
}

/// Reads variables and notes what is wrong. `None` comes with a note, always.
struct Reader<Variable> {
    variable: Variable,
    problems: Vec<Problem>,
}

impl<Variable: Fn(&str) -> Option<String>> Reader<Variable> {
    fn note(&mut self, variable: &'static str, fault: impl Into<String>) {
        self.problems.push(Problem { variable, fault: fault.into() });
    }

    fn needed(&mut self, name: &'static str) -> Option<String> {
        let value = (self.variable)(name);
        if value.is_none() {
            self.note(name, "is missing");
        }
        value
    }

    fn context(&mut self) -> Option<Context> {
        let json = self.needed(context::VARIABLE)?;
        match serde_json::from_str::<Context>(&json) {
            Ok(context) if context.mail.is_empty() => {
                self.note(
                    context::VARIABLE,
                    "names no place of mails: no receipt rule stores mail before it invokes this function",
                );
                None
            }
            Ok(context) => Some(context),
            Err(error) => {
                self.note(context::VARIABLE, format!("cannot be read: {error}"));
                None
            }
        }
    }

    fn optional(&self, name: &str) -> Option<String> {
        (self.variable)(name)
    }

    /// Entries that give nothing end no function: mails that they may be meant for go to a person, with what is wrong.
    fn grants(&self, name: &str, purpose: Purpose) -> Grants {
        Grants::read(purpose, &(self.variable)(name).unwrap_or_default())
    }

    fn dmarc_failure(&mut self) -> Option<DmarcFailure> {
        match (self.variable)(DMARC_FAIL).as_deref().map(str::trim) {
            None | Some("person") => Some(DmarcFailure::Decides),
            Some("unproven") => Some(DmarcFailure::ProvesNothing),
            Some(other) => {
                let fault = format!("is `{other}`, supported are `person` and `unproven`");
                self.note(DMARC_FAIL, fault);
                None
            }
        }
    }

    fn switch(&mut self, name: &'static str) -> bool {
        match (self.variable)(name).as_deref().map(str::trim) {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                let fault = format!("is `{other}`, supported are `true` and `false`");
                self.note(name, fault);
                false
            }
        }
    }

    fn aws(&mut self) -> Option<Aws> {
        let region = self.needed("AWS_REGION");
        let access_key_id = self.needed("AWS_ACCESS_KEY_ID");
        let secret_access_key = self.needed("AWS_SECRET_ACCESS_KEY").map(Secret);
        let endpoint = |of: &str| {
            (self.variable)(&format!("AWS_ENDPOINT_URL_{of}")).or_else(|| (self.variable)("AWS_ENDPOINT_URL"))
        };
        let (s3_endpoint, secrets_endpoint) = (endpoint("S3"), endpoint("SECRETS_MANAGER"));
        Some(Aws {
            region: region?,
            access_key_id: access_key_id?,
            secret_access_key: secret_access_key?,
            session_token: (self.variable)("AWS_SESSION_TOKEN").map(Secret),
            s3_endpoint,
            secrets_endpoint,
        })
    }

    fn lambda(&mut self) {
        for name in OF_LAMBDA {
            let value = self.needed(name);
            if *name == "AWS_LAMBDA_FUNCTION_MEMORY_SIZE" && value.is_some_and(|size| size.parse::<i32>().is_err()) {
                self.note(name, "is no number");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

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
        Configuration::read(|name| environment.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn a_whole_environment_is_read() {
        let configuration = read(&environment(&[
            (TRUSTED_SENDERS, "small-carrier.example=small, NOC@tiny.example=* ,"),
            (FORWARDERS, " "),
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
        let configuration =
            read(&environment(&[(TRUSTED_SENDERS, "a.example,b.example=b"), (FORWARDERS, "desk")])).unwrap();
        let faulty = |grants: &Grants| grants.faulty().iter().map(|faulty| faulty.entry.clone()).collect::<Vec<_>>();
        assert_eq!(faulty(&configuration.policy.trusted_senders), ["a.example"]);
        assert_eq!(faulty(&configuration.policy.forwarders), ["desk"]);
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
            "AWS_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
        ];
        assert_eq!(names, expected);
        assert!(error.to_string().contains("`PROVISION_CONTEXT` is missing; `SINK` is missing"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        let table = [
            (context::VARIABLE, "{", "cannot be read"),
            (context::VARIABLE, r#"{"stack":"s","function":"f"}"#, "names no place of mails"),
            (SINK, "nautobot", "is `nautobot`, supported are `lines`"),
            (SINK, "  ", "is missing"),
            (SINK, "lines, lines", "names `lines` twice"),
            (DELETE_UNKNOWN_MAIL, "yes", "supported are `true` and `false`"),
            (DMARC_FAIL, "ignore", "supported are `person` and `unproven`"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much", "is no number"),
        ];
        for (variable, value, fault) in table {
            let error = read(&environment(&[(variable, value)])).unwrap_err();
            let [problem] = &error.problems[..] else { panic!("{error}") };
            assert_eq!(problem.variable, variable);
            assert!(problem.fault.contains(fault), "{variable}={value}: {error}");
        }
    }
}
