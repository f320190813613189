//! Names in AWS, handed over by whoever derives them: functions are told here what they are told there.

use std::collections::BTreeMap;

use contract::context::{Context, Place};

/// The account that everything stands in: the one that AWS uses in its examples.
pub const ACCOUNT: &str = "123456789012";

/// The names of a stack's parts in AWS, by the entries of its declaration.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Buckets, by entry.
    pub buckets: BTreeMap<String, String>,
    /// Functions, by entry.
    pub functions: BTreeMap<String, FunctionNames>,
    /// Secrets, by name in AWS.
    pub secrets: BTreeMap<String, Secret>,
}

/// A secret that a function reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its ARN, but for the end that Secrets Manager gives it.
    pub arn: String,
    /// The environment variable that holds its value here.
    pub variable: String,
}

/// The names around one function.
#[derive(Debug, Clone)]
pub struct FunctionNames {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The name of its log group.
    pub log_group: String,
    /// Its context: the stack as the function is told of it.
    pub context: Context,
    /// Places that it may read.
    pub reads: Vec<Place>,
    /// Places that it may write.
    pub writes: Vec<Place>,
    /// Places in which it may delete.
    pub deletes: Vec<Place>,
}
