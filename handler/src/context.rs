//! What a function is told of the stack that it stands in: written by `provision` from the declaration, read at start-up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The environment variable that holds a [`Context`] as JSON.
pub const VARIABLE: &str = "PROVISION_CONTEXT";

/// What a function is told of its stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The stack's name.
    pub stack: String,
    /// The stage, where the declaration has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The function's own entry name.
    pub function: String,
    /// Where the receipt rules that invoke this function put the mail before they do, without repetitions.
    /// SES does not say which rule it was, so a mail is looked for in this order.
    #[serde(default)]
    pub mail: Vec<MailPlace>,
    /// Environment variable → name in Secrets Manager, for secrets that the function reads by itself.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
}

/// A bucket and the prefix of the mails in it; the key is prefix + SES message id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailPlace {
    /// The bucket's name in AWS.
    pub bucket: String,
    /// Empty, or ends with `/`.
    pub prefix: String,
}
