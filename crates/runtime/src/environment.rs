//! Reads a function's environment once, at its start, and reports every fault at once.

use std::fmt;

pub use contract::secret::Secret;
use contract::{
    address::{Address, Query},
    context::{self, Context},
};
use thiserror::Error;

use crate::{Reach, known::remember, reach::STREAM};

/// Variables that Lambda itself sets and the runtime cannot do without.
const OF_LAMBDA: &[&str] = &[
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];

/// Credentials of AWS, as the environment has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// AWS access key id.
    pub access_key_id: String,
    /// AWS secret access key.
    pub secret_access_key: Secret,
    /// Session token; `None` for long-term keys.
    pub session_token: Option<Secret>,
}

/// Region, credentials and endpoints for calls to AWS. A function has the [`Keys`] that Lambda sets; a program that also runs on a server
/// has [`crate::Credentials`] of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aws<C = Keys> {
    /// The region that the program is in.
    pub region: String,
    /// Credentials that sign its calls.
    pub credentials: C,
    /// Endpoint for S3 other than AWS's own: `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`; `None` for AWS's own.
    pub s3_endpoint: Option<String>,
    /// Endpoint for Secrets Manager other than AWS's own; `None` for AWS's own.
    pub secrets_endpoint: Option<String>,
    /// Endpoint for SQS other than AWS's own; `None` for AWS's own.
    pub sqs_endpoint: Option<String>,
    /// Endpoint for DynamoDB other than AWS's own; `None` for AWS's own.
    pub dynamodb_endpoint: Option<String>,
}

/// The place of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// A secret of that name in Secrets Manager.
    SecretsManager(String),
    /// Value from the environment, for trials without Secrets Manager.
    Given(Secret),
}

/// All faults of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ConfigurationError {
    /// The faults, variable by variable; never empty.
    pub problems: Vec<Problem>,
}

/// A fault of one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Name of the variable.
    pub variable: &'static str,
    /// A predicate: "is missing", "is `x`, supported are …".
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

/// Reads variables and collects what is wrong with them: each `None` of a required value comes with a problem.
///
/// A variable that is empty or blank counts as absent.
pub struct Reader<'environment> {
    variable: &'environment dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reader").field("problems", &self.problems).finish_non_exhaustive()
    }
}

impl<'environment> Reader<'environment> {
    /// Creates a reader; `variable` looks one up. Every fault is collected, so that [`Reader::finish`] names all at once.
    ///
    /// ```
    /// use runtime::environment::Reader;
    ///
    /// let environment = |name: &str| (name == "PORT").then(|| "25".to_owned());
    /// let mut reader = Reader::new(&environment);
    /// let (host, port) = (reader.required("HOST"), reader.required("PORT"));
    /// let error = reader.finish(host.zip(port)).unwrap_err();
    /// assert!(error.to_string().ends_with("`HOST` is missing"));
    /// ```
    pub fn new(variable: &'environment dyn Fn(&str) -> Option<String>) -> Self {
        Self { variable, problems: Vec::new() }
    }

