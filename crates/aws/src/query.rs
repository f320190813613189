//! Services that speak AWS's query protocol and have no generated client here: EC2, RDS and `ElastiCache`.
//!
//! A generated client of EC2 alone takes longer to compile than all others together. Calls run on the runtime of the generated clients all
//! the same: its credentials, signature, clock, retries, timeouts and user agent are theirs.

mod answer;
mod client;
mod refusal;

use std::fmt;

use contract::secret::Secret;

pub use answer::Element;
pub use client::Client;

/// A service that speaks the query protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Id as in the environment variable `AWS_ENDPOINT_URL_EC2`, in AWS's own case.
    pub id: &'static str,
    /// Name in the host, in the signature and in IAM's actions.
    pub name: &'static str,
    /// Version of the API.
    pub version: &'static str,
    /// Parameter that asks for the next page, and the path of its value in an answer; `{action}` stands for the action.
    page: (&'static str, &'static str),
    /// Actions that take a `ClientToken`: a call that is repeated with the same one makes nothing twice.
    tokens: &'static [&'static str],
}

/// EC2: networks, servers, volumes. Actions with a token: botocore 1.44.8, members with `idempotencyToken` or named `ClientToken`.
pub const EC2: Service = Service {
    id: "EC2",
    name: "ec2",
    version: "2016-11-15",
    page: ("NextToken", "nextToken"),
    tokens: &[
        "CreateLaunchTemplate",
        "CreateNatGateway",
        "CreateNetworkInterface",
        "CreateRouteTable",
        "CreateVolume",
        "CreateVpcEndpoint",
        "RunInstances",
    ],
};
/// RDS: databases. None of its actions takes a token: names are identities.
pub const RDS: Service =
    Service { id: "RDS", name: "rds", version: "2014-10-31", page: ("Marker", "{action}Result/Marker"), tokens: &[] };
/// `ElastiCache`: caches. None of its actions takes a token: names are identities.
pub const ELASTICACHE: Service = Service {
    id: "ElastiCache",
    name: "elasticache",
    version: "2015-02-02",
    page: ("Marker", "{action}Result/Marker"),
    tokens: &[],
};

/// A call: its action and its parameters, named as on the wire.
///
/// ```
/// use aws::query::Call;
///
/// let call = Call::new("DescribeSubnets").filter("subnet-id", ["subnet-0a", "subnet-0b"]).filter("state", ["available"]);
/// let parameters: Vec<String> = call.parameters().map(|(name, value)| format!("{name}={value}")).collect();
/// assert_eq!(
///     parameters,
///     [
///         "Filter.1.Name=subnet-id",
///         "Filter.1.Value.1=subnet-0a",
///         "Filter.1.Value.2=subnet-0b",
///         "Filter.2.Name=state",
///         "Filter.2.Value.1=available",
///     ]
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    action: &'static str,
    parameters: Vec<(String, String)>,
    secrets: Vec<Secret>,
    filters: usize,
    /// Step that the call is part of; `None` for a call that may be repeated freely.
    step: Option<String>,
}

/// Shows the names of the parameters alone: a value may be secret.
impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.parameters().map(|(name, _)| name).collect();
        formatter.debug_struct("Call").field("action", &self.action).field("parameters", &names).finish_non_exhaustive()
    }
}

impl Call {
    /// Returns a call without parameters.
    pub fn new(action: &'static str) -> Self {
        Self { action, parameters: Vec::new(), secrets: Vec::new(), filters: 0, step: None }
    }

    /// Adds a parameter to the call.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a parameter that nobody else may see: a service that repeats it, as what it does not take, is not believed to keep it.
    #[must_use]
    pub fn with_secret(mut self, name: &str, value: &Secret) -> Self {
        self.secrets.push(value.clone());
        self.with(name, value.expose())
    }

    /// Returns a text of the service without what nobody else may see.
    fn redact(&self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| secret.redact(&text))
    }

    /// Adds a list: `NAME.1`, `NAME.2`. RDS and `ElastiCache` name the members, too: `SubnetIds.SubnetIdentifier`.
    #[must_use]
    pub fn list<Value: Into<String>>(mut self, name: &str, values: impl IntoIterator<Item = Value>) -> Self {
        let numbered = values.into_iter().zip(1..).map(|(value, number)| (format!("{name}.{number}"), value.into()));
        self.parameters.extend(numbered);
        self
    }

    /// Adds a filter as EC2 takes it: what has one of these values. Unlike a list of ids it does not fail if one of them is missing.
    #[must_use]
    pub fn filter<Value: Into<String>>(mut self, name: &str, values: impl IntoIterator<Item = Value>) -> Self {
        self.filters += 1;
        let prefix = format!("Filter.{}", self.filters);
        self.with(&format!("{prefix}.Name"), name).list(&format!("{prefix}.Value"), values)
    }

    /// Names the step that the call is part of: where the action takes a token, it is the same in every attempt of this step, so that a
    /// lost answer makes nothing twice. `step` must tell what is made from everything else: stack, entry and settings.
    #[must_use]
    pub fn once(mut self, step: impl Into<String>) -> Self {
        self.step = Some(step.into());
        self
    }

    /// Returns the parameters so far, without action, version and token.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
