//! The settings of a function, and AWS's defaults.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Children, Tags};
use serde::Serialize;

use super::log_group_of;

/// The settings of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// ARN of the role.
    pub role: String,
    /// Entry point: `bootstrap` for a custom runtime.
    pub handler: String,
    /// Identifier of the runtime: `provided.al2023`.
    pub runtime: String,
    /// Architecture: `x86_64` or `arm64`. It is changed with the code.
    pub architecture: String,
    /// Description of the resource, for people.
    pub description: String,
    /// Memory of the function, in MB.
    pub memory: u32,
    /// Timeout of an invocation, in seconds.
    pub timeout: u32,
    /// Size of `/tmp`, in MB.
    pub ephemeral_storage: u32,
    /// Environment variables. Everybody who may read the function sees them: no secret is ever among them.
    pub environment: BTreeMap<String, String>,
    /// The KMS key that encrypts the environment instead of Lambda's own; where none is declared, one that is there stays.
    pub kms_key: Option<String>,
    /// The SHA-256 of the zip, in Base64, as Lambda gives it.
    pub code_sha256: String,
    /// ARNs of the layers, in order. We set none.
    pub layers: Vec<String>,
    /// Network of the function; empty outside a VPC.
    pub vpc: Vpc,
    /// Tracing: `PassThrough` or `Active`.
    pub tracing: String,
    /// Format and group of its logs.
    pub logging: Logging,
    /// Reserved concurrency: cap and guaranteed share. `None` uses the account's unreserved pool.
    pub reserved_concurrency: Option<u32>,
    /// Package type: `Zip` or `Image`.
    pub package: String,
    /// AWS's reason why the function cannot run, or its last change failed; `None` is desired, and another change
    /// corrects it.
    pub failure: Option<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

/// The network of a function; both sets are empty outside a VPC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Vpc {
    /// Ids of the subnets.
    pub subnets: BTreeSet<String>,
    /// Ids of the security groups.
    pub security_groups: BTreeSet<String>,
}

/// The format and the place of a function's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logging {
    /// Format: `Text`, or `JSON` if Lambda wraps the function's lines.
    pub format: String,
    /// Name of the log group.
    pub log_group: String,
}

impl Settings {
    /// Returns AWS's defaults for a function that is created with these values only.
    pub fn new(name: &str, role: impl Into<String>, code_sha256: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            handler: "bootstrap".to_owned(),
            runtime: "provided.al2023".to_owned(),
            architecture: "x86_64".to_owned(),
            description: String::new(),
            memory: 128,
            timeout: 3,
            ephemeral_storage: 512,
            environment: BTreeMap::new(),
            kms_key: None,
            code_sha256: code_sha256.into(),
            layers: Vec::new(),
            vpc: Vpc::default(),
            tracing: "PassThrough".to_owned(),
            logging: Logging { format: "Text".to_owned(), log_group: log_group_of(name) },
            reserved_concurrency: None,
            package: "Zip".to_owned(),
            failure: None,
            tags: Tags::new(),
            children: Children::default(),
        }
    }

    /// Returns the part that one call of `UpdateFunctionConfiguration` sets.
    pub(super) fn configuration(&self) -> Self {
        Self {
            architecture: String::new(),
            code_sha256: String::new(),
            reserved_concurrency: None,
            package: String::new(),
            tags: Tags::new(),
            children: Children::default(),
            ..self.clone()
        }
    }
}