    /// Returns the value if nothing was wrong, else everything that was.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, ConfigurationError> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(ConfigurationError { problems: self.problems }),
        }
    }

    /// Adds a fault of a variable.
    pub fn problem(&mut self, variable: &'static str, fault: impl Into<String>) {
        self.problems.push(Problem { variable, fault: fault.into() });
    }

    /// Reads a variable that may be absent.
    pub fn optional(&mut self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.trim().is_empty())
    }

    /// Reads a variable that must be there.
    pub fn required(&mut self, name: &'static str) -> Option<String> {
        let value = self.optional(name);
        if value.is_none() {
            self.problem(name, "is missing");
        }
        value
    }

    /// Reads certificates in PEM that may be absent.
    pub fn certificates(&mut self, name: &'static str) -> Option<String> {
        let pem = self.optional(name)?;
        let inside = pem.split_once("-----BEGIN CERTIFICATE-----").map(|(_, inside)| inside);
        let length = inside.and_then(|inside| inside.find("-----END CERTIFICATE-----"));
        if length.unwrap_or_default() == 0 {
            self.problem(name, "has no certificate in PEM (`-----BEGIN CERTIFICATE-----`)");
        }
        Some(pem)
    }

    /// Reads the function's [`Context`], every part of it.
    pub fn context(&mut self) -> Option<Context> {
        let json = self.required(context::VARIABLE)?;
        let context: Context = match serde_json::from_str(&json) {
            Ok(context) => context,
            Err(error) => {
                self.problem(context::VARIABLE, format!("cannot be read: {error}"));
                return None;
            }
        };
        let absent = [
            ("the stack's name", context.stack.is_empty()),
            ("the function's own name", context.function.is_empty()),
            ("the name of a bucket", context.mail.iter().any(|place| place.bucket.is_empty())),
        ];
        if let Some((part, _)) = absent.iter().find(|(_, is_absent)| *is_absent) {
            self.problem(context::VARIABLE, format!("lacks {part}"));
            return None;
        }
        Some(context)
    }

    /// Reads a list of entries separated by commas; empty ones are skipped.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        let list = self.optional(name).unwrap_or_default();
        list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
    }

    /// Reads `true` or `false`; an absent variable is `false`.
    pub fn switch(&mut self, name: &'static str) -> bool {
        match self.optional(name).as_deref().map(str::trim) {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.problem(name, format!("is `{other}`, supported are `true` and `false`"));
                false
            }
        }
    }

    /// Reads one of several words; an absent variable is the default, the first of them.
    pub fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let Some(value) = self.optional(name) else { return words.first().map(|(_, meaning)| *meaning) };
        let found = words.iter().find(|(word, _)| *word == value.trim());
        if found.is_none() {
            self.problem(name, format!("is `{value}`, supported are {}", either(words.iter().map(|(word, _)| *word))));
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// Reads the address of a server. What may be secret in it is not repeated.
    pub fn url(&mut self, name: &'static str, example: &str, query: Query) -> Option<Address> {
        let address = Address::read(&self.required(name)?, query);
        if let Err(error) = &address {
            self.problem(name, format!("is {error}; expected an address such as `{example}`"));
        }
        address.ok()
    }

    /// Reads the place of a secret: the context names it, or, for trials, the variable has its value. `malformed` describes a
    /// value that `is_one` refuses.
    pub fn secret(
        &mut self,
        name: &'static str,
        context: Option<&Context>,
        is_one: impl Fn(&str) -> bool,
        malformed: &str,
    ) -> Option<SecretPlace> {
        let value = self.optional(name).map(|value| value.trim().to_owned());
        if let Some(name) = context.and_then(|context| context.secrets.get(name)) {
            return Some(SecretPlace::SecretsManager(name.clone()));
        }
        match value {
            Some(value) if is_one(&value) => return Some(SecretPlace::Given(value.into())),
            Some(_) => self.problem(name, malformed),
            None => self.problem(name, "is missing: the function's `secrets` can name it"),
        }
        None
    }

    /// Reads the addresses that the function may connect to when others have a say in them.
    pub fn reach(&mut self) -> Reach {
        Reach::of_stream(self.optional(STREAM).as_deref())
    }

    /// Reads the variables that Lambda sets: those of its runtime, and those for calls to AWS.
    pub fn aws(&mut self) -> Option<Aws> {
        for name in OF_LAMBDA {
            let value = self.required(name);
            if *name == "AWS_LAMBDA_FUNCTION_MEMORY_SIZE" && value.is_some_and(|size| size.parse::<i32>().is_err()) {
                self.problem(name, "is not a number");
            }
        }
        let keys = Keys::read(self);
        self.calls_with(keys)
    }

    /// Reads the other variables for calls to AWS.
    pub(crate) fn calls_with<C>(&mut self, credentials: Option<C>) -> Option<Aws<C>> {
        let region = self.required("AWS_REGION");
        let everywhere = self.optional("AWS_ENDPOINT_URL");
        let mut endpoint = |name| self.optional(name).or_else(|| everywhere.clone());
        let s3_endpoint = endpoint("AWS_ENDPOINT_URL_S3");
        let secrets_endpoint = endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER");
        let sqs_endpoint = endpoint("AWS_ENDPOINT_URL_SQS");
        let dynamodb_endpoint = endpoint("AWS_ENDPOINT_URL_DYNAMODB");
        let credentials = credentials?;
        Some(Aws { region: region?, credentials, s3_endpoint, secrets_endpoint, sqs_endpoint, dynamodb_endpoint })
    }
}

impl Keys {
    /// Reads keys from the environment.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let access_key_id = reader.required("AWS_ACCESS_KEY_ID");
        let secret_access_key = reader.required("AWS_SECRET_ACCESS_KEY").map(Secret::from);
        let session_token = reader.optional("AWS_SESSION_TOKEN").map(Secret::from);
        secret_access_key.iter().chain(&session_token).for_each(remember);
        Some(Self { access_key_id: access_key_id?, secret_access_key: secret_access_key?, session_token })
    }
}

/// Returns words as alternatives: "`a`, `b` and `c`".
fn either<'word>(words: impl Iterator<Item = &'word str>) -> String {
    let words: Vec<_> = words.map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
